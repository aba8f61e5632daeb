#include "lib/linalg/check.h"

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/blas.h"

ng_status ngi_check_blas(ng_mat m, const char *name, size_t rows, size_t cols, ng_dtype dtype,
                         ng_error *error)
{
    TRY(ngi_check_shape(m, name, rows, cols, dtype, error));
    return ngi_narrow(m, name, error);
}

ng_status ngi_check_finite(ng_mat m, const char *name, ng_error *error)
{
    if (!ng_is_finite(m))
        return ng_error_set(error, NG_ENONFINITE, "%s holds NaN or infinity", name);
    return NG_OK;
}

ng_status ngi_check_finite_lower(ng_mat m, const char *name, ng_error *error)
{
    for (size_t i = 0; i < m.rows; i++)
        TRY(ngi_check_finite(ng_mat_block(m, i, 0, 1, i < m.cols ? i + 1 : m.cols), name, error));
    return NG_OK;
}
