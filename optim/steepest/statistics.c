/* Captured statistics (statistics.h). */
#include "optim/steepest/statistics.h"

#include <math.h>

#include "lib/core/mat.h"
#include "lib/core/size.h"
#include "lib/core/try.h"

static const ng_side sides[] = {NG_LEFT, NG_RIGHT};
static const ngi_pair pending = {{"left_pending", "right_pending"}};
static const ngi_pair sketch = {{"left_sketch", "right_sketch"}};
static const ngi_pair sketch_trace = {{"left_sketch_trace", "right_sketch_trace"}};

/* and averaged since the factor was last cut back; its weight then, and the average of tr S */
static const ngi_pair sketch_average = {{"left_sketch_average", "right_sketch_average"}};
static const ngi_pair sketch_share = {{"left_sketch_share", "right_sketch_share"}};

/* v S and tr S of a side of low rank, summed over the captures of all ranks: v is everybody's. */
static ng_status create_sketch(ngi_param *param, ng_side side, ng_error *error)
{
    const char *trace = sketch_trace.name[side];
    TRY(ngi_param_tensor(param, sketch.name[side], ngi_low_rank_block(param, side),
                         ngi_side_length(param, side), param->w.dtype, NGI_IN_PLACE, error));
    TRY(ngi_param_tensor(param, trace, 1, 1, NG_F64, NGI_IN_PLACE, error));
    TRY(ngi_param_tensor(param, sketch_average.name[side], ngi_low_rank_block(param, side),
                         ngi_side_length(param, side), param->w.dtype, NGI_SPARE, error));
    TRY(ngi_param_tensor(param, sketch_share.name[side], 1, 2, NG_F64, NGI_SPARE, error));
    ngi_tensor_start(param, sketch_share.name[side], NGI_IDENTITY); /* 1, 0 */
    ngi_tensor_legal(param, sketch_share.name[side], NGI_NONNEGATIVE);
    ngi_tensor_legal(param, trace, NGI_NONNEGATIVE);
    ngi_tensor_sharing(param, sketch.name[side], NGI_CAPTURED);
    ngi_tensor_sharing(param, trace, NGI_CAPTURED);
    ngi_tensor_sharing(param, ngi_directions.name[side], NGI_CAPTURE_READS);
    return NG_OK;
}

ng_status ngi_statistics_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_kron_create(param, o, error));
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *factor = ngi_side_tensor(param, ngi_factor, sides[i]);
        if (factor != NULL && ngi_leads(param, sides[i]))
            TRY(ngi_param_tensor(param, pending.name[i], factor->now.rows, factor->now.rows,
                                 param->w.dtype, NGI_IN_PLACE, error));
        if (ngi_has_own(param, ngi_directions, sides[i]))
            TRY(create_sketch(param, sides[i], error));
    }
    TRY(ngi_param_tensor(param, ngi_average_weight, 1, 1, NG_F64, NGI_SPARE, error));
    ngi_tensor_legal(param, ngi_average_weight, NGI_NONNEGATIVE);
    ngi_side_legal(param, pending, NGI_SEMIDEFINITE);
    for (int i = 0; i < 2; i++)
        ngi_tensor_sharing(param, pending.name[i], NGI_CAPTURED_GRAM);
    return NG_OK;
}

/* The sum of that side, its own, or with low rank its trace, or NULL. */
static ngi_tensor *sum_of(const ngi_param *param, ng_side side)
{
    ngi_tensor *t = ngi_tensor_find(param, pending.name[side]);
    return t != NULL ? t : ngi_tensor_find(param, sketch_trace.name[side]);
}

/* NG_ERANGE if a diagonal element of the sums could leave the dtype; no other
 * element is larger. (Nor is one of v S larger than the trace.) */
static ng_status check_range(const ngi_param *param, ng_mat sums, ng_mat x, double scale,
                             ng_error *error)
{
    double limit = ngi_dtype_max(param->w.dtype);
    if (sums.rows == 1)
        limit /= (double)x.cols;
    double largest = fabs(scale) * ng_max_abs(x), old = 0;
    if (param->captured > 0)
        old = ng_trace(sums);
    if (scale * scale > limit || largest * largest > (limit - old) / (double)x.rows)
        return ng_error_set(error, NG_ERANGE, "the captured statistics overflow their dtype");
    return NG_OK;
}

/* What the bias is multiplied with, one = 1 or -1, is the last input: sums <- sums + the rest of
 * [a one]^T [a one], its last row. */
static void add_ones(ng_mat sums, ng_mat a, double one, int empty)
{
    size_t n = a.cols;
    ng_mat row = ng_mat_block(sums, n, 0, 1, n);
    for (size_t i = 0; i < a.rows; i++)
        ng_axpby(row, ng_mat_block(a, i, 0, 1, n), one, empty && i == 0 ? 0 : 1, NULL);
    ng_mat_set(sums, n, n, (empty ? 0 : ng_mat_get(sums, n, n)) + (double)a.rows);
}

