/* Whose state it is: groups, their options and parameters, as JSON. */
#include "optim/checkpoint/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/version.h>

/* ---- Writing ------------------------------------------------------------------------------ */

static json_t *option_json(const void *options, const ng_option *option)
{
    double value;
    char text[64];
    ng_options_get(options, option->name, &value, NULL);
    if (option->kind == NG_OPTION_REAL)
        return json_real(value);
    if (option->kind == NG_OPTION_INTEGER)
        return json_integer((json_int_t)value);
    ng_options_get_text(options, option->name, text, sizeof text, NULL);
    return json_string(text);
}

static json_t *options_json(const ng_group *group)
{
    json_t *json = json_object();
    int bad = json == NULL;
    for (const ng_option *o = group->method->options; o->name != NULL && !bad; o++)
        bad = json_object_set_new(json, o->name, option_json(group->options, o));
    if (!bad)
        return json;
    json_decref(json);
    return NULL;
}

static const char *dtype_name(ng_dtype dtype)
{
    return dtype == NG_F32 ? "F32" : "F64";
}

static const char *layout_name(ng_layout layout)
{
    return layout == NG_OUT_IN ? "out_in" : "in_out";
}

static json_t *param_json(const ngi_param *param)
{
    return json_pack("{s:s, s:I, s:I, s:s, s:s, s:b}", "name", param->name, "rows",
                     (json_int_t)param->w.rows, "cols", (json_int_t)param->w.cols, "dtype",
                     dtype_name(param->w.dtype), "layout", layout_name(param->layout), "bias",
                     param->bias.data != NULL);
}

static json_t *group_json(const ng_group *group)
{
    json_t *params = json_array();
    int bad = params == NULL;
    for (size_t i = 0; i < group->count && !bad; i++)
        bad = json_array_append_new(params, param_json(group->params[i]));
    json_t *options = bad ? NULL : options_json(group);
    if (options == NULL) {
        json_decref(params);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:o}", "method", group->method->name, "options", options,
                     "parameters", params);
}

/* RFC 3629: no overlong forms, no surrogates, nothing above 10ffff. */
static int is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != 0) {
        int more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
        if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || (p[0] == 0xe0 && p[1] < 0xa0) ||
            (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
            (p[0] == 0xf4 && p[1] > 0x8f))
            return 0;
        p++;
        for (; more > 0; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

static ng_status check_names(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (!is_utf8(optimizer->groups[g]->params[i]->name))
                return ng_error_set(&optimizer->error, NG_EARG,
                                    "parameter %zu of group %zu: its name is not UTF-8", i, g);
    return NG_OK;
}

/* JSON knows no infinity; clipping there is no clipping. */
static double limit(double clip)
{
    return isfinite(clip) ? clip : 0;
}

ng_status ngi_model_write(char **text, ng_optimizer *optimizer)
{
    ng_status status = check_names(optimizer);
    if (status != NG_OK)
        return status;
    json_t *groups = json_array();
    int bad = groups == NULL;
    for (size_t g = 0; g < optimizer->group_count && !bad; g++)
        bad = json_array_append_new(groups, group_json(optimizer->groups[g]));
    json_t *model = json_pack("{s:f, s:f, s:o}", "clip_value", limit(optimizer->clip_value),
                              "clip_norm", limit(optimizer->clip_norm), "groups", groups);
    *text = bad || model == NULL ? NULL : ngi_json_text(model);
    json_decref(model);
    return *text != NULL
               ? NG_OK
               : ng_error_set(&optimizer->error, NG_ENOMEM, "no memory for a checkpoint's header");
}

/* ---- Comparing ---------------------------------------------------------------------------- */

static ng_status malformed(ng_error *error, const char *what)
{
    return ng_error_set(error, NG_EFORMAT, "checkpoint: its model has no %s", what);
}

static ng_status compare_shape(const ngi_param *param, const json_t *json, ng_error *error)
{
    long long rows = json_integer_value(json_object_get(json, "rows"));
    long long cols = json_integer_value(json_object_get(json, "cols"));
    const char *dtype = json_string_value(json_object_get(json, "dtype"));
    const char *layout = json_string_value(json_object_get(json, "layout"));
    const json_t *bias = json_object_get(json, "bias");
    if (dtype == NULL || layout == NULL || !json_is_boolean(bias))
        return malformed(error, "dtype, layout or bias of a parameter");
    if ((unsigned long long)rows != param->w.rows || (unsigned long long)cols != param->w.cols)
        return ng_error_set(error, NG_ESHAPE,
                            "parameter '%.60s' is %lld x %lld in the checkpoint, %zu x %zu here",
                            param->name, rows, cols, param->w.rows, param->w.cols);
    if (strcmp(dtype, dtype_name(param->w.dtype)) != 0)
        return ng_error_set(error, NG_EDTYPE,
                            "parameter '%.60s' is %.10s in the checkpoint, %s here", param->name,
                            dtype, dtype_name(param->w.dtype));
    if (strcmp(layout, layout_name(param->layout)) != 0)
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s' has layout %.10s in the checkpoint, %s here",
                            param->name, layout, layout_name(param->layout));
    if (json_is_true(bias) != (param->bias.data != NULL))
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s' has %s bias in the checkpoint, %s here", param->name,
                            json_is_true(bias) ? "a" : "no", json_is_true(bias) ? "none" : "one");
    return NG_OK;
}

