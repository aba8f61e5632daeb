/* Conjugate gradients for several right-hand sides at once, each with its own
 * coefficients. The vectors have the caller's dtype, the coefficients are
 * double. Rows are scaled to order 1 first, so that no square overflows. */
#include <natgrad/linalg.h>

#include <math.h>

#include "lib/core/scratch.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"
#include "lib/linalg/operator.h"
#include "lib/linalg/unit.h"

typedef struct {
    ng_mat x, b, r, p, q, z; /* k x n; z is r without a preconditioner */
    double *scale, *norm, *rho;
    double *length, *alpha; /* p C p and the step along p */
    double largest;         /* p A p / p C p, the largest met */
    const ng_operator *a, *c;
    double tolerance;
    ng_iteration *info;
    size_t max_iterations;
} cg;

enum { MATRICES = 5, ARRAYS = 5 }; /* r, p, q, z and the scaled b; numbers of each row */

size_t ng_cg_work(size_t k, size_t n, ng_dtype dtype)
{
    return ngi_size_add(ngi_size_mul(MATRICES, ng_work_mat_size(k, n, dtype)),
                        ngi_size_mul(ARRAYS, ng_work_mat_size(1, k, NG_F64)));
}

static ng_mat row(ng_mat m, size_t i)
{
    return ng_mat_block(m, i, 0, 1, m.cols);
}

/* r <- b - A x, from x itself; info->residual <- the largest relative one. */
static ng_status true_residual(cg *s, ng_error *error)
{
    TRY(ngi_apply(s->a, "operator", s->q, s->x, error));
    TRY(ng_lincomb(s->r, -1, s->q, 1, s->b, error));
    s->info->residual = 0;
    for (size_t i = 0; i < s->b.rows; i++)
        if (s->norm[i] > 0)
            s->info->residual = fmax(s->info->residual, ng_norm(row(s->r, i)) / s->norm[i]);
    return NG_OK;
}

static int done(const cg *s, size_t i)
{
    return ng_norm(row(s->r, i)) <= s->tolerance * s->norm[i];
}

static int all_done(const cg *s)
{
    for (size_t i = 0; i < s->b.rows; i++)
        if (!done(s, i))
            return 0;
    return 1;
}

/* Nothing that is not finite reaches a callback of the caller's. */
static ng_status overflow(const cg *s, size_t i, ng_error *error)
{
    return ng_error_set(error, NG_ERANGE, "x overflows the data type in row %zu, iteration %zu", i,
                        s->info->iterations);
}

/* p <- z + (rho / old rho) p for the rows that are not done, 0 for the others:
 * they stand still. fresh: p <- z. length: p C p, as r is orthogonal to the old p. */
static ng_status directions(cg *s, int fresh, ng_error *error)
{
    if (s->c != NULL)
        TRY(ngi_apply(s->c, "preconditioner", s->z, s->r, error));
    for (size_t i = 0; i < s->b.rows; i++) {
        double old = s->rho[i];
        s->rho[i] = 0;
        if (done(s, i)) {
            ng_fill(row(s->p, i), 0);
            continue;
        }
        s->rho[i] = ng_dot(row(s->r, i), row(s->z, i));
        if (!(s->rho[i] > 0))
            return ng_error_set(error, NG_EINDEFINITE,
                                "preconditioner: r C^-1 r is %g in row %zu, iteration %zu",
                                s->rho[i], i, s->info->iterations);
        double beta = fresh || old == 0 ? 0 : s->rho[i] / old;
        s->length[i] = s->rho[i] + beta * beta * s->length[i];
        ng_axpby(row(s->p, i), row(s->z, i), 1, beta, NULL);
        if (!ng_is_finite(row(s->p, i)))
            return overflow(s, i, error);
    }
    return NG_OK;
}

/* Row i, not done, may move: p A p is positive, and beyond rounding. Where it is
 * next to the largest met what rounding leaves of 0, and the step would make the
 * residual no smaller, A is singular along p and the step leads to infinity.
 * *alpha <- the length of the step. */
static ng_status judge(cg *s, double *alpha, size_t i, ng_error *error)
{
    ng_mat p = row(s->p, i), q = row(s->q, i), r = row(s->r, i), x = row(s->x, i);
    double curvature = ng_dot(p, q), limit = ngi_dtype_max(x.dtype);
    s->largest = fmax(s->largest, curvature / s->length[i]);
    if (curvature > 0 && curvature < s->rho[i] / limit)
        return overflow(s, i, error);
    *alpha = curvature > 0 ? s->rho[i] / curvature : 0;
    int rounding = curvature <= ng_dtype_eps(x.dtype) * s->largest * s->length[i];
    if (!(curvature > 0) || (rounding && *alpha * ng_norm(q) > 2 * ng_norm(r)))
        return ng_error_set(
            error, NG_EINDEFINITE,
            "operator: p A p is %g in row %zu, iteration %zu, p^2 times the largest "
            "curvature met %g",
            curvature, i, s->info->iterations, s->largest * s->length[i]);
    if (!(*alpha * ng_max_abs(p) + ng_max_abs(x) <= limit &&
          *alpha * ng_max_abs(q) + ng_max_abs(r) <= limit))
        return overflow(s, i, error);
    return NG_OK;
}

