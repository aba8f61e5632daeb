/* A mass tensor M' = F S F with signs S = diag(+-1). Against F its eigenvalues
 * are those of A = F^1/2 S F^1/2; in the eigenbasis that is L^1/2 V S V^T L^1/2,
 * of which the block of the eigenvalues that count is kept. */
#include <natgrad/regime.h>

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/geometry/basis.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"

void ng_signature_destroy(ng_signature *s)
{
    if (s == NULL)
        return;
    free(s->eigenvalues.data);
    free(s);
}

static ng_status check(const ng_regime *r, const void *result, const int *signs, ng_error *error)
{
    if (r == NULL || result == NULL || signs == NULL)
        return ng_error_set(error, NG_EARG, "regime, signs or result is NULL");
    for (size_t i = 0; i < r->n; i++)
        if (signs[i] != 1 && signs[i] != -1)
            return ng_error_set(error, NG_EARG, "sign %zu of %zu is %d, expected 1 or -1", i, r->n,
                                signs[i]);
    return NG_OK;
}

static void flip_columns(ng_mat x, const int *signs)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(x, i, j, signs[j] * ng_mat_get(x, i, j));
}

/* rows (rank x n) <- L^1/2 V */
static ng_status half_rows(ng_mat rows, const ng_regime *r, ngi_pool *pool, ng_error *error)
{
    ng_mat pick;
    TRY(ngi_pool_mat(pool, &pick, r->rank, r->n, NG_F64, error));
    for (size_t k = 0; k < r->rank; k++)
        ng_mat_set(pick, k, r->n - r->rank + k, sqrt(ng_mat_get(r->spectrum, 0, k)));
    return ngi_vectors(r, rows, pick, pool, error);
}

/* values <- eigenvalues of rows S rows^T */
static ng_status diagonalise(ng_mat values, const ng_regime *r, const int *signs, ngi_pool *pool,
                             ng_error *error)
{
    ng_mat rows, flipped, a, vectors;
    TRY(ngi_pool_mat(pool, &rows, r->rank, r->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &flipped, r->rank, r->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &a, r->rank, r->rank, NG_F64, error));
    TRY(ngi_pool_mat(pool, &vectors, r->rank, r->rank, NG_F64, error));
    TRY(half_rows(rows, r, pool, error));
    TRY(ng_copy(flipped, rows, error));
    flip_columns(flipped, signs);
    TRY(ng_gemm(a, flipped, NG_NOTRANS, rows, NG_TRANS, 1, 0, error));
    return ng_eigh(values, vectors, NULL, a, NULL, error);
}

/* Everything of a signature that has its rank. */
static ng_status fill(ng_signature *s, const ng_regime *r, const int *signs, ngi_pool *pool,
                      ng_error *error)
{
    TRY(ngi_mat_create(&s->eigenvalues, 1, r->rank, NG_F64, error));
    TRY(diagonalise(s->eigenvalues, r, signs, pool, error));
    double *d = s->eigenvalues.data;
    double rounding = (double)r->n * ng_dtype_eps(NG_F64) * r->lambda_max;
    for (size_t k = 0; k < s->rank && r->rank < r->n; k++)
        d[k] = fabs(d[k]) <= rounding ? 0 : d[k];
    s->beta_c = d[0] < 0 ? -d[0] : 0;
    s->negative = ng_signature_negative(s, 0);
    return NG_OK;
}

ng_status ng_signature_create(ng_signature **result, const ng_regime *r, const int *signs,
                              ng_error *error)
{
    ngi_pool pool = {NULL};
    ng_signature *s;
    TRY(check(r, result, signs, error));
    *result = NULL;
    TRY(ngi_array_create(&s, 1, sizeof *s, "signature", error));
    s->rank = r->rank;
    ng_status status = ngi_pool_close(&pool, fill(s, r, signs, &pool, error));
    if (status == NG_OK)
        *result = s;
    else
        ng_signature_destroy(s);
    return status;
}

size_t ng_signature_negative(const ng_signature *s, double beta)
{
    size_t count = 0;
    while (count < s->rank && ng_mat_get(s->eigenvalues, 0, count) < -beta)
        count++;
    return count;
}

static ng_status metric(const ng_regime *r, ng_mat g, const int *signs, double beta, ngi_pool *pool,
                        ng_error *error)
{
    ng_mat f, flipped, sum, weights;
    TRY(ngi_pool_mat(pool, &f, r->n, r->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &flipped, r->n, r->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &sum, r->n, r->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &weights, 1, r->n, NG_F64, error));
    TRY(ng_copy(ng_mat_block(weights, 0, r->n - r->rank, 1, r->rank), r->spectrum, error));
    TRY(ngi_compose(r, f, weights.data, pool, error));
    TRY(ng_copy(flipped, f, error));
    TRY(ng_copy(sum, f, error));
    flip_columns(flipped, signs);
    TRY(ng_gemm(sum, flipped, NG_NOTRANS, f, NG_NOTRANS, 1, beta, error));
    ng_mirror(sum);
    return ng_copy(g, sum, error);
}

ng_status ng_signature_metric(const ng_regime *r, ng_mat g, const int *signs, double beta,
                              ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(check(r, &g, signs, error));
    if (!isfinite(beta))
        return ng_error_set(error, NG_EARG, "beta is %g", beta);
    TRY(ngi_check_shape(g, "g", r->n, r->n, g.dtype, error));
    TRY(ngi_pool_close(&pool, metric(r, g, signs, beta, &pool, error)));
    if (!ng_is_finite(g))
        return ng_error_set(error, NG_ERANGE, "F S F + beta F overflows: beta %g", beta);
    return NG_OK;
}
