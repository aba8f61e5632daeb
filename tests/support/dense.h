/* Dense linear algebra for oracles: plain double, naive loops, Jacobi
 * rotations; no part of the library under test beyond the view type.
 *
 * Everything returned is dense NG_F64 and belongs to a list that dense_release
 * frees: an oracle may chain expressions without naming every intermediate. */
#ifndef NG_TEST_DENSE_H
#define NG_TEST_DENSE_H

#include "tests/support/support.h"

ng_mat dense_mat(size_t rows, size_t cols); /* zero */
ng_mat dense_of(ng_mat m);                  /* a copy of any view, as double */
void dense_release(void);                   /* frees everything of the above */

ng_mat dense_identity(size_t n);
ng_mat dense_mul(ng_mat a, int ta, ng_mat b, int tb);
ng_mat dense_add(double a, ng_mat x, double b, ng_mat y); /* a x + b y */
ng_mat dense_scale(double a, ng_mat x);
ng_mat dense_transpose(ng_mat x);
ng_mat dense_kron(ng_mat p, ng_mat q); /* p (x) q, for row-major vec */
ng_mat dense_with_ones(ng_mat a);      /* [a 1] */
double dense_trace(ng_mat x);
double dense_dot(ng_mat x, ng_mat y);
double dense_asymmetry(ng_mat x); /* ||x - x^T||_F / 2 */

/* Cyclic Jacobi: values (1 x n, ascending), rows of vectors; either may be NULL. */
void dense_eigh(ng_mat *values, ng_mat *vectors, ng_mat a);
ng_mat dense_power(ng_mat a, double p); /* symmetric positive definite a */

/* One-sided Jacobi (Hestenes), which finds small singular values to relative
 * accuracy: a = u diag(s) vt, u m x k, s 1 x k descending, vt k x n. Columns of
 * u whose singular value is zero are zero. */
typedef struct {
    ng_mat u, s, vt;
} dense_svd_result;
dense_svd_result dense_svd(ng_mat a);

ng_mat dense_polar(ng_mat a, double tau); /* terms with s > tau s_1 */
double dense_nuclear(ng_mat a);           /* sum of singular values */
double dense_spectral(ng_mat a);          /* the largest */

/* u diag(s) vt with k = min(m, n) values, all chosen by the caller */
dense_svd_result dense_frame(size_t m, size_t n, const double *s, test_rng *rng);
ng_mat dense_compose(dense_svd_result f);  /* u diag(s) vt */
ng_mat dense_isometry(dense_svd_result f); /* u vt */
ng_mat dense_normal(size_t m, size_t n, test_rng *rng);
ng_mat dense_rank(size_t m, size_t n, size_t r, test_rng *rng); /* small integers: exact in f32 */

#endif
