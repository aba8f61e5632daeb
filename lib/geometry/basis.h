/* The eigenbasis of a regime, formed or not: between vectors and coefficients. */
#ifndef NGI_GEOMETRY_BASIS_H
#define NGI_GEOMETRY_BASIS_H

#include <natgrad/regime.h>

#include "lib/core/memory.h"

/* c (k x n) <- coefficients of the rows of v (k x n) in ascending order of the
 * eigenvalues; v (k x n) <- the other way. Both dense NG_F64; pool: scratch. */
ng_status ngi_coefficients(const ng_regime *r, ng_mat c, ng_mat v, ngi_pool *pool, ng_error *error);
ng_status ngi_vectors(const ng_regime *r, ng_mat v, ng_mat c, ngi_pool *pool, ng_error *error);

/* y <- V^T diag(weights) V x for the rows of x (k x n, finite), V the rows of
 * directions, weights n numbers. Checks y and x. */
ng_status ngi_act(const ng_regime *r, ng_mat y, ng_mat x, const double *weights, ngi_pool *pool,
                  ng_error *error);

/* dense (n x n, both triangles) <- V^T diag(weights) V. Checks dense. */
ng_status ngi_compose(const ng_regime *r, ng_mat dense, const double *weights, ngi_pool *pool,
                      ng_error *error);

#endif
