/* The JSON header of a safetensors file. */
#include "optim/checkpoint/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/version.h>

#include "lib/core/size.h"

static const char format_key[] = "natgrad_format", format_version[] = "1";

/* What the tensors mean: a library that means something else must not take them. */
static const char *const conventions[][2] = {
    {format_key, format_version},
    {"shape_scale", "by rows = outputs, cols = inputs: original sqrt(max(1, rows/cols)), "
                    "match_rms_adamw 0.2 sqrt(max(rows, cols))"},
    {"momentum", "steepest, natural: M <- beta M + (1 - beta) G from 0; sgd: b <- mu b + G, "
                 "first b = G"},
    {"vec", "row-major: (P x Q) vec(X) = vec(P X Q)"},
    {"eigenvectors", "rows"},
};
enum { CONVENTIONS = sizeof conventions / sizeof conventions[0] };

/* ---- Writing ---------------------------------------------------------------------------- */

char *ngi_json_text(const json_t *json)
{
    size_t size = json_dumpb(json, NULL, 0, JSON_COMPACT);
    char *text = size > 0 ? malloc(size + 1) : NULL;
    if (text == NULL)
        return NULL;
    if (json_dumpb(json, text, size, JSON_COMPACT) == size) {
        text[size] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static json_t *entry_json(const ngi_entry *entry)
{
    json_int_t begin = (json_int_t)entry->begin;
    json_int_t end = begin + (json_int_t)ngi_entry_bytes(entry);
    json_int_t rows = (json_int_t)entry->rows, cols = (json_int_t)entry->cols;
    json_t *shape = entry->vector ? json_pack("[I]", cols) : json_pack("[II]", rows, cols);
    return json_pack("{s:s, s:o, s:[II]}", "dtype", entry->dtype, "shape", shape, "data_offsets",
                     begin, end);
}

static json_t *metadata(const char *model, uint32_t crc, unsigned long long steps)
{
    char sum[16], count[32];
    int bad = 0;
    snprintf(sum, sizeof sum, "%08lx", (unsigned long)crc);
    snprintf(count, sizeof count, "%llu", steps);
    json_t *meta = json_pack("{s:s, s:s, s:s, s:s}", "library", ng_version(), "steps", count,
                             "crc32", sum, "model", model);
    for (int i = 0; i < CONVENTIONS && meta != NULL; i++)
        bad |= json_object_set_new(meta, conventions[i][0], json_string(conventions[i][1]));
    if (!bad)
        return meta;
    json_decref(meta);
    return NULL;
}

/* JSON may end in spaces; the tensors are then aligned. */
static ng_status pad(char **text, size_t *size, char *json, ng_error *error)
{
    size_t length = strlen(json), padded = (length + 7) / 8 * 8;
    *text = malloc(padded);
    if (*text != NULL) {
        memcpy(*text, json, length);
        memset(*text + length, ' ', padded - length);
        *size = padded;
    }
    free(json);
    return *text != NULL ? NG_OK : ng_error_set(error, NG_ENOMEM, "no memory for a header");
}

ng_status ngi_header_write(char **text, size_t *size, const ngi_entries *list, const char *model,
                           uint32_t crc, unsigned long long steps, ng_error *error)
{
    json_t *root = json_object();
    int bad = json_object_set_new(root, "__metadata__", metadata(model, crc, steps));
    for (size_t i = 0; i < list->count && !bad; i++)
        bad = json_object_set_new(root, list->items[i].name, entry_json(&list->items[i]));
    char *json = bad ? NULL : ngi_json_text(root);
    json_decref(root);
    return json != NULL ? pad(text, size, json, error)
                        : ng_error_set(error, NG_ENOMEM, "no memory for a header");
}

/* ---- Reading ------------------------------------------------------------------------------ */

static ng_status malformed(ng_error *error, const char *name, const char *what)
{
    return ng_error_set(error, NG_EFORMAT, "checkpoint: '%.60s': %s", name, what);
}

static int get_size(const json_t *value, size_t *size)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return 0;
    *size = (size_t)json_integer_value(value);
    return 1;
}

/* One tensor of the file; name is borrowed, data NULL. */
static ng_status parse(ngi_entry *entry, const char *name, const json_t *json, ng_error *error)
{
    static const struct {
        const char *name;
        size_t item;
    } dtypes[] = {{"F32", 4}, {"F64", 8}, {"U8", 1}};
    const char *dtype = json_string_value(json_object_get(json, "dtype"));
    const json_t *shape = json_object_get(json, "shape");
    const json_t *place = json_object_get(json, "data_offsets");
    size_t rank = json_array_size(shape), end;
    memset(entry, 0, sizeof *entry);
    entry->name = (char *)name;
    entry->rows = 1;
    entry->vector = rank == 1;
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0] && dtype != NULL; i++)
        if (strcmp(dtype, dtypes[i].name) == 0) {
            entry->dtype = dtypes[i].name;
            entry->item = dtypes[i].item;
        }
    if (json_object_size(json) != 3 || entry->dtype == NULL)
        return malformed(error, name, "no dtype F32, F64 or U8, shape and data_offsets");
    if (rank < 1 || rank > 2 || !get_size(json_array_get(shape, rank - 1), &entry->cols) ||
        (rank == 2 && !get_size(json_array_get(shape, 0), &entry->rows)))
        return malformed(error, name, "its shape is not one or two sizes");
    if (json_array_size(place) != 2 || !get_size(json_array_get(place, 0), &entry->begin) ||
        !get_size(json_array_get(place, 1), &end) || end < entry->begin)
        return malformed(error, name, "its data_offsets are not two ascending sizes");
    if (ngi_size_mul(ngi_size_mul(entry->rows, entry->cols), entry->item) != end - entry->begin)
        return malformed(error, name, "its data_offsets do not fit its shape");
    return NG_OK;
}