/* One step of every row that is not done. All are looked at before one moves. */
static ng_status step(cg *s, int fresh, ng_error *error)
{
    TRY(directions(s, fresh, error));
    TRY(ngi_apply(s->a, "operator", s->q, s->p, error));
    for (size_t i = 0; i < s->b.rows; i++) {
        s->alpha[i] = 0;
        if (s->rho[i] > 0)
            TRY(judge(s, &s->alpha[i], i, error));
    }
    for (size_t i = 0; i < s->b.rows; i++) {
        ng_axpby(row(s->x, i), row(s->p, i), s->alpha[i], 1, NULL);
        ng_axpby(row(s->r, i), row(s->q, i), -s->alpha[i], 1, NULL);
    }
    s->info->iterations++;
    return NG_OK;
}

static ng_status no_convergence(const cg *s, const char *why, ng_error *error)
{
    return ng_error_set(error, NG_ENOCONV,
                        "conjugate gradients: %s after %zu iterations, residual %.3g > %.3g", why,
                        s->info->iterations, s->info->residual, s->tolerance);
}

/* Steps by the recurrence until it says that all rows are done, then the true
 * residual; if that says no, again from there, as long as it gets smaller. */
static ng_status iterate(cg *s, ng_error *error)
{
    for (double before = INFINITY;; before = s->info->residual) {
        int fresh = 1, late = 0;
        while (!all_done(s) && !late) {
            late = s->info->iterations == s->max_iterations;
            if (!late)
                TRY(step(s, fresh, error));
            fresh = 0;
        }
        TRY(true_residual(s, error));
        if (s->info->residual <= s->tolerance)
            return NG_OK;
        if (late)
            return no_convergence(s, "too slow", error);
        if (!(s->info->residual < 0.5 * before))
            return no_convergence(s, "rounding stops the way down", error);
    }
}

/* b to order 1 row by row (powers of two), x = 0, r = b */
static void begin(cg *s, ng_mat b)
{
    ng_fill(s->x, 0);
    for (size_t i = 0; i < b.rows; i++) {
        s->scale[i] = ngi_scale_to_unit(row(s->b, i), row(b, i), ng_max_abs(row(b, i)));
        s->norm[i] = ng_norm(row(s->b, i));
        s->rho[i] = s->length[i] = 0;
    }
    ng_copy(s->r, s->b, NULL);
    ng_fill(s->p, 0);
    s->info->residual = ng_max_abs(b) > 0 ? 1 : 0;
}

static ng_status take(cg *s, size_t k, size_t n, ng_dtype dtype, ng_work *work, ng_error *error)
{
    ng_mat *mats[MATRICES] = {&s->b, &s->r, &s->p, &s->q, &s->z}, numbers;
    double **arrays[ARRAYS] = {&s->scale, &s->norm, &s->rho, &s->length, &s->alpha};
    for (size_t i = 0; i < MATRICES; i++)
        TRY(ng_work_mat(work, mats[i], k, n, dtype, error));
    for (size_t i = 0; i < ARRAYS; i++) {
        TRY(ng_work_mat(work, &numbers, 1, k, NG_F64, error));
        *arrays[i] = numbers.data;
    }
    if (s->c == NULL)
        s->z = s->r;
    return NG_OK;
}

static ng_status check(ng_mat x, ng_mat b, double tolerance, const ng_operator *a,
                       const ng_operator *c, ng_error *error)
{
    TRY(ngi_check_blas(b, "b", b.rows, b.cols, b.dtype, error));
    TRY(ngi_check_blas(x, "x", b.rows, b.cols, b.dtype, error));
    TRY(ngi_check_finite(b, "b", error));
    TRY(ngi_check_operator(a, "operator", error));
    if (c != NULL)
        TRY(ngi_check_operator(c, "preconditioner", error));
    if (!(tolerance > 0 && tolerance < 1))
        return ng_error_set(error, NG_EARG, "tolerance %g is outside 0 .. 1", tolerance);
    return NG_OK;
}

/* What there is of x is given back in b's scale, whatever the outcome. */
static ng_status run(cg *s, ng_mat b, ng_work *work, ng_error *error)
{
    TRY(take(s, b.rows, b.cols, b.dtype, work, error));
    begin(s, b);
    ng_status status = iterate(s, error);
    for (size_t i = 0; i < b.rows; i++)
        ng_scale(row(s->x, i), s->scale[i]);
    if (status == NG_OK && !ng_is_finite(s->x))
        return ng_error_set(error, NG_ERANGE, "x overflows the data type");
    return status;
}

ng_status ng_cg(ng_mat x, ng_iteration *info, ng_mat b, double tolerance, size_t max_iterations,
                const ng_operator *a, const ng_operator *preconditioner, ng_work *work,
                ng_error *error)
{
    ngi_scratch scratch;
    ng_iteration ours = {0, 0};
    cg s = {.x = x,
            .a = a,
            .c = preconditioner,
            .tolerance = tolerance,
            .info = info != NULL ? info : &ours,
            .max_iterations = max_iterations};
    *s.info = ours;
    TRY(check(x, b, tolerance, a, preconditioner, error));
    if (b.rows == 0 || b.cols == 0)
        return NG_OK;
    TRY(ngi_scratch_open(&scratch, work, ng_cg_work(b.rows, b.cols, b.dtype), error));
    return ngi_scratch_close(&scratch, run(&s, b, scratch.work, error));
}
