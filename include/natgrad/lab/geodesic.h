/* natgrad/lab/geodesic.h: geodesics of an exponential family in its natural
 * coordinates, for Levi-Civita's and Amari's connections:
 *   theta''^c = -Gamma^c_ab theta'^a theta'^b,  Gamma^c_ab = (1 - a)/2 F^cd kappa_abd
 * (natgrad/curvature.h has the conventions), by GSL's ordinary differential
 * equations (Runge and Kutta, Prince and Dormand, eighth order).
 *
 * GSL reports through a handler of the whole process, which is switched off
 * during the call and then restored: no other thread may change it meanwhile. */
#ifndef NATGRAD_LAB_GEODESIC_H
#define NATGRAD_LAB_GEODESIC_H

#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The family at theta (n numbers): fills f (n x n) and third (n^3 numbers,
 * row-major, symmetric). An error, as outside the domain, ends the geodesic. */
typedef ng_status (*ng_family_at)(void *data, ng_mat f, double *third, const double *theta,
                                  ng_error *error);

/* Moves theta (1 x n, NG_F64) and its velocity (1 x n) along the geodesic from
 * time 0 to `time` (>= 0). With amari_alpha = 0 the speed sqrt(F(v, v)) is
 * constant and time * speed the length. tolerance: of one step, absolute and
 * relative, 1e-14 to 0.1 (NG_EARG). NG_ENOCONV when steps become too small, or
 * after 100,000 of them; what the callback reports; NG_ENOMEM. theta and
 * velocity change only on success. */
NG_API ng_status ng_geodesic_move(ng_mat theta, ng_mat velocity, double time, double amari_alpha,
                             double tolerance, ng_family_at family, void *data, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
