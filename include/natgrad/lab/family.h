/* natgrad/lab/family.h: exponential families in natural coordinates,
 *
 *     p_theta(x) = exp(theta . T(x) - log Z(theta)),
 *
 * with n parameters theta and statistics T, small enough to be exact. Their
 * cumulants are derivatives of log Z:
 *
 *     eta_a     = E T_a             = d_a log Z        mean parameters, moments
 *     F_ab      = cov(T_a, T_b)     = d_a eta_b        Fisher matrix of one sample, nats
 *     kappa_abc = third cumulant    = d_a F_bc         totally symmetric
 *
 * All of them are minimal: F is positive definite wherever theta is finite.
 * Logarithms are natural. Vectors are arrays of n doubles, matrices n x n of
 * NG_F64 (else NG_EDTYPE; NG_ESHAPE), both triangles written. NULL where an
 * output or input is needed is NG_EARG, NaN and infinities in an input are
 * NG_ENONFINITE. A call that fails leaves the family as it was.
 * One family, one thread at a time. */
#ifndef NATGRAD_LAB_FAMILY_H
#define NATGRAD_LAB_FAMILY_H

#include <stddef.h>
#include <stdint.h>
#include <natgrad/mat.h>
#include <natgrad/random.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_family ng_family;

/* ---- Families -------------------------------------------------------------
 * On an error *family is NULL: NG_EARG, NG_ERANGE for sizes, NG_ENOMEM. */

/* Ising model on a hypergraph: spins x_i = +-1, i = 0 ... spins-1, one
 * parameter for each of the n hyperedges, T_e = prod_{i in e} x_i. Bit i of
 * edges[e] says that spin i belongs to edge e: a single bit is a field, two a
 * pair coupling. Edges are distinct and not empty (NG_EARG), n >= 1.
 * A sample is `spins` numbers +-1. Starts at theta = 0.
 * Exact by enumeration in the form of two fast Walsh-Hadamard transforms: the
 * energies are the transform of theta placed at the masks, the moments of all
 * products the transform of the probabilities. When every edge has an even
 * number of spins the last spin stands still (global flip), which halves time
 * and memory. At most 26 free spins (NG_ERANGE), 8 * 2^free bytes. */
NG_API ng_status ng_family_create_ising(ng_family **family, size_t spins, const uint32_t *edges,
                                        size_t n, ng_error *error);

/* Bytes that an Ising family takes, found before anything is allocated;
 * SIZE_MAX beyond the 26 free spins. */
NG_API size_t ng_family_ising_memory(size_t spins, const uint32_t *edges, size_t n);

/* *edge <- the mask of a hyperedge given by its vertices, each < 32 (NG_ERANGE).
 * A vertex that occurs twice drops out, since x_i^2 = 1. */
NG_API ng_status ng_family_edge(uint32_t *edge, const size_t *vertices, size_t count,
                                ng_error *error);

/* One of k >= 2 outcomes, x = 0 ... k-1 (one number): T_a = [x = a] for
 * a = 0 ... k-2, theta_a = log p_a / p_{k-1}, n = k - 1. Starts uniform. */
NG_API ng_status ng_family_create_categorical(ng_family **family, size_t k, ng_error *error);

/* n >= 1 independent bits x_i = 0 or 1: T_i = x_i, theta_i = log p_i / (1 - p_i).
 * Starts at p = 1/2. */
NG_API ng_status ng_family_create_bernoulli(ng_family **family, size_t n, ng_error *error);

/* Normal distribution in d >= 1 dimensions. With mean != 0 N(mu, S): the first d
 * statistics are x_i, then come the products x_i x_j, i <= j, row by row; theta
 * is S^-1 mu, then -(S^-1)_ii / 2 on and -(S^-1)_ij off the diagonal;
 * n = d + d(d+1)/2. With mean = 0 N(0, S), the products alone. Starts at N(0, I).
 * theta whose S^-1 is not positive definite: NG_ESINGULAR. */
NG_API ng_status ng_family_create_gaussian(ng_family **family, size_t d, int mean,
                                           ng_error *error);

/* NULL is fine. */
NG_API void ng_family_destroy(ng_family *family);

/* ---- What a family says ----------------------------------------------------- */

/* "ising", "categorical", "bernoulli", "gaussian"; static. Number of
 * parameters; numbers a sample has. */
NG_API const char *ng_family_name(const ng_family *family);
NG_API size_t ng_family_size(const ng_family *family);
NG_API size_t ng_family_sample_size(const ng_family *family);

/* Moves to theta. Besides the errors above NG_ERANGE where the energies would
 * overflow. For an Ising family the two transforms happen here. */
