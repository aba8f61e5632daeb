/* The table in the header of a safetensors file, from its text. */
#include "lib/tensors/header.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"

static const struct {
    const char *name;
    size_t bits;
} dtypes[NG_TENSOR_DTYPES] = {
#define DTYPE_ROW(name, bits) [NG_TENSOR_##name] = {#name, bits},
    NG_TENSOR_DTYPE_LIST(DTYPE_ROW)
#undef DTYPE_ROW
};

const char *ng_tensor_dtype_name(ng_tensor_dtype dtype)
{
    return (unsigned)dtype < NG_TENSOR_DTYPES ? dtypes[dtype].name : "unknown";
}

ng_tensor_dtype ng_tensor_dtype_of(ng_dtype dtype)
{
    return dtype == NG_F32   ? NG_TENSOR_F32
           : dtype == NG_F64 ? NG_TENSOR_F64
           : dtype == NG_F16 ? NG_TENSOR_F16
                             : NG_TENSOR_BF16;
}

size_t ng_tensor_dtype_bits(ng_tensor_dtype dtype)
{
    return (unsigned)dtype < NG_TENSOR_DTYPES ? dtypes[dtype].bits : 0;
}

ng_status ng_tensor_dtype_find(ng_tensor_dtype *dtype, const char *name, ng_error *error)
{
    if (dtype == NULL || name == NULL)
        return ng_error_set(error, NG_EARG, "a type of elements needs a name");
    for (int i = 0; i < NG_TENSOR_DTYPES; i++)
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = (ng_tensor_dtype)i;
            return NG_OK;
        }
    return ng_error_set(error, NG_EDTYPE, "no type of elements is called '%s'",
                        ngi_label_of(name).text);
}

ng_status ngi_tensor_size(ng_tensor *tensor, ng_error *error)
{
    size_t product = 1, bits = ng_tensor_dtype_bits(tensor->dtype);
    int empty = 0;
    for (size_t i = 0; i < tensor->rank; i++)
        if (tensor->shape[i] == 0)
            empty = 1;
        else
            product = ngi_size_mul(product, tensor->shape[i]);
    if (product == SIZE_MAX || ngi_size_mul(product, bits) == SIZE_MAX)
        return ng_error_set(error, NG_ERANGE, "'%s': the product of its sizes is too large",
                            ngi_label_of(tensor->name).text);
    tensor->count = empty ? 0 : product;
    tensor->bytes = tensor->count * bits / 8;
    if (tensor->count * bits % 8 == 0)
        return NG_OK;
    return ng_error_set(error, NG_ESHAPE, "'%s': %zu elements of %zu bits do not fill bytes",
                        ngi_label_of(tensor->name).text, tensor->count, bits);
}

