/* AdamW on n contiguous elements of one dtype; included by adamw.c with T the
 * type, SQRT its square root and K(name) our static name. Bandwidth-bound: g,
 * m, v, w are read and m, v, w written once. Returns the sum of squares of the
 * update when `wanted`, else 0. */

static inline double K(update)(size_t n, const adamw_scalars *s, const T *restrict g, T *restrict m,
                               T *restrict v, T *restrict w, int wanted)
{
    const T beta1 = (T)s->beta1, rest1 = (T)s->rest1, beta2 = (T)s->beta2, rest2 = (T)s->rest2;
    const T keep = (T)s->keep, step_size = (T)s->step_size, root_scale = (T)s->root_scale;
    const T eps = (T)s->eps;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        T grad = g[i];
        T first = beta1 * m[i] + rest1 * grad;
        T second = beta2 * v[i] + rest2 * grad * grad;
        T step = step_size * first / (SQRT(second) * root_scale + eps);
        m[i] = first;
        v[i] = second;
        w[i] = keep * w[i] - step;
        if (wanted)
            sum += (double)step * (double)step;
    }
    return sum;
}

NGI_CLONES
static double K(run)(size_t n, const adamw_scalars *s, const void *g, void *m, void *v, void *w,
                     int wanted)
{
    return wanted ? K(update)(n, s, g, m, v, w, 1) : K(update)(n, s, g, m, v, w, 0);
}
