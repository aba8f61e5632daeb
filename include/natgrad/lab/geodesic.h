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
 * row-major, symmetric). An error, as outside the domain, ends the geodesic.
 * Any metric g goes with amari_alpha = 0: f = g and, symmetric in the last two
 * indices, third_cab = d_a g_cb + d_b g_ca - d_c g_ab. */
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

/* velocity (1 x n) <- the one at `from` (1 x n) of a geodesic that is at `to` (1 x n) after time 1,
 * so that with amari_alpha = 0 its length there is the distance: shooting, by Newton's iteration
 * with differences and steps that are halved until they bring the end nearer. It begins from the
 * velocity there is on entry, and from to - from where that is zero; where several geodesics connect, that
 * decides. Ends when the end is within 10 tolerance (1 + |to|). tolerance 1e-12 to 1e-3 (NG_EARG).
 * NG_ENOCONV, NG_ENOMEM; otherwise as ng_geodesic_move at `from`: that the way leaves the family
 * later counts as an end far away. velocity
 * changes only on success. */
NG_API ng_status ng_geodesic_connect(ng_mat velocity, ng_mat from, ng_mat to, double amari_alpha,
                                     double tolerance, ng_family_at family, void *data,
                                     ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
