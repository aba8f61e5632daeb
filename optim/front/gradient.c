/* Between the caller's gradients and the methods: accumulation over
 * micro-batches and clipping. No method knows: it reads the view g, which is
 * the caller's gradient or a dense copy. */
#include "optim/front/front.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "optim/front/range.h"

typedef ng_status (*visit)(ngi_param *param, const ng_optimizer *optimizer, ng_error *error);

static ng_status for_each(ng_optimizer *optimizer, visit call)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            TRY(call(optimizer->groups[g]->params[i], optimizer, &optimizer->error));
    return NG_OK;
}

/* Of those that take part in the coming step; the one that fails is its culprit. */
static ng_status for_active(ng_optimizer *optimizer, visit call)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            optimizer->culprit = optimizer->groups[g]->params[i];
            if (ngi_active(optimizer->culprit))
                TRY(call(optimizer->groups[g]->params[i], optimizer, &optimizer->error));
        }
    optimizer->culprit = NULL;
    return NG_OK;
}

static ng_status check_bound(const ngi_param *param, ng_error *error)
{
    if (param->dw.data != NULL && (!ngi_biased(param) || param->dbias.data != NULL))
        return NG_OK;
    return ng_error_set(error, NG_ENODATA, "parameter '%.60s': no gradient was bound%s (%s)",
                        param->name, param->dw.data != NULL ? " to its bias" : "",
                        param->dw.data != NULL ? "ng_group_add_bias" : "ng_group_rebind");
}

/* A copy of that shape, zero, unless there is one. */
static ng_status ensure(ng_mat *copy, ng_mat of, ng_error *error)
{
    return of.rows == 0 || copy->data != NULL
               ? NG_OK
               : ngi_mat_create(copy, of.rows, of.cols, of.dtype, error);
}

/* ---- Accumulation --------------------------------------------------------------------- */

static ng_status reserve(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    (void)optimizer;
    TRY(ensure(&param->sum, param->w, error));
    return ensure(&param->sum_bias, param->bias, error);
}

ng_status ngi_gradients_reserve(ng_optimizer *optimizer)
{
    return for_each(optimizer, reserve);
}

/* The gradient is finite, and so is its sum with those before. */
static ng_status check_part(const ngi_param *param, ng_mat sum, ng_mat dw, int empty,
                            ng_error *error)
{
    double max = ng_max_abs(dw);
    if (!isfinite(max))
        return ng_error_set(error, NG_ENONFINITE,
                            "parameter '%.60s': gradient holds NaN or infinity", param->name);
    if (empty || max <= ngi_dtype_harmless(sum.dtype) ||
        ng_max_abs(sum) + max <= ngi_dtype_max(sum.dtype))
        return NG_OK;
    return ng_error_set(error, NG_ERANGE,
                        "parameter '%.60s': the sum of its gradients overflows its dtype",
                        param->name);
}

static ng_status check(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    int empty = optimizer->micro == 0;
    TRY(reserve(param, optimizer, error));
    if (param->frozen)
        return NG_OK;
    TRY(check_bound(param, error));
    TRY(check_part(param, param->sum, param->dw, empty, error));
    return check_part(param, param->sum_bias, param->dbias, empty, error);
}

static ng_status add(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    double keep = optimizer->micro > 0 ? 1 : 0;
    if (param->frozen) { /* its gradient counts as 0 */
        ng_scale(param->sum, keep);
        ng_scale(param->sum_bias, keep);
        return NG_OK;
    }
    TRY(ngi_narrow_axpby(param->sum, param->dw, 1, keep, error));
    return !ngi_biased(param) ? NG_OK
                              : ngi_narrow_axpby(param->sum_bias, param->dbias, 1, keep, error);
}

/* Those that want more of each gradient than the sum. */
static void tell_methods(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count && group->method->accumulate != NULL; i++)
            if (!group->params[i]->frozen && !group->params[i]->elsewhere)
                group->method->accumulate(group->params[i], group->options,
                                          optimizer->micro > 0 ? 1 : 0);
    }
}

ng_status ng_optimizer_accumulate(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    ngi_begin(optimizer);
    TRY(for_each(optimizer, check));
    TRY(for_each(optimizer, add));
    tell_methods(optimizer);
    optimizer->micro++;
    return NG_OK;
}

