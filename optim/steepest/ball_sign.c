/* Max norm: Y = sign(X), element by element, and 0 for 0. */
#include "optim/steepest/ball.h"

#include "lib/linalg/signs.h"

static ng_status project(ng_mat y, ngi_report *report, ng_mat x, ng_side outputs,
                         const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    (void)report, (void)outputs, (void)o, (void)work, (void)error;
    ngi_sign(y, x);
    return NG_OK;
}

const ngi_ball ngi_ball_sign = {.name = "sign", .unit = 1, .project = project};
