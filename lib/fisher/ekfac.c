/* EKFAC: the Kronecker eigenbasis with a diagonal estimated from the scores. */
#include "lib/fisher/kron.h"

#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/linalg/eigenbasis.h"

static const ngi_fisher_table table;

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
    ng_status status = ngi_kron_new(f, &table, outputs, inputs, bias, dtype, error);
    if (status == NG_OK)
        factored(*f)->refresh = refresh;
    return status;
}

/* out (rows x n) <- the squares of rows basis^T, in double */
static ng_status squared_in(ng_mat *out, ng_mat rows, ng_mat basis, ng_error *error)
{
    ng_mat wide;
    out->data = NULL;
    ng_status status = ngi_mat_create(&wide, rows.rows, rows.cols, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(out, rows.rows, basis.rows, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(wide, rows, error);
    if (status == NG_OK)
        status = ng_gemm(*out, wide, NG_NOTRANS, basis, NG_TRANS, 1, 0, error);
    if (status == NG_OK)
        ngi_square(*out);
    free(wide.data);
    return status;
}

/* next->w <- the diagonal, in the basis of next, of the F that old describes */
static ng_status carry(ngi_kron_basis *next, const ngi_kron_basis *old, ng_error *error)
{
    ng_work work;
    ng_status status =
        ng_work_create(&work, ngi_basis_carry_work(old->w.rows, old->w.cols, NG_F64), error);
    if (status == NG_OK)
        status = ng_copy(next->w, old->w, error);
    if (status == NG_OK)
        status = ngi_basis_carry(next->w, next->u, next->v, old->u, old->v, &work, error);
    ng_work_destroy(&work);
    return status;
}

/* w <- keep w + add sum over rows of (u g)_i^2 (v a)_j^2 */
static ng_status estimate(ngi_kron_basis *b, const ngi_fisher_layer *l, const ngi_fisher_rates *r,
                          ng_error *error)
{
    ng_mat g, a = {NULL, 0, 0, 0, NG_F64};
    ng_status status = squared_in(&g, l->g, b->u, error);
    if (status == NG_OK)
        status = squared_in(&a, l->a, b->v, error);
    if (status == NG_OK)
        status = ng_gemm(b->w, g, NG_TRANS, a, NG_NOTRANS, r->add, r->keep, error);
    free(g.data);
    free(a.data);
    return status;
}

/* The basis for the factors p and q, w that of the old F. */
static ng_status next_basis(ngi_kron_basis *next, ng_fisher *f, ng_mat p, ng_mat q, ng_error *error)
{
    const ngi_fisher_factored *k = factored(f);
    if (k->counts % k->refresh == 0) {
        ng_status status = ngi_kron_diagonalise(next, p, q, error);
        return status != NG_OK ? status : carry(next, &k->basis, error);
    }
    ng_copy(next->u, k->basis.u, NULL);
    ng_copy(next->v, k->basis.v, NULL);
    return ng_copy(next->w, k->basis.w, error);
}

static void commit(ng_fisher *f, ng_mat p, ng_mat q, ngi_kron_basis *next)
{
    ngi_fisher_factored *k = factored(f);
    ngi_kron_destroy(f);
    k->p = p;
    k->q = q;
    k->basis = *next;
}

static ng_status layer(ng_fisher *f, const ngi_fisher_layer *l, const ngi_fisher_rates *r,
                       ng_error *error)
{
    ngi_kron_basis next = {.u = {.data = NULL}};
    ng_mat p, q = {NULL, 0, 0, 0, NG_F64};
    ng_status status = ngi_mat_create(&p, f->outputs, f->outputs, f->dtype, error);
    if (status == NG_OK)
        status = ngi_mat_create(&q, f->inputs, f->inputs, f->dtype, error);
    if (status == NG_OK)
        status = ngi_kron_basis_new(&next, f->outputs, f->inputs, error);
    if (status == NG_OK) {
        ngi_copy_lower(p, factored(f)->p);
        ngi_copy_lower(q, factored(f)->q);
        status = ng_syrk(p, l->g, NG_TRANS, r->add, r->keep, error);
    }
    if (status == NG_OK)
        status = ng_syrk(q, l->a_weighted, NG_TRANS, r->add_mean, r->keep_mean, error);
    if (status == NG_OK)
        status = next_basis(&next, f, p, q, error);
    if (status == NG_OK)
        status = estimate(&next, l, r, error);
    if (status == NG_OK) {
        commit(f, p, q, &next);
        factored(f)->counts++;
        return NG_OK;
    }
    free(p.data);
    free(q.data);
    ngi_kron_basis_free(&next);
    return status;
}

/* w <- keep w + add sum over rows of (u S v^T)^2, S the row as an m x c matrix */
static ng_status add_scores(ng_mat w, const ngi_kron_basis *b, ng_mat rows,
                            const ngi_fisher_rates *r, ng_error *error)
{
    size_t m = w.rows, c = w.cols;
    ng_mat s, t = {NULL, 0, 0, 0, NG_F64};
    ng_status status = ngi_mat_create(&s, m, c, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&t, m, c, NG_F64, error);
    if (status == NG_OK)
        status = ng_axpby(w, b->w, r->keep, 0, error);
    for (size_t i = 0; i < rows.rows && status == NG_OK; i++) {
        ng_copy(ng_f64(s.data, 1, m * c), ng_mat_block(rows, i, 0, 1, m * c), NULL);
        status = ng_gemm(t, b->u, NG_NOTRANS, s, NG_NOTRANS, 1, 0, error);
        if (status == NG_OK)
            status = ng_gemm(s, t, NG_NOTRANS, b->v, NG_TRANS, 1, 0, error);
        ngi_square(s);
        ng_axpby(w, s, r->add, 1, NULL);
    }
    if (status == NG_OK && !ng_is_finite(w))
        status = ng_error_set(error, NG_ERANGE, "squares of the scores overflow the data type");
    free(s.data);
    free(t.data);
    return status;
}

/* The diagonal of the scores in the basis there is: exact, also where a weight is
 * used many times in one sample. P and Q stand still. */
static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ng_error *error)
{
    ngi_fisher_factored *k = factored(f);
    ng_mat w;
    if (!f->has_data)
        return ng_error_set(error, NG_ENODATA,
                            "accumulate: no basis before layer statistics or factors");
    ng_status status = ngi_mat_create(&w, f->outputs, f->inputs, NG_F64, error);
    if (status == NG_OK)
        status = add_scores(w, &k->basis, rows, r, error);
    if (status != NG_OK) {
        free(w.data);
        return status;
    }
    free(k->basis.w.data);
    k->basis.w = w;
    return NG_OK;
}

static ng_status set_factors(ng_fisher *f, ng_mat p, ng_mat q, ng_error *error)
{
    ngi_kron_basis next;
    ng_status status = ngi_kron_basis_new(&next, f->outputs, f->inputs, error);
    if (status == NG_OK)
        status = ngi_kron_diagonalise(&next, p, q, error);
    if (status != NG_OK) {
        ngi_kron_basis_free(&next);
        return status;
    }
    ngi_kron_basis_free(&factored(f)->basis);
    factored(f)->basis = next;
    factored(f)->counts = 0;
    ngi_copy_lower(factored(f)->p, p);
    ngi_copy_lower(factored(f)->q, q);
    return NG_OK;
}

static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ng_error *error)
{
    return ngi_kron_power(&factored(f)->basis, y, x, exponent, damping, ngi_kron_tiny(f), error);
}

