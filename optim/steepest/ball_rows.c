/* The largest norm of a row, the weights of an output: each row of Y is that of X over its norm,
 * and 0 for 0. */
#include "optim/steepest/ball.h"

#include "lib/core/try.h"
#include "lib/linalg/unit.h"

ng_status ngi_unit_lines(ng_mat y, ng_mat x, ng_side side, ng_error *error)
{
    TRY(ng_copy(y, x, error));
    for (size_t i = 0; side == NG_LEFT && i < y.rows; i++)
        ngi_scale_to_norm(ng_mat_block(y, i, 0, 1, y.cols), 1);
    for (size_t j = 0; side == NG_RIGHT && j < y.cols; j++)
        ngi_scale_to_norm(ng_mat_block(y, 0, j, y.rows, 1), 1);
    return NG_OK;
}

static ng_status project(ng_mat y, ngi_report *report, ng_mat x, ng_side outputs,
                         const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    (void)report, (void)o, (void)work;
    return ngi_unit_lines(y, x, outputs, error);
}

const ngi_ball ngi_ball_rows = {.name = "rows", .unit = 1, .project = project};
