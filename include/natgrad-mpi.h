/* natgrad-mpi.h: one optimizer on many machines, over MPI. Link with -lnatgrad-mpi -lnatgrad,
 * compile and link with mpicc or MPI's own flags.
 *
 *   MPI_Init(&argc, &argv);
 *   ... the same optimizer on every rank: groups, parameters, initial weights ...
 *   if (ng_mpi_optimizer_attach(opt, MPI_COMM_WORLD, NULL) != NG_OK)
 *       die(ng_optimizer_error(opt));
 *   for (;;) {
 *       ... the gradients of the whole batch, alike on every rank ...
 *       if (ng_optimizer_step(opt) != NG_OK)
 *           die(ng_optimizer_error(opt));
 *   }
 *   ng_optimizer_destroy(opt);
 *   MPI_Finalize();
 *
 * Weights after any number of steps are bit for bit those of one process, for every number of
 * ranks, where all have the same machine type and BLAS kernels (and BLAS threads). What an attached
 * optimizer does and wants of its ranks: natgrad/exchange.h. Failures of MPI itself, a rank that
 * has died among them, end the job: start again from the last checkpoint, on any number of ranks.
 *
 * The guide is doc/scaling.md. */
#ifndef NATGRAD_MPI_H
#define NATGRAD_MPI_H

#include <mpi.h>

#include <natgrad.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who keeps the state of a parameter and makes its steps. */
typedef enum {
    NG_MPI_OWNER = 0,     /* one rank each */
    NG_MPI_REPLICATE = 1, /* every rank: nothing is sent but the status of steps */
    NG_MPI_HYBRID = 2,    /* every rank the cheapest ones, one rank each of the others */
} ng_mpi_sharing;

typedef struct {
    size_t size;            /* set by ng_mpi_init */
    ng_mpi_sharing sharing; /* default NG_MPI_OWNER; the same on all ranks */
    double fraction; /* of NG_MPI_HYBRID: of the cost what every rank does itself, 0 ... 1; default
                        0.1 */
    int check;       /* 1: weights and gradients are compared before every step; default 0 */
    /* Of a batch, as many as there are ranks at least, for ng_optimizer_add_shard and
     * ng_optimizer_reduce (natgrad/exchange.h). Default 0: every rank has the whole batch. */
    size_t shards;
} ng_mpi_options;

/* The defaults; as all init functions (natgrad.h). */
NG_API ng_status ng_mpi_init_sized(ng_mpi_options *options, size_t size);
static inline ng_status ng_mpi_init(ng_mpi_options *options)
{
    return ng_mpi_init_sized(options, sizeof *options);
}

/* ng_optimizer_attach to the ranks of comm, of which a duplicate is kept until the optimizer is
 * destroyed, which comes before MPI_Finalize. A call of all ranks of comm, as steps, saves and
 * loads are from then on. options NULL means defaults. Besides its state and the weights a rank
 * holds a buffer of 32 MB, or 64 KB a rank if that is more. With
 * shards two sums, of gradients and of captures, for each subtree that it completes (below). As
 * ng_optimizer_attach; NG_EARG where MPI has not begun or has ended, beyond 65,535 ranks, and with
 * fewer shards than ranks. */
NG_API ng_status ng_mpi_optimizer_attach(ng_optimizer *optimizer, MPI_Comm comm,
                                         const ng_mpi_options *options);

/* The same ranks as a table, for ng_optimizer_attach or ng_trainer_options.exchange, which take it
 * over; else exchange->destroy(exchange->data) gives it back. Statuses as above; then all zero. */
NG_API ng_status ng_mpi_exchange_create(ng_exchange *exchange, MPI_Comm comm,
                                        const ng_mpi_options *options);

/* ---- Gradients of a divided batch ------------------------------------------------------------
 *
 * What ng_optimizer_reduce does with the gradients and captures of an attached optimizer, for any
 * matrices and without one. The batch is S shards, as many as the user says and not as there are
 * ranks; each rank has some of them, one after the other. Their gradients are added in one binary
 * tree over shards, so that the sum has the same bits for every number of ranks up to S.
 *
 *   ng_mpi_shards_create(&shards, MPI_COMM_WORLD, gradients, count, 8, &error);
 *   ng_mpi_shards_range(shards, &first, &last);
 *   for (;;) {
 *       for (size_t i = first; i < last; i++) {
 *           ... forward and backward of shard i: its mean loss ...
 *           ng_mpi_shards_add(shards, &error);
 *       }
 *       ng_mpi_reduce_gradients(shards, 1.0 / 8, &error);      the mean, on every rank
 *       ng_optimizer_step(opt);
 *   }
 *
 * The tree: shards lo ... hi - 1 are the first 2^k of them, the largest such that is not all, plus
 * the rest. Sums are in the dtype of the gradients. */
typedef struct ng_mpi_shards ng_mpi_shards;

/* gradients: `count` views, borrowed, in the same order with the same shapes on all ranks (a loss
 * may be one of them); number: S >= ranks. A call of all ranks. A rank holds a sum for each subtree
 * that it completes: one where S / ranks is a power of two, and one more. NG_EARG (the ranks
 * differ, too few shards, MPI is not there), NG_ENOMEM; on all ranks. */
