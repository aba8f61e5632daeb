/* Groups: their options and their list of parameters. */
#include "optim/front/front.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

ng_status ngi_group_check(const ng_optimizer *optimizer, const void *options, ng_error *error)
{
    TRY(ng_options_check(options, error));
    const ng_method *method = ((const ngi_options_head *)options)->method;
    const char *joint = method->joint != NULL ? method->joint(options) : NULL;
    if (joint != NULL && optimizer->atomic == NG_ATOMIC_PARAMETER)
        return ng_error_set(error, NG_EOPTION,
                            "%s: %s decides for a whole group, which needs atomic = step",
                            method->name, joint);
    return NG_OK;
}

ng_status ngi_group_create(ng_group **result, ng_optimizer *optimizer, const void *options)
{
    const ngi_options_head *head = options;
    *result = NULL;
    TRY(ngi_group_check(optimizer, options, &optimizer->error));
    ng_group *group = calloc(1, sizeof *group);
    if (group != NULL) {
        group->options = malloc(head->size);
        group->joint.options = malloc(head->size);
    }
    if (group == NULL || group->options == NULL || group->joint.options == NULL) {
        ngi_group_destroy(group);
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
        ngi_param_destroy(group->params[i]);
    free(group->params);
    free(group->active);
    free(group->options);
    free(group->joint.options);
    free(group);
}

/* ---- Parameters ------------------------------------------------------------------ */

static ng_status check_name(const ng_optimizer *optimizer, const char *name, ng_error *error)
{
    if (name == NULL)
        return ng_error_set(error, NG_EARG, "a parameter needs a name");
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (strcmp(optimizer->groups[g]->params[i]->name, name) == 0)
                return ng_error_set(error, NG_EARG, "parameter '%.60s' was added before", name);
    return NG_OK;
}

ng_status ngi_group_append(ng_group *group, size_t *index, const char *name, ng_mat w, ng_mat dw)
{
    ng_optimizer *optimizer = group->optimizer;
    ng_error *error = &optimizer->error;
    ngi_param *param;
    TRY(ngi_check_detached(optimizer, error));
    TRY(check_name(optimizer, name, error));
    TRY(ngi_check_views(name, w, dw, error));
    TRY(ngi_check_binding(optimizer, NULL, 0, name, w, dw, error));
    TRY(ngi_array_grow(&group->params, &group->capacity, group->count, sizeof *group->params,
                       error));
    TRY(ngi_array_grow(&group->active, &group->active_capacity, group->count, sizeof *group->active,
                       error));
    TRY(ngi_step_reserve(optimizer));
    TRY(ngi_param_create(&param, group, name, w, dw, error));
    if (index != NULL)
        *index = group->count;
    group->params[group->count++] = param;
    optimizer->param_count++;
    return NG_OK;
}

ng_status ng_group_add(ng_group *group, size_t *index, const char *name, ng_mat w, ng_mat dw)
{
    if (group == NULL)
        return NG_EARG;
    ngi_begin(group->optimizer);
    return ngi_group_append(group, index, name, w, dw);
}

void ngi_group_truncate(ng_group *group, size_t count)
{
    while (group->count > count) {
        ngi_param_destroy(group->params[--group->count]);
        group->optimizer->param_count--;
    }
}

ng_status ngi_param_find(ngi_param **param, const ng_group *group, size_t index)
{
    *param = NULL;
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    if (index >= group->count)
        return ng_error_set(error, NG_EARG, "no parameter %zu in a group of %zu", index,
                            group->count);
    *param = group->params[index];
    return NG_OK;
}

ng_status ngi_param_set_layout(ngi_param *param, ng_layout layout, ng_error *error)
{
    if (layout != NG_OUT_IN && layout != NG_IN_OUT)
        return ng_error_set(error, NG_EARG, "parameter '%.60s': unknown layout %d", param->name,
                            (int)layout);
    if (param->step > 0)
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s': its layout cannot change after a step",
                            param->name);
    if (layout != param->layout &&
        (ngi_biased(param) || param->captured > 0 || ngi_shares_inputs(param)))
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s': its layout comes before its bias, sharing and "
                            "captures",
                            param->name);
    param->layout = layout;
    return NG_OK;
}

ng_status ngi_group_add_laid(ng_group *group, const char *name, ng_mat w, ng_mat dw,
                             ng_layout layout)
{
    size_t index;
    TRY(ngi_group_append(group, &index, name, w, dw));
    return ngi_param_set_layout(group->params[index], layout, &group->optimizer->error);
}

ng_status ng_group_set_layout(ng_group *group, size_t index, ng_layout layout)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    return ngi_param_set_layout(param, layout, &group->optimizer->error);
}

ng_status ng_group_rebind(ng_group *group, size_t index, ng_mat w, ng_mat dw)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    ng_error *error = &group->optimizer->error;
    TRY(ngi_check_views(param->name, w, dw, error));
    if (w.dtype != ngi_own_weights(param).dtype)
        return ng_error_set(error, NG_EDTYPE, "parameter '%.60s': its dtype cannot change",
                            param->name);
    if (w.rows != param->w.rows || w.cols != param->w.cols)
        return ng_error_set(error, NG_ESHAPE, "parameter '%.60s' is %zu x %zu, not %zu x %zu",
                            param->name, param->w.rows, param->w.cols, w.rows, w.cols);
    TRY(ngi_check_binding(group->optimizer, param, 0, param->name, w, dw, error));
    if (ngi_is_narrow(param))
        param->half = w;
    else
        param->w = w;
    param->dw = ngi_gradient_view(w, dw);
    return NG_OK;
}

/* ---- Left out ---------------------------------------------------------------------- */

/* What others depend on cannot be left out alone. */
static ng_status check_alone(const ng_group *group, const ngi_param *param)
{
    int joint =
        group->method->fisher_calls != NULL && group->method->fisher_calls(group->options) != 0;
    if (!joint && !ngi_shares_inputs(param))
        return NG_OK;
    return ng_error_set(&group->optimizer->error, NG_EUNSUPPORTED,
                        "parameter '%.60s' cannot be left out: %s", param->name,
                        joint ? "the Fisher matrix is of the whole group" : "it shares its inputs");
}

ng_status ng_group_freeze(ng_group *group, size_t index, int frozen)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    if (frozen)
        TRY(check_alone(group, param));
    param->frozen = frozen != 0;
    return NG_OK;
}

ng_status ng_group_skip(ng_group *group, size_t index)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    TRY(check_alone(group, param));
    param->skipped = 1;
    return NG_OK;
}

/* ---- Options --------------------------------------------------------------------- */

ng_status ng_group_set(ng_group *group, const char *name, double value)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    double old;
    TRY(ng_options_get(group->options, name, &old, error));
    const ng_option *option = ngi_option_find(group->options, name);
    if (option->fixed && group->count > 0 && value != old)
        return ng_error_set(error, NG_EOPTION, "%s: %s cannot change once there are parameters",
                            group->method->name, name);
    TRY(ng_options_set(group->options, name, value, error));
    ng_status status = ngi_group_check(group->optimizer, group->options, error);
    if (status != NG_OK)
        ng_options_set(group->options, name, old, NULL);
    return status;
}

ng_status ng_group_get(const ng_group *group, const char *name, double *value)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    if (value == NULL)
        return ng_error_set(error, NG_EARG, "no place for the value of an option");
    return ng_options_get(group->options, name, value, error);
}
