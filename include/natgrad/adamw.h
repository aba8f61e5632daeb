/* natgrad/adamw.h: Adam with decoupled weight decay (Loshchilov & Hutter
 * 2019), torch's rule. At step t = 1, 2, ...
 *
 *   m <- beta1 m + (1 - beta1) g          v <- beta2 v + (1 - beta2) g^2
 *   W <- (1 - lr weight_decay) W
 *        - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * State: m and v, each of the parameter's size. A gradient whose square
 * overflows its dtype is NG_ERANGE. */
#ifndef NATGRAD_ADAMW_H
#define NATGRAD_ADAMW_H

#include <natgrad/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;           /* default 0.001, >= 0 */
    double beta1, beta2; /* defaults 0.9 and 0.999, [0, 1) */
    double eps;          /* default 1e-8, >= 1e-30 */
    double weight_decay; /* default 0.01, >= 0, per unit of lr */
} ng_adamw_options;

NG_API ng_status ng_adamw_init_sized(ng_adamw_options *options, size_t size);
static inline ng_status ng_adamw_init(ng_adamw_options *options)
{
    return ng_adamw_init_sized(options, sizeof *options);
}

#ifdef __cplusplus
}
#endif
#endif
