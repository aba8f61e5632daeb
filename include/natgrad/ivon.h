/* natgrad/ivon.h: IVON, natural gradient for a Gaussian over the weights (Shen and others 2024,
 * arXiv:2402.17641): error bars at the price of Adam. The posterior has mean m and, for each
 * weight, the variance 1 / (ess (h + delta)).
 *
 *   ng_optimizer_sample(opt, &random);   W <- m + noise
 *   ... forward, backward at W ...
 *   ng_optimizer_step(opt);              W <- the new m
 *
 * With delta = weight_decay, gradients g at W = m + n, and means over the samples of a step:
 *
 *   momentum <- beta1 momentum + (1 - beta1) g
 *   f         = n g (h + delta) ess
 *   h        <- beta2 h + (1 - beta2) f + (1 - beta2)^2 (h - f)^2 / (2 (h + delta))
 *   m        <- m - lr (hess_init + delta)
 *                 clip((momentum / (1 - beta1^t) + delta m) / (h + delta), clip_radius)
 *
 * Several samples a step: ng_optimizer_accumulate after the gradient of each, then the step, as
 * for micro-batches. A gradient that was taken at the mean, without a sample, counts with f = ess
 * g^2 (the published "gradsq"). Clipping by ng_optimizer_options leaves the f of accumulated
 * samples alone.
 *
 * State: momentum, h and sums of n g, each of the parameter's size, and m while W is a sample. */
#ifndef NATGRAD_IVON_H
#define NATGRAD_IVON_H

#include <natgrad/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;           /* default 0.1, >= 0 */
    double ess;          /* effective sample size: of the training set; default 10000, > 0 */
    double hess_init;    /* h at first; default 1, > 0. 0.05 to 1 where h is small */
    double beta1, beta2; /* defaults 0.9 and 0.99999, [0, 1) */
    double weight_decay; /* delta: precision of the prior per sample; default 0.0001, >= 0 */
    double clip_radius;  /* on each element of a step before lr; default 1e30: none; > 0 */
} ng_ivon_options;

NG_API ng_status ng_ivon_init_sized(ng_ivon_options *options, size_t size);
static inline ng_status ng_ivon_init(ng_ivon_options *options)
{
    return ng_ivon_init_sized(options, sizeof *options);
}

#ifdef __cplusplus
}
#endif
#endif
