/* A data set through a model (natgrad/train/predict.h). */
#include <natgrad/train/predict.h>

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"

/* Of max_batch samples. */
typedef struct {
    ng_model *model;
    const ng_dataset *data;
    size_t *index;
    int *labels;
    void *targets;
    ng_error *error;
} pass;

/* ---- From logits to what they mean ------------------------------------------------------- */

static void softmax(ng_mat out, ng_mat z)
{
    for (size_t i = 0; i < out.rows; i++) {
        size_t row = (i + 1) * (z.rows / out.rows) - 1; /* of a text the last position */
        double most = ng_mat_get(z, row, 0), sum = 0;
        for (size_t j = 1; j < z.cols; j++)
            most = fmax(most, ng_mat_get(z, row, j));
        for (size_t j = 0; j < z.cols; j++)
            sum += exp(ng_mat_get(z, row, j) - most);
        for (size_t j = 0; j < z.cols; j++)
            ng_mat_set(out, i, j, exp(ng_mat_get(z, row, j) - most) / sum);
    }
}

static void sigmoid(ng_mat out, ng_mat z)
{
    for (size_t i = 0; i < out.rows; i++)
        for (size_t j = 0; j < out.cols; j++)
            ng_mat_set(out, i, j, 1 / (1 + exp(-ng_mat_get(z, i, j))));
}

/* A schema without such a target (data of the caller's own) has no scale. */
static void unscale(ng_mat out, ng_mat z, const ng_schema *schema)
{
    for (size_t j = 0; j < out.cols; j++) {
        double offset = 0, factor = 1;
        ng_schema_target_scale(schema, j, &offset, &factor);
        for (size_t i = 0; i < out.rows; i++)
            ng_mat_set(out, i, j, ng_mat_get(z, i, j) / factor + offset);
    }
}

static ng_status interpret(const pass *p, ng_mat out, size_t first)
{
    ng_mat z = ng_model_output(p->model);
    if (out.data == NULL)
        return NG_OK;
    switch (p->model->loss) {
    case NG_LOSS_SOFTMAX:
        softmax(out, z);
        break;
    case NG_LOSS_BERNOULLI:
        sigmoid(out, z);
        break;
    case NG_LOSS_SQUARED:
        unscale(out, z, ng_dataset_schema(p->data));
    }
    return ng_is_finite(out) ? NG_OK
                             : ng_error_set(p->error, NG_ENONFINITE,
                                            "the predictions of samples %zu ... %zu overflow",
                                            first, first + out.rows - 1);
}

/* ---- Batch by batch ------------------------------------------------------------------------ */

static ng_status loss_of(const pass *p, double *loss, size_t batch)
{
    ng_mat z = ng_model_output(p->model);
    if (p->model->loss == NG_LOSS_SOFTMAX)
        return ng_model_loss_labels(p->model, loss, NULL, p->labels, batch, p->error);
    ng_mat y = {p->targets, batch, z.cols, z.cols, z.dtype};
    TRY(ng_dataset_gather_targets(p->data, y, p->index, batch, p->error));
    return ng_model_loss_targets(p->model, loss, y, p->error);
}

static ng_status run_batch(const pass *p, ng_mat out, double *loss, size_t first, size_t batch)
{
    double mean = 0;
    for (size_t i = 0; i < batch; i++)
        p->index[i] = first + i;
    TRY(ng_dataset_gather(p->data, ng_model_input(p->model, batch), p->labels, p->index, batch,
                          p->error));
    TRY(ng_model_forward(p->model, batch, p->error));
    if (loss != NULL)
        TRY(loss_of(p, &mean, batch));
    if (loss != NULL)
        *loss += mean * (double)batch / (double)ng_dataset_count(p->data);
    return interpret(p, out.data == NULL ? out : ng_mat_block(out, first, 0, batch, out.cols),
                     first);
}

static ng_status run(const pass *p, ng_mat out, double *loss)
{
    size_t count = ng_dataset_count(p->data), most = p->model->max_batch;
    if (p->index == NULL || p->labels == NULL || p->targets == NULL)
        return ng_error_set(p->error, NG_ENOMEM, "no memory for %zu predictions", most);
    for (size_t first = 0; first < count; first += most) {
        size_t batch = count - first < most ? count - first : most;
        TRY(run_batch(p, out, loss, first, batch));
    }
    return NG_OK;
}

static ng_status check(const ng_model *model, ng_mat out, const double *loss,
                       const ng_dataset *data, ng_error *error)
{
    if (model == NULL || data == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", model == NULL ? "model" : "data");
    if (ng_dataset_count(data) == 0)
        return ng_error_set(error, NG_ENODATA, "there are no samples");
    if (loss != NULL && !ng_dataset_labelled(data))
        return ng_error_set(error, NG_ENODATA, "a loss without labels or targets");
    TRY(ng_mat_check(out, "out", error));
    if (out.data != NULL && (out.rows != ng_dataset_count(data) || out.cols != model->logits.cols))
        return ng_error_set(error, NG_ESHAPE, "out: %zu x %zu, expected %zu x %zu", out.rows,
                            out.cols, ng_dataset_count(data), model->logits.cols);
    return NG_OK;
}

ng_status ng_model_predict(ng_model *model, ng_mat out, double *loss, const ng_dataset *data,
                           ng_error *error)
{
    TRY(check(model, out, loss, data, error));
    if (loss != NULL)
        *loss = 0;
    size_t most = model->max_batch;
    pass p = {model,
              data,
              calloc(most, sizeof(size_t)),
              calloc(most, sizeof(int)),
              calloc(ngi_times(most, model->logits.cols), ng_dtype_size(model->dtype)),
              error};
    ng_status status = run(&p, out, loss);
    free(p.index);
    free(p.labels);
    free(p.targets);
    return status;
}
