/* Cholesky, symmetric eigendecomposition, SVD, each with its fallback. LAPACK
 * workspace sizes are computed in integers: the sizes LAPACK returns in a
 * float are wrong above 2^24. */
#include <natgrad/linalg.h>

#include <limits.h>
#include <math.h>

#include "lib/core/memory.h"
#include "lib/core/scratch.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/blas.h"
#include "lib/linalg/check.h"
#include "lib/linalg/lower.h"

enum { BLOCK = 64, JITTER_TRIES = 6 };

/* A LAPACK workspace of `count` elements that also fits the BLAS integer. */
static ng_status take(ng_work *work, ng_mat *mat, size_t count, ng_dtype dtype, ng_error *error)
{
    if (count > INT_MAX)
        return ng_error_set(error, NG_ERANGE, "LAPACK workspace of %zu exceeds the BLAS integer",
                            count);
    return ng_work_mat(work, mat, 1, count, dtype, error);
}

static ng_status take_ints(ng_work *work, ngi_int **ints, size_t count, ng_error *error)
{
    void *bytes;
    TRY(ng_work_bytes(work, &bytes, ngi_size_mul(count, sizeof **ints), error));
    *ints = bytes;
    return NG_OK;
}

static size_t ints_size(size_t count)
{
    return ng_work_bytes_size(ngi_size_mul(count, sizeof(ngi_int)));
}

/* ---- Cholesky ---------------------------------------------------------- */

/* zero above the diagonal, and jitter on it */
static void clear_upper(ng_mat l, double jitter)
{
    for (size_t i = 0; i + 1 < l.cols; i++)
        ng_fill(ng_mat_block(l, i, i + 1, 1, l.cols - i - 1), 0);
    if (jitter != 0)
        ng_add_diagonal(l, jitter);
}

/* tr a / n, which has a place where tr a may have none */
static double mean_of_diagonal(ng_mat a)
{
    double trace = ng_trace(a), n = (double)a.rows, sum = 0;
    if (isfinite(trace))
        return trace / n;
    for (size_t i = 0; i < a.rows; i++)
        sum += ng_mat_get(a, i, i) / n;
    return sum;
}

/* OpenBLAS lets a NaN pivot pass. Whatever is not finite in a row of l makes
 * the row's own pivot so: it is the root of what their squares leave. */
static int finite_pivots(ng_mat l)
{
    return isfinite(ng_trace(l));
}

ng_status ngi_cholesky_again(ng_mat l, double *jitter, ngi_maker a, ng_error *error)
{
    size_t n = l.rows;
    double added = 0, next = ng_dtype_eps(l.dtype);
    TRY(ngi_check_blas(l, "l", n, n, l.dtype, error));
    TRY(ngi_check_finite_lower(l, "a", error));
    if (jitter != NULL) {
        *jitter = 0;
        next *= n > 0 ? mean_of_diagonal(l) : 0;
    }
    for (int attempt = 0; n > 0; attempt++) {
        if (attempt > 0)
            TRY(a.make(a.data, l, error));
        clear_upper(l, added);
        ngi_int info = ngi_blas[l.dtype]->potrf('U', (ngi_int)n, l.data, ngi_ld(l));
        if (info == 0 && finite_pivots(l))
            break;
        if (jitter == NULL || attempt == JITTER_TRIES || !(next > 0))
            return ng_error_set(error, NG_ESINGULAR,
                                "%zu x %zu matrix is not positive definite (pivot %d, jitter %g)",
                                n, n, (int)info, added);
        added = next;
        next *= 10;
    }
    if (jitter != NULL)
        *jitter = added;
    return NG_OK;
}

/* nothing where l is a */
static ng_status load(const void *data, ng_mat l, ng_error *error)
{
    const ng_mat *a = data;
    (void)error;
    if (l.data != a->data)
        ngi_copy_lower(l, *a);
    return NG_OK;
}

ng_status ng_cholesky(ng_mat l, double *jitter, ng_mat a, ng_error *error)
{
    ngi_maker maker = {load, &a};
    TRY(ngi_check_blas(a, "a", a.rows, a.rows, a.dtype, error));
    TRY(ngi_check_blas(l, "l", a.rows, a.rows, a.dtype, error));
    TRY(ngi_check_finite_lower(a, "a", error));
    load(&a, l, NULL);
    return ngi_cholesky_again(l, jitter, maker, error);
}

/* ---- Symmetric eigendecomposition -------------------------------------- */

/* xSYEVD: LWORK >= 1 + 6n + 2n^2, LIWORK >= 3 + 5n */
static size_t syevd_lwork(size_t n)
{
    size_t square = ngi_size_mul(n, n);
    return ngi_size_add(1, ngi_size_add(ngi_size_mul(6, n), ngi_size_mul(2, square)));
}

/* xSYEVR: LWORK >= 26n (we give blocks their room), LIWORK >= 10n; beside a
 * second copy of the matrix, which SYEVR destroys, and 2n for ISUPPZ */
