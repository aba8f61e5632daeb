/* IVON (natgrad/ivon.h). Momentum, h and the new mean are made aside; commit takes them over. */
#include <natgrad/ivon.h>

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "lib/core/clones.h"
#include "lib/core/try.h"
#include "optim/front/range.h"
#include "optim/methods/elementwise.h"

enum { MOMENTUM, HESSIAN, PRODUCTS };
enum { PIECE = 256 };

typedef struct {
    double beta1, rest1, beta2, rest2; /* rest = 1 - beta */
    double debias;                     /* 1 / (1 - beta1^t) */
    double delta, ess, lr, radius;
    double part; /* 1 / samples whose products were summed */
} ivon_scalars;

#define T float
#define K(name) f32_##name
#include "optim/methods/ivon_kernels.h"
#undef T
#undef K

#define T double
#define K(name) f64_##name
#include "optim/methods/ivon_kernels.h"
#undef T
#undef K

static void (*const product_kernels[2])(size_t, double, double, const void *, const void *,
                                        const void *, const void *,
                                        void *) = {f32_products, f64_products};
static void (*const deviation_kernels[2])(size_t, double, double, const void *,
                                          void *) = {f32_deviations, f64_deviations};
static void (*const step_kernels[2])(size_t, const ivon_scalars *, const void *, const void *,
                                     const void *, const void *, const void *, void *, void *,
                                     void *) = {f32_step, f64_step};

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    const ng_ivon_options *o = options;
    size_t rows = param->w.rows, cols = param->w.cols;
    TRY(ngi_param_tensor(param, "momentum", rows, cols, param->w.dtype, NGI_SPARE, error));
    TRY(ngi_param_tensor(param, "hessian", rows, cols, param->w.dtype, NGI_SPARE, error));
    TRY(ngi_param_tensor(param, "products", rows, cols, param->w.dtype, NGI_IN_PLACE, error));
    ngi_tensor_start(param, "hessian", NGI_FILL);
    param->tensor[HESSIAN].fill = o->hess_init;
    ngi_param_update(param);
    return NG_OK;
}

/* Element e of a dense view. */
static void *at(ng_mat m, size_t e)
{
    return (char *)m.data + e * ng_dtype_size(m.dtype);
}

/* The number of a run's first element. */
static size_t first_of(const ngi_run *run)
{
    return run->i * run->cols + run->j;
}

/* sum <- n products of a run's gradient from its element k on, beside keep times what it was */
static void add_products(const ngi_run *run, const ng_ivon_options *o, size_t k, size_t n,
                         void *sum, double keep)
{
    const ngi_param *param = run->param;
    const size_t size = ng_dtype_size(param->w.dtype), e = first_of(run) + k;
    product_kernels[param->w.dtype](
        n, keep, o->weight_decay, (const char *)run->g + k * size, (const char *)run->w + k * size,
        param->sampled ? at(param->mean, e) : NULL, at(param->tensor[HESSIAN].now, e), sum);
}

static void accumulate(ngi_param *param, const void *options, double keep)
{
    ngi_run run;
    param->g = param->dw;
    for (ngi_run_begin(&run, param, 0); ngi_run_next(&run);)
        add_products(&run, options, 0, run.n, ngi_run_state(&run, &param->tensor[PRODUCTS]), keep);
}

static void deviations(const ngi_param *param, const void *options, void *out, size_t first,
                       size_t n)
{
    const ng_ivon_options *o = options;
    deviation_kernels[param->w.dtype](n, 1 / sqrt(o->ess), o->weight_decay,
                                      at(param->tensor[HESSIAN].now, first), out);
}

static ivon_scalars scalars(const ngi_param *param, const ng_ivon_options *o)
{
    return (ivon_scalars){
        .beta1 = o->beta1,
        .rest1 = 1 - o->beta1,
        .beta2 = o->beta2,
        .rest2 = 1 - o->beta2,
        .debias = 1 / (1 - pow(o->beta1, (double)(param->step + 1))),
        .delta = o->weight_decay,
        .ess = o->ess,
        .lr = o->lr * (o->hess_init + o->weight_decay),
        .radius = fmin(o->clip_radius, ngi_dtype_max(param->w.dtype)),
        .part = param->micro > 0 ? 1 / (double)param->micro : 1,
    };
}

