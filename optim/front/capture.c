/* What metrics that need more than gradients are given: the statistics of a
 * layer. */
#include "optim/front/front.h"

#include <limits.h>
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/blas.h"

int ng_options_want_capture(const void *options)
{
    const ngi_options_head *head = options;
    return ng_options_check(options, NULL) == NG_OK && head->method->wants_capture != NULL &&
           head->method->wants_capture(options);
}

ng_status ngi_check_wanted(const ng_group *group, const ngi_param *param, const char *what)
{
    if (ng_options_want_capture(group->options))
        return NG_OK;
    return ng_error_set(&group->optimizer->error, NG_EUNSUPPORTED,
                        "parameter '%.60s': %s with these options takes no %s", param->name,
                        group->method->name, what);
}

static ng_status check_statistics(const ngi_param *param, ng_mat a, ng_mat g, double scale,
                                  ng_error *error)
{
    ng_error inner = {NG_OK, ""};
    ng_status status = ngi_check_pair(a, "inputs", g, "output gradients", &inner);
    if (status != NG_OK)
        return ng_error_set(error, status, "parameter '%.60s': %.150s", param->name, inner.text);
    if (a.dtype != param->w.dtype || g.dtype != param->w.dtype)
        return ng_error_set(error, NG_EDTYPE,
                            "parameter '%.60s': captured matrices have another dtype", param->name);
    if (a.rows != g.rows || a.cols != ngi_inputs(param) || g.cols != ngi_outputs(param))
        return ng_error_set(error, NG_ESHAPE,
                            "parameter '%.60s' has %zu inputs and %zu outputs, captured are "
                            "%zu x %zu and %zu x %zu",
                            param->name, ngi_inputs(param), ngi_outputs(param), a.rows, a.cols,
                            g.rows, g.cols);
    if (a.rows > INT_MAX || a.stride > INT_MAX || g.stride > INT_MAX)
        return ng_error_set(error, NG_ERANGE, "parameter '%.60s': too large a capture",
                            param->name);
    if (!ng_is_finite(a) || !ng_is_finite(g) || !isfinite(scale))
        return ng_error_set(error, NG_ENONFINITE,
                            "parameter '%.60s': captured NaN or infinity; nothing was taken",
                            param->name);
    return NG_OK;
}

/* All of it or nothing: what may refuse or needs memory comes first. */
static ng_status check_all(const ng_group *group, const ngi_pieces *p, double scale, size_t *work)
{
    for (size_t i = 0; i < p->count; i++) {
        const ngi_param *param = p->items[i].param;
        ng_mat a = p->items[i].x, g = p->items[i].y;
        ng_error *error = &group->optimizer->error, inner = {NG_OK, ""};
        TRY(ngi_check_wanted(group, param, "captures"));
        TRY(check_statistics(param, a, g, scale, error));
        if (!ngi_captures_here(group->optimizer, param))
            continue;
        ng_status status =
            a.rows > 0 ? group->method->check_capture(param, group->options, a, g, scale, &inner)
                       : NG_OK;
        if (status != NG_OK)
            return ng_error_set(error, status, "parameter '%.60s': %.150s", param->name,
                                inner.text);
        size_t bytes = group->method->capture_work != NULL
                           ? group->method->capture_work(param, group->options, a.rows)
                           : 0;
        *work = bytes > *work ? bytes : *work;
    }
    return NG_OK;
}

static ng_status capture(const ng_group *group, const ngi_pieces *p, double scale)
{
    ng_work work;
    size_t bytes = 0;
    TRY(check_all(group, p, scale, &bytes));
    TRY(ng_work_create(&work, bytes, &group->optimizer->error));
    ngi_blas_enter(NGI_BLAS_AS_IT_IS);
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i].x.rows > 0 && !p->items[i].param->frozen &&
            ngi_captures_here(group->optimizer, p->items[i].param))
            group->method->capture(p->items[i].param, group->options, p->items[i].x, p->items[i].y,
                                   scale, &work);
    ngi_blas_leave(NGI_BLAS_AS_IT_IS);
    ng_work_destroy(&work);
    return NG_OK;
}

ng_status ng_group_capture(ng_group *group, size_t index, ng_mat a, ng_mat g, double scale)
{
    ngi_piece piece = {.x = a, .y = g};
    ngi_pieces one = {&piece, 1};
    TRY(ngi_param_find(&piece.param, group, index));
    return capture(group, &one, scale);
}

ng_status ng_group_capture_stack(ng_group *group, size_t first, ng_stack a, ng_stack g,
                                 double scale)
{
    ngi_param *param;
    ngi_pool pool = {NULL};
    ngi_pieces p;
    TRY(ngi_param_find(&param, group, first));
    ng_status status = ngi_pieces_cut(&pool, &p, group, first, a, g, 0);
    return ngi_pool_close(&pool, status == NG_OK ? capture(group, &p, scale) : status);
}

ng_status ng_group_capture_discard(ng_group *group)
{
    if (group == NULL)
        return NG_EARG;
    ngi_begin(group->optimizer);
    for (size_t i = 0; i < group->count; i++)
        group->params[i]->captured = 0;
    return NG_OK;
}
