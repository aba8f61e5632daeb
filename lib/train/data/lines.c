#include "lib/train/data/lines.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

enum { FIRST = 1 << 16, AHEAD = 1 << 22 };

/* ---- Records ------------------------------------------------------------------------------- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static int separates(char c, char separator)
{
    return c == separator || (separator == '\0' && (c == ',' || c == ';' || c == '\t' || c == '|'));
}

/* The line end of a record that has quotes, or NULL; *inside <- 1 if one is open at `end`. */
static const char *end_outside_quotes(const ngi_lines *lines, const char *at, const char *end,
                                      size_t *passed)
{
    int inside = 0, fresh = 1; /* fresh: a column begins */
    for (; at < end; at++) {
        if (inside) {
            *passed += *at == '\n';
            if (*at != '"')
                continue;
            if (at + 1 == end && !lines->last)
                return NULL; /* the first of two, perhaps */
            if (at + 1 < end && at[1] == '"')
                at++;
            else
                inside = 0;
        } else if (*at == '\n')
            return at;
        else if (*at == '"' && fresh)
            inside = 1, fresh = 0;
        else
            fresh = separates(*at, lines->separator) || (fresh && *at == ' ');
    }
    return NULL;
}

/* The end of the record that begins at `at`; NULL if it is not before `end`. */
static const char *record_end(const ngi_lines *lines, const char *at, const char *end,
                              size_t *passed)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *stop = newline != NULL ? newline : end;
    *passed = 0;
    if (!lines->quotes || memchr(at, '"', (size_t)(stop - at)) == NULL)
        return newline;
    const char *first = skip_blanks(at, stop);
    return *first == '#' ? newline : end_outside_quotes(lines, at, end, passed);
}

/* 1 <- a record; whether it says anything is another question. */
static int cut(const ngi_lines *lines, ngi_place *from, ngi_span *record, size_t *line)
{
    const char *at = lines->o->buffer + from->at, *end = lines->o->buffer + lines->end;
    size_t passed;
    if (at == end)
        return 0;
    const char *stop = record_end(lines, at, end, &passed);
    if (stop == NULL && (!lines->last || passed > 0))
        return 0;
    *line = from->line + 1;
    from->line += passed + 1;
    from->at += stop != NULL ? (size_t)(stop - at) + 1 : (size_t)(end - at);
    stop = stop != NULL ? stop : end;
    *record = (ngi_span){at, (size_t)(stop - at)};
    while (record->size > 0 && record->at[record->size - 1] == '\r')
        record->size--;
    return 1;
}

int ngi_lines_peek(const ngi_lines *lines, ngi_place *from, ngi_span *record, size_t *line)
{
    while (cut(lines, from, record, line)) {
        const char *end = record->at + record->size, *first = skip_blanks(record->at, end);
        if (first < end && *first != '#')
            return 1;
    }
    return 0;
}

/* ---- The buffer ------------------------------------------------------------------------------ */

/* As many bytes more as fit, behind what is not consumed; when nothing fits, twice the room. */
static ng_status read_on(ngi_lines *lines)
{
    size_t got, left = lines->end - lines->begin;
    ngi_opening *o = lines->o;
    if (lines->begin == 0 && lines->end == lines->room) {
        size_t room = lines->room > 0 ? 2 * lines->room : FIRST;
        if (lines->room >= NGI_RECORD)
            return ngi_file_fail(&o->file, NG_EFORMAT,
                                 "line %zu: longer than %d bytes; is a quote left open?",
                                 lines->line + 1, NGI_RECORD);
        char *grown = realloc(o->buffer, 2 * room);
        if (grown == NULL)
            return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for its lines");
        o->buffer = grown;
        lines->room = room;
    }
    memmove(o->buffer, o->buffer + lines->begin, left);
    lines->begin = 0;
    lines->end = left;
    TRY(ngi_file_read(&o->file, o->buffer + left, &got, lines->room - left));
    lines->last = got < lines->room - left;
    lines->end += got;
    return NG_OK;
}

static ng_status start(ngi_lines *lines)
{
    ngi_opening *o = lines->o;
    TRY(read_on(lines));
    size_t size = lines->end;
    if (size >= 2 &&
        (memcmp(o->buffer, "\xff\xfe", 2) == 0 || memcmp(o->buffer, "\xfe\xff", 2) == 0))
        return ngi_file_fail(&o->file, NG_EFORMAT, "is text in UTF-16, expected UTF-8");
    if (size >= 3 && memcmp(o->buffer, "\xef\xbb\xbf", 3) == 0)
        lines->begin = 3;
    return NG_OK;
}

