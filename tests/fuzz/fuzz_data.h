/* Bytes as a file, read as a data set, divided, gathered, described, and read again against its own
 * schema. Each fuzz_KIND.c includes this once with its kind.
 *
 * The file is in memory, and goes by its descriptor's path. */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <natgrad/train/data.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ROWS = 8, FEATURES = 4096 };

/* The path of a file that holds the bytes; slot 0 or 1. */
static inline const char *fuzz_file(int slot, const uint8_t *bytes, size_t size)
{
    static int files[2] = {-1, -1};
    static char paths[2][64];
    if (files[slot] < 0)
        files[slot] = memfd_create("fuzz", 0);
    if (ftruncate(files[slot], 0) != 0 || pwrite(files[slot], bytes, size, 0) != (ssize_t)size)
        abort();
    snprintf(paths[slot], sizeof paths[slot], "/proc/self/fd/%d", files[slot]);
    return paths[slot];
}

/* Whatever is asked of a data set: numbers are finite, labels are classes. */
static inline void fuzz_use(const ng_dataset *data)
{
    char text[512];
    size_t count = ng_dataset_count(data), features = ng_dataset_features(data);
    size_t classes = ng_dataset_classes(data);
    ng_dataset_describe(data, text, sizeof text, NULL);
    if (features > FEATURES)
        return;
    static double x[ROWS * FEATURES];
    int labels[ROWS];
    size_t index[ROWS], batch = count < ROWS ? count : ROWS;
    for (size_t i = 0; i < batch; i++)
        index[i] = count - 1 - i;
    if (ng_dataset_gather(data, ng_f64(x, batch, features), labels, index, batch, NULL) != NG_OK)
        abort();
    for (size_t i = 0; i < batch * features; i++)
        if (!isfinite(x[i]))
            abort();
    for (size_t i = 0; i < batch && classes > 0; i++)
        if (labels[i] < -1 || labels[i] >= (int)classes)
            abort();
}

/* The schema as text, back, and the same source read against it. */
static inline void fuzz_follow(const ng_dataset *data, const char *source,
                               const ng_dataset_options *options)
{
    ng_error error = {NG_OK, ""};
    ng_schema *schema;
    ng_dataset *again;
    size_t length = ng_schema_write(ng_dataset_schema(data), NULL, 0);
    char *text = malloc(length + 1);
    ng_schema_write(ng_dataset_schema(data), text, length + 1);
    if (ng_schema_read(&schema, text, &error) != NG_OK) {
        fprintf(stderr, "%s\n%s", error.text, text);
        abort();
    }
    free(text);
    if (ng_dataset_open_like(&again, schema, source, options, &error) == NG_OK) {
        fuzz_use(again);
        ng_dataset_destroy(again);
    } else if (error.text[0] == '\0')
        abort();
    ng_schema_destroy(schema);
}

static inline void fuzz_open(const char *source, const ng_dataset_options *options)
{
    ng_error error = {NG_OK, ""};
    ng_dataset *data, *train, *held_out;
    if (ng_dataset_open(&data, source, options, &error) != NG_OK) {
        if (data != NULL || error.text[0] == '\0')
            abort();
        return;
    }
    fuzz_use(data);
    if (ng_dataset_split(&train, &held_out, data, options, &error) == NG_OK) {
        fuzz_use(train);
        fuzz_use(held_out);
        fuzz_follow(train, source, options);
        ng_dataset_destroy(train);
        ng_dataset_destroy(held_out);
    }
    ng_dataset_destroy(data);
}

/* The first byte chooses how to read: a bit each, or two. */
static inline void fuzz_options(ng_dataset_options *options, uint8_t how)
{
    static const char *const labels[] = {NULL, "1", "2", "a"};
    ng_dataset_init(options);
    options->missing = (ng_missing)(how % 3);
    options->task = how & 4 ? NG_TASK_REGRESSION : NG_TASK_CLASSIFICATION;
    options->scale = how & 8 ? NG_SCALE_MINMAX : NG_SCALE_AUTO;
    options->dtype = how & 16 ? NG_F64 : NG_F32;
    options->label = labels[how >> 5 & 3];
    options->header = how & 128 ? NG_HEADER_YES : NG_HEADER_AUTO;
    options->context = 1 + (how & 3);
}
