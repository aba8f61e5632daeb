/* Whitening in Fourier space: F = C C^+ a wave vector, third cumulants multiplied
 * by C^-1 on each index. Any C will do: the squares know only F^-1. */
#include "lib/lab/lattice/lattice.h"

#include <math.h>

/* The lower Cholesky factor c of the Hermitian a, d x d. */
static int cholesky(ngi_complex *c, const ngi_complex *a, size_t d)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            ngi_complex sum = a[i * d + j];
            for (size_t k = 0; k < j; k++) { /* sum -= c_ik conj(c_jk) */
                ngi_complex u = c[i * d + k], v = c[j * d + k];
                sum.re -= u.re * v.re + u.im * v.im;
                sum.im -= u.im * v.re - u.re * v.im;
            }
            if (i == j) {
                if (!(sum.re > 1e-14 * a[i * d + i].re))
                    return -1;
                c[i * d + i] = (ngi_complex){sqrt(sum.re), 0};
            } else {
                double pivot = c[j * d + j].re;
                c[i * d + j] = (ngi_complex){sum.re / pivot, sum.im / pivot};
            }
        }
    return 0;
}

/* w <- c^-1, lower, d x d */
static void invert(ngi_complex *w, const ngi_complex *c, size_t d)
{
    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < d; i++) {
            ngi_complex sum = {i == j, 0};
            for (size_t k = j; k < i; k++) {
                ngi_complex p = ngi_cmul(c[i * d + k], w[k * d + j]);
                sum.re -= p.re;
                sum.im -= p.im;
            }
            double pivot = c[i * d + i].re;
            w[i * d + j] =
                i < j ? (ngi_complex){0, 0} : (ngi_complex){sum.re / pivot, sum.im / pivot};
        }
}

ng_status ngi_whiten(ngi_complex *whitener, const ngi_complex *f, size_t sites, size_t dimension,
                     ng_error *error)
{
    ngi_complex factor[NGI_SPECIES * NGI_SPECIES];
    size_t block = dimension * dimension;
    for (size_t k = 0; k < sites; k++) {
        for (size_t i = 0; i < block; i++)
            if (!isfinite(f[k * block + i].re) || !isfinite(f[k * block + i].im))
                return ng_error_set(error, NG_ENONFINITE, "F at momentum %zu is not finite", k);
        if (cholesky(factor, f + k * block, dimension) != 0)
            return ng_error_set(error, NG_ESINGULAR,
                                "F at momentum %zu of %zu is not positive definite", k, sites);
        invert(whitener + k * block, factor, dimension);
    }
    return NG_OK;
}

/* v, seen as left x d x right, <- w applied to the middle index */
static void apply(ngi_complex *v, const ngi_complex *w, size_t left, size_t d, size_t right)
{
    for (size_t l = 0; l < left; l++)
        for (size_t r = 0; r < right; r++) {
            ngi_complex *x = v + l * d * right + r;
            for (size_t i = d; i-- > 0;) { /* w is lower: from below, in place */
                ngi_complex sum = {0, 0};
                for (size_t j = 0; j <= i; j++)
                    sum = ngi_cadd(sum, ngi_cmul(w[i * d + j], x[j * right]));
                x[i * right] = sum;
            }
        }
}

double ngi_whiten_third(ngi_complex *t, const ngi_complex *w0, const ngi_complex *w1,
                        const ngi_complex *w2, size_t dimension)
{
    const size_t d = dimension, block = d * d;
    double square = 0;
    apply(t, w0, 1, d, block);
    apply(t, w1, d, d, d);
    apply(t, w2, block, d, 1);
    for (size_t j = 0; j < d * block; j++)
        square += t[j].re * t[j].re + t[j].im * t[j].im;
    return square;
}
