/* natgrad/metric/type2.h: the Type II metric of natgrad/regime.h, an experiment.
 * arXiv:2504.14728, arXiv:2603.09067; of kfac's F (natgrad/metric/kfac.h has it, and
 * what to capture), damped:
 *
 *   g = (F + damping I)^2 + beta (F + damping I),  F = P (x) Q,
 *
 * diagonal in the eigenbases of P and Q with eigenvalues mu = (l + damping)(l + damping
 * + beta), l the products of theirs; without a ball D = g^-1 M. beta > 0 is in the units
 * of F; 0 takes for each layer the beta* that alpha_scalar solves, of the functional A
 * and the eigenvalues l + damping: largest - 2 smallest or 0. With a beta* > 0 the factor
 * l + damping + beta* is exactly twice as large for the largest eigenvalue as for the
 * smallest, so that D is kfac's with exact_eigen, divided by a number for each layer (the
 * spread of its F) and by 1 to 2 along eigenvectors. mu is renewed with the bases, at
 * steps 1, 1 + inverse_interval, ...
 *
 * g of c F is c^2 g: with metric_scale = none lr has the unit of F^2, with trace (mean mu
 * 1) that of gradient descent. kl_clip measures steps in g, not in F.
 *
 * A step fails as kfac's, and with NG_ERANGE where mu overflows or underflows.
 *
 * No preset: `metric = type2` on kfac's.
 *
 * NG_EOPTION: momentum_space = whitened. */
#ifndef NATGRAD_METRIC_TYPE2_H
#define NATGRAD_METRIC_TYPE2_H

#include <natgrad/metric/factors.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double ema_decay;             /* default 0.95, [0, 1) */
    double damping;               /* default 0.001, >= 0, absolute */
    double beta;                  /* default 0: of each layer's alpha_scalar; >= 0 */
    ng_factor_start factor_start; /* default first; fixed once there are parameters */
    /* as kfac's; defaults 1 and 10, >= 1 */
    int update_interval, inverse_interval;
    ng_metric_scale metric_scale; /* default auto */
    ng_factor_dtype factor_dtype; /* default auto; fixed */
} ng_type2_options;

#ifdef __cplusplus
}
#endif
#endif