static int by_begin(const void *a, const void *b)
{
    const ngi_entry *x = a, *y = b;
    size_t x_end = x->begin + ngi_entry_bytes(x), y_end = y->begin + ngi_entry_bytes(y);
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x_end > y_end) - (x_end < y_end); /* empty ones first */
}

/* Side by side they fill `bytes`. */
static ng_status check_places(ngi_entry *entries, size_t count, size_t bytes, ng_error *error)
{
    size_t end = 0;
    qsort(entries, count, sizeof *entries, by_begin);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].begin != end)
            return malformed(error, entries[i].name,
                             entries[i].begin > end ? "a hole before it" : "overlaps another");
        end += ngi_entry_bytes(&entries[i]);
        if (end > bytes)
            return malformed(error, entries[i].name, "the file ends before it does");
    }
    return end == bytes
               ? NG_OK
               : ng_error_set(error, NG_EFORMAT,
                              "checkpoint: %zu bytes of tensors in a file with %zu", end, bytes);
}

static ng_status check_tensors(json_t *root, size_t bytes, ng_error *error)
{
    size_t count = 0;
    const char *name;
    json_t *value;
    ng_status status = NG_OK;
    ngi_entry *entries = malloc(json_object_size(root) * sizeof *entries);
    if (entries == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a table of %zu tensors",
                            json_object_size(root));
    json_object_foreach(root, name, value) if (status == NG_OK && strcmp(name, "__metadata__") != 0)
        status = parse(&entries[count++], name, value, error);
    if (status == NG_OK)
        status = check_places(entries, count, bytes, error);
    free(entries);
    return status;
}

static ng_status check_metadata(ngi_header *header, const json_t *meta, ng_error *error)
{
    const char *found = json_string_value(json_object_get(meta, format_key));
    if (found == NULL)
        return ng_error_set(error, NG_EFORMAT, "a safetensors file, but no checkpoint of natgrad");
    for (int i = 0; i < CONVENTIONS; i++) {
        found = json_string_value(json_object_get(meta, conventions[i][0]));
        if (found == NULL || strcmp(found, conventions[i][1]) != 0)
            return ng_error_set(error, NG_EFORMAT,
                                "checkpoint: %s is '%.60s', this library has '%.60s'",
                                conventions[i][0], found != NULL ? found : "", conventions[i][1]);
    }
    header->model = json_string_value(json_object_get(meta, "model"));
    header->writer = json_string_value(json_object_get(meta, "library"));
    header->steps = json_string_value(json_object_get(meta, "steps"));
    const char *sum = json_string_value(json_object_get(meta, "crc32"));
    char again[16] = "";
    if (sum != NULL) {
        header->crc = (uint32_t)strtoul(sum, NULL, 16);
        snprintf(again, sizeof again, "%08lx", (unsigned long)header->crc);
    }
    if (header->model == NULL || header->writer == NULL || header->steps == NULL || sum == NULL ||
        strcmp(sum, again) != 0)
        return malformed(error, "__metadata__", "no model, library, steps or crc32");
    return NG_OK;
}

