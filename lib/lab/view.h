/* What the lab asks of views that are handed in, and rows of them. */
#ifndef NGI_LAB_VIEW_H
#define NGI_LAB_VIEW_H

#include <natgrad/mat.h>
#include <natgrad/status.h>

#include "lib/core/try.h"

/* rows x cols of NG_F64 */
static inline ng_status ngi_lab_view(ng_mat m, size_t rows, size_t cols, const char *name,
                                     ng_error *error)
{
    TRY(ng_mat_check(m, name, error));
    if (m.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "%s: expected NG_F64", name);
    if (m.rows != rows || m.cols != cols)
        return ng_error_set(error, NG_ESHAPE, "%s is %zu x %zu, expected %zu x %zu", name, m.rows,
                            m.cols, rows, cols);
    return NG_OK;
}

static inline double *ngi_lab_row(ng_mat m, size_t row)
{
    return (double *)m.data + row * m.stride;
}

static inline double ngi_lab_dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

#endif
