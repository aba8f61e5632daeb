/* Arrays of numbers into tables: what idx and npy share. */
#include "lib/train/data/elements.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/mat.h>

#include "lib/core/try.h"
#include "lib/train/data/table.h"

enum { BLOCK = 4096 }; /* numbers at a time */

static size_t element_size(ngi_element type)
{
    static const size_t sizes[] = {[NGI_U1] = 1, [NGI_I1] = 1, [NGI_I2] = 2, [NGI_I4] = 4,
                                   [NGI_I8] = 8, [NGI_F4] = 4, [NGI_F8] = 8};
    return sizes[type];
}

/* size bytes as one number, the most significant first */
static uint64_t bits_of(const unsigned char *at, size_t size, int big_endian)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | at[big_endian ? i : size - 1 - i];
    return bits;
}

static double value_of(uint64_t bits, ngi_element type)
{
    const size_t size = element_size(type);
    if (type == NGI_F4) {
        uint32_t word = (uint32_t)bits;
        return ng_mat_get((ng_mat){&word, 1, 1, 1, NG_F32}, 0, 0);
    }
    if (type == NGI_F8)
        return ng_mat_get((ng_mat){&bits, 1, 1, 1, NG_F64}, 0, 0);
    if (type == NGI_U1 || !(bits >> (8 * size - 1)))
        return (double)bits;
    uint64_t magnitude = ~bits + 1;
    return -(double)(size < 8 ? magnitude & (((uint64_t)1 << (8 * size)) - 1) : magnitude);
}

static void decode(const ngi_array *array, double *values, const unsigned char *bytes, size_t count)
{
    const size_t size = element_size(array->type);
    for (size_t i = 0; i < count; i++)
        values[i] = value_of(bits_of(bytes + i * size, size, array->big_endian), array->type);
}

/* A row of the array into the columns from `column` on, or only a look at it. */
static ng_status read_row(ngi_opening *o, const ngi_array *array, size_t column,
                          const unsigned char *row, int look)
{
    double values[BLOCK];
    const size_t size = element_size(array->type);
    for (size_t done = 0, count; done < array->cols; done += count) {
        count = array->cols - done < BLOCK ? array->cols - done : BLOCK;
        decode(array, values, row + done * size, count);
        for (size_t i = 0; i < count; i++)
            if (look)
                ngi_table_look(o, column + done + i, isnan(values[i]));
            else
                TRY(ngi_table_number(o, column + done + i, values[i]));
    }
    return NG_OK;
}

/* o->scratch <- the bytes of the first row, before anything is made for its columns: a head may
 * say what it likes. */
static ng_status read_first(ngi_opening *o, const ngi_array *inputs)
{
    size_t got, size = inputs->cols * element_size(inputs->type);
    free(o->scratch);
    o->scratch = NULL;
    if (inputs->cols > NGI_COLUMNS)
        return ngi_file_fail(inputs->file, NG_EFORMAT, "%zu numbers a sample, expected at most %d",
                             inputs->cols, NGI_COLUMNS);
    TRY(ngi_file_load(inputs->file, (unsigned char **)&o->scratch, &got, size));
    return got == size ? NG_OK
                       : ngi_file_fail(inputs->file, NG_EFORMAT,
                                       "ends after %zu bytes, within the elements its head says",
                                       inputs->file->given);
}

static ng_status set_columns(ngi_opening *o, const ngi_array *inputs, const ngi_array *labels)
{
    size_t more = labels != NULL ? labels->cols : 0;
    if (labels != NULL && labels->rows != inputs->rows)
        return ngi_file_fail(labels->file, NG_EFORMAT, "%zu labels, but %.80s has %zu samples",
                             labels->rows, inputs->file->path, inputs->rows);
    if (more > 1)
        return ngi_file_fail(labels->file, NG_EFORMAT, "%zu numbers a sample, expected one label",
                             more);
    ngi_columns found = {.count = inputs->cols + more,
                         .first = 1,
                         .label = labels != NULL ? inputs->cols : SIZE_MAX};
    return ngi_table_columns(o, &found);
}

/* Its bytes in o->scratch, where the first is already, and in `label`. */
static ng_status next_row(ngi_opening *o, const ngi_array *inputs, const ngi_array *labels,
                          int first)
{
    const char *within = "the elements its head says";
    unsigned char label[8];
    if (!first)
        TRY(ngi_file_exactly(inputs->file, o->scratch, inputs->cols * element_size(inputs->type),
                             within));
    if (labels != NULL)
        TRY(ngi_file_exactly(labels->file, label, element_size(labels->type), within));
    TRY(ngi_table_row(o));
    for (int look = 1; look >= 0; look--) {
        TRY(read_row(o, inputs, 0, o->scratch, look));
        if (labels != NULL)
            TRY(read_row(o, labels, inputs->cols, label, look));
    }
    return ngi_table_keep(o);
}

ng_status ngi_array_table(ngi_opening *o, const ngi_array *inputs, const ngi_array *labels)
{
    TRY(read_first(o, inputs));
    TRY(set_columns(o, inputs, labels));
    for (size_t i = 0; i < inputs->rows; i++)
        TRY(next_row(o, inputs, labels, i == 0));
    TRY(ngi_file_finished(inputs->file, inputs->rows * inputs->cols));
    if (labels != NULL)
        TRY(ngi_file_finished(labels->file, labels->rows));
    return ngi_table_finish(o);
}

ng_status ngi_two_paths(ngi_opening *o, const char **first, const char **second)
{
    size_t size = strlen(o->what) + 1;
    o->paths = malloc(size);
    if (o->paths == NULL)
        return ng_error_set(o->error, NG_ENOMEM, "no memory for a path");
    memcpy(o->paths, o->what, size);
    char *comma = strchr(o->paths, ',');
    *first = o->paths;
    *second = comma != NULL ? comma + 1 : NULL;
    if (comma != NULL)
        *comma = '\0';
    return NG_OK;
}
