/* From the gradient to its average, which ng_steepest follows. In the space of gradients the
 * average has no spare copy: prepare makes the next one in scratch, commit makes it again, element
 * by element with the same bits. Of whitened gradients, which commit no longer has, the spare copy
 * keeps it. */
#ifndef NGI_MOMENTUM_H
#define NGI_MOMENTUM_H

#include <natgrad/steepest.h>

#include "optim/front/method.h"

/* Declares the average's tensors, before any other. */
ng_status ngi_momentum_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);

/* g <- the step's gradient, dense, scaled if the options ask. NG_ENONFINITE. */
ng_status ngi_momentum_gradient(ng_mat g, ngi_param *param, const ng_steepest_options *o,
                                ng_error *error);

/* x <- what the step follows: the next average, of g, or Nesterov's. With param->at_rest it is 0
 * and there is no step. NG_ERANGE. */
ng_status ngi_momentum_average(ng_mat x, ngi_param *param, const ng_steepest_options *o, ng_mat g,
                               ng_error *error);

/* The average of the step. */
void ngi_momentum_commit(ngi_param *param, const ng_steepest_options *o);

#endif
