/* The natural gradient of a group in its residual form (natgrad/residual.h). */
#include <natgrad/residual.h>

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/front/method.h"
#include "optim/front/vector.h"

enum { DIRECTION, BEFORE }; /* BEFORE, of damping_mode = lm: the weights before the last step */

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    const ng_residual_options *o = options;
    if (param->w.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "residual: '%.60s' is not NG_F64", param->name);
    TRY(ngi_param_tensor(param, "direction", param->rows, param->cols, NG_F64, NGI_SPARE, error));
    if (o->damping_mode == NG_DAMPING_MODE_LM)
        TRY(ngi_param_tensor(param, "weights_before", param->rows, param->cols, NG_F64,
                             NGI_IN_PLACE, error));
    ngi_param_update(param);
    return NG_OK;
}

static const char *joint_by(const void *options)
{
    (void)options;
    return "residuals";
}

/* Nothing to do for one parameter alone. */
static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    (void)param, (void)options, (void)work, (void)error;
    return NG_OK;
}

static ng_mat direction_now(ngi_param *param)
{
    return param->tensor[DIRECTION].now;
}

static ng_mat direction_next(ngi_param *param)
{
    param->tensor[DIRECTION].fresh = 1;
    return param->tensor[DIRECTION].next;
}

/* ---- What a step is made of ------------------------------------------------------------ */

typedef struct {
    const ng_residual_options *o;
    ng_residuals *res;
    const ng_residual_calls *calls;
    ng_mat w, before, phi, psi, trial; /* 1 x n */
    ng_mat y, jphi;                    /* 1 x m */
    int accelerated;                   /* psi counts */
    double slope, bend;                /* r^T C J phi; |S J phi|^2 + damping |phi|^2 */
    double t;
} step;

static size_t agree_work(ngi_param *const *params, size_t count, const void *options)
{
    (void)options; /* of the residuals nothing is known here: theirs are taken in agree */
    return ngi_size_mul(5, ng_work_mat_size(1, ngi_vector_length(params, count), NG_F64));
}

static ng_status check_group(ngi_param *const *params, size_t count, const ng_residual_options *o,
                             const ngi_joint *joint, ng_error *error)
{
    if (joint->residuals == NULL)
        return ng_error_set(error, NG_ENODATA, "no residuals were given (ng_group_set_residuals)");
    if (o->damping_mode == NG_DAMPING_MODE_LM && params[0]->step > joint->told)
        return ng_error_set(error, NG_ENODATA,
                            "damping_mode = lm waits for the losses before and after the last "
                            "step (ng_group_adapt_damping)");
    if (o->line_search != NG_LINE_SEARCH_NONE && joint->calls.loss == NULL)
        return ng_error_set(error, NG_ENODATA, "a line search needs a loss to call");
    if (ngi_vector_length(params, count) != ng_residuals_size(joint->residuals))
        return ng_error_set(error, NG_ESHAPE,
                            "the residuals are for %zu weights, the group has %zu",
                            ng_residuals_size(joint->residuals), ngi_vector_length(params, count));
    return NG_OK;
}

/* phi, and the quadratic model along it */
static ng_status direct(step *s, ng_error *error)
{
    double mu = s->o->momentum;
    ng_mat r = ng_residuals_values(s->res);
    const ng_residual_solving solving = {.size = sizeof solving,
                                         .solver = s->o->solver,
                                         .tolerance = s->o->cg_tolerance,
                                         .max_iterations = (size_t)s->o->cg_iterations,
                                         .sketch = (size_t)s->o->sketch};
    TRY(ng_residuals_factor(s->res, s->o->damping, &solving, error));
    TRY(ng_copy(s->y, r, error));
    if (mu > 0) {
        TRY(ng_residuals_times(s->res, s->jphi, s->before, error));
        TRY(ng_lincomb(s->y, 1, r, -mu, s->jphi, error));
    }
    TRY(ng_residuals_solve(s->res, s->phi, s->y, error));
    if (mu > 0)
        TRY(ng_axpby(s->phi, s->before, mu, 1, error));
    TRY(ng_residuals_times(s->res, s->jphi, s->phi, error));
    s->slope = ng_residuals_dot(s->res, r, s->jphi);
    s->bend = ng_residuals_dot(s->res, s->jphi, s->jphi) + s->o->damping * ng_dot(s->phi, s->phi);
    if (!ng_is_finite(s->phi) || !isfinite(s->slope) || !isfinite(s->bend))
        return ng_error_set(error, NG_ERANGE, "the direction overflows");
    return NG_OK;
}

