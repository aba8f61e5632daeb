/* Shampoo (natgrad/metric/shampoo.h): factors (L + shift I)^exponent of the
 * averages L of G G^T and G^T G, twice the exponent where there is one alone. The roots are factors
 * to the power -1/2, or their squares. */
#include "optim/steepest/eigenbases.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

#define OWNER(field) shampoo.field
#include "optim/steepest/table.h"

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

static ngi_rule rule(const ng_steepest_options *o)
{
    const ng_shampoo_options *own = &o->shampoo;
    return (ngi_rule){.root = own->root,
                      .wide = NG_ROOT_SYMMETRIC,
                      .metric_scale = own->metric_scale,
                      .one_sided = own->one_sided,
                      .factor_dtype = own->factor_dtype,
                      .ema_decay = own->ema_decay,
                      .damping = own->damping,
                      .update_interval = own->update_interval,
                      .inverse_interval = own->inverse_interval};
}

static ng_status check(const ng_steepest_options *o, ng_error *error)
{
    if (o->shampoo.root == NG_ROOT_CHOLESKY)
        return ng_error_set(error, NG_EOPTION, "steepest: shampoo's root is symmetric or inverse");
    return ngi_check_whitened_root(o, o->shampoo.root, error);
}

/* The power of an average in its factor. A factor alone does the work of both: L^(2 exponent) has
 * the unit of L^exponent (x) R^exponent, as tr(L) = tr(R). */
static double power_of(const ngi_param *param, const ng_steepest_options *o)
{
    int both = ngi_kron_has(param, NG_LEFT) && ngi_kron_has(param, NG_RIGHT);
    return both ? o->shampoo.exponent : 2 * o->shampoo.exponent;
}

/* values <- those of the root, or of its square, the inverse, of the average's power, from those of
 * the average; NG_ESINGULAR. */
static ng_status root_values(ng_mat values, const ng_steepest_options *o, double power, int inverse,
                             ng_dtype dtype, ng_error *error)
{
    double half = inverse ? 1 : 0.5;
    size_t n = values.cols;
    double mean = 0, unit = 0, largest = ng_mat_get(values, 0, n - 1);
    double tiny = (double)n * ng_dtype_eps(dtype) * largest;
    for (size_t i = 0; i < n; i++)
        mean += ng_mat_get(values, 0, i) / (double)n;
    if (!(o->shampoo.damping > 0) && !(ng_mat_get(values, 0, 0) > tiny))
        return ng_error_set(error, NG_ESINGULAR,
                            "a factor is singular to working precision: it needs damping > 0");
    for (size_t i = 0; i < n; i++) {
        double value = ng_mat_get(values, 0, i) + o->shampoo.damping * mean;
        ng_mat_set(values, 0, i, pow(value, -half * power));
        unit += pow(value, power) / (double)n;
    }
    if (ngi_trace_scaled(o))
        ng_scale(values, inverse ? unit : sqrt(unit));
    return NG_OK;
}

/* root <- V^T diag(values) V, values > 0, through half of it */
static ng_status compose(ng_mat root, ng_mat values, ng_mat vectors, ng_work *work, ng_error *error)
{
    size_t n = vectors.rows;
    ng_mat wide;
    TRY(ng_work_mat(work, &wide, n, n, NG_F64, error));
    for (size_t k = 0; k < n; k++)
        ng_scale(ng_mat_block(vectors, k, 0, 1, n), sqrt(ng_mat_get(values, 0, k)));
    TRY(ng_syrk(wide, vectors, NG_TRANS, 1, 0, error));
    ng_mirror(wide);
    return ng_copy(root, wide, error);
}

static ng_status new_root(ngi_param *param, const ng_steepest_options *o, ng_side side,
                          ng_work *work, ng_error *error)
{
    ngi_tensor *root = ngi_side_tensor(param, ngi_root, side);
    ng_mat factor = ngi_newest(ngi_side_tensor(param, ngi_factor, side)), values, vectors;
    size_t n = factor.rows;
    if (!(ng_trace(factor) > 0)) { /* no gradient so far */
        ng_set_identity(root->next);
        root->fresh = 1;
        return NG_OK;
    }
    TRY(ng_work_mat(work, &values, 1, n, NG_F64, error));
    TRY(ng_work_mat(work, &vectors, n, n, NG_F64, error));
    TRY(ngi_factor_eigen(values, vectors, factor, work, error));
    int inverse = ngi_kron_form(param, o) == NG_ROOT_INVERSE;
    TRY(root_values(values, o, power_of(param, o), inverse, factor.dtype, error));
    TRY(compose(root->next, values, vectors, work, error));
    root->fresh = 1;
    return NG_OK;
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    size_t mark = work->used;
    if (ngi_due(param, o->shampoo.update_interval))
        TRY(ngi_gram_average(param, o, g, work, error));
    for (int i = 0; i < 2 && ngi_due(param, o->shampoo.inverse_interval); i++) {
        ng_status status =
            ngi_kron_has(param, sides[i]) ? new_root(param, o, sides[i], work, error) : NG_OK;
        work->used = mark;
        if (status != NG_OK && status != NG_ENOCONV)
            return status;
        param->report.stale += status == NG_ENOCONV; /* the last good one serves */
    }
    return NG_OK;
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t most = ngi_kron_add_work(param);
    (void)o;
    for (int i = 0; i < 2; i++) {
        size_t n = sides[i] == NG_LEFT ? param->rows : param->cols;
        size_t bytes = ngi_size_add(ng_work_mat_size(1, n, NG_F64), ng_work_mat_size(n, n, NG_F64));
        bytes = ngi_size_add(bytes, ngi_eigen_of_work(n));
        most = bytes > most && ngi_kron_has(param, sides[i]) ? bytes : most;
    }
    return most;
}

static const ng_option table[] = {
    REAL(ema_decay, 0.95, 1, 0, "decay of the averages of G G^T and G^T G; 1: sums"),
    REAL(damping, 0.001, DBL_MAX, 0, "damping relative to the averages' mean eigenvalue"),
    REAL(exponent, 0.25, 1, 0, "power of the averages in the factors, doubled for one alone"),
    INTERVALS("gradients", "root"),
    CHOICE(root, NG_ROOT_SYMMETRIC, ngi_roots, 1, "kept of the factors: symmetric or inverse"),
    METRIC_SCALE,
    ONE_SIDED,
    FACTOR_DTYPE(NG_FACTORS_AUTO),
    {.name = NULL},
};

ng_status ng_steepest_init_shampoo_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->metric = NG_METRIC_SHAMPOO;
    options->shampoo.root = NG_ROOT_INVERSE;
    options->shampoo.one_sided = NG_ONE_SIDED_AUTO;
    options->grafting = NG_GRAFTING_ADAM;
    options->lr = 0.002;
    options->momentum = 0.9;
    return NG_OK;
}

const ngi_metric ngi_metric_shampoo = {
    .name = "shampoo",
    .options = table,
    .check = check,
    .rule = rule,
    .create = ngi_gram_create,
    .work = work_size,
    .turn_work = ngi_kron_turn_work,
    .side_work = ngi_kron_side_work,
    .update = update,
    .whiten = ngi_kron_whiten,
    .unwhiten = ngi_kron_unwhiten,
    .factor_side = ngi_kron_factor_side,
    .solve_side = ngi_kron_solve_side,
};
