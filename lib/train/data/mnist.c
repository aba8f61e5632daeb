/* MNIST from a folder, under the names its files go by. */
#define _POSIX_C_SOURCE 200809L
#include "lib/train/data/dataset.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

typedef struct {
    char images[PATH_ROOM], labels[PATH_ROOM];
    int has_images, has_labels;
} file_pair;

/* path <- folder/<prefix><noun>-idx<rank>-ubyte[.gz] if it is there.
 * The caller has checked that it fits. */
static int find(char *path, const char *folder, const char *prefix, const char *noun, int rank)
{
    static const char *const ends[] = {"", ".gz"};
    static const char dash[] = "-.";
    for (size_t d = 0; d < 2; d++)
        for (size_t e = 0; e < 2; e++) {
            snprintf(path, PATH_ROOM, "%s/%s%s%cidx%d-ubyte%s", folder, prefix, noun, dash[d],
                     rank, ends[e]);
            if (access(path, F_OK) == 0)
                return 1;
        }
    return 0;
}

static void find_pair(file_pair *pair, const char *folder, const char *prefix)
{
    pair->has_images = find(pair->images, folder, prefix, "images", 3);
    pair->has_labels = find(pair->labels, folder, prefix, "labels", 1);
}

static ng_status load_four(ng_dataset **train, ng_dataset **test, const file_pair *a,
                           const file_pair *b, ng_error *error)
{
    ng_status status = ng_dataset_idx(train, a->images, a->labels, error);
    if (status == NG_OK)
        status = ng_dataset_idx(test, b->images, b->labels, error);
    if (status != NG_OK)
        return status;
    if (ng_dataset_features(*train) != ng_dataset_features(*test))
        return ng_error_set(error, NG_EFORMAT, "%.160s: images of %zu pixels, for training of %zu",
                            b->images, ng_dataset_features(*test), ng_dataset_features(*train));
    ngi_dataset_share_classes(*train, *test);
    return NG_OK;
}

static ng_status load_one(ng_dataset **train, ng_dataset **test, const file_pair *pair,
                          ng_error *error)
{
    ng_dataset *all = NULL;
    ng_status status = ng_dataset_idx(&all, pair->images, pair->labels, error);
    if (status != NG_OK)
        return status;
    size_t count = ng_dataset_count(all), last = count / 5;
    status = ng_dataset_view(train, all, 0, count - last, error);
    if (status == NG_OK)
        status = ng_dataset_view(test, all, count - last, last, error);
    ng_dataset_destroy(all);
    return status;
}

static ng_status missing(const char *folder, const file_pair *a, const file_pair *b,
                         const file_pair *one, ng_error *error)
{
    if (a->has_images + a->has_labels + b->has_images + b->has_labels > 0)
        return ng_error_set(error, NG_EIO, "%.120s: no %s[.gz] beside the others", folder,
                            !a->has_images   ? "train-images-idx3-ubyte"
                            : !a->has_labels ? "train-labels-idx1-ubyte"
                            : !b->has_images ? "t10k-images-idx3-ubyte"
                                             : "t10k-labels-idx1-ubyte");
    if (one->has_images + one->has_labels > 0)
        return ng_error_set(error, NG_EIO, "%.120s: no %s[.gz] beside the %s", folder,
                            one->has_images ? "labels-idx1-ubyte" : "images-idx3-ubyte",
                            one->has_images ? "images" : "labels");
    return ng_error_set(error, NG_EIO,
                        "%.120s: looked for {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz], "
                        "then {images-idx3,labels-idx1}-ubyte[.gz]: none is there",
                        folder);
}

ng_status ng_dataset_mnist(ng_dataset **train, ng_dataset **test, const char *folder,
                           ng_error *error)
{
    file_pair a, b, one;
    ng_status status;
    if (train == NULL || test == NULL || folder == NULL)
        return ng_error_set(error, NG_EARG, "train, test or folder is NULL");
    *train = *test = NULL;
    if (strlen(folder) > PATH_ROOM - 64)
        return ng_error_set(error, NG_EARG, "the folder's name is too long: %.120s...", folder);
    find_pair(&a, folder, "train-");
    find_pair(&b, folder, "t10k-");
    find_pair(&one, folder, "");
    int of_four = a.has_images + a.has_labels + b.has_images + b.has_labels;
    if (of_four == 4)
        status = load_four(train, test, &a, &b, error);
    else if (of_four == 0 && one.has_images && one.has_labels)
        status = load_one(train, test, &one, error);
    else
        status = missing(folder, &a, &b, &one, error);
    if (status != NG_OK)
        goto fail;
    ngi_dataset_rename(*train, "mnist-train");
    ngi_dataset_rename(*test, "mnist-test");
    return NG_OK;
fail:
    ng_dataset_destroy(*train);
    ng_dataset_destroy(*test);
    *train = *test = NULL;
    return status;
}
