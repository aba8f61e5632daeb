/* Spectral ball: Y = Polar(X). With polar = fast the polar factor comes from
 * the Gram matrix, so Y = K X with K = (X X^T)^(-1/2). */
#include "optim/steepest/ball.h"

#include "lib/linalg/polar/routes.h"

static ng_polar_options polar_options(const ng_steepest_options *o)
{
    ng_polar_options polar;
    ng_polar_init(&polar);
    polar.accuracy = o->polar;
    return polar;
}

static size_t work_size(size_t m, size_t n, ng_dtype dtype, const ng_steepest_options *o)
{
    ng_polar_options polar = polar_options(o);
    return ng_polar_work(m, n, dtype, &polar);
}

static ng_status project(ng_mat y, ngi_report *report, ng_mat x, const ng_steepest_options *o,
                         ng_work *work, ng_error *error)
{
    ng_polar_options polar = polar_options(o);
    return ng_polar(y, report->wanted ? &report->polar : NULL, x, &polar, work, error);
}

static int has_multiplier(const ng_steepest_options *o)
{
    return o->polar == NG_POLAR_FAST;
}

static ng_status half_multiplier(ng_mat half, ngi_report *report, ng_mat gram,
                                 const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    (void)o;
    report->polar.route = "fused";
    return ngi_polar_half_multiplier(half, &report->polar, gram, work, error);
}

const ngi_ball ngi_ball_spectral = {
    .work = work_size,
    .project = project,
    .half_multiplier = half_multiplier,
    .has_multiplier = has_multiplier,
};
