/* Leading eigenpairs of an operator by block Lanczos with full
 * reorthogonalisation. The basis Q and its products W = Q A are kept, so that
 * the projected matrix and the residuals are what they say, whatever rounding
 * did to the three-term recurrence, which is not used. */
#include <natgrad/linalg.h>

#include <math.h>
#include <stdint.h>

#include "lib/core/scratch.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"
#include "lib/linalg/operator.h"
#include "lib/linalg/start.h"
#include "lib/linalg/unit.h"

typedef struct {
    ng_mat values, vectors;  /* 1 x k, k x n */
    ng_mat q, w;             /* max x n: orthonormal rows, and A times them */
    ng_mat h, s, theta;      /* max x max: Q A Q^T (lower), its eigenvectors; 1 x max */
    ng_mat r, t;             /* k x n residuals; 1 x max */
    size_t max, rows, fresh; /* rows kept so far, of which the last `fresh` have no product */
    const ng_operator *a;
    double tolerance;
    ng_iteration *info;
} lanczos;

static size_t rows_kept(size_t n, size_t max_rows)
{
    return max_rows < n ? max_rows : n;
}

size_t ng_lanczos_work(size_t k, size_t n, size_t max_rows, ng_dtype dtype)
{
    size_t max = rows_kept(n, max_rows);
    size_t size = ngi_size_mul(2, ng_work_mat_size(max, n, dtype));
    size = ngi_size_add(size, ngi_size_mul(2, ng_work_mat_size(max, max, dtype)));
    size = ngi_size_add(size, ngi_size_mul(2, ng_work_mat_size(1, max, dtype)));
    size = ngi_size_add(size, ng_work_mat_size(k, n, dtype));
    return ngi_size_add(size, ng_eigh_work(max, dtype));
}

static ng_mat row(ng_mat m, size_t i)
{
    return ng_mat_block(m, i, 0, 1, m.cols);
}

/* Row number s->rows of q, already filled: orthogonal to those before and of
 * length 1, then it counts. A row that is nothing but rounding is dropped. */
static ng_status keep_row(lanczos *s, ng_error *error)
{
    ng_mat v = row(s->q, s->rows), before = ng_mat_block(s->q, 0, 0, s->rows, v.cols);
    ng_mat t = ng_mat_block(s->t, 0, 0, 1, s->rows);
    if (ng_max_abs(v) == 0)
        return NG_OK;
    ngi_scale_to_norm(v, 1);
    for (int pass = 0; pass < 2; pass++) {
        TRY(ng_gemm(t, v, NG_NOTRANS, before, NG_TRANS, 1, 0, error));
        TRY(ng_gemm(v, t, NG_NOTRANS, before, NG_NOTRANS, -1, 1, error));
        if (!(ng_norm(v) > 100 * ng_dtype_eps(v.dtype)))
            return NG_OK;
        ngi_scale_to_norm(v, 1);
    }
    s->rows++;
    s->fresh++;
    return NG_OK;
}

static ng_status start(lanczos *s, ng_error *error)
{
    size_t k = s->values.cols, n = s->q.cols;
    for (size_t i = 0; s->rows < k; i++) {
        for (size_t j = 0; j < n; j++)
            ng_mat_set(s->q, s->rows, j, ngi_start_element((uint64_t)(i * n + j)));
        TRY(keep_row(s, error));
    }
    return NG_OK;
}

/* The products of the fresh rows become the next ones. */
static ng_status extend(lanczos *s, ng_error *error)
{
    size_t last = s->rows, first = last - s->fresh;
    s->fresh = 0;
    for (size_t i = first; i < last && s->rows < s->max; i++) {
        TRY(ng_copy(row(s->q, s->rows), row(s->w, i), error));
        TRY(keep_row(s, error));
    }
    return NG_OK;
}

/* w and h for the fresh rows */
static ng_status project(lanczos *s, ng_error *error)
{
    size_t m = s->rows, n = s->q.cols, first = m - s->fresh;
    ng_mat fresh = ng_mat_block(s->w, first, 0, s->fresh, n);
    TRY(ngi_apply(s->a, "operator", fresh, ng_mat_block(s->q, first, 0, s->fresh, n), error));
    s->info->iterations++;
    return ng_gemm(ng_mat_block(s->h, first, 0, s->fresh, m), fresh, NG_NOTRANS,
                   ng_mat_block(s->q, 0, 0, m, n), NG_TRANS, 1, 0, error);
}

