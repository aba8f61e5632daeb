/* natgrad/polar.h: the orthogonal polar factor of a matrix.
 *
 * For X = sum_i s_i u_i v_i^T (thin SVD) the factor is
 *     U = sum over { s_i > tau } of u_i v_i^T,    tau = eps * sqrt(max(m, n)) * s_1,
 * the partial isometry on the numerical range of X, with eps that of the dtype;
 * the number of terms is the rank. A zero matrix gives U = 0, rank 0. The
 * result does not depend on the scale of X (Muon's iteration: to 1e-4 of
 * itself, for the sake of its published form), and U(X^T) = U(X)^T.
 *
 * accuracy                what it promises, and how it is done
 * NG_POLAR_EXACT          f32: eigendecomposition of the Gram matrix of the smaller side in
 *   (default)             double; singular directions are applied in double when s_1/s_r > 10.
 *                         f64: SVD (gesdd, then gesvd); with kappa_max <= 100 the Gram form.
 * NG_POLAR_FAST           Gram matrix in the dtype, its inverse root a constant and five shifted
 *                         inverses (eight up to 32 rows): products and a sweep, no eigen-solver.
 *                         Singular values from 3e-3 s_1 on come within 5e-3 of 1; below they fall
 *                         smoothly to 0 (Gaussian squares: the smallest to 0.4 to 0.9) and never
 *                         exceed 1.005.
 * NG_POLAR_NEWTON_SCHULZ  odd quintics X <- a X + b (X X^T) X + c (X X^T)^2 X, see
 *                         ng_polar_iteration. From n >= 2 m on the iteration runs on the Gram
 *                         matrix, restarted after every second step.
 * Where an eigen-solver fails, Halley's iteration with dynamic weights (DWH) on the Gram matrix
 * takes its place, then the SVD.
 *
 * Which when: exact unless the step has to be as cheap as Newton-Schulz; fast for training in f32;
 * newton_schulz to reproduce Muon's numbers. Time of one call in f32 relative to what is named
 * (median of paired runs, one thread, Zen 3 with OpenBLAS 0.3.21; `make bench BENCH=polar`):
 *
 *                                  768x768  768x3072  3072x768  256x1024  64x512  256x784
 *   exact / sgesdd and a product     1.13      0.57      0.43      0.57    0.51     0.68
 *   fast / Newton-Schulz by SYRK     0.71      0.35      0.33      0.48    0.39     0.54
 *   newton_schulz / the same         1.10      0.79      0.77      0.79    0.74     0.86
 *
 * and ||U - U*||_F / sqrt(r) for 96 x 288 with a logarithmic spectrum of that condition number
 * (examples/polar draws all routes):
 *
 *                    1e1      1e2      1e3      1e4      1e5      3e5
 *   exact f32      1.8e-7   1.8e-7   1.8e-7   1.8e-7   1.9e-7   4.8e-7
 *   sgesdd         1.1e-6   1.7e-6   8.2e-6   5.2e-5   4.3e-4   1.1e-3
 *   DWH f32        2.5e-8   2.5e-8   2.5e-8   2.5e-8   3.5e-8
 *   exact f64      3.4e-15  6.0e-15  3.3e-14  2.4e-13  2.0e-12
 *
 * Two clusters of singular values, or one large above many small ones, are harder from 1e5 on:
 *   exact f32      1.8e-7   1.8e-7   1.8e-7   1.8e-7   3.5e-6   3.1e-5
 * and 3e-4 at 1e6, which tau keeps in matrices of few rows and columns only. */
#ifndef NATGRAD_POLAR_H
#define NATGRAD_POLAR_H

#include <natgrad/mat.h>
#include <natgrad/work.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NG_POLAR_EXACT = 0,
    NG_POLAR_FAST = 1,
    NG_POLAR_NEWTON_SCHULZ = 2
} ng_polar_accuracy;

/* The polynomials of Newton-Schulz. Errors are those of the singular values of U for singular
 * values of X above the given part of ||X||_F. */
