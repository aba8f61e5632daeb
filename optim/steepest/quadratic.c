/* rate = quadratic (quadratic.h). Martens & Grosse 2015, sections 6.4 to 6.6 and 7. */
#include "optim/steepest/quadratic.h"

#include <float.h>
#include <math.h>

#include <natgrad/linalg.h>
#include <natgrad/options.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/front/range.h"
#include "optim/front/vector.h"

static const char last_step[] = "last_step", weights_before[] = "weights_before";

/* ---- State ---------------------------------------------------------------------------------- */

ng_status ngi_quadratic_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    if (!ngi_quadratic(o))
        return NG_OK;
    TRY(ngi_param_tensor(param, last_step, param->rows, param->cols, param->w.dtype, NGI_IN_PLACE,
                         error));
    return o->retract ? ngi_param_tensor(param, weights_before, param->rows, param->cols,
                                         param->w.dtype, NGI_IN_PLACE, error)
                      : NG_OK;
}

static ng_mat last_of(ngi_param *param)
{
    return ngi_tensor_find(param, last_step)->now;
}

void ngi_quadratic_commit(ngi_param *param, const ng_steepest_options *o)
{
    const ngi_tensor *before = ngi_tensor_find(param, weights_before);
    if (!ngi_quadratic(o))
        return;
    ng_lincomb(last_of(param), -o->lr * param->factor, param->update, 0, param->update, NULL);
    if (before == NULL)
        return;
    ng_copy(ngi_weight_part(param, before->now), param->w, NULL);
    if (ngi_biased(param))
        ng_copy(ngi_bias_part(param, before->now), param->bias, NULL);
}

/* The step that was bad is no direction to go on in. */
void ngi_quadratic_undo(ngi_param *param)
{
    ng_mat before = ngi_tensor_find(param, weights_before)->now;
    ng_copy(param->w, ngi_weight_part(param, before), NULL);
    if (ngi_biased(param))
        ng_copy(param->bias, ngi_bias_part(param, before), NULL);
    ng_fill(last_of(param), 0);
}

/* ---- The model along V = (D, last step) ----------------------------------------------------- */

enum { D, LAST, DIRECTIONS };

/* a = V F V^T, r = V V^T, b = V g; first the direction, then the last step. */
typedef struct {
    double a[DIRECTIONS][DIRECTIONS], r[DIRECTIONS][DIRECTIONS], b[DIRECTIONS];
} model;

static double along(const ngi_param *param, ng_mat x)
{
    double sum = ng_dot(ngi_weight_part(param, x), param->g);
    return ngi_biased(param) ? sum + ng_dot(ngi_bias_part(param, x), param->g_bias) : sum;
}

/* b and r; of a what the metric, damped, says of D. */
static void measure(model *m, ngi_param *const *params, size_t count)
{
    const model zero = {.b = {0}};
    *m = zero;
    for (size_t i = 0; i < count; i++) {
        ng_mat v[DIRECTIONS] = {params[i]->update, last_of(params[i])};
        m->a[D][D] += params[i]->length * params[i]->length;
        for (int j = 0; j < DIRECTIONS; j++) {
            m->b[j] += along(params[i], v[j]);
            for (int k = 0; k <= j; k++)
                m->r[j][k] += ng_dot(v[j], v[k]);
        }
    }
    m->r[D][LAST] = m->r[LAST][D];
}

/* a <- V F V^T */
static ng_status curve(model *m, ngi_param *const *params, size_t count, ng_fisher *f,
                       ng_work *work, ng_error *error)
{
    size_t n = ngi_vector_length(params, count);
    ng_mat v, forms = {m->a, DIRECTIONS, DIRECTIONS, DIRECTIONS, NG_F64};
    TRY(ngi_vector_check_fisher(params, count, f, error));
    TRY(ng_work_mat(work, &v, DIRECTIONS, n, ng_fisher_dtype(f), error));
    TRY(ngi_vector_gather(ng_mat_block(v, D, 0, 1, n), params, count, ngi_vector_update, error));
    TRY(ngi_vector_gather(ng_mat_block(v, LAST, 0, 1, n), params, count, last_of, error));
    return ng_fisher_forms(f, forms, v, error);
}

