/* Shampoo (Gupta, Koren & Singer 2018): factors (L + shift I)^exponent of the
 * averages L of G G^T and G^T G. The roots are symmetric, (L + shift I)^(-exponent/2). */
#include "optim/steepest/eigenbases.h"

#include <math.h>

#include "lib/core/size.h"

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

/* values <- those of the root, from those of the average; NG_ESINGULAR. */
static ng_status root_values(ng_mat values, const ng_steepest_options *o, ng_dtype dtype,
                             ng_error *error)
{
    size_t n = values.cols;
    double mean = 0, unit = 0, largest = ng_mat_get(values, 0, n - 1);
    double tiny = (double)n * ng_dtype_eps(dtype) * largest;
    for (size_t i = 0; i < n; i++)
        mean += ng_mat_get(values, 0, i) / (double)n;
    if (!(o->damping > 0) && !(ng_mat_get(values, 0, 0) > tiny))
        return ng_error_set(error, NG_ESINGULAR,
                            "a factor is singular to working precision: it needs damping > 0");
    for (size_t i = 0; i < n; i++) {
        double value = ng_mat_get(values, 0, i) + o->damping * mean;
        ng_mat_set(values, 0, i, pow(value, -o->exponent / 2));
        unit += pow(value, o->exponent) / (double)n;
    }
    if (ngi_trace_scaled(o))
        ng_scale(values, sqrt(unit));
    return NG_OK;
}

/* root <- V^T diag(values) V, values > 0, through half of it */
static ng_status compose(ng_mat root, ng_mat values, ng_mat vectors, ng_work *work, ng_error *error)
{
    size_t n = vectors.rows;
    ng_mat wide;
    ng_status status = ng_work_mat(work, &wide, n, n, NG_F64, error);
    for (size_t k = 0; k < n && status == NG_OK; k++)
        ng_scale(ng_mat_block(vectors, k, 0, 1, n), sqrt(ng_mat_get(values, 0, k)));
    if (status == NG_OK)
        status = ng_syrk(wide, vectors, NG_TRANS, 1, 0, error);
    if (status != NG_OK)
        return status;
    ng_mirror(wide);
    return ng_copy(root, wide, error);
}

static ng_status new_root(ngi_param *param, const ng_steepest_options *o, ng_side side,
                          ng_work *work, ng_error *error)
{
    ngi_tensor *root = &param->tensor[side == NG_LEFT ? LEFT_ROOT : RIGHT_ROOT];
    ng_mat factor = ngi_newest(ngi_kron_tensor(param, LEFT_FACTOR, side)), values, vectors;
    size_t n = factor.rows;
    if (!(ng_trace(factor) > 0)) { /* no gradient so far */
        ng_set_identity(root->next);
        root->fresh = 1;
        return NG_OK;
    }
    ng_status status = ng_work_mat(work, &values, 1, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &vectors, n, n, NG_F64, error);
    if (status == NG_OK)
        status = ngi_factor_eigen(values, vectors, factor, work, error);
    if (status == NG_OK)
        status = root_values(values, o, factor.dtype, error);
    if (status == NG_OK)
        status = compose(root->next, values, vectors, work, error);
    root->fresh = status == NG_OK;
    return status;
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    size_t mark = work->used;
    ng_status status = NG_OK;
    if (ngi_due(param, o->update_interval))
        status = ngi_gram_average(param, o, g, work, error);
    for (int i = 0; i < 2 && status == NG_OK && ngi_due(param, o->inverse_interval); i++) {
        if (ngi_kron_has(param, sides[i]))
            status = new_root(param, o, sides[i], work, error);
        work->used = mark;
        if (status == NG_ENOCONV) { /* every solver failed: go on with the last good one */
            param->report.stale++;
            status = NG_OK;
        }
    }
    return status;
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t kron = ngi_kron_work(param, o), eigen = ngi_eigen_work(param);
    return kron > eigen ? kron : eigen;
}

const ngi_metric ngi_metric_shampoo = {
    .create = ngi_gram_create,
    .work = work_size,
    .update = update,
    .whiten = ngi_kron_whiten,
    .unwhiten = ngi_kron_unwhiten,
    .whiten_side = ngi_kron_whiten_new_side,
    .unwhiten_side = ngi_kron_unwhiten_side,
};
