/* The transformer's loops for one dtype; what they do is said in gpt.h.
 * Included by rows.c once per dtype with T the type, K(name) our static
 * name, M(name) the libm function of that type. Sums run in double, in eight
 * parts or one a column, so that the loops vectorise; their order is fixed. */

enum { K(COLUMNS) = 64 };

static size_t K(tokens)(size_t n, int *tokens, const void *xv, size_t limit)
{
    const T *x = xv;
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] >= 0 && (double)x[i] < (double)limit) || (T)(int)x[i] != x[i])
            return i;
        tokens[i] = (int)x[i];
    }
    return n;
}

static void K(embed)(size_t rows, size_t cols, size_t context, void *xv, const int *tokens,
                     const void *wtev, const void *wpev)
{
    for (size_t i = 0; i < rows; i++) {
        T *restrict x = (T *)xv + i * cols;
        const T *token = (const T *)wtev + (size_t)tokens[i] * cols;
        const T *position = (const T *)wpev + i % context * cols;
        for (size_t j = 0; j < cols; j++)
            x[j] = token[j] + position[j];
    }
}

/* sum[j] += the columns k + j, j < n, of row i */
static inline void K(add_row)(double *restrict sum, const void *gv, size_t i, size_t cols, size_t k,
                              size_t n)
{
    const T *restrict g = (const T *)gv + i * cols + k;
    for (size_t j = 0; j < n; j++)
        sum[j] += (double)g[j];
}

static void K(embed_backward)(size_t rows, size_t cols, size_t context, size_t vocabulary,
                              void *wtev, void *wpev, const void *gv, const int *tokens)
{
    for (size_t k = 0; k < cols; k += K(COLUMNS)) {
        size_t n = cols - k < K(COLUMNS) ? cols - k : K(COLUMNS);
        for (size_t v = 0; v < vocabulary; v++) {
            T *w = (T *)wtev + v * cols + k;
            double sum[K(COLUMNS)] = {0};
            for (size_t i = 0; i < rows; i++)
                if ((size_t)tokens[i] == v)
                    K(add_row)(sum, gv, i, cols, k, n);
            for (size_t j = 0; j < n; j++)
                w[j] = (T)((double)w[j] + sum[j]);
        }
        for (size_t t = 0; t < context; t++) {
            double sum[K(COLUMNS)] = {0};
            for (size_t i = t; i < rows; i += context)
                K(add_row)(sum, gv, i, cols, k, n);
            for (size_t j = 0; j < n; j++)
                ((T *)wpev)[t * cols + k + j] = (T)sum[j];
        }
    }
}

static void K(add_bias)(size_t rows, size_t cols, void *outv, const void *inv, const void *bv)
{
    const T *restrict b = bv;
    for (size_t i = 0; i < rows; i++) {
        T *restrict out = (T *)outv + i * cols;
        const T *restrict in = inv == NULL ? NULL : (const T *)inv + i * cols;
        if (in == NULL)
            for (size_t j = 0; j < cols; j++)
                out[j] = b[j];
        else
            for (size_t j = 0; j < cols; j++)
                out[j] = in[j] + b[j];
    }
}

static void K(column_sums)(size_t rows, size_t cols, void *sums, const void *xv)
{
    for (size_t k = 0; k < cols; k += K(COLUMNS)) {
        size_t n = cols - k < K(COLUMNS) ? cols - k : K(COLUMNS);
        double sum[K(COLUMNS)] = {0};
        for (size_t i = 0; i < rows; i++)
            K(add_row)(sum, xv, i, cols, k, n);
        for (size_t j = 0; j < n; j++)
            ((T *)sums)[k + j] = (T)sum[j];
    }
}

/* total <- the sum over j < n of term(j) */
#define SUM(total, n, term)                                                                        \
    do {                                                                                           \
        double s_[8] = {0};                                                                        \
        size_t k_ = 0;                                                                             \
        for (; k_ + 8 <= (n); k_ += 8)                                                             \
            for (size_t l_ = 0; l_ < 8; l_++) {                                                    \
                size_t j = k_ + l_;                                                                \
                s_[l_] += (term);                                                                  \
            }                                                                                      \
        for (size_t j = k_; j < (n); j++)                                                          \
            s_[0] += (term);                                                                       \
        total = ((s_[0] + s_[1]) + (s_[2] + s_[3])) + ((s_[4] + s_[5]) + (s_[6] + s_[7]));         \
    } while (0)

static void K(norm)(size_t rows, size_t cols, void *outv, void *statsv, const void *xv,
                    const void *wv, const void *bv)
{
    const T *restrict w = wv, *restrict b = bv;
    for (size_t i = 0; i < rows; i++) {
        const T *restrict x = (const T *)xv + i * cols;
        T *restrict out = (T *)outv + i * cols, *stats = (T *)statsv + 2 * i;
        double sum, squares;
        SUM(sum, cols, (double)x[j]);
        double mean = sum / (double)cols;
        SUM(squares, cols, ((double)x[j] - mean) * ((double)x[j] - mean));
        stats[0] = (T)mean;
        stats[1] = (T)(1 / sqrt(squares / (double)cols + 1e-5));
        for (size_t j = 0; j < cols; j++)
            out[j] = w[j] * ((x[j] - stats[0]) * stats[1]) + b[j];
    }
}