/* psi, where it is a correction */
static ng_status accelerate(step *s, ng_error *error)
{
    s->accelerated = 0;
    if (s->calls->second == NULL)
        return NG_OK;
    ng_status status = s->calls->second(s->calls->data, s->y, s->phi, error);
    if (status != NG_OK)
        return ng_error_set(error, status, "the second derivative's callback failed");
    if (!ng_is_finite(s->y))
        return ng_error_set(error, NG_ENONFINITE, "a second derivative is NaN or infinite");
    TRY(ng_residuals_solve(s->res, s->psi, s->y, error));
    s->accelerated = 2 * s->t * ng_norm(s->psi) <= s->o->acceleration * ng_norm(s->phi);
    return NG_OK;
}

/* ---- Line search ----------------------------------------------------------------------- */

/* *loss <- at w - t phi - 1/2 t^2 psi; what is no number is worse than any */
static ng_status try_out(const step *s, double *loss, double t, ng_error *error)
{
    TRY(ng_lincomb(s->trial, 1, s->w, -t, s->phi, error));
    if (s->accelerated)
        TRY(ng_axpby(s->trial, s->psi, -t * t / 2, 1, error));
    *loss = INFINITY;
    if (!ng_is_finite(s->trial))
        return NG_OK;
    ng_status status = s->calls->loss(s->calls->data, loss, s->trial, error);
    if (status != NG_OK)
        return ng_error_set(error, status, "the loss's callback failed");
    if (!isfinite(*loss))
        *loss = INFINITY;
    return NG_OK;
}

static ng_status search(step *s, ng_error *error)
{
    double start, loss, best = INFINITY, t = s->t;
    int armijo = s->o->line_search == NG_LINE_SEARCH_ARMIJO;
    TRY(try_out(s, &start, 0, error));
    if (isinf(start))
        return ng_error_set(error, NG_ENONFINITE, "the loss before the step is no finite number");
    for (int k = 0; k < s->o->trials; k++, t /= 2) {
        TRY(try_out(s, &loss, t, error));
        if (armijo && loss <= start - s->o->armijo * t * s->slope) {
            s->t = t;
            return NG_OK;
        }
        if (!armijo && best < start && loss >= best)
            return NG_OK;
        if (!armijo && loss < best) {
            best = loss;
            s->t = t;
        }
    }
    if (!armijo && best < start)
        return NG_OK;
    return ng_error_set(error, NG_ENOCONV,
                        "none of %d steps from %g down lowers the loss %g (slope %g)", s->o->trials,
                        s->o->lr, start, s->slope);
}

/* ---- The step -------------------------------------------------------------------------- */

static ng_status take(step *s, ngi_param *const *params, size_t count, ng_work *work,
                      ngi_pool *pool, ng_error *error)
{
    ng_mat *const vectors[] = {&s->w, &s->before, &s->phi, &s->psi, &s->trial};
    size_t n = ng_residuals_size(s->res), m = ng_residuals_count(s->res);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        TRY(ng_work_mat(work, vectors[i], 1, n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &s->y, 1, m, NG_F64, error));
    TRY(ngi_pool_mat(pool, &s->jphi, 1, m, NG_F64, error));
    TRY(ngi_vector_gather(s->w, params, count, ngi_vector_weights, error));
    return ngi_vector_gather(s->before, params, count, direction_now, error);
}

