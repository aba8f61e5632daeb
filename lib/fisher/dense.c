/* All of F, in its lower triangle. */
#include "lib/fisher/dense.h"

#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"

static ng_mat matrix(ng_fisher *f)
{
    return ((ngi_fisher_full *)f)->f;
}

ng_status ng_fisher_create_dense(ng_fisher **f, size_t n, ng_dtype dtype, ng_error *error)
{
    ng_status status = ngi_fisher_new(f, sizeof(ngi_fisher_full), &ngi_fisher_dense, n, dtype, error);
    if (status == NG_OK)
        status = ngi_mat_create(&((ngi_fisher_full *)*f)->f, n, n, dtype, error);
    if (status != NG_OK && f != NULL) {
        ng_fisher_destroy(*f);
        *f = NULL;
    }
    return status;
}

static void destroy(ng_fisher *f)
{
    free(matrix(f).data);
}

static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ng_error *error)
{
    return ng_syrk(matrix(f), rows, NG_TRANS, r->add, r->keep, error);
}

static ng_status set(ng_fisher *f, ng_mat dense, ng_error *error)
{
    (void)error;
    ngi_copy_lower(matrix(f), dense);
    return NG_OK;
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ng_error *error)
{
    return ng_symm(y, NG_RIGHT, matrix(f), x, 1, 0, error);
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ng_error *error)
{
    (void)error;
    ngi_copy_lower(dense, matrix(f));
    ng_mirror(dense);
    return NG_OK;
}

/* y <- x (L L^T)^-1 row by row is x L^-T L^-1 */
static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    ng_mat l;
    ng_status status = ngi_mat_create(&l, f->n, f->n, NG_F64, error);
    if (status != NG_OK)
        return status;
    ngi_copy_lower(l, matrix(f));
    status = ngi_factor_damped(l, damping, f->dtype, error);
    if (status == NG_OK)
        status = ng_copy(y, x, error);
    if (status == NG_OK)
        status = ng_trsm(y, NG_RIGHT, l, NG_TRANS, 1, error);
    if (status == NG_OK)
        status = ng_trsm(y, NG_RIGHT, l, NG_NOTRANS, 1, error);
    free(l.data);
    return status;
}

/* F in double, its eigenvalues and the rows of its eigenvectors, on one workspace. */
typedef struct {
    ng_work work;
    ng_mat values, vectors;
} spectrum;

static ng_status open_spectrum(spectrum *s, ng_fisher *f, ng_error *error)
{
    size_t n = f->n, square = ng_work_mat_size(n, n, NG_F64);
    size_t size = ngi_size_add(ngi_size_mul(2, square), ng_work_mat_size(1, n, NG_F64));
    ng_mat wide;
    ng_status status =
        ng_work_create(&s->work, ngi_size_add(size, ng_eigh_work(n, NG_F64)), error);
    if (status == NG_OK)
        status = ng_work_mat(&s->work, &s->vectors, n, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(&s->work, &s->values, 1, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(&s->work, &wide, n, n, NG_F64, error);
    if (status != NG_OK)
        return status;
    ngi_copy_lower(wide, matrix(f));
    return ng_eigh(s->values, s->vectors, NULL, wide, &s->work, error);
}

static double tiny(const ng_fisher *f)
{
    return (double)f->n * ng_dtype_eps(f->dtype);
}

static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ng_error *error)
{
    spectrum s;
    ng_mat t = {NULL, 0, 0, 0, NG_F64};
    ng_status status = open_spectrum(&s, f, error);
    if (status == NG_OK)
        status = ngi_shifted_power(s.values.data, f->n, exponent, damping, tiny(f), error);
    if (status == NG_OK)
        status = ngi_mat_create(&t, x.rows, f->n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_apply_basis(y, x, s.vectors, s.values.data, t, error);
    free(t.data);
    ng_work_destroy(&s.work);
    return status;
}

static ng_status trace(ng_fisher *f, double *value, ng_error *error)
{
    (void)error;
    *value = ng_trace(matrix(f));
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ng_error *error)
{
    spectrum s;
    ng_status status = open_spectrum(&s, f, error);
    if (status == NG_OK)
        status = ngi_shifted_logdet(value, s.values.data, f->n, damping, tiny(f), error);
    ng_work_destroy(&s.work);
    return status;
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ng_error *error)
{
    spectrum s;
    size_t n = f->n, k = values.cols;
    ng_status status = open_spectrum(&s, f, error);
    if (status == NG_OK)
        status = ng_copy(values, ng_mat_block(s.values, 0, n - k, 1, k), error);
    if (status == NG_OK && vectors.data != NULL)
        status = ng_copy(vectors, ng_mat_block(s.vectors, n - k, 0, k, n), error);
    ng_work_destroy(&s.work);
    return status;
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
