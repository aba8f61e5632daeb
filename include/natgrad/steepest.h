/* natgrad/steepest.h: steepest descent under a metric, in a ball.
 *
 * For a weight matrix W (m x n) with gradient G, averaged gradient M and a
 * metric of factors P (m x m, outputs) and Q (n x n, inputs), S_P S_P^T = P,
 * S_Q S_Q^T = Q:
 *
 *   M <- momentum M + (1 - momentum) G        (M_0 = 0, no bias correction;
 *                                              nesterov uses (1 - momentum) G + momentum M)
 *   X = S_P^-1 M S_Q^-T                       whiten
 *   Y = X                    no ball
 *       X / ||X||_F          Frobenius ball
 *       Polar(X)             spectral ball (natgrad/ball/spectral.h)
 *       sign(X)              sign: the largest element
 *       X_i / ||X_i||        rows: the largest norm of a row, an output's weights
 *       X_j / ||X_j||        columns: the largest norm of a column, an input's weights
 *   D = S_P^-T Y S_Q^-1                       un-whiten
 *   W <- (1 - lr weight_decay) W - lr shape_scale D
 *
 * Y maximises <X, Y> over the matrices of norm 1; the maximum is the dual norm of X:
 * ||X||_F, the sum of singular values, of absolute elements, of the norms of rows or
 * of columns. The last three balls know coordinates, so that in a metric D depends on
 * which root S is.
 *
 * metric \ ball    none               Frobenius         spectral
 * identity         gradient descent   normalised GD     Muon
 * fismo                                                 FISMO
 * kfac, ekfac      K-FAC, EKFAC      normalised        K-FAC with Muon's step
 * shampoo          Shampoo
 * soap             SOAP
 * type2            natural gradient of F^2 + beta F
 *
 * Each metric has a header, natgrad/metric/NAME.h, with its formulas, its source,
 * its options and its presets. Options that belong to a metric or ball lie in a
 * struct of its own, o.kfac.damping, o.spectral.polar; by name ("damping") those
 * of the chosen metric and ball are found, and a name of another one is NG_EOPTION.
 * Options of metrics and balls that are not chosen are kept and not read.
 *
 * length = dual, in a ball: D is multiplied by <X, Y>, the dual norm, so that it
 * shrinks with the gradient: the minimum of -<X, Y> + 1/2 ||Y||^2 (with the spectral
 * ball under the identity PolarGrad: Lau, Long & Su 2025, arXiv:2505.21799). Where a
 * polar factor is not exact, <X, Y> takes it as it is.
 *
 * agreement, in a ball: D is multiplied by ||M||_F / s, s the running size of gradients (s = 0 at
 * first, no bias correction; of whitened ones with momentum_space = whitened),
 *   s^2 <- momentum s^2 + (1 - momentum) ||G||_F^2
 * near 1 while gradients repeat themselves, sqrt((1 - momentum) / (1 + momentum)), 0.16 with
 * momentum 0.95, where they are noise about 0, and sqrt(1 - momentum) in the first step: a step in
 * a ball has no other way to become shorter near a minimum. lr is that of gradients that agree.
 * Novograd (Ginsburg et al. 2019, arXiv:1905.11286) has norms of layers in this place.
 *
 * row_normalisation, in a ball (NorMuon: Li et al. 2025, arXiv:2510.05491): after the
 * un-whitening, for each output i with state v_i (v = 0 at first, no bias correction)
 *   v_i <- row_beta2 v_i + (1 - row_beta2) mean_j D_ij^2
 *   D_ij <- D_ij / (sqrt(v_i) + 1e-10)
 * and D back to its Frobenius norm before, times ||before|| / (||after|| + 1e-10).
 *
 * cautious_decay (Chen et al. 2025, arXiv:2510.12402): weight_decay acts on the W_ij
 * with W_ij D_ij >= 0 alone, those the step does not take away from 0.
 *
 * At rest: in exact arithmetic M decays for ever where gradients stay away, and a
 * ball would make each remnant a whole step. With a ball and length = unit M becomes 0, and D with
 * it, where its largest element is at most eps (of W's dtype) times the largest it has seen, max
 * over s <= t of momentum^((t - s)/2) max |M_s|: after 2 log(eps)/log(momentum) steps without a
 * gradient (621 in f32 with momentum 0.95). Gradients that shrink step by step stay above it unless
 * they do so faster than momentum^(1/2) a step.
 *
 * grafting, without a ball: D is rescaled to another optimizer's length, for the
 * same M.
 *
 * kl_clip = kappa > 0, without a ball: D is scaled by one factor for all
 * parameters of the group, min(1, sqrt(2 kappa / (lr^2 sum <D, M>))), so that
 * the step's KL divergence in the damped metric, 1/2 lr^2 sum <D, F D>, is at
 * most kappa. (kfac-pytorch's kl_clip is 2 kappa and takes <D, G>.)
 *
 * rate = quadratic, without a ball (Martens & Grosse 2015, arXiv:1503.05671, sections 6.4 to 7):
 * the group goes to the minimum of the model
 *   M(d) = 1/2 d (F + lambda I) d^T + g d^T,   d = alpha D + mu d',
 * along its direction D, from g itself (momentum = 0), and its last step d':
 *   (alpha, mu) = -(V F V^T + lambda V V^T)^-1 V g,   V = (D, d'),   W <- W + lr d
 * so that lr, 1 in the preset, and momentum need no choice. F is the group's Fisher matrix
 * (ng_group_set_fisher, natgrad/natural.h): of any representation that multiplies, matrix-free for
 * a net, at the weights of the gradient and for the same mean loss; each parameter's weights
 * row by row, then its bias. Without one D's curvature is the metric's own, damped, and mu = 0.
 * lambda = model_damping moves by ng_group_adapt_damping, which may be called after any step,
 * by damping_factor a step since the last call; rho is the reduction of the loss over that of
 * M without lambda. retract takes a step with rho < 0 back; d' is 0 then. Where D and d' cannot
 * be told apart by rounding mu = 0.
 * trial_interval = T: at steps 1, 1 + T, ... D is made with the metric's damping as it is, times
 * and divided by damping_factor^T, within damping_min and damping_max, and goes on with that of
 * the lowest M: three directions in such a step, four if it changes.
 * State: d', and with retract W.
 *
 * NG_EOPTION: rate = quadratic with a ball, momentum, nesterov, weight_decay, kl_clip,
 * grafting or momentum_space = whitened; trial_interval under the identity; grafting with a ball,
 * with momentum_space = whitened or with kl_clip > 0; kl_clip > 0 with a ball or the identity
 * metric; length = dual, agreement or row_normalisation without a ball; what a metric's header adds.
 *
 * With layout NG_IN_OUT rows and columns swap roles; W is never transposed.
 * A zero averaged gradient gives D = 0. State per parameter: M, D and what M has seen
 * (M twice with momentum_space = whitened), max(m, n) numbers twice for row_normalisation, and for
 * all metrics but identity two factors and their roots or bases twice (a step is all or nothing),
 * for kfac, ekfac and type2 the sums of captured statistics, for ekfac, soap, type2 and exact_eigen
 * a diagonal of W's size twice. */
