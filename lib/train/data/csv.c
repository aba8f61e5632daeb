/* Tables of numbers. */
#define _POSIX_C_SOURCE 200809L
#include "lib/train/data/dataset.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/train/data/file.h"

/* A line, or a column of it: bytes inside the file's block. */
typedef struct {
    const char *at;
    size_t size;
} span;

typedef struct {
    ngi_file file;
    unsigned char *bytes;
    const char *at, *end; /* what is still to be read */
    size_t line;          /* number of the last line, from 1 */
    char separator;
    size_t columns, label; /* label: its column, from 0 */
    ngi_store *store;
    size_t room; /* samples that fit in the store */
} csv_reader;

static span trimmed(span s)
{
    while (s.size > 0 && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.size--;
    }
    while (s.size > 0 && strchr(" \t\r", s.at[s.size - 1]) != NULL && s.at[s.size - 1] != '\0')
        s.size--;
    return s;
}

/* The next line that is neither blank nor a comment; 0 at the end. */
static int next_line(csv_reader *r, span *line)
{
    while (r->at < r->end) {
        const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
        stop = stop != NULL ? stop : r->end;
        *line = (span){r->at, (size_t)(stop - r->at)};
        if (line->size > 0 && line->at[line->size - 1] == '\r')
            line->size--;
        r->at = stop < r->end ? stop + 1 : stop;
        r->line++;
        span content = trimmed(*line);
        if (content.size > 0 && *content.at != '#')
            return 1;
    }
    return 0;
}

/* Cuts the first column off the rest; rest->at is NULL after the last one. */
static span next_column(span *rest, char separator)
{
    const char *end = rest->at + rest->size, *stop = rest->at;
    while (stop < end && *stop == ' ')
        stop++;
    if (stop < end && *stop == '"') { /* separators do not count up to its partner */
        const char *quote = memchr(stop + 1, '"', (size_t)(end - stop - 1));
        stop = quote != NULL ? quote : stop;
    }
    const char *found = memchr(stop, separator, (size_t)(end - stop));
    span column = {rest->at, (size_t)((found != NULL ? found : end) - rest->at)};
    *rest = found != NULL ? (span){found + 1, (size_t)(end - found - 1)} : (span){NULL, 0};
    column = trimmed(column);
    if (column.size >= 2 && column.at[0] == '"' && column.at[column.size - 1] == '"')
        column = trimmed((span){column.at + 1, column.size - 2});
    return column;
}

/* 1 if the whole span is a finite decimal number (no hexadecimal, no nan). */
static int number(span s, double *value)
{
    char text[128], *end;
    if (s.size == 0 || s.size >= sizeof text)
        return 0;
    memcpy(text, s.at, s.size);
    text[s.size] = '\0';
    if (strspn(text, "0123456789+-.eE") != s.size)
        return 0;
    *value = strtod(text, &end);
    return end == text + s.size && isfinite(*value);
}

/* NG_EFORMAT at a column (from 0) of the current line */
static ng_status bad_column(const csv_reader *r, size_t column, span found, const char *expected)
{
    return ngi_file_fail(&r->file, NG_EFORMAT, "line %zu, column %zu: \"%.*s\", expected %s",
                         r->line, column + 1, (int)(found.size < 40 ? found.size : 40), found.at,
                         expected);
}

/* ---- The first line --------------------------------------------------------- */

/* Counts the columns; 1 if none is a number, so that this is a header. */
static int measure_first(csv_reader *r, span line)
{
    size_t i = 0;
    double value;
    int numbers = 0;
    while (i < line.size && strchr(",;\t", line.at[i]) == NULL)
        i++;
    r->separator = ',';
    if (i < line.size && line.at[i] != '\0')
        r->separator = line.at[i];
    for (r->columns = 0; line.at != NULL; r->columns++)
        numbers += number(next_column(&line, r->separator), &value);
    return numbers == 0;
}

/* The label's column; header.at is NULL without a header. */
static ng_status find_label(csv_reader *r, span header, const char *label)
{
    double value = (double)r->columns;
    size_t column = 0;
    if (r->columns < 2)
        return ngi_file_fail(&r->file, NG_EFORMAT,
                             "line %zu: one column, expected features and a label", r->line);
    if (label == NULL || number((span){label, strlen(label)}, &value)) {
        if (!(value >= 1 && value <= (double)r->columns && value == floor(value)))
            return ngi_file_fail(&r->file, NG_EARG, "there is no column %.40s among the %zu",
                                 label, r->columns);
        r->label = (size_t)value - 1;
        return NG_OK;
    }
    for (; header.at != NULL; column++) {
        span name = next_column(&header, r->separator);
        if (name.size == strlen(label) && memcmp(name.at, label, name.size) == 0) {
            r->label = column;
            return NG_OK;
        }
    }
    return ngi_file_fail(&r->file, NG_EARG, "%s column named %.40s",
                         column > 0 ? "there is no" : "without a header there is no", label);
}

