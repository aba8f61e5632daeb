/* The inside of a schema. */
#ifndef NGI_TRAIN_SCHEMA_H
#define NGI_TRAIN_SCHEMA_H

#include <stdatomic.h>

#include <natgrad/train/schema.h>

#include "lib/train/data/names.h"

enum { NGI_BYTES = 256, NGI_COLUMNS = 1 << 24, NGI_KIND = 16 };

typedef enum {
    NGI_NUMBER,
    NGI_CATEGORY, /* of words: one feature a category */
    NGI_CONSTANT, /* in what the schema was fitted to: no feature */
    NGI_IGNORED,
    NGI_LABEL,
    NGI_TARGET,
    NGI_ROLES
} ngi_role;

extern const char *const ngi_roles[NGI_ROLES]; /* "number", ... */
extern const char ngi_schema_magic[];          /* the first line of a schema as text */

typedef struct {
    char *name; /* owned */
    ngi_role role;
    size_t slot;           /* its place in a row of the store; not of labels and ignored ones */
    size_t before;         /* features of the columns before it */
    ngi_names categories;  /* of NGI_CATEGORY */
    double fill;           /* for a missing number */
    double offset, factor; /* x = (value - offset) factor; NGI_NUMBER and NGI_TARGET */
} ngi_column;

struct ng_schema {
    atomic_size_t users;
    char kind[NGI_KIND];
    ng_task task;
    ng_scaling scale;
    int header;
    ngi_column *column; /* of a table, in the order of the file */
    size_t columns, slots, targets;
    ngi_names labels; /* the classes */
    size_t features;
    size_t context; /* of texts */
    unsigned char vocabulary[NGI_BYTES];
    size_t vocabulary_size;
};

/* An empty schema with one user, the caller. */
ng_status ngi_schema_create(ng_schema **schema, const char *kind, ng_error *error);

/* Room for so many columns, which are nameless numbers; NG_ERANGE beyond NGI_COLUMNS. */
ng_status ngi_schema_columns(ng_schema *schema, size_t columns, ng_error *error);

/* A copy for its fitting. */
ng_status ngi_schema_copy(ng_schema **copy, const ng_schema *schema, ng_error *error);

/* The name of the column at a place from 0: "column 3", in text, where it is empty. */
enum { NGI_PLACE = 32 };
ngi_span ngi_name_at(char text[NGI_PLACE], ngi_span name, size_t place);

/* column->name <- a copy, which is not empty. */
ng_status ngi_column_name(ngi_column *column, ngi_span name, ng_error *error);

/* features, targets and slots as the roles of the columns say; of a schema that has a store,
 * features alone: its slots stay */
void ngi_schema_count(ng_schema *schema);
void ngi_schema_count_features(ng_schema *schema);

/* Compares pointers to columns of one schema, for qsort: by their names, then their places. */
int ngi_column_by_name(const void *a, const void *b);

/* Two columns of one name, or twice[0] = twice[1]. */
ng_status ngi_schema_twice(const ng_schema *schema, size_t twice[2], ng_error *error);

/* The labels "0" ... "classes - 1" */
ng_status ngi_schema_number_labels(ng_schema *schema, size_t classes, ng_error *error);

/* The column of a target; NULL. That of a feature the schema has, with *category <- which of it
 * (0 for a number); NULL where there are no columns. */
const ngi_column *ngi_schema_target(const ng_schema *schema, size_t target);
const ngi_column *ngi_schema_feature(const ng_schema *schema, size_t feature, size_t *category);

int ngi_is_scaled(const ngi_column *column);       /* it has fill, offset and factor */
size_t ngi_column_width(const ngi_column *column); /* features it makes */

#endif
