/* The ways in: batches of scores and of layer statistics, whole matrices. */
#include "lib/fisher/fisher.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/linalg/check.h"
#include "lib/linalg/unit.h"

/* Half the largest number of the dtype: room for rounding. */
static double limit(ng_dtype dtype)
{
    return ngi_largest(dtype) / 2;
}

void ng_fisher_batch_init(ng_fisher_batch *batch)
{
    const ng_fisher_batch defaults = {NG_FISHER_MEAN, 1, 0, 1};
    if (batch != NULL)
        *batch = defaults;
}

static ng_status check_batch(const ng_fisher *f, const ng_fisher_batch *b, ng_error *error)
{
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
static ng_status check_weights(double *sum, const ng_mat *weights, size_t rows, ng_dtype dtype,
                               ng_error *error)
{
    *sum = (double)rows;
    if (rows == 0)
        return ng_error_set(error, NG_ENODATA, "a batch without rows");
    if (weights == NULL)
        return NG_OK;
    ng_status status = ngi_check_shape(*weights, "weights", 1, rows, dtype, error);
    if (status == NG_OK)
        status = ngi_check_finite(*weights, "weights", error);
    if (status != NG_OK)
        return status;
    *sum = 0;
    for (size_t i = 0; i < rows; i++) {
        double w = ng_mat_get(*weights, 0, i);
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
    ng_status status = ngi_check_blas(m, name, rows, cols, dtype, error);
    return status != NG_OK ? status : ngi_check_finite(m, name, error);
}

ng_status ng_fisher_accumulate(ng_fisher *f, ng_mat scores, const ng_mat *weights,
                               const ng_fisher_batch *batch, ng_error *error)
{
    ng_fisher_batch b;
    ng_mat rows = scores, own = {NULL, 0, 0, 0, NG_F64};
    double mass;
    plan p;
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "accumulate: f is NULL");
    if (f->table->accumulate == NULL)
        return unsupported(f, "accumulate", error);
    ng_fisher_batch_init(&b);
    b = batch != NULL ? *batch : b;
    ng_status status = check_batch(f, &b, error);
    if (status == NG_OK)
        status = check_rows(scores, "scores", scores.rows, f->n, f->dtype, error);
    if (status == NG_OK)
        status = check_weights(&mass, weights, scores.rows, f->dtype, error);
    if (status == NG_OK)
        status = make_plan(&p, f, &b, mass, ng_max_abs(scores), 0, error);
    if (status == NG_OK && f->table->layer != NULL) { /* scores leave the factors alone */
        p.bound = f->bound;
        p.bound_q = f->bound_q;
    }
    if (status == NG_OK && weights != NULL) {
        status = ngi_mat_create(&own, scores.rows, f->n, f->dtype, error);
        rows = own;
        if (status == NG_OK)
            weigh(own, scores, *weights);
    }
    if (status == NG_OK)
        status = f->table->accumulate(f, rows, &p.rates, error);
    if (status == NG_OK)
        commit_plan(f, &p, &b);
    free(own.data);
    return status;
}

/* The rows as the slot wants them; what had to be made is in own[3]. */
static ng_status make_layer(ngi_fisher_layer *l, ng_mat own[3], const ng_fisher *f, ng_mat a,
                            ng_mat g, const ng_mat *weights, ng_error *error)
{
    ng_status status = NG_OK;
    l->a = a;
    l->g = g;
    if (f->bias) {
        status = ngi_mat_create(&own[0], a.rows, f->inputs, f->dtype, error);
        if (status != NG_OK)
            return status;
        ng_copy(ng_mat_block(own[0], 0, 0, a.rows, a.cols), a, NULL);
        ng_fill(ng_mat_block(own[0], 0, a.cols, a.rows, 1), 1);
        l->a = own[0];
    }
    l->a_weighted = l->a;
    if (weights == NULL)
        return NG_OK;
    status = ngi_mat_create(&own[1], a.rows, f->inputs, f->dtype, error);
    if (status == NG_OK)
        status = ngi_mat_create(&own[2], g.rows, f->outputs, f->dtype, error);
    if (status != NG_OK)
        return status;
    weigh(l->a_weighted = own[1], l->a, *weights);
    weigh(l->g = own[2], g, *weights);
    return NG_OK;
}

ng_status ng_fisher_accumulate_layer(ng_fisher *f, ng_mat a, ng_mat g, const ng_mat *weights,
                                     const ng_fisher_batch *batch, ng_error *error)
{
    ng_fisher_batch b;
    ngi_fisher_layer layer;
    ng_mat own[3] = {{NULL, 0, 0, 0, NG_F64}, {NULL, 0, 0, 0, NG_F64}, {NULL, 0, 0, 0, NG_F64}};
    double mass;
    plan p;
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "accumulate_layer: f is NULL");
    if (f->table->layer == NULL)
        return unsupported(f, "accumulate_layer", error);
    ng_fisher_batch_init(&b);
    b = batch != NULL ? *batch : b;
    ng_status status = check_batch(f, &b, error);
    if (status == NG_OK)
        status = check_rows(a, "a", a.rows, f->inputs - (f->bias ? 1 : 0), f->dtype, error);
    if (status == NG_OK)
        status = check_rows(g, "g", a.rows, f->outputs, f->dtype, error);
    if (status == NG_OK)
        status = check_weights(&mass, weights, a.rows, f->dtype, error);
    if (status == NG_OK)
        status =
            make_plan(&p, f, &b, mass, ng_max_abs(g), fmax(ng_max_abs(a), f->bias ? 1 : 0), error);
    if (status == NG_OK)
        status = make_layer(&layer, own, f, a, g, weights, error);
    if (status == NG_OK)
        status = f->table->layer(f, &layer, &p.rates, error);
    if (status == NG_OK)
        commit_plan(f, &p, &b);
    for (int i = 0; i < 3; i++)
        free(own[i].data);
    return status;
}

