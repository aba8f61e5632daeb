/* Gaussian mixtures: making one, its samples, and the distribution function on the line. */
#include "lib/lab/mixture/mixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

/* ---- What is handed in --------------------------------------------------------------- */

ng_status ngi_mixture_points(const ng_mixture *mixture, ng_mat x, ng_error *error)
{
    if (mixture == NULL)
        return ng_error_set(error, NG_EARG, "mixture is NULL");
    TRY(ngi_lab_view(x, x.rows, mixture->d, "x", error));
    if (!ng_is_finite(x))
        return ng_error_set(error, NG_ENONFINITE, "x is not finite");
    return NG_OK;
}

ng_status ngi_mixture_class(const ng_mixture *mixture, size_t *count, double *weight, int label,
                            ng_error *error)
{
    *count = 0;
    *weight = 0;
    for (size_t c = 0; c < mixture->k; c++)
        if (ngi_has_label(mixture, c, label)) {
            *count += 1;
            *weight += mixture->weight[c];
        }
    if (*count == 0)
        return ng_error_set(error, NG_EARG, "no component has the label %d", label);
    return NG_OK;
}

/* ---- Making one ------------------------------------------------------------------------ */

static ng_status check(ng_mat means, ng_mat covariances, const double *weights, const int *labels,
                       ng_error *error)
{
    const size_t most = (size_t)1 << 31, k = means.rows, d = means.cols;
    TRY(ngi_lab_view(means, k, d, "means", error));
    if (k == 0 || d == 0 || k > most / d || k * d > most / d)
        return ng_error_set(error, NG_ERANGE, "%zu components in %zu dimensions", k, d);
    TRY(ngi_lab_view(covariances, k * d, d, "covariances", error));
    if (!ng_is_finite(means))
        return ng_error_set(error, NG_ENONFINITE, "means are not finite");
    for (size_t c = 0; c < k; c++) {
        if (weights != NULL && !(weights[c] > 0 && isfinite(weights[c])))
            return ng_error_set(error, NG_EARG, "weights[%zu] = %g, expected a positive number", c,
                                weights[c]);
        if (labels != NULL && labels[c] < 0)
            return ng_error_set(error, NG_EARG, "labels[%zu] = %d, expected at least 0", c,
                                labels[c]);
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j <= i; j++)
                if (!isfinite(ng_mat_get(covariances, c * d + i, j)))
                    return ng_error_set(error, NG_ENONFINITE, "covariance %zu is not finite", c);
    }
    return NG_OK;
}

static ng_status allocate(ng_mixture *m, ng_error *error)
{
    const size_t k = m->k, d = m->d, square = k * d * d;
    double *numbers = m->weight = calloc(k + 2 * k * d + 2 * square, sizeof *numbers);
    m->label = calloc(k, sizeof *m->label);
    if (numbers == NULL || m->label == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu components in %zu dimensions", k,
                            d);
    m->means = ng_f64(numbers + k, k, d);
    m->values = ng_f64(numbers + k + k * d, k, d);
    m->vectors = ng_f64(numbers + k + 2 * k * d, k * d, d);
    m->covariances = ng_f64(numbers + k + 2 * k * d + square, k * d, d);
    return NG_OK;
}

/* Eigenvalues and vectors of component c; what rounding left below zero is zero. */
static ng_status diagonalise(ng_mixture *m, size_t c, ng_error *error)
{
    const size_t d = m->d;
    ng_mat values = ng_mat_block(m->values, c, 0, 1, d);
    ng_mat own = ng_mat_block(m->covariances, c * d, 0, d, d);
    ng_mirror(own);
    TRY(ng_eigh(values, ng_mat_block(m->vectors, c * d, 0, d, d), NULL, own, NULL, error));
    double least = ng_mat_get(values, 0, 0), most = ng_mat_get(values, 0, d - 1);
    if (least < -1e-12 * fabs(most))
        return ng_error_set(error, NG_ESINGULAR, "covariance %zu has an eigenvalue %g", c, least);
    for (size_t i = 0; i < d; i++)
        ng_mat_set(values, 0, i, fmax(ng_mat_get(values, 0, i), 0));
    return NG_OK;
}

static ng_status fill(ng_mixture *m, ng_mat means, ng_mat covariances, const double *weights,
                      const int *labels, ng_error *error)
{
    double sum = 0, most = 0;
    TRY(allocate(m, error));
    TRY(ng_copy(m->means, means, error));
    for (size_t row = 0; row < m->k * m->d; row++) /* the upper triangles may hold anything */
        for (size_t j = 0; j <= row % m->d; j++)
            ng_mat_set(m->covariances, row, j, ng_mat_get(covariances, row, j));
    for (size_t c = 0; c < m->k; c++)
        most = fmax(most, weights == NULL ? 1 : weights[c]);
    for (size_t c = 0; c < m->k; c++) {
        sum += m->weight[c] = weights == NULL ? 1 : weights[c] / most;
        m->label[c] = labels == NULL ? (int)c : labels[c];
        TRY(diagonalise(m, c, error));
    }
    for (size_t c = 0; c < m->k; c++)
        m->weight[c] /= sum;
    return NG_OK;
}

