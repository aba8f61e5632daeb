/* natgrad/esd.h: the empirical spectral density (ESD) of a weight matrix, and what heavy-tailed
 * random matrix theory reads from it.
 *
 *   ng_esd esd;
 *   ng_esd_options options;
 *   ng_esd_init(&options);
 *   ng_esd_measure(&esd, ng_mat_none(), ng_f32(w, 4096, 1024), &options, &error);
 *   ... esd.tail.alpha, esd.erg.gap ...
 *
 * W has N x M elements, N >= M (a wide one is turned), Q = N / M. Its ESD are the M eigenvalues
 * lambda of W^T W, the squares of its singular values. "Rescaled": times M / sum lambda, so that
 * their mean is 1. Of 64-bit or 32-bit elements the products are summed in double.
 *
 * Sources: Martin and Hinrichs 2025, arXiv:2507.17912 (SETOL: trace-log condition, free cumulants);
 * Martin and Mahoney 2021, JMLR 22(165) (alpha, classes); the definitions are those of their
 * weightwatcher where it has them. Clauset, Shalizi and Newman 2009 (the fit of the tail).
 *
 * Errors: NG_EARG, NG_EDTYPE, NG_ESHAPE, NG_ENONFINITE, NG_ENOMEM, NG_ENOCONV; NG_EOPTION for
 * options out of range; NG_ERANGE: squares that overflow, or more columns than LAPACK can count. */
#ifndef NATGRAD_ESD_H
#define NATGRAD_ESD_H

#include <natgrad/mat.h>
#include <natgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Parts ------------------------------------------------------------------ */

/* values (1 x min(rows, cols), NG_F64, ascending) <- the ESD of w, rounding below 0 cut off. Takes
 * M^2 + O(M) doubles, and never a copy of w. Of f32 the squares are exact to 1e-16 of the largest,
 * so that the smallest mean something down to 1e-15 of it. */
NG_API ng_status ng_esd_values(ng_mat values, ng_mat w, ng_error *error);

/* A power law p(x) ~ x^-alpha above xmin. */
typedef struct {
    double alpha; /* NAN where there is none: fewer than two different values */
    double xmin;
    double ks;     /* Kolmogorov-Smirnov distance of the tail from it */
    double sigma;  /* standard error of alpha, (alpha - 1) / sqrt(n_i) */
    size_t spikes; /* values >= xmin */
} ng_power_law;

/* Of `values` (1 x n, NG_F64, ascending, positive): with every value as xmin alpha_i = 1 + n_i /
 * sum ln(x_j / x_i) over the n_i values from it on, and D_i = max |1 - (x_j / x_i)^(1 - alpha_i) -
 * (j - i) / n_i|, 1 where alpha_i <= 1; the first of least D_i is taken. All of them are tried, in
 * up to n^2 / 2 powers. */
NG_API ng_status ng_power_law_fit(ng_power_law *tail, ng_mat values, ng_error *error);

/* Cumulants kappa_1...5 of free probability from the moments m_1...5. */
NG_API void ng_free_cumulants(double cumulants[5], const double moments[5]);

/* Density at x of the Marchenko-Pastur law: eigenvalues of X^T X / N, X of N x M independent
 * elements of variance s^2, ratio Q = N / M >= 1. */
NG_API double ng_marchenko_pastur(double x, double ratio, double s);

/* Permutes the elements of w: every order alike (Fisher and Yates). */
NG_API ng_status ng_mat_shuffle(ng_mat w, const ng_random *random, ng_error *error);

/* ---- The whole -------------------------------------------------------------- */

typedef struct {
    size_t size;  /* set by ng_esd_init */
    double floor; /* default 1e-5: eigenvalues up to it are left out of the fit of the tail; >= 0 */
    size_t least; /* default 10: fewer eigenvalues have no tail; >= 2 */
    /* (optional, default NULL: no comparison) for the same elements in a random order, which costs
     * as much again and a copy of w */
    const ng_random *random;
    int in_place; /* default 0; 1: w itself is put in random order instead of a copy */
} ng_esd_options;

/* The defaults. NG_EOPTION for NULL and for another library's size, nothing written. */
NG_API ng_status ng_esd_init_sized(ng_esd_options *options, size_t size);
static inline ng_status ng_esd_init(ng_esd_options *options)
{
    return ng_esd_init_sized(options, sizeof *options);
}

/* The trace-log condition (ERG): of the rescaled eigenvalues the largest until their product falls
 * below 1. */
typedef struct {
    size_t count;  /* that many: the effective correlation space */
    double lambda; /* the smallest of them */
    /* tail.xmin rescaled, less lambda. An ideal layer has alpha = 2 and a gap of 0. */
    double gap;
    double cumulants[5]; /* free cumulants of the rescaled eigenvalues of that space */
} ng_esd_erg;

/* Against the same elements in random order. NAN without ng_esd_options.random. */
typedef struct {
    double largest; /* eigenvalue of the permuted matrix */
    double scale; /* s of the Marchenko-Pastur law nearest to a kernel density (Gaussian, width 0.1)
                     of its rescaled eigenvalues, by squares */
    double edge;  /* lambda+ = (s (1 + Q^-1/2))^2, in units of W */
    size_t spikes; /* eigenvalues of W above edge: what is not a random matrix's */
    /* rescaled eigenvalues of the permuted matrix above lambda+ + sqrt(TW), TW = Q^-1/2
     * lambda+^(2/3) M^(-2/3): single elements so large that they make a direction (correlation
     * traps) */
    size_t traps;
    double soft_rank;        /* edge / lambda_max */
    double random_soft_rank; /* largest / lambda_max */
    /* Jensen-Shannon distance (natural logarithm) of the two ascending ESDs, each a share of its
     * sum */
    double distance;
} ng_esd_bulk;

typedef struct {
    size_t n, m; /* N >= M */
    size_t kept; /* eigenvalues above the floor */
    double lambda_max, trace;
    ng_power_law tail;
    double alpha_hat;         /* alpha log10 lambda_max */
    double log_alpha_norm;    /* log10 sum lambda^alpha */
    double log_norm;          /* log10 of the trace, the squared Frobenius norm */
    double log_spectral_norm; /* log10 lambda_max */
    double stable_rank;       /* trace / lambda_max */
    ng_esd_erg erg;
    ng_esd_bulk bulk;
} ng_esd;

/* *esd <- everything about w (N x M or M x N, f32 or f64, finite). values: 1 x M, NG_F64, <- the
 * ESD; or none. What does not exist is NAN: a tail and a gap with fewer than options->least
 * eigenvalues above the floor, logarithms and ratios of a matrix of zeros. NULL options: the
 * defaults. On an error nothing is written, but values may be. */
NG_API ng_status ng_esd_measure(ng_esd *esd, ng_mat values, ng_mat w, const ng_esd_options *options,
                                ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
