/* Steepest descent under a metric, in a ball (natgrad/steepest.h): the method.
 * The options and their tables are in steepest_options.c. */
#include "optim/steepest.h"

#include <float.h>
#include <math.h>

#include "lib/core/size.h"
#include "lib/linalg/unit.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    ng_status status = ngi_param_tensor(param, MOMENTUM, "momentum", param->w.rows, param->w.cols,
                                        param->w.dtype, NGI_SPARE, error);
    if (status == NG_OK)
        status = ngi_param_update(param, error);
    if (status == NG_OK && metric->create != NULL)
        status = metric->create(param, o, error);
    return status;
}

static size_t fused_work(const ngi_param *param)
{
    size_t m = param->w.rows, n = param->w.cols, k = m < n ? m : n;
    return ngi_size_mul(2, ng_work_mat_size(k, k, param->w.dtype));
}

static size_t work_size(const ngi_param *param, const void *options)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    const ngi_ball *ball = ngi_ball_find(o->ball);
    size_t of_metric = metric->work != NULL ? metric->work(param, o) : 0;
    size_t of_ball =
        ball->work != NULL ? ball->work(param->w.rows, param->w.cols, param->w.dtype, o) : 0;
    size_t mats = ngi_size_mul(2, ng_work_mat_size(param->w.rows, param->w.cols, param->w.dtype));
    return ngi_size_add(ngi_size_add(mats, fused_work(param)), max_size(of_metric, of_ball));
}

/* g <- the gradient, dense, divided by its root mean square if asked; zero
 * stays zero */
static ng_status load_gradient(ng_mat g, const ngi_param *param, const ng_steepest_options *o,
                               ng_error *error)
{
    double count = (double)g.rows * (double)g.cols;
    ng_status status = ngi_check_gradient(param, INFINITY, error);
    if (status == NG_OK)
        status = ng_copy(g, param->dw, error);
    if (status != NG_OK || o->gradient_scale == NG_GRADIENT_SCALE_NONE)
        return status;
    double max = ng_max_abs(g);
    if (max > 0) {
        ngi_scale_to_unit(g, g, max); /* the reciprocal of a tiny rms would overflow the dtype */
        ng_scale(g, sqrt(count) / ng_norm(g));
    }
    return NG_OK;
}

/* next momentum <- momentum now + (1 - momentum) g;  x <- what the step follows */
static ng_status average(ng_mat x, ngi_param *param, const ng_steepest_options *o, ng_mat g,
                         ng_error *error)
{
    ngi_tensor *momentum = &param->tensor[MOMENTUM];
    ng_status status = ng_copy(momentum->next, momentum->now, error);
    momentum->fresh = 1;
    if (status == NG_OK)
        status = ng_axpby(momentum->next, g, 1 - o->momentum, o->momentum, error);
    if (status == NG_OK)
        status = ng_copy(x, momentum->next, error);
    if (status == NG_OK && o->nesterov)
        status = ng_axpby(x, g, 1 - o->momentum, o->momentum, error);
    return status;
}

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    return metric->whiten != NULL ? metric->whiten(param, o, x, work, error) : NG_OK;
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    return metric->unwhiten != NULL ? metric->unwhiten(param, o, y, work, error) : NG_OK;
}

/* ---- From the averaged gradient x to the direction d ---------------------------- */

/* The root-free form: with Z = x whitened on its larger side only and K the
 * ball's multiplier of the Gram matrix of S^-1 Z (S on the smaller side),
 *     d = (S^-T K S^-1) Z, un-whitened on the larger side:
 * all work on the smaller side is k x k. Mirrored if x is tall. */
