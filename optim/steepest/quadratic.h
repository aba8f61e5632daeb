/* rate = quadratic (natgrad/steepest.h): how far a group goes along its direction and its last step
 * by a quadratic model of the loss. */
#ifndef NGI_QUADRATIC_H
#define NGI_QUADRATIC_H

#include "optim/steepest/metric.h"

static inline int ngi_quadratic(const ng_steepest_options *o)
{
    return o->rate == NG_RATE_QUADRATIC;
}

/* The state it needs, if the options ask for it: the last step, and with retract the weights before
 * it. */
ng_status ngi_quadratic_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);

/* Options that do not go together. */
ng_status ngi_quadratic_check(const ng_steepest_options *o, ng_error *error);

/* Slots of ng_method: agree, agree_work, fisher_calls, needs_weights, adapt and undo. */
ng_status ngi_quadratic_agree(ngi_param *const *params, size_t count, const ng_steepest_options *o,
                              ngi_joint *joint, ng_work *work, ng_error *error);
size_t ngi_quadratic_work(ngi_param *const *params, size_t count, const void *options);
unsigned ngi_quadratic_calls(const void *options);
int ngi_quadratic_on(const void *options);
ng_status ngi_quadratic_adapt(void *options, ngi_outcome *outcome, ng_error *error);
void ngi_quadratic_undo(ngi_param *param);

/* Before the weights move: keeps what the next step and undo need. */
void ngi_quadratic_commit(ngi_param *param, const ng_steepest_options *o);

#endif
