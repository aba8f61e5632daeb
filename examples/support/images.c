#define _POSIX_C_SOURCE 200809L
#include "examples/support/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "examples/support/samples.h"

enum { DIGITS = 10000, DIGITS_SEED = 2026 };

ng_status images_digits(ng_dataset **train, ng_dataset **test, ng_error *error)
{
    ng_dataset *all;
    ng_random random;
    ng_status status = ng_rng_create(&random, DIGITS_SEED, error);
    if (status == NG_OK)
        status = ng_dataset_digits(&all, DIGITS, &random, error);
    ng_rng_destroy(&random);
    return status != NG_OK ? status : samples_hold_out(train, test, all, 5, error);
}

ng_status images_usual_folder(char *folder, size_t size, ng_error *error)
{
    const char *data = getenv("NATGRAD_DATA");
    struct stat info;
    snprintf(folder, size, "%s/mnist-t10k", data != NULL ? data : "");
    if (data != NULL && stat(folder, &info) == 0)
        return NG_OK;
    return ng_error_set(error, NG_EIO,
                        "no MNIST: name its folder with --data=mnist:DIR, or set NATGRAD_DATA to "
                        "a folder that holds mnist-t10k (now %s%.80s)",
                        data != NULL ? "it is " : "it is not set", data != NULL ? data : "");
}

ng_status images_mnist(ng_dataset **train, ng_dataset **test, const char *folder, ng_error *error)
{
    char usual[4096];
    if (folder != NULL)
        return ng_dataset_mnist(train, test, folder, error);
    ng_status status = images_usual_folder(usual, sizeof usual, error);
    return status == NG_OK ? ng_dataset_mnist(train, test, usual, error) : status;
}
