/* natgrad/metric/soap.h: SOAP, Adam in the eigenbases of Shampoo. Vyas et al. 2024,
 * Algorithm 3: diagonal in the eigenbases u, v (rows) of Shampoo's averages L and R
 * (natgrad/metric/shampoo.h) with eigenvalues sqrt(V') + damping, so that without a ball
 *
 *   D = u^T [ (u M v^T) / (sqrt(V') + damping) ] v,
 *   V <- beta2 V + (1 - beta2) (u G v^T)^2,   V' = V / (1 - beta2^t)
 *
 * (beta2 = 1: the sum, V' = V). damping is Adam's eps, absolute. Against the authors'
 * program: M has no bias correction, as in all of ng_steepest, and is averaged in the
 * gradients' space and rotated at each step; V is carried when the bases move, as
 * ekfac's s; the first step is Adam's, with u, v the identity, and not left out. Bases
 * are renewed before steps 2, 2 + inverse_interval, ... from the gradients before, so
 * that no gradient defines its own. one_sided leaves a side in the identity.
 *
 * Where L or R has several eigenvalues 0 (after one gradient any shape with |m - n| >= 2),
 * their eigenvectors are rounding's choice, and results of another BLAS may differ by far
 * more than rounding: two kernel sets of one library by 20 % for a 32 x 64 matrix.
 *
 * Preset soap: no ball, momentum 0.95, lr 0.004, one_sided auto.
 *
 * NG_EOPTION: momentum_space = whitened. */
#ifndef NATGRAD_METRIC_SOAP_H
#define NATGRAD_METRIC_SOAP_H

#include <natgrad/metric/factors.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double ema_decay; /* default 0.95, [0, 1], of L and R; 1: sums */
    double beta2;     /* default 0.9, [0, 1], of V; 1: the sum */
    double damping;   /* default 1e-8, >= 0, absolute: Adam's eps */
    /* as shampoo's, but bases one step later; defaults 1 and 10, >= 1 */
    int update_interval, inverse_interval;
    ng_eigenbasis eigenbasis;     /* default qr */
    ng_metric_scale metric_scale; /* default auto */
    ng_one_sided one_sided;       /* default never; fixed once there are parameters */
    ng_factor_dtype factor_dtype; /* default same; fixed */
} ng_soap_options;

#ifdef __cplusplus
}
#endif
#endif
