/* What a group has beside its parameters: its Fisher matrix, and what became of
 * its last step. */
#include "optim/front/front.h"

#include <math.h>

#include <natgrad/natural.h>

#include "lib/core/try.h"

ng_status ng_group_set_fisher(ng_group *group, ng_fisher *f)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    if (!group->method->wants_fisher)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s takes no Fisher matrix",
                            group->method->name);
    if (f != NULL && !ng_fisher_can(f, NG_FISHER_SOLVE))
        return ng_error_set(error, NG_EUNSUPPORTED, "%s: a %s Fisher matrix cannot solve",
                            group->method->name, ng_fisher_name(f));
    group->joint.fisher = f;
    return NG_OK;
}

ng_status ng_group_adapt_damping(ng_group *group, double *ratio, double before, double after)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    const ng_method *method = group->method;
    double rho;
    if (method->adapt == NULL)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s has no damping to adapt", method->name);
    if (!isfinite(before) || !isfinite(after))
        return ng_error_set(error, NG_ENONFINITE, "%s: a loss of %g before and %g after the step",
                            method->name, before, after);
    if (group->count == 0 || group->params[0]->step == group->joint.told)
        return ng_error_set(error, NG_ENODATA, "%s: no step since the last losses", method->name);
    TRY(method->adapt(group->options, &rho, group->joint.predicted, before, after, error));
    group->joint.told = group->params[0]->step;
    for (size_t i = 0; i < group->count && rho < 0; i++)
        method->undo(group->params[i]);
    if (ratio != NULL)
        *ratio = rho;
    return NG_OK;
}
