/* MNIST from a folder, under the names its files go by. */
#define _POSIX_C_SOURCE 200809L
#include "lib/train/data/idx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/core/try.h"

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
            snprintf(path, PATH_ROOM, "%s/%s%s%cidx%d-ubyte%s", folder, prefix, noun, dash[d], rank,
                     ends[e]);
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

static ng_status read_pairs(ngi_opening *o, file_pair *pairs)
{
    file_pair *a = &pairs[0], *b = &pairs[1], *one = &pairs[2];
    find_pair(a, o->what, "train-");
    find_pair(b, o->what, "t10k-");
    find_pair(one, o->what, "");
    int of_four = a->has_images + a->has_labels + b->has_images + b->has_labels;
    if (of_four == 4) {
        TRY(ngi_idx_append(o, a->images, a->labels));
        o->store->boundary = o->store->count;
        TRY(ngi_idx_append(o, b->images, b->labels));
    } else if (of_four == 0 && one->has_images && one->has_labels)
        TRY(ngi_idx_append(o, one->images, one->labels));
    else
        return missing(o->what, a, b, one, o->error);
    return ngi_idx_finish(o);
}

static ng_status read_mnist(ngi_opening *o)
{
    if (strlen(o->what) > PATH_ROOM - 64)
        return ng_error_set(o->error, NG_EARG, "the folder's name is too long: %.120s...", o->what);
    file_pair *pairs = malloc(3 * sizeof *pairs);
    o->paths = (char *)pairs;
    return pairs != NULL ? read_pairs(o, pairs)
                         : ng_error_set(o->error, NG_ENOMEM, "no memory for the paths of files");
}

const ngi_kind ngi_kind_mnist = {
    .shown = {"mnist", "DIR", "the files of MNIST in a folder"},
    .layout = &ngi_bytes,
    .read = read_mnist,
    .ordered = 1,
};

ng_status ng_dataset_mnist(ng_dataset **train, ng_dataset **test, const char *folder,
                           ng_error *error)
{
    ng_dataset *all;
    if (train == NULL || test == NULL || folder == NULL)
        return ng_error_set(error, NG_EARG, "train, test or folder is NULL");
    *train = *test = NULL;
    TRY(ngi_open_default(&all, &ngi_kind_mnist, folder, NULL, NULL, error));
    ng_status status = ng_dataset_split(train, test, all, NULL, error);
    ng_dataset_destroy(all);
    if (status != NG_OK)
        return status;
    ngi_dataset_rename(*train, "mnist-train");
    ngi_dataset_rename(*test, "mnist-test");
    return NG_OK;
}