static size_t syevr_lwork(size_t n)
{
    return ngi_size_mul(BLOCK + 6 > 26 ? BLOCK + 6 : 26, n);
}

size_t ng_eigh_work(size_t n, ng_dtype dtype)
{
    size_t d = ngi_size_add(ng_work_mat_size(1, syevd_lwork(n), dtype),
                            ints_size(ngi_size_add(3, ngi_size_mul(5, n))));
    size_t r =
        ngi_size_add(ng_work_mat_size(1, syevr_lwork(n), dtype), ng_work_mat_size(n, n, dtype));
    r = ngi_size_add(r,
                     ngi_size_add(ints_size(ngi_size_mul(10, n)), ints_size(ngi_size_mul(2, n))));
    return d > r ? d : r;
}

static ng_status run_syevd(ngi_int *info, ng_mat w, ng_mat v, ng_work *work, ng_error *error)
{
    size_t n = v.rows, mark = work->used;
    ng_mat scratch;
    ngi_int *ints;
    TRY(take(work, &scratch, syevd_lwork(n), v.dtype, error));
    TRY(take_ints(work, &ints, 3 + 5 * n, error));
    *info = ngi_blas[v.dtype]->syevd('V', 'U', (ngi_int)n, v.data, ngi_ld(v), w.data, scratch.data,
                                     (ngi_int)scratch.cols, ints, (ngi_int)(3 + 5 * n));
    work->used = mark;
    return NG_OK;
}

static ng_status run_syevr(ngi_int *info, ng_mat w, ng_mat v, ng_mat a, ng_work *work,
                           ng_error *error)
{
    size_t n = v.rows, mark = work->used;
    ng_mat copy, scratch;
    ngi_int *ints, *isuppz;
    TRY(ng_work_mat(work, &copy, n, n, v.dtype, error));
    TRY(take(work, &scratch, syevr_lwork(n), v.dtype, error));
    TRY(take_ints(work, &ints, 10 * n, error));
    TRY(take_ints(work, &isuppz, 2 * n, error));
    TRY(ng_copy(copy, a, error));
    *info = ngi_blas[v.dtype]->syevr('U', (ngi_int)n, copy.data, ngi_ld(copy), w.data, v.data,
                                     ngi_ld(v), isuppz, scratch.data, (ngi_int)scratch.cols, ints,
                                     (ngi_int)(10 * n));
    work->used = mark;
    return NG_OK;
}

static int failed(ngi_int info, ng_mat w, ng_mat v)
{
    return info != 0 || !ng_is_finite(w) || !ng_is_finite(v);
}

static ng_status eigh(ng_mat w, ng_mat v, const char **route, ng_mat a, ng_work *work,
                      ng_error *error)
{
    ngi_int info = 0;
    const char *used = "syevd";
    TRY(ng_copy(v, a, error));
    TRY(run_syevd(&info, w, v, work, error));
    if (failed(info, w, v)) {
        used = "syevr";
        TRY(run_syevr(&info, w, v, a, work, error));
    }
    if (failed(info, w, v))
        return ng_error_set(error, NG_ENOCONV,
                            "eigenvalues of a %zu x %zu matrix: syevd and syevr both failed "
                            "(info %d)",
                            a.rows, a.cols, (int)info);
    if (route != NULL)
        *route = used;
    return NG_OK;
}

ng_status ng_eigh(ng_mat values, ng_mat vectors, const char **route, ng_mat a, ng_work *work,
                  ng_error *error)
{
    size_t n = a.rows;
    ngi_scratch s;
    if (route != NULL)
        *route = "syevd";
    TRY(ngi_check_blas(a, "a", n, n, a.dtype, error));
    TRY(ngi_check_blas(values, "values", 1, n, a.dtype, error));
    TRY(ngi_check_blas(vectors, "vectors", n, n, a.dtype, error));
    TRY(ngi_check_finite_lower(a, "a", error));
    if (n == 0)
        return NG_OK;
    TRY(ngi_scratch_open(&s, work, ng_eigh_work(n, a.dtype), error));
    return ngi_scratch_close(&s, eigh(values, vectors, route, a, s.work, error));
}

/* xSYEVD without vectors: LWORK >= 2n + 1, and room for its blocks; LIWORK >= 1. */
static ng_status eigenvalues(ng_mat values, ng_mat a, ng_error *error)
{
    ngi_pool pool = {NULL};
    ng_mat scratch;
    ngi_int ignored;
    const size_t n = a.rows;
    TRY(ngi_pool_mat(&pool, &scratch, n, BLOCK + 3, a.dtype, error));
    ngi_int info = ngi_blas[a.dtype]->syevd('N', 'U', (ngi_int)n, a.data, ngi_ld(a), values.data,
                                            scratch.data, (ngi_int)(n * scratch.cols), &ignored, 1);
    ngi_pool_close(&pool, NG_OK);
    return info == 0 && ng_is_finite(values)
               ? NG_OK
               : ng_error_set(error, NG_ENOCONV,
                              "eigenvalues of a %zu x %zu matrix: syevd failed (info %d)", n, n,
                              (int)info);
}

