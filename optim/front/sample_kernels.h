/* Samples of one dtype; included by sample.c with T the type and K(name) our static name. */

/* w <- mean + noise times deviation */
NGI_CLONES
static void K(move)(size_t n, void *wv, const void *meanv, const void *noisev,
                    const void *deviationv)
{
    T *restrict w = wv;
    const T *mean = meanv, *noise = noisev, *deviation = deviationv;
    for (size_t j = 0; j < n; j++)
        w[j] = mean[j] + noise[j] * deviation[j];
}

/* y <- x */
static void K(narrow)(size_t n, void *yv, const double *x)
{
    T *y = yv;
    for (size_t j = 0; j < n; j++)
        y[j] = (T)x[j];
}
