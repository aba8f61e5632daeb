/* Separation, angles and energies of paths. */
#include <math.h>

#include "examples/kinetic/kinetic.h"

static const double half_pi = 1.57079632679489661923;

/* 1 - lambda = E sech^2(s^2 + s z), by the trapezoidal rule */
double two_points(void *data, double s, double *slope)
{
    const double h = 0.05;
    double sum = 0, change = 0;
    (void)data;
    for (int i = -200; i <= 200; i++) {
        double z = i * h, u = s * s + s * z, e = exp(-2 * fabs(u)),
               sech2 = 4 * e / (1 + e) / (1 + e), weight = h * exp(-z * z / 2) / sqrt(4 * half_pi);
        sum += weight * sech2;
        change -= weight * 2 * sech2 * tanh(u) * (2 * s + z);
    }
    *slope = change;
    return sum;
}

double gamma_at(separation *apart, void *data, double theta, double *slope)
{
    double s = tan(theta), change, rest = apart(data, s, &change), square = 1 + s * s;
    *slope = -(change * square + 2 * s * rest) * square; /* ds/dtheta = 1 + s^2 */
    double gamma = 1 - rest * square;
    return gamma > 0 ? gamma : 0;
}

/* phi by Simpson's rule between neighbours. The last angle is a little below pi/2, where gamma = 1.
 */
void optimum_find(optimum *o, separation *apart, void *data)
{
    double unused, before = 0;
    o->apart = apart;
    o->data = data;
    for (size_t i = 0; i < ANGLES; i++) {
        o->theta[i] = half_pi * (double)i / (ANGLES - 1);
        double now = i == 0            ? 0
                     : i + 1 == ANGLES ? 1
                                       : sqrt(gamma_at(apart, data, o->theta[i], &unused));
        if (i > 0) {
            double middle =
                sqrt(gamma_at(apart, data, (o->theta[i] + o->theta[i - 1]) / 2, &unused));
            o->phi[i] =
                o->phi[i - 1] + (o->theta[i] - o->theta[i - 1]) * (before + 4 * middle + now) / 6;
        }
        before = now;
    }
    o->total = o->phi[ANGLES - 1];
}

/* theta at which phi has a value; straight between neighbours */
static double angle(const optimum *o, double phi)
{
    size_t low = 0, high = ANGLES - 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (o->phi[middle] <= phi)
            low = middle;
        else
            high = middle;
    }
    double wide = o->phi[high] - o->phi[low];
    if (low == 0 && wide > 0) /* phi grows as theta^3 from 0 on, where gamma ~ theta^4 */
        return o->theta[1] * cbrt(phi / wide);
    return o->theta[low] +
           (wide > 0 ? (phi - o->phi[low]) / wide : 0) * (o->theta[high] - o->theta[low]);
}

/* The chord from angle 0 to Phi on the unit circle, in the time that t is its share. */
moment path_optimal(const optimum *o, double t)
{
    double c = cos(o->total), s = sin(o->total), x = 1 - t + t * c, y = t * s, unused;
    double r = sqrt(x * x + y * y), r_rate = (x * (c - 1) + y * s) / r,
           phi_rate = (x * s - y * (c - 1)) / (r * r);
    double theta = angle(o, atan2(y, x)),
           rate = phi_rate / sqrt(fmax(gamma_at(o->apart, o->data, theta, &unused), 1e-12));
    return (moment){r * sin(theta), r * cos(theta), r_rate * sin(theta) + r * cos(theta) * rate,
                    r_rate * cos(theta) - r * sin(theta) * rate};
}

moment path_conditional(const optimum *o, double t)
{
    (void)o;
    return (moment){t, 1 - t, 1, -1};
}

moment path_trigonometric(const optimum *o, double t)
{
    (void)o;
    return (moment){sin(half_pi * t), cos(half_pi * t), half_pi * cos(half_pi * t),
                    -half_pi * sin(half_pi * t)};
}

/* Midpoints of t = sin^2 u: the rates of the optimal path are infinite at the ends. */
double energy(path *p, const optimum *o)
{
    enum { STEPS = 4000 };
    double sum = 0, unused;
    for (int i = 0; i < STEPS; i++) {
        double u = half_pi * (i + 0.5) / STEPS, t = sin(u) * sin(u),
               h = half_pi / STEPS * sin(2 * u);
        moment w = p(o, t);
        double beta = w.a_rate - w.a * w.m_rate / w.m;
        sum += h * (w.m_rate * w.m_rate + w.a_rate * w.a_rate -
                    beta * beta * o->apart(o->data, w.a / w.m, &unused));
    }
    return sum;
}
