/* Stochastic gradient descent with momentum (natgrad/sgd.h). */
#include <natgrad/sgd.h>

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "lib/core/clones.h"
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

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    (void)options;
    return ngi_param_tensor(param, MOMENTUM, "momentum", param->w.rows, param->w.cols,
                            param->w.dtype, NGI_IN_PLACE, error);
}

static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    const ng_sgd_options *o = options;
    double largest = param->w.dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
    (void)work;
    /* the buffer is at most the largest gradient / (1 - momentum) */
    return ngi_check_gradient(param, largest * (1 - o->momentum) / 2, error);
}

static void commit(ngi_param *param, const void *options)
{
    const ng_sgd_options *o = options;
    int coupled = o->weight_decay_kind == NG_DECAY_COUPLED;
    sgd_scalars s = {
        .lr = o->lr,
        .keep = coupled ? 1 : 1 - o->lr * o->weight_decay,
        .coupled = coupled ? o->weight_decay : 0,
        .old = param->step == 0 ? 0 : o->momentum,
        .new_weight = o->nesterov ? 1 : 0,
        .b_weight = o->nesterov ? o->momentum : 1,
    };
    size_t rows, cols;
    double sum = 0;
    ngi_row_shape(param, &rows, &cols);
    for (size_t i = 0; i < rows; i++)
        sum += kernels[param->w.dtype](cols, &s, ngi_row(param->g, i),
                                       ngi_row(param->tensor[MOMENTUM].now, i),
                                       ngi_row(param->w, i), param->report.wanted);
    param->report.update_norm = sqrt(sum);
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

void ng_sgd_init(ng_sgd_options *options)
{
    ngi_options_defaults(options, &ngi_method_sgd);
}
