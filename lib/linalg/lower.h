/* Symmetric matrices of which the lower triangle counts: what lies above the
 * diagonal may be anything and is not even converted. */
#ifndef NGI_LINALG_LOWER_H
#define NGI_LINALG_LOWER_H

#include <natgrad/linalg.h>

/* How a matrix that was overwritten is made once more, its lower triangle, with the same bits. */
typedef struct {
    ng_status (*make)(const void *data, ng_mat a, ng_error *error);
    const void *data;
} ngi_maker;

/* ng_cholesky in place, of what the maker has made in l; it is asked again where jitter is tried.
 */
ng_status ngi_cholesky_again(ng_mat l, double *jitter, ngi_maker a, ng_error *error);

/* y <- x, lower triangles, any dtypes. */
void ngi_copy_lower(ng_mat y, ng_mat x);

/* max |x| over the lower triangle; NaN if there is a NaN. */
double ngi_max_abs_lower(ng_mat x);

/* c <- alpha op(a) op(b) + beta c where that is symmetric (products.c); what it leaves above the
 * diagonal is nobody's business, but finite where c was. */
ng_status ngi_gemm_lower(ng_mat c, ng_mat a, ng_trans trans_a, ng_mat b, ng_trans trans_b,
                         double alpha, double beta, ng_error *error);

#endif
