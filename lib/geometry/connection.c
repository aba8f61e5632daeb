/* Connections from fields: their coefficients, curvature, torsion, non-metricity. */
#include <natgrad/connection.h>

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"

/* ---- Fields --------------------------------------------------------------------- */

/* A field, as what it is known in messages, and where its values lie. */
typedef struct {
    ng_tensor_fill fill;
    void *data;
    const char *name;
    ng_mat value;
} field;

static ng_status field_at(field *f, ng_mat x, ng_error *error)
{
    TRY(f->fill(f->data, f->value, x, error));
    if (!ng_is_finite(f->value))
        return ng_error_set(error, NG_ENONFINITE, "the %s has values that are not finite", f->name);
    return NG_OK;
}

/* A field of rows x cols tensors; x is checked to be a point. */
static ng_status field_open(ngi_pool *pool, field *f, ng_mat x, size_t rows, size_t cols,
                            ng_error *error)
{
    if (f->fill == NULL)
        return ng_error_set(error, NG_EARG, "the callback for the %s is NULL", f->name);
    if (x.cols == 0)
        return ng_error_set(error, NG_ESHAPE, "x has no elements");
    TRY(ngi_check_shape(x, "x", 1, x.cols, NG_F64, error));
    TRY(ngi_check_finite(x, "x", error));
    return ngi_pool_mat(pool, &f->value, rows, cols, NG_F64, error);
}

static ng_status check_step(ng_mat step, ng_mat x, ng_error *error)
{
    TRY(ngi_check_shape(step, "step", 1, x.cols, NG_F64, error));
    for (size_t i = 0; i < x.cols; i++) {
        double h = ng_mat_get(step, 0, i), at = ng_mat_get(x, 0, i);
        volatile double moved = at + h;
        if (!(h > 0 && isfinite(at + 4 * h) && moved > at))
            return ng_error_set(error, NG_EARG, "step %g of coordinate %zu = %g", h, i, at);
    }
    return NG_OK;
}

/* d (n x rows cols) <- row i: the derivative of the field along coordinate i. */
static ng_status differentiate(ngi_pool *pool, ng_mat *d, field *f, ng_mat x, ng_mat step,
                               ng_error *error)
{
    static const double weight[4] = {4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280};
    const size_t count = f->value.rows * f->value.cols;
    ng_mat at, flat = ng_f64(f->value.data, 1, count);
    TRY(check_step(step, x, error));
    TRY(ngi_pool_mat(pool, d, x.cols, count, NG_F64, error));
    TRY(ngi_pool_mat(pool, &at, 1, x.cols, NG_F64, error));
    TRY(ng_copy(at, x, error));
    for (size_t i = 0; i < x.cols; i++) {
        ng_mat row = ng_mat_block(*d, i, 0, 1, count);
        double h = ng_mat_get(step, 0, i), centre = ng_mat_get(x, 0, i);
        for (int k = -4; k <= 4; k++) {
            if (k == 0)
                continue;
            ng_mat_set(at, 0, i, centre + k * h);
            TRY(field_at(f, at, error));
            TRY(ng_axpby(row, flat, (k > 0 ? weight[k - 1] : -weight[-k - 1]) / h, 1, error));
        }
        ng_mat_set(at, 0, i, centre);
    }
    return NG_OK;
}

/* Lowers nothing, raises the first index: t (n x n^2) <- g^-1 t. */
static ng_status raise_first(ngi_pool *pool, ng_mat t, ng_mat g, ng_error *error)
{
    ng_mat root;
    TRY(ngi_pool_mat(pool, &root, g.rows, g.rows, NG_F64, error));
    TRY(ng_cholesky(root, NULL, g, error));
    TRY(ng_trsm(t, NG_LEFT, root, NG_NOTRANS, 1, error));
    return ng_trsm(t, NG_LEFT, root, NG_TRANS, 1, error);
}

/* ---- Amari's -------------------------------------------------------------------------- */

/* gamma_ab,c, first index c, from dg (n x n^2, row: the direction) and C or nothing. */
static void lower_alpha(ng_mat gamma, ng_mat dg, ng_mat cubic, double amari_alpha)
{
    const size_t n = gamma.rows;
    for (size_t c = 0; c < n; c++)
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++) {
                double sum = ng_mat_get(dg, a, b * n + c) + ng_mat_get(dg, b, a * n + c) -
                             ng_mat_get(dg, c, a * n + b);
                if (!ngi_is_none(cubic))
                    sum -= amari_alpha * ng_mat_get(cubic, c, a * n + b);
                ng_mat_set(gamma, c, a * n + b, 0.5 * sum);
            }
}

