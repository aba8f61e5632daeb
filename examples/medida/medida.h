/* What the files of medida share. */
#ifndef MEDIDA_H
#define MEDIDA_H

#include "examples/support/paper.h"

/* ---- The equation, ks.c ------------------------------------------------------------------------
 *
 * u_t = -(c_0 u u_x + c_1 u_xx + c_2 u_xxxx + c_3 u_xxx + c_4 u^2 u_x), period LENGTH, N points.
 * Kuramoto and Sivashinsky's has c = (1, 1, 1, 0, 0). */
enum { N = 256, COEFFICIENTS = 5, TERMS = 24, PAIRS = 10, SAMPLES = PAIRS * N };
#define LENGTH 100.0

/* u (N numbers), `count` steps of `step` further: exponential integrator of order 4. */
void ks_truth(double *u, double step, size_t count);

/* next <- one step of a model of these coefficients from u: Crank and Nicolson's, the products by
 * Adams and Bashforth's rule from u and what was a step before. */
void ks_model(double *next, const double *u, const double *before, const double *c, double step);

/* column i of phi (SAMPLES x TERMS), rows first ... first + N - 1 <- term i of u: u^p alone for
 * q = 0, u^p times the q-th derivative, p, q = 0 ... 4. */
void ks_terms(ng_mat phi, size_t first, const double *u);

/* "u u_x", and the number of that term; of u^p alone q = 0. */
const char *ks_term_name(size_t i);
size_t ks_term(size_t p, size_t q);

/* ---- Sparse Bayesian regression, rvm.c
 * ----------------------------------------------------------- */

/* t ~ N(Phi w, 1/beta), w_i ~ N(0, 1/alpha_i), of which what is left after pruning. */
typedef struct {
    size_t n, count, index[TERMS]; /* samples; which columns */
    double weight[TERMS], alpha[TERMS], gamma[TERMS], beta;
    double evidence; /* log p(t | alpha, beta) */
    int rounds;
    double gram[TERMS * TERMS], moment[TERMS], square; /* Phi^T Phi, Phi^T t, t^T t, all columns */
} rvm;

/* Weights of columns and a target that have mean 0 and variance 1: alpha and beta where the
 * evidence is greatest (MacKay's rounds), columns with alpha > threshold dropped for good; until no
 * alpha changes by more than tolerance. */
void rvm_fit(rvm *r, ng_mat phi, const double *t, double threshold, double tolerance);

/* Sigma (count x count), weights and evidence of alpha and beta as they stand. */
void rvm_posterior(rvm *r, ng_mat sigma);

/* Fits raw columns and target (n rows); coefficient[i] of column i, 0 if dropped. */
void rvm_regress(rvm *r, double *coefficient, ng_mat phi, const double *t, double threshold,
                 double tolerance);

/* ---- Stages in files of their own
 * ------------------------------------------------------------------ */

void evidence(paper *p); /* rvm.c: RVM as evidence maximisation */
void features(paper *p); /* features.c: random Fourier features and spectral bias */
void features_draw(FILE *script);

#endif
