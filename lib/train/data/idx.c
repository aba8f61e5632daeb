/* IDX: a magic number 0 0 type rank, the sizes as 32-bit big-endian numbers,
 * then the elements, the last index running fastest
 * (http://yann.lecun.com/exdb/mnist/). */
#include "lib/train/data/dataset.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/train/data/file.h"

enum { UBYTE = 0x08, IMAGE_RANK = 3, LABEL_RANK = 1 };

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Reads the head; sizes has rank elements, none of them 0 afterwards, and
 * their product fits. */
static ng_status read_head(ngi_file *file, size_t *sizes, size_t rank)
{
    unsigned char head[4 + 4 * IMAGE_RANK];
    const uint32_t expected = UBYTE << 8 | (uint32_t)rank;
    size_t got, size = 4 + 4 * rank, product = 1;
    ng_status status = ngi_file_read(file, head, &got, size);
    if (status != NG_OK)
        return status;
    if (got == 0)
        return ngi_file_fail(file, NG_EFORMAT, "the file is empty");
    if (got >= 4 && big_endian(head) != expected)
        return ngi_file_fail(file, NG_EFORMAT,
                             "magic number 0x%08lx, expected 0x%08lx (bytes, %zu dimensions)",
                             (unsigned long)big_endian(head), (unsigned long)expected, rank);
    if (got < size)
        return ngi_file_fail(file, NG_EFORMAT, "ends after %zu bytes, within its head of %zu", got,
                             size);
    for (size_t i = 0; i < rank; i++) {
        sizes[i] = big_endian(head + 4 + 4 * i);
        if (sizes[i] == 0)
            return ngi_file_fail(file, NG_EFORMAT, "dimension %zu of %zu is 0", i + 1, rank);
        if (sizes[i] > SIZE_MAX / product)
            return ngi_file_fail(file, NG_EFORMAT, "its dimensions are too large to multiply");
        product *= sizes[i];
    }
    return NG_OK;
}

/* Exactly `size` bytes up to the end of the file. */
static ng_status read_elements(ngi_file *file, unsigned char **bytes, size_t size)
{
    size_t got, behind;
    unsigned char byte;
    ng_status status = ngi_file_load(file, bytes, &got, size);
    if (status != NG_OK)
        return status;
    if (got < size)
        return ngi_file_fail(file, NG_EFORMAT, "holds %zu elements, its head says %zu", got, size);
    status = ngi_file_read(file, &byte, &behind, 1); /* also makes zlib check the CRC */
    if (status == NG_OK && behind > 0)
        status = ngi_file_fail(file, NG_EFORMAT, "goes on after the %zu elements its head says",
                               size);
    return status;
}

static ng_status read_images(ngi_store *store, const char *path, ng_error *error)
{
    size_t sizes[IMAGE_RANK];
    unsigned char *bytes = NULL;
    ngi_file file;
    ng_status status = ngi_file_open(&file, path, error);
    if (status == NG_OK)
        status = read_head(&file, sizes, IMAGE_RANK);
    if (status == NG_OK)
        status = read_elements(&file, &bytes, sizes[0] * sizes[1] * sizes[2]);
    if (status == NG_OK) {
        store->count = sizes[0];
        store->features = sizes[1] * sizes[2];
    }
    store->values = bytes;
    ngi_file_close(&file);
    return status;
}

static ng_status read_labels(ngi_store *store, const char *path, const char *images,
                             ng_error *error)
{
    size_t count;
    ngi_file file;
    ng_status status = ngi_file_open(&file, path, error);
    if (status == NG_OK)
        status = read_head(&file, &count, LABEL_RANK);
    if (status == NG_OK && count != store->count)
        status = ngi_file_fail(&file, NG_EFORMAT, "%zu labels, but %.80s has %zu images", count,
                               images, store->count);
    if (status == NG_OK)
        status = read_elements(&file, &store->labels, count);
    ngi_file_close(&file);
    return status;
}

ng_status ng_dataset_idx(ng_dataset **dataset, const char *images, const char *labels,
                         ng_error *error)
{
    ngi_store *store = NULL;
    ng_status status;
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    status = ngi_store_create(&store, &ngi_bytes, error);
    if (status != NG_OK)
        goto fail;
    status = read_images(store, images, error);
    if (status != NG_OK)
        goto fail;
    status = read_labels(store, labels, images, error);
    if (status != NG_OK)
        goto fail;
    ngi_store_count_classes(store);
    status = ngi_store_wrap(dataset, store, images, error);
fail:
    ngi_store_release(store);
    return status;
}
