/* Sums of inverses of symmetric positive definite matrices, by our own blocked symmetric sweep:
 * up to a few hundred rows LAPACK's Cholesky inverse takes two to five times as long. */
#ifndef NGI_SWEEP_H
#define NGI_SWEEP_H

#include <natgrad/work.h>

#include "lib/linalg/lower.h"

enum { NGI_FEW = 32 }; /* rows up to which eight terms cost little more than one */

/* k <- sum_j w[j] (a + t[j] p)^-1 over `terms` terms, n x n, both triangles; a and p (data NULL:
 * the identity) are given by their lower triangles, all of one dtype; k may be none of them.
 * Relative error of a term about n eps times its condition number, as with LAPACK.
 * NG_ESINGULAR if a + t[j] p is not positive definite to rounding; k is then undefined. */
ng_status ngi_shifted_inverses(ng_mat k, ng_mat a, ng_mat p, const double *t, const double *w,
                               size_t terms, ng_work *work, ng_error *error);
size_t ngi_shifted_inverses_work(size_t n, ng_dtype dtype);

/* b <- a^-1, both triangles, from a's lower one. Where a is not positive definite to rounding, what
 * is added to its diagonal begins with eps times its mean and grows tenfold, as in ng_cholesky;
 * NG_ESINGULAR where that does not help. b may not be a. */
ng_status ngi_spd_inverse(ng_mat b, ng_mat a, ng_work *work, ng_error *error);
size_t ngi_spd_inverse_work(size_t n, ng_dtype dtype);

/* The same in place, dense, of what the maker has made in b; it is asked again where something is
 * added. */
ng_status ngi_spd_inverse_again(ng_mat b, ngi_maker a, ng_work *work, ng_error *error);
/* Much less where n is a multiple of sixteen. */
size_t ngi_spd_inverse_again_work(size_t n, ng_dtype dtype);

#endif
