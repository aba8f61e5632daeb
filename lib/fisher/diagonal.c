/* The diagonal of F, in double: it costs little, and its sums are long. */
#include "lib/fisher/fisher.h"

#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

typedef struct {
    ng_fisher base;
    ng_mat d; /* 1 x n */
} diagonal;

static const ngi_fisher_table table;

static double *elements(ng_fisher *f)
{
    return ((diagonal *)f)->d.data;
}

ng_status ng_fisher_create_diagonal(ng_fisher **f, size_t n, ng_dtype dtype, ng_error *error)
{
    TRY(ngi_fisher_new(f, sizeof(diagonal), &table, n, dtype, error));
    return ngi_fisher_built(f, ngi_mat_create(&((diagonal *)*f)->d, 1, n, NG_F64, error));
}

static void destroy(ng_fisher *f)
{
    free(elements(f));
}

static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ngi_pool *pool,
                            ng_error *error)
{
    ng_mat wide;
    double *d = elements(f);
    TRY(ngi_pool_mat(pool, &wide, 1, f->n, NG_F64, error));
    const double *row = wide.data;
    for (size_t j = 0; j < f->n; j++)
        d[j] *= r->keep;
    for (size_t i = 0; i < rows.rows; i++) {
        ng_copy(wide, ng_mat_block(rows, i, 0, 1, f->n), NULL);
        for (size_t j = 0; j < f->n; j++)
            d[j] += r->add * (row[j] * row[j]);
    }
    return NG_OK;
}

static ng_status set(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    for (size_t j = 0; j < f->n; j++)
        elements(f)[j] = ng_mat_get(dense, j, j);
    return NG_OK;
}

/* y <- x times w, element by element, k rows; x and y in double */
static void times(ng_mat y, ng_mat x, const double *w)
{
    for (size_t i = 0; i < x.rows; i++) {
        const double *from = (const double *)x.data + i * x.stride;
        double *to = (double *)y.data + i * y.stride;
        for (size_t j = 0; j < x.cols; j++)
            to[j] = from[j] * w[j];
    }
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error)
{
    ng_mat wide;
    TRY(ngi_pool_mat(pool, &wide, 1, f->n, NG_F64, error));
    for (size_t i = 0; i < x.rows; i++) {
        TRY(ng_copy(wide, ng_mat_block(x, i, 0, 1, f->n), error));
        times(wide, wide, elements(f));
        TRY(ng_copy(ng_mat_block(y, i, 0, 1, f->n), wide, error));
    }
    return NG_OK;
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    ng_fill(dense, 0);
    for (size_t j = 0; j < f->n; j++)
        ng_mat_set(dense, j, j, elements(f)[j]);
    return NG_OK;
}

static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ngi_pool *pool, ng_error *error)
{
    ng_mat w;
    TRY(ngi_pool_mat(pool, &w, 1, f->n, NG_F64, error));
    memcpy(w.data, elements(f), f->n * sizeof(double));
    TRY(ngi_shifted_power(w.data, f->n, exponent, damping, 0, error));
    times(y, x, w.data);
    return NG_OK;
}

static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                       ng_error *error)
{
    return power(f, y, x, -1, damping, pool, error);
}

static ng_status trace(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error)
{
    (void)pool, (void)error;
    *value = 0;
    for (size_t j = 0; j < f->n; j++)
        *value += elements(f)[j];
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ngi_pool *pool,
                        ng_error *error)
{
    (void)pool;
    return ngi_shifted_logdet(value, elements(f), f->n, damping, 0, error);
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    size_t *order, first = f->n - values.cols;
    TRY(ngi_ascending(&order, elements(f), f->n, pool, error));
    for (size_t i = 0; i < values.cols; i++) {
        ng_mat_set(values, 0, i, elements(f)[order[first + i]]);
        if (!ngi_is_none(vectors))
            ng_mat_set(vectors, i, order[first + i], 1); /* the front's vectors are zero */
    }
    return NG_OK;
}

static const ngi_fisher_table table = {
    .name = "diagonal",
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
