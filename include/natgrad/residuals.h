/* natgrad/residuals.h: rows of residual derivatives, and least squares with them.
 *
 *   ng_residuals *res;                        n weights, at most 1020 residuals
 *   ng_residuals_create(&res, n, 1020, NULL, &error);
 *   for (;;) {
 *       ng_mat j, r;
 *       ng_residuals_clear(res);
 *       ng_residuals_add(res, &j, &r, 900, 1.0 / 900, &error);     inside the domain
 *       ... fill j (900 x n) and r (1 x 900) ...
 *       ng_residuals_add(res, &j, &r, 120, 100.0 / 120, &error);   on its boundary
 *       ... fill them ...
 *       ... ng_optimizer_step (natgrad/residual.h) or the calls below ...
 *   }
 *
 * m residuals r_i(w) of n weights w, in classes, each with a weight c_i >= 0: the loss is
 * 1/2 sum_i c_i r_i^2, J (m x n) has the rows dr_i/dw, G = J^T C J is the Gauss-Newton matrix,
 * which is the Fisher matrix of normal errors, and of rows that are derivatives of log |psi| the
 * quantum geometric tensor. All is NG_F64. J lies where add says, once: nothing here copies, scales
 * or changes it but ng_residuals_centre. What is inverted is the smaller of two matrices,
 *
 *   dual     K = S J J^T S (m x m), S = C^(1/2):  x = J^T S (K + damping I)^-1 S y
 *   primal   G = J^T C J   (n x n):               x = (G + damping I)^-1 J^T C y
 *
 * one and the same x (Woodbury), that of least 1/2 sum_i c_i (J x - y)_i^2 + damping/2 |x|^2
 * (Mueller and Zeinhofer 2023, arXiv:2302.13163; arXiv:2505.12149). Or none of them is formed:
 * conjugate gradients on the smaller one by products with J, preconditioned by a randomised
 * Nystroem approximation (Frangella, Tropp and Udell 2021, arXiv:2110.02820). */
#ifndef NATGRAD_RESIDUALS_H
#define NATGRAD_RESIDUALS_H

#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_residuals ng_residuals;

/* J by its products instead of by its rows: k >= 1 rows at once, dense. A status other than NG_OK
 * ends the call, which returns it. */
typedef struct {
    ng_status (*times)(void *data, ng_mat y, ng_mat x, ng_error *error); /* y (k x m) = x J^T */
    ng_status (*transposed)(void *data, ng_mat x, ng_mat y, ng_error *error); /* x (k x n) = y J */
    void *data;
} ng_residual_products;

/* Room for max_rows residuals of n weights, both at least 1; all memory for J at once. products
 * (may be NULL; copied, its data borrowed): J is known by them alone, there is no room for it, and
 * solver = cg is the only one. NG_EARG, NG_ERANGE (beyond the BLAS integer), NG_ENOMEM; then
 * *residuals is NULL. */
NG_API ng_status ng_residuals_create(ng_residuals **residuals, size_t n, size_t max_rows,
                                     const ng_residual_products *products, ng_error *error);
NG_API void ng_residuals_destroy(ng_residuals *residuals);

/* No residuals; the memory stays. */
NG_API void ng_residuals_clear(ng_residuals *residuals);

/* `count` more residuals of that weight, with places for them that the caller fills in before
 * anything else is asked: *j (count x n, dense; NULL with products) their derivatives, *r (1 x
 * count) their values; both begin as zeros and are valid until clear and destroy. NG_EARG (count 0,
 * a negative weight, j with products or none without), NG_ERANGE (no room); nothing was added. */
NG_API ng_status ng_residuals_add(ng_residuals *residuals, ng_mat *j, ng_mat *r, size_t count,
                                  double weight, ng_error *error);

