/* Metrics diagonal in a product of bases (eigenbases.h). */
#include "optim/steepest/eigenbases.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

const char ngi_diagonal[] = "diagonal";

ng_status ngi_eigen_create(ngi_param *param, ng_dtype dtype, ng_error *error)
{
    TRY(ngi_param_tensor(param, ngi_diagonal, param->rows, param->cols, dtype, NGI_SPARE, error));
    ngi_tensor_start(param, ngi_diagonal, NGI_ONES);
    return NG_OK;
}

/* ---- Bases ------------------------------------------------------------------------------ */

static ng_status solve(ngi_tensor *root, ng_mat values, ng_mat factor, ng_work *work,
                       ng_error *error)
{
    ng_mat vectors;
    TRY(ng_work_mat(work, &vectors, factor.rows, factor.rows, NG_F64, error));
    if (values.data == NULL)
        TRY(ng_work_mat(work, &values, 1, factor.rows, NG_F64, error));
    TRY(ngi_factor_eigen(values, vectors, factor, work, error));
    return ng_copy(root->next, vectors, error);
}

/* order <- the rows k of q by the Rayleigh quotients q_k . turned_k, ascending: nearly so before.
 */
static void by_quotient(size_t *order, ng_mat quotients, ng_mat q, ng_mat turned)
{
    const double *value = quotients.data;
    for (size_t k = 0; k < q.rows; k++) {
        size_t i = k;
        ng_mat_set(quotients, 0, k,
                   ng_dot(ng_mat_block(q, k, 0, 1, q.cols), ng_mat_block(turned, k, 0, 1, q.cols)));
        for (; i > 0 && value[order[i - 1]] > value[k]; i--)
            order[i] = order[i - 1];
        order[i] = k;
    }
}

/* Q <- QR(Q factor) for the rows of Q, from the largest eigenvalue on: a row of rounding errors
 * that came first would spoil those after it. */
static ng_status orthonormalise(ngi_tensor *root, ng_mat q, ng_mat turned, ng_work *work,
                                ng_error *error)
{
    size_t n = q.rows;
    ng_mat quotients;
    void *order;
    TRY(ng_work_mat(work, &quotients, 1, n, NG_F64, error));
    TRY(ng_work_bytes(work, &order, n * sizeof(size_t), error));
    by_quotient(order, quotients, q, turned);
    for (size_t k = 0; k < n; k++)
        ng_copy(ng_mat_block(q, n - 1 - k, 0, 1, n),
                ng_mat_block(turned, ((size_t *)order)[k], 0, 1, n), NULL);
    TRY(ngi_orthonormal_rows(q, work, error));
    for (size_t k = 0; k < n; k++)
        ng_copy(ng_mat_block(root->next, n - 1 - k, 0, 1, n), ng_mat_block(q, k, 0, 1, n), NULL);
    return NG_OK;
}

/* One step of orthogonal iteration. */
static ng_status iterate(ngi_tensor *root, ng_mat factor, ng_work *work, ng_error *error)
{
    size_t n = factor.rows;
    ng_mat wide, q, turned;
    TRY(ng_work_mat(work, &q, n, n, NG_F64, error));
    TRY(ng_work_mat(work, &turned, n, n, NG_F64, error));
    size_t mark = work->used;
    TRY(ng_work_mat(work, &wide, n, n, NG_F64, error));
    TRY(ng_copy(wide, factor, error));
    TRY(ng_copy(q, root->now, error));
    TRY(ng_symm(turned, NG_RIGHT, wide, q, 1, 0, error));
    work->used = mark;
    return orthonormalise(root, q, turned, work, error);
}

ng_status ngi_eigen_bases(ngi_param *param, const ng_mat values[2], int follow, ng_work *work,
                          ng_error *error)
{
    static const ng_side sides[] = {NG_LEFT, NG_RIGHT};
    size_t mark = work->used;
    int failed = 0;
    for (int i = 0; i < 2; i++) {
        ngi_tensor *root = ngi_side_tensor(param, ngi_root, sides[i]);
        if (root == NULL)
            continue;
        ng_mat factor = ngi_newest(ngi_side_tensor(param, ngi_factor, sides[i]));
        ng_status status = follow ? iterate(root, factor, work, error)
                                  : solve(root, values[i], factor, work, error);
        if (status != NG_OK && status != NG_ENOCONV)
            return status;
        work->used = mark;
        root->fresh = status == NG_OK;
        failed += status == NG_ENOCONV;
    }
    for (int i = 0; i < 2 && failed > 0; i++)
        if (ngi_kron_has(param, sides[i]))
            ngi_side_tensor(param, ngi_root, sides[i])->fresh = 0;
    param->report.stale += failed;
    return failed > 0 ? NG_ENOCONV : NG_OK;
}