/* n elements of a run from its element k on. */
static void step_piece(const ngi_run *run, const ivon_scalars *s, const ng_ivon_options *o,
                       size_t k, size_t n)
{
    const ngi_param *param = run->param;
    const ngi_tensor *momentum = &param->tensor[MOMENTUM], *h = &param->tensor[HESSIAN];
    const size_t size = ng_dtype_size(param->w.dtype), e = first_of(run) + k;
    double own[PIECE];
    if (param->micro == 0)
        add_products(run, o, k, n, own, 0);
    step_kernels[param->w.dtype](
        n, s, (const char *)run->g + k * size,
        param->micro > 0 ? at(param->tensor[PRODUCTS].now, e) : (void *)own,
        param->sampled ? at(param->mean, e) : (char *)run->w + k * size, at(momentum->now, e),
        at(h->now, e), at(momentum->next, e), at(h->next, e), at(param->update, e));
}

static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    ivon_scalars s = scalars(param, options);
    ngi_run run;
    (void)work;
    TRY(ngi_check_gradient(param, HUGE_VAL, error));
    for (ngi_run_begin(&run, param, 0); ngi_run_next(&run);)
        for (size_t k = 0; k < run.n; k += PIECE)
            step_piece(&run, &s, options, k, run.n - k < PIECE ? run.n - k : PIECE);
    param->tensor[MOMENTUM].fresh = param->tensor[HESSIAN].fresh = 1;
    return ng_max_abs(param->update) <= ngi_dtype_max(ngi_own_weights(param).dtype)
               ? NG_OK
               : ngi_step_overflows(param, error);
}

static void commit(ngi_param *param, const void *options)
{
    const ng_dtype dtype = param->w.dtype;
    double sum = 0;
    ngi_run run;
    (void)options;
    for (ngi_run_begin(&run, param, 1); ngi_run_next(&run);) {
        const size_t e = first_of(&run);
        ng_mat old = {param->sampled ? at(param->mean, e) : run.w, 1, run.n, run.n, dtype};
        ng_mat next = {at(param->update, e), 1, run.n, run.n, dtype};
        for (size_t j = 0; j < run.n && param->report.wanted; j++)
            sum += pow(ng_mat_get(next, 0, j) - ng_mat_get(old, 0, j), 2);
        memcpy(run.w, next.data, run.n * ng_dtype_size(dtype));
    }
    param->report.update_norm = sqrt(sum);
    if (param->micro > 0)
        ng_fill(param->tensor[PRODUCTS].now, 0);
    param->sampled = 0;
}

#define FIELD(field) #field, .offset = offsetof(ng_ivon_options, field)
static const ng_option table[] = {
    {FIELD(lr), .kind = NG_OPTION_REAL, .value = 0.1, .min = 0, .max = DBL_MAX,
     .doc = "learning rate"},
    {FIELD(ess), .kind = NG_OPTION_REAL, .value = 10000, .min = 1e-30, .max = 1e30,
     .doc = "effective sample size: of the training set"},
    {FIELD(hess_init), .kind = NG_OPTION_REAL, .value = 1, .min = 1e-30, .max = 1e30,
     .doc = "the Hessian's estimate at first"},
    {FIELD(beta1), .kind = NG_OPTION_REAL, .value = 0.9, .min = 0, .max = 1, .below = 1,
     .doc = "decay of the momentum"},
    {FIELD(beta2), .kind = NG_OPTION_REAL, .value = 0.99999, .min = 0, .max = 1, .below = 1,
     .doc = "decay of the Hessian's estimate"},
    {FIELD(weight_decay), .kind = NG_OPTION_REAL, .value = 1e-4, .min = 0, .max = DBL_MAX,
     .doc = "precision of the prior per sample"},
    {FIELD(clip_radius), .kind = NG_OPTION_REAL, .value = 1e30, .min = 1e-30, .max = DBL_MAX,
     .doc = "largest element of a step before lr"},
    {.name = NULL},
};

const ng_method ngi_method_ivon = {
    .name = "ivon",
    .elementwise = 1,
    .options_size = sizeof(ng_ivon_options),
    .options = table,
    .create = create,
    .prepare = prepare,
    .accumulate = accumulate,
    .deviations = deviations,
    .commit = commit,
};

ng_status ng_ivon_init_sized(ng_ivon_options *options, size_t size)
{
    return ngi_method_defaults(options, size, &ngi_method_ivon);
}
