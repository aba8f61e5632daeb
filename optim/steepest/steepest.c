/* Steepest descent under a metric, in a ball (natgrad/steepest.h): the method.
 * The options and their tables are in steepest_options.c. */
#include "optim/steepest/steepest.h"

#include <float.h>
#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/unit.h"
#include "lib/linalg/signs.h"
#include "optim/front/range.h"
#include "optim/steepest/agreement.h"
#include "optim/steepest/factors.h"
#include "optim/steepest/grafting.h"
#include "optim/steepest/momentum.h"
#include "optim/steepest/quadratic.h"
#include "optim/steepest/rootless.h"
#include "optim/steepest/row_normalisation.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    TRY(ngi_momentum_create(param, o, error));
    ngi_param_update(param);
    TRY(ngi_graft_create(param, o, error));
    TRY(ngi_rows_create(param, o, error));
    TRY(ngi_agreement_create(param, o, error));
    TRY(ngi_quadratic_create(param, o, error));
    return metric->create != NULL ? metric->create(param, o, error) : NG_OK;
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

/* Is the average made where the step will be? */
static int averages_in_update(const ng_steepest_options *o)
{
    return ngi_fusible(o) && o->length != NG_LENGTH_DUAL;
}

static size_t turn_work(const ngi_param *param, const ng_steepest_options *o)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    return metric->turn_work != NULL ? metric->turn_work(param, o) : 0;
}

/* what the direction takes beside gradient and average. Where the fused form fails, which is rare,
 * the long way makes its scratch itself. */
static size_t direction_work(const ngi_param *param, const ng_steepest_options *o)
{
    const ngi_ball *ball = ngi_ball_find(o->ball);
    size_t of_ball = 0;
    if (ngi_fusible(o))
        return ngi_fused_work(param, o);
    if (ngi_solvable(o))
        return ngi_solve_both_work(param, o);
    if (ball->work != NULL)
        of_ball = ball->work(param->rows, param->cols, param->w.dtype, o);
    return max_size(turn_work(param, o), of_ball);
}

/* The gradient, and beside it what update takes; or its average and what the direction takes. */
static size_t work_size(const ngi_param *param, const void *options)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    size_t mat = ng_work_mat_size(param->rows, param->cols, param->w.dtype);
    size_t update = metric->work != NULL ? metric->work(param, o) : 0;
    size_t average = averages_in_update(o) ? 0 : mat;
    return ngi_size_add(mat, max_size(update, ngi_size_add(average, direction_work(param, o))));
}

/* ---- Prepare and commit ------------------------------------------------------------ */

/* How far a step of length 1 goes: lr, and what the ball makes of the layer's shape. */
static double step_size(const ngi_param *param, const ng_steepest_options *o)
{
    const ngi_ball *ball = ngi_ball_find(o->ball);
    double outputs = (double)(param->layout == NG_OUT_IN ? param->rows : param->cols);
    double inputs = (double)(param->layout == NG_OUT_IN ? param->cols : param->rows);
    return ball->step_size != NULL ? ball->step_size(outputs, inputs, o) : o->lr;
}

static ng_status check_update(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    double max = ng_max_abs(param->update), size = step_size(param, o);
    double limit = ngi_dtype_max(param->w.dtype);
    if (!isfinite(max) || max * size > limit || size > limit)
        return ng_error_set(error, NG_ERANGE, "the step overflows its dtype (largest element %g)",
                            max);
    double keep = 1 - o->lr * o->weight_decay; /* of all weights, or of some and 1 of the others */
    TRY(ngi_check_weights(param, o->cautious_decay && fabs(keep) < 1 ? 1 : keep, max * size,
                          error));
    if (param->report.wanted)
        param->report.update_norm = size * ng_norm(param->update);
    return NG_OK;
}

/* The long way, from the averaged gradient x (already whitened with momentum_space = whitened).
 * *dual <- <X, Y>, the norm of X that is dual to the ball's, where it is asked for. */
static ng_status project(ng_mat d, double *dual, ngi_param *param, const ng_steepest_options *o,
                         ng_mat x, ng_work *work, ng_error *error)
{
    if (o->momentum_space == NG_MOMENTUM_GRADIENT)
        TRY(whiten(param, o, x, work, error));
    TRY(ngi_ball_find(o->ball)->project(d, &param->report, x, ngi_output_side(param), o,
                                        ngi_fusible(o) ? NULL : work, error));
    if (o->length == NG_LENGTH_DUAL)
        *dual = ng_dot(d, x);
    if (o->kl_clip > 0 || ngi_quadratic(o))
        param->length = ng_norm(d); /* without a ball: <D, M> is its square */
    return unwhiten(param, o, d, work, error);
}

