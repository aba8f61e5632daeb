/* Agreement of gradients (agreement.h). */
#include "optim/steepest/agreement.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

static const char size[] = "gradient_size";

ng_status ngi_agreement_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    if (!o->agreement)
        return NG_OK;
    TRY(ngi_param_tensor(param, size, 1, 1, NG_F64, NGI_SPARE, error));
    ngi_tensor_legal(param, size, NGI_NONNEGATIVE);
    return NG_OK;
}

/* The root, not the square, which has no place in a double where a norm has. */
ng_status ngi_agreement_measure(double *share, ngi_param *param, const ng_steepest_options *o,
                                ng_mat average, ng_mat g, ng_error *error)
{
    *share = 1;
    if (!o->agreement)
        return NG_OK;
    ngi_tensor *t = ngi_tensor_find(param, size);
    double all =
        hypot(sqrt(o->momentum) * ng_mat_get(t->now, 0, 0), sqrt(1 - o->momentum) * ng_norm(g));
    if (!isfinite(all))
        return ng_error_set(error, NG_ERANGE, "the norm of its gradient overflows");
    ng_mat_set(t->next, 0, 0, all);
    t->fresh = 1;
    *share = all > 0 ? ng_norm(average) / all : 0;
    return NG_OK;
}
