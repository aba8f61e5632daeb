/* F = B^T B by its rows B: the dual side. Solves go through the Gram matrix
 * B B^T (Woodbury) while B has fewer rows than columns, spectra through the
 * singular values of B, which are more accurate than the Gram's eigenvalues. */
#include "lib/fisher/fisher.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

typedef struct {
    ng_fisher base;
    ng_mat b; /* rows x n */
    size_t max_rows;
} lowrank;

static const ngi_fisher_table table;

static ng_mat scores(const ng_fisher *f)
{
    return ((const lowrank *)f)->b;
}

ng_status ng_fisher_create_lowrank(ng_fisher **f, size_t n, size_t max_rows, ng_dtype dtype,
                                   ng_error *error)
{
    if (f != NULL)
        *f = NULL;
    if (max_rows == 0)
        return ng_error_set(error, NG_EARG, "create: max_rows is 0");
    TRY(ngi_fisher_new(f, sizeof(lowrank), &table, n, dtype, error));
    ((lowrank *)*f)->b = (ng_mat){NULL, 0, n, n, dtype};
    ((lowrank *)*f)->max_rows = max_rows;
    return NG_OK;
}

static void destroy(ng_fisher *f)
{
    free(scores(f).data);
}

static size_t rows_kept(const ng_fisher *f)
{
    return scores(f).rows;
}

/* wide <- b in double, gram (lower) <- wide wide^T, or with NG_TRANS wide^T wide */
static ng_status widen(ng_mat *wide, ng_mat *gram, ng_mat b, ng_trans trans, ngi_pool *pool,
                       ng_error *error)
{
    size_t n = trans ? b.cols : b.rows;
    TRY(ngi_pool_mat(pool, wide, b.rows, b.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, gram, n, n, NG_F64, error));
    TRY(ng_copy(*wide, b, error));
    return ng_syrk(*gram, *wide, trans, 1, 0, error);
}

/* small (fewer rows) <- the best factor of B^T B of that rank: the projection
 * of B onto the leading eigenvectors of B B^T */
static ng_status compress(ng_mat small, ng_mat b, ngi_pool *pool, ng_error *error)
{
    ng_mat wide, gram, values, vectors, top;
    size_t k = small.rows;
    TRY(widen(&wide, &gram, b, NG_NOTRANS, pool, error));
    TRY(ngi_pool_mat(pool, &values, 1, b.rows, NG_F64, error));
    TRY(ngi_pool_mat(pool, &vectors, b.rows, b.rows, NG_F64, error));
    TRY(ngi_pool_mat(pool, &top, k, small.cols, NG_F64, error));
    TRY(ng_eigh(values, vectors, NULL, gram, NULL, error));
    TRY(ng_gemm(top, ng_mat_block(vectors, b.rows - k, 0, k, b.rows), NG_NOTRANS, wide, NG_NOTRANS,
                1, 0, error));
    return ng_copy(small, top, error);
}

/* The new scores take the place of the old, unless they could not be filled. */
static ng_status replace(ng_fisher *f, ng_mat b, ng_status filled)
{
    free(filled == NG_OK ? scores(f).data : b.data);
    if (filled == NG_OK)
        ((lowrank *)f)->b = b;
    return filled;
}

/* all <- what is kept of the old scores, and under them the rows */
static ng_status join(ng_mat all, ng_mat old, ng_mat rows, const ngi_fisher_rates *r,
                      ng_error *error)
{
    size_t kept = all.rows - rows.rows;
    if (kept > 0)
        TRY(ng_axpby(ng_mat_block(all, 0, 0, kept, all.cols), old, sqrt(r->keep), 0, error));
    return ng_axpby(ng_mat_block(all, kept, 0, rows.rows, all.cols), rows, sqrt(r->add), 0, error);
}

/* next, of at most as many rows as are kept <- old scores and rows */
static ng_status merge(ng_mat next, ng_mat old, ng_mat rows, const ngi_fisher_rates *r,
                       ngi_pool *pool, ng_error *error)
{
    size_t all_rows = (r->keep > 0 ? old.rows : 0) + rows.rows;
    ng_mat all;
    if (all_rows == next.rows)
        return join(next, old, rows, r, error);
    TRY(ngi_pool_mat(pool, &all, all_rows, next.cols, next.dtype, error));
    TRY(join(all, old, rows, r, error));
    return compress(next, all, pool, error);
}

