/* ng_polar: checks, scaling, the choice of a route, the error estimate. */
#include "lib/linalg/polar/routes.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/linalg/check.h"
#include "lib/linalg/unit.h"

typedef struct {
    ngi_polar_route *run;
    ngi_polar_route_work *work;
} route;

/* By ng_polar_route. */
static const route routes[] = {
    [NG_ROUTE_SVD] = {ngi_polar_svd, ngi_polar_svd_work},
    [NG_ROUTE_GRAM] = {ngi_polar_gram, ngi_polar_gram_work},
    [NG_ROUTE_GRAM_FAST] = {ngi_polar_gram_fast, ngi_polar_gram_fast_work},
    [NG_ROUTE_NEWTON_SCHULZ] = {ngi_polar_newton_schulz, ngi_polar_newton_schulz_work},
    [NG_ROUTE_GRAM_NEWTON_SCHULZ] = {ngi_polar_gram_newton_schulz,
                                     ngi_polar_gram_newton_schulz_work},
    [NG_ROUTE_GRAM_EXPRESS] = {ngi_polar_gram_express, ngi_polar_gram_express_work},
    [NG_ROUTE_DWH] = {ngi_polar_dwh, ngi_polar_dwh_work},
};

enum {
    KAPPA_OF_GRAM = 100, /* the f64 Gram form loses 3 eps kappa^2 */
    GRAM_ASPECT = 2,     /* from here on two products with X cost less than ten */
    EXPRESS_LEAST = 32,  /* where a dozen products cost less than an eigendecomposition: */
    EXPRESS_MOST = 96    /* 0.6 of it at 64 rows */
};

static ng_polar_route choose(size_t m, size_t n, ng_dtype dtype, const ng_polar_options *options)
{
    size_t small = ngi_smaller(m, n), large = m + n - small;
    if (options->route != NG_ROUTE_AUTO && (unsigned)options->route <= NG_ROUTE_DWH)
        return options->route; /* ng_polar_work takes what ng_polar would refuse */
    if (options->accuracy == NG_POLAR_FAST)
        return small >= EXPRESS_LEAST && small <= EXPRESS_MOST ? NG_ROUTE_GRAM_EXPRESS
                                                               : NG_ROUTE_GRAM_FAST;
    if (options->accuracy == NG_POLAR_NEWTON_SCHULZ)
        return large / GRAM_ASPECT >= small ? NG_ROUTE_GRAM_NEWTON_SCHULZ : NG_ROUTE_NEWTON_SCHULZ;
    int bounded = options->kappa_max > 0 && options->kappa_max <= KAPPA_OF_GRAM;
    return dtype == NG_F32 || bounded ? NG_ROUTE_GRAM : NG_ROUTE_SVD;
}

double ngi_polar_threshold(size_t m, size_t n, ng_dtype dtype)
{
    return ng_dtype_eps(dtype) * sqrt((double)(m > n ? m : n));
}

void ng_polar_init(ng_polar_options *options)
{
    ng_polar_options defaults = {.size = sizeof defaults, .lower_bound = 1e-3};
    *options = defaults;
}

/* ---- How orthogonal the result is -------------------------------------- */

static size_t error_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    return ngi_size_add(ng_work_mat_size(k, k, dtype), ng_work_mat_size(m, n, dtype));
}

static ng_status orthogonality(double *result, ng_mat u, size_t rank, ng_work *work,
                               ng_error *error)
{
    size_t k = ngi_smaller(u.rows, u.cols), mark = work->used;
    ng_side side = ngi_polar_side(u.rows, u.cols);
    ng_mat gram_of_u, rest;
    ng_status status = ng_work_mat(work, &gram_of_u, k, k, u.dtype, error);
    if (status == NG_OK)
        status = ng_syrk(gram_of_u, u, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, 0, error);
    if (status == NG_OK && rank == k) {
        ng_mirror(gram_of_u);
        ng_add_diagonal(gram_of_u, -1);
        *result = ng_norm(gram_of_u) / sqrt((double)k);
    } else if (status == NG_OK) {
        status = ng_work_mat(work, &rest, u.rows, u.cols, u.dtype, error);
        if (status == NG_OK) {
            ng_copy(rest, u, NULL);
            status = ng_symm(rest, side, gram_of_u, u, 1, -1, error);
            *result = rank == 0 ? 0 : ng_norm(rest) / sqrt((double)rank);
        }
    }
    work->used = mark;
    return status;
}

/* ---- The front ----------------------------------------------------------- */

/* The route and what takes its place when it does not converge; ends with AUTO. */
static const ng_polar_route *ladder(ng_polar_route first)
{
    static const ng_polar_route ladders[][5] = {
        [NG_ROUTE_SVD] = {NG_ROUTE_SVD, NG_ROUTE_AUTO},
        [NG_ROUTE_GRAM] = {NG_ROUTE_GRAM, NG_ROUTE_DWH, NG_ROUTE_SVD, NG_ROUTE_AUTO},
        [NG_ROUTE_GRAM_FAST] = {NG_ROUTE_GRAM_FAST, NG_ROUTE_DWH, NG_ROUTE_SVD, NG_ROUTE_AUTO},
        [NG_ROUTE_NEWTON_SCHULZ] = {NG_ROUTE_NEWTON_SCHULZ, NG_ROUTE_AUTO},
        [NG_ROUTE_GRAM_NEWTON_SCHULZ] = {NG_ROUTE_GRAM_NEWTON_SCHULZ, NG_ROUTE_AUTO},
        [NG_ROUTE_GRAM_EXPRESS] = {NG_ROUTE_GRAM_EXPRESS, NG_ROUTE_GRAM_FAST, NG_ROUTE_DWH,
                                   NG_ROUTE_SVD, NG_ROUTE_AUTO},
        [NG_ROUTE_DWH] = {NG_ROUTE_DWH, NG_ROUTE_SVD, NG_ROUTE_AUTO},
    };
    return ladders[first];
}

