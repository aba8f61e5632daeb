#include <math.h>

#include "examples/mesh/mesh.h"

static const double centre[2] = {0.4, 0.6};

double density_1(int axis, double x)
{
    return 1 + 4 * exp(-30 * pow(x - centre[axis], 2));
}

double density_1_slope(int axis, double x)
{
    return -240 * (x - centre[axis]) * exp(-30 * pow(x - centre[axis], 2));
}

/* the integral of m_i from 0 to x */
static double mass_1(int axis, double x)
{
    double root = sqrt(30), scale = 2 * sqrt(3.14159265358979323846 / 30);
    return x + scale * (erf(root * (x - centre[axis])) + erf(root * centre[axis]));
}

double density_mass(void)
{
    return mass_1(0, 1) * mass_1(1, 1);
}

double exact_map(int axis, double xi)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (mass_1(axis, middle) < xi * mass_1(axis, 1))
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double monge_ampere(double slope[5], const double *xi, const double derivative[5])
{
    double x = xi[0] + derivative[0], y = xi[1] + derivative[1], mass = density_mass();
    double a = 1 + derivative[2], b = derivative[3], c = 1 + derivative[4], det = a * c - b * b;
    double m1 = density_1(0, x), m2 = density_1(1, y), m = m1 * m2 / mass;
    slope[0] = density_1_slope(0, x) * m2 / mass * det;
    slope[1] = m1 * density_1_slope(1, y) / mass * det;
    slope[2] = m * c;
    slope[3] = -2 * m * b;
    slope[4] = m * a;
    return m * det - 1;
}