NG_API ng_status ng_family_set(ng_family *family, const double *theta, ng_error *error);

/* theta and eta at theta, n numbers each; they live as long as the family and
 * follow it. log Z(theta). */
NG_API const double *ng_family_theta(const ng_family *family);
NG_API const double *ng_family_mean(const ng_family *family);
NG_API double ng_family_log_z(const ng_family *family);

/* f <- F(theta). */
NG_API ng_status ng_family_fisher(const ng_family *family, ng_mat f, ng_error *error);

/* slab_ab <- kappa_abc for one c: n calls give all third cumulants. */
NG_API ng_status ng_family_third(const ng_family *family, size_t c, ng_mat slab, ng_error *error);

/* Cross-entropy -E_q log p_theta = log Z - theta . moments in nats, of any q
 * with these moments of T: the prediction error. At the family's own mean it is
 * the entropy (for the Gaussian the differential one). */
NG_API ng_status ng_family_cross_entropy(const ng_family *family, double *value,
                                         const double *moments, ng_error *error);

/* *value <- KL(p || q) >= 0 in nats for two members of one family (same kind, sizes
 * and edges, else NG_EARG). Rounding: a few eps * (|log Z| + |theta . eta|). */
NG_API ng_status ng_family_divergence(const ng_family *p, double *value, const ng_family *q,
                                      ng_error *error);

/* ---- Samples ------------------------------------------------------------------ */

/* Every row of x (count x sample_size, either dtype) <- an independent sample.
 * Needs fill_uniform, the Gaussian fill_normal (NG_EARG). */
NG_API ng_status ng_family_sample(ng_family *family, ng_mat x, const ng_random *random,
                                  ng_error *error);

/* moments (n) <- the mean of T over the rows of x, at least one (NG_ENODATA).
 * NG_EARG names the first row that is no sample of this family. */
NG_API ng_status ng_family_moments(const ng_family *family, double *moments, ng_mat x,
                                   ng_error *error);

/* ---- Maximum likelihood ---------------------------------------------------------- */

typedef enum {
    NG_FIT_NATURAL = 0, /* direction F^-1 (moments - eta): natural gradient, here also Newton's */
    NG_FIT_GRADIENT     /* direction moments - eta: plain gradient descent in theta */
} ng_fit_method;

/* One point of the way, seen before its step is taken. */
typedef struct {
    size_t size;            /* sizeof(ng_fit_event) */
    size_t step;            /* steps taken so far */
    const double *theta;    /* n */
    const double *mean;     /* n, eta at theta */
    double cross_entropy;   /* at theta, nats */
    double decrement;       /* sqrt(r . F^-1 r), r = moments - eta: near the end the KL
                               divergence still to go is half its square */
    double lr;              /* length of the step that led here; 0 at the start */
} ng_fit_event;

typedef struct {
    size_t size;          /* sizeof(ng_fit_options), set by ng_fit_init */
    ng_fit_method method; /* default NG_FIT_NATURAL */
    int backtracking;     /* default 1: halve the step from lr until the exact likelihood falls as
                             Armijo asks (slope factor 1e-4); 0: take it undamped */
    double lr;            /* first length tried, > 0; default 1 */
    double tolerance;     /* done when decrement <= tolerance, in (0, 1); default 1e-12. Above 1e-7
                             moments on the boundary may pass for moments near it. */
    size_t max_steps;     /* default 100 */
    int (*monitor)(void *data, const ng_fit_event *event); /* (optional) non-zero: stop here */
    void *data;           /* for monitor */
} ng_fit_options;

/* All defaults. NG_EOPTION for NULL and for another library's size, nothing written. */
NG_API ng_status ng_fit_init_sized(ng_fit_options *options, size_t size);
static inline ng_status ng_fit_init(ng_fit_options *options)
{
    return ng_fit_init_sized(options, sizeof *options);
}

/* Moves the family from where it is to the theta whose mean is `moments`: the
 * maximum of the likelihood of data with these mean statistics. steps (may be
 * NULL) <- the steps taken. options NULL: the defaults.
 * NG_STOPPED: the monitor stopped it; the family stands where it did.
 * With an error the family is back at its start:
 * NG_EBOUNDARY: the moments lie on the boundary of what the family can have, or
 *   beyond it, by the exact support of T in the direction of a step (to 1e-12
 *   of its range): the likelihood has no maximum.
 * NG_ESINGULAR: F is numerically singular, as after undamped steps that ran away.
 * NG_ENOCONV: max_steps, or no step that lowers the likelihood.
 * NG_EOPTION: an option out of range; NG_ENOMEM. */
NG_API ng_status ng_family_fit(ng_family *family, size_t *steps, const double *moments,
                               const ng_fit_options *options, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