ng_status ngi_lines_open(ngi_lines *lines, ngi_opening *o, const char *path, int quotes)
{
    *lines = (ngi_lines){.o = o, .quotes = quotes};
    TRY(ngi_file_open(&o->file, path, o->error));
    return start(lines);
}

ng_status ngi_lines_restart(ngi_lines *lines)
{
    TRY(ngi_file_rewind(&lines->o->file));
    lines->begin = lines->end = lines->line = 0;
    lines->last = 0;
    return start(lines);
}

ng_status ngi_lines_fill(ngi_lines *lines, size_t records)
{
    for (;;) {
        ngi_place place = {lines->begin, lines->line};
        ngi_span record;
        size_t count = 0, line;
        while (count < records && ngi_lines_peek(lines, &place, &record, &line))
            count++;
        if (count == records || lines->last || (count > 0 && lines->room >= AHEAD))
            return NG_OK;
        if (lines->begin > 0) { /* a byte order mark: make the buffer full */
            memmove(lines->o->buffer, lines->o->buffer + lines->begin, lines->end - lines->begin);
            lines->end -= lines->begin;
            lines->begin = 0;
        }
        TRY(read_on(lines));
    }
}

ng_status ngi_lines_next(ngi_lines *lines, ngi_span *record, int *more)
{
    for (;;) {
        ngi_place place = {lines->begin, lines->line};
        *more = ngi_lines_peek(lines, &place, record, &lines->o->line);
        lines->begin = place.at; /* past comments, too */
        lines->line = place.line;
        if (*more)
            return NG_OK;
        if (lines->last)
            break;
        TRY(read_on(lines));
    }
    if (lines->begin < lines->end)
        return ngi_file_fail(&lines->o->file, NG_EFORMAT, "line %zu: a quote is never closed",
                             lines->line + 1);
    return NG_OK;
}

/* ---- Columns -----------------------------------------------------------------------------------
 */

char *ngi_lines_scratch(const ngi_lines *lines)
{
    return lines->o->buffer + lines->room;
}

static ngi_span trimmed(ngi_span s)
{
    const char *end = s.at + s.size;
    s.at = skip_blanks(s.at, end);
    while (end > s.at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return (ngi_span){s.at, (size_t)(end - s.at)};
}

/* The quote that closes the one before `at`, or NULL; *doubled <- there are quotes between. */
static const char *closing(const char *at, const char *end, int *doubled)
{
    *doubled = 0;
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        if (at + 1 == end || at[1] != '"')
            return at;
        *doubled = 1;
        at += 2;
    }
    return NULL;
}

static ngi_span undoubled(ngi_span s, char *scratch)
{
    size_t n = 0;
    for (size_t i = 0; i < s.size; i++) {
        scratch[n++] = s.at[i];
        i += s.at[i] == '"';
    }
    return (ngi_span){scratch, n};
}

static ngi_span blank_column(ngi_span *rest)
{
    const char *end = rest->at + rest->size, *at = rest->at, *stop = at;
    while (stop < end && *stop != ' ' && *stop != '\t')
        stop++;
    const char *next = skip_blanks(stop, end);
    *rest = next < end ? (ngi_span){next, (size_t)(end - next)} : (ngi_span){NULL, 0};
    return (ngi_span){at, (size_t)(stop - at)};
}

ngi_span ngi_next_column(ngi_span *rest, char separator, char *scratch)
{
    const char *end = rest->at + rest->size, *first = rest->at, *close = NULL;
    int doubled = 0;
    if (separator == ' ') {
        *rest = trimmed(*rest);
        first = rest->at;
        end = first + rest->size;
    }
    while (first < end && *first == ' ')
        first++;
    if (first < end && *first == '"')
        close = closing(first + 1, end, &doubled);
    if (separator == ' ' && close == NULL)
        return blank_column(rest);
    const char *from = close != NULL ? close + 1 : first;
    const char *found = memchr(from, separator, (size_t)(end - from));
    const char *stop = found != NULL ? found : end;
    ngi_span column = {first, (size_t)(stop - first)};
    *rest = found != NULL ? (ngi_span){found + 1, (size_t)(end - found - 1)} : (ngi_span){NULL, 0};
    if (close == NULL)
        return trimmed(column);
    if (skip_blanks(close + 1, stop) < stop) /* more than a quoted text: as it stands */
        return trimmed(column);
    column = (ngi_span){first + 1, (size_t)(close - first - 1)};
    return trimmed(doubled && scratch != NULL ? undoubled(column, scratch) : column);
}
