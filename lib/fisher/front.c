/* The front: objects, questions about them, checks before every operation. */
#include "lib/fisher/fisher.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/check.h"

/* ---- Objects ---------------------------------------------------------------- */

ng_status ngi_fisher_new(ng_fisher **f, size_t size, const ngi_fisher_table *table, size_t n,
                         ng_dtype dtype, ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "create: f is NULL");
    *f = NULL;
    if (dtype != NG_F32 && dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "create: unknown dtype %d", (int)dtype);
    if (n == 0)
        return ng_error_set(error, NG_ESHAPE, "create: a Fisher matrix of no parameters");
    ng_fisher *made = calloc(1, size);
    if (made == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a Fisher matrix");
    made->table = table;
    made->n = n;
    made->dtype = dtype;
    made->normalisation = -1;
    *f = made;
    return NG_OK;
}

ng_status ngi_fisher_built(ng_fisher **f, ng_status status)
{
    if (status != NG_OK) {
        ng_fisher_destroy(*f);
        *f = NULL;
    }
    return status;
}

void ng_fisher_destroy(ng_fisher *f)
{
    if (f != NULL)
        f->table->destroy(f);
    free(f);
}

size_t ng_fisher_size(const ng_fisher *f)
{
    return f != NULL ? f->n : 0;
}

ng_dtype ng_fisher_dtype(const ng_fisher *f)
{
    return f != NULL ? f->dtype : NG_F64;
}

const char *ng_fisher_name(const ng_fisher *f)
{
    return f != NULL ? f->table->name : "";
}

size_t ng_fisher_rows(const ng_fisher *f)
{
    return f != NULL && f->table->rows != NULL ? f->table->rows(f) : 0;
}

static unsigned abilities(const ngi_fisher_table *t)
{
    return (t->accumulate != NULL ? NG_FISHER_ACCUMULATE : 0u) |
           (t->layer != NULL ? NG_FISHER_ACCUMULATE_LAYER : 0u) |
           (t->set != NULL ? NG_FISHER_SET : 0u) |
           (t->set_factors != NULL ? NG_FISHER_SET_FACTORS : 0u) |
           (t->mul != NULL ? NG_FISHER_MUL : 0u) | (t->solve != NULL ? NG_FISHER_SOLVE : 0u) |
           (t->power != NULL ? NG_FISHER_POWER : 0u) | (t->trace != NULL ? NG_FISHER_TRACE : 0u) |
           (t->logdet != NULL ? NG_FISHER_LOGDET : 0u) | (t->eigen != NULL ? NG_FISHER_EIGEN : 0u) |
           (t->to_dense != NULL ? NG_FISHER_TO_DENSE : 0u) |
           (t->gram != NULL ? NG_FISHER_GRAM : 0u) |
           (t->get_factors != NULL ? NG_FISHER_GET_FACTORS : 0u) |
           (t->inverse_layer != NULL ? NG_FISHER_INVERSE_LAYER : 0u) |
           (t->solve_sketched != NULL ? NG_FISHER_SOLVE_SKETCHED : 0u);
}

int ng_fisher_can(const ng_fisher *f, unsigned calls)
{
    return f != NULL && (calls & ~abilities(f->table)) == 0;
}

/* ---- Operations --------------------------------------------------------------- */

/* The object has that ability and data. */
static ng_status ready(const ng_fisher *f, const char *what, unsigned ability, ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "%s: f is NULL", what);
    if (!ng_fisher_can(f, ability))
        return ng_error_set(error, NG_EUNSUPPORTED, "%s: a %s Fisher matrix cannot do this", what,
                            f->table->name);
    if (!f->has_data)
        return ng_error_set(error, NG_ENODATA, "%s: nothing was accumulated or set", what);
    return NG_OK;
}

