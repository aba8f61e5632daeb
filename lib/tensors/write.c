/* Safetensors files that are written (natgrad/tensors.h). */
#include "lib/tensors/header.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/file.h>

#include "lib/core/mat.h"
#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/tensors/crc.h"

struct ng_tensors_writer {
    ng_file *file;
    ng_tensor *tensors;   /* name and shape owned, begin within the tensors' part */
    ngi_text_pair *pairs; /* owned */
    size_t count, capacity, pair_count, pair_capacity, bytes;
    int begun;            /* the header is written */
    size_t current, done; /* the tensor being written, and its bytes so far */
    ngi_crc crc;          /* of everything written */
};

ng_status ng_tensors_writer_create(ng_tensors_writer **writer, const char *path, ng_error *error)
{
    if (writer != NULL)
        *writer = NULL;
    if (writer == NULL)
        return ng_error_set(error, NG_EARG, "no place for a writer");
    TRY(ngi_tensors_check_machine(error));
    ng_tensors_writer *w;
    TRY(ngi_array_create(&w, 1, sizeof *w, "writer of tensors", error));
    ngi_crc_begin(&w->crc);
    ng_status status = ng_file_create(&w->file, path, error);
    if (status != NG_OK) {
        ng_tensors_writer_discard(w);
        return status;
    }
    *writer = w;
    return NG_OK;
}

void ng_tensors_writer_discard(ng_tensors_writer *writer)
{
    if (writer == NULL)
        return;
    for (size_t i = 0; i < writer->count; i++) {
        free((char *)writer->tensors[i].name);
        free((size_t *)writer->tensors[i].shape);
    }
    for (size_t i = 0; i < writer->pair_count; i++) {
        free((char *)writer->pairs[i].key);
        free((char *)writer->pairs[i].text);
    }
    free(writer->tensors);
    free(writer->pairs);
    ng_file_discard(writer->file);
    free(writer);
}

/* ---- Announcing ------------------------------------------------------------------------------ */

static ng_status copy_text(const char **copy, const char *text, ng_error *error)
{
    char *own;
    TRY(ngi_array_create(&own, strlen(text) + 1, 1, "bytes of text", error));
    strcpy(own, text);
    *copy = own;
    return NG_OK;
}

static ng_status check_open(const ng_tensors_writer *writer, const char *name, ng_error *error)
{
    if (writer == NULL || name == NULL)
        return ng_error_set(error, NG_EARG, "no writer, or no name");
    if (writer->begun)
        return ng_error_set(error, NG_EARG, "'%s' comes after the first write",
                            ngi_label_of(name).text);
    if (!ngi_is_utf8(name))
        return ng_error_set(error, NG_EARG, "the name of tensor %zu is not UTF-8", writer->count);
    return NG_OK;
}

ng_status ng_tensors_writer_add(ng_tensors_writer *writer, const char *name, ng_tensor_dtype dtype,
                                const size_t *shape, size_t rank, ng_error *error)
{
    TRY(check_open(writer, name, error));
    if ((shape == NULL && rank > 0) || strcmp(name, ngi_metadata_key) == 0)
        return ng_error_set(error, NG_EARG, "'%s': no tensor's name, or no shape",
                            ngi_label_of(name).text);
    if (ng_tensor_dtype_bits(dtype) == 0)
        return ng_error_set(error, NG_EDTYPE, "'%s': no type of elements is %d",
                            ngi_label_of(name).text, (int)dtype);
    TRY(ngi_array_grow(&writer->tensors, &writer->capacity, writer->count, sizeof *writer->tensors,
                       error));
    ng_tensor tensor = {name, dtype, rank, shape, 0, 0, writer->bytes};
    TRY(ngi_tensor_size(&tensor, error));
    if (ngi_size_add(writer->bytes, tensor.bytes) > INT64_MAX)
        return ng_error_set(error, NG_ERANGE, "'%s': the file is too large",
                            ngi_label_of(name).text);
    size_t *sizes;
    TRY(ngi_array_create(&sizes, rank, sizeof *sizes, "sizes", error));
    if (rank > 0)
        memcpy(sizes, shape, rank * sizeof *sizes);
    tensor.shape = sizes;
    ng_status status = copy_text(&tensor.name, name, error);
    if (status != NG_OK) {
        free(sizes);
        return status;
    }
    writer->tensors[writer->count++] = tensor;
    writer->bytes += tensor.bytes;
    return NG_OK;
}

