/* EKFAC: the Kronecker eigenbasis with a diagonal estimated from the scores. */
#include "lib/fisher/kron.h"

#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

static const ngi_fisher_table table;

enum { SLACK = 64 }; /* natgrad/work.h: of a block that may not be aligned */

static ngi_fisher_factored *factored(ng_fisher *f)
{
    return (ngi_fisher_factored *)f;
}

ng_status ng_fisher_create_ekfac(ng_fisher **f, size_t outputs, size_t inputs, int bias,
                                 size_t refresh, ng_dtype dtype, ng_error *error)
{
    if (f != NULL)
        *f = NULL;
    if (refresh == 0)
        return ng_error_set(error, NG_EARG, "create: refresh is 0");
    TRY(ngi_kron_new(f, &table, outputs, inputs, bias, dtype, error));
    factored(*f)->refresh = refresh;
    return NG_OK;
}

/* next->w <- the diagonal, in the basis of next, of the F that old describes */
static ng_status carry(ngi_kron_basis *next, const ngi_kron_basis *old, ngi_pool *pool,
                       ng_error *error)
{
    size_t size = ngi_basis_carry_work(old->w.rows, old->w.cols, NG_F64);
    void *bytes;
    TRY(ngi_pool_array(pool, &bytes, ngi_size_add(size, SLACK), 1, "bytes", error));
    ng_work work = ng_work_on(bytes, size + SLACK);
    TRY(ng_copy(next->w, old->w, error));
    return ngi_basis_carry(next->w, next->u, next->v, old->u, old->v, &work, error);
}

/* y <- x in double, and scratch of the same shape */
static ng_status widen(ng_mat *y, ng_mat *scratch, ng_mat x, ngi_pool *pool, ng_error *error)
{
    TRY(ngi_pool_mat(pool, y, x.rows, x.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, scratch, x.rows, x.cols, NG_F64, error));
    return ng_copy(*y, x, error);
}

/* w <- keep w + add sum over rows of (u g)_i^2 (v a)_j^2 */
static ng_status estimate(ngi_kron_basis *b, const ngi_fisher_layer *l, const ngi_fisher_rates *r,
                          ngi_pool *pool, ng_error *error)
{
    ng_mat g, a, of_g, of_a;
    TRY(widen(&g, &of_g, l->g, pool, error));
    TRY(widen(&a, &of_a, l->a, pool, error));
    return ngi_basis_moments(b->w, g, a, b->u, b->v, 1, r->add, r->keep, of_g, of_a, error);
}

/* The basis for the factors p and q, w that of the old F. */
static ng_status next_basis(ngi_kron_basis *next, ng_fisher *f, ng_mat p, ng_mat q, ngi_pool *pool,
                            ng_error *error)
{
    const ngi_fisher_factored *k = factored(f);
    if (k->counts % k->refresh == 0) {
        TRY(ngi_kron_diagonalise(next, p, q, pool, error));
        return carry(next, &k->basis, pool, error);
    }
    TRY(ng_copy(next->u, k->basis.u, error));
    TRY(ng_copy(next->v, k->basis.v, error));
    return ng_copy(next->w, k->basis.w, error);
}

/* What an accumulation makes, before it takes the place of the old. */
typedef struct {
    ng_mat p, q;
    ngi_kron_basis basis;
} successor;

static ng_status succeed(successor *s, ng_fisher *f, const ngi_fisher_layer *l,
                         const ngi_fisher_rates *r, ngi_pool *pool, ng_error *error)
{
    TRY(ngi_mat_create(&s->p, f->outputs, f->outputs, f->dtype, error));
    TRY(ngi_mat_create(&s->q, f->inputs, f->inputs, f->dtype, error));
    TRY(ngi_kron_basis_new(&s->basis, f->outputs, f->inputs, error));
    ngi_copy_lower(s->p, factored(f)->p);
    ngi_copy_lower(s->q, factored(f)->q);
    TRY(ng_syrk(s->p, l->g, NG_TRANS, r->add, r->keep, error));
    TRY(ng_syrk(s->q, l->a_weighted, NG_TRANS, r->add_mean, r->keep_mean, error));
    TRY(next_basis(&s->basis, f, s->p, s->q, pool, error));
    return estimate(&s->basis, l, r, pool, error);
}

/* s <- what f has, and the other way */
static void exchange(ng_fisher *f, successor *s)
{
    ngi_fisher_factored *k = factored(f);
    successor old = {k->p, k->q, k->basis};
    k->p = s->p;
    k->q = s->q;
    k->basis = s->basis;
    *s = old;
}

