/* A group as one vector, and the damping of its steps. */
#include "optim/front/vector.h"

#include <float.h>
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/front/range.h"

size_t ngi_vector_length(ngi_param *const *params, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n = ngi_size_add(n, params[i]->rows * params[i]->cols);
    return n;
}

/* The part of v (1 x n) from element `start` on, in the shape of the parameter. */
static ng_mat place(ng_mat v, size_t start, const ngi_param *param)
{
    ng_mat p = ng_mat_block(v, 0, start, param->rows, param->cols);
    p.stride = param->cols;
    return p;
}

ng_status ngi_vector_gather(ng_mat v, ngi_param *const *params, size_t count, ngi_vector_part *part,
                            ng_error *error)
{
    for (size_t i = 0, start = 0; i < count; i++) {
        TRY(ng_copy(place(v, start, params[i]), part(params[i]), error));
        start += params[i]->rows * params[i]->cols;
    }
    return NG_OK;
}

ng_status ngi_vector_scatter(ngi_param *const *params, size_t count, ngi_vector_part *part,
                             ng_mat v, ng_error *error)
{
    for (size_t i = 0, start = 0; i < count; i++) {
        TRY(ng_copy(part(params[i]), place(v, start, params[i]), error));
        start += params[i]->rows * params[i]->cols;
    }
    return NG_OK;
}

ng_mat ngi_vector_update(ngi_param *param)
{
    return param->update;
}

ng_mat ngi_vector_weights(ngi_param *param)
{
    return param->w;
}

ng_status ngi_vector_check(ngi_param *const *params, size_t count, double keep, double step,
                           ng_error *error)
{
    for (size_t i = 0; i < count; i++) {
        double max = ng_max_abs(params[i]->update), limit = ngi_dtype_max(params[i]->w.dtype);
        if (!isfinite(max) || max * step > limit || step > limit)
            return ng_error_set(error, NG_ERANGE,
                                "the step of '%.60s' overflows its dtype (largest element %g)",
                                params[i]->name, max);
        TRY(ngi_check_weights(params[i], keep, max * step, error));
    }
    return NG_OK;
}

void ngi_vector_settle(ngi_param *const *params, size_t count, double step)
{
    for (size_t i = 0; i < count; i++) {
        params[i]->factor = step;
        if (params[i]->report.wanted)
            params[i]->report.update_norm = step * ng_norm(params[i]->update);
    }
}

void ngi_damping_adapt(double *damping, const ngi_damping_rule *rule, ngi_outcome *outcome)
{
    double moved = *damping;
    outcome->ratio = 1;
    outcome->back = 0;
    if (outcome->predicted <= DBL_EPSILON * fabs(outcome->before))
        return;
    outcome->ratio = (outcome->before - outcome->after) / outcome->predicted;
    outcome->back = outcome->ratio < 0;
    if (outcome->ratio > 0.75)
        moved *= rule->factor;
    if (outcome->ratio < 0.25)
        moved /= rule->factor;
    *damping = fmin(fmax(moved, rule->min), rule->max);
}
