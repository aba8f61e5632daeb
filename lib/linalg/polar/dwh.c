/* Halley's iteration with dynamic weights (Nakatsukasa, Bai, Gygi 2010) for
 * the polar factor, run on the Gram matrix S = X X^T by Cholesky factors alone:
 * X <- Qk X with Qk = (b/c) I + (a - b/c) W, W = (I + c S)^-1, and S <- Qk S Qk.
 * No eigen-solver, no shift: I + c S >= I. In double whatever the dtype. */
#include "lib/linalg/polar/routes.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"

enum { MAX_ROUNDS = 12 };

size_t ngi_polar_dwh_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    (void)dtype;
    return ngi_size_add(ngi_size_mul(2, ng_work_mat_size(m, n, NG_F64)),
                        ngi_size_mul(5, ng_work_mat_size(k, k, NG_F64)));
}

typedef struct {
    ng_mat s, w, q, l, scratch; /* k x k, double; q collects the factors */
} state;

/* w (both triangles) <- (I + c s)^-1 */
static ng_status inverse(state *t, double c, ng_error *error)
{
    TRY(ng_axpby(t->w, t->s, c, 0, error));
    ng_add_diagonal(t->w, 1);
    TRY(ng_cholesky(t->l, NULL, t->w, error));
    ng_set_identity(t->scratch);
    TRY(ng_trsm(t->scratch, NG_LEFT, t->l, NG_NOTRANS, 1, error));
    TRY(ng_syrk(t->w, t->scratch, NG_TRANS, 1, 0, error));
    ng_mirror(t->w);
    return NG_OK;
}

/* One round with weights (a, b, c). With A = b/c and B = a - b/c, and c S W = I - W,
 *     S <- A^2 S + (2 A B / c)(I - W) + (B^2 / c)(W - W^2). */
static ng_status halley(state *t, double a, double b, double c, ng_error *error)
{
    double A = b / c, B = a - b / c;
    TRY(inverse(t, c, error));
    TRY(ng_symm(t->scratch, NG_LEFT, t->w, t->q, B, 0, error)); /* q <- (A I + B w) q */
    TRY(ng_axpby(t->scratch, t->q, A, 1, error));
    ng_mat old = t->q;
    t->q = t->scratch;
    t->scratch = old;
    TRY(ng_axpby(t->s, t->w, (B * B - 2 * A * B) / c, A * A, error));
    TRY(ng_syrk(t->s, t->w, NG_NOTRANS, -B * B / c, 1, error));
    ng_add_diagonal(t->s, 2 * A * B / c);
    ng_mirror(t->s);
    return NG_OK;
}

/* The rounds, from singular values in [l, 1]. */
static ng_status iterate(state *t, double l, ng_error *error)
{
    for (int round = 0; round < MAX_ROUNDS && fabs(1 - l) > 1e-15; round++) {
        double l2 = l * l, d = cbrt(4 * (1 - l2) / (l2 * l2)), root = sqrt(1 + d);
        double a = root + sqrt(8 - 4 * d + 8 * (2 - l2) / (l2 * root)) / 2;
        double b = (a - 1) * (a - 1) / 4, c = a + b - 1;
        TRY(halley(t, a, b, c, error));
        l = fmin(1, l * (a + b * l2) / (1 + c * l2));
    }
    return NG_OK;
}

static ng_status dwh(ng_mat u, ng_polar_info *info, ng_mat x, ng_work *work, ng_error *error)
{
    size_t k = ngi_smaller(x.rows, x.cols), mark = work->used;
    state t;
    ng_mat *parts[5] = {&t.s, &t.w, &t.q, &t.l, &t.scratch}, x64, u64;
    TRY(ng_work_mat(work, &x64, x.rows, x.cols, NG_F64, error));
    TRY(ng_work_mat(work, &u64, x.rows, x.cols, NG_F64, error));
    for (int i = 0; i < 5; i++)
        TRY(ng_work_mat(work, parts[i], k, k, NG_F64, error));
    TRY(ng_copy(x64, x, error));
    TRY(ngi_polar_gram_matrix(t.s, x64, error));
    ng_mirror(t.s);
    double bound = sqrt(ng_norm(t.s)); /* ||S||_F^(1/2) >= s_1, and <= k^(1/4) s_1 */
    ng_scale(t.s, 1 / (bound * bound));
    ng_set_identity(t.q);
    TRY(iterate(&t, ngi_polar_threshold(x.rows, x.cols, x.dtype), error));
    ng_scale(x64, 1 / bound);
    TRY(ng_symm(u64, ngi_polar_side(x.rows, x.cols), t.q, x64, 1, 0, error));
    TRY(ng_copy(u, u64, error));
    info->route = "dwh";
    info->rank = (size_t)lround(ng_trace(t.s)); /* S has become the projector on the range */
    info->condition = NAN;
    work->used = mark;
    return NG_OK;
}

ng_status ngi_polar_dwh(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                        const ng_polar_options *options, ng_work *work, ng_error *error)
{
    (void)unit, (void)options;
    ng_status status = dwh(u, info, x, work, error);
    return status == NG_ESINGULAR ? NG_ENOCONV : status; /* rounding met the Cholesky factor */
}
