/* Directions without a root of the metric's factors (rootless.h). */
#include "optim/steepest/rootless.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/lower.h"
#include "lib/linalg/polar/fractions.h"
#include "lib/linalg/unit.h"
#include "optim/front/range.h"
#include "optim/steepest/ball.h"
#include "optim/steepest/metric.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* One side of a metric, for vectors. */
typedef struct {
    const ngi_param *param;
    const ng_steepest_options *o;
    ng_side side;
} one_side;

static ng_status solve(void *data, ng_mat z, ng_mat x, ng_work *work, ng_error *error)
{
    const one_side *of = data;
    ng_mat row_z = {z.data, 1, z.rows, z.rows, z.dtype},
           row_x = {x.data, 1, x.rows, x.rows, x.dtype};
    int left = of->side == NG_LEFT;
    return ngi_metric_find(of->o->metric)
        ->solve_side(left ? z : row_z, of->param, of->o, of->side, left ? x : row_x, work, error);
}

/* k <- the ball's multiplier for the metric's factor p on the smaller side and a, its lower
 * triangle. 0 for a = 0. */
static ng_status multiplier(ng_mat k, ng_mat a, ngi_param *param, const ng_steepest_options *o,
                            ng_side side, ng_work *work, ng_error *error)
{
    one_side of = {param, o, side};
    double bound;
    ng_mat p;
    ng_mirror(a);
    TRY(ngi_metric_find(o->metric)->factor_side(&p, param, o, side, work, error));
    TRY(ngi_largest_eigenvalue(&bound, a, p, solve, &of, work, error));
    if (!isfinite(bound))
        return NG_ENOCONV;
    if (bound == 0) {
        ng_fill(k, 0);
        return NG_OK;
    }
    return ngi_ball_find(o->ball)->multiplier(k, &param->report, a, p, bound, o, work, error);
}

/* The root-free form: with Z = x times the inverse of the factor on its larger side and a = Z x^T,
 *     d = K Z,   K the ball's multiplier from a and the factor on the smaller side:
 * no root is taken, and all work on the smaller side is k x k. Mirrored if x is tall. d ignores
 * the scale of x; the squares in a do not, so x and Z are taken to order 1 if they are far from it.
 * *dual <- <X, Y>. */
ng_status ngi_fused(ng_mat d, double *dual, ngi_param *param, const ng_steepest_options *o,
                    ng_mat x, ng_mat z, ng_work *work, ng_error *error)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    size_t n = x.rows < x.cols ? x.rows : x.cols, mark = work->used;
    int wide = x.rows <= x.cols;
    ng_mat a, k;
    TRY(ng_work_mat(work, &a, n, n, x.dtype, error));
    TRY(ng_work_mat(work, &k, n, n, x.dtype, error));
    double max = ng_max_abs(x), max_z, unit = 1, unit_x = 1;
    if (ngi_extreme(max))
        unit_x = ngi_scale_to_unit(x, x, max);
    max /= unit_x;
    TRY(metric->solve_side(z, param, o, wide ? NG_RIGHT : NG_LEFT, x, work, error));
    max_z = ng_max_abs(z);
    if (!isfinite(max_z))
        return NG_ENOCONV;
    /* not by z alone: whether it is does not depend on x's scale */
    if (max > 0 && ngi_extreme(max_z / max))
        unit = ngi_scale_to_unit(z, z, max_z);
    TRY(ngi_gemm_lower(a, z, wide ? NG_NOTRANS : NG_TRANS, x, wide ? NG_TRANS : NG_NOTRANS, 1, 0,
                       error));
    TRY(multiplier(k, a, param, o, wide ? NG_LEFT : NG_RIGHT, work, error));
    TRY(wide ? ng_gemm(d, k, NG_NOTRANS, z, NG_NOTRANS, sqrt(unit), 0, error)
             : ng_gemm(d, z, NG_NOTRANS, k, NG_NOTRANS, sqrt(unit), 0, error));
    if (o->length == NG_LENGTH_DUAL)
        *dual = unit_x * ng_dot(d, x);
    work->used = mark;
    return NG_OK;
}

/* Does the average come to the metric as it is, to P^-1 and Q^-1? */
static int rootless(const ng_steepest_options *o)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    return o->momentum_space == NG_MOMENTUM_GRADIENT && metric->solve_side != NULL &&
           (metric->is_kronecker == NULL || metric->is_kronecker(o));
}

int ngi_fusible(const ng_steepest_options *o)
{
    const ngi_ball *ball = ngi_ball_find(o->ball);
    return rootless(o) && ball->multiplier != NULL && ball->has_multiplier(o);
}

/* the smaller side's factor */
static size_t side_work(const ngi_param *param, const ng_steepest_options *o)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    ng_side side = param->rows <= param->cols ? NG_LEFT : NG_RIGHT;
    return metric->side_work != NULL ? metric->side_work(param, o, side) : 0;
}

size_t ngi_fused_work(const ngi_param *param, const ng_steepest_options *o)
{
    size_t k = param->rows < param->cols ? param->rows : param->cols;
    ng_dtype dtype = param->w.dtype;
    size_t squares = ngi_size_mul(3, ng_work_mat_size(k, k, dtype)); /* a, k and the factor */
    size_t of_ball = ngi_ball_find(o->ball)->multiplier_work(k, dtype);
    return ngi_size_add(ngi_size_add(squares, ngi_largest_eigenvalue_work(k, dtype)),
                        max_size(side_work(param, o), of_ball));
}

/* ---- Without a ball ----------------------------------------------------------------- */

int ngi_solvable(const ng_steepest_options *o)
{
    return rootless(o) && o->ball == NG_BALL_NONE && o->length != NG_LENGTH_DUAL;
}

ng_status ngi_solve_both(ng_mat d, const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                         ng_work *work, ng_error *error)
{
    const ngi_metric *metric = ngi_metric_find(o->metric);
    TRY(metric->solve_side(d, param, o, NG_LEFT, x, work, error));
    TRY(metric->solve_side(x, param, o, NG_RIGHT, d, work, error));
    return ng_copy(d, x, error);
}

size_t ngi_solve_both_work(const ngi_param *param, const ng_steepest_options *o)
{
    return side_work(param, o);
}
