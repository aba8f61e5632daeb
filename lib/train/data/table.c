/* Values into the rows of a table. Labels and categories get numbers as they come, and their order
 * at the end. */
#include "lib/train/data/table.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/decimal.h"

/* ---- Messages -------------------------------------------------------------------------- */

const char *ngi_shown(char out[NGI_SHOWN], ngi_span text)
{
    size_t n = text.size < NGI_SHOWN - 4 ? text.size : NGI_SHOWN - 4;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text.at[i] < ' ' || text.at[i] == 127 ? '?' : text.at[i];
    strcpy(out + n, n < text.size ? "..." : "");
    return out;
}

ng_status ngi_table_fail(const ngi_opening *o, size_t column, const char *format, ...)
{
    char text[200], name[NGI_SHOWN], named[NGI_SHOWN + 4] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t k = o->column[column];
    if (o->schema->header && k < o->schema->columns)
        snprintf(named, sizeof named, " \"%s\"",
                 ngi_shown(name, ngi_span_of(o->schema->column[k].name)));
    return ngi_file_fail(&o->file, NG_EFORMAT, "%s %zu, column %zu%s: %s",
                         o->line > 0 ? "line" : "row", o->line > 0 ? o->line : o->store->count + 1,
                         column + 1, named, text);
}

int ngi_is_missing(ngi_span text)
{
    static const char *const names[] = {"",    "?",    "NA",   "N/A",  "n/a",  "NaN", "nan",
                                        "NAN", "null", "NULL", "None", "<NA>", "#N/A"};
    for (size_t i = 0; text.size <= 4 && i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == text.size && memcmp(names[i], text.at, text.size) == 0)
            return 1;
    return 0;
}

/* ---- Rows -------------------------------------------------------------------------------- */

/* Blocks for exactly `room` rows. */
static ng_status resize(ngi_opening *o, size_t room)
{
    ngi_store *store = o->store;
    size_t wide = store->table.cols * ng_dtype_size(store->table.dtype);
    int labels = o->answers && o->schema->task == NG_TASK_CLASSIFICATION;
    void *values = NULL, *numbers = store->labels, *lines = NULL;
    if (room <= SIZE_MAX / 2 / (wide + sizeof(int)) && room < UINT32_MAX) {
        values = realloc(store->table.data, room * wide);
        store->table.data = values != NULL ? values : store->table.data;
        lines = realloc(store->lines, room * sizeof *store->lines);
        store->lines = lines != NULL ? lines : store->lines;
        numbers = labels ? realloc(store->labels, room * sizeof *store->labels) : NULL;
        store->labels = numbers != NULL ? numbers : store->labels;
    }
    if (values == NULL || lines == NULL || (labels && numbers == NULL))
        return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for %zu rows", room);
    o->room = room;
    return NG_OK;
}

ng_status ngi_table_row(ngi_opening *o)
{
    ngi_store *store = o->store;
    if (store->count == o->room)
        TRY(resize(o, o->room + o->room / 2 + (store->table.cols < 1024 ? 64 : 1)));
    store->table.rows = store->count + 1;
    for (size_t s = 0; s < store->table.cols && o->model != NULL; s++)
        ng_mat_set(store->table, store->count, s, NAN); /* columns the file may lack */
    o->skip = 0;
    return NG_OK;
}

void ngi_table_look(ngi_opening *o, size_t column, int missing)
{
    if (missing && o->options->missing == NG_MISSING_DROP && o->column[column] != SIZE_MAX)
        o->skip = 1;
}

static ng_status put(ngi_opening *o, size_t k, double value)
{
    ng_mat_set(o->store->table, o->store->count, o->schema->column[k].slot, value);
    return NG_OK;
}

/* A number that is none of the names. */
static ng_status put_label(ngi_opening *o, size_t column, ngi_span text)
{
    char shown[NGI_SHOWN];
    const ngi_names *known = &o->schema->labels;
    size_t number;
    if (o->model != NULL) {
        number = ngi_names_find(known, text);
        if (number == known->count)
            return ngi_table_fail(o, column, "the label \"%s\" is none of the %zu of the model",
                                  ngi_shown(shown, text), known->count);
    } else {
        ng_status status = ngi_names_add(&o->schema->labels, &number, text, NGI_NAMES);
        if (status == NG_ERANGE)
            return ngi_table_fail(o, column, "\"%s\" is one label more than %d; task=regression?",
                                  ngi_shown(shown, text), NGI_NAMES);
        if (status != NG_OK)
            return ngi_file_fail(&o->file, status, "no memory for its labels");
    }
    o->store->labels[o->store->count] = (int)number;
    return NG_OK;
}

