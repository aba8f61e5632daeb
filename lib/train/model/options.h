/* The options of the models, field by field: what init fills in and create checks. */
#ifndef NGI_TRAIN_OPTIONS_H
#define NGI_TRAIN_OPTIONS_H

#include <natgrad/mat.h>

typedef enum {
    NGI_COUNT,  /* size_t in min ... max */
    NGI_COUNTS, /* const size_t *, each in min ... max, as many as the count at `length` says */
    NGI_CHOICE, /* an enum */
    NGI_SWITCH  /* int; anything but 0 is yes */
} ngi_field_kind;

typedef struct {
    const char *name;
    ngi_field_kind kind;
    size_t offset;
    size_t value; /* default; out of range where there is none */
    size_t min, max;
    size_t length;                     /* NGI_COUNTS: offset of their number, checked before */
    const char *(*text)(size_t value); /* NGI_CHOICE: NULL beyond the last */
} ngi_field;

/* What every options struct begins with. */
typedef struct {
    size_t size;
    ng_dtype dtype;
} ngi_options;

/* Fills in the struct of `size` bytes; NG_EOPTION, nothing written, unless the
 * caller's struct has given_size = size bytes. */
ng_status ngi_options_init(void *options, size_t given_size, size_t size, const ngi_field *fields,
                           size_t count);

/* Size, dtype (NG_EDTYPE) and every field; init: the name to call first. */
ng_status ngi_options_check(const void *options, size_t size, const ngi_field *fields, size_t count,
                            const char *init, ng_error *error);

/* A copy of options that passed, in one block with its lists, to be freed; NULL: no memory. */
void *ngi_options_copy(const void *options, const ngi_field *fields, size_t count);

/* text (size bytes, cut as snprintf cuts) <- the value of a field: a number, numbers with
 * blanks between, a name, "yes". Returns the length of the whole text. */
size_t ngi_field_write(const void *options, const ngi_field *f, char *text, size_t size);

/* The field <- such a text; 0 where it is none. The numbers of a list, at most as many as
 * the text has odd places, go to *room, which moves behind them; how many there must be is
 * a field that was read before. Whether values are in range is not looked at. */
int ngi_field_read(void *options, const ngi_field *f, const char *text, size_t **room);

#endif
