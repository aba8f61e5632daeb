/* Products of layer statistics by (F + damping I)^-1 in the product of two bases. */
#include "lib/fisher/kron.h"

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

/* Both in the bases; w (m x c) = 1 / (eigenvalue + damping). */
typedef struct {
    ng_mat a, g, w;
    size_t samples, places, k;
} turned;

/* out (rows x n) <- x v^T in double */
static ng_status turn(ng_mat *out, ng_mat x, ng_mat v, ngi_pool *pool, ng_error *error)
{
    ng_mat wide;
    TRY(ngi_pool_mat(pool, &wide, x.rows, x.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, out, x.rows, x.cols, NG_F64, error));
    TRY(ng_copy(wide, x, error));
    return ng_gemm(*out, wide, NG_NOTRANS, v, NG_TRANS, 1, 0, error);
}

/* Row r of what belongs to output i. */
static const double *row_of(const turned *t, size_t i, size_t r)
{
    return (const double *)t->g.data + (i * t->samples * t->places + r) * t->g.cols;
}

/* One place: the sum over p, q of (g_i g_j)_p w_pq (a a)_q, the inner one for all i and j. */
static ng_status one_place(ng_mat values, const turned *t, ngi_pool *pool, ng_error *error)
{
    size_t m = t->w.rows, k = t->k;
    ng_mat d;
    TRY(ngi_pool_mat(pool, &d, t->samples, m, NG_F64, error));
    ngi_square(t->a);
    TRY(ng_gemm(d, t->a, NG_NOTRANS, t->w, NG_TRANS, 1, 0, error));
    for (size_t r = 0; r < t->samples; r++)
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++) {
                const double *gi = row_of(t, i, r), *gj = row_of(t, j, r);
                const double *of = (const double *)d.data + r * m;
                double sum = 0;
                for (size_t p = 0; p < m; p++)
                    sum += gi[p] * gj[p] * of[p];
                ng_mat_set(values, r, i * k + j, sum);
            }
    return NG_OK;
}

/* s (k x m c) <- the scores of sample r, times the roots of w */
static ng_status find_scores(ng_mat s, const turned *t, size_t r, ng_error *error)
{
    size_t m = t->w.rows, c = t->w.cols, rows = t->samples * t->places;
    ng_mat a = ng_mat_block(t->a, r * t->places, 0, t->places, c);
    for (size_t i = 0; i < t->k; i++) {
        double *row = (double *)s.data + i * m * c;
        ng_mat g = ng_mat_block(t->g, i * rows + r * t->places, 0, t->places, m);
        TRY(ng_gemm(ng_f64(row, m, c), g, NG_TRANS, a, NG_NOTRANS, 1, 0, error));
        for (size_t p = 0; p < m * c; p++)
            row[p] *= ((const double *)t->w.data)[p];
    }
    return NG_OK;
}

static ng_status places(ng_mat values, const turned *t, ngi_pool *pool, ng_error *error)
{
    size_t k = t->k;
    ng_mat s, product;
    TRY(ngi_pool_mat(pool, &s, k, t->w.rows * t->w.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, &product, k, k, NG_F64, error));
    for (size_t r = 0; r < t->samples; r++) {
        TRY(find_scores(s, t, r, error));
        TRY(ng_gemm(product, s, NG_NOTRANS, s, NG_TRANS, 1, 0, error));
        TRY(ng_copy(ng_mat_block(values, r, 0, 1, k * k), ng_f64(product.data, 1, k * k), error));
    }
    return NG_OK;
}

ng_status ngi_kron_inverse_layer(const ngi_kron_basis *b, ng_mat values, ng_mat a, ng_mat g,
                                 double damping, double tiny, ngi_pool *pool, ng_error *error)
{
    size_t m = b->w.rows, c = b->w.cols;
    turned t = {.samples = values.rows, .places = a.rows / values.rows, .k = g.rows / a.rows};
    TRY(ngi_pool_mat(pool, &t.w, m, c, NG_F64, error));
    TRY(ng_copy(t.w, b->w, error));
    TRY(ngi_shifted_power(t.w.data, m * c, t.places == 1 ? -1 : -0.5, damping, tiny, error));
    TRY(turn(&t.a, a, b->v, pool, error));
    TRY(turn(&t.g, g, b->u, pool, error));
    return t.places == 1 ? one_place(values, &t, pool, error) : places(values, &t, pool, error);
}