static ng_status check_vectors(const ng_fisher *f, ng_mat y, ng_mat x, ng_error *error)
{
    TRY(ngi_check_blas(x, "x", x.rows, f->n, f->dtype, error));
    TRY(ngi_check_blas(y, "y", x.rows, f->n, f->dtype, error));
    return ngi_check_finite(x, "x", error);
}

static ng_status check_damping(double damping, ng_error *error)
{
    if (!(damping >= 0) || !isfinite(damping))
        return ng_error_set(error, NG_EARG, "damping %g is negative or not finite", damping);
    return NG_OK;
}

static ng_status check_value(const double *value, const char *what, ng_error *error)
{
    return value != NULL ? NG_OK : ng_error_set(error, NG_EARG, "%s: value is NULL", what);
}

static ng_status check_result(ng_mat y, const char *what, ng_error *error)
{
    if (!ng_is_finite(y))
        return ng_error_set(error, NG_ERANGE, "%s: the result overflows the data type", what);
    return NG_OK;
}

ng_status ng_fisher_mul(ng_fisher *f, ng_mat y, ng_mat x, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "mul", NG_FISHER_MUL, error));
    TRY(check_vectors(f, y, x, error));
    if (x.rows == 0)
        return NG_OK;
    TRY(ngi_pool_close(&pool, f->table->mul(f, y, x, &pool, error)));
    return check_result(y, "mul", error);
}

static ng_status quadratic(ng_fisher *f, double *value, ng_mat x, ngi_pool *pool, ng_error *error)
{
    ng_mat y;
    TRY(ngi_pool_mat(pool, &y, 1, f->n, f->dtype, error));
    TRY(ng_fisher_mul(f, y, x, error));
    *value = ng_dot(x, y);
    return NG_OK;
}

ng_status ng_fisher_quadratic(ng_fisher *f, double *value, ng_mat x, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "quadratic", NG_FISHER_MUL, error));
    TRY(check_value(value, "quadratic", error));
    TRY(ngi_check_shape(x, "x", 1, f->n, f->dtype, error));
    return ngi_pool_close(&pool, quadratic(f, value, x, &pool, error));
}

ng_status ng_fisher_forms(ng_fisher *f, ng_mat a, ng_mat x, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "forms", NG_FISHER_MUL, error));
    TRY(check_vectors(f, x, x, error));
    TRY(ngi_check_shape(a, "a", x.rows, x.rows, NG_F64, error));
    if (x.rows == 0)
        return NG_OK;
    TRY(ngi_pool_close(&pool, f->table->forms != NULL
                                  ? f->table->forms(f, a, x, &pool, error)
                                  : ngi_forms_by_product(f, a, x, &pool, error)));
    return check_result(a, "forms", error);
}

/* An inverse, by a sketch if there is one, or a power of F + damping I. */
typedef struct {
    const char *name;
    double damping, exponent;
    const ng_sketch *sketch;
    int is_power;
} inversion;

static ng_status invert(ng_fisher *f, ng_mat y, ng_mat x, const inversion *i, ngi_pool *pool,
                        ng_error *error)
{
    if (i->is_power)
        return f->table->power(f, y, x, i->exponent, i->damping, pool, error);
    if (i->sketch != NULL)
        return f->table->solve_sketched(f, y, x, i->damping, i->sketch, pool, error);
    return f->table->solve(f, y, x, i->damping, pool, error);
}

/* y <- that of x in double; the vectors are converted. */
static ng_status widened(ng_fisher *f, ng_mat y, ng_mat x, const inversion *i, ngi_pool *pool,
                         ng_error *error)
{
    ng_mat wide_x, wide_y;
    TRY(ngi_pool_mat(pool, &wide_x, x.rows, x.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, &wide_y, x.rows, x.cols, NG_F64, error));
    TRY(ng_copy(wide_x, x, error));
    ng_status status = invert(f, wide_y, wide_x, i, pool, error);
    if (status != NG_OK && status != NG_ENOCONV)
        return status;
    TRY(ng_copy(y, wide_y, error)); /* the last iterate is an answer */
    TRY(check_result(y, i->name, error));
    return status;
}

