/* AdamW on n contiguous elements of one dtype; included by adamw.c with T the
 * type, SQRT its square root and K(name) our static name. Bandwidth-bound: g,
 * m, v, w are read and m, v, w written once. Returns the sum of squares of the
 * update when `wanted`, else 0. */

#include "optim/methods/elementwise_kernels.h"

/* steps: NULL, or n elements that receive what is taken from w */
static inline void K(update)(size_t n, const adamw_scalars *s, const T *restrict g, T *restrict m,
                             T *restrict v, T *restrict w, T *restrict steps)
{
    const T beta1 = (T)s->beta1, rest1 = (T)s->rest1, beta2 = (T)s->beta2, rest2 = (T)s->rest2;
    const T keep = (T)s->keep, step_size = (T)s->step_size, root_scale = (T)s->root_scale;
    const T eps = (T)s->eps;
    for (size_t i = 0; i < n; i++) {
        T grad = g[i];
        T first = beta1 * m[i] + rest1 * grad;
        T second = beta2 * v[i] + rest2 * grad * grad;
        T step = step_size * first / (SQRT(second) * root_scale + eps);
        m[i] = first;
        v[i] = second;
        w[i] = keep * w[i] - step;
        if (steps != NULL)
            steps[i] = step;
    }
}

NGI_CLONES
static double K(run)(size_t n, const adamw_scalars *s, const void *gv, void *mv, void *vv, void *wv,
                     int wanted)
{
    const T *g = gv;
    T *m = mv, *v = vv, *w = wv, steps[K(CHUNK)];
    double sum = 0;
    if (!wanted)
        K(update)(n, s, g, m, v, w, NULL);
    for (size_t i = 0; i < n && wanted; i += K(CHUNK)) {
        size_t count = n - i < K(CHUNK) ? n - i : K(CHUNK);
        K(update)(count, s, g + i, m + i, v + i, w + i, steps);
        sum += K(sum_squares)(count, steps);
    }
    return sum;
}

/* Is all finite that run would write, and no weight larger than limit? */
static int K(try)(size_t n, const adamw_scalars *s, const void *gv, const void *mv, const void *vv,
                  const void *wv, double limit)
{
    const T *g = gv, *m = mv, *v = vv, *w = wv;
    T new_m[K(CHUNK)], new_v[K(CHUNK)], new_w[K(CHUNK)];
    for (size_t i = 0; i < n; i += K(CHUNK)) {
        size_t count = n - i < K(CHUNK) ? n - i : K(CHUNK);
        memcpy(new_m, m + i, count * sizeof(T));
        memcpy(new_v, v + i, count * sizeof(T));
        memcpy(new_w, w + i, count * sizeof(T));
        K(update)(count, s, g + i, new_m, new_v, new_w, NULL);
        if (!K(all_finite)(count, new_m) || !K(all_finite)(count, new_v) ||
            !K(all_within)(count, new_w, (T)limit))
            return 0;
    }
    return 1;
}
