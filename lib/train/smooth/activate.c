/* Activations with three derivatives. */
#include "lib/train/smooth/smooth.h"

#include <math.h>

static void of_tanh(double *h, double *const d[3], const double *z, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double t = tanh(z[k]), s = (1 - t) * (1 + t);
        h[k] = t;
        d[0][k] = s;
        d[1][k] = -2 * t * s;
        d[2][k] = s * (6 * t * t - 2);
    }
}

static void of_sin(double *h, double *const d[3], const double *z, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double s = sin(z[k]), c = cos(z[k]);
        h[k] = s;
        d[0][k] = c;
        d[1][k] = -s;
        d[2][k] = -c;
    }
}

/* z s with the logistic s, whose derivatives are s1, s2, s3 */
static void of_silu(double *h, double *const d[3], const double *z, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double s = 1 / (1 + exp(-z[k])), s1 = s * (1 - s), s2 = s1 * (1 - 2 * s);
        double s3 = s2 * (1 - 2 * s) - 2 * s1 * s1;
        h[k] = z[k] * s;
        d[0][k] = s + z[k] * s1;
        d[1][k] = 2 * s1 + z[k] * s2;
        d[2][k] = 3 * s2 + z[k] * s3;
    }
}

void ngi_smooth_activate(ng_smooth_activation activation, double *h, double *const slope[3],
                         const double *z, size_t n)
{
    static void (*const all[])(double *, double *const[3], const double *, size_t) = {
        [NG_SMOOTH_TANH] = of_tanh, [NG_SMOOTH_SIN] = of_sin, [NG_SMOOTH_SILU] = of_silu};
    all[activation](h, slope, z, n);
}