ng_status ngi_header_read(ngi_header *header, const char *text, size_t size, size_t bytes,
                          ng_error *error)
{
    json_error_t inner;
    memset(header, 0, sizeof *header);
    if (size == 0 || text[0] != '{')
        return ng_error_set(error, NG_EFORMAT, "checkpoint: its header is not JSON");
    header->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &inner);
    if (header->root == NULL && ngi_json_starved(&inner))
        return ng_error_set(error, NG_ENOMEM, "no memory for a header of %zu bytes", size);
    if (header->root == NULL)
        return ng_error_set(error, NG_EFORMAT, "checkpoint: its header is not JSON: %.150s",
                            inner.text);
    ng_status status = check_metadata(header, json_object_get(header->root, "__metadata__"), error);
    return status != NG_OK ? status : check_tensors(header->root, bytes, error);
}

void ngi_header_free(ngi_header *header)
{
    json_decref(header->root);
    header->root = NULL;
}

/* ---- Finding ------------------------------------------------------------------------------- */

/* The expected tensor's place, if it is what was expected. */
static ng_status match(const ngi_header *header, ngi_entry *expected, ng_error *error)
{
    ngi_entry found;
    const json_t *json = json_object_get(header->root, expected->name);
    if (json == NULL && expected->optional)
        return NG_OK;
    if (json == NULL)
        return ng_error_set(error, NG_ENODATA, "the checkpoint has no '%.100s'", expected->name);
    ng_status status = parse(&found, expected->name, json, error);
    if (status != NG_OK)
        return status;
    if (strcmp(found.dtype, expected->dtype) != 0)
        return ng_error_set(error, NG_EDTYPE, "'%.100s' is %s in the checkpoint, %s here",
                            expected->name, found.dtype, expected->dtype);
    if (found.vector != expected->vector || found.rows != expected->rows ||
        found.cols != expected->cols)
        return ng_error_set(error, NG_ESHAPE,
                            "'%.100s' is %zu x %zu in the checkpoint, %zu x %zu here",
                            expected->name, found.rows, found.cols, expected->rows, expected->cols);
    expected->begin = found.begin;
    return NG_OK;
}

static int expected(const ngi_entries *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return 1;
    return strcmp(name, "__metadata__") == 0 || strcmp(name, "random") == 0;
}

ng_status ngi_header_match(const ngi_header *header, ngi_entries *list, ng_error *error)
{
    const char *name;
    json_t *value;
    size_t known = 1 + (json_object_get(header->root, "random") != NULL);
    ng_status status = NG_OK;
    for (size_t i = 0; i < list->count && status == NG_OK; i++) {
        status = match(header, &list->items[i], error);
        known += json_object_get(header->root, list->items[i].name) != NULL;
    }
    if (status != NG_OK || known == json_object_size(header->root))
        return status;
    json_object_foreach(header->root, name, value) if (!expected(list, name)) break;
    return ng_error_set(error, NG_EARG, "'%.100s' of the checkpoint is nobody's here", name);
}

ng_status ngi_header_vector(const ngi_header *header, const char *name, const char *dtype,
                            size_t *begin, size_t *count, ng_error *error)
{
    ngi_entry found;
    const json_t *json = json_object_get(header->root, name);
    if (json == NULL)
        return ng_error_set(error, NG_ENODATA, "the checkpoint has no '%s'", name);
    ng_status status = parse(&found, name, json, error);
    if (status == NG_OK && (!found.vector || strcmp(found.dtype, dtype) != 0))
        status = malformed(error, name, "of another type than it should be");
    *begin = found.begin;
    *count = found.cols;
    return status;
}
