/* natgrad/regime.h: the learning regime a Fisher matrix lives in, direction by
 * direction.
 *
 *   ng_regime *r;
 *   ng_regime_create(&r, ng_f64(f, n, n), NULL, &error);
 *   ... r->cond, r->alpha_scalar under r->functional->name, r->alpha_dir at r->beta ...
 *   ng_regime_destroy(r);
 *
 * F (n x n) is the Fisher matrix of a model, per sample and in nats. The Type II
 * metric is g = M + beta F with the mass tensor M = F^2, that of an exponential
 * family in its natural coordinates whose weights follow its mean parameters;
 * along the eigenvector v_k of F its eigenvalue is lambda_k (lambda_k + beta).
 * Sources: arXiv:2603.09067 (regime parameters), arXiv:2504.14728 (the metric).
 *
 * Two numbers called alpha, not comparable: alpha_scalar solves beta* =
 * alpha^2 / (1 - alpha) for the best beta* of a functional (natgrad/functional.h)
 * and says nothing without its name; alpha_dir(v) = v M v / (v M v + beta v F v)
 * is the share of the mass along v. F -> c F changes the first by units alone,
 * so that its value for F / (tr F / n) stands beside it; the second stays if
 * beta is multiplied by c too.
 *
 * Types. Views may be f32 or f64, the work is done in double. Of F the lower
 * triangle is read. Vectors are rows; calls that take x take k of them, k x n.
 * Errors. NG_ESHAPE, NG_EDTYPE, NG_EARG (NULL, a number out of range),
 * NG_ENONFINITE, NG_ERANGE (a result too large for its dtype), NG_ENOMEM; options
 * out of range NG_EOPTION.
 * Outputs never overlap inputs. A regime never changes after its creation:
 * threads may share it. */
#ifndef NATGRAD_REGIME_H
#define NATGRAD_REGIME_H

#include <natgrad/functional.h>
#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size; /* set by ng_regime_init */
    /* 0 (default): an eigenvalue that is 0 within rounding is NG_ESINGULAR.
     * 0 < rcond < 1: only eigenvalues > rcond lambda_max count, and the space of
     * the others is left out of everything. */
    double rcond;
    /* Of alpha_dir, spread and threshold. < 0 (default -1): sqrt(lambda_min
     * lambda_max), where the spread is largest. 0: every alpha_dir is 1. */
    double beta;
    double alpha_c;                  /* the threshold, in (0, 1); default 0.5 */
    const ng_functional *functional; /* borrowed; NULL (default): A, the first */
} ng_regime_options;

/* The defaults. NG_EOPTION for NULL and for another library's size, nothing written. */
NG_API ng_status ng_regime_init_sized(ng_regime_options *options, size_t size);
static inline ng_status ng_regime_init(ng_regime_options *options)
{
    return ng_regime_init_sized(options, sizeof *options);
}

/* Plain fields, to be read. "Of the rank": for eigenvalues that count, ascending. */
typedef struct {
    size_t n;               /* parameters */
    size_t rank;            /* eigenvalues that count, >= 1 */
    size_t outputs, inputs; /* m, c of a Kronecker pair; else 1, n */
    ng_mat eigenvalues;     /* 1 x n, ascending; zeros within rounding are 0 */
    ng_mat spectrum;        /* 1 x rank: the last of them */
    ng_mat directions;      /* n x n, row k belongs to eigenvalue k; data NULL unless F was given */
    ng_mat left, right;     /* Kronecker pair: eigenvectors of P (m x m) and Q (c x c), rows */
    /* Kronecker pair: eigenvalue k belongs to rows order[k] / c of left and order[k] % c of
     * right; a spectrum alone: to place order[k] of what was given. NULL if F was given. */
    size_t *order;
    double rounding; /* what counts as 0 against lambda_max; 0 for a spectrum alone */

    double lambda_min, lambda_max, trace; /* of the rank */
    double cond;                          /* lambda_max / lambda_min */

    double Delta;                    /* lambda_max - 2 lambda_min; > 0 iff cond > 2 */
    const ng_functional *functional; /* whose are the next five */
    ng_verdict verdict;
    double beta_star;      /* 0 if flat, HUGE_VAL if at infinity */
    double alpha_scalar;   /* ng_regime_alpha_scalar(beta_star), in [0, 1] */
    double beta_star_unit; /* the same two for F / (tr F / n) */
    double alpha_scalar_unit;

    double beta;      /* of the next five */
    ng_mat alpha_dir; /* 1 x rank: lambda / (lambda + beta) along eigenvectors */
    double spread;    /* largest less smallest of them */
    double alpha_c,
        lambda_c;       /* alpha_dir > alpha_c iff lambda > lambda_c = beta alpha_c/(1-alpha_c) */
    size_t above;       /* how many: the last ones */
    double beta_spread; /* sqrt(lambda_min lambda_max), where the spread is largest */
    double spread_max;  /* the spread there */
    int pure; /* spectral purity: all that count are equal to 1e-12, or 16 rounding if more */

    double kappa;              /* tr M / tr F */
    ng_mat deviation;          /* 1 x rank: eigenvalues of M - kappa F, lambda (lambda - kappa) */
    double deviation_fraction; /* ||M - kappa F||_F / ||M||_F, in [0, 1) */
} ng_regime;

