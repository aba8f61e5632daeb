/* What all data sets have in common: life, views, checks before a gather. */
#include "lib/train/data/dataset.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

enum { ROWS = 64 }; /* gathered at a time */

/* ---- Stores ----------------------------------------------------------------- */

ng_status ngi_store_allocate(ngi_store *store, size_t count, size_t features, ng_error *error)
{
    if (count == 0 || features == 0)
        return ng_error_set(error, NG_EARG, "%zu samples of %zu features: both must be positive",
                            count, features);
    if (features <= SIZE_MAX / 2 / sizeof(int) / count) {
        store->values = malloc(count * features);
        store->labels = malloc(count * sizeof *store->labels);
    }
    if (store->values == NULL || store->labels == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu samples of %zu features", count,
                            features);
    store->count = count;
    return NG_OK;
}

void ngi_store_release(ngi_store *store)
{
    if (store == NULL || atomic_fetch_sub(&store->users, 1) != 1)
        return;
    free(store->values);
    free(store->table.data);
    free(store->labels);
    free(store->lines);
    free(store->notes);
    free(store);
}

int ngi_store_label(const ngi_store *store, size_t row)
{
    if (store->layout->text)
        return store->values[row * store->step + store->context];
    return store->labels != NULL ? store->labels[row] : -1;
}

/* ---- Data sets ---------------------------------------------------------------- */

