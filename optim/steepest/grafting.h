/* Second moments, element by element, and grafting: the length another
 * optimizer's step would have. */
#ifndef NGI_MOMENT_H
#define NGI_MOMENT_H

#include "optim/steepest/metric.h"

/* New tensor <- beta2 old + (1 - beta2) g^2, or old + g^2 for beta2 = 1; old may be the new one
 * itself. NG_ERANGE. */
ng_status ngi_moment_add(ngi_tensor *t, ng_mat old, double beta2, ng_mat g, ng_error *error);

/* What corrects it for its start: 1/(1 - beta2^t), 1 for a sum. */
double ngi_moment_scale(const ngi_param *param, double beta2);

/* grafting: state, the new state from g and the length for the averaged gradient x */
ng_status ngi_graft_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);
ng_status ngi_graft_length(double *length, ngi_param *param, const ng_steepest_options *o, ng_mat g,
                           ng_mat x, ng_error *error);

#endif