ng_status ngi_tensors_check_machine(ng_error *error)
{
    const union {
        unsigned short word;
        unsigned char byte[2];
    } one = {1};
    return one.byte[0] == 1 ? NG_OK
                            : ng_error_set(error, NG_EUNSUPPORTED,
                                           "safetensors files need a little-endian machine");
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static ng_status malformed(ng_error *error, const char *name, const char *what)
{
    return ng_error_set(error, NG_EFORMAT, "safetensors: '%s': %s", ngi_label_of(name).text, what);
}

static ng_status not_json(ng_error *error, const char *what)
{
    return ng_error_set(error, NG_EFORMAT, "safetensors: its header is no JSON object of %s", what);
}

static ng_status parse_shape(ngi_tensor_table *table, ng_tensor *tensor, ngi_scanner *s,
                             ng_error *error)
{
    static const char fault[] = "its shape is no list of sizes";
    if (!ngi_scan(s, '['))
        return malformed(error, tensor->name, fault);
    if (ngi_scan(s, ']'))
        return NG_OK;
    do {
        TRY(ngi_array_grow(&table->sizes, &table->size_capacity, table->size_count,
                           sizeof *table->sizes, error));
        if (!ngi_scan_size(s, &table->sizes[table->size_count]))
            return malformed(error, tensor->name, fault);
        table->size_count++;
        tensor->rank++;
    } while (ngi_scan(s, ','));
    return ngi_scan(s, ']') ? NG_OK : malformed(error, tensor->name, fault);
}

static ng_status parse_offsets(ng_tensor *tensor, ngi_scanner *s, ng_error *error)
{
    size_t end;
    if (!ngi_scan(s, '[') || !ngi_scan_size(s, &tensor->begin) || !ngi_scan(s, ',') ||
        !ngi_scan_size(s, &end) || !ngi_scan(s, ']') || end < tensor->begin)
        return malformed(error, tensor->name, "its data_offsets are not two ascending sizes");
    tensor->bytes = end - tensor->begin;
    return NG_OK;
}

static ng_status parse_dtype(ng_tensor *tensor, ngi_scanner *s, ng_error *error)
{
    const char *name = ngi_scan_string(s);
    if (name != NULL && ng_tensor_dtype_find(&tensor->dtype, name, NULL) == NG_OK)
        return NG_OK;
    return malformed(error, tensor->name, "an unknown dtype");
}

/* The fields dtype, shape and data_offsets, each once, in any order. */
static ng_status parse_fields(ngi_tensor_table *table, ng_tensor *tensor, ngi_scanner *s,
                              ng_error *error)
{
    static const char *const fields[] = {"dtype", "shape", "data_offsets"};
    static const char fault[] = "not an object of one dtype, one shape and data_offsets";
    int seen[3] = {0, 0, 0}, more = ngi_scan(s, '{');
    while (more) {
        const char *key = ngi_scan_string(s);
        int f = 0;
        while (f < 3 && (key == NULL || strcmp(key, fields[f]) != 0))
            f++;
        if (f == 3 || seen[f]++ || !ngi_scan(s, ':'))
            return malformed(error, tensor->name, fault);
        TRY(f == 0   ? parse_dtype(tensor, s, error)
            : f == 1 ? parse_shape(table, tensor, s, error)
                     : parse_offsets(tensor, s, error));
        more = ngi_scan(s, ',');
    }
    return ngi_scan(s, '}') && seen[0] && seen[1] && seen[2]
               ? NG_OK
               : malformed(error, tensor->name, fault);
}

static ng_status parse_tensor(ngi_tensor_table *table, const char *name, ngi_scanner *s,
                              ng_error *error)
{
    ng_tensor tensor = {.name = name};
    size_t first = table->size_count;
    TRY(ngi_array_grow(&table->tensors, &table->capacity, table->count, sizeof *table->tensors,
                       error));
    TRY(parse_fields(table, &tensor, s, error));
    size_t bytes = tensor.bytes;
    tensor.shape = table->sizes != NULL ? table->sizes + first : NULL;
    if (ngi_tensor_size(&tensor, error) != NG_OK || tensor.bytes != bytes)
        return malformed(error, name, "its data_offsets do not fit its shape");
    table->tensors[table->count++] = tensor;
    return NG_OK;
}

static ng_status parse_metadata(ngi_tensor_table *table, ngi_scanner *s, ng_error *error)
{
    static const char fault[] = "not an object of texts, or there twice";
    if (table->metadata++ || !ngi_scan(s, '{'))
        return malformed(error, ngi_metadata_key, fault);
    if (ngi_scan(s, '}'))
        return NG_OK;
    do {
        TRY(ngi_array_grow(&table->pairs, &table->pair_capacity, table->pair_count,
                           sizeof *table->pairs, error));
        const char *key = ngi_scan_string(s);
        const char *text = key != NULL && ngi_scan(s, ':') ? ngi_scan_string(s) : NULL;
        if (text == NULL)
            return malformed(error, ngi_metadata_key, fault);
        table->pairs[table->pair_count++] = (ngi_text_pair){key, text};
    } while (ngi_scan(s, ','));
    return ngi_scan(s, '}') ? NG_OK : malformed(error, ngi_metadata_key, fault);
}

static ng_status parse(ngi_tensor_table *table, ngi_scanner *s, ng_error *error)
{
    static const char fault[] = "tensors by name, in UTF-8";
    if (s->at == s->end || *s->at != '{')
        return not_json(error, fault);
    s->at++;
    if (ngi_scan(s, '}'))
        return ngi_scan_end(s) ? NG_OK : not_json(error, fault);
    do {
        const char *name = ngi_scan_string(s);
        if (name == NULL || !ngi_scan(s, ':'))
            return not_json(error, fault);
        TRY(strcmp(name, ngi_metadata_key) == 0 ? parse_metadata(table, s, error)
                                                : parse_tensor(table, name, s, error));
    } while (ngi_scan(s, ','));
    return ngi_scan(s, '}') && ngi_scan_end(s) ? NG_OK : not_json(error, fault);
}

/* ---- Checking -------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const ng_tensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1; /* empty ones first */
    return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    const ng_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int by_key(const void *a, const void *b)
{
    const ngi_text_pair *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* The shapes, whose array no longer moves. In the order of parsing still. */
static void place_shapes(ngi_tensor_table *table)
{
    size_t used = 0;
    for (size_t i = 0; i < table->count && table->sizes != NULL; i++) {
        table->tensors[i].shape = table->sizes + used;
        used += table->tensors[i].rank;
    }
}

/* Side by side they fill `bytes`, which begin at `begin` of the file. */
static ng_status check_places(ngi_tensor_table *table, size_t begin, size_t bytes, ng_error *error)
{
    size_t end = 0;
    for (size_t i = 0; i < table->count; i++) {
        ng_tensor *t = &table->tensors[i];
        if (t->begin != end)
            return malformed(error, t->name,
                             t->begin > end ? "a hole before it" : "overlaps another");
        if (t->bytes > bytes - end)
            return malformed(error, t->name, "the file ends before it does");
        end += t->bytes;
        t->begin += begin;
    }
    if (end == bytes)
        return NG_OK;
    return ng_error_set(error, NG_EFORMAT, "safetensors: %zu bytes of tensors in a file with %zu",
                        end, bytes);
}

/* Sorted by name; none is there twice. */
static ng_status check_names(ngi_tensor_table *table, ng_error *error)
{
    TRY(ngi_array_create(&table->by_name, table->count, sizeof *table->by_name, "names", error));
    for (size_t i = 0; i < table->count; i++)
        table->by_name[i] = &table->tensors[i];
    if (table->count > 0)
        qsort(table->by_name, table->count, sizeof *table->by_name, by_name);
    for (size_t i = 1; i < table->count; i++)
        if (by_name(&table->by_name[i - 1], &table->by_name[i]) == 0)
            return malformed(error, table->by_name[i]->name, "there twice");
    if (table->pair_count > 0)
        qsort(table->pairs, table->pair_count, sizeof *table->pairs, by_key);
    for (size_t i = 1; i < table->pair_count; i++)
        if (by_key(&table->pairs[i - 1], &table->pairs[i]) == 0)
            return malformed(error, table->pairs[i].key, "twice in __metadata__");
    return NG_OK;
}

ng_status ngi_table_read(ngi_tensor_table *table, char *text, size_t size, size_t begin,
                         size_t bytes, ng_error *error)
{
    ngi_scanner s = {text, text + size};
    memset(table, 0, sizeof *table);
    TRY(parse(table, &s, error));
    place_shapes(table);
    if (table->count > 0)
        qsort(table->tensors, table->count, sizeof *table->tensors, by_place);
    TRY(check_places(table, begin, bytes, error));
    return check_names(table, error);
}

void ngi_table_free(ngi_tensor_table *table)
{
    free(table->tensors);
    free(table->by_name);
    free(table->pairs);
    free(table->sizes);
    memset(table, 0, sizeof *table);
}
