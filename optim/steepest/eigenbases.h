/* Metrics that are diagonal in a product of orthonormal bases: the roots hold the
 * bases (eigenvectors as rows, in the weights' dtype; a side without factor has
 * none), "diagonal" what stands between them, rows x cols. */
#ifndef NGI_EIGEN_H
#define NGI_EIGEN_H

#include "optim/steepest/factors.h"

/* The metric's eigenvalues from the elements s of the diagonal: (scale s)^power + shift,
 * power 1 or 1/2; negative s count as 0. */
typedef struct {
    double scale, power, shift;
} ngi_spectrum;

extern const char ngi_diagonal[];

/* Adds the diagonal, all ones: of the identities. */
ng_status ngi_eigen_create(ngi_param *param, ng_dtype dtype, ng_error *error);

/* New bases from the newest factors: their eigenvectors, with eigenvalues into
 * values[side] (1 x n, NG_F64; data NULL: not asked), or with `follow` one
 * orthogonal iteration from the old bases, Q <- QR(factor Q) (no values then).
 * NG_ENOCONV where an eigen-solver fails: both old bases stay, and the report says so. */
ng_status ngi_eigen_bases(ngi_param *param, const ng_mat values[2], int follow, ng_work *work,
                          ng_error *error);

/* x <- x in the newest bases, or back. */
ng_status ngi_eigen_rotate(const ngi_param *param, ng_mat x, int back, ng_work *work,
                           ng_error *error);

/* New diagonal (written before) from the old bases into the new ones; if there are any. */
ng_status ngi_eigen_carry(ngi_param *param, ng_work *work, ng_error *error);

/* New diagonal <- the products of the sides' eigenvalues. */
void ngi_eigen_products(ngi_param *param, const ng_mat values[2]);

/* x <- x in the bases / square root of the eigenvalues; and the adjoint. With trace scaling the
 * eigenvalues have mean 1. */
ng_status ngi_eigen_whiten(const ngi_param *param, const ng_steepest_options *o, ngi_spectrum h,
                           ng_mat x, ng_work *work, ng_error *error);
ng_status ngi_eigen_unwhiten(const ngi_param *param, const ng_steepest_options *o, ngi_spectrum h,
                             ng_mat y, ng_work *work, ng_error *error);

/* Scratch bytes of bases, two rows of values included, and carry; of rotate, and the slots of
 * ngi_metric. */
size_t ngi_eigen_work(const ngi_param *param);
size_t ngi_eigen_turn_work(const ngi_param *param, const ng_steepest_options *o);

#endif