static ng_status alpha(ngi_pool *pool, const ng_alpha_connection *from, ng_mat gamma, ng_mat x,
                       ng_error *error)
{
    const size_t n = x.cols, square = ngi_size_mul(n, n);
    field metric = {from->metric, from->data, "metric", {0}};
    field cubic = {from->cubic, from->data, "cubic tensor", ng_mat_none()};
    ng_mat dg, lower;
    if (!isfinite(from->amari_alpha))
        return ng_error_set(error, NG_EARG, "amari_alpha is not finite");
    TRY(field_open(pool, &metric, x, n, n, error));
    TRY(ngi_check_shape(gamma, "gamma", n, square, NG_F64, error));
    TRY(ngi_pool_mat(pool, &lower, n, square, NG_F64, error));
    TRY(differentiate(pool, &dg, &metric, x, from->step, error));
    TRY(field_at(&metric, x, error));
    if (cubic.fill != NULL) {
        TRY(field_open(pool, &cubic, x, n, square, error));
        TRY(field_at(&cubic, x, error));
    }
    lower_alpha(lower, dg, cubic.value, from->amari_alpha);
    TRY(raise_first(pool, lower, metric.value, error));
    return ngi_copy_result(gamma, lower, "gamma", error);
}

ng_status ng_connection_alpha(void *data, ng_mat gamma, ng_mat x, ng_error *error)
{
    ngi_pool pool = {NULL};
    if (data == NULL)
        return ng_error_set(error, NG_EARG, "the connection's data is NULL");
    return ngi_pool_close(&pool, alpha(&pool, data, gamma, x, error));
}

/* ---- Of a frame ----------------------------------------------------------------------- */

static ng_status of_frame(ngi_pool *pool, const ng_frame_connection *from, ng_mat gamma, ng_mat x,
                          ng_error *error)
{
    const size_t n = x.cols, square = ngi_size_mul(n, n);
    field frame = {from->frame, from->data, "frame", {0}};
    ng_mat d, turned, g, lower; /* turned: row A, column a n + b: d_a e^A_b */
    TRY(field_open(pool, &frame, x, n, n, error));
    TRY(ngi_check_shape(gamma, "gamma", n, square, NG_F64, error));
    TRY(differentiate(pool, &d, &frame, x, from->step, error));
    TRY(field_at(&frame, x, error));
    TRY(ngi_pool_mat(pool, &turned, n, square, NG_F64, error));
    TRY(ngi_pool_mat(pool, &lower, n, square, NG_F64, error));
    TRY(ngi_pool_mat(pool, &g, n, n, NG_F64, error));
    for (size_t a = 0; a < n; a++)
        for (size_t k = 0; k < square; k++)
            ng_mat_set(turned, k / n, a * n + k % n, ng_mat_get(d, a, k));
    TRY(ng_gemm(g, frame.value, NG_TRANS, frame.value, NG_NOTRANS, 1, 0, error));
    TRY(ng_gemm(lower, frame.value, NG_TRANS, turned, NG_NOTRANS, 1, 0, error));
    TRY(raise_first(pool, lower, g, error));
    return ngi_copy_result(gamma, lower, "gamma", error);
}

ng_status ng_connection_frame(void *data, ng_mat gamma, ng_mat x, ng_error *error)
{
    ngi_pool pool = {NULL};
    if (data == NULL)
        return ng_error_set(error, NG_EARG, "the connection's data is NULL");
    return ngi_pool_close(&pool, of_frame(&pool, data, gamma, x, error));
}

/* ---- Curvature ------------------------------------------------------------------------ */