static ng_status put_category(ngi_opening *o, size_t column, size_t k, ngi_span text)
{
    char shown[NGI_SHOWN];
    ngi_names *known = &o->schema->column[k].categories;
    size_t number, most = o->options->categories;
    if (memchr(text.at, '\0', text.size) != NULL)
        return ngi_table_fail(o, column, "a zero byte");
    if (o->model != NULL) {
        number = ngi_names_find(known, text);
        return number < known->count
                   ? put(o, k, (double)number)
                   : ngi_table_fail(o, column, "the model knows no \"%s\" here, only %zu others",
                                    ngi_shown(shown, text), known->count);
    }
    ng_status status = ngi_names_add(known, &number, text, most);
    if (status == NG_ERANGE)
        return ngi_table_fail(o, column,
                              "\"%s\" is one more than %zu different words; raise categories, or "
                              "ignore the column",
                              ngi_shown(shown, text), most);
    return status == NG_OK ? put(o, k, (double)number)
                           : ngi_file_fail(&o->file, status, "no memory for its categories");
}

ng_status ngi_table_number(ngi_opening *o, size_t column, double value)
{
    char text[32];
    size_t k = o->column[column];
    if (k == SIZE_MAX || o->skip)
        return NG_OK;
    ngi_role role = o->schema->column[k].role;
    if (!isfinite(value) &&
        !(isnan(value) && role == NGI_NUMBER && o->options->missing == NG_MISSING_MEAN))
        return ngi_table_fail(o, column, "%s, expected a finite number%s",
                              isnan(value) ? "NaN" : "infinity",
                              isnan(value) ? " (missing=drop leaves such rows out)" : "");
    if (role == NGI_LABEL || role == NGI_CATEGORY) {
        if (value != floor(value) || fabs(value) >= 0x1p53)
            return ngi_table_fail(o, column,
                                  "%g, expected a label: a whole number; "
                                  "task=regression?",
                                  value);
        snprintf(text, sizeof text, "%.0f", value + 0.0); /* no -0, no point in any locale */
        return role == NGI_LABEL ? put_label(o, column, ngi_span_of(text))
                                 : put_category(o, column, k, ngi_span_of(text));
    }
    if (fabs(value) > (double)FLT_MAX && o->store->table.dtype == NG_F32)
        return ngi_table_fail(o, column, "%g is too large for single precision; dtype=f64", value);
    return put(o, k, value);
}

static ng_status missing_cell(ngi_opening *o, size_t column, size_t k, ngi_span text)
{
    char shown[NGI_SHOWN];
    ngi_role role = o->schema->column[k].role;
    if (o->options->missing == NG_MISSING_MEAN && (role == NGI_NUMBER || role == NGI_CATEGORY))
        return put(o, k, NAN);
    return ngi_table_fail(o, column, "\"%s\", a missing value (missing=%sdrop)",
                          ngi_shown(shown, text),
                          role == NGI_NUMBER || role == NGI_CATEGORY ? "mean or missing=" : "");
}

ng_status ngi_table_cell(ngi_opening *o, size_t column, ngi_span text, char point)
{
    char shown[NGI_SHOWN];
    double value;
    size_t k = o->column[column];
    if (k == SIZE_MAX || o->skip)
        return NG_OK;
    ngi_role role = o->schema->column[k].role;
    if (role == NGI_NUMBER || role == NGI_TARGET) {
        if (ngi_decimal(&value, text.at, text.at + text.size, point))
            return ngi_table_number(o, column, value);
        if (ngi_is_missing(text))
            return missing_cell(o, column, k, text);
        return ngi_table_fail(o, column, "\"%s\", expected a finite number%s",
                              ngi_shown(shown, text),
                              memchr(text.at, ',', text.size) != NULL && point == '.'
                                  ? " (decimal=, for a decimal comma)"
                              : role == NGI_NUMBER && !o->model ? " (or categorical)"
                                                                : "");
    }
    if (ngi_is_missing(text))
        return missing_cell(o, column, k, text);
    if (role == NGI_CATEGORY)
        return put_category(o, column, k, text);
    if (ngi_decimal(&value, text.at, text.at + text.size, point))
        return ngi_table_number(o, column, value);
    if (memchr(text.at, '\0', text.size) != NULL)
        return ngi_table_fail(o, column, "a zero byte");
    return put_label(o, column, text);
}

