/* Fisher matrices whose geometry is known otherwise. Everything returned is
 * dense NG_F64 on dense.h's list. */
#ifndef NG_TEST_GEOMETRY_WORLDS_H
#define NG_TEST_GEOMETRY_WORLDS_H

#include "tests/support/dense.h"

#include <natgrad.h>

/* F of p(x) ~ exp(J sum over edges of x_i x_j), x_i = +-1, one parameter an
 * edge: the covariance of the products, by enumeration of all spins. */
typedef enum { PATH, STAR, CYCLE, COMPLETE } world_graph;
ng_mat world_ising(world_graph graph, int vertices, double coupling);

/* V^T diag(values) V with random orthonormal V. */
ng_mat world_spd(const double *values, size_t n, test_rng *rng);

/* n values, ascending, from 1 to cond, times unit; log-uniform between. */
void world_spectrum(double *values, size_t n, double cond, double unit, test_rng *rng);

/* The same matrix as a view of that dtype with rows pad elements further apart
 * and rubbish (not NaN) in its upper triangle; test_free it. */
ng_mat world_lower(ng_mat a, ng_dtype dtype, size_t pad);

#endif
