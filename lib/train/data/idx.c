/* IDX: a magic number 0 0 type rank, the sizes as 32-bit big-endian numbers,
 * then the elements, the last index running fastest
 * (http://yann.lecun.com/exdb/mnist/). */
#include "lib/train/data/idx.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/elements.h"

enum { RANK = 8 };

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int element_of(ngi_element *type, unsigned char code)
{
    static const struct {
        unsigned char code;
        ngi_element type;
    } types[] = {{0x08, NGI_U1}, {0x09, NGI_I1}, {0x0b, NGI_I2},
                 {0x0c, NGI_I4}, {0x0d, NGI_F4}, {0x0e, NGI_F8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *type = types[i].type;
            return 1;
        }
    return 0;
}

/* Opens the file and reads its head. Labels have one dimension, images more. No size is 0, and
 * their product fits. */
static ng_status open_array(ngi_opening *o, ngi_file *file, ngi_array *array, const char *path,
                            int labels)
{
    unsigned char head[4 + 4 * RANK];
    size_t got;
    *array = (ngi_array){.file = file, .big_endian = 1, .cols = 1};
    TRY(ngi_file_open(file, path, o->error));
    TRY(ngi_file_read(file, head, &got, 4));
    if (got == 0)
        return ngi_file_fail(file, NG_EFORMAT, "the file is empty");
    if (got < 4)
        return ngi_file_fail(file, NG_EFORMAT, "ends after %zu bytes, within its head", got);
    size_t rank = head[3];
    if (head[0] != 0 || head[1] != 0 || !element_of(&array->type, head[2]) ||
        (labels ? rank != 1 : rank < 2 || rank > RANK))
        return ngi_file_fail(file, NG_EFORMAT, "magic number 0x%08lx, expected 0x%s",
                             (unsigned long)big_endian(head),
                             labels ? "00000801 (bytes, 1 dimension) or another type"
                                    : "00000803 (bytes, 3 dimensions), another type or 2 to 8");
    TRY(ngi_file_exactly(file, head + 4, 4 * rank, "its head"));
    for (size_t i = 0; i < rank; i++) {
        size_t size = big_endian(head + 4 + 4 * i);
        if (size == 0)
            return ngi_file_fail(file, NG_EFORMAT, "dimension %zu of %zu is 0", i + 1, rank);
        size_t *to = i == 0 ? &array->rows : &array->cols;
        if (size > SIZE_MAX / 16 / array->cols || (i == 0 && size > SIZE_MAX / 16))
            return ngi_file_fail(file, NG_EFORMAT, "its dimensions are too large to multiply");
        *to = i == 0 ? size : *to * size;
    }
    if (array->rows > SIZE_MAX / 16 / array->cols)
        return ngi_file_fail(file, NG_EFORMAT, "its dimensions are too large to multiply");
    return NG_OK;
}

/* ---- Bytes ------------------------------------------------------------------------------------
 */

/* All elements up to the end of the file in a block of their own. */
static ng_status read_bytes(const ngi_array *array, unsigned char **bytes)
{
    size_t got, size = array->rows * array->cols;
    TRY(ngi_file_load(array->file, bytes, &got, size));
    if (got < size)
        return ngi_file_fail(array->file, NG_EFORMAT, "holds %zu elements, its head says %zu", got,
                             size);
    return ngi_file_finished(array->file, size);
}

/* The block becomes the store's, or goes behind what that has; it is the opening's until then. */
static ng_status take_images(ngi_opening *o, const ngi_array *images)
{
    ngi_store *store = o->store;
    size_t features = o->schema->features, have = store->count * features;
    TRY(read_bytes(images, (unsigned char **)&o->scratch));
    if (store->values == NULL) {
        store->values = o->scratch;
        o->scratch = NULL;
        return NG_OK;
    }
    size_t more = images->rows * features;
    unsigned char *grown = realloc(store->values, have + more);
    if (grown == NULL)
        return ngi_file_fail(images->file, NG_ENOMEM, "no memory for %zu images", images->rows);
    store->values = grown;
    memcpy(grown + have, o->scratch, more);
    free(o->scratch);
    o->scratch = NULL;
    return NG_OK;
}

static ng_status take_labels(ngi_opening *o, const ngi_array *labels)
{
    ngi_store *store = o->store;
    TRY(read_bytes(labels, (unsigned char **)&o->scratch));
    int *grown = realloc(store->labels, (store->count + labels->rows) * sizeof *grown);
    if (grown == NULL)
        return ngi_file_fail(labels->file, NG_ENOMEM, "no memory for %zu labels", labels->rows);
    store->labels = grown;
    for (size_t i = 0; i < labels->rows; i++)
        grown[store->count + i] = ((unsigned char *)o->scratch)[i];
    free(o->scratch);
    o->scratch = NULL;
    return NG_OK;
}

static ng_status check_images(ngi_opening *o, const ngi_array *images)
{
    ng_schema *schema = o->schema;
    if (o->store->count == 0 && o->model == NULL)
        schema->features = images->cols;
    if (images->type != NGI_U1)
        return ngi_file_fail(images->file, NG_EFORMAT, "numbers, the model's are bytes");
    if (images->cols != schema->features)
        return ngi_file_fail(images->file, NG_EFORMAT, "images of %zu pixels, %s of %zu",
                             images->cols, o->model != NULL ? "the model's are" : "for training",
                             schema->features);
    return NG_OK;
}

static ng_status open_labels(ngi_opening *o, ngi_array *labels, const char *path,
                             const ngi_array *images)
{
    TRY(open_array(o, &o->other, labels, path, 1));
    return labels->rows == images->rows
               ? NG_OK
               : ngi_file_fail(labels->file, NG_EFORMAT, "%zu labels, but %.80s has %zu images",
                               labels->rows, images->file->path, images->rows);
}

/* Images whose head is read, and the labels in the file of that path, or none. */
static ng_status append(ngi_opening *o, const ngi_array *images, const char *path)
{
    ngi_array labels;
    TRY(check_images(o, images));
    TRY(take_images(o, images));
    if (path != NULL) {
        TRY(open_labels(o, &labels, path, images));
        if (labels.type != NGI_U1)
            return ngi_file_fail(labels.file, NG_EFORMAT,
                                 "labels that are no bytes, beside images "
                                 "that are");
        TRY(take_labels(o, &labels));
    }
    o->store->count += images->rows;
    return NG_OK;
}

ng_status ngi_idx_append(ngi_opening *o, const char *images, const char *labels)
{
    ngi_array inputs;
    ngi_file_close(&o->file);
    ngi_file_close(&o->other);
    TRY(open_array(o, &o->file, &inputs, images, 0));
    return append(o, &inputs, labels);
}

ng_status ngi_idx_finish(ngi_opening *o)
{
    size_t largest = 0, where = 0, classes = o->schema->labels.count;
    for (size_t i = 0; i < o->store->count && o->store->labels != NULL; i++)
        if ((size_t)o->store->labels[i] > largest) {
            largest = (size_t)o->store->labels[i];
            where = i;
        }
    if (o->model == NULL)
        return ngi_schema_number_labels(o->schema, largest + 1, o->error);
    return largest < classes
               ? NG_OK
               : ngi_file_fail(&o->other, NG_EFORMAT,
                               "sample %zu: the label %zu is none of the %zu of the model",
                               where + 1, largest, classes);
}

/* ---- Any type ------------------------------------------------------------------------------- */

static ng_status read_idx(ngi_opening *o)
{
    const char *first, *second;
    ngi_array images, labels;
    TRY(ngi_two_paths(o, &first, &second));
    if (second == NULL && o->model == NULL)
        return ng_error_set(o->error, NG_EARG,
                            "idx:%.80s: a name is missing, expected "
                            "idx:IMAGES,LABELS",
                            o->what);
    TRY(open_array(o, &o->file, &images, first, 0));
    if (o->model != NULL ? o->model->columns == 0 : images.type == NGI_U1) {
        TRY(append(o, &images, second));
        return ngi_idx_finish(o);
    }
    if (second != NULL)
        TRY(open_labels(o, &labels, second, &images));
    o->store->layout = &ngi_tables;
    return ngi_array_table(o, &images, second != NULL ? &labels : NULL);
}

const ngi_kind ngi_kind_idx = {
    .shown = {"idx", "IMAGES,LABELS", "two files in the format of MNIST"},
    .layout = &ngi_bytes,
    .read = read_idx,
};

ng_status ng_dataset_idx(ng_dataset **dataset, const char *images, const char *labels,
                         ng_error *error)
{
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    if (images == NULL || labels == NULL)
        return ng_error_set(error, NG_EARG, "the path of a file is NULL");
    size_t size = strlen(images) + strlen(labels) + 2;
    char *both = malloc(size);
    if (both == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a path");
    strcat(strcat(strcpy(both, images), ","), labels);
    ng_status status = ngi_open_default(dataset, &ngi_kind_idx, both, NULL, NULL, error);
    free(both);
    return status;
}