/* Of F (n x n, n >= 1). Takes n^2 doubles and keeps them.
 * NG_ESINGULAR: F = 0, or rcond = 0 and an eigenvalue <= n eps lambda_max (eps of
 * F's dtype); NG_EINDEFINITE: an eigenvalue below -max(rcond, n eps) lambda_max.
 * The text names the eigenvalue. */
NG_API ng_status ng_regime_create(ng_regime **regime, ng_mat f, const ng_regime_options *options,
                                  ng_error *error);

/* Of F = P (x) Q, P m x m, Q c x c (natgrad/fisher.h), never formed: n = m c
 * products. Rounding is judged for each factor by itself. */
NG_API ng_status ng_regime_create_kron(ng_regime **regime, ng_mat p, ng_mat q,
                                       const ng_regime_options *options, ng_error *error);

/* Of F = diag(values), 1 x n in any order. Given numbers have no rounding: with
 * rcond 0 any value > 0 counts. */
NG_API ng_status ng_regime_create_spectrum(ng_regime **regime, ng_mat values,
                                           const ng_regime_options *options, ng_error *error);

/* NULL is fine. */
NG_API void ng_regime_destroy(ng_regime *regime);

/* alpha in [0, 1] with alpha^2 / (1 - alpha) = beta >= 0, and 1 - alpha, both
 * without cancellation: 2 beta/(beta + s) and 2/(2 + beta + s), s =
 * sqrt(beta (beta + 4)), to about 1 ulp each (where long double is wider than
 * double). 1 and 0 for an infinite beta. */
NG_API double ng_regime_alpha_scalar(double beta);
NG_API double ng_regime_alpha_scalar_rest(double beta);

/* ---- Directions ------------------------------------------------------------ */

/* v (1 x n) <- the unit eigenvector of eigenvalue k. */
NG_API ng_status ng_regime_direction(const ng_regime *regime, ng_mat v, size_t k, ng_error *error);

/* *alpha = alpha_dir(v) at beta >= 0, for any v (1 x n). NG_ESINGULAR if v has
 * no part in the space that counts. */
NG_API ng_status ng_regime_alpha(const ng_regime *regime, double *alpha, ng_mat v, double beta,
                                 ng_error *error);

/* *side = sum_k c_k^2 lambda_k (lambda_k - lambda_c) over the coefficients c of
 * v, lambda_c = beta alpha_c / (1 - alpha_c): positive iff alpha_dir(v) at beta
 * exceeds alpha_c. */
NG_API ng_status ng_regime_side(const ng_regime *regime, double *side, ng_mat v, double beta,
                                double alpha_c, ng_error *error);

/* Largest less smallest alpha_dir at beta >= 0:
 * beta (lambda_max - lambda_min) / ((lambda_max + beta)(lambda_min + beta)). */
NG_API double ng_regime_spread(const ng_regime *regime, double beta);

/* ---- The metric g = F^2 + beta F, any finite beta --------------------------- */

/* Eigenvalues of g below 0 (those of the rank): #{lambda_k < -beta}. */
NG_API size_t ng_regime_negative(const ng_regime *regime, double beta);

/* g (n x n, both triangles) <- the metric. */
NG_API ng_status ng_regime_metric(const ng_regime *regime, ng_mat g, double beta, ng_error *error);

/* y <- g x, and y <- g^-1 x in the space that counts (its complement to 0).
 * NG_ESINGULAR where beta = -lambda_k. */
NG_API ng_status ng_regime_mul(const ng_regime *regime, ng_mat y, ng_mat x, double beta,
                               ng_error *error);
NG_API ng_status ng_regime_solve(const ng_regime *regime, ng_mat y, ng_mat x, double beta,
                                 ng_error *error);

/* d (n x n, both triangles) <- the trace-free deviation tensor M - kappa F. */
NG_API ng_status ng_regime_deviation(const ng_regime *regime, ng_mat d, ng_error *error);

/* ---- A signed mass tensor M' = F S F, S = diag(+-1) -------------------------- */

typedef struct {
    size_t rank;
    ng_mat eigenvalues; /* 1 x rank, ascending: of F^1/2 S F^1/2 in the space that counts */
    /* How many are negative: that of the -1 in S if F is positive definite, at
     * most that many if it is singular. */
    size_t negative;
    double beta_c; /* M' + beta F is positive definite there iff beta > beta_c; 0 if none */
} ng_signature;

/* signs: n numbers, each 1 or -1 (else NG_EARG). Takes 2 n^2 doubles meanwhile. */
NG_API ng_status ng_signature_create(ng_signature **signature, const ng_regime *regime,
                                     const int *signs, ng_error *error);

/* NULL is fine. */
NG_API void ng_signature_destroy(ng_signature *signature);

/* Negative eigenvalues of M' + beta F: #{eigenvalues < -beta}. */
NG_API size_t ng_signature_negative(const ng_signature *signature, double beta);

/* g (n x n, both triangles) <- F S F + beta F, F in the space that counts. */
NG_API ng_status ng_signature_metric(const ng_regime *regime, ng_mat g, const int *signs,
                                     double beta, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
