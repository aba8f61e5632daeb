/* natgrad/lab/mixture.h: Gaussian mixtures with full covariances, and everything a
 * generative model learns about them in closed form.
 *
 *   p(x1) = sum_k w_k N(x1; m_k, C_k),  x = a x1 + s z,  z from N(0, I)
 *
 * The law of x is the mixture of N(a m_k, a^2 C_k + s^2 I), and so its density, score,
 * denoiser E[x1 | x] and their derivatives are sums over components weighted by the
 * responsibilities r_k(x) = p(k | x):
 *
 *   score       grad log p(x)  = sum_k r_k s_k, s_k = -P_k (x - a m_k), P_k = (a^2 C_k + s^2 I)^-1
 *   jacobian    grad score     = sum_k r_k (-P_k + (s_k - score)(s_k - score)^T)
 *   mean        E[x1 | x]      = sum_k r_k m_k(x), m_k(x) = m_k + a C_k P_k (x - a m_k)
 *   covariance  Cov[x1 | x]    = sum_k r_k (s^2 C_k P_k + (m_k(x) - mean)(m_k(x) - mean)^T)
 *
 * Tweedie: mean = (x + s^2 score) / a. Any schedule is a pair (a, s): a = 1 is "variance
 * exploding", a^2 + s^2 = 1 "variance preserving", a = t, s = 1 - t flow matching; a = 1,
 * s = 0 the mixture itself. The velocity of the probability flow along a path a(t), s(t) is
 * a' mean - s' s score.
 *
 * Points are the rows of n x d views of NG_F64 (else NG_EDTYPE; NG_ESHAPE), any stride;
 * NULL where something is needed is NG_EARG, NaN and infinity NG_ENONFINITE. Outputs of a
 * call that fails may have been written, nothing else changes. A mixture never changes:
 * several threads may use one. */
#ifndef NATGRAD_LAB_MIXTURE_H
#define NATGRAD_LAB_MIXTURE_H

#include <natgrad/mat.h>
#include <natgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_mixture ng_mixture;

/* The label that stands for all components together. */
#define NG_MIXTURE_ALL (-1)

/* K = means.rows components in d = means.cols dimensions, all copied. covariances: K d x d,
 * one d x d block a component, symmetric (read from its lower triangle) and positive
 * semidefinite: zeros are a point mass. weights: K positive numbers, taken relative to their
 * sum; NULL: equal. labels: K class labels >= 0, which need not be distinct; NULL: component
 * k has label k. NG_EARG for weights and labels out of range, NG_ESINGULAR naming the
 * covariance with an eigenvalue below -1e-12 of its largest, NG_ERANGE for K or d = 0 and for
 * sizes beyond 2^31, NG_ENOMEM, NG_ENOCONV; then *mixture is NULL. */
NG_API ng_status ng_mixture_create(ng_mixture **mixture, ng_mat means, ng_mat covariances,
                                   const double *weights, const int *labels, ng_error *error);

/* NULL is fine. */
NG_API void ng_mixture_destroy(ng_mixture *mixture);

/* K and d; 0 for NULL. */
NG_API size_t ng_mixture_components(const ng_mixture *mixture);
NG_API size_t ng_mixture_dimension(const ng_mixture *mixture);

/* What is wanted at n points: views with n rows, or ng_mat_none() (all bytes zero do too). */
typedef struct {
    ng_mat log_density;    /* n x 1, nats */
    ng_mat responsibility; /* n x K, zero outside the class */
    ng_mat score;          /* n x d */
    ng_mat jacobian;       /* n x d^2, each row a symmetric d x d matrix */
    ng_mat mean;           /* n x d */
    ng_mat covariance;     /* n x d^2 */
} ng_mixture_fields;

/* Fills the fields that are wanted at the rows of x under x = a x1 + s z. label: the law given
 * that class, or NG_MIXTURE_ALL. NG_EARG: s < 0, no component has that label, the fields
 * overlap x. NG_ESINGULAR: a^2 C_k + s^2 I is not positive definite. Points so far off that
 * every density underflows are fine. NG_ERANGE where a result overflows; NG_ENOMEM. */
NG_API ng_status ng_mixture_evaluate(const ng_mixture *mixture, const ng_mixture_fields *fields,
                                     ng_mat x, double a, double s, int label, ng_error *error);

/* Rows of x <- independent samples of x1 (of the class, or all). component (may be NULL, else n
 * numbers) <- where each is from. Draws n uniform numbers, then n d normal ones. */
NG_API ng_status ng_mixture_sample(const ng_mixture *mixture, ng_mat x, size_t *component,
                                   int label, const ng_random *random, ng_error *error);

/* cdf (n x 1) <- P(a x1 + s z <= x) for a mixture in one dimension (else NG_ESHAPE). Exact to a
 * few eps, in the lower tail relatively. A point mass with s = 0 counts where it lies. */
NG_API ng_status ng_mixture_cdf(const ng_mixture *mixture, ng_mat cdf, ng_mat x, double a, double s,
                                int label, ng_error *error);

/* ---- Between two mixtures -----------------------------------------------------
 * Stochastic interpolants (Albergo, Boffi and Vanden-Eijnden, arXiv:2303.08797): with x0 and
 * x1 independent from two mixtures,
 *
 *   x_t = alpha x0 + beta x1 + gamma z
 *
 * is a mixture over pairs, m_ij = alpha m_i + beta m_j, C_ij = alpha^2 C_i + beta^2 C_j +
 * gamma^2 I. The velocity b = E[d x_t / dt | x_t] carries its density: d rho/dt = -div(rho b);
 *
 *   velocity  b = sum_ij r_ij (m_ij' + C_ij' C_ij^-1 (x - m_ij) / 2)
 *   score     s = sum_ij r_ij (-C_ij^-1 (x - m_ij)) */

/* One moment of a path. */
typedef struct {
    double alpha, beta, gamma; /* gamma >= 0 */
    double alpha_rate, beta_rate;
    double gamma_rate; /* gamma gamma', finite also where gamma' is not */
} ng_interpolant;

/* Fields (views with n rows, or none) at the rows of x: log_density n x 1, velocity and score
 * n x d. NG_ESINGULAR when a C_ij is not positive definite; otherwise as ng_mixture_evaluate.
 * Both mixtures have one dimension (NG_ESHAPE). */
NG_API ng_status ng_mixture_interpolate(const ng_mixture *from, const ng_mixture *to,
                                        ng_mat log_density, ng_mat velocity, ng_mat score, ng_mat x,
                                        const ng_interpolant *moment, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
