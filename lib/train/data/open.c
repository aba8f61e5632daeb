/* Opening a data set of a known kind. */
#include "lib/train/data/dataset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

enum { NOTES = 8192 };

void ngi_note(ngi_opening *o, const char *format, ...)
{
    va_list args;
    char line[512];
    va_start(args, format);
    int length = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    size_t size = length < 0                         ? 0
                  : (size_t)length < sizeof line - 1 ? (size_t)length
                                                     : sizeof line - 2;
    size_t used = strlen(o->store->notes);
    if (used + size + 2 > NOTES)
        return;
    memcpy(o->store->notes + used, line, size);
    memcpy(o->store->notes + used + size, "\n", 2);
}

ng_status ngi_random_check(const ng_random *random, ng_error *error)
{
    if (random == NULL || random->fill_normal == NULL || random->fill_uniform == NULL)
        return ng_error_set(error, NG_EARG, "random is NULL or lacks a function");
    return NG_OK;
}

/* ---- Opening ------------------------------------------------------------------------------ */

/* A schema fitted to all that was read takes the place of the bare one. */
static ng_status fit_whole(ng_dataset *dataset, ngi_opening *o)
{
    ng_schema *fitted;
    if (!o->store->layout->table && o->options->scale > NG_SCALE_NONE)
        ngi_note(o, "note: scale=%s is for tables", ng_scaling_name(o->options->scale));
    if (!o->store->layout->table || o->model != NULL || o->kind->generated)
        return NG_OK;
    TRY(ngi_fit(&fitted, dataset, ngi_scale_of(o->store, o->options->scale), o->error));
    ng_schema_destroy(dataset->schema);
    dataset->schema = fitted;
    return NG_OK;
}

static ng_status check_model(const ngi_opening *o)
{
    if (o->model == NULL)
        return NG_OK;
    if (strcmp(o->model->kind, o->kind->shown.name) != 0)
        return ng_error_set(o->error, NG_EOPTION, "%s:%.80s: the model was trained on %s data",
                            o->kind->shown.name, o->what, o->model->kind);
    if (o->model->columns > 0 && o->options->scale != NG_SCALE_AUTO &&
        o->options->scale != o->model->scale)
        return ng_error_set(o->error, NG_EOPTION,
                            "%.80s: scale=%s, but the model was trained with scale=%s", o->what,
                            ng_scaling_name(o->options->scale), ng_scaling_name(o->model->scale));
    return NG_OK;
}

static ng_status read_all(ng_dataset **dataset, ngi_opening *o)
{
    TRY(check_model(o));
    o->store = calloc(1, sizeof *o->store);
    if (o->store == NULL)
        return ng_error_set(o->error, NG_ENOMEM, "no memory for a data set");
    atomic_init(&o->store->users, 1);
    o->store->notes = calloc(1, NOTES);
    if (o->store->notes == NULL)
        return ng_error_set(o->error, NG_ENOMEM, "no memory for a data set");
    o->store->layout = o->kind->layout;
    o->store->ordered = o->kind->ordered;
    o->store->train = o->kind->layout->text ? 0.9 : 0.8;
    if (o->model != NULL)
        o->schema = ng_schema_share(o->model);
    else
        TRY(ngi_schema_create(&o->schema, o->kind->shown.name, o->error));
    TRY(o->kind->read(o));
    const char *name = o->kind->generated     ? o->kind->shown.name
                       : o->file.path != NULL ? o->file.path
                                              : o->what;
    TRY(ngi_dataset_wrap(dataset, o->store, o->schema, name, o->error));
    (*dataset)->followed = o->model != NULL;
    return fit_whole(*dataset, o);
}

ng_status ngi_open(ng_dataset **dataset, const ngi_kind *kind, const char *what,
                   const ng_dataset_options *options, const ng_schema *model,
                   const ng_random *random, ng_error *error)
{
    ngi_opening o = {.kind = kind,
                     .what = what,
                     .options = options,
                     .model = model,
                     .random = random,
                     .error = error,
                     .file = {.error = error}, /* of what has no file */
                     .other = {.error = error}};
    *dataset = NULL;
    TRY(ng_dataset_options_check(options, error));
    ng_status status = read_all(dataset, &o);
    if (status != NG_OK) {
        ng_dataset_destroy(*dataset);
        *dataset = NULL;
    }
    ngi_file_close(&o.file);
    ngi_file_close(&o.other);
    free(o.scratch);
    free(o.paths);
    free(o.buffer);
    free(o.column);
    ngi_store_release(o.store);
    ng_schema_destroy(o.schema);
    return status;
}

ng_status ngi_open_default(ng_dataset **dataset, const ngi_kind *kind, const char *what,
                           const ng_dataset_options *options, const ng_random *random,
                           ng_error *error)
{
    ng_dataset_options defaults;
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    if (what == NULL)
        return ng_error_set(error, NG_EARG, "the path of a file is NULL");
    ng_dataset_init(&defaults);
    return ngi_open(dataset, kind, what, options != NULL ? options : &defaults, NULL, random,
                    error);
}
