#include "lib/geometry/basis.h"

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/check.h"
#include "lib/linalg/eigenbasis.h"

/* Row i of a k x n matrix of doubles, as an m x c matrix. */
static ng_mat row_matrix(ng_mat a, size_t i, size_t m, size_t c)
{
    return ng_f64((double *)a.data + i * a.stride, m, c);
}

/* c_k <- element order[k] of U X V^T, X the m x c matrix of a row; without U, V of X itself */
static ng_status gather(const ng_regime *r, ng_mat c, ng_mat v, ngi_pool *pool, ng_error *error)
{
    ng_mat half, turned;
    TRY(ngi_pool_mat(pool, &half, r->outputs, r->inputs, NG_F64, error));
    TRY(ngi_pool_mat(pool, &turned, r->outputs, r->inputs, NG_F64, error));
    for (size_t i = 0; i < v.rows; i++) {
        TRY(ng_copy(turned, row_matrix(v, i, r->outputs, r->inputs), error));
        TRY(ngi_basis_rotate(turned, r->left, r->right, 0, half, error));
        for (size_t k = 0; k < r->n; k++)
            ng_mat_set(c, i, k, ((const double *)turned.data)[r->order[k]]);
    }
    return NG_OK;
}

/* the way back: X = U^T C V */
static ng_status scatter(const ng_regime *r, ng_mat v, ng_mat c, ngi_pool *pool, ng_error *error)
{
    ng_mat half;
    TRY(ngi_pool_mat(pool, &half, r->outputs, r->inputs, NG_F64, error));
    for (size_t i = 0; i < v.rows; i++) {
        ng_mat x = row_matrix(v, i, r->outputs, r->inputs);
        for (size_t k = 0; k < r->n; k++)
            ((double *)x.data)[r->order[k]] = ng_mat_get(c, i, k);
        TRY(ngi_basis_rotate(x, r->left, r->right, 1, half, error));
    }
    return NG_OK;
}

ng_status ngi_coefficients(const ng_regime *r, ng_mat c, ng_mat v, ngi_pool *pool, ng_error *error)
{
    return r->order != NULL ? gather(r, c, v, pool, error)
                            : ng_gemm(c, v, NG_NOTRANS, r->directions, NG_TRANS, 1, 0, error);
}

ng_status ngi_vectors(const ng_regime *r, ng_mat v, ng_mat c, ngi_pool *pool, ng_error *error)
{
    return r->order != NULL ? scatter(r, v, c, pool, error)
                            : ng_gemm(v, c, NG_NOTRANS, r->directions, NG_NOTRANS, 1, 0, error);
}

/* y <- w, which must fit y's dtype */
static ng_status narrow(ng_mat y, ng_mat w, ng_error *error)
{
    TRY(ng_copy(y, w, error));
    if (!ng_is_finite(y))
        return ng_error_set(error, NG_ERANGE, "the result is too large: %g", ng_max_abs(w));
    return NG_OK;
}

/* wide <- V^T diag(weights) V wide, dense NG_F64 */
static ng_status act(const ng_regime *r, ng_mat wide, const double *weights, ngi_pool *pool,
                     ng_error *error)
{
    ng_mat c;
    TRY(ngi_pool_mat(pool, &c, wide.rows, wide.cols, NG_F64, error));
    TRY(ngi_coefficients(r, c, wide, pool, error));
    for (size_t i = 0; i < c.rows; i++)
        for (size_t k = 0; k < r->n; k++)
            ((double *)c.data)[i * c.stride + k] *= weights[k];
    return ngi_vectors(r, wide, c, pool, error);
}

ng_status ngi_act(const ng_regime *r, ng_mat y, ng_mat x, const double *weights, ngi_pool *pool,
                  ng_error *error)
{
    ng_mat wide;
    TRY(ngi_check_blas(x, "x", x.rows, r->n, x.dtype, error));
    TRY(ngi_check_blas(y, "y", x.rows, r->n, y.dtype, error));
    TRY(ngi_check_finite(x, "x", error));
    TRY(ngi_pool_mat(pool, &wide, x.rows, x.cols, NG_F64, error));
    TRY(ng_copy(wide, x, error));
    TRY(act(r, wide, weights, pool, error));
    return narrow(y, wide, error);
}

ng_status ngi_compose(const ng_regime *r, ng_mat dense, const double *weights, ngi_pool *pool,
                      ng_error *error)
{
    ng_mat wide;
    TRY(ngi_check_blas(dense, "the result", r->n, r->n, dense.dtype, error));
    TRY(ngi_pool_mat(pool, &wide, r->n, r->n, NG_F64, error));
    ng_set_identity(wide);
    TRY(act(r, wide, weights, pool, error));
    ng_mirror(wide);
    return narrow(dense, wide, error);
}
