/* Guided sampling with exact denoisers. */
#ifndef EXAMPLES_GUIDANCE_H
#define EXAMPLES_GUIDANCE_H

#include "examples/support/paper.h"

enum { STEPS = 50 }; /* of the diffusions */

/* Conditional and unconditional denoisers of a mixture, mixed by a rule; x n x d. Rules that
 * remember (APG) do so in `momentum`, cleared at the start. */
typedef struct guide guide;

struct guide {
    const ng_mixture *mixture;
    double w; /* weight: 1 is the conditional law itself */
    double
        radius; /* of APG: the longest difference; its momentum and what is kept along the mean */
    double beta, eta;
    ng_mat conditional, unconditional, momentum; /* n x d */
    void (*rule)(guide *g, ng_mat mixed);        /* from the two denoisers */
};

/* Room for n points. */
guide guide_make(const ng_mixture *mixture, size_t n, void (*rule)(guide *, ng_mat));

/* D = D_u + w (D_c - D_u) */
void rule_cfg(guide *g, ng_mat mixed);

/* Adaptive projected guidance (arXiv:2410.02416). */
void rule_apg(guide *g, ng_mat mixed);

/* x (from N(0, sigma_max^2)) to the smallest of the levels, by DDIM. */
void guide_sample(guide *g, ng_mat x, const double *levels, size_t count);

/* CFG++ (arXiv:2406.08070): the clean point is guided with lambda, the noise is not. */
void guide_sample_pp(guide *g, ng_mat x, const double *levels, size_t count, double lambda);

/* Levels that fall evenly in the logarithm. */
void log_levels(double *levels, size_t steps, double from, double to);

/* Manifold projection (arXiv:2601.21892) in `steps` Euler steps of flow matching; `rounds` fixed
 * point iterations before each step with t < 0.6, accelerated or not. Returns the mean length of
 * v_c - v_u where the steps begin. */
typedef struct {
    size_t steps, rounds;
    int anderson;
    double ridge;
} projection;
double guide_project(guide *g, ng_mat x, const projection *p);

/* Frequency-decoupled guidance (arXiv:2506.19713) of signals of n numbers, a power of two: a
 * Laplacian pyramid of `levels` levels, each with its own weight, coarse last. out <- the mixture
 * of c and u. */
void fdg_mix(double *out, const double *c, const double *u, size_t n, const double *weights,
             size_t levels);

/* The stages of identities.c */
void check_plus_plus(paper *p);
void check_gaussian(paper *p);
void check_frequencies(paper *p);

#endif
