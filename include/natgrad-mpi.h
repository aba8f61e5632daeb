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
} ng_mpi_sharing;

typedef struct {
    size_t size;            /* set by ng_mpi_init */
    ng_mpi_sharing sharing; /* default NG_MPI_OWNER; the same on all ranks */
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

#ifdef __cplusplus
}
#endif
#endif
