/* Newton-Schulz: X <- a X + b A X + c A^2 X with A = X X^T (or X^T X on the
 * right). A and A^2 are symmetric, so two of the three products are SYRKs. */
#include "lib/linalg/polar_routes.h"

#include <math.h>

/* Muon's quintic (Jordan 2024): steep at 0, not convergent */
static const double muon[3] = {3.4445, -4.7750, 2.0315};
enum { MUON_STEPS = 5 };

size_t ngi_polar_newton_schulz_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    return 2 * ng_work_mat_size(k, k, dtype) + ng_work_mat_size(m, n, dtype);
}

/* next <- p(x) for the odd quintic p with coefficients (a, b, c) */
static ng_status quintic(ng_mat next, ng_mat x, const double p[3], ng_mat gram, ng_mat square,
                         ng_error *error)
{
    ng_side side = ngi_polar_side(x.rows, x.cols);
    ng_status status = ng_syrk(gram, x, side == NG_LEFT ? NG_NOTRANS : NG_TRANS, 1, 0, error);
    if (status == NG_OK) {
        ng_mirror(gram);
        status = ng_syrk(square, gram, NG_NOTRANS, p[2], 0, error);
    }
    if (status == NG_OK)
        status = ng_axpby(square, gram, p[1], 1, error); /* b A + c A^2 */
    if (status == NG_OK)
        status = ng_copy(next, x, error);
    if (status == NG_OK)
        status = ng_symm(next, side, square, x, 1, p[0], error);
    return status;
}

ng_status ngi_polar_newton_schulz(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                                  ng_work *work, ng_error *error)
{
    size_t k = ngi_smaller(x.rows, x.cols), mark = work->used;
    ng_mat gram, square, other;
    ng_status status = ng_work_mat(work, &gram, k, k, x.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &square, k, k, x.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &other, x.rows, x.cols, x.dtype, error);
    if (status == NG_OK)
        status = ng_axpby(other, x, 1 / (ng_norm(x) + 1e-7 / unit), 0, error);
    for (int step = 0; step < MUON_STEPS && status == NG_OK; step++)
        status = step % 2 == 0 ? quintic(u, other, muon, gram, square, error)
                               : quintic(other, u, muon, gram, square, error);
    info->route = "newton-schulz";
    info->rank = k;
    info->condition = NAN;
    work->used = mark;
    return status;
}
