/* Anderson acceleration, row by row: the last m differences of each row lie in rings. */
#include <natgrad/lab/solver.h>

#include <math.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/lab/view.h"

enum { MAX_MEMORY = 64 };

ng_status ng_anderson_init_sized(ng_anderson_options *options, size_t size)
{
    if (options == NULL || size != sizeof *options)
        return NG_EOPTION;
    *options = (ng_anderson_options){sizeof *options, 5, 50, 1, 0, 0};
    return NG_OK;
}

typedef struct {
    const ng_anderson_options *o;
    ng_fixed_point_map map;
    void *data;
    size_t memory;          /* of o, at most d */
    ng_mat x, g, f, before; /* n x d: the iterate, the map, residuals now and before */
    ng_mat dx, df;          /* n x memory d: differences, slot k % memory */
    ng_mat gram, right;     /* memory x memory, 1 x memory */
} state;

/* right <- gamma of one row with `held` differences */
static ng_status mix(state *s, size_t row, size_t held, ng_error *error)
{
    const size_t d = s->x.cols;
    ng_mat gram = ng_mat_block(s->gram, 0, 0, held, held),
           right = ng_mat_block(s->right, 0, 0, 1, held);
    const double *df = ngi_lab_row(s->df, row);
    double trace = 0;
    for (size_t i = 0; i < held; i++) {
        ng_mat_set(right, 0, i, ngi_lab_dot(df + i * d, ngi_lab_row(s->f, row), d));
        for (size_t j = 0; j <= i; j++)
            ng_mat_set(gram, i, j, ngi_lab_dot(df + i * d, df + j * d, d));
        trace += ng_mat_get(gram, i, i);
        ng_mat_set(gram, i, i, ng_mat_get(gram, i, i) + s->o->ridge);
    }
    double jitter;
    ng_status status = trace > 0 ? ng_cholesky(gram, &jitter, gram, error) : NG_ESINGULAR;
    if (status == NG_ESINGULAR) { /* it stands still: a plain step */
        ng_fill(right, 0);
        return NG_OK;
    }
    TRY(status);
    TRY(ng_trsm(right, NG_RIGHT, gram, NG_TRANS, 1, error));
    return ng_trsm(right, NG_RIGHT, gram, NG_NOTRANS, 1, error);
}

/* x <- the next iterate of one row; the difference it makes goes into dx. */
static void move(state *s, size_t row, size_t held, size_t slot)
{
    const size_t d = s->x.cols;
    double *x = ngi_lab_row(s->x, row), *dx = ngi_lab_row(s->dx, row);
    const double *f = ngi_lab_row(s->f, row), *df = ngi_lab_row(s->df, row);
    for (size_t j = 0; j < d; j++) {
        double next = x[j] + s->o->mixing * f[j];
        for (size_t i = 0; i < held; i++)
            next -= ng_mat_get(s->right, 0, i) * (dx[i * d + j] + s->o->mixing * df[i * d + j]);
        ngi_lab_row(s->before, row)[j] = f[j];
        if (s->memory > 0) /* this slot's old difference has been read for this j */
            dx[slot * d + j] = next - x[j];
        x[j] = next;
    }
}

/* g and f at x; the largest |f| */
static ng_status look(state *s, double *residual, ng_error *error)
{
    TRY(s->map(s->data, s->g, s->x, error));
    if (!ng_is_finite(s->g))
        return ng_error_set(error, NG_ENONFINITE, "the map is not finite");
    TRY(ng_lincomb(s->f, 1, s->g, -1, s->x, error));
    *residual = 0;
    for (size_t row = 0; row < s->x.rows; row++)
        *residual =
            fmax(*residual,
                 sqrt(ngi_lab_dot(ngi_lab_row(s->f, row), ngi_lab_row(s->f, row), s->x.cols)));
    return NG_OK;
}

