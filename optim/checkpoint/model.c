/* Whose state it is: what the tensors mean, groups, options and parameters, as the texts of a
 * checkpoint. The same list is written by save and compared with the file's by load. */
#include "optim/checkpoint/checkpoint.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/number.h>
#include <natgrad/version.h>

#include "lib/core/memory.h"
#include "lib/core/try.h"
#include "lib/tensors/header.h"

static const char format_key[] = "natgrad_format", format_version[] = "2";

/* What the tensors mean: a library that means something else must not take them. */
static const char *const conventions[][2] = {
    {"shape_scale", "by rows = outputs, cols = inputs: original sqrt(max(1, rows/cols)), "
                    "match_rms_adamw 0.2 sqrt(max(rows, cols))"},
    {"momentum", "steepest, natural: M <- beta M + (1 - beta) G from 0; sgd: b <- mu b + G, "
                 "first b = G"},
    {"vec", "row-major: (P x Q) vec(X) = vec(P X Q)"},
    {"eigenvectors", "rows"},
};
enum { CONVENTIONS = sizeof conventions / sizeof conventions[0] };

void ngi_facts_free(ngi_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        free(facts->items[i].text);
    free(facts->items);
    memset(facts, 0, sizeof *facts);
}

/* ---- Listing ------------------------------------------------------------------------------ */

/* Adds the text under the key that follows. */
static ng_status add(ngi_facts *facts, const char *text, ng_status differs, const char *subject,
                     ng_error *error, const char *key, ...) NG_PRINTF(6, 7);

static ng_status add(ngi_facts *facts, const char *text, ng_status differs, const char *subject,
                     ng_error *error, const char *key, ...)
{
    va_list args;
    TRY(ngi_array_grow(&facts->items, &facts->capacity, facts->count, sizeof *facts->items, error));
    ngi_fact *fact = &facts->items[facts->count];
    TRY(ngi_array_create(&fact->text, strlen(text) + 1, 1, "bytes of text", error));
    facts->count++;
    strcpy(fact->text, text);
    fact->differs = differs;
    snprintf(fact->subject, sizeof fact->subject, "%s", subject);
    va_start(args, key);
    vsnprintf(fact->key, sizeof fact->key, key, args);
    va_end(args);
    return NG_OK;
}

static ng_status add_param(ngi_facts *facts, const ngi_param *param, size_t g, size_t i,
                           ng_error *error)
{
    char subject[96], shape[48];
    snprintf(subject, sizeof subject, "parameter %zu of group %zu", i, g);
    if (!ngi_is_utf8(param->name))
        return ng_error_set(error, NG_EARG, "%s: its name is not UTF-8", subject);
    TRY(add(facts, param->name, NG_EARG, subject, error, "group.%zu.parameter.%zu.name", g, i));
    snprintf(subject, sizeof subject, "'%s'", ngi_label_of(param->name).text);
    snprintf(shape, sizeof shape, "%zu x %zu", param->w.rows, param->w.cols);
    TRY(add(facts, shape, NG_ESHAPE, subject, error, "group.%zu.parameter.%zu.shape", g, i));
    TRY(add(facts, ng_tensor_dtype_name(ng_tensor_dtype_of(ngi_own_weights(param).dtype)),
            NG_EDTYPE, subject, error, "group.%zu.parameter.%zu.dtype", g, i));
    TRY(add(facts, param->layout == NG_OUT_IN ? "out_in" : "in_out", NG_EARG, subject, error,
            "group.%zu.parameter.%zu.layout", g, i));
    if (param->leader != NULL)
        TRY(add(facts, param->leader->name, NG_EARG, subject, error,
                "group.%zu.parameter.%zu.inputs", g, i));
    return add(facts, ngi_biased(param) ? "yes" : "no", NG_EARG, subject, error,
               "group.%zu.parameter.%zu.bias", g, i);
}

static ng_status add_options(ngi_facts *facts, const void *options, size_t g, ng_error *error)
{
    char text[64];
    const ng_option *o;
    for (size_t i = 0; (o = ng_options_at(options, i)) != NULL; i++) {
        TRY(ng_options_get_text(options, o->name, text, sizeof text, error));
        TRY(add(facts, text, NG_OK, "", error, "group.%zu.option.%s", g, o->name));
    }
    return NG_OK;
}

