/* natgrad/fisher.h: Fisher information matrices F, symmetric, positive
 * semi-definite, n x n for n parameters, in several representations.
 *
 *   ng_fisher *f;                                    dense, n = 1000
 *   ng_fisher_create_dense(&f, 1000, NG_F32, NULL);
 *   ng_fisher_accumulate(f, scores, ng_mat_none(), NULL, &error);   batch x 1000
 *   ng_fisher_solve(f, step, gradient, 1e-3, &error);         (F + 1e-3 I)^-1
 *   ng_fisher_destroy(f);
 *
 * Shapes. A vector is a row of n elements; every call that takes vectors takes
 * k of them at once, k x n. Eigenvalues are 1 x k, ascending, eigenvectors
 * rows. Symmetric arguments are read from, and written to, both triangles
 * unless said. A Kronecker factored F belongs to one m x c matrix W with
 * row-major vec: F = P (x) Q, P m x m of the outputs' gradients, Q c x c of the
 * inputs, so that F vec(X) = vec(P X Q) and n = m c.
 * Types. Views of a call have the dtype of the object (else NG_EDTYPE). State
 * is kept in that dtype (diagonal and EKFAC diagonals: double); factorisations
 * and what goes through them are done in double whatever it is.
 * Errors. Shapes NG_ESHAPE, NULL handles and outputs NG_EARG, NaN or infinity
 * in an input NG_ENONFINITE, a result or a sum too large for the dtype
 * NG_ERANGE, a call the representation has not NG_EUNSUPPORTED, a call before
 * any data NG_ENODATA. A call that fails leaves the object as it was; its
 * outputs may be overwritten. Outputs never overlap inputs.
 * One object, one thread at a time. */
#ifndef NATGRAD_FISHER_H
#define NATGRAD_FISHER_H

#include <natgrad/mat.h>
#include <natgrad/random.h>
#include <natgrad/sketch.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_fisher ng_fisher;

/* ---- Representations ------------------------------------------------------ */

/* All of F, n^2 elements. Solves by Cholesky, n^3/3 flops. */
NG_API ng_status ng_fisher_create_dense(ng_fisher **f, size_t n, ng_dtype dtype, ng_error *error);

/* The diagonal of F alone. */
NG_API ng_status ng_fisher_create_diagonal(ng_fisher **f, size_t n, ng_dtype dtype,
                                           ng_error *error);

/* Dense blocks of sizes[0], sizes[1], ... sizes[count - 1] >= 1 parameters along
 * the diagonal, n their sum: a layer each, say. Everything goes block by block,
 * at the cost of the blocks; what is rounding next to a largest eigenvalue (see
 * ng_fisher_solve) is judged within each block. */
NG_API ng_status ng_fisher_create_block_diagonal(ng_fisher **f, const size_t *sizes, size_t count,
                                                 ng_dtype dtype, ng_error *error);

/* F = B^T B, kept as the weighted scores B (rows x n): exact, and right when n
 * is much larger than the number of samples. Everything goes through B B^T (from
 * rows >= n on B^T B) or the singular values of B; a solve costs rows^2 n (rows
 * n^2) and needs damping > 0 while rows < n. At most max_rows >= 1 rows are kept:
 * when a batch brings more, B becomes the max_rows x n factor of the nearest F of
 * that rank. */
NG_API ng_status ng_fisher_create_lowrank(ng_fisher **f, size_t n, size_t max_rows, ng_dtype dtype,
                                          ng_error *error);

/* F = P (x) Q from a layer's statistics (K-FAC; Martens & Grosse 2015), of
 * outputs x inputs weights, or with bias != 0 of [W b], outputs x (inputs + 1).
 * Damping is exact, F + damping I, in the eigenbasis of the factors, which is
 * found once per change of the factors. */
NG_API ng_status ng_fisher_create_kron(ng_fisher **f, size_t outputs, size_t inputs, int bias,
                                       ng_dtype dtype, ng_error *error);

/* F = (U (x) V)^T diag(D) (U (x) V): the eigenbases U, V of the factors P, Q
 * as above, D the second moments of the scores in that basis (EKFAC; George et
 * al. 2018). The basis is renewed at the first and then every refresh-th
 * (>= 1) accumulation, and D is then carried over: the diagonal of the old F in
 * the new basis. */
NG_API ng_status ng_fisher_create_ekfac(ng_fisher **f, size_t outputs, size_t inputs, int bias,
                                        size_t refresh, ng_dtype dtype, ng_error *error);

