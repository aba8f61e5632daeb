/* Independent bits: T_i = x_i. */
#include "lib/lab/families/family.h"

#include <math.h>

#include "lib/core/try.h"

static ng_status set(ng_family *f, const double *theta, ng_error *error)
{
    ng_status status = ngi_family_check_energy(theta, f->n, error);
    if (status != NG_OK)
        return status;
    f->log_z = 0;
    for (size_t a = 0; a < f->n; a++) {
        double e = exp(-fabs(theta[a]));
        f->log_z += fmax(theta[a], 0) + log1p(e);
        f->eta[a] = (theta[a] < 0 ? e : 1) / (1 + e);
    }
    return NG_OK;
}

static double second(const ng_family *f, size_t a, size_t b)
{
    return a == b ? f->eta[a] * (1 - f->eta[a]) : 0;
}

static double third(const ng_family *f, size_t a, size_t b, size_t c)
{
    return a == b && b == c ? f->eta[a] * (1 - f->eta[a]) * (1 - 2 * f->eta[a]) : 0;
}

static int statistics(const ng_family *f, double *t, const double *x)
{
    for (size_t a = 0; a < f->n; a++) {
        if (x[a] != 0 && x[a] != 1)
            return 0;
        t[a] = x[a];
    }
    return 1;
}

static ng_status sample(ng_family *f, ng_mat x, const ng_random *random, ng_error *error)
{
    (void)error;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t a = 0; a < f->n; a++)
            ng_mat_set(x, i, a, ngi_family_uniform(random) < f->eta[a]);
    return NG_OK;
}

static double depth(ng_family *f, const double *moments, const double *u)
{
    double least = 1;
    (void)u;
    for (size_t a = 0; a < f->n; a++)
        least = fmin(least, fmin(moments[a], 1 - moments[a]));
    return least;
}

static const ngi_family_kind kind = {
    .name = "bernoulli",
    .set = set,
    .second = second,
    .third = third,
    .statistics = statistics,
    .sample = sample,
    .depth = depth,
};

ng_status ng_family_create_bernoulli(ng_family **family, size_t n, ng_error *error)
{
    if (family == NULL)
        return ng_error_set(error, NG_EARG, "family is NULL");
    *family = NULL;
    if (n < 1)
        return ng_error_set(error, NG_EARG, "0 bits, expected at least 1");
    TRY(ngi_family_create(family, &kind, n, n, error));
    return set(*family, (*family)->theta, error);
}