ng_status ngi_table_keep(ngi_opening *o)
{
    ngi_store *store = o->store;
    if (o->skip) {
        o->dropped++;
        return NG_OK;
    }
    size_t line = o->line > 0 ? o->line : store->count + o->dropped + 1;
    if (line > UINT32_MAX)
        return ngi_file_fail(&o->file, NG_ERANGE, "more than %lu lines", (unsigned long)UINT32_MAX);
    store->lines[store->count++] = (uint32_t)line;
    return NG_OK;
}

/* ---- The end ---------------------------------------------------------------------------- */

static ng_status sort_labels(ngi_opening *o, size_t *rank)
{
    ngi_store *store = o->store;
    ngi_names *labels = &o->schema->labels;
    if (store->labels == NULL)
        return NG_OK;
    memset(rank, 0, labels->count * sizeof *rank);
    for (size_t i = 0; i < store->count; i++)
        rank[store->labels[i]]++;
    if (ngi_names_sort(labels, rank) != NG_OK)
        return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for its labels");
    for (size_t i = 0; i < store->count; i++)
        store->labels[i] = (int)rank[store->labels[i]];
    return NG_OK;
}

static ng_status sort_categories(ngi_opening *o, ngi_column *column, size_t *rank)
{
    const ng_mat table = o->store->table;
    memset(rank, 0, column->categories.count * sizeof *rank);
    for (size_t i = 0; i < table.rows; i++) {
        double value = ng_mat_get(table, i, column->slot);
        if (!isnan(value))
            rank[(size_t)value]++;
    }
    if (ngi_names_sort(&column->categories, rank) != NG_OK)
        return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for its categories");
    for (size_t i = 0; i < table.rows; i++) {
        double value = ng_mat_get(table, i, column->slot);
        if (!isnan(value))
            ng_mat_set(table, i, column->slot, (double)rank[(size_t)value]);
    }
    return NG_OK;
}

static ng_status sort_names(ngi_opening *o, size_t *rank)
{
    TRY(sort_labels(o, rank));
    for (size_t j = 0; j < o->schema->columns; j++)
        if (o->schema->column[j].role == NGI_CATEGORY)
            TRY(sort_categories(o, &o->schema->column[j], rank));
    return NG_OK;
}

static ng_status check_classes(const ngi_opening *o)
{
    char shown[NGI_SHOWN];
    const ngi_names *labels = &o->schema->labels;
    if (o->schema->task != NG_TASK_CLASSIFICATION || o->model != NULL || labels->count != 1)
        return NG_OK;
    size_t j = 0;
    while (o->schema->column[j].role != NGI_LABEL)
        j++;
    return ngi_file_fail(&o->file, NG_EFORMAT,
                         "column %zu: every label of the %zu rows is \"%s\": one class, nothing "
                         "to learn",
                         j + 1, o->store->count, ngi_shown(shown, ngi_span_of(labels->text[0])));
}

ng_status ngi_table_finish(ngi_opening *o)
{
    if (o->store->count == 0)
        return o->dropped > 0
                   ? ngi_file_fail(&o->file, NG_EFORMAT, "each of its %zu rows lacks a value",
                                   o->dropped)
                   : ngi_file_fail(&o->file, NG_EFORMAT, "%s",
                                   o->schema->header ? "no line but the header" : "it has no rows");
    TRY(resize(o, o->store->count));
    o->store->table.rows = o->store->count;
    if (o->dropped > 0)
        ngi_note(o, "note: %zu rows left out, a value was missing", o->dropped);
    if (o->model != NULL)
        return NG_OK;
    size_t most = o->schema->labels.count;
    for (size_t j = 0; j < o->schema->columns; j++) {
        size_t count = o->schema->column[j].categories.count;
        most = count > most ? count : most;
    }
    size_t *moved = realloc(o->scratch, (most + 1) * sizeof *moved);
    if (moved != NULL)
        o->scratch = moved;
    if (moved == NULL)
        return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for its labels");
    TRY(sort_names(o, o->scratch));
    ngi_schema_count(o->schema);
    return check_classes(o);
}
