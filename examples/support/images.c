#define _POSIX_C_SOURCE 200809L
#include "examples/support/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DIGITS_TRAIN = 8000, DIGITS_TEST = 2000, DIGITS_SEED = 2026 };

ng_status images_divide(ng_dataset **first, ng_dataset **rest, ng_dataset *all, size_t count,
                        ng_error *error)
{
    size_t total = ng_dataset_count(all);
    ng_status status = NG_OK;
    if (count == 0 || count >= total)
        status = ng_error_set(error, NG_ENODATA, "%s: %zu samples are too few to hold some out",
                              ng_dataset_name(all), total);
    if (status == NG_OK)
        status = ng_dataset_view(first, all, 0, count, error);
    if (status == NG_OK)
        status = ng_dataset_view(rest, all, count, total - count, error);
    ng_dataset_destroy(all);
    return status;
}

ng_status images_digits(ng_dataset **train, ng_dataset **test, ng_error *error)
{
    ng_dataset *all;
    ng_random random;
    ng_status status = ng_rng_create(&random, DIGITS_SEED, error);
    if (status == NG_OK)
        status = ng_dataset_digits(&all, DIGITS_TRAIN + DIGITS_TEST, &random, error);
    ng_rng_destroy(&random);
    return status != NG_OK ? status : images_divide(train, test, all, DIGITS_TRAIN, error);
}

ng_status images_mnist(ng_dataset **train, ng_dataset **test, const char *folder, ng_error *error)
{
    const char *data = getenv("NATGRAD_DATA");
    char usual[4096];
    struct stat info;
    if (folder == NULL) {
        snprintf(usual, sizeof usual, "%s/mnist-t10k", data != NULL ? data : "");
        folder = usual;
        if (data == NULL || stat(folder, &info) != 0)
            return ng_error_set(
                error, NG_EIO,
                "no MNIST: name its folder with --data=mnist:DIR, or set NATGRAD_DATA to "
                "a folder that holds mnist-t10k (now %s%.80s)",
                data != NULL ? "it is " : "it is not set", data != NULL ? data : "");
    }
    return ng_dataset_mnist(train, test, folder, error);
}
