/* The inside of a data set, for the sources beside this file.
 *
 * A source is one file. It creates a store, fills it and wraps it:
 *
 *     status = ngi_store_create(&store, &ngi_bytes, error);
 *     ... store->count, features, classes, values, labels ...
 *     status = ngi_store_wrap(dataset, store, name, error);
 * fail:
 *     ngi_store_release(store);      (on success, too)
 *     return status;
 *
 * How the samples lie in memory is a layout; gather.c has them all. */
#ifndef NGI_TRAIN_DATASET_H
#define NGI_TRAIN_DATASET_H

#include <stdatomic.h>

#include <natgrad/train/data.h>

enum { NGI_CLASSES = 256 }; /* labels are bytes */

typedef struct ngi_store ngi_store;

typedef struct {
    /* x (batch x features) <- samples first + index[i]; everything is checked */
    void (*gather[2])(const ngi_store *store, ng_mat x, const size_t *index, size_t first);
} ngi_layout;

extern const ngi_layout ngi_bytes;     /* values: unsigned char, count x features, in 1/255 */
extern const ngi_layout ngi_reals;     /* values: double, count x features */
extern const ngi_layout ngi_windows;   /* values: unsigned char, count + context, as symbols */
extern const ngi_layout ngi_sequences; /* values: unsigned char, count * context + 1, as symbols */

struct ngi_store {
    const ngi_layout *layout;
    atomic_size_t users;
    size_t count, features, classes;
    void *values;          /* owned */
    unsigned char *labels; /* owned, count */
    size_t context;        /* of ngi_windows and ngi_sequences; else 0 */
    unsigned char vocabulary[NGI_CLASSES];
};

/* An empty store with one user, the caller. */
ng_status ngi_store_create(ngi_store **store, const ngi_layout *layout, ng_error *error);

/* Allocates values and labels for count x features; 0 of either is NG_EARG. */
ng_status ngi_store_allocate(ngi_store *store, size_t count, size_t features, size_t value_size,
                             ng_error *error);

/* classes <- the largest label + 1 */
void ngi_store_count_classes(ngi_store *store);

/* A data set of all the samples, one user more. Only the last part of a name
 * that is a path is kept. */
ng_status ngi_store_wrap(ng_dataset **dataset, ngi_store *store, const char *name, ng_error *error);

/* One user less; the last one frees. NULL is fine. */
void ngi_store_release(ngi_store *store);

/* NG_EARG unless the generator can fill both ways. */
ng_status ngi_random_check(const ng_random *random, ng_error *error);

/* Two sets become alike: the larger number of classes. For new sets only. */
void ngi_dataset_share_classes(ng_dataset *a, ng_dataset *b);

void ngi_dataset_rename(ng_dataset *dataset, const char *name);

#endif
