/* Samples of one dtype; included by sample.c with T the type and K(name) our static name. */

/* w <- mean + noise times deviation; is all of it finite? */
NGI_CLONES
static int K(move)(size_t n, void *wv, const void *meanv, const void *noisev,
                   const void *deviationv)
{
    T *restrict w = wv;
    const T *mean = meanv, *noise = noisev, *deviation = deviationv;
    int finite = 1;
    for (size_t j = 0; j < n; j++) {
        w[j] = mean[j] + noise[j] * deviation[j];
        finite &= isfinite(w[j]) != 0;
    }
    return finite;
}

/* y <- x */
static void K(narrow)(size_t n, void *yv, const double *x)
{
    T *y = yv;
    for (size_t j = 0; j < n; j++)
        y[j] = (T)x[j];
}
