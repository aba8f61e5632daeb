/* IVON on n contiguous elements of one dtype; included by ivon.c with T the type, B the signed
 * integer of its size, SQRT its square root and K(name) our static name. */

#include "optim/methods/elementwise_kernels.h"

/* keep: whether the sum was something before; each loop is one of its own, without a choice in it
 */
static inline __attribute__((always_inline)) void
K(sum_products)(size_t n, T delta, const T *restrict g, const T *restrict w, const T *restrict mean,
                const T *restrict h, T *restrict sum, int keep)
{
    for (size_t i = 0; i < n; i++) {
        T one = mean != NULL ? (w[i] - mean[i]) * g[i] : g[i] * g[i] / (h[i] + delta);
        sum[i] = keep ? sum[i] + one : one;
    }
}

/* products: what n g is, before (h + delta) ess, of one gradient g at w; added to the old ones or
 * not */
NGI_CLONES
static void K(products)(const ivon_piece *p, double delta, void *sumv, int keep)
{
    const T *g = p->g, *w = p->w, *mean = p->mean, *h = p->h;
    T *sum = sumv;
    if (mean != NULL && keep)
        K(sum_products)(p->n, (T)delta, g, w, mean, h, sum, 1);
    else if (mean != NULL)
        K(sum_products)(p->n, (T)delta, g, w, mean, h, sum, 0);
    else if (keep)
        K(sum_products)(p->n, (T)delta, g, w, NULL, h, sum, 1);
    else
        K(sum_products)(p->n, (T)delta, g, w, NULL, h, sum, 0);
}

/* out <- standard deviations; unit: 1 / sqrt(ess), apart so that no product overflows */
NGI_CLONES_WIDE
static void K(deviations)(size_t n, double unit, double delta, const void *hv, void *outv)
{
    const T *h = hv;
    T *restrict out = outv;
    for (size_t i = 0; i < n; i++)
        out[i] = (T)unit / SQRT(h[i] + (T)delta);
}

/* The bits of |x|, whose order is that of the numbers, infinity above them and NaN above it. */
static inline B K(size_bits)(T x)
{
    B bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & (B)((((B)1 << (8 * sizeof(B) - 2)) - 1) * 2 + 1);
}

static inline double K(of_bits)(B bits)
{
    T x;
    memcpy(&x, &bits, sizeof x);
    return isfinite(x) ? (double)x : (double)INFINITY;
}

/* What n g is of one element, before (h + delta) ess: summed before, or of this gradient at a
 * sample. */
#define PRODUCT(i) (product != NULL ? product[i] : (w[i] - mean[i]) * g[i])

static inline __attribute__((always_inline)) void K(look)(size_t n, T delta, const T *g,
                                                          const T *product, const T *mean,
                                                          const T *h, const T *w,
                                                          ivon_extent *extent)
{
    B most_g = 0, most_f = 0, most_mean = 0, most_h = 0, least;
    const T none = (T)INFINITY;
    memcpy(&least, &none, sizeof least);
    for (size_t i = 0; i < n; i++) {
        const T precision = h[i] + delta;
        B bits = K(size_bits)(g[i]);
        most_g = bits > most_g ? bits : most_g;
        bits = K(size_bits)(PRODUCT(i) * precision);
        most_f = bits > most_f ? bits : most_f;
        bits = K(size_bits)(mean != NULL ? mean[i] : w[i]);
        most_mean = bits > most_mean ? bits : most_mean;
        bits = K(size_bits)(h[i]);
        most_h = bits > most_h ? bits : most_h;
        memcpy(&bits, &precision, sizeof bits); /* < 0 where that is */
        least = bits < least ? bits : least;
    }
    extent->g = K(of_bits)(most_g);
    extent->f = K(of_bits)(most_f);
    extent->mean = K(of_bits)(most_mean);
    extent->h = K(of_bits)(most_h);
    extent->precision = least < 0 ? 0 : K(of_bits)(least);
}

/* The largest and smallest of what a step is made of: a pass without a division. */
NGI_CLONES_WIDE
static void K(survey)(const ivon_piece *p, double delta, ivon_extent *extent)
{
    const T *g = p->g, *product = p->products, *mean = p->mean, *h = p->h, *w = p->w;
    if (product == NULL)
        K(look)(p->n, (T)delta, g, NULL, mean, h, w, extent);
    else if (mean != NULL)
        K(look)(p->n, (T)delta, g, product, mean, h, w, extent);
    else
        K(look)(p->n, (T)delta, g, product, NULL, h, w, extent);
}

/* mean: where w is a sample, else NULL; steps <- what is taken from the mean */
static inline __attribute__((always_inline)) void
K(update)(size_t n, const ivon_scalars *s, const T *restrict g, const T *restrict product,
          const T *restrict mean, T *restrict momentum, T *restrict h, T *restrict w,
          T *restrict steps)
{
    const T beta1 = (T)s->beta1, rest1 = (T)s->rest1, beta2 = (T)s->beta2, rest2 = (T)s->rest2;
    const T half = (T)(0.5 * s->rest2 * s->rest2), delta = (T)s->delta, ess = (T)(s->ess * s->part);
    const T debias = (T)s->debias, lr = (T)s->lr, radius = (T)s->radius;
    for (size_t i = 0; i < n; i++) {
        const T old = mean != NULL ? mean[i] : w[i];
        T precision = h[i] + delta, f = PRODUCT(i) * precision * ess, off = h[i] - f;
        T m = beta1 * momentum[i] + rest1 * g[i];
        T curvature = beta2 * h[i] + rest2 * f + half * off * off / precision;
        T step = (m * debias + delta * old) / (curvature + delta);
        step = lr * (step > radius ? radius : step < -radius ? -radius : step);
        momentum[i] = m;
        h[i] = curvature;
        w[i] = old - step;
        steps[i] = step;
    }
}

#undef PRODUCT

/* Momentum, h and w after a step; the sum of squares of what it takes from the mean when `wanted`,
 * else 0. */
NGI_CLONES_WIDE
static double K(run)(const ivon_piece *p, const ivon_scalars *s, int wanted)
{
    const T *g = p->g, *product = p->products, *mean = p->mean;
    T *momentum = p->momentum, *h = p->h, *w = p->w, steps[PIECE];
    if (product == NULL)
        K(update)(p->n, s, g, NULL, mean, momentum, h, w, steps);
    else if (mean != NULL)
        K(update)(p->n, s, g, product, mean, momentum, h, w, steps);
    else
        K(update)(p->n, s, g, product, NULL, momentum, h, w, steps);
    return wanted ? K(sum_squares)(p->n, steps) : 0;
}

/* Is all finite that run would write, and no weight larger than limit? */
static int K(try)(const ivon_piece *p, const ivon_scalars *s, double limit)
{
    T momentum[PIECE], h[PIECE], w[PIECE];
    ivon_piece copy = *p;
    copy.momentum = memcpy(momentum, p->momentum, p->n * sizeof(T));
    copy.h = memcpy(h, p->h, p->n * sizeof(T));
    copy.w = memcpy(w, p->w, p->n * sizeof(T));
    K(run)(&copy, s, 0);
    return K(all_finite)(p->n, momentum) && K(all_finite)(p->n, h) &&
           K(all_within)(p->n, w, (T)limit);
}