NG_API ng_status ng_mpi_shards_create(ng_mpi_shards **shards, MPI_Comm comm,
                                      const ng_mat *gradients, size_t count, size_t number,
                                      ng_error *error);

/* Before MPI_Finalize. NULL is fine. */
NG_API void ng_mpi_shards_destroy(ng_mpi_shards *shards);

/* This rank's shards are *first ... *last - 1. */
NG_API void ng_mpi_shards_range(const ng_mpi_shards *shards, size_t *first, size_t *last);

/* Takes in what the views hold: the next of this rank's shards. NG_EARG: none is left. */
NG_API ng_status ng_mpi_shards_add(ng_mpi_shards *shards, ng_error *error);

/* The views <- scale times the sum over all shards, on every rank; the next batch begins. A call of
 * all ranks. NG_EARG (a rank has shards left), NG_ENOMEM: on all ranks, and nothing has changed. */
NG_API ng_status ng_mpi_reduce_gradients(ng_mpi_shards *shards, double scale, ng_error *error);

/* ---- Dense Fisher matrices beyond one node ---------------------------------------------------
 *
 * All of F, n x n in double, in blocks over the ranks (ScaLAPACK): n^2 / ranks numbers each.
 *
 *   ng_mpi_fisher_create(&f, MPI_COMM_WORLD, n, 0, &error);
 *   ng_mpi_fisher_accumulate(f, scores, ng_mat_none(), NULL, &error);  this rank's rows x n
 *   ng_mpi_fisher_solve(f, step, gradient, 1e-3, &error);              on every rank
 *   ng_mpi_fisher_destroy(f);
 *
 * Every call but destroy and memory is one of all ranks, with the same arguments but for scores and
 * weights; what comes out is the same on all of them. Vectors are rows, as of ng_fisher
 * (natgrad/fisher.h), whose meaning and errors these calls have: ng_mpi_fisher_solve those of
 * ng_fisher_solve, and so on. Views are f32 or f64, sums are in double, and unlike the rest of this
 * library their order and with it the last bits depend on the ranks. What fails on one rank fails
 * on all, with one status and text; arguments that differ are NG_EARG; F is then as it was.
 *
 * A solve and logdet work in a second n^2 / ranks numbers, eigenvectors in a third. The spectrum of
 * F has its regime parameters: ng_regime_create_spectrum (natgrad/regime.h).
 *
 * Without ScaLAPACK (Debian: libscalapack-openmpi-dev) when natgrad was built every call is
 * NG_EUNSUPPORTED. */
typedef struct ng_mpi_fisher ng_mpi_fisher;

/* n >= 1. block: rows and columns of a block, 0 for the default, 64. comm is duplicated. NG_EARG,
 * NG_ENOMEM, NG_ERANGE (a rank's part is beyond 2^31 numbers). */
NG_API ng_status ng_mpi_fisher_create(ng_mpi_fisher **f, MPI_Comm comm, size_t n, size_t block,
                                      ng_error *error);

/* A call of all ranks, before MPI_Finalize. NULL is fine. */
NG_API void ng_mpi_fisher_destroy(ng_mpi_fisher *f);

/* Bytes of F that this rank keeps. */
NG_API size_t ng_mpi_fisher_memory(const ng_mpi_fisher *f);

/* As ng_fisher_accumulate, with the rows of all ranks as one batch. A rank may have none; weights
 * on all ranks that have rows or on none; batch->samples is the whole batch's. */
NG_API ng_status ng_mpi_fisher_accumulate(ng_mpi_fisher *f, ng_mat scores, ng_mat weights,
                                          const ng_fisher_batch *batch, ng_error *error);

/* F <- dense, which every rank has: lower triangle read. */
NG_API ng_status ng_mpi_fisher_set(ng_mpi_fisher *f, ng_mat dense, double samples, ng_error *error);

/* y <- F x; *value = x F x^T; y <- (F + damping I)^-1 x by Cholesky. */
NG_API ng_status ng_mpi_fisher_mul(ng_mpi_fisher *f, ng_mat y, ng_mat x, ng_error *error);
NG_API ng_status ng_mpi_fisher_quadratic(ng_mpi_fisher *f, double *value, ng_mat x,
                                         ng_error *error);
NG_API ng_status ng_mpi_fisher_solve(ng_mpi_fisher *f, ng_mat y, ng_mat x, double damping,
                                     ng_error *error);

/* log det(F + damping I) by Cholesky, which fails as a solve does. */
NG_API ng_status ng_mpi_fisher_trace(ng_mpi_fisher *f, double *value, ng_error *error);
NG_API ng_status ng_mpi_fisher_logdet(ng_mpi_fisher *f, double *value, double damping,
                                      ng_error *error);

/* The values.cols largest eigenvalues, ascending, and their eigenvectors, unless ng_mat_none(). */
NG_API ng_status ng_mpi_fisher_eigen(ng_mpi_fisher *f, ng_mat values, ng_mat vectors,
                                     ng_error *error);

/* dense (n x n, both triangles) <- F, on every rank. */
NG_API ng_status ng_mpi_fisher_to_dense(ng_mpi_fisher *f, ng_mat dense, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
