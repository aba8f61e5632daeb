/* A file into a model (natgrad/train/model_file.h): nothing is believed before it is checked. */
#include "lib/train/model_file/model_file.h"

#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/data/table.h"

ng_status ng_model_load_init_sized(ng_model_load_options *options, size_t size)
{
    const ng_model_load_options defaults = {sizeof defaults, 0, (size_t)1 << 30};
    if (options == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

/* All a load makes. */
typedef struct {
    ng_tensors *file;
    void *options;
    ng_model *model;
    ng_schema *schema;
} cargo;

static void unload(cargo *c)
{
    ng_tensors_close(c->file);
    ng_model_destroy(c->model);
    ng_schema_destroy(c->schema);
}

/* ---- The file as a whole ---------------------------------------------------------------- */

static ng_status check_format(const ng_tensors *file, ng_error *error)
{
    const char *format = ng_tensors_text(file, ngi_model_file_key);
    char shown[NGI_SHOWN];
    if (format == NULL)
        return ng_error_set(error, NG_EFORMAT, "not a natgrad model: its header has no %s",
                            ngi_model_file_key);
    if (strcmp(format, ngi_model_file_format) != 0)
        return ng_error_set(error, NG_EFORMAT, "a model of format %s, this library reads %s",
                            ngi_shown(shown, ngi_span_of(format)), ngi_model_file_format);
    return NG_OK;
}

static ng_status check_sum(const ng_tensors *file, ng_error *error)
{
    const ng_tensor *t = ng_tensors_find(file, ngi_model_file_crc);
    unsigned char b[4] = {0};
    uint32_t sum = 0;
    if (t == NULL)
        return NG_OK;
    if (t->bytes != sizeof b || t != ng_tensors_get(file, ng_tensors_count(file) - 1))
        return ng_error_set(error, NG_EFORMAT, "'%s' is not the last four bytes",
                            ngi_model_file_crc);
    TRY(ng_tensors_read(file, b, t, 0, sizeof b, error));
    TRY(ng_tensors_crc(file, &sum, t, error));
    uint32_t stored =
        (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    if (sum == stored)
        return NG_OK;
    return ng_error_set(error, NG_EFORMAT, "damaged: its check sum is %08lx, not %08lx",
                        (unsigned long)sum, (unsigned long)stored);
}

/* A tensor that must be one of the model's parameters. */
static int is_own(const ng_tensor *t)
{
    return strchr(t->name, '/') == NULL && strcmp(t->name, ngi_model_file_crc) != 0;
}

/* ---- The model -------------------------------------------------------------------------- */

static ng_status check_size(const cargo *c, const ngi_model_kind *kind, size_t most,
                            ng_error *error)
{
    size_t elements = 0, bytes = 0, found = 0;
    TRY(ngi_model_measure(&elements, &bytes, kind, c->options, error));
    for (size_t i = 0; i < ng_tensors_count(c->file); i++) {
        const ng_tensor *t = ng_tensors_get(c->file, i);
        found += is_own(t) ? t->count : 0;
    }
    if (found != elements)
        return ng_error_set(error, NG_ESHAPE,
                            "its options make a model of %zu numbers, and it holds %zu", elements,
                            found);
    if (bytes > most)
        return ng_error_set(error, NG_ERANGE,
                            "its model takes %zu bytes for its buffers, more than the %zu of room "
                            "(a smaller max_batch takes less)",
                            bytes, most);
    return NG_OK;
}

static ng_status read_param(const ng_tensors *file, const ngi_model_parameter *p, ng_error *error)
{
    const ng_tensor *t = ng_tensors_find(file, p->name);
    if (t == NULL)
        return ng_error_set(error, NG_ENODATA, "it has no '%s'", p->name);
    TRY(ng_tensors_read_mat(file, p->w, t, error));
    return ng_is_finite(p->w)
               ? NG_OK
               : ng_error_set(error, NG_ENONFINITE, "NaN or infinity in '%s'", p->name);
}

static ng_status read_params(const cargo *c, ng_error *error)
{
    size_t own = 0;
    for (size_t i = 0; i < c->model->params; i++)
        TRY(read_param(c->file, &c->model->param[i], error));
    for (size_t i = 0; i < ng_tensors_count(c->file); i++)
        own += (size_t)is_own(ng_tensors_get(c->file, i));
    return own == c->model->params
               ? NG_OK
               : ng_error_set(error, NG_EFORMAT, "%zu of its tensors are nobody's",
                              own - c->model->params);
}

/* The option of that name, of any kind, becomes this number, unless it is 0. */
static void set_count(void *options, const ngi_model_kind *kind, const char *name, size_t value)
{
    for (size_t i = 0; i < kind->field_count && value > 0; i++)
        if (strcmp(kind->fields[i].name, name) == 0)
            memcpy((char *)options + kind->fields[i].offset, &value, sizeof value);
}

static ng_status read_schema(cargo *c, ng_error *error)
{
    const char *text = ng_tensors_text(c->file, ngi_model_file_schema);
    if (text == NULL)
        return NG_OK;
    TRY(ng_schema_read(&c->schema, text, error));
    return ngi_model_fits(c->model, c->schema, error);
}

static ng_status read_all(cargo *c, const char *path, const ng_model_load_options *options,
                          ng_error *error)
{
    const ngi_model_kind *kind = NULL;
    TRY(ng_tensors_open(&c->file, path, error));
    TRY(check_format(c->file, error));
    TRY(check_sum(c->file, error));
    TRY(ngi_architecture_read(&kind, &c->options, c->file, error));
    set_count(c->options, kind, "max_batch", options->max_batch);
    TRY(check_size(c, kind, options->room, error));
    TRY(ngi_model_create(&c->model, kind, c->options, error));
    TRY(read_params(c, error));
    return read_schema(c, error);
}

/* ---- Loading ---------------------------------------------------------------------------- */

void ngi_name_file(ng_error *error, const char *path)
{
    const ng_error what = *error;
    if (strstr(what.text, path) == NULL)
        ng_error_set(error, what.status, "%.120s: %s", path, what.text);
}

static void hand_over(ng_model **model, ng_schema **schema, ng_tensors **file, cargo *c)
{
    *model = c->model;
    c->model = NULL;
    if (schema != NULL) {
        *schema = c->schema;
        c->schema = NULL;
    }
    if (file != NULL) {
        *file = c->file;
        c->file = NULL;
    }
}

ng_status ng_model_load(ng_model **model, ng_schema **schema, ng_tensors **file, const char *path,
                        const ng_model_load_options *options, ng_error *error)
{
    ng_model_load_options defaults;
    ng_error own;
    cargo c = {NULL, NULL, NULL, NULL};
    error = error != NULL ? error : &own;
    if (model == NULL || path == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", model == NULL ? "model" : "path");
    hand_over(model, schema, file, &c);
    ng_model_load_init(&defaults);
    options = options != NULL ? options : &defaults;
    if (options->size != sizeof *options)
        return ng_error_set(error, NG_EOPTION, "size: %zu, expected %zu: call ng_model_load_init",
                            options->size, sizeof *options);
    ng_status status = read_all(&c, path, options, error);
    if (status == NG_OK)
        hand_over(model, schema, file, &c);
    else
        ngi_name_file(error, path);
    free(c.options);
    unload(&c);
    return status;
}
