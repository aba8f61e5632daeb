/* The Fisher metric from gradients alone (natgrad/metric/fismo.h): one
 * Gauss-Seidel step of P and Q, P first with the old Q, then Q with the new P. */
#include "optim/steepest/factors.h"

#include "lib/core/size.h"
#include "lib/core/try.h"

#define OWNER(field) fismo.field
#include "optim/steepest/table.h"

static ngi_rule rule(const ng_steepest_options *o)
{
    const ng_fismo_options *own = &o->fismo;
    return (ngi_rule){.root = own->root,
                      .metric_scale = own->metric_scale,
                      .one_sided = own->one_sided,
                      .factor_dtype = own->factor_dtype,
                      .rank = own->rank,
                      .ema_decay = own->ema_decay,
                      .damping = own->damping,
                      .refresh_tolerance = own->refresh_tolerance};
}

static ng_status check(const ng_steepest_options *o, ng_error *error)
{
    if (o->fismo.refresh_tolerance > 0 && o->fismo.root != NG_ROOT_SYMMETRIC)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: refresh_tolerance needs root = symmetric");
    return ngi_check_whitened_root(o, o->fismo.root, error);
}

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_kron_create(param, o, error));
    ngi_side_legal(param, ngi_root, NGI_POSITIVE_DIAGONAL);
    ngi_side_legal(param, ngi_values, NGI_POSITIVE);
    return NG_OK;
}

/* x y^T (x^T y on the right) is what goes into this side's factor, up to its weight: of the other
 * side's inverse, or a square. */
static ng_status whitened(ng_mat x, ng_mat *y, ngi_param *param, const ng_steepest_options *o,
                          ng_side side, ngi_age age, ng_mat g, ng_work *work, ng_error *error)
{
    ng_side other = ngi_other(side);
    int product = ngi_kron_form(param, o) == NG_ROOT_INVERSE && ngi_kron_has(param, other);
    *y = product ? g : x;
    if (product)
        return ngi_kron_solve(x, param, o, other, age, g, work, error);
    TRY(ng_copy(x, g, error));
    return ngi_kron_whiten_side(param, o, other, age, x, work, error);
}

/* One side's factor and root from g whitened on the other side with roots of
 * that age; unless the side has none or it is not its turn. */
static ng_status update_side(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ngi_age age, ng_mat g, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    int interval = side == ngi_output_side(param) ? o->fismo.refresh_p : o->fismo.refresh_q;
    ng_mat x, y;
    if (!ngi_kron_has(param, side) || !ngi_due(param, interval))
        return NG_OK;
    TRY(ng_work_mat(work, &x, g.rows, g.cols, g.dtype, error));
    TRY(whitened(x, &y, param, o, side, age, g, work, error));
    int low = ngi_is_low_rank(param, side);
    TRY(low ? ngi_low_rank_accumulate(param, o, side, x, y, work, error)
            : ngi_kron_accumulate(param, o, side, x, y, work, error));
    work->used = mark;
    return low ? NG_OK : ngi_kron_decompose(param, o, side, work, error);
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ng_side out = ngi_output_side(param);
    TRY(update_side(param, o, out, NGI_OLD, g, work, error));
    return update_side(param, o, ngi_other(out), NGI_NEW, g, work, error);
}

/* The factor itself, where its root is of now. */
static ng_status factor_side(ng_mat *factor, const ngi_param *param, const ng_steepest_options *o,
                             ng_side side, ng_work *work, ng_error *error)
{
    const ngi_tensor *t = ngi_side_tensor(param, ngi_factor, side);
    (void)o;
    *factor = t != NULL ? ngi_newest(t) : ng_mat_none();
    if (t == NULL || factor->dtype == param->w.dtype)
        return NG_OK;
    TRY(ng_work_mat(work, factor, t->now.rows, t->now.cols, param->w.dtype, error));
    return ng_copy(*factor, ngi_newest(t), error);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t add = ngi_kron_add_work(param), low = ngi_low_rank_renew_work(param),
           turn = ngi_kron_turn_work(param, o);
    size_t whitened = ng_work_mat_size(param->rows, param->cols, param->w.dtype);
    add = add > low ? add : low;
    size_t accumulate = ngi_size_add(whitened, add > turn ? add : turn);
    size_t root = ngi_kron_root_work(param, o);
    return accumulate > root ? accumulate : root;
}

/* ---- Options and presets ------------------------------------------------------------- */

static const ng_option table[] = {
    REAL(ema_decay, 0.95, 1, 1, "decay of the factors (gamma)"),
    REAL(damping, 1, DBL_MAX, 0, "damping relative to the factors' mean eigenvalue (mu)"),
    ROOT,
    METRIC_SCALE,
    ONE_SIDED,
    RANK,
    FACTOR_DTYPE(NG_FACTORS_AUTO),
    STEPS(refresh_p, 1, "steps from one update of the output factor P to the next"),
    STEPS(refresh_q, 1, "steps from one update of the input factor Q to the next"),
    {FIELD(refresh_tolerance), .kind = NG_OPTION_REAL, .min = 0, .max = 1, .below = 1, .fixed = 1,
     .doc = "off-diagonal part up to which an eigenbasis is kept (symmetric roots)"},
    {.name = NULL},
};

static ng_status init(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->metric = NG_METRIC_FISMO;
    options->ball = NG_BALL_SPECTRAL;
    return NG_OK;
}

ng_status ng_steepest_init_fismo_sized(ng_steepest_options *options, size_t size)
{
    TRY(init(options, size));
    options->spectral.polar = NG_POLAR_FAST;
    options->gradient_scale = NG_GRADIENT_SCALE_RMS;
    options->fismo.root = NG_ROOT_INVERSE;
    options->fismo.damping = 3;
    options->fismo.one_sided = NG_ONE_SIDED_AUTO;
    options->fismo.refresh_p = options->fismo.refresh_q = 10;
    return NG_OK;
}

ng_status ng_steepest_init_fismo_paper_sized(ng_steepest_options *options, size_t size)
{
    TRY(init(options, size));
    options->momentum_space = NG_MOMENTUM_WHITENED;
    options->fismo.root = NG_ROOT_SYMMETRIC;
    options->lr = 0.005;
    return NG_OK;
}

const ngi_metric ngi_metric_fismo = {
    .name = "fismo",
    .options = table,
    .check = check,
    .rule = rule,
    .create = create,
    .work = work_size,
    .turn_work = ngi_kron_turn_work,
    .side_work = ngi_kron_side_work,
    .update = update,
    .whiten = ngi_kron_whiten,
    .unwhiten = ngi_kron_unwhiten,
    .factor_side = factor_side,
    .solve_side = ngi_kron_solve_side,
};
