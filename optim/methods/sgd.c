/* Stochastic gradient descent with momentum (natgrad/sgd.h). */
#include <natgrad/sgd.h>

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "lib/core/clones.h"
#include "lib/core/try.h"
#include "optim/front/range.h"
#include "optim/methods/elementwise.h"

enum { MOMENTUM };

/* The rule with its branches turned into numbers:
 * b <- old b + (g + coupled w);  w <- keep w - lr (new_weight g' + b_weight b). */
typedef struct {
    double lr, keep, coupled, old, new_weight, b_weight;
} sgd_scalars;

#define T float
#define K(name) f32_##name
#include "optim/methods/sgd_kernels.h"
#undef T
#undef K

#define T double
#define K(name) f64_##name
#include "optim/methods/sgd_kernels.h"
#undef T
#undef K

static double (*const kernels[2])(size_t, const sgd_scalars *, const void *, void *, void *,
                                  int) = {f32_run, f64_run};
static int (*const trials[2])(size_t, const sgd_scalars *, const void *, const void *, const void *,
                              double) = {f32_try, f64_try};

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    (void)options;
    return ngi_param_tensor(param, "momentum", param->w.rows, param->w.cols, param->w.dtype,
                            NGI_IN_PLACE, error);
}

static sgd_scalars scalars(const ngi_param *param, const ng_sgd_options *o)
{
    int coupled = o->weight_decay_kind == NG_DECAY_COUPLED;
    sgd_scalars s = {
        .lr = o->lr,
        .keep = coupled ? 1 : 1 - o->lr * o->weight_decay,
        .coupled = coupled ? o->weight_decay : 0,
        .old = param->step == 0 ? 0 : o->momentum,
        .new_weight = o->nesterov ? 1 : 0,
        .b_weight = o->nesterov ? o->momentum : 1,
    };
    return s;
}

/* The step made on copies: is everything finite afterwards? */
static ng_status attempt(const ngi_param *param, const sgd_scalars *s, ng_error *error)
{
    ngi_run run;
    ngi_run_begin(&run, param, 0);
    while (ngi_run_next(&run))
        if (!trials[param->w.dtype](run.n, s, run.g, ngi_run_state(&run, &param->tensor[MOMENTUM]),
                                    run.w, ngi_dtype_max(ngi_own_weights(param).dtype)))
            return ngi_step_overflows(param, error);
    return NG_OK;
}

/* What the step makes is finite: by bounds on buffer and step that cost no pass over memory
 * (coupled decay reads the weights), and only where those do not suffice by trying. */
static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    const ng_sgd_options *o = options;
    ngi_tensor *buffer = &param->tensor[MOMENTUM];
    sgd_scalars s = scalars(param, o);
    double rounding = 1 + 8 * ng_dtype_eps(param->w.dtype), max;
    double limit = ngi_dtype_max(param->w.dtype) / rounding;
    (void)work;
    /* the buffer is at most the largest gradient / (1 - momentum) */
    TRY(ngi_gradient_bound(&max, param, ngi_dtype_max(param->w.dtype) * (1 - o->momentum) / 2,
                           error));
    if (s.coupled > 0)
        max +=
            s.coupled * ngi_weights_max(param) * (1 + ng_dtype_eps(ngi_own_weights(param).dtype));
    double b = (s.old * ngi_tensor_bound(buffer) + max) * rounding;
    double step = s.lr * (s.new_weight * max + s.b_weight * b) * rounding;
    buffer->next_bound = b;
    if (b <= limit && s.coupled <= limit && s.lr <= limit &&
        ngi_weights_stay_finite(param, s.keep, step))
        return NG_OK;
    buffer->next_bound = -1;
    return attempt(param, &s, error);
}

static void commit(ngi_param *param, const void *options)
{
    sgd_scalars s = scalars(param, options);
    ngi_run run;
    double sum = 0;
    ngi_run_begin(&run, param, 1);
    while (ngi_run_next(&run))
        sum +=
            kernels[param->w.dtype](run.n, &s, run.g, ngi_run_state(&run, &param->tensor[MOMENTUM]),
                                    run.w, param->report.wanted);
    param->report.update_norm = sqrt(sum);
    param->tensor[MOMENTUM].bound = param->tensor[MOMENTUM].next_bound;
}

static const char *const decay_kinds[] = {"decoupled", "coupled", NULL};

#define FIELD(field) #field, .offset = offsetof(ng_sgd_options, field)
static const ng_option table[] = {
    {FIELD(lr), .kind = NG_OPTION_REAL, .value = 0.05, .min = 0, .max = DBL_MAX,
     .doc = "learning rate"},
    {FIELD(momentum), .kind = NG_OPTION_REAL, .value = 0.9, .min = 0, .max = 1, .below = 1,
     .doc = "weight of the old average: b <- momentum b + g"},
    {FIELD(nesterov), .kind = NG_OPTION_SWITCH, .value = 0, .min = 0, .max = 1,
     .doc = "step along g + momentum b"},
    {FIELD(weight_decay), .kind = NG_OPTION_REAL, .value = 0, .min = 0, .max = DBL_MAX,
     .doc = "weight decay per unit of lr"},
    {FIELD(weight_decay_kind), .kind = NG_OPTION_CHOICE, .value = NG_DECAY_DECOUPLED, .min = 0,
     .max = 1, .choices = decay_kinds, .doc = "decay apart from the gradient, or added to it"},
    {.name = NULL},
};

const ng_method ngi_method_sgd = {
    .name = "sgd",
    .elementwise = 1,
    .options_size = sizeof(ng_sgd_options),
    .options = table,
    .create = create,
    .prepare = prepare,
    .commit = commit,
};

ng_status ng_sgd_init_sized(ng_sgd_options *options, size_t size)
{
    return ngi_method_defaults(options, size, &ngi_method_sgd);
}
