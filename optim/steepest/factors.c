/* Factors and roots of Kronecker metrics (factors.h). The stored root is L with
 * L L^T = P (Cholesky), P^(-1/2) (symmetric) or P^-1 (inverse); the last two, whole, are ready to
 * multiply with. */
#include "optim/steepest/factors.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/lower.h"
#include "lib/linalg/sweep.h"

enum { RECTANGULAR = 3 };                      /* one_sided = auto from this aspect on */
static const double damping_of_doubles = 1e-4; /* factor_dtype = auto below this damping */

const ngi_pair ngi_factor = {{"left_factor", "right_factor"}};
const ngi_pair ngi_root = {{"left_root", "right_root"}};
const char ngi_average_weight[] = "average_weight";
static const ngi_pair basis = {{"left_basis", "right_basis"}}; /* of refresh_tolerance */

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

/* ---- State ------------------------------------------------------------------------- */

/* The factor of this side is kept; of two equal sides the left one. */
static int wanted(const ngi_param *param, ngi_rule r, ng_side side)
{
    size_t here = ngi_side_length(param, side), there = ngi_side_length(param, ngi_other(side));
    if (r.one_sided == NG_ONE_SIDED_NEVER ||
        (r.one_sided == NG_ONE_SIDED_AUTO && here / RECTANGULAR < there))
        return 1;
    return here < there || (here == there && side == NG_LEFT);
}

static ng_status add(ngi_param *param, ngi_pair pair, ng_side side, ng_dtype dtype, int spare,
                     ng_error *error)
{
    size_t n = ngi_side_length(param, side);
    const char *name = pair.name[side == NG_LEFT ? 0 : 1];
    TRY(ngi_param_tensor(param, name, n, n, dtype, spare, error));
    ngi_tensor_start(param, name, NGI_IDENTITY);
    return NG_OK;
}

ng_status ngi_kron_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    ngi_rule r = ngi_rule_of(o);
    int doubles = r.factor_dtype == NG_FACTORS_F64 ||
                  (r.factor_dtype == NG_FACTORS_AUTO && r.damping < damping_of_doubles);
    for (int i = 0; i < 2; i++) {
        int leads = ngi_leads(param, sides[i]), low = ngi_wants_low_rank(param, r, sides[i]);
        if (low && leads)
            TRY(ngi_low_rank_create(param, r, sides[i], error));
        if (low || !wanted(param, r, sides[i]))
            continue;
        if (leads)
            TRY(add(param, ngi_factor, sides[i], doubles ? NG_F64 : param->w.dtype,
                    r.in_commit ? NGI_IN_PLACE : NGI_SPARE, error));
        if (!leads && r.separate_roots)
            continue;
        TRY(add(param, ngi_root, sides[i], param->w.dtype, NGI_SPARE, error));
        if (r.refresh_tolerance > 0)
            TRY(add(param, basis, sides[i], NG_F64, NGI_SPARE, error));
    }
    ngi_side_legal(param, ngi_factor, NGI_SEMIDEFINITE);
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
    TRY(ng_work_mat(work, &wide, x.rows, x.cols, factor.dtype, error));
    TRY(ng_copy(wide, x, error));
    TRY(ng_syrk(factor, wide, trans, weight, keep, error));
    work->used = mark;
    return NG_OK;
}

/* x y^T, symmetric, instead; on the right x^T y */
static ng_status add_product(ng_mat factor, ng_side side, ng_mat x, ng_mat y, double weight,
                             double keep, ng_error *error)
{
    int left = side == NG_LEFT;
    return ngi_gemm_lower(factor, x, left ? NG_NOTRANS : NG_TRANS, y, left ? NG_TRANS : NG_NOTRANS,
                          weight, keep, error);
}

