/* Parameters of one group with the same inputs, whose statistics are then kept once. */
#include "optim/front/front.h"

#include "lib/core/try.h"

static ng_status check_one(const ngi_param *leader, const ngi_param *param, ng_error *error)
{
    int biased = ngi_biased(param);
    if (ngi_shares_inputs(param))
        return ng_error_set(error, NG_EARG, "parameter '%.60s' shares its inputs already",
                            param->name);
    if (param->step > 0 || param->captured > 0)
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s': inputs are shared before its first capture or step",
                            param->name);
    if (param->w.dtype != leader->w.dtype)
        return ng_error_set(error, NG_EDTYPE, "parameters '%.60s' and '%.60s' differ in dtype",
                            leader->name, param->name);
    if (ngi_inputs(param) != ngi_inputs(leader) || param->layout != leader->layout ||
        biased != ngi_biased(leader) || param->bias_input != leader->bias_input)
        return ng_error_set(error, NG_ESHAPE,
                            "parameters '%.60s' and '%.60s' differ in inputs, layout or bias",
                            leader->name, param->name);
    return NG_OK;
}

static ng_status check(const ng_group *group, const ngi_param *leader, size_t first, size_t count)
{
    ng_error *error = &group->optimizer->error;
    TRY(ngi_check_detached(group->optimizer, error));
    TRY(ngi_check_wanted(group, leader, "captures"));
    if (count > group->count - first)
        return ng_error_set(error, NG_EARG,
                            "%zu parameters from '%.60s' on, the group has %zu there", count,
                            leader->name, group->count - first);
    for (size_t i = 0; i < count; i++)
        TRY(check_one(leader, group->params[first + i], error));
    return NG_OK;
}

/* The parameter without the statistics of its inputs. */
static ng_status follow(ngi_param *result, const ngi_param *param, ngi_param *leader,
                        const ng_group *group)
{
    *result = *param;
    result->tensor = NULL;
    result->tensor_count = result->tensor_capacity = 0;
    result->update = ng_mat_none();
    result->leader = leader;
    ng_status status = ngi_param_create_state(result, group, &group->optimizer->error);
    if (status != NG_OK)
        ngi_param_drop_state(result);
    return status;
}

/* made: room for all of them */
static ng_status share(ngi_param *made, const ng_group *group, size_t first, size_t count)
{
    ngi_param *leader = group->params[first];
    ng_status status = NG_OK;
    size_t done = 1;
    while (done < count &&
           (status = follow(&made[done], group->params[first + done], leader, group)) == NG_OK)
        done++;
    for (size_t i = 1; i < done; i++) {
        if (status != NG_OK) {
            ngi_param_drop_state(&made[i]);
            continue;
        }
        ngi_param_drop_state(group->params[first + i]);
        *group->params[first + i] = made[i];
    }
    if (status == NG_OK)
        leader->followers = count - 1;
    return status;
}

ng_status ng_group_share_inputs(ng_group *group, size_t first, size_t count)
{
    ngi_param *leader, *made;
    ngi_pool pool = {NULL};
    TRY(ngi_param_find(&leader, group, first));
    TRY(check(group, leader, first, count));
    if (count < 2)
        return NG_OK;
    ng_status status =
        ngi_pool_array(&pool, &made, count, sizeof *made, "parameters", &group->optimizer->error);
    return ngi_pool_close(&pool, status == NG_OK ? share(made, group, first, count) : status);
}
