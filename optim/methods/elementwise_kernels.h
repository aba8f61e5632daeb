/* What the element-wise kernels share; included with T the type and K(name)
 * our static name. */

enum { K(CHUNK) = 512 }; /* elements whose updates are kept to be squared */

static inline int K(all_finite)(size_t n, const T *x)
{
    int finite = 1;
    for (size_t i = 0; i < n; i++)
        finite &= isfinite(x[i]) != 0;
    return finite;
}

static inline int K(all_within)(size_t n, const T *x, T limit)
{
    int within = 1;
    for (size_t i = 0; i < n; i++)
        within &= x[i] <= limit && x[i] >= -limit;
    return within;
}

/* Sum of squares in double, over eight partial sums so that it vectorises. */
static inline double K(sum_squares)(size_t n, const T *x)
{
    double s[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            s[j] += (double)x[i + j] * (double)x[i + j];
    for (; i < n; i++)
        s[0] += (double)x[i] * (double)x[i];
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}
