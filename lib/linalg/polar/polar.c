/* ng_polar: checks, scaling, the choice of a route, the error estimate. */
#include "lib/linalg/polar/routes.h"

#include <math.h>

#include "lib/core/scratch.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
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
    [NG_ROUTE_DWH] = {ngi_polar_dwh, ngi_polar_dwh_work},
    [NG_ROUTE_GRAM_FRACTIONS] = {ngi_polar_gram_fractions, ngi_polar_gram_fractions_work},
};

enum {
    KAPPA_OF_GRAM = 100, /* the f64 Gram form loses 3 eps kappa^2 */
    GRAM_ASPECT = 2      /* from here on two products with X cost less than ten */
};

static ng_polar_route choose(size_t m, size_t n, ng_dtype dtype, const ng_polar_options *options)
{
    size_t small = ngi_smaller(m, n), large = m + n - small;
    if (options->route != NG_ROUTE_AUTO && (unsigned)options->route <= NG_ROUTE_GRAM_FRACTIONS)
        return options->route; /* ng_polar_work takes what ng_polar would refuse */
    if (options->accuracy == NG_POLAR_FAST)
        return NG_ROUTE_GRAM_FRACTIONS;
    if (options->accuracy == NG_POLAR_NEWTON_SCHULZ)
        return large / GRAM_ASPECT >= small ? NG_ROUTE_GRAM_NEWTON_SCHULZ : NG_ROUTE_NEWTON_SCHULZ;
    int bounded = options->kappa_max > 0 && options->kappa_max <= KAPPA_OF_GRAM;
    return dtype == NG_F32 || bounded ? NG_ROUTE_GRAM : NG_ROUTE_SVD;
}

ng_status ng_polar_init_sized(ng_polar_options *options, size_t size)
{
    const ng_polar_options defaults = {.size = sizeof defaults, .lower_bound = 1e-3};
    if (options == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
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
    TRY(ng_work_mat(work, &gram_of_u, k, k, u.dtype, error));
    TRY(ng_syrk(gram_of_u, u, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, 0, error));
    if (rank == k) {
        ng_mirror(gram_of_u);
        ng_add_diagonal(gram_of_u, -1);
        *result = ng_norm(gram_of_u) / sqrt((double)k);
    } else {
        TRY(ng_work_mat(work, &rest, u.rows, u.cols, u.dtype, error));
        TRY(ng_copy(rest, u, error));
        TRY(ng_symm(rest, side, gram_of_u, u, 1, -1, error));
        *result = rank == 0 ? 0 : ng_norm(rest) / sqrt((double)rank);
    }
    work->used = mark;
    return NG_OK;
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
        [NG_ROUTE_DWH] = {NG_ROUTE_DWH, NG_ROUTE_SVD, NG_ROUTE_AUTO},
        [NG_ROUTE_GRAM_FRACTIONS] = {NG_ROUTE_GRAM_FRACTIONS, NG_ROUTE_GRAM_FAST, NG_ROUTE_DWH,
                                     NG_ROUTE_SVD, NG_ROUTE_AUTO},
    };
    return ladders[first];
}

size_t ng_polar_work(size_t m, size_t n, ng_dtype dtype, const ng_polar_options *options)
{
    ng_polar_options defaults;
    ng_polar_init(&defaults);
    ng_polar_route chosen = choose(m, n, dtype, options != NULL ? options : &defaults);
    size_t error = error_work(m, n, dtype), first = routes[chosen].work(m, n, dtype);
    return ngi_size_add(ng_work_mat_size(m, n, dtype), error > first ? error : first);
}

/* A rung that serves where the first did not converge: so seldom, and with so much scratch, that it
 * has its own. */
static ng_status run_alone(ng_polar_route rung, ng_mat u, ng_polar_info *info, ng_mat x,
                           double unit, const ng_polar_options *options, ng_error *error)
{
    ngi_scratch s;
    TRY(ngi_scratch_open(&s, NULL, routes[rung].work(x.rows, x.cols, x.dtype), error));
    return ngi_scratch_close(&s, routes[rung].run(u, info, x, unit, options, s.work, error));
}

/* By the first route of the ladder that converges. x, not zero, goes into a scratch copy scaled by
 * a power of two, so that no square over- or underflows and X -> 2^k X changes no bit of U. */
static ng_status run(ng_mat u, ng_polar_info *info, ng_mat x, double max,
                     const ng_polar_options *options, int estimate, ng_work *work, ng_error *error)
{
    size_t mark = work->used, rung;
    const ng_polar_route *r = ladder(choose(x.rows, x.cols, x.dtype, options));
    ng_mat scaled;
    double unit;
    TRY(ng_work_mat(work, &scaled, x.rows, x.cols, x.dtype, error));
    unit = ngi_scale_to_unit(scaled, x, max);
    rung = work->used;
    ng_status status = routes[*r].run(u, info, scaled, unit, options, work, error);
    work->used = rung;
    for (r++; *r != NG_ROUTE_AUTO && status == NG_ENOCONV; r++)
        status = run_alone(*r, u, info, scaled, unit, options, error);
    TRY(status);
    work->used = mark;
    if (!estimate)
        return NG_OK;
    if (info->rank == 0) /* the route does not know it */
        info->rank = (size_t)lround(ng_dot(u, u));
    return orthogonality(&info->orthogonality_error, u, info->rank, work, error);
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
    if ((unsigned)o->route > NG_ROUTE_GRAM_FRACTIONS)
        return ng_error_set(error, NG_EOPTION, "polar options: route %d", (int)o->route);
    return NG_OK;
}

static ng_status check(ng_mat u, ng_mat x, const ng_polar_options *options, double max,
                       ng_error *error)
{
    TRY(ngi_check_blas(x, "x", x.rows, x.cols, x.dtype, error));
    TRY(ngi_check_blas(u, "u", x.rows, x.cols, x.dtype, error));
    TRY(check_options(options, error));
    if (!isfinite(max))
        return ng_error_set(error, NG_ENONFINITE, "polar factor: x holds NaN or infinity");
    return NG_OK;
}

ng_status ng_polar(ng_mat u, ng_polar_info *info, ng_mat x, const ng_polar_options *options,
                   ng_work *work, ng_error *error)
{
    ng_polar_options defaults;
    ng_polar_info result = {"zero", 0, 0, 1};
    ngi_scratch s;
    ng_polar_init(&defaults);
    if (options == NULL)
        options = &defaults;
    TRY(ng_mat_check(x, "x", error));
    double max = ng_max_abs(x);
    TRY(check(u, x, options, max, error));
    if (max == 0)
        ng_fill(u, 0);
    else {
        TRY(ngi_scratch_open(&s, work, ng_polar_work(x.rows, x.cols, x.dtype, options), error));
        TRY(ngi_scratch_close(&s, run(u, &result, x, max, options, info != NULL, s.work, error)));
    }
    if (info != NULL)
        *info = result;
    return NG_OK;
}
