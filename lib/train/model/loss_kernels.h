/* The losses for one dtype: logits z and derivatives g are dense rows x cols.
 * Included by loss.c once per dtype with T the type, K(name) our static name,
 * M(name) the libm function of that type. Each returns the sum of the rows'
 * losses, in double, and writes g <- scale times its derivative. */

/* With m the largest logit and r = sum of exp(z_j - m) over the others:
 * loss = log(1 + r) + m - z_label, p_j = exp(z_j - m) / (1 + r). Keeping the 1
 * apart saves the digits of loss and derivative where the net is sure. */
static double K(softmax)(size_t rows, size_t cols, void *gv, size_t *correct, const void *zv,
                         const int *labels, double scale)
{
    double loss = 0;
    for (size_t i = 0; i < rows; i++) {
        const T *z = (const T *)zv + i * cols;
        T *g = (T *)gv + i * cols;
        size_t best = 0, label = (size_t)labels[i];
        double rest = 0;
        for (size_t j = 1; j < cols; j++)
            best = z[j] > z[best] ? j : best;
        for (size_t j = 0; j < cols; j++) {
            g[j] = M(exp)(z[j] - z[best]);
            rest += j == best ? 0 : (double)g[j];
        }
        double unit = scale / (1 + rest);
        double miss = label == best ? rest : 1 + rest - (double)g[label];
        for (size_t j = 0; j < cols; j++)
            g[j] *= (T)unit;
        g[label] = (T)(-unit * miss);
        loss += log1p(rest) + ((double)z[best] - (double)z[label]);
        *correct += label == best;
    }
    return loss;
}

/* With e = exp(-|z|): log(1 + exp(z)) - t z is |z| (1 - t) + log(1 + e) for
 * z >= 0 and |z| t + log(1 + e) for z < 0; no term is negative, none cancels. */
static double K(bernoulli)(size_t rows, size_t cols, void *gv, const void *zv, const void *tv,
                           size_t ldt, double scale)
{
    double loss = 0;
    for (size_t i = 0; i < rows; i++) {
        const T *z = (const T *)zv + i * cols, *t = (const T *)tv + i * ldt;
        T *g = (T *)gv + i * cols;
        for (size_t j = 0; j < cols; j++) {
            T a = M(fabs)(z[j]), e = M(exp)(-a), rest = 1 - t[j];
            int positive = z[j] >= 0;
            T diff = positive ? rest - t[j] * e : rest * e - t[j];
            g[j] = diff / (1 + e) * (T)scale;
            loss += (double)a * (double)(positive ? rest : t[j]) + (double)M(log1p)(e);
        }
    }
    return loss;
}

/* Eight partial sums, so that the loop vectorises; their order is fixed. */
static double K(squared)(size_t rows, size_t cols, void *gv, const void *zv, const void *tv,
                         size_t ldt, double scale)
{
    double s[8] = {0};
    for (size_t i = 0; i < rows; i++) {
        const T *z = (const T *)zv + i * cols, *t = (const T *)tv + i * ldt;
        T *g = (T *)gv + i * cols;
        size_t j = 0;
        for (; j + 8 <= cols; j += 8)
            for (size_t k = 0; k < 8; k++) {
                double d = (double)z[j + k] - (double)t[j + k];
                s[k] += d * d;
                g[j + k] = (T)(d * scale);
            }
        for (; j < cols; j++) {
            double d = (double)z[j] - (double)t[j];
            s[0] += d * d;
            g[j] = (T)(d * scale);
        }
    }
    return 0.5 * (((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])));
}

/* Elements of one row that are not in [low, high]; a NaN is not. */
static size_t K(outside)(size_t n, const void *tv, double low, double high)
{
    const T *t = tv;
    size_t count = 0;
    for (size_t j = 0; j < n; j++)
        count += !((double)t[j] >= low && (double)t[j] <= high);
    return count;
}
