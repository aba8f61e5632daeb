/* Predictions of a whole data set, batch by batch. */
#include <stdlib.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

/* Rows first ... of a view; of none none. */
static ng_mat rows_of(ng_mat m, size_t first, size_t count)
{
    return m.data != NULL ? ng_mat_block(m, first, 0, count, m.cols) : m;
}

/* value = z / factor + offset; a schema without such a target has no scale */
static void unscale(ng_mat mean, ng_mat variance, const ng_schema *schema)
{
    size_t targets = mean.data != NULL ? mean.cols : variance.cols;
    for (size_t j = 0; j < targets; j++) {
        double offset = 0, factor = 1;
        ng_schema_target_scale(schema, j, &offset, &factor);
        for (size_t i = 0; i < mean.rows; i++)
            ng_mat_set(mean, i, j, ng_mat_get(mean, i, j) / factor + offset);
        for (size_t i = 0; i < variance.rows; i++)
            ng_mat_set(variance, i, j, ng_mat_get(variance, i, j) / (factor * factor));
    }
}

static ng_status batch_of(ng_laplace *l, ng_mat mean, ng_mat variance, const ng_dataset *data,
                          size_t *index, size_t first, size_t batch, ng_error *error)
{
    for (size_t i = 0; i < batch; i++)
        index[i] = first + i;
    TRY(ng_dataset_gather(data, ng_model_input(l->model, batch), NULL, index, batch, error));
    TRY(ng_laplace_predict(l, mean, variance, batch, error));
    if (l->likelihood->noise)
        unscale(mean, variance, ng_dataset_schema(data));
    return NG_OK;
}

static ng_status check(ng_mat m, const char *name, size_t rows, size_t cols, ng_error *error)
{
    TRY(ng_mat_check(m, name, error));
    if (m.data != NULL && (m.rows != rows || m.cols != cols))
        return ng_error_set(error, NG_ESHAPE, "%s: %zu x %zu, expected %zu x %zu", name, m.rows,
                            m.cols, rows, cols);
    return NG_OK;
}

static ng_status predict_all(ng_laplace *l, ng_mat mean, ng_mat variance, const ng_dataset *data,
                             size_t *index, ng_error *error)
{
    size_t count = ng_dataset_count(data), most = l->model->max_batch;
    if (index == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu samples", most);
    for (size_t i = 0; i < count; i += most) {
        size_t batch = count - i < most ? count - i : most;
        TRY(batch_of(l, rows_of(mean, i, batch), rows_of(variance, i, batch), data, index, i, batch,
                     error));
    }
    return NG_OK;
}

ng_status ng_laplace_predict_data(ng_laplace *laplace, ng_mat mean, ng_mat variance,
                                  const ng_dataset *data, ng_error *error)
{
    size_t count = ng_dataset_count(data), outputs = laplace->model->logits.cols;
    if (count == 0)
        return ng_error_set(error, NG_ENODATA, "there are no samples");
    TRY(check(mean, "mean", count, outputs, error));
    TRY(check(variance, "variance", count, outputs, error));
    size_t *index = calloc(laplace->model->max_batch, sizeof *index);
    ng_status status = predict_all(laplace, mean, variance, data, index, error);
    free(index);
    return status;
}