/* The short one, without a ball; m: scratch as large as x. */
static ng_status solve_both(ng_mat d, ngi_param *param, const ng_steepest_options *o, ng_mat x,
                            ng_mat m, ng_work *work, ng_error *error)
{
    double max = ng_max_abs(x), unit = 1;
    int measured = o->kl_clip > 0 || ngi_quadratic(o);
    if (measured)
        TRY(ng_copy(m, x, error));
    if (measured && ngi_extreme(max))
        unit = ngi_scale_to_unit(m, m, max);
    TRY(ngi_solve_both(d, param, o, x, work, error));
    if (measured)
        param->length = sqrt(unit) * sqrt(fmax(ng_dot(d, m), 0));
    return NG_OK;
}

static ng_status whole_way(ng_mat d, double *dual, ngi_param *param, const ng_steepest_options *o,
                           ng_mat g, ng_mat x, ng_work *work, ng_error *error)
{
    return ngi_solvable(o) ? solve_both(d, param, o, x, g, work, error)
                           : project(d, dual, param, o, x, work, error);
}

/* the same, and to the length of another optimizer's step; no ball */
static ng_status graft(ng_mat d, ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_mat x,
                       ng_work *work, ng_error *error)
{
    double length;
    TRY(ngi_graft_length(&length, param, o, g, x, error));
    TRY(whole_way(d, NULL, param, o, g, x, work, error));
    double own = ng_norm(d);
    if (own > 0)
        ng_scale(d, length / own);
    return NG_OK;
}

/* The long way where the fused form has failed: it has other solvers. x has its scale changed, and
 * no ball that has a multiplier minds. x may be d; z: scratch as large. */
static ng_status long_way(ng_mat d, double *dual, ngi_param *param, const ng_steepest_options *o,
                          ng_mat x, ng_mat z, ng_error *error)
{
    ng_work own;
    if (x.data == d.data) {
        TRY(ng_copy(z, x, error));
        x = z;
    }
    TRY(ng_work_create(&own, turn_work(param, o), error));
    ng_status status = project(d, dual, param, o, x, &own, error);
    ng_work_destroy(&own);
    return status;
}

/* What a step in a ball is multiplied by, where length = dual and agreement ask for it. */
typedef struct {
    double dual, share;
} lengths;

/* What follows the projection. */
static ng_status finish(ng_mat d, const lengths *by, ngi_param *param, const ng_steepest_options *o,
                        ng_error *error)
{
    if (o->row_normalisation)
        TRY(ngi_rows_normalise(d, param, o, error));
    if (o->length == NG_LENGTH_DUAL)
        ng_scale(d, by->dual);
    if (o->agreement)
        ng_scale(d, by->share);
    return NG_OK;
}

static ng_status direction(lengths *by, ngi_param *param, const ng_steepest_options *o, ng_mat g,
                           ng_mat x, ng_work *work, ng_error *error)
{
    ng_mat d = param->update;
    double *dual = &by->dual;
    if (o->momentum_space == NG_MOMENTUM_WHITENED)
        TRY(whiten(param, o, g, work, error));
    TRY(ngi_momentum_average(x, param, o, g, error));
    TRY(ngi_agreement_measure(&by->share, param, o, x, g, error));
    if (param->at_rest) {
        ng_fill(d, 0);
        return NG_OK;
    }
    if (ngi_fusible(o)) {
        ng_status status = ngi_fused(d, dual, param, o, x, g, work, error);
        return status == NG_ENOCONV ? long_way(d, dual, param, o, x, g, error) : status;
    }
    return o->grafting != NG_GRAFTING_NONE ? graft(d, param, o, g, x, work, error)
                                           : whole_way(d, dual, param, o, g, x, work, error);
}

