/* Arrays of numbers into tables: what idx and npy share. */
#include "lib/train/data/elements.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/mat.h>

#include "lib/core/try.h"
#include "lib/train/data/table.h"

size_t ngi_element_size(ngi_element type)
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
    const size_t size = ngi_element_size(type);
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

ng_status ngi_array_read(const ngi_array *array, double *values, size_t count)
{
    unsigned char bytes[8 * NGI_BLOCK];
    const size_t size = ngi_element_size(array->type);
    TRY(ngi_file_exactly(array->file, bytes, count * size, "the elements its head says"));
    for (size_t i = 0; i < count; i++)
        values[i] = value_of(bits_of(bytes + i * size, size, array->big_endian), array->type);
    return NG_OK;
}

/* The next row of the array into the columns from `column` on. */
static ng_status read_row(ngi_opening *o, const ngi_array *array, size_t column)
{
    double values[NGI_BLOCK];
    for (size_t done = 0; done < array->cols;) {
        size_t count = array->cols - done < NGI_BLOCK ? array->cols - done : NGI_BLOCK;
        TRY(ngi_array_read(array, values, count));
        for (size_t i = 0; i < count; i++)
            TRY(ngi_table_number(o, column + done + i, values[i]));
        done += count;
    }
    return NG_OK;
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

ng_status ngi_array_table(ngi_opening *o, const ngi_array *inputs, const ngi_array *labels)
{
    if (inputs->cols > NGI_COLUMNS)
        return ngi_file_fail(inputs->file, NG_ERANGE, "%zu numbers a sample, expected at most %d",
                             inputs->cols, NGI_COLUMNS);
    TRY(set_columns(o, inputs, labels));
    for (size_t i = 0; i < inputs->rows; i++) {
        TRY(ngi_table_row(o));
        TRY(read_row(o, inputs, 0));
        if (labels != NULL)
            TRY(read_row(o, labels, inputs->cols));
        TRY(ngi_table_keep(o));
    }
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