/* ---- Its minimum ------------------------------------------------------------------------- */

/* w <- the minimiser of 1/2 w (a + damping r) w^T + b w^T: of both directions, or of D alone where
 * there is no last step, or none that rounding lets be told from D, or no curvature known along it.
 * A direction of no length has weight 0. */
static ng_status minimise(double w[DIRECTIONS], const model *m, double damping, int both,
                          double rounding, ng_error *error)
{
    double s00 = m->a[D][D] + damping * m->r[D][D],
           s11 = m->a[LAST][LAST] + damping * m->r[LAST][LAST];
    double s01 = m->a[D][LAST] + damping * m->r[D][LAST];
    w[D] = w[LAST] = 0;
    if (!(m->r[D][D] > 0))
        return NG_OK;
    if (!isfinite(s00) || !isfinite(s11) || !isfinite(s01) || !isfinite(m->b[D]))
        return ng_error_set(error, NG_ERANGE, "the quadratic model overflows");
    if (!(s00 > 0))
        return ng_error_set(error, NG_EINDEFINITE,
                            "the quadratic model has no minimum: curvature %g along the direction",
                            s00);
    w[D] = -m->b[D] / s00;
    double rest = both && s11 > 0 ? 1 - s01 / s00 * (s01 / s11) : 0;
    if (!(rest > rounding))
        return NG_OK;
    w[LAST] = (-m->b[LAST] + m->b[D] * (s01 / s00)) / (s11 * rest);
    w[D] -= w[LAST] * (s01 / s00);
    return NG_OK;
}

/* What the step lr w takes off the model with that damping. */
static double reduction(const double w[DIRECTIONS], const model *m, double damping, double lr)
{
    double linear = 0, square = 0;
    for (int i = 0; i < DIRECTIONS; i++) {
        linear += w[i] * m->b[i];
        for (int j = 0; j < DIRECTIONS; j++)
            square += w[i] * w[j] * (m->a[i][j] + damping * m->r[i][j]);
    }
    return -lr * (linear + lr * square / 2);
}

/* ---- Dampings of the factors on trial ---------------------------------------------------- */

enum { LARGER, SMALLER, SAME, CHOSEN }; /* in this order */

/* Whether the roots are new in this step, so that another damping makes another direction. */
static int on_trial(const ngi_param *param, const ng_steepest_options *o)
{
    return o->trial_interval > 0 && param->step % (unsigned)o->trial_interval == 0;
}

static double bounded(const ng_steepest_options *o, double damping)
{
    return fmin(fmax(damping, o->damping_min), o->damping_max);
}

/* Of the three, by what the model promises: the present one where it is no worse. */
static double best(const ngi_joint *joint)
{
    int choice = SAME;
    for (int i = LARGER; i < SAME; i++)
        choice = joint->promise[i] > joint->promise[choice] ? i : choice;
    return joint->trial_damping[choice];
}

/* After the trial just made: the options with the damping of the next one, if there is any. */
static ng_status next_trial(ngi_joint *joint, const ng_steepest_options *o, double promise,
                            ng_error *error)
{
    double factor = pow(o->damping_factor, o->trial_interval), damping;
    TRY(ng_options_get(joint->options, "damping", &damping, error));
    if (joint->trial == 0) { /* with the damping there is */
        joint->trial_damping[SAME] = damping;
        joint->trial_damping[LARGER] = bounded(o, damping / factor);
        joint->trial_damping[SMALLER] = bounded(o, damping * factor);
        joint->promise[SAME] = promise;
    } else if (joint->trial <= SAME)
        joint->promise[joint->trial - 1] = promise;
    if (joint->trial > SAME)
        return NG_OK;
    double next = joint->trial < SAME ? joint->trial_damping[joint->trial] : best(joint);
    joint->again = joint->trial < SAME || next != damping;
    joint->trial++;
    return ng_options_set(joint->options, "damping", next, error);
}

