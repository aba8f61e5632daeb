/* A text file record by record, a buffer of it at a time. A record is a line, but for line ends
 * inside quotes. */
#ifndef NGI_TRAIN_LINES_H
#define NGI_TRAIN_LINES_H

#include "lib/train/data/dataset.h"

enum { NGI_RECORD = 1 << 26 }; /* bytes a record may have */

typedef struct {
    ngi_opening *o; /* owns the buffer */
    size_t room;
    size_t begin, end; /* of what is not consumed */
    size_t line;       /* lines before `begin` */
    int last;          /* the file has no more */
    int quotes;        /* quotes may hold line ends and separators ... */
    char separator;    /* ... and begin behind this (or those one expects), */
} ngi_lines;

/* A place in the buffer, for looking ahead. */
typedef struct {
    size_t at, line;
} ngi_place;

/* Opens o->file; a byte order mark is skipped. */
ng_status ngi_lines_open(ngi_lines *lines, ngi_opening *o, const char *path, int quotes);

/* The same from the first byte again. */
ng_status ngi_lines_restart(ngi_lines *lines);

/* Reads on until some records are in the buffer, or 4 MiB, or all. */
ng_status ngi_lines_fill(ngi_lines *lines, size_t records);

/* The next whole record from there on that is neither blank nor a comment (#); 0 when the buffer
 * has none. Its end lacks \r. *line <- the line it begins on, from 1. */
int ngi_lines_peek(const ngi_lines *lines, ngi_place *from, ngi_span *record, size_t *line);

/* The next such record of the file; *more <- 0 at the end. It stays until the next call, and
 * o->line is its line. */
ng_status ngi_lines_next(ngi_lines *lines, ngi_span *record, int *more);

/* Cuts the first column off the rest; rest->at is NULL after the last one. Without quotes and
 * the blanks around it. Doubled quotes become one, in `scratch`, if that is not NULL: as long as
 * the record. A separator of ' ' is any number of blanks. */
ngi_span ngi_next_column(ngi_span *rest, char separator, char *scratch);

/* The other half of the buffer, for that. */
char *ngi_lines_scratch(const ngi_lines *lines);

#endif
