/* The Type II metric (natgrad/metric/type2.h) of a layer's damped Fisher matrix
 * F = P (x) Q + d I from captured statistics: diagonal in the eigenbases of P and Q with
 * eigenvalues mu = (l + d)(l + d + beta), l the products of theirs.
 *
 * The diagonal holds mu in double: in float the squares would leave the range that
 * F itself keeps. */
#include "optim/steepest/statistics.h"

#include <float.h>
#include <math.h>

#include <natgrad/functional.h>

#include "lib/core/try.h"

#define OWNER(field) type2.field
#include "optim/steepest/table.h"

static ngi_rule rule(const ng_steepest_options *o)
{
    const ng_type2_options *own = &o->type2;
    return (ngi_rule){.metric_scale = own->metric_scale,
                      .factor_dtype = own->factor_dtype,
                      .factor_start = own->factor_start,
                      .ema_decay = own->ema_decay,
                      .damping = own->damping,
                      .update_interval = own->update_interval,
                      .inverse_interval = own->inverse_interval};
}

static ng_status check(const ng_steepest_options *o, ng_error *error)
{
    return ngi_check_gradient_space(o, "metric = type2", error);
}

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_statistics_create(param, o, error));
    TRY(ngi_eigen_create(param, NG_F64, error));
    ngi_tensor_legal(param, ngi_diagonal, NGI_NONNEGATIVE);
    return NG_OK;
}

/* ends <- the smallest and the largest of l + d */
static void extremes(double *ends, ng_mat l, double d)
{
    ends[0] = INFINITY;
    ends[1] = 0;
    for (size_t i = 0; i < l.rows; i++)
        for (size_t j = 0; j < l.cols; j++) {
            ends[0] = fmin(ends[0], ng_mat_get(l, i, j) + d);
            ends[1] = fmax(ends[1], ng_mat_get(l, i, j) + d);
        }
}

/* *beta <- the option, or where functional A, which knows only the ends of a spectrum, is least. */
static ng_status choose(double *beta, const ng_steepest_options *o, double *ends, ng_error *error)
{
    ng_minimum least = {NG_MINIMUM_INTERIOR, o->type2.beta};
    if (!(o->type2.beta > 0))
        TRY(ng_functional_minimum(ng_functional_get(0), &least, ng_f64(ends, 1, 2), error));
    *beta = least.beta;
    return NG_OK;
}

/* mu <- (l + d)(l + d + beta), in place */
static ng_status square(ng_mat mu, const ng_steepest_options *o, ng_error *error)
{
    double ends[2], beta = 0, d = o->type2.damping;
    extremes(ends, mu, d);
    if (!(ends[0] > 0 && isfinite(ends[1])))
        return ng_error_set(error, NG_ERANGE, "the eigenvalues of F, %g ... %g, leave the range",
                            ends[0], ends[1]);
    TRY(choose(&beta, o, ends, error));
    if (!(ends[0] * (ends[0] + beta) >= DBL_MIN && isfinite(ends[1] * (ends[1] + beta))))
        return ng_error_set(error, NG_ERANGE,
                            "F^2 + %g F leaves the range: F has eigenvalues %g ... %g", beta,
                            ends[0], ends[1]);
    for (size_t i = 0; i < mu.rows; i++)
        for (size_t j = 0; j < mu.cols; j++) {
            double l = ng_mat_get(mu, i, j) + d;
            ng_mat_set(mu, i, j, l * (l + beta));
        }
    return NG_OK;
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    const ngi_tensor *t = ngi_tensor_find(param, ngi_diagonal);
    (void)g;
    if (ngi_due(param, o->type2.update_interval))
        TRY(ngi_statistics_average(param, o, error));
    if (ngi_due(param, o->type2.inverse_interval))
        TRY(ngi_statistics_bases(param, o, work, error));
    return t->fresh ? square(t->next, o, error) : NG_OK;
}

static const ngi_spectrum spectrum = {.scale = 1, .power = 1, .shift = 0};

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    return ngi_eigen_whiten(param, o, spectrum, x, work, error);
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    return ngi_eigen_unwhiten(param, o, spectrum, y, work, error);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    (void)o;
    return ngi_eigen_work(param);
}

static const ng_option table[] = {
    REAL(ema_decay, 0.95, 1, 1, "decay of the factors' averages"),
    REAL(damping, 0.001, DBL_MAX, 0, "damping of F in its units: a sample's squared gradient"),
    REAL(beta, 0, DBL_MAX, 0, "beta of F^2 + beta F; 0: of each layer's alpha_scalar"),
    FACTOR_START,
    INTERVALS("captures", "eigenbasis"),
    METRIC_SCALE,
    FACTOR_DTYPE(NG_FACTORS_AUTO),
    {.name = NULL},
};

const ngi_metric ngi_metric_type2 = {
    .name = "type2",
    .options = table,
    .check = check,
    .rule = rule,
    .create = create,
    .work = work_size,
    .turn_work = ngi_eigen_turn_work,
    .check_capture = ngi_statistics_check,
    .capture = ngi_statistics_capture,
    .ready = ngi_statistics_ready,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
};
