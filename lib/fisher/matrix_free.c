/* F by its products with vectors: conjugate gradients and Lanczos, in double
 * whatever the dtype of the caller's callbacks. */
#include "lib/fisher/fisher.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/operator.h"
#include "lib/linalg/unit.h"

static const ngi_fisher_table table;

enum { MAX_ITERATIONS = 1000, MAX_BASIS = 300, UNITS = 64 };

typedef struct {
    ng_fisher base;
    ng_fisher_product product;
    ng_fisher_iteration iteration;
} matrix_free;

static const matrix_free *free_of_matrix(const ng_fisher *f)
{
    return (const matrix_free *)f;
}

/* The options with the defaults in place of zeros. */
static ng_status take_options(ng_fisher_iteration *to, const ng_fisher_iteration *from,
                              ng_dtype dtype, ng_error *error)
{
    ng_fisher_iteration zeros;
    TRY(ng_fisher_iteration_init(&zeros));
    *to = from != NULL ? *from : zeros;
    if (to->size != sizeof *to)
        return ng_error_set(error, NG_EOPTION,
                            "create: iteration options of %zu bytes, expected %zu", to->size,
                            sizeof *to);
    if (to->tolerance == 0)
        to->tolerance = dtype == NG_F32 ? 1e-4 : 1e-8;
    if (!(to->tolerance > 0 && to->tolerance < 1))
        return ng_error_set(error, NG_EARG, "create: tolerance %g is outside 0 .. 1",
                            to->tolerance);
    if (to->max_iterations == 0)
        to->max_iterations = MAX_ITERATIONS;
    if (to->max_basis == 0)
        to->max_basis = MAX_BASIS;
    return NG_OK;
}

