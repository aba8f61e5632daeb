/* Factors and roots of Kronecker metrics (kron.h). The stored root is L with
 * L L^T = P (Cholesky) or P^(-1/2) (symmetric, ready to multiply with). */
#include "optim/steepest/factors.h"

#include <math.h>

#include "lib/core/size.h"

enum { RECTANGULAR = 8 };                      /* one_sided = auto from this aspect on */
static const double damping_of_doubles = 1e-4; /* factor_dtype = auto below this damping */

static size_t length(const ngi_param *param, ng_side side)
{
    return side == NG_LEFT ? param->rows : param->cols;
}

static ngi_tensor *tensor(ngi_param *param, int left_slot, ng_side side)
{
    return &param->tensor[side == NG_LEFT ? left_slot : left_slot + 1];
}

/* ---- State ------------------------------------------------------------------------- */

/* The factor of this side is kept; of two equal sides the left one. */
static int wanted(const ngi_param *param, const ng_steepest_options *o, ng_side side)
{
    size_t here = length(param, side), there = length(param, ngi_other(side));
    if (o->one_sided == NG_ONE_SIDED_NEVER ||
        (o->one_sided == NG_ONE_SIDED_AUTO && here / RECTANGULAR < there))
        return 1;
    return here < there || (here == there && side == NG_LEFT);
}

static ng_status add(ngi_param *param, int left_slot, ng_side side, const char *name,
                     ng_dtype dtype, ng_error *error)
{
    size_t n = length(param, side);
    int slot = side == NG_LEFT ? left_slot : left_slot + 1;
    ng_status status = ngi_param_tensor(param, slot, name, n, n, dtype, NGI_SPARE, error);
    if (status == NG_OK)
        ng_set_identity(param->tensor[slot].now);
    return status;
}

ng_status ngi_kron_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    static const char *const names[][2] = {{"left_factor", "right_factor"},
                                           {"left_root", "right_root"},
                                           {"left_basis", "right_basis"}};
    int doubles = o->factor_dtype == NG_FACTORS_F64 ||
                  (o->factor_dtype == NG_FACTORS_AUTO && o->damping < damping_of_doubles);
    ng_status status = NG_OK;
    param->tensor[LEFT_FACTOR].legal = param->tensor[RIGHT_FACTOR].legal = NGI_SEMIDEFINITE;
    for (int i = 0; i < 2; i++) {
        ng_side side = i == 0 ? NG_LEFT : NG_RIGHT;
        if (!wanted(param, o, side))
            continue;
        status =
            add(param, LEFT_FACTOR, side, names[0][i], doubles ? NG_F64 : param->w.dtype, error);
        if (status == NG_OK)
            status = add(param, LEFT_ROOT, side, names[1][i], param->w.dtype, error);
        if (status == NG_OK && o->refresh_tolerance > 0)
            status = add(param, LEFT_BASIS, side, names[2][i], NG_F64, error);
        if (status != NG_OK)
            return status;
    }
    return NG_OK;
}

/* ---- Factors -------------------------------------------------------------------------- */

/* factor <- keep factor + weight x x^T (x^T x on the right), lower triangle. For a factor in
 * double the product is in double too: one rounded to f32 is off by eps_f32 times the largest
 * eigenvalue, more than a small damping, and may be indefinite. */
ng_status ngi_kron_add_gram(ng_mat factor, ng_side side, ng_mat x, double weight, double keep,
                            ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_trans trans = side == NG_LEFT ? NG_NOTRANS : NG_TRANS;
    ng_mat wide;
    /* the upper triangle of a factor is never read and keeps what it had */
    if (factor.dtype == x.dtype)
        return ng_syrk(factor, x, trans, weight, keep, error);
    ng_status status = ng_work_mat(work, &wide, x.rows, x.cols, factor.dtype, error);
    if (status == NG_OK)
        status = ng_copy(wide, x, error);
    if (status == NG_OK)
        status = ng_syrk(factor, wide, trans, weight, keep, error);
    work->used = mark;
    return status;
}

ng_status ngi_kron_accumulate(ngi_param *param, const ng_steepest_options *o, ng_side side,
                              ng_mat x, double shift, ng_work *work, ng_error *error)
{
    ngi_tensor *t = tensor(param, LEFT_FACTOR, side);
    double n = (double)t->now.rows, rest = 1 - o->ema_decay;
    double d = (double)length(param, ngi_other(side));
    ng_copy(t->next, t->now, NULL);
    ng_status status = ngi_kron_add_gram(t->next, side, x, rest / d, o->ema_decay, work, error);
    if (status != NG_OK)
        return status;
    ng_add_diagonal(t->next, rest * shift * ng_trace(t->now) / n);
    double trace = ng_trace(t->next);
    if (!isfinite(trace)) /* the diagonal bounds the rest */
        return ng_error_set(error, NG_ERANGE,
                            "the %s factor overflows: the gradient is too large for its dtype",
                            side == NG_LEFT ? "left" : "right");
    if (ngi_trace_scaled(o) && trace > 0)
        ng_scale(t->next, n / trace);
    t->fresh = 1;
    return NG_OK;
}

/* ---- Roots ------------------------------------------------------------------------------ */

