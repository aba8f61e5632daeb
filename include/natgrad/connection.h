/* natgrad/connection.h: affine connections in any chart of a manifold: Amari's
 * alpha-connections of a family with Fisher metric g and cubic tensor C, the flat
 * connection of a frame, or the caller's own; their curvature, torsion and
 * non-metricity, and what these are made of.
 *
 * A connection is nabla_a V^c = d_a V^c + Gamma^c_ab V^b: the first lower index is
 * the direction. In coordinates x (1 x n):
 *
 *   Gamma_ab,c = 1/2 (d_a g_bc + d_b g_ac - d_c g_ab) - alpha/2 C_abc  (Amari's),
 *   Gamma^c_ab = e_A^c d_a e^A_b                                       (of a frame e^A),
 *   R^a_bcd = d_c Gamma^a_db - d_d Gamma^a_cb + Gamma^a_cm Gamma^m_db - Gamma^a_dm Gamma^m_cb,
 *   T_cab = g_cd (Gamma^d_ab - Gamma^d_ba),      Q_cab = nabla_c g_ab.
 *
 * Of Amari's, with C_abc = E[l_a l_b l_c] (l: the score): T = 0, Q = alpha C, alpha = 0
 * is Levi-Civita's. An exponential family is flat at alpha = +-1, in any chart, and
 * has R = (1 - alpha^2) R(0). Of a frame's: R = 0, and Q = 0 under the metric
 * in which e is orthonormal. natgrad/curvature.h has the formulas of exponential
 * families in natural coordinates, without derivatives of g.
 *
 * Tensors of rank 3 are n x n^2 views: row c, column a n + b. All numbers are NG_F64 (else
 * NG_EDTYPE), n >= 1. Metrics are positive definite (else NG_ESINGULAR). Wrong
 * shapes are NG_ESHAPE, NaN and infinities NG_ENONFINITE, NULL where something is
 * needed NG_EARG, failing allocations NG_ENOMEM. Outputs are written only by
 * calls that succeed, and may be inputs too.
 *
 * Derivatives are central differences of order 8 with the steps h_i of `step`
 * (1 x n, > 0 and felt by x, else NG_EARG): fields are asked for at x +- k h_i, k = 1 ... 4.
 * h_i = 0.005 / sqrt(g_ii), a share of a standard unit, gives about 1e-12 of the field in first and
 * 1e-10 in second derivatives where a field changes over such units.
 * Sources: Amari and Nagaoka, Methods of Information Geometry (2000), 3.1; Hehl,
 * McCrea, Mielke and Ne'eman, Phys. Rep. 258 (1995), appendix B (the irreducible parts). */
#ifndef NATGRAD_CONNECTION_H
#define NATGRAD_CONNECTION_H

#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A field of tensors: fills `tensor` (dense, its shape the field's; symmetric ones
 * whole) with its value at x (1 x n). An error is passed on. */
typedef ng_status (*ng_tensor_fill)(void *data, ng_mat tensor, ng_mat x, ng_error *error);

/* What ng_connection_alpha takes as data. */
typedef struct {
    ng_tensor_fill metric; /* g, n x n */
    ng_tensor_fill cubic;  /* (optional) C, n x n^2; NULL: 0 */
    void *data;            /* of both */
    ng_mat step;
    double amari_alpha; /* finite */
} ng_alpha_connection;

/* What ng_connection_frame takes as data: e^A_i in row A, column i, n x n. */
typedef struct {
    ng_tensor_fill frame;
    void *data;
    ng_mat step;
} ng_frame_connection;

/* gamma (n x n^2) <- Gamma^c_ab at x. Both are ng_tensor_fill; data is a
 * const ng_alpha_connection * or a const ng_frame_connection *. */
NG_API ng_status ng_connection_alpha(void *data, ng_mat gamma, ng_mat x, ng_error *error);
NG_API ng_status ng_connection_frame(void *data, ng_mat gamma, ng_mat x, ng_error *error);

/* riemann (n^2 x n^2) <- R^a_bcd of a connection at x, row a n + b, column c n + d: no
 * index is lowered. 8 n + 1 values of the connection; memory 8 n^4 bytes and more. */
NG_API ng_status ng_connection_curvature(ng_mat riemann, ng_mat x, ng_mat step,
                                         ng_tensor_fill connection, void *data, ng_error *error);

/* torsion (n x n^2) <- T_cab, from Gamma and g (n x n) at one point. */
NG_API ng_status ng_connection_torsion(ng_mat torsion, ng_mat gamma, ng_mat g, ng_error *error);

/* q (n x n^2) <- Q_cab = nabla_c g_ab, from Gamma at x and the metric around it. */
NG_API ng_status ng_connection_nonmetricity(ng_mat q, ng_mat gamma, ng_mat x, ng_mat step,
                                            ng_tensor_fill metric, void *data, ng_error *error);

/* First and second trace of a tensor t_cab (1 x n each; one that is ng_mat_none() is left out):
 * first_c = g^ab t_cab, second_b = g^ca t_cab. */
NG_API ng_status ng_connection_traces(ng_mat first, ng_mat second, ng_mat t, ng_mat g,
                                      ng_error *error);

/* *product <- s_cab t^cab. */
NG_API ng_status ng_connection_product(double *product, ng_mat s, ng_mat t, ng_mat g,
                                       ng_error *error);

/* The irreducible parts of a torsion, antisymmetric in a and b: orthogonal under
 * ng_connection_product, they add up to it. Parts that are ng_mat_none() are left out. With
 * v_b = T^a_ab:
 *
 *   trace   (g_ca v_b - g_cb v_a) / (n - 1)          n components
 *   axial   T_[cab]                                  n (n-1) (n-2) / 6
 *   tensor  the rest                                 n (n^2 - 4) / 3  (n >= 2) */
typedef struct {
    ng_mat trace, axial, tensor;
} ng_torsion_parts;

NG_API ng_status ng_connection_split_torsion(const ng_torsion_parts *parts, ng_mat torsion,
                                             ng_mat g, ng_error *error);

/* The same of a non-metricity, symmetric in a and b. With P_c and L_b its first and second
 * trace, M = L - P/n:
 *
 *   weyl       P_c g_ab / n                                                    n components
 *   trace      [n (g_ca M_b + g_cb M_a) - 2 g_ab M_c] / ((n - 1) (n + 2))      n
 *   symmetric  the totally symmetric rest, traceless                           n (n+4) (n-1) / 6
 *   mixed      the rest                                                        n (n^2 - 4) / 3
 *
 * (conom, vecnom, trinom and binom of Hehl et al.) */
typedef struct {
    ng_mat weyl, trace, symmetric, mixed;
} ng_nonmetricity_parts;

NG_API ng_status ng_connection_split_nonmetricity(const ng_nonmetricity_parts *parts, ng_mat q,
                                                  ng_mat g, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