static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    return power(f, y, x, -1, damping, error);
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ng_error *error)
{
    ng_mat from, to = {NULL, 0, 0, 0, NG_F64};
    ng_status status = ngi_mat_create(&from, x.rows, x.cols, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&to, x.rows, x.cols, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(from, x, error);
    if (status == NG_OK)
        status = power(f, to, from, 1, 0, error);
    if (status == NG_OK)
        status = ng_copy(y, to, error);
    free(from.data);
    free(to.data);
    return status;
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ng_error *error)
{
    ng_mat one;
    ng_status status = ngi_mat_create(&one, f->n, f->n, f->dtype, error);
    if (status == NG_OK) {
        ng_set_identity(one);
        status = mul(f, dense, one, error);
    }
    if (status == NG_OK)
        ng_mirror(dense);
    free(one.data);
    return status;
}

static ng_status trace(ng_fisher *f, double *value, ng_error *error)
{
    const double *w = factored(f)->basis.w.data;
    (void)error;
    *value = 0;
    for (size_t i = 0; i < f->n; i++)
        *value += w[i];
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ng_error *error)
{
    return ngi_shifted_logdet(value, factored(f)->basis.w.data, f->n, damping, ngi_kron_tiny(f),
                              error);
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ng_error *error)
{
    return ngi_kron_eigen(&factored(f)->basis, values, vectors, error);
}

static const ngi_fisher_table table = {
    .name = "ekfac",
    .destroy = ngi_kron_destroy,
    .accumulate = accumulate,
    .layer = layer,
    .set_factors = set_factors,
    .mul = mul,
    .to_dense = to_dense,
    .solve = solve,
    .power = power,
    .trace = trace,
    .logdet = logdet,
    .eigen = eigen,
};