/* F by its products with vectors: Fisher- or Gauss-Newton-vector products of a
 * network, for instance. Views have the dtype of the object, k x n, k >= 1. */
typedef struct {
    /* y <- F x for every row: symmetric, positive semi-definite, linear */
    ng_status (*mul)(void *data, ng_mat y, ng_mat x, ng_error *error);
    /* (optional) y <- C^-1 x, C positive definite and near F + damping I; with
     * the diagonal d of F alone, y = x / (d + damping) */
    ng_status (*precondition)(void *data, ng_mat y, ng_mat x, double damping, ng_error *error);
    void *data;
    /* (optional) a <- x F x^T, k x k in double, both triangles, where that costs less than mul */
    ng_status (*forms)(void *data, ng_mat a, ng_mat x, ng_error *error);
} ng_fisher_product;

/* When iterations end; 0 stands for the default. */
typedef struct {
    size_t size; /* set by ng_fisher_iteration_init */
    double tolerance;      /* 0 .. 1: of solve, ||x - (F + damping I) y|| / ||x|| for each row;
                              of eigen, ||F v - value v|| / largest value. 1e-8, float 1e-4 */
    size_t max_iterations; /* of conjugate gradients: 1000 */
    size_t max_basis;      /* basis vectors of n doubles, each with its product, that Lanczos
                              may keep: 300, and as many as eigenvalues are asked for */
} ng_fisher_iteration;

/* All defaults. NG_EOPTION for NULL and for another library's size, nothing written. */
NG_API ng_status ng_fisher_iteration_init_sized(ng_fisher_iteration *iteration, size_t size);
static inline ng_status ng_fisher_iteration_init(ng_fisher_iteration *iteration)
{
    return ng_fisher_iteration_init_sized(iteration, sizeof *iteration);
}

/* F that is never formed. product and iteration (may be NULL: the defaults) are copied,
 * product->data is borrowed. It has data from the start, and what the callback
 * says at the time of a call is F. mul, quadratic; solve by preconditioned
 * conjugate gradients; eigen by block Lanczos (natgrad/linalg.h); to_dense and
 * trace by n products, exactly; nothing else. A callback's error is passed on;
 * products that are not finite are NG_ENONFINITE. A solve that does not converge
 * is NG_ENOCONV with y the last iterate, at which a truncated step may stop; a
 * direction without positive curvature, where other representations would find
 * F + damping I singular, is NG_EINDEFINITE. Leading eigenvalues that do not
 * converge are NG_ENOCONV, too. */
NG_API ng_status ng_fisher_create_matrix_free(ng_fisher **f, size_t n, ng_dtype dtype,
                                              const ng_fisher_iteration *iteration,
                                              const ng_fisher_product *product, ng_error *error);

/* NULL is fine. */
NG_API void ng_fisher_destroy(ng_fisher *f);

/* n; the dtype; "dense", "diagonal", ...  0, NG_F64 and "" for NULL. */
NG_API size_t ng_fisher_size(const ng_fisher *f);
NG_API ng_dtype ng_fisher_dtype(const ng_fisher *f);
NG_API const char *ng_fisher_name(const ng_fisher *f);

/* What a representation offers. */
enum {
    NG_FISHER_ACCUMULATE = 1 << 0,       /* ng_fisher_accumulate */
    NG_FISHER_ACCUMULATE_LAYER = 1 << 1, /* ng_fisher_accumulate_layer */
    NG_FISHER_SET = 1 << 2,
    NG_FISHER_SET_FACTORS = 1 << 3,
    NG_FISHER_MUL = 1 << 4, /* and ng_fisher_quadratic, ng_fisher_forms */
    NG_FISHER_SOLVE = 1 << 5,
    NG_FISHER_POWER = 1 << 6, /* and ng_fisher_sample */
    NG_FISHER_TRACE = 1 << 7,
    NG_FISHER_LOGDET = 1 << 8,
    NG_FISHER_EIGEN = 1 << 9,
    NG_FISHER_TO_DENSE = 1 << 10,
    NG_FISHER_GRAM = 1 << 11,
    NG_FISHER_GET_FACTORS = 1 << 12,
    NG_FISHER_INVERSE_LAYER = 1 << 13,
    NG_FISHER_SOLVE_SKETCHED = 1 << 14
};

/* 1 if all calls of the mask are supported. */
NG_API int ng_fisher_can(const ng_fisher *f, unsigned calls);

