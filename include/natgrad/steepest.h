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
 *
 * The fismo metric (Xu et al. 2026, Alg. 1), from the gradient alone, P first:
 *   P <- gamma P + (1 - gamma) (G Q^-1 G^T / n + mu tr(P)/m I),  then tr P = m
 *   Q <- gamma Q + (1 - gamma) (G^T P^-1 G / m + mu tr(Q)/n I),  then tr Q = n
 * with the old P, Q in the first line, the new P in the second, P_0 = Q_0 = I,
 * gamma = ema_decay, mu = damping.
 *
 * With layout NG_IN_OUT rows and columns swap roles; W is never transposed.
 * A zero averaged gradient gives D = 0. State per parameter: M twice, and for
 * fismo P, Q and their roots twice (a step is all or nothing).
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

typedef enum { NG_METRIC_IDENTITY = 0, NG_METRIC_FISMO = 1 } ng_metric;

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
    double ema_decay; /* [0, 1), of the factors */
    double damping;   /* >= 0, relative to the factors' mean eigenvalue */
    /* P and Q take in the gradient and get a new root every that many steps, >= 1 */
    int refresh_p, refresh_q;
    ng_one_sided one_sided;
    ng_factor_dtype factor_dtype;
    /* symmetric roots: [0, 1); an eigenbasis that still diagonalises its factor up to this part
     * of its Frobenius norm is kept (ng_spd_power_update); 0 never */
    double refresh_tolerance;
} ng_steepest_options;

/* Plain gradient descent with momentum: identity metric, no ball. */
NG_API void ng_steepest_init(ng_steepest_options *options);

/* Muon: identity metric, spectral ball, shape_scale original, Nesterov. */
NG_API void ng_steepest_init_muon(ng_steepest_options *options);

/* FISMO at BLAS-3 speed: momentum in gradient space, Cholesky roots, gradients
 * of rms 1. */
NG_API void ng_steepest_init_fismo(ng_steepest_options *options);

/* FISMO, Algorithm 1 to the letter: whitened momentum, symmetric roots,
 * gradients as they come. */
NG_API void ng_steepest_init_fismo_paper(ng_steepest_options *options);

#ifdef __cplusplus
}
#endif
#endif
