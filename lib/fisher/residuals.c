/* Rows of residual derivatives: the store and its products (natgrad/residuals.h). */
#include "lib/fisher/residuals.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/mat.h"
#include "lib/core/try.h"

/* ---- The store ------------------------------------------------------------------------ */

static ng_status check_create(size_t n, size_t max_rows, const ng_residual_products *products,
                              ng_error *error)
{
    if (n == 0 || max_rows == 0)
        return ng_error_set(error, NG_EARG, "no room for %zu residuals of %zu weights", max_rows,
                            n);
    if (products != NULL && (products->times == NULL || products->transposed == NULL))
        return ng_error_set(error, NG_EARG, "products: two callbacks, one is NULL");
    if (n > INT_MAX || max_rows > INT_MAX)
        return ng_error_set(error, NG_ERANGE,
                            "%zu residuals of %zu weights exceed the BLAS integer", max_rows, n);
    return NG_OK;
}

static ng_status make_room(ng_residuals *r, size_t max_rows, ng_error *error)
{
    TRY(ngi_mat_create(&r->r, 1, max_rows, NG_F64, error));
    TRY(ngi_mat_create(&r->s, 1, max_rows, NG_F64, error));
    if (r->products.times != NULL)
        return NG_OK;
    return ngi_mat_create(&r->j, max_rows, r->n, NG_F64, error);
}

ng_status ng_residuals_create(ng_residuals **residuals, size_t n, size_t max_rows,
                              const ng_residual_products *products, ng_error *error)
{
    if (residuals == NULL)
        return ng_error_set(error, NG_EARG, "no place for residuals");
    *residuals = NULL;
    TRY(check_create(n, max_rows, products, error));
    ng_residuals *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for residuals");
    r->n = n;
    if (products != NULL)
        r->products = *products;
    ng_status status = make_room(r, max_rows, error);
    if (status == NG_OK)
        *residuals = r;
    else
        ng_residuals_destroy(r);
    return status;
}

void ng_residuals_destroy(ng_residuals *r)
{
    if (r == NULL)
        return;
    free(r->j.data);
    free(r->r.data);
    free(r->s.data);
    free(r->k.data);
    free(r->basis.data);
    free(r->spectrum.data);
    free(r);
}

void ng_residuals_clear(ng_residuals *r)
{
    if (r != NULL)
        r->m = r->centred = r->ready = 0;
}

ng_status ng_residuals_add(ng_residuals *r, ng_mat *j, ng_mat *values, size_t count, double weight,
                           ng_error *error)
{
    if (r == NULL || values == NULL)
        return ng_error_set(error, NG_EARG, "add: no residuals, or no place for their values");
    if ((j == NULL) != (r->products.times != NULL))
        return ng_error_set(error, NG_EARG, "add: j is %s, J is known by its %s",
                            j == NULL ? "NULL" : "not NULL",
                            r->products.times != NULL ? "products" : "rows");
    if (count == 0 || !(weight >= 0) || isinf(weight))
        return ng_error_set(error, NG_EARG, "add: %zu residuals of weight %g", count, weight);
    if (r->centred)
        return ng_error_set(error, NG_EARG, "add: the rows are centred already");
    if (count > r->r.cols - r->m)
        return ng_error_set(error, NG_ERANGE, "add: %zu residuals and %zu more, room for %zu", r->m,
                            count, r->r.cols);
    *values = ng_mat_block(r->r, 0, r->m, 1, count);
    ng_fill(*values, 0);
    ng_fill(ng_mat_block(r->s, 0, r->m, 1, count), sqrt(weight));
    if (j != NULL) {
        *j = ng_mat_block(r->j, r->m, 0, count, r->n);
        ng_fill(*j, 0);
    }
    r->m += count;
    r->ready = 0;
    return NG_OK;
}

size_t ng_residuals_size(const ng_residuals *r)
{
    return r != NULL ? r->n : 0;
}

