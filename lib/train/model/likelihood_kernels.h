/* The likelihoods' curvature at n logits z, for one dtype. Included by likelihood.c once per dtype
 * with T the type and K(name) our static name. Sums and probabilities in double. */

static double K(largest)(size_t n, const T *z)
{
    double m = (double)z[0];
    for (size_t j = 1; j < n; j++)
        m = (double)z[j] > m ? (double)z[j] : m;
    return m;
}

/* p <- softmax of z */
static void K(probabilities)(size_t n, double *p, const T *z)
{
    double m = K(largest)(n, z), sum = 0;
    for (size_t j = 0; j < n; j++) {
        p[j] = exp((double)z[j] - m);
        sum += p[j];
    }
    for (size_t j = 0; j < n; j++)
        p[j] /= sum;
}

static double K(chance)(T z)
{
    double e = exp(-fabs((double)z));
    return (z < 0 ? e : 1) / (1 + e);
}

/* p (1 - p), with its digits in both tails */
static double K(variance)(T z)
{
    double e = exp(-fabs((double)z));
    return e / ((1 + e) * (1 + e));
}

/* ---- y <- scale H u ------------------------------------------------------------------- */

static void K(softmax_curve)(size_t n, void *yv, const void *zv, const void *uv, double *p,
                             double scale)
{
    T *y = yv;
    const T *u = uv;
    double mean = 0;
    K(probabilities)(n, p, zv);
    for (size_t j = 0; j < n; j++)
        mean += p[j] * (double)u[j];
    for (size_t j = 0; j < n; j++)
        y[j] = (T)(scale * p[j] * ((double)u[j] - mean));
}

static void K(bernoulli_curve)(size_t n, void *yv, const void *zv, const void *uv, double *p,
                               double scale)
{
    T *y = yv;
    const T *z = zv, *u = uv;
    (void)p;
    for (size_t j = 0; j < n; j++)
        y[j] = (T)(scale * K(variance)(z[j]) * (double)u[j]);
}

static void K(squared_curve)(size_t n, void *yv, const void *zv, const void *uv, double *p,
                             double scale)
{
    T *y = yv;
    const T *u = uv;
    (void)zv, (void)p;
    for (size_t j = 0; j < n; j++)
        y[j] = (T)(scale * (double)u[j]);
}

/* ---- g <- scale times the derivative for a truth drawn with the numbers r ------------------ */

/* r[0] in [0, 1) chooses the label */
static void K(softmax_draw)(size_t n, void *gv, const void *zv, const double *r, double *p,
                            double scale)
{
    T *g = gv;
    size_t label = 0;
    double below;
    K(probabilities)(n, p, zv);
    below = p[0];
    while (label + 1 < n && r[0] >= below)
        below += p[++label];
    for (size_t j = 0; j < n; j++)
        g[j] = (T)(scale * (p[j] - (j == label ? 1 : 0)));
}

static void K(bernoulli_draw)(size_t n, void *gv, const void *zv, const double *r, double *p,
                              double scale)
{
    T *g = gv;
    const T *z = zv;
    (void)p;
    for (size_t j = 0; j < n; j++) {
        double chance = K(chance)(z[j]);
        g[j] = (T)(scale * (chance - (r[j] < chance ? 1 : 0)));
    }
}

/* target z + r */
static void K(squared_draw)(size_t n, void *gv, const void *zv, const double *r, double *p,
                            double scale)
{
    T *g = gv;
    (void)zv, (void)p;
    for (size_t j = 0; j < n; j++)
        g[j] = (T)(-scale * r[j]);
}

/* ---- g <- scale times a column of a root of H ------------------------------------------------ */

static void K(softmax_root)(size_t n, void *gv, const void *zv, size_t column, double *p,
                            double scale)
{
    T *g = gv;
    K(probabilities)(n, p, zv);
    double root = scale * sqrt(p[column]);
    for (size_t j = 0; j < n; j++)
        g[j] = (T)(root * (p[j] - (j == column ? 1 : 0)));
}

static void K(bernoulli_root)(size_t n, void *gv, const void *zv, size_t column, double *p,
                              double scale)
{
    T *g = gv;
    const T *z = zv;
    (void)p;
    for (size_t j = 0; j < n; j++)
        g[j] = j == column ? (T)(scale * sqrt(K(variance)(z[j]))) : 0;
}

static void K(squared_root)(size_t n, void *gv, const void *zv, size_t column, double *p,
                            double scale)
{
    T *g = gv;
    (void)zv, (void)p;
    for (size_t j = 0; j < n; j++)
        g[j] = j == column ? (T)scale : 0;
}
