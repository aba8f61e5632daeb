/* Paths p_t(x | x1) = N(a_t x1, m_t^2 I) and their kinetic energy. */
#ifndef EXAMPLES_KINETIC_H
#define EXAMPLES_KINETIC_H

#include "examples/support/paper.h"

/* How separate data are: lambda(s) = E |E[x1 | x]|^2 / d at x = x1 + z/s, as 1 - lambda and its
 * derivative by s. */
typedef double separation(void *data, double s, double *slope);

/* The points +-1 on the line, by quadrature. */
double two_points(void *data, double s, double *slope);

/* The optimal path for that separation. With (a, m) = r (sin theta, cos theta) the energy is
 * INT r'^2 + r^2 gamma theta'^2 dt, flat in r and phi = INT sqrt(gamma) d theta: a straight chord.
 */
enum { ANGLES = 4001 };

typedef struct {
    separation *apart;
    void *data;
    double theta[ANGLES], phi[ANGLES];
    double total; /* Phi */
} optimum;

void optimum_find(optimum *o, separation *apart, void *data);

/* gamma(theta) = 1 - (1 - lambda(tan theta)) / cos^2 theta >= 0 */
double gamma_at(separation *apart, void *data, double theta, double *slope);

typedef struct {
    double a, m, a_rate, m_rate;
} moment;

/* A path: `data` is the optimum's, or NULL. */
typedef moment path(const optimum *o, double t);
path path_optimal, path_conditional, path_trigonometric;

/* INT m'^2 + a'^2 - (a' - a m'/m)^2 (1 - lambda(a/m)) dt */
double energy(path *p, const optimum *o);

/* stages of board.c */
void board_prepare(paper *p);
void board_sample(paper *p);

#endif
