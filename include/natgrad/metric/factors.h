/* natgrad/metric/factors.h: the choices that the options of several metrics have
 * in common. A metric reads those that stand in its own struct and no others.
 *
 * A metric of ng_steepest keeps, for a weight matrix W (m x n), two factors, P
 * (m x m, outputs) and Q (n x n, inputs), as state, and takes
 * roots S, S S^T = P, or eigenbases of them. */
#ifndef NATGRAD_METRIC_FACTORS_H
#define NATGRAD_METRIC_FACTORS_H

#ifdef __cplusplus
extern "C" {
#endif

/* The root S of a factor, and so the form in which its inverse is kept. */
typedef enum {
    NG_ROOT_CHOLESKY = 0,  /* lower triangular; BLAS-3 speed */
    NG_ROOT_SYMMETRIC = 1, /* S = P^(1/2) by eigendecomposition in double */
    NG_ROOT_INVERSE = 2    /* P^-1 itself, by products alone: fastest where no root is asked for, as
                              with spectral.polar = fast; otherwise S = C^-T with the Cholesky factor
                              C of P^-1, taken at each step. For condition numbers up to some 1e5,
                              damping 1e-4; of factors that factor_dtype keeps in double for weights
                              in f32 the Cholesky factor is kept instead */
} ng_root;

typedef enum {
    NG_METRIC_SCALE_AUTO = 0, /* trace with a ball, none without */
    NG_METRIC_SCALE_NONE = 1,
    NG_METRIC_SCALE_TRACE = 2 /* P, Q to mean eigenvalue 1, so that lr has Muon's unit */
} ng_metric_scale;

/* Factor on the smaller side of the matrix only; the other one is the identity. */
typedef enum {
    NG_ONE_SIDED_NEVER = 0,
    NG_ONE_SIDED_AUTO = 1, /* when one side is at least 3 times the other */
    NG_ONE_SIDED_ALWAYS = 2
} ng_one_sided;

/* rank > 0: the factor of the larger side (of two equal ones the columns'), where that is longer
 * than rank, is neither whole nor left out, whatever one_sided says, but
 *
 *   Q = U^T diag(s) U + rho (I - U^T U),   U rank x n with orthonormal rows
 *
 * (Povey, Zhang & Khudanpur 2015, section 4; there rank 20 to 80): O(rank n) memory and O(m n rank)
 * time. New statistics are seen through U and a few vectors more, cut back to that form with the
 * trace kept, and never formed. Of a sum of rank `rank` and a multiple of I it is the whole factor
 * but for rounding. U has the weights' dtype and s is double, whatever factor_dtype says; its
 * inverse and roots need no further decomposition. */

/* What the factors are kept in; their roots are in the weights' dtype. */
typedef enum {
    NG_FACTORS_AUTO = 0, /* double when damping < 1e-4 as the parameter is added: the factors'
                            condition number settles near 4.5/damping */
    NG_FACTORS_SAME = 1, /* the weights' dtype */
    NG_FACTORS_F64 = 2
} ng_factor_dtype;

/* What averages of captured statistics start from. */
typedef enum {
    NG_FACTOR_START_FIRST = 0,   /* the first statistics: an average with bias correction */
    NG_FACTOR_START_IDENTITY = 1 /* identities, which fade as ema_decay^t (as kfac-pytorch does) */
} ng_factor_start;

/* How an eigenbasis follows its factor, after the first one, which is by eigh. */
typedef enum {
    NG_EIGENBASIS_QR = 0,  /* one orthogonal iteration: Q <- QR(factor Q), the columns of factor Q
                              in descending order of their Rayleigh quotients */
    NG_EIGENBASIS_EIGH = 1 /* eigenvectors */
} ng_eigenbasis;

#ifdef __cplusplus
}
#endif
#endif
