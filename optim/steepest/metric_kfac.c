/* K-FAC (natgrad/metric/kfac.h) from captured statistics. damping_kind = tikhonov_pi
 * and per_factor are Kronecker metrics (factors.h) of damped factors; exact_eigen is
 * diagonal in the factors' eigenbases (eigenbases.h). */
#include "optim/steepest/eigenbases.h"
#include "optim/steepest/statistics.h"

#include <float.h>
#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/sweep.h"

#define OWNER(field) kfac.field
#include "optim/steepest/table.h"

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

static int exact(const ng_steepest_options *o)
{
    return o->kfac.damping_kind == NG_DAMPING_EXACT_EIGEN;
}

static ngi_rule rule(const ng_steepest_options *o)
{
    const ng_kfac_options *own = &o->kfac;
    return (ngi_rule){.root = own->root,
                      .metric_scale = own->metric_scale,
                      .one_sided = own->one_sided,
                      .rank = own->rank,
                      .factor_dtype = own->factor_dtype,
                      .factor_start = own->factor_start,
                      .ema_decay = own->ema_decay,
                      .damping = own->damping,
                      .update_interval = own->update_interval,
                      .inverse_interval = own->inverse_interval,
                      .in_commit = !exact(o),
                      .separate_roots = own->damping_kind == NG_DAMPING_PER_FACTOR ||
                                        own->damping_kind == NG_DAMPING_DIAGONAL};
}

static ng_status check(const ng_steepest_options *o, ng_error *error)
{
    if (exact(o) && o->kfac.one_sided != NG_ONE_SIDED_NEVER)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: damping_kind = exact_eigen needs one_sided = never");
    if (o->kfac.rank > 0 && (exact(o) || o->kfac.damping_kind == NG_DAMPING_DIAGONAL))
        return ng_error_set(error, NG_EOPTION, "steepest: damping_kind = %s needs rank = 0",
                            exact(o) ? "exact_eigen" : "diagonal");
    return exact(o) ? ngi_check_gradient_space(o, "damping_kind = exact_eigen", error)
                    : ngi_check_whitened_root(o, o->kfac.root, error);
}

/* The factor of low rank as it is damped: of each parameter that reads it. */
static ng_status create_damped(ngi_param *param, ng_error *error)
{
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *t = ngi_side_tensor(param, ngi_values, sides[i]);
        const char *name = ngi_damped_values.name[i];
        if (t == NULL)
            continue;
        TRY(ngi_param_tensor(param, name, 1, t->now.cols, NG_F64, NGI_SPARE, error));
        ngi_tensor_start(param, name, NGI_ONES);
        ngi_tensor_legal(param, name, NGI_POSITIVE);
    }
    return NG_OK;
}

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_statistics_create(param, o, error));
    TRY(create_damped(param, error));
    if (exact(o))
        return ngi_eigen_create(param, param->w.dtype, error);
    ngi_side_legal(param, ngi_root, NGI_POSITIVE_DIAGONAL);
    ngi_triangle triangle = ngi_kron_form(param, o) == NG_ROOT_CHOLESKY ? NGI_LOWER : NGI_SYMMETRIC;
    for (int i = 0; i < 2; i++)
        ngi_tensor_triangle(param, ngi_root.name[i], triangle);
    return NG_OK;
}

/* ---- Damped factors and their roots ----------------------------------------------------- */

static double mean_eigenvalue(const ngi_param *param, ng_side side)
{
    const ngi_tensor *factor = ngi_side_tensor(param, ngi_factor, side);
    if (ngi_is_low_rank(param, side))
        return ngi_low_rank_mean(param, side);
    return factor != NULL ? ngi_statistics_trace(param, side) / (double)factor->now.rows : 1;
}