static double max_lower(ng_mat m)
{
    double max = 0;
    for (size_t i = 0; i < m.rows; i++)
        max = fmax(max, ng_max_abs(ng_mat_block(m, i, 0, 1, i + 1)));
    return max;
}

/* A symmetric argument: its lower triangle is finite, its diagonal not negative. */
static ng_status check_symmetric(ng_mat m, const char *name, size_t n, ng_dtype dtype,
                                 ng_error *error)
{
    ng_status status = ngi_check_blas(m, name, n, n, dtype, error);
    if (status == NG_OK)
        status = ngi_check_finite_lower(m, name, error);
    for (size_t i = 0; i < n && status == NG_OK; i++)
        if (ng_mat_get(m, i, i) < 0)
            status = ng_error_set(error, NG_EINDEFINITE, "%s: diagonal element %zu is %g", name, i,
                                  ng_mat_get(m, i, i));
    return status;
}

static ng_status check_set(const ng_fisher *f, const char *what, int supported, double samples,
                           ng_error *error)
{
    if (!supported)
        return unsupported(f, what, error);
    if (!(samples > 0) || !isfinite(samples))
        return ng_error_set(error, NG_EARG, "samples %g is not positive", samples);
    return NG_OK;
}

ng_status ng_fisher_set(ng_fisher *f, ng_mat dense, double samples, ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "set: f is NULL");
    ng_status status = check_set(f, "set", f->table->set != NULL, samples, error);
    if (status == NG_OK)
        status = check_symmetric(dense, "dense", f->n, f->dtype, error);
    if (status == NG_OK)
        status = f->table->set(f, dense, error);
    if (status != NG_OK)
        return status;
    f->weight = f->mass = samples;
    f->bound = max_lower(dense);
    f->has_data = 1;
    return NG_OK;
}

ng_status ng_fisher_set_factors(ng_fisher *f, ng_mat p, ng_mat q, double samples, ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "set_factors: f is NULL");
    ng_status status = check_set(f, "set_factors", f->table->set_factors != NULL, samples, error);
    if (status == NG_OK)
        status = check_symmetric(p, "p", f->outputs, f->dtype, error);
    if (status == NG_OK)
        status = check_symmetric(q, "q", f->inputs, f->dtype, error);
    if (status == NG_OK && !(max_lower(p) * max_lower(q) <= limit(f->dtype)))
        status = ng_error_set(error, NG_ERANGE, "p (x) q overflows the data type");
    if (status == NG_OK)
        status = f->table->set_factors(f, p, q, error);
    if (status != NG_OK)
        return status;
    f->weight = f->mass = samples;
    f->bound = max_lower(p);
    f->bound_q = max_lower(q);
    f->has_data = 1;
    return NG_OK;
}