static ng_status decide(step *s, ngi_param *const *params, size_t count, ngi_joint *joint,
                        ng_work *work, ngi_pool *pool, ng_error *error)
{
    double limit = s->o->step_norm, length;
    TRY(take(s, params, count, work, pool, error));
    TRY(direct(s, error));
    length = s->o->lr * ng_norm(s->phi);
    s->t = s->o->lr * (limit > 0 && length > limit ? limit / length : 1);
    TRY(accelerate(s, error));
    if (s->o->line_search != NG_LINE_SEARCH_NONE)
        TRY(search(s, error));
    TRY(ngi_vector_scatter(params, count, direction_next, s->phi, error));
    if (s->accelerated)
        TRY(ng_axpby(s->phi, s->psi, s->t / 2, 1, error));
    TRY(ngi_vector_scatter(params, count, ngi_vector_update, s->phi, error));
    TRY(ngi_vector_check(params, count, 1, s->t, error));
    joint->predicted = s->t * s->slope - s->t * s->t / 2 * s->bend;
    ngi_vector_settle(params, count, s->t);
    return NG_OK;
}

static ng_status agree(ngi_param *const *params, size_t count, const void *options,
                       ngi_joint *joint, ng_work *work, ng_error *error)
{
    step s = {.o = options, .res = joint->residuals, .calls = &joint->calls};
    ngi_pool pool = {NULL};
    TRY(check_group(params, count, options, joint, error));
    return ngi_pool_close(&pool, decide(&s, params, count, joint, work, &pool, error));
}

static void commit(ngi_param *param, const void *options)
{
    const ng_residual_options *o = options;
    if (o->damping_mode == NG_DAMPING_MODE_LM)
        ng_copy(param->tensor[BEFORE].now, param->w, NULL);
    ng_axpby(param->w, param->update, -param->factor, 1, NULL);
}

static ng_status adapt(void *options, ngi_outcome *outcome, ng_error *error)
{
    ng_residual_options *o = options;
    const ngi_damping_rule rule = {o->damping_factor, o->damping_min, o->damping_max};
    if (o->damping_mode != NG_DAMPING_MODE_LM)
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "residual: damping_mode = fixed does not adapt to losses");
    ngi_damping_adapt(&o->damping, &rule, outcome);
    return NG_OK;
}

/* The spare copy of phi' is that of before the step. */
static void undo(ngi_param *param)
{
    ngi_tensor *direction = &param->tensor[DIRECTION];
    ng_mat now = direction->now;
    ng_copy(param->w, param->tensor[BEFORE].now, NULL);
    direction->now = direction->next;
    direction->next = now;
}

static int needs_weights(const void *options)
{
    (void)options;
    return 1;
}

static ng_status check(const void *options, ng_error *error)
{
    const ng_residual_options *o = options;
    if (o->damping_min > o->damping_max)
        return ng_error_set(error, NG_EOPTION,
                            "residual: damping_min = %g exceeds damping_max = %g", o->damping_min,
                            o->damping_max);
    if (o->damping_mode == NG_DAMPING_MODE_LM && o->lr >= 2)
        return ng_error_set(error, NG_EOPTION, "residual: damping_mode = lm needs lr < 2");
    return NG_OK;
}

/* ---- The tables ------------------------------------------------------------------------- */

static const char *const damping_modes[] = {"fixed", "lm", NULL};
static const char *const line_searches[] = {"none", "armijo", "grid", NULL};
static const char *const solvers[] = {"auto", "dual", "primal", "cg", NULL};

