/* A mesh that follows a density: x = xi + grad phi(xi) with m(x) det(I + Hess phi) constant, the
 * equation of Monge and Ampere on the unit square. */
#ifndef EXAMPLES_MESH_H
#define EXAMPLES_MESH_H

#include "examples/support/collocation.h"
#include "examples/support/paper.h"
#include "examples/support/program.h"
#include "examples/support/progress.h"

/* ---- exact.c: m(x, y) = m_1(x) m_2(y), m_i = 1 + 4 exp(-30 (x - c_i)^2), c = 0.4, 0.6
 * ------------ */

double density_1(int axis, double x);       /* m_i */
double density_1_slope(int axis, double x); /* m_i' */
double density_mass(void);                  /* of the whole square */
double exact_map(int axis, double xi);      /* x with M_i(x) = xi M_i(1) */

/* r = m(x) det / mass - 1 at xi for the derivatives of phi (phi_x, phi_y, phi_xx, phi_xy, phi_yy),
 * and what it is made of: slope[q] = dr / d derivative q. */
double monge_ampere(double slope[5], const double *xi, const double derivative[5]);

/* ---- Stages -------------------------------------------------------------------------------------
 */

/* cosines.c: phi in K^2 - 1 cosines, by Gauss-Newton (M1), and the mesh it makes (M3). */
void cosines(paper *p);

/* nets.c: phi by a small net (M2). */
void nets(paper *p);

#endif
