/* The ways in: batches of scores and of layer statistics, whole matrices. */
#include "lib/fisher/fisher.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/check.h"

/* Half the largest number of the dtype: room for rounding. */
static double limit(ng_dtype dtype)
{
    return ngi_dtype_max(dtype) / 2;
}

ng_status ng_fisher_batch_init_sized(ng_fisher_batch *batch, size_t size)
{
    const ng_fisher_batch defaults = {
        .size = sizeof defaults, .normalisation = NG_FISHER_MEAN, .scale = 1, .decay = 1};
    if (batch == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *batch = defaults;
    return NG_OK;
}

static ng_status check_batch(const ng_fisher *f, const ng_fisher_batch *b, ng_error *error)
{
    if (b->size != sizeof *b)
        return ng_error_set(error, NG_EOPTION, "batch options of %zu bytes, expected %zu", b->size,
                            sizeof *b);
    if (b->normalisation != NG_FISHER_MEAN && b->normalisation != NG_FISHER_SUM)
        return ng_error_set(error, NG_EARG, "unknown normalisation %d", (int)b->normalisation);
    if (f->normalisation >= 0 && f->normalisation != (int)b->normalisation)
        return ng_error_set(error, NG_EARG, "normalisation: a mean and a sum do not mix");
    if (!(b->scale > 0) || !isfinite(b->scale))
        return ng_error_set(error, NG_EARG, "scale %g is not positive", b->scale);
    if (!(b->samples >= 0) || !isfinite(b->samples))
        return ng_error_set(error, NG_EARG, "samples %g is negative or infinite", b->samples);
    if (!(b->decay >= 0 && b->decay <= 1))
        return ng_error_set(error, NG_EARG, "decay %g is outside 0 .. 1", b->decay);
    return NG_OK;
}

/* *sum: of the weights; without, the number of rows. */
static ng_status check_weights(double *sum, ng_mat weights, size_t rows, ng_dtype dtype,
                               ng_error *error)
{
    *sum = (double)rows;
    if (rows == 0)
        return ng_error_set(error, NG_ENODATA, "a batch without rows");
    if (ngi_is_none(weights))
        return NG_OK;
    TRY(ngi_check_shape(weights, "weights", 1, rows, dtype, error));
    TRY(ngi_check_finite(weights, "weights", error));
    *sum = 0;
    for (size_t i = 0; i < rows; i++) {
        double w = ng_mat_get(weights, 0, i);
        if (w < 0)
            return ng_error_set(error, NG_EARG, "weights: element %zu is %g", i, w);
        *sum += w;
    }
    return *sum > 0 ? NG_OK : ng_error_set(error, NG_ENODATA, "all weights are 0");
}

/* y <- x with row i times the root of weight i */
static void weigh(ng_mat y, ng_mat x, ng_mat weights)
{
    ng_copy(y, x, NULL);
    for (size_t i = 0; i < y.rows; i++)
        ng_scale(ng_mat_block(y, i, 0, 1, y.cols), sqrt(ng_mat_get(weights, 0, i)));
}

typedef struct {
    ngi_fisher_rates rates;
    double weight, mass, bound, bound_q;
} plan;

/* Everything about a batch that is a number. max: of the scores' (or of g's)
 * elements, max_a: of a's, mass: sum of the weights. */
static ng_status make_plan(plan *p, const ng_fisher *f, const ng_fisher_batch *b, double mass,
                           double max, double max_a, ng_error *error)
{
    double samples = b->samples > 0 ? b->samples : mass;
    int mean = b->normalisation == NG_FISHER_MEAN;
    p->weight = b->decay * f->weight + samples;
    p->mass = b->decay * f->mass + mass;
    p->rates.add_mean = 1 / p->mass;
    p->rates.keep_mean = b->decay * f->mass / p->mass;
    p->rates.keep = mean ? b->decay * f->weight / p->weight : b->decay;
    p->rates.add = b->scale * b->scale * (mean ? 1 / p->weight : 1);
    p->bound = p->rates.keep * f->bound + p->rates.add * mass * max * max;
    p->bound_q = p->rates.keep_mean * f->bound_q + p->rates.add_mean * mass * max_a * max_a;
    /* Written so that NaN and infinities fail too; sums before the rates count as well. */
    double top = limit(f->dtype);
    if (!(mass * max * max <= top && mass * max_a * max_a <= top && p->bound <= top &&
          p->bound_q <= top && p->bound * fmax(p->bound_q, 1) <= top && p->rates.add <= top))
        return ng_error_set(error, NG_ERANGE,
                            "squares of the statistics (largest %g) overflow the data type",
                            fmax(max, max_a));
    return NG_OK;
}

static void commit_plan(ng_fisher *f, const plan *p, const ng_fisher_batch *b)
{
    f->weight = p->weight;
    f->mass = p->mass;
    f->bound = p->bound;
    f->bound_q = p->bound_q;
    f->normalisation = (int)b->normalisation;
    f->has_data = 1;
}

static ng_status unsupported(const ng_fisher *f, const char *what, ng_error *error)
{
    return ng_error_set(error, NG_EUNSUPPORTED, "%s: a %s Fisher matrix cannot do this", what,
                        f->table->name);
}

static ng_status check_rows(ng_mat m, const char *name, size_t rows, size_t cols, ng_dtype dtype,
                            ng_error *error)
{
    TRY(ngi_check_blas(m, name, rows, cols, dtype, error));
    return ngi_check_finite(m, name, error);
}

/* The caller's batch, or the defaults for NULL. */
static ng_status take_batch(ng_fisher_batch *b, const ng_fisher_batch *batch, const ng_fisher *f,
                            ng_error *error)
{
    TRY(ng_fisher_batch_init(b));
    if (batch != NULL)
        *b = *batch;
    return check_batch(f, b, error);
}

static ng_status accumulate(ng_fisher *f, ng_mat scores, ng_mat weights,
                            const ng_fisher_batch *batch, ngi_pool *pool, ng_error *error)
{
    ng_fisher_batch b;
    ng_mat rows = scores;
    double mass;
    plan p;
    TRY(take_batch(&b, batch, f, error));
    TRY(check_rows(scores, "scores", scores.rows, f->n, f->dtype, error));
    TRY(check_weights(&mass, weights, scores.rows, f->dtype, error));
    TRY(make_plan(&p, f, &b, mass, ng_max_abs(scores), 0, error));
    if (f->table->layer != NULL) { /* scores leave the factors alone */
        p.bound = f->bound;
        p.bound_q = f->bound_q;
    }
    if (!ngi_is_none(weights)) {
        TRY(ngi_pool_mat(pool, &rows, scores.rows, f->n, f->dtype, error));
        weigh(rows, scores, weights);
    }
    TRY(f->table->accumulate(f, rows, &p.rates, pool, error));
    commit_plan(f, &p, &b);
    return NG_OK;
}

ng_status ng_fisher_accumulate(ng_fisher *f, ng_mat scores, ng_mat weights,
                               const ng_fisher_batch *batch, ng_error *error)
{
    ngi_pool pool = {NULL};
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "accumulate: f is NULL");
    if (f->table->accumulate == NULL)
        return unsupported(f, "accumulate", error);
    return ngi_pool_close(&pool, accumulate(f, scores, weights, batch, &pool, error));
}

