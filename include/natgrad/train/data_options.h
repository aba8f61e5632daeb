/* natgrad/train/data_options.h: how data are read and divided, as a struct and as a table.
 *
 * ng_dataset_init fills in the defaults. Each field is a row of one table, from
 * which programs take their command lines and their help. */
#ifndef NATGRAD_TRAIN_DATA_OPTIONS_H
#define NATGRAD_TRAIN_DATA_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <natgrad/mat.h>
#include <natgrad/status.h>
#include <natgrad/train/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/* auto: a first line without a number, above lines unlike it; and a first line
 * of the numbers 0, 1, 2, ... or 1, 2, 3, ... as pandas writes it (three columns
 * or more; with three, when not everything below is whole). Where the first
 * line is words above numbers in some columns and numbers in others, the reader
 * asks for yes or no. */
typedef enum { NG_HEADER_AUTO = 0, NG_HEADER_YES = 1, NG_HEADER_NO = 2 } ng_header;

/* refuse: an error that names the place. mean: the mean of the training part (a
 * category: none of them); labels and targets are still refused. drop: the row
 * is left out. */
typedef enum { NG_MISSING_REFUSE = 0, NG_MISSING_MEAN = 1, NG_MISSING_DROP = 2 } ng_missing;

/* auto: as the source's samples lie, in the order of the file for texts and what
 * is generated or divided already (mnist), else shuffled. */
typedef enum { NG_SPLIT_AUTO = 0, NG_SPLIT_SHUFFLED = 1, NG_SPLIT_ORDER = 2 } ng_split;

typedef struct {
    size_t size;             /* set by ng_dataset_init */
    ng_task task;            /* classification */
    ng_header header;        /* auto */
    ng_missing missing;      /* refuse */
    ng_scaling scale;        /* auto */
    ng_split split;          /* auto */
    ng_dtype dtype;          /* of the numbers of tables in memory; f32 */
    const char *separator;   /* auto, space (any number of blanks), tab, or one character */
    const char *decimal;     /* ".", or "," */
    const char *label;       /* column(s) by name or number from 1; NULL: the last */
    const char *ignore;      /* columns, comma-separated, that are left out; NULL */
    const char *categorical; /* columns of words though they begin with a number; NULL */
    size_t categories;       /* most values of a column of words, 32 */
    size_t context;          /* characters before the one to predict, 8 */
    size_t classes;          /* of a mixture, 10 */
    size_t features;         /* of a mixture, 20 */
    double separation;       /* of a mixture, 4 */
    double train;            /* share for training; 0: 0.8, of texts 0.9, mnist's own */
    uint64_t seed;           /* of a shuffled split and of what is generated; 2026 */
} ng_dataset_options;

/* NG_EOPTION, nothing written, when size is not this library's. */
NG_API ng_status ng_dataset_init_sized(ng_dataset_options *options, size_t size);

static inline ng_status ng_dataset_init(ng_dataset_options *options)
{
    return ng_dataset_init_sized(options, sizeof *options);
}

typedef enum {
    NG_DATASET_CHOICE = 0, /* an enum, by position in choices */
    NG_DATASET_COUNT = 1,  /* size_t */
    NG_DATASET_REAL = 2,   /* double */
    NG_DATASET_SEED = 3,   /* uint64_t */
    NG_DATASET_TEXT = 4    /* const char *, borrowed */
} ng_dataset_option_kind;

typedef struct {
    const char *name;
    ng_dataset_option_kind kind;
    size_t offset; /* of the field */
    double value;  /* the default; of a text NULL, or `text` */
    double min, max;
    const char *text;
    const char *const *choices; /* NULL-terminated, for NG_DATASET_CHOICE */
    const char *doc;            /* one line */
} ng_dataset_option;

/* Row i of the table; NULL behind the last. */
NG_API const ng_dataset_option *ng_dataset_option_get(size_t i);

/* The option of that name from text, as on a command line. A text is borrowed.
 * NG_EOPTION: no such option, or not a value of it. */
NG_API ng_status ng_dataset_options_set(ng_dataset_options *options, const char *name,
                                        const char *text, ng_error *error);

/* Size and every value in range. */
NG_API ng_status ng_dataset_options_check(const ng_dataset_options *options, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