ng_status ngi_kron_accumulate(ngi_param *param, const ng_steepest_options *o, ng_side side,
                              ng_mat x, ng_mat y, ng_work *work, ng_error *error)
{
    ngi_tensor *t = ngi_side_tensor(param, ngi_factor, side);
    ngi_rule r = ngi_rule_of(o);
    double n = (double)t->now.rows, rest = 1 - r.ema_decay;
    double d = (double)ngi_side_length(param, ngi_other(side));
    TRY(ng_copy(t->next, t->now, error));
    TRY(x.data == y.data ? ngi_kron_add_gram(t->next, side, x, rest / d, r.ema_decay, work, error)
                         : add_product(t->next, side, x, y, rest / d, r.ema_decay, error));
    ng_add_diagonal(t->next, rest * r.damping * ng_trace(t->now) / n);
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

/* own: the side's eigenbasis, or NULL */
static ng_status symmetric_root(ng_mat root, ngi_tensor *own, double tolerance, ng_mat factor,
                                ng_work *work, ng_error *error)
{
    double floor = ng_dtype_eps(factor.dtype);
    if (own == NULL)
        return ng_spd_power(root, factor, -0.5, floor, work, error);
    TRY(ng_copy(own->next, own->now, error));
    TRY(ng_spd_power_update(root, NULL, own->next, factor, -0.5, floor, tolerance, work, error));
    own->fresh = 1;
    return NG_OK;
}

/* root in the factor's dtype */
static ng_status take_root(ng_mat root, ngi_tensor *own, ng_root form, double tolerance,
                           ng_mat factor, ng_work *work, ng_error *error)
{
    double jitter;
    switch (form) {
    case NG_ROOT_CHOLESKY:
        return ng_cholesky(root, &jitter, factor, error);
    case NG_ROOT_INVERSE:
        return ngi_spd_inverse(root, factor, work, error);
    case NG_ROOT_SYMMETRIC:
        break;
    }
    return symmetric_root(root, own, tolerance, factor, work, error);
}

ng_status ngi_kron_decompose(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error)
{
    ngi_tensor *root = ngi_side_tensor(param, ngi_root, side);
    ng_mat factor = ngi_side_tensor(param, ngi_factor, side)->next;
    size_t mark = work->used;
    ng_mat wide = root->next;
    if (wide.dtype != factor.dtype)
        TRY(ng_work_mat(work, &wide, factor.rows, factor.cols, factor.dtype, error));
    ng_status status = take_root(wide, ngi_side_tensor(param, basis, side), ngi_kron_form(param, o),
                                 ngi_rule_of(o).refresh_tolerance, factor, work, error);
    root->fresh = status == NG_OK;
    if (status == NG_OK && wide.dtype != root->next.dtype)
        TRY(ng_copy(root->next, wide, error));
    work->used = mark;
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
    TRY(ng_work_mat(work, &copy, x.rows, x.cols, x.dtype, error));
    TRY(ng_copy(copy, x, error));
    TRY(ng_symm(x, side, root, copy, 1, 0, error));
    work->used = mark;
    return NG_OK;
}

/* The Cholesky factor C of the inverse is a root of it: S = C^-T. x <- C^T x or x C to whiten, C x
 * or x C^T to un-whiten. */
static ng_status multiply_half(ng_mat x, ng_side side, ng_mat inverse, int whiten, ng_work *work,
                               ng_error *error)
{
    size_t mark = work->used;
    double jitter;
    ng_mat copy, c;
    TRY(ng_work_mat(work, &c, inverse.rows, inverse.cols, inverse.dtype, error));
    TRY(ng_work_mat(work, &copy, x.rows, x.cols, x.dtype, error));
    TRY(ng_cholesky(c, &jitter, inverse, error));
    TRY(ng_copy(copy, x, error));
    TRY(side == NG_LEFT
            ? ng_gemm(x, c, whiten ? NG_TRANS : NG_NOTRANS, copy, NG_NOTRANS, 1, 0, error)
            : ng_gemm(x, copy, NG_NOTRANS, c, whiten ? NG_NOTRANS : NG_TRANS, 1, 0, error));
    work->used = mark;
    return NG_OK;
}

static ng_status turn(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                      ngi_age age, int whiten, ng_mat x, ng_work *work, ng_error *error)
{
    ng_mat root = ngi_kron_root(param, side, age);
    ng_root kind = ngi_kron_form(param, o);
    if (!ngi_kron_has(param, side))
        return NG_OK;
    if (ngi_is_low_rank(param, side))
        return ngi_low_rank_apply(x, param, side, age, -0.5, x, work, error);
    if (kind == NG_ROOT_SYMMETRIC)
        return multiply(x, side, root, work, error);
    if (kind == NG_ROOT_INVERSE)
        return multiply_half(x, side, root, whiten, work, error);
    return ng_trsm(x, side, root, (side == NG_LEFT) == whiten ? NG_NOTRANS : NG_TRANS, 1, error);
}

ng_status ngi_kron_whiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                               ngi_age age, ng_mat x, ng_work *work, ng_error *error)
{
    return turn(param, o, side, age, 1, x, work, error);
}

ng_status ngi_kron_whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                          ng_work *work, ng_error *error)
{
    TRY(turn(param, o, NG_LEFT, NGI_NEW, 1, x, work, error));
    return turn(param, o, NG_RIGHT, NGI_NEW, 1, x, work, error);
}

ng_status ngi_kron_unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                            ng_work *work, ng_error *error)
{
    TRY(turn(param, o, NG_LEFT, NGI_NEW, 0, y, work, error));
    return turn(param, o, NG_RIGHT, NGI_NEW, 0, y, work, error);
}

/* ---- Factors and their inverses, for forms without a root ------------------------------------ */

ng_status ngi_kron_solve(ng_mat z, const ngi_param *param, const ng_steepest_options *o,
                         ng_side side, ngi_age age, ng_mat x, ng_work *work, ng_error *error)
{
    ng_mat root = ngi_kron_root(param, side, age);
    if (ngi_is_low_rank(param, side))
        return ngi_low_rank_apply(z, param, side, age, -1, x, work, error);
    if (ngi_kron_has(param, side) && ngi_kron_form(param, o) == NG_ROOT_INVERSE)
        return side == NG_LEFT ? ng_gemm(z, root, NG_NOTRANS, x, NG_NOTRANS, 1, 0, error)
                               : ng_gemm(z, x, NG_NOTRANS, root, NG_NOTRANS, 1, 0, error);
    TRY(ng_copy(z, x, error));
    TRY(turn(param, o, side, age, 1, z, work, error));
    return turn(param, o, side, age, 0, z, work, error);
}

