/* Where the samples come from, and how they are divided. */
#define _POSIX_C_SOURCE 200809L
#include "examples/train/train.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char default_text[] = "/usr/share/common-licenses/GPL-3";

enum { DIGITS_TRAIN = 8000, DIGITS_TEST = 2000, DIGITS_SEED = 2026 };

/* s->train, s->held_out <- the first `first` samples and the rest of `all`,
 * which is destroyed. */
static ng_status divide(source *s, ng_dataset *all, size_t first, ng_error *error)
{
    size_t count = ng_dataset_count(all);
    ng_status status = NG_OK;
    if (first == 0 || first >= count)
        status = ng_error_set(error, NG_ENODATA, "%s: %zu samples are too few to hold some out",
                              ng_dataset_name(all), count);
    if (status == NG_OK)
        status = ng_dataset_view(&s->train, all, 0, first, error);
    if (status == NG_OK)
        status = ng_dataset_view(&s->held_out, all, first, count - first, error);
    ng_dataset_destroy(all);
    return status;
}

static ng_status open_text(source *s, const char *path, const config *c, ng_error *error)
{
    ng_dataset *all;
    ng_status status = ng_dataset_text(&all, path != NULL ? path : default_text, c->context, error);
    s->held_out_name = "validation";
    s->by_loss = 1;
    return status != NG_OK ? status : divide(s, all, ng_dataset_count(all) / 10 * 9, error);
}

static ng_status open_csv(source *s, const char *path, const config *c, ng_error *error)
{
    ng_dataset *all;
    (void)c;
    if (path == NULL)
        return ng_error_set(error, NG_EARG, "csv wants a file: --data=csv:FILE");
    ng_status status = ng_dataset_csv(&all, path, NULL, error);
    return status != NG_OK ? status : divide(s, all, ng_dataset_count(all) / 5 * 4, error);
}

static ng_status open_digits(source *s, const char *path, const config *c, ng_error *error)
{
    ng_dataset *all;
    ng_random random;
    (void)c;
    if (path != NULL)
        return ng_error_set(error, NG_EARG, "digits are drawn, not read: '%s' means nothing", path);
    ng_status status = ng_rng_create(&random, DIGITS_SEED, error);
    if (status == NG_OK)
        status = ng_dataset_digits(&all, DIGITS_TRAIN + DIGITS_TEST, &random, error);
    ng_rng_destroy(&random);
    return status != NG_OK ? status : divide(s, all, DIGITS_TRAIN, error);
}

static ng_status open_mnist(source *s, const char *path, const config *c, ng_error *error)
{
    const char *data = getenv("NATGRAD_DATA");
    char folder[4096];
    struct stat info;
    (void)c;
    if (path == NULL) {
        snprintf(folder, sizeof folder, "%s/mnist-t10k", data != NULL ? data : "");
        path = folder;
        if (data == NULL || stat(folder, &info) != 0)
            return ng_error_set(
                error, NG_EIO,
                "no MNIST: name its folder with --data=mnist:DIR, or set NATGRAD_DATA to "
                "a folder that holds mnist-t10k (now %s%.80s)",
                data != NULL ? "it is " : "it is not set", data != NULL ? data : "");
    }
    return ng_dataset_mnist(&s->train, &s->held_out, path, error);
}

static const struct {
    const char *name;
    ng_status (*open)(source *s, const char *path, const config *c, ng_error *error);
} kinds[] = {
    {"text", open_text}, {"mnist", open_mnist}, {"digits", open_digits}, {"csv", open_csv}};

static ng_status open_kind(source *s, const config *c, ng_error *error)
{
    const char *colon = strchr(c->data, ':');
    size_t length = colon != NULL ? (size_t)(colon - c->data) : strlen(c->data);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, c->data, length) == 0) {
            snprintf(s->name, sizeof s->name, "%s", kinds[i].name);
            return kinds[i].open(s, colon != NULL ? colon + 1 : NULL, c, error);
        }
    return ng_error_set(error, NG_EARG, "--data=%.60s: expected text, mnist, digits or csv",
                        c->data);
}

int source_open(source *s, const config *c, int validate)
{
    ng_error error = {NG_OK, ""};
    memset(s, 0, sizeof *s);
    s->held_out_name = "test";
    ng_status status = open_kind(s, c, &error);
    if (status == NG_OK && validate) {
        ng_dataset *all = s->train;
        s->train = NULL;
        ng_dataset_destroy(s->held_out);
        s->held_out = NULL;
        s->held_out_name = "validation";
        status = divide(s, all, ng_dataset_count(all) / 8 * 7, &error);
    }
    if (status == NG_OK)
        return 0;
    fprintf(stderr, "train: %s\n", error.text);
    source_close(s);
    return status == NG_EARG ? 2 : 1;
}

void source_close(source *s)
{
    ng_dataset_destroy(s->train);
    ng_dataset_destroy(s->held_out);
    s->train = s->held_out = NULL;
}
