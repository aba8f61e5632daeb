/* Polar factor by eigendecomposition of the Gram matrix of the smaller side:
 * X X^T = V^T diag(l) V (rows of V) gives U = V^T diag(l^-1/2) V X.
 *
 * A Gram matrix squares the condition number, so f32 input gets a Gram matrix
 * in double: good for s_1/s_r up to about 1e5, which is where f32 data end. */
#include "lib/linalg/polar/routes.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/lower.h"

enum { PLAIN_CONDITION = 10 }; /* up to here K = (X X^T)^(-1/2) may be rounded to f32 */

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* rows of v times values^p: block <- diag(l^p) block */
static void scale_rows(ng_mat v, ng_mat l, double p)
{
    for (size_t k = 0; k < v.rows; k++)
        ng_scale(ng_mat_block(v, k, 0, 1, v.cols), pow(ng_mat_get(l, 0, k), p));
}

/* ---- Exact ----------------------------------------------------------------- */

/* u <- V^T diag(l^-1/2) V x through K = V^T diag(l^-1/2) V; v is overwritten */
static ng_status apply_plain(ng_mat u, ng_mat x, ng_mat l, ng_mat v, ng_work *work, ng_error *error)
{
    size_t k = v.cols, mark = work->used;
    ng_mat wide, narrow;
    TRY(ng_work_mat(work, &wide, k, k, NG_F64, error));
    scale_rows(v, l, -0.25);
    TRY(ng_syrk(wide, v, NG_TRANS, 1, 0, error));
    narrow = wide;
    if (x.dtype == NG_F32) {
        TRY(ng_work_mat(work, &narrow, k, k, NG_F32, error));
        ngi_copy_lower(narrow, wide);
    }
    TRY(ng_symm(u, ngi_polar_side(x.rows, x.cols), narrow, x, 1, 0, error));
    work->used = mark;
    return NG_OK;
}

/* The same with V x formed and scaled in double, one direction at a time:
 * x64 is x in double; the last product alone is in u's dtype. */
static ng_status apply_split(ng_mat u, ng_mat x64, ng_mat l, ng_mat v, ng_work *work,
                             ng_error *error)
{
    size_t r = v.rows, mark = work->used;
    int left = ngi_polar_side(u.rows, u.cols) == NG_LEFT;
    ng_mat y64, y, v_narrow;
    TRY(ng_work_mat(work, &y64, left ? r : u.rows, left ? u.cols : r, NG_F64, error));
    TRY(ng_work_mat(work, &y, y64.rows, y64.cols, u.dtype, error));
    TRY(ng_work_mat(work, &v_narrow, r, v.cols, u.dtype, error));
    TRY(ng_copy(v_narrow, v, error));
    scale_rows(v, l, -0.5);
    TRY(left ? ng_gemm(y64, v, NG_NOTRANS, x64, NG_NOTRANS, 1, 0, error)
             : ng_gemm(y64, x64, NG_NOTRANS, v, NG_TRANS, 1, 0, error));
    TRY(ng_copy(y, y64, error));
    TRY(left ? ng_gemm(u, v_narrow, NG_TRANS, y, NG_NOTRANS, 1, 0, error)
             : ng_gemm(u, y, NG_NOTRANS, v_narrow, NG_NOTRANS, 1, 0, error));
    work->used = mark;
    return NG_OK;
}

size_t ngi_polar_gram_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    size_t wide = ng_work_mat_size(m, n, NG_F64), square = ng_work_mat_size(k, k, NG_F64);
    size_t narrow_square = ng_work_mat_size(k, k, dtype);
    size_t plain = ngi_size_add(square, narrow_square);
    size_t split = ngi_size_add(ngi_size_add(wide, ng_work_mat_size(m, n, dtype)), narrow_square);
    size_t kept =
        ngi_size_add(ngi_size_add(wide, ngi_size_mul(2, square)), ng_work_mat_size(1, k, NG_F64));
    return ngi_size_add(kept, max_size(ng_eigh_work(k, NG_F64), max_size(plain, split)));
}

ng_status ngi_polar_gram(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                         const ng_polar_options *options, ng_work *work, ng_error *error)
{
    size_t m = x.rows, n = x.cols, k = ngi_smaller(m, n), r = 0, mark = work->used;
    double tau = ngi_polar_threshold(m, n, x.dtype), largest = 0;
    (void)unit, (void)options;
    ng_mat x64, gram, values, vectors;
    TRY(ng_work_mat(work, &x64, m, n, NG_F64, error));
    TRY(ng_work_mat(work, &gram, k, k, NG_F64, error));
    TRY(ng_work_mat(work, &vectors, k, k, NG_F64, error));
    TRY(ng_work_mat(work, &values, 1, k, NG_F64, error));
    TRY(ng_copy(x64, x, error));
    TRY(ngi_polar_gram_matrix(gram, x64, error));
    TRY(ng_eigh(values, vectors, NULL, gram, work, error));
    largest = ng_mat_get(values, 0, k - 1);
    while (r < k && ng_mat_get(values, 0, k - 1 - r) > tau * tau * largest)
        r++;
    ng_mat l = ng_mat_block(values, 0, k - r, 1, r);
    ng_mat v = ng_mat_block(vectors, k - r, 0, r, k);
    info->rank = r;
    info->condition = sqrt(largest / ng_mat_get(l, 0, 0));
    int plain = x.dtype == NG_F64 || info->condition <= PLAIN_CONDITION;
    info->route = plain ? "gram" : "gram split";
    TRY(plain ? apply_plain(u, x, l, v, work, error) : apply_split(u, x64, l, v, work, error));
    work->used = mark;
    return NG_OK;
}
