/* The Fisher metric from gradients alone (Xu et al. 2026, Alg. 1): one
 * Gauss-Seidel step of P and Q on the fixed point of Theorem 1, P first with
 * the old Q, then Q with the new P. */
#include "optim/steepest/factors.h"

#include "lib/core/size.h"

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    param->tensor[LEFT_ROOT].legal = param->tensor[RIGHT_ROOT].legal = NGI_POSITIVE_DIAGONAL;
    return ngi_kron_create(param, o, error);
}

/* One side's factor and root from g whitened on the other side with roots of
 * that age; unless the side has none or it is not its turn. */
static ng_status update_side(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ngi_age age, ng_mat g, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    int interval = side == ngi_output_side(param) ? o->refresh_p : o->refresh_q;
    ng_mat x;
    if (!ngi_kron_has(param, side) || param->step % (unsigned)interval != 0)
        return NG_OK;
    ng_status status = ng_work_mat(work, &x, g.rows, g.cols, g.dtype, error);
    if (status == NG_OK)
        status = ng_copy(x, g, error);
    if (status == NG_OK)
        status = ngi_kron_whiten_side(param, o, ngi_other(side), age, x, work, error);
    if (status == NG_OK)
        status = ngi_kron_accumulate(param, o, side, x, o->damping, work, error);
    work->used = mark;
    return status != NG_OK ? status : ngi_kron_decompose(param, o, side, work, error);
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ng_side out = ngi_output_side(param);
    ng_status status = update_side(param, o, out, NGI_OLD, g, work, error);
    if (status == NG_OK)
        status = update_side(param, o, ngi_other(out), NGI_NEW, g, work, error);
    return status;
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    return ngi_size_add(ng_work_mat_size(param->rows, param->cols, param->w.dtype),
                        ngi_kron_work(param, o));
}

const ngi_metric ngi_metric_fismo = {
    .create = create,
    .work = work_size,
    .update = update,
    .whiten = ngi_kron_whiten,
    .unwhiten = ngi_kron_unwhiten,
    .whiten_side = ngi_kron_whiten_new_side,
    .unwhiten_side = ngi_kron_unwhiten_side,
};
