/* The averaged gradient (momentum.h). */
#include "optim/steepest/momentum.h"

#include <math.h>

#include "lib/core/try.h"
#include "lib/linalg/unit.h"
#include "optim/steepest/ball.h"

/* The tensors of the method itself, in the order of adding; the metric's come behind them. */
enum { MOMENTUM, SEEN }; /* SEEN, 1 x 1: the largest element the average has had, fading */
enum { PIECE = 512 };    /* elements of the gradient in commit's hands at a time */

ng_status ngi_momentum_create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    int spare = o->momentum_space == NG_MOMENTUM_WHITENED ? NGI_SPARE : NGI_IN_PLACE;
    TRY(ngi_param_tensor(param, "momentum", param->rows, param->cols, param->w.dtype, spare,
                         error));
    TRY(ngi_param_tensor(param, "momentum_seen", 1, 1, NG_F64, NGI_SPARE, error));
    param->tensor[SEEN].legal = NGI_NONNEGATIVE;
    return NG_OK;
}

/* g, a gradient or a part of it, divided by the whole gradient's root mean square if asked; zero
 * stays zero */
static void rescale(ng_mat g, const ngi_param *param, const ng_steepest_options *o)
{
    if (o->gradient_scale == NG_GRADIENT_SCALE_NONE || !(param->gradient_max > 0))
        return;
    ngi_scale_to_unit(g, g, param->gradient_max);
    ng_scale(g, param->gradient_scale);
}

/* How, for g with largest element max: the reciprocal of a tiny root mean square would overflow the
 * dtype, so g, which is overwritten, is brought to order 1 first, unless it is near it: powers of
 * two change no bit. */
static void measure(ngi_param *param, ng_mat g, double max)
{
    double count = (double)g.rows * (double)g.cols;
    int ordinary = max > 0x1p-60 && max < 0x1p60;
    param->gradient_max = ordinary ? 0.5 : max; /* 1/2 is of order 1: nothing to do */
    if (!(max > 0))
        return;
    ngi_scale_to_unit(g, g, param->gradient_max);
    param->gradient_scale = sqrt(count) / sqrt(ng_dot(g, g));
    ng_scale(g, param->gradient_scale);
}

ng_status ngi_momentum_gradient(ng_mat g, ngi_param *param, const ng_steepest_options *o,
                                ng_error *error)
{
    double max;
    TRY(ngi_gradient_bound(&max, param, INFINITY, error));
    TRY(ng_copy(ngi_weight_part(param, g), param->g, error));
    if (ngi_biased(param))
        TRY(ng_copy(ngi_bias_part(param, g), param->g_bias, error));
    if (o->gradient_scale == NG_GRADIENT_SCALE_RMS)
        measure(param, g, max);
    return NG_OK;
}

/* Has the average faded to nothing against what it has seen? Then it becomes 0: what is left would
 * be a whole step in a ball, for ever once it sticks at the smallest numbers of its dtype. max: its
 * largest element. */
static int at_rest(ngi_param *param, const ng_steepest_options *o, double max)
{
    ngi_tensor *seen = &param->tensor[SEEN];
    double most = fmax(max, sqrt(o->momentum) * ng_mat_get(seen->now, 0, 0));
    int unit = ngi_ball_find(o->ball)->unit && o->length == NG_LENGTH_UNIT;
    int rest = unit && max <= ng_dtype_eps(param->w.dtype) * most;
    ng_mat_set(seen->next, 0, 0, rest ? 0 : most);
    seen->fresh = 1;
    return rest;
}

ng_status ngi_momentum_average(ng_mat x, ngi_param *param, const ng_steepest_options *o, ng_mat g,
                               ng_error *error)
{
    ngi_tensor *momentum = &param->tensor[MOMENTUM];
    TRY(ng_lincomb(x, 1 - o->momentum, g, o->momentum, momentum->now, error));
    double max = ng_max_abs(x);
    if (!isfinite(max))
        return ng_error_set(error, NG_ERANGE, "its momentum would overflow its dtype");
    param->at_rest = at_rest(param, o, max);
    if (param->at_rest)
        ng_fill(x, 0);
    if (momentum->spare)
        TRY(ng_copy(momentum->next, x, error));
    momentum->fresh = momentum->spare;
    return o->nesterov ? ng_lincomb(x, 1 - o->momentum, g, o->momentum, x, error) : NG_OK;
}

/* ---- Once more, in commit ---------------------------------------------------------------- */

/* row <- momentum row + (1 - momentum) g, a piece at a time; both 1 x n */
static void average_row(ng_mat row, ng_mat g, const ngi_param *param, const ng_steepest_options *o)
{
    unsigned char room[PIECE * sizeof(double)];
    for (size_t j = 0; j < row.cols; j += PIECE) {
        size_t count = row.cols - j < PIECE ? row.cols - j : PIECE;
        ng_mat piece = {room, 1, count, count, row.dtype}, part = ng_mat_block(row, 0, j, 1, count);
        ng_copy(piece, ng_mat_block(g, 0, j, 1, count), NULL);
        rescale(piece, param, o);
        ng_lincomb(part, 1 - o->momentum, piece, o->momentum, part, NULL);
    }
}

static void average_again(ng_mat momentum, ng_mat g, const ngi_param *param,
                          const ng_steepest_options *o)
{
    if (o->gradient_scale == NG_GRADIENT_SCALE_NONE) {
        ng_lincomb(momentum, 1 - o->momentum, g, o->momentum, momentum, NULL);
        return;
    }
    if (momentum.stride == momentum.cols && g.stride == g.cols) { /* one long row */
        momentum.cols *= momentum.rows;
        g.cols = momentum.cols;
        momentum.rows = 1;
    }
    for (size_t i = 0; i < momentum.rows; i++)
        average_row(ng_mat_block(momentum, i, 0, 1, momentum.cols),
                    ng_mat_block(g, i, 0, 1, momentum.cols), param, o);
}

void ngi_momentum_commit(ngi_param *param, const ng_steepest_options *o)
{
    ng_mat momentum = param->tensor[MOMENTUM].now;
    if (param->tensor[MOMENTUM].spare)
        return;
    if (param->at_rest) {
        ng_fill(momentum, 0);
        return;
    }
    average_again(ngi_weight_part(param, momentum), param->g, param, o);
    if (ngi_biased(param))
        average_again(ngi_bias_part(param, momentum), param->g_bias, param, o);
}
