/* Gaussians in Chebyshev polynomials. */
#include <math.h>
#include <string.h>

#include "examples/tucker/tucker.h"

enum { LONGEST = 1200 };

/* e^-a I_k(a) downwards from where it is nothing (Miller), normalised by I_0 + 2 sum I_k = e^a */
void gaussian_coefficients(double *c, size_t m, double t)
{
    double bessel[LONGEST + 2] = {0}, a = t * t / 2, sum;
    bessel[LONGEST] = 1e-300;
    for (size_t k = LONGEST; k-- > 0;) {
        bessel[k] = bessel[k + 2] + 2 * (double)(k + 1) / a * bessel[k + 1];
        if (bessel[k] > 1e200)
            for (size_t j = k; j <= LONGEST; j++)
                bessel[j] *= 1e-250;
    }
    sum = bessel[0];
    for (size_t k = 1; k <= LONGEST; k++)
        sum += 2 * bessel[k];
    for (size_t j = 0; j < m; j++)
        c[j] = j % 2 != 0 || j / 2 > LONGEST ? 0
                                             : (j == 0       ? 1
                                                : j % 4 == 0 ? 2
                                                             : -2) *
                                                   bessel[j / 2] / sum;
}

void interpolate(double *c, size_t m, double (*f)(void *data, double x), void *data)
{
    const double pi = acos(-1);
    memset(c, 0, m * sizeof *c);
    for (size_t i = 0; i < m; i++) {
        double angle = pi * ((double)i + 0.5) / (double)m, value = f(data, cos(angle));
        for (size_t j = 0; j < m; j++)
            c[j] += (j == 0 ? 1 : 2) * value * cos((double)j * angle) / (double)m;
    }
}

double chebyshev(const double *c, size_t m, double x)
{
    double next = 0, after = 0; /* Clenshaw */
    for (size_t j = m; j-- > 1;) {
        double now = c[j] + 2 * x * next - after;
        after = next;
        next = now;
    }
    return c[0] + x * next - after;
}

double truncation(double t, size_t m)
{
    double c[LONGEST], worst = 0;
    gaussian_coefficients(c, m, t);
    for (int i = 0; i <= 2000; i++) {
        double x = i / 2000.0;
        worst = fmax(worst, fabs(chebyshev(c, m, x) - exp(-t * t * x * x)));
    }
    return worst;
}

double newton_t(size_t term)
{
    return exp(0.4 * ((double)term + FIRST));
}

double newton_weight(size_t term)
{
    return 0.4 * newton_t(term) * 2 / sqrt(2 * acos(0));
}

size_t newton_terms(double t_max)
{
    size_t count = 0;
    while (count < TERMS && newton_t(count) <= t_max)
        count++;
    return count;
}
