/* The inside of a data set, and what a source fills in.
 *
 * A source is one file with one function that reads into an ngi_opening, and a
 * row of the list in kinds.c. The function owns nothing: whatever it opens or
 * allocates is in the opening, and ngi_open releases it. It fills store (its
 * layout, count, values, labels) and schema; a table does so through table.h.
 * How the samples lie in memory is a layout; gather.c has them all. */
#ifndef NGI_TRAIN_DATASET_H
#define NGI_TRAIN_DATASET_H

#include <stdatomic.h>
#include <stdint.h>

#include <natgrad/train/data.h>

#include "lib/train/data/file.h"
#include "lib/train/data/schema.h"

typedef struct ngi_store ngi_store;

typedef struct {
    /* x (n x features) <- the samples at rows[n] of the store; everything is checked. How many
     * are finite: n, or those before the first that is not. */
    size_t (*gather[2])(const ngi_store *store, const ng_schema *schema, ng_mat x,
                        const size_t *rows);
    int table; /* columns: scaling, missing values, targets */
    int text;  /* labels are what follows the window, at values[row step + context] */
} ngi_layout;

extern const ngi_layout ngi_bytes;     /* values: unsigned char, count x features, in 1/255 */
extern const ngi_layout ngi_tables;    /* table: count x slots; NaN where a value is missing,
                                        * the number of a category */
extern const ngi_layout ngi_windows;   /* values: unsigned char, count + context, as symbols */
extern const ngi_layout ngi_sequences; /* values: unsigned char, count * context + 1, as symbols */

struct ngi_store {
    const ngi_layout *layout;
    atomic_size_t users;
    size_t count;
    unsigned char *values; /* owned; but for tables */
    ng_mat table;          /* owned; of tables */
    int *labels;           /* owned, count; NULL for texts, regression and without labels */
    uint32_t *lines;       /* owned, count: lines of the file; or NULL */
    size_t step, context;  /* of texts */
    int targets;           /* the table has them */
    int ordered;           /* samples are divided as they lie, if nobody says */
    size_t boundary;       /* the first so many are for training, if nobody says; 0 */
    double train;          /* the share for training, if nobody says */
    char *notes;           /* owned: what was decided while reading, in lines */
};

struct ng_dataset {
    ngi_store *store;        /* shared with the views */
    ng_schema *schema;       /* shared */
    struct ngi_order *order; /* shared; NULL: as they lie */
    size_t first, count;
    int followed; /* the schema is another file's, and stays */
    char name[64];
};

/* A permutation some views share: row at[i] of the store is their sample i. */
typedef struct ngi_order {
    atomic_size_t users;
    size_t at[];
} ngi_order;

/* A row of the list of sources. */
typedef struct ngi_opening ngi_opening;
typedef struct {
    ng_dataset_kind shown;
    const ngi_layout *layout; /* of the store it gets; the function may set another */
    ng_status (*read)(ngi_opening *o);
    int ordered;   /* for the store */
    int generated; /* nothing behind the colon is fine, and every column stays */
} ngi_kind;

struct ngi_opening {
    const ngi_kind *kind;
    const char *what; /* behind the colon; "" */
    const ng_dataset_options *options;
    const ng_schema *model;  /* the schema to follow, or NULL */
    const ng_random *random; /* NULL: one from the seed */
    ng_error *error;
    /* Filled by the source, released by ngi_open: */
    ngi_store *store;
    ng_schema *schema;
    ngi_file file, other;
    void *scratch;
    char *paths;  /* a copy of `what` to cut */
    char *buffer; /* of lines.h */
    /* Of a table being read (table.h): */
    size_t *column; /* owned: the schema's column of each of the file's, or SIZE_MAX */
    size_t columns, room, dropped;
    int answers; /* there are labels or targets */
    int skip;    /* the row lacks a value */
    size_t line; /* of the file, as errors name it; 0: rows are counted instead */
};

/* *dataset <- what the kind reads. `random` may be NULL. */
ng_status ngi_open(ng_dataset **dataset, const ngi_kind *kind, const char *what,
                   const ng_dataset_options *options, const ng_schema *model,
                   const ng_random *random, ng_error *error);

/* The same for the functions that take no options: the defaults. */
ng_status ngi_open_default(ng_dataset **dataset, const ngi_kind *kind, const char *what,
                           const ng_dataset_options *changes, const ng_random *random,
                           ng_error *error);

/* Adds a line to what describe says. Out of memory, it is lost. */
void ngi_note(ngi_opening *o, const char *format, ...) NG_PRINTF(2, 3);

/* Allocates values and labels for count x features; 0 of either is NG_EARG. */
ng_status ngi_store_allocate(ngi_store *store, size_t count, size_t features, ng_error *error);

/* The label of a row of the store; -1. */
int ngi_store_label(const ngi_store *store, size_t row);

void ngi_store_release(ngi_store *store);

/* A data set of all the samples, one user more of both. Only the last part of a
 * name that is a path is kept. */
ng_status ngi_dataset_wrap(ng_dataset **dataset, ngi_store *store, ng_schema *schema,
                           const char *name, ng_error *error);
void ngi_dataset_rename(ng_dataset *dataset, const char *name);

/* The row of the store that is sample i of the data set. */
static inline size_t ngi_dataset_row(const ng_dataset *dataset, size_t i)
{
    size_t at = dataset->first + i;
    return dataset->order != NULL ? dataset->order->at[at] : at;
}

/* The schema fitted to these samples of a table: scaled like that, constant
 * columns out, missing values replaced. */
ng_status ngi_fit(ng_schema **fitted, const ng_dataset *dataset, ng_scaling scale, ng_error *error);

/* The scaling that AUTO means for these samples. */
ng_scaling ngi_scale_of(const ngi_store *store, ng_scaling asked);

/* NG_EARG unless the generator can fill both ways. */
ng_status ngi_random_check(const ng_random *random, ng_error *error);

/* The sources. */
extern const ngi_kind ngi_kind_csv, ngi_kind_libsvm, ngi_kind_npy, ngi_kind_idx, ngi_kind_mnist,
    ngi_kind_text, ngi_kind_sequences, ngi_kind_digits, ngi_kind_mixture;

#endif
