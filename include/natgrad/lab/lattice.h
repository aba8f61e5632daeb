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
 * Translations and reflections leave F and kappa alone, so they are kept as
 * tables over displacements. Free fermions, enumeration, the transfer matrix
 * and Monte Carlo find them; whitened in Fourier space they give R. */
#ifndef NATGRAD_LAB_LATTICE_H
#define NATGRAD_LAB_LATTICE_H

#include <stddef.h>
#include <natgrad/exchange.h>
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
    double *third;  /* d^3 n^2, or NULL */
} ng_cumulants;

/* Allocates the tables, all zero; third = 0 leaves the big one out (NULL).
 * dimension 2 or 3, length >= 3: NG_EARG; NG_ENOMEM names the bytes. On an
 * error *c is all zero. */
NG_API ng_status ng_cumulants_create(ng_cumulants *c, size_t dimension, size_t length, int third,
                                     ng_error *error);

/* Frees the tables and clears the struct. NULL and a cleared one are fine. */
NG_API void ng_cumulants_destroy(ng_cumulants *c);

/* R = (|kappa|^2 - |tr kappa|^2)/4, indices raised by F^-1. */
typedef struct {
    double curvature; /* R */
    double square;    /* |kappa|^2 */
    double trace;     /* |tr kappa|^2 */
    double rounding;  /* about what rounding leaves of R: its error is rarely larger, and seldom
                         a hundredth of it; double precision's only, not that of the model */
} ng_lattice_curvature;

/* R from the tables, by Fourier transform over both displacements: F is d x d
 * blocks F(k), and with T the third cumulants, each index whitened by F(k),
 *     |kappa|^2 = (1/n) sum over k1, k2 of |T(k1, k2)|^2,
 *     |tr kappa|^2 = n sum over c of |(1/n) sum over k, a of T_aac(k, 0)|^2.
 * The tables must be symmetric under reflections of the lattice. O(L^2d (L +
 * d^4)) operations. NG_ESINGULAR when F is not positive definite,
 * NG_ENONFINITE, NG_ENOMEM. */
NG_API ng_status ng_cumulants_curvature(ng_lattice_curvature *result, const ng_cumulants *c,
                                        ng_error *error);

/* Third cumulants of one bond position x: planes[((a d + b) d + c) n + y], of
 * (a, 0), (b, x), (c, y). */
typedef ng_status (*ng_cumulant_planes)(void *data, double *planes, size_t x, ng_error *error);

/* The same without c->third: `planes` is called once for each x in order, and
 * its error is returned as it is. */
NG_API ng_status ng_cumulants_curvature_from(ng_lattice_curvature *result, const ng_cumulants *c,
                                             ng_cumulant_planes planes, void *data,
                                             ng_error *error);

/* Bytes these two allocate (beside c): about 16 d^3 L^d (L/2 + 1)^d, which is
 * 32 L^4 to 80 L^4 in two dimensions (reflections leave a quarter of the wave
 * vectors). SIZE_MAX when it does not fit. */
NG_API size_t ng_cumulants_curvature_memory(size_t dimension, size_t length);

/* ---- Free fermions: 2-D Ising, exactly, at every size ----------------------
 *
 * One coupling J on every bond, 0 <= J <= 2 (NG_EARG). Four sectors of boundary
 * conditions, exact at the critical coupling too, where the periodic sector has
 * zero modes. O(L^4): milliseconds at L = 10, seconds at L = 64. Rounding
 * leaves a relative error of 1e-12 or so in R up to J = 0.6; deep in order
 * 1 - <T>^2 ~ e^-8J cancels, so that some 1e-16 e^8J must be expected. */

/* ln(1 + sqrt 2)/2, where the square lattice is critical. */
#define NG_ISING_CRITICAL 0.44068679350977147

/* R of the L x L torus, length >= 3 (NG_EARG). memory: bytes that it may take, 0: no limit. Where
 * they are too few for one pass over all wave vectors the third cumulants are made in as many as it
 * takes, each of which costs about half as much as all of one; NG_ENOMEM before any work where
 * NG_ISING_PASSES are too few. The bits do not depend on it. */
NG_API ng_status ng_ising_fermion(ng_lattice_curvature *result, size_t length, double coupling,
                                  size_t memory, ng_error *error);

/* The same divided among the ranks of an exchange (natgrad/exchange.h; NULL: alone), wave vectors
 * and time alike, memory a limit for each: a call of all ranks with the same arguments, and the
 * same bits on all of them for every number of ranks. What fails on one rank fails on all, with the
 * same text. Each receives about 32 L^4 bytes in every pass. */
NG_API ng_status ng_ising_fermion_shared(ng_lattice_curvature *result, size_t length,
                                         double coupling, size_t memory,
                                         const ng_exchange *exchange, ng_error *error);

enum { NG_ISING_PASSES = 16 };

/* Bytes that needs of each of so many ranks (1: alone) in so many passes, exactly: about 32 L^4 /
 * (ranks passes) at large L (with tables and spectrum whole it would be some 316 L^4). SIZE_MAX
 * when it does not fit, and for passes beyond NG_ISING_PASSES. */
NG_API size_t ng_ising_fermion_memory(size_t length, size_t ranks, size_t passes);

/* Fills c->mean, c->fisher and, unless NULL, c->third of a *c made by
 * ng_cumulants_create with dimension = 2 (else NG_EARG). NG_ENOMEM. */
