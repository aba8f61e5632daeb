/* Predictions with the uncertainty of the weights: Laplace's approximation
 * (natgrad/train/laplace.h), whose probabilities are less sure, and whose values have a deviation.
 */
#include <math.h>

#include "examples/predict/predict.h"
#include "examples/support/progress.h"

/* ---- The posterior ------------------------------------------------------------------------- */

static int fit(prediction *p, const config *c)
{
    ng_dataset *training;
    ng_error error;
    progress bar;
    int status = data_open(&training, p, c, c->uncertainty);
    if (status != 0)
        return status;
    progress_start(&bar, "fitting the uncertainty", 0, "");
    ng_status fitted = ng_laplace_fit(&p->bars, p->model, training, NULL, &error);
    progress_end(&bar);
    ng_dataset_destroy(training);
    return fitted == NG_OK ? 0 : program_error("--uncertainty: %s", error.text);
}

static int find(prediction *p, const config *c)
{
    ng_error error;
    ng_status status = ng_laplace_read(&p->bars, p->model, p->file, &error);
    if (status == NG_ENODATA)
        return program_error(
            "%s holds no uncertainty: --uncertainty=DATA fits it to what the model "
            "was trained on",
            c->model);
    return status == NG_OK ? 0 : program_error("%s: %s", c->model, error.text);
}

static int save(prediction *p, const char *path)
{
    ng_model_extra *extra;
    ng_error error;
    ng_status status = ng_model_extra_create(&extra, &error);
    if (status == NG_OK)
        status = ng_laplace_add(p->bars, extra, &error);
    if (status == NG_OK)
        status = ng_model_save(p->model, p->schema, path, extra, &error);
    ng_model_extra_destroy(extra);
    return status == NG_OK ? 0 : program_error("%s", error.text);
}

int bars_open(prediction *p, const config *c)
{
    int status = c->uncertainty[0] != '\0' ? fit(p, c) : find(p, c);
    return status == 0 && c->save != NULL ? save(p, c->save) : status;
}

/* ---- Predicting ------------------------------------------------------------------------------ */

ng_status bars_predict(prediction *p, const size_t *index, size_t batch, ng_error *error)
{
    ng_mat answers = ng_mat_block(p->answers, index[0], 0, batch, p->answers.cols);
    ng_mat variances = p->values ? ng_mat_block(p->deviations, index[0], 0, batch, p->answers.cols)
                                 : ng_mat_none();
    ng_status status =
        ng_dataset_gather(p->data, ng_model_input(p->model, batch), NULL, index, batch, error);
    return status == NG_OK ? ng_laplace_predict(p->bars, answers, variances, batch, error) : status;
}

static double square(double x)
{
    return x * x;
}

/* Of a sample: - log of the probability of its class, or of the density of its values. */
static double surprise(const prediction *p, size_t i)
{
    double sum = 0;
    if (p->classes)
        return -log(ng_mat_get(p->answers, i, (size_t)p->labels[i]));
    for (size_t j = 0; j < p->truth.cols; j++) {
        double deviation = ng_mat_get(p->deviations, i, j);
        double off = ng_mat_get(p->truth, i, j) - ng_mat_get(p->answers, i, j);
        sum += 0.5 * log(2 * 3.14159265358979323846 * square(deviation)) +
               0.5 * square(off / deviation);
    }
    return sum;
}

void bars_finish(prediction *p)
{
    for (size_t j = 0; j < p->truth.cols && p->values; j++) {
        double offset = 0, factor = 1;
        ng_schema_target_scale(p->schema, j, &offset, &factor);
        for (size_t i = 0; i < p->count; i++) {
            ng_mat_set(p->answers, i, j, ng_mat_get(p->answers, i, j) / factor + offset);
            ng_mat_set(p->deviations, i, j, sqrt(ng_mat_get(p->deviations, i, j)) / fabs(factor));
        }
    }
    p->loss = p->labelled && (p->classes || p->values) ? 0 : (double)NAN;
    for (size_t i = 0; i < p->count && !isnan(p->loss); i++)
        p->loss += surprise(p, i) / (double)p->count;
}

/* ---- Words ------------------------------------------------------------------------------------
 */

/* The share of true values within 1.96 deviations; 95 % where they are what they say. */
static double covered(const prediction *p)
{
    double within = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < p->truth.cols; j++)
            within += fabs(ng_mat_get(p->truth, i, j) - ng_mat_get(p->answers, i, j)) <=
                      1.96 * ng_mat_get(p->deviations, i, j);
    return within / ((double)p->count * (double)p->truth.cols);
}

void bars_report(const prediction *p, char *line, size_t size)
{
    ng_laplace_info info = {.size = sizeof info};
    if (p->bars == NULL || ng_laplace_get(p->bars, &info) != NG_OK)
        return;
    printf("uncertainty of %zu weights from %zu samples: prior precision %.4g, %.1f parameters "
           "determined\n",
           info.parameters, info.samples, info.prior_precision, info.effective);
    if (p->values && p->labelled && p->count > 0) {
        printf("%.1f %% of the true values are within 1.96 deviations\n", 100 * covered(p));
        snprintf(line, size, " covered=%.4f", covered(p));
    }
}