static ng_status add_group(ngi_facts *facts, const ng_group *group, const void *options, size_t g,
                           ng_error *error)
{
    char subject[32], count[32];
    snprintf(subject, sizeof subject, "group %zu", g);
    snprintf(count, sizeof count, "%zu", group->count);
    TRY(add(facts, group->method->name, NG_EOPTION, subject, error, "group.%zu.method", g));
    TRY(add_options(facts, options, g, error));
    TRY(add(facts, count, NG_EARG, subject, error, "group.%zu.parameters", g));
    for (size_t i = 0; i < group->count; i++)
        TRY(add_param(facts, group->params[i], g, i, error));
    return NG_OK;
}

/* Infinite clipping is no clipping. */
static ng_status add_clipping(ngi_facts *facts, double clip, const char *key, ng_error *error)
{
    char text[NG_NUMBER_SIZE];
    ng_number_write(text, sizeof text, isfinite(clip) ? clip : 0);
    return add(facts, text, NG_OK, "the optimizer", error, "%s", key);
}

ng_status ngi_facts_list(ngi_facts *facts, ng_optimizer *optimizer, void *const *options)
{
    ng_error *error = &optimizer->error;
    char number[32];
    TRY(add(facts, format_version, NG_EFORMAT, "checkpoint", error, "%s", format_key));
    for (int i = 0; i < CONVENTIONS; i++)
        TRY(add(facts, conventions[i][1], NG_EFORMAT, "checkpoint", error, "%s",
                conventions[i][0]));
    TRY(add(facts, ng_version(), NG_OK, "checkpoint", error, "library"));
    snprintf(number, sizeof number, "%llu", optimizer->steps);
    TRY(add(facts, number, NG_OK, "checkpoint", error, "steps"));
    TRY(add_clipping(facts, optimizer->clip_value, "clip_value", error));
    TRY(add_clipping(facts, optimizer->clip_norm, "clip_norm", error));
    snprintf(number, sizeof number, "%zu", optimizer->group_count);
    TRY(add(facts, number, NG_EARG, "the optimizer", error, "groups"));
    for (size_t g = 0; g < optimizer->group_count; g++)
        TRY(add_group(facts, optimizer->groups[g],
                      options != NULL && options[g] != NULL ? options[g]
                                                            : optimizer->groups[g]->options,
                      g, error));
    return NG_OK;
}

/* ---- Comparing ---------------------------------------------------------------------------- */

static ng_status compare(const ngi_fact *fact, const ng_tensors *file, ng_error *error)
{
    const char *text = ng_tensors_text(file, fact->key), *point = strrchr(fact->key, '.');
    if (text == NULL)
        return ng_error_set(error, NG_EFORMAT, "checkpoint: its header has no %s", fact->key);
    if (fact->differs == NG_OK || strcmp(text, fact->text) == 0)
        return NG_OK;
    return ng_error_set(error, fact->differs, "%s: %s = %s in the checkpoint, %s here",
                        fact->subject, point != NULL ? point + 1 : fact->key,
                        ngi_label_of(text).text, ngi_label_of(fact->text).text);
}

static int by_key(const void *a, const void *b)
{
    const ngi_fact *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

/* The file has no other texts; its keys come sorted. `sorted` has room for all facts. */
static ng_status compare_keys(const ngi_fact **sorted, const ngi_facts *facts,
                              const ng_tensors *file, ng_error *error)
{
    const char *key;
    for (size_t i = 0; i < facts->count; i++)
        sorted[i] = &facts->items[i];
    qsort(sorted, facts->count, sizeof *sorted, by_key);
    for (size_t i = 0; ng_tensors_text_at(file, i, &key) != NULL; i++)
        if (i >= facts->count || strcmp(key, sorted[i]->key) != 0)
            return ng_error_set(error, NG_EFORMAT,
                                "checkpoint: %s in its header means nothing here",
                                ngi_label_of(key).text);
    return NG_OK;
}

ng_status ngi_model_format(const ng_tensors *file, ng_error *error)
{
    const char *format = ng_tensors_text(file, format_key);
    if (format == NULL)
        return ng_error_set(error, NG_EFORMAT, "a safetensors file, but no checkpoint of natgrad");
    if (strcmp(format, format_version) == 0)
        return NG_OK;
    return ng_error_set(error, NG_EFORMAT,
                        "a checkpoint of format %s, this library reads format %s",
                        ngi_label_of(format).text, format_version);
}

ng_status ngi_conventions_compare(const ngi_facts *facts, const ng_tensors *file, ng_error *error)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].differs == NG_EFORMAT || strcmp(facts->items[i].key, "library") == 0)
            TRY(compare(&facts->items[i], file, error));
    return NG_OK;
}

