/* natgrad/metric/fismo.h: FISMO, the Fisher metric from gradients alone. Xu, Yan &
 * Zhang 2026, Algorithm 1: at each step one Gauss-Seidel step on the fixed point of
 * their Theorem 1, P first:
 *
 *   P <- gamma P + (1 - gamma) (G Q^-1 G^T / n + mu tr(P)/m I)
 *   Q <- gamma Q + (1 - gamma) (G^T P^-1 G / m + mu tr(Q)/n I)
 *
 * with the old P, Q in the first line and the new P in the second, P_0 = Q_0 = I,
 * gamma = ema_decay, mu = damping: relative to the factor's mean eigenvalue. With
 * metric_scale = trace each is then scaled to trace m, n; with none it is not. G
 * is this step's gradient after gradient_scale.
 *
 * Preset fismo, at the speed of products: spectral ball, spectral.polar fast, root
 * inverse, refresh_p and refresh_q 10, one_sided auto, momentum 0.95 in gradient space,
 * gradient_scale rms, lr 0.01, damping 3. Preset fismo_paper, Algorithm 1 to the
 * letter: momentum_space whitened, root symmetric, exact polar factors, P and Q
 * renewed every step, gradients as they come, lr 0.005, damping 1.
 *
 * NG_EOPTION: momentum_space = whitened without root = symmetric, refresh_tolerance
 * > 0 without root = symmetric. */
#ifndef NATGRAD_METRIC_FISMO_H
#define NATGRAD_METRIC_FISMO_H

#include <natgrad/metric/factors.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double ema_decay;             /* default 0.95, [0, 1) */
    double damping;               /* default 1, >= 0, relative to the mean eigenvalue */
    ng_root root;                 /* default cholesky; fixed once there are parameters */
    ng_metric_scale metric_scale; /* default auto */
    ng_one_sided one_sided;       /* default never; fixed */
    int rank; /* of the larger side's factor (factors.h), >= 1; default 0: it is whole; fixed */
    ng_factor_dtype factor_dtype; /* default auto; fixed */
    /* P and Q take in the gradient and get a new root every that many steps; default 1, >= 1 */
    int refresh_p, refresh_q;
    /* symmetric roots: an eigenbasis that still diagonalises its factor up to this part of its
     * Frobenius norm is kept (ng_spd_power_update); default 0: never, [0, 1); fixed */
    double refresh_tolerance;
} ng_fismo_options;

#ifdef __cplusplus
}
#endif
#endif
