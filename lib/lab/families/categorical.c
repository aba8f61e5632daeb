/* One of k outcomes: T_a = [x = a], a < k - 1. */
#include "lib/lab/families/family.h"

#include <math.h>

#include "lib/core/try.h"

static ng_status set(ng_family *f, const double *theta, ng_error *error)
{
    double largest = 0, sum; /* the last outcome has energy 0 */
    ng_status status = ngi_family_check_energy(theta, f->n, error);
    if (status != NG_OK)
        return status;
    for (size_t a = 0; a < f->n; a++)
        largest = theta[a] > largest ? theta[a] : largest;
    sum = exp(-largest);
    for (size_t a = 0; a < f->n; a++)
        sum += f->eta[a] = exp(theta[a] - largest);
    for (size_t a = 0; a < f->n; a++)
        f->eta[a] /= sum;
    f->log_z = largest + log(sum);
    return NG_OK;
}

static double second(const ng_family *f, size_t a, size_t b)
{
    return (a == b ? f->eta[a] : 0) - f->eta[a] * f->eta[b];
}

/* E T_a T_b T_c and its kin vanish unless the indices agree */
static double third(const ng_family *f, size_t a, size_t b, size_t c)
{
    double pa = f->eta[a], pb = f->eta[b], pc = f->eta[c];
    return (a == b && b == c ? pa : 0) - (b == c ? pa * pb : 0) - (a == c ? pb * pc : 0) -
           (a == b ? pc * pa : 0) + 2 * pa * pb * pc;
}

static int statistics(const ng_family *f, double *t, const double *x)
{
    if (*x < 0 || *x > (double)f->n || *x != floor(*x))
        return 0;
    for (size_t a = 0; a < f->n; a++)
        t[a] = *x == (double)a;
    return 1;
}

static ng_status sample(ng_family *f, ng_mat x, const ng_random *random, ng_error *error)
{
    (void)error;
    for (size_t i = 0; i < x.rows; i++) {
        double u = ngi_family_uniform(random);
        size_t a = 0;
        while (a < f->n && u >= f->eta[a])
            u -= f->eta[a++];
        ng_mat_set(x, i, 0, (double)a);
    }
    return NG_OK;
}

/* the smallest probability */
static double depth(ng_family *f, const double *moments, const double *u)
{
    double rest = 1, least = 1;
    (void)u;
    for (size_t a = 0; a < f->n; a++) {
        rest -= moments[a];
        least = moments[a] < least ? moments[a] : least;
    }
    return rest < least ? rest : least;
}

static const ngi_family_kind kind = {
    .name = "categorical",
    .set = set,
    .second = second,
    .third = third,
    .statistics = statistics,
    .sample = sample,
    .depth = depth,
};

ng_status ng_family_create_categorical(ng_family **family, size_t k, ng_error *error)
{
    if (family == NULL)
        return ng_error_set(error, NG_EARG, "family is NULL");
    *family = NULL;
    if (k < 2)
        return ng_error_set(error, NG_EARG, "%zu outcomes, expected at least 2", k);
    TRY(ngi_family_create(family, &kind, k - 1, 1, error));
    return set(*family, (*family)->theta, error);
}
