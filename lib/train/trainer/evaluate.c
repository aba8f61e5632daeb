/* A whole data set through the model. */
#include <stdlib.h>

#include <natgrad/train/predict.h>

#include "lib/core/try.h"
#include "lib/train/trainer/trainer.h"

/* ---- Loss and score ------------------------------------------------------------------ */

/* Sums over a batch; errors: squares of those of all targets. */
enum { LOSS, RIGHT, ROWS, ERRORS, SUMS };

/* index <- the samples of batch k; their number */
static size_t take_batch(ng_trainer *t, const ng_dataset *data, size_t k)
{
    size_t first = k * t->most, left = ng_dataset_count(data) - first;
    size_t batch = left < t->most ? left : t->most;
    for (size_t i = 0; i < batch; i++)
        t->index[i] = first + i;
    return batch;
}

static double squared_errors(ng_mat z, ng_mat y)
{
    double sum = 0;
    for (size_t i = 0; i < z.rows; i++)
        for (size_t j = 0; j < z.cols; j++) {
            double wrong = ng_mat_get(z, i, j) - ng_mat_get(y, i, j);
            sum += wrong * wrong;
        }
    return sum;
}

static ng_status judge_batch(ng_trainer *t, double *sums, const ng_dataset *data, size_t k)
{
    double mean;
    size_t correct, batch = take_batch(t, data, k);
    TRY(ngi_trainer_pass(t, &mean, &correct, data, t->index, batch));
    sums[LOSS] = mean * (double)batch;
    sums[RIGHT] = (double)correct;
    sums[ROWS] = (double)ng_model_output(t->model).rows;
    sums[ERRORS] = t->targets.data == NULL
                       ? 0
                       : squared_errors(ng_model_output(t->model),
                                        ng_mat_block(t->targets, 0, 0, batch, t->targets.cols));
    ngi_trainer_tell(t, NG_TRAINER_JUDGE);
    return NG_OK;
}

/* This rank's part of the batches. */
static ng_status judge_batches(ng_trainer *t, double *sums, const ng_dataset *data, size_t batches)
{
    size_t first = 0, last = batches;
    if (sums == NULL)
        return ng_error_set(&t->error, NG_ENOMEM, "no memory for the sums of %zu batches", batches);
    if (ngi_trainer_shares(t))
        ng_exchange_part(&first, &last, batches, t->exchange.rank, t->exchange.ranks);
    for (size_t k = first; k < last; k++)
        TRY(judge_batch(t, sums + SUMS * k, data, k));
    return NG_OK;
}

/* Of one more row of targets: *squares of those about the means of their columns. Welford's running
 * means are in t->mean. */
static void add_row(ng_trainer *t, double *squares, ng_mat y, size_t row, size_t seen)
{
    for (size_t j = 0; j < y.cols; j++) {
        double value = ng_mat_get(y, row, j), off = value - t->mean[j];
        t->mean[j] += off / (double)(seen + 1);
        *squares += off * (value - t->mean[j]);
    }
}

/* Every rank has all targets. */
static ng_status sum_squares(ng_trainer *t, double *squares, const ng_dataset *data, size_t batches)
{
    *squares = 0;
    for (size_t j = 0; j < t->targets.cols; j++)
        t->mean[j] = 0;
    for (size_t k = 0; k < batches && t->targets.data != NULL; k++) {
        size_t batch = take_batch(t, data, k);
        ng_mat y = ng_mat_block(t->targets, 0, 0, batch, t->targets.cols);
        TRY(ng_dataset_gather_targets(data, y, t->index, batch, &t->error));
        for (size_t i = 0; i < batch; i++)
            add_row(t, squares, y, i, k * t->most + i);
    }
    return NG_OK;
}

static ng_status judge(ng_trainer *t, double *sums, double *squares, const ng_dataset *data,
                       size_t batches)
{
    TRY(judge_batches(t, sums, data, batches));
    return sum_squares(t, squares, data, batches);
}

static ng_status judge_together(ng_trainer *t, double *sums, double *squares,
                                const ng_dataset *data, size_t batches)
{
    TRY(ngi_trainer_agree(t, judge(t, sums, squares, data, batches), batches));
    ngi_trainer_gather(t, sums, batches, SUMS);
    for (size_t k = 1; k < batches; k++)
        for (int i = 0; i < SUMS; i++)
            sums[i] += sums[SUMS * k + (size_t)i];
    return NG_OK;
}

ng_status ngi_trainer_judge(ng_trainer *t, double *loss, double *score, const ng_dataset *data)
{
    size_t count = ng_dataset_count(data), batches = (count + t->most - 1) / t->most;
    double squares = 0, *sums = calloc(batches, SUMS * sizeof *sums);
    ng_status status = judge_together(t, sums, &squares, data, batches);
    if (status == NG_OK) {
        *loss = sums[LOSS] / (double)count;
        /* targets all alike: NaN or -infinity */
        *score = t->targets.data != NULL ? 1 - sums[ERRORS] / squares : sums[RIGHT] / sums[ROWS];
    }
    free(sums);
    return status;
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
