/* The fast polar factor: Gram matrix and eigendecomposition in the dtype
 * itself, and a soft floor f(l) = max(l, floor)^(-1/2) in place of a rank rule.
 *
 * Rounding moves eigenvalues of the Gram matrix by some eps l_1, too much for
 * singular values below a twentieth of the largest. Their directions are set apart:
 * the rows Y = V_small X, far smaller than X in norm, get a Gram matrix of
 * their own, in double. Where there are few of them this costs little. */
#include "lib/linalg/polar/routes.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"

enum { SOFT_FLOOR = 32 };                /* times eps times the largest eigenvalue */
static const double small_part = 0.0025; /* of the largest eigenvalue: s < s_1 / 20 is small */

/* rank and condition from ascending eigenvalues, of which those up to the floor do not count */
static void describe(ng_polar_info *info, ng_mat values, double largest, double floor)
{
    for (size_t i = values.cols; i-- > 0;) {
        double l = ng_mat_get(values, 0, i);
        if (l > floor) {
            info->rank++;
            info->condition = sqrt(largest / l);
        }
    }
}

/* rows of v <- f(l)^(1/2) times them, so that v^T v is the multiplier they make; f(0) = 0 when
 * the floor is 0 */
static void weigh_rows(ng_mat v, ng_mat values, double floor)
{
    for (size_t i = 0; i < v.rows; i++) {
        double l = fmax(ng_mat_get(values, 0, i), floor);
        ng_scale(ng_mat_block(v, i, 0, 1, v.cols), l > 0 ? pow(l, -0.25) : 0);
    }
}

/* The share of the small directions, u += v^T f(y y^T) y with y = v x (mirrored on the right),
 * v: r x k. The Gram matrix of y and f are in double. */
static ng_status add_small(ng_mat u, ng_polar_info *info, ng_mat x, ng_mat v, double largest,
                           double floor, ng_work *work, ng_error *error)
{
    size_t r = v.rows, mark = work->used;
    int left = ngi_polar_side(x.rows, x.cols) == NG_LEFT;
    size_t rows = left ? r : x.rows, cols = left ? x.cols : r;
    ng_mat y, y64, gram, values, vectors, z64;
    TRY(ng_work_mat(work, &y, rows, cols, x.dtype, error));
    TRY(ng_work_mat(work, &y64, rows, cols, NG_F64, error));
    TRY(ng_work_mat(work, &z64, rows, cols, NG_F64, error));
    TRY(ng_work_mat(work, &gram, r, r, NG_F64, error));
    TRY(ng_work_mat(work, &vectors, r, r, NG_F64, error));
    TRY(ng_work_mat(work, &values, 1, r, NG_F64, error));
    TRY(left ? ng_gemm(y, v, NG_NOTRANS, x, NG_NOTRANS, 1, 0, error)
             : ng_gemm(y, x, NG_NOTRANS, v, NG_TRANS, 1, 0, error));
    TRY(ng_copy(y64, y, error));
    /* y may be square where x was not: the side is x's */
    TRY(ng_syrk(gram, y64, left ? NG_NOTRANS : NG_TRANS, 1, 0, error));
    TRY(ng_eigh(values, vectors, NULL, gram, work, error));
    describe(info, values, largest, floor);
    weigh_rows(vectors, values, floor);
    TRY(ng_syrk(gram, vectors, NG_TRANS, 1, 0, error));
    TRY(ng_symm(z64, left ? NG_LEFT : NG_RIGHT, gram, y64, 1, 0, error));
    TRY(ng_copy(y, z64, error));
    TRY(left ? ng_gemm(u, v, NG_TRANS, y, NG_NOTRANS, 1, 1, error)
             : ng_gemm(u, y, NG_NOTRANS, v, NG_NOTRANS, 1, 1, error));
    work->used = mark;
    return NG_OK;
}

static size_t add_small_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    size_t rows = ngi_size_add(ng_work_mat_size(m, n, dtype),
                               ngi_size_mul(2, ng_work_mat_size(m, n, NG_F64)));
    size_t squares = ngi_size_add(ngi_size_mul(2, ng_work_mat_size(k, k, NG_F64)),
                                  ng_work_mat_size(1, k, NG_F64));
    return ngi_size_add(ngi_size_add(rows, squares), ng_eigh_work(k, NG_F64));
}

size_t ngi_polar_gram_fast_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n), eigh = ng_eigh_work(k, dtype);
    size_t small = add_small_work(m, n, dtype);
    size_t squares =
        ngi_size_add(ngi_size_mul(2, ng_work_mat_size(k, k, dtype)), ng_work_mat_size(1, k, dtype));
    return ngi_size_add(squares, eigh > small ? eigh : small);
}

ng_status ngi_polar_gram_fast(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                              const ng_polar_options *options, ng_work *work, ng_error *error)
{
    size_t k = ngi_smaller(x.rows, x.cols), r = 0, mark = work->used;
    ng_mat gram, vectors, values;
    (void)unit, (void)options;
    TRY(ng_work_mat(work, &gram, k, k, x.dtype, error));
    TRY(ng_work_mat(work, &vectors, k, k, x.dtype, error));
    TRY(ng_work_mat(work, &values, 1, k, x.dtype, error));
    TRY(ngi_polar_gram_matrix(gram, x, error));
    TRY(ng_eigh(values, vectors, NULL, gram, work, error));
    double largest = ng_mat_get(values, 0, k - 1);
    double floor = SOFT_FLOOR * ng_dtype_eps(x.dtype) * largest;
    while (r + 1 < k && ng_mat_get(values, 0, r) < small_part * largest)
        r++;
    ng_mat large = ng_mat_block(vectors, r, 0, k - r, k);
    ng_mat large_values = ng_mat_block(values, 0, r, 1, k - r);
    info->route = "gram fast";
    info->rank = 0;
    info->condition = 1;
    describe(info, large_values, largest, floor);
    weigh_rows(large, large_values, floor);
    TRY(ng_syrk(gram, large, NG_TRANS, 1, 0, error));
    TRY(ng_symm(u, ngi_polar_side(x.rows, x.cols), gram, x, 1, 0, error));
    if (r > 0)
        TRY(add_small(u, info, x, ng_mat_block(vectors, 0, 0, r, k), largest, floor, work, error));
    work->used = mark;
    return NG_OK;
}