ng_status ng_tensors_writer_add_text(ng_tensors_writer *writer, const char *key, const char *text,
                                     ng_error *error)
{
    TRY(check_open(writer, key, error));
    if (text == NULL || !ngi_is_utf8(text))
        return ng_error_set(error, NG_EARG, "'%s': no text, or none in UTF-8",
                            ngi_label_of(key).text);
    TRY(ngi_array_grow(&writer->pairs, &writer->pair_capacity, writer->pair_count,
                       sizeof *writer->pairs, error));
    ngi_text_pair pair = {NULL, NULL};
    TRY(copy_text(&pair.key, key, error));
    ng_status status = copy_text(&pair.text, text, error);
    if (status != NG_OK) {
        free((char *)pair.key);
        return status;
    }
    writer->pairs[writer->pair_count++] = pair;
    return NG_OK;
}

/* ---- The header ------------------------------------------------------------------------------ */

/* Text that grows; `failed` once it could not. */
typedef struct {
    char *text;
    size_t used, capacity;
    int failed;
} sheet;

static void put(sheet *s, const char *bytes, size_t size)
{
    if (s->failed || size > SIZE_MAX - s->used) {
        s->failed = 1;
        return;
    }
    if (s->used + size > s->capacity) {
        size_t more = ngi_size_add(ngi_size_mul(2, s->capacity), size);
        char *larger = realloc(s->text, more);
        s->failed = larger == NULL;
        if (s->failed)
            return;
        s->text = larger;
        s->capacity = more;
    }
    memcpy(s->text + s->used, bytes, size);
    s->used += size;
}

static void put_text(sheet *s, const char *text)
{
    put(s, text, strlen(text));
}

static void put_size(sheet *s, size_t size)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", size);
    put_text(s, digits);
}

static void put_string(sheet *s, const char *text)
{
    char code[8];
    put_text(s, "\"");
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20) {
            snprintf(code, sizeof code, "\\u%04x", (unsigned)*text);
            put_text(s, code);
        } else {
            if (*text == '"' || *text == '\\')
                put_text(s, "\\");
            put(s, text, 1);
        }
    put_text(s, "\"");
}

static void put_tensor(sheet *s, const ng_tensor *tensor)
{
    put_string(s, tensor->name);
    put_text(s, ":{\"dtype\":\"");
    put_text(s, ng_tensor_dtype_name(tensor->dtype));
    put_text(s, "\",\"shape\":[");
    for (size_t i = 0; i < tensor->rank; i++) {
        put_text(s, i > 0 ? "," : "");
        put_size(s, tensor->shape[i]);
    }
    put_text(s, "],\"data_offsets\":[");
    put_size(s, tensor->begin);
    put_text(s, ",");
    put_size(s, tensor->begin + tensor->bytes);
    put_text(s, "]}");
}

static void put_header(sheet *s, const ng_tensors_writer *writer)
{
    put_text(s, "{");
    if (writer->pair_count > 0) {
        put_string(s, ngi_metadata_key);
        put_text(s, ":{");
        for (size_t i = 0; i < writer->pair_count; i++) {
            put_text(s, i > 0 ? "," : "");
            put_string(s, writer->pairs[i].key);
            put_text(s, ":");
            put_string(s, writer->pairs[i].text);
        }
        put_text(s, writer->count > 0 ? "}," : "}");
    }
    for (size_t i = 0; i < writer->count; i++) {
        put_text(s, i > 0 ? "," : "");
        put_tensor(s, &writer->tensors[i]);
    }
    put_text(s, "}");
    while (s->used % 8 != 0 && !s->failed)
        put_text(s, " ");
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names, or keys, each once? */
static ng_status check_once(const ng_tensors_writer *writer, int keys, ng_error *error)
{
    size_t count = keys ? writer->pair_count : writer->count, i = 1;
    const char **names;
    TRY(ngi_array_create(&names, count, sizeof *names, "names", error));
    for (size_t k = 0; k < count; k++)
        names[k] = keys ? writer->pairs[k].key : writer->tensors[k].name;
    if (count > 0)
        qsort(names, count, sizeof *names, compare_texts);
    while (i < count && strcmp(names[i - 1], names[i]) != 0)
        i++;
    ng_status status = i < count ? ng_error_set(error, NG_EARG, "'%s' was added twice",
                                                ngi_label_of(names[i]).text)
                                 : NG_OK;
    free(names);
    return status;
}

static ng_status write_bytes(ng_tensors_writer *writer, const void *bytes, size_t size,
                             ng_error *error)
{
    ngi_crc_add(&writer->crc, bytes, size);
    return ng_file_write(writer->file, bytes, size, error);
}

static ng_status write_sheet(ng_tensors_writer *writer, const sheet *s, ng_error *error)
{
    unsigned char length[8];
    if (s->failed)
        return ng_error_set(error, NG_ENOMEM, "no memory for a header of %zu bytes", s->used);
    if (s->used > NGI_MAX_HEADER)
        return ng_error_set(error, NG_ERANGE, "a header of %zu bytes; the format has %d at most",
                            s->used, (int)NGI_MAX_HEADER);
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)s->used >> 8 * i);
    TRY(write_bytes(writer, length, sizeof length, error));
    return write_bytes(writer, s->text, s->used, error);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void skip_finished(ng_tensors_writer *writer)
{
    while (writer->current < writer->count &&
           writer->done == writer->tensors[writer->current].bytes) {
        writer->current++;
        writer->done = 0;
    }
}