static ng_status curvature(ngi_pool *pool, ng_mat riemann, ng_mat x, ng_mat step, field *gamma,
                           ng_error *error)
{
    const size_t n = x.cols, square = ngi_size_mul(n, n);
    ng_mat d, r, pairs; /* pairs: row a n + c, column d n + b: Gamma^a_cm Gamma^m_db */
    TRY(field_open(pool, gamma, x, n, square, error));
    TRY(ngi_check_shape(riemann, "riemann", square, square, NG_F64, error));
    TRY(differentiate(pool, &d, gamma, x, step, error));
    TRY(field_at(gamma, x, error));
    TRY(ngi_pool_mat(pool, &pairs, square, square, NG_F64, error));
    TRY(ngi_pool_mat(pool, &r, square, square, NG_F64, error));
    TRY(ng_gemm(pairs, ng_f64(gamma->value.data, square, n), NG_NOTRANS, gamma->value, NG_NOTRANS,
                1, 0, error));
    for (size_t ab = 0; ab < square; ab++)
        for (size_t cd = 0; cd < square; cd++) {
            size_t a = ab / n, b = ab % n, i = cd / n, j = cd % n;
            double change =
                ng_mat_get(d, i, a * square + j * n + b) - ng_mat_get(d, j, a * square + i * n + b);
            ng_mat_set(r, ab, cd,
                       change + ng_mat_get(pairs, a * n + i, j * n + b) -
                           ng_mat_get(pairs, a * n + j, i * n + b));
        }
    return ngi_copy_result(riemann, r, "riemann", error);
}

ng_status ng_connection_curvature(ng_mat riemann, ng_mat x, ng_mat step, ng_tensor_fill connection,
                                  void *data, ng_error *error)
{
    ngi_pool pool = {NULL};
    field gamma = {connection, data, "connection", {0}};
    return ngi_pool_close(&pool, curvature(&pool, riemann, x, step, &gamma, error));
}

/* ---- Torsion and non-metricity ----------------------------------------------------------- */

/* lower (n x n^2) <- g_cd Gamma^d_ab */
static ng_status lower_first(ngi_pool *pool, ng_mat *lower, ng_mat gamma, ng_mat g, ng_error *error)
{
    TRY(ngi_check_shape(gamma, "gamma", g.rows, ngi_size_mul(g.rows, g.rows), NG_F64, error));
    TRY(ngi_check_finite(gamma, "gamma", error));
    TRY(ngi_pool_mat(pool, lower, gamma.rows, gamma.cols, NG_F64, error));
    return ng_symm(*lower, NG_LEFT, g, gamma, 1, 0, error);
}

static ng_status torsion_of(ngi_pool *pool, ng_mat torsion, ng_mat gamma, ng_mat g, ng_error *error)
{
    const size_t n = g.rows;
    ng_mat lower, t;
    if (n == 0)
        return ng_error_set(error, NG_ESHAPE, "g has no elements");
    TRY(ngi_check_shape(g, "g", n, n, NG_F64, error));
    TRY(ngi_check_shape(torsion, "torsion", n, ngi_size_mul(n, n), NG_F64, error));
    TRY(ngi_check_finite_lower(g, "g", error));
    TRY(lower_first(pool, &lower, gamma, g, error));
    TRY(ngi_pool_mat(pool, &t, n, n * n, NG_F64, error));
    for (size_t c = 0; c < n; c++)
        for (size_t k = 0; k < n * n; k++)
            ng_mat_set(t, c, k, ng_mat_get(lower, c, k) - ng_mat_get(lower, c, k % n * n + k / n));
    return ngi_copy_result(torsion, t, "torsion", error);
}

ng_status ng_connection_torsion(ng_mat torsion, ng_mat gamma, ng_mat g, ng_error *error)
{
    ngi_pool pool = {NULL};
    return ngi_pool_close(&pool, torsion_of(&pool, torsion, gamma, g, error));
}

static ng_status nonmetricity(ngi_pool *pool, ng_mat q, ng_mat gamma, ng_mat x, ng_mat step,
                              field *metric, ng_error *error)
{
    const size_t n = x.cols;
    ng_mat dg, lower;
    TRY(field_open(pool, metric, x, n, n, error));
    TRY(ngi_check_shape(q, "q", n, ngi_size_mul(n, n), NG_F64, error));
    TRY(differentiate(pool, &dg, metric, x, step, error));
    TRY(field_at(metric, x, error));
    TRY(lower_first(pool, &lower, gamma, metric->value, error));
    for (size_t c = 0; c < n; c++)
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++)
                ng_mat_set(dg, c, a * n + b,
                           ng_mat_get(dg, c, a * n + b) - ng_mat_get(lower, b, c * n + a) -
                               ng_mat_get(lower, a, c * n + b));
    return ngi_copy_result(q, dg, "q", error);
}

ng_status ng_connection_nonmetricity(ng_mat q, ng_mat gamma, ng_mat x, ng_mat step,
                                     ng_tensor_fill metric, void *data, ng_error *error)
{
    ngi_pool pool = {NULL};
    field f = {metric, data, "metric", {0}};
    return ngi_pool_close(&pool, nonmetricity(&pool, q, gamma, x, step, &f, error));
}
