/* Safetensors files that are read (natgrad/tensors.h). */
#define _POSIX_C_SOURCE 200809L
#include "lib/tensors/header.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/core/file.h"
#include "lib/core/half.h"
#include "lib/core/mat.h"
#include "lib/core/memory.h"
#include "lib/core/try.h"
#include "lib/tensors/crc.h"

struct ng_tensors {
    int fd; /* -1: not open */
    char *path, *text;
    ngi_tensor_table table;
};

/* ---- Opening --------------------------------------------------------------------------------- */

static ng_status read_at(const ng_tensors *tensors, void *into, size_t begin, size_t size,
                         ng_error *error)
{
    unsigned char *bytes = into;
    while (size > 0) {
        ssize_t n = pread(tensors->fd, bytes, size, (off_t)begin);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ngi_io_error(error, "read", tensors->path, errno);
        if (n == 0)
            return ng_error_set(error, NG_EFORMAT, "safetensors: the file shrinks as it is read");
        bytes += n;
        begin += (size_t)n;
        size -= (size_t)n;
    }
    return NG_OK;
}

/* *size of the header, *bytes after it */
static ng_status read_sizes(const ng_tensors *tensors, size_t *size, size_t *bytes, ng_error *error)
{
    struct stat info;
    unsigned char length[8];
    uint64_t n = 0;
    if (fstat(tensors->fd, &info) != 0)
        return ngi_io_error(error, "read", tensors->path, errno);
    if (!S_ISREG(info.st_mode))
        return ng_error_set(error, NG_EIO, "cannot read %.150s: not a file", tensors->path);
    uint64_t all = (uint64_t)info.st_size;
    if (all < sizeof length || all > SIZE_MAX)
        return ng_error_set(error, NG_EFORMAT, "safetensors: %llu bytes are no such file",
                            (unsigned long long)all);
    TRY(read_at(tensors, length, 0, sizeof length, error));
    for (int i = 0; i < 8; i++)
        n |= (uint64_t)length[i] << 8 * i;
    if (n > NGI_MAX_HEADER || n > all - sizeof length)
        return ng_error_set(error, NG_EFORMAT,
                            "safetensors: a header of %llu bytes in a file of %llu",
                            (unsigned long long)n, (unsigned long long)all);
    *size = (size_t)n;
    *bytes = (size_t)(all - sizeof length - n);
    return NG_OK;
}

static ng_status open_file(ng_tensors *tensors, const char *path, ng_error *error)
{
    size_t size = 0, bytes = 0;
    TRY(ngi_tensors_check_machine(error));
    TRY(ngi_array_create(&tensors->path, strlen(path) + 1, 1, "a path", error));
    strcpy(tensors->path, path);
    tensors->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait */
    if (tensors->fd < 0)
        return ngi_io_error(error, "open", path, errno);
    TRY(read_sizes(tensors, &size, &bytes, error));
    TRY(ngi_array_create(&tensors->text, size, 1, "bytes of a header", error));
    TRY(read_at(tensors, tensors->text, 8, size, error));
    return ngi_table_read(&tensors->table, tensors->text, size, 8 + size, bytes, error);
}

ng_status ng_tensors_open(ng_tensors **tensors, const char *path, ng_error *error)
{
    if (tensors != NULL)
        *tensors = NULL;
    if (tensors == NULL || path == NULL)
        return ng_error_set(error, NG_EARG, "a file of tensors needs a path");
    ng_tensors *t;
    TRY(ngi_array_create(&t, 1, sizeof *t, "file of tensors", error));
    t->fd = -1;
    ng_status status = open_file(t, path, error);
    if (status != NG_OK) {
        ng_tensors_close(t);
        return status;
    }
    *tensors = t;
    return NG_OK;
}

void ng_tensors_close(ng_tensors *tensors)
{
    if (tensors == NULL)
        return;
    if (tensors->fd >= 0)
        close(tensors->fd);
    ngi_table_free(&tensors->table);
    free(tensors->text);
    free(tensors->path);
    free(tensors);
}

/* ---- Looking --------------------------------------------------------------------------------- */

size_t ng_tensors_count(const ng_tensors *tensors)
{
    return tensors != NULL ? tensors->table.count : 0;
}

const ng_tensor *ng_tensors_get(const ng_tensors *tensors, size_t index)
{
    return index < ng_tensors_count(tensors) ? &tensors->table.tensors[index] : NULL;
}

static int compare_name(const void *name, const void *item)
{
    return strcmp(name, (*(const ng_tensor *const *)item)->name);
}

static int compare_key(const void *key, const void *item)
{
    return strcmp(key, ((const ngi_text_pair *)item)->key);
}

const ng_tensor *ng_tensors_find(const ng_tensors *tensors, const char *name)
{
    if (ng_tensors_count(tensors) == 0 || name == NULL)
        return NULL;
    const ng_tensor **found = bsearch(name, tensors->table.by_name, tensors->table.count,
                                      sizeof *tensors->table.by_name, compare_name);
    return found != NULL ? *found : NULL;
}

const char *ng_tensors_text(const ng_tensors *tensors, const char *key)
{
    if (tensors == NULL || tensors->table.pair_count == 0 || key == NULL)
        return NULL;
    const ngi_text_pair *found = bsearch(key, tensors->table.pairs, tensors->table.pair_count,
                                         sizeof *tensors->table.pairs, compare_key);
    return found != NULL ? found->text : NULL;
}

const char *ng_tensors_text_at(const ng_tensors *tensors, size_t index, const char **key)
{
    if (tensors == NULL || index >= tensors->table.pair_count)
        return NULL;
    if (key != NULL)
        *key = tensors->table.pairs[index].key;
    return tensors->table.pairs[index].text;
}

