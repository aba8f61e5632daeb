/* The Fisher metric of K-FAC (Martens & Grosse 2015): a factor for the layer's
 * output gradients and one for its inputs, averaged over captured statistics.
 *
 * Sums since the last step are in the PENDING tensors, in the weights' dtype;
 * param->captured is their number of samples. damping_kind = tikhonov_pi and
 * per_factor are Kronecker metrics (kron.h) of damped factors. exact_eigen keeps
 * the eigenvectors of the factors as ROOT and the eigenvalues as VALUES. */
#include "optim/kron.h"

#include <float.h>
#include <math.h>

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

static ngi_tensor *tensor(ngi_param *param, int left_slot, ng_side side)
{
    return &param->tensor[side == NG_LEFT ? left_slot : left_slot + 1];
}

static ng_mat newest(const ngi_tensor *t)
{
    return t->fresh ? t->next : t->now;
}

static int exact(const ng_steepest_options *o)
{
    return o->damping_kind == NG_DAMPING_EXACT_EIGEN;
}

static int due(const ngi_param *param, int interval)
{
    return param->step % (unsigned)interval == 0;
}

/* ---- State ---------------------------------------------------------------------------- */

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    static const char *const pending[] = {"left_pending", "right_pending"};
    static const char *const values[] = {"left_values", "right_values"};
    ng_status status = ngi_kron_create(param, o, error);
    for (int i = 0; i < 2 && status == NG_OK; i++) {
        ng_mat factor = tensor(param, LEFT_FACTOR, sides[i])->now;
        if (!ngi_kron_has(param, sides[i]))
            continue;
        status = ngi_param_tensor(param, LEFT_PENDING + i, pending[i], factor.rows, factor.cols,
                                  param->w.dtype, NGI_IN_PLACE, error);
        if (status != NG_OK || !exact(o))
            continue;
        status = ngi_param_tensor(param, LEFT_VALUES + i, values[i], 1, factor.rows, NG_F64,
                                  NGI_SPARE, error);
        if (status == NG_OK)
            ng_fill(param->tensor[LEFT_VALUES + i].now, 1); /* of the identity */
    }
    if (status == NG_OK)
        status = ngi_param_tensor(param, AVERAGE_WEIGHT, "average_weight", 1, 1, NG_F64, NGI_SPARE,
                                  error);
    return status;
}

/* ---- Statistics ----------------------------------------------------------------------- */

/* NG_ERANGE if a diagonal element of the sums could leave the dtype; no other
 * element is larger. */
