/* Normal distributions N(mu, S): T = (x_i, x_i x_j with i <= j).
 *
 * Around mu, with y = x - mu, a statistic is a constant + u . y + y^T A y:
 * x_i has u = e_i and A = 0; x_i x_j has u = mu_j e_i + mu_i e_j and
 * A = (e_i e_j^T + e_j e_i^T) / 2. Expanding
 *     -1/2 log det(I - 2 S A) + 1/2 u^T (S^-1 - 2 A)^-1 u
 * to third order gives the cumulants
 *     kappa_ab  = u_a S u_b + 2 tr(A_a S A_b S)
 *     kappa_abc = 8 tr(A_a S A_b S A_c S) + 2 (u_a S A_b S u_c + u_a S A_c S u_b
 *                 + u_b S A_a S u_c),
 * and with rank two matrices A the traces are products of entries of S. */
#include "lib/lab/families/family.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

typedef struct {
    size_t i, j;
    double quadratic; /* 1 for x_i x_j, 0 for x_i */
    double ui, uj;    /* u = ui e_i + uj e_j */
} statistic;

typedef struct {
    size_t d;
    int mean;
    statistic *t; /* n */
    double *mu;   /* d */
    ng_mat s, l;  /* S; the Cholesky factor of S^-1, d x d */
    ng_mat s_next, l_next;
} gaussian;

static double s_of(const gaussian *g, size_t i, size_t j)
{
    return ng_mat_get(g->s, i, j);
}

/* ---- Cumulants --------------------------------------------------------------- */

/* (S u)_k */
static double su(const gaussian *g, const statistic *t, size_t k)
{
    return t->ui * s_of(g, t->i, k) + t->uj * s_of(g, t->j, k);
}

/* u_a S A_b S u_c */
static double chain(const gaussian *g, const statistic *a, const statistic *b, const statistic *c)
{
    return b->quadratic * (su(g, a, b->i) * su(g, c, b->j) + su(g, a, b->j) * su(g, c, b->i)) / 2;
}

static double second(const ng_family *f, size_t a, size_t b)
{
    const gaussian *g = f->state;
    const statistic *p = &g->t[a], *q = &g->t[b];
    return p->ui * su(g, q, p->i) + p->uj * su(g, q, p->j) +
           p->quadratic * q->quadratic *
               (s_of(g, p->i, q->i) * s_of(g, p->j, q->j) +
                s_of(g, p->i, q->j) * s_of(g, p->j, q->i));
}

static double third(const ng_family *f, size_t a, size_t b, size_t c)
{
    const gaussian *g = f->state;
    const statistic *p = &g->t[a], *q = &g->t[b], *r = &g->t[c];
    double trace = 0;
    /* each A is a sum of two orientations: bit k turns factor k round */
    for (int turn = 0; turn < 8; turn++) {
        size_t p0 = turn & 1 ? p->j : p->i, p1 = turn & 1 ? p->i : p->j;
        size_t q0 = turn & 2 ? q->j : q->i, q1 = turn & 2 ? q->i : q->j;
        size_t r0 = turn & 4 ? r->j : r->i, r1 = turn & 4 ? r->i : r->j;
        trace += s_of(g, p1, q0) * s_of(g, q1, r0) * s_of(g, r1, p0);
    }
    return p->quadratic * q->quadratic * r->quadratic * trace +
           2 * (chain(g, p, q, r) + chain(g, p, r, q) + chain(g, q, p, r));
}

/* ---- Moving -------------------------------------------------------------------- */

/* l_next, s_next <- the Cholesky factor of S^-1, and S, at theta */
static ng_status solve(const gaussian *g, const double *theta, ng_error *error)
{
    size_t a = g->mean ? g->d : 0;
    for (size_t i = 0; i < g->d; i++)
        for (size_t j = i; j < g->d; j++, a++)
            ng_mat_set(g->l_next, j, i, i == j ? -2 * theta[a] : -theta[a]);
    ng_status status = ng_cholesky(g->l_next, NULL, g->l_next, error);
    if (status == NG_ESINGULAR)
        return ng_error_set(error, status, "theta: its precision matrix is not positive definite");
    TRY(status);
    ng_set_identity(g->s_next);
    TRY(ng_trsm(g->s_next, NG_LEFT, g->l_next, NG_NOTRANS, 1, error));
    TRY(ng_trsm(g->s_next, NG_LEFT, g->l_next, NG_TRANS, 1, error));
    if (!(ng_max_abs(g->s_next) <= NGI_ENERGY_MAX))
        return ng_error_set(error, NG_ERANGE, "theta: the covariance matrix overflows");
    return NG_OK;
}

static void swap(ng_mat *a, ng_mat *b)
{
    ng_mat c = *a;
    *a = *b;
    *b = c;
}

/* mu = S h, log Z = h S h / 2 - log det(S^-1) / 2 + d log(2 pi) / 2 */
static void derive(ng_family *f, const double *theta)
{
    gaussian *g = f->state;
    f->log_z = (double)g->d * log(2 * acos(-1)) / 2;
    for (size_t i = 0; i < g->d; i++) {
        g->mu[i] = 0;
        for (size_t j = 0; j < g->d && g->mean; j++)
            g->mu[i] += s_of(g, i, j) * theta[j];
        f->log_z += (g->mean ? theta[i] * g->mu[i] / 2 : 0) - log(ng_mat_get(g->l, i, i));
    }
    for (size_t a = 0; a < f->n; a++) {
        statistic *t = &g->t[a];
        t->ui = t->quadratic != 0 ? g->mu[t->j] : 1;
        t->uj = t->quadratic != 0 ? g->mu[t->i] : 0;
        f->eta[a] =
            t->quadratic != 0 ? s_of(g, t->i, t->j) + g->mu[t->i] * g->mu[t->j] : g->mu[t->i];
    }
}