ng_status ngi_kron_solve_side(ng_mat z, const ngi_param *param, const ng_steepest_options *o,
                              ng_side side, ng_mat x, ng_work *work, ng_error *error)
{
    return ngi_kron_solve(z, param, o, side, NGI_NEW, x, work, error);
}

/* From the root: L L^T, or the inverse of what it is the root of or the inverse. */
ng_status ngi_kron_factor_side(ng_mat *factor, const ngi_param *param, const ng_steepest_options *o,
                               ng_side side, ng_work *work, ng_error *error)
{
    ng_mat root = ngi_kron_root(param, side, NGI_NEW), inverse = root;
    ng_root kind = ngi_kron_form(param, o);
    *factor = ng_mat_none();
    if (!ngi_kron_has(param, side))
        return NG_OK;
    size_t n = ngi_side_length(param, side);
    TRY(ng_work_mat(work, factor, n, n, param->w.dtype, error));
    if (ngi_is_low_rank(param, side))
        return ngi_low_rank_dense(*factor, param, side, work, error);
    if (kind == NG_ROOT_CHOLESKY)
        return ng_syrk(*factor, root, NG_NOTRANS, 1, 0, error);
    size_t mark = work->used;
    if (kind == NG_ROOT_SYMMETRIC) {
        TRY(ng_work_mat(work, &inverse, root.rows, root.cols, root.dtype, error));
        TRY(ng_syrk(inverse, root, NG_NOTRANS, 1, 0, error));
    }
    TRY(ngi_spd_inverse(*factor, inverse, work, error));
    work->used = mark;
    return NG_OK;
}

/* ---- Scratch ------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* a matrix of that dtype where the weights have another */
static size_t widened(const ngi_param *param, size_t rows, size_t cols, ng_dtype dtype)
{
    return dtype != param->w.dtype ? ng_work_mat_size(rows, cols, dtype) : 0;
}

/* of the root of a side's factor, n x n */
static size_t taking_work(size_t n, ng_root form, ng_dtype dtype)
{
    switch (form) {
    case NG_ROOT_CHOLESKY:
        return 0;
    case NG_ROOT_INVERSE:
        return ngi_spd_inverse_work(n, dtype);
    case NG_ROOT_SYMMETRIC:
        break;
    }
    return ng_spd_power_work(n, dtype);
}

size_t ngi_kron_add_work(const ngi_param *param)
{
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *factor = ngi_side_tensor(param, ngi_factor, sides[i]);
        if (factor != NULL)
            most = larger(most, widened(param, param->rows, param->cols, factor->now.dtype));
    }
    return most;
}

size_t ngi_kron_root_work(const ngi_param *param, const ng_steepest_options *o)
{
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *factor = ngi_side_tensor(param, ngi_factor, sides[i]);
        size_t n = ngi_side_length(param, sides[i]);
        if (factor == NULL)
            continue;
        ng_dtype dtype = factor->now.dtype;
        most = larger(most, ngi_size_add(widened(param, n, n, dtype),
                                         taking_work(n, ngi_kron_form(param, o), dtype)));
    }
    return most;
}

size_t ngi_kron_turn_work(const ngi_param *param, const ng_steepest_options *o)
{
    ng_root form = ngi_kron_form(param, o);
    size_t product = ng_work_mat_size(param->rows, param->cols, param->w.dtype);
    size_t most = ngi_low_rank_apply_work(param);
    for (int i = 0; i < 2 && form != NG_ROOT_CHOLESKY; i++) {
        size_t n = ngi_side_length(param, sides[i]);
        size_t square = ng_work_mat_size(n, n, param->w.dtype);
        if (ngi_kron_has(param, sides[i]) && !ngi_is_low_rank(param, sides[i]))
            most = larger(most, form == NG_ROOT_INVERSE ? ngi_size_add(square, product) : product);
    }
    return most;
}

/* of the side's factor from its root, and of symmetric roots' products */
static size_t dense_side_work(const ngi_param *param, ng_root form, ng_side side)
{
    ng_dtype dtype = param->w.dtype;
    size_t n = ngi_side_length(param, side), inverse = ngi_spd_inverse_work(n, dtype);
    if (form == NG_ROOT_CHOLESKY)
        return 0;
    if (form == NG_ROOT_INVERSE)
        return ngi_kron_has(param, side) && !ngi_is_low_rank(param, side) ? inverse : 0;
    return larger(ng_work_mat_size(param->rows, param->cols, dtype),
                  ngi_size_add(ng_work_mat_size(n, n, dtype), inverse));
}

size_t ngi_kron_side_work(const ngi_param *param, const ng_steepest_options *o, ng_side side)
{
    return larger(ngi_low_rank_apply_work(param),
                  dense_side_work(param, ngi_kron_form(param, o), side));
}
