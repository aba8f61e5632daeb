/* natgrad/linalg.h: dense linear algebra on matrix views, blind to the dtype.
 *
 * All views of one call have one dtype (else NG_EDTYPE) and fitting shapes
 * (else NG_ESHAPE); sizes beyond the BLAS integer are NG_ERANGE. Matrices
 * without elements are fine everywhere. Scalars are double; sums accumulate in
 * double. A symmetric matrix is read from, and written to, its lower triangle
 * (ng_mirror fills the upper one); a triangular factor is always lower, and
 * its strict upper triangle is neither read nor written unless said.
 * Aliasing an output with an input is not allowed unless said. */
#ifndef NATGRAD_LINALG_H
#define NATGRAD_LINALG_H

#include <natgrad/mat.h>
#include <natgrad/work.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NG_NOTRANS = 0, NG_TRANS = 1 } ng_trans;
typedef enum { NG_LEFT = 0, NG_RIGHT = 1 } ng_side;

/* ---- Element by element ------------------------------------------------ */

/* y <- a x + b y. With b = 0 the old y is not read; with a = 0 x is not. */
NG_API ng_status ng_axpby(ng_mat y, ng_mat x, double a, double b, ng_error *error);

/* z <- a x + b y; z may be x or y. What a 0 multiplies is not read. */
NG_API ng_status ng_lincomb(ng_mat z, double a, ng_mat x, double b, ng_mat y, ng_error *error);

/* y <- x, any pair of dtypes, those of sixteen bits among them: widened exactly, narrowed to the
 * nearest with ties to even. Overflow on narrowing gives an infinity; NaN stays NaN. */
NG_API ng_status ng_copy(ng_mat y, ng_mat x, ng_error *error);

/* Every element <- value; x <- a x; the diagonal of x <- diagonal + a. */
NG_API void ng_fill(ng_mat x, double value);
NG_API void ng_scale(ng_mat x, double a);
NG_API void ng_add_diagonal(ng_mat x, double a);

/* Every element into -limit ... limit, limit >= 0. NaN stays. */
NG_API void ng_clamp(ng_mat x, double limit);

/* x <- the identity (ones where row = column). */
NG_API void ng_set_identity(ng_mat x);

/* y (cols x rows) <- transpose of x (rows x cols). */
NG_API ng_status ng_transpose(ng_mat y, ng_mat x, ng_error *error);

/* Square x: copies the lower triangle onto the upper one. */
NG_API void ng_mirror(ng_mat x);

/* ---- Numbers about a matrix -------------------------------------------- */

/* This, ng_is_finite and ng_norm read NG_F16 and NG_BF16 too.
 * max |x|; NaN if there is a NaN, else infinity if there is one. 0 if empty. */
NG_API double ng_max_abs(ng_mat x);

/* 1 if no element is NaN or infinite. */
NG_API int ng_is_finite(ng_mat x);

/* Frobenius norm, safe against overflow of the squares. */
NG_API double ng_norm(ng_mat x);

/* <x, y> = tr(x^T y), accumulated in double. Shapes and dtypes must match;
 * if they do not the result is NaN. */
NG_API double ng_dot(ng_mat x, ng_mat y);

/* Sum of the diagonal. */
NG_API double ng_trace(ng_mat x);

/* ---- Products ---------------------------------------------------------- */

/* c (m x n) <- alpha op(a) op(b) + beta c, op(a) m x k, op(b) k x n. */
NG_API ng_status ng_gemm(ng_mat c, ng_mat a, ng_trans trans_a, ng_mat b, ng_trans trans_b,
                         double alpha, double beta, ng_error *error);

/* Lower triangle of c <- alpha op(a) op(a)^T + beta c. trans: c = a^T a. */
NG_API ng_status ng_syrk(ng_mat c, ng_mat a, ng_trans trans, double alpha, double beta,
                         ng_error *error);

/* side = NG_LEFT: c <- alpha s b + beta c; NG_RIGHT: c <- alpha b s + beta c.
 * s symmetric, read from its lower triangle. */
NG_API ng_status ng_symm(ng_mat c, ng_side side, ng_mat s, ng_mat b, double alpha, double beta,
                         ng_error *error);

/* side = NG_LEFT: b <- alpha op(l)^-1 b; NG_RIGHT: b <- alpha b op(l)^-1.
 * l lower triangular; a zero on its diagonal gives infinities. */
NG_API ng_status ng_trsm(ng_mat b, ng_side side, ng_mat l, ng_trans trans, double alpha,
                         ng_error *error);

/* ---- Factorisations: finite input is checked first (NG_ENONFINITE) ------ */

/* Cholesky factor: l (n x n, lower; the strict upper triangle becomes zero)
 * with l l^T = a + jitter I. a is symmetric, read from its lower triangle.
 * l may be a itself when jitter is NULL.
 * jitter == NULL: a as it is; not positive definite is NG_ESINGULAR.
 * Otherwise on failure the jitter eps * tr(a)/n is added, then ten times that,
 * and so on, six tries in all; *jitter returns what was added (0 for none).
 * NG_ESINGULAR when that is not enough. */
NG_API ng_status ng_cholesky(ng_mat l, double *jitter, ng_mat a, ng_error *error);

/* Eigenvalues (1 x n, ascending) and orthonormal eigenvectors (n x n; ROW k
 * belongs to eigenvalue k) of the symmetric a (n x n, lower triangle), so that
 * a = vectors^T diag(values) vectors. LAPACK syevd; if it does not converge,
 * syevr; if neither does, NG_ENOCONV. vectors may be a itself only when
 * another copy of a is not needed for the retry: never alias them.
 * route (may be NULL) receives "syevd" or "syevr". */
