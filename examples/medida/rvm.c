/* Sparse Bayesian regression as MEDIDA has it (Tipping 2001): the evidence of a linear model with
 * normal noise is made as great as it gets over the precision of each weight and of the noise. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/medida/medida.h"
#include "examples/support/program.h"

static ng_error error;

enum { MOST_ROUNDS = 2000 };

/* Of a column: mean and deviation. */
static void moments(double *mean, double *deviation, const double *x, size_t n, size_t stride)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i * stride];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i * stride] - *mean) * (x[i * stride] - *mean);
    *deviation = sqrt(squares / (double)n);
}

static double gram(const rvm *r, size_t i, size_t j)
{
    return r->gram[r->index[i] * TERMS + r->index[j]];
}

/* |t - Phi m|^2 */
static double residual(const rvm *r)
{
    double sum = r->square;
    for (size_t i = 0; i < r->count; i++) {
        sum -= 2 * r->weight[i] * r->moment[r->index[i]];
        for (size_t j = 0; j < r->count; j++)
            sum += r->weight[i] * r->weight[j] * gram(r, i, j);
    }
    return fmax(sum, 1e-14 * r->square);
}

void rvm_posterior(rvm *r, ng_mat sigma)
{
    double numbers[TERMS * TERMS], fit = 0;
    ng_mat root = ng_f64(numbers, r->count, r->count);
    double log_det = (double)r->n * log(r->beta / (2 * 3.14159265358979323846));
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->count; j++)
            ng_mat_set(sigma, i, j, r->beta * gram(r, i, j) + (i == j ? r->alpha[i] : 0));
    paper_must(ng_cholesky(root, NULL, sigma, &error), &error);
    ng_set_identity(sigma);
    paper_must(ng_trsm(sigma, NG_LEFT, root, NG_NOTRANS, 1, &error), &error);
    paper_must(ng_trsm(sigma, NG_LEFT, root, NG_TRANS, 1, &error), &error);
    for (size_t i = 0; i < r->count; i++) {
        r->weight[i] = 0;
        for (size_t j = 0; j < r->count; j++)
            r->weight[i] += r->beta * ng_mat_get(sigma, i, j) * r->moment[r->index[j]];
        r->gamma[i] = 1 - r->alpha[i] * ng_mat_get(sigma, i, i);
        log_det += log(r->alpha[i]) - 2 * log(ng_mat_get(root, i, i));
        fit += r->alpha[i] * r->weight[i] * r->weight[i];
    }
    r->evidence = 0.5 * (log_det - r->beta * residual(r) - fit);
}

/* alpha_i <- gamma_i / m_i^2, beta <- (n - sum gamma) / |t - Phi m|^2. Returns the largest change
 * of an alpha that stays. */
static double update(rvm *r, double threshold)
{
    double change = 0, known = (double)r->n;
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++)
        known -= r->gamma[i];
    r->beta = known / residual(r);
    for (size_t i = 0; i < r->count; i++) {
        double alpha = r->gamma[i] / (r->weight[i] * r->weight[i]);
        if (!(alpha <= threshold))
            continue;
        change = fmax(change, fabs(alpha - r->alpha[i]));
        r->index[kept] = r->index[i];
        r->weight[kept] = r->weight[i];
        r->alpha[kept++] = alpha;
    }
    change = kept < r->count ? (double)INFINITY : change;
    r->count = kept;
    return change;
}

void rvm_fit(rvm *r, ng_mat phi, const double *t, double threshold, double tolerance)
{
    double numbers[TERMS * TERMS];
    const size_t m = phi.cols;
    memset(r, 0, sizeof *r);
    r->n = phi.rows;
    r->count = m;
    for (size_t i = 0; i < r->n; i++)
        r->square += t[i] * t[i];
    for (size_t i = 0; i < m; i++) {
        r->index[i] = i;
        r->alpha[i] = 1;
        for (size_t k = 0; k < r->n; k++) {
            r->moment[i] += ng_mat_get(phi, k, i) * t[k];
            for (size_t j = 0; j < m; j++)
                r->gram[i * TERMS + j] += ng_mat_get(phi, k, i) * ng_mat_get(phi, k, j);
        }
    }
    r->beta = 10 * (double)r->n / r->square;
    for (double change = INFINITY; change > tolerance && r->rounds < MOST_ROUNDS; r->rounds++) {
        rvm_posterior(r, ng_f64(numbers, r->count, r->count));
        change = update(r, threshold);
    }
    rvm_posterior(r, ng_f64(numbers, r->count, r->count));
}

void rvm_regress(rvm *r, double *coefficient, ng_mat phi, const double *t, double threshold,
                 double tolerance)
{
    const size_t n = phi.rows, m = phi.cols;
    double *columns = malloc((n * (m + 1) + 1) * sizeof *columns), deviation[TERMS], mean, scale;
    if (columns == NULL)
        exit(program_end(program_no_memory()));
    ng_mat x = ng_f64(columns + n, n, m);
    moments(&mean, &scale, t, n, 1);
    for (size_t k = 0; k < n; k++)
        columns[k] = (t[k] - mean) / scale;
    for (size_t i = 0; i < m; i++) {
        moments(&mean, &deviation[i], (double *)phi.data + i, n, phi.stride);
        for (size_t k = 0; k < n; k++)
            ng_mat_set(x, k, i, (ng_mat_get(phi, k, i) - mean) / deviation[i]);
        coefficient[i] = 0;
    }
    rvm_fit(r, x, columns, threshold, tolerance);
    for (size_t i = 0; i < r->count; i++)
        coefficient[r->index[i]] = r->weight[i] * scale / deviation[r->index[i]];
    free(columns);
}

