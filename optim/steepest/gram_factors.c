/* Factors that average G G^T (rows) and G^T G (columns), for Shampoo and SOAP. */
#include "optim/steepest/factors.h"

#include <math.h>

#include "lib/core/try.h"

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

ng_status ngi_gram_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_kron_create(param, o, error));
    for (int i = 0; i < 2; i++)
        ngi_tensor_start(param, ngi_factor.name[i], NGI_ZEROS);
    TRY(ngi_param_tensor(param, ngi_average_weight, 1, 1, NG_F64, NGI_SPARE, error));
    ngi_tensor_legal(param, ngi_average_weight, NGI_NONNEGATIVE);
    return NG_OK;
}

static ng_status add(ngi_param *param, ng_side side, ng_mat g, double weight, double keep,
                     ng_work *work, ng_error *error)
{
    ngi_tensor *factor = ngi_side_tensor(param, ngi_factor, side);
    if (factor == NULL)
        return NG_OK;
    TRY(ng_copy(factor->next, factor->now, error));
    TRY(ngi_kron_add_gram(factor->next, side, g, 1 / weight, keep, work, error));
    if (!isfinite(ng_trace(factor->next))) /* the diagonal bounds the rest */
        return ng_error_set(error, NG_ERANGE,
                            "the %s factor overflows: the gradient is too large for its dtype",
                            side == NG_LEFT ? "left" : "right");
    factor->fresh = 1;
    return NG_OK;
}

ng_status ngi_gram_average(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                           ng_error *error)
{
    ngi_tensor *t = ngi_tensor_find(param, ngi_average_weight);
    double decay = ngi_rule_of(o).ema_decay;
    int sum = decay == 1;
    double weight = sum ? 1 : 1 + decay * ng_mat_get(t->now, 0, 0);
    double keep = sum ? 1 : 1 - 1 / weight;
    for (int i = 0; i < 2; i++)
        TRY(add(param, sides[i], g, weight, keep, work, error));
    ng_mat_set(t->next, 0, 0, weight);
    t->fresh = 1;
    return NG_OK;
}