static ng_status set(ng_family *f, const double *theta, ng_error *error)
{
    gaussian *g = f->state;
    TRY(ngi_family_check_energy(theta, f->n, error));
    TRY(solve(g, theta, error));
    swap(&g->s, &g->s_next);
    swap(&g->l, &g->l_next);
    derive(f, theta);
    return NG_OK;
}

/* ---- Samples and moments --------------------------------------------------------- */

static int statistics(const ng_family *f, double *t, const double *x)
{
    const gaussian *g = f->state;
    for (size_t a = 0; a < f->n; a++)
        t[a] = g->t[a].quadratic != 0 ? x[g->t[a].i] * x[g->t[a].j] : x[g->t[a].i];
    return 1;
}

/* x = mu + l^-T z, with l l^T = S^-1 and z from N(0, I) */
static ng_status sample(ng_family *f, ng_mat x, const ng_random *random, ng_error *error)
{
    const gaussian *g = f->state;
    double *z = malloc(g->d * sizeof *z);
    if (z == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a sample of %zu numbers", g->d);
    for (size_t row = 0; row < x.rows; row++) {
        random->fill_normal(random->data, z, g->d);
        for (size_t i = g->d; i-- > 0;) {
            for (size_t j = i + 1; j < g->d; j++)
                z[i] -= ng_mat_get(g->l, j, i) * z[j];
            z[i] /= ng_mat_get(g->l, i, i);
            ng_mat_set(x, row, i, g->mu[i] + z[i]);
        }
    }
    free(z);
    return NG_OK;
}

/* The smallest squared pivot of the correlation matrix: what is left of a
 * variable's variance, in 0 ... 1, given the ones before it. */
static double depth(ng_family *f, const double *moments, const double *u)
{
    gaussian *g = f->state;
    ng_mat c = g->s_next;
    size_t d = g->d, a = g->mean ? d : 0;
    double least = 1;
    (void)u;
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++, a++)
            ng_mat_set(c, j, i, moments[a] - (g->mean ? moments[i] * moments[j] : 0));
    for (size_t i = 0; i < d; i++)
        if (!(ng_mat_get(c, i, i) > 0))
            return 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++)
            ng_mat_set(c, i, j,
                       ng_mat_get(c, i, j) / sqrt(ng_mat_get(c, i, i)) / sqrt(ng_mat_get(c, j, j)));
    for (size_t i = 0; i < d; i++)
        ng_mat_set(c, i, i, 1);
    if (ng_cholesky(c, NULL, c, NULL) != NG_OK)
        return 0;
    for (size_t i = 0; i < d; i++)
        least = fmin(least, ng_mat_get(c, i, i) * ng_mat_get(c, i, i));
    return least;
}

static int same(const ng_family *f, const ng_family *g)
{
    const gaussian *a = f->state, *b = g->state;
    return a->mean == b->mean;
}

static void destroy(void *state)
{
    gaussian *g = state;
    free(g->t);
    free(g->mu);
    free(g);
}

static const ngi_family_kind kind = {
    .name = "gaussian",
    .set = set,
    .second = second,
    .third = third,
    .statistics = statistics,
    .sample = sample,
    .depth = depth,
    .same = same,
    .destroy = destroy,
};

/* ---- Making one -------------------------------------------------------------------- */

/* The list of statistics; theta <- that of N(0, I). */
static void fill(ng_family *f)
{
    gaussian *g = f->state;
    size_t a = 0;
    for (; g->mean && a < g->d; a++)
        g->t[a] = (statistic){.i = a, .j = a};
    for (size_t i = 0; i < g->d; i++)
        for (size_t j = i; j < g->d; j++, a++) {
            g->t[a] = (statistic){.i = i, .j = j, .quadratic = 1};
            f->theta[a] = i == j ? -0.5 : 0;
        }
}

/* The family at N(0, I). */
static ng_status build(ng_family *f, size_t d, int mean, ng_error *error)
{
    gaussian *g = f->state = calloc(1, sizeof *g);
    if (g != NULL) {
        g->d = d;
        g->mean = mean != 0;
        g->t = calloc(f->n, sizeof *g->t);
        g->mu = calloc(d + 4 * d * d, sizeof *g->mu);
    }
    if (g == NULL || g->t == NULL || g->mu == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a Gaussian in %zu dimensions", d);
    ng_mat *mats[] = {&g->s, &g->l, &g->s_next, &g->l_next};
    for (size_t k = 0; k < 4; k++)
        *mats[k] = ng_f64(g->mu + d + k * d * d, d, d);
    fill(f);
    return set(f, f->theta, error);
}

ng_status ng_family_create_gaussian(ng_family **family, size_t d, int mean, ng_error *error)
{
    enum { D_MAX = 4096 };
    ng_family *f;
    if (family == NULL)
        return ng_error_set(error, NG_EARG, "family is NULL");
    *family = NULL;
    if (d < 1 || d > D_MAX)
        return ng_error_set(error, NG_ERANGE, "%zu dimensions, expected 1 to %d", d, D_MAX);
    TRY(ngi_family_create(&f, &kind, d * (d + 1) / 2 + (mean ? d : 0), d, error));
    ng_status status = build(f, d, mean, error);
    if (status != NG_OK) {
        ng_family_destroy(f);
        return status;
    }
    *family = f;
    return NG_OK;
}