ng_status ngi_with_ones(ng_mat *with_ones, const ng_fisher *f, ng_mat a, ngi_pool *pool,
                        ng_error *error)
{
    *with_ones = a;
    if (!f->bias)
        return NG_OK;
    TRY(ngi_pool_mat(pool, with_ones, a.rows, f->inputs, f->dtype, error));
    ng_copy(ng_mat_block(*with_ones, 0, 0, a.rows, a.cols), a, NULL);
    ng_fill(ng_mat_block(*with_ones, 0, a.cols, a.rows, 1), 1);
    return NG_OK;
}

/* The rows as the slot wants them. */
static ng_status make_layer(ngi_fisher_layer *l, const ng_fisher *f, ng_mat a, ng_mat g,
                            ng_mat weights, ngi_pool *pool, ng_error *error)
{
    l->g = g;
    TRY(ngi_with_ones(&l->a, f, a, pool, error));
    l->a_weighted = l->a;
    if (ngi_is_none(weights))
        return NG_OK;
    TRY(ngi_pool_mat(pool, &l->a_weighted, a.rows, f->inputs, f->dtype, error));
    TRY(ngi_pool_mat(pool, &l->g, g.rows, f->outputs, f->dtype, error));
    weigh(l->a_weighted, l->a, weights);
    weigh(l->g, g, weights);
    return NG_OK;
}

