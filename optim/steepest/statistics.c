/* Captured statistics (statistics.h). */
#include "optim/steepest/statistics.h"

#include <float.h>
#include <math.h>

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

static ngi_tensor *tensor(ngi_param *param, int left_slot, ng_side side)
{
    return &param->tensor[side == NG_LEFT ? left_slot : left_slot + 1];
}

double ngi_largest(const ngi_param *param)
{
    return param->w.dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
}

ng_status ngi_statistics_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    static const char *const pending[] = {"left_pending", "right_pending"};
    ng_status status = ngi_kron_create(param, o, error);
    param->tensor[LEFT_PENDING].legal = param->tensor[RIGHT_PENDING].legal = NGI_SEMIDEFINITE;
    param->tensor[AVERAGE_WEIGHT].legal = NGI_NONNEGATIVE;
    for (int i = 0; i < 2 && status == NG_OK; i++) {
        size_t n = tensor(param, LEFT_FACTOR, sides[i])->now.rows;
        if (ngi_kron_has(param, sides[i]))
            status = ngi_param_tensor(param, LEFT_PENDING + i, pending[i], n, n, param->w.dtype,
                                      NGI_IN_PLACE, error);
    }
    if (status == NG_OK)
        status = ngi_param_tensor(param, AVERAGE_WEIGHT, "average_weight", 1, 1, NG_F64, NGI_SPARE,
                                  error);
    return status;
}

/* NG_ERANGE if a diagonal element of the sums could leave the dtype; no other
 * element is larger. */
static ng_status check_range(const ngi_param *param, ng_mat pending, ng_mat x, double scale,
                             ng_error *error)
{
    double limit = ngi_largest(param);
    double largest = fabs(scale) * ng_max_abs(x), old = 0;
    if (param->captured > 0)
        old = ng_trace(pending);
    if (scale * scale > limit || largest * largest > (limit - old) / (double)x.rows)
        return ng_error_set(error, NG_ERANGE, "the captured statistics overflow their dtype");
    return NG_OK;
}

/* The ones that go with the inputs: sums <- sums + [0 1^T a; 0 rows], last row. */
static void add_ones(ng_mat sums, ng_mat a, int empty)
{
    size_t n = a.cols;
    ng_mat row = ng_mat_block(sums, n, 0, 1, n);
    for (size_t i = 0; i < a.rows; i++)
        ng_axpby(row, ng_mat_block(a, i, 0, 1, n), 1, empty && i == 0 ? 0 : 1, NULL);
    ng_mat_set(sums, n, n, (empty ? 0 : ng_mat_get(sums, n, n)) + (double)a.rows);
}

ng_status ngi_statistics_capture(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                                 double scale, ng_error *error)
{
    ng_side out = ngi_output_side(param), in = ngi_other(out);
    ng_mat of_g = tensor(param, LEFT_PENDING, out)->now,
           of_a = tensor(param, LEFT_PENDING, in)->now;
    double beta = param->captured > 0 ? 1 : 0; /* the old sums end with a step */
    ng_status status = NG_OK;
    if (!ngi_due(param, o->update_interval))
        return NG_OK;
    if (ngi_kron_has(param, out))
        status = check_range(param, of_g, g, scale, error);
    if (status == NG_OK && ngi_kron_has(param, in))
        status = check_range(param, of_a, a, 1, error);
    if (status == NG_OK && ngi_kron_has(param, out))
        status = ng_syrk(of_g, g, NG_TRANS, scale * scale, beta, error);
    if (status == NG_OK && ngi_kron_has(param, in)) {
        status = ng_syrk(ng_mat_block(of_a, 0, 0, a.cols, a.cols), a, NG_TRANS, 1, beta, error);
        if (status == NG_OK && param->bias.data != NULL)
            add_ones(of_a, a, param->captured == 0);
    }
    if (status == NG_OK)
        param->captured += (double)a.rows;
    return status;
}

/* new factor <- old + (captured mean - old) / weight */
static ng_status average(ngi_param *param, ng_side side, double weight, ng_work *work,
                         ng_error *error)
{
    ngi_tensor *t = tensor(param, LEFT_FACTOR, side);
    ng_mat sums = tensor(param, LEFT_PENDING, side)->now;
    size_t mark = work->used;
    ng_status status = ng_copy(t->next, t->now, error);
    if (status == NG_OK && sums.dtype != t->next.dtype) {
        ng_mat wide;
        status = ng_work_mat(work, &wide, sums.rows, sums.cols, t->next.dtype, error);
        if (status == NG_OK)
            status = ng_copy(wide, sums, error);
        sums = wide;
    }
    if (status == NG_OK)
        status = ng_axpby(t->next, sums, 1 / weight / param->captured, 1 - 1 / weight, error);
    work->used = mark;
    t->fresh = status == NG_OK;
    return status;
}

/* The weights ema_decay^(t-s) of all statistics so far add up to average_weight;
 * an average that starts from the identity has had its start for ever. */
ng_status ngi_statistics_average(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                                 ng_error *error)
{
    ngi_tensor *t = &param->tensor[AVERAGE_WEIGHT];
    double weight = o->factor_start == NG_FACTOR_START_IDENTITY
                        ? 1 / (1 - o->ema_decay)
                        : 1 + o->ema_decay * ng_mat_get(t->now, 0, 0);
    ng_status status = NG_OK;
    if (!(param->captured > 0))
        return ng_error_set(error, NG_ENODATA,
                            "no ng_group_capture since the last step, but its metric needs it");
    for (int i = 0; i < 2 && status == NG_OK; i++)
        if (ngi_kron_has(param, sides[i]))
            status = average(param, sides[i], weight, work, error);
    ng_mat_set(t->next, 0, 0, weight);
    t->fresh = 1;
    return status;
}

ng_status ngi_statistics_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                               ng_error *error)
{
    size_t mark = work->used;
    double tiny = ng_dtype_eps(param->w.dtype);
    ng_mat values[2];
    ng_status status = ng_work_mat(work, &values[0], 1, param->rows, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &values[1], 1, param->cols, NG_F64, error);
    if (status == NG_OK)
        status = ngi_eigen_bases(param, values, 0, work, error);
    for (int i = 0; i < 2 && status == NG_OK && !(o->damping > 0); i++) {
        size_t n = values[i].cols;
        if (!(ng_mat_get(values[i], 0, 0) > (double)n * tiny * ng_mat_get(values[i], 0, n - 1)))
            status = ngi_statistics_singular(error);
    }
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
