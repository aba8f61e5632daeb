/* All of F, in its lower triangle. */
#include "lib/fisher/dense.h"

#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

static ng_mat matrix(ng_fisher *f)
{
    return ((ngi_fisher_full *)f)->f;
}

ng_status ng_fisher_create_dense(ng_fisher **f, size_t n, ng_dtype dtype, ng_error *error)
{
    TRY(ngi_fisher_new(f, sizeof(ngi_fisher_full), &ngi_fisher_dense, n, dtype, error));
    return ngi_fisher_built(f, ngi_mat_create(&((ngi_fisher_full *)*f)->f, n, n, dtype, error));
}

static void destroy(ng_fisher *f)
{
    free(matrix(f).data);
}

static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ngi_pool *pool,
                            ng_error *error)
{
    (void)pool;
    return ng_syrk(matrix(f), rows, NG_TRANS, r->add, r->keep, error);
}

static ng_status set(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    ngi_copy_lower(matrix(f), dense);
    return NG_OK;
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error)
{
    (void)pool;
    return ng_symm(y, NG_RIGHT, matrix(f), x, 1, 0, error);
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    ngi_copy_lower(dense, matrix(f));
    ng_mirror(dense);
    return NG_OK;
}

static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                       ng_error *error)
{
    ng_mat l;
    TRY(ngi_pool_mat(pool, &l, f->n, f->n, NG_F64, error));
    ngi_copy_lower(l, matrix(f));
    return ngi_solve_damped(y, x, l, damping, f->dtype, error);
}

/* F's eigenvalues (1 x n) and the rows of its eigenvectors, in double */
static ng_status spectrum(ng_fisher *f, ng_mat *values, ng_mat *vectors, ngi_pool *pool,
                          ng_error *error)
{
    TRY(ngi_pool_mat(pool, vectors, f->n, f->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, values, 1, f->n, NG_F64, error));
    return ngi_eigen_of(*values, *vectors, matrix(f), NULL, error);
}

static double tiny(const ng_fisher *f)
{
    return (double)f->n * ng_dtype_eps(f->dtype);
}

static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ngi_pool *pool, ng_error *error)
{
    ng_mat values, vectors, t;
    TRY(spectrum(f, &values, &vectors, pool, error));
    TRY(ngi_shifted_power(values.data, f->n, exponent, damping, tiny(f), error));
    TRY(ngi_pool_mat(pool, &t, x.rows, f->n, NG_F64, error));
    return ngi_apply_basis(y, x, vectors, values.data, t, error);
}

static ng_status trace(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    *value = ng_trace(matrix(f));
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ngi_pool *pool,
                        ng_error *error)
{
    ng_mat values, vectors;
    TRY(spectrum(f, &values, &vectors, pool, error));
    return ngi_shifted_logdet(value, values.data, f->n, damping, tiny(f), error);
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    size_t n = f->n, k = values.cols;
    ng_mat all, rows;
    TRY(spectrum(f, &all, &rows, pool, error));
    TRY(ng_copy(values, ng_mat_block(all, 0, n - k, 1, k), error));
    return ngi_is_none(vectors) ? NG_OK
                                : ng_copy(vectors, ng_mat_block(rows, n - k, 0, k, n), error);
}

const ngi_fisher_table ngi_fisher_dense = {
    .name = "dense",
    .destroy = destroy,
    .accumulate = accumulate,
    .set = set,
    .mul = mul,
    .to_dense = to_dense,
    .solve = solve,
    .power = power,
    .trace = trace,
    .logdet = logdet,
    .eigen = eigen,
};
