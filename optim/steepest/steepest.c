/* Steepest descent under a metric, in a ball (natgrad/steepest.h): the method.
 * The options and their tables are in steepest_options.c. */
#include "optim/steepest/steepest.h"

#include <float.h>
#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/unit.h"
#include "optim/front/range.h"
#include "optim/steepest/grafting.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    ng_status status = ngi_param_tensor(param, MOMENTUM, "momentum", param->rows, param->cols,
                                        param->w.dtype, NGI_SPARE, error);
    if (status == NG_OK)
        status = ngi_param_update(param, error);
    if (status == NG_OK)
        status = ngi_graft_create(param, o, error);
    if (status == NG_OK && metric->create != NULL)
        status = metric->create(param, o, error);
    return status;
}

static size_t fused_work(const ngi_param *param)
{
    size_t m = param->rows, n = param->cols, k = m < n ? m : n;
    return ngi_size_mul(2, ng_work_mat_size(k, k, param->w.dtype));
}

static size_t work_size(const ngi_param *param, const void *options)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    const ngi_ball *ball = ngi_ball_find(o->ball);
    size_t of_metric = metric->work != NULL ? metric->work(param, o) : 0;
    size_t of_ball =
        ball->work != NULL ? ball->work(param->rows, param->cols, param->w.dtype, o) : 0;
    size_t mats = ngi_size_mul(2, ng_work_mat_size(param->rows, param->cols, param->w.dtype));
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
        status = ng_copy(ngi_weight_part(param, g), param->g, error);
    if (status == NG_OK && param->bias.data != NULL)
        status = ng_copy(ngi_bias_part(param, g), ngi_bias_view(param, param->g_bias), error);
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

/* k (both triangles), the Gram matrix of Z <- S^-T K S^-1 (lower triangle), where K = H^T H is the
 * ball's multiplier from S^-1 k S^-T. As k is symmetric, S^-1 works on both of its sides from
 * `side`, with a transposition between. */
static ng_status small_side(ng_mat k, ng_mat scratch, ngi_param *param,
                            const ng_steepest_options *o, ng_side side, ng_work *work,
                            ng_error *error)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    const ngi_ball *ball = ngi_ball_find(o->ball);
    ng_status status = metric->whiten_side(param, o, side, k, work, error);
    if (status == NG_OK)
        status = ng_transpose(scratch, k, error);
    if (status == NG_OK)
        status = metric->whiten_side(param, o, side, scratch, work, error);
    if (status == NG_OK)
        status = ball->half_multiplier(k, &param->report, scratch, o, work, error);
    if (status == NG_OK) /* S^-T H^T on the left, H S^-1 on the right */
        status = side == NG_LEFT ? ng_transpose(scratch, k, error) : ng_copy(scratch, k, error);
    if (status == NG_OK)
        status = metric->unwhiten_side(param, o, side, scratch, work, error);
    if (status == NG_OK)
        status = ng_syrk(k, scratch, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, 0, error);
    return status;
}

/* The root-free form: with Z = x whitened on its larger side only and K the
 * ball's multiplier from the Gram matrix of S^-1 Z (S on the smaller side),
 *     d = (S^-T K S^-1) Z, un-whitened on the larger side:
 * all work on the smaller side is k x k. Mirrored if x is tall. */
static ng_status fused(ng_mat d, ngi_param *param, const ng_steepest_options *o, ng_mat x,
                       ng_work *work, ng_error *error)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    size_t k = x.rows < x.cols ? x.rows : x.cols, mark = work->used;
    ng_side small = x.rows <= x.cols ? NG_LEFT : NG_RIGHT;
    ng_side large = small == NG_LEFT ? NG_RIGHT : NG_LEFT;
    ng_mat gram, scratch;
    ng_status status = ng_work_mat(work, &gram, k, k, x.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &scratch, k, k, x.dtype, error);
    if (status == NG_OK)
        status = metric->whiten_side(param, o, large, x, work, error);
    /* d ignores the scale of x; the squares in gram do not */
    ngi_scale_to_unit(x, x, ng_max_abs(x));
    if (status == NG_OK)
        status = ng_syrk(gram, x, small == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, 0, error);
    ng_mirror(gram);
    if (status == NG_OK)
        status = small_side(gram, scratch, param, o, small, work, error);
    if (status == NG_OK)
        status = ng_symm(d, small, gram, x, 1, 0, error);
    if (status == NG_OK)
        status = metric->unwhiten_side(param, o, large, d, work, error);
    work->used = mark;
    return status;
}

