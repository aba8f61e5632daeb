/* The largest norm of a column, the weights of an input: each column of Y is that of X over its
 * norm, and 0 for 0. */
#include "optim/steepest/ball.h"

static ng_status project(ng_mat y, ngi_report *report, ng_mat x, ng_side outputs,
                         const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    (void)report, (void)o, (void)work;
    return ngi_unit_lines(y, x, outputs == NG_LEFT ? NG_RIGHT : NG_LEFT, error);
}

const ngi_ball ngi_ball_columns = {.name = "columns", .unit = 1, .project = project};