static ng_status layer(ng_fisher *f, const ngi_fisher_layer *l, const ngi_fisher_rates *r,
                       ngi_pool *pool, ng_error *error)
{
    successor s = {.p = ng_mat_none(), .q = ng_mat_none()};
    ng_status status = succeed(&s, f, l, r, pool, error);
    if (status == NG_OK) {
        exchange(f, &s);
        factored(f)->counts++;
    }
    free(s.p.data);
    free(s.q.data);
    ngi_kron_basis_free(&s.basis);
    return status;
}

/* w <- keep w + add sum over rows of (u S v^T)^2, S the row as an m x c matrix */
static ng_status add_scores(ng_mat w, const ngi_kron_basis *b, ng_mat rows,
                            const ngi_fisher_rates *r, ngi_pool *pool, ng_error *error)
{
    size_t m = w.rows, c = w.cols;
    ng_mat s, t;
    TRY(ngi_pool_mat(pool, &s, m, c, NG_F64, error));
    TRY(ngi_pool_mat(pool, &t, m, c, NG_F64, error));
    TRY(ng_axpby(w, b->w, r->keep, 0, error));
    for (size_t i = 0; i < rows.rows; i++) {
        TRY(ng_copy(ng_f64(s.data, 1, m * c), ng_mat_block(rows, i, 0, 1, m * c), error));
        TRY(ngi_basis_rotate(s, b->u, b->v, 0, t, error));
        ngi_square(s);
        TRY(ng_axpby(w, s, r->add, 1, error));
    }
    if (!ng_is_finite(w))
        return ng_error_set(error, NG_ERANGE, "squares of the scores overflow the data type");
    return NG_OK;
}

/* The diagonal of the scores in the basis there is: exact, also where a weight is
 * used many times in one sample. P and Q stand still. */
static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ngi_pool *pool,
                            ng_error *error)
{
    ngi_fisher_factored *k = factored(f);
    ng_mat w;
    if (!f->has_data)
        return ng_error_set(error, NG_ENODATA,
                            "accumulate: no basis before layer statistics or factors");
    TRY(ngi_pool_mat(pool, &w, f->outputs, f->inputs, NG_F64, error));
    TRY(add_scores(w, &k->basis, rows, r, pool, error));
    return ng_copy(k->basis.w, w, error);
}

static ng_status set_factors(ng_fisher *f, ng_mat p, ng_mat q, ngi_pool *pool, ng_error *error)
{
    ngi_kron_basis next = {ng_mat_none(), ng_mat_none(), ng_mat_none()};
    TRY(ngi_pool_mat(pool, &next.u, f->outputs, f->outputs, NG_F64, error));
    TRY(ngi_pool_mat(pool, &next.v, f->inputs, f->inputs, NG_F64, error));
    TRY(ngi_pool_mat(pool, &next.w, f->outputs, f->inputs, NG_F64, error));
    TRY(ngi_kron_diagonalise(&next, p, q, pool, error));
    ngi_fisher_factored *k = factored(f);
    ng_copy(k->basis.u, next.u, NULL); /* alike: nothing can fail any more */
    ng_copy(k->basis.v, next.v, NULL);
    ng_copy(k->basis.w, next.w, NULL);
    ngi_copy_lower(k->p, p);
    ngi_copy_lower(k->q, q);
    k->counts = 0;
    return NG_OK;
}

static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ngi_pool *pool, ng_error *error)
{
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
    return ngi_kron_inverse_layer(&factored(f)->basis, values, a, g, damping, ngi_kron_tiny(f),
                                  pool, error);
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error)
{
    ng_mat from, to;
    TRY(ngi_pool_mat(pool, &from, x.rows, x.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, &to, x.rows, x.cols, NG_F64, error));
    TRY(ng_copy(from, x, error));
    TRY(power(f, to, from, 1, 0, pool, error));
    return ng_copy(y, to, error);
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    ng_mat one;
    TRY(ngi_pool_mat(pool, &one, f->n, f->n, f->dtype, error));
    ng_set_identity(one);
    TRY(mul(f, dense, one, pool, error));
    ng_mirror(dense);
    return NG_OK;
}

static ng_status trace(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error)
{
    const double *w = factored(f)->basis.w.data;
    (void)pool, (void)error;
    *value = 0;
    for (size_t i = 0; i < f->n; i++)
        *value += w[i];
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ngi_pool *pool,
                        ng_error *error)
{
    (void)pool;
    return ngi_shifted_logdet(value, factored(f)->basis.w.data, f->n, damping, ngi_kron_tiny(f),
                              error);
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    return ngi_kron_eigen(&factored(f)->basis, values, vectors, pool, error);
}

static const ngi_fisher_table table = {
    .name = "ekfac",
    .destroy = ngi_kron_destroy,
    .accumulate = accumulate,
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
