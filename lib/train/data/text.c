/* A text as windows of characters, or as sequences that do not overlap. The text is kept once, as
 * indices into the vocabulary. */
#include "lib/train/data/dataset.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/train/data/file.h"

/* The bytes that occur become symbols 0, 1, ... in ascending order. */
static void encode(ngi_store *store, unsigned char *text, size_t length)
{
    unsigned char occurs[NGI_CLASSES] = {0}, symbol[NGI_CLASSES] = {0};
    for (size_t i = 0; i < length; i++)
        occurs[text[i]] = 1;
    for (size_t b = 0; b < NGI_CLASSES; b++)
        if (occurs[b]) {
            symbol[b] = (unsigned char)store->classes;
            store->vocabulary[store->classes++] = (unsigned char)b;
        }
    for (size_t i = 0; i < length; i++)
        text[i] = symbol[text[i]];
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

/* Samples begin every `step` bytes of store->values, the text of `length` bytes. */
static ng_status make_samples(ngi_store *store, const ngi_file *file, size_t length, size_t step)
{
    const unsigned char *text = store->values;
    store->count = (length - store->context - 1) / step + 1;
    store->labels = malloc(store->count);
    if (store->labels == NULL)
        return ngi_file_fail(file, NG_ENOMEM, "no memory for %zu labels", store->count);
    for (size_t i = 0; i < store->count; i++)
        store->labels[i] = text[i * step + store->context];
    return NG_OK;
}

static ng_status make_windows(ngi_store *store, const ngi_file *file, size_t length)
{
    if (store->context > SIZE_MAX / store->classes)
        return ngi_file_fail(file, NG_ERANGE, "a context of %zu is too long", store->context);
    store->features = store->context * store->classes;
    return make_samples(store, file, length, 1);
}

static ng_status make_sequences(ngi_store *store, const ngi_file *file, size_t length)
{
    store->features = store->context;
    return make_samples(store, file, length, store->context);
}

static ng_status read_text(ng_dataset **dataset, const char *path, size_t context,
                           const ngi_layout *layout,
                           ng_status (*make)(ngi_store *, const ngi_file *, size_t length),
                           ng_error *error)
{
    ngi_store *store = NULL;
    ngi_file file = {0};
    unsigned char *text;
    size_t length;
    ng_status status;
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    if (context == 0)
        return ng_error_set(error, NG_EARG, "context is 0, expected at least 1");
    status = ngi_store_create(&store, layout, error);
    if (status != NG_OK)
        goto fail;
    status = ngi_file_open(&file, path, error);
    if (status != NG_OK)
        goto fail;
    status = ngi_file_load(&file, &text, &length, SIZE_MAX / 2);
    if (status != NG_OK)
        goto fail;
    store->values = text;
    status = check_length(&file, length, context);
    if (status != NG_OK)
        goto fail;
    encode(store, text, length);
    store->context = context;
    status = make(store, &file, length);
    if (status != NG_OK)
        goto fail;
    status = ngi_store_wrap(dataset, store, path, error);
fail:
    ngi_file_close(&file);
    ngi_store_release(store);
    return status;
}

ng_status ng_dataset_text(ng_dataset **dataset, const char *path, size_t context, ng_error *error)
{
    return read_text(dataset, path, context, &ngi_windows, make_windows, error);
}

ng_status ng_dataset_sequences(ng_dataset **dataset, const char *path, size_t context,
                               ng_error *error)
{
    return read_text(dataset, path, context, &ngi_sequences, make_sequences, error);
}
