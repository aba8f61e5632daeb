/* A text as windows of characters, or as sequences that do not overlap. The text is kept once, as
 * indices into the vocabulary; the label of a sample is a character of it, too. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/dataset.h"

/* The bytes that occur become the vocabulary, ascending, and the names of the classes: a
 * printable one itself, others as \x0a. */
static ng_status make_vocabulary(ngi_opening *o, const unsigned char *text, size_t length)
{
    ng_schema *schema = o->schema;
    unsigned char occurs[NGI_BYTES] = {0};
    char name[8];
    size_t number;
    for (size_t i = 0; i < length; i++)
        occurs[text[i]] = 1;
    for (int b = 0; b < NGI_BYTES; b++) {
        if (!occurs[b])
            continue;
        schema->vocabulary[schema->vocabulary_size++] = (unsigned char)b;
        snprintf(name, sizeof name, b > ' ' && b < 127 && b != '\\' ? "%c" : "\\x%02x", b);
        if (ngi_names_add(&schema->labels, &number, ngi_span_of(name), NGI_BYTES) != NG_OK)
            return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for its characters");
    }
    return NG_OK;
}

/* Bytes become their numbers in the vocabulary. */
static ng_status encode(ngi_opening *o, unsigned char *text, size_t length)
{
    const ng_schema *schema = o->schema;
    int symbol[NGI_BYTES];
    for (int b = 0; b < NGI_BYTES; b++)
        symbol[b] = -1;
    for (size_t k = 0; k < schema->vocabulary_size; k++)
        symbol[schema->vocabulary[k]] = (int)k;
    for (size_t i = 0; i < length; i++) {
        if (symbol[text[i]] < 0)
            return ngi_file_fail(&o->file, NG_EFORMAT,
                                 "byte %zu is 0x%02x, which the model's text does not have", i + 1,
                                 text[i]);
        text[i] = (unsigned char)symbol[text[i]];
    }
    return NG_OK;
}

static ng_status check_length(const ngi_file *file, size_t length, size_t context)
{
    if (length == 0)
        return ngi_file_fail(file, NG_EFORMAT, "the file is empty");
    if (length <= context)
        return ngi_file_fail(file, NG_EFORMAT,
                             "%zu bytes, a window of %zu and the character behind it need more",
                             length, context);
    return NG_OK;
}

static ng_status read_text(ngi_opening *o)
{
    ngi_store *store = o->store;
    ng_schema *schema = o->schema;
    int windows = store->layout == &ngi_windows;
    size_t length, context = o->model != NULL ? o->model->context : o->options->context;
    TRY(ngi_file_open(&o->file, o->what, o->error));
    TRY(ngi_file_load(&o->file, &store->values, &length, SIZE_MAX / 2));
    TRY(check_length(&o->file, length, context));
    if (o->model != NULL &&
        (context == 0 || o->model->features != context * (windows ? o->model->vocabulary_size : 1)))
        return ngi_file_fail(&o->file, NG_EFORMAT, "the model is of no text");
    if (o->model == NULL) {
        TRY(make_vocabulary(o, store->values, length));
        schema->context = context;
        schema->features = windows ? context * schema->vocabulary_size : context;
    }
    TRY(encode(o, store->values, length));
    store->context = context;
    store->step = windows ? 1 : context;
    store->count = (length - context - 1) / store->step + 1;
    return NG_OK;
}

const ngi_kind ngi_kind_text = {
    .shown = {"text", "FILE", "characters of a text, one-hot, and the one that follows"},
    .layout = &ngi_windows,
    .read = read_text,
    .ordered = 1,
};

const ngi_kind ngi_kind_sequences = {
    .shown = {"sequences", "FILE", "the same by number, for models that predict every character"},
    .layout = &ngi_sequences,
    .read = read_text,
    .ordered = 1,
};

static ng_status read_as(ng_dataset **dataset, const ngi_kind *kind, const char *path,
                         size_t context, ng_error *error)
{
    ng_dataset_options options;
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    if (context == 0)
        return ng_error_set(error, NG_EARG, "context is 0, expected at least 1");
    ng_dataset_init(&options);
    options.context = context;
    return ngi_open_default(dataset, kind, path, &options, NULL, error);
}

ng_status ng_dataset_text(ng_dataset **dataset, const char *path, size_t context, ng_error *error)
{
    return read_as(dataset, &ngi_kind_text, path, context, error);
}

ng_status ng_dataset_sequences(ng_dataset **dataset, const char *path, size_t context,
                               ng_error *error)
{
    return read_as(dataset, &ngi_kind_sequences, path, context, error);
}
