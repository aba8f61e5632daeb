/* natgrad/lab/lattice.h: Fisher curvature of spin models on the torus.
 *
 * n = L^d sites with periodic boundaries, one coupling for each of the m = d n
 * bonds, all equal to J at the point that is looked at. The bonds' statistics
 * T_a (Ising s_i s_j, Potts [s_i = s_j]) and couplings make an exponential
 * family: its Fisher matrix is F_ab = Cov(T_a, T_b), and the derivative of F
 * is the third joint cumulant kappa_abc. With indices raised by F^-1 the
 * scalar curvature of the m couplings is
 *     R = (|kappa|^2 - |tr kappa|^2) / 4,   spheres having R > 0
 * (M. Zhuravlev, arXiv:2603.07651, looks at R(J_c) against the size).
 *
 * Translations leave F and kappa alone, so they are kept as tables over
 * displacements. Three ways to the tables stand here: enumeration, transfer
 * matrix and Monte Carlo; one contraction for all. */
#ifndef NATGRAD_LAB_LATTICE_H
#define NATGRAD_LAB_LATTICE_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NG_LATTICE_ISING2D = 0,
    NG_LATTICE_ISING3D = 1,
    NG_LATTICE_POTTS3 = 2, /* d = 2, q = 3 */
    NG_LATTICE_POTTS4 = 3  /* d = 2, q = 4 */
} ng_lattice_model;

/* A model, its length L >= 3 and its coupling J (finite). */
typedef struct {
    ng_lattice_model model;
    size_t length;
    double coupling;
} ng_lattice;

/* "ising2d", "ising3d", "potts3", "potts4"; NULL for anything else. Static. */
NG_API const char *ng_lattice_name(ng_lattice_model model);

/* The model of that name. NG_EARG. */
NG_API ng_status ng_lattice_find(ng_lattice_model *model, const char *name, ng_error *error);

/* J_c: ln(1 + sqrt 2)/2, 0.2216544 (3-D, numerical), ln(1 + sqrt q); 0 for an
 * unknown model. Dimension d and states q of one site likewise. */
NG_API double ng_lattice_critical(ng_lattice_model model);
NG_API size_t ng_lattice_dimension(ng_lattice_model model);
NG_API size_t ng_lattice_states(ng_lattice_model model);

/* ---- Cumulants by displacement, and their contraction -------------------- */

/* Site (x_0, ..., x_{d-1}) has the number x_0 + L x_1 + L^2 x_2; bond (a, x)
 * leads from x to x + e_a, a = 0 ... d-1. With n = L^d
 *     mean                       <T>, the same for all bonds
 *     fisher[(a d + b) n + x]    Cov of bond (a, 0) and bond (b, x)
 *     third[((a d + b) d + c) n^2 + x n + y]   cumulant of (a, 0), (b, x), (c, y) */
typedef struct {
    size_t dimension, length;
    double mean;
    double *fisher; /* d^2 n */
    double *third;  /* d^3 n^2 */
} ng_cumulants;

/* Allocates the tables, all zero. dimension 2 or 3, length >= 3: NG_EARG;
 * NG_ENOMEM. On an error *cumulants is all zero. */
NG_API ng_status ng_cumulants_create(ng_cumulants *cumulants, size_t dimension, size_t length,
                                     ng_error *error);

/* Frees the tables and clears the struct. NULL and a cleared one are fine. */
NG_API void ng_cumulants_destroy(ng_cumulants *cumulants);

typedef struct {
    double curvature;    /* R */
    double third_square; /* |kappa|^2 */
    double trace_square; /* |tr kappa|^2 */
} ng_lattice_curvature;

/* Bytes that ng_cumulants_contract allocates, beside the tables' 8 (d^2 n +
 * d^3 n^2); SIZE_MAX if that does not fit. */
NG_API size_t ng_cumulants_memory(size_t dimension, size_t length);

/* R from the tables, by Fourier transform: F is d x d blocks F(k), and with
 * each index whitened by F(k)^{-1/2}
 *     |kappa|^2 = (1/n) sum over k1, k2 of |T(k1, k2)|^2,
 *     |tr kappa|^2 = n sum over c of |(1/n) sum over k, a of T_aac(k, 0)|^2.
 * third must be symmetric in its three bonds, as cumulants are; only one
 * ordering of each three momenta is looked at.
 * NG_ENONFINITE; NG_ESINGULAR when a block is not positive definite;
 * NG_ENOMEM. */
NG_API ng_status ng_cumulants_contract(ng_lattice_curvature *curvature,
                                       const ng_cumulants *cumulants, ng_error *error);

/* ---- Exact tables --------------------------------------------------------- */

/* Bytes each needs at its peak, the tables included; SIZE_MAX if that does not
 * fit or the engine does not know the model. */
