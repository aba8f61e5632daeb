#include "lib/linalg/check.h"

#include <natgrad/linalg.h>

#include "lib/linalg/blas.h"

ng_status ngi_check_shape(ng_mat m, const char *name, size_t rows, size_t cols, ng_dtype dtype,
                          ng_error *error)
{
    ng_status status = ng_mat_check(m, name, error);
    if (status != NG_OK)
        return status;
    if (m.dtype != dtype)
        return ng_error_set(error, NG_EDTYPE, "%s is %s, expected %s", name,
                            m.dtype == NG_F32 ? "f32" : "f64", dtype == NG_F32 ? "f32" : "f64");
    if (m.rows != rows || m.cols != cols)
        return ng_error_set(error, NG_ESHAPE, "%s is %zu x %zu, expected %zu x %zu", name, m.rows,
                            m.cols, rows, cols);
    return NG_OK;
}

ng_status ngi_check_same(ng_mat y, const char *y_name, ng_mat x, const char *x_name,
                         ng_error *error)
{
    ng_status status = ng_mat_check(x, x_name, error);
    return status != NG_OK ? status : ngi_check_shape(y, y_name, x.rows, x.cols, x.dtype, error);
}

ng_status ngi_check_blas(ng_mat m, const char *name, size_t rows, size_t cols, ng_dtype dtype,
                         ng_error *error)
{
    ng_status status = ngi_check_shape(m, name, rows, cols, dtype, error);
    return status != NG_OK ? status : ngi_narrow(m, name, error);
}

ng_status ngi_check_finite(ng_mat m, const char *name, ng_error *error)
{
    if (!ng_is_finite(m))
        return ng_error_set(error, NG_ENONFINITE, "%s holds NaN or infinity", name);
    return NG_OK;
}

ng_status ngi_check_finite_lower(ng_mat m, const char *name, ng_error *error)
{
    ng_status status = NG_OK;
    for (size_t i = 0; i < m.rows && status == NG_OK; i++)
        status =
            ngi_check_finite(ng_mat_block(m, i, 0, 1, i < m.cols ? i + 1 : m.cols), name, error);
    return status;
}

ng_status ngi_check_work(ng_work *work, size_t size, ng_error *error)
{
    void *bytes;
    size_t mark = work->used;
    ng_status status = ng_work_bytes(work, &bytes, size, error);
    work->used = mark;
    return status;
}
