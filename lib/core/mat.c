/* Checks of matrix views. */
#include "lib/core/mat.h"

#include <stdint.h>

#include "lib/core/half.h"
#include "lib/core/try.h"

static const size_t alignment[] = {[NG_F32] = sizeof(int32_t),
                                   [NG_F64] = _Alignof(double),
                                   [NG_F16] = sizeof(uint16_t),
                                   [NG_BF16] = sizeof(uint16_t)};

ng_status ng_mat_check(ng_mat m, const char *name, ng_error *error)
{
    if (ngi_is_half(m.dtype))
        return ng_error_set(error, NG_EDTYPE, "%s: %s is for weights and their gradients alone",
                            name, ngi_dtype_name(m.dtype));
    return ngi_mat_check_any(m, name, error);
}

ng_status ngi_mat_check_any(ng_mat m, const char *name, ng_error *error)
{
    if (m.dtype != NG_F32 && m.dtype != NG_F64 && !ngi_is_half(m.dtype))
        return ng_error_set(error, NG_EDTYPE, "%s: unknown dtype %d", name, (int)m.dtype);
    if (m.rows == 0 || m.cols == 0)
        return NG_OK;
    if (m.data == NULL)
        return ng_error_set(error, NG_EARG, "%s: data is NULL for a %zu x %zu matrix", name, m.rows,
                            m.cols);
    if ((uintptr_t)m.data % alignment[m.dtype] != 0)
        return ng_error_set(error, NG_EARG, "%s: data at %p is not aligned for its dtype", name,
                            m.data);
    if (m.rows > 1 && m.stride < m.cols)
        return ng_error_set(error, NG_ESHAPE, "%s: stride %zu is less than %zu columns", name,
                            m.stride, m.cols);
    if (m.cols > PTRDIFF_MAX / 8 ||
        (m.rows > 1 && m.stride > (PTRDIFF_MAX / 8 - m.cols) / (m.rows - 1)))
        return ng_error_set(error, NG_ERANGE, "%s: %zu x %zu (stride %zu) does not fit memory",
                            name, m.rows, m.cols, m.stride);
    return NG_OK;
}

ng_status ngi_check_shape(ng_mat m, const char *name, size_t rows, size_t cols, ng_dtype dtype,
                          ng_error *error)
{
    TRY(ng_mat_check(m, name, error));
    if (m.dtype != dtype)
        return ng_error_set(error, NG_EDTYPE, "%s is %s, expected %s", name,
                            ngi_dtype_name(m.dtype), ngi_dtype_name(dtype));
    if (m.rows != rows || m.cols != cols)
        return ng_error_set(error, NG_ESHAPE, "%s is %zu x %zu, expected %zu x %zu", name, m.rows,
                            m.cols, rows, cols);
    return NG_OK;
}

ng_status ngi_check_same(ng_mat y, const char *y_name, ng_mat x, const char *x_name,
                         ng_error *error)
{
    TRY(ng_mat_check(x, x_name, error));
    return ngi_check_shape(y, y_name, x.rows, x.cols, x.dtype, error);
}
