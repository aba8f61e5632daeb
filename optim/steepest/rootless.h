/* From the averaged gradient to the direction by P^-1 and Q^-1 alone, with no root of them: for
 * Kronecker metrics and momentum in the space of gradients. */
#ifndef NGI_ROOTLESS_H
#define NGI_ROOTLESS_H

#include <natgrad/steepest.h>

#include "optim/front/method.h"

/* Has the ball a multiplier that takes the factors themselves? */
int ngi_fusible(const ng_steepest_options *o);

/* d <- the step's direction for x in the ball, *dual <- the norm of x dual to it where it is asked
 * for. x and z, as large, are overwritten; where no norm is asked for d may be x. NG_ENOCONV: the
 * long way is left, x but for its scale is there. */
ng_status ngi_fused(ng_mat d, double *dual, ngi_param *param, const ng_steepest_options *o,
                    ng_mat x, ng_mat z, ng_work *work, ng_error *error);

/* Its scratch bytes. */
size_t ngi_fused_work(const ngi_param *param, const ng_steepest_options *o);

/* Is there no ball? */
int ngi_solvable(const ng_steepest_options *o);

/* d <- P^-1 x Q^-1; x is overwritten. */
ng_status ngi_solve_both(ng_mat d, const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                         ng_work *work, ng_error *error);
size_t ngi_solve_both_work(const ngi_param *param, const ng_steepest_options *o);

#endif
