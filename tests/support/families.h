/* Families of distributions whose Fisher matrix is known in closed form, with
 * outcomes that enumerate, or integrate exactly, the expectation it is. */
#ifndef NG_TEST_FAMILIES_H
#define NG_TEST_FAMILIES_H

#include "tests/support/dense.h"

/* Everything is on dense.h's list. */
typedef struct {
    const char *name;
    ng_mat scores;  /* outcomes x n: the derivative of log p by the n parameters */
    ng_mat weights; /* 1 x outcomes: their probabilities, or the weights of a quadrature */
    ng_mat closed;  /* n x n: E s s^T in closed form */
} family;

/* n classes by their logits: diag(p) - p p^T. */
family family_categorical(size_t n, const double *p);

/* n independent bits by their logits: diag(p (1 - p)); 2^n outcomes. */
family family_bernoulli(size_t n, const double *p);

/* One normal number by mean and standard deviation: diag(1, 2) / sigma^2.
 * Scores are quadratic, so that three points (Gauss-Hermite) are exact. */
family family_normal(double mean, double sigma);

/* n normal numbers by their means, covariance the inverse of the precision
 * matrix k: k. Points mean +- sqrt(n) (columns of the covariance's root). */
family family_means(ng_mat k);

/* Three spins on a ring, p ~ exp(sum h_i s_i + J (s_1 s_2 + s_2 s_3 + s_3 s_1)) by the
 * three fields and the three couplings, where h = 0 and all couplings are J: with
 * c = (t + t^2) / (1 + t^3), t = tanh J (transfer matrix), the covariances are 1
 * and c among the spins, 1 - c^2 and c - c^2 among the products, 0 between. */
family family_ising_ring(double coupling);

#endif
