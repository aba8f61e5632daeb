/* Factors of low rank plus a multiple of the identity (low_rank.h). */
#include "optim/steepest/low_rank.h"

#include <math.h>

#include "lib/core/mat.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/nystrom.h"
#include "lib/linalg/start.h"

/* Vectors beyond the rank, always the same: what the directions so far do not see enters by them.
 */
enum { MORE = 4 };

/* rho is at least so many eps of the mean eigenvalue: it is divided by. */
enum { FLOOR = 10 };

const ngi_pair ngi_directions = {{"left_directions", "right_directions"}};
const ngi_pair ngi_values = {{"left_values", "right_values"}};
const ngi_pair ngi_damped_values = {{"left_damped_values", "right_damped_values"}};

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};

/* ---- State ------------------------------------------------------------------------------- */

int ngi_wants_low_rank(const ngi_param *param, ngi_rule r, ng_side side)
{
    if (!ngi_leads(param, side))
        return ngi_is_low_rank(param, side);
    return r.rank > 0 && side == ngi_larger_side(param) &&
           ngi_side_length(param, side) > (size_t)r.rank;
}

ng_status ngi_low_rank_create(ngi_param *param, ngi_rule r, ng_side side, ng_error *error)
{
    size_t rank = (size_t)r.rank, n = ngi_side_length(param, side);
    const char *spectrum = ngi_values.name[side];
    TRY(ngi_param_tensor(param, ngi_directions.name[side], rank, n, param->w.dtype, NGI_SPARE,
                         error));
    TRY(ngi_param_tensor(param, spectrum, 1, rank + 1, NG_F64, NGI_SPARE, error));
    ngi_tensor_start(param, spectrum, NGI_ONES);
    ngi_tensor_legal(param, spectrum, NGI_NONNEGATIVE);
    return NG_OK;
}

size_t ngi_low_rank_block(const ngi_param *param, ng_side side)
{
    size_t rank = ngi_side_tensor(param, ngi_directions, side)->now.rows;
    size_t n = ngi_side_length(param, side);
    return rank + MORE < n ? rank + MORE : n;
}

/* U, and signs and sizes without a pattern where it has no row. */
ng_status ngi_low_rank_vectors(ng_mat v, const ngi_param *param, ng_side side, ng_error *error)
{
    ng_mat u = ngi_side_tensor(param, ngi_directions, side)->now;
    double unit = 1 / sqrt((double)v.cols);
    for (size_t i = 0; i < v.rows; i++) {
        ng_mat row = ng_mat_block(v, i, 0, 1, v.cols);
        ng_mat old = i < u.rows ? ng_mat_block(u, i, 0, 1, v.cols) : ng_mat_none();
        if (old.rows > 0 && ng_max_abs(old) > 0) {
            TRY(ng_copy(row, old, error));
            continue;
        }
        for (size_t j = 0; j < v.cols; j++)
            ng_mat_set(row, 0, j, unit * ngi_start_element((uint64_t)(i * v.cols + j)));
    }
    return NG_OK;
}

static double rho_of(ng_mat spectrum)
{
    return ng_mat_get(spectrum, 0, 0);
}

static double sum_of(ng_mat spectrum, size_t n)
{
    double rho = rho_of(spectrum), sum = (double)n * rho;
    for (size_t i = 1; i < spectrum.cols; i++)
        sum += ng_mat_get(spectrum, 0, i) - rho;
    return sum;
}

double ngi_low_rank_mean(const ngi_param *param, ng_side side)
{
    size_t n = ngi_newest(ngi_side_tensor(param, ngi_directions, side)).cols;
    return sum_of(ngi_newest(ngi_side_tensor(param, ngi_values, side)), n) / (double)n;
}

/* ---- New statistics ------------------------------------------------------------------------- */

/* scaled <- diag(f_i) u with f_i = s_i^power - rho^power, and scale times it */
static ng_status scale_rows(ng_mat scaled, ng_mat u, ng_mat spectrum, double power, double scale,
                            ng_error *error)
{
    double of_rho = pow(rho_of(spectrum), power);
    for (size_t i = 0; i < u.rows; i++) {
        size_t n = u.cols;
        double factor = scale * (pow(ng_mat_get(spectrum, 0, i + 1), power) - of_rho);
        TRY(ng_axpby(ng_mat_block(scaled, i, 0, 1, n), ng_mat_block(u, i, 0, 1, n), factor, 0,
                     error));
    }
    return NG_OK;
}

/* y <- weight y + keep v U^T diag(s - rho) U */
static ng_status add_old(const ngi_low_rank_news *news, ng_mat u, ng_mat spectrum, ng_work *work,
                         ng_error *error)
{
    size_t mark = work->used;
    ng_mat scaled, coefficients;
    TRY(ng_work_mat(work, &scaled, u.rows, u.cols, u.dtype, error));
    TRY(ng_work_mat(work, &coefficients, news->v.rows, u.rows, u.dtype, error));
    TRY(scale_rows(scaled, u, spectrum, 1, news->keep, error));
    TRY(ng_gemm(coefficients, news->v, NG_NOTRANS, u, NG_TRANS, 1, 0, error));
    TRY(ng_gemm(news->y, coefficients, NG_NOTRANS, scaled, NG_NOTRANS, 1, news->weight, error));
    work->used = mark;
    return NG_OK;
}