NG_API ng_status ng_eigh(ng_mat values, ng_mat vectors, const char **route, ng_mat a, ng_work *work,
                         ng_error *error);
NG_API size_t ng_eigh_work(size_t n, ng_dtype dtype);

/* The eigenvalues alone (1 x n, ascending) of the symmetric a (n x n, lower triangle), which is
 * lost. LAPACK syevd; NG_ENOCONV, NG_ENONFINITE, NG_ENOMEM (it takes about 70 n elements). */
NG_API ng_status ng_eigenvalues(ng_mat values, ng_mat a, ng_error *error);

/* Thin singular value decomposition a = u diag(s) vt with k = min(m, n):
 * u (m x k), s (1 x k, descending), vt (k x n). LAPACK gesdd; if it does not
 * converge, gesvd; if neither does, NG_ENOCONV.
 * route (may be NULL) receives "gesdd" or "gesvd". */
NG_API ng_status ng_svd(ng_mat u, ng_mat s, ng_mat vt, const char **route, ng_mat a, ng_work *work,
                        ng_error *error);
NG_API size_t ng_svd_work(size_t m, size_t n, ng_dtype dtype);

/* b (n x n, both triangles) <- a^exponent for a symmetric positive definite a
 * (lower triangle) and any real exponent, by eigendecomposition in double
 * whatever the dtype. Eigenvalues below floor * (largest eigenvalue) are
 * raised to it, 0 <= floor < 1. floor = 0: with a negative exponent an
 * eigenvalue <= n eps_f64 * (largest) is NG_ESINGULAR; with a positive one
 * negative eigenvalues count as zero. b may be a. */
NG_API ng_status ng_spd_power(ng_mat b, ng_mat a, double exponent, double floor, ng_work *work,
                              ng_error *error);
NG_API size_t ng_spd_power_work(size_t n, ng_dtype dtype);

/* The same for a matrix that moves little from call to call: basis (n x n,
 * NG_F64, orthonormal rows; the identity at first) is used again when it still
 * diagonalises a, ||off-diagonal part of basis a basis^T||_F <= tolerance
 * ||a||_F, else it becomes the eigenbasis of a. 0 <= tolerance < 1; with 0 it
 * is always renewed. *reused (may be NULL) says which. Needs the same bytes. */
NG_API ng_status ng_spd_power_update(ng_mat b, int *reused, ng_mat basis, ng_mat a, double exponent,
                                     double floor, double tolerance, ng_work *work,
                                     ng_error *error);

/* ---- Operators: matrices known by their products alone ------------------- */

/* A symmetric n x n matrix A as a callback: y <- A x for each of the k rows of
 * x (k x n, k >= 1, dense or strided), both of the dtype of the call that uses
 * it. Must be linear, and the same for the length of that call. A status other
 * than NG_OK ends the call, which returns it. */
typedef struct {
    ng_status (*apply)(void *data, ng_mat y, ng_mat x, ng_error *error);
    void *data;
} ng_operator;

/* What an iteration did, also when it failed. */
typedef struct {
    size_t iterations; /* products, of all rows at once, that made a step */
    double residual;   /* the largest, over the rows, as each call says */
} ng_iteration;

/* Solves A x = b for the k rows of b (k x n) by conjugate gradients from 0, all
 * rows together; A positive definite. preconditioner (may be NULL): y <- C^-1 x
 * with C positive definite and near A (Hestenes & Stiefel 1952; Golub & Van
 * Loan, Matrix Computations, 11.5.2). Ends when ||b - A x||_2 <= tolerance
 * ||b||_2 for every row, computed from x, not from the recurrence; 0 < tolerance
 * < 1, attainable down to some condition number * eps(dtype). One product more
 * for that check, and for each renewal after rounding has spoilt the recurrence.
 * info (may be NULL): residual is ||b - A x|| / ||b||.
 * NG_ENOCONV after max_iterations, or when rounding stops the way down: x is
 * the last iterate. NG_EINDEFINITE when a direction p has p A p <= 0, or
 * what rounding leaves of 0 (eps times the largest curvature met) and a step
 * along it brings b no nearer, or r C^-1 r <= 0; NG_ENONFINITE when a product is
 * not finite; NG_ERANGE when x would overflow: x is the iterate before. The
 * callbacks never see a number that is not finite. */
NG_API ng_status ng_cg(ng_mat x, ng_iteration *info, ng_mat b, double tolerance,
                       size_t max_iterations, const ng_operator *a,
                       const ng_operator *preconditioner, ng_work *work, ng_error *error);
NG_API size_t ng_cg_work(size_t k, size_t n, ng_dtype dtype);

/* The k = values.cols largest (not: of largest modulus) eigenvalues of A (1 x k,
 * ascending) and orthonormal eigenvectors (k x n, ROW i belongs to value i), 1
 * <= k <= n, by block Lanczos with full reorthogonalisation, block size k, so
 * that eigenvalues repeated up to k times are found (Golub & Van Loan, 10.3.6).
 * The block it starts from is the same every time. At most max_rows (k ..; more
 * than n counts as n) basis vectors are kept. Ends when ||A v - value v||_2 <=
 * tolerance * (largest |eigenvalue| met) for every pair, tolerance > 0,
 * attainable down to some n eps(dtype). info (may be NULL): residual is that
 * norm over that eigenvalue. NG_ENOCONV when max_rows are not enough: values
 * and vectors are the best found. NG_ENONFINITE when a product is not finite. */
NG_API ng_status ng_lanczos(ng_mat values, ng_mat vectors, ng_iteration *info, double tolerance,
                            size_t max_rows, const ng_operator *a, ng_work *work, ng_error *error);
NG_API size_t ng_lanczos_work(size_t k, size_t n, size_t max_rows, ng_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
