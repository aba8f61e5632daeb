/* Kronecker metrics: a symmetric positive definite factor and its root on each
 * side of the matrix. A metric_*.c fills the factors; everything else about
 * them is here. Factors and roots are state with a spare copy. */
#ifndef NGI_KRON_H
#define NGI_KRON_H

#include "optim/metric.h"

/* Which copy: the state of the last step or the one being prepared. */
typedef enum { NGI_OLD, NGI_NEW } ngi_age;

static inline ng_mat ngi_kron_factor(const ngi_param *param, ng_side side, ngi_age age)
{
    const ngi_tensor *t = &param->tensor[side == NG_LEFT ? LEFT_FACTOR : RIGHT_FACTOR];
    return age == NGI_OLD ? t->now : t->next;
}

static inline ng_mat ngi_kron_root(const ngi_param *param, ng_side side, ngi_age age)
{
    const ngi_tensor *t = &param->tensor[side == NG_LEFT ? LEFT_ROOT : RIGHT_ROOT];
    return age == NGI_OLD ? t->now : t->next;
}

/* The side of the layer's outputs (factor P); the other one is its inputs (Q). */
static inline ng_side ngi_output_side(const ngi_param *param)
{
    return param->layout == NG_OUT_IN ? NG_LEFT : NG_RIGHT;
}

static inline ng_side ngi_other(ng_side side)
{
    return side == NG_LEFT ? NG_RIGHT : NG_LEFT;
}

/* Adds factors and roots, all identities. */
ng_status ngi_kron_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);

/* New factor of `side` <- decay old + (1 - decay) (x x^T / d + shift I), then
 * scaled to mean eigenvalue 1 if the options ask; x x^T is x^T x on the right,
 * d the length of the other side. NG_ERANGE if it overflows. */
ng_status ngi_kron_accumulate(ngi_param *param, const ng_steepest_options *o, ng_side side,
                              ng_mat x, double shift, ng_error *error);

/* New root of `side` from the new factor. NG_ESINGULAR, NG_ENOCONV. */
ng_status ngi_kron_decompose(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error);

/* x <- S^-1 x on the left, x S^-T on the right, with the root of that age. */
ng_status ngi_kron_whiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                               ngi_age age, ng_mat x, ng_work *work, ng_error *error);

/* Scratch bytes of all of the above. */
size_t ngi_kron_work(const ngi_param *param, const ng_steepest_options *o);

/* The slots of ngi_metric, with the new roots. */
ng_status ngi_kron_whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                          ng_work *work, ng_error *error);
ng_status ngi_kron_unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                            ng_work *work, ng_error *error);
ng_status ngi_kron_whiten_new_side(const ngi_param *param, const ng_steepest_options *o,
                                   ng_side side, ng_mat x, ng_work *work, ng_error *error);
ng_status ngi_kron_unwhiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                                 ng_mat y, ng_work *work, ng_error *error);

#endif