size_t ng_residuals_count(const ng_residuals *r)
{
    return r != NULL ? r->m : 0;
}

ng_mat ng_residuals_values(const ng_residuals *r)
{
    return r != NULL ? ng_mat_block(r->r, 0, 0, 1, r->m) : ng_mat_none();
}

double ng_residuals_dot(const ng_residuals *r, ng_mat y, ng_mat z)
{
    const double *s, *a = y.data, *b = z.data;
    double sum = 0;
    if (r == NULL || ngi_check_shape(y, "y", 1, r->m, NG_F64, NULL) != NG_OK ||
        ngi_check_shape(z, "z", 1, r->m, NG_F64, NULL) != NG_OK)
        return NAN;
    s = r->s.data;
    for (size_t i = 0; i < r->m; i++)
        sum += s[i] * a[i] * (s[i] * b[i]);
    return sum;
}

double ng_residuals_loss(const ng_residuals *r)
{
    ng_mat values = ng_residuals_values(r);
    return ng_residuals_dot(r, values, values) / 2;
}

/* ---- Centring ------------------------------------------------------------------------- */

/* x (m x k) <- its rows without their mean under the weights s^2; mean: 1 x k */
static void centre_rows(const ng_residuals *r, ng_mat x, ng_mat mean, double total)
{
    const double *s = r->s.data;
    ng_fill(mean, 0);
    for (size_t i = 0; i < r->m; i++)
        ng_axpby(mean, ng_mat_block(x, i, 0, 1, x.cols), s[i] * s[i] / total, 1, NULL);
    for (size_t i = 0; i < r->m; i++)
        ng_axpby(ng_mat_block(x, i, 0, 1, x.cols), mean, -1, 1, NULL);
}

static ng_status centre(ng_residuals *r, ngi_pool *pool, ng_error *error)
{
    ng_mat mean, s = ngi_residual_roots(r), column = {r->r.data, r->m, 1, 1, NG_F64};
    double total = ng_dot(s, s);
    if (!(total > 0) || isinf(total))
        return ng_error_set(error, NG_ENODATA, "centre: %zu residuals of total weight %g", r->m,
                            total);
    TRY(ngi_pool_mat(pool, &mean, 1, r->n, NG_F64, error));
    centre_rows(r, ngi_residual_rows(r), mean, total);
    centre_rows(r, column, ng_mat_block(mean, 0, 0, 1, 1), total);
    r->centred = 1;
    r->ready = 0;
    return NG_OK;
}

ng_status ng_residuals_centre(ng_residuals *r, ng_error *error)
{
    ngi_pool pool = {NULL};
    if (r == NULL)
        return ng_error_set(error, NG_EARG, "centre: no residuals");
    if (r->products.times != NULL)
        return ng_error_set(error, NG_EUNSUPPORTED, "centre: J is known by its products alone");
    if (r->centred)
        return NG_OK;
    return ngi_pool_close(&pool, centre(r, &pool, error));
}

/* ---- Products ------------------------------------------------------------------------- */

static ng_status judge(ng_status status, const char *name, ng_mat result, ng_error *error)
{
    if (status != NG_OK)
        return ng_error_set(error, status, "%s failed", name);
    if (!ng_is_finite(result))
        return ng_error_set(error, NG_ENONFINITE, "%s is not finite", name);
    return NG_OK;
}

ng_status ngi_residual_times(const ng_residuals *r, ng_mat y, ng_mat x, ng_error *error)
{
    if (r->products.times == NULL)
        return ng_gemm(y, x, NG_NOTRANS, ngi_residual_rows(r), NG_TRANS, 1, 0, error);
    return judge(r->products.times(r->products.data, y, x, error), "J x", y, error);
}

ng_status ngi_residual_transposed(const ng_residuals *r, ng_mat x, ng_mat y, ng_error *error)
{
    if (r->products.times == NULL)
        return ng_gemm(x, y, NG_NOTRANS, ngi_residual_rows(r), NG_NOTRANS, 1, 0, error);
    return judge(r->products.transposed(r->products.data, x, y, error), "J^T y", x, error);
}