/* ---- Reading --------------------------------------------------------------------------------- */

ng_status ng_tensors_read(const ng_tensors *tensors, void *bytes, const ng_tensor *tensor,
                          size_t begin, size_t size, ng_error *error)
{
    if (tensors == NULL || tensor == NULL || (bytes == NULL && size > 0))
        return ng_error_set(error, NG_EARG, "no tensor to read, or no room for it");
    if (begin > tensor->bytes || size > tensor->bytes - begin)
        return ng_error_set(error, NG_EARG, "'%s' has %zu bytes, none at %zu + %zu",
                            ngi_label_of(tensor->name).text, tensor->bytes, begin, size);
    return read_at(tensors, bytes, tensor->begin + begin, size, error);
}

/* "[4, 6]", or its beginning */
static void print_shape(char *text, size_t size, const ng_tensor *tensor)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (size_t i = 0; i < tensor->rank && used < size; i++) {
        if (i == 4) {
            used += (size_t)snprintf(text + used, size - used, ", ...");
            break;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%zu", i > 0 ? ", " : "",
                                 tensor->shape[i]);
    }
    if (used < size)
        snprintf(text + used, size - used, "]");
}

/* The sizes of the tensor that are not one are those of the view that are not. */
static int fits(const ng_tensor *tensor, ng_mat mat)
{
    const size_t wanted[2] = {mat.rows, mat.cols};
    size_t next = 0;
    for (size_t i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] == 1)
            continue;
        while (next < 2 && wanted[next] == 1)
            next++;
        if (next == 2 || wanted[next++] != tensor->shape[i])
            return 0;
    }
    while (next < 2 && wanted[next] == 1)
        next++;
    return next == 2;
}

ng_status ngi_tensor_fits(const ng_tensor *tensor, ng_mat mat, ng_error *error)
{
    char shape[120];
    const char *dtype = ng_tensor_dtype_name(ng_tensor_dtype_of(mat.dtype));
    if (tensor->dtype != ng_tensor_dtype_of(mat.dtype))
        return ng_error_set(error, NG_EDTYPE, "'%s' is %s in the file, %s here",
                            ngi_label_of(tensor->name).text, ng_tensor_dtype_name(tensor->dtype),
                            dtype);
    if (fits(tensor, mat))
        return NG_OK;
    print_shape(shape, sizeof shape, tensor);
    return ng_error_set(error, NG_ESHAPE, "'%s' has the shape %s in the file, %zu x %zu here",
                        ngi_label_of(tensor->name).text, shape, mat.rows, mat.cols);
}

/* n numbers of sixteen bits from that place of the file, as floats. */
static ng_status read_widened(const ng_tensors *tensors, void *f32, ng_dtype dtype, size_t begin,
                              size_t n, ng_error *error)
{
    uint16_t bits[2048];
    const size_t room = sizeof bits / sizeof *bits;
    for (size_t i = 0; i < n; i += room) {
        size_t count = n - i < room ? n - i : room;
        TRY(read_at(tensors, bits, begin + i * sizeof *bits, count * sizeof *bits, error));
        ngi_half_of(dtype)->widen(count, (char *)f32 + i * ng_dtype_size(NG_F32), bits);
    }
    return NG_OK;
}

ng_status ng_tensors_read_mat(const ng_tensors *tensors, ng_mat mat, const ng_tensor *tensor,
                              ng_error *error)
{
    if (tensors == NULL || tensor == NULL)
        return ng_error_set(error, NG_EARG, "no tensor to read");
    TRY(ngi_mat_check_any(mat, "the view to read into", error));
    ng_mat stored = mat; /* as it is in the file */
    if (mat.dtype == NG_F32 && tensor->dtype == NG_TENSOR_F16)
        stored.dtype = NG_F16;
    if (mat.dtype == NG_F32 && tensor->dtype == NG_TENSOR_BF16)
        stored.dtype = NG_BF16;
    TRY(ngi_tensor_fits(tensor, stored, error));
    if (mat.stride == mat.cols || mat.rows == 1) {
        mat.cols *= mat.rows;
        mat.rows = 1;
    }
    size_t item = ng_dtype_size(mat.dtype), width = mat.cols * ng_dtype_size(stored.dtype);
    for (size_t i = 0; i < mat.rows; i++) {
        void *row = (char *)mat.data + i * mat.stride * item;
        size_t begin = tensor->begin + i * width;
        TRY(stored.dtype == mat.dtype
                ? read_at(tensors, row, begin, width, error)
                : read_widened(tensors, row, stored.dtype, begin, mat.cols, error));
    }
    return NG_OK;
}

static ng_status add_bytes(ngi_crc *crc, void *buffer, size_t room, const ng_tensors *tensors,
                           size_t end, ng_error *error)
{
    for (size_t at = 0, n; at < end; at += n) {
        n = end - at < room ? end - at : room;
        TRY(read_at(tensors, buffer, at, n, error));
        ngi_crc_add(crc, buffer, n);
    }
    return NG_OK;
}

ng_status ng_tensors_crc(const ng_tensors *tensors, uint32_t *crc, const ng_tensor *tensor,
                         ng_error *error)
{
    struct {
        ngi_crc crc;
        unsigned char bytes[1 << 16];
    } * scratch;
    if (tensors == NULL || crc == NULL || tensor == NULL)
        return ng_error_set(error, NG_EARG, "no tensor, or no place for a check sum");
    TRY(ngi_array_create(&scratch, 1, sizeof *scratch, "buffer", error));
    ngi_crc_begin(&scratch->crc);
    ng_status status = add_bytes(&scratch->crc, scratch->bytes, sizeof scratch->bytes, tensors,
                                 tensor->begin, error);
    *crc = scratch->crc.value;
    free(scratch);
    return status;
}