ng_status ngi_statistics_check(const ngi_param *param, const ng_steepest_options *o, ng_mat a,
                               ng_mat g, double scale, ng_error *error)
{
    ng_side out = ngi_output_side(param);
    const ngi_tensor *of_g = sum_of(param, out), *of_a = sum_of(param, ngi_other(out));
    if (!ngi_due(param, ngi_rule_of(o).update_interval))
        return NG_OK;
    if (of_g != NULL)
        TRY(check_range(param, of_g->now, g, scale, error));
    return of_a != NULL ? check_range(param, of_a->now, a, 1, error) : NG_OK;
}

/* A side of low rank: v S += scale^2 v X^T X with X = x, or [x one]; beta 0: it begins. */
static ng_status add_sketch(ngi_param *param, ng_side side, ng_mat x, double scale, double beta,
                            double one, ng_work *work, ng_error *error)
{
    ng_mat sum = ngi_tensor_find(param, sketch.name[side])->now, v, half;
    ng_mat trace = ngi_tensor_find(param, sketch_trace.name[side])->now;
    size_t mark = work->used, k = sum.rows, n = sum.cols, own = x.cols;
    double weight = scale * scale, norm = ng_norm(x), old = beta > 0 ? ng_mat_get(trace, 0, 0) : 0;
    TRY(ng_work_mat(work, &v, k, n, x.dtype, error));
    TRY(ng_work_mat(work, &half, k, x.rows, x.dtype, error));
    TRY(ngi_low_rank_vectors(v, param, side, error));
    for (size_t i = 0; i < k && own < n; i++)
        ng_fill(ng_mat_block(half, i, 0, 1, x.rows), one * ng_mat_get(v, i, own));
    TRY(ng_gemm(half, ng_mat_block(v, 0, 0, k, own), NG_NOTRANS, x, NG_TRANS, 1, own < n, error));
    TRY(ng_gemm(ng_mat_block(sum, 0, 0, k, own), half, NG_NOTRANS, x, NG_NOTRANS, weight, beta,
                error));
    for (size_t i = 0; i < k && own < n; i++) {
        double last = beta > 0 ? ng_mat_get(sum, i, own) : 0;
        for (size_t j = 0; j < x.rows; j++)
            last += weight * one * ng_mat_get(half, i, j);
        ng_mat_set(sum, i, own, last);
    }
    ng_mat_set(trace, 0, 0, old + weight * (norm * norm + (own < n ? (double)x.rows : 0)));
    work->used = mark;
    return NG_OK;
}

