/* Frobenius ball: Y = X / ||X||_F, and 0 for 0. */
#include "optim/steepest/ball.h"

#include "lib/core/try.h"
#include "lib/linalg/unit.h"

static ng_status project(ng_mat y, ngi_report *report, ng_mat x, ng_side outputs,
                         const ng_steepest_options *o, ng_work *work, ng_error *error)
{
    (void)report, (void)outputs, (void)o, (void)work;
    TRY(ng_copy(y, x, error));
    ngi_scale_to_norm(y, 1);
    return NG_OK;
}

const ngi_ball ngi_ball_frobenius = {.name = "frobenius", .unit = 1, .project = project};
