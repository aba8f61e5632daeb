/* Adam with decoupled weight decay (natgrad/adamw.h). */
#include <natgrad/adamw.h>

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "lib/core/clones.h"
#include "lib/core/try.h"
#include "optim/front/range.h"
#include "optim/methods/elementwise.h"

enum { FIRST_MOMENT, SECOND_MOMENT };

/* What the kernel needs, all powers and roots taken outside the loop. */
typedef struct {
    double beta1, rest1, beta2, rest2; /* rest = 1 - beta */
    double keep;                       /* 1 - lr weight_decay */
    double step_size;                  /* lr / (1 - beta1^t) */
    double root_scale;                 /* 1 / sqrt(1 - beta2^t) */
    double eps;
} adamw_scalars;

#define T float
#define SQRT sqrtf
#define K(name) f32_##name
#include "optim/methods/adamw_kernels.h"
#undef T
#undef SQRT
#undef K

#define T double
#define SQRT sqrt
#define K(name) f64_##name
#include "optim/methods/adamw_kernels.h"
#undef T
#undef SQRT
#undef K

static double (*const kernels[2])(size_t, const adamw_scalars *, const void *, void *, void *,
                                  void *, int) = {f32_run, f64_run};
static int (*const trials[2])(size_t, const adamw_scalars *, const void *, const void *,
                              const void *, const void *, double) = {f32_try, f64_try};

/* Largest |g| whose square, and so the second moment, stays finite. */
static double gradient_limit(ng_dtype dtype)
{
    return sqrt(ngi_dtype_max(dtype)) * 0.99;
}

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    (void)options;
    size_t rows = param->w.rows, cols = param->w.cols;
    TRY(ngi_param_tensor(param, "first_moment", rows, cols, param->w.dtype, NGI_IN_PLACE, error));
    TRY(ngi_param_tensor(param, "second_moment", rows, cols, param->w.dtype, NGI_IN_PLACE, error));
    param->tensor[SECOND_MOMENT].legal = NGI_NONNEGATIVE;
    return NG_OK;
}

static adamw_scalars scalars(const ngi_param *param, const ng_adamw_options *o)
{
    double t = (double)(param->step + 1);
    adamw_scalars s = {
        .beta1 = o->beta1,
        .rest1 = 1 - o->beta1,
        .beta2 = o->beta2,
        .rest2 = 1 - o->beta2,
        .keep = 1 - o->lr * o->weight_decay,
        .step_size = o->lr / (1 - pow(o->beta1, t)),
        .root_scale = 1 / sqrt(1 - pow(o->beta2, t)),
        .eps = o->eps,
    };
    return s;
}

/* The step made on copies: is everything finite afterwards? */
static ng_status attempt(const ngi_param *param, const adamw_scalars *s, ng_error *error)
{
    ngi_run run;
    ngi_run_begin(&run, param, 0);
    while (ngi_run_next(&run))
        if (!trials[param->w.dtype](run.n, s, run.g,
                                    ngi_run_state(&run, &param->tensor[FIRST_MOMENT]),
                                    ngi_run_state(&run, &param->tensor[SECOND_MOMENT]), run.w,
                                    ngi_dtype_max(ngi_own_weights(param).dtype)))
            return ngi_step_overflows(param, error);
    return NG_OK;
}

/* What the step makes is finite: by bounds on moments and step that cost no pass over memory, and
 * only where those do not suffice by trying. */
static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    ngi_tensor *first = &param->tensor[FIRST_MOMENT], *second = &param->tensor[SECOND_MOMENT];
    adamw_scalars s = scalars(param, options);
    double rounding = 1 + 8 * ng_dtype_eps(param->w.dtype);
    double limit = ngi_dtype_max(param->w.dtype) / rounding, max;
    (void)work;
    TRY(ngi_gradient_bound(&max, param, gradient_limit(param->w.dtype), error));
    double m = (s.beta1 * ngi_tensor_bound(first) + s.rest1 * max) * rounding;
    double v = (s.beta2 * ngi_tensor_bound(second) + s.rest2 * max * max) * rounding;
    first->next_bound = m;
    second->next_bound = v;
    if (m <= limit && v <= limit && s.step_size <= limit &&
        ngi_weights_stay_finite(param, s.keep, s.step_size * m / s.eps))
        return NG_OK;
    first->next_bound = second->next_bound = -1;
    return attempt(param, &s, error);
}

static void commit(ngi_param *param, const void *options)
{
    adamw_scalars s = scalars(param, options);
    ngi_run run;
    double sum = 0;
    ngi_run_begin(&run, param, 1);
    while (ngi_run_next(&run))
        sum += kernels[param->w.dtype](
            run.n, &s, run.g, ngi_run_state(&run, &param->tensor[FIRST_MOMENT]),
            ngi_run_state(&run, &param->tensor[SECOND_MOMENT]), run.w, param->report.wanted);
    param->report.update_norm = sqrt(sum);
    for (int i = FIRST_MOMENT; i <= SECOND_MOMENT; i++)
        param->tensor[i].bound = param->tensor[i].next_bound;
}

#define FIELD(field) #field, .offset = offsetof(ng_adamw_options, field)
static const ng_option table[] = {
    {FIELD(lr), .kind = NG_OPTION_REAL, .value = 1e-3, .min = 0, .max = DBL_MAX,
     .doc = "learning rate"},
    {FIELD(beta1), .kind = NG_OPTION_REAL, .value = 0.9, .min = 0, .max = 1, .below = 1,
     .doc = "decay of the first moment"},
    {FIELD(beta2), .kind = NG_OPTION_REAL, .value = 0.999, .min = 0, .max = 1, .below = 1,
     .doc = "decay of the second moment"},
    {FIELD(eps), .kind = NG_OPTION_REAL, .value = 1e-8, .min = 1e-30, .max = DBL_MAX,
     .doc = "added to the root of the second moment"},
    {FIELD(weight_decay), .kind = NG_OPTION_REAL, .value = 0.01, .min = 0, .max = DBL_MAX,
     .doc = "decoupled weight decay per unit of lr"},
    {.name = NULL},
};

const ng_method ngi_method_adamw = {
    .name = "adamw",
    .elementwise = 1,
    .options_size = sizeof(ng_adamw_options),
    .options = table,
    .create = create,
    .prepare = prepare,
    .commit = commit,
};

ng_status ng_adamw_init_sized(ng_adamw_options *options, size_t size)
{
    return ngi_method_defaults(options, size, &ngi_method_adamw);
}