static ng_status cholesky_root(ng_mat root, ng_mat factor, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    double jitter;
    ng_mat wide;
    if (root.dtype == factor.dtype)
        return ng_cholesky(root, &jitter, factor, error);
    ng_status status = ng_work_mat(work, &wide, factor.rows, factor.cols, factor.dtype, error);
    if (status == NG_OK)
        status = ng_cholesky(wide, &jitter, factor, error);
    if (status == NG_OK)
        status = ng_copy(root, wide, error);
    work->used = mark;
    return status;
}

static ng_status symmetric_root(ng_mat root, ngi_tensor *basis, double tolerance, ng_mat factor,
                                ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    double floor = ng_dtype_eps(factor.dtype);
    ng_mat wide = root;
    ng_status status = NG_OK;
    if (root.dtype != factor.dtype)
        status = ng_work_mat(work, &wide, factor.rows, factor.cols, factor.dtype, error);
    if (status == NG_OK && tolerance == 0)
        status = ng_spd_power(wide, factor, -0.5, floor, work, error);
    else if (status == NG_OK) {
        ng_copy(basis->next, basis->now, NULL);
        status = ng_spd_power_update(wide, NULL, basis->next, factor, -0.5, floor, tolerance, work,
                                     error);
        basis->fresh = status == NG_OK;
    }
    if (status == NG_OK && root.dtype != factor.dtype)
        status = ng_copy(root, wide, error);
    work->used = mark;
    return status;
}

ng_status ngi_kron_decompose(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error)
{
    ngi_tensor *root = tensor(param, LEFT_ROOT, side);
    ng_mat factor = tensor(param, LEFT_FACTOR, side)->next;
    ng_status status = o->root == NG_ROOT_CHOLESKY
                           ? cholesky_root(root->next, factor, work, error)
                           : symmetric_root(root->next, tensor(param, LEFT_BASIS, side),
                                            o->refresh_tolerance, factor, work, error);
    root->fresh = status == NG_OK;
    if (status != NG_ENOCONV)
        return status;
    param->report.stale++; /* every solver failed: go on with the last good root */
    return NG_OK;
}

/* ---- Whitening ---------------------------------------------------------------------------- */

/* x <- root x or x root, root symmetric, through scratch */
static ng_status multiply(ng_mat x, ng_side side, ng_mat root, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_mat copy;
    ng_status status = ng_work_mat(work, &copy, x.rows, x.cols, x.dtype, error);
    if (status == NG_OK)
        status = ng_copy(copy, x, error);
    if (status == NG_OK)
        status = ng_symm(x, side, root, copy, 1, 0, error);
    work->used = mark;
    return status;
}

ng_status ngi_kron_whiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                               ngi_age age, ng_mat x, ng_work *work, ng_error *error)
{
    ng_mat root = ngi_kron_root(param, side, age);
    if (!ngi_kron_has(param, side))
        return NG_OK;
    if (o->root == NG_ROOT_SYMMETRIC)
        return multiply(x, side, root, work, error);
    return ng_trsm(x, side, root, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, error);
}

ng_status ngi_kron_unwhiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                                 ng_mat y, ng_work *work, ng_error *error)
{
    ng_mat root = ngi_kron_root(param, side, NGI_NEW);
    if (!ngi_kron_has(param, side))
        return NG_OK;
    if (o->root == NG_ROOT_SYMMETRIC)
        return multiply(y, side, root, work, error);
    return ng_trsm(y, side, root, side == NG_LEFT ? NG_TRANS : NG_NOTRANS, 1, error);
}

ng_status ngi_kron_whiten_new_side(const ngi_param *param, const ng_steepest_options *o,
                                   ng_side side, ng_mat x, ng_work *work, ng_error *error)
{
    return ngi_kron_whiten_side(param, o, side, NGI_NEW, x, work, error);
}

ng_status ngi_kron_whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                          ng_work *work, ng_error *error)
{
    ng_status status = ngi_kron_whiten_new_side(param, o, NG_LEFT, x, work, error);
    return status != NG_OK ? status : ngi_kron_whiten_new_side(param, o, NG_RIGHT, x, work, error);
}

ng_status ngi_kron_unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                            ng_work *work, ng_error *error)
{
    ng_status status = ngi_kron_unwhiten_side(param, o, NG_LEFT, y, work, error);
    return status != NG_OK ? status : ngi_kron_unwhiten_side(param, o, NG_RIGHT, y, work, error);
}

size_t ngi_kron_work(const ngi_param *param, const ng_steepest_options *o)
{
    size_t largest = 0;
    ng_dtype wide = param->w.dtype; /* of a copy of the gradient: the factors' */
    for (int i = 0; i < 2; i++) {
        ng_side side = i == 0 ? NG_LEFT : NG_RIGHT;
        size_t n = length(param, side);
        size_t power = o->root == NG_ROOT_SYMMETRIC ? ng_spd_power_work(n, param->w.dtype) : 0;
        size_t root = ngi_size_add(ng_work_mat_size(n, n, NG_F64), power);
        if (ngi_kron_has(param, side) && root > largest)
            largest = root;
        if (ngi_kron_has(param, side) &&
            ngi_kron_tensor(param, LEFT_FACTOR, side)->now.dtype == NG_F64)
            wide = NG_F64;
    }
    size_t product = ng_work_mat_size(param->rows, param->cols, wide);
    return largest > product ? largest : product;
}