static ng_status accumulate_layer(ng_fisher *f, ng_mat a, ng_mat g, ng_mat weights,
                                  const ng_fisher_batch *batch, ngi_pool *pool, ng_error *error)
{
    ng_fisher_batch b;
    ngi_fisher_layer layer;
    double mass;
    plan p;
    TRY(take_batch(&b, batch, f, error));
    TRY(check_rows(a, "a", a.rows, f->inputs - (f->bias ? 1 : 0), f->dtype, error));
    TRY(check_rows(g, "g", a.rows, f->outputs, f->dtype, error));
    TRY(check_weights(&mass, weights, a.rows, f->dtype, error));
    TRY(make_plan(&p, f, &b, mass, ng_max_abs(g), fmax(ng_max_abs(a), f->bias ? 1 : 0), error));
    TRY(make_layer(&layer, f, a, g, weights, pool, error));
    TRY(f->table->layer(f, &layer, &p.rates, pool, error));
    commit_plan(f, &p, &b);
    return NG_OK;
}

ng_status ng_fisher_accumulate_layer(ng_fisher *f, ng_mat a, ng_mat g, ng_mat weights,
                                     const ng_fisher_batch *batch, ng_error *error)
{
    ngi_pool pool = {NULL};
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "accumulate_layer: f is NULL");
    if (f->table->layer == NULL)
        return unsupported(f, "accumulate_layer", error);
    return ngi_pool_close(&pool, accumulate_layer(f, a, g, weights, batch, &pool, error));
}

/* A symmetric argument: its lower triangle is finite, its diagonal not negative. */
static ng_status check_symmetric(ng_mat m, const char *name, size_t n, ng_dtype dtype,
                                 ng_error *error)
{
    TRY(ngi_check_blas(m, name, n, n, dtype, error));
    TRY(ngi_check_finite_lower(m, name, error));
    for (size_t i = 0; i < n; i++)
        if (ng_mat_get(m, i, i) < 0)
            return ng_error_set(error, NG_EINDEFINITE, "%s: diagonal element %zu is %g", name, i,
                                ng_mat_get(m, i, i));
    return NG_OK;
}

static ng_status check_set(const ng_fisher *f, const char *what, unsigned ability, double samples,
                           ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "%s: f is NULL", what);
    if (!ng_fisher_can(f, ability))
        return unsupported(f, what, error);
    if (!(samples > 0) || !isfinite(samples))
        return ng_error_set(error, NG_EARG, "samples %g is not positive", samples);
    return NG_OK;
}

ng_status ng_fisher_set(ng_fisher *f, ng_mat dense, double samples, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(check_set(f, "set", NG_FISHER_SET, samples, error));
    TRY(check_symmetric(dense, "dense", f->n, f->dtype, error));
    TRY(ngi_pool_close(&pool, f->table->set(f, dense, &pool, error)));
    f->weight = f->mass = samples;
    f->bound = ngi_max_abs_lower(dense);
    f->has_data = 1;
    return NG_OK;
}

ng_status ng_fisher_set_factors(ng_fisher *f, ng_mat p, ng_mat q, double samples, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(check_set(f, "set_factors", NG_FISHER_SET_FACTORS, samples, error));
    TRY(check_symmetric(p, "p", f->outputs, f->dtype, error));
    TRY(check_symmetric(q, "q", f->inputs, f->dtype, error));
    if (!(ngi_max_abs_lower(p) * ngi_max_abs_lower(q) <= limit(f->dtype)))
        return ng_error_set(error, NG_ERANGE, "p (x) q overflows the data type");
    TRY(ngi_pool_close(&pool, f->table->set_factors(f, p, q, &pool, error)));
    f->weight = f->mass = samples;
    f->bound = ngi_max_abs_lower(p);
    f->bound_q = ngi_max_abs_lower(q);
    f->has_data = 1;
    return NG_OK;
}