/* values, vectors and their residual from the rows so far (Rayleigh, Ritz) */
static ng_status ritz(lanczos *s, ng_work *work, ng_error *error)
{
    size_t m = s->rows, k = s->values.cols, n = s->q.cols;
    ng_mat theta = ng_mat_block(s->theta, 0, 0, 1, m), all = ng_mat_block(s->s, 0, 0, m, m);
    ng_mat top = ng_mat_block(all, m - k, 0, k, m);
    ng_mat q = ng_mat_block(s->q, 0, 0, m, n), w = ng_mat_block(s->w, 0, 0, m, n);
    TRY(ng_eigh(theta, all, NULL, ng_mat_block(s->h, 0, 0, m, m), work, error));
    TRY(ng_copy(s->values, ng_mat_block(theta, 0, m - k, 1, k), error));
    TRY(ng_gemm(s->vectors, top, NG_NOTRANS, q, NG_NOTRANS, 1, 0, error));
    TRY(ng_gemm(s->r, top, NG_NOTRANS, w, NG_NOTRANS, 1, 0, error));
    double largest = ng_max_abs(theta), residual = 0;
    for (size_t i = 0; i < k; i++) {
        ng_axpby(row(s->r, i), row(s->vectors, i), -ng_mat_get(s->values, 0, i), 1, NULL);
        residual = fmax(residual, ng_norm(row(s->r, i)));
    }
    s->info->residual = residual > 0 ? residual / largest : 0;
    return NG_OK;
}

static ng_status iterate(lanczos *s, ng_work *work, ng_error *error)
{
    TRY(start(s, error));
    for (;;) {
        TRY(project(s, error));
        TRY(ritz(s, work, error));
        if (s->info->residual <= s->tolerance)
            return NG_OK;
        TRY(extend(s, error));
        if (s->fresh == 0)
            return ng_error_set(error, NG_ENOCONV,
                                "Lanczos: %zu eigenvalues from %zu basis vectors of at most %zu, "
                                "residual %.3g > %.3g",
                                s->values.cols, s->rows, s->max, s->info->residual, s->tolerance);
    }
}

static ng_status take(lanczos *s, size_t k, size_t n, ng_work *work, ng_error *error)
{
    struct {
        ng_mat *mat;
        size_t rows, cols;
    } parts[] = {{&s->q, s->max, n},
                 {&s->w, s->max, n},
                 {&s->h, s->max, s->max},
                 {&s->s, s->max, s->max},
                 {&s->theta, 1, s->max},
                 {&s->t, 1, s->max},
                 {&s->r, k, n}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        TRY(ng_work_mat(work, parts[i].mat, parts[i].rows, parts[i].cols, s->values.dtype, error));
    return NG_OK;
}

static ng_status check(ng_mat values, ng_mat vectors, double tolerance, size_t max_rows,
                       const ng_operator *a, ng_error *error)
{
    size_t k = values.cols, n = vectors.cols;
    TRY(ngi_check_blas(values, "values", 1, k, values.dtype, error));
    TRY(ngi_check_blas(vectors, "vectors", k, n, values.dtype, error));
    if (k == 0 || k > n)
        return ng_error_set(error, NG_ESHAPE, "values: %zu eigenvalues of a matrix of %zu", k, n);
    TRY(ngi_check_operator(a, "operator", error));
    if (!(tolerance > 0 && isfinite(tolerance)))
        return ng_error_set(error, NG_EARG, "tolerance %g is not positive", tolerance);
    if (max_rows < k)
        return ng_error_set(error, NG_EARG, "max_rows %zu for %zu eigenvalues", max_rows, k);
    return NG_OK;
}

static ng_status run(lanczos *s, ng_work *work, ng_error *error)
{
    TRY(take(s, s->values.cols, s->vectors.cols, work, error));
    return iterate(s, work, error);
}

ng_status ng_lanczos(ng_mat values, ng_mat vectors, ng_iteration *info, double tolerance,
                     size_t max_rows, const ng_operator *a, ng_work *work, ng_error *error)
{
    ngi_scratch scratch;
    ng_iteration ours = {0, 0};
    lanczos s = {.values = values,
                 .vectors = vectors,
                 .max = rows_kept(vectors.cols, max_rows),
                 .a = a,
                 .tolerance = tolerance,
                 .info = info != NULL ? info : &ours};
    *s.info = ours;
    TRY(check(values, vectors, tolerance, max_rows, a, error));
    size_t size = ng_lanczos_work(values.cols, vectors.cols, max_rows, values.dtype);
    TRY(ngi_scratch_open(&scratch, work, size, error));
    return ngi_scratch_close(&scratch, run(&s, scratch.work, error));
}
