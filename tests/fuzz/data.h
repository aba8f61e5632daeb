/* A source is refused, or everything that can be asked of its data set holds. */
#ifndef NG_FUZZ_DATA_H
#define NG_FUZZ_DATA_H

#include "tests/fuzz/fuzz.h"

#include <natgrad/train/data.h>

/* Some samples are as the header says. Those that a schema was not fitted to may be out of range.
 */
static inline void fuzz_samples(const ng_dataset *d, int fitted)
{
    static double x[4 << 12], y[4 << 12];
    const size_t count = ng_dataset_count(d), features = ng_dataset_features(d);
    const size_t targets = ng_schema_targets(ng_dataset_schema(d)), classes = ng_dataset_classes(d);
    const size_t index[4] = {0, count - 1, count / 2, count / 3};
    int labels[4];
    ng_error error;
    check(count > 0 && features > 0);
    if (features > 1 << 12 || targets > 1 << 12)
        return;
    ng_status status = ng_dataset_gather(d, ng_f64(x, 4, features), labels, index, 4, &error);
    if (status == NG_ERANGE && !fitted) {
        check_failed(status, &error);
        return;
    }
    check_done(status, &error);
    for (size_t i = 0; i < 4 * features; i++)
        check(isfinite(x[i]));
    for (size_t i = 0; i < 4; i++)
        check(labels[i] >= -1 && (labels[i] < 0 || (size_t)labels[i] < classes));
    if (targets == 0)
        return;
    status = ng_dataset_gather_targets(d, ng_f64(y, 4, targets), index, 4, &error);
    if (status == NG_ERANGE && !fitted) {
        check_failed(status, &error);
        return;
    }
    check_done(status, &error);
    for (size_t i = 0; i < 4 * targets; i++)
        check(isfinite(y[i]));
}

static inline void fuzz_describe(const ng_dataset *d, const ng_dataset *held_out)
{
    char some[40], all[16384];
    size_t length = ng_dataset_describe(d, all, sizeof all, held_out);
    check(ng_dataset_describe(d, some, sizeof some, held_out) == length);
    check(strncmp(some, all, sizeof some - 1) == 0 && memchr(some, '\0', sizeof some) != NULL);
}

/* A schema is written, read and written alike. */
static inline void fuzz_schema(const ng_schema *schema)
{
    ng_error error;
    ng_schema *again;
    size_t length = ng_schema_write(schema, NULL, 0);
    char *text = malloc(length + 1), *same = malloc(length + 1);
    check(text != NULL && same != NULL && ng_schema_write(schema, text, length + 1) == length);
    check_done(ng_schema_read(&again, text, &error), &error);
    check(ng_schema_write(again, same, length + 1) == length && strcmp(text, same) == 0);
    ng_schema_destroy(again);
    free(text);
    free(same);
}

/* The same source by the schema of a part of it: refused, or as good. */
static inline void fuzz_follow(const ng_schema *schema, const char *source,
                               const ng_dataset_options *options)
{
    ng_dataset *again;
    ng_error error;
    ng_status status = ng_dataset_open_like(&again, schema, source, options, &error);
    if (status != NG_OK) {
        check_failed(status, &error);
        return;
    }
    check(ng_dataset_features(again) == ng_schema_features(schema));
    fuzz_samples(again, 0);
    ng_dataset_destroy(again);
}

static inline void fuzz_split(const ng_dataset *all, const char *source,
                              const ng_dataset_options *options)
{
    ng_dataset *train, *held_out;
    ng_error error;
    ng_status status = ng_dataset_split(&train, &held_out, all, options, &error);
    if (status != NG_OK) {
        check_failed(status, &error);
        check(train == NULL && held_out == NULL);
        return;
    }
    check(ng_dataset_count(train) + ng_dataset_count(held_out) == ng_dataset_count(all));
    fuzz_samples(train, 1);
    fuzz_samples(held_out, 0);
    fuzz_describe(train, held_out);
    fuzz_schema(ng_dataset_schema(train));
    fuzz_follow(ng_dataset_schema(train), source, options);
    ng_dataset_destroy(train);
    ng_dataset_destroy(held_out);
}

/* The same source by its own schema: what was read can be read. A row that was left out for what a
 * constant column lacks is none any more. */
static inline void fuzz_again(const ng_dataset *all, const char *source,
                              const ng_dataset_options *options)
{
    const ng_schema *schema = ng_dataset_schema(all);
    size_t length = ng_schema_write(schema, NULL, 0);
    char *text = malloc(length + 1);
    check(text != NULL && ng_schema_write(schema, text, length + 1) == length);
    int constant = strstr(text, "\ncolumn constant") != NULL;
    free(text);
    if (options->missing == NG_MISSING_DROP && constant) {
        fuzz_follow(schema, source, options);
        return;
    }
    ng_dataset *again;
    ng_error error;
    check_done(ng_dataset_open_like(&again, schema, source, options, &error), &error);
    check(ng_dataset_features(again) == ng_dataset_features(all));
    check(ng_dataset_count(again) == ng_dataset_count(all));
    fuzz_samples(again, 1);
    ng_dataset_destroy(again);
}

static inline void fuzz_dataset(const char *source, const ng_dataset_options *options)
{
    ng_dataset *all;
    ng_error error;
    ng_status status = ng_dataset_open(&all, source, options, &error);
    if (status != NG_OK) {
        check_failed(status, &error);
        check(all == NULL && status != NG_EIO);
        return;
    }
    fuzz_samples(all, 1);
    fuzz_describe(all, NULL);
    fuzz_schema(ng_dataset_schema(all));
    fuzz_split(all, source, options);
    fuzz_again(all, source, options);
    ng_dataset_destroy(all);
}

/* Two choices that every table has. */
static inline void fuzz_choose(ng_dataset_options *o, unsigned byte)
{
    static const ng_missing missing[] = {NG_MISSING_REFUSE, NG_MISSING_MEAN, NG_MISSING_DROP};
    check(ng_dataset_init(o) == NG_OK);
    o->task = byte & 1 ? NG_TASK_REGRESSION : NG_TASK_CLASSIFICATION;
    o->missing = missing[(byte >> 1) % 3];
    o->scale = (ng_scaling)(byte >> 3 & 3);
    o->dtype = byte & 32 ? NG_F64 : NG_F32;
    o->split = (ng_split)((byte >> 6) % 3);
}

#endif
