/* natgrad/sgd.h: stochastic gradient descent with momentum, torch's rule.
 *
 *   coupled decay:  g <- g + weight_decay W
 *   momentum:       b <- momentum b + g (first step b = g);
 *                   d = g + momentum b if nesterov, else b
 *   step:           W <- (1 - lr weight_decay) W - lr d   (decay decoupled)
 *
 * State: b, of the parameter's size, also with momentum = 0. A gradient that
 * could carry b out of its dtype, |g| > (1 - momentum)/2 of the largest number,
 * is NG_ERANGE. */
#ifndef NATGRAD_SGD_H
#define NATGRAD_SGD_H

#include <natgrad/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NG_DECAY_DECOUPLED = 0, NG_DECAY_COUPLED = 1 } ng_weight_decay_kind;

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;                              /* default 0.05, >= 0 */
    double momentum;                        /* default 0.9, [0, 1) */
    int nesterov;                           /* default 0; 0 or 1 */
    double weight_decay;                    /* default 0, >= 0, per unit of lr */
    ng_weight_decay_kind weight_decay_kind; /* default decoupled */
} ng_sgd_options;

NG_API ng_status ng_sgd_init_sized(ng_sgd_options *options, size_t size);
static inline ng_status ng_sgd_init(ng_sgd_options *options)
{
    return ng_sgd_init_sized(options, sizeof *options);
}

#ifdef __cplusplus
}
#endif
#endif
