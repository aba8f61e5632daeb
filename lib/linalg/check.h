/* Checks shared by the linear algebra calls. */
#ifndef NGI_LINALG_CHECK_H
#define NGI_LINALG_CHECK_H

#include "lib/core/mat.h"

/* The same as ngi_check_shape, and the sizes fit the BLAS integer. */
ng_status ngi_check_blas(ng_mat m, const char *name, size_t rows, size_t cols, ng_dtype dtype,
                         ng_error *error);

/* No NaN, no infinity: LAPACK hangs on them. NG_ENONFINITE. */
ng_status ngi_check_finite(ng_mat m, const char *name, ng_error *error);

/* The same for the lower triangle, all that a symmetric matrix promises. */
ng_status ngi_check_finite_lower(ng_mat m, const char *name, ng_error *error);

/* The last thing a call does: out <- result, unless numbers grew too large. NG_ERANGE. */
ng_status ngi_copy_result(ng_mat out, ng_mat result, const char *name, ng_error *error);

#endif
