/* Checks of matrix views against each other and against a shape. */
#ifndef NGI_MAT_H
#define NGI_MAT_H

#include <float.h>

#include <natgrad/mat.h>

/* The largest number of the dtype. */
static inline double ngi_dtype_max(ng_dtype dtype)
{
    return dtype == NG_F32   ? 0x1.fffffep127
           : dtype == NG_F64 ? DBL_MAX
           : dtype == NG_F16 ? 65504
                             : 0x1.fep127;
}

/* ng_mat_check, and numbers of sixteen bits are usable. */
ng_status ngi_mat_check_any(ng_mat m, const char *name, ng_error *error);

/* m is a usable rows x cols matrix of the dtype: NG_EARG, NG_EDTYPE, NG_ESHAPE, NG_ERANGE. */
ng_status ngi_check_shape(ng_mat m, const char *name, size_t rows, size_t cols, ng_dtype dtype,
                          ng_error *error);

/* ng_mat_none(): an argument left out. */
static inline int ngi_is_none(ng_mat m)
{
    return m.data == NULL && m.rows == 0 && m.cols == 0;
}

/* y and x are usable and alike in shape and dtype. */
ng_status ngi_check_same(ng_mat y, const char *y_name, ng_mat x, const char *x_name,
                         ng_error *error);

#endif