/* What damping adds to the diagonal of this side's factor. */
static double shift(const ngi_param *param, const ng_steepest_options *o, ng_side side)
{
    if (o->kfac.damping_kind == NG_DAMPING_PER_FACTOR || !ngi_kron_has(param, ngi_other(side)))
        return o->kfac.damping;
    double here = mean_eigenvalue(param, side), there = mean_eigenvalue(param, ngi_other(side));
    double pi = here > 0 && there > 0 ? sqrt(here / there) : 1; /* 1: a factor is zero */
    if (!(pi > 0) || !isfinite(pi))
        pi = 1;
    return pi * sqrt(o->kfac.damping);
}

/* x_ii <- (1 + damping) x_ii. What has never been there, a pixel that is always 0, has no unit and
 * no gradient either: it gets the others' mean. So does what has faded to the end of the dtype,
 * where averages stick. */
static void add_share(ng_mat x, double damping)
{
    double least = (x.dtype == NG_F32 ? 0x1p-126 : DBL_MIN) / ng_dtype_eps(x.dtype);
    double mean = ng_trace(x) / (double)x.rows;
    for (size_t i = 0; i < x.rows; i++) {
        double d = ng_mat_get(x, i, i);
        ng_mat_set(x, i, i, d > least ? (1 + damping) * d : mean > least ? mean : 1);
    }
}

/* One side's factor with its damping. */
typedef struct {
    const ngi_param *param;
    const ng_steepest_options *o;
    ng_side side;
    double shift; /* of its diagonal */
} damped_factor;

/* x <- that factor, to mean eigenvalue 1 if asked */
static ng_status damp(const void *data, ng_mat x, ng_error *error)
{
    const damped_factor *of = data;
    const ng_steepest_options *o = of->o;
    TRY(ngi_statistics_factor(x, of->param, of->side, error));
    if (o->kfac.damping_kind == NG_DAMPING_DIAGONAL)
        add_share(x, o->kfac.damping);
    else
        ng_add_diagonal(x, of->shift);
    if (ngi_trace_scaled(o) && ng_trace(x) > 0)
        ng_scale(x, (double)x.rows / ng_trace(x));
    return NG_OK;
}

/* Without damping a factor of deficient rank is not mended but reported; its pivots are rounding
 * errors of either sign. In place. */
static ng_status cholesky(ng_mat l, ngi_maker damped, double tiny, double damping, ng_error *error)
{
    double jitter, smallest = INFINITY, largest = ng_max_abs(l);
    ng_status status = ngi_cholesky_again(l, damping > 0 ? &jitter : NULL, damped, error);
    if (status == NG_ESINGULAR && !(damping > 0))
        return ngi_statistics_singular(error);
    if (status != NG_OK || damping > 0)
        return status;
    for (size_t i = 0; i < l.rows; i++)
        smallest = fmin(smallest, ng_mat_get(l, i, i));
    return smallest * smallest > tiny * largest ? NG_OK : ngi_statistics_singular(error);
}

/* x, n x n in the factor's dtype, <- the root of the damped factor */
static ng_status take_root(ng_mat x, const damped_factor *of, ng_work *work, ng_error *error)
{
    double damping = of->o->kfac.damping;
    double tiny = 10 * (double)x.rows * ng_dtype_eps(of->param->w.dtype);
    ng_root form = ngi_kron_form(of->param, of->o);
    const ngi_maker damped = {damp, of};
    TRY(damp(of, x, error));
    if (form == NG_ROOT_CHOLESKY || !(damping > 0))
        TRY(cholesky(x, damped, tiny, damping, error));
    if (form == NG_ROOT_CHOLESKY)
        return NG_OK;
    if (!(damping > 0))
        TRY(damp(of, x, error));
    if (form == NG_ROOT_INVERSE)
        return ngi_spd_inverse_again(x, damped, work, error);
    double floor = damping > 0 ? ng_dtype_eps(x.dtype) : 0;
    ng_status status = ng_spd_power(x, x, -0.5, floor, work, error);
    return status == NG_ESINGULAR && !(damping > 0) ? ngi_statistics_singular(error) : status;
}

