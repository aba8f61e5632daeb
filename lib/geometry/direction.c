/* A regime's calls about vectors and matrices. */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/geometry/basis.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"

static ng_status check(const ng_regime *r, double beta, int negative, ng_error *error)
{
    if (r == NULL)
        return ng_error_set(error, NG_EARG, "regime is NULL");
    if (!isfinite(beta) || (!negative && beta < 0))
        return ng_error_set(error, NG_EARG, "beta is %g, expected a finite number%s", beta,
                            negative ? "" : " >= 0");
    return NG_OK;
}

static ng_status direction(const ng_regime *r, ng_mat v, size_t k, ngi_pool *pool, ng_error *error)
{
    ng_mat c, wide;
    TRY(ngi_pool_mat(pool, &c, 1, r->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &wide, 1, r->n, NG_F64, error));
    ng_mat_set(c, 0, k, 1);
    TRY(ngi_vectors(r, wide, c, pool, error));
    return ng_copy(v, wide, error);
}

ng_status ng_regime_direction(const ng_regime *r, ng_mat v, size_t k, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(check(r, 0, 0, error));
    if (k >= r->n)
        return ng_error_set(error, NG_EARG, "eigenvalue %zu of %zu", k, r->n);
    TRY(ngi_check_shape(v, "v", 1, r->n, v.dtype, error));
    return ngi_pool_close(&pool, direction(r, v, k, &pool, error));
}

/* c <- coefficients of v, whose elements are first divided by the largest: its square may
 * overflow */
static ng_status unit_coefficients(const ng_regime *r, ng_mat *c, ng_mat v, ngi_pool *pool,
                                   ng_error *error)
{
    ng_mat wide;
    TRY(ngi_check_shape(v, "v", 1, r->n, v.dtype, error));
    TRY(ngi_check_finite(v, "v", error));
    TRY(ngi_pool_mat(pool, c, 1, r->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &wide, 1, r->n, NG_F64, error));
    double largest = ng_max_abs(v);
    for (size_t k = 0; k < r->n && largest > 0; k++)
        ng_mat_set(wide, 0, k, ng_mat_get(v, 0, k) / largest);
    return ngi_coefficients(r, *c, wide, pool, error);
}

/* Of the unit vector along v (1 x n), in units of lambda_max: *mass = v M v and
 * *form = v F v, the parts outside the space that counts left out. */
static ng_status forms(const ng_regime *r, double *mass, double *form, ng_mat v, ngi_pool *pool,
                       ng_error *error)
{
    ng_mat c;
    double all = 0;
    *mass = *form = 0;
    TRY(unit_coefficients(r, &c, v, pool, error));
    for (size_t k = 0; k < r->n; k++) {
        double ck = ng_mat_get(c, 0, k), x = ng_mat_get(r->eigenvalues, 0, k) / r->lambda_max;
        int counts = k >= r->n - r->rank;
        all += ck * ck;
        *mass += counts ? ck * ck * x * x : 0;
        *form += counts ? ck * ck * x : 0;
    }
    /* rounding puts a vector of the null space a little into the rest */
    double rounding = (double)r->n * ng_dtype_eps(NG_F64);
    if (!(*form > (r->rank < r->n ? rounding * rounding : 0) * all))
        return ng_error_set(error, NG_ESINGULAR,
                            "v has no part in the space of the %zu eigenvalues that count",
                            r->rank);
    *mass /= all;
    *form /= all;
    return NG_OK;
}

ng_status ng_regime_alpha(const ng_regime *r, double *alpha, ng_mat v, double beta, ng_error *error)
{
    ngi_pool pool = {NULL};
    double mass, form;
    TRY(check(r, beta, 0, error));
    if (alpha == NULL)
        return ng_error_set(error, NG_EARG, "alpha is NULL");
    TRY(ngi_pool_close(&pool, forms(r, &mass, &form, v, &pool, error)));
    *alpha = mass / (mass + beta / r->lambda_max * form);
    return NG_OK;
}

ng_status ng_regime_side(const ng_regime *r, double *side, ng_mat v, double beta, double alpha_c,
                         ng_error *error)
{
    ngi_pool pool = {NULL};
    double mass, form;
    TRY(check(r, beta, 0, error));
    if (side == NULL || !(alpha_c > 0 && alpha_c < 1))
        return ng_error_set(error, NG_EARG, "side is NULL, or alpha_c %g out of range", alpha_c);
    TRY(ngi_pool_close(&pool, forms(r, &mass, &form, v, &pool, error)));
    double unit = r->lambda_max, length = ng_norm(v);
    *side =
        (mass - beta / unit * (alpha_c / (1 - alpha_c)) * form) * (unit * length) * (unit * length);
    if (!isfinite(*side))
        return ng_error_set(error, NG_ERANGE, "the side overflows: lambda_max %g, length %g", unit,
                            length);
    return NG_OK;
}

size_t ng_regime_negative(const ng_regime *r, double beta)
{
    size_t count = 0;
    while (count < r->rank && ng_mat_get(r->spectrum, 0, count) < -beta)
        count++;
    return count;
}

/* What is done with a direction of eigenvalue lambda that counts. */
enum { METRIC, INVERSE, DEVIATION };

/* n weights; 0 where an eigenvalue does not count */
static ng_status weigh(const ng_regime *r, ng_mat *weights, int what, double beta, ngi_pool *pool,
                       ng_error *error)
{
    TRY(ngi_pool_mat(pool, weights, 1, r->n, NG_F64, error));
    for (size_t k = r->n - r->rank; k < r->n; k++) {
        double lambda = ng_mat_get(r->eigenvalues, 0, k), mu = lambda * (lambda + beta);
        if (what == INVERSE && lambda + beta == 0)
            return ng_error_set(error, NG_ESINGULAR,
                                "g is singular: beta is %g, eigenvalue %zu of F %g", beta, k,
                                lambda);
        double weight = what == METRIC    ? mu
                        : what == INVERSE ? 1 / mu
                                          : lambda * (lambda - r->kappa);
        if (!isfinite(weight))
            return ng_error_set(error, NG_ERANGE, "eigenvalue %g with beta %g overflows", lambda,
                                beta);
        ng_mat_set(*weights, 0, k, weight);
    }
    return NG_OK;
}

/* x == NULL: the whole matrix */
static ng_status weighted(const ng_regime *r, ng_mat y, const ng_mat *x, int what, double beta,
                          ngi_pool *pool, ng_error *error)
{
    ng_mat weights;
    TRY(weigh(r, &weights, what, beta, pool, error));
    return x != NULL ? ngi_act(r, y, *x, weights.data, pool, error)
                     : ngi_compose(r, y, weights.data, pool, error);
}

static ng_status apply(const ng_regime *r, ng_mat y, const ng_mat *x, int what, double beta,
                       ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(check(r, beta, 1, error));
    return ngi_pool_close(&pool, weighted(r, y, x, what, beta, &pool, error));
}

ng_status ng_regime_metric(const ng_regime *r, ng_mat g, double beta, ng_error *error)
{
    return apply(r, g, NULL, METRIC, beta, error);
}

ng_status ng_regime_mul(const ng_regime *r, ng_mat y, ng_mat x, double beta, ng_error *error)
{
    return apply(r, y, &x, METRIC, beta, error);
}

ng_status ng_regime_solve(const ng_regime *r, ng_mat y, ng_mat x, double beta, ng_error *error)
{
    return apply(r, y, &x, INVERSE, beta, error);
}

ng_status ng_regime_deviation(const ng_regime *r, ng_mat d, ng_error *error)
{
    return apply(r, d, NULL, DEVIATION, 0, error);
}
