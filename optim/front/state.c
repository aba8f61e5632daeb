/* The optimizer's state, item by item (natgrad/checkpoint.h). */
#include "optim/front/state.h"

#include <math.h>

#include "lib/core/try.h"

static const double most_count = 9007199254740992; /* 2^53: whole numbers below it are exact */

const char *ngi_state_slot(const ngi_param *param, size_t slot, int summed, ng_mat *view)
{
    if (slot < param->tensor_count) {
        *view = param->tensor[slot].now;
        return param->tensor[slot].name;
    }
    ng_mat bias = param->sum_bias; /* dense: as a row */
    bias.cols = bias.stride = bias.rows;
    bias.rows = 1;
    *view = slot == param->tensor_count ? param->sum : bias;
    if (!summed || view->data == NULL)
        return NULL;
    return slot == param->tensor_count ? "gradient_sum" : "bias_gradient_sum";
}

/* The caller may write into it. */
static void lend(ngi_tensor *tensor)
{
    tensor->bound = -1;
    tensor->foreign = 1;
}

ng_status ng_optimizer_tensor(ng_optimizer *optimizer, const char **parameter, const char **name,
                              ng_mat *view, size_t index)
{
    if (optimizer == NULL)
        return NG_EARG;
    size_t seen = 0;
    ng_error *error = ngi_begin(optimizer);
    if (parameter == NULL || name == NULL || view == NULL)
        return ng_error_set(error, NG_EARG, "no place for a state tensor");
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            for (size_t slot = 0; slot < ngi_state_slots(optimizer->groups[g]->params[i]); slot++) {
                const ngi_param *param = optimizer->groups[g]->params[i];
                ng_mat found;
                const char *own = ngi_state_slot(param, slot, optimizer->micro > 0, &found);
                if (own == NULL || found.data == NULL || seen++ < index)
                    continue;
                if (slot < param->tensor_count)
                    lend(&param->tensor[slot]);
                *parameter = param->name;
                *name = own;
                *view = found;
                return NG_OK;
            }
    return ng_error_set(error, NG_ENODATA, "no state tensor %zu of %zu", index, seen);
}

ng_status ng_optimizer_entry(ng_optimizer *optimizer, const char **parameter, const char **name,
                             ng_mat *view, int *owner, size_t index)
{
    if (optimizer == NULL)
        return NG_EARG;
    size_t seen = 0;
    ng_error *error = ngi_begin(optimizer);
    if (parameter == NULL || name == NULL || view == NULL || owner == NULL)
        return ng_error_set(error, NG_EARG, "no place for an entry of the state");
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            for (size_t slot = 0; slot < ngi_state_slots(optimizer->groups[g]->params[i]); slot++) {
                const ngi_param *param = optimizer->groups[g]->params[i];
                *name = ngi_state_slot(param, slot, optimizer->micro > 0, view);
                if (*name == NULL || seen++ < index)
                    continue;
                *parameter = param->name;
                *owner = ngi_attached(optimizer) && slot < param->tensor_count ? param->owner : -1;
                return NG_OK;
            }
    return ng_error_set(error, NG_ENODATA, "no entry %zu of %zu", index, seen);
}

/* ---- Counts ----------------------------------------------------------------------------- */

size_t ng_optimizer_counts(const ng_optimizer *optimizer, double *counts, size_t size)
{
    size_t n = 0;
    if (optimizer == NULL)
        return 0;
#define PUT(value)                                                                                 \
    do {                                                                                           \
        if (n < size && counts != NULL)                                                            \
            counts[n] = (double)(value);                                                           \
        n++;                                                                                       \
    } while (0)
    PUT(optimizer->steps);
    PUT(optimizer->micro);
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        PUT(group->joint.told);
        PUT(group->joint.predicted);
        for (size_t i = 0; i < group->count; i++) {
            PUT(group->params[i]->step);
            PUT(group->params[i]->captured);
        }
    }
#undef PUT
    return n;
}

static int whole(double x)
{
    return x >= 0 && x < most_count && x == floor(x);
}

/* The group's part of the counts; *next behind it. */
static ng_status check_group(const ng_group *group, const double **next, ng_error *error)
{
    const double *counts = *next;
    double last = group->count > 0 ? counts[2] : 0;
    *next += 2 + 2 * group->count;
    if (!whole(counts[0]) || counts[0] > last || !isfinite(counts[1]))
        return ng_error_set(error, NG_EARG, "%s: no group counts %g steps told of, %g predicted",
                            group->method->name, counts[0], counts[1]);
    int captures = ng_options_want_capture(group->options);
    for (size_t i = 0; i < group->count; i++) {
        double step = counts[2 + 2 * i], captured = counts[3 + 2 * i];
        if (!whole(step) || !whole(captured) || (captured > 0 && !captures))
            return ng_error_set(error, NG_EARG,
                                "parameter '%.60s': no parameter counts %g steps and %g captured "
                                "samples",
                                group->params[i]->name, step, captured);
    }
    return NG_OK;
}

ng_status ngi_counts_check(ng_optimizer *optimizer, const double *counts, size_t size)
{
    ng_error *error = &optimizer->error;
    size_t expected = ng_optimizer_counts(optimizer, NULL, 0);
    const double *next = counts + 2;
    if (size != expected)
        return ng_error_set(error, NG_EARG, "%zu counts, expected %zu", size, expected);
    if (!whole(counts[0]) || !whole(counts[1]))
        return ng_error_set(error, NG_EARG, "no optimizer counts %g steps and %g micro-batches",
                            counts[0], counts[1]);
    for (size_t g = 0; g < optimizer->group_count; g++)
        TRY(check_group(optimizer->groups[g], &next, error));
    return counts[1] > 0 ? ngi_gradients_reserve(optimizer) : NG_OK;
}

void ngi_counts_take(ng_optimizer *optimizer, const double *counts)
{
    optimizer->steps = (unsigned long long)*counts++;
    optimizer->micro = (unsigned long long)*counts++;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        ng_group *group = optimizer->groups[g];
        group->joint.told = (unsigned long long)*counts++;
        group->joint.predicted = *counts++;
        for (size_t i = 0; i < group->count; i++) {
            group->params[i]->step = (unsigned long long)*counts++;
            group->params[i]->captured = *counts++;
            for (size_t slot = 0; slot < group->params[i]->tensor_count; slot++)
                lend(&group->params[i]->tensor[slot]);
        }
    }
}

ng_status ng_optimizer_set_counts(ng_optimizer *optimizer, const double *counts, size_t size)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    if (counts == NULL)
        return ng_error_set(error, NG_EARG, "counts are NULL");
    TRY(ngi_counts_check(optimizer, counts, size));
    ngi_counts_take(optimizer, counts);
    return NG_OK;
}
