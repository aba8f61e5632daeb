/* Operations in the product of two orthonormal bases. */
#include "lib/fisher/kron.h"

#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/linalg/eigenbasis.h"

ng_status ngi_kron_basis_new(ngi_kron_basis *b, size_t m, size_t c, ng_error *error)
{
    memset(b, 0, sizeof *b);
    ng_status status = ngi_mat_create(&b->u, m, m, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&b->v, c, c, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&b->w, m, c, NG_F64, error);
    return status;
}

void ngi_kron_basis_free(ngi_kron_basis *b)
{
    free(b->u.data);
    free(b->v.data);
    free(b->w.data);
    memset(b, 0, sizeof *b);
}

/* values (1 x n) and rows of vectors of the factor, all in double */
static ng_status diagonalise(ng_mat values, ng_mat vectors, ng_mat factor, ng_error *error)
{
    ng_mat wide;
    ng_status status = ngi_mat_create(&wide, factor.rows, factor.rows, NG_F64, error);
    if (status == NG_OK) {
        ngi_copy_lower(wide, factor);
        status = ng_eigh(values, vectors, NULL, wide, NULL, error);
    }
    free(wide.data);
    return status;
}

ng_status ngi_kron_diagonalise(ngi_kron_basis *b, ng_mat p, ng_mat q, ng_error *error)
{
    ng_mat d, e = {NULL, 0, 0, 0, NG_F64};
    double *w = b->w.data;
    ng_status status = ngi_mat_create(&d, 1, p.rows, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&e, 1, q.rows, NG_F64, error);
    if (status == NG_OK)
        status = diagonalise(d, b->u, p, error);
    if (status == NG_OK)
        status = diagonalise(e, b->v, q, error);
    for (size_t i = 0; i < p.rows && status == NG_OK; i++)
        for (size_t j = 0; j < q.rows; j++) {
            double di = ng_mat_get(d, 0, i), ej = ng_mat_get(e, 0, j);
            w[i * q.rows + j] = (di > 0 ? di : 0) * (ej > 0 ? ej : 0);
        }
    free(d.data);
    free(e.data);
    return status;
}

/* y <- u^T (w o (u x v^T)) v for one m x c matrix; s, t: m x c scratch */
static ng_status apply(const ngi_kron_basis *b, ng_mat y, ng_mat x, const double *w, ng_mat s,
                       ng_mat t, ng_error *error)
{
    double *turned = t.data;
    ng_status status = ng_copy(t, x, error);
    if (status == NG_OK)
        status = ngi_basis_rotate(t, b->u, b->v, 0, s, error);
    for (size_t i = 0; i < t.rows * t.cols && status == NG_OK; i++)
        turned[i] *= w[i];
    if (status == NG_OK)
        status = ngi_basis_rotate(t, b->u, b->v, 1, s, error);
    return status != NG_OK ? status : ng_copy(y, t, error);
}

ng_status ngi_kron_power(const ngi_kron_basis *b, ng_mat y, ng_mat x, double exponent,
                         double damping, double tiny, ng_error *error)
{
    size_t m = b->w.rows, c = b->w.cols;
    ng_mat w, s = {NULL, 0, 0, 0, NG_F64}, t = s;
    ng_status status = ngi_mat_create(&w, m, c, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&s, m, c, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&t, m, c, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(w, b->w, error);
    if (status == NG_OK)
        status = ngi_shifted_power(w.data, m * c, exponent, damping, tiny, error);
    for (size_t i = 0; i < x.rows && status == NG_OK; i++) {
        ng_mat xi = ng_f64((double *)x.data + i * x.stride, m, c);
        ng_mat yi = ng_f64((double *)y.data + i * y.stride, m, c);
        status = apply(b, yi, xi, w.data, s, t, error);
    }
    free(w.data);
    free(s.data);
    free(t.data);
    return status;
}

ng_status ngi_kron_eigen(const ngi_kron_basis *b, ng_mat values, ng_mat vectors, ng_error *error)
{
    size_t m = b->w.rows, c = b->w.cols, *order, first = m * c - values.cols;
    const double *w = b->w.data, *u = b->u.data, *v = b->v.data;
    ng_status status = ngi_ascending(&order, w, m * c, error);
    if (status != NG_OK)
        return status;
    for (size_t k = 0; k < values.cols; k++) {
        size_t i = order[first + k] / c, j = order[first + k] % c;
        ng_mat_set(values, 0, k, w[order[first + k]]);
        if (vectors.data == NULL)
            continue;
        double *row = (double *)vectors.data + k * vectors.stride;
        for (size_t a = 0; a < m; a++)
            for (size_t l = 0; l < c; l++)
                row[a * c + l] = u[i * m + a] * v[j * c + l];
    }
    free(order);
    return NG_OK;
}
