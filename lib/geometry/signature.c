/* A mass tensor M' = F S F with signs S = diag(+-1). Against F its eigenvalues
 * are those of A = F^1/2 S F^1/2; in the eigenbasis that is L^1/2 V S V^T L^1/2,
 * of which the block of the eigenvalues that count is kept. */
#include <natgrad/regime.h>

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/geometry/basis.h"
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
static ng_status half_rows(ng_mat rows, const ng_regime *r, ng_error *error)
{
    ng_mat pick;
    ng_status status = ngi_mat_create(&pick, r->rank, r->n, NG_F64, error);
    for (size_t k = 0; k < r->rank && status == NG_OK; k++)
        ng_mat_set(pick, k, r->n - r->rank + k, sqrt(ng_mat_get(r->spectrum, 0, k)));
    if (status == NG_OK)
        status = ngi_vectors(r, rows, pick, error);
    free(pick.data);
    return status;
}

/* values <- eigenvalues of rows S rows^T; flipped, a, vectors: scratch */
static ng_status diagonalise(ng_mat values, const ng_regime *r, const int *signs, ng_error *error)
{
    ng_mat rows, flipped = {NULL, 0, 0, 0, NG_F64}, a = flipped, vectors = flipped;
    ng_status status = ngi_mat_create(&rows, r->rank, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&flipped, r->rank, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&a, r->rank, r->rank, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&vectors, r->rank, r->rank, NG_F64, error);
    if (status == NG_OK)
        status = half_rows(rows, r, error);
    if (status == NG_OK)
        status = ng_copy(flipped, rows, error);
    if (status == NG_OK) {
        flip_columns(flipped, signs);
        status = ng_gemm(a, flipped, NG_NOTRANS, rows, NG_TRANS, 1, 0, error);
    }
    if (status == NG_OK)
        status = ng_eigh(values, vectors, NULL, a, NULL, error);
    free(rows.data);
    free(flipped.data);
    free(a.data);
    free(vectors.data);
    return status;
}

ng_status ng_signature_create(ng_signature **result, const ng_regime *r, const int *signs,
                              ng_error *error)
{
    ng_status status = check(r, result, signs, error);
    if (status != NG_OK)
        return status;
    *result = NULL;
    ng_signature *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a signature");
    s->rank = r->rank;
    status = ngi_mat_create(&s->eigenvalues, 1, r->rank, NG_F64, error);
    if (status == NG_OK)
        status = diagonalise(s->eigenvalues, r, signs, error);
    if (status != NG_OK) {
        ng_signature_destroy(s);
        return status;
    }
    double *d = s->eigenvalues.data;
    double rounding = (double)r->n * ng_dtype_eps(NG_F64) * r->lambda_max;
    for (size_t k = 0; k < s->rank && r->rank < r->n; k++)
        d[k] = fabs(d[k]) <= rounding ? 0 : d[k];
    s->beta_c = d[0] < 0 ? -d[0] : 0;
    s->negative = ng_signature_negative(s, 0);
    *result = s;
    return NG_OK;
}

size_t ng_signature_negative(const ng_signature *s, double beta)
{
    size_t count = 0;
    while (count < s->rank && ng_mat_get(s->eigenvalues, 0, count) < -beta)
        count++;
    return count;
}

ng_status ng_signature_metric(const ng_regime *r, ng_mat g, const int *signs, double beta,
                              ng_error *error)
{
    ng_mat f = {NULL, 0, 0, 0, NG_F64}, flipped = f, sum = f, weights = f;
    ng_status status = check(r, &g, signs, error);
    if (status == NG_OK && !isfinite(beta))
        status = ng_error_set(error, NG_EARG, "beta is %g", beta);
    if (status == NG_OK)
        status = ngi_check_shape(g, "g", r->n, r->n, g.dtype, error);
    if (status == NG_OK)
        status = ngi_mat_create(&f, r->n, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&flipped, r->n, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&sum, r->n, r->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&weights, 1, r->n, NG_F64, error);
    if (status == NG_OK) {
        ng_copy(ng_mat_block(weights, 0, r->n - r->rank, 1, r->rank), r->spectrum, NULL);
        status = ngi_compose(r, f, weights.data, error);
    }
    if (status == NG_OK) {
        ng_copy(flipped, f, NULL);
        ng_copy(sum, f, NULL);
        flip_columns(flipped, signs);
        status = ng_gemm(sum, flipped, NG_NOTRANS, f, NG_NOTRANS, 1, beta, error);
    }
    if (status == NG_OK) {
        ng_mirror(sum);
        status = ng_copy(g, sum, error);
    }
    if (status == NG_OK && !ng_is_finite(g))
        status = ng_error_set(error, NG_ERANGE, "F S F + beta F overflows: beta %g", beta);
    free(f.data);
    free(flipped.data);
    free(sum.data);
    free(weights.data);
    return status;
}
