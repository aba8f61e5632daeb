/* Products of two orthonormal bases: an m x n matrix in the basis of the
 * columns of u^T v, and what happens when the bases turn. Eigenvectors are rows
 * throughout; an empty basis (data NULL) is the identity. All matrices of a
 * call have one dtype. */
#ifndef NGI_LINALG_BASIS_H
#define NGI_LINALG_BASIS_H

#include <natgrad/mat.h>
#include <natgrad/work.h>

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