static ng_status drop_captures(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    (void)optimizer, (void)error;
    param->captured = 0;
    return NG_OK;
}

void ng_optimizer_drop(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return;
    ngi_begin(optimizer);
    optimizer->micro = 0;
    ngi_shards_drop(optimizer);
    for_each(optimizer, drop_captures);
}

/* ---- The gradient of a step --------------------------------------------------------------- */

static ng_status take(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    (void)optimizer;
    TRY(check_bound(param, error));
    param->micro = 0;
    param->g = param->dw;
    param->g_bias = param->dbias;
    return NG_OK;
}

static double norm_of(const ngi_param *param)
{
    return hypot(ng_norm(param->staged), ng_norm(param->staged_bias));
}

static ng_status stage(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    int summed = optimizer->micro > 0, biased = ngi_biased(param);
    double part = summed ? 1 / (double)optimizer->micro : 1;
    if (summed && (param->sum.data == NULL || (biased && param->sum_bias.data == NULL)))
        return ng_error_set(error, NG_ENODATA,
                            "parameter '%.60s' was added after gradients were accumulated",
                            param->name);
    if (!summed)
        TRY(check_bound(param, error));
    TRY(ensure(&param->staged, param->w, error));
    TRY(ensure(&param->staged_bias, param->bias, error));
    TRY(ngi_narrow_axpby(param->staged, summed ? param->sum : param->dw, part, 0, error));
    if (biased)
        TRY(ngi_narrow_axpby(param->staged_bias, summed ? param->sum_bias : param->dbias, part, 0,
                             error));
    param->micro = optimizer->micro;
    param->gradient_norm = norm_of(param);
    /* before clipping: a clipped infinity would look harmless */
    if (!isfinite(param->gradient_norm) &&
        (!ng_is_finite(param->staged) || !ng_is_finite(param->staged_bias)))
        return ng_error_set(error, NG_ENONFINITE,
                            "parameter '%.60s': gradient holds NaN or infinity", param->name);
    if (optimizer->clip_value > 0) {
        ng_clamp(param->staged, optimizer->clip_value);
        ng_clamp(param->staged_bias, optimizer->clip_value);
    }
    param->g = param->staged;
    param->g_bias = param->staged_bias;
    return NG_OK;
}

/* ---- Clipping by the norm ------------------------------------------------------------------ */

static double whole_norm(const ng_optimizer *optimizer)
{
    double norm = 0;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (ngi_active(optimizer->groups[g]->params[i]))
                norm = hypot(norm, norm_of(optimizer->groups[g]->params[i]));
    return norm;
}

static void scale_all(ng_optimizer *optimizer, double factor)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            const ngi_param *param = optimizer->groups[g]->params[i];
            if (!ngi_active(param))
                continue;
            ng_scale(param->staged, factor);
            ng_scale(param->staged_bias, factor);
        }
}

/* A norm beyond DBL_MAX, and a factor below what float resolves, are met by first factors that are
 * a power of two and cost no digits. */
static void clip(ng_optimizer *optimizer)
{
    const double small = 0x1p-100;
    double norm = whole_norm(optimizer), first = 1;
    if (!(norm > optimizer->clip_norm))
        return;
    while (isinf(norm) || optimizer->clip_norm / norm < small) {
        scale_all(optimizer, small);
        norm = isinf(norm) ? whole_norm(optimizer) : norm * small;
        first *= small;
    }
    scale_all(optimizer, optimizer->clip_norm / norm);
    optimizer->clip_factor = optimizer->clip_norm / norm * first;
}

ng_status ngi_gradients_stage(ng_optimizer *optimizer)
{
    optimizer->staged =
        optimizer->micro > 0 || optimizer->clip_norm > 0 || optimizer->clip_value > 0;
    optimizer->clip_factor = 1;
    TRY(for_active(optimizer, optimizer->staged ? stage : take));
    if (optimizer->clip_norm > 0)
        clip(optimizer);
    return NG_OK;
}

static ng_status forget(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    (void)optimizer, (void)error;
    param->captured = ngi_active(param) ? param->captured : 0;
    param->skipped = 0;
    return NG_OK;
}

void ngi_gradients_reset(ng_optimizer *optimizer)
{
    optimizer->micro = 0;
    for_each(optimizer, forget);
}