ng_status ngi_eigen_rotate(const ngi_param *param, ng_mat x, int back, ng_work *work,
                           ng_error *error)
{
    size_t mark = work->used;
    ng_mat scratch;
    TRY(ng_work_mat(work, &scratch, x.rows, x.cols, x.dtype, error));
    TRY(ngi_basis_rotate(x, ngi_kron_root(param, NG_LEFT, NGI_NEW),
                         ngi_kron_root(param, NG_RIGHT, NGI_NEW), back, scratch, error));
    work->used = mark;
    return NG_OK;
}

ng_status ngi_eigen_carry(ngi_param *param, ng_work *work, ng_error *error)
{
    ng_mat left = ngi_kron_root(param, NG_LEFT, NGI_OLD);
    ng_mat right = ngi_kron_root(param, NG_RIGHT, NGI_OLD);
    ng_mat next_left = ngi_kron_root(param, NG_LEFT, NGI_NEW);
    ng_mat next_right = ngi_kron_root(param, NG_RIGHT, NGI_NEW);
    if (next_left.data == left.data && next_right.data == right.data)
        return NG_OK;
    return ngi_basis_carry(ngi_tensor_find(param, ngi_diagonal)->next, next_left, next_right, left,
                           right, work, error);
}

/* ---- The diagonal ---------------------------------------------------------------------------- */

void ngi_eigen_products(ngi_param *param, const ng_mat values[2])
{
    ngi_tensor *t = ngi_tensor_find(param, ngi_diagonal);
    ngi_basis_products(t->next, values[0], values[1]);
    t->fresh = 1;
}

static double eigenvalue(ngi_spectrum h, double s)
{
    s = h.scale * fmax(0, s);
    return (h.power == 1 ? s : sqrt(s)) + h.shift;
}

/* x_ij <- x_ij / sqrt(eigenvalue_ij); 0 where the metric is 0 */
static void divide(const ngi_param *param, const ng_steepest_options *o, ngi_spectrum h, ng_mat x)
{
    ng_mat s = ngi_newest(ngi_tensor_find(param, ngi_diagonal));
    double unit = 1;
    if (ngi_trace_scaled(o)) {
        unit = 0;
        for (size_t i = 0; i < x.rows; i++)
            for (size_t j = 0; j < x.cols; j++)
                unit += eigenvalue(h, ng_mat_get(s, i, j));
        unit /= (double)x.rows * (double)x.cols;
    }
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double value = eigenvalue(h, ng_mat_get(s, i, j));
            ng_mat_set(x, i, j, value > 0 ? ng_mat_get(x, i, j) * sqrt(unit / value) : 0);
        }
}

ng_status ngi_eigen_whiten(const ngi_param *param, const ng_steepest_options *o, ngi_spectrum h,
                           ng_mat x, ng_work *work, ng_error *error)
{
    TRY(ngi_eigen_rotate(param, x, 0, work, error));
    divide(param, o, h, x);
    return NG_OK;
}

ng_status ngi_eigen_unwhiten(const ngi_param *param, const ng_steepest_options *o, ngi_spectrum h,
                             ng_mat y, ng_work *work, ng_error *error)
{
    divide(param, o, h, y);
    return ngi_eigen_rotate(param, y, 1, work, error);
}

/* As ngi_basis_carry_work, of the sides that have a basis. */
static size_t carry_work(const ngi_param *param, size_t left, size_t right)
{
    ng_dtype dtype = param->w.dtype;
    return ngi_size_add(
        ng_work_mat_size(param->rows, param->cols, dtype),
        ngi_size_add(ng_work_mat_size(left, left, dtype), ng_work_mat_size(right, right, dtype)));
}

/* Two squares, and behind them a third or what a solver takes. */
static size_t bases_work(size_t n)
{
    size_t square = ng_work_mat_size(n, n, NG_F64);
    size_t solver = ng_eigh_work(n, NG_F64), qr = ngi_orthonormal_rows_work(n, NG_F64);
    /* of the iteration: quotients and their order, as long */
    qr = ngi_size_add(qr, ngi_size_mul(2, ng_work_mat_size(1, n, NG_F64)));
    size_t most = qr > square ? qr : square;
    return ngi_size_add(ngi_size_mul(2, square), solver > most ? solver : most);
}

size_t ngi_eigen_work(const ngi_param *param)
{
    size_t left = ngi_kron_has(param, NG_LEFT) ? param->rows : 0;
    size_t right = ngi_kron_has(param, NG_RIGHT) ? param->cols : 0;
    size_t bases = bases_work(left > right ? left : right), carry = carry_work(param, left, right);
    size_t values = ngi_size_add(ng_work_mat_size(1, param->rows, NG_F64),
                                 ng_work_mat_size(1, param->cols, NG_F64));
    return ngi_size_add(bases > carry ? bases : carry, values);
}

size_t ngi_eigen_turn_work(const ngi_param *param, const ng_steepest_options *o)
{
    (void)o;
    return ng_work_mat_size(param->rows, param->cols, param->w.dtype);
}
