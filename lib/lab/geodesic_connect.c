/* The geodesic between two points, by shooting: Newton's iteration on where it ends. */
#include <natgrad/lab/geodesic.h>

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

enum { MAX_ITERATIONS = 60, MAX_HALVINGS = 30 };

typedef struct {
    ng_mat from, to;
    double amari_alpha, tolerance;
    ng_family_at family;
    void *data;
    ng_mat v, trial, spare, miss, near, step; /* 1 x n; miss: end - to */
    ng_mat slope, square;                     /* n x n: row i is d miss / d v_i; slope slope^T */
} shot;

/* end <- where the velocity v ends, less `to`; *miss <- its norm, infinite where no end is reached.
 * Only want of memory is an error. */
static ng_status shoot(const shot *s, double *miss, ng_mat end, ng_mat v, ng_error *error)
{
    *miss = HUGE_VAL;
    TRY(ng_copy(end, s->from, error));
    TRY(ng_copy(s->spare, v, error));
    ng_status status = ng_geodesic_move(end, s->spare, 1, s->amari_alpha, s->tolerance / 10,
                                        s->family, s->data, error);
    if (status != NG_OK)
        return status == NG_ENOMEM ? status : NG_OK;
    TRY(ng_axpby(end, s->to, -1, 1, error));
    *miss = ng_norm(end);
    return NG_OK;
}

/* slope by central differences; by one side where the other ends nowhere */
static ng_status differentiate(const shot *s, ng_error *error)
{
    const size_t n = s->v.cols;
    const double h = 1e-5 * (1 + ng_norm(s->v));
    for (size_t i = 0; i < n; i++) {
        ng_mat row = ng_mat_block(s->slope, i, 0, 1, n);
        double v = ng_mat_get(s->v, 0, i), left, right;
        TRY(ng_copy(s->trial, s->v, error));
        ng_mat_set(s->trial, 0, i, v + h);
        TRY(shoot(s, &right, row, s->trial, error));
        ng_mat_set(s->trial, 0, i, v - h);
        TRY(shoot(s, &left, s->near, s->trial, error));
        if (!isfinite(left) && !isfinite(right))
            return ng_error_set(error, NG_ENOCONV,
                                "velocity %zu: geodesics beside leave the family", i);
        double sides = isfinite(left) && isfinite(right) ? 0.5 / h : 1 / h;
        TRY(ng_lincomb(row, sides, isfinite(right) ? row : s->miss, -sides,
                       isfinite(left) ? s->near : s->miss, error));
    }
    return NG_OK;
}

/* step (slope) = miss, by the normal equations */
static ng_status solve(const shot *s, ng_error *error)
{
    double jitter;
    TRY(ng_gemm(s->step, s->miss, NG_NOTRANS, s->slope, NG_TRANS, 1, 0, error));
    TRY(ng_syrk(s->square, s->slope, NG_NOTRANS, 1, 0, error));
    TRY(ng_cholesky(s->square, &jitter, s->square, error));
    TRY(ng_trsm(s->step, NG_RIGHT, s->square, NG_TRANS, 1, error));
    return ng_trsm(s->step, NG_RIGHT, s->square, NG_NOTRANS, 1, error);
}

static ng_status iterate(shot *s, ng_error *error)
{
    const double enough = 10 * s->tolerance * (1 + ng_norm(s->to));
    double miss;
    TRY(shoot(s, &miss, s->miss, s->v, error));
    for (int k = 0; !isfinite(miss) && k < MAX_HALVINGS;
         k++) { /* a first guess that ends nowhere */
        ng_scale(s->v, 0.5);
        TRY(shoot(s, &miss, s->miss, s->v, error));
    }
    for (int k = 0; k < MAX_ITERATIONS && miss > enough; k++) {
        double share = 1, next = HUGE_VAL;
        TRY(differentiate(s, error));
        TRY(solve(s, error));
        for (int half = 0; half < MAX_HALVINGS && !(next < miss); half++, share /= 2) {
            TRY(ng_lincomb(s->trial, 1, s->v, -share, s->step, error));
            TRY(shoot(s, &next, s->near, s->trial, error));
        }
        if (!(next < miss))
            break;
        TRY(ng_copy(s->v, s->trial, error));
        TRY(ng_copy(s->miss, s->near, error));
        miss = next;
    }
    return miss <= enough ? NG_OK
                          : ng_error_set(error, NG_ENOCONV,
                                         "the nearest geodesic ends %g from `to`, allowed are %g",
                                         miss, enough);
}

static ng_status connect(shot *s, ng_mat velocity, ng_work *work, ng_error *error)
{
    const size_t n = velocity.cols;
    ng_mat *rows[] = {&s->v, &s->trial, &s->spare, &s->miss, &s->near, &s->step};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        TRY(ng_work_mat(work, rows[i], 1, n, NG_F64, error));
    TRY(ng_work_mat(work, &s->slope, n, n, NG_F64, error));
    TRY(ng_work_mat(work, &s->square, n, n, NG_F64, error));
    TRY(ng_copy(s->v, velocity, error));
    if (ng_max_abs(s->v) == 0)
        TRY(ng_lincomb(s->v, 1, s->to, -1, s->from, error));
    /* what is wrong at `from` itself is said by name */
    TRY(ng_copy(s->near, s->from, error));
    ng_fill(s->spare, 0);
    TRY(ng_geodesic_move(s->near, s->spare, 1, s->amari_alpha, s->tolerance / 10, s->family,
                         s->data, error));
    TRY(iterate(s, error));
    return ng_copy(velocity, s->v, error);
}

ng_status ng_geodesic_connect(ng_mat velocity, ng_mat from, ng_mat to, double amari_alpha,
                              double tolerance, ng_family_at family, void *data, ng_error *error)
{
    const size_t n = velocity.cols;
    const ng_mat views[3] = {velocity, from, to};
    static const char *const names[3] = {"velocity", "from", "to"};
    ng_work work;
    for (int i = 0; i < 3; i++) {
        TRY(ng_mat_check(views[i], names[i], error));
        if (views[i].dtype != NG_F64)
            return ng_error_set(error, NG_EDTYPE, "%s: expected NG_F64", names[i]);
        if (views[i].rows != 1 || views[i].cols != n || n == 0)
            return ng_error_set(error, NG_ESHAPE, "%s is %zu x %zu, velocity 1 x %zu", names[i],
                                views[i].rows, views[i].cols, n);
        if (!ng_is_finite(views[i]))
            return ng_error_set(error, NG_ENONFINITE, "%s is not finite", names[i]);
    }
    if (family == NULL || !(tolerance >= 1e-12 && tolerance <= 1e-3))
        return ng_error_set(error, NG_EARG, "tolerance %g, or the family is NULL", tolerance);
    shot s = {.from = from,
              .to = to,
              .amari_alpha = amari_alpha,
              .tolerance = tolerance,
              .family = family,
              .data = data};
    TRY(ng_work_create(
        &work, 6 * ng_work_mat_size(1, n, NG_F64) + 2 * ng_work_mat_size(n, n, NG_F64), error));
    ng_status status = connect(&s, velocity, &work, error);
    ng_work_destroy(&work);
    return status;
}