ng_status ng_mixture_create(ng_mixture **mixture, ng_mat means, ng_mat covariances,
                            const double *weights, const int *labels, ng_error *error)
{
    if (mixture == NULL)
        return ng_error_set(error, NG_EARG, "mixture is NULL");
    *mixture = NULL;
    TRY(check(means, covariances, weights, labels, error));
    ng_mixture *m = calloc(1, sizeof *m);
    if (m == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a mixture");
    m->k = means.rows;
    m->d = means.cols;
    ng_status status = fill(m, means, covariances, weights, labels, error);
    if (status != NG_OK) {
        ng_mixture_destroy(m);
        return status;
    }
    *mixture = m;
    return NG_OK;
}

void ng_mixture_destroy(ng_mixture *mixture)
{
    if (mixture == NULL)
        return;
    free(mixture->weight);
    free(mixture->label);
    free(mixture);
}

size_t ng_mixture_components(const ng_mixture *mixture)
{
    return mixture == NULL ? 0 : mixture->k;
}

size_t ng_mixture_dimension(const ng_mixture *mixture)
{
    return mixture == NULL ? 0 : mixture->d;
}

/* ---- Samples ------------------------------------------------------------------------------ */

/* The component in whose share of the class's weight u in [0, 1) falls. */
static size_t choose(const ng_mixture *m, int label, double total, double u)
{
    size_t last = 0;
    u *= total;
    for (size_t c = 0; c < m->k; c++)
        if (ngi_has_label(m, c, label)) {
            last = c;
            if (u < m->weight[c])
                break;
            u -= m->weight[c];
        }
    return last;
}

/* x = m + sum_i sqrt(value_i) z_i vector_i */
static void shape(const ng_mixture *m, ng_mat x, size_t row, size_t c, const double *z)
{
    for (size_t j = 0; j < m->d; j++) {
        double sum = ng_mat_get(m->means, c, j);
        for (size_t i = 0; i < m->d; i++)
            sum +=
                sqrt(ng_mat_get(m->values, c, i)) * z[i] * ng_mat_get(m->vectors, c * m->d + i, j);
        ng_mat_set(x, row, j, sum);
    }
}

ng_status ng_mixture_sample(const ng_mixture *mixture, ng_mat x, size_t *component, int label,
                            const ng_random *random, ng_error *error)
{
    size_t count;
    double total;
    if (mixture == NULL || random == NULL || random->fill_uniform == NULL ||
        random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG,
                            mixture == NULL ? "mixture is NULL"
                                            : "random: fill_uniform and fill_normal are needed");
    TRY(ngi_lab_view(x, x.rows, mixture->d, "x", error));
    TRY(ngi_mixture_class(mixture, &count, &total, label, error));
    double *numbers = calloc(x.rows + mixture->d, sizeof *numbers);
    if (numbers == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu samples", x.rows);
    random->fill_uniform(random->data, numbers, x.rows);
    for (size_t row = 0; row < x.rows; row++) {
        size_t c = choose(mixture, label, total, numbers[row]);
        random->fill_normal(random->data, numbers + x.rows, mixture->d);
        shape(mixture, x, row, c, numbers + x.rows);
        if (component != NULL)
            component[row] = c;
    }
    free(numbers);
    return NG_OK;
}

/* ---- On the line ----------------------------------------------------------------------------- */

ng_status ng_mixture_cdf(const ng_mixture *mixture, ng_mat cdf, ng_mat x, double a, double s,
                         int label, ng_error *error)
{
    size_t count;
    double total;
    TRY(ngi_mixture_points(mixture, x, error));
    if (mixture->d != 1)
        return ng_error_set(error, NG_ESHAPE, "a distribution function in %zu dimensions",
                            mixture->d);
    TRY(ngi_lab_view(cdf, x.rows, 1, "cdf", error));
    if (!isfinite(a) || !isfinite(s) || s < 0)
        return ng_error_set(error, NG_EARG, "a = %g, s = %g", a, s);
    TRY(ngi_mixture_class(mixture, &count, &total, label, error));
    for (size_t row = 0; row < x.rows; row++) {
        double sum = 0;
        for (size_t c = 0; c < mixture->k; c++) {
            double sd = sqrt(a * a * ng_mat_get(mixture->values, c, 0) + s * s),
                   away = ng_mat_get(x, row, 0) - a * ng_mat_get(mixture->means, c, 0);
            double below = sd > 0 ? 0.5 * erfc(-away / (sd * sqrt(2))) : away >= 0;
            sum += ngi_has_label(mixture, c, label) ? mixture->weight[c] / total * below : 0;
        }
        ng_mat_set(cdf, row, 0, sum);
    }
    return NG_OK;
}
