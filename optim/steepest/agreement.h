/* agreement (natgrad/steepest.h): how far gradients point one way. */
#ifndef NGI_AGREEMENT_H
#define NGI_AGREEMENT_H

#include "optim/steepest/metric.h"

/* Adds the root mean square of gradients' norms, if the options ask for it. */
ng_status ngi_agreement_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);

/* *share <- the average's norm over that of gradients so far, the new one g with them; both in the
 * space where they are averaged. 0 where all were 0, 1 without the option. */
ng_status ngi_agreement_measure(double *share, ngi_param *param, const ng_steepest_options *o,
                                ng_mat average, ng_mat g, ng_error *error);

#endif