static ng_status fused(ng_mat d, ngi_param *param, const ng_steepest_options *o, ng_mat x,
                       ng_work *work, ng_error *error)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    size_t k = x.rows < x.cols ? x.rows : x.cols, mark = work->used;
    ng_side small = x.rows <= x.cols ? NG_LEFT : NG_RIGHT;
    ng_side large = small == NG_LEFT ? NG_RIGHT : NG_LEFT;
    ng_mat gram, middle;
    ng_status status = ng_work_mat(work, &gram, k, k, x.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &middle, k, k, x.dtype, error);
    if (status == NG_OK)
        status = metric->whiten_side(param, o, large, x, work, error);
    ngi_scale_to_unit(x, x, ng_max_abs(x)); /* d ignores the scale of x; the squares in gram do not */
    if (status == NG_OK)
        status = ng_syrk(gram, x, small == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, 0, error);
    ng_mirror(gram);
    /* S^-1 gram S^-T: gram is symmetric, so both sides of it are k x k solves; the side that
     * whitens acts from `small`, its transpose from the other */
    if (status == NG_OK)
        status = metric->whiten_side(param, o, small, gram, work, error);
    if (status == NG_OK)
        status = ng_transpose(middle, gram, error);
    if (status == NG_OK)
        status = metric->whiten_side(param, o, small, middle, work, error);
    if (status == NG_OK)
        status = ngi_ball_find(o->ball)->multiplier(gram, &param->report, middle, o, work, error);
    if (status == NG_OK)
        status = metric->unwhiten_side(param, o, small, gram, work, error);
    if (status == NG_OK)
        status = ng_transpose(middle, gram, error);
    if (status == NG_OK)
        status = metric->unwhiten_side(param, o, small, middle, work, error);
    if (status == NG_OK)
        status = ng_symm(d, small, middle, x, 1, 0, error);
    if (status == NG_OK)
        status = metric->unwhiten_side(param, o, large, d, work, error);
    work->used = mark;
    return status;
}

static int fusible(const ng_steepest_options *o)
{
    const ngi_ball *ball = ngi_ball_find(o->ball);
    return o->momentum_space == NG_MOMENTUM_GRADIENT && ball->multiplier != NULL &&
           ngi_metric_find(o->metric)->whiten_side != NULL && ball->has_multiplier(o);
}

/* ---- Prepare and commit ------------------------------------------------------------ */

/* How far a step of length 1 goes: lr and the shape scale. */
static double step_size(const ngi_param *param, const ng_steepest_options *o)
{
    double rows = (double)(param->layout == NG_OUT_IN ? param->w.rows : param->w.cols);
    double cols = (double)(param->layout == NG_OUT_IN ? param->w.cols : param->w.rows);
    switch (o->shape_scale) {
    case NG_SHAPE_SCALE_ORIGINAL:
        return o->lr * sqrt(fmax(1, rows / cols));
    case NG_SHAPE_SCALE_MATCH_RMS_ADAMW:
        return o->lr * 0.2 * sqrt(fmax(rows, cols));
    case NG_SHAPE_SCALE_NONE:
        break;
    }
    return o->lr;
}

static ng_status check_update(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    double max = ng_max_abs(param->update), size = step_size(param, o);
    double limit = param->w.dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
    if (!isfinite(max) || max * size > limit)
        return ng_error_set(error, NG_ERANGE, "the step overflows its dtype (largest element %g)",
                            max);
    if (param->report.wanted)
        param->report.update_norm = size * ng_norm(param->update);
    return NG_OK;
}

static ng_status direction(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_mat x,
                           ng_work *work, ng_error *error)
{
    ng_mat d = param->update;
    int whitened = o->momentum_space == NG_MOMENTUM_WHITENED;
    ng_status status = NG_OK;
    if (whitened)
        status = whiten(param, o, g, work, error);
    if (status == NG_OK)
        status = average(x, param, o, g, error);
    if (status == NG_OK && fusible(o)) {
        status = fused(d, param, o, x, work, error);
        if (status != NG_ENOCONV)
            return status;
        status = average(x, param, o, g, error); /* the long way has other solvers */
    }
    if (status == NG_OK && !whitened)
        status = whiten(param, o, x, work, error);
    if (status == NG_OK)
        status = ngi_ball_find(o->ball)->project(d, &param->report, x, o, work, error);
    return status != NG_OK ? status : unwhiten(param, o, d, work, error);
}

static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    size_t m = param->w.rows, n = param->w.cols;
    ng_mat g, x;
    ng_status status = ng_work_mat(work, &g, m, n, param->w.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &x, m, n, param->w.dtype, error);
    if (status == NG_OK)
        status = load_gradient(g, param, o, error);
    if (status == NG_OK && metric->update != NULL)
        status = metric->update(param, o, g, work, error);
    if (status == NG_OK)
        status = direction(param, o, g, x, work, error);
    return status != NG_OK ? status : check_update(param, o, error);
}

static void commit(ngi_param *param, const void *options)
{
    const ng_steepest_options *o = options;
    ng_axpby(param->w, param->update, -step_size(param, o), 1 - o->lr * o->weight_decay, NULL);
}

const ng_method ngi_method_steepest = {
    .name = "steepest",
    .options_size = sizeof(ng_steepest_options),
    .options = ngi_steepest_table,
    .check = ngi_steepest_check,
    .create = create,
    .work = work_size,
    .prepare = prepare,
    .commit = commit,
};
