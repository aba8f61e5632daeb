/* A group as one vector (1 x n): its parameters one after the other in the order
 * of adding, of each the weights, row by row, and then its bias. */
#ifndef NGI_FRONT_VECTOR_H
#define NGI_FRONT_VECTOR_H

#include "optim/front/method.h"

/* What each parameter keeps in the vector's place, its bias with it where it has one. */
typedef ng_mat ngi_vector_part(ngi_param *param);

size_t ngi_vector_length(ngi_param *const *params, size_t count);

/* v <- the parts; the parts <- v. */
ng_status ngi_vector_gather(ng_mat v, ngi_param *const *params, size_t count, ngi_vector_part *part,
                            ng_error *error);
ng_status ngi_vector_scatter(ngi_param *const *params, size_t count, ngi_vector_part *part,
                             ng_mat v, ng_error *error);

/* F is of this vector and its dtype: NG_EDTYPE, NG_ESHAPE. */
ng_status ngi_vector_check_fisher(ngi_param *const *params, size_t count, const ng_fisher *f,
                                  ng_error *error);

ng_mat ngi_vector_update(ngi_param *param);  /* param->update */
ng_mat ngi_vector_weights(ngi_param *param); /* param->w */

/* keep w - step update stays in the dtype, for every parameter: NG_ERANGE with its name. */
ng_status ngi_vector_check(ngi_param *const *params, size_t count, double keep, double step,
                           ng_error *error);

/* The factor on the updates, and what monitors ask for. */
void ngi_vector_settle(ngi_param *const *params, size_t count, double step);

/* Levenberg and Marquardt's rule (natgrad/natural.h, ng_group_adapt_damping): the ratio, and
 * where *damping goes; a step that made the loss larger is to be taken back. */
typedef struct {
    double factor, min, max;
} ngi_damping_rule;
void ngi_damping_adapt(double *damping, const ngi_damping_rule *rule, ngi_outcome *outcome);

#endif
