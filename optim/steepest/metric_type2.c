/* The Type II metric g = F^2 + beta F (arXiv:2504.14728, arXiv:2603.09067) of a layer's
 * damped Fisher matrix F = P (x) Q + d I from captured statistics: diagonal in the
 * eigenbases of P and Q with eigenvalues mu = (l + d)(l + d + beta), l the products of
 * theirs.
 *
 * DIAGONAL holds mu in double: in float the squares would leave the range that
 * F itself keeps. */
#include "optim/steepest/statistics.h"

#include <float.h>
#include <math.h>

#include <natgrad/functional.h>

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    ng_status status = ngi_statistics_create(param, o, error);
    param->tensor[DIAGONAL].legal = NGI_NONNEGATIVE;
    if (status == NG_OK)
        status = ngi_param_tensor(param, DIAGONAL, "diagonal", param->rows, param->cols, NG_F64,
                                  NGI_SPARE, error);
    if (status == NG_OK)
        ng_fill(param->tensor[DIAGONAL].now, 1); /* of the identities */
    return status;
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
    ng_minimum least = {NG_MINIMUM_INTERIOR, o->beta};
    ng_status status = NG_OK;
    if (!(o->beta > 0))
        status = ng_functional_minimum(ng_functional_get(0), &least, ng_f64(ends, 1, 2), error);
    *beta = least.beta;
    return status;
}

/* mu <- (l + d)(l + d + beta), in place */
static ng_status square(ng_mat mu, const ng_steepest_options *o, ng_error *error)
{
    double ends[2], beta = 0, d = o->damping;
    extremes(ends, mu, d);
    if (!(ends[0] > 0 && isfinite(ends[1])))
        return ng_error_set(error, NG_ERANGE, "the eigenvalues of F, %g ... %g, leave the range",
                            ends[0], ends[1]);
    ng_status status = choose(&beta, o, ends, error);
    if (status != NG_OK)
        return status;
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
    ngi_tensor *t = &param->tensor[DIAGONAL];
    ng_status status = NG_OK;
    (void)g;
    if (ngi_due(param, o->update_interval))
        status = ngi_statistics_average(param, o, work, error);
    if (status == NG_OK && ngi_due(param, o->inverse_interval))
        status = ngi_statistics_bases(param, o, work, error);
    if (status == NG_OK && t->fresh)
        status = square(t->next, o, error);
    return status;
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
    size_t kron = ngi_kron_work(param, o), eigen = ngi_eigen_work(param);
    return kron > eigen ? kron : eigen;
}

const ngi_metric ngi_metric_type2 = {
    .create = create,
    .work = work_size,
    .capture = ngi_statistics_capture,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
};