static int fusible(const ng_steepest_options *o)
{
    const ngi_ball *ball = ngi_ball_find(o->ball);
    const ngi_metric *metric = ngi_metric_find(o->metric);
    return o->momentum_space == NG_MOMENTUM_GRADIENT && ball->half_multiplier != NULL &&
           metric->whiten_side != NULL && ball->has_multiplier(o) &&
           (metric->is_kronecker == NULL || metric->is_kronecker(o));
}

/* ---- Prepare and commit ------------------------------------------------------------ */

/* How far a step of length 1 goes: lr and the shape scale. */
static double step_size(const ngi_param *param, const ng_steepest_options *o)
{
    double rows = (double)(param->layout == NG_OUT_IN ? param->rows : param->cols);
    double cols = (double)(param->layout == NG_OUT_IN ? param->cols : param->rows);
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
    double limit = ngi_dtype_max(param->w.dtype);
    if (!isfinite(max) || max * size > limit || size > limit)
        return ng_error_set(error, NG_ERANGE, "the step overflows its dtype (largest element %g)",
                            max);
    TRY(ngi_check_weights(param, 1 - o->lr * o->weight_decay, max * size, error));
    if (param->report.wanted)
        param->report.update_norm = size * ng_norm(param->update);
    return NG_OK;
}

static ng_status direction(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_mat x,
                           ng_work *work, ng_error *error)
{
    ng_mat d = param->update;
    int whitened = o->momentum_space == NG_MOMENTUM_WHITENED;
    int grafted = o->grafting != NG_GRAFTING_NONE;
    double length = 0;
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
    if (status == NG_OK && grafted)
        status = ngi_graft_length(&length, param, o, g, x, error);
    if (status == NG_OK && !whitened)
        status = whiten(param, o, x, work, error);
    if (status == NG_OK)
        status = ngi_ball_find(o->ball)->project(d, &param->report, x, o, work, error);
    if (o->kl_clip > 0)
        param->length = ng_norm(d); /* without a ball: <D, M> is its square */
    if (status == NG_OK)
        status = unwhiten(param, o, d, work, error);
    double own = status == NG_OK && grafted ? ng_norm(d) : 0;
    if (own > 0)
        ng_scale(d, length / own);
    return status;
}

static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    size_t m = param->rows, n = param->cols;
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

/* KL clip: one factor for all, so that 1/2 lr^2 sum <D, M> <= kl_clip. */
static ng_status agree(ngi_param *const *params, size_t count, const void *options,
                       ngi_joint *joint, ng_work *work, ng_error *error)
{
    const ng_steepest_options *o = options;
    double length = 0, factor = 1, limit = sqrt(2 * o->kl_clip);
    (void)joint, (void)work, (void)error;
    for (size_t i = 0; i < count && o->kl_clip > 0; i++)
        length = hypot(length, o->lr * params[i]->length);
    if (length > limit)
        factor = limit / length;
    for (size_t i = 0; i < count; i++) {
        params[i]->factor = factor;
        params[i]->report.update_norm *= factor;
    }
    return NG_OK;
}

static void commit(ngi_param *param, const void *options)
{
    const ng_steepest_options *o = options;
    double step = -step_size(param, o) * param->factor, keep = 1 - o->lr * o->weight_decay;
    ng_axpby(param->w, ngi_weight_part(param, param->update), step, keep, NULL);
    if (param->bias.data != NULL)
        ng_axpby(ngi_bias_view(param, param->bias), ngi_bias_part(param, param->update), step, keep,
                 NULL);
}

static int wants_capture(const void *options)
{
    const ng_steepest_options *o = options;
    return ngi_metric_find(o->metric)->capture != NULL;
}

static ng_status capture(ngi_param *param, const void *options, ng_mat a, ng_mat g, double scale,
                         ng_error *error)
{
    const ng_steepest_options *o = options;
    return ngi_metric_find(o->metric)->capture(param, o, a, g, scale, error);
}

const ng_method ngi_method_steepest = {
    .name = "steepest",
    .options_size = sizeof(ng_steepest_options),
    .options = ngi_steepest_table,
    .check = ngi_steepest_check,
    .create = create,
    .work = work_size,
    .prepare = prepare,
    .agree = agree,
    .wants_capture = wants_capture,
    .capture = capture,
    .commit = commit,
};
