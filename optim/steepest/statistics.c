/* Captured statistics (statistics.h). */
#include "optim/steepest/statistics.h"

#include <math.h>

#include "lib/core/mat.h"
#include "lib/core/try.h"

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};
static const ngi_pair pending = {{"left_pending", "right_pending"}};

ng_status ngi_statistics_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_kron_create(param, o, error));
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *factor = ngi_side_tensor(param, ngi_factor, sides[i]);
        if (factor != NULL && ngi_leads(param, sides[i]))
            TRY(ngi_param_tensor(param, pending.name[i], factor->now.rows, factor->now.rows,
                                 param->w.dtype, NGI_IN_PLACE, error));
    }
    TRY(ngi_param_tensor(param, ngi_average_weight, 1, 1, NG_F64, NGI_SPARE, error));
    ngi_tensor_legal(param, ngi_average_weight, NGI_NONNEGATIVE);
    ngi_side_legal(param, pending, NGI_SEMIDEFINITE);
    for (int i = 0; i < 2; i++)
        ngi_tensor_sharing(param, pending.name[i], NGI_CAPTURED_GRAM);
    return NG_OK;
}

/* NG_ERANGE if a diagonal element of the sums could leave the dtype; no other
 * element is larger. */
static ng_status check_range(const ngi_param *param, ng_mat sums, ng_mat x, double scale,
                             ng_error *error)
{
    double limit = ngi_dtype_max(param->w.dtype);
    double largest = fabs(scale) * ng_max_abs(x), old = 0;
    if (param->captured > 0)
        old = ng_trace(sums);
    if (scale * scale > limit || largest * largest > (limit - old) / (double)x.rows)
        return ng_error_set(error, NG_ERANGE, "the captured statistics overflow their dtype");
    return NG_OK;
}

/* What the bias is multiplied with, one = 1 or -1, is the last input: sums <- sums + the rest of
 * [a one]^T [a one], its last row. */
static void add_ones(ng_mat sums, ng_mat a, double one, int empty)
{
    size_t n = a.cols;
    ng_mat row = ng_mat_block(sums, n, 0, 1, n);
    for (size_t i = 0; i < a.rows; i++)
        ng_axpby(row, ng_mat_block(a, i, 0, 1, n), one, empty && i == 0 ? 0 : 1, NULL);
    ng_mat_set(sums, n, n, (empty ? 0 : ng_mat_get(sums, n, n)) + (double)a.rows);
}

ng_status ngi_statistics_check(const ngi_param *param, const ng_steepest_options *o, ng_mat a,
                               ng_mat g, double scale, ng_error *error)
{
    ng_side out = ngi_output_side(param);
    const ngi_tensor *of_g = ngi_side_tensor(param, pending, out);
    const ngi_tensor *of_a = ngi_tensor_find(param, pending.name[out == NG_LEFT]); /* its own */
    if (!ngi_due(param, ngi_rule_of(o).update_interval))
        return NG_OK;
    if (of_g != NULL)
        TRY(check_range(param, of_g->now, g, scale, error));
    return of_a != NULL ? check_range(param, of_a->now, a, 1, error) : NG_OK;
}

void ngi_statistics_capture(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                            double scale, ng_work *work)
{
    ng_side out = ngi_output_side(param);
    const ngi_tensor *of_g = ngi_side_tensor(param, pending, out);
    const ngi_tensor *of_a = ngi_tensor_find(param, pending.name[out == NG_LEFT]); /* its own */
    double beta = param->captured > 0 ? 1 : 0; /* the old sums end with a step */
    (void)work;
    if (!ngi_due(param, ngi_rule_of(o).update_interval))
        return;
    if (of_g != NULL)
        ng_syrk(of_g->now, g, NG_TRANS, scale * scale, beta, NULL);
    if (of_a != NULL) {
        ng_syrk(ng_mat_block(of_a->now, 0, 0, a.cols, a.cols), a, NG_TRANS, 1, beta, NULL);
        if (ngi_biased(param))
            add_ones(of_a->now, a, param->bias_input, param->captured == 0);
    }
    param->captured += (double)a.rows;
}

