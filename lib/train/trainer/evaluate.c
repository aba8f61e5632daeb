/* A whole data set through the model. */
#include <natgrad/train/predict.h>

#include "lib/core/try.h"
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

ng_status ng_trainer_predict(ng_trainer *t, ng_mat out, const ng_dataset *data)
{
    if (t == NULL)
        return NG_EARG;
    t->error = (ng_error){NG_OK, ""};
    return ng_model_predict(t->model, out, NULL, data, &t->error);
}