ng_status ng_fisher_iteration_init_sized(ng_fisher_iteration *iteration, size_t size)
{
    const ng_fisher_iteration defaults = {.size = sizeof defaults};
    if (iteration == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *iteration = defaults;
    return NG_OK;
}

ng_status ng_fisher_create_matrix_free(ng_fisher **f, size_t n, ng_dtype dtype,
                                       const ng_fisher_iteration *iteration,
                                       const ng_fisher_product *product, ng_error *error)
{
    ng_fisher_iteration options;
    if (f != NULL)
        *f = NULL;
    if (product == NULL || product->mul == NULL)
        return ng_error_set(error, NG_EARG, "create: no product to call");
    TRY(take_options(&options, iteration, dtype, error));
    TRY(ngi_fisher_new(f, sizeof(matrix_free), &table, n, dtype, error));
    ((matrix_free *)*f)->product = *product;
    ((matrix_free *)*f)->iteration = options;
    (*f)->has_data = 1;
    return NG_OK;
}

static void destroy(ng_fisher *f)
{
    (void)f;
}

/* ---- Products in the caller's dtype ------------------------------------------- */

static ng_operator caller(const ng_fisher *f)
{
    ng_operator a = {free_of_matrix(f)->product.mul, free_of_matrix(f)->product.data};
    return a;
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error)
{
    ng_operator a = caller(f);
    (void)pool;
    return ngi_apply(&a, "product", y, x, error);
}

static ng_status forms(ng_fisher *f, ng_mat a, ng_mat x, ngi_pool *pool, ng_error *error)
{
    const ng_fisher_product *p = &free_of_matrix(f)->product;
    if (p->forms == NULL)
        return ngi_forms_by_product(f, a, x, pool, error);
    TRY(p->forms(p->data, a, x, error));
    return ng_is_finite(a) ? NG_OK
                           : ng_error_set(error, NG_ENONFINITE,
                                          "forms: NaN or infinity from the "
                                          "callback");
}

/* y (rows x n) <- the rows of F from `first` on, by as many rows of the identity; one: scratch */
static ng_status rows_of(ng_fisher *f, ng_mat y, ng_mat one, size_t first, ng_error *error)
{
    one.rows = y.rows;
    ng_fill(one, 0);
    for (size_t i = 0; i < y.rows; i++)
        ng_mat_set(one, i, first + i, 1);
    return mul(f, y, one, NULL, error);
}

static size_t batch_at(const ng_fisher *f, size_t first)
{
    return f->n - first < UNITS ? f->n - first : UNITS;
}

static ng_status to_dense(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error)
{
    ng_mat one;
    TRY(ngi_pool_mat(pool, &one, batch_at(f, 0), f->n, f->dtype, error));
    for (size_t i = 0; i < f->n; i += UNITS)
        TRY(rows_of(f, ng_mat_block(dense, i, 0, batch_at(f, i), f->n), one, i, error));
    ng_mirror(dense);
    return NG_OK;
}

static ng_status trace(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error)
{
    ng_mat one, y;
    double sum = 0;
    TRY(ngi_pool_mat(pool, &one, batch_at(f, 0), f->n, f->dtype, error));
    TRY(ngi_pool_mat(pool, &y, batch_at(f, 0), f->n, f->dtype, error));
    for (size_t i = 0; i < f->n; i += UNITS) {
        y.rows = batch_at(f, i);
        TRY(rows_of(f, y, one, i, error));
        for (size_t j = 0; j < y.rows; j++)
            sum += ng_mat_get(y, j, i + j);
    }
    *value = sum;
    return NG_OK;
}

/* ---- Products in double -------------------------------------------------------- */

/* What the operators below need; x, y: scratch of the caller's dtype, none in double. */
typedef struct {
    const matrix_free *f;
    double damping;
    ng_mat x, y;
} context;

static ng_status open_context(context *c, ng_fisher *f, size_t k, double damping, ngi_pool *pool,
                              ng_error *error)
{
    c->f = free_of_matrix(f);
    c->damping = damping;
    c->x = c->y = ng_mat_none();
    if (f->dtype == NG_F64)
        return NG_OK;
    TRY(ngi_pool_mat(pool, &c->x, k, f->n, f->dtype, error));
    return ngi_pool_mat(pool, &c->y, k, f->n, f->dtype, error);
}

static ng_status call(const context *c, int precondition, ng_mat y, ng_mat x, ng_error *error)
{
    const ng_fisher_product *p = &c->f->product;
    return precondition ? p->precondition(p->data, y, x, c->damping, error)
                        : p->mul(p->data, y, x, error);
}

/* y <- the callback's linear map of x, both double. Rows go to order 1 before
 * they are narrowed, so that nothing of them is lost but rounding. */
static ng_status widened(const context *c, int precondition, ng_mat y, ng_mat x, ng_error *error)
{
    ng_mat to = c->y, from = c->x;
    if (ngi_is_none(from))
        return call(c, precondition, y, x, error);
    to.rows = from.rows = x.rows; /* Lanczos may bring fewer */
    for (size_t i = 0; i < x.rows; i++) {
        ng_mat row = ng_mat_block(y, i, 0, 1, x.cols);
        ngi_scale_to_unit(row, ng_mat_block(x, i, 0, 1, x.cols),
                          ng_max_abs(ng_mat_block(x, i, 0, 1, x.cols)));
    }
    TRY(ng_copy(from, y, error));
    TRY(call(c, precondition, to, from, error));
    TRY(ng_copy(y, to, error));
    for (size_t i = 0; i < x.rows; i++) {
        int exponent = 0;
        frexp(ng_max_abs(ng_mat_block(x, i, 0, 1, x.cols)), &exponent);
        ng_scale(ng_mat_block(y, i, 0, 1, x.cols), ldexp(1, exponent));
    }
    return NG_OK;
}

/* y <- (F + damping I) x */
static ng_status damped(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    const context *c = data;
    TRY(widened(c, 0, y, x, error));
    return ng_axpby(y, x, c->damping, 1, error);
}

static ng_status preconditioned(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    return widened(data, 1, y, x, error);
}

static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                       ng_error *error)
{
    const ng_fisher_iteration *o = &free_of_matrix(f)->iteration;
    context c;
    ng_operator a = {damped, &c}, p = {preconditioned, &c};
    TRY(open_context(&c, f, x.rows, damping, pool, error));
    return ng_cg(y, NULL, x, o->tolerance, o->max_iterations, &a,
                 c.f->product.precondition != NULL ? &p : NULL, NULL, error);
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    const ng_fisher_iteration *o = &free_of_matrix(f)->iteration;
    size_t k = values.cols;
    context c;
    ng_operator a = {damped, &c};
    TRY(open_context(&c, f, k, 0, pool, error));
    if (ngi_is_none(vectors))
        TRY(ngi_pool_mat(pool, &vectors, k, f->n, NG_F64, error));
    return ng_lanczos(values, vectors, NULL, o->tolerance, o->max_basis > k ? o->max_basis : k, &a,
                      NULL, error);
}

static const ngi_fisher_table table = {
    .name = "matrix-free",
    .destroy = destroy,
    .mul = mul,
    .forms = forms,
    .to_dense = to_dense,
    .solve = solve,
    .trace = trace,
    .eigen = eigen,
};
