/* EKFAC (George et al. 2018): the eigenbases of K-FAC's factors, with the second
 * moments of the samples' own gradients there instead of products of eigenvalues.
 *
 * In the bases u, v the gradient of a sample is (u g)(v a)^T, so its squares
 * summed over samples are one product of squares. They are taken at capture,
 * in the bases of the last step. */
#include "optim/steepest/eigenbases.h"
#include "optim/steepest/statistics.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/linalg/eigenbasis.h"

enum { ROWS = 512 }; /* captured rows in scratch at a time */

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    ng_status status = ngi_statistics_create(param, o, error);
    param->tensor[DIAGONAL_PENDING].legal = NGI_NONNEGATIVE;
    if (status == NG_OK)
        status = ngi_param_tensor(param, DIAGONAL, "diagonal", param->rows, param->cols,
                                  param->w.dtype, NGI_SPARE, error);
    if (status == NG_OK)
        status = ngi_param_tensor(param, DIAGONAL_PENDING, "diagonal_pending", param->rows,
                                  param->cols, param->w.dtype, NGI_IN_PLACE, error);
    if (status == NG_OK)
        ng_fill(param->tensor[DIAGONAL].now, 1); /* of the identities */
    return status;
}

/* ---- Second moments of captured gradients ------------------------------------------------- */

/* out (b x n) <- squares of [rows, ones if they are narrower] in the basis (n x n) */
static ng_status squares(ng_mat out, ng_mat rows, ng_mat basis, ng_error *error)
{
    size_t n = basis.rows, k = rows.cols;
    ng_status status =
        ng_gemm(out, rows, NG_NOTRANS, ng_mat_block(basis, 0, 0, n, k), NG_TRANS, 1, 0, error);
    for (size_t i = 0; i < out.rows && k < n && status == NG_OK; i++)
        for (size_t j = 0; j < n; j++)
            ng_mat_set(out, i, j, ng_mat_get(out, i, j) + ng_mat_get(basis, j, k));
    ngi_square(out);
    return status;
}

/* sums <- beta sums + scale^2 (squares of left)^T (squares of right) */
static ng_status add(ngi_param *param, ng_mat left, ng_mat right, double scale, double beta,
                     ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_mat l, r;
    ng_status status = ng_work_mat(work, &l, left.rows, param->rows, left.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &r, left.rows, param->cols, left.dtype, error);
    if (status == NG_OK)
        status = squares(l, left, param->tensor[LEFT_ROOT].now, error);
    if (status == NG_OK)
        status = squares(r, right, param->tensor[RIGHT_ROOT].now, error);
    if (status == NG_OK)
        status = ng_gemm(param->tensor[DIAGONAL_PENDING].now, l, NG_TRANS, r, NG_NOTRANS,
                         scale * scale, beta, error);
    work->used = mark;
    return status;
}

/* NG_ERANGE if an element could leave the dtype: none of a sample's exceeds the squares of its
 * two norms. */
static ng_status check_range(const ngi_param *param, ng_mat a, ng_mat g, double scale,
                             ng_error *error)
{
    double of_g = fabs(scale) * ng_max_abs(g), of_a = fmax(1, ng_max_abs(a));
    double old = param->captured > 0 ? ng_max_abs(param->tensor[DIAGONAL_PENDING].now) : 0;
    double norms = of_g * sqrt((double)g.cols) * of_a * sqrt((double)a.cols + 1);
    double left = (ngi_largest(param) - old) / (double)a.rows;
    if (norms < sqrt(left) && of_a * of_a * ((double)a.cols + 1) < ngi_largest(param))
        return NG_OK;
    return ng_error_set(error, NG_ERANGE, "the captured second moments overflow their dtype");
}

