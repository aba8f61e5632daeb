/* A^(-1/2) as a sum of shifted inverses, for the fast polar factor and the
 * fused step: no eigen-solver, no root. */
#ifndef NGI_POLAR_FRACTIONS_H
#define NGI_POLAR_FRACTIONS_H

#include <natgrad/polar.h>

enum { NGI_FRACTIONS_MOST = 8 };

/* The best sum of `terms` fractions w_j / (x + t_j) for x^(-1/2) on [l, 1]: Hale, Higham &
 * Trefethen 2008, method 3, which is Zolotarev's function. With m = 1 - l, K = K(m) and u_j = (j -
 * 1/2) K / terms, t_j = l sn^2 / cn^2,   w_j = 2 sqrt(l) K dn / (pi terms cn^2)    (of u_j,
 * parameter m). Largest relative error: l = 1e-5: 5 terms 4.0e-3, 6 1.0e-3, 8 6e-5; l = 1e-6:
 * 6 3.2e-3, 8 2.9e-4. Below l the sum falls smoothly behind x^(-1/2), to a constant at 0.
 * With `constant` (or NULL) the best sum of a constant and that many fractions, the other of
 * Zolotarev's functions: terms + 1/2 in place of terms, in the error too, and the pole at u = K is
 * the constant. Beyond 1 it falls to the constant. 0 < l < 1. */
void ngi_fractions(double *t, double *w, double *constant, int terms, double l);

/* k (n x n, both triangles) <- S^-T (S^-1 A S^-T)^(-1/2) S^-1 for P = S S^T, whatever S: sum of
 * w_j (A + t_j P)^-1 with the soft floor l times `bound`, which is not below the largest
 * eigenvalue of P^-1 A and best close to it (0.7 to 10 times costs little). a is given by its lower
 * triangle, not zero, p likewise (data NULL: the identity). NG_ENOCONV where a term is not
 * positive definite to rounding. */
ng_status ngi_inverse_root(ng_mat k, ng_mat a, ng_mat p, double bound, ng_work *work,
                           ng_error *error);
size_t ngi_inverse_root_work(size_t n, ng_dtype dtype);

/* Of U = S^T k S^-T X, X = S^-1 Z, a = Z Q^-1 Z^T: info's rank, ||U||_F^2 rounded, and its
 * orthogonality error, from k and the k x k matrices alone; its condition is not known. */
ng_status ngi_inverse_root_info(ng_polar_info *info, ng_mat k, ng_mat a, ng_mat p, ng_work *work,
                                ng_error *error);
size_t ngi_inverse_root_info_work(size_t n, ng_dtype dtype);

/* z <- P^-1 x for vectors n x 1 */
typedef ng_status ngi_solve(void *data, ng_mat z, ng_mat x, ng_work *work, ng_error *error);

/* An upper bound, mostly by less than 1.4, of the largest eigenvalue of P^-1 a (a: both triangles,
 * positive semidefinite; p: its diagonal): three power steps from the column where a_ii / p_ii is
 * largest. Without p (data NULL) P is the identity, `solve` is not called, and the bound lies
 * between those of the Frobenius norm and the trace, for that column may not see the largest. 0 for
 * a zero matrix. What solve needs of work is the caller's. */
ng_status ngi_largest_eigenvalue(double *bound, ng_mat a, ng_mat p, ngi_solve *solve, void *data,
                                 ng_work *work, ng_error *error);
size_t ngi_largest_eigenvalue_work(size_t n, ng_dtype dtype);

#endif
