/* Between the caller's gradients and the methods: accumulation over
 * micro-batches and clipping. No method knows: for the time of a step a dense
 * copy stands in the place of the caller's view. */
#include "optim/front/front.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"

typedef ng_status (*visit)(ngi_param *param, const ng_optimizer *optimizer, ng_error *error);

static ng_status for_each(ng_optimizer *optimizer, visit call)
{
    ng_status status = NG_OK;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count && status == NG_OK; i++)
            status = call(optimizer->groups[g]->params[i], optimizer, &optimizer->error);
    return status;
}

/* A copy of that shape, zero, unless there is one. */
static ng_status ensure(ng_mat *copy, ng_mat of, ng_error *error)
{
    return of.data == NULL || copy->data != NULL
               ? NG_OK
               : ngi_mat_create(copy, of.rows, of.cols, of.dtype, error);
}

/* ---- Accumulation --------------------------------------------------------------------- */

static ng_status reserve(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    (void)optimizer;
    ng_status status = ensure(&param->sum, param->dw, error);
    return status == NG_OK ? ensure(&param->sum_bias, param->dbias, error) : status;
}

static ng_status check(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    if (!ng_is_finite(param->dw) || !ng_is_finite(param->dbias))
        return ng_error_set(error, NG_ENONFINITE,
                            "parameter '%.60s': gradient holds NaN or infinity", param->name);
    return reserve(param, optimizer, error);
}

ng_status ngi_gradients_reserve(ng_optimizer *optimizer)
{
    return for_each(optimizer, reserve);
}

static ng_status add(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    double keep = optimizer->micro > 0 ? 1 : 0;
    ng_status status = ng_axpby(param->sum, param->dw, 1, keep, error);
    if (status == NG_OK && param->dbias.data != NULL)
        status = ng_axpby(param->sum_bias, param->dbias, 1, keep, error);
    return status;
}

ng_status ng_optimizer_accumulate(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_status status = for_each(optimizer, check);
    if (status == NG_OK)
        status = for_each(optimizer, add);
    if (status == NG_OK)
        optimizer->micro++;
    return status;
}

void ng_optimizer_drop(ng_optimizer *optimizer)
{
    if (optimizer != NULL)
        optimizer->micro = 0;
}

/* ---- The gradient of a step --------------------------------------------------------------- */

static ng_status load(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    int summed = optimizer->micro > 0, biased = param->dbias.data != NULL;
    double part = summed ? 1 / (double)optimizer->micro : 1;
    if (summed && (param->sum.data == NULL || (biased && param->sum_bias.data == NULL)))
        return ng_error_set(error, NG_ENODATA,
                            "parameter '%.60s' was added after gradients were accumulated",
                            param->name);
    ng_status status = ensure(&param->staged, param->dw, error);
    if (status == NG_OK)
        status = ensure(&param->staged_bias, param->dbias, error);
    if (status == NG_OK)
        status = ng_axpby(param->staged, summed ? param->sum : param->dw, part, 0, error);
    if (status == NG_OK && biased)
        status =
            ng_axpby(param->staged_bias, summed ? param->sum_bias : param->dbias, part, 0, error);
    if (status != NG_OK)
        return status;
    param->gradient_norm = hypot(ng_norm(param->staged), ng_norm(param->staged_bias));
    if (!isfinite(param->gradient_norm)) /* by norm: a clipped infinity would look harmless */
        return ng_error_set(error, NG_ENONFINITE,
                            "parameter '%.60s': gradient holds NaN or infinity", param->name);
    if (optimizer->clip_value > 0) {
        ng_clamp(param->staged, optimizer->clip_value);
        ng_clamp(param->staged_bias, optimizer->clip_value);
    }
    return NG_OK;
}

static ng_status rescale(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    (void)error;
    ng_scale(param->staged, optimizer->clip_factor);
    ng_scale(param->staged_bias, optimizer->clip_factor);
    return NG_OK;
}

static void exchange(ng_mat *a, ng_mat *b)
{
    ng_mat t = *a;
    *a = *b;
    *b = t;
}

static ng_status replace(ngi_param *param, const ng_optimizer *optimizer, ng_error *error)
{
    (void)optimizer, (void)error;
    exchange(&param->dw, &param->staged);
    exchange(&param->dbias, &param->staged_bias);
    return NG_OK;
}

ng_status ngi_gradients_stage(ng_optimizer *optimizer)
{
    double norm = 0;
    optimizer->staged = 0;
    optimizer->clip_factor = 1;
    if (optimizer->micro == 0 && optimizer->clip_norm == 0 && optimizer->clip_value == 0)
        return NG_OK;
    ng_status status = for_each(optimizer, load);
    if (status != NG_OK)
        return status;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            const ngi_param *param = optimizer->groups[g]->params[i];
            norm = hypot(norm, hypot(ng_norm(param->staged), ng_norm(param->staged_bias)));
        }
    if (optimizer->clip_norm > 0 && norm > optimizer->clip_norm) {
        optimizer->clip_factor = optimizer->clip_norm / norm;
        for_each(optimizer, rescale);
    }
    optimizer->staged = 1;
    return for_each(optimizer, replace);
}

void ngi_gradients_restore(ng_optimizer *optimizer)
{
    if (optimizer->staged)
        for_each(optimizer, replace); /* an exchange is its own inverse */
}

void ngi_gradients_reset(ng_optimizer *optimizer)
{
    optimizer->micro = 0;
}
