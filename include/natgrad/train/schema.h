/* natgrad/train/schema.h: what the columns of a data set mean, apart from its samples.
 *
 * A schema is made when a file is read and fitted when it is divided: which
 * columns are features and how they are called, the categories of a column of
 * words, what stands for a missing number, how each feature is scaled, the
 * names of the classes. A file read against the schema of another
 * (ng_dataset_open_like) has the same features in the same places, so that a
 * model trained on one predicts the other. A column whose name is empty is
 * called by its place, "column 3". As text it goes into a model file.
 * A schema never changes; several threads may read one. */
#ifndef NATGRAD_TRAIN_SCHEMA_H
#define NATGRAD_TRAIN_SCHEMA_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_schema ng_schema;

typedef enum { NG_TASK_CLASSIFICATION = 0, NG_TASK_REGRESSION = 1 } ng_task;

/* x <- (value - offset) factor for every feature that is a number:
 *   none      offset 0, factor 1
 *   standard  mean and 1 / standard deviation (divisor: the count)
 *   minmax    least value and 1 / range: 0 ... 1 on what it was fitted to
 * auto: standard for tables, none for pictures and texts. Never stored in a
 * schema, which knows what was done. One-hot features stay 0 and 1. */
typedef enum {
    NG_SCALE_AUTO = 0,
    NG_SCALE_NONE = 1,
    NG_SCALE_STANDARD = 2,
    NG_SCALE_MINMAX = 3
} ng_scaling;

/* "regression", "standard"; NULL for anything else. Static. */
NG_API const char *ng_task_name(ng_task task);
NG_API const char *ng_scaling_name(ng_scaling scale);

/* Who has one destroys it; NULL is fine. */
NG_API void ng_schema_destroy(ng_schema *schema);

/* The same schema once more, for who outlives the data set. Nothing is copied
 * but the claim to it, which cannot fail. */
NG_API ng_schema *ng_schema_share(const ng_schema *schema);

/* The row of ng_dataset_kind_get that the file was read by: "csv", ... */
NG_API const char *ng_schema_kind(const ng_schema *schema);
NG_API ng_task ng_schema_task(const ng_schema *schema);
NG_API ng_scaling ng_schema_scale(const ng_schema *schema);

/* ---- Features: what a model reads ---------------------------------------------- */

NG_API size_t ng_schema_features(const ng_schema *schema);

/* text (size bytes, cut as snprintf cuts) <- the name of a feature: that of its
 * column, "colour=red" for a category, "feature 12" for pictures and texts.
 * Returns the length of the whole name, which is never empty; 0 for a feature
 * that is not. */
NG_API size_t ng_schema_feature_name(const ng_schema *schema, size_t feature, char *text,
                                     size_t size);

/* How it was scaled: x = (value - *offset) *factor. NG_ERANGE. */
NG_API ng_status ng_schema_feature_scale(const ng_schema *schema, size_t feature, double *offset,
                                         double *factor);

/* ---- Labels and targets: what a model says --------------------------------------- */

/* 0 for regression */
NG_API size_t ng_schema_classes(const ng_schema *schema);

/* The name of class k, as the file had it; whole numbers without a point.
 * NULL for a class that is not. Lives as long as the schema. */
NG_API const char *ng_schema_label(const ng_schema *schema, size_t k);

/* Columns of numbers to be predicted; 0 for classification. */
NG_API size_t ng_schema_targets(const ng_schema *schema);

/* The name of its column; NULL for a target that is not. */
NG_API const char *ng_schema_target_name(const ng_schema *schema, size_t target);

/* Targets are scaled as features are: value = y / *factor + *offset. */
NG_API ng_status ng_schema_target_scale(const ng_schema *schema, size_t target, double *offset,
                                        double *factor);

/* ---- As text ----------------------------------------------------------------------- */

/* text (size bytes, cut as snprintf cuts) <- the whole schema, printable ASCII
 * in lines, the same in every locale. Returns the length of the whole text. */
NG_API size_t ng_schema_write(const ng_schema *schema, char *text, size_t size);

/* *schema <- what ng_schema_write wrote; the two write the same text again.
 * Every number and count is checked. NG_EFORMAT names the line; NG_ENOMEM. */
NG_API ng_status ng_schema_read(ng_schema **schema, const char *text, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
