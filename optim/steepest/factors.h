/* Kronecker metrics: a symmetric positive definite factor and its root on each
 * side of the matrix. A metric_*.c fills the factors; everything else about
 * them is here. Factors and roots are state with a spare copy. */
#ifndef NGI_KRON_H
#define NGI_KRON_H

#include "optim/steepest/low_rank.h"

/* Names of state on both sides. */
extern const ngi_pair ngi_factor, ngi_root;

/* What the weights of an average that is corrected for its start add up to. */
extern const char ngi_average_weight[];

static inline ng_mat ngi_kron_root(const ngi_param *param, ng_side side, ngi_age age)
{
    const ngi_tensor *t = ngi_side_tensor(param, ngi_root, side);
    const ng_mat none = {.data = NULL};
    return t == NULL ? none : ngi_aged(t, age);
}

/* In which form the roots are kept: the rule's, but for the inverse of a factor kept in double for
 * weights in f32. That factor may be so ill-conditioned that its inverse has no place in f32, and a
 * root has. */
static inline ng_root ngi_kron_form(const ngi_param *param, const ng_steepest_options *o)
{
    const ngi_tensor *left = ngi_tensor_find(param, ngi_factor.name[0]);
    const ngi_tensor *one = left != NULL ? left : ngi_tensor_find(param, ngi_factor.name[1]);
    ngi_rule r = ngi_rule_of(o);
    int wide = one != NULL && one->now.dtype != param->w.dtype;
    return r.root == NG_ROOT_INVERSE && wide ? r.wide : r.root;
}

/* Does this side have a factor? With one_sided the larger one has none: it is
 * the identity there. */
static inline int ngi_kron_has(const ngi_param *param, ng_side side)
{
    return ngi_side_tensor(param, ngi_factor, side) != NULL || ngi_is_low_rank(param, side);
}

/* Is it the turn of what happens every `interval` steps? */
static inline int ngi_due(const ngi_param *param, int interval)
{
    return param->step % (unsigned)interval == 0;
}

/* Adds factors and roots, all identities, as the rule asks. */
ng_status ngi_kron_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);

/* New factor of `side` <- decay old + (1 - decay) (x y^T / d + damping tr(old)/k I)
 * for the k x k factor, then scaled to mean eigenvalue 1 if the options ask;
 * x y^T, symmetric (y is x, or x = y times an inverse), is x^T y on the right, d the length of the
 * other side. NG_ERANGE if it overflows. */
ng_status ngi_kron_accumulate(ngi_param *param, const ng_steepest_options *o, ng_side side,
                              ng_mat x, ng_mat y, ng_work *work, ng_error *error);

/* factor <- keep factor + weight x x^T (x^T x on the right), lower triangle. */
ng_status ngi_kron_add_gram(ng_mat factor, ng_side side, ng_mat x, double weight, double keep,
                            ng_work *work, ng_error *error);

/* The factors of Shampoo and SOAP: sums (ema_decay = 1) or averages, corrected for their start,
 * of g g^T and g^T g. create: factors 0, roots identities. NG_ERANGE. */
ng_status ngi_gram_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);
ng_status ngi_gram_average(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                           ng_error *error);

/* New root of `side` from the new factor. NG_ESINGULAR. Where every
 * eigen-solver fails the last good root stays, and the report says so. */
ng_status ngi_kron_decompose(ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_work *work, ng_error *error);

/* x <- S^-1 x on the left, x S^-T on the right, with the root of that age. */
ng_status ngi_kron_whiten_side(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                               ngi_age age, ng_mat x, ng_work *work, ng_error *error);

/* z <- P^-1 x or x Q^-1, with the root of that age. */
ng_status ngi_kron_solve(ng_mat z, const ngi_param *param, const ng_steepest_options *o,
                         ng_side side, ngi_age age, ng_mat x, ng_work *work, ng_error *error);

/* Scratch bytes of adding to a factor, of decompose, of whiten, unwhiten, solve and whiten_side,
 * and of the slots that know one side: each gives back what it took. */
size_t ngi_kron_add_work(const ngi_param *param);
size_t ngi_kron_root_work(const ngi_param *param, const ng_steepest_options *o);
size_t ngi_kron_turn_work(const ngi_param *param, const ng_steepest_options *o);
size_t ngi_kron_side_work(const ngi_param *param, const ng_steepest_options *o, ng_side side);

/* The slots of ngi_metric, with the new roots. */
ng_status ngi_kron_whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                          ng_work *work, ng_error *error);
ng_status ngi_kron_unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                            ng_work *work, ng_error *error);
ng_status ngi_kron_factor_side(ng_mat *factor, const ngi_param *param, const ng_steepest_options *o,
                               ng_side side, ng_work *work, ng_error *error);
ng_status ngi_kron_solve_side(ng_mat z, const ngi_param *param, const ng_steepest_options *o,
                              ng_side side, ng_mat x, ng_work *work, ng_error *error);

#endif