static ng_status begin(ng_tensors_writer *writer, ng_error *error)
{
    if (writer->begun)
        return NG_OK;
    TRY(check_once(writer, 0, error));
    TRY(check_once(writer, 1, error));
    sheet s = {NULL, 0, 0, 0};
    put_header(&s, writer);
    ng_status status = write_sheet(writer, &s, error);
    free(s.text);
    TRY(status);
    writer->begun = 1;
    skip_finished(writer);
    return NG_OK;
}

ng_status ng_tensors_writer_write(ng_tensors_writer *writer, const void *bytes, size_t size,
                                  ng_error *error)
{
    if (writer == NULL || (bytes == NULL && size > 0))
        return ng_error_set(error, NG_EARG, "no writer, or no bytes");
    TRY(begin(writer, error));
    if (size == 0)
        return NG_OK;
    if (writer->current == writer->count)
        return ng_error_set(error, NG_EARG, "%zu bytes after the last tensor", size);
    const ng_tensor *tensor = &writer->tensors[writer->current];
    if (size > tensor->bytes - writer->done)
        return ng_error_set(error, NG_EARG, "'%s' has %zu bytes left, not %zu",
                            ngi_label_of(tensor->name).text, tensor->bytes - writer->done, size);
    TRY(write_bytes(writer, bytes, size, error));
    writer->done += size;
    skip_finished(writer);
    return NG_OK;
}

ng_status ng_tensors_writer_write_mat(ng_tensors_writer *writer, ng_mat mat, ng_error *error)
{
    TRY(ngi_mat_check_any(mat, "the view to write", error));
    TRY(ng_tensors_writer_write(writer, NULL, 0, error));
    size_t count = mat.rows * mat.cols, item = ng_dtype_size(mat.dtype);
    if (count == 0)
        return NG_OK;
    if (writer->current == writer->count || writer->done > 0)
        return ng_error_set(error, NG_EARG, "a view of %zu x %zu where no tensor begins", mat.rows,
                            mat.cols);
    const ng_tensor *tensor = &writer->tensors[writer->current];
    if (tensor->dtype != ng_tensor_dtype_of(mat.dtype))
        return ng_error_set(error, NG_EDTYPE, "'%s' is to be %s", ngi_label_of(tensor->name).text,
                            ng_tensor_dtype_name(tensor->dtype));
    if (tensor->count != count)
        return ng_error_set(error, NG_ESHAPE, "'%s' is to have %zu elements, not %zu x %zu",
                            ngi_label_of(tensor->name).text, tensor->count, mat.rows, mat.cols);
    for (size_t i = 0; i < mat.rows; i++)
        TRY(ng_tensors_writer_write(writer, (const char *)mat.data + i * mat.stride * item,
                                    mat.cols * item, error));
    return NG_OK;
}

ng_status ng_tensors_writer_crc(ng_tensors_writer *writer, uint32_t *crc, ng_error *error)
{
    if (writer == NULL || crc == NULL)
        return ng_error_set(error, NG_EARG, "no writer, or no place for its check sum");
    TRY(begin(writer, error));
    *crc = writer->crc.value;
    return NG_OK;
}

/* Hands the file on to its commit, which frees it. */
static ng_status commit(ng_tensors_writer *writer, ng_error *error)
{
    TRY(begin(writer, error));
    if (writer->current < writer->count)
        return ng_error_set(error, NG_ENODATA, "'%s' was not written to its end",
                            ngi_label_of(writer->tensors[writer->current].name).text);
    ng_file *file = writer->file;
    writer->file = NULL;
    return ng_file_commit(file, error);
}

ng_status ng_tensors_writer_commit(ng_tensors_writer *writer, ng_error *error)
{
    if (writer == NULL)
        return ng_error_set(error, NG_EARG, "no writer");
    ng_status status = commit(writer, error);
    ng_tensors_writer_discard(writer);
    return status;
}