/* spectrum <- of shift I and a matrix with that trace, of which these (1 x r, descending) are the
 * largest eigenvalues: what they leave of the trace is the others' in equal parts. A value below
 * such a part joins them. */
static void fill_spectrum(ng_mat spectrum, ng_mat values, size_t n, double trace, double shift)
{
    size_t kept = values.cols;
    double rest = trace;
    for (size_t i = 0; i < kept; i++)
        rest -= ng_mat_get(values, 0, i);
    rest = fmax(rest, 0);
    while (kept > 0 && ng_mat_get(values, 0, kept - 1) <= rest / (double)(n - kept))
        rest += ng_mat_get(values, 0, --kept);
    double rho = shift + rest / (double)(n - kept);
    ng_mat_set(spectrum, 0, 0, rho);
    for (size_t i = 0; i < values.cols; i++)
        ng_mat_set(spectrum, 0, i + 1, i < kept ? shift + ng_mat_get(values, 0, i) : rho);
}

static void raise_and_scale(ng_mat spectrum, size_t n, double eps, int scaled)
{
    double mean = sum_of(spectrum, n) / (double)n;
    for (size_t i = 0; i < spectrum.cols; i++)
        ng_mat_set(spectrum, 0, i, fmax(ng_mat_get(spectrum, 0, i), FLOOR * eps * mean));
    if (scaled && mean > 0)
        ng_scale(spectrum, 1 / mean);
}

static ng_status renew(ngi_param *param, ng_side side, const ngi_low_rank_news *news, ng_work *work,
                       ng_error *error)
{
    ngi_tensor *u = ngi_side_tensor(param, ngi_directions, side);
    ngi_tensor *s = ngi_side_tensor(param, ngi_values, side);
    size_t n = u->now.cols;
    double rho = news->keep * rho_of(s->now);
    double trace = news->keep * sum_of(s->now, n) - (double)n * rho + news->weight * news->trace;
    double shift = rho + news->shift;
    ng_mat values;
    TRY(add_old(news, u->now, s->now, work, error));
    if (!(trace + shift <= ngi_dtype_max(u->now.dtype)) || !ng_is_finite(news->y))
        return ng_error_set(error, NG_ERANGE,
                            "the %s factor overflows: the gradient is too large for its dtype",
                            side == NG_LEFT ? "left" : "right");
    TRY(ng_work_mat(work, &values, 1, u->now.rows, NG_F64, error));
    TRY(ngi_nystrom(values, u->next, news->y, news->v, work, error));
    fill_spectrum(s->next, values, n, fmax(trace, 0), shift);
    raise_and_scale(s->next, n, ng_dtype_eps(u->now.dtype), news->scaled);
    u->fresh = s->fresh = 1;
    return NG_OK;
}

ng_status ngi_low_rank_renew(ngi_param *param, ng_side side, ngi_low_rank_news news, ng_work *work,
                             ng_error *error)
{
    size_t mark = work->used;
    ng_status status = renew(param, side, &news, work, error);
    work->used = mark;
    if (status != NG_ENOCONV)
        return status;
    param->report.stale++; /* every solver failed: go on with the last good one */
    return NG_OK;
}

/* y <- v times x^T y on the right, x y^T on the left */
static ng_status multiply(ng_mat result, ng_mat v, ng_side side, ng_mat x, ng_mat y, ng_work *work,
                          ng_error *error)
{
    size_t mark = work->used;
    ng_trans trans = side == NG_LEFT ? NG_NOTRANS : NG_TRANS;
    ng_mat half;
    TRY(ng_work_mat(work, &half, v.rows, side == NG_LEFT ? x.cols : x.rows, v.dtype, error));
    TRY(ng_gemm(half, v, NG_NOTRANS, x, trans, 1, 0, error));
    TRY(ng_gemm(result, half, NG_NOTRANS, y, trans == NG_TRANS ? NG_NOTRANS : NG_TRANS, 1, 0,
                error));
    work->used = mark;
    return NG_OK;
}

