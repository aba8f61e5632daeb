/* NumPy arrays (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a magic
 * string, a version, the length of a Python dictionary, the dictionary, the elements. */
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/elements.h"

enum { HEAD = 1 << 16, RANK = 32 };

/* ---- The dictionary ------------------------------------------------------------------------ */

/* What follows 'key': in the dictionary, blanks skipped; NULL */
static const char *value_of(const char *head, const char *key)
{
    char quoted[32];
    quoted[0] = '\'';
    strcat(strcpy(quoted + 1, key), "'");
    const char *at = strstr(head, quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    return *at == ':' ? at + 1 + strspn(at + 1, " ") : NULL;
}

static ng_status read_type(ngi_array *array, const char *head)
{
    static const struct {
        const char *name;
        ngi_element type;
    } types[] = {{"<f4", NGI_F4}, {"<f8", NGI_F8}, {"<i4", NGI_I4},
                 {"<i8", NGI_I8}, {"|u1", NGI_U1}, {"<u1", NGI_U1}};
    const char *at = value_of(head, "descr");
    if (at == NULL)
        return ngi_file_fail(array->file, NG_EFORMAT, "its head has no 'descr'");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (*at == '\'' && strncmp(at + 1, types[i].name, 3) == 0 && at[4] == '\'') {
            array->type = types[i].type;
            return NG_OK;
        }
    int shown = (int)strcspn(at + (*at == '\''), "'\n");
    return ngi_file_fail(array->file, NG_EFORMAT,
                         "elements of type %.*s, expected <f4, <f8, <i4, <i8 or |u1",
                         shown < 20 ? shown : 20, at + (*at == '\''));
}

/* (n, m, ...): the rows, and the product of the others */
static ng_status read_shape(ngi_array *array, size_t *rank, const char *head)
{
    const char *at = value_of(head, "shape");
    array->cols = 1;
    if (at == NULL || *at != '(')
        return ngi_file_fail(array->file, NG_EFORMAT, "its head has no 'shape'");
    for (*rank = 0, at++; *at != ')'; (*rank)++) {
        char *end;
        if (*at < '0' || *at > '9' || *rank == RANK)
            return ngi_file_fail(array->file, NG_EFORMAT, "its 'shape' is not one");
        unsigned long long size = strtoull(at, &end, 10);
        if (size == 0 || size > SIZE_MAX / 16 / array->cols)
            return ngi_file_fail(array->file, NG_EFORMAT, "dimension %zu is %llu", *rank + 1, size);
        if (*rank == 0)
            array->rows = (size_t)size;
        else
            array->cols *= (size_t)size;
        at = end + strspn(end, " ");
        at += *at == ',';
        at += strspn(at, " ");
    }
    return *rank > 0 ? NG_OK
                     : ngi_file_fail(array->file, NG_EFORMAT,
                                     "a single number, "
                                     "expected an array of samples");
}

static ng_status read_dictionary(ngi_array *array, const char *head)
{
    size_t rank = 0;
    TRY(read_type(array, head));
    TRY(read_shape(array, &rank, head));
    const char *order = value_of(head, "fortran_order");
    if (order == NULL || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0))
        return ngi_file_fail(array->file, NG_EFORMAT, "its head has no 'fortran_order'");
    if (*order == 'T' && rank > 1)
        return ngi_file_fail(array->file, NG_EFORMAT,
                             "is in Fortran order (columns), expected C "
                             "order: numpy.ascontiguousarray");
    return NG_OK;
}

/* ---- Files ------------------------------------------------------------------------------------
 */

static ng_status read_head(ngi_opening *o, ngi_array *array)
{
    unsigned char start[12];
    TRY(ngi_file_exactly(array->file, start, 10, "its head"));
    if (memcmp(start, "\x93NUMPY", 6) != 0)
        return ngi_file_fail(array->file, NG_EFORMAT, "is no .npy file");
    if (start[6] < 1 || start[6] > 3)
        return ngi_file_fail(array->file, NG_EFORMAT, "is of version %d, expected 1 to 3",
                             start[6]);
    size_t length = start[8] | (size_t)start[9] << 8;
    if (start[6] > 1) {
        TRY(ngi_file_exactly(array->file, start + 10, 2, "its head"));
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (length >= HEAD)
        return ngi_file_fail(array->file, NG_EFORMAT, "a head of %zu bytes, expected less than %d",
                             length, HEAD);
    free(o->scratch);
    char *head = o->scratch = calloc(1, length + 1);
    if (head == NULL)
        return ngi_file_fail(array->file, NG_ENOMEM, "no memory for its head");
    TRY(ngi_file_exactly(array->file, head, length, "its head"));
    return read_dictionary(array, head);
}

static ng_status read_npy(ngi_opening *o)
{
    const char *first, *second;
    ngi_array inputs = {.file = &o->file}, labels = {.file = &o->other};
    TRY(ngi_two_paths(o, &first, &second));
    TRY(ngi_file_open(&o->file, first, o->error));
    TRY(read_head(o, &inputs));
    if (second != NULL) {
        TRY(ngi_file_open(&o->other, second, o->error));
        TRY(read_head(o, &labels));
    }
    return ngi_array_table(o, &inputs, second != NULL ? &labels : NULL);
}

const ngi_kind ngi_kind_npy = {
    .shown = {"npy", "FILE[,LABELS]", "a NumPy array, a sample a row; the label its last column"},
    .layout = &ngi_tables,
    .read = read_npy,
};
