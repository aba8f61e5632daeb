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
    return NG_OK;
}

/* One side's factor and root from g whitened on the other side with roots of
 * that age; unless the side has none or it is not its turn. */
static ng_status update_side(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ngi_age age, ng_mat g, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    int interval = side == ngi_output_side(param) ? o->fismo.refresh_p : o->fismo.refresh_q;
    ng_mat x;
    if (!ngi_kron_has(param, side) || !ngi_due(param, interval))
        return NG_OK;
    TRY(ng_work_mat(work, &x, g.rows, g.cols, g.dtype, error));
    TRY(ng_copy(x, g, error));
    TRY(ngi_kron_whiten_side(param, o, ngi_other(side), age, x, work, error));
    TRY(ngi_kron_accumulate(param, o, side, x, work, error));
    work->used = mark;
    return ngi_kron_decompose(param, o, side, work, error);
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ng_side out = ngi_output_side(param);
    TRY(update_side(param, o, out, NGI_OLD, g, work, error));
    return update_side(param, o, ngi_other(out), NGI_NEW, g, work, error);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    return ngi_size_add(ng_work_mat_size(param->rows, param->cols, param->w.dtype),
                        ngi_kron_work(param, o));
}

/* ---- Options and presets ------------------------------------------------------------- */

static const ng_option table[] = {
    REAL(ema_decay, 0.95, 1, 1, "decay of the factors (gamma)"),
    REAL(damping, 1, DBL_MAX, 0, "damping relative to the factors' mean eigenvalue (mu)"),
    ROOT,
    METRIC_SCALE,
    ONE_SIDED,
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
    options->gradient_scale = NG_GRADIENT_SCALE_RMS;
    options->fismo.damping = 3;
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
    .update = update,
    .whiten = ngi_kron_whiten,
    .unwhiten = ngi_kron_unwhiten,
    .whiten_side = ngi_kron_whiten_new_side,
    .unwhiten_side = ngi_kron_unwhiten_side,
};