ng_status ngi_low_rank_accumulate(ngi_param *param, const ng_steepest_options *o, ng_side side,
                                  ng_mat x, ng_mat y, ng_work *work, ng_error *error)
{
    ngi_rule r = ngi_rule_of(o);
    size_t mark = work->used, n = ngi_side_length(param, side);
    size_t k = ngi_low_rank_block(param, side);
    double rest = 1 - r.ema_decay, d = (double)ngi_side_length(param, ngi_other(side));
    double mean = sum_of(ngi_side_tensor(param, ngi_values, side)->now, n) / (double)n;
    ngi_low_rank_news news = {.trace = ng_dot(x, y),
                              .weight = rest / d,
                              .keep = r.ema_decay,
                              .shift = rest * r.damping * mean,
                              .scaled = ngi_trace_scaled(o)};
    TRY(ng_work_mat(work, &news.v, k, n, x.dtype, error));
    TRY(ng_work_mat(work, &news.y, k, n, x.dtype, error));
    TRY(ngi_low_rank_vectors(news.v, param, side, error));
    TRY(multiply(news.y, news.v, side, x, y, work, error));
    TRY(ngi_low_rank_renew(param, side, news, work, error));
    work->used = mark;
    return NG_OK;
}

/* ---- Powers -----------------------------------------------------------------------------------
 */

static ng_mat damped(const ngi_param *param, ng_side side, ngi_age age)
{
    const ngi_tensor *t = ngi_side_tensor(param, ngi_damped_values, side);
    return ngi_aged(t != NULL ? t : ngi_side_tensor(param, ngi_values, side), age);
}

ng_status ngi_low_rank_apply(ng_mat z, const ngi_param *param, ng_side side, ngi_age age,
                             double power, ng_mat x, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_mat u = ngi_aged(ngi_side_tensor(param, ngi_directions, side), age);
    ng_mat spectrum = damped(param, side, age), scaled, half;
    double of_rho = pow(rho_of(spectrum), power);
    int left = side == NG_LEFT;
    TRY(ng_work_mat(work, &scaled, u.rows, u.cols, u.dtype, error));
    TRY(ng_work_mat(work, &half, left ? u.rows : x.rows, left ? x.cols : u.rows, u.dtype, error));
    TRY(scale_rows(scaled, u, spectrum, power, 1, error));
    TRY(left ? ng_gemm(half, u, NG_NOTRANS, x, NG_NOTRANS, 1, 0, error)
             : ng_gemm(half, x, NG_NOTRANS, u, NG_TRANS, 1, 0, error));
    if (z.data == x.data)
        ng_scale(z, of_rho);
    else
        TRY(ng_axpby(z, x, of_rho, 0, error));
    TRY(left ? ng_gemm(z, scaled, NG_TRANS, half, NG_NOTRANS, 1, 1, error)
             : ng_gemm(z, half, NG_NOTRANS, scaled, NG_NOTRANS, 1, 1, error));
    work->used = mark;
    return NG_OK;
}

ng_status ngi_low_rank_dense(ng_mat q, const ngi_param *param, ng_side side, ng_work *work,
                             ng_error *error)
{
    size_t mark = work->used;
    ng_mat u = ngi_newest(ngi_side_tensor(param, ngi_directions, side)), scaled;
    ng_mat spectrum = damped(param, side, NGI_NEW);
    TRY(ng_work_mat(work, &scaled, u.rows, u.cols, u.dtype, error));
    TRY(scale_rows(scaled, u, spectrum, 1, 1, error));
    TRY(ng_gemm(q, u, NG_TRANS, scaled, NG_NOTRANS, 1, 0, error));
    ng_add_diagonal(q, rho_of(spectrum));
    work->used = mark;
    return NG_OK;
}

/* ---- Scratch ------------------------------------------------------------------------------------
 */

size_t ngi_low_rank_renew_work(const ngi_param *param)
{
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *u = ngi_side_tensor(param, ngi_directions, sides[i]);
        if (u == NULL || !ngi_leads(param, sides[i]))
            continue;
        size_t r = u->now.rows, n = u->now.cols, k = ngi_low_rank_block(param, sides[i]);
        size_t other = ngi_side_length(param, ngi_other(sides[i]));
        ng_dtype dtype = param->w.dtype;
        size_t blocks = ngi_size_mul(2, ng_work_mat_size(k, n, dtype)); /* v and y */
        size_t half = ng_work_mat_size(k, other, dtype);
        size_t old = ngi_size_add(ng_work_mat_size(r, n, dtype), ng_work_mat_size(k, r, dtype));
        size_t cut = ngi_size_add(ng_work_mat_size(1, r, NG_F64), ngi_nystrom_work(k, n, dtype));
        size_t then = old > cut ? old : cut;
        size_t bytes = ngi_size_add(blocks, half > then ? half : then);
        most = bytes > most ? bytes : most;
    }
    return most;
}

size_t ngi_low_rank_apply_work(const ngi_param *param)
{
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *u = ngi_side_tensor(param, ngi_directions, sides[i]);
        if (u == NULL)
            continue;
        size_t other = ngi_side_length(param, ngi_other(sides[i]));
        /* solve_side takes vectors too, which are no longer than the matrix is wide */
        size_t bytes = ngi_size_add(ng_work_mat_size(u->now.rows, u->now.cols, param->w.dtype),
                                    ng_work_mat_size(u->now.rows, other, param->w.dtype));
        most = bytes > most ? bytes : most;
    }
    return most;
}