/* Slot k % memory holds the difference between iterates k and k + 1. */
static ng_status iterate(state *s, double *residual, ng_error *error)
{
    const size_t d = s->x.cols, memory = s->memory;
    for (size_t k = 0; k < s->o->iterations; k++) {
        const size_t held = k < memory ? k : memory;
        TRY(look(s, residual, error));
        if (*residual <= s->o->tolerance && s->o->tolerance > 0)
            return NG_OK;
        for (size_t row = 0; row < s->x.rows; row++) {
            double *df = ngi_lab_row(s->df, row);
            for (size_t j = 0; j < d && held > 0; j++)
                df[(k - 1) % memory * d + j] =
                    ngi_lab_row(s->f, row)[j] - ngi_lab_row(s->before, row)[j];
            if (held > 0)
                TRY(mix(s, row, held, error));
            move(s, row, held, memory > 0 ? k % memory : 0);
        }
        if (!ng_is_finite(s->x))
            return ng_error_set(error, NG_ENONFINITE, "iterate %zu is not finite", k + 1);
    }
    return s->o->tolerance > 0
               ? ng_error_set(error, NG_ENOCONV, "|g(x) - x| is %g after %zu iterations", *residual,
                              s->o->iterations)
               : NG_OK;
}

static ng_status solve(state *s, ng_mat x, double *residual, ng_work *work, ng_error *error)
{
    const size_t m = s->memory, n = x.rows, d = x.cols;
    ng_mat *wide[] = {&s->x, &s->g, &s->f, &s->before};
    for (size_t i = 0; i < 4; i++)
        TRY(ng_work_mat(work, wide[i], n, d, NG_F64, error));
    TRY(ng_work_mat(work, &s->dx, n, m * d, NG_F64, error));
    TRY(ng_work_mat(work, &s->df, n, m * d, NG_F64, error));
    TRY(ng_work_mat(work, &s->gram, m, m, NG_F64, error));
    TRY(ng_work_mat(work, &s->right, 1, m, NG_F64, error));
    TRY(ng_copy(s->x, x, error));
    ng_status status = iterate(s, residual, error);
    if (status == NG_OK || status == NG_ENOCONV)
        ng_copy(x, s->x, NULL);
    return status;
}

static ng_status check(ng_mat x, const ng_anderson_options *o, ng_fixed_point_map map,
                       ng_error *error)
{
    TRY(ng_mat_check(x, "x", error));
    if (x.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "x: expected NG_F64");
    if (map == NULL)
        return ng_error_set(error, NG_EARG, "map is NULL");
    if (o->size != sizeof *o || o->memory > MAX_MEMORY || !(o->mixing > 0 && o->mixing <= 1) ||
        !(o->ridge >= 0) || !isfinite(o->ridge) || !(o->tolerance >= 0) || !isfinite(o->tolerance))
        return ng_error_set(error, NG_EOPTION, "memory %zu, mixing %g, ridge %g, tolerance %g",
                            o->memory, o->mixing, o->ridge, o->tolerance);
    if (!ng_is_finite(x))
        return ng_error_set(error, NG_ENONFINITE, "x is not finite");
    return NG_OK;
}

ng_status ng_fixed_point(ng_mat x, double *residual, const ng_anderson_options *options,
                         ng_fixed_point_map map, void *data, ng_error *error)
{
    ng_anderson_options defaults;
    double largest = 0;
    ng_work work;
    ng_anderson_init(&defaults);
    options = options == NULL ? &defaults : options;
    TRY(check(x, options, map, error));
    const size_t m = options->memory < x.cols ? options->memory : x.cols;
    state s = {.o = options, .map = map, .data = data, .memory = m};
    if (x.cols > 0 && m * x.cols / x.cols != m)
        return ng_error_set(error, NG_ERANGE, "memory %zu for %zu numbers", m, x.cols);
    TRY(ng_work_create(&work,
                       4 * ng_work_mat_size(x.rows, x.cols, NG_F64) +
                           2 * ng_work_mat_size(x.rows, m * x.cols, NG_F64) +
                           ng_work_mat_size(m, m, NG_F64) + ng_work_mat_size(1, m, NG_F64),
                       error));
    ng_status status = solve(&s, x, &largest, &work, error);
    ng_work_destroy(&work);
    if (residual != NULL && (status == NG_OK || status == NG_ENOCONV))
        *residual = largest;
    return status;
}
