/* The likelihoods behind the losses of natgrad/train/model.h, a row of logits at a
 * time: loss, mean, exact Fisher matrix at the logits. */
#include <math.h>
#include <string.h>

#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

static const double pi = 3.141592653589793238;

/* 1 / sqrt(1 + pi/8 v): what the variance v of a logit does to it where its sigmoid
 * is averaged (MacKay 1992). What rounding leaves below 0 is 0. */
static double shrink(double v)
{
    return 1 / sqrt(1 + pi / 8 * fmax(v, 0));
}

/* ---- Softmax -------------------------------------------------------------------- */

/* p <- probabilities; returns log of the sum of exponentials. p may be z. */
static double softmax(size_t k, double *p, const double *z)
{
    double top = z[0], sum = 0;
    for (size_t j = 1; j < k; j++)
        top = fmax(top, z[j]);
    for (size_t j = 0; j < k; j++)
        sum += p[j] = exp(z[j] - top);
    for (size_t j = 0; j < k; j++)
        p[j] /= sum;
    return top + log(sum);
}

static double softmax_loss(size_t k, double *d, const double *z, int label, const double *t)
{
    double z_label = z[label];
    (void)t;
    double loss = softmax(k, d, z) - z_label;
    d[label] -= 1;
    return loss;
}

/* sum_c r_c r_c^T = diag(p) - p p^T */
static void softmax_root(size_t k, double *r, const double *p)
{
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < k; j++)
            r[c * k + j] = sqrt(p[c]) * ((c == j) - p[j]);
}

static void softmax_mean(size_t k, double *p, const double *z)
{
    softmax(k, p, z);
}

/* p_i = 1 / (1 + sum_j exp(z_j - z_i)), each pair by the variance of its difference, so
 * that what is common to all logits counts for nothing, times k / (2 (k - 1)): were the
 * logits independent and alike, that of z_i against the mean of all others.
 * Two classes are exactly the Bernoulli case. */
static void softmax_probit(size_t k, double *p, const double *z, const double *c)
{
    double sum = 0, share = k > 1 ? (double)k / (2 * (double)(k - 1)) : 1;
    for (size_t i = 0; i < k; i++) {
        double odds = 1;
        for (size_t j = 0; j < k; j++) {
            double v = c[i * k + i] + c[j * k + j] - c[i * k + j] - c[j * k + i];
            if (j != i)
                odds += exp(fmin((z[j] - z[i]) * shrink(share * v), 600));
        }
        sum += p[i] = 1 / odds;
    }
    for (size_t i = 0; i < k; i++)
        p[i] /= sum;
}

/* ---- Bernoulli -------------------------------------------------------------------- */

static double sigmoid(double z)
{
    return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
}

static double bernoulli_loss(size_t k, double *d, const double *z, int label, const double *t)
{
    double loss = 0;
    (void)label;
    for (size_t j = 0; j < k; j++) {
        loss += fmax(z[j], 0) - t[j] * z[j] + log1p(exp(-fabs(z[j])));
        d[j] = sigmoid(z[j]) - t[j];
    }
    return loss;
}

static void bernoulli_root(size_t k, double *r, const double *p)
{
    for (size_t i = 0; i < k * k; i++)
        r[i] = i % (k + 1) == 0 ? sqrt(p[i / k] * (1 - p[i / k])) : 0;
}

static void bernoulli_mean(size_t k, double *p, const double *z)
{
    for (size_t j = 0; j < k; j++)
        p[j] = sigmoid(z[j]);
}

static void bernoulli_probit(size_t k, double *p, const double *z, const double *c)
{
    for (size_t j = 0; j < k; j++)
        p[j] = sigmoid(z[j] * shrink(c[j * k + j]));
}

/* ---- Gaussian ---------------------------------------------------------------------- */

static double gaussian_loss(size_t k, double *d, const double *z, int label, const double *t)
{
    double loss = 0;
    (void)label;
    for (size_t j = 0; j < k; j++) {
        d[j] = z[j] - t[j];
        loss += 0.5 * d[j] * d[j];
    }
    return loss;
}

static void gaussian_root(size_t k, double *r, const double *p)
{
    (void)p;
    for (size_t i = 0; i < k * k; i++)
        r[i] = i % (k + 1) == 0;
}

static void gaussian_mean(size_t k, double *p, const double *z)
{
    memmove(p, z, k * sizeof *p);
}

static void gaussian_probit(size_t k, double *p, const double *z, const double *c)
{
    (void)c;
    memcpy(p, z, k * sizeof *p);
}

static const ngi_likelihood likelihoods[] = {
    [NG_LOSS_SOFTMAX] = {.labels = 1,
                         .loss = softmax_loss,
                         .root = softmax_root,
                         .mean = softmax_mean,
                         .probit = softmax_probit},
    [NG_LOSS_BERNOULLI] = {.loss = bernoulli_loss,
                           .root = bernoulli_root,
                           .mean = bernoulli_mean,
                           .probit = bernoulli_probit},
    [NG_LOSS_SQUARED] = {.noise = 1,
                         .loss = gaussian_loss,
                         .root = gaussian_root,
                         .mean = gaussian_mean,
                         .probit = gaussian_probit},
};

const ngi_likelihood *ngi_likelihood_of(const ng_model *model)
{
    return &likelihoods[model->loss];
}
