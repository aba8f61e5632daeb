/* What the first records of a table show. */
#ifndef NGI_TRAIN_CSV_H
#define NGI_TRAIN_CSV_H

#include "lib/train/data/lines.h"

enum { NGI_SAMPLED = 256 }; /* records looked at */

/* A column in the records looked at. */
typedef struct {
    ngi_span first;       /* in the first record */
    unsigned char number; /* the first record has a number */
    unsigned char below;  /* records below have: 1 numbers, 2 words, 4 a number not whole */
    unsigned char kind;   /* of the first value below: 0 none, 1 a number, 2 words */
    unsigned char again;  /* the first record's words come again below */
    unsigned char comma;  /* words below that are numbers with a decimal comma */
} ngi_look;

typedef struct {
    char separator, point;
    size_t columns;
    int header;
    ngi_look *look; /* columns; owned by the opening (scratch) */
} ngi_shape;

/* Separator, header and kinds of the columns, as the options say or as is seen. */
ng_status ngi_csv_guess(ngi_shape *shape, ngi_lines *lines);

#endif
