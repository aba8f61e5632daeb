/* Groups: their options, their parameters and the parameters' state. */
#include "optim/front/front.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"

/* ---- State of one parameter --------------------------------------------------- */

ng_status ngi_param_tensor(ngi_param *param, int slot, const char *name, size_t rows, size_t cols,
                           ng_dtype dtype, int spare, ng_error *error)
{
    ngi_tensor *tensor = &param->tensor[slot];
    tensor->name = name;
    ng_status status = ngi_mat_create(&tensor->now, rows, cols, dtype, error);
    if (status == NG_OK && spare)
        status = ngi_mat_create(&tensor->next, rows, cols, dtype, error);
    return status;
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
    for (int i = 0; i < NGI_TENSORS; i++)
        bytes += mat_bytes(param->tensor[i].now) + mat_bytes(param->tensor[i].next);
    return bytes;
}

void ngi_param_drop_state(ngi_param *param)
{
    for (int i = 0; i < NGI_TENSORS; i++) {
        free(param->tensor[i].now.data);
        free(param->tensor[i].next.data);
    }
    free(param->update.data);
}

static void param_destroy(ngi_param *param)
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

static ng_status param_create(ngi_param **result, const ng_group *group, const char *name, ng_mat w,
                              ng_mat dw, ng_error *error)
{
    ng_status status = NG_ENOMEM;
    ngi_param *param = calloc(1, sizeof *param);
    *result = NULL;
    if (param == NULL || (param->name = copy_string(name)) == NULL) {
        ng_error_set(error, NG_ENOMEM, "no memory for parameter '%.60s'", name);
        goto fail;
    }
    param->w = w;
    param->dw = dw;
    param->rows = w.rows;
    param->cols = w.cols;
    status = group->method->create(param, group->options, error);
    if (status != NG_OK)
        goto fail;
    *result = param;
    return NG_OK;
fail:
    param_destroy(param);
    return status;
}

ng_status ngi_check_gradient(const ngi_param *param, double limit, ng_error *error)
{
    double max = ng_max_abs(param->dw), of_bias = ng_max_abs(param->dbias);
    if (isnan(of_bias) || of_bias > max)
        max = of_bias;
    if (!isfinite(max))
        return ng_error_set(error, NG_ENONFINITE, "gradient holds NaN or infinity");
    if (max > limit)
        return ng_error_set(error, NG_ERANGE, "gradient holds %g, more than %g", max, limit);
    return NG_OK;
}

/* ---- Groups ---------------------------------------------------------------------- */

ng_status ngi_group_create(ng_group **result, ng_optimizer *optimizer, const void *options)
{
    const ngi_options_head *head = options;
    *result = NULL;
    ng_status status = ng_options_check(options, &optimizer->error);
    if (status != NG_OK)
        return status;
    ng_group *group = calloc(1, sizeof *group);
    if (group != NULL)
        group->options = malloc(head->size);
    if (group == NULL || group->options == NULL) {
        free(group);
        return ng_error_set(&optimizer->error, NG_ENOMEM, "no memory for a group");
    }
    memcpy(group->options, options, head->size);
    group->optimizer = optimizer;
    group->method = head->method;
    *result = group;
    return NG_OK;
}

void ngi_group_destroy(ng_group *group)
{
    if (group == NULL)
        return;
    for (size_t i = 0; i < group->count; i++)
        param_destroy(group->params[i]);
    free(group->params);
    free(group->options);
    free(group);
}

ng_status ngi_check_views(const char *name, ng_mat w, ng_mat dw, ng_error *error)
{
    ng_error inner = {NG_OK, ""};
    ng_status status = ng_mat_check(w, "weights", &inner);
    if (status == NG_OK)
        status = ng_mat_check(dw, "gradient", &inner);
    if (status != NG_OK)
        return ng_error_set(error, status, "parameter '%.60s': %.150s", name, inner.text);
    if (w.dtype != dw.dtype)
        return ng_error_set(error, NG_EDTYPE,
                            "parameter '%.60s': weights and gradient differ in dtype", name);
    if (w.rows != dw.rows || w.cols != dw.cols || w.rows == 0 || w.cols == 0)
        return ng_error_set(error, NG_ESHAPE,
                            "parameter '%.60s': weights are %zu x %zu, gradient %zu x %zu", name,
                            w.rows, w.cols, dw.rows, dw.cols);
    return NG_OK;
}

/* Do two views share memory? Of equal strides in one buffer their blocks are compared, else the
 * spans of their bytes. */
static int overlap(ng_mat a, ng_mat b)
{
    if (a.data == NULL || b.data == NULL)
        return 0;
    if (a.rows == 1) /* one row has no stride of its own */
        a.stride = b.stride;
    if (b.rows == 1)
        b.stride = a.stride;
    size_t size = ng_dtype_size(a.dtype);
    uintptr_t a0 = (uintptr_t)a.data, a1 = a0 + ((a.rows - 1) * a.stride + a.cols) * size;
    uintptr_t b0 = (uintptr_t)b.data;
    uintptr_t b1 = b0 + ((b.rows - 1) * b.stride + b.cols) * ng_dtype_size(b.dtype);
    if (a1 <= b0 || b1 <= a0)
        return 0;
    if ((a.rows == 1 && b.rows == 1) || a.dtype != b.dtype || a.stride != b.stride ||
        (a0 > b0 ? a0 - b0 : b0 - a0) % size != 0)
        return 1;
    if (a0 > b0)
        return overlap(b, a);
    size_t row = (b0 - a0) / size / a.stride, col = (b0 - a0) / size % a.stride;
    /* b begins at (row, col) of a's buffer; past a's stride its columns wrap into the next row */
    return (row < a.rows && col < a.cols) || (row + 1 < a.rows && col + b.cols > a.stride);
}

