/* One parameter: its tensors, what it holds, how it comes and goes. */
#include "optim/front/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "optim/front/range.h"

/* ---- State ---------------------------------------------------------------------- */

ng_status ngi_param_tensor(ngi_param *param, const char *name, size_t rows, size_t cols,
                           ng_dtype dtype, int spare, ng_error *error)
{
    TRY(ngi_array_grow(&param->tensor, &param->tensor_capacity, param->tensor_count,
                       sizeof *param->tensor, error));
    ngi_tensor *tensor = &param->tensor[param->tensor_count++];
    *tensor = (ngi_tensor){.name = name};
    TRY(ngi_mat_create(&tensor->now, rows, cols, dtype, error));
    return spare ? ngi_mat_create(&tensor->next, rows, cols, dtype, error) : NG_OK;
}

ngi_tensor *ngi_tensor_find(const ngi_param *param, const char *name)
{
    for (size_t i = 0; i < param->tensor_count; i++)
        if (strcmp(param->tensor[i].name, name) == 0)
            return &param->tensor[i];
    return NULL;
}

void ngi_tensor_legal(ngi_param *param, const char *name, ngi_legal legal)
{
    ngi_tensor *tensor = ngi_tensor_find(param, name);
    if (tensor != NULL)
        tensor->legal = legal;
}

ng_status ngi_param_update(ngi_param *param, ng_error *error)
{
    return ngi_mat_create(&param->update, param->rows, param->cols, param->w.dtype, error);
}

static size_t mat_bytes(ng_mat m)
{
    return m.data == NULL ? 0 : m.rows * m.cols * ng_dtype_size(m.dtype);
}

size_t ngi_param_memory(const ngi_param *param)
{
    size_t bytes = sizeof *param + strlen(param->name) + 1 + mat_bytes(param->update) +
                   mat_bytes(param->sum) + mat_bytes(param->sum_bias) + mat_bytes(param->staged) +
                   mat_bytes(param->staged_bias);
    bytes += param->tensor_capacity * sizeof *param->tensor;
    for (size_t i = 0; i < param->tensor_count; i++)
        bytes += mat_bytes(param->tensor[i].now) + mat_bytes(param->tensor[i].next);
    return bytes;
}

void ngi_param_drop_state(ngi_param *param)
{
    for (size_t i = 0; i < param->tensor_count; i++) {
        free(param->tensor[i].now.data);
        free(param->tensor[i].next.data);
    }
    free(param->tensor);
    free(param->update.data);
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
    param->w = w;
    param->dw = dw;
    param->rows = w.rows;
    param->cols = w.cols;
    ng_status status = group->method->create(param, group->options, error);
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

double ngi_tensor_bound(ngi_tensor *tensor)
{
    if (tensor->bound < 0)
        tensor->bound = ng_max_abs(tensor->now);
    return tensor->bound;
}

ng_status ngi_check_weights(const ngi_param *param, double keep, double step, ng_error *error)
{
    double limit = ngi_dtype_max(param->w.dtype) * (1 - 4 * ng_dtype_eps(param->w.dtype));
    if (ngi_weights_stay_finite(param, keep, step))
        return NG_OK;
    double max = ng_max_abs(param->w), of_bias = ng_max_abs(param->bias);
    if (!isfinite(max) || !isfinite(of_bias))
        return ng_error_set(error, NG_ENONFINITE, "weights hold NaN or infinity");
    if (fabs(keep) * fmax(max, of_bias) + step <= limit && fabs(keep) <= limit)
        return NG_OK;
    return ng_error_set(error, NG_ERANGE,
                        "a step of up to %g overflows the dtype of weights of up to %g", step,
                        fmax(max, of_bias));
}
