/* What a group has beside its parameters: its Fisher matrix or its residuals, and what
 * became of its last step. */
#include "optim/front/front.h"

#include <math.h>

#include <natgrad/residual.h>

#include "lib/core/try.h"

ng_status ng_group_set_fisher(ng_group *group, ng_fisher *f)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    unsigned calls =
        group->method->fisher_calls != NULL ? group->method->fisher_calls(group->options) : 0;
    if (calls == 0)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s takes no Fisher matrix",
                            group->method->name);
    if (f != NULL && !ng_fisher_can(f, calls))
        return ng_error_set(error, NG_EUNSUPPORTED, "%s: a %s Fisher matrix cannot %s",
                            group->method->name, ng_fisher_name(f),
                            calls & NG_FISHER_SOLVE ? "solve" : "multiply");
    group->joint.fisher = f;
    return NG_OK;
}

ng_status ng_group_set_residuals(ng_group *group, ng_residuals *residuals,
                                 const ng_residual_calls *calls)
{
    const ng_residual_calls none = {NULL, NULL, NULL};
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    if (group->method != &ngi_method_residual)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s takes no residuals", group->method->name);
    group->joint.residuals = residuals;
    group->joint.calls = calls != NULL ? *calls : none;
    return NG_OK;
}

/* The group's last step never was. */
static void take_back(ng_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        group->method->undo(group->params[i]);
        ngi_narrow_close(group->params[i], 1);
        group->params[i]->step--;
    }
}

ng_status ng_group_adapt_damping(ng_group *group, double *ratio, double before, double after)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    const ng_method *method = group->method;
    ngi_outcome outcome = {group->joint.predicted, before, after, 0, 1, 0};
    if (method->adapt == NULL)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s has no damping to adapt", method->name);
    if (!isfinite(before) || !isfinite(after))
        return ng_error_set(error, NG_ENONFINITE, "%s: a loss of %g before and %g after the step",
                            method->name, before, after);
    if (group->count == 0 || group->params[0]->step == group->joint.told)
        return ng_error_set(error, NG_ENODATA, "%s: no step since the last losses", method->name);
    outcome.steps = group->params[0]->step - group->joint.told;
    TRY(method->adapt(group->options, &outcome, error));
    if (outcome.back)
        take_back(group);
    group->joint.told = group->params[0]->step;
    if (ratio != NULL)
        *ratio = outcome.ratio;
    return NG_OK;
}
