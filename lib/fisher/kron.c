/* F = P (x) Q (K-FAC). Products use the factors, the rest their eigenbases,
 * which are found when first asked for. */
#include "lib/fisher/kron.h"

#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

static const ngi_fisher_table table;

static ngi_fisher_factored *factored(ng_fisher *f)
{
    return (ngi_fisher_factored *)f;
}

static ng_status build(ngi_fisher_factored *k, size_t m, size_t c, ng_dtype dtype, ng_error *error)
{
    TRY(ngi_mat_create(&k->p, m, m, dtype, error));
    TRY(ngi_mat_create(&k->q, c, c, dtype, error));
    return ngi_kron_basis_new(&k->basis, m, c, error);
}

ng_status ngi_kron_new(ng_fisher **f, const ngi_fisher_table *kind, size_t outputs, size_t inputs,
                       int bias, ng_dtype dtype, ng_error *error)
{
    size_t m = outputs, c = inputs + (bias ? 1 : 0);
    if (f != NULL)
        *f = NULL;
    if (c < inputs || (m > 0 && c > SIZE_MAX / m))
        return ng_error_set(error, NG_ERANGE, "create: %zu x %zu parameters", outputs, inputs);
    TRY(ngi_fisher_new(f, sizeof(ngi_fisher_factored), kind, m * c, dtype, error));
    ngi_fisher_factored *k = factored(*f);
    k->base.outputs = m;
    k->base.inputs = c;
    k->base.bias = bias != 0;
    return ngi_fisher_built(f, build(k, m, c, dtype, error));
}

void ngi_kron_destroy(ng_fisher *f)
{
    free(factored(f)->p.data);
    free(factored(f)->q.data);
    ngi_kron_basis_free(&factored(f)->basis);
}

double ngi_kron_tiny(const ng_fisher *f)
{
    return (double)(f->outputs + f->inputs) * ng_dtype_eps(f->dtype);
}

ng_status ng_fisher_create_kron(ng_fisher **f, size_t outputs, size_t inputs, int bias,
                                ng_dtype dtype, ng_error *error)
{
    return ngi_kron_new(f, &table, outputs, inputs, bias, dtype, error);
}

static ng_status layer(ng_fisher *f, const ngi_fisher_layer *l, const ngi_fisher_rates *r,
                       ngi_pool *pool, ng_error *error)
{
    ngi_fisher_factored *k = factored(f);
    (void)pool;
    k->fresh = 0;
    /* The second product cannot fail where the first did not: shapes are
     * checked, and every size fits the BLAS integer. */
    TRY(ng_syrk(k->p, l->g, NG_TRANS, r->add, r->keep, error));
    return ng_syrk(k->q, l->a_weighted, NG_TRANS, r->add_mean, r->keep_mean, error);
}

static ng_status set_factors(ng_fisher *f, ng_mat p, ng_mat q, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    ngi_copy_lower(factored(f)->p, p);
    ngi_copy_lower(factored(f)->q, q);
    factored(f)->fresh = 0;
    return NG_OK;
}

ng_status ngi_kron_get_factors(ng_fisher *f, ng_mat p, ng_mat q, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    ngi_copy_lower(p, factored(f)->p);
    ngi_copy_lower(q, factored(f)->q);
    ng_mirror(p);
    ng_mirror(q);
    return NG_OK;
}

static ng_mat as_matrix(ng_mat x, size_t i, size_t m, size_t c)
{
    ng_mat row = ng_mat_block(x, i, 0, 1, x.cols);
    ng_mat matrix = {row.data, m, c, c, x.dtype};
    return matrix;
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error)
{
    size_t m = f->outputs, c = f->inputs;
    ng_mat t;
    TRY(ngi_pool_mat(pool, &t, m, c, f->dtype, error));
    for (size_t i = 0; i < x.rows; i++) {
        TRY(ng_symm(t, NG_LEFT, factored(f)->p, as_matrix(x, i, m, c), 1, 0, error));
        TRY(ng_symm(as_matrix(y, i, m, c), NG_RIGHT, factored(f)->q, t, 1, 0, error));
    }
    return NG_OK;
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    size_t m = f->outputs, c = f->inputs;
    ng_mat q;
    TRY(ngi_pool_mat(pool, &q, c, c, f->dtype, error));
    ngi_copy_lower(q, factored(f)->q);
    ng_mirror(q);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j <= i; j++)
            TRY(ng_axpby(ng_mat_block(dense, i * c, j * c, c, c), q,
                         ng_mat_get(factored(f)->p, i, j), 0, error));
    ng_mirror(dense);
    return NG_OK;
}

static ng_status renew(ng_fisher *f, ngi_pool *pool, ng_error *error)
{
    ngi_fisher_factored *k = factored(f);
    if (k->fresh)
        return NG_OK;
    TRY(ngi_kron_diagonalise(&k->basis, k->p, k->q, pool, error));
    k->fresh = 1;
    return NG_OK;
}

static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ngi_pool *pool, ng_error *error)
{
    TRY(renew(f, pool, error));
    return ngi_kron_power(&factored(f)->basis, y, x, exponent, damping, ngi_kron_tiny(f), pool,
                          error);
}

static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                       ng_error *error)
{
    return power(f, y, x, -1, damping, pool, error);
}

static ng_status inverse_layer(ng_fisher *f, ng_mat values, ng_mat a, ng_mat g, double damping,
                               ngi_pool *pool, ng_error *error)
{
    TRY(renew(f, pool, error));
    return ngi_kron_inverse_layer(&factored(f)->basis, values, a, g, damping, ngi_kron_tiny(f),
                                  pool, error);
}

static ng_status trace(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    *value = ng_trace(factored(f)->p) * ng_trace(factored(f)->q);
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ngi_pool *pool,
                        ng_error *error)
{
    TRY(renew(f, pool, error));
    return ngi_shifted_logdet(value, factored(f)->basis.w.data, f->n, damping, ngi_kron_tiny(f),
                              error);
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    TRY(renew(f, pool, error));
    return ngi_kron_eigen(&factored(f)->basis, values, vectors, pool, error);
}

static const ngi_fisher_table table = {
    .name = "kron",
    .destroy = ngi_kron_destroy,
    .layer = layer,
    .set_factors = set_factors,
    .get_factors = ngi_kron_get_factors,
    .mul = mul,
    .to_dense = to_dense,
    .solve = solve,
    .power = power,
    .inverse_layer = inverse_layer,
    .trace = trace,
    .logdet = logdet,
    .eigen = eigen,
};