static ng_status check_range(const ngi_param *param, ng_mat pending, ng_mat x, double scale,
                             ng_error *error)
{
    double limit = param->w.dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
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

static ng_status capture(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                         double scale, ng_error *error)
{
    ng_side out = ngi_output_side(param), in = ngi_other(out);
    ng_mat of_g = tensor(param, LEFT_PENDING, out)->now,
           of_a = tensor(param, LEFT_PENDING, in)->now;
    double beta = param->captured > 0 ? 1 : 0; /* the old sums end with a step */
    ng_status status = NG_OK;
    if (!due(param, o->update_interval))
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
static ng_status average_factors(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                                 ng_error *error)
{
    ngi_tensor *t = &param->tensor[AVERAGE_WEIGHT];
    double weight = o->factor_start == NG_FACTOR_START_IDENTITY
                        ? 1 / (1 - o->ema_decay)
                        : 1 + o->ema_decay * ng_mat_get(t->now, 0, 0);
    ng_status status = NG_OK;
    if (!(param->captured > 0))
        return ng_error_set(
            error, NG_ENODATA,
            "no ng_group_capture since the last step, but the kfac metric needs it");
    for (int i = 0; i < 2 && status == NG_OK; i++)
        if (ngi_kron_has(param, sides[i]))
            status = average(param, sides[i], weight, work, error);
    ng_mat_set(t->next, 0, 0, weight);
    t->fresh = 1;
    return status;
}

/* ---- Damped factors and their roots ----------------------------------------------------- */

static double mean_eigenvalue(const ngi_param *param, ng_side side)
{
    ng_mat factor = newest(ngi_kron_tensor(param, LEFT_FACTOR, side));
    return ngi_kron_has(param, side) ? ng_trace(factor) / (double)factor.rows : 1;
}

/* What damping adds to the diagonal of this side's factor. */
static double shift(const ngi_param *param, const ng_steepest_options *o, ng_side side)
{
    if (o->damping_kind == NG_DAMPING_PER_FACTOR || !ngi_kron_has(param, ngi_other(side)))
        return o->damping;
    double pi = sqrt(mean_eigenvalue(param, side) / mean_eigenvalue(param, ngi_other(side)));
    if (!(pi > 0) || !isfinite(pi))
        pi = 1; /* a factor is zero */
    return pi * sqrt(o->damping);
}

static ng_status singular(ng_error *error)
{
    return ng_error_set(error, NG_ESINGULAR,
                        "a factor is singular to working precision: it needs damping > 0");
}

/* Without damping a factor of deficient rank is not mended but reported; its pivots are rounding
 * errors of either sign. */
static ng_status cholesky(ng_mat l, ng_mat damped, double tiny, double damping, ng_error *error)
{
    double jitter, smallest = INFINITY, largest = ng_max_abs(damped);
    ng_status status = ng_cholesky(l, damping > 0 ? &jitter : NULL, damped, error);
    if (status == NG_ESINGULAR && !(damping > 0))
        return singular(error);
    if (status != NG_OK || damping > 0)
        return status;
    for (size_t i = 0; i < l.rows; i++)
        smallest = fmin(smallest, ng_mat_get(l, i, i));
    return smallest * smallest > tiny * largest ? NG_OK : singular(error);
}

static ng_status damped_root(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error)
{
    ngi_tensor *root = tensor(param, LEFT_ROOT, side);
    ng_mat factor = newest(tensor(param, LEFT_FACTOR, side)), damped, result;
    size_t mark = work->used, n = factor.rows;
    double tiny = 10 * (double)n * ng_dtype_eps(param->w.dtype);
    ng_status status = ng_work_mat(work, &damped, n, n, factor.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &result, n, n, factor.dtype, error);
    if (status == NG_OK)
        status = ng_copy(damped, factor, error);
    if (status != NG_OK)
        return status;
    ng_add_diagonal(damped, shift(param, o, side));
    if (ngi_trace_scaled(o) && ng_trace(damped) > 0)
        ng_scale(damped, (double)n / ng_trace(damped));
    if (o->root == NG_ROOT_CHOLESKY || !(o->damping > 0))
        status = cholesky(result, damped, tiny, o->damping, error);
    if (status == NG_OK && o->root == NG_ROOT_SYMMETRIC)
        status = ng_spd_power(result, damped, -0.5, o->damping > 0 ? ng_dtype_eps(factor.dtype) : 0,
                              work, error);
    if (status == NG_ESINGULAR && !(o->damping > 0))
        status = singular(error);
    if (status == NG_OK)
        status = ng_copy(root->next, result, error);
    root->fresh = status == NG_OK;
    work->used = mark;
    return status;
}

/* ---- Eigenbasis -------------------------------------------------------------------------- */

static ng_status eigenbasis(ngi_param *param, const ng_steepest_options *o, ng_side side,
                            ng_work *work, ng_error *error)
{
    ngi_tensor *root = tensor(param, LEFT_ROOT, side), *values = tensor(param, LEFT_VALUES, side);
    ng_mat factor = newest(tensor(param, LEFT_FACTOR, side)), wide, vectors;
    size_t mark = work->used, n = factor.rows;
    ng_status status = ng_work_mat(work, &wide, n, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &vectors, n, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(wide, factor, error);
    if (status == NG_OK)
        status = ng_eigh(values->next, vectors, NULL, wide, work, error);
    if (status == NG_OK)
        status = ng_copy(root->next, vectors, error);
    for (size_t i = 0; i < n && status == NG_OK; i++)
        ng_mat_set(values->next, 0, i, fmax(0, ng_mat_get(values->next, 0, i)));
    root->fresh = values->fresh = status == NG_OK;
    work->used = mark;
    double tiny = (double)n * ng_dtype_eps(param->w.dtype);
    if (status == NG_OK && !(o->damping > 0) &&
        !(ng_mat_get(values->next, 0, 0) > tiny * ng_mat_get(values->next, 0, n - 1)))
        return singular(error);
    return status;
}

/* x <- V_L x V_R^T, into the eigenbasis, or back: V_L^T x V_R */
static ng_status rotate(const ngi_param *param, ng_mat x, int back, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_mat copy;
    ng_status status = ng_work_mat(work, &copy, x.rows, x.cols, x.dtype, error);
    if (status == NG_OK)
        status = ng_gemm(copy, ngi_kron_root(param, NG_LEFT, NGI_NEW), back ? NG_TRANS : NG_NOTRANS,
                         x, NG_NOTRANS, 1, 0, error);
    if (status == NG_OK)
        status = ng_gemm(x, copy, NG_NOTRANS, ngi_kron_root(param, NG_RIGHT, NGI_NEW),
                         back ? NG_NOTRANS : NG_TRANS, 1, 0, error);
    work->used = mark;
    return status;
}

/* x_ij <- x_ij / sqrt(eigenvalue of P (x) Q + lambda I) */
static void divide(const ngi_param *param, const ng_steepest_options *o, ng_mat x)
{
    ng_mat left = newest(ngi_kron_tensor(param, LEFT_VALUES, NG_LEFT));
    ng_mat right = newest(ngi_kron_tensor(param, LEFT_VALUES, NG_RIGHT));
    double lambda = o->damping, unit = 1;
    if (ngi_trace_scaled(o)) {
        double mean = 0;
        for (size_t i = 0; i < x.rows; i++)
            mean += ng_mat_get(left, 0, i) / (double)x.rows;
        unit = 0;
        for (size_t j = 0; j < x.cols; j++)
            unit += mean * ng_mat_get(right, 0, j) / (double)x.cols;
        unit += lambda;
    }
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double value = ng_mat_get(left, 0, i) * ng_mat_get(right, 0, j) + lambda;
            ng_mat_set(x, i, j, ng_mat_get(x, i, j) * sqrt(unit / value));
        }
}

/* ---- The slots ---------------------------------------------------------------------------- */

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ng_status status = NG_OK;
    (void)g;
    if (due(param, o->update_interval))
        status = average_factors(param, o, work, error);
    if (!due(param, o->inverse_interval))
        return status;
    for (int i = 0; i < 2 && status == NG_OK; i++) {
        if (!ngi_kron_has(param, sides[i]))
            continue;
        status = exact(o) ? eigenbasis(param, o, sides[i], work, error)
                          : damped_root(param, o, sides[i], work, error);
        if (status == NG_ENOCONV) { /* every solver failed: go on with the last good one */
            param->report.stale++;
            status = NG_OK;
        }
    }
    return status;
}

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    if (!exact(o))
        return ngi_kron_whiten(param, o, x, work, error);
    ng_status status = rotate(param, x, 0, work, error);
    divide(param, o, x);
    return status;
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    if (!exact(o))
        return ngi_kron_unwhiten(param, o, y, work, error);
    divide(param, o, y);
    return rotate(param, y, 1, work, error);
}

static int is_kronecker(const ng_steepest_options *o)
{
    return !exact(o);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t most = ngi_kron_work(param, o);
    for (int i = 0; i < 2; i++) {
        size_t n = sides[i] == NG_LEFT ? param->rows : param->cols;
        size_t solver = exact(o) ? ng_eigh_work(n, NG_F64) : ng_spd_power_work(n, NG_F64);
        size_t bytes = 2 * ng_work_mat_size(n, n, NG_F64);
        if (exact(o) || o->root == NG_ROOT_SYMMETRIC)
            bytes += solver;
        most = bytes > most && ngi_kron_has(param, sides[i]) ? bytes : most;
    }
    return most;
}

const ngi_metric ngi_metric_kfac = {
    .create = create,
    .work = work_size,
    .capture = capture,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
    .whiten_side = ngi_kron_whiten_new_side,
    .unwhiten_side = ngi_kron_unwhiten_side,
    .is_kronecker = is_kronecker,
};
