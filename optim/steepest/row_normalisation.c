/* Row normalisation (row_normalisation.h). */
#include "optim/steepest/row_normalisation.h"

#include <math.h>

#include "lib/core/try.h"
#include "optim/steepest/factors.h"

static const double eps = 1e-10; /* the authors' */
static const char moment[] = "row_moment";

/* 1 x max(m, n), as the layout may still change; the first ones, one for each output, are used. */
ng_status ngi_rows_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    size_t most = param->rows > param->cols ? param->rows : param->cols;
    if (!o->row_normalisation)
        return NG_OK;
    TRY(ngi_param_tensor(param, moment, 1, most, param->w.dtype, NGI_SPARE, error));
    ngi_tensor_legal(param, moment, NGI_NONNEGATIVE);
    return NG_OK;
}

ng_status ngi_rows_normalise(ng_mat d, ngi_param *param, const ng_steepest_options *o,
                             ng_error *error)
{
    ngi_tensor *t = ngi_tensor_find(param, moment);
    int left = ngi_output_side(param) == NG_LEFT;
    double before = ng_norm(d);
    ng_copy(t->next, t->now, NULL);
    for (size_t i = 0, count = left ? d.rows : d.cols; i < count; i++) {
        ng_mat row = left ? ng_mat_block(d, i, 0, 1, d.cols) : ng_mat_block(d, 0, i, d.rows, 1);
        double mean = ng_dot(row, row) / (double)(left ? d.cols : d.rows);
        ng_mat_set(t->next, 0, i,
                   o->row_beta2 * ng_mat_get(t->now, 0, i) + (1 - o->row_beta2) * mean);
        ng_scale(row, 1 / (sqrt(ng_mat_get(t->next, 0, i)) + eps));
    }
    ng_scale(d, before / (ng_norm(d) + eps));
    t->fresh = ng_is_finite(t->next);
    if (!t->fresh)
        return ng_error_set(error, NG_ERANGE, "the mean squares of its rows overflow their dtype");
    return NG_OK;
}
