/* Separator, header and kinds of columns, from the first records of a file. */
#include "lib/train/data/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/decimal.h"
#include "lib/train/data/table.h"

/* ---- Separator --------------------------------------------------------------------------- */

static size_t count_columns(ngi_span record, char separator)
{
    size_t n = 0;
    for (; record.at != NULL; n++)
        ngi_next_column(&record, separator, NULL);
    return n;
}

/* Columns that all the records looked at have, or 0; *first <- of the first. */
static size_t common_columns(const ngi_lines *lines, char separator, size_t *first)
{
    ngi_place place = {lines->begin, lines->line};
    ngi_span record;
    size_t common = 0, line;
    *first = 0;
    for (int i = 0; i < 32 && ngi_lines_peek(lines, &place, &record, &line); i++) {
        size_t n = count_columns(record, separator);
        *first = i == 0 ? n : *first;
        common = i == 0 || n == common ? n : 0;
    }
    return common;
}

/* The first that cuts every record into as many columns, more than one; else the one that cuts
 * the first record into most. Semicolons before commas: these may be decimal. */
static char find_separator(const ngi_lines *lines)
{
    static const char candidates[] = "\t;,| ";
    size_t most = 1;
    char best = ',';
    for (const char *c = candidates; *c != '\0'; c++) {
        size_t first;
        if (common_columns(lines, *c, &first) > 1)
            return *c;
        if (first > most && *c != ' ') {
            most = first;
            best = *c;
        }
    }
    return best;
}

static char separator_of(const ngi_lines *lines)
{
    const char *asked = lines->o->options->separator;
    if (strcmp(asked, "auto") == 0)
        return find_separator(lines);
    return strcmp(asked, "tab") == 0 ? '\t' : strcmp(asked, "space") == 0 ? ' ' : *asked;
}

/* ---- Columns ------------------------------------------------------------------------------- */

static void look_below(ngi_look *look, ngi_span cell, char point)
{
    double value;
    if (ngi_is_missing(cell))
        return;
    int number = ngi_decimal(&value, cell.at, cell.at + cell.size, point);
    if (look->kind == 0)
        look->kind = number ? 1 : 2;
    look->below |= number ? 1 : 2;
    if (number && value != floor(value))
        look->below |= 4;
    if (!number && point == '.' && ngi_decimal(&value, cell.at, cell.at + cell.size, ','))
        look->comma = 1;
    if (!number && cell.size == look->first.size && memcmp(cell.at, look->first.at, cell.size) == 0)
        look->again = 1;
}

static ng_status look_at_columns(ngi_shape *shape, ngi_lines *lines)
{
    ngi_place place = {lines->begin, lines->line};
    ngi_span record;
    double value;
    size_t line;
    if (!ngi_lines_peek(lines, &place, &record, &line))
        return NG_OK; /* ngi_lines_next will say why */
    shape->columns = count_columns(record, shape->separator);
    shape->look = calloc(shape->columns, sizeof *shape->look);
    lines->o->scratch = shape->look;
    if (shape->look == NULL)
        return ngi_file_fail(&lines->o->file, NG_ENOMEM, "no memory for its columns");
    for (size_t j = 0; record.at != NULL; j++) {
        ngi_look *look = &shape->look[j];
        look->first = ngi_next_column(&record, shape->separator, NULL);
        look->number = (unsigned char)ngi_decimal(&value, look->first.at,
                                                  look->first.at + look->first.size, shape->point);
    }
    for (int i = 0; i < NGI_SAMPLED && ngi_lines_peek(lines, &place, &record, &line); i++)
        for (size_t j = 0; record.at != NULL && j < shape->columns; j++)
            look_below(&shape->look[j], ngi_next_column(&record, shape->separator, NULL),
                       shape->point);
    return NG_OK;
}

/* ---- Header --------------------------------------------------------------------------------- */

/* 0, 1, 2, ... or 1, 2, 3, ..., the first perhaps empty, as pandas writes columns without names:
 * from four columns on, or with three from 0 above something that is not whole. */
static int counts_columns(const ngi_shape *shape)
{
    double value, from = -1;
    int fractions = 0;
    for (size_t j = 0; j < shape->columns; j++) {
        const ngi_look *look = &shape->look[j];
        fractions |= look->below & 4;
        if (j == 0 && look->first.size == 0)
            continue;
        if (!ngi_decimal(&value, look->first.at, look->first.at + look->first.size, '.'))
            return 0;
        if (from < 0)
            from = value - (double)j;
        if (value != from + (double)j)
            return 0;
    }
    if (from < -1 || from > 1)
        return 0;
    return shape->columns > 3 || (shape->columns == 3 && from == 0 && fractions);
}

static ng_status guess_header(ngi_shape *shape, const ngi_lines *lines)
{
    size_t numbers = 0, unlike = 0, words_below = 0, again = 0, any = 0, where = 0;
    for (size_t j = 0; j < shape->columns; j++) {
        const ngi_look *look = &shape->look[j];
        numbers += look->number;
        any += look->below != 0;
        words_below += (look->below & 1) == 0;
        again += look->again;
        if (!look->number && !ngi_is_missing(look->first) && look->below != 0 &&
            (look->below & 2) == 0) {
            where = unlike++ == 0 ? j : where;
        }
    }
    if (numbers == 0) { /* words alone, above words alone: data if one comes again */
        shape->header = any == 0 || words_below < shape->columns || again == 0;
        return NG_OK;
    }
    shape->header = counts_columns(shape) && any > 0;
    if (!shape->header && unlike > 0) {
        char shown[NGI_SHOWN];
        return ngi_file_fail(&lines->o->file, NG_EFORMAT,
                             "line %zu, column %zu: \"%s\" stands above numbers, but the line has "
                             "numbers too; header=yes or header=no says what it is",
                             lines->o->line, where + 1, ngi_shown(shown, shape->look[where].first));
    }
    return NG_OK;
}

/* Words that are numbers elsewhere would become a feature each. */
static ng_status check_commas(const ngi_shape *shape, const ngi_lines *lines)
{
    for (size_t j = 0; j < shape->columns && lines->o->options->categorical == NULL; j++)
        if (shape->look[j].comma)
            return ngi_file_fail(&lines->o->file, NG_EFORMAT,
                                 "column %zu has numbers with a decimal comma, as in 1,5: "
                                 "decimal=, reads them, categorical=%zu if they are words",
                                 j + 1, j + 1);
    return NG_OK;
}

ng_status ngi_csv_guess(ngi_shape *shape, ngi_lines *lines)
{
    const ng_dataset_options *options = lines->o->options;
    ngi_place place = {lines->begin, lines->line};
    ngi_span record;
    *shape = (ngi_shape){.point = *options->decimal};
    TRY(ngi_lines_fill(lines, NGI_SAMPLED));
    shape->separator = lines->separator = separator_of(lines);
    place = (ngi_place){lines->begin, lines->line};
    if (!ngi_lines_peek(lines, &place, &record, &lines->o->line))
        return NG_OK;
    TRY(look_at_columns(shape, lines));
    TRY(check_commas(shape, lines));
    if (options->header == NG_HEADER_AUTO)
        TRY(guess_header(shape, lines));
    else
        shape->header = options->header == NG_HEADER_YES;
    return NG_OK;
}
