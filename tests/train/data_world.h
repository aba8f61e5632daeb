/* Data sets from texts of the tests' own, with options in words. */
#ifndef NG_TEST_DATA_WORLD_H
#define NG_TEST_DATA_WORLD_H

#include <stdio.h>

#include <natgrad/train/data.h>

#include "tests/support/support.h"
#include "tests/train/files.h"

static ng_error err;
static ng_dataset *data;
static ng_dataset_options options;

/* options <- the defaults, then "name=value name=value ..."; a value may not hold a blank. */
static inline void set_options(const char *words)
{
    static char copy[512];
    snprintf(copy, sizeof copy, "%s", words);
    ck_assert_int_eq(ng_dataset_init(&options), NG_OK);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        char *equals = strchr(word, '=');
        *equals = '\0';
        ng_assert_ok(ng_dataset_options_set(&options, word, equals + 1, &err), &err);
    }
}

/* data <- "kind:path"; like is a schema or NULL. */
static inline ng_status open_path(const char *kind, const char *path, const ng_schema *like)
{
    char source[1400];
    snprintf(source, sizeof source, "%s:%s", kind, path);
    data = (ng_dataset *)&err; /* must go */
    ng_status status = ng_dataset_open_like(&data, like, source, &options, &err);
    ck_assert((status == NG_OK) == (data != NULL));
    return status;
}

/* The csv of this text, with these options. */
static inline ng_status open_csv(const char *text, const char *words)
{
    set_options(words);
    return open_path("csv", files_text("table.csv", text), NULL);
}

/* The set has these numbers, count x features, and labels (NULL: not looked at). */
static inline void assert_samples(const ng_dataset *set, size_t count, size_t features,
                                  const double *values, const int *labels)
{
    ck_assert_uint_eq(ng_dataset_count(set), count);
    ck_assert_uint_eq(ng_dataset_features(set), features);
    for (size_t i = 0; i < count; i++) {
        double x[64];
        int label;
        ng_assert_ok(ng_dataset_gather(set, ng_f64(x, 1, features), &label, &i, 1, &err), &err);
        for (size_t j = 0; j < features; j++)
            ck_assert_msg(fabs(x[j] - values[i * features + j]) <=
                              1e-12 * fabs(values[i * features + j]),
                          "sample %zu, feature %zu: %.17g, expected %.17g", i, j, x[j],
                          values[i * features + j]);
        if (labels != NULL)
            ck_assert_int_eq(label, labels[i]);
    }
}

static inline void assert_says(const ng_dataset *set, const ng_dataset *held_out, const char *words)
{
    char text[4096];
    size_t length = ng_dataset_describe(set, text, sizeof text, held_out);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_msg(strstr(text, words) != NULL, "\"%s\" is not in\n%s", words, text);
}

static inline void close_data(void)
{
    ng_dataset_destroy(data);
    data = NULL;
}

#define RAW "scale=none dtype=f64 "

#endif