/* For Monte Carlo averages: subtracts from the rows of J and from r their mean under the weights,
 * once, and no more are added afterwards (NG_EARG). K then has the null vector s = S 1: s s^T/|s|^2
 * is added to it, which with equal weights is 11^T/m, and solutions are free of s (minSR and
 * SPRING, arXiv:2401.10190). NG_EUNSUPPORTED with products (centre in them), NG_ENODATA without
 * weight. */
NG_API ng_status ng_residuals_centre(ng_residuals *residuals, ng_error *error);

NG_API size_t ng_residuals_size(const ng_residuals *residuals);   /* n */
NG_API size_t ng_residuals_count(const ng_residuals *residuals);  /* m */
NG_API ng_mat ng_residuals_values(const ng_residuals *residuals); /* r, 1 x m */
NG_API double ng_residuals_loss(const ng_residuals *residuals);   /* 1/2 sum_i c_i r_i^2 */

/* sum_i c_i y_i z_i; y, z: 1 x m. NaN for other shapes. */
NG_API double ng_residuals_dot(const ng_residuals *residuals, ng_mat y, ng_mat z);

/* y (1 x m) <- J x, x 1 x n; x (1 x n) <- J^T C y: the gradient of the loss where y is r. What a
 * products' call fails with, NG_ENONFINITE (theirs are), NG_ESHAPE, NG_EDTYPE. */
NG_API ng_status ng_residuals_times(ng_residuals *residuals, ng_mat y, ng_mat x, ng_error *error);
NG_API ng_status ng_residuals_gradient(ng_residuals *residuals, ng_mat x, ng_mat y,
                                       ng_error *error);

/* g <- K if g is m x m (both triangles; centred rows: without s s^T), G if it is n x n; K where
 * m = n. NG_EUNSUPPORTED with products, NG_ESHAPE, NG_EDTYPE. */
NG_API ng_status ng_residuals_gram(ng_residuals *residuals, ng_mat g, ng_error *error);

typedef enum {
    NG_RESIDUAL_AUTO = 0, /* dual for m <= n, else primal; cg with products */
    NG_RESIDUAL_DUAL = 1,
    NG_RESIDUAL_PRIMAL = 2,
    NG_RESIDUAL_CG = 3
} ng_residual_solver;

typedef struct {
    size_t size; /* set by ng_residual_solving_init */
    ng_residual_solver solver;
    double tolerance;      /* of cg: 1e-10, 0 .. 1, |b - A x| / |b| */
    size_t max_iterations; /* of cg: 1000 */
    size_t sketch;         /* rank of the Nystroem approximation: 50, no more than the smaller of m
                              and n; 0: no preconditioner */
} ng_residual_solving;

NG_API ng_status ng_residual_solving_init_sized(ng_residual_solving *solving, size_t size);
static inline ng_status ng_residual_solving_init(ng_residual_solving *solving)
{
    return ng_residual_solving_init_sized(solving, sizeof *solving);
}

/* Makes ready for solves with this damping >= 0: one Cholesky factor, or one Nystroem sketch, which
 * holds until rows are added, cleared or changed. solving NULL: the defaults. The matrix needs its
 * own memory, p x p doubles for the smaller p of m and n (the side that was asked for), kept for
 * the next time. NG_ENODATA (no residuals), NG_ENONFINITE (J, r), NG_ESINGULAR (no damping where
 * rows or weights depend on each other), NG_EARG, NG_EOPTION, NG_EUNSUPPORTED (dual or primal with
 * products), NG_ENOMEM, and what products fail with. */
NG_API ng_status ng_residuals_factor(ng_residuals *residuals, double damping,
                                     const ng_residual_solving *solving, ng_error *error);

/* x (1 x n) <- J^T S (K + damping I)^-1 S y, y 1 x m. NG_ENODATA without ng_residuals_factor,
 * NG_ESHAPE, NG_EDTYPE, NG_ENONFINITE; NG_ENOCONV, NG_EINDEFINITE from cg. */
NG_API ng_status ng_residuals_solve(ng_residuals *residuals, ng_mat x, ng_mat y, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