static ng_status damped_root(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error)
{
    ngi_tensor *root = ngi_side_tensor(param, ngi_root, side);
    ng_dtype dtype = ngi_side_tensor(param, ngi_factor, side)->now.dtype;
    size_t n = root->now.rows;
    const damped_factor of = {param, o, side, shift(param, o, side)};
    ng_mat result = ngi_tensor_renew(root), wide = result;
    if (dtype != result.dtype)
        TRY(ng_work_mat(work, &wide, n, n, dtype, error));
    TRY(take_root(wide, &of, work, error));
    if (dtype != result.dtype)
        TRY(ng_copy(result, wide, error));
    root->fresh = 1;
    return NG_OK;
}

/* The same of a factor of low rank. */
static ng_status damp_low_rank(ngi_param *param, const ng_steepest_options *o, ng_side side,
                               ng_error *error)
{
    ng_mat values = ngi_newest(ngi_side_tensor(param, ngi_values, side));
    size_t n = ngi_side_length(param, side), last = values.cols - 1;
    double added = shift(param, o, side), mean = ngi_low_rank_mean(param, side) + added;
    double unit = ngi_trace_scaled(o) && mean > 0 ? 1 / mean : 1, largest = added;
    ngi_tensor *t = ngi_tensor_find(param, ngi_damped_values.name[side]);
    for (size_t i = 0; i <= last; i++) {
        double value = ng_mat_get(values, 0, i) + added;
        ng_mat_set(t->next, 0, i, unit * value);
        largest = fmax(largest, value);
    }
    double least = ng_mat_get(t->next, 0, 0) / unit;
    double tiny = o->kfac.damping > 0 ? 0 : 10 * (double)n * ng_dtype_eps(param->w.dtype);
    if (!(least > tiny * largest))
        return ngi_statistics_singular(error);
    t->fresh = 1;
    return NG_OK;
}

/* ---- The slots ---------------------------------------------------------------------------- */

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    size_t mark = work->used;
    (void)g;
    if (ngi_due(param, o->kfac.update_interval))
        TRY(ngi_statistics_average(param, o, error));
    if (!ngi_due(param, o->kfac.inverse_interval))
        return NG_OK;
    if (exact(o))
        return ngi_statistics_bases(param, o, work, error);
    TRY(ngi_statistics_renew(param, work, error));
    for (int i = 0; i < 2; i++)
        if (ngi_is_low_rank(param, sides[i]))
            TRY(damp_low_rank(param, o, sides[i], error));
    for (int i = 0; i < 2; i++) {
        ng_status status = ngi_has_own(param, ngi_root, sides[i])
                               ? damped_root(param, o, sides[i], work, error)
                               : NG_OK;
        work->used = mark;
        if (status != NG_OK && status != NG_ENOCONV)
            return status;
        if (status == NG_OK)
            continue;
        param->report.stale++; /* the last good one serves */
        ngi_tensor_revert(ngi_side_tensor(param, ngi_root, sides[i]));
    }
    return NG_OK;
}

static ngi_spectrum spectrum(const ng_steepest_options *o)
{
    ngi_spectrum h = {.scale = 1, .power = 1, .shift = o->kfac.damping};
    return h;
}

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    return exact(o) ? ngi_eigen_whiten(param, o, spectrum(o), x, work, error)
                    : ngi_kron_whiten(param, o, x, work, error);
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    return exact(o) ? ngi_eigen_unwhiten(param, o, spectrum(o), y, work, error)
                    : ngi_kron_unwhiten(param, o, y, work, error);
}

static int is_kronecker(const ng_steepest_options *o)
{
    return !exact(o);
}

