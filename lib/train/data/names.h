/* Different texts, numbered: the labels of a file, the values of a column. */
#ifndef NGI_TRAIN_NAMES_H
#define NGI_TRAIN_NAMES_H

#include <stddef.h>

#include <natgrad/status.h>

enum { NGI_NAMES = 65536 }; /* at most; names are found by bisection, added by insertion */

/* A text inside somebody else's memory. */
typedef struct {
    const char *at;
    size_t size;
} ngi_span;

typedef struct {
    char **text;    /* owned, by number */
    size_t *sorted; /* numbers, their texts ascending */
    size_t count, room;
} ngi_names;

/* Its number; `count` if it is not among them. */
size_t ngi_names_find(const ngi_names *names, ngi_span text);

/* *number <- that of the text, the next one if it is new. A new one beyond
 * `most` (<= NGI_NAMES) is NG_ERANGE, without a text; NG_ENOMEM likewise. */
ng_status ngi_names_add(ngi_names *names, size_t *number, ngi_span text, size_t most);

/* Numbers the names anew: ascending as whole numbers when all are, else as
 * bytes. rank (count elements): how often each occurs; those that do not are
 * dropped. rank[old number] <- new number. NG_ENOMEM changes nothing. */
ng_status ngi_names_sort(ngi_names *names, size_t *rank);

ng_status ngi_names_copy(ngi_names *to, const ngi_names *from);
void ngi_names_free(ngi_names *names);

ngi_span ngi_span_of(const char *text);

#endif
