/* A positive semidefinite matrix from its products with a few vectors. */
#ifndef NGI_NYSTROM_H
#define NGI_NYSTROM_H

#include <natgrad/mat.h>
#include <natgrad/work.h>

/* The r = vectors.rows largest eigenvalues (1 x r, NG_F64, descending) and orthonormal eigenvectors
 * (ROW i belongs to value i, n long) of the Nystrom approximation
 *     A v^T (v A v^T)^+ v A
 * of A (n x n, positive semidefinite) from v (k x n, r <= k <= n) and y = v A. It is A where A has
 * rank k at most and v does not miss its range; never larger than A (Williams & Seeger 2001; Tropp,
 * Yurtsever, Udell & Cevher 2017). A value that is rounding is 0, and so is its vector.
 * NG_ENOCONV; NG_ENONFINITE. */
ng_status ngi_nystrom(ng_mat values, ng_mat vectors, ng_mat y, ng_mat v, ng_work *work,
                      ng_error *error);
size_t ngi_nystrom_work(size_t k, size_t n, ng_dtype dtype);

#endif
