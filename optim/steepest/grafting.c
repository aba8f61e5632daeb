/* Second moments and grafting (grafting.h). */
#include "optim/steepest/grafting.h"

#include <math.h>

#include "lib/core/try.h"

static const double graft_eps = 1e-8; /* Adam's */
static const char moment[] = "graft_moment";

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
    TRY(ngi_param_tensor(param, moment, param->rows, param->cols, param->w.dtype, NGI_SPARE,
                         error));
    ngi_tensor_legal(param, moment, NGI_NONNEGATIVE);
    return NG_OK;
}

ng_status ngi_graft_length(double *length, ngi_param *param, const ng_steepest_options *o, ng_mat g,
                           ng_mat x, ng_error *error)
{
    double scale = ngi_moment_scale(param, o->grafting_beta2), sum = 0;
    *length = ng_norm(x);
    if (o->grafting != NG_GRAFTING_ADAM)
        return NG_OK;
    ngi_tensor *t = ngi_tensor_find(param, moment);
    TRY(ngi_moment_add(t, t->now, o->grafting_beta2, g, error));
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double d = ng_mat_get(x, i, j) / (sqrt(scale * ng_mat_get(t->next, i, j)) + graft_eps);
            sum += d * d;
        }
    *length = sqrt(sum);
    return NG_OK;
}