ng_status ngi_dataset_wrap(ng_dataset **dataset, ngi_store *store, ng_schema *schema,
                           const char *name, ng_error *error)
{
    *dataset = calloc(1, sizeof **dataset);
    if (*dataset == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a data set");
    atomic_fetch_add(&store->users, 1);
    (*dataset)->store = store;
    (*dataset)->schema = ng_schema_share(schema);
    (*dataset)->count = store->count;
    ngi_dataset_rename(*dataset, name);
    return NG_OK;
}

void ngi_dataset_rename(ng_dataset *dataset, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *last = slash != NULL ? slash + 1 : name;
    size_t length = strlen(last);
    if (length >= sizeof dataset->name)
        length = sizeof dataset->name - 1;
    memmove(dataset->name, last, length);
    dataset->name[length] = '\0';
}

void ng_dataset_destroy(ng_dataset *dataset)
{
    if (dataset == NULL)
        return;
    if (dataset->order != NULL && atomic_fetch_sub(&dataset->order->users, 1) == 1)
        free(dataset->order);
    ngi_store_release(dataset->store);
    ng_schema_destroy(dataset->schema);
    free(dataset);
}

ng_status ng_dataset_view(ng_dataset **view, const ng_dataset *dataset, size_t first, size_t count,
                          ng_error *error)
{
    if (view == NULL || dataset == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", view == NULL ? "view" : "dataset");
    *view = NULL;
    if (first > dataset->count || count > dataset->count - first)
        return ng_error_set(error, NG_ERANGE, "%s: %zu samples from %zu on, of %zu", dataset->name,
                            count, first, dataset->count);
    TRY(ngi_dataset_wrap(view, dataset->store, dataset->schema, dataset->name, error));
    (*view)->first = dataset->first + first;
    (*view)->count = count;
    (*view)->followed = dataset->followed;
    (*view)->order = dataset->order;
    if (dataset->order != NULL)
        atomic_fetch_add(&dataset->order->users, 1);
    return NG_OK;
}

size_t ng_dataset_count(const ng_dataset *dataset)
{
    return dataset->count;
}

size_t ng_dataset_features(const ng_dataset *dataset)
{
    return dataset->schema->features;
}

size_t ng_dataset_classes(const ng_dataset *dataset)
{
    return dataset->schema->labels.count;
}

const char *ng_dataset_name(const ng_dataset *dataset)
{
    return dataset->name;
}

int ng_dataset_labelled(const ng_dataset *dataset)
{
    const ngi_store *store = dataset->store;
    return store->layout->text || store->labels != NULL || store->targets;
}

const ng_schema *ng_dataset_schema(const ng_dataset *dataset)
{
    return dataset->schema;
}

const unsigned char *ng_dataset_vocabulary(const ng_dataset *dataset)
{
    return dataset->store->layout->text ? dataset->schema->vocabulary : NULL;
}

/* ---- Gather -------------------------------------------------------------------- */

static ng_status check_gather(const ng_dataset *dataset, ng_mat x, const char *name, size_t cols,
                              const size_t *index, size_t batch, ng_error *error)
{
    TRY(ng_mat_check(x, name, error));
    if (x.rows != batch || x.cols != cols)
        return ng_error_set(error, NG_ESHAPE, "%s: %s is %zu x %zu, expected %zu x %zu",
                            dataset->name, name, x.rows, x.cols, batch, cols);
    for (size_t i = 0; i < batch; i++)
        if (index[i] >= dataset->count)
            return ng_error_set(error, NG_ERANGE, "%s: index[%zu] is %zu, of %zu samples",
                                dataset->name, i, index[i], dataset->count);
    return NG_OK;
}

/* x as the schema has it */
static double scaled(const ngi_column *column, double value)
{
    return (value - column->offset) * column->factor;
}

/* A number of sample i that is out of range once it is scaled: of a column with that role. */
static ng_status out_of_range(const ng_dataset *dataset, size_t i, ngi_role role, ng_dtype dtype,
                              ng_error *error)
{
    const size_t row = ngi_dataset_row(dataset, i);
    const ngi_column *column = dataset->schema->column;
    double value = 0;
    for (size_t j = 0; j < dataset->schema->columns; j++, column++) {
        if (column->role != role)
            continue;
        value = ng_mat_get(dataset->store->table, row, column->slot);
        if (fabs(scaled(column, value)) > (dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX))
            break;
    }
    return ng_error_set(error, NG_ERANGE,
                        "%s: sample %zu, column \"%.60s\": %g is %g once it is scaled, out of the "
                        "range of %s",
                        dataset->name, i, column->name, value, scaled(column, value),
                        dtype == NG_F32 ? "single precision; dtype=f64" : "double precision");
}

ng_status ng_dataset_gather(const ng_dataset *dataset, ng_mat x, int *labels, const size_t *index,
                            size_t batch, ng_error *error)
{
    size_t rows[ROWS];
    if (dataset == NULL || (index == NULL && batch > 0))
        return ng_error_set(error, NG_EARG, "%s is NULL", dataset == NULL ? "dataset" : "index");
    TRY(check_gather(dataset, x, "x", dataset->schema->features, index, batch, error));
    const ngi_store *store = dataset->store;
    for (size_t first = 0; first < batch; first += ROWS) {
        size_t n = batch - first < ROWS ? batch - first : ROWS;
        for (size_t i = 0; i < n; i++) {
            rows[i] = ngi_dataset_row(dataset, index[first + i]);
            if (labels != NULL)
                labels[first + i] = ngi_store_label(store, rows[i]);
        }
        const ng_mat block = ng_mat_block(x, first, 0, n, x.cols);
        size_t finite = store->layout->gather[x.dtype](store, dataset->schema, block, rows);
        if (finite < n)
            return out_of_range(dataset, index[first + finite], NGI_NUMBER, x.dtype, error);
    }
    return NG_OK;
}

ng_status ng_dataset_gather_targets(const ng_dataset *dataset, ng_mat y, const size_t *index,
                                    size_t batch, ng_error *error)
{
    if (dataset == NULL || (index == NULL && batch > 0))
        return ng_error_set(error, NG_EARG, "%s is NULL", dataset == NULL ? "dataset" : "index");
    const ng_schema *schema = dataset->schema;
    if (!dataset->store->targets)
        return ng_error_set(error, NG_ENODATA, "%s: there are no targets", dataset->name);
    TRY(check_gather(dataset, y, "y", schema->targets, index, batch, error));
    for (size_t i = 0; i < batch; i++) {
        size_t row = ngi_dataset_row(dataset, index[i]), t = 0;
        for (size_t j = 0; j < schema->columns; j++) {
            const ngi_column *column = &schema->column[j];
            if (column->role != NGI_TARGET)
                continue;
            ng_mat_set(y, i, t,
                       scaled(column, ng_mat_get(dataset->store->table, row, column->slot)));
            if (!isfinite(ng_mat_get(y, i, t++)))
                return out_of_range(dataset, index[i], NGI_TARGET, y.dtype, error);
        }
    }
    return NG_OK;
}
