/* How good predictions are (natgrad/train/predict.h). */
#include <natgrad/train/predict.h>

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

size_t ng_metrics_choice(ng_mat probabilities, size_t i)
{
    size_t best = 0;
    for (size_t j = 1; j < probabilities.cols; j++)
        if (ng_mat_get(probabilities, i, j) > ng_mat_get(probabilities, i, best))
            best = j;
    return best;
}

static void add(ng_mat m, size_t i, size_t j, double value)
{
    ng_mat_set(m, i, j, ng_mat_get(m, i, j) + value);
}

/* table, rows x cols, is to hold what is counted. */
static ng_status check(ng_mat table, size_t rows, size_t cols, ng_mat p, const int *labels,
                       ng_error *error)
{
    TRY(ng_mat_check(table, "counts", error));
    TRY(ng_mat_check(p, "probabilities", error));
    if (labels == NULL)
        return ng_error_set(error, NG_EARG, "labels: NULL");
    if (p.rows == 0 || p.cols == 0 || table.rows != rows || table.cols != cols || rows == 0)
        return ng_error_set(error, NG_ESHAPE,
                            "probabilities: %zu x %zu; counts: %zu x %zu, expected %zu x %zu",
                            p.rows, p.cols, table.rows, table.cols, rows, cols);
    for (size_t i = 0; i < p.rows; i++)
        if (labels[i] < 0 || (size_t)labels[i] >= p.cols)
            return ng_error_set(error, NG_EARG, "labels: row %zu is %d, not in 0 ... %zu", i,
                                labels[i], p.cols - 1);
    ng_fill(table, 0);
    return NG_OK;
}

ng_status ng_metrics_confusion(ng_mat counts, ng_mat probabilities, const int *labels,
                               ng_error *error)
{
    size_t classes = probabilities.cols;
    TRY(check(counts, classes, classes, probabilities, labels, error));
    for (size_t i = 0; i < probabilities.rows; i++)
        add(counts, (size_t)labels[i], ng_metrics_choice(probabilities, i), 1);
    return NG_OK;
}

ng_status ng_metrics_classes(ng_mat counts, double *accuracy, ng_mat probabilities,
                             const int *labels, ng_error *error)
{
    double right = 0;
    TRY(check(counts, probabilities.cols, 3, probabilities, labels, error));
    for (size_t i = 0; i < probabilities.rows; i++) {
        size_t label = (size_t)labels[i], said = ng_metrics_choice(probabilities, i);
        add(counts, label, 0, 1);
        add(counts, said, 1, 1);
        add(counts, said, 2, said == label);
        right += said == label;
    }
    if (accuracy != NULL)
        *accuracy = right / (double)probabilities.rows;
    return NG_OK;
}

/* ---- Calibration --------------------------------------------------------------------------- */

/* The bin whose (b/B, (b+1)/B] holds it; what is not in (0, 1] goes to an end. */
static size_t bin_of(double confidence, size_t bins)
{
    double b = ceil(confidence * (double)bins) - 1;
    return !(b > 0) ? 0 : b < (double)bins ? (size_t)b : bins - 1;
}

ng_status ng_metrics_calibration(ng_mat bins, double *ece, ng_mat probabilities, const int *labels,
                                 ng_error *error)
{
    double sum = 0;
    TRY(check(bins, bins.rows, 3, probabilities, labels, error));
    for (size_t i = 0; i < probabilities.rows; i++) {
        size_t said = ng_metrics_choice(probabilities, i);
        double confidence = ng_mat_get(probabilities, i, said);
        size_t b = bin_of(confidence, bins.rows);
        add(bins, b, 0, 1);
        add(bins, b, 1, confidence);
        add(bins, b, 2, said == (size_t)labels[i]);
    }
    for (size_t b = 0; b < bins.rows; b++) {
        double samples = ng_mat_get(bins, b, 0);
        for (size_t j = 1; j < 3 && samples > 0; j++)
            ng_mat_set(bins, b, j, ng_mat_get(bins, b, j) / samples);
        sum += samples * fabs(ng_mat_get(bins, b, 2) - ng_mat_get(bins, b, 1));
    }
    *ece = sum / (double)probabilities.rows;
    return NG_OK;
}

/* ---- Regression ---------------------------------------------------------------------------- */

ng_status ng_metrics_regression(double *rmse, double *r2, ng_mat predicted, ng_mat targets,
                                ng_error *error)
{
    double errors = 0, squares = 0;
    TRY(ng_mat_check(predicted, "predicted", error));
    TRY(ng_mat_check(targets, "targets", error));
    if (predicted.rows == 0 || predicted.cols == 0 || predicted.rows != targets.rows ||
        predicted.cols != targets.cols)
        return ng_error_set(error, NG_ESHAPE, "predicted: %zu x %zu, targets: %zu x %zu",
                            predicted.rows, predicted.cols, targets.rows, targets.cols);
    for (size_t j = 0; j < targets.cols; j++) {
        double mean = 0; /* running, as Welford has it */
        for (size_t i = 0; i < targets.rows; i++) {
            double y = ng_mat_get(targets, i, j), off = y - mean;
            double wrong = ng_mat_get(predicted, i, j) - y;
            mean += off / (double)(i + 1);
            squares += off * (y - mean);
            errors += wrong * wrong;
        }
    }
    *rmse = sqrt(errors / ((double)targets.rows * (double)targets.cols));
    *r2 = 1 - errors / squares;
    return NG_OK;
}
