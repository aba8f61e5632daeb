/* The algebra of a Kronecker pair P (x) Q in its eigenbases, which K-FAC, EKFAC and
 * their kin share, whoever owns the state: an m x n matrix in the basis of the
 * columns of u^T v, diagonals there, and what happens when the bases turn.
 * Eigenvectors are rows throughout; an empty basis (data NULL) is the identity. All
 * matrices of a call have one dtype, unless said. */
#ifndef NGI_LINALG_BASIS_H
#define NGI_LINALG_BASIS_H

#include <natgrad/mat.h>
#include <natgrad/work.h>

/* Eigenvalues (1 x n, ascending) and eigenvectors, both NG_F64, of a symmetric matrix
 * of any dtype, of which the lower triangle is read. work NULL allocates. */
ng_status ngi_eigen_of(ng_mat values, ng_mat vectors, ng_mat a, ng_work *work, ng_error *error);
size_t ngi_eigen_of_work(size_t n);

/* The same of a factor, a sum of squares: negative values, which are rounding, as 0. */
ng_status ngi_factor_eigen(ng_mat values, ng_mat vectors, ng_mat factor, ng_work *work,
                           ng_error *error);

/* d (m x n, any dtype) <- the eigenvalues of P (x) Q from those of P (1 x m) and Q (1 x n). */
void ngi_basis_products(ng_mat d, ng_mat left, ng_mat right);

/* Second moments in the basis u, v of matrices that are outer products of the rows of left (k x m)
 * and right (k x n):
 *   d <- keep d + add sum_i (u left_i)^2 (v right_i)^2^T,  squares element by element.
 * Rows that are one shorter than their basis have `one` behind them. l (k x m), r (k x n): scratch. */
ng_status ngi_basis_moments(ng_mat d, ng_mat left, ng_mat right, ng_mat u, ng_mat v, double one,
                            double add, double keep, ng_mat l, ng_mat r, ng_error *error);

/* The rows of x (n x n, finite) made orthonormal from the first on, Gram-Schmidt's
 * result by Householder's QR; rows that depend on those above are replaced by others. */
ng_status ngi_orthonormal_rows(ng_mat x, ng_work *work, ng_error *error);
size_t ngi_orthonormal_rows_work(size_t n, ng_dtype dtype);

/* x (m x n) <- u x v^T, into the basis; back: u^T x v. scratch: m x n. */
ng_status ngi_basis_rotate(ng_mat x, ng_mat u, ng_mat v, int back, ng_mat scratch, ng_error *error);

/* The diagonal d (m x n) of a matrix in the basis u, v becomes that in the basis
 * next_u, next_v of the same matrix, were it diagonal in the first:
 * d <- (R_u o R_u) d (R_v o R_v)^T with R = next old^T. Its sum stays. */
ng_status ngi_basis_carry(ng_mat d, ng_mat next_u, ng_mat next_v, ng_mat u, ng_mat v, ng_work *work,
                          ng_error *error);
size_t ngi_basis_carry_work(size_t m, size_t n, ng_dtype dtype);

/* Each element of x <- its square. */
void ngi_square(ng_mat x);

#endif
