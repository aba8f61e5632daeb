/* Creation of a regime: the spectrum, and every number that follows from it. */
#include <natgrad/regime.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/geometry/basis.h"
#include "lib/geometry/spectrum.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"
#include "lib/linalg/eigenbasis.h"

/* Eigenvalues nearer to each other count as equal. */
static const double equal = 1e-12;

ng_status ng_regime_init_sized(ng_regime_options *options, size_t size)
{
    const ng_regime_options defaults = {.size = sizeof defaults, .beta = -1, .alpha_c = 0.5};
    if (options == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

void ng_regime_destroy(ng_regime *r)
{
    if (r == NULL)
        return;
    free(r->eigenvalues.data);
    free(r->directions.data);
    free(r->left.data);
    free(r->right.data);
    free(r->order);
    free(r->alpha_dir.data);
    free(r->deviation.data);
    free(r);
}

/* s = sqrt(beta (beta + 4)). Wider than double, so that alpha^2 / (1 - alpha)
 * comes back to 4 ulp: in double the roundings of s, sum and quotient make 9. */
static long double root(double beta)
{
    return sqrtl(beta) * sqrtl(beta + 4.0L);
}

double ng_regime_alpha_scalar(double beta)
{
    if (!(beta > 0))
        return 0;
    return isinf(beta) ? 1 : (double)(2 * beta / (beta + root(beta)));
}

double ng_regime_alpha_scalar_rest(double beta)
{
    if (!(beta > 0))
        return 1;
    return isinf(beta) ? 0 : (double)(2 / (2 + beta + root(beta)));
}

/* ---- The spectrum ------------------------------------------------------------- */

/* Zeros within rounding become 0; what is below them, or 0 where all must
 * count, is refused. Of the eigenvalues of `what`, in any order. */
static ng_status settle(double *w, size_t n, double rounding, double rcond, const char *what,
                        ng_error *error)
{
    double largest = w[0];
    for (size_t k = 1; k < n; k++)
        largest = fmax(largest, w[k]);
    double zero = rounding * fmax(largest, 0), negative = fmax(rounding, rcond) * fmax(largest, 0);
    for (size_t k = 0; k < n; k++) {
        if (w[k] < -negative)
            return ng_error_set(error, NG_EINDEFINITE,
                                "%s: eigenvalue %zu of %zu is %g, the largest %g", what, k, n, w[k],
                                largest);
        if (w[k] > zero)
            continue;
        if (rcond == 0 || !(largest > 0))
            return ng_error_set(error, NG_ESINGULAR,
                                "%s: eigenvalue %zu of %zu is %g, the largest %g; rcond %g", what,
                                k, n, w[k], largest, rcond);
        w[k] = 0;
    }
    return NG_OK;
}

static ng_status check_factor(ng_mat f, const char *name, ng_error *error)
{
    TRY(ngi_check_blas(f, name, f.rows, f.rows, f.dtype, error));
    if (f.rows == 0)
        return ng_error_set(error, NG_ESHAPE, "%s is empty", name);
    return ngi_check_finite_lower(f, name, error);
}

/* values (1 x n, ascending) and rows of vectors (n x n) of a view, in double */
static ng_status diagonalise(ng_mat values, ng_mat vectors, ng_mat f, const char *name,
                             double rcond, ng_error *error)
{
    size_t n = f.rows;
    TRY(ngi_eigen_of(values, vectors, f, NULL, error));
    return settle(values.data, n, (double)n * ng_dtype_eps(f.dtype), rcond, name, error);
}

typedef struct {
    double value;
    size_t place;
} item;

static int compare(const void *a, const void *b)
{
    const item *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->place > y->place) - (x->place < y->place);
}

/* Eigenvalues, as they are, into ascending order, which is kept. */
static ng_status sort(ng_regime *r, ngi_pool *pool, ng_error *error)
{
    double *w = r->eigenvalues.data;
    item *items;
    TRY(ngi_pool_array(pool, &items, r->n, sizeof *items, "eigenvalues to sort", error));
    TRY(ngi_array_create(&r->order, r->n, sizeof *r->order, "places of eigenvalues", error));
    for (size_t k = 0; k < r->n; k++) {
        items[k].value = w[k];
        items[k].place = k;
    }
    qsort(items, r->n, sizeof *items, compare);
    for (size_t k = 0; k < r->n; k++) {
        w[k] = items[k].value;
        r->order[k] = items[k].place;
    }
    return NG_OK;
}

/* ---- What follows from the spectrum --------------------------------------------- */

/* The part that counts. */
static ng_status restrict_to(ng_regime *r, double rcond, ng_error *error)
{
    const double *w = r->eigenvalues.data;
    size_t first = 0;
    r->lambda_max = w[r->n - 1];
    while (first + 1 < r->n && !(w[first] > rcond * r->lambda_max && w[first] > 0))
        first++;
    r->rank = r->n - first;
    r->spectrum = ng_mat_block(r->eigenvalues, 0, first, 1, r->rank);
    r->lambda_min = w[first];
    for (size_t k = first; k < r->n; k++)
        r->trace += w[k];
    r->cond = r->lambda_max / r->lambda_min;
    r->Delta = r->lambda_max - 2 * r->lambda_min;
    r->pure = r->lambda_max - r->lambda_min <= fmax(equal, 16 * r->rounding) * r->lambda_max;
    if (!isfinite(r->cond) || !isfinite(r->trace))
        return ng_error_set(error, NG_ERANGE, "condition number %g or trace %g overflows", r->cond,
                            r->trace);
    return ngi_spectrum_check(r->spectrum, error);
}

/* The best beta for F, and for F / (tr F / n). */
static ng_status optimise(ng_regime *r, ngi_pool *pool, ng_error *error)
{
    ng_minimum best, unit;
    ng_mat scaled;
    TRY(ng_functional_minimum(r->functional, &best, r->spectrum, error));
    TRY(ngi_pool_mat(pool, &scaled, 1, r->rank, NG_F64, error));
    for (size_t k = 0; k < r->rank; k++)
        ng_mat_set(scaled, 0, k, ng_mat_get(r->spectrum, 0, k) / r->trace * (double)r->n);
    TRY(ng_functional_minimum(r->functional, &unit, scaled, error));
    r->verdict = best.verdict;
    r->beta_star = best.beta;
    r->alpha_scalar = ng_regime_alpha_scalar(best.beta);
    r->beta_star_unit = unit.beta;
    r->alpha_scalar_unit = ng_regime_alpha_scalar(unit.beta);
    return NG_OK;
}

double ng_regime_spread(const ng_regime *r, double beta)
{
    return beta / (r->lambda_max + beta) *
           ((r->lambda_max - r->lambda_min) / (r->lambda_min + beta));
}

static ng_status directional(ng_regime *r, const ng_regime_options *o, ng_error *error)
{
    double least = sqrt(r->lambda_min), most = sqrt(r->lambda_max);
    r->beta_spread = least * most;
    r->spread_max = (r->lambda_max - r->lambda_min) / (most + least) / (most + least);
    r->beta = o->beta < 0 ? r->beta_spread : o->beta;
    r->spread = ng_regime_spread(r, r->beta);
    r->alpha_c = o->alpha_c;
    r->lambda_c = r->beta * (o->alpha_c / (1 - o->alpha_c));
    TRY(ngi_mat_create(&r->alpha_dir, 1, r->rank, NG_F64, error));
    for (size_t k = 0; k < r->rank; k++) {
        double lambda = ng_mat_get(r->spectrum, 0, k);
        ng_mat_set(r->alpha_dir, 0, k, lambda / (lambda + r->beta));
        r->above += lambda > r->lambda_c;
    }
    return NG_OK;
}

/* In units of lambda_max, whose fourth power may overflow. */
static ng_status deviate(ng_regime *r, ng_error *error)
{
    double unit = r->lambda_max, first = 0, second = 0, mass = 0, part = 0;
    for (size_t k = 0; k < r->rank; k++) {
        double x = ng_mat_get(r->spectrum, 0, k) / unit;
        first += x;
        second += x * x;
    }
    double kappa = second / first;
    r->kappa = kappa * unit;
    TRY(ngi_mat_create(&r->deviation, 1, r->rank, NG_F64, error));
    for (size_t k = 0; k < r->rank; k++) {
        double x = ng_mat_get(r->spectrum, 0, k) / unit, d = x * (x - kappa);
        ng_mat_set(r->deviation, 0, k, d * unit * unit);
        part += d * d;
        mass += x * x * x * x;
    }
    r->deviation_fraction = sqrt(part / mass);
    if (!ng_is_finite(r->deviation))
        return ng_error_set(error, NG_ERANGE, "F^2 overflows: the largest eigenvalue is %g", unit);
    return NG_OK;
}

static ng_status derive(ng_regime *r, const ng_regime_options *o, ngi_pool *pool, ng_error *error)
{
    r->functional = o->functional != NULL ? o->functional : ng_functional_get(0);
    TRY(restrict_to(r, o->rcond, error));
    TRY(optimise(r, pool, error));
    TRY(directional(r, o, error));
    return deviate(r, error);
}

/* ---- Creation ---------------------------------------------------------------------- */

/* What a regime is made of. */
typedef struct {
    ng_mat f, p, q, values; /* what was given; the others are none */
    ng_regime_options options;
} source;

static ng_status of_matrix(ng_regime *r, const source *s, ngi_pool *pool, ng_error *error)
{
    (void)pool;
    size_t n = s->f.rows;
    TRY(check_factor(s->f, "F", error));
    r->n = r->inputs = n;
    r->outputs = 1;
    r->rounding = (double)n * ng_dtype_eps(s->f.dtype);
    TRY(ngi_mat_create(&r->eigenvalues, 1, n, NG_F64, error));
    TRY(ngi_mat_create(&r->directions, n, n, NG_F64, error));
    return diagonalise(r->eigenvalues, r->directions, s->f, "F", s->options.rcond, error);
}

/* eigenvalues <- outer product of those of the factors */
static ng_status multiply(ng_regime *r, ng_mat d, ng_mat e, ng_error *error)
{
    if (d.cols > SIZE_MAX / sizeof(double) / e.cols)
        return ng_error_set(error, NG_ERANGE, "P (x) Q: %zu x %zu eigenvalues", d.cols, e.cols);
    r->n = d.cols * e.cols;
    TRY(ngi_mat_create(&r->eigenvalues, 1, r->n, NG_F64, error));
    for (size_t k = 0; k < r->n; k++) {
        double left = ng_mat_get(d, 0, k / e.cols), right = ng_mat_get(e, 0, k % e.cols);
        double product = left * right;
        ng_mat_set(r->eigenvalues, 0, k, product);
        if (!isfinite(product) || (product == 0 && left > 0 && right > 0))
            return ng_error_set(error, NG_ERANGE, "P (x) Q: %g times %g", left, right);
    }
    return NG_OK;
}

static ng_status of_pair(ng_regime *r, const source *s, ngi_pool *pool, ng_error *error)
{
    ng_mat p = s->p, q = s->q, d, e;
    TRY(check_factor(p, "P", error));
    TRY(check_factor(q, "Q", error));
    r->outputs = p.rows;
    r->inputs = q.rows;
    r->rounding = (double)p.rows * ng_dtype_eps(p.dtype) + (double)q.rows * ng_dtype_eps(q.dtype);
    TRY(ngi_pool_mat(pool, &d, 1, p.rows, NG_F64, error));
    TRY(ngi_pool_mat(pool, &e, 1, q.rows, NG_F64, error));
    TRY(ngi_mat_create(&r->left, p.rows, p.rows, NG_F64, error));
    TRY(ngi_mat_create(&r->right, q.rows, q.rows, NG_F64, error));
    TRY(diagonalise(d, r->left, p, "P", s->options.rcond, error));
    TRY(diagonalise(e, r->right, q, "Q", s->options.rcond, error));
    TRY(multiply(r, d, e, error));
    return sort(r, pool, error);
}

static ng_status of_values(ng_regime *r, const source *s, ngi_pool *pool, ng_error *error)
{
    ng_mat values = s->values;
    r->n = r->inputs = values.cols;
    r->outputs = 1;
    TRY(ngi_check_shape(values, "values", 1, values.cols, values.dtype, error));
    if (values.cols == 0)
        return ng_error_set(error, NG_ESHAPE, "values are none");
    TRY(ngi_check_finite(values, "values", error));
    TRY(ngi_mat_create(&r->eigenvalues, 1, r->n, NG_F64, error));
    TRY(ng_copy(r->eigenvalues, values, error));
    TRY(settle(r->eigenvalues.data, r->n, 0, s->options.rcond, "values", error));
    return sort(r, pool, error);
}

typedef ng_status (*reader)(ng_regime *r, const source *s, ngi_pool *pool, ng_error *error);

static ng_status fill(ng_regime *r, reader read, const source *s, ngi_pool *pool, ng_error *error)
{
    TRY(read(r, s, pool, error));
    return derive(r, &s->options, pool, error);
}

static ng_status take_options(ng_regime_options *o, const ng_regime_options *options,
                              ng_error *error)
{
    TRY(ng_regime_init(o));
    if (options != NULL)
        *o = *options;
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "not options of a regime: size %zu, expected %zu",
                            o->size, sizeof *o);
    if (!(o->rcond >= 0 && o->rcond < 1) || !isfinite(o->beta) ||
        !(o->alpha_c > 0 && o->alpha_c < 1))
        return ng_error_set(error, NG_EOPTION, "rcond %g, beta %g or alpha_c %g out of range",
                            o->rcond, o->beta, o->alpha_c);
    return NG_OK;
}

static ng_status create(ng_regime **result, reader read, source s, const ng_regime_options *options,
                        ng_error *error)
{
    ngi_pool pool = {NULL};
    ng_regime *r;
    if (result == NULL)
        return ng_error_set(error, NG_EARG, "regime is NULL");
    *result = NULL;
    TRY(take_options(&s.options, options, error));
    TRY(ngi_array_create(&r, 1, sizeof *r, "regime", error));
    ng_status status = ngi_pool_close(&pool, fill(r, read, &s, &pool, error));
    if (status == NG_OK)
        *result = r;
    else
        ng_regime_destroy(r);
    return status;
}

ng_status ng_regime_create(ng_regime **regime, ng_mat f, const ng_regime_options *options,
                           ng_error *error)
{
    return create(regime, of_matrix, (source){.f = f}, options, error);
}

ng_status ng_regime_create_kron(ng_regime **regime, ng_mat p, ng_mat q,
                                const ng_regime_options *options, ng_error *error)
{
    return create(regime, of_pair, (source){.p = p, .q = q}, options, error);
}

ng_status ng_regime_create_spectrum(ng_regime **regime, ng_mat values,
                                    const ng_regime_options *options, ng_error *error)
{
    return create(regime, of_values, (source){.values = values}, options, error);
}