/* ---- Estimators: what goes in ---------------------------------------------- */

/* Row i of a batch is the score of sample i: the derivative of that sample's
 * own log-probability (or its negative, its loss) by the n parameters. With
 * weights w_i >= 0 (1 without) a batch adds  scale^2 sum_i w_i s_i s_i^T.
 *
 *   empirical Fisher     scores with the labels of the data
 *   Monte-Carlo Fisher   the same call, labels drawn from the model's own
 *                        distribution given each input
 *   exact Fisher, GGN    one row for each sample and class, weighted with the
 *                        model's probability of that class; samples = the
 *                        number of inputs
 *                        squared loss |t - y|^2 / 2, t ~ N(y, I): one row dy_k/dw
 *                        for each sample and output k, without weights; samples
 *                        again the number of inputs
 *
 * What is made of it is said here, never guessed. */
typedef enum {
    NG_FISHER_MEAN = 0, /* F = (sum of all samples so far) / (their number) */
    NG_FISHER_SUM = 1   /* F = the sum */
} ng_fisher_normalisation;

typedef struct {
    size_t size;                           /* set by ng_fisher_batch_init */
    ng_fisher_normalisation normalisation; /* the same for the life of an object */
    double scale;   /* scale * row is the score: 1 (default) for rows from a summed loss, the
                       batch size for rows that are parts of the gradient of a mean loss; > 0 */
    double samples; /* how many samples the rows stand for; 0 (default): the sum of the
                       weights, or without weights the number of rows */
    double decay;   /* 0 .. 1: what earlier samples are multiplied with, in the sum and in their
                       number. 1 (default): plain mean or sum; less: moving average, free of
                       start bias; 0: this batch alone */
} ng_fisher_batch;

/* The defaults: mean, scale 1, samples 0, decay 1. NG_EOPTION for NULL and for
 * another library's size, nothing written. */
NG_API ng_status ng_fisher_batch_init_sized(ng_fisher_batch *batch, size_t size);
static inline ng_status ng_fisher_batch_init(ng_fisher_batch *batch)
{
    return ng_fisher_batch_init_sized(batch, sizeof *batch);
}

/* Takes scores (rows x n; rows >= 1). weights (1 x rows, or ng_mat_none()) and
 * batch (NULL: the defaults) as above. NG_EARG for values out of range,
 * NG_ENODATA when there are no rows or their weights sum to 0.
 * EKFAC: D takes the scores' second moments in the basis there is (NG_ENODATA
 * before layer statistics or factors gave one), P and Q count as seen again. So
 * D is right also where a weight is used many times in a sample, which outer
 * products of rows do not know: ng_fisher_set_factors, then decay 0 for the
 * first batch. The same samples go into one of the two calls, not both. A
 * Kronecker factored F is NG_EUNSUPPORTED: its factors are moments of g and of
 * a, which a score, their product, no longer tells apart. */
NG_API ng_status ng_fisher_accumulate(ng_fisher *f, ng_mat scores, ng_mat weights,
                                      const ng_fisher_batch *batch, ng_error *error);

/* Takes a layer's statistics: activations a (rows x inputs, without the ones
 * of a bias) and output gradients g (rows x outputs), scale * row of g the
 * derivative of the sample's own loss, so that the score of row i is the
 * outer product of g_i and a_i. P is normalised as the batch says, Q is the
 * weighted mean over the rows, however many samples they stand for: P (x) Q has
 * the normalisation asked for. */
NG_API ng_status ng_fisher_accumulate_layer(ng_fisher *f, ng_mat a, ng_mat g, ng_mat weights,
                                            const ng_fisher_batch *batch, ng_error *error);

/* F <- dense (n x n, lower triangle read), or what of it fits the
 * representation, its diagonal. In later means it counts as that
 * many samples, > 0: with N / (1 - decay) for batches of N samples, the moving
 * average is F <- decay F + (1 - decay) batch. The low-rank representation
 * takes eigenvalues above n eps(dtype) * (largest), at most max_rows. */
NG_API ng_status ng_fisher_set(ng_fisher *f, ng_mat dense, double samples, ng_error *error);

/* F <- p (x) q, p m x m, q c x c (with the bias's row and column), lower
 * triangles read; samples as above. EKFAC: D = products of eigenvalues. */
NG_API ng_status ng_fisher_set_factors(ng_fisher *f, ng_mat p, ng_mat q, double samples,
                                       ng_error *error);