/* ---- The slots --------------------------------------------------------------------------- */

int ngi_quadratic_on(const void *options)
{
    return ngi_quadratic(options);
}

unsigned ngi_quadratic_calls(const void *options)
{
    return ngi_quadratic(options) ? NG_FISHER_MUL : 0;
}

size_t ngi_quadratic_work(ngi_param *const *params, size_t count, const void *options)
{
    size_t n = ngi_quadratic(options) ? ngi_vector_length(params, count) : 0;
    return ng_work_mat_size(DIRECTIONS, n, params[0]->w.dtype);
}

/* update <- what is to be taken off the weights, of length 1 */
static ng_status settle(ngi_param *const *params, size_t count, const double w[DIRECTIONS],
                        const ng_steepest_options *o, ng_error *error)
{
    for (size_t i = 0; i < count; i++) {
        ng_mat update = params[i]->update;
        TRY(ng_lincomb(update, -w[D], update, -w[LAST], last_of(params[i]), error));
    }
    TRY(ngi_vector_check(params, count, 1, o->lr, error));
    ngi_vector_settle(params, count, 1);
    for (size_t i = 0; i < count; i++)
        params[i]->report.update_norm *= o->lr;
    return NG_OK;
}

ng_status ngi_quadratic_agree(ngi_param *const *params, size_t count, const ng_steepest_options *o,
                              ngi_joint *joint, ng_work *work, ng_error *error)
{
    model m;
    double w[DIRECTIONS], rounding = 100 * ng_dtype_eps(params[0]->w.dtype);
    measure(&m, params, count);
    if (joint->fisher != NULL)
        TRY(curve(&m, params, count, joint->fisher, work, error));
    TRY(minimise(w, &m, o->model_damping, joint->fisher != NULL, rounding, error));
    if (joint->fisher != NULL && on_trial(params[0], o))
        TRY(next_trial(joint, o, reduction(w, &m, o->model_damping, 1), error));
    if (joint->again)
        return NG_OK;
    joint->predicted = reduction(w, &m, 0, o->lr);
    return settle(params, count, w, o, error);
}

ng_status ngi_quadratic_adapt(void *options, ngi_outcome *outcome, ng_error *error)
{
    ng_steepest_options *o = options;
    const ngi_damping_rule rule = {pow(o->damping_factor, (double)outcome->steps), o->damping_min,
                                   o->damping_max};
    if (!ngi_quadratic(o))
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "steepest: rate = fixed has no damping to adapt");
    ngi_damping_adapt(&o->model_damping, &rule, outcome);
    outcome->back = outcome->ratio < 0 && o->retract;
    return NG_OK;
}

ng_status ngi_quadratic_check(const ng_steepest_options *o, ng_error *error)
{
    if (!ngi_quadratic(o))
        return NG_OK;
    if (o->ball != NG_BALL_NONE || o->momentum > 0 || o->nesterov || o->weight_decay > 0 ||
        o->kl_clip > 0 || o->grafting != NG_GRAFTING_NONE ||
        o->momentum_space != NG_MOMENTUM_GRADIENT)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: rate = quadratic needs ball = none, momentum = 0, nesterov "
                            "= 0, weight_decay = 0, kl_clip = 0, grafting = none and "
                            "momentum_space = gradient");
    if (o->damping_min > o->damping_max)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: damping_min = %g exceeds damping_max = %g", o->damping_min,
                            o->damping_max);
    return o->trial_interval > 0 && o->metric == NG_METRIC_IDENTITY
               ? ng_error_set(error, NG_EOPTION,
                              "steepest: trial_interval needs a metric with a damping")
               : NG_OK;
}
