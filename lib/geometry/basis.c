#include "lib/geometry/basis.h"

#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/linalg/check.h"

/* Row i of a k x n matrix of doubles, as an m x c matrix. */
static ng_mat row_matrix(ng_mat a, size_t i, size_t m, size_t c)
{
    return ng_f64((double *)a.data + i * a.stride, m, c);
}

/* c_k <- element order[k] of U X V^T, X the m x c matrix of a row; without U, V of X itself */
static ng_status gather(const ng_regime *r, ng_mat c, ng_mat v, ng_error *error)
{
    ng_mat half = {NULL, 0, 0, 0, NG_F64}, turned = half;
    int pair = r->left.data != NULL;
    ng_status status = ngi_mat_create(&half, r->outputs, r->inputs, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&turned, r->outputs, r->inputs, NG_F64, error);
    for (size_t i = 0; i < v.rows && status == NG_OK; i++) {
        ng_mat x = row_matrix(v, i, r->outputs, r->inputs), y = row_matrix(c, i, 1, r->n);
        if (pair)
            status = ng_gemm(half, r->left, NG_NOTRANS, x, NG_NOTRANS, 1, 0, error);
        if (pair && status == NG_OK)
            status = ng_gemm(turned, half, NG_NOTRANS, r->right, NG_TRANS, 1, 0, error);
        const double *from = pair ? turned.data : x.data;
        for (size_t k = 0; k < r->n && status == NG_OK; k++)
            ((double *)y.data)[k] = from[r->order[k]];
    }
    free(half.data);
    free(turned.data);
    return status;
}

/* the way back: X = U^T C V */
static ng_status scatter(const ng_regime *r, ng_mat v, ng_mat c, ng_error *error)
{
    ng_mat half = {NULL, 0, 0, 0, NG_F64}, turned = half;
    int pair = r->left.data != NULL;
    ng_status status = ngi_mat_create(&half, r->outputs, r->inputs, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&turned, r->outputs, r->inputs, NG_F64, error);
    for (size_t i = 0; i < v.rows && status == NG_OK; i++) {
        ng_mat x = row_matrix(v, i, r->outputs, r->inputs), y = row_matrix(c, i, 1, r->n);
        double *to = pair ? turned.data : x.data;
        for (size_t k = 0; k < r->n; k++)
            to[r->order[k]] = ((const double *)y.data)[k];
        if (pair)
            status = ng_gemm(half, r->left, NG_TRANS, turned, NG_NOTRANS, 1, 0, error);
        if (pair && status == NG_OK)
            status = ng_gemm(x, half, NG_NOTRANS, r->right, NG_NOTRANS, 1, 0, error);
    }
    free(half.data);
    free(turned.data);
    return status;
}

ng_status ngi_coefficients(const ng_regime *r, ng_mat c, ng_mat v, ng_error *error)
{
    return r->order != NULL ? gather(r, c, v, error)
                            : ng_gemm(c, v, NG_NOTRANS, r->directions, NG_TRANS, 1, 0, error);
}

ng_status ngi_vectors(const ng_regime *r, ng_mat v, ng_mat c, ng_error *error)
{
    return r->order != NULL ? scatter(r, v, c, error)
                            : ng_gemm(v, c, NG_NOTRANS, r->directions, NG_NOTRANS, 1, 0, error);
}

/* y <- w, which must fit y's dtype */
static ng_status narrow(ng_mat y, ng_mat w, ng_error *error)
{
    ng_status status = ng_copy(y, w, error);
    if (status == NG_OK && !ng_is_finite(y))
        status = ng_error_set(error, NG_ERANGE, "the result is too large: %g", ng_max_abs(w));
    return status;
}

/* wide <- V^T diag(weights) V wide, dense NG_F64 */
static ng_status act(const ng_regime *r, ng_mat wide, const double *weights, ng_error *error)
{
    ng_mat c;
    ng_status status = ngi_mat_create(&c, wide.rows, wide.cols, NG_F64, error);
    if (status == NG_OK)
        status = ngi_coefficients(r, c, wide, error);
    for (size_t i = 0; i < c.rows && status == NG_OK; i++)
        for (size_t k = 0; k < r->n; k++)
            ((double *)c.data)[i * c.stride + k] *= weights[k];
    if (status == NG_OK)
        status = ngi_vectors(r, wide, c, error);
    free(c.data);
    return status;
}

ng_status ngi_act(const ng_regime *r, ng_mat y, ng_mat x, const double *weights, ng_error *error)
{
    ng_mat wide = {NULL, 0, 0, 0, NG_F64};
    ng_status status = ngi_check_blas(x, "x", x.rows, r->n, x.dtype, error);
    if (status == NG_OK)
        status = ngi_check_blas(y, "y", x.rows, r->n, y.dtype, error);
    if (status == NG_OK)
        status = ngi_check_finite(x, "x", error);
    if (status == NG_OK)
        status = ngi_mat_create(&wide, x.rows, x.cols, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(wide, x, error);
    if (status == NG_OK)
        status = act(r, wide, weights, error);
    if (status == NG_OK)
        status = narrow(y, wide, error);
    free(wide.data);
    return status;
}

ng_status ngi_compose(const ng_regime *r, ng_mat dense, const double *weights, ng_error *error)
{
    ng_mat wide = {NULL, 0, 0, 0, NG_F64};
    ng_status status = ngi_check_blas(dense, "the result", r->n, r->n, dense.dtype, error);
    if (status == NG_OK)
        status = ngi_mat_create(&wide, r->n, r->n, NG_F64, error);
    if (status == NG_OK) {
        ng_set_identity(wide);
        status = act(r, wide, weights, error);
    }
    if (status == NG_OK) {
        ng_mirror(wide);
        status = narrow(dense, wide, error);
    }
    free(wide.data);
    return status;
}
