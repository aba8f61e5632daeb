/* Intrinsic dimension from a score, and fields that add to it without a trace. */
#ifndef EXAMPLES_DIMENSION_H
#define EXAMPLES_DIMENSION_H

#include "examples/support/paper.h"

enum { WIDEST = 6 };

/* values <- the eigenvalues, ascending, of -sigma^2 J for the row of a view of d x d matrices, of
 * which the symmetric part counts: near 0 along the data, near 1 across. Returns how many are below
 * 1/2. */
size_t along(double values[WIDEST], ng_mat jacobians, size_t row, size_t d, double sigma);

/* The points of a circle as so many point masses. */
ng_mixture *circle(size_t points);

/* stages of gauge.c */
void check_gauge(paper *p);
void check_guided_mean(paper *p);
void check_split(paper *p);
void check_net(paper *p);

#endif
