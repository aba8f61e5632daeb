/* natgrad/mat.h: matrix views, row-major, float or double.
 *
 * A view is {data, rows, cols, stride, dtype}: element (i, j) is
 * data[i * stride + j]. Rows are a layer's outputs, columns its inputs.
 * Vectors are 1 x n. A view never owns its memory; the caller keeps it alive.
 * Inputs are views too: natgrad never writes to an argument documented as an
 * input. */
#ifndef NATGRAD_MAT_H
#define NATGRAD_MAT_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NG_F32 = 0, NG_F64 = 1 } ng_dtype;

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

/* Bytes of one element: 4 or 8. */
static inline size_t ng_dtype_size(ng_dtype dtype)
{
    return dtype == NG_F32 ? sizeof(float) : sizeof(double);
}

/* Machine epsilon of the type: 2^-23 or 2^-52. */
static inline double ng_dtype_eps(ng_dtype dtype)
{
    return dtype == NG_F32 ? 1.1920928955078125e-07 : 2.2204460492503131e-16;
}

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
    return m.dtype == NG_F32 ? (double)((const float *)m.data)[i * m.stride + j]
                             : ((const double *)m.data)[i * m.stride + j];
}

static inline void ng_mat_set(ng_mat m, size_t i, size_t j, double value)
{
    if (m.dtype == NG_F32)
        ((float *)m.data)[i * m.stride + j] = (float)value;
    else
        ((double *)m.data)[i * m.stride + j] = value;
}

/* NG_OK if the view is usable: known dtype (else NG_EDTYPE), stride >= cols
 * when there is more than one row (else NG_ESHAPE), data not NULL and aligned
 * for the dtype unless it has no elements (else NG_EARG), and byte offsets that fit size_t (else
 * NG_ERANGE). name is used in the text. */
NG_API ng_status ng_mat_check(ng_mat m, const char *name, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
