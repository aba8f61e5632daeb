/* Chebyshev coefficients of Gaussians, and Tucker's format of tensors with three modes. */
#ifndef EXAMPLES_TUCKER_H
#define EXAMPLES_TUCKER_H

#include "examples/support/paper.h"

/* ---- chebyshev.c: functions of x in [-1, 1] ------------------------------------------------- */

/* c (m) <- the coefficients of exp(-t^2 x^2): c_0 = e^-a I_0(a), c_2k = 2 (-1)^k e^-a I_k(a), a =
 * t^2/2 */
void gaussian_coefficients(double *c, size_t m, double t);

/* c (m) <- those of the interpolant of f at m Chebyshev points */
void interpolate(double *c, size_t m, double (*f)(void *data, double x), void *data);

/* The sum of c_j T_j(x). */
double chebyshev(const double *c, size_t m, double x);

/* The largest error of the m first coefficients of exp(-t^2 x^2). */
double truncation(double t, size_t m);

/* 1/r = sum over k of weight_k exp(-t_k^2 r^2), t_k = e^(0.4 k), k = FIRST ... LAST; terms with t_k
 * at most t_max come first and are the long-range part. */
enum { FIRST = -60, LAST = 25, TERMS = LAST - FIRST + 1 };
double newton_t(size_t term);
double newton_weight(size_t term);
size_t newton_terms(double t_max);

/* ---- tensor.c ----------------------------------------------------------------------------------
 */

/* A tensor of m x m x m, row-major, and what there is of it in Tucker's format. */
typedef struct {
    size_t m, rank[3];
    ng_mat basis[3]; /* rank x m, orthonormal rows */
    ng_mat core;     /* rank[0] x rank[1] rank[2] */
} tucker;

/* Rows of basis <- the leading eigenvectors of a mode's Gram matrix (m x m), as many as leave at
 * most `tolerance` of the root of their sum; what K-FAC and Shampoo take as the eigenbasis of a
 * factor. */
ng_mat mode_basis(ng_mat gram, double tolerance);

/* HOSVD: each unfolding leaves tolerance |C|/sqrt(3) at most. */
void hosvd(tucker *t, const double *tensor, size_t m, double tolerance);

/* One sweep of alternating least squares at the ranks there are; the error |C - Tucker| / |C| after
 * it. */
double als_sweep(tucker *t, const double *tensor);
double tucker_error(const tucker *t, const double *tensor);

/* tensor (m^3) <- sum over terms of weight u v w, factors m x terms, mode by mode */
void from_terms(double *tensor, const ng_mat factors[3], const double *weights);

/* The rank of sum of weight u u u, factors m x terms: HOSVD's of the whole tensor, which is never
 * made, and the reduced HOSVD's of the factors alone, each with the cube root of its weight,
 * absolutely to tolerance / 3. */
size_t rank_of_terms(ng_mat factors, const double *weights, double tolerance);
size_t reduced_rank(ng_mat factors, const double *weights, double tolerance);

/* The value at a point in [-1, 1]^3 of the function whose Chebyshev coefficients the tensor is. */
double tucker_value(const tucker *t, const double x[3]);

#endif
