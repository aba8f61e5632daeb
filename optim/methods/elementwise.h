/* What the element-wise methods share: their updates run over rows, and
 * return the sum of squares of the update when somebody listens. */
#ifndef NGI_ELEMENTWISE_H
#define NGI_ELEMENTWISE_H

#include <string.h>

#include <natgrad/linalg.h>

#include "optim/front/method.h"

/* Row i of a view. */
static inline void *ngi_row(ng_mat m, size_t i)
{
    return (char *)m.data + i * m.stride * ng_dtype_size(m.dtype);
}

/* The error of a step that cannot be made. */
static inline ng_status ngi_step_overflows(const ngi_param *param, ng_error *error)
{
    if (!ng_is_finite(param->w))
        return ng_error_set(error, NG_ENONFINITE, "weights hold NaN or infinity");
    return ng_error_set(error, NG_ERANGE, "the step overflows its dtype");
}

/* Rows times columns as one long row if both views are dense, so that small
 * rows cost nothing. State is always dense. */
static inline void ngi_row_shape(const ngi_param *param, size_t *rows, size_t *cols)
{
    *rows = param->w.rows;
    *cols = param->w.cols;
    if (*rows > 1 && param->w.stride == *cols && param->g.stride == *cols) {
        *cols *= *rows;
        *rows = 1;
    }
}

#endif
