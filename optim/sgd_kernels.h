/* SGD on n contiguous elements of one dtype; included by sgd.c with T the type
 * and K(name) our static name. Returns the sum of (W_new - W_decayed)^2 when
 * `wanted`, else 0. */

static inline double K(update)(size_t n, const sgd_scalars *s, const T *restrict g, T *restrict b,
                               T *restrict w, int wanted)
{
    const T lr = (T)s->lr, keep = (T)s->keep, coupled = (T)s->coupled;
    const T old = (T)s->old, new_weight = (T)s->new_weight, b_weight = (T)s->b_weight;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        T grad = g[i] + coupled * w[i];
        T buffer = old * b[i] + grad;
        T step = lr * (new_weight * grad + b_weight * buffer);
        b[i] = buffer;
        w[i] = keep * w[i] - step;
        if (wanted)
            sum += (double)step * (double)step;
    }
    return sum;
}

NGI_CLONES
static double K(run)(size_t n, const sgd_scalars *s, const void *g, void *b, void *w, int wanted)
{
    return wanted ? K(update)(n, s, g, b, w, 1) : K(update)(n, s, g, b, w, 0);
}
