/* The options that a step has. */
#include <string.h>

#include "lib/core/try.h"
#include "optim/front/front.h"

/* The step's options, which become the groups' if it succeeds. */
void ngi_options_open(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++) {
        ng_group *group = optimizer->groups[g];
        memcpy(group->joint.options, group->options, ((ngi_options_head *)group->options)->size);
        group->joint.trial = 0;
        group->joint.again = 1;
    }
}

void ngi_options_keep(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++) {
        ng_group *group = optimizer->groups[g];
        memcpy(group->options, group->joint.options, ((ngi_options_head *)group->options)->size);
    }
}

/* ---- One factor on every lr ------------------------------------------------------------------ */

void ngi_lr_restore(ng_optimizer *optimizer, size_t groups)
{
    for (size_t g = 0; g < groups; g++)
        ng_options_set(optimizer->groups[g]->options, "lr", optimizer->groups[g]->own_lr, NULL);
}

ng_status ngi_lr_multiply(ng_group *group, double factor, ng_error *error)
{
    TRY(ng_options_get(group->options, "lr", &group->own_lr, error));
    TRY(ng_options_set(group->options, "lr", group->own_lr * factor, error));
    ng_status status = ng_options_check(group->options, error);
    if (status != NG_OK)
        ng_options_set(group->options, "lr", group->own_lr, NULL);
    return status;
}
