/* Data sets from the caller's arrays: a copy, with the schema of a table without a header. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/data/dataset.h"

/* What is being made. */
typedef struct {
    ngi_store *store;
    ng_schema *schema;
    ng_error *error;
} making;

static ng_status make_columns(making *m, size_t features, size_t targets)
{
    char text[32];
    size_t answers = targets > 0 ? targets : 1;
    TRY(ngi_schema_create(&m->schema, "csv", m->error));
    TRY(ngi_schema_columns(m->schema, features + answers, m->error));
    m->schema->task = targets > 0 ? NG_TASK_REGRESSION : NG_TASK_CLASSIFICATION;
    for (size_t j = 0; j < features + answers; j++) {
        ngi_column *column = &m->schema->column[j];
        snprintf(text, sizeof text, "%zu", j + 1);
        TRY(ngi_column_name(column, ngi_span_of(text), m->error));
        if (j >= features)
            column->role = targets > 0 ? NGI_TARGET : NGI_LABEL;
    }
    ngi_schema_count(m->schema);
    return NG_OK;
}

/* Columns from `first` on <- the values of the caller. */
static ng_status copy(making *m, size_t first, ng_mat from, const char *name)
{
    ng_mat table = m->store->table;
    for (size_t i = 0; i < from.rows; i++)
        for (size_t j = 0; j < from.cols; j++) {
            double value = ng_mat_get(from, i, j);
            if (!isfinite(value))
                return ng_error_set(m->error, NG_ENONFINITE,
                                    "%s: row %zu, column %zu is %s, expected a finite number", name,
                                    i, j, isnan(value) ? "NaN" : "infinity");
            ng_mat_set(table, i, first + j, value);
        }
    return NG_OK;
}

static ng_status make_store(making *m, size_t rows, size_t cols, ng_dtype dtype)
{
    m->store = calloc(1, sizeof *m->store);
    if (m->store == NULL)
        return ng_error_set(m->error, NG_ENOMEM, "no memory for a data set");
    atomic_init(&m->store->users, 1);
    m->store->layout = &ngi_tables;
    m->store->train = 0.8;
    m->store->count = rows;
    m->store->notes = calloc(1, 1);
    m->store->table = (ng_mat){NULL, rows, cols, cols, dtype};
    if (cols <= SIZE_MAX / ng_dtype_size(dtype) / rows)
        m->store->table.data = malloc(rows * cols * ng_dtype_size(dtype));
    if (m->store->notes == NULL || m->store->table.data == NULL)
        return ng_error_set(m->error, NG_ENOMEM, "no memory for %zu samples of %zu numbers", rows,
                            cols);
    return NG_OK;
}

static ng_status take_labels(making *m, const int *labels, size_t classes)
{
    size_t rows = m->store->count;
    TRY(ngi_schema_number_labels(m->schema, classes, m->error));
    m->store->labels = malloc(rows * sizeof *labels);
    if (m->store->labels == NULL)
        return ng_error_set(m->error, NG_ENOMEM, "no memory for %zu labels", rows);
    for (size_t i = 0; i < rows; i++) {
        if (labels[i] < 0 || (size_t)labels[i] >= classes)
            return ng_error_set(m->error, NG_ERANGE, "labels: row %zu is %d, not in 0 ... %zu", i,
                                labels[i], classes - 1);
        m->store->labels[i] = labels[i];
    }
    return NG_OK;
}

static ng_status check(ng_mat x, const char *name, ng_error *error)
{
    TRY(ng_mat_check(x, name, error));
    return x.rows > 0 && x.cols > 0
               ? NG_OK
               : ng_error_set(error, NG_EARG, "%s is %zu x %zu: there is nothing in it", name,
                              x.rows, x.cols);
}

static ng_status finish(ng_dataset **dataset, making *m, ng_status status)
{
    if (status == NG_OK)
        status = ngi_dataset_wrap(dataset, m->store, m->schema, "arrays", m->error);
    if (status == NG_OK)
        (*dataset)->followed = 1; /* nothing is scaled, nothing left out */
    ngi_store_release(m->store);
    ng_schema_destroy(m->schema);
    return status;
}

static ng_status make_labelled(making *m, ng_mat x, const int *labels, size_t classes)
{
    TRY(make_columns(m, x.cols, 0));
    TRY(make_store(m, x.rows, x.cols, x.dtype));
    TRY(copy(m, 0, x, "x"));
    return take_labels(m, labels, classes);
}

ng_status ng_dataset_from_labels(ng_dataset **dataset, ng_mat x, const int *labels, size_t classes,
                                 ng_error *error)
{
    making m = {.error = error};
    if (dataset == NULL || labels == NULL)
        return ng_error_set(error, NG_EARG, "dataset or labels are NULL");
    *dataset = NULL;
    TRY(check(x, "x", error));
    if (classes < 1 || classes > NGI_NAMES)
        return ng_error_set(error, NG_EARG, "%zu classes, expected 1 to %d", classes, NGI_NAMES);
    return finish(dataset, &m, make_labelled(&m, x, labels, classes));
}

static ng_status make_targeted(making *m, ng_mat x, ng_mat y)
{
    TRY(make_columns(m, x.cols, y.cols));
    TRY(make_store(m, x.rows, x.cols + y.cols, x.dtype));
    m->store->targets = 1;
    TRY(copy(m, 0, x, "x"));
    return copy(m, x.cols, y, "y");
}

ng_status ng_dataset_from_targets(ng_dataset **dataset, ng_mat x, ng_mat y, ng_error *error)
{
    making m = {.error = error};
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    TRY(check(x, "x", error));
    TRY(check(y, "y", error));
    if (y.rows != x.rows || y.dtype != x.dtype)
        return ng_error_set(error, y.rows != x.rows ? NG_ESHAPE : NG_EDTYPE,
                            "y has %zu rows, x %zu; both must be of one type", y.rows, x.rows);
    return finish(dataset, &m, make_targeted(&m, x, y));
}
