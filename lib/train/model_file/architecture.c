/* Kind and options of a model as texts of a file's header, by the table of the kind. */
#include "lib/train/model_file/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/table.h"

static const char kind_key[] = "kind", dtype_key[] = "dtype", option_prefix[] = "option.";
static const char *const dtypes[] = {[NG_F32] = "f32", [NG_F64] = "f64"};

typedef struct {
    char text[64];
} option_key;

static option_key key_of(const ngi_field *field)
{
    option_key key;
    snprintf(key.text, sizeof key.text, "%s%s", option_prefix, field->name);
    return key;
}

/* ---- Out ---------------------------------------------------------------------------- */

static ng_status write_field(ng_tensors_writer *writer, const ng_model *model, const ngi_field *f,
                             ng_error *error)
{
    size_t length = ngi_field_write(model->options, f, NULL, 0);
    char *text = malloc(length + 1);
    if (text == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the text of %s", f->name);
    ngi_field_write(model->options, f, text, length + 1);
    ng_status status = ng_tensors_writer_add_text(writer, key_of(f).text, text, error);
    free(text);
    return status;
}

ng_status ngi_architecture_write(ng_tensors_writer *writer, const ng_model *model, ng_error *error)
{
    const ngi_model_kind *kind = model->kind;
    TRY(ng_tensors_writer_add_text(writer, kind_key, kind->name, error));
    TRY(ng_tensors_writer_add_text(writer, dtype_key, dtypes[model->dtype], error));
    for (size_t i = 0; i < kind->field_count; i++)
        TRY(write_field(writer, model, &kind->fields[i], error));
    return NG_OK;
}

/* ---- In ------------------------------------------------------------------------------- */

static ng_status find(const char **text, const ng_tensors *file, const char *key, ng_error *error)
{
    *text = ng_tensors_text(file, key);
    return *text != NULL ? NG_OK : ng_error_set(error, NG_EFORMAT, "its header has no %s", key);
}

static ng_status find_kind(const ngi_model_kind **kind, const ng_tensors *file, ng_error *error)
{
    const char *name = NULL;
    char shown[NGI_SHOWN];
    TRY(find(&name, file, kind_key, error));
    *kind = ngi_model_kind_find(name);
    return *kind != NULL ? NG_OK
                         : ng_error_set(error, NG_EFORMAT, "its kind %s is none of this library's",
                                        ngi_shown(shown, ngi_span_of(name)));
}

/* No option that the kind has not: what it means, who knows. */
static ng_status check_keys(const ngi_model_kind *kind, const ng_tensors *file, ng_error *error)
{
    const char *key;
    char shown[NGI_SHOWN];
    for (size_t i = 0; ng_tensors_text_at(file, i, &key) != NULL; i++) {
        size_t j = 0;
        if (strncmp(key, option_prefix, sizeof option_prefix - 1) != 0)
            continue;
        while (j < kind->field_count && strcmp(key, key_of(&kind->fields[j]).text) != 0)
            j++;
        if (j == kind->field_count)
            return ng_error_set(error, NG_EFORMAT, "%s has no %s", kind->name,
                                ngi_shown(shown, ngi_span_of(key)));
    }
    return NG_OK;
}

static ng_status read_dtype(ngi_options *options, const ng_tensors *file, ng_error *error)
{
    const char *text = NULL;
    char shown[NGI_SHOWN];
    TRY(find(&text, file, dtype_key, error));
    for (int i = NG_F32; i <= NG_F64; i++)
        if (strcmp(text, dtypes[i]) == 0) {
            options->dtype = (ng_dtype)i;
            return NG_OK;
        }
    return ng_error_set(error, NG_EFORMAT, "its dtype is %s, expected f32 or f64",
                        ngi_shown(shown, ngi_span_of(text)));
}

/* room: behind the struct, for lists */
static ng_status read_fields(void *options, size_t *room, const ngi_model_kind *kind,
                             const ng_tensors *file, ng_error *error)
{
    char shown[NGI_SHOWN];
    TRY(read_dtype(options, file, error));
    for (size_t i = 0; i < kind->field_count; i++) {
        const ngi_field *f = &kind->fields[i];
        const char *text = NULL;
        TRY(find(&text, file, key_of(f).text, error));
        if (!ngi_field_read(options, f, text, &room))
            return ng_error_set(error, NG_EFORMAT, "option.%s is %s", f->name,
                                ngi_shown(shown, ngi_span_of(text)));
    }
    return check_keys(kind, file, error);
}

ng_status ngi_architecture_read(const ngi_model_kind **kind, void **options, const ng_tensors *file,
                                ng_error *error)
{
    *options = NULL;
    TRY(find_kind(kind, file, error));
    const ngi_model_kind *k = *kind;
    size_t room = 0;
    for (size_t i = 0; i < k->field_count; i++) {
        const char *text = ng_tensors_text(file, key_of(&k->fields[i]).text);
        room += text != NULL && k->fields[i].kind == NGI_COUNTS ? strlen(text) / 2 + 1 : 0;
    }
    char *o = malloc(k->options_size + room * sizeof(size_t));
    if (o == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the options of a model");
    ngi_options_init(o, k->options_size, k->options_size, k->fields, k->field_count);
    ng_status status = read_fields(o, (size_t *)(void *)(o + k->options_size), k, file, error);
    if (status == NG_OK)
        *options = o;
    else
        free(o);
    return status;
}

/* ---- Whose data --------------------------------------------------------------------- */

ng_status ngi_model_fits(const ng_model *model, const ng_schema *schema, ng_error *error)
{
    size_t inputs = model->input.cols, outputs = model->logits.cols;
    int labels = model->loss == NG_LOSS_SOFTMAX,
        targets = ng_schema_task(schema) == NG_TASK_REGRESSION;
    if (ng_schema_features(schema) != inputs)
        return ng_error_set(error, NG_ESHAPE, "the schema has %zu features, the model %zu inputs",
                            ng_schema_features(schema), inputs);
    if (labels && ng_schema_classes(schema) != outputs)
        return ng_error_set(error, NG_ESHAPE, "the schema has %zu classes, the model %zu",
                            ng_schema_classes(schema), outputs);
    if (targets && ng_schema_targets(schema) != outputs)
        return ng_error_set(error, NG_ESHAPE, "the schema has %zu targets, the model %zu outputs",
                            ng_schema_targets(schema), outputs);
    return NG_OK;
}