ng_status ngi_statistics_ready(const ngi_param *param, const ng_steepest_options *o,
                               ng_error *error)
{
    if (param->captured > 0 || !ngi_due(param, ngi_rule_of(o).update_interval))
        return NG_OK;
    return ng_error_set(error, NG_ENODATA,
                        "no ng_group_capture since the last step, but its metric needs it");
}

/* new factor <- old + (captured mean - old) / weight */
static ng_status average(ngi_param *param, ng_side side, double weight, ng_work *work,
                         ng_error *error)
{
    ngi_tensor *t = ngi_side_tensor(param, ngi_factor, side);
    size_t mark = work->used;
    if (t == NULL || !ngi_leads(param, side))
        return NG_OK;
    ng_mat sums = ngi_side_tensor(param, pending, side)->now, wide = sums;
    if (sums.dtype != t->next.dtype) {
        TRY(ng_work_mat(work, &wide, sums.rows, sums.cols, t->next.dtype, error));
        TRY(ng_copy(wide, sums, error));
    }
    TRY(ng_lincomb(t->next, 1 / weight / param->captured, wide, 1 - 1 / weight, t->now, error));
    work->used = mark;
    t->fresh = 1;
    return NG_OK;
}

size_t ngi_statistics_work(const ngi_param *param)
{
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *t = ngi_side_tensor(param, ngi_factor, sides[i]);
        size_t n = sides[i] == NG_LEFT ? param->rows : param->cols;
        size_t bytes =
            t != NULL && t->now.dtype != param->w.dtype ? ng_work_mat_size(n, n, t->now.dtype) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* The weights ema_decay^(t-s) of all statistics so far add up to average_weight;
 * an average that starts from the identity has had its start for ever. */
ng_status ngi_statistics_average(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                                 ng_error *error)
{
    ngi_tensor *t = ngi_tensor_find(param, ngi_average_weight);
    ngi_rule r = ngi_rule_of(o);
    double weight = r.factor_start == NG_FACTOR_START_IDENTITY
                        ? 1 / (1 - r.ema_decay)
                        : 1 + r.ema_decay * ng_mat_get(t->now, 0, 0);
    for (int i = 0; i < 2; i++)
        TRY(average(param, sides[i], weight, work, error));
    ng_mat_set(t->next, 0, 0, weight);
    t->fresh = 1;
    return NG_OK;
}

static ng_status check_singular(const ngi_param *param, const ng_mat values[2], ng_error *error)
{
    double tiny = ng_dtype_eps(param->w.dtype);
    for (int i = 0; i < 2; i++) {
        size_t n = values[i].cols;
        if (!(ng_mat_get(values[i], 0, 0) > (double)n * tiny * ng_mat_get(values[i], 0, n - 1)))
            return ngi_statistics_singular(error);
    }
    return NG_OK;
}

ng_status ngi_statistics_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                               ng_error *error)
{
    size_t mark = work->used;
    ng_mat values[2];
    TRY(ng_work_mat(work, &values[0], 1, param->rows, NG_F64, error));
    TRY(ng_work_mat(work, &values[1], 1, param->cols, NG_F64, error));
    ng_status status = ngi_eigen_bases(param, values, 0, work, error);
    if (status == NG_OK && !(ngi_rule_of(o).damping > 0))
        TRY(check_singular(param, values, error));
    if (status == NG_OK)
        ngi_eigen_products(param, values);
    work->used = mark;
    return status == NG_ENOCONV ? NG_OK : status; /* the last good ones serve */
}

ng_status ngi_statistics_singular(ng_error *error)
{
    return ng_error_set(error, NG_ESINGULAR,
                        "a factor is singular to working precision: it needs damping > 0");
}
