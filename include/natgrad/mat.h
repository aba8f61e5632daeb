/* natgrad/mat.h: matrix views, row-major, float or double; weights in sixteen bits too.
 *
 * A view is {data, rows, cols, stride, dtype}: element (i, j) is
 * data[i * stride + j]. Rows are a layer's outputs, columns its inputs.
 * Vectors are 1 x n. A view never owns its memory; the caller keeps it alive.
 * Inputs are views too: natgrad never writes to an argument documented as an
 * input. */
#ifndef NATGRAD_MAT_H
#define NATGRAD_MAT_H

#include <stddef.h>
#include <stdint.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* F16 is IEEE binary16, BF16 the upper half of F32. Both are for storage: ng_copy converts them,
 * ng_max_abs, ng_is_finite and ng_norm read them, files hold them (natgrad/tensors.h). Everything
 * else refuses them, NG_EDTYPE. */
typedef enum { NG_F32 = 0, NG_F64 = 1, NG_F16 = 2, NG_BF16 = 3 } ng_dtype;

typedef struct {
    void *data;
    size_t rows, cols;
    size_t stride; /* elements from one row to the next, >= cols */
    ng_dtype dtype;
} ng_mat;

/* A dense rows x cols view of floats. */
static inline ng_mat ng_f32(float *data, size_t rows, size_t cols)
{
    ng_mat m = {data, rows, cols, cols, NG_F32};
    return m;
}

/* A dense rows x cols view of doubles. */
static inline ng_mat ng_f64(double *data, size_t rows, size_t cols)
{
    ng_mat m = {data, rows, cols, cols, NG_F64};
    return m;
}

/* Dense views of numbers of sixteen bits, given as their bits. */
static inline ng_mat ng_f16(uint16_t *data, size_t rows, size_t cols)
{
    ng_mat m = {data, rows, cols, cols, NG_F16};
    return m;
}

static inline ng_mat ng_bf16(uint16_t *data, size_t rows, size_t cols)
{
    ng_mat m = {data, rows, cols, cols, NG_BF16};
    return m;
}

/* No matrix: for arguments that may be left out. */
static inline ng_mat ng_mat_none(void)
{
    ng_mat m = {NULL, 0, 0, 0, NG_F64};
    return m;
}

/* The same with rows that lie stride elements apart (a block of columns). */
static inline ng_mat ng_f32_strided(float *data, size_t rows, size_t cols, size_t stride)
{
    ng_mat m = {data, rows, cols, stride, NG_F32};
    return m;
}

static inline ng_mat ng_f64_strided(double *data, size_t rows, size_t cols, size_t stride)
{
    ng_mat m = {data, rows, cols, stride, NG_F64};
    return m;
}

/* Bytes of one element: 4, 8 or 2. */
static inline size_t ng_dtype_size(ng_dtype dtype)
{
    return dtype == NG_F32 ? sizeof(float) : dtype == NG_F64 ? sizeof(double) : sizeof(uint16_t);
}

/* Machine epsilon of the type: 2^-23, 2^-52, 2^-10 or 2^-7. */
static inline double ng_dtype_eps(ng_dtype dtype)
{
    return dtype == NG_F32   ? 1.1920928955078125e-07
           : dtype == NG_F64 ? 2.2204460492503131e-16
           : dtype == NG_F16 ? 9.765625e-04
                             : 7.8125e-03;
}

/* A number of NG_F16 or NG_BF16 from its bits, and the bits of the nearest one (ties to even;
 * beyond the largest, infinity; NaN is a quiet one). Arrays: ng_copy. */
NG_API double ng_half_value(ng_dtype dtype, uint16_t bits);
NG_API uint16_t ng_half_bits(ng_dtype dtype, double value);

/* The block of rows x cols elements whose first element is (i, j). Must lie
 * inside m; not checked. */
static inline ng_mat ng_mat_block(ng_mat m, size_t i, size_t j, size_t rows, size_t cols)
{
    m.data = (char *)m.data + (i * m.stride + j) * ng_dtype_size(m.dtype);
    m.rows = rows;
    m.cols = cols;
    return m;
}

/* The next rows x cols elements of a flat buffer, one after the other:
 *
 *   ng_mat rest = ng_f32(params, 1, count);
 *   ng_mat wte = ng_mat_take(&rest, vocabulary, width), wpe = ng_mat_take(&rest, context, width);
 *
 * rest (1 x n) becomes what is left of it. A view with data = NULL, which every call refuses, and
 * rest unchanged, when it has not that many. */
static inline ng_mat ng_mat_take(ng_mat *rest, size_t rows, size_t cols)
{
    ng_mat taken = {rest->data, rows, cols, cols, rest->dtype};
    if (rows != 0 && cols > rest->cols / rows) {
        taken.data = NULL;
        return taken;
    }
    rest->data = (char *)rest->data + rows * cols * ng_dtype_size(rest->dtype);
    rest->cols -= rows * cols;
    return taken;
}

/* Matrices of one shape in one array: count of them, each beginning `step` elements after the one
 * before (layers along a leading axis). */
typedef struct {
    ng_mat first;
    size_t count, step;
} ng_stack;

/* count matrices from `first` on, any strides. */
static inline ng_stack ng_stack_of(ng_mat first, size_t count, size_t step)
{
    ng_stack s = {first, count, step};
    return s;
}

/* A dense count x rows x cols array. */
static inline ng_stack ng_stack_f32(float *data, size_t count, size_t rows, size_t cols)
{
    return ng_stack_of(ng_f32(data, rows, cols), count, rows * cols);
}

static inline ng_stack ng_stack_f64(double *data, size_t count, size_t rows, size_t cols)
{
    return ng_stack_of(ng_f64(data, rows, cols), count, rows * cols);
}

/* Matrix i < count of the stack; not checked. */
static inline ng_mat ng_stack_at(ng_stack s, size_t i)
{
    if (s.first.data != NULL)
        s.first.data = (char *)s.first.data + i * s.step * ng_dtype_size(s.first.dtype);
    return s.first;
}

/* Element (i, j) as a double; for tests, printing and small loops. */
static inline double ng_mat_get(ng_mat m, size_t i, size_t j)
{
    size_t at = i * m.stride + j;
    return m.dtype == NG_F32   ? (double)((const float *)m.data)[at]
           : m.dtype == NG_F64 ? ((const double *)m.data)[at]
                               : ng_half_value(m.dtype, ((const uint16_t *)m.data)[at]);
}

static inline void ng_mat_set(ng_mat m, size_t i, size_t j, double value)
{
    size_t at = i * m.stride + j;
    if (m.dtype == NG_F32)
        ((float *)m.data)[at] = (float)value;
    else if (m.dtype == NG_F64)
        ((double *)m.data)[at] = value;
    else
        ((uint16_t *)m.data)[at] = ng_half_bits(m.dtype, value);
}

/* NG_OK if the view is usable: NG_F32 or NG_F64 (else NG_EDTYPE), stride >= cols
 * when there is more than one row (else NG_ESHAPE), data not NULL and aligned
 * for the dtype unless it has no elements (else NG_EARG), and byte offsets that fit size_t (else
 * NG_ERANGE). name is used in the text. */
NG_API ng_status ng_mat_check(ng_mat m, const char *name, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
