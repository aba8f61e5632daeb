/* IVON on n contiguous elements of one dtype; included by ivon.c with T the type and K(name) our
 * static name. */

/* products: what n g is, before (h + delta) ess, of one gradient g at w; summed with `keep` times
 * the old */
NGI_CLONES
static void K(products)(size_t n, double keep, double delta, const void *gv, const void *wv,
                        const void *meanv, const void *hv, void *sumv)
{
    const T *g = gv, *w = wv, *mean = meanv, *h = hv;
    T *sum = sumv;
    for (size_t i = 0; i < n; i++) {
        T one = mean != NULL ? (w[i] - mean[i]) * g[i] : g[i] * g[i] / (h[i] + (T)delta);
        sum[i] = keep > 0 ? sum[i] + one : one;
    }
}

/* out <- standard deviations; unit: 1 / sqrt(ess), apart so that no product overflows */
NGI_CLONES
static void K(deviations)(size_t n, double unit, double delta, const void *hv, void *outv)
{
    const T *h = hv;
    T *restrict out = outv;
    for (size_t i = 0; i < n; i++)
        out[i] = (T)unit / (T)sqrt((double)(h[i] + (T)delta));
}

NGI_CLONES
static void K(step)(size_t n, const ivon_scalars *s, const void *gv, const void *productsv,
                    const void *meanv, const void *oldv, const void *hv, void *momentumv,
                    void *next_hv, void *next_meanv)
{
    const T *g = gv, *product = productsv, *mean = meanv, *old = oldv, *h = hv;
    T *momentum = momentumv, *next_h = next_hv, *next_mean = next_meanv;
    const T beta1 = (T)s->beta1, rest1 = (T)s->rest1, beta2 = (T)s->beta2, rest2 = (T)s->rest2;
    const T half = (T)(0.5 * s->rest2 * s->rest2), delta = (T)s->delta, ess = (T)(s->ess * s->part);
    const T debias = (T)s->debias, lr = (T)s->lr, radius = (T)s->radius;
    for (size_t i = 0; i < n; i++) {
        T precision = h[i] + delta, f = product[i] * precision * ess, off = h[i] - f;
        T m = beta1 * old[i] + rest1 * g[i];
        T curvature = beta2 * h[i] + rest2 * f + half * off * off / precision;
        T step = (m * debias + delta * mean[i]) / (curvature + delta);
        step = step > radius ? radius : step < -radius ? -radius : step;
        momentum[i] = m;
        next_h[i] = curvature;
        next_mean[i] = mean[i] - lr * step;
    }
}
