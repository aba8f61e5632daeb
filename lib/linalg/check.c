#include "lib/linalg/check.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/blas.h"
#include "lib/linalg/lower.h"

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
    if (!isfinite(ngi_max_abs_lower(m)))
        return ng_error_set(error, NG_ENONFINITE, "%s holds NaN or infinity", name);
    return NG_OK;
}

ng_status ngi_copy_result(ng_mat out, ng_mat result, const char *name, ng_error *error)
{
    if (!ng_is_finite(result))
        return ng_error_set(error, NG_ERANGE, "%s would have numbers that are too large", name);
    return ng_copy(out, result, error);
}
