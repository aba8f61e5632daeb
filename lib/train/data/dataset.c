/* What all data sets have in common: life, views, checks before a gather. */
#include "lib/train/data/dataset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ng_dataset {
    ngi_store *store; /* shared with the views */
    size_t first, count;
    char name[64];
};

/* ---- Stores ----------------------------------------------------------------- */

ng_status ngi_store_create(ngi_store **store, const ngi_layout *layout, ng_error *error)
{
    *store = calloc(1, sizeof **store);
    if (*store == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a data set");
    (*store)->layout = layout;
    atomic_init(&(*store)->users, 1);
    return NG_OK;
}

ng_status ngi_store_allocate(ngi_store *store, size_t count, size_t features, size_t value_size,
                             ng_error *error)
{
    if (count == 0 || features == 0)
        return ng_error_set(error, NG_EARG, "%zu samples of %zu features: both must be positive",
                            count, features);
    if (features <= SIZE_MAX / 2 / value_size / count) {
        store->values = malloc(count * features * value_size);
        store->labels = malloc(count);
    }
    if (store->values == NULL || store->labels == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu samples of %zu features", count,
                            features);
    store->count = count;
    store->features = features;
    return NG_OK;
}

void ngi_store_count_classes(ngi_store *store)
{
    size_t largest = 0;
    for (size_t i = 0; i < store->count; i++)
        largest = store->labels[i] > largest ? store->labels[i] : largest;
    store->classes = largest + 1;
}

void ngi_store_release(ngi_store *store)
{
    if (store == NULL || atomic_fetch_sub(&store->users, 1) != 1)
        return;
    free(store->values);
    free(store->labels);
    free(store);
}

ng_status ngi_store_wrap(ng_dataset **dataset, ngi_store *store, const char *name,
                         ng_error *error)
{
    *dataset = calloc(1, sizeof **dataset);
    if (*dataset == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a data set");
    atomic_fetch_add(&store->users, 1);
    (*dataset)->store = store;
    (*dataset)->count = store->count;
    ngi_dataset_rename(*dataset, name);
    return NG_OK;
}

/* ---- Data sets ---------------------------------------------------------------- */

void ngi_dataset_rename(ng_dataset *dataset, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *last = slash != NULL ? slash + 1 : name;
    size_t length = strlen(last);
    if (length >= sizeof dataset->name)
        length = sizeof dataset->name - 1;
    memcpy(dataset->name, last, length);
    dataset->name[length] = '\0';
}

void ngi_dataset_share_classes(ng_dataset *a, ng_dataset *b)
{
    if (a->store->classes < b->store->classes)
        a->store->classes = b->store->classes;
    else
        b->store->classes = a->store->classes;
}

void ng_dataset_destroy(ng_dataset *dataset)
{
    if (dataset == NULL)
        return;
    ngi_store_release(dataset->store);
    free(dataset);
}

ng_status ng_dataset_view(ng_dataset **view, const ng_dataset *dataset, size_t first,
                          size_t count, ng_error *error)
{
    if (view == NULL || dataset == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", view == NULL ? "view" : "dataset");
    *view = NULL;
    if (first > dataset->count || count > dataset->count - first)
        return ng_error_set(error, NG_ERANGE, "%s: %zu samples from %zu on, of %zu",
                            dataset->name, count, first, dataset->count);
    ng_status status = ngi_store_wrap(view, dataset->store, dataset->name, error);
    if (status == NG_OK) {
        (*view)->first = dataset->first + first;
        (*view)->count = count;
    }
    return status;
}

size_t ng_dataset_count(const ng_dataset *dataset)
{
    return dataset->count;
}

size_t ng_dataset_features(const ng_dataset *dataset)
{
    return dataset->store->features;
}

size_t ng_dataset_classes(const ng_dataset *dataset)
{
    return dataset->store->classes;
}

const char *ng_dataset_name(const ng_dataset *dataset)
{
    return dataset->name;
}

const unsigned char *ng_dataset_vocabulary(const ng_dataset *dataset)
{
    return dataset->store->context > 0 ? dataset->store->vocabulary : NULL;
}

/* ---- Gather -------------------------------------------------------------------- */

static ng_status check_gather(const ng_dataset *dataset, ng_mat x, const size_t *index,
                              size_t batch, ng_error *error)
{
    if (dataset == NULL || (index == NULL && batch > 0))
        return ng_error_set(error, NG_EARG, "%s is NULL", dataset == NULL ? "dataset" : "index");
    ng_status status = ng_mat_check(x, "x", error);
    if (status != NG_OK)
        return status;
    if (x.rows != batch || x.cols != dataset->store->features)
        return ng_error_set(error, NG_ESHAPE, "%s: x is %zu x %zu, expected %zu x %zu",
                            dataset->name, x.rows, x.cols, batch, dataset->store->features);
    for (size_t i = 0; i < batch; i++)
        if (index[i] >= dataset->count)
            return ng_error_set(error, NG_ERANGE, "%s: index[%zu] is %zu, of %zu samples",
                                dataset->name, i, index[i], dataset->count);
    return NG_OK;
}

ng_status ng_dataset_gather(const ng_dataset *dataset, ng_mat x, int *labels, const size_t *index,
                            size_t batch, ng_error *error)
{
    ng_status status = check_gather(dataset, x, index, batch, error);
    if (status != NG_OK)
        return status;
    const ngi_store *store = dataset->store;
    store->layout->gather[x.dtype](store, x, index, dataset->first);
    if (labels != NULL)
        for (size_t i = 0; i < batch; i++)
            labels[i] = store->labels[dataset->first + index[i]];
    return NG_OK;
}

ng_status ngi_random_check(const ng_random *random, ng_error *error)
{
    if (random == NULL || random->fill_normal == NULL || random->fill_uniform == NULL)
        return ng_error_set(error, NG_EARG, "random is NULL or lacks a function");
    return NG_OK;
}
