/* What metrics that need more than gradients are given: the statistics of a
 * layer, and its bias. */
#include "optim/front/front.h"

#include <limits.h>
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/blas.h"

static size_t outputs(const ngi_param *param)
{
    return param->layout == NG_OUT_IN ? param->w.rows : param->w.cols;
}

static size_t inputs(const ngi_param *param)
{
    return param->layout == NG_OUT_IN ? param->w.cols : param->w.rows;
}

int ng_options_want_capture(const void *options)
{
    const ngi_options_head *head = options;
    return ng_options_check(options, NULL) == NG_OK && head->method->wants_capture != NULL &&
           head->method->wants_capture(options);
}

static ng_status check_wanted(const ng_group *group, const ngi_param *param, const char *what)
{
    if (ng_options_want_capture(group->options))
        return NG_OK;
    return ng_error_set(&group->optimizer->error, NG_EUNSUPPORTED,
                        "parameter '%.60s': %s with these options takes no %s", param->name,
                        group->method->name, what);
}

/* ---- Bias ------------------------------------------------------------------------ */

static ng_status check_bias(const ng_group *group, const ngi_param *param, ng_mat b, ng_mat db)
{
    ng_error *error = &group->optimizer->error;
    int anew = param->bias.data == NULL;
    TRY(ngi_check_views(param->name, b, db, error));
    if (b.dtype != param->w.dtype)
        return ng_error_set(error, NG_EDTYPE, "parameter '%.60s': its bias has another dtype",
                            param->name);
    if (b.rows != 1 || b.cols != outputs(param))
        return ng_error_set(error, NG_ESHAPE,
                            "parameter '%.60s' has %zu outputs, its bias is %zu x %zu", param->name,
                            outputs(param), b.rows, b.cols);
    if (anew && (param->step > 0 || param->captured > 0))
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s': a bias comes before its first capture or step",
                            param->name);
    return ngi_check_binding(group->optimizer, param, 1, param->name, b, db, error);
}

/* The parameter with one more input and, since its shape is another one, new state. */
static ng_status extend(ngi_param *param, const ng_group *group, ng_mat b, ng_mat db)
{
    ngi_param grown = {.name = param->name,
                       .w = param->w,
                       .dw = param->dw,
                       .bias = b,
                       .dbias = db,
                       .rows = param->w.rows + (param->layout == NG_IN_OUT),
                       .cols = param->w.cols + (param->layout == NG_OUT_IN),
                       .layout = param->layout,
                       .sum = param->sum,
                       .staged = param->staged};
    ng_status status = ngi_param_create_state(&grown, group, &group->optimizer->error);
    if (status != NG_OK) {
        ngi_param_drop_state(&grown);
        return status;
    }
    ngi_param_drop_state(param);
    *param = grown;
    return NG_OK;
}

ng_status ng_group_add_bias(ng_group *group, size_t index, ng_mat b, ng_mat db)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    TRY(check_wanted(group, param, "bias"));
    TRY(check_bias(group, param, b, db));
    if (param->bias.data == NULL)
        return extend(param, group, b, db);
    param->bias = b;
    param->dbias = db;
    return NG_OK;
}

/* ---- Statistics ---------------------------------------------------------------------- */

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
    if (a.rows != g.rows || a.cols != inputs(param) || g.cols != outputs(param))
        return ng_error_set(error, NG_ESHAPE,
                            "parameter '%.60s' has %zu inputs and %zu outputs, captured are "
                            "%zu x %zu and %zu x %zu",
                            param->name, inputs(param), outputs(param), a.rows, a.cols, g.rows,
                            g.cols);
    if (a.rows > INT_MAX || a.stride > INT_MAX || g.stride > INT_MAX)
        return ng_error_set(error, NG_ERANGE, "parameter '%.60s': too large a capture",
                            param->name);
    if (!ng_is_finite(a) || !ng_is_finite(g) || !isfinite(scale))
        return ng_error_set(error, NG_ENONFINITE,
                            "parameter '%.60s': captured NaN or infinity; nothing was taken",
                            param->name);
    return NG_OK;
}

ng_status ng_group_capture(ng_group *group, size_t index, ng_mat a, ng_mat g, double scale)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    ng_error *error = &group->optimizer->error, inner = {NG_OK, ""};
    TRY(check_wanted(group, param, "captures"));
    TRY(check_statistics(param, a, g, scale, error));
    if (a.rows == 0)
        return NG_OK;
    ngi_blas_enter(NGI_BLAS_AS_IT_IS);
    ng_status status = group->method->capture(param, group->options, a, g, scale, &inner);
    ngi_blas_leave(NGI_BLAS_AS_IT_IS);
    return status == NG_OK
               ? NG_OK
               : ng_error_set(error, status, "parameter '%.60s': %.150s", param->name, inner.text);
}