NG_API size_t ng_enumerate_memory(const ng_lattice *lattice);
NG_API size_t ng_transfer_memory(const ng_lattice *lattice);

/* All q^n states. Ising: Walsh-Hadamard transform of the 2^(n-1) weights,
 * 8 * 2^(n-1) bytes (2-D to L = 5, 3-D L = 3). Potts: one state after the
 * other, q^(n-1) d^3 n^2 operations (L = 3; q = 3, L = 4 in minutes).
 * memory: the limit in bytes; above it NG_ENOMEM before any work, the text
 * having both numbers. *cumulants is created here; ng_cumulants_destroy it.
 * NG_EARG (model, length, coupling), NG_EUNSUPPORTED (more than 2^40 states),
 * NG_ERANGE (|J| so large that the weights underflow). */
NG_API ng_status ng_enumerate(ng_cumulants *cumulants, const ng_lattice *lattice, size_t memory,
                              ng_error *error);

/* The transfer matrix from row to row in its eigenbasis, one bond at the
 * origin, in the symmetry sectors of the colours: two of size 2^(L-1) for
 * Ising, two of 4^(L-1) for Potts q = 4, one of 3^L for q = 3. For Ising about
 * 5 L^2 products of matrices of 2^(L-1), 20 to 25 L 4^(L-1) bytes from L = 10
 * (61 MB there, 1.1 GB at 12); L = 10 takes seconds, 12 minutes. Two dimensions only: else
 * NG_EUNSUPPORTED. Otherwise as ng_enumerate. */
NG_API ng_status ng_transfer(ng_cumulants *cumulants, const ng_lattice *lattice, size_t memory,
                             ng_error *error);

/* ---- Monte Carlo: Wolff's clusters, Ising in two and three dimensions ----- */

/* Called between rounds of samples with the number done and wanted; non-zero
 * stops the run (NG_STOPPED) after writing the checkpoint, if there is one. */
typedef int (*ng_progress)(void *data, size_t done, size_t total);

/* Set the defaults with ng_wolff_options_init, then what differs. */
typedef struct {
    size_t size;            /* of this struct, for ng_wolff to check */
    ng_lattice lattice;     /* an Ising model, J >= 0 */
    size_t samples;         /* N >= 20 n^2; rounded up to 32 in each chain */
    size_t flips;           /* clusters flipped between samples, default 3, >= 1 */
    size_t warmup;          /* clusters before the first sample; 0 (default): 200 + 20 L */
    size_t chains;          /* independent chains, each one block: default and least 20 */
    size_t threads;         /* default 1; changes no bit of the result */
    unsigned long seed;     /* default 1, 0 ... 2^32 - 1 */
    size_t memory;          /* limit in bytes, default 2^32 */
    const char *checkpoint; /* file to write and resume from; NULL (default): none */
    double interval;        /* seconds between checkpoints, default 60, >= 0 */
    ng_progress progress;   /* (optional) */
    void *data;             /* for progress */
} ng_wolff_options;

NG_API void ng_wolff_options_init(ng_wolff_options *options);

/* Estimates from all chains. Cumulants are averaged over translations and
 * reflections before they are squared. plain squares their mean, which counts
 * the noise; cross leaves every chain's product with itself out,
 *     (|sum of k_b|^2 - sum of |k_b|^2) / (B (B - 1)),
 * for |kappa|^2 and for |tr kappa|^2; corrected is cross with the rest of the
 * bias of order 1/N, which comes from F^-1, removed by the jackknife that
 * deletes one chain; sigma is its standard error. A chain should be at least
 * 50 autocorrelation times long: compare samples / chains with the tau. */
typedef struct {
    double plain, cross, corrected, difference; /* R; difference = plain - corrected */
    double sigma;
    double mean;       /* <T> */
    double tau_energy; /* integrated autocorrelation times in samples, >= 1/2: sum of T, */
    double tau_mode;   /* and |T(k)|^2 at the longest wave, over all directions */
    size_t samples;    /* taken, all chains together */
    int resumed;       /* the run went on from the checkpoint */
} ng_wolff_result;

/* Bytes of a run, SIZE_MAX if that does not fit. */
NG_API size_t ng_wolff_memory(const ng_wolff_options *options);

/* Runs the chains. Same options, whatever the threads and however often
 * stopped and resumed: same bits. The checkpoint is written to a temporary
 * file beside it, synced and renamed; it stays when the run is done, and a run
 * with the same options then returns at once. It is bound to this machine's
 * byte order.
 * Before any work: NG_EOPTION (range; the text has the numbers needed),
 * NG_EUNSUPPORTED (not Ising), NG_ENOMEM (limit). NG_EIO; NG_EFORMAT for a
 * checkpoint that is damaged or of other options; NG_ESINGULAR. */
NG_API ng_status ng_wolff(ng_wolff_result *result, const ng_wolff_options *options,
                          ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