ng_status ng_eigenvalues(ng_mat values, ng_mat a, ng_error *error)
{
    const size_t n = a.rows;
    TRY(ngi_check_blas(a, "a", n, n, a.dtype, error));
    TRY(ngi_check_blas(values, "values", 1, n, a.dtype, error));
    TRY(ngi_check_finite_lower(a, "a", error));
    if (n > INT_MAX / (BLOCK + 3))
        return ng_error_set(error, NG_ERANGE, "a has %zu rows, at most %d", n,
                            INT_MAX / (BLOCK + 3));
    return n == 0 ? NG_OK : eigenvalues(values, a, error);
}

/* ---- Singular values --------------------------------------------------- */

/* xGESDD, JOBZ = 'S': LWORK >= 4k^2 + 7k (k the smaller side); the rest is
 * room for its blocked QR. xGESVD needs less. LIWORK = 8k. */
static size_t gesdd_lwork(size_t m, size_t n)
{
    size_t k = m < n ? m : n, l = m < n ? n : m;
    size_t squares = ngi_size_mul(4, ngi_size_mul(k, k));
    size_t blocks = ngi_size_mul(BLOCK, ngi_size_add(ngi_size_mul(3, k), l));
    return ngi_size_add(squares, ngi_size_add(ngi_size_mul(7, k), blocks));
}

size_t ng_svd_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = m < n ? m : n;
    size_t size =
        ngi_size_add(ng_work_mat_size(m, n, dtype), ng_work_mat_size(1, gesdd_lwork(m, n), dtype));
    return ngi_size_add(size, ints_size(ngi_size_mul(8, k)));
}

static int all_finite(ng_mat u, ng_mat s, ng_mat vt)
{
    return ng_is_finite(s) && ng_is_finite(u) && ng_is_finite(vt);
}

/* a^T = vt^T diag(s) u^T is what Fortran sees: u and vt swap places. */
static ng_status svd(ng_mat u, ng_mat s, ng_mat vt, const char **route, ng_mat a, ng_work *work,
                     ng_error *error)
{
    const ngi_blas_table *blas = ngi_blas[a.dtype];
    size_t mark = work->used, k = s.cols;
    ngi_int m = (ngi_int)a.rows, n = (ngi_int)a.cols, *ints, info;
    ng_mat copy, scratch;
    const char *used = "gesdd";
    TRY(ng_work_mat(work, &copy, a.rows, a.cols, a.dtype, error));
    TRY(take(work, &scratch, gesdd_lwork(a.rows, a.cols), a.dtype, error));
    TRY(take_ints(work, &ints, 8 * k, error));
    TRY(ng_copy(copy, a, error));
    info = blas->gesdd(n, m, copy.data, ngi_ld(copy), s.data, vt.data, ngi_ld(vt), u.data,
                       ngi_ld(u), scratch.data, (ngi_int)scratch.cols, ints);
    if (info != 0 || !all_finite(u, s, vt)) {
        used = "gesvd";
        TRY(ng_copy(copy, a, error));
        info = blas->gesvd(n, m, copy.data, ngi_ld(copy), s.data, vt.data, ngi_ld(vt), u.data,
                           ngi_ld(u), scratch.data, (ngi_int)scratch.cols);
    }
    if (info != 0 || !all_finite(u, s, vt))
        return ng_error_set(error, NG_ENOCONV,
                            "SVD of a %zu x %zu matrix: gesdd and gesvd both failed (info %d)",
                            a.rows, a.cols, (int)info);
    work->used = mark;
    if (route != NULL)
        *route = used;
    return NG_OK;
}

ng_status ng_svd(ng_mat u, ng_mat s, ng_mat vt, const char **route, ng_mat a, ng_work *work,
                 ng_error *error)
{
    size_t k = a.rows < a.cols ? a.rows : a.cols;
    ngi_scratch scratch;
    if (route != NULL)
        *route = "gesdd";
    TRY(ngi_check_blas(a, "a", a.rows, a.cols, a.dtype, error));
    TRY(ngi_check_blas(u, "u", a.rows, k, a.dtype, error));
    TRY(ngi_check_blas(s, "s", 1, k, a.dtype, error));
    TRY(ngi_check_blas(vt, "vt", k, a.cols, a.dtype, error));
    TRY(ngi_check_finite(a, "a", error));
    if (k == 0)
        return NG_OK;
    TRY(ngi_scratch_open(&scratch, work, ng_svd_work(a.rows, a.cols, a.dtype), error));
    return ngi_scratch_close(&scratch, svd(u, s, vt, route, a, scratch.work, error));
}
