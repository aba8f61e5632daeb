/* Residuals without a matrix: conjugate gradients by products with J, and their
 * preconditioner (natgrad/residuals.h). */
#include "lib/fisher/residuals.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/start.h"

static size_t smaller(const ng_residuals *r)
{
    return r->dual ? r->m : r->n;
}

/* ---- The matrix ----------------------------------------------------------------------- */

/* k rows of either side of J */
typedef struct {
    const ng_residuals *r;
    ng_mat other; /* k x (the larger side), */
    ng_mat own;   /* k x p: scratch */
    double damping;
} product;

/* y <- x S J J^T S, in centred rows without s, which no right side has */
static ng_status dual_product(const product *p, ng_mat y, ng_mat x, ng_error *error)
{
    const ng_residuals *r = p->r;
    ng_mat other = ng_mat_block(p->other, 0, 0, x.rows, r->n);
    ng_mat own = ng_mat_block(p->own, 0, 0, x.rows, r->m);
    TRY(ng_copy(own, x, error));
    ngi_residual_project(r, own);
    ngi_residual_weigh(r, own);
    TRY(ngi_residual_transposed(r, other, own, error));
    TRY(ngi_residual_times(r, y, other, error));
    ngi_residual_weigh(r, y);
    ngi_residual_project(r, y);
    return NG_OK;
}

/* y <- x J^T S^2 J */
static ng_status primal_product(const product *p, ng_mat y, ng_mat x, ng_error *error)
{
    ng_mat other = ng_mat_block(p->other, 0, 0, x.rows, p->r->m);
    TRY(ngi_residual_times(p->r, other, x, error));
    ngi_residual_weigh(p->r, other);
    ngi_residual_weigh(p->r, other);
    return ngi_residual_transposed(p->r, y, other, error);
}

static ng_status apply(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    const product *p = data;
    TRY(p->r->dual ? dual_product(p, y, x, error) : primal_product(p, y, x, error));
    return p->damping > 0 ? ng_axpby(y, x, p->damping, 1, error) : NG_OK;
}

static ng_status open_product(product *p, const ng_residuals *r, size_t k, double damping,
                              ngi_pool *pool, ng_error *error)
{
    p->r = r;
    p->damping = damping;
    TRY(ngi_pool_mat(pool, &p->other, k, r->dual ? r->n : r->m, NG_F64, error));
    return ngi_pool_mat(pool, &p->own, r->dual ? k : 0, smaller(r), NG_F64, error);
}

/* ---- The sketch: Frangella, Tropp and Udell, algorithm 2.1 ------------------------------ */

/* A ~ Y^T (W Y^T)^-1 Y with the test rows W (k x p) and Y = W A; rows of vt and the squares of the
 * singular values of L^-1 (Y + shift W), less the shift, are its eigenvectors and eigenvalues. */
static ng_status sketch(ng_residuals *r, ngi_pool *pool, ng_error *error)
{
    size_t k = r->basis.rows, p = r->basis.cols;
    product a;
    ng_mat w, y, core, u, *basis = &r->basis;
    TRY(open_product(&a, r, k, 0, pool, error));
    TRY(ngi_pool_mat(pool, &w, k, p, NG_F64, error));
    TRY(ngi_pool_mat(pool, &y, k, p, NG_F64, error));
    TRY(ngi_pool_mat(pool, &core, k, k, NG_F64, error));
    TRY(ngi_pool_mat(pool, &u, k, k, NG_F64, error));
    ngi_fill_start(w);
    TRY(ng_svd(u, r->spectrum, *basis, NULL, w, NULL, error)); /* orthonormal test rows */
    TRY(ng_copy(w, *basis, error));
    TRY(apply(&a, y, w, error));
    double shift = sqrt((double)p) * ng_dtype_eps(NG_F64) * ng_norm(y), jitter;
    TRY(ng_axpby(y, w, shift, 1, error));
    TRY(ng_gemm(core, w, NG_NOTRANS, y, NG_TRANS, 1, 0, error));
    TRY(ng_cholesky(u, &jitter, core, error));
    TRY(ng_trsm(y, NG_LEFT, u, NG_NOTRANS, 1, error));
    TRY(ng_svd(core, r->spectrum, *basis, NULL, y, NULL, error));
    double *value = r->spectrum.data;
    for (size_t i = 0; i < k; i++)
        value[i] = fmax(0, value[i] * value[i] - shift);
    return NG_OK;
}

ng_status ngi_residual_sketch(ng_residuals *r, ng_error *error)
{
    size_t p = smaller(r), k = r->solving.sketch < p ? r->solving.sketch : p;
    ngi_pool pool = {NULL};
    free(r->basis.data);
    free(r->spectrum.data);
    r->basis = r->spectrum = ng_mat_none();
    if (k == 0)
        return NG_OK;
    TRY(ngi_mat_create(&r->basis, k, p, NG_F64, error));
    TRY(ngi_mat_create(&r->spectrum, 1, k, NG_F64, error));
    return ngi_pool_close(&pool, sketch(r, &pool, error));
}

/* ---- The solve -------------------------------------------------------------------------- */

/* y <- (l + damping) V (diag + damping)^-1 V^T x + (x - V V^T x), l the last of the diagonal: their
 * equation 1.3 */
static ng_status precondition(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    const product *p = data;
    const ng_residuals *r = p->r;
    const double *value = r->spectrum.data;
    size_t k = r->basis.rows;
    ng_mat c = ng_mat_block(p->own, 0, 0, x.rows, k);
    c.stride = p->own.stride;
    TRY(ng_gemm(c, x, NG_NOTRANS, r->basis, NG_TRANS, 1, 0, error));
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < k; j++) {
            double shrink = (value[k - 1] + r->damping) / (value[j] + r->damping);
            ((double *)c.data)[i * c.stride + j] *= shrink - 1;
        }
    TRY(ng_copy(y, x, error));
    return ng_gemm(y, c, NG_NOTRANS, r->basis, NG_NOTRANS, 1, 1, error);
}

ng_status ngi_residual_iterate(const ng_residuals *r, ng_mat z, ng_mat b, ngi_pool *pool,
                               ng_error *error)
{
    product a, c = {.r = r};
    const ng_operator matrix = {apply, &a}, conditioner = {precondition, &c};
    int sketched = r->basis.rows > 0 && r->damping > 0;
    TRY(open_product(&a, r, 1, r->damping, pool, error));
    TRY(ngi_pool_mat(pool, &c.own, 1, smaller(r), NG_F64, error));
    return ng_cg(z, NULL, b, r->solving.tolerance, r->solving.max_iterations, &matrix,
                 sketched ? &conditioner : NULL, NULL, error);
}
