/* Rows of values into a store: which column is what, and what may stand in it. */
#ifndef NGI_TRAIN_TABLE_H
#define NGI_TRAIN_TABLE_H

#include "lib/train/data/dataset.h"

/* What a source knows of its columns. */
typedef struct {
    const ngi_span *names;      /* count; NULL: numbers from `first` */
    const unsigned char *words; /* count: 1 for a column of words; NULL: all numbers */
    size_t count, first;
    size_t label; /* the label's column; SIZE_MAX: as the options say */
    int header;
} ngi_columns;

/* First of all. Makes the schema, or finds the columns of o->model. */
ng_status ngi_table_columns(ngi_opening *o, const ngi_columns *found);

/* A new row; a look at each of its values, missing or not; the values; and then it counts. One
 * that lacks a value where such rows are dropped is not judged: its values are passed over, and
 * it does not count. o->line is where it is, or 0. */
ng_status ngi_table_row(ngi_opening *o);
void ngi_table_look(ngi_opening *o, size_t column, int missing);
ng_status ngi_table_number(ngi_opening *o, size_t column, double value);
ng_status ngi_table_cell(ngi_opening *o, size_t column, ngi_span text, char point);
ng_status ngi_table_keep(ngi_opening *o);

/* Last of all: labels and categories in order; no rows, one class. */
ng_status ngi_table_finish(ngi_opening *o);

/* 1 if the text says that there is no value */
int ngi_is_missing(ngi_span text);

/* NG_EFORMAT at a column (from 0) of the row: file, line, column, its name */
ng_status ngi_table_fail(const ngi_opening *o, size_t column, const char *format, ...)
    NG_PRINTF(3, 4);

/* out <- text without control characters, cut; for messages */
enum { NGI_SHOWN = 44 };
const char *ngi_shown(char out[NGI_SHOWN], ngi_span text);

#endif
