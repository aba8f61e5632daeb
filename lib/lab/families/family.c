/* The front of the families: checks arguments, knows no family. */
#include "lib/lab/families/family.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/lab/view.h"

ng_status ngi_family_create(ng_family **family, const ngi_family_kind *kind, size_t n, size_t width,
                            ng_error *error)
{
    ng_family *f = calloc(1, sizeof *f);
    *family = NULL;
    if (f == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a family");
    f->kind = kind;
    f->n = n;
    f->width = width;
    f->theta = calloc(n, sizeof *f->theta);
    f->eta = calloc(n, sizeof *f->eta);
    if (f->theta == NULL || f->eta == NULL) {
        ng_family_destroy(f);
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu parameters", n);
    }
    *family = f;
    return NG_OK;
}

void ng_family_destroy(ng_family *family)
{
    if (family == NULL)
        return;
    if (family->state != NULL && family->kind->destroy != NULL)
        family->kind->destroy(family->state);
    free(family->theta);
    free(family->eta);
    free(family);
}

double ngi_family_uniform(const ng_random *random)
{
    double u;
    random->fill_uniform(random->data, &u, 1);
    return u;
}

ng_status ngi_family_check_energy(const double *theta, size_t n, ng_error *error)
{
    double sum = 0;
    for (size_t a = 0; a < n; a++)
        sum += fabs(theta[a]);
    if (!(sum <= NGI_ENERGY_MAX))
        return ng_error_set(error, NG_ERANGE, "theta: sum of sizes %g, at most %g", sum,
                            NGI_ENERGY_MAX);
    return NG_OK;
}

/* ---- What is handed in -------------------------------------------------------- */

static ng_status check_vector(const ng_family *f, const double *x, const char *name,
                              ng_error *error)
{
    if (f == NULL || x == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", f == NULL ? "family" : name);
    for (size_t a = 0; a < f->n; a++)
        if (!isfinite(x[a]))
            return ng_error_set(error, NG_ENONFINITE, "%s[%zu] = %g", name, a, x[a]);
    return NG_OK;
}

static ng_status check_square(const ng_family *f, ng_mat m, const char *name, ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "family is NULL");
    return ngi_lab_view(m, f->n, f->n, name, error);
}

static ng_status check_samples(const ng_family *f, ng_mat x, ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "family is NULL");
    TRY(ng_mat_check(x, "x", error));
    if (x.cols != f->width)
        return ng_error_set(error, NG_ESHAPE, "x has %zu columns, a sample of this %s family %zu",
                            x.cols, f->kind->name, f->width);
    return NG_OK;
}

/* ---- Calls ---------------------------------------------------------------------- */

const char *ng_family_name(const ng_family *family)
{
    return family == NULL ? "" : family->kind->name;
}

size_t ng_family_size(const ng_family *family)
{
    return family == NULL ? 0 : family->n;
}

size_t ng_family_sample_size(const ng_family *family)
{
    return family == NULL ? 0 : family->width;
}

ng_status ng_family_set(ng_family *family, const double *theta, ng_error *error)
{
    TRY(check_vector(family, theta, "theta", error));
    TRY(family->kind->set(family, theta, error));
    memmove(family->theta, theta, family->n * sizeof *theta);
    return NG_OK;
}

const double *ng_family_theta(const ng_family *family)
{
    return family->theta;
}

const double *ng_family_mean(const ng_family *family)
{
    return family->eta;
}

double ng_family_log_z(const ng_family *family)
{
    return family->log_z;
}

ng_status ng_family_fisher(const ng_family *family, ng_mat f, ng_error *error)
{
    TRY(check_square(family, f, "f", error));
    for (size_t a = 0; a < family->n; a++)
        for (size_t b = 0; b <= a; b++) {
            double value = family->kind->second(family, a, b);
            ng_mat_set(f, a, b, value);
            ng_mat_set(f, b, a, value);
        }
    return NG_OK;
}

