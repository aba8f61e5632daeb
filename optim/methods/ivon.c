/* IVON (natgrad/ivon.h). A pass that only reads says whether the step can be made; commit makes it,
 * momentum and h in their places. */
#include <natgrad/ivon.h>

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/clones.h"
#include "lib/core/try.h"
#include "optim/front/range.h"
#include "optim/methods/elementwise.h"

enum { MOMENTUM, HESSIAN, PRODUCTS };
enum { PIECE = 512 }; /* elements that stay in the cache between kernels */

typedef struct {
    double beta1, rest1, beta2, rest2; /* rest = 1 - beta */
    double debias;                     /* 1 / (1 - beta1^t) */
    double delta, ess, lr, radius;
    double part; /* 1 / samples whose products were summed */
} ivon_scalars;

/* Elements side by side. */
typedef struct {
    size_t n;
    const void *g, *products,
        *mean; /* mean: NULL where w is no sample; products: of noise w - mean */
    void *momentum, *h, *w;
} ivon_piece;

/* Largest |g|, |products (h + delta)|, |mean|, |h|, and the smallest h + delta, 0 if that is less.
 */
typedef struct {
    double g, f, mean, h, precision;
} ivon_extent;

#define T float
#define B int32_t
#define SQRT sqrtf
#define K(name) f32_##name
#include "optim/methods/ivon_kernels.h"
#undef T
#undef B
#undef SQRT
#undef K

#define T double
#define B int64_t
#define SQRT sqrt
#define K(name) f64_##name
#include "optim/methods/ivon_kernels.h"
#undef T
#undef B
#undef SQRT
#undef K

static void (*const product_kernels[2])(const ivon_piece *, double, void *, int) = {f32_products,
                                                                                    f64_products};
static void (*const deviation_kernels[2])(size_t, double, double, const void *,
                                          void *) = {f32_deviations, f64_deviations};
static void (*const surveys[2])(const ivon_piece *, double, ivon_extent *) = {f32_survey,
                                                                              f64_survey};
static double (*const kernels[2])(const ivon_piece *, const ivon_scalars *, int) = {f32_run,
                                                                                    f64_run};
static int (*const trials[2])(const ivon_piece *, const ivon_scalars *, double) = {f32_try,
                                                                                   f64_try};

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    const ng_ivon_options *o = options;
    size_t rows = param->w.rows, cols = param->w.cols;
    TRY(ngi_param_tensor(param, "momentum", rows, cols, param->w.dtype, NGI_IN_PLACE, error));
    TRY(ngi_param_tensor(param, "hessian", rows, cols, param->w.dtype, NGI_IN_PLACE, error));
    TRY(ngi_param_tensor(param, "products", rows, cols, param->w.dtype, NGI_IN_PLACE, error));
    ngi_tensor_start(param, "hessian", NGI_FILL);
    param->tensor[HESSIAN].fill = o->hess_init;
    return NG_OK;
}

/* ---- By pieces -------------------------------------------------------------------------------
 */

/* Element e of a dense view. */
static void *at(ng_mat m, size_t e)
{
    return (char *)m.data + e * ng_dtype_size(m.dtype);
}

/* Those of a run from its element k on, with the sums of products. */
static ivon_piece piece_of(const ngi_run *run, size_t k)
{
    const ngi_param *param = run->param;
    const size_t offset = k * ng_dtype_size(param->w.dtype), e = run->i * run->cols + run->j + k;
    return (ivon_piece){
        .n = run->n - k < PIECE ? run->n - k : PIECE,
        .g = (const char *)run->g + offset,
        .w = (char *)run->w + offset,
        .mean = param->sampled ? at(param->mean, e) : NULL,
        .momentum = at(param->tensor[MOMENTUM].now, e),
        .h = at(param->tensor[HESSIAN].now, e),
        .products = at(param->tensor[PRODUCTS].now, e),
    };
}

/* Where none were summed the gradient's own: in `own`, or none if they are to be had on the way. */
static ivon_piece open_piece(const ngi_run *run, size_t k, const ng_ivon_options *o, void *own)
{
    ivon_piece p = piece_of(run, k);
    if (run->param->micro > 0)
        return p;
    p.products = NULL;
    if (run->param->sampled)
        return p;
    product_kernels[run->param->w.dtype](&p, o->weight_decay, own, 0);
    p.products = own;
    return p;
}

static void accumulate(ngi_param *param, const void *options, double keep)
{
    const ng_ivon_options *o = options;
    ngi_run run;
    param->g = param->dw;
    for (ngi_run_begin(&run, param, 0); ngi_run_next(&run);)
        for (size_t k = 0; k < run.n; k += PIECE) {
            ivon_piece p = piece_of(&run, k);
            product_kernels[param->w.dtype](&p, o->weight_decay, (void *)p.products, keep > 0);
        }
}