typedef enum {
    NG_ITERATION_MUON = 0, /* five times (3.4445, -4.7750, 2.0315) from X / (||X||_F + 1e-7)
                            * (Jordan 2024), with 1e-5 ||X||_F for the 1e-7 where ||X||_F < 0.01,
                            * lest a small X gives 0; ends in 0.68 ... 1.1344 above 0.01: not
                            * orthogonal, by design */
    NG_ITERATION_POLAR_EXPRESS = 1, /* the best composition for singular values above lower_bound
                                     * (Amsel et al. 2025), coefficients computed; error 0.0053
                                     * after 6 steps, rounding after 8, for the default bound */
    NG_ITERATION_FIVE_STEP = 2      /* five tuned quintics (You 2025): error 0.032 above 0.01 */
} ng_polar_iteration;

/* Forces a route, for measurements. */
typedef enum {
    NG_ROUTE_AUTO = 0,
    NG_ROUTE_SVD,
    NG_ROUTE_GRAM,      /* f64 Gram matrix, eigendecomposition */
    NG_ROUTE_GRAM_FAST, /* Gram matrix in the dtype, eigendecomposition, soft floor */
    NG_ROUTE_NEWTON_SCHULZ,
    NG_ROUTE_GRAM_NEWTON_SCHULZ,
    NG_ROUTE_DWH,           /* f64 Gram matrix, Halley's iteration by Cholesky factors */
    NG_ROUTE_GRAM_FRACTIONS /* Gram matrix in the dtype, its inverse root a sum of a constant
                             * and five (eight up to 32 rows) shifted inverses, soft floor */
} ng_polar_route;

typedef struct {
    size_t size;                /* set by ng_polar_init */
    ng_polar_accuracy accuracy; /* default NG_POLAR_EXACT */
    double kappa_max;           /* the caller's promise s_1/s_min <= kappa_max; 0 (default): none */
    ng_polar_iteration iteration; /* for NG_POLAR_NEWTON_SCHULZ; default NG_ITERATION_MUON */
    int steps;                    /* 0 (default): 5, for polar_express 8; at most 32 */
    double lower_bound;           /* for polar_express, in (0, 1); default 1e-3 */
    ng_polar_route route;         /* default NG_ROUTE_AUTO: by accuracy, dtype and shape */
} ng_polar_options;

/* What was done. */
typedef struct {
    const char *route;          /* "svd", "gram", "gram split", "gram fast", "gram fractions",
                                   "newton-schulz", "gram newton-schulz", "dwh", "zero" */
    size_t rank;                /* terms in U; for gram fractions ||U||_F^2 rounded; for
                                   Newton-Schulz min(m, n), which it takes for granted */
    double orthogonality_error; /* ||U U^T - I||_F / sqrt(r) on the smaller side r = min(m, n), or
                                   ||U U^T U - U||_F / sqrt(rank) where rank < r */
    double condition;           /* s_1/s_rank as far as the route knows it; NaN for
                                   Newton-Schulz, gram fractions and DWH */
} ng_polar_info;

/* The defaults. NG_EOPTION for NULL and for another library's size, nothing written. */
NG_API ng_status ng_polar_init_sized(ng_polar_options *options, size_t size);
static inline ng_status ng_polar_init(ng_polar_options *options)
{
    return ng_polar_init_sized(options, sizeof *options);
}

/* The coefficients (a, b, c) of `steps` quintics of an iteration, as ng_polar uses them, with the
 * safety factor 1.01 of polar_express folded in. NG_EARG. */
NG_API ng_status ng_polar_coefficients(double (*coefficients)[3], ng_polar_iteration iteration,
                                       int steps, double lower_bound, ng_error *error);

/* u <- the polar factor of x (m x n, any strides; u must not overlap x).
 * info may be NULL, which saves the product its error estimate costs;
 * options NULL means defaults; work NULL allocates for this call.
 * NG_ENONFINITE for NaN or infinity in x (u untouched), NG_ESHAPE, NG_EDTYPE,
 * NG_EOPTION, NG_ENOMEM; NG_ENOCONV when every eigen-solver and SVD failed. */
NG_API ng_status ng_polar(ng_mat u, ng_polar_info *info, ng_mat x, const ng_polar_options *options,
                          ng_work *work, ng_error *error);

/* Bytes ng_polar needs for this shape and these options. Where the route does not converge, which
 * is rare, the next takes memory of its own for the call. */
NG_API size_t ng_polar_work(size_t m, size_t n, ng_dtype dtype, const ng_polar_options *options);

#ifdef __cplusplus
}
#endif
#endif
