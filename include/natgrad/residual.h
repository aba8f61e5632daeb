/* natgrad/residual.h: the natural gradient in its residual form: Gauss-Newton for
 * PINNs and least squares, stochastic reconfiguration (minSR, SPRING) for quantum states.
 *
 *   ng_residual_options o;
 *   ng_residual_init(&o);
 *   ng_residuals_create(&res, n, max_rows, NULL, &error);   natgrad/residuals.h
 *   ng_optimizer_add_group(opt, &group, &o);
 *   ng_group_add(group, NULL, "w", w, dw);                  and the others
 *   ng_group_set_residuals(group, res, NULL);
 *   for (;;) {
 *       ng_residuals_clear(res);
 *       ... ng_residuals_add, fill the rows at the present weights ...
 *       ng_optimizer_step(opt);
 *   }
 *
 * The parameters, all NG_F64, make one vector w (1 x n): one after the other in the order of
 * adding, the rows of each view one after the other; J's columns are in that order. Their gradients
 * dw are never read by the method (they may share one buffer): J and r say all there is.
 *
 *   phi  = momentum phi' + J^T S (S J J^T S + damping I)^-1 S (r - momentum J phi')   phi'_0 = 0
 *   psi  = J^T S (S J J^T S + damping I)^-1 S r_vv              where there is a second derivative
 *   w   <- w - t phi - 1/2 t^2 psi                              t = lr without a line search
 *
 * momentum = 0 is Gauss-Newton, Levenberg-Marquardt with damping_mode = lm, and minSR; momentum > 0
 * is SPRING (Goldshlager, Abrahamsen and Lin, arXiv:2401.10190): the part of phi that J cannot see
 * is momentum phi'. r_vv is the second derivative of r along phi: the geodesic acceleration of
 * Transtrum and Sethna (arXiv:1201.5885; dual form arXiv:2505.21404). It is left out of a step
 * where 2 t |psi| > acceleration |phi|: there the second order is no correction any more.
 *
 * The line search takes t from lr, lr/2, lr/4, ...: `trials` of them at most.
 *   armijo: the first with loss(t) <= loss(0) - armijo t r^T C J phi
 *   grid:   as long as halving lowers the loss, the last that did; it must be below loss(0)
 * A trial whose loss is no finite number is a bad one. If none will do, the step is NG_ENOCONV and
 * like every step that fails it has changed nothing: weights, phi', counts and damping are what
 * they were, to the bit.
 *
 * damping_mode = lm: ng_group_adapt_damping (natgrad/natural.h) after every step, with
 * predicted = t r^T C J phi - t^2/2 (|S J phi|^2 + damping |phi|^2). It takes a step that raised
 * the loss back: weights, phi' and the parameters' counts of steps are to the bit what they were,
 * damping is larger by the rule. J and r are still those of these weights: step again.
 *
 * State: phi' and its spare copy, under lm the weights before the last step. */
#ifndef NATGRAD_RESIDUAL_H
#define NATGRAD_RESIDUAL_H

#include <natgrad/natural.h>
#include <natgrad/residuals.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NG_LINE_SEARCH_NONE = 0,
    NG_LINE_SEARCH_ARMIJO = 1,
    NG_LINE_SEARCH_GRID = 2
} ng_line_search;

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;                    /* default 1, >= 0: t, or the largest of a line search */
    double momentum;              /* default 0, [0, 1): mu of SPRING, 0.99 in the paper */
    double damping;               /* default 0.001, >= 0, absolute; under lm where it starts */
    ng_damping_mode damping_mode; /* default fixed; cannot change once there are parameters */
    double damping_factor;      /* default 0.3, (0, 1): what a good step multiplies damping with */
    double damping_min;         /* default 1e-16: the bounds of lm, 0 < min <= max */
    double damping_max;         /* default 1e8 */
    double step_norm;           /* default 0: any; else |t phi| is at most this, by a smaller t */
    double acceleration;        /* default 0.75, > 0: see above */
    ng_line_search line_search; /* default none; else there is a loss to call */
    double armijo;              /* default 1e-4, [0, 1) */
    int trials;                 /* default 24, 1 ... 1000 */
    ng_residual_solver solver;  /* default auto, natgrad/residuals.h; and of solver = cg: */
    double cg_tolerance;        /* default 1e-10, (0, 1) */
    int cg_iterations;          /* default 1000, >= 1 */
    int sketch;                 /* default 50, >= 0 */
} ng_residual_options;

/* damping_mode = lm goes with lr < 2 (else NG_EOPTION). */
NG_API ng_status ng_residual_init_sized(ng_residual_options *options, size_t size);
static inline ng_status ng_residual_init(ng_residual_options *options)
{
    return ng_residual_init_sized(options, sizeof *options);
}

/* What a step may ask: between the last check and the first weight that changes, and at no other
 * time. Vectors are n or m doubles in the order above, theirs to read until the call returns. A
 * status other than NG_OK ends the step, which returns it. The callbacks keep their hands off the
 * optimizer. */
typedef struct {
    /* (optional) *loss <- at the weights w (1 x n), on the same data as the rows */
    ng_status (*loss)(void *data, double *loss, ng_mat w, ng_error *error);
    /* (optional) second (1 x m) <- d^2 r(w + x v)/dx^2 at x = 0 and the present weights, v 1 x n,
     * in the order of the rows; without weights */
    ng_status (*second)(void *data, ng_mat second, ng_mat v, ng_error *error);
    void *data;
} ng_residual_calls;

/* Gives the group its residuals: borrowed, to live until they are replaced or the optimizer is
 * destroyed; NULL takes them away. calls (may be NULL) is copied, its data borrowed. A step solves
 * with the residuals (ng_residuals_factor) and changes nothing else about them. NG_EUNSUPPORTED for
 * a group of another method, NG_EARG.
 *
 * ng_optimizer_step fails with what ng_residuals_factor and ng_residuals_solve fail with, and with
 * NG_ENODATA (no residuals were given or none added; no loss for a line search; lm waits for
 * losses), NG_ESHAPE (residuals of another number of weights), NG_EDTYPE (a parameter that is not
 * NG_F64), NG_ENOCONV (line search), NG_ENONFINITE, NG_ERANGE. */
NG_API ng_status ng_group_set_residuals(ng_group *group, ng_residuals *residuals,
                                        const ng_residual_calls *calls);

#ifdef __cplusplus
}
#endif
#endif
