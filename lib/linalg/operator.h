/* Calling an operator of the caller's and judging what comes back. */
#ifndef NGI_LINALG_OPERATOR_H
#define NGI_LINALG_OPERATOR_H

#include <natgrad/linalg.h>

/* y <- A x; the callback's own status with its text behind name, or
 * NG_ENONFINITE when y is not finite. */
ng_status ngi_apply(const ng_operator *a, const char *name, ng_mat y, ng_mat x, ng_error *error);

/* There is something to call: NG_EARG. */
ng_status ngi_check_operator(const ng_operator *a, const char *name, ng_error *error);

#endif
