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

/* The next part of v (1 x n), in the shape of x. */
static ng_mat take(ng_mat v, size_t *start, ng_mat x)
{
    ng_mat part = ng_mat_block(v, 0, *start, x.rows, x.cols);
    part.stride = x.cols;
    *start += x.rows * x.cols;
    return part;
}

static ng_status copy(ng_mat v, ngi_param *const *params, size_t count, ngi_vector_part *part,
                      int gather, ng_error *error)
{
    for (size_t i = 0, start = 0; i < count; i++) {
        int pieces = 1 + ngi_biased(params[i]);
        ng_mat x = part(params[i]);
        for (int k = 0; k < pieces; k++) {
            ng_mat piece = k == 0 ? ngi_weight_part(params[i], x) : ngi_bias_part(params[i], x);
            ng_mat place = take(v, &start, piece);
            TRY(gather ? ng_copy(place, piece, error) : ng_copy(piece, place, error));
        }
    }
    return NG_OK;
}

ng_status ngi_vector_gather(ng_mat v, ngi_param *const *params, size_t count, ngi_vector_part *part,
                            ng_error *error)
{
    return copy(v, params, count, part, 1, error);
}

ng_status ngi_vector_scatter(ngi_param *const *params, size_t count, ngi_vector_part *part,
                             ng_mat v, ng_error *error)
{
    return copy(v, params, count, part, 0, error);
}

ng_status ngi_vector_check_fisher(ngi_param *const *params, size_t count, const ng_fisher *f,
                                  ng_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (params[i]->w.dtype != ng_fisher_dtype(f))
            return ng_error_set(error, NG_EDTYPE, "'%.60s' and the Fisher matrix differ in dtype",
                                params[i]->name);
    if (ngi_vector_length(params, count) != ng_fisher_size(f))
        return ng_error_set(error, NG_ESHAPE,
                            "the Fisher matrix is for %zu parameters, the group has %zu",
                            ng_fisher_size(f), ngi_vector_length(params, count));
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