static ng_status capture(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                         double scale, ng_error *error)
{
    int out_left = ngi_output_side(param) == NG_LEFT;
    size_t block = a.rows < ROWS ? a.rows : ROWS;
    size_t size = ngi_size_add(ng_work_mat_size(block, param->rows, a.dtype),
                               ng_work_mat_size(block, param->cols, a.dtype));
    double beta = param->captured > 0 ? 1 : 0;
    ng_work work;
    if (!ngi_due(param, o->update_interval) || param->step == 0) /* products serve at first */
        return ngi_statistics_capture(param, o, a, g, scale, error);
    ng_status status = check_range(param, a, g, scale, error);
    if (status == NG_OK)
        status = ng_work_create(&work, size, error);
    if (status != NG_OK)
        return status;
    status = ngi_statistics_capture(param, o, a, g, scale, error); /* the last that can fail */
    for (size_t i = 0; i < a.rows && status == NG_OK; i += block, beta = 1) {
        size_t rows = a.rows - i < block ? a.rows - i : block;
        ng_mat inputs = ng_mat_block(a, i, 0, rows, a.cols);
        ng_mat outputs = ng_mat_block(g, i, 0, rows, g.cols);
        status = add(param, out_left ? outputs : inputs, out_left ? inputs : outputs, scale, beta,
                     &work, error);
    }
    ng_work_destroy(&work);
    return status;
}

/* ---- The diagonal ---------------------------------------------------------------------------- */

/* new diagonal <- old + (captured mean - old) / weight */
static ng_status average(ngi_param *param, ng_error *error)
{
    ngi_tensor *t = &param->tensor[DIAGONAL];
    double weight = ng_mat_get(param->tensor[AVERAGE_WEIGHT].next, 0, 0);
    ng_status status = ng_copy(t->next, t->now, error);
    if (status == NG_OK && param->tensor[AVERAGE_WEIGHT].fresh && param->step > 0)
        status = ng_axpby(t->next, param->tensor[DIAGONAL_PENDING].now,
                          1 / weight / param->captured, 1 - 1 / weight, error);
    t->fresh = status == NG_OK;
    return status;
}

/* New bases. The first diagonal is the product of eigenvalues, later ones are carried along. */
static ng_status new_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                           ng_error *error)
{
    size_t mark = work->used;
    int first = param->step == 0;
    ng_mat values[2] = {{.data = NULL}, {.data = NULL}};
    ng_status status = NG_OK;
    if (first)
        status = ng_work_mat(work, &values[0], 1, param->rows, NG_F64, error);
    if (first && status == NG_OK)
        status = ng_work_mat(work, &values[1], 1, param->cols, NG_F64, error);
    if (status == NG_OK)
        status = ngi_eigen_bases(param, values, !first && o->eigenbasis == NG_EIGENBASIS_QR, work,
                                 error);
    if (status == NG_OK && first)
        ngi_eigen_products(param, values);
    else if (status == NG_OK)
        status = ngi_eigen_carry(param, work, error);
    work->used = mark;
    return status == NG_ENOCONV ? NG_OK : status; /* the last good ones serve */
}

static ng_status check_singular(const ngi_param *param, ng_error *error)
{
    ng_mat s = ngi_newest(&param->tensor[DIAGONAL]);
    double least = INFINITY, most = ng_max_abs(s);
    for (size_t i = 0; i < s.rows; i++)
        for (size_t j = 0; j < s.cols; j++)
            least = fmin(least, ng_mat_get(s, i, j));
    if (least > (double)(s.rows + s.cols) * ng_dtype_eps(s.dtype) * most)
        return NG_OK;
    return ngi_statistics_singular(error);
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    ng_status status = NG_OK;
    (void)g;
    if (ngi_due(param, o->update_interval))
        status = ngi_statistics_average(param, o, work, error);
    if (status == NG_OK)
        status = average(param, error);
    if (status == NG_OK && ngi_due(param, o->inverse_interval))
        status = new_bases(param, o, work, error);
    if (status == NG_OK && !(o->damping > 0))
        status = check_singular(param, error);
    return status;
}

static ngi_spectrum spectrum(const ng_steepest_options *o)
{
    ngi_spectrum h = {1, 1, o->damping};
    return h;
}

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    return ngi_eigen_whiten(param, o, spectrum(o), x, work, error);
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    return ngi_eigen_unwhiten(param, o, spectrum(o), y, work, error);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    size_t kron = ngi_kron_work(param, o), eigen = ngi_eigen_work(param);
    return kron > eigen ? kron : eigen;
}

const ngi_metric ngi_metric_ekfac = {
    .create = create,
    .work = work_size,
    .capture = capture,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
};
