/* Symmetric matrices of which the lower triangle counts: what lies above the
 * diagonal may be anything and is not even converted. */
#ifndef NGI_LINALG_LOWER_H
#define NGI_LINALG_LOWER_H

#include <natgrad/mat.h>

/* y <- x, lower triangles, any dtypes. */
void ngi_copy_lower(ng_mat y, ng_mat x);

/* max |x| over the lower triangle; NaN if there is a NaN. */
double ngi_max_abs_lower(ng_mat x);

#endif
