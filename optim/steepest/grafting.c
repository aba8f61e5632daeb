/* Second moments and grafting (moment.h). */
#include "optim/steepest/grafting.h"

#include <math.h>

static const double graft_eps = 1e-8; /* Adam's */

ng_status ngi_moment_add(ngi_tensor *t, ng_mat old, double beta2, ng_mat g, ng_error *error)
{
    double rest = beta2 == 1 ? 1 : 1 - beta2;
    for (size_t i = 0; i < g.rows; i++)
        for (size_t j = 0; j < g.cols; j++) {
            double x = ng_mat_get(g, i, j);
            ng_mat_set(t->next, i, j, beta2 * ng_mat_get(old, i, j) + rest * x * x);
        }
    t->fresh = ng_is_finite(t->next);
    if (!t->fresh)
        return ng_error_set(error, NG_ERANGE,
                            "the second moment overflows: the gradient is too large for its dtype");
    return NG_OK;
}

double ngi_moment_scale(const ngi_param *param, double beta2)
{
    return beta2 == 1 ? 1 : 1 / (1 - pow(beta2, (double)param->step + 1));
}

ng_status ngi_graft_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    if (o->grafting != NG_GRAFTING_ADAM)
        return NG_OK;
    param->tensor[GRAFT_MOMENT].legal = NGI_NONNEGATIVE;
    return ngi_param_tensor(param, GRAFT_MOMENT, "graft_moment", param->rows, param->cols,
                            param->w.dtype, NGI_SPARE, error);
}

ng_status ngi_graft_length(double *length, ngi_param *param, const ng_steepest_options *o, ng_mat g,
                           ng_mat x, ng_error *error)
{
    double scale = ngi_moment_scale(param, o->beta2), sum = 0;
    *length = ng_norm(x);
    if (o->grafting != NG_GRAFTING_ADAM)
        return NG_OK;
    ngi_tensor *t = &param->tensor[GRAFT_MOMENT];
    ng_status status = ngi_moment_add(t, t->now, o->beta2, g, error);
    for (size_t i = 0; i < x.rows && status == NG_OK; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double d = ng_mat_get(x, i, j) / (sqrt(scale * ng_mat_get(t->next, i, j)) + graft_eps);
            sum += d * d;
        }
    *length = sqrt(sum);
    return status;
}
