/* The natural gradient of a whole group (natgrad/natural.h). */
#include <natgrad/natural.h>

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/front/method.h"
#include "optim/methods/noise.h"
#include "optim/front/vector.h"

enum { MOMENTUM, BEFORE }; /* BEFORE, of damping_mode = lm: the weights before the last step */

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    const ng_natural_options *o = options;
    TRY(ngi_param_tensor(param, "momentum", param->rows, param->cols, param->w.dtype, NGI_IN_PLACE,
                         error));
    if (o->damping_mode == NG_DAMPING_MODE_LM)
        TRY(ngi_param_tensor(param, "weights_before", param->rows, param->cols, param->w.dtype,
                             NGI_IN_PLACE, error));
    ngi_param_update(param);
    return NG_OK;
}

/* update <- the next momentum, for agree to make a direction of; commit averages again */
static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    const ng_natural_options *o = options;
    (void)work;
    TRY(ngi_check_gradient(param, INFINITY, error));
    TRY(ng_lincomb(param->update, 1 - o->momentum, param->g, o->momentum,
                   param->tensor[MOMENTUM].now, error));
    if (!ng_is_finite(param->update))
        return ng_error_set(error, NG_ERANGE, "its momentum would overflow its dtype");
    return NG_OK;
}

/* ---- The group as one vector -------------------------------------------------------- */

static const char *joint_by(const void *options)
{
    (void)options;
    return "the Fisher matrix";
}

static size_t agree_work(ngi_param *const *params, size_t count, const void *options)
{
    (void)options;
    return ngi_size_mul(2,
                        ng_work_mat_size(1, ngi_vector_length(params, count), params[0]->w.dtype));
}

static ng_status check_group(ngi_param *const *params, size_t count, const ng_natural_options *o,
                             const ngi_joint *joint, ng_error *error)
{
    const ng_fisher *f = joint->fisher;
    if (f == NULL)
        return ng_error_set(error, NG_ENODATA, "no Fisher matrix was given (ng_group_set_fisher)");
    if (o->damping_mode == NG_DAMPING_MODE_LM && params[0]->step > joint->told)
        return ng_error_set(error, NG_ENODATA,
                            "damping_mode = lm waits for the losses before and after the last "
                            "step (ng_group_adapt_damping)");
    return ngi_vector_check_fisher(params, count, f, error);
}

/* ---- The direction --------------------------------------------------------------------- */

static ng_status solve_sketched(ng_mat d, ng_mat g, const ngi_param *first, ng_fisher *f,
                                const ng_natural_options *o, ng_error *error)
{
    ngi_noise noise;
    const ng_random random = ngi_noise_open(&noise, first, "sketch");
    ng_sketch *sketch;
    TRY(ng_sketch_create(&sketch, o->sketch_kind, (size_t)o->sketch, ng_fisher_rows(f), &random,
                         error));
    ng_status status = ng_fisher_solve_sketched(f, d, g, o->damping, sketch, error);
    ng_sketch_destroy(sketch);
    return status;
}

/* d <- (F + damping I)^-1 g, or what a sketch with fewer rows makes of it */
static ng_status direct(ng_mat d, ng_mat g, const ngi_param *first, ng_fisher *f,
                        const ng_natural_options *o, ng_error *error)
{
    if (o->sketch > 0 && !ng_fisher_can(f, NG_FISHER_SOLVE_SKETCHED))
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "sketch = %d: a %s Fisher matrix has no rows to sketch", o->sketch,
                            ng_fisher_name(f));
    return o->sketch > 0 && (size_t)o->sketch < ng_fisher_rows(f)
               ? solve_sketched(d, g, first, f, o, error)
               : ng_fisher_solve(f, d, g, o->damping, error);
}

/* ---- From the averages to the steps ---------------------------------------------------- */

/* *square = <D, M>, the squared length of D in the damped metric */
static ng_status measure(double *square, ng_mat d, ng_mat g, const ng_fisher *f, ng_error *error)
{
    *square = ng_dot(d, g);
    if (!isfinite(*square))
        return ng_error_set(error, NG_ERANGE, "<D, g> overflows");
    if (*square < 0)
        return ng_error_set(error, NG_EINDEFINITE,
                            "<D, g> = %g is negative: the %s Fisher matrix, damped, is not "
                            "positive definite",
                            *square, ng_fisher_name(f));
    return NG_OK;
}

/* s, by division before squaring: lr^2 <D, M> may leave the range of a double */
static double trust(double square, const ng_natural_options *o)
{
    double length = o->lr * sqrt(square), limit = sqrt(2 * o->kl_radius);
    return o->kl_radius > 0 && length > limit ? limit / length : 1;
}

static ng_status agree(ngi_param *const *params, size_t count, const void *options,
                       ngi_joint *joint, ng_work *work, ng_error *error)
{
    const ng_natural_options *o = options;
    ng_dtype dtype = params[0]->w.dtype;
    size_t n = ngi_vector_length(params, count);
    ng_mat g, d;
    double square, step = o->lr;
    TRY(check_group(params, count, o, joint, error));
    TRY(ng_work_mat(work, &g, 1, n, dtype, error));
    TRY(ng_work_mat(work, &d, 1, n, dtype, error));
    TRY(ngi_vector_gather(g, params, count, ngi_vector_update, error));
    TRY(direct(d, g, params[0], joint->fisher, o, error));
    TRY(measure(&square, d, g, joint->fisher, error));
    TRY(ngi_vector_scatter(params, count, ngi_vector_update, d, error));
    step *= trust(square, o);
    TRY(ngi_vector_check(params, count, 1 - o->lr * o->weight_decay, step, error));
    joint->predicted = step * (1 - step / 2) * square; /* (F + damping I) D = g */
    ngi_vector_settle(params, count, step);
    return NG_OK;
}

