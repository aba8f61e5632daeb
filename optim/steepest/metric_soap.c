/* SOAP (Vyas et al. 2024, Alg. 3): Adam's second moment in the eigenbases of the
 * averages of G G^T and G^T G. The metric is diagonal there with eigenvalues
 * sqrt(V) + damping. The average M stays in the space of the gradients and is rotated
 * at each step, so no basis can be out of date for it; V is carried along. */
#include "optim/steepest/eigenbases.h"
#include "optim/steepest/grafting.h"

#include "lib/core/size.h"

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    ng_status status = ngi_gram_create(param, o, error);
    param->tensor[DIAGONAL].legal = NGI_NONNEGATIVE;
    return status != NG_OK ? status
                           : ngi_param_tensor(param, DIAGONAL, "second_moment", param->rows,
                                              param->cols, param->w.dtype, NGI_SPARE, error);
}

/* The bases of a step come from the gradients before it, so that none defines its own: at steps
 * 2, 2 + inverse_interval, ... The first step has the identity and is Adam's. */
static ng_status new_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                           ng_error *error)
{
    const ng_mat none[2] = {{.data = NULL}, {.data = NULL}};
    if (param->step == 0 || (param->step - 1) % (unsigned)o->inverse_interval != 0)
        return NG_OK;
    int follow = param->step > 1 && o->eigenbasis == NG_EIGENBASIS_QR;
    ng_status status = ngi_eigen_bases(param, none, follow, work, error);
    if (status == NG_OK)
        status = ngi_eigen_carry(param, work, error);
    return status == NG_ENOCONV ? NG_OK : status; /* the last good ones serve */
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ngi_tensor *v = &param->tensor[DIAGONAL];
    size_t mark = work->used;
    ng_mat turned;
    ng_status status = ng_copy(v->next, v->now, error);
    if (status == NG_OK)
        status = new_bases(param, o, work, error);
    if (status == NG_OK && ngi_due(param, o->update_interval))
        status = ngi_gram_average(param, o, g, work, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &turned, g.rows, g.cols, g.dtype, error);
    if (status == NG_OK)
        status = ng_copy(turned, g, error);
    if (status == NG_OK)
        status = ngi_eigen_rotate(param, turned, 0, work, error);
    if (status == NG_OK)
        status = ngi_moment_add(v, v->next, o->beta2, turned, error);
    work->used = mark;
    return status;
}

static ngi_spectrum spectrum(const ngi_param *param, const ng_steepest_options *o)
{
    ngi_spectrum h = {ngi_moment_scale(param, o->beta2), 0.5, o->damping};
    return h;
}

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    return ngi_eigen_whiten(param, o, spectrum(param, o), x, work, error);
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    return ngi_eigen_unwhiten(param, o, spectrum(param, o), y, work, error);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t rotate = ngi_size_mul(2, ng_work_mat_size(param->rows, param->cols, param->w.dtype));
    size_t kron = ngi_kron_work(param, o), eigen = ngi_eigen_work(param);
    return ngi_size_add(rotate, kron > eigen ? kron : eigen);
}

const ngi_metric ngi_metric_soap = {
    .create = create,
    .work = work_size,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
};
