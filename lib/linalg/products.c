/* BLAS-3 products. Fortran sees the transpose of every row-major view, so
 * C = A B is asked for as C^T = B^T A^T, "lower" becomes 'U', and sides swap. */
#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/linalg/blas.h"
#include "lib/linalg/check.h"
#include "lib/linalg/lower.h"

static const char trans_char[2] = {'N', 'T'};

/* c <- beta c for the products whose inner dimension is 0 */
static void scale_by_beta(ng_mat c, double beta)
{
    if (beta == 0)
        ng_fill(c, 0);
    else
        ng_scale(c, beta);
}

/* From one element of a vector, a row or a column, to the next. */
static ngi_int step(ng_mat x)
{
    return x.rows == 1 ? 1 : ngi_ld(x);
}

/* c <- alpha op(a) b + beta c with a vector b, op(a) m x k: GEMM would pack all of a first */
static void multiply_vector(ng_mat c, ng_mat a, int trans, ng_mat b, double alpha, double beta)
{
    if (beta == 0)
        ng_fill(c, 0); /* some libraries multiply by that 0, and a NaN stays */
    ngi_blas[c.dtype]->gemv(trans_char[!trans], (ngi_int)a.cols, (ngi_int)a.rows, alpha, a.data,
                            ngi_ld(a), b.data, step(b), beta, c.data, step(c));
}

ng_status ng_gemm(ng_mat c, ng_mat a, ng_trans trans_a, ng_mat b, ng_trans trans_b, double alpha,
                  double beta, ng_error *error)
{
    size_t m = trans_a ? a.cols : a.rows, k = trans_a ? a.rows : a.cols;
    size_t n = trans_b ? b.rows : b.cols;
    TRY(ng_mat_check(c, "c", error)); /* its dtype is what the others are held to */
    TRY(ngi_check_blas(a, "a", a.rows, a.cols, c.dtype, error));
    TRY(ngi_check_blas(b, "b", trans_b ? n : k, trans_b ? k : n, c.dtype, error));
    TRY(ngi_check_blas(c, "c", m, n, c.dtype, error));
    if (m == 0 || n == 0)
        return NG_OK;
    if (k == 0)
        scale_by_beta(c, beta);
    else if (n == 1)
        multiply_vector(c, a, trans_a, b, alpha, beta);
    else if (m == 1) /* c^T = op(b)^T op(a)^T */
        multiply_vector(c, b, !trans_b, a, alpha, beta);
    else
        ngi_blas[c.dtype]->gemm(trans_char[trans_b != 0], trans_char[trans_a != 0], (ngi_int)n,
                                (ngi_int)m, (ngi_int)k, alpha, b.data, ngi_ld(b), a.data, ngi_ld(a),
                                beta, c.data, ngi_ld(c));
    return NG_OK;
}

/* c <- alpha op(a) op(b) + beta c, symmetric in exact arithmetic: the lower triangle, and blocks on
 * the diagonal whole. Four
 * strips are 5/8 of the product. */
ng_status ngi_gemm_lower(ng_mat c, ng_mat a, ng_trans trans_a, ng_mat b, ng_trans trans_b,
                         double alpha, double beta, ng_error *error)
{
    enum { WHOLE = 96 }; /* up to here a second call costs more than it saves */
    size_t n = c.rows, parts = n <= WHOLE ? 1 : n <= 2 * WHOLE ? 2 : 4;
    for (size_t i = 0; i < parts; i++) {
        size_t from = n * i / parts, to = n * (i + 1) / parts, depth = trans_a ? a.rows : a.cols;
        ng_mat rows = trans_a ? ng_mat_block(a, 0, from, depth, to - from)
                              : ng_mat_block(a, from, 0, to - from, depth);
        ng_mat cols = trans_b ? ng_mat_block(b, 0, 0, to, depth) : ng_mat_block(b, 0, 0, depth, to);
        TRY(ng_gemm(ng_mat_block(c, from, 0, to - from, to), rows, trans_a, cols, trans_b, alpha,
                    beta, error));
    }
    return NG_OK;
}

ng_status ng_syrk(ng_mat c, ng_mat a, ng_trans trans, double alpha, double beta, ng_error *error)
{
    size_t n = trans ? a.cols : a.rows, k = trans ? a.rows : a.cols;
    TRY(ng_mat_check(c, "c", error));
    TRY(ngi_check_blas(a, "a", a.rows, a.cols, c.dtype, error));
    TRY(ngi_check_blas(c, "c", n, n, c.dtype, error));
    if (n == 0)
        return NG_OK;
    if (k == 0)
        for (size_t i = 0; i < n; i++)
            scale_by_beta(ng_mat_block(c, i, 0, 1, i + 1), beta);
    else
        ngi_blas[c.dtype]->syrk('U', trans ? 'N' : 'T', (ngi_int)n, (ngi_int)k, alpha, a.data,
                                ngi_ld(a), beta, c.data, ngi_ld(c));
    return NG_OK;
}

ng_status ng_symm(ng_mat c, ng_side side, ng_mat s, ng_mat b, double alpha, double beta,
                  ng_error *error)
{
    size_t n = side == NG_LEFT ? b.rows : b.cols;
    TRY(ng_mat_check(c, "c", error));
    TRY(ngi_check_blas(b, "b", b.rows, b.cols, c.dtype, error));
    TRY(ngi_check_blas(s, "s", n, n, c.dtype, error));
    TRY(ngi_check_blas(c, "c", b.rows, b.cols, c.dtype, error));
    if (b.rows == 0 || b.cols == 0)
        return NG_OK;
    ngi_blas[c.dtype]->symm(side == NG_LEFT ? 'R' : 'L', 'U', (ngi_int)b.cols, (ngi_int)b.rows,
                            alpha, s.data, ngi_ld(s), b.data, ngi_ld(b), beta, c.data, ngi_ld(c));
    return NG_OK;
}

ng_status ng_trsm(ng_mat b, ng_side side, ng_mat l, ng_trans trans, double alpha, ng_error *error)
{
    size_t n = side == NG_LEFT ? b.rows : b.cols;
    TRY(ngi_check_blas(b, "b", b.rows, b.cols, b.dtype, error));
    TRY(ngi_check_blas(l, "l", n, n, b.dtype, error));
    if (b.rows == 0 || b.cols == 0)
        return NG_OK;
    /* L^-1 B is, transposed, B^T (L^T)^-1 with L^T the upper matrix Fortran sees */
    ngi_blas[b.dtype]->trsm(side == NG_LEFT ? 'R' : 'L', 'U', trans_char[trans != 0],
                            (ngi_int)b.cols, (ngi_int)b.rows, alpha, l.data, ngi_ld(l), b.data,
                            ngi_ld(b));
    return NG_OK;
}