size_t ng_polar_work(size_t m, size_t n, ng_dtype dtype, const ng_polar_options *options)
{
    ng_polar_options defaults;
    ng_polar_init(&defaults);
    ng_polar_route chosen = choose(m, n, dtype, options != NULL ? options : &defaults);
    size_t bytes = error_work(m, n, dtype);
    for (const ng_polar_route *r = ladder(chosen); *r != NG_ROUTE_AUTO; r++) {
        size_t of_route = routes[*r].work(m, n, dtype);
        bytes = of_route > bytes ? of_route : bytes;
    }
    return ngi_size_add(ng_work_mat_size(m, n, dtype), bytes);
}

/* x, not zero, into a scratch copy scaled by a power of two, so that no square
 * over- or underflows and X -> 2^k X changes no bit of U */
static ng_status scaled_copy(ng_mat *copy, double *unit, ng_mat x, double max, ng_work *work,
                             ng_error *error)
{
    ng_status status = ng_work_mat(work, copy, x.rows, x.cols, x.dtype, error);
    if (status != NG_OK)
        return status;
    *unit = ngi_scale_to_unit(*copy, x, max);
    return NG_OK;
}

static ng_status run(ng_mat u, ng_polar_info *info, ng_mat x, double max,
                     const ng_polar_options *options, int estimate, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_mat scaled;
    double unit = 1;
    ng_status status = scaled_copy(&scaled, &unit, x, max, work, error);
    const ng_polar_route *r = ladder(choose(x.rows, x.cols, x.dtype, options));
    for (int tried = 0; *r != NG_ROUTE_AUTO && (tried ? status == NG_ENOCONV : status == NG_OK);
         r++, tried = 1)
        status = routes[*r].run(u, info, scaled, unit, options, work, error);
    work->used = mark;
    if (status == NG_OK && estimate)
        status = orthogonality(&info->orthogonality_error, u, info->rank, work, error);
    return status;
}

/* All fields, read by the route or not; but 0 for a bound that nobody asks for is fine. */
static ng_status check_options(const ng_polar_options *o, ng_error *error)
{
    int bounded = o->iteration == NG_ITERATION_POLAR_EXPRESS;
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "polar options: size %zu, expected %zu", o->size,
                            sizeof *o);
    if ((unsigned)o->accuracy > NG_POLAR_NEWTON_SCHULZ || !(o->kappa_max >= 0))
        return ng_error_set(error, NG_EOPTION, "polar options: accuracy %d, kappa_max %g",
                            (int)o->accuracy, o->kappa_max);
    if ((unsigned)o->iteration > NG_ITERATION_FIVE_STEP || o->steps < 0 ||
        o->steps > NGI_POLAR_MAX_STEPS)
        return ng_error_set(error, NG_EOPTION, "polar options: iteration %d, steps %d",
                            (int)o->iteration, o->steps);
    if (bounded && !(o->lower_bound > 0 && o->lower_bound < 1))
        return ng_error_set(error, NG_EOPTION, "polar options: lower_bound %g", o->lower_bound);
    if ((unsigned)o->route > NG_ROUTE_DWH)
        return ng_error_set(error, NG_EOPTION, "polar options: route %d", (int)o->route);
    return NG_OK;
}

static ng_status check(ng_mat u, ng_mat x, const ng_polar_options *options, double max,
                       ng_error *error)
{
    ng_status status = ngi_check_blas(x, "x", x.rows, x.cols, x.dtype, error);
    if (status == NG_OK)
        status = ngi_check_blas(u, "u", x.rows, x.cols, x.dtype, error);
    if (status == NG_OK)
        status = check_options(options, error);
    if (status == NG_OK && !isfinite(max))
        status = ng_error_set(error, NG_ENONFINITE, "polar factor: x holds NaN or infinity");
    return status;
}

ng_status ng_polar(ng_mat u, ng_polar_info *info, ng_mat x, const ng_polar_options *options,
                   ng_work *work, ng_error *error)
{
    ng_polar_options defaults;
    ng_polar_info result = {"zero", 0, 0, 1};
    ng_work own = ng_work_on(NULL, 0);
    ng_polar_init(&defaults);
    if (options == NULL)
        options = &defaults;
    ng_status status = ng_mat_check(x, "x", error);
    double max = status == NG_OK ? ng_max_abs(x) : 0;
    if (status == NG_OK)
        status = check(u, x, options, max, error);
    if (status == NG_OK && max == 0)
        ng_fill(u, 0);
    if (status == NG_OK && max > 0) {
        if (work == NULL)
            status =
                ng_work_create(work = &own, ng_polar_work(x.rows, x.cols, x.dtype, options), error);
        if (status == NG_OK)
            status = run(u, &result, x, max, options, info != NULL, work, error);
        ng_work_destroy(&own);
    }
    if (status == NG_OK && info != NULL)
        *info = result;
    return status;
}
