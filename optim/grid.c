/* The grid: metrics and balls by number. Their names are in steepest_options.c. */
#include "optim/ball.h"
#include "optim/metric.h"

static const ngi_metric *const metrics[] = {
    [NG_METRIC_IDENTITY] = &ngi_metric_identity, [NG_METRIC_FISMO] = &ngi_metric_fismo,
    [NG_METRIC_KFAC] = &ngi_metric_kfac,         [NG_METRIC_EKFAC] = &ngi_metric_ekfac,
    [NG_METRIC_SHAMPOO] = &ngi_metric_shampoo,   [NG_METRIC_SOAP] = &ngi_metric_soap,
    [NG_METRIC_TYPE2] = &ngi_metric_type2,
};

const ngi_metric *ngi_metric_find(ng_metric metric)
{
    return metrics[metric];
}

static const ngi_ball *const balls[] = {
    [NG_BALL_NONE] = &ngi_ball_none,
    [NG_BALL_FROBENIUS] = &ngi_ball_frobenius,
    [NG_BALL_SPECTRAL] = &ngi_ball_spectral,
};

const ngi_ball *ngi_ball_find(ng_ball ball)
{
    return balls[ball];
}
