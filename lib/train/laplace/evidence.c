/* tau and s by the evidence, from the eigenvalues of N F. */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"

static const double two_pi = 6.283185307179586477;

/* What the evidence is a function of, weights and F held. */
typedef struct {
    const double *value; /* n eigenvalues of N F for s = 1, >= 0 */
    size_t n;
    double loss, norm; /* sums over the samples and the weights */
    double observed;   /* numbers with a noise of their own; 0: none */
} facts;

/* sum of l / (l + ratio), ratio = tau s */
static double effective(const facts *e, double ratio)
{
    double sum = 0;
    for (size_t i = 0; i < e->n; i++)
        sum += e->value[i] / (e->value[i] + ratio);
    return sum;
}

/* Twice the slopes of the evidence along log tau and log 1/s; both fall. */
static double slope_tau(const facts *e, double tau, double s)
{
    return effective(e, tau * s) - tau * e->norm;
}

static double slope_noise(const facts *e, double tau, double s)
{
    return e->observed - 2 * e->loss / s - effective(e, tau * s);
}

/* The zero in log x of a slope that falls with x, between low and high, or the
 * end that is nearest to it. */
static double zero(double (*slope)(const facts *, double, double), const facts *e, double low,
                   double high, double other)
{
    low = log(low);
    high = log(high);
    for (int i = 0; i < 100 && high - low > 1e-15 * (1 + fabs(low)); i++) {
        double middle = low + (high - low) / 2;
        if (slope(e, exp(middle), other) > 0)
            low = middle;
        else
            high = middle;
    }
    return exp(low + (high - low) / 2);
}

/* slope_noise as a function of the precision 1/s */
static double slope_precision(const facts *e, double precision, double tau)
{
    return slope_noise(e, tau, 1 / precision);
}

static void maximise(ng_laplace_info *info, const ng_laplace_options *o, const facts *e)
{
    for (int i = 0; i < 1000; i++) {
        double tau = info->prior_precision, s = info->noise_variance;
        if (o->prior_precision == 0)
            info->prior_precision = zero(slope_tau, e, 1e-10, 1e10, s);
        if (o->noise_variance == 0 && e->observed > 0)
            info->noise_variance = 1 / zero(slope_precision, e, 1e-12, 1e12, info->prior_precision);
        if (fabs(log(info->prior_precision / tau)) + fabs(log(info->noise_variance / s)) < 1e-12)
            break;
    }
}

static void summarise(ng_laplace_info *info, const facts *e)
{
    double tau = info->prior_precision, s = info->noise_variance, logdet = 0;
    for (size_t i = 0; i < e->n; i++)
        logdet += log1p(e->value[i] / (s * tau)); /* less n log tau */
    info->log_likelihood = -e->loss / s - 0.5 * e->observed * log(two_pi * s);
    info->evidence = info->log_likelihood - 0.5 * (tau * e->norm + logdet);
    info->effective = effective(e, tau * s);
}

/* The eigenvalues of all blocks; negative ones are rounding. */
static ng_status spectrum(ng_mat values, ng_laplace *l, ng_error *error)
{
    size_t done = 0;
    for (size_t i = 0; i < l->blocks; i++) {
        size_t n = ng_fisher_size(l->block[i].f);
        TRY(ng_fisher_eigen(l->block[i].f, ng_mat_block(values, 0, done, 1, n), ng_mat_none(),
                            error));
        done += n;
    }
    for (size_t i = 0; i < done; i++)
        ng_mat_set(values, 0, i, fmax(ng_mat_get(values, 0, i), 0));
    return NG_OK;
}

static ng_status evidence(ng_laplace *l, const ng_laplace_options *options, double loss,
                          ngi_heap *heap, ng_error *error)
{
    ng_mat values;
    TRY(ngi_heap_mat(heap, &values, 1, l->info.parameters, error));
    TRY(spectrum(values, l, error));
    facts e = {.value = values.data, .n = values.cols, .loss = loss, .norm = ngi_laplace_norm(l)};
    if (l->likelihood->noise)
        e.observed = (double)l->info.samples * (double)ng_model_output(l->model).cols;
    maximise(&l->info, options, &e);
    summarise(&l->info, &e);
    return NG_OK;
}

ng_status ngi_laplace_evidence(ng_laplace *l, const ng_laplace_options *options, double loss,
                               ng_error *error)
{
    ngi_heap heap = {NULL};
    return ngi_heap_close(&heap, evidence(l, options, loss, &heap, error));
}