static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    size_t m = param->rows, n = param->cols;
    lengths by = {0, 0};
    ng_mat g, x = param->update;
    TRY(ng_work_mat(work, &g, m, n, param->w.dtype, error));
    TRY(ngi_momentum_gradient(g, param, o, error));
    size_t mark = work->used;
    if (metric->update != NULL)
        TRY(metric->update(param, o, g, work, error));
    work->used = mark;
    if (!averages_in_update(o))
        TRY(ng_work_mat(work, &x, m, n, param->w.dtype, error));
    TRY(direction(&by, param, o, g, x, work, error));
    TRY(finish(param->update, &by, param, o, error));
    return check_update(param, o, error);
}

static const char *joint_by(const void *options)
{
    const ng_steepest_options *o = options;
    return ngi_quadratic(o) ? "rate = quadratic" : o->kl_clip > 0 ? "kl_clip" : NULL;
}

static ng_status ready(const ngi_param *param, const void *options, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    return metric->ready != NULL ? metric->ready(param, o, error) : NG_OK;
}

/* KL clip: one factor for all, so that 1/2 lr^2 sum <D, M> <= kl_clip. */
static ng_status agree(ngi_param *const *params, size_t count, const void *options,
                       ngi_joint *joint, ng_work *work, ng_error *error)
{
    const ng_steepest_options *o = options;
    double length = 0, factor = 1, limit = sqrt(2 * o->kl_clip);
    if (ngi_quadratic(o))
        return ngi_quadratic_agree(params, count, o, joint, work, error);
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

static int agrees_by_length(const void *options)
{
    return !ngi_quadratic(options);
}

static void move(ng_mat w, ng_mat d, double step, const ng_steepest_options *o)
{
    double keep = 1 - o->lr * o->weight_decay;
    if (o->cautious_decay)
        ngi_axpby_agreeing(w, d, -step, keep);
    else
        ng_axpby(w, d, -step, keep, NULL);
}

static void commit(ngi_param *param, const void *options)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    double step = step_size(param, o) * param->factor;
    ngi_quadratic_commit(param, o);
    move(param->w, ngi_weight_part(param, param->update), step, o);
    if (ngi_biased(param))
        move(param->bias, ngi_bias_part(param, param->update), step, o);
    ngi_momentum_commit(param, o);
    if (metric->commit != NULL)
        metric->commit(param, o);
}

static int wants_capture(const void *options)
{
    const ng_steepest_options *o = options;
    return ngi_metric_find(o->metric)->capture != NULL;
}

static ng_status check_capture(const ngi_param *param, const void *options, ng_mat a, ng_mat g,
                               double scale, ng_error *error)
{
    const ng_steepest_options *o = options;
    return ngi_metric_find(o->metric)->check_capture(param, o, a, g, scale, error);
}

static size_t capture_work(const ngi_param *param, const void *options, size_t rows)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    return metric->capture_work != NULL ? metric->capture_work(param, o, rows) : 0;
}

static void capture(ngi_param *param, const void *options, ng_mat a, ng_mat g, double scale,
                    ng_work *work)
{
    const ng_steepest_options *o = options;
    ngi_metric_find(o->metric)->capture(param, o, a, g, scale, work);
}

static int captures_due(const ngi_param *param, const void *options)
{
    return ngi_due(param, ngi_rule_of(options).update_interval);
}

static ng_mat factor(const ngi_param *param, int of_outputs)
{
    ng_side out = ngi_output_side(param);
    const ngi_tensor *t = ngi_side_tensor(param, ngi_factor, of_outputs ? out : ngi_other(out));
    return t != NULL ? t->now : ng_mat_none();
}

const ng_method ngi_method_steepest = {
    .name = "steepest",
    .options_size = sizeof(ng_steepest_options),
    .options = ngi_steepest_table,
    .part = ngi_steepest_part,
    .check = ngi_steepest_check,
    .create = create,
    .joint = joint_by,
    .ready = ready,
    .work = work_size,
    .prepare = prepare,
    .fisher_calls = ngi_quadratic_calls,
    .agree_work = ngi_quadratic_work,
    .agree = agree,
    .agrees_by_length = agrees_by_length,
    .adapt = ngi_quadratic_adapt,
    .needs_weights = ngi_quadratic_on,
    .undo = ngi_quadratic_undo,
    .wants_capture = wants_capture,
    .check_capture = check_capture,
    .capture_work = capture_work,
    .capture = capture,
    .captures_due = captures_due,
    .factor = factor,
    .commit = commit,
};

ng_status ng_steepest_init_sized(ng_steepest_options *options, size_t size)
{
    return ngi_method_defaults(options, size, &ngi_method_steepest);
}