static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ngi_pool *pool,
                            ng_error *error)
{
    ng_mat old = scores(f), next;
    size_t all = (r->keep > 0 ? old.rows : 0) + rows.rows, max = ((lowrank *)f)->max_rows;
    TRY(ngi_mat_create(&next, all < max ? all : max, f->n, f->dtype, error));
    return replace(f, next, merge(next, old, rows, r, pool, error));
}

/* rows of b <- sqrt(value) vector for the leading eigenvalues */
static ng_status take_leading(ng_mat b, ng_mat values, ng_mat vectors, ng_error *error)
{
    size_t n = b.cols;
    for (size_t i = 0; i < b.rows; i++) {
        ng_mat vector = ng_mat_block(vectors, n - 1 - i, 0, 1, n);
        ng_scale(vector, sqrt(ng_mat_get(values, 0, n - 1 - i)));
        TRY(ng_copy(ng_mat_block(b, i, 0, 1, n), vector, error));
    }
    return NG_OK;
}

static ng_status set(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    ng_mat values, vectors, b;
    size_t n = f->n, rank = 0, max = ((lowrank *)f)->max_rows;
    TRY(ngi_pool_mat(pool, &values, 1, n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &vectors, n, n, NG_F64, error));
    TRY(ngi_eigen_of(values, vectors, dense, NULL, error));
    double least = (double)n * ng_dtype_eps(f->dtype) * ng_mat_get(values, 0, n - 1);
    while (rank < n && rank < max && ng_mat_get(values, 0, n - 1 - rank) > fmax(least, 0))
        rank++;
    TRY(ngi_mat_create(&b, rank, n, f->dtype, error));
    return replace(f, b, take_leading(b, values, vectors, error));
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error)
{
    ng_mat t;
    TRY(ngi_pool_mat(pool, &t, x.rows, scores(f).rows, f->dtype, error));
    TRY(ng_gemm(t, x, NG_NOTRANS, scores(f), NG_TRANS, 1, 0, error));
    return ng_gemm(y, t, NG_NOTRANS, scores(f), NG_NOTRANS, 1, 0, error);
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    (void)pool;
    TRY(ng_syrk(dense, scores(f), NG_TRANS, 1, 0, error));
    ng_mirror(dense);
    return NG_OK;
}

static ng_status gram(ng_fisher *f, ng_mat out, ngi_pool *pool, ng_error *error)
{
    (void)pool;
    return ng_syrk(out, scores(f), NG_NOTRANS, 1, 0, error);
}

/* ---- Through the singular values --------------------------------------------- */

typedef struct {
    ng_mat w; /* 1 x rank: eigenvalues of F, descending; one element more behind them */
    ng_mat v; /* rank x n: their eigenvectors */
    size_t rank;
} spectrum;

static ng_status decompose(spectrum *s, ng_fisher *f, ngi_pool *pool, ng_error *error)
{
    ng_mat b = scores(f), wide, u, all;
    size_t k = b.rows < f->n ? b.rows : f->n;
    s->rank = k;
    TRY(ngi_pool_mat(pool, &s->v, k, f->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &all, 1, k + 1, NG_F64, error));
    TRY(ngi_pool_mat(pool, &wide, b.rows, f->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &u, b.rows, k, NG_F64, error));
    TRY(ng_copy(wide, b, error));
    s->w = ng_mat_block(all, 0, 0, 1, k);
    TRY(ng_svd(u, s->w, s->v, NULL, wide, NULL, error));
    ngi_square(s->w);
    return NG_OK;
}

static double tiny(const ng_fisher *f)
{
    return (double)f->n * ng_dtype_eps(f->dtype);
}

/* Outside the span of B the matrix is damping I: the power acts there as the
 * number damping^exponent, which the element behind the eigenvalues becomes. */
static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ngi_pool *pool, ng_error *error)
{
    spectrum s;
    ng_mat t;
    TRY(decompose(&s, f, pool, error));
    double *w = s.w.data;
    int deficient = s.rank < f->n;
    TRY(ngi_shifted_power(w, s.rank + (deficient ? 1 : 0), exponent, damping, tiny(f), error));
    TRY(ngi_pool_mat(pool, &t, x.rows, s.rank, NG_F64, error));
    for (size_t i = 0; i < s.rank && deficient; i++)
        w[i] -= w[s.rank];
    TRY(ngi_apply_basis(y, x, s.v, w, t, error));
    return deficient ? ng_axpby(y, x, w[s.rank], 1, error) : NG_OK;
}