ng_status ngi_check_new(const ng_optimizer *optimizer, const ngi_param *self, const char *name,
                        ng_mat w, ng_error *error)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            const ngi_param *other = optimizer->groups[g]->params[i];
            if (other == self)
                continue;
            if (name != NULL && strcmp(other->name, name) == 0)
                return ng_error_set(error, NG_EARG, "parameter '%.60s' was added before", name);
            if (overlap(other->w, w) || overlap(other->bias, w))
                return ng_error_set(error, NG_EARG, "parameters '%.60s' and '%.60s' share weights",
                                    self != NULL ? self->name : name, other->name);
        }
    return NG_OK;
}

ng_status ng_group_add(ng_group *group, size_t *index, const char *name, ng_mat w, ng_mat dw)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = &group->optimizer->error;
    ngi_param *param = NULL;
    if (name == NULL)
        return ng_error_set(error, NG_EARG, "a parameter needs a name");
    ng_status status = ngi_check_views(name, w, dw, error);
    if (status == NG_OK)
        status = ngi_check_new(group->optimizer, NULL, name, w, error);
    if (status == NG_OK)
        status = ngi_array_grow(&group->params, &group->capacity, group->count,
                                sizeof *group->params, error);
    if (status == NG_OK)
        status = ngi_step_reserve(group->optimizer);
    if (status == NG_OK)
        status = param_create(&param, group, name, w, dw, error);
    if (status != NG_OK)
        return status;
    if (index != NULL)
        *index = group->count;
    group->params[group->count++] = param;
    group->optimizer->param_count++;
    return NG_OK;
}

void ngi_group_truncate(ng_group *group, size_t count)
{
    while (group->count > count) {
        param_destroy(group->params[--group->count]);
        group->optimizer->param_count--;
    }
}

ngi_param *ngi_param_find(ng_group *group, size_t index)
{
    if (group == NULL)
        return NULL;
    if (index < group->count)
        return group->params[index];
    ng_error_set(&group->optimizer->error, NG_EARG, "no parameter %zu in a group of %zu", index,
                 group->count);
    return NULL;
}

ng_status ng_group_set_layout(ng_group *group, size_t index, ng_layout layout)
{
    ngi_param *param = ngi_param_find(group, index);
    if (param == NULL)
        return NG_EARG;
    if (layout != NG_OUT_IN && layout != NG_IN_OUT)
        return ng_error_set(&group->optimizer->error, NG_EARG,
                            "parameter '%.60s': unknown layout %d", param->name, (int)layout);
    if (param->step > 0)
        return ng_error_set(&group->optimizer->error, NG_EARG,
                            "parameter '%.60s': its layout cannot change after a step",
                            param->name);
    if (layout != param->layout && (param->bias.data != NULL || param->captured > 0))
        return ng_error_set(&group->optimizer->error, NG_EARG,
                            "parameter '%.60s': its layout comes before its bias and captures",
                            param->name);
    param->layout = layout;
    return NG_OK;
}

ng_status ng_group_rebind(ng_group *group, size_t index, ng_mat w, ng_mat dw)
{
    ngi_param *param = ngi_param_find(group, index);
    if (param == NULL)
        return NG_EARG;
    ng_error *error = &group->optimizer->error;
    ng_status status = ngi_check_views(param->name, w, dw, error);
    if (status == NG_OK && w.dtype != param->w.dtype)
        status = ng_error_set(error, NG_EDTYPE, "parameter '%.60s': its dtype cannot change",
                              param->name);
    if (status == NG_OK && (w.rows != param->w.rows || w.cols != param->w.cols))
        status = ng_error_set(error, NG_ESHAPE, "parameter '%.60s' is %zu x %zu, not %zu x %zu",
                              param->name, param->w.rows, param->w.cols, w.rows, w.cols);
    if (status == NG_OK)
        status = ngi_check_new(group->optimizer, param, param->name, w, error);
    if (status == NG_OK) {
        param->w = w;
        param->dw = dw;
    }
    return status;
}

ng_status ng_group_set(ng_group *group, const char *name, double value)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = &group->optimizer->error;
    double old;
    ng_status status = ng_options_get(group->options, name, &old, error);
    if (status != NG_OK)
        return status;
    const ng_option *option = &group->method->options[ngi_option_find(group->method, name)];
    if (option->fixed && group->count > 0 && value != old)
        return ng_error_set(error, NG_EOPTION, "%s: %s cannot change once there are parameters",
                            group->method->name, name);
    status = ng_options_set(group->options, name, value, error);
    if (status == NG_OK) {
        status = ng_options_check(group->options, error);
        if (status != NG_OK)
            ng_options_set(group->options, name, old, NULL);
    }
    return status;
}

ng_status ng_group_get(const ng_group *group, const char *name, double *value)
{
    if (group == NULL || value == NULL)
        return NG_EARG;
    return ng_options_get(group->options, name, value, &group->optimizer->error);
}
