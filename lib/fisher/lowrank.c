/* F = B^T B by its rows B: the dual side. Solves go through the Gram matrix
 * B B^T (Woodbury), spectra through the singular values of B, which are more
 * accurate than the Gram's eigenvalues. */
#include "lib/fisher/fisher.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"

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
    ng_status status = ngi_fisher_new(f, sizeof(lowrank), &table, n, dtype, error);
    if (status != NG_OK)
        return status;
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

/* wide <- b in double, gram (lower) <- wide wide^T; both to be freed. */
static ng_status widen(ng_mat *wide, ng_mat *gram, ng_mat b, ng_error *error)
{
    gram->data = NULL;
    ng_status status = ngi_mat_create(wide, b.rows, b.cols, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(gram, b.rows, b.rows, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(*wide, b, error);
    return status != NG_OK ? status : ng_syrk(*gram, *wide, NG_NOTRANS, 1, 0, error);
}

/* small (fewer rows) <- the best factor of B^T B of that rank: the projection
 * of B onto the leading eigenvectors of B B^T */
static ng_status compress(ng_mat small, ng_mat b, ng_error *error)
{
    ng_mat wide, gram, values = {NULL, 0, 0, 0, NG_F64}, vectors = values, top = values;
    ng_status status = widen(&wide, &gram, b, error);
    if (status == NG_OK)
        status = ngi_mat_create(&values, 1, b.rows, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&vectors, b.rows, b.rows, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&top, small.rows, small.cols, NG_F64, error);
    if (status == NG_OK)
        status = ng_eigh(values, vectors, NULL, gram, NULL, error);
    if (status == NG_OK)
        status = ng_gemm(top,
                         ng_mat_block(vectors, b.rows - small.rows, 0, small.rows, b.rows),
                         NG_NOTRANS, wide, NG_NOTRANS, 1, 0, error);
    if (status == NG_OK)
        status = ng_copy(small, top, error);
    free(wide.data), free(gram.data), free(values.data), free(vectors.data), free(top.data);
    return status;
}

static void replace(ng_fisher *f, ng_mat b)
{
    free(scores(f).data);
    ((lowrank *)f)->b = b;
}

static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ng_error *error)
{
    ng_mat old = scores(f), next, small;
    size_t kept = r->keep > 0 ? old.rows : 0, max = ((lowrank *)f)->max_rows;
    ng_status status = ngi_mat_create(&next, kept + rows.rows, f->n, f->dtype, error);
    if (status != NG_OK)
        return status;
    ng_mat before = ng_mat_block(next, 0, 0, kept, f->n);
    ng_mat fresh = ng_mat_block(next, kept, 0, rows.rows, f->n);
    if (kept > 0)
        ng_axpby(before, old, sqrt(r->keep), 0, NULL);
    ng_axpby(fresh, rows, sqrt(r->add), 0, NULL);
    if (next.rows > max) {
        status = ngi_mat_create(&small, max, f->n, f->dtype, error);
        if (status == NG_OK)
            status = compress(small, next, error);
        free(next.data);
        next = small;
    }
    if (status == NG_OK)
        replace(f, next);
    else
        free(next.data);
    return status;
}

/* b <- rows sqrt(value) vector for the leading eigenvalues above rounding */
static ng_status take_leading(ng_mat *b, ng_fisher *f, ng_mat values, ng_mat vectors,
                              ng_error *error)
{
    size_t n = f->n, rank = 0, max = ((lowrank *)f)->max_rows;
    double least = (double)n * ng_dtype_eps(f->dtype) * ng_mat_get(values, 0, n - 1);
    while (rank < n && rank < max && ng_mat_get(values, 0, n - 1 - rank) > fmax(least, 0))
        rank++;
    ng_status status = ngi_mat_create(b, rank, n, f->dtype, error);
    for (size_t i = 0; i < rank && status == NG_OK; i++) {
        ng_mat vector = ng_mat_block(vectors, n - 1 - i, 0, 1, n);
        ng_scale(vector, sqrt(ng_mat_get(values, 0, n - 1 - i)));
        status = ng_copy(ng_mat_block(*b, i, 0, 1, n), vector, error);
    }
    return status;
}

static ng_status set(ng_fisher *f, ng_mat dense, ng_error *error)
{
    ng_mat wide, values = {NULL, 0, 0, 0, NG_F64}, vectors = values, b;
    ng_status status = ngi_mat_create(&wide, f->n, f->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&values, 1, f->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_mat_create(&vectors, f->n, f->n, NG_F64, error);
    if (status == NG_OK) {
        ngi_copy_lower(wide, dense);
        status = ng_eigh(values, vectors, NULL, wide, NULL, error);
    }
    if (status == NG_OK)
        status = take_leading(&b, f, values, vectors, error);
    if (status == NG_OK)
        replace(f, b);
    free(wide.data), free(values.data), free(vectors.data);
    return status;
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ng_error *error)
{
    ng_mat t;
    ng_status status = ngi_mat_create(&t, x.rows, scores(f).rows, f->dtype, error);
    if (status == NG_OK)
        status = ng_gemm(t, x, NG_NOTRANS, scores(f), NG_TRANS, 1, 0, error);
    if (status == NG_OK)
        status = ng_gemm(y, t, NG_NOTRANS, scores(f), NG_NOTRANS, 1, 0, error);
    free(t.data);
    return status;
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ng_error *error)
{
    ng_status status = ng_syrk(dense, scores(f), NG_TRANS, 1, 0, error);
    if (status == NG_OK)
        ng_mirror(dense);
    return status;
}

static ng_status gram(ng_fisher *f, ng_mat out, ng_error *error)
{
    return ng_syrk(out, scores(f), NG_NOTRANS, 1, 0, error);
}

/* ---- Through the singular values --------------------------------------------- */

typedef struct {
    ng_work work;
    ng_mat w; /* 1 x rank: eigenvalues of F, descending; one element more behind them */
    ng_mat v; /* rank x n: their eigenvectors */
    size_t rank;
} spectrum;

static ng_status open_spectrum(spectrum *s, ng_fisher *f, ng_error *error)
{
    ng_mat b = scores(f), wide, u, all;
    size_t k = b.rows < f->n ? b.rows : f->n;
    size_t size = ngi_size_mul(2, ng_work_mat_size(b.rows, f->n, NG_F64));
    size = ngi_size_add(size, ng_work_mat_size(b.rows, k, NG_F64));
    size = ngi_size_add(size, ng_work_mat_size(1, k + 1, NG_F64));
    size = ngi_size_add(size, ng_svd_work(b.rows, f->n, NG_F64));
    s->rank = k;
    ng_status status = ng_work_create(&s->work, size, error);
    if (status == NG_OK)
        status = ng_work_mat(&s->work, &s->v, k, f->n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(&s->work, &all, 1, k + 1, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(&s->work, &wide, b.rows, f->n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(&s->work, &u, b.rows, k, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(wide, b, error);
    if (status != NG_OK)
        return status;
    s->w = ng_mat_block(all, 0, 0, 1, k);
    status = ng_svd(u, s->w, s->v, NULL, wide, &s->work, error);
    double *w = all.data;
    for (size_t i = 0; i < k && status == NG_OK; i++)
        w[i] *= w[i];
    w[k] = 0;
    return status;
}

static double tiny(const ng_fisher *f)
{
    return (double)f->n * ng_dtype_eps(f->dtype);
}

/* Outside the span of B the matrix is damping I: the power acts there as the
 * number damping^exponent, which the element behind the eigenvalues becomes. */
static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ng_error *error)
{
    spectrum s;
    ng_mat t = {NULL, 0, 0, 0, NG_F64};
    ng_status status = open_spectrum(&s, f, error);
    double *w = s.w.data;
    int deficient = s.rank < f->n;
    if (status == NG_OK)
        status = ngi_shifted_power(w, s.rank + (deficient ? 1 : 0), exponent, damping, tiny(f),
                                   error);
    if (status == NG_OK)
        status = ngi_mat_create(&t, x.rows, s.rank, NG_F64, error);
    if (status == NG_OK && deficient)
        for (size_t i = 0; i < s.rank; i++)
            w[i] -= w[s.rank];
    if (status == NG_OK)
        status = ngi_apply_basis(y, x, s.v, w, t, error);
    if (status == NG_OK && deficient)
        status = ng_axpby(y, x, w[s.rank], 1, error);
    free(t.data);
    ng_work_destroy(&s.work);
    return status;
}

/* (B^T B + damping I)^-1 x = (x - B^T (B B^T + damping I)^-1 B x) / damping */
static ng_status woodbury(ng_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    ng_mat wide, l, c = {NULL, 0, 0, 0, NG_F64};
    ng_status status = widen(&wide, &l, scores(f), error);
    if (status == NG_OK)
        status = ngi_factor_damped(l, damping, f->dtype, error);
    if (status == NG_OK)
        status = ngi_mat_create(&c, x.rows, wide.rows, NG_F64, error);
    if (status == NG_OK)
        status = ng_gemm(c, x, NG_NOTRANS, wide, NG_TRANS, 1, 0, error);
    if (status == NG_OK)
        status = ng_trsm(c, NG_RIGHT, l, NG_TRANS, 1, error);
    if (status == NG_OK)
        status = ng_trsm(c, NG_RIGHT, l, NG_NOTRANS, 1, error);
    if (status == NG_OK)
        status = ng_copy(y, x, error);
    if (status == NG_OK)
        status = ng_gemm(y, c, NG_NOTRANS, wide, NG_NOTRANS, -1 / damping, 1 / damping, error);
    free(wide.data), free(l.data), free(c.data);
    return status;
}

static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    if (damping > 0 && isfinite(1 / damping))
        return woodbury(f, y, x, damping, error);
    return power(f, y, x, -1, damping, error);
}

static ng_status trace(ng_fisher *f, double *value, ng_error *error)
{
    (void)error;
    *value = ng_dot(scores(f), scores(f));
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ng_error *error)
{
    spectrum s;
    size_t n = f->n;
    ng_status status = open_spectrum(&s, f, error);
    if (status == NG_OK) /* the zero behind the eigenvalues stands for all others */
        status = ngi_shifted_logdet(value, s.w.data, s.rank + (s.rank < n ? 1 : 0), damping,
                                    tiny(f), error);
    if (status == NG_OK && s.rank < n)
        *value += (double)(n - s.rank - 1) * log(damping);
    ng_work_destroy(&s.work);
    return status;
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ng_error *error)
{
    spectrum s;
    size_t k = values.cols;
    if (vectors.data != NULL && k > scores(f).rows)
        return ng_error_set(error, NG_EUNSUPPORTED, "eigen: %zu vectors of a matrix of %zu rows", k,
                            scores(f).rows);
    ng_status status = open_spectrum(&s, f, error);
    for (size_t i = 0; i < k && i < s.rank && status == NG_OK; i++) {
        ng_mat_set(values, 0, k - 1 - i, ng_mat_get(s.w, 0, i));
        if (vectors.data != NULL)
            status = ng_copy(ng_mat_block(vectors, k - 1 - i, 0, 1, f->n),
                             ng_mat_block(s.v, i, 0, 1, f->n), error);
    }
    ng_work_destroy(&s.work);
    return status;
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
    .power = power,
    .trace = trace,
    .logdet = logdet,
    .eigen = eigen,
};