ng_status ngi_facts_compare(const ngi_facts *facts, const ng_tensors *file, ng_error *error)
{
    const ngi_fact **sorted;
    for (size_t i = 0; i < facts->count; i++)
        TRY(compare(&facts->items[i], file, error));
    TRY(ngi_array_create(&sorted, facts->count, sizeof *sorted, "keys", error));
    ng_status status = compare_keys(sorted, facts, file, error);
    free(sorted);
    return status;
}

/* ---- Options ------------------------------------------------------------------------------- */

/* options' field from the file; one that is fixed must be as it is. */
static ng_status take_option(void *options, const ng_group *group, const ng_option *option,
                             const char *text, ng_error *error)
{
    double old, now;
    char here[64];
    TRY(ng_options_get(options, option->name, &old, error));
    TRY(ng_options_get_text(options, option->name, here, sizeof here, error));
    TRY(ng_options_set_text(options, option->name, text, error));
    TRY(ng_options_get(options, option->name, &now, error));
    if (!option->fixed || group->count == 0 || now == old)
        return NG_OK;
    return ng_error_set(error, NG_EOPTION, "%s: %s = %s in the checkpoint, %s here",
                        group->method->name, option->name, ngi_label_of(text).text, here);
}

static ng_status take_options(void *options, const ng_group *group, const ng_tensors *file,
                              size_t number, ng_error *error)
{
    char key[96];
    const ng_option *option;
    /* the method's come first: what they say is in force has been taken when its own turn comes */
    for (size_t i = 0; (option = ng_options_at(options, i)) != NULL; i++) {
        snprintf(key, sizeof key, "group.%zu.option.%s", number, option->name);
        const char *text = ng_tensors_text(file, key);
        if (text == NULL)
            return ng_error_set(error, NG_EFORMAT, "checkpoint: its header has no %s", key);
        TRY(take_option(options, group, option, text, error));
    }
    return ng_options_check(options, error);
}

ng_status ngi_model_options(void **options, const ng_tensors *file, size_t number,
                            ng_optimizer *optimizer)
{
    const ng_group *group = optimizer->groups[number];
    const char *method;
    char key[48];
    snprintf(key, sizeof key, "group.%zu.method", number);
    *options = NULL;
    if ((method = ng_tensors_text(file, key)) == NULL || strcmp(method, group->method->name) != 0)
        return NG_OK; /* the comparison says what is the matter */
    TRY(ngi_array_create(options, group->method->options_size, 1, "bytes of options",
                         &optimizer->error));
    memcpy(*options, group->options, group->method->options_size);
    return take_options(*options, group, file, number, &optimizer->error);
}

static ng_status read_clipping(double *clip, const ng_tensors *file, const char *key,
                               ng_error *error)
{
    const char *text = ng_tensors_text(file, key);
    size_t length = text != NULL ? ng_number_read(clip, text) : 0;
    if (length == 0 || text[length] != '\0' || !(*clip >= 0 && isfinite(*clip)))
        return ng_error_set(error, NG_EFORMAT, "checkpoint: %s is no number >= 0", key);
    return NG_OK;
}

ng_status ngi_model_clipping(double *value, double *norm, const ng_tensors *file, ng_error *error)
{
    TRY(read_clipping(value, file, "clip_value", error));
    return read_clipping(norm, file, "clip_norm", error);
}