static void commit(ngi_param *param, const void *options)
{
    const ng_natural_options *o = options;
    ng_mat momentum = param->tensor[MOMENTUM].now;
    ng_lincomb(momentum, 1 - o->momentum, param->g, o->momentum, momentum, NULL);
    if (o->damping_mode == NG_DAMPING_MODE_LM)
        ng_copy(param->tensor[BEFORE].now, param->w, NULL);
    ng_axpby(param->w, param->update, -param->factor, 1 - o->lr * o->weight_decay, NULL);
}

/* ---- Levenberg-Marquardt ------------------------------------------------------------------ */

static ng_status adapt(void *options, ngi_outcome *outcome, ng_error *error)
{
    ng_natural_options *o = options;
    const ngi_damping_rule rule = {o->damping_factor, o->damping_min, o->damping_max};
    if (o->damping_mode != NG_DAMPING_MODE_LM)
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "natural: damping_mode = fixed does not adapt to losses");
    ngi_damping_adapt(&o->damping, &rule, outcome);
    return NG_OK;
}

static void undo(ngi_param *param)
{
    ng_copy(param->w, param->tensor[BEFORE].now, NULL);
}

static int needs_weights(const void *options)
{
    (void)options;
    return 1;
}

static ng_status check(const void *options, ng_error *error)
{
    const ng_natural_options *o = options;
    if (o->damping_min > o->damping_max)
        return ng_error_set(error, NG_EOPTION, "natural: damping_min = %g exceeds damping_max = %g",
                            o->damping_min, o->damping_max);
    if (o->damping_mode == NG_DAMPING_MODE_LM &&
        (o->momentum > 0 || o->weight_decay > 0 || o->lr >= 2))
        return ng_error_set(error, NG_EOPTION,
                            "natural: damping_mode = lm needs momentum = 0, weight_decay = 0 and "
                            "lr < 2");
    return NG_OK;
}

static unsigned fisher_calls(const void *options)
{
    (void)options;
    return NG_FISHER_SOLVE;
}

/* ---- The tables ------------------------------------------------------------------------------ */

static const char *const damping_modes[] = {"fixed", "lm", NULL};
static const char *const sketch_kinds[] = {"gaussian", "srht", "pooled", "count", NULL};

#define FIELD(field) #field, .offset = offsetof(ng_natural_options, field)
static const ng_option table[] = {
    {FIELD(lr), .kind = NG_OPTION_REAL, .value = 1, .min = 0, .max = DBL_MAX,
     .doc = "learning rate"},
    {FIELD(momentum), .kind = NG_OPTION_REAL, .value = 0, .min = 0, .max = 1, .below = 1,
     .doc = "decay of the averaged gradient"},
    {FIELD(weight_decay), .kind = NG_OPTION_REAL, .value = 0, .min = 0, .max = DBL_MAX,
     .doc = "decoupled weight decay per unit of lr"},
    {FIELD(damping), .kind = NG_OPTION_REAL, .value = 0.001, .min = 0, .max = DBL_MAX,
     .doc = "added to the diagonal of the Fisher matrix"},
    {FIELD(damping_mode), .kind = NG_OPTION_CHOICE, .value = NG_DAMPING_MODE_FIXED, .min = 0,
     .max = 1, .fixed = 1, .choices = damping_modes,
     .doc = "damping as set, or Levenberg-Marquardt"},
    {FIELD(damping_factor), .kind = NG_OPTION_REAL, .value = 0.95, .min = DBL_MIN, .max = 1,
     .below = 1, .doc = "what a good step multiplies damping with, and a bad one divides (lm)"},
    {FIELD(damping_min), .kind = NG_OPTION_REAL, .value = 1e-8, .min = DBL_MIN, .max = DBL_MAX,
     .doc = "least damping (lm)"},
    {FIELD(damping_max), .kind = NG_OPTION_REAL, .value = 1e8, .min = DBL_MIN, .max = DBL_MAX,
     .doc = "largest damping (lm)"},
    {FIELD(kl_radius), .kind = NG_OPTION_REAL, .value = 0, .min = 0, .max = DBL_MAX,
     .doc = "largest KL divergence of a group's step, 0 for any"},
    {FIELD(sketch), .kind = NG_OPTION_INTEGER, .value = 0, .min = 0, .max = INT_MAX,
     .doc = "random combinations that stand for the rows of a low-rank Fisher matrix, 0 for all"},
    {FIELD(sketch_kind), .kind = NG_OPTION_CHOICE, .value = NG_SKETCH_SRHT, .min = 0,
     .max = NG_SKETCH_KINDS - 1, .choices = sketch_kinds, .doc = "how these are drawn"},
    {.name = NULL},
};

const ng_method ngi_method_natural = {
    .name = "natural",
    .elementwise = 1,
    .fisher_calls = fisher_calls,
    .options_size = sizeof(ng_natural_options),
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

ng_status ng_natural_init_sized(ng_natural_options *options, size_t size)
{
    return ngi_method_defaults(options, size, &ngi_method_natural);
}
