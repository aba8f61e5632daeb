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

#ifdef __cplusplus
}
#endif
#endif
