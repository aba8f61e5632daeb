/* A whole data set through the model. */
#include <math.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"
#include "lib/train/trainer/trainer.h"

/* ---- Loss and score ------------------------------------------------------------------ */

/* Sums over the samples so far. */
typedef struct {
    double loss, right, rows;
    double errors, squares; /* of all targets: of the errors; about the mean of their column */
    const ng_dataset *data;
} sums;

/* Welford's running means are in t->mean; `seen` rows are in them. */
static void add_targets(ng_trainer *t, sums *s, size_t seen, ng_mat z, ng_mat y)
{
    for (size_t i = 0; i < z.rows; i++)
        for (size_t j = 0; j < z.cols; j++) {
            double value = ng_mat_get(y, i, j), off = value - t->mean[j];
            double wrong = ng_mat_get(z, i, j) - value;
            t->mean[j] += off / (double)(seen + i + 1);
            s->squares += off * (value - t->mean[j]);
            s->errors += wrong * wrong;
        }
}

/* index <- the samples first, first + 1, ...; their number */
static size_t next_batch(ng_trainer *t, const ng_dataset *data, size_t first)
{
    size_t left = ng_dataset_count(data) - first, batch = left < t->most ? left : t->most;
    for (size_t i = 0; i < batch; i++)
        t->index[i] = first + i;
    return batch;
}

static ng_status add_batch(ng_trainer *t, sums *s, size_t first, size_t batch)
{
    double mean;
    size_t correct;
    TRY(ngi_trainer_pass(t, &mean, &correct, s->data, t->index, batch));
    s->loss += mean * (double)batch;
    s->right += (double)correct;
    s->rows += (double)ng_model_output(t->model).rows;
    if (t->targets.data != NULL)
        add_targets(t, s, first, ng_model_output(t->model),
                    ng_mat_block(t->targets, 0, 0, batch, t->targets.cols));
    return NG_OK;
}

ng_status ngi_trainer_judge(ng_trainer *t, double *loss, double *score, const ng_dataset *data)
{
    size_t count = ng_dataset_count(data), batch;
    sums s = {.data = data};
    for (size_t j = 0; j < t->targets.cols; j++)
        t->mean[j] = 0;
    for (size_t first = 0; first < count; first += batch) {
        batch = next_batch(t, data, first);
        TRY(add_batch(t, &s, first, batch));
        ngi_trainer_tell(t, NG_TRAINER_JUDGE);
    }
    *loss = s.loss / (double)count;
    /* targets all alike: NaN or -infinity */
    *score = t->targets.data != NULL ? 1 - s.errors / s.squares : s.right / s.rows;
    return NG_OK;
}

ng_status ng_trainer_evaluate(ng_trainer *t, double *loss, double *score, const ng_dataset *data)
{
    double both[2];
    if (t == NULL)
        return NG_EARG;
    t->error = (ng_error){NG_OK, ""};
    if (data == NULL || ng_dataset_count(data) == 0)
        return ng_error_set(&t->error, NG_EARG, "evaluate: there are no samples");
    TRY(ngi_trainer_judge(t, &both[0], &both[1], data));
    if (loss != NULL)
        *loss = both[0];
    if (score != NULL)
        *score = both[1];
    return NG_OK;
}

/* ---- Predictions --------------------------------------------------------------------- */

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

static ng_status predict_batch(ng_trainer *t, ng_mat out, const ng_dataset *data)
{
    ng_mat x = ng_model_input(t->model, out.rows);
    TRY(ng_dataset_gather(data, x, NULL, t->index, out.rows, &t->error));
    TRY(ng_model_forward(t->model, out.rows, &t->error));
    ng_mat z = ng_model_output(t->model);
    if (z.cols != out.cols)
        return ng_error_set(&t->error, NG_ESHAPE, "predict: out has %zu columns, expected %zu",
                            out.cols, z.cols);
    switch (t->model->loss) {
    case NG_LOSS_SOFTMAX:
        softmax(out, z);
        break;
    case NG_LOSS_BERNOULLI:
        sigmoid(out, z);
        break;
    case NG_LOSS_SQUARED:
        unscale(out, z, ng_dataset_schema(data));
    }
    return NG_OK;
}

ng_status ng_trainer_predict(ng_trainer *t, ng_mat out, const ng_dataset *data)
{
    size_t batch;
    if (t == NULL)
        return NG_EARG;
    t->error = (ng_error){NG_OK, ""};
    if (data == NULL)
        return ng_error_set(&t->error, NG_EARG, "predict: there are no data");
    TRY(ng_mat_check(out, "out", &t->error));
    if (out.rows != ng_dataset_count(data))
        return ng_error_set(&t->error, NG_ESHAPE, "predict: out has %zu rows, expected %zu",
                            out.rows, ng_dataset_count(data));
    for (size_t first = 0; first < out.rows; first += batch) {
        batch = next_batch(t, data, first);
        TRY(predict_batch(t, ng_mat_block(out, first, 0, batch, out.cols), data));
    }
    return NG_OK;
}
