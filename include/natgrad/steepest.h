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
 *       Polar(X)             spectral ball (natgrad/polar.h)
 *   D = S_P^-T Y S_Q^-1                       un-whiten
 *   W <- (1 - lr weight_decay) W - lr shape_scale D
 *
 * metric \ ball    none               Frobenius         spectral
 * identity         gradient descent   normalised GD     Muon (Jordan 2024)
 * fismo                                                 FISMO (Xu et al. 2026)
 * kfac, ekfac      K-FAC, EKFAC      normalised        K-FAC with Muon's step
 * shampoo          Shampoo
 * soap             SOAP
 * type2            natural gradient of F^2 + beta F
 *
 * The fismo metric (Xu et al. 2026, Alg. 1), from the gradient alone, P first:
 *   P <- gamma P + (1 - gamma) (G Q^-1 G^T / n + mu tr(P)/m I),  then tr P = m
 *   Q <- gamma Q + (1 - gamma) (G^T P^-1 G / m + mu tr(Q)/n I),  then tr Q = n
 * with the old P, Q in the first line, the new P in the second, P_0 = Q_0 = I,
 * gamma = ema_decay, mu = damping.
 *
 * The kfac metric (Martens & Grosse 2015) approximates the Fisher matrix of the
 * layer by F = P (x) Q, vec row-major, from captured inputs a and output
 * gradients g (ng_group_capture), N rows since the last step:
 *   P <- ema_decay-average of (scale G)^T (scale G) / N     (m x m)
 *   Q <- ema_decay-average of A^T A / N                     (n x n)
 * so F is per example: the mean of the outer products of each sample's own
 * gradient, up to the factorisation, whatever the batch size, and equal to it
 * for one sample. G from the labels gives the empirical Fisher, G from labels
 * sampled from the model the true one. With ng_group_add_bias A has a column of
 * ones and n counts it. Averages are corrected for their start: sum_s
 * ema_decay^(t-s) X_s / sum_s ema_decay^(t-s) (factor_start = first).
 * damping = lambda >= 0 is in the units of F (a squared gradient of one sample);
 * damping_kind says how it enters:
 *   tikhonov_pi  P + sqrt(lambda)/pi I and Q + pi sqrt(lambda) I,
 *                pi = sqrt((tr Q / n) / (tr P / m)), 1 if either trace is 0
 *   per_factor   P + lambda I and Q + lambda I
 *   exact_eigen  P (x) Q + lambda I itself, in the eigenbasis of P and Q, their
 *                negative eigenvalues raised to 0. No `root`.
 * A factor that one_sided leaves out is the identity and undamped; the other one
 * takes all of lambda. metric_scale = trace divides by the mean eigenvalues
 * after damping. damping = 0 with factors singular to working precision is
 * NG_ESINGULAR; no capture since the last step is NG_ENODATA. Where every
 * eigen-solver fails the last good inverse stays (ng_event, stale).
 *
 * The ekfac metric (George et al. 2018) keeps the eigenvectors (rows of u, v) of
 * kfac's factors and replaces the products of their eigenvalues by the second
 * moments of the samples' own gradients there,
 *   s <- ema_decay-average of (U o U)^T (V o V) / N,  U = scale G u^T, V = A v^T:
 * F = (u (x) v)^T diag(s) (u (x) v), damped exactly, s + lambda. No `root`. At the
 * first step s is the product of eigenvalues (kfac with exact_eigen). The bases
 * are renewed at steps 1, 1 + inverse_interval, ... ; s is measured at each step, in
 * the bases of the step before, and carried into new ones as the diagonal of the
 * same matrix, (R o R) s (R' o R')^T for the rotations R, R' from old to new.
 *
 * A convolution is captured through its unfolded view: W is out_channels x
 * (in_channels kernel_h kernel_w), and a sample with T output positions gives T rows
 * of A (its patches, im2col) and of G (the derivatives of its loss by the outputs at
 * those positions). N = samples x positions: with the scale of a dense layer F is the
 * mean over positions. Times sqrt(T) it is a sample's, its positions' gradients taken
 * as independent (KFC, Grosse & Martens 2016; "expand", Eschenhagen et al. 2023).
 *
 * The shampoo metric (Gupta, Koren & Singer 2018), from the gradient alone:
 *   L <- ema_decay-average of G G^T,  R <- that of G^T G, corrected for their
 *        start as kfac's; with ema_decay = 1 their sums
 *   P = (L + damping tr(L)/m I)^exponent,  Q = (R + damping tr(R)/n I)^exponent
 * with symmetric roots (else NG_EOPTION), so that without a ball
 *   D = (L + ..)^-exponent M (R + ..)^-exponent.
 * exponent = 1/4 is the paper's Shampoo, 1/2 the Kronecker approximation of the
 * gradients' second moment (Morwani et al. 2024). damping is relative, so D of c G is
 * c^(1 - 4 exponent) D; 0 with a singular factor is NG_ESINGULAR. A factor without any
 * gradient yet has the root I. Roots are taken at steps 1, 1 + inverse_interval, ...
 *
 * The soap metric (Vyas et al. 2024) is diagonal in the eigenbases u, v (rows) of L
 * and R with eigenvalues sqrt(V') + damping, so that without a ball
 *   D = u^T [ (u M v^T) / (sqrt(V') + damping) ] v,
 *   V <- beta2 V + (1 - beta2) (u G v^T)^2,   V' = V / (1 - beta2^t)
 * (beta2 = 1: the sum, V' = V). damping is Adam's eps, absolute. Against the authors'
 * program: M has no bias correction, as in all of ng_steepest, and is averaged in the
 * gradients' space and rotated at each step; V is carried when the bases move, as
 * ekfac's s; the first step is Adam's, with u, v the identity, and not left out. Bases are renewed
 * before steps 2, 2 + inverse_interval, ... from the gradients before, so that no gradient
 * defines its own. one_sided leaves a side in the identity. Where L or R has several eigenvalues
 * 0 (the longer side of a matrix much taller than wide), their eigenvectors are rounding's choice,
 * and results of another BLAS may differ by far more than rounding.
 *
 * The type2 metric (an experiment) is the Type II metric of natgrad/regime.h for kfac's F, damped:
 *   g = (F + damping I)^2 + beta (F + damping I),  F = P (x) Q,
 * diagonal in the eigenbases of P and Q with eigenvalues mu = (l + damping)(l + damping + beta), l
 * the products of theirs; without a ball D = g^-1 M. The option beta > 0 is in the units of F;
 * 0 takes for each layer the beta* that alpha_scalar solves, of the functional A and the
 * eigenvalues l + damping: largest - 2 smallest or 0. With a beta* > 0 the factor l + damping +
 * beta* is exactly twice as large for the largest eigenvalue as for the smallest, so that D is
 * kfac's with exact_eigen, divided by a number for each layer (the spread of its F) and by 1 to 2
 * along eigenvectors. mu is renewed with the bases, at steps 1, 1 + inverse_interval, ... NG_ERANGE
 * where mu overflows or underflows. g of c F is c^2 g: with metric_scale = none lr has the unit of
 * F^2, with trace (mean mu 1) that of gradient descent. No `root`; kl_clip measures steps in g, not
 * in F.
 *
 * grafting, without a ball: D is rescaled to another optimizer's length, for the same M.
 *
 * kl_clip = kappa > 0, without a ball: D is scaled by one factor for all
 * parameters of the group, min(1, sqrt(2 kappa / (lr^2 sum <D, M>))), so that
 * the step's KL divergence in the damped metric, 1/2 lr^2 sum <D, F D>, is at
 * most kappa. (kfac-pytorch's kl_clip is 2 kappa and takes <D, G>.)
 *
 * With layout NG_IN_OUT rows and columns swap roles; W is never transposed.
 * A zero averaged gradient gives D = 0. State per parameter: M twice, and for
 * all metrics but identity two factors and their roots or bases twice (a step is
 * all or nothing), for kfac, ekfac and type2 the sums of captured statistics, for ekfac, soap,
 * type2 and exact_eigen a diagonal of W's size twice.
 *
 * With the spectral ball, polar = fast and momentum in gradient space the step
 * is fused: D = S_P^-T K S_P^-1 M Q^-1 with K = (X X^T)^(-1/2) from one
 * eigenproblem on the smaller side (mirrored if m > n). */
#ifndef NATGRAD_STEEPEST_H
#define NATGRAD_STEEPEST_H

#include <natgrad/options.h>
#include <natgrad/polar.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NG_METRIC_IDENTITY = 0,
    NG_METRIC_FISMO = 1,
    NG_METRIC_KFAC = 2,
    NG_METRIC_EKFAC = 3,
    NG_METRIC_SHAMPOO = 4,
    NG_METRIC_SOAP = 5,
    NG_METRIC_TYPE2 = 6
} ng_metric;

typedef enum { NG_BALL_NONE = 0, NG_BALL_FROBENIUS = 1, NG_BALL_SPECTRAL = 2 } ng_ball;

/* Factor on the step, spectral ball only; rows are outputs, cols inputs. */
typedef enum {
    NG_SHAPE_SCALE_NONE = 0,           /* 1 */
    NG_SHAPE_SCALE_ORIGINAL = 1,       /* sqrt(max(1, rows/cols)) (Jordan 2024) */
    NG_SHAPE_SCALE_MATCH_RMS_ADAMW = 2 /* 0.2 sqrt(max(rows, cols)) (Liu et al. 2025) */
} ng_shape_scale;

/* Where the moving average is taken. */
typedef enum {
    NG_MOMENTUM_GRADIENT =
        0, /* of gradients, whitened afresh each step: any root gives the same D */
    NG_MOMENTUM_WHITENED =
        1 /* of whitened gradients (Alg. 1 to the letter): symmetric roots only */
} ng_momentum_space;

/* The root S of a factor. */
typedef enum {
    NG_ROOT_CHOLESKY = 0, /* lower triangular; BLAS-3 speed */
    NG_ROOT_SYMMETRIC = 1 /* S = P^(1/2) by eigendecomposition in double */
} ng_root;

typedef enum {
    NG_GRADIENT_SCALE_NONE = 0,
    NG_GRADIENT_SCALE_RMS =
        1 /* G / rms(G), for the factors and the momentum: c G gives the same D */
} ng_gradient_scale;

typedef enum {
    NG_METRIC_SCALE_AUTO = 0, /* trace with a ball, none without */
    NG_METRIC_SCALE_NONE = 1,
    NG_METRIC_SCALE_TRACE = 2 /* P, Q to mean eigenvalue 1, so that lr has Muon's unit */
} ng_metric_scale;

/* Factor on the smaller side of the matrix only; the other one is the identity. */
typedef enum {
    NG_ONE_SIDED_NEVER = 0,
    NG_ONE_SIDED_AUTO = 1, /* when one side is at least 8 times the other */
    NG_ONE_SIDED_ALWAYS = 2
} ng_one_sided;

/* What the factors are kept in; their roots are in the weights' dtype. */
typedef enum {
    NG_FACTORS_AUTO = 0, /* double when damping < 1e-4 as the parameter is added: the factors'
                            condition number settles near 4.5/damping */
    NG_FACTORS_SAME = 1, /* the weights' dtype */
    NG_FACTORS_F64 = 2
} ng_factor_dtype;

/* How damping enters the kfac metric; see the head of this file. */
typedef enum {
    NG_DAMPING_TIKHONOV_PI = 0,
    NG_DAMPING_PER_FACTOR = 1,
    NG_DAMPING_EXACT_EIGEN = 2
} ng_damping_kind;

/* What the averages of the kfac metric start from. */
typedef enum {
    NG_FACTOR_START_FIRST = 0,   /* the first statistics: an average with bias correction */
    NG_FACTOR_START_IDENTITY = 1 /* identities, which fade as ema_decay^t (as kfac-pytorch does) */
} ng_factor_start;

/* The Frobenius norm D is rescaled to, without a ball. */
typedef enum {
    NG_GRAFTING_NONE = 0,
    NG_GRAFTING_SGD = 1, /* ||M||_F */
    NG_GRAFTING_ADAM = 2 /* ||M / (sqrt(V) + 1e-8)||_F, V the second moment of the elements of G
                            with decay beta2, corrected for its start; beta2 = 1: AdaGrad's sum */
} ng_grafting;

/* How an eigenbasis follows its factor, after the first one, which is by eigh. */
typedef enum {
    NG_EIGENBASIS_QR = 0,  /* one orthogonal iteration Q <- QR(factor Q) */
    NG_EIGENBASIS_EIGH = 1 /* eigenvectors */
} ng_eigenbasis;

typedef struct {
    size_t size;
    const ng_method *method;
    double lr;           /* >= 0 */
    double momentum;     /* [0, 1) */
    int nesterov;        /* 0 or 1 */
    double weight_decay; /* >= 0, decoupled, per unit of lr, never shape-scaled */
    ng_metric metric;
    ng_ball ball;
    ng_shape_scale shape_scale;
    ng_polar_accuracy polar;
    ng_momentum_space momentum_space;
    ng_root root;
    ng_gradient_scale gradient_scale;
    ng_metric_scale metric_scale;
    double ema_decay; /* [0, 1), of the factors; shampoo and soap: [0, 1], 1 is their sum */
    double damping;   /* >= 0; fismo, shampoo: relative to the factors' mean eigenvalue; others:
                         absolute */
    ng_damping_kind damping_kind;
    ng_factor_start factor_start;
    /* all but fismo: statistics (gradients, captures) go into the factors at steps 1, 1 +
     * update_interval, ... (captures before the others are checked and dropped), factors are
     * decomposed, with the damping of that step, at steps 1, 1 + inverse_interval, ... (soap: one
     * later); >= 1 */
    int update_interval, inverse_interval;
    double kl_clip; /* >= 0; 0 (default): off; see the head of this file */
    /* P and Q take in the gradient and get a new root every that many steps, >= 1 */
    int refresh_p, refresh_q;
    ng_one_sided one_sided;
    ng_factor_dtype factor_dtype;
    /* symmetric roots: [0, 1); an eigenbasis that still diagonalises its factor up to this part
     * of its Frobenius norm is kept (ng_spd_power_update); 0 never */
    double refresh_tolerance;
    double exponent;      /* [0, 1], shampoo; 1/4 Gupta et al. 2018, 1/2 Morwani et al. 2024 */
    double beta2;         /* [0, 1], soap and grafting = adam: decay of second moments; 1: sums */
    ng_grafting grafting; /* ball = none only */
    ng_eigenbasis eigenbasis; /* ekfac, soap */
    double beta;              /* >= 0, type2; 0 (default): of each layer's alpha_scalar */
} ng_steepest_options;

/* Plain gradient descent with momentum: identity metric, no ball. */
NG_API void ng_steepest_init(ng_steepest_options *options);

/* Muon: identity metric, spectral ball, shape_scale original, Nesterov. */
NG_API void ng_steepest_init_muon(ng_steepest_options *options);

/* FISMO at BLAS-3 speed: momentum 0.95 in gradient space, Cholesky roots, gradients of rms 1;
 * lr 0.01, ema_decay 0.95, damping 3. */
NG_API void ng_steepest_init_fismo(ng_steepest_options *options);

/* FISMO, Algorithm 1 to the letter: whitened momentum, symmetric roots,
 * gradients as they come; momentum and ema_decay 0.95, lr 0.005, damping 1. */
NG_API void ng_steepest_init_fismo_paper(ng_steepest_options *options);

/* K-FAC: kfac metric, no ball; momentum 0.9, lr 0.005, damping 0.001
 * (tikhonov_pi), factors inverted every 10 steps. Needs ng_group_capture at every step. */
NG_API void ng_steepest_init_kfac(ng_steepest_options *options);

/* K-FAC with Muon's step: kfac metric, spectral ball, shape_scale original,
 * Nesterov, lr 0.01, damping 0.1. Needs ng_group_capture at every step. */
NG_API void ng_steepest_init_kfac_muon(ng_steepest_options *options);

/* EKFAC: ekfac metric, no ball; momentum 0.9, lr 0.0025, damping 0.001, eigenvectors
 * by eigh every 10 steps. Needs ng_group_capture at every step. */
NG_API void ng_steepest_init_ekfac(ng_steepest_options *options);

/* Shampoo: shampoo metric, no ball; exponent 1/4, averages with ema_decay 0.95, damping 0.001,
 * roots every 10 steps; momentum 0.9, lr 0.002 with Adam's step length (grafting = adam,
 * beta2 0.95). */
NG_API void ng_steepest_init_shampoo(ng_steepest_options *options);

/* SOAP: soap metric, no ball; momentum and ema_decay 0.95, beta2 0.9, damping 1e-8, lr 0.004,
 * bases every 10 steps by orthogonal iteration, factors in the weights' dtype. */
NG_API void ng_steepest_init_soap(ng_steepest_options *options);

#ifdef __cplusplus
}
#endif
#endif