ng_status ng_family_third(const ng_family *family, size_t c, ng_mat slab, ng_error *error)
{
    TRY(check_square(family, slab, "slab", error));
    if (c >= family->n)
        return ng_error_set(error, NG_EARG, "c: %zu, the family has %zu parameters", c, family->n);
    for (size_t a = 0; a < family->n; a++)
        for (size_t b = 0; b <= a; b++) {
            double value = family->kind->third(family, a, b, c);
            ng_mat_set(slab, a, b, value);
            ng_mat_set(slab, b, a, value);
        }
    return NG_OK;
}

ng_status ng_family_cross_entropy(const ng_family *family, double *value, const double *moments,
                                  ng_error *error)
{
    TRY(check_vector(family, moments, "moments", error));
    if (value == NULL)
        return ng_error_set(error, NG_EARG, "value is NULL");
    double sum = family->log_z;
    for (size_t a = 0; a < family->n; a++)
        sum -= family->theta[a] * moments[a];
    *value = sum;
    return NG_OK;
}

/* log Z(q) - log Z(p) - (theta_q - theta_p) . eta_p, the Bregman divergence of log Z */
ng_status ng_family_divergence(const ng_family *p, double *value, const ng_family *q,
                               ng_error *error)
{
    if (p == NULL || q == NULL || value == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL",
                            p == NULL   ? "p"
                            : q == NULL ? "q"
                                        : "value");
    if (p->kind != q->kind || p->n != q->n || p->width != q->width ||
        (p->kind->same != NULL && !p->kind->same(p, q)))
        return ng_error_set(error, NG_EARG,
                            "p (%s, %zu parameters) and q (%s, %zu) are of "
                            "different families",
                            p->kind->name, p->n, q->kind->name, q->n);
    double sum = q->log_z - p->log_z;
    for (size_t a = 0; a < p->n; a++)
        sum -= (q->theta[a] - p->theta[a]) * p->eta[a];
    *value = sum > 0 ? sum : 0;
    return NG_OK;
}

/* The state after sampling is made again from theta, which was good before. */
ng_status ng_family_sample(ng_family *family, ng_mat x, const ng_random *random, ng_error *error)
{
    TRY(check_samples(family, x, error));
    if (random == NULL || random->fill_uniform == NULL || random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "random: fill_uniform and fill_normal are needed");
    ng_status status = family->kind->sample(family, x, random, error);
    if (family->kind->resets)
        family->kind->set(family, family->theta, NULL);
    return status;
}

/* sum (zero) <- the statistics of all rows; t (n), row (width): scratch */
static ng_status add_statistics(const ng_family *family, double *sum, double *t, double *row,
                                ng_mat x, ng_error *error)
{
    for (size_t i = 0; i < x.rows; i++) {
        int good = 1;
        for (size_t j = 0; j < family->width; j++) {
            row[j] = ng_mat_get(x, i, j);
            good = good && isfinite(row[j]);
        }
        if (!good || !family->kind->statistics(family, t, row))
            return ng_error_set(error, NG_EARG, "x: row %zu is no sample of this %s family", i,
                                family->kind->name);
        for (size_t a = 0; a < family->n; a++)
            sum[a] += t[a];
    }
    return NG_OK;
}

ng_status ng_family_moments(const ng_family *family, double *moments, ng_mat x, ng_error *error)
{
    TRY(check_samples(family, x, error));
    if (moments == NULL)
        return ng_error_set(error, NG_EARG, "moments is NULL");
    if (x.rows == 0)
        return ng_error_set(error, NG_ENODATA, "x has no rows");
    const size_t n = family->n;
    double *sum = calloc(2 * n + family->width, sizeof *sum);
    if (sum == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu moments", n);
    ng_status status = add_statistics(family, sum, sum + n, sum + 2 * n, x, error);
    for (size_t a = 0; a < n && status == NG_OK; a++)
        moments[a] = sum[a] / (double)x.rows;
    free(sum);
    return status;
}