/* of a damped factor's root */
static size_t damped_work(size_t n, ng_root root, ng_dtype dtype, ng_dtype own)
{
    size_t bytes = dtype != own ? ng_work_mat_size(n, n, dtype) : 0;
    if (root == NG_ROOT_SYMMETRIC)
        bytes = ngi_size_add(bytes, ng_spd_power_work(n, dtype));
    if (root == NG_ROOT_INVERSE)
        bytes = ngi_size_add(bytes, ngi_spd_inverse_again_work(n, dtype));
    return bytes;
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t most = ngi_low_rank_renew_work(param), eigen = exact(o) ? ngi_eigen_work(param) : 0;
    for (int i = 0; i < 2 && !exact(o); i++) {
        size_t n = sides[i] == NG_LEFT ? param->rows : param->cols;
        const ngi_tensor *factor = ngi_side_tensor(param, ngi_factor, sides[i]);
        size_t bytes = factor != NULL ? damped_work(n, ngi_kron_form(param, o), factor->now.dtype,
                                                    param->w.dtype)
                                      : 0;
        most = bytes > most ? bytes : most;
    }
    return eigen > most ? eigen : most;
}

static size_t turn_work(const ngi_param *param, const ng_steepest_options *o)
{
    return exact(o) ? ngi_eigen_turn_work(param, o) : ngi_kron_turn_work(param, o);
}

/* ---- Options and presets ------------------------------------------------------------------ */

static const char *const damping_kinds[] = {"tikhonov_pi", "per_factor", "exact_eigen", "diagonal",
                                            NULL};

static const ng_option table[] = {
    REAL(ema_decay, 0.95, 1, 1, "decay of the factors' averages"),
    REAL(damping, 0.001, DBL_MAX, 0, "damping in the units of F: a sample's squared gradient"),
    CHOICE(damping_kind, NG_DAMPING_TIKHONOV_PI, damping_kinds, 1,
           "how damping enters; diagonal: as a share; exact_eigen: both sides, gradient momentum"),
    FACTOR_START,
    INTERVALS("captures", "inversion"),
    ROOT,
    METRIC_SCALE,
    ONE_SIDED,
    RANK,
    FACTOR_DTYPE(NG_FACTORS_AUTO),
    {.name = NULL},
};

ng_status ng_steepest_init_kfac_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->metric = NG_METRIC_KFAC;
    options->lr = 0.01;
    options->momentum = 0.9;
    options->kl_clip = 0.001;
    options->kfac.update_interval = 4;
    options->kfac.inverse_interval = 20;
    return NG_OK;
}

ng_status ng_steepest_init_kfac_auto_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->metric = NG_METRIC_KFAC;
    options->lr = 1;
    options->momentum = 0;
    options->rate = NG_RATE_QUADRATIC;
    options->retract = 1;
    options->trial_interval = 20;
    options->kfac.inverse_interval = 5;
    return NG_OK;
}

ng_status ng_steepest_init_kfac_muon_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->metric = NG_METRIC_KFAC;
    options->kfac.damping = 0.1;
    options->kfac.root = NG_ROOT_INVERSE;
    options->lr = 0.05;
    options->agreement = 1;
    options->ball = NG_BALL_SPECTRAL;
    options->spectral.polar = NG_POLAR_FAST;
    options->spectral.shape_scale = NG_SHAPE_SCALE_ORIGINAL;
    options->nesterov = 1;
    return NG_OK;
}

const ngi_metric ngi_metric_kfac = {
    .name = "kfac",
    .options = table,
    .check = check,
    .rule = rule,
    .create = create,
    .work = work_size,
    .turn_work = turn_work,
    .side_work = ngi_kron_side_work,
    .check_capture = ngi_statistics_check,
    .capture_work = ngi_statistics_capture_work,
    .capture = ngi_statistics_capture,
    .ready = ngi_statistics_ready,
    .update = update,
    .commit = ngi_statistics_commit,
    .whiten = whiten,
    .unwhiten = unwhiten,
    .factor_side = ngi_kron_factor_side,
    .solve_side = ngi_kron_solve_side,
    .is_kronecker = is_kronecker,
};
