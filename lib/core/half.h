/* Numbers of sixteen bits: IEEE binary16 (NG_F16), and bfloat16 (NG_BF16), the upper half of
 * binary32. Nothing computes in them: what is read is widened, what is written is rounded. */
#ifndef NGI_HALF_H
#define NGI_HALF_H

#include <stdint.h>

#include <natgrad/mat.h>

static inline int ngi_is_half(ng_dtype dtype)
{
    return dtype == NG_F16 || dtype == NG_BF16;
}

/* "f32", or "unknown". */
const char *ngi_dtype_name(ng_dtype dtype);

/* Where a stochastic rounding has its bits from: element i has a hash of key and i. */
typedef struct {
    uint64_t key;
    uint64_t first; /* the number of the first element */
} ngi_dice;

/* Loops over n elements side by side; f32 is an array of floats. */
typedef struct {
    /* exact; NaN stays NaN, with its sign and payload */
    void (*widen)(size_t n, void *f32, const void *half);
    /* to the nearest, ties to even; beyond the largest number infinity; NaN becomes a quiet one */
    void (*narrow)(size_t n, void *half, const void *f32);
    /* to one of the two neighbours, the nearer the likelier, so that the mean is x: within 2^-16
     * of their distance, and exact but for subnormal numbers. What is in the dtype stays as it is;
     * beyond its largest number as narrow. */
    void (*dice)(size_t n, void *half, const void *f32, ngi_dice dice);
    /* f32, finite, <- the same number as half where rounding it to nearest does not give that */
    void (*follow)(size_t n, void *f32, const void *half);
    /* as ng_max_abs, and the sum of (scale x)^2 */
    double (*max_abs)(size_t n, const void *half);
    double (*squares)(size_t n, const void *half, double scale);
} ngi_half;

/* Of a dtype of sixteen bits. */
const ngi_half *ngi_half_of(ng_dtype dtype);

/* y <- x, where one of the two has sixteen bits; each rounding is one, to nearest even. */
void ngi_half_copy(size_t n, void *y, ng_dtype y_dtype, const void *x, ng_dtype x_dtype);

#endif
