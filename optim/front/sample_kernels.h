/* Samples of one dtype; included by sample.c with T the type and K(name) our static name. */

/* w <- mean + noise times deviation */
static void K(move)(size_t n, void *wv, const void *meanv, const double *noise,
                    const double *deviation)
{
    T *w = wv;
    const T *mean = meanv;
    for (size_t j = 0; j < n; j++)
        w[j] = mean[j] + (T)(noise[j] * deviation[j]);
}