void ngi_residual_weigh(const ng_residuals *r, ng_mat y)
{
    const double *s = r->s.data;
    for (size_t i = 0; i < y.rows; i++) {
        double *row = (double *)y.data + i * y.stride;
        for (size_t k = 0; k < y.cols; k++)
            row[k] *= s[k];
    }
}

void ngi_residual_project(const ng_residuals *r, ng_mat y)
{
    ng_mat s = ngi_residual_roots(r);
    for (size_t i = 0; i < y.rows && r->centred; i++) {
        ng_mat row = ng_mat_block(y, i, 0, 1, y.cols);
        ng_axpby(row, s, -ng_dot(row, s) / ng_dot(s, s), 1, NULL);
    }
}

ng_status ngi_residual_check(const ng_residuals *r, ng_mat x, ng_mat y, ng_error *error)
{
    if (r == NULL)
        return ng_error_set(error, NG_EARG, "no residuals");
    TRY(ngi_check_shape(x, "x", 1, r->n, NG_F64, error));
    return ngi_check_shape(y, "y", 1, r->m, NG_F64, error);
}

ng_status ng_residuals_times(ng_residuals *r, ng_mat y, ng_mat x, ng_error *error)
{
    TRY(ngi_residual_check(r, x, y, error));
    return ngi_residual_times(r, y, x, error);
}

static ng_status gradient(ng_residuals *r, ng_mat x, ng_mat y, ngi_pool *pool, ng_error *error)
{
    ng_mat z;
    TRY(ngi_pool_mat(pool, &z, 1, r->m, NG_F64, error));
    TRY(ng_copy(z, y, error));
    ngi_residual_weigh(r, z);
    ngi_residual_weigh(r, z);
    return ngi_residual_transposed(r, x, z, error);
}

ng_status ng_residuals_gradient(ng_residuals *r, ng_mat x, ng_mat y, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ngi_residual_check(r, x, y, error));
    return ngi_pool_close(&pool, gradient(r, x, y, &pool, error));
}

/* ---- K and G: lower triangles --------------------------------------------------------- */

ng_status ngi_residual_dual(const ng_residuals *r, ng_mat k, ng_error *error)
{
    const double *s = r->s.data;
    TRY(ng_syrk(k, ngi_residual_rows(r), NG_NOTRANS, 1, 0, error));
    for (size_t i = 0; i < r->m; i++) {
        double *row = (double *)k.data + i * k.stride;
        for (size_t l = 0; l <= i; l++)
            row[l] *= s[i] * s[l];
    }
    return NG_OK;
}

/* One class after the other, so that J is never scaled. */
ng_status ngi_residual_primal(const ng_residuals *r, ng_mat g, ng_error *error)
{
    const double *s = r->s.data;
    double beta = 0;
    for (size_t first = 0, end; first < r->m; first = end, beta = 1) {
        for (end = first + 1; end < r->m && s[end] == s[first];)
            end++;
        TRY(ng_syrk(g, ng_mat_block(r->j, first, 0, end - first, r->n), NG_TRANS,
                    s[first] * s[first], beta, error));
    }
    return NG_OK;
}

ng_status ng_residuals_gram(ng_residuals *r, ng_mat g, ng_error *error)
{
    if (r == NULL || r->products.times != NULL)
        return ng_error_set(error, r == NULL ? NG_EARG : NG_EUNSUPPORTED,
                            "gram: there are no rows of J");
    if (r->m == 0)
        return ng_error_set(error, NG_ENODATA, "gram: no residuals");
    size_t p = g.rows == r->m ? r->m : r->n;
    TRY(ngi_check_shape(g, "g", p, p, NG_F64, error));
    TRY(p == r->m ? ngi_residual_dual(r, g, error) : ngi_residual_primal(r, g, error));
    ng_mirror(g);
    return NG_OK;
}
