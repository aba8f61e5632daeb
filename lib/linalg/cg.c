/* Conjugate gradients for several right-hand sides at once, each with its own
 * coefficients. The vectors have the caller's dtype, the coefficients are
 * double. Rows are scaled to order 1 first, so that no square overflows. */
#include <natgrad/linalg.h>

#include <math.h>

#include "lib/core/size.h"
#include "lib/linalg/check.h"
#include "lib/linalg/operator.h"
#include "lib/linalg/unit.h"

typedef struct {
    ng_mat x, b, r, p, q, z; /* k x n; z is r without a preconditioner */
    double *scale, *norm, *rho;
    const ng_operator *a, *c;
    double tolerance;
    ng_iteration *info;
    size_t max_iterations;
} cg;

enum { MATRICES = 5 }; /* r, p, q, z and the scaled b */

size_t ng_cg_work(size_t k, size_t n, ng_dtype dtype)
{
    return ngi_size_add(ngi_size_mul(MATRICES, ng_work_mat_size(k, n, dtype)),
                        ngi_size_mul(3, ng_work_mat_size(1, k, NG_F64)));
}

static ng_mat row(ng_mat m, size_t i)
{
    return ng_mat_block(m, i, 0, 1, m.cols);
}

/* r <- b - A x, from x itself; info->residual <- the largest relative one. */
static ng_status true_residual(cg *s, ng_error *error)
{
    ng_status status = ngi_apply(s->a, "operator", s->q, s->x, error);
    if (status != NG_OK)
        return status;
    ng_copy(s->r, s->b, NULL);
    ng_axpby(s->r, s->q, -1, 1, NULL);
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

/* p <- z + (rho / old rho) p for the rows that are not done, 0 for the others:
 * they stand still. fresh: p <- z. */
static ng_status directions(cg *s, int fresh, ng_error *error)
{
    ng_status status = NG_OK;
    if (s->c != NULL)
        status = ngi_apply(s->c, "preconditioner", s->z, s->r, error);
    for (size_t i = 0; i < s->b.rows && status == NG_OK; i++) {
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
        ng_axpby(row(s->p, i), row(s->z, i), 1, beta, NULL);
    }
    return status;
}

/* One step of every row that is not done. */
static ng_status step(cg *s, int fresh, ng_error *error)
{
    ng_status status = directions(s, fresh, error);
    if (status == NG_OK)
        status = ngi_apply(s->a, "operator", s->q, s->p, error);
    /* all rows are looked at before one of them moves */
    for (size_t i = 0; i < s->b.rows && status == NG_OK; i++) {
        double curvature = s->rho[i] > 0 ? ng_dot(row(s->p, i), row(s->q, i)) : 1;
        if (!(curvature > 0))
            status = ng_error_set(error, NG_EINDEFINITE,
                                  "operator: p A p is %g in row %zu, iteration %zu", curvature, i,
                                  s->info->iterations);
    }
    for (size_t i = 0; i < s->b.rows && status == NG_OK; i++) {
        if (!(s->rho[i] > 0))
            continue;
        double alpha = s->rho[i] / ng_dot(row(s->p, i), row(s->q, i));
        ng_axpby(row(s->x, i), row(s->p, i), alpha, 1, NULL);
        ng_axpby(row(s->r, i), row(s->q, i), -alpha, 1, NULL);
    }
    s->info->iterations += status == NG_OK;
    return status;
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
    ng_status status = NG_OK;
    double before = INFINITY;
    while (status == NG_OK) {
        for (int fresh = 1; status == NG_OK && !all_done(s); fresh = 0) {
            if (s->info->iterations == s->max_iterations) {
                status = true_residual(s, error);
                if (status != NG_OK || s->info->residual <= s->tolerance)
                    return status;
                return no_convergence(s, "too slow", error);
            }
            status = step(s, fresh, error);
        }
        if (status == NG_OK)
            status = true_residual(s, error);
        if (status != NG_OK || s->info->residual <= s->tolerance)
            return status;
        if (!(s->info->residual < 0.5 * before))
            return no_convergence(s, "rounding stops the way down", error);
        before = s->info->residual;
    }
    return status;
}

/* b to order 1 row by row (powers of two), x = 0, r = b */
static void begin(cg *s, ng_mat b)
{
    ng_fill(s->x, 0);
    for (size_t i = 0; i < b.rows; i++) {
        s->scale[i] = ngi_scale_to_unit(row(s->b, i), row(b, i), ng_max_abs(row(b, i)));
        s->norm[i] = ng_norm(row(s->b, i));
        s->rho[i] = 0;
    }
    ng_copy(s->r, s->b, NULL);
    ng_fill(s->p, 0);
    s->info->residual = ng_max_abs(b) > 0 ? 1 : 0;
}

static ng_status open_cg(cg *s, size_t k, size_t n, ng_dtype dtype, ng_work *work, ng_error *error)
{
    ng_mat *mats[MATRICES] = {&s->b, &s->r, &s->p, &s->q, &s->z}, numbers;
    double **arrays[3] = {&s->scale, &s->norm, &s->rho};
    ng_status status = NG_OK;
    for (size_t i = 0; i < MATRICES && status == NG_OK; i++)
        status = ng_work_mat(work, mats[i], k, n, dtype, error);
    for (size_t i = 0; i < 3 && status == NG_OK; i++) {
        status = ng_work_mat(work, &numbers, 1, k, NG_F64, error);
        *arrays[i] = numbers.data;
    }
    if (s->c == NULL)
        s->z = s->r;
    return status;
}

static ng_status check(ng_mat x, ng_mat b, double tolerance, const ng_operator *a,
                       const ng_operator *c, ng_error *error)
{
    ng_status status = ngi_check_blas(b, "b", b.rows, b.cols, b.dtype, error);
    if (status == NG_OK)
        status = ngi_check_blas(x, "x", b.rows, b.cols, b.dtype, error);
    if (status == NG_OK)
        status = ngi_check_finite(b, "b", error);
    if (status == NG_OK)
        status = ngi_check_operator(a, "operator", error);
    if (status == NG_OK && c != NULL)
        status = ngi_check_operator(c, "preconditioner", error);
    if (status == NG_OK && !(tolerance > 0 && tolerance < 1))
        status = ng_error_set(error, NG_EARG, "tolerance %g is outside 0 .. 1", tolerance);
    return status;
}

ng_status ng_cg(ng_mat x, ng_iteration *info, ng_mat b, double tolerance, size_t max_iterations,
                const ng_operator *a, const ng_operator *preconditioner, ng_work *work,
                ng_error *error)
{
    ng_work own = ng_work_on(NULL, 0);
    ng_iteration ours = {0, 0};
    cg s = {.x = x,
            .a = a,
            .c = preconditioner,
            .tolerance = tolerance,
            .info = info != NULL ? info : &ours,
            .max_iterations = max_iterations};
    *s.info = ours;
    ng_status status = check(x, b, tolerance, a, preconditioner, error);
    if (status != NG_OK || b.rows == 0 || b.cols == 0)
        return status;
    size_t size = ng_cg_work(b.rows, b.cols, b.dtype);
    if (work == NULL)
        status = ng_work_create(work = &own, size, error);
    if (status == NG_OK)
        status = ngi_check_work(work, size, error);
    size_t mark = work->used;
    if (status == NG_OK)
        status = open_cg(&s, b.rows, b.cols, b.dtype, work, error);
    if (status == NG_OK) {
        begin(&s, b);
        status = iterate(&s, error);
        for (size_t i = 0; i < b.rows; i++)
            ng_scale(row(x, i), s.scale[i]);
        if (status == NG_OK && !ng_is_finite(x))
            status = ng_error_set(error, NG_ERANGE, "x overflows the data type");
    }
    work->used = mark;
    ng_work_destroy(&own);
    return status;
}