NG_API ng_status ng_ising_fermion_cumulants(ng_cumulants *c, double coupling, ng_error *error);

/* ---- Enumeration and transfer matrix --------------------------------------- */

/* Bytes each needs at its peak, the tables included; SIZE_MAX if that does not
 * fit or the engine does not know the model. */
NG_API size_t ng_lattice_enumerate_memory(const ng_lattice *lattice);
NG_API size_t ng_lattice_transfer_memory(const ng_lattice *lattice);

/* All q^n states. Ising: Walsh-Hadamard transform of the 2^(n-1) weights,
 * 8 * 2^(n-1) bytes (2-D to L = 5, 3-D L = 3). Potts: one state after the
 * other, q^(n-1) d^3 n^2 operations (L = 3; q = 3, L = 4 in minutes).
 * memory: the limit in bytes; above it NG_ENOMEM before any work, the text
 * having both numbers. *cumulants is created here; ng_cumulants_destroy it.
 * NG_EARG (model, length, coupling), NG_EUNSUPPORTED (more than 2^40 states),
 * NG_ERANGE (|J| so large that the weights underflow). */
NG_API ng_status ng_lattice_enumerate(ng_cumulants *cumulants, const ng_lattice *lattice, size_t memory,
                              ng_error *error);

/* The transfer matrix from row to row in its eigenbasis, one bond at the
 * origin, in the symmetry sectors of the colours: two of size 2^(L-1) for
 * Ising, two of 4^(L-1) for Potts q = 4, one of 3^L for q = 3. For Ising about
 * 5 L^2 products of matrices of 2^(L-1), 20 to 25 L 4^(L-1) bytes from L = 10
 * (61 MB there, 1.1 GB at 12); L = 10 takes seconds, 12 minutes. Two dimensions
 * only: else NG_EUNSUPPORTED. Otherwise as ng_lattice_enumerate. */
NG_API ng_status ng_lattice_transfer(ng_cumulants *cumulants, const ng_lattice *lattice, size_t memory,
                             ng_error *error);

/* ---- Monte Carlo: Wolff's clusters, Ising in two and three dimensions ----- */

/* Called between rounds of samples with the number done and wanted; non-zero
 * stops the run (NG_STOPPED) after writing the checkpoint, if there is one. */
typedef int (*ng_wolff_progress)(void *data, size_t done, size_t total);

/* Set the defaults with ng_wolff_init, then what differs. */
typedef struct {
    size_t size;            /* of this struct, for ng_wolff_run to check */
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
    ng_wolff_progress progress;   /* (optional) */
    void *data;             /* for progress */
    const ng_exchange *exchange; /* borrowed; NULL (default): alone. See ng_wolff_run */
} ng_wolff_options;

/* All defaults. NG_EOPTION for NULL and for another library's size, nothing written. */
NG_API ng_status ng_wolff_init_sized(ng_wolff_options *options, size_t size);
static inline ng_status ng_wolff_init(ng_wolff_options *options)
{
    return ng_wolff_init_sized(options, sizeof *options);
}

/* Estimates from all chains. Cumulants are averaged over translations and
 * reflections before they are squared. plain squares their mean, which counts
 * the noise; cross leaves every chain's product with itself out,
 *     (|sum of k_b|^2 - sum of |k_b|^2) / (B (B - 1)),
 * for |kappa|^2 and for |tr kappa|^2; corrected is cross with the rest of the
 * bias of order 1/N, which comes from F^-1, removed by the jackknife that
 * deletes one chain; sigma is its standard error, from as many numbers as
 * there are chains: deviations in its unit follow Student's t, and with 20
 * chains one in 136 exceeds 3. A chain should be at least 50 autocorrelation
 * times long: compare samples / chains with the tau. */
typedef struct {
    double plain, cross, corrected, difference; /* R; difference = plain - corrected */
    double sigma;
    double mean;       /* <T> */
    double tau_energy; /* integrated autocorrelation times in samples, >= 1/2: sum of T, */
    double tau_mode;   /* and |T(k)|^2 at the longest wave, over all directions */
    size_t samples;    /* taken, all chains together */
    int resumed;       /* the run went on from the checkpoint */
} ng_wolff_result;

/* Bytes of a run, SIZE_MAX if that does not fit or the options are no options. */
NG_API size_t ng_wolff_memory(const ng_wolff_options *options);

/* Runs the chains. Same options, whatever the threads and however often
 * stopped and resumed: same bits. The checkpoint replaces the file as ng_file does
 * (natgrad/file.h); it stays when the run is done, and a run with the same options
 * then returns at once. It is bound to this machine's byte order. A checkpoint is
 * refused, and stays as it is, when a value in it is none that a run can have.
 * With an exchange (natgrad/exchange.h) chains are divided among its ranks, which all call this
 * with the same lattice, samples, flips, warmup, chains, seed and checkpoint, and have the same
 * result, of the same bits whatever their number, and the same status and text. Beyond as many
 * ranks as chains there is nothing to gain. Each has room for all chains. Rank 0 writes the
 * checkpoint, which all read; where the progress of any rank stops, all do.
 * Before any work: NG_EOPTION (range; the text has the numbers needed),
 * NG_EUNSUPPORTED (not Ising), NG_ENOMEM (limit). NG_EIO; NG_EFORMAT for a
 * checkpoint that is damaged (the text says where) or of other options; NG_ESINGULAR. */
NG_API ng_status ng_wolff_run(ng_wolff_result *result, const ng_wolff_options *options,
                          ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
