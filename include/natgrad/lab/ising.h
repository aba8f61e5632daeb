/* natgrad/lab/ising.h: Fisher curvature of lattice models with one coupling a
 * bond, and the 2-D Ising model by free fermions.
 *
 * The lattice is the periodic hypercube of L^d sites. Bond (x, alpha) joins x
 * and x + e_alpha and has a parameter theta of its own: p(s) ~ exp(sum theta_a
 * T_a), an exponential family of n = d L^d parameters, looked at where all of
 * them are equal. There F_ab = Cov(T_a, T_b) and kappa_abc, the third joint
 * cumulant, are invariant under translations and reflections.
 *
 * Sites are numbered row-major, x = (x_0 L + x_1) L + x_2, directions 0 ... d - 1.
 * Signs of curvature: spheres are positive (natgrad/curvature.h).
 *
 * Source: Zhuravlev, "Fisher curvature scaling at critical points",
 * arXiv:2603.07651 (2026). */
#ifndef NATGRAD_LAB_ISING_H
#define NATGRAD_LAB_ISING_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ln(1 + sqrt 2)/2, where the square lattice is critical. */
#define NG_ISING_CRITICAL 0.44068679350977147

/* Cumulants relative to the bonds at the origin, averaged over translations
 * and reflections where they were measured. Whoever fills them sees to it. */
typedef struct {
    size_t dim;     /* d: 2 or 3 */
    size_t length;  /* L >= 3 */
    double mean;    /* <T> */
    double *second; /* [alpha][beta][x]: Cov of bonds (0, alpha), (x, beta) */
    double *third;  /* [alpha][beta][gamma][x][y]: of (0, alpha), (x, beta), (y, gamma); or NULL */
} ng_cumulants;

/* Both arrays, zero. third = 0 leaves the big one out (NULL). dim 2 or 3 and
 * length >= 3 (else NG_EARG); NG_ENOMEM names the bytes, 8 d^2 L^d + 8 d^3 L^2d.
 * On an error *c is all zero. */
NG_API ng_status ng_cumulants_create(ng_cumulants *c, size_t dim, size_t length, int third,
                                     ng_error *error);

/* Frees the arrays and clears *c. NULL and a cleared one are fine. */
NG_API void ng_cumulants_destroy(ng_cumulants *c);

/* R = (|kappa|^2 - |tr kappa|^2)/4, indices raised by F^-1. */
typedef struct {
    double curvature; /* R */
    double square;    /* |kappa|^2 */
    double trace;     /* |tr kappa|^2 */
} ng_lattice_curvature;

/* Scalar curvature from the cumulants, by Fourier transform over both
 * displacements, where F is block-diagonal, d x d a wave vector:
 * O(L^2d (L + d^4)) operations. NG_ESINGULAR when F is not positive definite
 * (too few samples), NG_ENONFINITE. */
NG_API ng_status ng_cumulants_curvature(ng_lattice_curvature *result, const ng_cumulants *c,
                                        ng_error *error);

/* Third cumulants of one bond position x: planes[alpha][beta][gamma][y] =
 * kappa_alpha_beta_gamma(0, x, y), d^3 L^d numbers, row-major. */
typedef ng_status (*ng_cumulant_planes)(void *data, double *planes, size_t x, ng_error *error);

/* The same without c->third: `planes` is called once for each x in order, and
 * its error is returned as it is. */
NG_API ng_status ng_cumulants_curvature_from(ng_lattice_curvature *result, const ng_cumulants *c,
                                             ng_cumulant_planes planes, void *data,
                                             ng_error *error);

/* Bytes these two allocate (beside c): about 16 d^3 L^d (L/2 + 1)^d, which is
 * 32 L^4 to 80 L^4 in two dimensions (reflections leave a quarter of the wave
 * vectors). SIZE_MAX when it does not fit. */
NG_API size_t ng_cumulants_curvature_memory(size_t dim, size_t length);

/* ---- The 2-D Ising model on the torus, exactly ----------------------------
 *
 * T_a = s_i s_j, one coupling J on every bond, 0 <= J <= 2 (NG_EARG). By free
 * fermions: four sectors of boundary conditions, exact at the critical coupling
 * too, where the periodic sector has zero modes. O(L^4): milliseconds at
 * L = 10, seconds at L = 64. Rounding leaves a relative error of 1e-12 or so in
 * R up to J = 0.6; deep in order 1 - <T>^2 ~ e^-8J cancels, so that some
 * 1e-16 e^8J must be expected. */

/* R of the L x L torus, length >= 3 (NG_EARG). memory: refuse with NG_ENOMEM,
 * before any work, when more bytes are needed; 0: no limit. */
NG_API ng_status ng_ising_fermion(ng_lattice_curvature *result, size_t length, double coupling,
                                  size_t memory, ng_error *error);

/* Bytes that needs: about 34 L^4 at large L. SIZE_MAX when it does not fit. */
NG_API size_t ng_ising_fermion_memory(size_t length);

/* Fills c->mean, c->second and, unless NULL, c->third of a *c made by
 * ng_cumulants_create with dim = 2 (else NG_EARG). NG_ENOMEM. */
NG_API ng_status ng_ising_fermion_cumulants(ng_cumulants *c, double coupling, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