/* p (m x m), q (c x c), both triangles: the factors. F is p (x) q, but for EKFAC with its own D. */
NG_API ng_status ng_fisher_get_factors(ng_fisher *f, ng_mat p, ng_mat q, ng_error *error);

/* ---- Operations: what comes out --------------------------------------------- */

/* y <- F x for the k rows of x (k x n). */
NG_API ng_status ng_fisher_mul(ng_fisher *f, ng_mat y, ng_mat x, ng_error *error);

/* *value = x F x^T, x 1 x n. */
NG_API ng_status ng_fisher_quadratic(ng_fisher *f, double *value, ng_mat x, ng_error *error);

/* a <- x F x^T for k >= 1 rows x (k x n): k x k in double, both triangles, disjoint from x. */
NG_API ng_status ng_fisher_forms(ng_fisher *f, ng_mat a, ng_mat x, ng_error *error);

/* y <- (F + damping I)^-1 x, damping >= 0. NG_ESINGULAR when that matrix is
 * not positive definite; with damping 0 also when its smallest pivot or
 * eigenvalue is rounding, n eps(dtype) of the largest (diagonal: 0). */
NG_API ng_status ng_fisher_solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error);

/* Low-rank only. y <- ((S B)^T (S B) + damping I)^-1 x, S a sketch of ng_fisher_rows(f) columns:
 * x as it is, F by m random combinations of its rows (partial sketching: Pilanci and Wainwright,
 * Newton sketch, 2017). O(m^2 n) instead of O(rows^2 n) beside the sketch itself. The mean square
 * of what y is off the exact solution falls like n/m from m ~ 10 n on (or, with damping, ten times
 * the number of eigenvalues above it); srht of as many rows as it has room for is exact. NG_ESHAPE
 * for a sketch of another number of columns; else as ng_fisher_solve, of a matrix of m rows. */
NG_API ng_status ng_fisher_solve_sketched(ng_fisher *f, ng_mat y, ng_mat x, double damping,
                                          const ng_sketch *sketch, ng_error *error);

/* y <- (F + damping I)^exponent x, any real exponent; negative ones fail as
 * ng_fisher_solve does, positive ones take negative eigenvalues for 0. */
NG_API ng_status ng_fisher_power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                                 ng_error *error);

/* The k rows of x <- independent draws from N(0, (F + damping I)^-1): the power
 * -1/2 of standard normal numbers, of which k n are taken, row by row. */
NG_API ng_status ng_fisher_sample(ng_fisher *f, ng_mat x, double damping, const ng_random *random,
                                  ng_error *error);

/* Factored F only. Row r of values (samples x k^2) <- the k x k products
 * s_i (F + damping I)^-1 s_j of k scores of sample r, the derivatives of k outputs, say.
 * s_i is the sum of the outer products of rows of g and a (without the ones of a
 * bias): a (samples * places x inputs), the places of a sample behind each other; g
 * (k * samples * places x outputs), what belongs to output i behind what belongs to
 * i - 1. No s is formed where places is 1: k outputs for little more than one. */
NG_API ng_status ng_fisher_inverse_layer(ng_fisher *f, ng_mat values, ng_mat a, ng_mat g,
                                         double damping, ng_error *error);

NG_API ng_status ng_fisher_trace(ng_fisher *f, double *value, ng_error *error);

/* log det(F + damping I); fails as ng_fisher_solve does. */
NG_API ng_status ng_fisher_logdet(ng_fisher *f, double *value, double damping, ng_error *error);

/* The k = values.cols largest eigenvalues (1 x k, ascending) and, unless vectors
 * are ng_mat_none(), their eigenvectors (k x n, row i belongs to value i), 1 <= k <= n. Low-rank:
 * vectors only for k <= rows kept, else NG_EUNSUPPORTED; values beyond are 0. */
NG_API ng_status ng_fisher_eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ng_error *error);

/* dense (n x n, both triangles) <- F. */
NG_API ng_status ng_fisher_to_dense(ng_fisher *f, ng_mat dense, ng_error *error);

/* Low-rank only. The number of rows kept, and the Gram matrix B B^T of the
 * weighted scores (rows x rows, both triangles). For one batch of outputs'
 * derivatives without weights, times samples / scale^2 for a mean, this is the
 * neural tangent kernel. It has F's non-zero eigenvalues. */
NG_API size_t ng_fisher_rows(const ng_fisher *f);
NG_API ng_status ng_fisher_gram(ng_fisher *f, ng_mat gram, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