static ng_status compare_params(const ng_group *group, size_t number, const json_t *params,
                                ng_error *error)
{
    ng_status status = NG_OK;
    if (!json_is_array(params))
        return malformed(error, "parameters");
    for (size_t i = 0; i < group->count && i < json_array_size(params) && status == NG_OK; i++) {
        const json_t *json = json_array_get(params, i);
        const char *name = json_string_value(json_object_get(json, "name"));
        if (name == NULL)
            return malformed(error, "name of a parameter");
        if (strcmp(name, group->params[i]->name) != 0)
            return ng_error_set(error, NG_EARG,
                                "parameter %zu of group %zu is '%.60s' in the checkpoint, '%.60s' "
                                "here",
                                i, number, name, group->params[i]->name);
        status = compare_shape(group->params[i], json, error);
    }
    if (status == NG_OK && json_array_size(params) != group->count)
        return ng_error_set(error, NG_EARG,
                            "group %zu has %zu parameters in the checkpoint, %zu here", number,
                            json_array_size(params), group->count);
    return status;
}

static ng_status compare_group(const ng_group *group, size_t number, const json_t *json,
                               ng_error *error)
{
    const char *method = json_string_value(json_object_get(json, "method"));
    if (method == NULL)
        return malformed(error, "method of a group");
    if (strcmp(method, group->method->name) != 0)
        return ng_error_set(error, NG_EOPTION,
                            "group %zu has the method %.20s in the checkpoint, %s here", number,
                            method, group->method->name);
    return compare_params(group, number, json_object_get(json, "parameters"), error);
}

ng_status ngi_model_compare(json_t **model, const char *text, ng_optimizer *optimizer)
{
    ng_error *error = &optimizer->error;
    json_error_t inner;
    *model = json_loads(text, JSON_REJECT_DUPLICATES, &inner);
    if (*model == NULL && ngi_json_starved(&inner))
        return ng_error_set(error, NG_ENOMEM, "no memory for a checkpoint's model");
    const json_t *groups = json_object_get(*model, "groups");
    ng_status status = NG_OK;
    if (!json_is_array(groups))
        return malformed(error, "groups");
    size_t count = json_array_size(groups);
    for (size_t g = 0; g < optimizer->group_count && g < count && status == NG_OK; g++)
        status = compare_group(optimizer->groups[g], g, json_array_get(groups, g), error);
    if (status == NG_OK && count != optimizer->group_count)
        return ng_error_set(error, NG_EARG, "%zu groups in the checkpoint, %zu here", count,
                            optimizer->group_count);
    return status;
}

/* ---- Options ------------------------------------------------------------------------------- */

/* options' field from the file; one that is fixed must be as it is. */
static ng_status take_option(void *options, const ng_group *group, const ng_option *option,
                             const json_t *value, ng_error *error)
{
    double old, now;
    char text[64];
    ng_status status = ng_options_get(options, option->name, &old, error);
    int number = option->kind == NG_OPTION_REAL || option->kind == NG_OPTION_INTEGER;
    if (number ? !json_is_number(value) : !json_is_string(value))
        return ng_error_set(error, NG_EFORMAT, "checkpoint: %s has no option %s",
                            group->method->name, option->name);
    ng_options_get_text(options, option->name, text, sizeof text, NULL);
    if (status == NG_OK)
        status = number
                     ? ng_options_set(options, option->name, json_number_value(value), error)
                     : ng_options_set_text(options, option->name, json_string_value(value), error);
    if (status == NG_OK)
        status = ng_options_get(options, option->name, &now, error);
    if (status != NG_OK || !option->fixed || group->count == 0 || now == old)
        return status;
    if (!number)
        return ng_error_set(error, NG_EOPTION, "%s: %s = %.20s in the checkpoint, %s here",
                            group->method->name, option->name, json_string_value(value), text);
    return ng_error_set(error, NG_EOPTION, "%s: %s = %g in the checkpoint, %g here",
                        group->method->name, option->name, now, old);
}

ng_status ngi_model_options(void **options, const json_t *model, size_t number,
                            ng_optimizer *optimizer)
{
    const ng_group *group = optimizer->groups[number];
    ng_error *error = &optimizer->error;
    const json_t *json =
        json_object_get(json_array_get(json_object_get(model, "groups"), number), "options");
    size_t count;
    ng_method_options(group->method, &count);
    *options = malloc(group->method->options_size);
    if (*options == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for options");
    memcpy(*options, group->options, group->method->options_size);
    ng_status status = NG_OK;
    for (const ng_option *o = group->method->options; o->name != NULL && status == NG_OK; o++)
        status = take_option(*options, group, o, json_object_get(json, o->name), error);
    if (status == NG_OK && json_object_size(json) != count)
        status = ng_error_set(error, NG_EFORMAT, "checkpoint: %s has %zu options, %zu here",
                              group->method->name, json_object_size(json), count);
    return status == NG_OK ? ng_options_check(*options, error) : status;
}

ng_status ngi_model_clipping(double *value, double *norm, const json_t *model, ng_error *error)
{
    const json_t *of_value = json_object_get(model, "clip_value");
    const json_t *of_norm = json_object_get(model, "clip_norm");
    *value = json_number_value(of_value);
    *norm = json_number_value(of_norm);
    if (json_is_number(of_value) && json_is_number(of_norm) && *value >= 0 && *norm >= 0)
        return NG_OK;
    return malformed(error, "clip_value and clip_norm >= 0");
}
