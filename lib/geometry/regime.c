/* Creation of a regime: the spectrum, and every number that follows from it. */
#include <natgrad/regime.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/geometry/basis.h"
#include "lib/geometry/spectrum.h"
#include "lib/linalg/check.h"

/* Eigenvalues nearer to each other count as equal. */
static const double equal = 1e-12;

void ng_regime_init(ng_regime_options *options)
{
    ng_regime_options defaults = {.size = sizeof defaults, .beta = -1, .alpha_c = 0.5};
    *options = defaults;
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

double ng_alpha_scalar(double beta)
{
    if (!(beta > 0))
        return 0;
    return isinf(beta) ? 1 : (double)(2 * beta / (beta + root(beta)));
}

double ng_alpha_scalar_rest(double beta)
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

/* values (1 x n, ascending) and rows of vectors of a view, in double */
static ng_status diagonalise(ng_mat *values, ng_mat *vectors, ng_mat f, const char *name,
                             double rcond, ng_error *error)
{
    size_t n = f.rows;
    ng_mat wide = {NULL, 0, 0, 0, NG_F64};
    ng_status status = ngi_check_blas(f, name, n, n, f.dtype, error);
    if (status == NG_OK && n == 0)
        status = ng_error_set(error, NG_ESHAPE, "%s is empty", name);
    if (status == NG_OK)
        status = ngi_check_finite_lower(f, name, error);
    if (status == NG_OK)
        status = ngi_mat_create(&wide, n, n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(values, 1, n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(vectors, n, n, NG_F64, error);
    for (size_t i = 0; i < n && status == NG_OK; i++)
        status =
            ng_copy(ng_mat_block(wide, i, 0, 1, i + 1), ng_mat_block(f, i, 0, 1, i + 1), error);
    if (status == NG_OK)
        status = ng_eigh(*values, *vectors, NULL, wide, NULL, error);
    if (status == NG_OK)
        status = settle(values->data, n, (double)n * ng_dtype_eps(f.dtype), rcond, name, error);
    free(wide.data);
    return status;
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
static ng_status sort(ng_regime *r, ng_error *error)
{
    double *w = r->eigenvalues.data;
    item *items = r->n <= SIZE_MAX / sizeof *items ? calloc(r->n, sizeof *items) : NULL;
    r->order = items != NULL ? calloc(r->n, sizeof *r->order) : NULL;
    for (size_t k = 0; k < r->n && r->order != NULL; k++) {
        items[k].value = w[k];
        items[k].place = k;
    }
    if (r->order != NULL)
        qsort(items, r->n, sizeof *items, compare);
    for (size_t k = 0; k < r->n && r->order != NULL; k++) {
        w[k] = items[k].value;
        r->order[k] = items[k].place;
    }
    free(items);
    return r->order != NULL
               ? NG_OK
               : ng_error_set(error, NG_ENOMEM, "no memory for an order of %zu eigenvalues", r->n);
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
static ng_status optimise(ng_regime *r, ng_error *error)
{
    ng_minimum best, unit = {NG_MINIMUM_FLAT, 0};
    ng_mat scaled;
    ng_status status = ng_functional_minimum(r->functional, &best, r->spectrum, error);
    if (status != NG_OK)
        return status;
    status = ngi_mat_create(&scaled, 1, r->rank, NG_F64, error);
    for (size_t k = 0; k < r->rank && status == NG_OK; k++)
        ng_mat_set(scaled, 0, k, ng_mat_get(r->spectrum, 0, k) / r->trace * (double)r->n);
    if (status == NG_OK)
        status = ng_functional_minimum(r->functional, &unit, scaled, error);
    r->verdict = best.verdict;
    r->beta_star = best.beta;
    r->alpha_scalar = ng_alpha_scalar(best.beta);
    r->beta_star_unit = unit.beta;
    r->alpha_scalar_unit = ng_alpha_scalar(unit.beta);
    free(scaled.data);
    return status;
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
    ng_status status = ngi_mat_create(&r->alpha_dir, 1, r->rank, NG_F64, error);
    for (size_t k = 0; k < r->rank && status == NG_OK; k++) {
        double lambda = ng_mat_get(r->spectrum, 0, k);
        ng_mat_set(r->alpha_dir, 0, k, lambda / (lambda + r->beta));
        r->above += lambda > r->lambda_c;
    }
    return status;
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
    ng_status status = ngi_mat_create(&r->deviation, 1, r->rank, NG_F64, error);
    for (size_t k = 0; k < r->rank && status == NG_OK; k++) {
        double x = ng_mat_get(r->spectrum, 0, k) / unit, d = x * (x - kappa);
        ng_mat_set(r->deviation, 0, k, d * unit * unit);
        part += d * d;
        mass += x * x * x * x;
    }
    r->deviation_fraction = sqrt(part / mass);
    if (status == NG_OK && !ng_is_finite(r->deviation))
        status =
            ng_error_set(error, NG_ERANGE, "F^2 overflows: the largest eigenvalue is %g", unit);
    return status;
}

static ng_status derive(ng_regime *r, const ng_regime_options *o, ng_error *error)
{
    r->functional = o->functional != NULL ? o->functional : ng_functionals;
    ng_status status = restrict_to(r, o->rcond, error);
    if (status == NG_OK)
        status = optimise(r, error);
    if (status == NG_OK)
        status = directional(r, o, error);
    if (status == NG_OK)
        status = deviate(r, error);
    return status;
}

/* ---- Creation ---------------------------------------------------------------------- */

static ng_status open(ng_regime **result, ng_regime **r, const ng_regime_options *options,
                      ng_regime_options *o, ng_error *error)
{
    if (result == NULL)
        return ng_error_set(error, NG_EARG, "regime is NULL");
    *result = NULL;
    ng_regime_init(o);
    if (options != NULL && options->size != sizeof *options)
        return ng_error_set(error, NG_EOPTION, "not options of a regime: size %zu, expected %zu",
                            options->size, sizeof *options);
    if (options != NULL)
        *o = *options;
    if (!(o->rcond >= 0 && o->rcond < 1) || !isfinite(o->beta) ||
        !(o->alpha_c > 0 && o->alpha_c < 1))
        return ng_error_set(error, NG_EOPTION, "rcond %g, beta %g or alpha_c %g out of range",
                            o->rcond, o->beta, o->alpha_c);
    *r = calloc(1, sizeof **r);
    return *r != NULL ? NG_OK : ng_error_set(error, NG_ENOMEM, "no memory for a regime");
}

static ng_status close(ng_regime **result, ng_regime *r, const ng_regime_options *o,
                       ng_status status, ng_error *error)
{
    if (status == NG_OK)
        status = derive(r, o, error);
    if (status == NG_OK)
        *result = r;
    else
        ng_regime_destroy(r);
    return status;
}

ng_status ng_regime_create(ng_regime **regime, ng_mat f, const ng_regime_options *options,
                           ng_error *error)
{
    ng_regime_options o;
    ng_regime *r;
    ng_status status = open(regime, &r, options, &o, error);
    if (status != NG_OK)
        return status;
    r->n = r->inputs = f.rows;
    r->outputs = 1;
    r->rounding = (double)f.rows * ng_dtype_eps(f.dtype);
    status = diagonalise(&r->eigenvalues, &r->directions, f, "F", o.rcond, error);
    return close(regime, r, &o, status, error);
}

/* eigenvalues <- outer product of those of the factors */
static ng_status multiply(ng_regime *r, ng_mat d, ng_mat e, ng_error *error)
{
    if (d.cols > SIZE_MAX / sizeof(double) / e.cols)
        return ng_error_set(error, NG_ERANGE, "P (x) Q: %zu x %zu eigenvalues", d.cols, e.cols);
    r->n = d.cols * e.cols;
    ng_status status = ngi_mat_create(&r->eigenvalues, 1, r->n, NG_F64, error);
    for (size_t k = 0; k < r->n && status == NG_OK; k++) {
        double left = ng_mat_get(d, 0, k / e.cols), right = ng_mat_get(e, 0, k % e.cols);
        double product = left * right;
        ng_mat_set(r->eigenvalues, 0, k, product);
        if (!isfinite(product) || (product == 0 && left > 0 && right > 0))
            status = ng_error_set(error, NG_ERANGE, "P (x) Q: %g times %g", left, right);
    }
    return status == NG_OK ? sort(r, error) : status;
}

ng_status ng_regime_create_kron(ng_regime **regime, ng_mat p, ng_mat q,
                                const ng_regime_options *options, ng_error *error)
{
    ng_regime_options o;
    ng_regime *r;
    ng_mat d = {NULL, 0, 0, 0, NG_F64}, e = d;
    ng_status status = open(regime, &r, options, &o, error);
    if (status != NG_OK)
        return status;
    r->outputs = p.rows;
    r->inputs = q.rows;
    r->rounding = (double)p.rows * ng_dtype_eps(p.dtype) + (double)q.rows * ng_dtype_eps(q.dtype);
    status = diagonalise(&d, &r->left, p, "P", o.rcond, error);
    if (status == NG_OK)
        status = diagonalise(&e, &r->right, q, "Q", o.rcond, error);
    if (status == NG_OK)
        status = multiply(r, d, e, error);
    free(d.data);
    free(e.data);
    return close(regime, r, &o, status, error);
}

ng_status ng_regime_create_spectrum(ng_regime **regime, ng_mat values,
                                    const ng_regime_options *options, ng_error *error)
{
    ng_regime_options o;
    ng_regime *r;
    ng_status status = open(regime, &r, options, &o, error);
    if (status != NG_OK)
        return status;
    r->n = r->inputs = values.cols;
    r->outputs = 1;
    status = ngi_check_shape(values, "values", 1, values.cols, values.dtype, error);
    if (status == NG_OK && values.cols == 0)
        status = ng_error_set(error, NG_ESHAPE, "values are none");
    if (status == NG_OK)
        status = ngi_check_finite(values, "values", error);
    if (status == NG_OK)
        status = ngi_mat_create(&r->eigenvalues, 1, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(r->eigenvalues, values, error);
    if (status == NG_OK)
        status = settle(r->eigenvalues.data, r->n, 0, o.rcond, "values", error);
    if (status == NG_OK)
        status = sort(r, error);
    return close(regime, r, &o, status, error);
}