static ng_status checked(ng_fisher *f, ng_mat y, ng_mat x, const inversion *i, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(check_vectors(f, y, x, error));
    TRY(check_damping(i->damping, error));
    if (x.rows == 0)
        return NG_OK;
    return ngi_pool_close(&pool, widened(f, y, x, i, &pool, error));
}

ng_status ng_fisher_solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    const inversion i = {.name = "solve", .damping = damping};
    TRY(ready(f, i.name, NG_FISHER_SOLVE, error));
    return checked(f, y, x, &i, error);
}

ng_status ng_fisher_solve_sketched(ng_fisher *f, ng_mat y, ng_mat x, double damping,
                                   const ng_sketch *sketch, ng_error *error)
{
    const inversion i = {.name = "solve_sketched", .damping = damping, .sketch = sketch};
    TRY(ready(f, i.name, NG_FISHER_SOLVE_SKETCHED, error));
    if (sketch == NULL)
        return ng_error_set(error, NG_EARG, "%s: sketch is NULL", i.name);
    if (ng_sketch_cols(sketch) != ng_fisher_rows(f))
        return ng_error_set(error, NG_ESHAPE, "%s: a sketch of %zu columns for %zu rows", i.name,
                            ng_sketch_cols(sketch), ng_fisher_rows(f));
    return checked(f, y, x, &i, error);
}

ng_status ng_fisher_power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                          ng_error *error)
{
    const inversion i = {.name = "power", .damping = damping, .exponent = exponent, .is_power = 1};
    TRY(ready(f, i.name, NG_FISHER_POWER, error));
    if (!isfinite(exponent))
        return ng_error_set(error, NG_EARG, "power: the exponent is not finite");
    return checked(f, y, x, &i, error);
}

static ng_status sample(ng_fisher *f, ng_mat x, double damping, const ng_random *random,
                        ngi_pool *pool, ng_error *error)
{
    ng_mat z, y;
    TRY(ngi_pool_mat(pool, &z, x.rows, x.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, &y, x.rows, x.cols, NG_F64, error));
    random->fill_normal(random->data, z.data, x.rows * x.cols);
    TRY(f->table->power(f, y, z, -0.5, damping, pool, error));
    return ng_copy(x, y, error);
}

ng_status ng_fisher_sample(ng_fisher *f, ng_mat x, double damping, const ng_random *random,
                           ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "sample", NG_FISHER_POWER, error));
    if (random == NULL || random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "sample: no source of normal numbers");
    TRY(ngi_check_blas(x, "x", x.rows, f->n, f->dtype, error));
    TRY(check_damping(damping, error));
    if (x.rows == 0)
        return NG_OK;
    TRY(ngi_pool_close(&pool, sample(f, x, damping, random, &pool, error)));
    return check_result(x, "sample", error);
}

static ng_status check_layer(const ng_fisher *f, ng_mat values, ng_mat a, ng_mat g, ng_error *error)
{
    size_t samples = values.rows, k = a.rows > 0 ? g.rows / a.rows : 0;
    TRY(ngi_check_blas(a, "a", a.rows, f->inputs - (f->bias ? 1 : 0), f->dtype, error));
    TRY(ngi_check_blas(g, "g", g.rows, f->outputs, f->dtype, error));
    if (samples == 0 || a.rows == 0 || a.rows % samples != 0 || k == 0 || g.rows % a.rows != 0)
        return ng_error_set(error, NG_ESHAPE, "a, g: %zu and %zu rows for %zu samples", a.rows,
                            g.rows, samples);
    TRY(ngi_check_blas(values, "values", samples, k * k, f->dtype, error));
    TRY(ngi_check_finite(a, "a", error));
    return ngi_check_finite(g, "g", error);
}

static ng_status inverse_layer(ng_fisher *f, ng_mat values, ng_mat a, ng_mat g, double damping,
                               ngi_pool *pool, ng_error *error)
{
    TRY(ngi_with_ones(&a, f, a, pool, error));
    return f->table->inverse_layer(f, values, a, g, damping, pool, error);
}

