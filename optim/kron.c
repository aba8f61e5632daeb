/* Factors and roots of Kronecker metrics (kron.h). The stored root is L with
 * L L^T = P (Cholesky) or P^(-1/2) (symmetric, ready to multiply with). */
#include "optim/kron.h"

#include <math.h>

static size_t length(const ngi_param *param, ng_side side)
{
    return side == NG_LEFT ? param->w.rows : param->w.cols;
}

ng_status ngi_kron_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    static const struct {
        int slot;
        ng_side side;
        const char *name;
    } tensors[] = {{LEFT_FACTOR, NG_LEFT, "left_factor"},
                   {RIGHT_FACTOR, NG_RIGHT, "right_factor"},
                   {LEFT_ROOT, NG_LEFT, "left_root"},
                   {RIGHT_ROOT, NG_RIGHT, "right_root"}};
    (void)o;
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        size_t n = length(param, tensors[i].side);
        ng_status status =
            ngi_param_tensor(param, tensors[i].slot, tensors[i].name, n, n, NGI_SPARE, error);
        if (status != NG_OK)
            return status;
        ng_set_identity(param->tensor[tensors[i].slot].now);
    }
    return NG_OK;
}

static int trace_scaled(const ng_steepest_options *o)
{
    return o->metric_scale == NG_METRIC_SCALE_TRACE ||
           (o->metric_scale == NG_METRIC_SCALE_AUTO && o->ball != NG_BALL_NONE);
}

ng_status ngi_kron_accumulate(ngi_param *param, const ng_steepest_options *o, ng_side side,
                              ng_mat x, double shift, ng_error *error)
{
    ng_mat factor = ngi_kron_factor(param, side, NGI_NEW);
    double n = (double)factor.rows, rest = 1 - o->ema_decay;
    double d = (double)length(param, ngi_other(side));
    ng_copy(factor, ngi_kron_factor(param, side, NGI_OLD), NULL);
    ng_status status =
        ng_syrk(factor, x, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, rest / d, o->ema_decay, error);
    if (status != NG_OK)
        return status;
    ng_add_diagonal(factor, rest * shift);
    ng_mirror(factor);
    if (trace_scaled(o) && ng_trace(factor) > 0)
        ng_scale(factor, n / ng_trace(factor));
    if (!ng_is_finite(factor))
        return ng_error_set(error, NG_ERANGE,
                            "the %s factor overflows: the gradient is too large for its dtype",
                            side == NG_LEFT ? "left" : "right");
    return NG_OK;
}

ng_status ngi_kron_decompose(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error)
{
    ng_mat factor = ngi_kron_factor(param, side, NGI_NEW);
    ng_mat root = ngi_kron_root(param, side, NGI_NEW);
    double jitter;
    if (o->root == NG_ROOT_CHOLESKY)
        return ng_cholesky(root, &jitter, factor, error);
    return ng_spd_power(root, factor, -0.5, ng_dtype_eps(factor.dtype), work, error);
}

/* x <- root x or x root, root symmetric, through scratch */
static ng_status multiply(ng_mat x, ng_side side, ng_mat root, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_mat copy;
    ng_status status = ng_work_mat(work, &copy, x.rows, x.cols, x.dtype, error);
    if (status == NG_OK)
        status = ng_copy(copy, x, error);
    if (status == NG_OK)
        status = ng_symm(x, side, root, copy, 1, 0, error);
    work->used = mark;
    return status;
}

ng_status ngi_kron_whiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                               ngi_age age, ng_mat x, ng_work *work, ng_error *error)
{
    ng_mat root = ngi_kron_root(param, side, age);
    if (o->root == NG_ROOT_SYMMETRIC)
        return multiply(x, side, root, work, error);
    return ng_trsm(x, side, root, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, error);
}

ng_status ngi_kron_unwhiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                                 ng_mat y, ng_work *work, ng_error *error)
{
    ng_mat root = ngi_kron_root(param, side, NGI_NEW);
    if (o->root == NG_ROOT_SYMMETRIC)
        return multiply(y, side, root, work, error);
    return ng_trsm(y, side, root, side == NG_LEFT ? NG_TRANS : NG_NOTRANS, 1, error);
}

ng_status ngi_kron_whiten_new_side(const ngi_param *param, const ng_steepest_options *o,
                                   ng_side side, ng_mat x, ng_work *work, ng_error *error)
{
    return ngi_kron_whiten_side(param, o, side, NGI_NEW, x, work, error);
}

ng_status ngi_kron_whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                          ng_work *work, ng_error *error)
{
    ng_status status = ngi_kron_whiten_new_side(param, o, NG_LEFT, x, work, error);
    return status != NG_OK ? status : ngi_kron_whiten_new_side(param, o, NG_RIGHT, x, work, error);
}

ng_status ngi_kron_unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                            ng_work *work, ng_error *error)
{
    ng_status status = ngi_kron_unwhiten_side(param, o, NG_LEFT, y, work, error);
    return status != NG_OK ? status : ngi_kron_unwhiten_side(param, o, NG_RIGHT, y, work, error);
}

size_t ngi_kron_work(const ngi_param *param, const ng_steepest_options *o)
{
    size_t larger = param->w.rows > param->w.cols ? param->w.rows : param->w.cols;
    size_t product = ng_work_mat_size(param->w.rows, param->w.cols, param->w.dtype);
    size_t power = o->root == NG_ROOT_SYMMETRIC ? ng_spd_power_work(larger, param->w.dtype) : 0;
    return power > product ? power : product;
}
