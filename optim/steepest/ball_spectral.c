/* Spectral ball: Y = Polar(X). With polar = fast the polar factor comes from
 * the Gram matrix, so Y = K X with K = (X X^T)^(-1/2), a sum of shifted inverses. */
#include "optim/steepest/ball.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/polar/fractions.h"

#define OWNER(field) spectral.field
#include "optim/steepest/table.h"

static double step_size(double outputs, double inputs, const ng_steepest_options *o)
{
    switch (o->spectral.shape_scale) {
    case NG_SHAPE_SCALE_ORIGINAL:
        return o->lr * sqrt(fmax(1, outputs / inputs));
    case NG_SHAPE_SCALE_MATCH_RMS_ADAMW:
        return o->lr * 0.2 * sqrt(fmax(outputs, inputs));
    case NG_SHAPE_SCALE_NONE:
        break;
    }
    return o->lr;
}

static ng_polar_options polar_options(const ng_steepest_options *o)
{
    ng_polar_options polar;
    ng_polar_init(&polar);
    polar.accuracy = o->spectral.polar;
    return polar;
}

static size_t work_size(size_t m, size_t n, ng_dtype dtype, const ng_steepest_options *o)
{
    ng_polar_options polar = polar_options(o);
    return ng_polar_work(m, n, dtype, &polar);
}

static ng_status project(ng_mat y, ngi_report *report, ng_mat x, ng_side outputs,
                         const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    ng_polar_options polar = polar_options(o);
    (void)outputs;
    return ng_polar(y, report->wanted ? &report->polar : NULL, x, &polar, work, error);
}

static int has_multiplier(const ng_steepest_options *o)
{
    return o->spectral.polar == NG_POLAR_FAST;
}

static size_t multiplier_work(size_t n, ng_dtype dtype)
{
    size_t root = ngi_inverse_root_work(n, dtype), info = ngi_inverse_root_info_work(n, dtype);
    return root > info ? root : info;
}

static ng_status multiplier(ng_mat k, ngi_report *report, ng_mat a, ng_mat p, double bound,
                            const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    (void)o;
    report->polar.route = "fused";
    TRY(ngi_inverse_root(k, a, p, bound, work, error));
    return report->wanted ? ngi_inverse_root_info(&report->polar, k, a, p, work, error) : NG_OK;
}

static const char *const shape_scales[] = {"none", "original", "match_rms_adamw", NULL};
static const char *const polars[] = {"exact", "fast", "newton_schulz", NULL};

static const ng_option table[] = {
    CHOICE(shape_scale, NG_SHAPE_SCALE_NONE, shape_scales, 0,
           "factor on the step by the layer's shape"),
    CHOICE(polar, NG_POLAR_EXACT, polars, 0, "how the polar factor is found"),
    {.name = NULL},
};

const ngi_ball ngi_ball_spectral = {
    .name = "spectral",
    .options = table,
    .unit = 1,
    .step_size = step_size,
    .work = work_size,
    .project = project,
    .multiplier = multiplier,
    .multiplier_work = multiplier_work,
    .has_multiplier = has_multiplier,
};
