/* SOAP (natgrad/metric/soap.h): Adam's second moment in the eigenbases of the
 * averages of G G^T and G^T G. The metric is diagonal there with eigenvalues
 * sqrt(V) + damping. The average M stays in the space of the gradients and is rotated
 * at each step, so no basis can be out of date for it; V is carried along. */
#include "optim/steepest/eigenbases.h"
#include "optim/steepest/grafting.h"

#include "lib/core/size.h"
#include "lib/core/try.h"

#define OWNER(field) soap.field
#include "optim/steepest/table.h"

static ngi_rule rule(const ng_steepest_options *o)
{
    const ng_soap_options *own = &o->soap;
    return (ngi_rule){.metric_scale = own->metric_scale,
                      .one_sided = own->one_sided,
                      .factor_dtype = own->factor_dtype,
                      .ema_decay = own->ema_decay,
                      .damping = own->damping,
                      .update_interval = own->update_interval,
                      .inverse_interval = own->inverse_interval};
}

static ng_status check(const ng_steepest_options *o, ng_error *error)
{
    return ngi_check_gradient_space(o, "metric = soap", error);
}

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_gram_create(param, o, error));
    TRY(ngi_param_tensor(param, ngi_diagonal, param->rows, param->cols, param->w.dtype, NGI_SPARE,
                         error));
    ngi_tensor_legal(param, ngi_diagonal, NGI_NONNEGATIVE);
    return NG_OK;
}

/* The bases of a step come from the gradients before it, so that none defines its own: at steps
 * 2, 2 + inverse_interval, ... The first step has the identity and is Adam's. */
static ng_status new_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                           ng_error *error)
{
    const ng_mat none[2] = {{.data = NULL}, {.data = NULL}};
    if (param->step == 0 || (param->step - 1) % (unsigned)o->soap.inverse_interval != 0)
        return NG_OK;
    int follow = param->step > 1 && o->soap.eigenbasis == NG_EIGENBASIS_QR;
    ng_status status = ngi_eigen_bases(param, none, follow, work, error);
    if (status == NG_ENOCONV)
        return NG_OK; /* the last good ones serve */
    TRY(status);
    return ngi_eigen_carry(param, work, error);
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ngi_tensor *v = ngi_tensor_find(param, ngi_diagonal);
    size_t mark = work->used;
    ng_mat turned;
    TRY(ng_copy(v->next, v->now, error));
    TRY(new_bases(param, o, work, error));
    work->used = mark;
    if (ngi_due(param, o->soap.update_interval))
        TRY(ngi_gram_average(param, o, g, work, error));
    TRY(ng_work_mat(work, &turned, g.rows, g.cols, g.dtype, error));
    TRY(ng_copy(turned, g, error));
    TRY(ngi_eigen_rotate(param, turned, 0, work, error));
    TRY(ngi_moment_add(v, v->next, o->soap.beta2, turned, error));
    work->used = mark;
    return NG_OK;
}

static ngi_spectrum spectrum(const ngi_param *param, const ng_steepest_options *o)
{
    ngi_spectrum h = {ngi_moment_scale(param, o->soap.beta2), 0.5, o->soap.damping};
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
    size_t rotate = ngi_size_mul(2, ngi_eigen_turn_work(param, o));
    size_t add = ngi_kron_add_work(param), eigen = ngi_eigen_work(param);
    size_t most = add > eigen ? add : eigen;
    return rotate > most ? rotate : most;
}

static const ng_option table[] = {
    REAL(ema_decay, 0.95, 1, 0, "decay of the averages of G G^T and G^T G; 1: sums"),
    REAL(beta2, 0.9, 1, 0, "decay of the second moments; 1: their sum"),
    REAL(damping, 1e-8, DBL_MAX, 0, "added to the second moments' roots: Adam's eps"),
    INTERVALS("gradients", "eigenbasis"),
    CHOICE(eigenbasis, NG_EIGENBASIS_QR, ngi_eigenbases, 0, "how eigenbases follow"),
    METRIC_SCALE,
    ONE_SIDED,
    FACTOR_DTYPE(NG_FACTORS_SAME),
    {.name = NULL},
};

ng_status ng_steepest_init_soap_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->metric = NG_METRIC_SOAP;
    options->soap.one_sided = NG_ONE_SIDED_AUTO;
    options->lr = 0.004;
    return NG_OK;
}

const ngi_metric ngi_metric_soap = {
    .name = "soap",
    .options = table,
    .check = check,
    .rule = rule,
    .create = create,
    .work = work_size,
    .turn_work = ngi_eigen_turn_work,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
};