/* (B^T B + damping I)^-1 x = (x - B^T (B B^T + damping I)^-1 B x) / damping: the
 * difference loses eps / damping of x, which a matrix of fewer rows than columns,
 * of that condition number, asks for anyhow. */
static ng_status woodbury(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                          ng_error *error)
{
    ng_mat wide, gram, bx, c;
    TRY(ngi_pool_mat(pool, &bx, x.rows, scores(f).rows, NG_F64, error));
    TRY(ngi_pool_mat(pool, &c, x.rows, scores(f).rows, NG_F64, error));
    TRY(widen(&wide, &gram, scores(f), NG_NOTRANS, pool, error));
    TRY(ng_gemm(bx, x, NG_NOTRANS, wide, NG_TRANS, 1, 0, error));
    TRY(ngi_solve_damped(c, bx, gram, damping, f->dtype, error));
    TRY(ng_copy(y, x, error));
    return ng_gemm(y, c, NG_NOTRANS, wide, NG_NOTRANS, -1 / damping, 1 / damping, error);
}

/* By Cholesky of the smaller side; where rounding makes that singular, and
 * without damping, by singular values. */
static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                       ng_error *error)
{
    int dual = scores(f).rows < f->n;
    ng_status status = NG_ESINGULAR;
    ng_mat wide, primal;
    if (damping > 0 && dual && isfinite(1 / damping))
        status = woodbury(f, y, x, damping, pool, error);
    else if (damping > 0 && !dual) {
        TRY(widen(&wide, &primal, scores(f), NG_TRANS, pool, error));
        status = ngi_solve_damped(y, x, primal, damping, f->dtype, error);
    }
    return status == NG_ESINGULAR ? power(f, y, x, -1, damping, pool, error) : status;
}

/* The same of S B, which is in double. */
static ng_status solve_sketched(ng_fisher *f, ng_mat y, ng_mat x, double damping,
                                const ng_sketch *sketch, ngi_pool *pool, ng_error *error)
{
    lowrank small = *(const lowrank *)f;
    ng_mat b = scores(f), wide = b;
    TRY(ngi_pool_mat(pool, &small.b, ng_sketch_rows(sketch), f->n, NG_F64, error));
    if (b.dtype != NG_F64) {
        TRY(ngi_pool_mat(pool, &wide, b.rows, b.cols, NG_F64, error));
        TRY(ng_copy(wide, b, error));
    }
    TRY(ng_sketch_apply(sketch, small.b, wide, error));
    if (!ng_is_finite(small.b))
        return ng_error_set(error, NG_ERANGE, "solve_sketched: the sketch of the rows overflows");
    return solve(&small.base, y, x, damping, pool, error);
}

static ng_status trace(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    *value = ng_dot(scores(f), scores(f));
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ngi_pool *pool,
                        ng_error *error)
{
    spectrum s;
    size_t n = f->n;
    TRY(decompose(&s, f, pool, error));
    /* the zero behind the eigenvalues stands for all others */
    TRY(ngi_shifted_logdet(value, s.w.data, s.rank + (s.rank < n ? 1 : 0), damping, tiny(f),
                           error));
    if (s.rank < n)
        *value += (double)(n - s.rank - 1) * log(damping);
    return NG_OK;
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    spectrum s;
    size_t k = values.cols;
    if (!ngi_is_none(vectors) && k > scores(f).rows)
        return ng_error_set(error, NG_EUNSUPPORTED, "eigen: %zu vectors of a matrix of %zu rows", k,
                            scores(f).rows);
    TRY(decompose(&s, f, pool, error));
    for (size_t i = 0; i < k && i < s.rank; i++) {
        ng_mat_set(values, 0, k - 1 - i, ng_mat_get(s.w, 0, i));
        if (!ngi_is_none(vectors))
            TRY(ng_copy(ng_mat_block(vectors, k - 1 - i, 0, 1, f->n),
                        ng_mat_block(s.v, i, 0, 1, f->n), error));
    }
    return NG_OK;
}

static const ngi_fisher_table table = {
    .name = "low-rank",
    .destroy = destroy,
    .accumulate = accumulate,
    .set = set,
    .mul = mul,
    .to_dense = to_dense,
    .gram = gram,
    .rows = rows_kept,
    .solve = solve,
    .solve_sketched = solve_sketched,
    .power = power,
    .trace = trace,
    .logdet = logdet,
    .eigen = eigen,
};
