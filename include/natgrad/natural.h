/* natgrad/natural.h: the natural gradient of a whole group of parameters under
 * any Fisher matrix (Amari 1998).
 *
 *   ng_fisher *f;                           n = elements of all the group's parameters
 *   ng_natural_options natural;
 *   ng_natural_init(&natural);
 *   ng_fisher_create_dense(&f, n, NG_F64, NULL);
 *   ng_optimizer_add_group(opt, &group, &natural);
 *   ng_group_add(group, NULL, "w", w, dw);  and the others
 *   ng_group_set_fisher(group, f);
 *   for (;;) {
 *       ... fill dw ...
 *       ng_fisher_accumulate(f, scores, NULL, &batch, &error);
 *       ng_optimizer_step(opt);
 *   }
 *
 * The parameters make one vector g (1 x n): one after the other in the order of
 * adding, the rows of each view one after the other. F is n x n in that order; a
 * Kronecker factored one with a bias wants [W b] as one view of outputs x
 * (inputs + 1).
 *
 *   average:  M <- momentum M + (1 - momentum) g, M_0 = 0
 *   step:     D = (F + damping I)^-1 M
 *             W <- (1 - lr weight_decay) W - lr s D
 *
 * With sketch = m > 0 and F low-rank, of more than m rows, a step draws a sketch S of m rows
 * (natgrad/sketch.h) and takes (S B)^T (S B) for F = B^T B: cheaper by rows / m or more, at an
 * error of D whose mean square falls like 1/m (ng_fisher_solve_sketched). The random
 * numbers are a hash of the optimizer's seed, the first parameter's name and its step, so that a
 * run from a checkpoint has the same bits.
 *
 * s is one factor for the group: 1, or with kl_radius > 0
 * min(1, sqrt(2 kl_radius / (lr^2 <D, M>))), so that the quadratic model
 * 1/2 lr^2 s^2 D (F + damping I) D^T of the step's KL divergence is at most
 * kl_radius. F and g belong to one normalisation: the mean Fisher matrix to the
 * gradient of the mean loss, sums to sums.
 *
 * State: M and D, under lm the weights before the last step.
 * ng_optimizer_step fails, and changes nothing, with what ng_fisher_solve fails
 * with (NG_ENODATA: nothing accumulated, NG_ESINGULAR, NG_ENOCONV, NG_ENOMEM, ...),
 * and with NG_ENODATA (no Fisher matrix, or no losses: see below), NG_ESHAPE (F of
 * another size), NG_EUNSUPPORTED (a sketch of an F that is not low-rank), NG_EDTYPE (a parameter
 * not of F's dtype), NG_EINDEFINITE (<D, M> < 0), NG_ENONFINITE, NG_ERANGE. */
#ifndef NATGRAD_NATURAL_H
#define NATGRAD_NATURAL_H

#include <natgrad/fisher.h>
#include <natgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NG_DAMPING_MODE_FIXED = 0, /* damping is what ng_group_set says */
    NG_DAMPING_MODE_LM = 1     /* Levenberg-Marquardt: ng_group_adapt_damping moves it */
} ng_damping_mode;

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;                    /* default 1, >= 0 */
    double momentum;              /* default 0, [0, 1) */
    double weight_decay;          /* default 0, >= 0, decoupled, per unit of lr */
    double damping;               /* default 0.001, >= 0, absolute; under lm where it starts */
    ng_damping_mode damping_mode; /* default fixed; cannot change once there are parameters */
    double damping_factor;        /* default 0.95, (0, 1): omega, the rate of lm */
    double damping_min;           /* default 1e-8: the bounds of lm, 0 < min <= max */
    double damping_max;           /* default 1e8 */
    double kl_radius;             /* default 0: s = 1; >= 0 */
    int sketch;                   /* default 0: F as it is; >= 0, rows that a step makes of F's */
    ng_sketch_kind sketch_kind;   /* default NG_SKETCH_SRHT */
} ng_natural_options;

/* damping_mode = lm goes with momentum = 0, weight_decay = 0 and lr < 2 (else NG_EOPTION): the
 * model it trusts is that of the plain step. */
NG_API ng_status ng_natural_init_sized(ng_natural_options *options, size_t size);
static inline ng_status ng_natural_init(ng_natural_options *options)
{
    return ng_natural_init_sized(options, sizeof *options);
}

/* Gives the group its Fisher matrix: borrowed, to live until it is replaced or
 * the optimizer destroyed; NULL takes it away. Any representation that solves,
 * of whatever size: a step compares. A step solves with it and changes nothing
 * else about it. A group of ng_steepest with rate = quadratic multiplies with one. NG_EUNSUPPORTED
 * for a group of another method and for a representation without ng_fisher_solve, NG_EARG. */
NG_API ng_status ng_group_set_fisher(ng_group *group, ng_fisher *f);

/* Under damping_mode = lm once after every step, else that group's next step is
 * NG_ENODATA: the loss before the step and after it, both on the data the
 * gradient came from. *ratio (may be NULL) is
 *
 *   rho = (before - after) / (lr s (1 - lr s / 2) <D, g>),
 *
 * the actual reduction over that of the model g p^T + 1/2 p (F + damping I) p^T
 * at the step p = -lr s D. rho > 3/4 multiplies damping by damping_factor, rho
 * < 1/4 divides it, within the bounds (Martens & Grosse 2015, section 6.5; their
 * omega_1 = 0.95^5 every 5 steps). Where the model promises no more than the
 * rounding of the losses, eps_f64 |before|, damping stays and rho counts as 1.
 * Effective next step; ng_group_get(group, "damping", &x) reads it.
 *
 * rho < 0, a loss larger than before: the step is taken back. The weights, which must
 * not have been changed since, are to the bit what they were before it, and so is each
 * parameter's count of steps (ng_optimizer_steps counts calls, also this one); the next
 * step, from a gradient and losses there, is shorter by the larger damping. Where after
 * is no finite number tell the largest one.
 *
 * Also of a group of ng_steepest with rate = quadratic, after any step (natgrad/steepest.h); there a
 * step is taken back only with retract.
 *
 * NG_EUNSUPPORTED for other methods and modes, NG_ENODATA without a step since the last
 * call, NG_ENONFINITE for a loss that is NaN or infinite, NG_EARG; then nothing has
 * changed. */
NG_API ng_status ng_group_adapt_damping(ng_group *group, double *ratio, double before,
                                        double after);

#ifdef __cplusplus
}
#endif
#endif
