/* natgrad/langevin.h: Langevin dynamics, which draws weights from exp(-U / temperature), U the
 * loss.
 *
 *   ng_langevin_options langevin;
 *   ng_langevin_init(&langevin);
 *   langevin.temperature = 1.0 / samples;     the posterior, where the loss is a mean
 *   ng_optimizer_add_group(opt, &group, &langevin);
 *   for (;;) {
 *       ... gradients ...
 *       ng_optimizer_step(opt);
 *       ng_average_update(average, &error);   the mean; the second moment: see below
 *   }
 *
 * The group's weights are one vector w (1 x n) and so is their gradient g. A step, z from N(0, I):
 *
 *   d = -lr g + sqrt(2 lr temperature) z
 *   w <- w + d                                   manifold = euclidean
 *   w <- |w| (w + P d) / |w + P d|               sphere, P = I - w w^T / |w|^2
 *
 * The sphere has the radius that w has at first. With temperature = 0 that is gradient descent,
 * projected and retracted. With gradients of single samples instead of noise, temperature = 0 and a
 * small lr, the average of w (natgrad/average.h) and the top eigenvector of that of w^T w find
 * directions that single weights do not (Wei, Damian and Lee 2026, arXiv:2603.06028).
 * ng_fisher_accumulate of a dense F takes w as a row and makes F the mean of w^T w.
 *
 * Riemannian: a group with a Fisher matrix F (ng_group_set_fisher) takes
 *
 *   d = -lr (F + damping I)^-1 g + sqrt(2 lr temperature) (F + damping I)^-1/2 z
 *
 * (Girolami and Calderhead 2011 without the metric's derivatives): directions of any curvature mix
 * at one rate. The law is right for any constant F; where F follows w its change adds a drift that
 * is left out here. F needs ng_fisher_power and a euclidean manifold.
 *
 * Steps of finite length: of a Gaussian with precision F the covariance is F^-1 temperature / (1 -
 * lr / 2), without F each eigenvalue h of the precision has temperature / (h (1 - lr h / 2)). Large
 * noisy gradients on a sphere may end at the opposite of what they seek: lr times the gradient's
 * rms small against 1.
 *
 * z is a hash of the optimizer's seed, the first parameter's name and its step: the same bits after
 * a checkpoint. No state. Weights are of f32 or f64 (else NG_EDTYPE). Failing, a step changes
 * nothing: what ng_fisher_solve and ng_fisher_power fail with, NG_ESHAPE and NG_EDTYPE (F of
 * another size or dtype), NG_EUNSUPPORTED (F cannot take a root, or on a sphere), NG_ESINGULAR (a
 * sphere of radius 0), NG_ENONFINITE, NG_ERANGE. */
#ifndef NATGRAD_LANGEVIN_H
#define NATGRAD_LANGEVIN_H

#include <natgrad/natural.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NG_MANIFOLD_EUCLIDEAN = 0, NG_MANIFOLD_SPHERE = 1 } ng_manifold;

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;            /* default 0.001, >= 0: the time of a step */
    double temperature;   /* default 1, >= 0 */
    double damping;       /* default 0.001, >= 0: part of the metric F + damping I */
    ng_manifold manifold; /* default NG_MANIFOLD_EUCLIDEAN */
} ng_langevin_options;

NG_API ng_status ng_langevin_init_sized(ng_langevin_options *options, size_t size);
static inline ng_status ng_langevin_init(ng_langevin_options *options)
{
    return ng_langevin_init_sized(options, sizeof *options);
}

#ifdef __cplusplus
}
#endif
#endif
