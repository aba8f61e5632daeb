/* One parameter: what it holds, how it comes and goes. */
#include "optim/front/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "optim/front/range.h"

/* ---- State ---------------------------------------------------------------------- */

void ngi_param_update(ngi_param *param)
{
    param->has_update = 1;
    param->update = (ng_mat){NULL, param->rows, param->cols, param->cols, param->w.dtype};
}

/* m, declared as a shape, with memory */
static ng_status allocate(ng_mat *m, ng_error *error)
{
    return ngi_mat_create(m, m->rows, m->cols, m->dtype, error);
}

static ng_status allocate_tensor(ngi_tensor *tensor, int lent, ng_error *error)
{
    TRY(allocate(&tensor->now, error));
    if (tensor->start == NGI_ONES)
        ng_fill(tensor->now, 1);
    if (tensor->start == NGI_FILL)
        ng_fill(tensor->now, tensor->fill);
    if (tensor->start == NGI_IDENTITY)
        ng_set_identity(tensor->now);
    return tensor->spare && !lent ? allocate(&tensor->next, error) : NG_OK;
}

ng_status ngi_param_create_state(ngi_param *param, const ng_group *group, ng_error *error)
{
    if (ngi_is_narrow(param) && param->stochastic && group->method->needs_weights != NULL &&
        group->method->needs_weights(group->options))
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "parameter '%.60s': %s needs a copy of the weights in f32 "
                            "(rounding = master)",
                            param->name, group->method->name);
    TRY(group->method->create(param, group->options, error));
    TRY(ngi_narrow_declare(param, error));
    param->lent = group->optimizer->atomic == NG_ATOMIC_PARAMETER && ngi_param_spare(param) > 0;
    for (size_t i = 0; i < param->tensor_count; i++)
        TRY(allocate_tensor(&param->tensor[i], param->lent, error));
    ngi_narrow_bind(param);
    return param->has_update && !param->lent ? allocate(&param->update, error) : NG_OK;
}

static ng_status lend(ng_mat *m, ng_work *work, ng_error *error)
{
    return ng_work_mat(work, m, m->rows, m->cols, m->dtype, error);
}

ng_status ngi_param_lend(ngi_param *param, ng_work *work, ng_error *error)
{
    for (size_t i = 0; i < param->tensor_count; i++)
        if (param->tensor[i].spare)
            TRY(lend(&param->tensor[i].next, work, error));
    return param->has_update ? lend(&param->update, work, error) : NG_OK;
}

void ngi_param_withdraw(ngi_param *param)
{
    for (size_t i = 0; i < param->tensor_count; i++)
        param->tensor[i].next.data = NULL;
    param->update.data = NULL;
}

static void free_data(ng_mat *m)
{
    free(m->data);
    m->data = NULL;
}

void ngi_param_leave_state(ngi_param *param, int captures)
{
    for (size_t i = 0; i < param->tensor_count; i++) {
        ngi_tensor *tensor = &param->tensor[i];
        free_data(&tensor->next);
        if (!captures || tensor->sharing == NGI_OWNERS)
            free_data(&tensor->now);
    }
    free_data(&param->update);
}

void ngi_param_drop_state(ngi_param *param)
{
    ngi_param_leave_state(param, 0);
    free(param->tensor);
}

void ngi_param_destroy(ngi_param *param)
{
    if (param == NULL)
        return;
    ngi_param_drop_state(param);
    free(param->sum.data);
    free(param->sum_bias.data);
    free(param->staged.data);
    free(param->staged_bias.data);
    free(param->mean.data);
    free(param->name);
    free(param);
}

static char *copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

ng_status ngi_param_create(ngi_param **result, const ng_group *group, const char *name, ng_mat w,
                           ng_mat dw, ng_error *error)
{
    ngi_param *param = calloc(1, sizeof *param);
    *result = NULL;
    if (param == NULL || (param->name = copy_string(name)) == NULL) {
        ngi_param_destroy(param);
        return ng_error_set(error, NG_ENOMEM, "no memory for parameter '%.60s'", name);
    }
    ngi_narrow_split(param, w);
    param->stochastic = group->optimizer->rounding == NG_ROUND_STOCHASTIC;
    param->key = ngi_narrow_key(group->optimizer->seed, name);
    param->dw = ngi_gradient_view(w, dw);
    param->rows = w.rows;
    param->cols = w.cols;
    ng_status status = ngi_param_create_state(param, group, error);
    if (status != NG_OK)
        ngi_param_destroy(param);
    else
        *result = param;
    return status;
}

/* ---- What the methods ask of it --------------------------------------------------- */

ng_status ngi_gradient_bound(double *max, const ngi_param *param, double limit, ng_error *error)
{
    double of_bias = ng_max_abs(param->g_bias);
    *max = ng_max_abs(param->g);
    if (isnan(of_bias) || of_bias > *max)
        *max = of_bias;
    if (!isfinite(*max))
        return ng_error_set(error, NG_ENONFINITE, "gradient holds NaN or infinity");
    if (*max > limit)
        return ng_error_set(error, NG_ERANGE, "gradient holds %g, more than %g", *max, limit);
    return NG_OK;
}

ng_status ngi_check_gradient(const ngi_param *param, double limit, ng_error *error)
{
    double max;
    return ngi_gradient_bound(&max, param, limit, error);
}

double ngi_weights_max(const ngi_param *param)
{
    double max = ng_max_abs(ngi_own_weights(param)), of_bias = ng_max_abs(ngi_own_bias(param));
    return isnan(of_bias) || of_bias > max ? of_bias : max;
}

int ngi_weights_stay_finite(const ngi_param *param, double keep, double step)
{
    ng_dtype dtype = ngi_own_weights(param).dtype;
    if (!ngi_is_half(dtype))
        return keep >= -1 && keep <= 1 && step <= ngi_dtype_harmless(dtype);
    /* what is added up in f32 is not lost by rounding: no step is harmless by itself. A master is
     * within half a last bit of the weight. */
    return fabs(keep) * ngi_weights_max(param) * (1 + ng_dtype_eps(dtype)) + step <=
           ngi_dtype_max(dtype);
}

ng_status ngi_check_weights(const ngi_param *param, double keep, double step, ng_error *error)
{
    ng_dtype dtype = ngi_own_weights(param).dtype;
    double limit = ngi_dtype_max(dtype) * (1 - 4 * ng_dtype_eps(param->w.dtype));
    if (ngi_weights_stay_finite(param, keep, step))
        return NG_OK;
    double max = ngi_weights_max(param);
    if (!isfinite(max))
        return ng_error_set(error, NG_ENONFINITE, "weights hold NaN or infinity");
    if (!ngi_is_half(dtype) && fabs(keep) * max + step <= limit && fabs(keep) <= limit)
        return NG_OK;
    return ng_error_set(error, NG_ERANGE,
                        "a step of up to %g overflows the dtype of weights of up to %g", step, max);
}