ng_status ng_fisher_inverse_layer(ng_fisher *f, ng_mat values, ng_mat a, ng_mat g, double damping,
                                  ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "inverse_layer", NG_FISHER_INVERSE_LAYER, error));
    TRY(check_layer(f, values, a, g, error));
    TRY(check_damping(damping, error));
    TRY(ngi_pool_close(&pool, inverse_layer(f, values, a, g, damping, &pool, error)));
    return check_result(values, "inverse_layer", error);
}

ng_status ng_fisher_get_factors(ng_fisher *f, ng_mat p, ng_mat q, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "get_factors", NG_FISHER_GET_FACTORS, error));
    TRY(ngi_check_shape(p, "p", f->outputs, f->outputs, f->dtype, error));
    TRY(ngi_check_shape(q, "q", f->inputs, f->inputs, f->dtype, error));
    return ngi_pool_close(&pool, f->table->get_factors(f, p, q, &pool, error));
}

ng_status ng_fisher_trace(ng_fisher *f, double *value, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "trace", NG_FISHER_TRACE, error));
    TRY(check_value(value, "trace", error));
    return ngi_pool_close(&pool, f->table->trace(f, value, &pool, error));
}

ng_status ng_fisher_logdet(ng_fisher *f, double *value, double damping, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "logdet", NG_FISHER_LOGDET, error));
    TRY(check_value(value, "logdet", error));
    TRY(check_damping(damping, error));
    return ngi_pool_close(&pool, f->table->logdet(f, value, damping, &pool, error));
}

static ng_status check_eigen(const ng_fisher *f, ng_mat values, ng_mat vectors, ng_error *error)
{
    TRY(ngi_check_blas(values, "values", 1, values.cols, f->dtype, error));
    if (values.cols == 0 || values.cols > f->n)
        return ng_error_set(error, NG_ESHAPE, "values: %zu eigenvalues of a matrix of %zu",
                            values.cols, f->n);
    return ngi_is_none(vectors)
               ? NG_OK
               : ngi_check_blas(vectors, "vectors", values.cols, f->n, f->dtype, error);
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    ng_mat w, v = ng_mat_none();
    TRY(ngi_pool_mat(pool, &w, 1, values.cols, NG_F64, error));
    if (!ngi_is_none(vectors))
        TRY(ngi_pool_mat(pool, &v, values.cols, f->n, NG_F64, error));
    TRY(f->table->eigen(f, w, v, pool, error));
    TRY(ng_copy(values, w, error));
    return ngi_is_none(vectors) ? NG_OK : ng_copy(vectors, v, error);
}

ng_status ng_fisher_eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "eigen", NG_FISHER_EIGEN, error));
    TRY(check_eigen(f, values, vectors, error));
    TRY(ngi_pool_close(&pool, eigen(f, values, vectors, &pool, error)));
    return check_result(values, "eigen", error);
}

ng_status ng_fisher_to_dense(ng_fisher *f, ng_mat dense, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ready(f, "to_dense", NG_FISHER_TO_DENSE, error));
    TRY(ngi_check_blas(dense, "dense", f->n, f->n, f->dtype, error));
    TRY(ngi_pool_close(&pool, f->table->to_dense(f, dense, &pool, error)));
    return check_result(dense, "to_dense", error);
}

ng_status ng_fisher_gram(ng_fisher *f, ng_mat gram, ng_error *error)
{
    ngi_pool pool = {NULL};
    size_t rows = ng_fisher_rows(f);
    TRY(ready(f, "gram", NG_FISHER_GRAM, error));
    TRY(ngi_check_blas(gram, "gram", rows, rows, f->dtype, error));
    TRY(ngi_pool_close(&pool, f->table->gram(f, gram, &pool, error)));
    ng_mirror(gram);
    return check_result(gram, "gram", error);
}
