/* Factors that average G G^T (rows) and G^T G (columns), for Shampoo and SOAP. */
#include "optim/steepest/factors.h"

#include <math.h>

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

ng_status ngi_gram_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    ng_status status = ngi_kron_create(param, o, error);
    param->tensor[AVERAGE_WEIGHT].legal = NGI_NONNEGATIVE;
    for (int i = 0; i < 2 && status == NG_OK; i++)
        if (ngi_kron_has(param, sides[i]))
            ng_fill(ngi_kron_tensor(param, LEFT_FACTOR, sides[i])->now, 0);
    if (status == NG_OK)
        status = ngi_param_tensor(param, AVERAGE_WEIGHT, "average_weight", 1, 1, NG_F64, NGI_SPARE,
                                  error);
    return status;
}

ng_status ngi_gram_average(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                           ng_error *error)
{
    ngi_tensor *t = &param->tensor[AVERAGE_WEIGHT];
    int sum = o->ema_decay == 1;
    double weight = sum ? 1 : 1 + o->ema_decay * ng_mat_get(t->now, 0, 0);
    double keep = sum ? 1 : 1 - 1 / weight;
    for (int i = 0; i < 2; i++) {
        ngi_tensor *factor = &param->tensor[LEFT_FACTOR + i];
        if (!ngi_kron_has(param, sides[i]))
            continue;
        ng_status status = ng_copy(factor->next, factor->now, error);
        if (status == NG_OK)
            status = ngi_kron_add_gram(factor->next, sides[i], g, 1 / weight, keep, work, error);
        if (status != NG_OK)
            return status;
        if (!isfinite(ng_trace(factor->next))) /* the diagonal bounds the rest */
            return ng_error_set(error, NG_ERANGE,
                                "the %s factor overflows: the gradient is too large for its dtype",
                                i == 0 ? "left" : "right");
        factor->fresh = 1;
    }
    ng_mat_set(t->next, 0, 0, weight);
    t->fresh = 1;
    return NG_OK;
}
