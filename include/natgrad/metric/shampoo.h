/* natgrad/metric/shampoo.h: Shampoo, powers of the averages of G G^T and G^T G. Gupta,
 * Koren & Singer 2018:
 *
 *   L <- ema_decay-average of G G^T,  R <- that of G^T G, corrected for their
 *        start: sum_s ema_decay^(t-s) X_s / sum_s ema_decay^(t-s); with
 *        ema_decay = 1 their sums
 *   P = (L + damping tr(L)/m I)^exponent,  Q = (R + damping tr(R)/n I)^exponent
 *
 * so that without a ball D = (L + ..)^-exponent M (R + ..)^-exponent. Where one_sided leaves one
 * of them out the other has twice the exponent: one-sided Shampoo, D = (L + ..)^(-1/2) M
 * (Xie et al. 2025, arXiv:2503.10537; ASGO, An et al. 2025, arXiv:2503.20762). exponent = 1/4 is
 * the papers' Shampoo, 1/2 with both sides the Kronecker approximation of the gradients' second
 * moment (Morwani et al. 2024). damping is relative to the mean eigenvalue, so D of c G is
 * c^(1 - 4 exponent) D. A factor without any gradient yet has the root I. Roots
 * are taken at steps 1, 1 + inverse_interval, ... A step fails with NG_ESINGULAR
 * where damping = 0 and a factor is singular.
 *
 * Preset shampoo: no ball, root inverse, one_sided auto, Adam's step length (grafting = adam,
 * grafting_beta2 0.95), momentum 0.9, lr 0.002.
 *
 * NG_EOPTION: root = cholesky, momentum_space = whitened without root = symmetric. */
#ifndef NATGRAD_METRIC_SHAMPOO_H
#define NATGRAD_METRIC_SHAMPOO_H

#include <natgrad/metric/factors.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double ema_decay; /* default 0.95, [0, 1]; 1: sums */
    double damping;   /* default 0.001, >= 0, relative to the mean eigenvalue */
    double exponent;  /* default 0.25, [0, 1]; twice it where a side is left out */
    /* gradients go into L and R at steps 1, 1 + update_interval, ..., roots are taken, with the
     * damping of that step, at steps 1, 1 + inverse_interval, ...; defaults 1 and 10, >= 1 */
    int update_interval, inverse_interval;
    /* default symmetric, P^(-1/2) and Q^(-1/2); inverse: P^-1 and Q^-1, half the products of a step
     * without a ball; fixed once there are parameters. Factors in double of weights in f32 have
     * symmetric roots. */
    ng_root root;
    ng_metric_scale metric_scale; /* default auto */
    ng_one_sided one_sided;       /* default never; fixed once there are parameters */
    ng_factor_dtype factor_dtype; /* default auto; fixed */
} ng_shampoo_options;

#ifdef __cplusplus
}
#endif
#endif
