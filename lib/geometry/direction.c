/* A regime's calls about vectors and matrices. */
#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/geometry/basis.h"
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

ng_status ng_regime_direction(const ng_regime *r, ng_mat v, size_t k, ng_error *error)
{
    ng_mat c = {NULL, 0, 0, 0, NG_F64}, wide = c;
    ng_status status = check(r, 0, 0, error);
    if (status == NG_OK && k >= r->n)
        status = ng_error_set(error, NG_EARG, "eigenvalue %zu of %zu", k, r->n);
    if (status == NG_OK)
        status = ngi_check_shape(v, "v", 1, r->n, v.dtype, error);
    if (status == NG_OK)
        status = ngi_mat_create(&c, 1, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&wide, 1, r->n, NG_F64, error);
    if (status == NG_OK) {
        ng_mat_set(c, 0, k, 1);
        status = ngi_vectors(r, wide, c, error);
    }
    if (status == NG_OK)
        status = ng_copy(v, wide, error);
    free(c.data);
    free(wide.data);
    return status;
}

/* Of the unit vector along v (1 x n), in units of lambda_max: *mass = v M v and
 * *form = v F v, the parts outside the space that counts left out. Elements are
 * first divided by the largest, whose square may overflow. */
static ng_status forms(const ng_regime *r, double *mass, double *form, ng_mat v, ng_error *error)
{
    ng_mat c = {NULL, 0, 0, 0, NG_F64}, wide = c;
    ng_status status = ngi_check_shape(v, "v", 1, r->n, v.dtype, error);
    double largest = status == NG_OK ? ng_max_abs(v) : 0;
    if (status == NG_OK)
        status = ngi_check_finite(v, "v", error);
    if (status == NG_OK)
        status = ngi_mat_create(&c, 1, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&wide, 1, r->n, NG_F64, error);
    for (size_t k = 0; k < r->n && status == NG_OK && largest > 0; k++)
        ng_mat_set(wide, 0, k, ng_mat_get(v, 0, k) / largest);
    if (status == NG_OK)
        status = ngi_coefficients(r, c, wide, error);
    *mass = *form = 0;
    double all = 0;
    for (size_t k = 0; k < r->n && status == NG_OK; k++) {
        double ck = ng_mat_get(c, 0, k), x = ng_mat_get(r->eigenvalues, 0, k) / r->lambda_max;
        int counts = k >= r->n - r->rank;
        all += ck * ck;
        *mass += counts ? ck * ck * x * x : 0;
        *form += counts ? ck * ck * x : 0;
    }
    /* rounding puts a vector of the null space a little into the rest */
    double rounding = (double)r->n * ng_dtype_eps(NG_F64);
    if (status == NG_OK && !(*form > (r->rank < r->n ? rounding * rounding : 0) * all))
        status =
            ng_error_set(error, NG_ESINGULAR,
                         "v has no part in the space of the %zu eigenvalues that count", r->rank);
    *mass /= all;
    *form /= all;
    free(c.data);
    free(wide.data);
    return status;
}

ng_status ng_regime_alpha(const ng_regime *r, double *alpha, ng_mat v, double beta, ng_error *error)
{
    double mass, form;
    ng_status status = check(r, beta, 0, error);
    if (status == NG_OK && alpha == NULL)
        status = ng_error_set(error, NG_EARG, "alpha is NULL");
    if (status == NG_OK)
        status = forms(r, &mass, &form, v, error);
    if (status == NG_OK)
        *alpha = mass / (mass + beta / r->lambda_max * form);
    return status;
}

ng_status ng_regime_side(const ng_regime *r, double *side, ng_mat v, double beta, double alpha_c,
                         ng_error *error)
{
    double mass, form;
    ng_status status = check(r, beta, 0, error);
    if (status == NG_OK && (side == NULL || !(alpha_c > 0 && alpha_c < 1)))
        status = ng_error_set(error, NG_EARG, "side is NULL, or alpha_c %g out of range", alpha_c);
    if (status == NG_OK)
        status = forms(r, &mass, &form, v, error);
    if (status != NG_OK)
        return status;
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
static ng_status weigh(const ng_regime *r, ng_mat *weights, int what, double beta, ng_error *error)
{
    ng_status status = ngi_mat_create(weights, 1, r->n, NG_F64, error);
    for (size_t k = r->n - r->rank; k < r->n && status == NG_OK; k++) {
        double lambda = ng_mat_get(r->eigenvalues, 0, k), mu = lambda * (lambda + beta);
        double weight = what == METRIC    ? mu
                        : what == INVERSE ? 1 / mu
                                          : lambda * (lambda - r->kappa);
        if (what == INVERSE && lambda + beta == 0)
            status =
                ng_error_set(error, NG_ESINGULAR,
                             "g is singular: beta is %g, eigenvalue %zu of F %g", beta, k, lambda);
        else if (!isfinite(weight))
            status = ng_error_set(error, NG_ERANGE, "eigenvalue %g with beta %g overflows", lambda,
                                  beta);
        ng_mat_set(*weights, 0, k, weight);
    }
    return status;
}

/* x == NULL: the whole matrix */
static ng_status apply(const ng_regime *r, ng_mat y, const ng_mat *x, int what, double beta,
                       ng_error *error)
{
    ng_mat weights = {NULL, 0, 0, 0, NG_F64};
    ng_status status = check(r, beta, 1, error);
    if (status == NG_OK)
        status = weigh(r, &weights, what, beta, error);
    if (status == NG_OK)
        status = x != NULL ? ngi_act(r, y, *x, weights.data, error)
                           : ngi_compose(r, y, weights.data, error);
    free(weights.data);
    return status;
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
