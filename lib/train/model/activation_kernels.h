/* The activations for one dtype. Included by activation.c once per dtype with
 * T the type, K(name) our static name, M(name) the libm function of that type.
 *
 * Each activation is two scalars: its value at z, and its slope at z where the
 * value h is known. ACTIVATION makes the two loops over a batch from them. */

static inline T K(linear_value)(T z)
{
    return z;
}

static inline T K(linear_slope)(T z, T h)
{
    (void)z, (void)h;
    return 1;
}

/* written so that a NaN goes through and is not rectified away */
static inline T K(relu_value)(T z)
{
    return z < 0 ? 0 : z;
}

static inline T K(relu_slope)(T z, T h)
{
    (void)z;
    return h > 0 ? 1 : 0;
}

static inline T K(tanh_value)(T z)
{
    return M(tanh)(z);
}

static inline T K(tanh_slope)(T z, T h)
{
    (void)z;
    return (1 - h) * (1 + h);
}

/* exp of a negative number only, so nothing overflows */
static inline T K(sigmoid_value)(T z)
{
    T e = M(exp)(-M(fabs)(z));
    return (z < 0 ? e : 1) / (1 + e);
}

static inline T K(sigmoid_slope)(T z, T h)
{
    (void)z;
    return h * (1 - h);
}

/* Phi(z) = erfc(-z / sqrt 2) / 2 keeps its digits in the left tail, where
 * 1 + erf would cancel. */
static inline T K(normal_cdf)(T z)
{
    return (T)0.5 * M(erfc)(z * (T)-0.70710678118654752440);
}

static inline T K(gelu_value)(T z)
{
    return z * K(normal_cdf)(z);
}

/* Phi(z) + z phi(z). Phi(z) = h / z saves the second erfc; where h would be
 * denormal Phi(z) is 1/2 to the last digit. */
static inline T K(gelu_slope)(T z, T h)
{
    T cdf = M(fabs)(z) < (T)1e-30 ? (T)0.5 : h / z;
    return cdf + z * (T)0.39894228040143267794 * M(exp)((T)-0.5 * z * z);
}

/* The column sums run in double over a block of columns that stays in the
 * registers and the first-level cache; every column has its own sum, so the
 * loop over them vectorises. */
enum { K(COLUMNS) = 64 };

#define ACTIVATION(name)                                                                           \
    static void K(name##_forward)(size_t rows, size_t cols, void *zv, void *hv, const void *bv)    \
    {                                                                                              \
        const T *restrict b = bv;                                                                  \
        for (size_t i = 0; i < rows; i++) {                                                        \
            T *restrict z = (T *)zv + i * cols, *restrict h = (T *)hv + i * cols;                  \
            for (size_t j = 0; j < cols; j++) {                                                    \
                T s = z[j] + b[j];                                                                 \
                z[j] = s;                                                                          \
                h[j] = K(name##_value)(s);                                                         \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void K(name##_backward)(size_t rows, size_t cols, void *gv, void *bv, const void *zv,   \
                                   const void *hv)                                                 \
    {                                                                                              \
        for (size_t k = 0; k < cols; k += K(COLUMNS)) {                                            \
            double sum[K(COLUMNS)] = {0};                                                          \
            size_t n = cols - k < K(COLUMNS) ? cols - k : K(COLUMNS);                              \
            for (size_t i = 0; i < rows; i++) {                                                    \
                T *restrict g = (T *)gv + i * cols + k;                                            \
                const T *restrict z = (const T *)zv + i * cols + k;                                \
                const T *restrict h = (const T *)hv + i * cols + k;                                \
                for (size_t j = 0; j < n; j++) {                                                   \
                    g[j] *= K(name##_slope)(z[j], h[j]);                                           \
                    sum[j] += (double)g[j];                                                        \
                }                                                                                  \
            }                                                                                      \
            for (size_t j = 0; j < n; j++)                                                         \
                ((T *)bv)[k + j] = (T)sum[j];                                                      \
        }                                                                                          \
    }

ACTIVATION(linear)
ACTIVATION(relu)
ACTIVATION(tanh)
ACTIVATION(sigmoid)
ACTIVATION(gelu)
#undef ACTIVATION