/* ---- The samples --------------------------------------------------------------- */

static ng_status make_room(csv_reader *r)
{
    ngi_store *store = r->store;
    size_t room = r->room > 0 ? 2 * r->room : 64;
    unsigned char *labels = NULL;
    double *values = NULL;
    if (store->count < r->room)
        return NG_OK;
    if (room <= SIZE_MAX / 2 / sizeof(double) / store->features) {
        labels = realloc(store->labels, room);
        store->labels = labels != NULL ? labels : store->labels;
        values = realloc(store->values, room * store->features * sizeof(double));
        store->values = values != NULL ? values : store->values;
    }
    if (labels == NULL || values == NULL)
        return ngi_file_fail(&r->file, NG_ENOMEM, "no memory for %zu samples", room);
    r->room = room;
    return NG_OK;
}

static ng_status read_sample(csv_reader *r, span line)
{
    ngi_store *store = r->store;
    size_t column = 0;
    ng_status status = make_room(r);
    if (status != NG_OK)
        return status;
    double value, *x = (double *)store->values + store->count * store->features;
    for (; line.at != NULL && column < r->columns; column++) {
        span found = next_column(&line, r->separator);
        int good = number(found, &value);
        if (column != r->label) {
            if (!good)
                return bad_column(r, column, found, "a finite number");
            *x++ = value;
        } else {
            if (!good || !(value >= 0 && value < NGI_CLASSES && value == floor(value)))
                return bad_column(r, column, found, "a label 0 ... 255");
            store->labels[store->count] = (unsigned char)value;
        }
    }
    if (column < r->columns || line.at != NULL)
        return ngi_file_fail(&r->file, NG_EFORMAT, "line %zu: %s %zu columns, as the first has",
                             r->line, line.at != NULL ? "more than" : "less than", r->columns);
    store->count++;
    return NG_OK;
}

static ng_status read_table(csv_reader *r, const char *label)
{
    span line = {NULL, 0};
    int more;
    if (r->end - r->at >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0)
        r->at += 3; /* a byte order mark */
    more = next_line(r, &line);
    if (!more)
        return ngi_file_fail(&r->file, NG_EFORMAT, "the file is empty");
    int header = measure_first(r, line);
    ng_status status = find_label(r, header ? line : (span){NULL, 0}, label);
    if (status != NG_OK)
        return status;
    r->store->features = r->columns - 1;
    if (header)
        more = next_line(r, &line);
    for (; more && status == NG_OK; more = next_line(r, &line))
        status = read_sample(r, line);
    if (status == NG_OK && r->store->count == 0)
        status = ngi_file_fail(&r->file, NG_EFORMAT, "no line but the header");
    return status;
}

/* strtod follows the locale of the thread; a file does not. */
static ng_status read_in_c_locale(csv_reader *r, const char *label)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return ngi_file_fail(&r->file, NG_ENOMEM, "no memory for a locale");
    locale_t before = uselocale(c);
    ng_status status = read_table(r, label);
    uselocale(before);
    freelocale(c);
    return status;
}

ng_status ng_dataset_csv(ng_dataset **dataset, const char *path, const char *label,
                         ng_error *error)
{
    csv_reader r = {0};
    size_t size;
    ng_status status;
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    status = ngi_store_create(&r.store, &ngi_reals, error);
    if (status != NG_OK)
        goto fail;
    status = ngi_file_open(&r.file, path, error);
    if (status != NG_OK)
        goto fail;
    status = ngi_file_load(&r.file, &r.bytes, &size, SIZE_MAX / 2);
    if (status != NG_OK)
        goto fail;
    r.at = (const char *)r.bytes;
    r.end = r.at + size;
    status = read_in_c_locale(&r, label);
    if (status != NG_OK)
        goto fail;
    ngi_store_count_classes(r.store);
    status = ngi_store_wrap(dataset, r.store, path, error);
fail:
    ngi_file_close(&r.file);
    free(r.bytes);
    ngi_store_release(r.store);
    return status;
}
