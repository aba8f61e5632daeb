/* Fourier transforms by products: one axis after the other, last axis first. */
#include "lib/lab/lattice/wave.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/lab/lattice/lattice.h"

static const double two_pi = 6.283185307179586476925286766559;

size_t ngi_wave_numbers(size_t length)
{
    size_t half = length / 2 + 1;
    return 4 * length * (half + length) + 2 * length * length;
}

ng_status ngi_wave_create(ngi_wave *w, size_t dim, size_t length, ng_error *error)
{
    size_t half = length / 2 + 1;
    memset(w, 0, sizeof *w);
    w->numbers = calloc(ngi_wave_numbers(length), sizeof *w->numbers);
    if (w->numbers == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for transforms of length %zu", length);
    w->dim = dim;
    w->length = length;
    w->half = half;
    w->last_half = ng_f64(w->numbers, length, 2 * half);
    w->left_half = ng_f64(w->numbers + 2 * length * half, 2 * half, length);
    w->last_full = ng_f64(w->numbers + 4 * length * half, 2 * length, 2 * length);
    w->left_full = ng_f64(w->numbers + 4 * length * half + 4 * length * length, 2 * length, length);
    for (size_t x = 0; x < length; x++)
        for (size_t k = 0; k < length; k++) {
            double angle = two_pi * (double)(x * k % length) / (double)length;
            double c = cos(angle), s = sin(angle);
            ng_mat_set(w->left_full, k, x, c);
            ng_mat_set(w->left_full, length + k, x, s);
            ng_mat_set(w->last_full, x, k, c);
            ng_mat_set(w->last_full, x, length + k, -s);
            ng_mat_set(w->last_full, length + x, k, s);
            ng_mat_set(w->last_full, length + x, length + k, c);
            if (k < half) {
                ng_mat_set(w->left_half, k, x, c);
                ng_mat_set(w->left_half, half + k, x, s);
                ng_mat_set(w->last_half, x, k, c);
                ng_mat_set(w->last_half, x, half + k, -s);
            }
        }
    return NG_OK;
}

void ngi_wave_destroy(ngi_wave *w)
{
    free(w->numbers);
    memset(w, 0, sizeof *w);
}

/* One axis of complex fields: out[outer][kept][inner] from in[outer][L][inner],
 * inner a multiple of 2 run; scratch 2 kept inner numbers. */
static ng_status left_axis(double *out, double *scratch, double *in, ng_mat waves, size_t outer,
                           size_t inner, size_t run, ng_error *error)
{
    size_t kept = waves.rows / 2, length = waves.cols;
    for (size_t o = 0; o < outer; o++) {
        ng_mat product = ng_f64(scratch, 2 * kept, inner);
        ng_mat field = ng_f64(in + o * length * inner, length, inner);
        TRY(ng_gemm(product, waves, NG_NOTRANS, field, NG_NOTRANS, 1.0, 0.0, error));
        const double *c = scratch, *s = scratch + kept * inner;
        double *to = out + o * kept * inner;
        for (size_t i = 0; i < kept * inner; i += 2 * run)
            for (size_t j = i; j < i + run; j++) {
                to[j] = c[j] + s[j + run];
                to[j + run] = c[j + run] - s[j];
            }
    }
    return NG_OK;
}

/* The axes before the last one: the result of the last one is in `out`. */
static ng_status other_axes(const ngi_wave *w, double *out, double *scratch, double *other,
                            ng_mat waves, size_t count, size_t run, ng_error *error)
{
    size_t inner = 2 * run, kept = waves.rows / 2;
    double *from = out, *to = other;
    for (size_t axis = w->dim - 1; axis-- > 0; inner *= kept) {
        size_t outer = count * ngi_power(w->length, axis);
        TRY(left_axis(to, scratch, from, waves, outer, inner, run, error));
        double *swap = from;
        from = to;
        to = swap;
    }
    if (from != out)
        memcpy(out, from, count * inner * sizeof *out);
    return NG_OK;
}

ng_status ngi_wave_half(const ngi_wave *w, double *out, double *scratch, double *in, size_t count,
                        ng_error *error)
{
    size_t rows = count * ngi_power(w->length, w->dim - 1), half = w->half;
    TRY(ng_gemm(ng_f64(out, rows, 2 * half), ng_f64(in, rows, w->length), NG_NOTRANS, w->last_half,
                NG_NOTRANS, 1.0, 0.0, error));
    return other_axes(w, out, scratch + rows * 2 * half, scratch, w->left_half, count, half, error);
}

ng_status ngi_wave_full(const ngi_wave *w, double *out, double *scratch, double *in, size_t count,
                        ng_error *error)
{
    size_t rows = count * ngi_power(w->length, w->dim - 1), length = w->length;
    TRY(ng_gemm(ng_f64(out, rows, 2 * length), ng_f64(in, rows, 2 * length), NG_NOTRANS,
                w->last_full, NG_NOTRANS, 1.0, 0.0, error));
    return other_axes(w, out, scratch, in, w->left_full, count, length, error);
}
