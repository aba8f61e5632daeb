/* The ways to a polar factor. Each takes x scaled by a power of two so that
 * its largest element lies in [1/2, 1), not zero, finite; writes u, of x's
 * shape and dtype; fills route, rank and condition of info. `unit` is that
 * power of two: the caller's matrix is unit * x. A route that fails may leave
 * scratch taken.
 *
 * `side` of a matrix: NG_LEFT when it is wide or square (Gram matrix X X^T,
 * U = K X), NG_RIGHT when it is tall (X^T X, U = X K). */
#ifndef NGI_POLAR_ROUTES_H
#define NGI_POLAR_ROUTES_H

#include <math.h>

#include <natgrad/linalg.h>
#include <natgrad/polar.h>

typedef ng_status ngi_polar_route(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                                  const ng_polar_options *options, ng_work *work, ng_error *error);
typedef size_t ngi_polar_route_work(size_t m, size_t n, ng_dtype dtype);

ngi_polar_route ngi_polar_svd;           /* gesdd, gesvd */
ngi_polar_route ngi_polar_gram;          /* f64 Gram matrix whatever the dtype, hard rank rule */
ngi_polar_route ngi_polar_gram_fast;     /* Gram matrix in the dtype, soft floor */
ngi_polar_route ngi_polar_newton_schulz; /* odd quintics on X */
ngi_polar_route ngi_polar_gram_newton_schulz; /* the same on the Gram matrix, with restarts */
ngi_polar_route ngi_polar_gram_fractions;     /* shifted inverses of the Gram matrix, soft floor */
ngi_polar_route ngi_polar_dwh; /* f64 Gram matrix, rational iteration, no eigen-solver */

ngi_polar_route_work ngi_polar_svd_work;
ngi_polar_route_work ngi_polar_gram_work;
ngi_polar_route_work ngi_polar_gram_fast_work;
ngi_polar_route_work ngi_polar_newton_schulz_work;
ngi_polar_route_work ngi_polar_gram_newton_schulz_work;
ngi_polar_route_work ngi_polar_gram_fractions_work;
ngi_polar_route_work ngi_polar_dwh_work;

static inline ng_side ngi_polar_side(size_t m, size_t n)
{
    return m <= n ? NG_LEFT : NG_RIGHT;
}

static inline size_t ngi_smaller(size_t m, size_t n)
{
    return m < n ? m : n;
}

/* gram (lower triangle) <- X X^T or X^T X, whichever is smaller */
static inline ng_status ngi_polar_gram_matrix(ng_mat gram, ng_mat x, ng_error *error)
{
    ng_side side = ngi_polar_side(x.rows, x.cols);
    return ng_syrk(gram, x, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, 0, error);
}

/* Steps an iteration makes when not told: 5 or 8. */
int ngi_polar_steps(const ng_polar_options *options);
enum { NGI_POLAR_MAX_STEPS = 32 };

/* tau / s_1 of natgrad/polar.h */
static inline double ngi_polar_threshold(size_t m, size_t n, ng_dtype dtype)
{
    return ng_dtype_eps(dtype) * sqrt((double)(m > n ? m : n));
}

#endif