static void deviations(const ngi_param *param, const void *options, void *out, size_t first,
                       size_t n)
{
    const ng_ivon_options *o = options;
    deviation_kernels[param->w.dtype](n, 1 / sqrt(o->ess), o->weight_decay,
                                      at(param->tensor[HESSIAN].now, first), out);
}

/* ---- The step --------------------------------------------------------------------------------
 */

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

static void extend(ivon_extent *all, const ivon_extent *piece)
{
    all->g = fmax(all->g, piece->g);
    all->f = fmax(all->f, piece->f);
    all->mean = fmax(all->mean, piece->mean);
    all->h = fmax(all->h, piece->h);
    all->precision = fmin(all->precision, piece->precision);
}

static ivon_extent survey(const ngi_param *param, const ng_ivon_options *o)
{
    ivon_extent all = {.precision = INFINITY}, piece;
    double own[PIECE];
    ngi_run run;
    for (ngi_run_begin(&run, param, 0); ngi_run_next(&run);)
        for (size_t k = 0; k < run.n; k += PIECE) {
            ivon_piece p = open_piece(&run, k, o, own);
            surveys[param->w.dtype](&p, o->weight_decay, &piece);
            extend(&all, &piece);
        }
    return all;
}

/* Does that suffice to know that a step leaves finite numbers, where momentum ends within m?
 * With p = h + delta and u = f - h the new h + delta is p + (1 - beta2) u + ((1 - beta2) u)^2 /
 * (2 p) >= p / 2; a quarter where delta is too small to have swallowed p's last bits. */
static int stays_finite(const ngi_param *param, const ivon_scalars *s, const ivon_extent *x,
                        double m)
{
    const double rounding = 1 + 32 * ng_dtype_eps(param->w.dtype), p = x->precision;
    const double limit = ngi_dtype_max(param->w.dtype) / rounding;
    const double f = x->f * s->ess * s->part * rounding, off = x->h + f;
    const double square = 0.5 * s->rest2 * s->rest2 * off * off * rounding;
    const double h = (s->beta2 * x->h + s->rest2 * f + square / p) * rounding;
    const double numerator = (m * s->debias + s->delta * x->mean) * rounding;
    const double step = fmin(s->radius, numerator / (p / 4)), w = x->mean + s->lr * step;
    const double least = param->w.dtype == NG_F32 ? 1e-30 : 1e-290;
    return p >= least && p >= 0.001 * s->delta && s->delta <= limit && s->lr <= limit &&
           off <= limit && square <= limit && h <= limit && numerator <= limit &&
           s->lr * step <= limit &&
           w * rounding <= ngi_dtype_max(ngi_own_weights(param).dtype) / rounding;
}

/* The step made on copies: is everything finite afterwards? */
static ng_status attempt(const ngi_param *param, const ivon_scalars *s, const ng_ivon_options *o,
                         ng_error *error)
{
    const double limit = ngi_dtype_max(ngi_own_weights(param).dtype);
    double own[PIECE];
    ngi_run run;
    for (ngi_run_begin(&run, param, 0); ngi_run_next(&run);)
        for (size_t k = 0; k < run.n; k += PIECE) {
            ivon_piece p = open_piece(&run, k, o, own);
            if (!trials[param->w.dtype](&p, s, limit))
                return ngi_step_overflows(param, error);
        }
    return NG_OK;
}

/* What the step makes is finite: by bounds, and only where those do not suffice by trying. */
static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    const ivon_scalars s = scalars(param, options);
    const ivon_extent extent = survey(param, options);
    ngi_tensor *momentum = &param->tensor[MOMENTUM];
    (void)work;
    if (!isfinite(extent.g))
        TRY(ngi_check_gradient(param, HUGE_VAL, error));
    momentum->next_bound = (s.beta1 * ngi_tensor_bound(momentum) + s.rest1 * extent.g) *
                           (1 + 8 * ng_dtype_eps(param->w.dtype));
    if (stays_finite(param, &s, &extent, momentum->next_bound))
        return NG_OK;
    momentum->next_bound = -1;
    return attempt(param, &s, options, error);
}

static void commit(ngi_param *param, const void *options)
{
    const ivon_scalars s = scalars(param, options);
    double own[PIECE], sum = 0;
    ngi_run run;
    for (ngi_run_begin(&run, param, 1); ngi_run_next(&run);)
        for (size_t k = 0; k < run.n; k += PIECE) {
            ivon_piece p = open_piece(&run, k, options, own);
            sum += kernels[param->w.dtype](&p, &s, param->report.wanted);
        }
    param->report.update_norm = sqrt(sum);
    param->tensor[MOMENTUM].bound = param->tensor[MOMENTUM].next_bound;
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
