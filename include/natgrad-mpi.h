/* natgrad-mpi.h: one optimizer on many machines, over MPI. Link with -lnatgrad-mpi -lnatgrad, compile
 * and link with mpicc or MPI's own flags.
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
 * Weights after any number of steps are bit for bit those of one process, for every number of ranks,
 * where all have the same machine type and BLAS kernels (and BLAS threads). What an attached
 * optimizer does and wants of its ranks: natgrad/exchange.h. Failures of MPI itself, a rank that has
 * died among them, end the job: start again from the last checkpoint, on any number of ranks.
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
} ng_mpi_options;

/* The defaults; as all init functions (natgrad.h). */
NG_API ng_status ng_mpi_init_sized(ng_mpi_options *options, size_t size);
static inline ng_status ng_mpi_init(ng_mpi_options *options)
{
    return ng_mpi_init_sized(options, sizeof *options);
}

/* ng_optimizer_attach to the ranks of comm, of which a duplicate is kept until the optimizer is
 * destroyed, which comes before MPI_Finalize. A call of all ranks of comm, as steps, saves and loads
 * are from then on. options NULL means defaults. Besides its state and the weights a rank holds a
 * buffer of 32 MB, or 64 KB a rank if that is more.
 * As ng_optimizer_attach; NG_EARG where MPI has not begun or has ended, and beyond 65,535 ranks. */
NG_API ng_status ng_mpi_optimizer_attach(ng_optimizer *optimizer, MPI_Comm comm,
                                         const ng_mpi_options *options);

#ifdef __cplusplus
}
#endif
#endif
