/* natgrad/metric/ekfac.h: EKFAC, second moments in the eigenbases of K-FAC. George
 * et al. 2018: it keeps the eigenvectors
 * (rows of u, v) of kfac's factors (natgrad/metric/kfac.h has these, and what to
 * capture) and replaces the products of their eigenvalues by the second moments
 * of the samples' own gradients there,
 *
 *   s <- ema_decay-average of (U o U)^T (V o V) / N,  U = scale G u^T, V = A v^T:
 *
 * F = (u (x) v)^T diag(s) (u (x) v), damped exactly, s + damping. At the first step
 * s is the product of eigenvalues (kfac with exact_eigen). The bases are renewed at
 * steps 1, 1 + inverse_interval, ...; s is measured at each step, in the bases of
 * the step before, and carried into new ones as the diagonal of the same matrix,
 * (R o R) s (R' o R')^T for the rotations R, R' from old to new.
 *
 * Where N < max(m, n) - 1, the first factors have several eigenvalues 0, whose
 * eigenvectors are rounding's choice: results of another BLAS then differ by more
 * than rounding.
 *
 * A step fails with NG_ENODATA without a capture since the last one, NG_ESINGULAR
 * where damping = 0 and s is singular to working precision.
 *
 * Preset ekfac: no ball, momentum 0.9, lr 0.0025, kl_clip 0.001 (0 for a ball, grafting or atomic =
 * parameter).
 *
 * NG_EOPTION: momentum_space = whitened. */
#ifndef NATGRAD_METRIC_EKFAC_H
#define NATGRAD_METRIC_EKFAC_H

#include <natgrad/metric/factors.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double ema_decay;             /* default 0.95, [0, 1), of factors and s */
    double damping;               /* default 0.001, >= 0, absolute */
    ng_factor_start factor_start; /* default first; fixed once there are parameters */
    /* as kfac's; defaults 1 and 10, >= 1 */
    int update_interval, inverse_interval;
    ng_eigenbasis eigenbasis;     /* default eigh */
    ng_metric_scale metric_scale; /* default auto */
    ng_factor_dtype factor_dtype; /* default auto; fixed */
} ng_ekfac_options;

#ifdef __cplusplus
}
#endif
#endif
