/* The Euclidean metric (natgrad/metric/identity.h): every map is its default. */
#include "lib/core/try.h"
#include "optim/steepest/metric.h"

static ng_status check(const ng_steepest_options *o, ng_error *error)
{
    if (o->kl_clip > 0)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: kl_clip needs a Fisher metric, the metric is identity");
    return NG_OK;
}

ng_status ng_steepest_init_muon_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->ball = NG_BALL_SPECTRAL;
    options->spectral.polar = NG_POLAR_FAST;
    options->spectral.shape_scale = NG_SHAPE_SCALE_ORIGINAL;
    options->nesterov = 1;
    options->lr = 0.005;
    return NG_OK;
}

ng_status ng_steepest_init_normuon_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_muon_sized(options, size));
    options->row_normalisation = 1;
    options->lr = 0.02;
    return NG_OK;
}

const ngi_metric ngi_metric_identity = {.name = "identity", .check = check};
