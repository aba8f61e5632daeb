/* Binary numbers of a file, row by row. */
#ifndef NGI_TRAIN_ELEMENTS_H
#define NGI_TRAIN_ELEMENTS_H

#include "lib/train/data/dataset.h"

typedef enum { NGI_U1, NGI_I1, NGI_I2, NGI_I4, NGI_I8, NGI_F4, NGI_F8 } ngi_element;

/* An array in a file, its head read. */
typedef struct {
    ngi_file *file;
    ngi_element type;
    int big_endian;
    size_t rows, cols; /* samples, and numbers of each */
} ngi_array;

/* The whole of `inputs` into a table: the label is its last column or as the options say, or in
 * `labels` (rows of one number, of several for regression) if that is not NULL. */
ng_status ngi_array_table(ngi_opening *o, const ngi_array *inputs, const ngi_array *labels);

/* o->what cut at its comma; *second is NULL without one. */
ng_status ngi_two_paths(ngi_opening *o, const char **first, const char **second);

#endif