/* e <- scale (e - mean(e) - y mean(e y)) with y = (x - mean) * scale: the derivative of y by x, a
 * symmetric matrix, times e. */
static inline void K(norm_jacobian)(size_t cols, T *restrict e, const T *restrict x, T mean,
                                    T scale)
{
    double sum, along;
    SUM(sum, cols, (double)e[j]);
    SUM(along, cols, (double)e[j] * (double)((x[j] - mean) * scale));
    T me = (T)(sum / (double)cols), mey = (T)(along / (double)cols);
    for (size_t j = 0; j < cols; j++)
        e[j] = scale * (e[j] - me - (x[j] - mean) * scale * mey);
}

static void K(norm_backward)(size_t rows, size_t cols, void *dxv, void *dwv, void *dbv,
                             const void *inv, const void *gv, const void *xv, const void *statsv,
                             const void *wv)
{
    const T *restrict w = wv;
    for (size_t k = 0; k < cols; k += K(COLUMNS)) {
        size_t n = cols - k < K(COLUMNS) ? cols - k : K(COLUMNS);
        double dw[K(COLUMNS)] = {0}, db[K(COLUMNS)] = {0};
        for (size_t i = 0; i < rows; i++) {
            const T *restrict x = (const T *)xv + i * cols + k, *stats = (const T *)statsv + 2 * i;
            const T *restrict g = (const T *)gv + i * cols + k;
            for (size_t j = 0; j < n; j++) {
                dw[j] += (double)(g[j] * ((x[j] - stats[0]) * stats[1]));
                db[j] += (double)g[j];
            }
        }
        for (size_t j = 0; j < n; j++) {
            ((T *)dwv)[k + j] = (T)dw[j];
            ((T *)dbv)[k + j] = (T)db[j];
        }
    }
    for (size_t i = 0; i < rows; i++) {
        const T *restrict x = (const T *)xv + i * cols, *stats = (const T *)statsv + 2 * i;
        const T *restrict g = (const T *)gv + i * cols;
        T *restrict dx = (T *)dxv + i * cols;
        const T *restrict in = inv == NULL ? NULL : (const T *)inv + i * cols;
        for (size_t j = 0; j < cols; j++)
            dx[j] = g[j] * w[j];
        K(norm_jacobian)(cols, dx, x, stats[0], stats[1]);
        for (size_t j = 0; j < cols && in != NULL; j++)
            dx[j] += in[j];
    }
}

static void K(norm_tangent)(size_t rows, size_t cols, void *doutv, const void *dxv, const void *dwv,
                            const void *dbv, const void *xv, const void *statsv, const void *wv)
{
    const T *restrict w = wv, *restrict dw = dwv, *restrict db = dbv;
    for (size_t i = 0; i < rows; i++) {
        const T *restrict x = (const T *)xv + i * cols, *stats = (const T *)statsv + 2 * i;
        const T *restrict dx = (const T *)dxv + i * cols;
        T *restrict out = (T *)doutv + i * cols;
        for (size_t j = 0; j < cols; j++)
            out[j] = dx[j];
        K(norm_jacobian)(cols, out, x, stats[0], stats[1]);
        for (size_t j = 0; j < cols; j++)
            out[j] = w[j] * out[j] + dw[j] * ((x[j] - stats[0]) * stats[1]) + db[j];
    }
}

static void K(causal_softmax)(size_t n, void *sv)
{
    for (size_t t = 0; t < n; t++) {
        T *s = (T *)sv + t * n, top = s[0];
        double sum = 0;
        for (size_t j = 1; j <= t; j++)
            top = s[j] > top ? s[j] : top;
        for (size_t j = 0; j <= t; j++) {
            s[j] = M(exp)(s[j] - top);
            sum += (double)s[j];
        }
        T unit = (T)(1 / sum);
        for (size_t j = 0; j <= t; j++)
            s[j] *= unit;
        for (size_t j = t + 1; j < n; j++)
            s[j] = 0;
    }
}

static void K(softmax_jacobian)(size_t n, void *dsv, const void *pv)
{
    for (size_t t = 0; t < n; t++) {
        T *restrict ds = (T *)dsv + t * n;
        const T *restrict p = (const T *)pv + t * n;
        double mean;
        SUM(mean, t + 1, (double)ds[j] * (double)p[j]);
        for (size_t j = 0; j <= t; j++)
            ds[j] = p[j] * (ds[j] - (T)mean);
        for (size_t j = t + 1; j < n; j++)
            ds[j] = 0;
    }
}
#undef SUM
