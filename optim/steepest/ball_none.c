/* No ball, a quadratic penalty: Y = X. */
#include "optim/steepest/ball.h"

static ng_status project(ng_mat y, ngi_report *report, ng_mat x, ng_side outputs,
                         const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    (void)report, (void)outputs, (void)o, (void)work;
    return ng_copy(y, x, error);
}

const ngi_ball ngi_ball_none = {.name = "none", .project = project};