/* ---- As evidence maximisation -------------------------------------------------------------------
 */

static double evidence_at(const rvm *r, double *which, double factor)
{
    rvm moved = *r;
    double numbers[TERMS * TERMS];
    *(double *)((char *)&moved + ((char *)which - (const char *)r)) *= factor;
    rvm_posterior(&moved, ng_f64(numbers, r->count, r->count));
    return moved.evidence;
}

/* log N(t; 0, 1/beta + Phi Phi^T / alpha) from the n x n covariance, to compare with. */
static double dense_evidence(const rvm *r, ng_mat phi, const double *t)
{
    const size_t n = phi.rows;
    ng_mat c = paper_mat(n, n), root = paper_mat(n, n), white = paper_mat(1, n);
    double sum = (double)n * log(2 * 3.14159265358979323846);
    for (size_t k = 0; k < n; k++) {
        for (size_t l = 0; l < n; l++) {
            double dot = k == l ? 1 / r->beta : 0;
            for (size_t i = 0; i < r->count; i++)
                dot +=
                    ng_mat_get(phi, k, r->index[i]) * ng_mat_get(phi, l, r->index[i]) / r->alpha[i];
            ng_mat_set(c, k, l, dot);
        }
        ng_mat_set(white, 0, k, t[k]);
    }
    paper_must(ng_cholesky(root, NULL, c, &error), &error);
    paper_must(ng_trsm(white, NG_RIGHT, root, NG_TRANS, 1, &error), &error);
    for (size_t k = 0; k < n; k++)
        sum += 2 * log(ng_mat_get(root, k, k));
    return -0.5 * (sum + ng_dot(white, white));
}

/* A linear model with three of twelve weights, noise of precision 25. */
static void synthetic(ng_mat phi, double *t, const ng_random *random)
{
    static const double w[3] = {1, -0.7, 0.4};
    double noise;
    paper_normal(phi, random);
    for (size_t k = 0; k < phi.rows; k++) {
        random->fill_normal(random->data, &noise, 1);
        t[k] = noise / 5;
        for (size_t i = 0; i < 3; i++)
            t[k] += w[i] * ng_mat_get(phi, k, 4 * i);
    }
}

static int is_maximum(const rvm *r, double *which)
{
    return evidence_at(r, which, 1.1) < r->evidence && evidence_at(r, which, 1 / 1.1) < r->evidence;
}

/* Whether the evidence is greatest where the rounds end; beta Phi^T Phi is the Fisher matrix. */
static int at_the_end(rvm *r)
{
    const double h = 1e-4;
    double slope = 0, numbers[TERMS * TERMS], trace = 0, known = 0;
    ng_mat sigma = ng_f64(numbers, r->count, r->count);
    int highest = 1;
    rvm_posterior(r, sigma);
    for (size_t i = 0; i <= r->count; i++) {
        double *which = i < r->count ? &r->alpha[i] : &r->beta;
        double rise = evidence_at(r, which, exp(h)) - evidence_at(r, which, exp(-h));
        slope = fmax(slope, fabs(rise) / (2 * h));
        highest &= is_maximum(r, which);
    }
    for (size_t i = 0; i < r->count; i++) {
        known += r->gamma[i];
        for (size_t j = 0; j < r->count; j++)
            trace += r->beta * gram(r, i, j) * ng_mat_get(sigma, j, i);
    }
    printf("%zu weights left, %.4f effective parameters, noise precision %.2f, evidence %.3f\n",
           r->count, known, r->beta, r->evidence);
    highest &= target_print("medida", "slope_of_evidence_at_the_end", 0, slope, 1e-5);
    return target_print("medida", "effective_parameters_less_tr_F_Sigma", 0, known - trace, 1e-9) &&
           highest;
}

void evidence(paper *p)
{
    enum { ROWS = 300, COLUMNS = 12 };
    ng_mat phi = paper_mat(ROWS, COLUMNS), t = paper_mat(1, ROWS);
    rvm r;
    int right = 1;
    synthetic(phi, t.data, paper_random(p, 2));
    rvm_fit(&r, phi, t.data, 1e2, 1e-9);
    for (size_t i = 0; i < r.count; i++)
        right &= r.index[i] % 4 == 0;
    target_print("medida", "weights_left_of_three", 3, right ? (double)r.count : (double)NAN, 0);
    target_print("medida", "noise_precision_in_errors", 0, (r.beta / 25 - 1) * sqrt(ROWS / 2.0), 4);
    int same = target_print("medida", "evidence_less_that_of_the_covariance", 0,
                            r.evidence - dense_evidence(&r, phi, t.data), 1e-8);
    verdict_print("medida", "sparse Bayesian regression is evidence maximisation",
                  at_the_end(&r) && same ? VERDICT_YES : VERDICT_NO);
}
