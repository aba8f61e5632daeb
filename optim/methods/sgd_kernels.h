/* SGD on n contiguous elements of one dtype; included by sgd.c with T the type
 * and K(name) our static name. Returns the sum of (W_new - W_decayed)^2 when
 * `wanted`, else 0. */

#include "optim/methods/elementwise_kernels.h"

/* steps: NULL, or n elements that receive what is taken from w */
static inline void K(update)(size_t n, const sgd_scalars *s, const T *restrict g, T *restrict b,
                             T *restrict w, T *restrict steps)
{
    const T lr = (T)s->lr, keep = (T)s->keep, coupled = (T)s->coupled;
    const T old = (T)s->old, new_weight = (T)s->new_weight, b_weight = (T)s->b_weight;
    for (size_t i = 0; i < n; i++) {
        T grad = g[i] + coupled * w[i];
        T buffer = old * b[i] + grad;
        T step = lr * (new_weight * grad + b_weight * buffer);
        b[i] = buffer;
        w[i] = keep * w[i] - step;
        if (steps != NULL)
            steps[i] = step;
    }
}

NGI_CLONES
static double K(run)(size_t n, const sgd_scalars *s, const void *gv, void *bv, void *wv, int wanted)
{
    const T *g = gv;
    T *b = bv, *w = wv, steps[K(CHUNK)];
    double sum = 0;
    if (!wanted)
        K(update)(n, s, g, b, w, NULL);
    for (size_t i = 0; i < n && wanted; i += K(CHUNK)) {
        size_t count = n - i < K(CHUNK) ? n - i : K(CHUNK);
        K(update)(count, s, g + i, b + i, w + i, steps);
        sum += K(sum_squares)(count, steps);
    }
    return sum;
}

/* Is all finite that run would write, and no weight larger than limit? */
static int K(try)(size_t n, const sgd_scalars *s, const void *gv, const void *bv, const void *wv,
                  double limit)
{
    const T *g = gv, *b = bv, *w = wv;
    T new_b[K(CHUNK)], new_w[K(CHUNK)];
    for (size_t i = 0; i < n; i += K(CHUNK)) {
        size_t count = n - i < K(CHUNK) ? n - i : K(CHUNK);
        memcpy(new_b, b + i, count * sizeof(T));
        memcpy(new_w, w + i, count * sizeof(T));
        K(update)(count, s, g + i, new_b, new_w, NULL);
        if (!K(all_finite)(count, new_b) || !K(all_within)(count, new_w, (T)limit))
            return 0;
    }
    return 1;
}