size_t ngi_statistics_capture_work(const ngi_param *param, const ng_steepest_options *o,
                                   size_t rows)
{
    size_t most = 0;
    (void)o;
    for (int i = 0; i < 2; i++) {
        const ngi_tensor *t = ngi_tensor_find(param, sketch.name[i]);
        size_t bytes =
            t != NULL ? ngi_size_add(ng_work_mat_size(t->now.rows, t->now.cols, param->w.dtype),
                                     ng_work_mat_size(t->now.rows, rows, param->w.dtype))
                      : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

void ngi_statistics_capture(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                            double scale, ng_work *work)
{
    ng_side out = ngi_output_side(param);
    ng_side in = ngi_other(out);
    const ngi_tensor *of_g = ngi_side_tensor(param, pending, out);
    const ngi_tensor *of_a = ngi_tensor_find(param, pending.name[in]); /* its own */
    double beta = param->captured > 0 ? 1 : 0; /* the old sums end with a step */
    if (!ngi_due(param, ngi_rule_of(o).update_interval))
        return;
    if (of_g != NULL)
        ng_syrk(of_g->now, g, NG_TRANS, scale * scale, beta, NULL);
    if (of_a != NULL) {
        ng_syrk(ng_mat_block(of_a->now, 0, 0, a.cols, a.cols), a, NG_TRANS, 1, beta, NULL);
        if (ngi_biased(param))
            add_ones(of_a->now, a, param->bias_input, param->captured == 0);
    }
    if (ngi_has_own(param, sketch, out)) /* neither fails: shapes were checked, scratch is there */
        add_sketch(param, out, g, scale, beta, 0, work, NULL);
    if (ngi_has_own(param, sketch, in))
        add_sketch(param, in, a, 1, beta, param->bias_input, work, NULL);
    param->captured += (double)a.rows;
}

ng_status ngi_statistics_ready(const ngi_param *param, const ng_steepest_options *o,
                               ng_error *error)
{
    if (param->captured > 0 || !ngi_due(param, ngi_rule_of(o).update_interval))
        return NG_OK;
    return ng_error_set(error, NG_ENODATA,
                        "no ng_group_capture since the last step, but its metric needs it");
}

/* of a factor of low rank, which is not renewed yet */
static ng_status average_sketch(ngi_param *param, ng_side side, double weight, ng_error *error)
{
    ng_mat sum = ngi_tensor_find(param, sketch.name[side])->now;
    ng_mat trace = ngi_tensor_find(param, sketch_trace.name[side])->now;
    ngi_tensor *t = ngi_tensor_find(param, sketch_average.name[side]);
    ngi_tensor *share = ngi_tensor_find(param, sketch_share.name[side]);
    double part = 1 / weight / param->captured, keep = 1 - 1 / weight;
    TRY(ng_lincomb(t->next, part, sum, keep, t->now, error));
    ng_mat_set(share->next, 0, 0, keep * ng_mat_get(share->now, 0, 0));
    ng_mat_set(share->next, 0, 1,
               keep * ng_mat_get(share->now, 0, 1) + part * ng_mat_get(trace, 0, 0));
    t->fresh = share->fresh = 1;
    return NG_OK;
}

/* The old factor and the average beside it become one; where that fails both stay. */
static ng_status renew(ngi_param *param, ng_side side, ng_work *work, ng_error *error)
{
    ngi_tensor *t = ngi_tensor_find(param, sketch_average.name[side]);
    ngi_tensor *share = ngi_tensor_find(param, sketch_share.name[side]);
    ng_mat average = ngi_newest(t), shares = ngi_newest(share);
    ngi_low_rank_news news = {
        .trace = ng_mat_get(shares, 0, 1), .weight = 1, .keep = ng_mat_get(shares, 0, 0)};
    TRY(ng_work_mat(work, &news.v, average.rows, average.cols, average.dtype, error));
    TRY(ng_work_mat(work, &news.y, average.rows, average.cols, average.dtype, error));
    TRY(ngi_low_rank_vectors(news.v, param, side, error));
    TRY(ng_copy(news.y, average, error));
    TRY(ngi_low_rank_renew(param, side, news, work, error));
    if (!ngi_tensor_find(param, ngi_directions.name[side])->fresh)
        return NG_OK;
    ng_fill(t->next, 0);
    ng_set_identity(share->next);
    t->fresh = share->fresh = 1;
    return NG_OK;
}

ng_status ngi_statistics_renew(ngi_param *param, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    for (int i = 0; i < 2; i++) {
        if (ngi_has_own(param, sketch, sides[i]))
            TRY(renew(param, sides[i], work, error));
        work->used = mark;
    }
    return NG_OK;
}

/* ---- Averages ----------------------------------------------------------------------------- */

enum { PIECE = 512 }; /* sums of another dtype than the factors' in hand at a time */

/* new <- keep old + weight sums, of one shape; sums may have another dtype */
static void blend(ng_mat new, double weight, ng_mat sums, double keep, ng_mat old)
{
    unsigned char room[PIECE * sizeof(double)];
    if (sums.dtype == new.dtype) {
        ng_lincomb(new, weight, sums, keep, old, NULL);
        return;
    }
    for (size_t i = 0; i < new.rows; i++)
        for (size_t j = 0; j < new.cols; j += PIECE) {
            size_t count = new.cols - j < PIECE ? new.cols - j : PIECE;
            ng_mat piece = {room, 1, count, count, new.dtype};
            ng_copy(piece, ng_mat_block(sums, i, j, 1, count), NULL);
            ng_lincomb(ng_mat_block(new, i, j, 1, count), weight, piece, keep,
                       ng_mat_block(old, i, j, 1, count), NULL);
        }
}

/* What an average is made of: new <- keep old + weight sums. */
typedef struct {
    ng_mat old, sums;
    double weight, keep;
} blending;

/* of the side's factor, in the parameter that has it; 0: it stays as it is */
static int blending_of(blending *b, const ngi_param *param, ng_side side)
{
    const ngi_param *owner = ngi_leads(param, side) ? param : param->leader;
    const ngi_tensor *t = ngi_tensor_find(owner, ngi_average_weight);
    double weight = ng_mat_get(t->next, 0, 0);
    b->old = ngi_side_tensor(param, ngi_factor, side)->now;
    b->sums = ngi_side_tensor(param, pending, side)->now;
    b->weight = 1 / weight / owner->captured;
    b->keep = 1 - 1 / weight;
    return t->fresh;
}

ng_status ngi_statistics_factor(ng_mat factor, const ngi_param *param, ng_side side,
                                ng_error *error)
{
    blending b;
    if (!blending_of(&b, param, side))
        return ng_copy(factor, b.old, error);
    blend(factor, b.weight, b.sums, b.keep, b.old);
    return NG_OK;
}

static ng_mat diagonal(ng_mat x, size_t i, size_t count)
{
    ng_mat d = ng_mat_block(x, i, i, 1, 1);
    d.rows = count;
    d.stride++;
    return d;
}

/* the trace times scale; *finite: are its terms? */
static double scaled_trace(int *finite, const blending *b, int fresh, double scale)
{
    double room[PIECE], sum = 0;
    *finite = 1;
    for (size_t i = 0; i < b->old.rows; i += PIECE) {
        size_t count = b->old.rows - i < PIECE ? b->old.rows - i : PIECE;
        ng_mat piece = {room, count, 1, 1, b->old.dtype};
        if (fresh)
            blend(piece, b->weight, diagonal(b->sums, i, count), b->keep,
                  diagonal(b->old, i, count));
        else
            ng_copy(piece, diagonal(b->old, i, count), NULL);
        for (size_t k = 0; k < count; k++)
            sum += scale * ng_mat_get(piece, k, 0);
        *finite = *finite && ng_is_finite(piece);
    }
    return sum;
}

double ngi_statistics_trace(const ngi_param *param, ng_side side)
{
    blending b;
    int finite, fresh = blending_of(&b, param, side);
    double sum = scaled_trace(&finite, &b, fresh, 1);
    return isfinite(sum) ? sum : scaled_trace(&finite, &b, fresh, 0x1p-60) * 0x1p60;
}

/* one side of a parameter that has a factor there */
static ng_status average(ngi_param *param, ng_side side, int in_commit, ng_error *error)
{
    ngi_tensor *t = ngi_side_tensor(param, ngi_factor, side);
    blending b;
    int finite;
    blending_of(&b, param, side);
    if (in_commit) { /* the diagonal bounds the rest */
        scaled_trace(&finite, &b, 1, 1);
        return finite ? NG_OK
                      : ng_error_set(error, NG_ERANGE, "its %s would overflow its dtype", t->name);
    }
    blend(t->next, b.weight, b.sums, b.keep, b.old);
    t->fresh = 1;
    return NG_OK;
}

/* Does the parameter have this side's factor itself? */
static int has_factor(const ngi_param *param, ng_side side)
{
    return ngi_leads(param, side) && ngi_side_tensor(param, ngi_factor, side) != NULL;
}

/* The weights ema_decay^(t-s) of all statistics so far add up to average_weight;
 * an average that starts from the identity has had its start for ever. */
ng_status ngi_statistics_average(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    ngi_tensor *t = ngi_tensor_find(param, ngi_average_weight);
    ngi_rule r = ngi_rule_of(o);
    double weight = r.factor_start == NG_FACTOR_START_IDENTITY
                        ? 1 / (1 - r.ema_decay)
                        : 1 + r.ema_decay * ng_mat_get(t->now, 0, 0);
    ng_mat_set(t->next, 0, 0, weight);
    t->fresh = 1;
    for (int i = 0; i < 2; i++) {
        if (ngi_has_own(param, sketch, sides[i]))
            TRY(average_sketch(param, sides[i], weight, error));
        if (has_factor(param, sides[i]))
            TRY(average(param, sides[i], r.in_commit, error));
    }
    return NG_OK;
}

void ngi_statistics_commit(ngi_param *param, const ng_steepest_options *o)
{
    if (!ngi_rule_of(o).in_commit || !ngi_tensor_find(param, ngi_average_weight)->fresh)
        return;
    for (int i = 0; i < 2; i++)
        if (has_factor(param, sides[i])) {
            ng_mat factor = ngi_side_tensor(param, ngi_factor, sides[i])->now;
            ngi_statistics_factor(factor, param, sides[i], NULL);
        }
}

static ng_status check_singular(const ngi_param *param, const ng_mat values[2], ng_error *error)
{
    double tiny = ng_dtype_eps(param->w.dtype);
    for (int i = 0; i < 2; i++) {
        size_t n = values[i].cols;
        if (!(ng_mat_get(values[i], 0, 0) > (double)n * tiny * ng_mat_get(values[i], 0, n - 1)))
            return ngi_statistics_singular(error);
    }
    return NG_OK;
}

ng_status ngi_statistics_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                               ng_error *error)
{
    size_t mark = work->used;
    ng_mat values[2];
    TRY(ng_work_mat(work, &values[0], 1, param->rows, NG_F64, error));
    TRY(ng_work_mat(work, &values[1], 1, param->cols, NG_F64, error));
    ng_status status = ngi_eigen_bases(param, values, 0, work, error);
    if (status == NG_OK && !(ngi_rule_of(o).damping > 0))
        TRY(check_singular(param, values, error));
    if (status == NG_OK)
        ngi_eigen_products(param, values);
    work->used = mark;
    return status == NG_ENOCONV ? NG_OK : status; /* the last good ones serve */
}

ng_status ngi_statistics_singular(ng_error *error)
{
    return ng_error_set(error, NG_ESINGULAR,
                        "a factor is singular to working precision: it needs damping > 0");
}
