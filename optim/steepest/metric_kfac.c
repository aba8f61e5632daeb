/* The Fisher metric of Martens & Grosse 2015 from captured statistics.
 * damping_kind = tikhonov_pi and per_factor are Kronecker metrics (kron.h) of
 * damped factors; exact_eigen is diagonal in the factors' eigenbases (eigen.h). */
#include "optim/steepest/eigenbases.h"
#include "optim/steepest/statistics.h"

#include <math.h>

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

static int exact(const ng_steepest_options *o)
{
    return o->damping_kind == NG_DAMPING_EXACT_EIGEN;
}

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    ng_status status = ngi_statistics_create(param, o, error);
    if (!exact(o))
        param->tensor[LEFT_ROOT].legal = param->tensor[RIGHT_ROOT].legal = NGI_POSITIVE_DIAGONAL;
    if (status == NG_OK && exact(o))
        status = ngi_param_tensor(param, DIAGONAL, "diagonal", param->rows, param->cols,
                                  param->w.dtype, NGI_SPARE, error);
    if (status == NG_OK && exact(o))
        ng_fill(param->tensor[DIAGONAL].now, 1); /* of the identities */
    return status;
}

/* ---- Damped factors and their roots ----------------------------------------------------- */

static double mean_eigenvalue(const ngi_param *param, ng_side side)
{
    ng_mat factor = ngi_newest(ngi_kron_tensor(param, LEFT_FACTOR, side));
    return ngi_kron_has(param, side) ? ng_trace(factor) / (double)factor.rows : 1;
}

/* What damping adds to the diagonal of this side's factor. */
static double shift(const ngi_param *param, const ng_steepest_options *o, ng_side side)
{
    if (o->damping_kind == NG_DAMPING_PER_FACTOR || !ngi_kron_has(param, ngi_other(side)))
        return o->damping;
    double own = mean_eigenvalue(param, side), other = mean_eigenvalue(param, ngi_other(side));
    double pi = own > 0 && other > 0 ? sqrt(own / other) : 0;
    if (!(pi > 0) || !isfinite(pi))
        pi = 1; /* a factor is zero, or the quotient leaves the range */
    return pi * sqrt(o->damping);
}

/* Without damping a factor of deficient rank is not mended but reported; its pivots are rounding
 * errors of either sign. */
static ng_status cholesky(ng_mat l, ng_mat damped, double tiny, double damping, ng_error *error)
{
    double jitter, smallest = INFINITY, largest = ng_max_abs(damped);
    ng_status status = ng_cholesky(l, damping > 0 ? &jitter : NULL, damped, error);
    if (status == NG_ESINGULAR && !(damping > 0))
        return ngi_statistics_singular(error);
    if (status != NG_OK || damping > 0)
        return status;
    for (size_t i = 0; i < l.rows; i++)
        smallest = fmin(smallest, ng_mat_get(l, i, i));
    return smallest * smallest > tiny * largest ? NG_OK : ngi_statistics_singular(error);
}

static ng_status damped_root(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error)
{
    ngi_tensor *root = &param->tensor[side == NG_LEFT ? LEFT_ROOT : RIGHT_ROOT];
    ng_mat factor = ngi_newest(ngi_kron_tensor(param, LEFT_FACTOR, side)), damped, result;
    size_t mark = work->used, n = factor.rows;
    double tiny = 10 * (double)n * ng_dtype_eps(param->w.dtype);
    ng_status status = ng_work_mat(work, &damped, n, n, factor.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &result, n, n, factor.dtype, error);
    if (status == NG_OK)
        status = ng_copy(damped, factor, error);
    if (status != NG_OK)
        return status;
    ng_add_diagonal(damped, shift(param, o, side));
    if (ngi_trace_scaled(o) && ng_trace(damped) > 0)
        ng_scale(damped, (double)n / ng_trace(damped));
    if (o->root == NG_ROOT_CHOLESKY || !(o->damping > 0))
        status = cholesky(result, damped, tiny, o->damping, error);
    if (status == NG_OK && o->root == NG_ROOT_SYMMETRIC)
        status = ng_spd_power(result, damped, -0.5, o->damping > 0 ? ng_dtype_eps(factor.dtype) : 0,
                              work, error);
    if (status == NG_ESINGULAR && !(o->damping > 0))
        status = ngi_statistics_singular(error);
    if (status == NG_OK)
        status = ng_copy(root->next, result, error);
    root->fresh = status == NG_OK;
    work->used = mark;
    return status;
}

/* ---- The slots ---------------------------------------------------------------------------- */

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ng_status status = NG_OK;
    (void)g;
    if (ngi_due(param, o->update_interval))
        status = ngi_statistics_average(param, o, work, error);
    if (status != NG_OK || !ngi_due(param, o->inverse_interval))
        return status;
    if (exact(o))
        return ngi_statistics_bases(param, o, work, error);
    for (int i = 0; i < 2 && status == NG_OK; i++) {
        if (!ngi_kron_has(param, sides[i]))
            continue;
        status = damped_root(param, o, sides[i], work, error);
        if (status == NG_ENOCONV) { /* every solver failed: go on with the last good one */
            param->report.stale++;
            status = NG_OK;
        }
    }
    return status;
}

static ngi_spectrum spectrum(const ng_steepest_options *o)
{
    ngi_spectrum h = {.scale = 1, .power = 1, .shift = o->damping};
    return h;
}

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    return exact(o) ? ngi_eigen_whiten(param, o, spectrum(o), x, work, error)
                    : ngi_kron_whiten(param, o, x, work, error);
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    return exact(o) ? ngi_eigen_unwhiten(param, o, spectrum(o), y, work, error)
                    : ngi_kron_unwhiten(param, o, y, work, error);
}

static int is_kronecker(const ng_steepest_options *o)
{
    return !exact(o);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t most = ngi_kron_work(param, o), eigen = ngi_eigen_work(param);
    for (int i = 0; i < 2; i++) {
        size_t n = sides[i] == NG_LEFT ? param->rows : param->cols;
        size_t bytes = 2 * ng_work_mat_size(n, n, NG_F64);
        if (o->root == NG_ROOT_SYMMETRIC)
            bytes += ng_spd_power_work(n, NG_F64);
        most = bytes > most && ngi_kron_has(param, sides[i]) ? bytes : most;
    }
    return exact(o) && eigen > most ? eigen : most;
}

const ngi_metric ngi_metric_kfac = {
    .create = create,
    .work = work_size,
    .capture = ngi_statistics_capture,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
    .whiten_side = ngi_kron_whiten_new_side,
    .unwhiten_side = ngi_kron_unwhiten_side,
    .is_kronecker = is_kronecker,
};
