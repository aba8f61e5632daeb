/* Operations in the product of two orthonormal bases. */
#include "lib/fisher/kron.h"

#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

ng_status ngi_kron_basis_new(ngi_kron_basis *b, size_t m, size_t c, ng_error *error)
{
    memset(b, 0, sizeof *b);
    TRY(ngi_mat_create(&b->u, m, m, NG_F64, error));
    TRY(ngi_mat_create(&b->v, c, c, NG_F64, error));
    return ngi_mat_create(&b->w, m, c, NG_F64, error);
}

void ngi_kron_basis_free(ngi_kron_basis *b)
{
    free(b->u.data);
    free(b->v.data);
    free(b->w.data);
    memset(b, 0, sizeof *b);
}

ng_status ngi_kron_diagonalise(ngi_kron_basis *b, ng_mat p, ng_mat q, ngi_pool *pool,
                               ng_error *error)
{
    ng_mat d, e;
    TRY(ngi_pool_mat(pool, &d, 1, p.rows, NG_F64, error));
    TRY(ngi_pool_mat(pool, &e, 1, q.rows, NG_F64, error));
    TRY(ngi_factor_eigen(d, b->u, p, NULL, error));
    TRY(ngi_factor_eigen(e, b->v, q, NULL, error));
    ngi_basis_products(b->w, d, e);
    return NG_OK;
}

/* y <- u^T (w o (u x v^T)) v for one m x c matrix; s, t: m x c scratch */
static ng_status apply(const ngi_kron_basis *b, ng_mat y, ng_mat x, const double *w, ng_mat s,
                       ng_mat t, ng_error *error)
{
    double *turned = t.data;
    TRY(ng_copy(t, x, error));
    TRY(ngi_basis_rotate(t, b->u, b->v, 0, s, error));
    for (size_t i = 0; i < t.rows * t.cols; i++)
        turned[i] *= w[i];
    TRY(ngi_basis_rotate(t, b->u, b->v, 1, s, error));
    return ng_copy(y, t, error);
}

ng_status ngi_kron_power(const ngi_kron_basis *b, ng_mat y, ng_mat x, double exponent,
                         double damping, double tiny, ngi_pool *pool, ng_error *error)
{
    size_t m = b->w.rows, c = b->w.cols;
    ng_mat w, s, t;
    TRY(ngi_pool_mat(pool, &w, m, c, NG_F64, error));
    TRY(ngi_pool_mat(pool, &s, m, c, NG_F64, error));
    TRY(ngi_pool_mat(pool, &t, m, c, NG_F64, error));
    TRY(ng_copy(w, b->w, error));
    TRY(ngi_shifted_power(w.data, m * c, exponent, damping, tiny, error));
    for (size_t i = 0; i < x.rows; i++) {
        ng_mat xi = ng_f64((double *)x.data + i * x.stride, m, c);
        ng_mat yi = ng_f64((double *)y.data + i * y.stride, m, c);
        TRY(apply(b, yi, xi, w.data, s, t, error));
    }
    return NG_OK;
}

ng_status ngi_kron_eigen(const ngi_kron_basis *b, ng_mat values, ng_mat vectors, ngi_pool *pool,
                         ng_error *error)
{
    size_t m = b->w.rows, c = b->w.cols, *order, first = m * c - values.cols;
    const double *w = b->w.data, *u = b->u.data, *v = b->v.data;
    TRY(ngi_ascending(&order, w, m * c, pool, error));
    for (size_t k = 0; k < values.cols; k++) {
        size_t i = order[first + k] / c, j = order[first + k] % c;
        ng_mat_set(values, 0, k, w[order[first + k]]);
        if (ngi_is_none(vectors))
            continue;
        double *row = (double *)vectors.data + k * vectors.stride;
        for (size_t a = 0; a < m; a++)
            for (size_t l = 0; l < c; l++)
                row[a * c + l] = u[i * m + a] * v[j * c + l];
    }
    return NG_OK;
}