#define FIELD(field) #field, .offset = offsetof(ng_residual_options, field)
static const ng_option table[] = {
    {FIELD(lr), .kind = NG_OPTION_REAL, .value = 1, .min = 0, .max = DBL_MAX,
     .doc = "learning rate, or the largest of a line search"},
    {FIELD(momentum), .kind = NG_OPTION_REAL, .value = 0, .min = 0, .max = 1, .below = 1,
     .doc = "how much of the last direction stays where J does not see it (SPRING)"},
    {FIELD(damping), .kind = NG_OPTION_REAL, .value = 0.001, .min = 0, .max = DBL_MAX,
     .doc = "added to the diagonal of the Gauss-Newton matrix"},
    {FIELD(damping_mode), .kind = NG_OPTION_CHOICE, .value = NG_DAMPING_MODE_FIXED, .min = 0,
     .max = 1, .fixed = 1, .choices = damping_modes,
     .doc = "damping as set, or Levenberg-Marquardt"},
    {FIELD(damping_factor), .kind = NG_OPTION_REAL, .value = 0.3, .min = DBL_MIN, .max = 1,
     .below = 1, .doc = "what a good step multiplies damping with, and a bad one divides (lm)"},
    {FIELD(damping_min), .kind = NG_OPTION_REAL, .value = 1e-16, .min = DBL_MIN, .max = DBL_MAX,
     .doc = "least damping (lm)"},
    {FIELD(damping_max), .kind = NG_OPTION_REAL, .value = 1e8, .min = DBL_MIN, .max = DBL_MAX,
     .doc = "largest damping (lm)"},
    {FIELD(step_norm), .kind = NG_OPTION_REAL, .value = 0, .min = 0, .max = DBL_MAX,
     .doc = "largest Euclidean length of lr times the direction, 0 for any"},
    {FIELD(acceleration), .kind = NG_OPTION_REAL, .value = 0.75, .min = DBL_MIN, .max = DBL_MAX,
     .doc = "largest second order over first order with which a step is accelerated"},
    {FIELD(line_search), .kind = NG_OPTION_CHOICE, .value = NG_LINE_SEARCH_NONE, .min = 0, .max = 2,
     .choices = line_searches, .doc = "which of lr, lr/2, lr/4, ... the step takes"},
    {FIELD(armijo), .kind = NG_OPTION_REAL, .value = 1e-4, .min = 0, .max = 1, .below = 1,
     .doc = "share of the predicted decrease that line_search = armijo asks for"},
    {FIELD(trials), .kind = NG_OPTION_INTEGER, .value = 24, .min = 1, .max = 1000,
     .doc = "steps a line search tries at most"},
    {FIELD(solver), .kind = NG_OPTION_CHOICE, .value = NG_RESIDUAL_AUTO, .min = 0, .max = 3,
     .choices = solvers, .doc = "which matrix is factored, or none"},
    {FIELD(cg_tolerance), .kind = NG_OPTION_REAL, .value = 1e-10, .min = DBL_MIN, .max = 1,
     .below = 1, .doc = "relative residual at which solver = cg ends"},
    {FIELD(cg_iterations), .kind = NG_OPTION_INTEGER, .value = 1000, .min = 1, .max = INT_MAX,
     .doc = "products that solver = cg makes at most"},
    {FIELD(sketch), .kind = NG_OPTION_INTEGER, .value = 50, .min = 0, .max = INT_MAX,
     .doc = "rank of the preconditioner of solver = cg, 0 for none"},
    {.name = NULL},
};

const ng_method ngi_method_residual = {
    .name = "residual",
    .elementwise = 1,
    .options_size = sizeof(ng_residual_options),
    .options = table,
    .check = check,
    .create = create,
    .joint = joint_by,
    .prepare = prepare,
    .agree_work = agree_work,
    .agree = agree,
    .adapt = adapt,
    .needs_weights = needs_weights,
    .undo = undo,
    .commit = commit,
};

ng_status ng_residual_init_sized(ng_residual_options *options, size_t size)
{
    return ngi_method_defaults(options, size, &ngi_method_residual);
}
