/* Tables of text (RFC 4180, and what people make of it). */
#include "lib/train/data/csv.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/decimal.h"
#include "lib/train/data/table.h"

typedef struct {
    ngi_opening *o;
    ngi_lines lines;
    ngi_shape shape;
} csv_reader;

/* ---- Columns -------------------------------------------------------------------------------- */

/* What was decided, in a line for describe. */
static void note_shape(const csv_reader *r)
{
    const char *how = r->o->options->header == NG_HEADER_AUTO ? "seen" : "asked";
    char separator[2] = {r->shape.separator, '\0'};
    ngi_note(r->o, "columns: %zu, separated by %s; first line: %s (%s)", r->shape.columns,
             r->shape.separator == '\t'  ? "tabs"
             : r->shape.separator == ' ' ? "blanks"
                                         : separator,
             r->shape.header ? "names of columns" : "data", how);
}

/* The kind of column j where there is no header: its first value may be the first record's. */
static int has_words(const ngi_shape *shape, size_t j)
{
    const ngi_look *look = &shape->look[j];
    if (!shape->header && !ngi_is_missing(look->first))
        return !look->number;
    return look->kind == 2;
}

static ng_status set_columns(csv_reader *r, ngi_span *names, unsigned char *words)
{
    const size_t n = r->shape.columns;
    ngi_span record, rest;
    int more;
    char *copy = (char *)(words + n); /* the header's bytes, without its quotes */
    for (size_t j = 0; j < n; j++)
        words[j] = (unsigned char)has_words(&r->shape, j);
    if (r->shape.header) {
        TRY(ngi_lines_next(&r->lines, &record, &more));
        rest = record;
        for (size_t j = 0; j < n && rest.at != NULL; j++) {
            ngi_span name = ngi_next_column(&rest, r->shape.separator, copy);
            memmove(copy, name.at, name.size);
            names[j] = (ngi_span){copy, name.size};
            copy += name.size;
        }
    }
    ngi_columns found = {.names = r->shape.header ? names : NULL,
                         .words = words,
                         .count = n,
                         .first = 1,
                         .label = SIZE_MAX,
                         .header = r->shape.header};
    return ngi_table_columns(r->o, &found);
}

/* Room for the names lives as long as this call. */
static ng_status read_columns(csv_reader *r)
{
    const size_t n = r->shape.columns;
    size_t header = r->lines.room; /* a record is no longer */
    ngi_span *names = malloc(n * sizeof *names);
    unsigned char *words = malloc(n + header);
    ng_status status = names != NULL && words != NULL
                           ? set_columns(r, names, words)
                           : ngi_file_fail(&r->o->file, NG_ENOMEM, "no memory for its columns");
    free(names);
    free(words);
    return status;
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

static void look(csv_reader *r, ngi_span record)
{
    for (size_t j = 0; record.at != NULL && j < r->shape.columns; j++)
        ngi_table_look(r->o, j, ngi_is_missing(ngi_next_column(&record, r->shape.separator, NULL)));
}

static ng_status read_row(csv_reader *r, ngi_span record)
{
    ngi_opening *o = r->o;
    char *scratch = ngi_lines_scratch(&r->lines);
    const char separator = r->shape.separator, point = r->shape.point;
    size_t column = 0;
    TRY(ngi_table_row(o));
    if (o->options->missing == NG_MISSING_DROP)
        look(r, record);
    for (; record.at != NULL && column < r->shape.columns; column++)
        TRY(ngi_table_cell(o, column, ngi_next_column(&record, separator, scratch), point));
    if (column < r->shape.columns || record.at != NULL)
        return ngi_file_fail(&o->file, NG_EFORMAT, "line %zu: %s %zu columns, as the first has",
                             o->line, record.at != NULL ? "more than" : "less than",
                             r->shape.columns);
    return ngi_table_keep(o);
}

static ng_status read_csv(ngi_opening *o)
{
    csv_reader r = {.o = o};
    ngi_span record;
    int more = 0;
    TRY(ngi_lines_open(&r.lines, o, o->what, 1));
    TRY(ngi_csv_guess(&r.shape, &r.lines));
    if (r.shape.columns == 0) {
        TRY(ngi_lines_next(&r.lines, &record, &more));
        return ngi_file_fail(&o->file, NG_EFORMAT, "the file is empty");
    }
    note_shape(&r);
    TRY(read_columns(&r));
    for (;;) {
        TRY(ngi_lines_next(&r.lines, &record, &more));
        if (!more)
            return ngi_table_finish(o);
        TRY(read_row(&r, record));
    }
}

const ngi_kind ngi_kind_csv = {
    .shown = {"csv", "FILE", "a table of text, a sample a line; the label in the last column"},
    .layout = &ngi_tables,
    .read = read_csv,
};
