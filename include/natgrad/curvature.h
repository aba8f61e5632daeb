/* natgrad/curvature.h: curvature of an exponential family p(x) ~ exp(sum
 * theta_a T_a(x)) from two tensors in its natural coordinates theta: the
 * Fisher matrix F_ab = Cov(T_a, T_b) and the third cumulants kappa_abc =
 * d F_ab/d theta_c, symmetric in all indices. Indices are raised by F^-1:
 *
 *   R_abcd = 1/4 (kappa_ade kappa_bc^e - kappa_ace kappa_bd^e),
 *   Ric_ab = 1/4 (kappa_acd kappa_b^cd - kappa_abc (tr kappa)^c),
 *   R      = 1/4 (|kappa|^2 - |tr kappa|^2),  (tr kappa)_c = d log det F/d theta_c.
 *
 * Conventions: R^l_kij = d_i Gamma^l_jk - d_j Gamma^l_ik + Gamma^l_im Gamma^m_jk
 * - Gamma^l_jm Gamma^m_ik, Ric_kj = R^l_klj: spheres have R > 0.
 *
 * amari_alpha a chooses Amari's connection Gamma_ab,c = (1 - a)/2 kappa_abc: 0 is
 * Levi-Civita's, 1 the exponential one (flat in theta), -1 the mixture one;
 * its Riemann tensor is (1 - a^2) times that of a = 0 (Amari and Nagaoka 2000).
 *
 * F is an n x n NG_F64 view (else NG_EDTYPE), positive definite (else
 * NG_ESINGULAR), its lower triangle is read. Wrong shapes are NG_ESHAPE, NaN
 * and infinities NG_ENONFINITE, a NULL result or callback NG_EARG, failing
 * allocations NG_ENOMEM. Outputs are written only by calls that succeed.
 * Source: Zhuravlev, arXiv:2603.07651 (2026), and the formulas above. */
#ifndef NATGRAD_CURVATURE_H
#define NATGRAD_CURVATURE_H

#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where third cumulants come from: fills slab (n x n, dense NG_F64, both
 * triangles) with kappa_abc over a and b, c fixed. An error is passed on. */
typedef ng_status (*ng_cumulants_fill)(void *data, ng_mat slab, size_t c, ng_error *error);

/* That of a stored tensor: data is a double * to n^3 numbers. */
NG_API ng_status ng_cumulants_fill_stored(void *data, ng_mat slab, size_t c, ng_error *error);

typedef struct {
    double scalar; /* R, times 1 - amari_alpha^2 */
    double square; /* |kappa|^2 */
    double trace;  /* |tr kappa|^2 */
} ng_curvature;

/* Scalar curvature without the whole tensor in memory: `slabs` whitened slabs
 * are kept at a time, 4 n^2 slabs bytes beside 32 n^2, and third is called
 * about n + n^2/(2 slabs) times. slabs = 0 or >= n keeps all: n calls. 2 n^4
 * operations, and n^4/2 for the sums. */
NG_API ng_status ng_curvature_scalar(ng_curvature *result, ng_mat f, double amari_alpha,
                                     size_t slabs, ng_cumulants_fill third, void *data,
                                     ng_error *error);

/* (tr kappa)_c = F^ab kappa_abc into trace (1 x n). n calls, O(n^2) memory. */
NG_API ng_status ng_curvature_trace(ng_mat trace, ng_mat f, ng_cumulants_fill third, void *data,
                                    ng_error *error);

/* Sectional curvature of the plane through the tangent vectors u and v (1 x n
 * each, components in theta): *result = R_abcd u^a v^b u^c v^d / area^2. Vectors
 * that span no plane, area^2 <= 1e-14 |u|^2 |v|^2, are NG_EARG. n calls, O(n^2)
 * memory. */
NG_API ng_status ng_curvature_sectional(double *result, ng_mat f, ng_mat u, ng_mat v,
                                        ng_cumulants_fill third, void *data, ng_error *error);

/* The four terms of the Ricci tensor and their sum, n x n each, both
 * triangles; one that is ng_mat_none() (all zero) is left out. G is Levi-Civita's
 * connection. R3 = -R1/2 and R4 = -R2/2 follow from the symmetry of kappa and
 * test nothing else. */
typedef struct {
    ng_mat ricci;       /* the sum */
    ng_mat trace_kappa; /* R1 = -1/2 (tr kappa)^d kappa_dab */
    ng_mat kappa_kappa; /* R2 = +1/2 kappa_acd kappa_b^cd */
    ng_mat trace_gamma; /* R3 = G^c_cd G^d_ab */
    ng_mat gamma_gamma; /* R4 = -G^c_bd G^d_ac */
} ng_ricci;

/* n calls; memory 16 n^3 bytes. */
NG_API ng_status ng_curvature_ricci(const ng_ricci *result, ng_mat f, ng_cumulants_fill third,
                                    void *data, ng_error *error);

/* All of R_abcd into riemann, n^2 x n^2, row a n + b, column c n + d. n calls;
 * memory 8 n^4 + 8 n^3 bytes. */
NG_API ng_status ng_curvature_riemann(ng_mat riemann, ng_mat f, double amari_alpha,
                                      ng_cumulants_fill third, void *data, ng_error *error);

/* Gamma^c_ab = (1 - amari_alpha)/2 F^cd kappa_abd into gamma, n x n^2, row c,
 * column a n + b. n calls; memory 8 n^3 bytes. */
NG_API ng_status ng_curvature_christoffel(ng_mat gamma, ng_mat f, double amari_alpha,
                                          ng_cumulants_fill third, void *data, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