#ifndef NATGRAD_STEEPEST_H
#define NATGRAD_STEEPEST_H

#include <natgrad/ball/spectral.h>
#include <natgrad/metric/list.h>
#include <natgrad/options.h>

#ifdef __cplusplus
extern "C" {
#endif

/* By name: "identity", "fismo", ... */
typedef enum {
#define NG_METRIC_ENUM(NAME, name) , NG_METRIC_##NAME
    NG_METRIC_IDENTITY = 0 NG_METRIC_LIST(NG_METRIC_ENUM)
#undef NG_METRIC_ENUM
} ng_metric;

typedef enum {
    NG_BALL_NONE = 0,
    NG_BALL_FROBENIUS = 1,
    NG_BALL_SPECTRAL = 2,
    NG_BALL_SIGN = 3,
    NG_BALL_ROWS = 4,
    NG_BALL_COLUMNS = 5
} ng_ball;

typedef enum {
    NG_LENGTH_UNIT = 0, /* 1 in the ball's norm */
    NG_LENGTH_DUAL = 1  /* the dual norm of X */
} ng_length;

/* Where the moving average is taken. */
typedef enum {
    NG_MOMENTUM_GRADIENT = 0, /* of gradients, whitened afresh each step: any root gives the same D
                                 (but with the balls sign, rows and columns) */
    NG_MOMENTUM_WHITENED =
        1 /* of whitened gradients (FISMO's Alg. 1 to the letter): symmetric roots only */
} ng_momentum_space;

typedef enum {
    NG_GRADIENT_SCALE_NONE = 0,
    NG_GRADIENT_SCALE_RMS =
        1 /* G / rms(G), for the factors and the momentum: c G gives the same D */
} ng_gradient_scale;

/* The Frobenius norm D is rescaled to, without a ball. */
typedef enum {
    NG_GRAFTING_NONE = 0,
    NG_GRAFTING_SGD = 1, /* ||M||_F */
    NG_GRAFTING_ADAM = 2 /* ||M / (sqrt(V) + 1e-8)||_F, V the second moment of the elements of G
                            with decay grafting_beta2, corrected for its start */
} ng_grafting;

/* How far a step goes. */
typedef enum {
    NG_RATE_FIXED = 0,
    NG_RATE_QUADRATIC = 1 /* to the minimum of a quadratic model: see above */
} ng_rate;

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;             /* default 0.01, >= 0 */
    double momentum;       /* default 0.95, [0, 1) */
    int nesterov;          /* default 0; 0 or 1 */
    double weight_decay;   /* default 0, >= 0, decoupled, per unit of lr, never shape-scaled */
    int cautious_decay;    /* default 0; 0 or 1 */
    ng_metric metric;      /* default identity; fixed once there are parameters */
    ng_ball ball;          /* default none */
    ng_length length;      /* default unit */
    int agreement;         /* default 0; 0 or 1; fixed */
    int row_normalisation; /* default 0; 0 or 1; fixed */
    double row_beta2;      /* default 0.95, [0, 1) */
    ng_momentum_space momentum_space; /* default gradient; fixed */
    ng_gradient_scale gradient_scale; /* default none */
    double kl_clip;                   /* default 0: off; >= 0 */
    ng_grafting grafting;             /* default none; fixed */
    double grafting_beta2;            /* default 0.95, [0, 1]; 1: AdaGrad's sum */
    ng_rate rate;                     /* default fixed; fixed once there are parameters */
    double model_damping;             /* default 1, >= 0: lambda, of the loss's curvature */
    double damping_factor;            /* default 0.95, (0, 1): omega, a step */
    double damping_min, damping_max;  /* defaults 1e-8, 1e8; 0 <= min <= max */
    int trial_interval; /* default 0: never; a multiple of the metric's inverse_interval */
    int retract;        /* default 0; 0 or 1; fixed */
    /* of each metric, and of the balls that have any */
#define NG_METRIC_MEMBER(NAME, name) ng_##name##_options name;
    NG_METRIC_LIST(NG_METRIC_MEMBER)
#undef NG_METRIC_MEMBER
    ng_spectral_options spectral;
} ng_steepest_options;

/* Plain gradient descent with momentum: identity metric, no ball. */
NG_API ng_status ng_steepest_init_sized(ng_steepest_options *options, size_t size);
static inline ng_status ng_steepest_init(ng_steepest_options *options)
{
    return ng_steepest_init_sized(options, sizeof *options);
}

/* ng_steepest_init_muon, ng_steepest_init_fismo, ...: the presets; what each sets
 * stands in its metric's header. */
#define NG_STEEPEST_PRESET(name, doc)                                                              \
    NG_API ng_status ng_steepest_init_##name##_sized(ng_steepest_options *options, size_t size);   \
    static inline ng_status ng_steepest_init_##name(ng_steepest_options *options)                  \
    {                                                                                              \
        return ng_steepest_init_##name##_sized(options, sizeof *options);                          \
    }
NG_STEEPEST_PRESET_LIST(NG_STEEPEST_PRESET)
#undef NG_STEEPEST_PRESET

#ifdef __cplusplus
}
#endif
#endif
