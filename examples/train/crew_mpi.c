/* natgrad-train-mpi: the ranks of MPI_COMM_WORLD. */
#include <limits.h>
#include <natgrad-mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/arguments.h"
#include "examples/support/progress.h"
#include "examples/train/crew.h"

const char crew_program[] = "natgrad-train-mpi";
const int crew_shards = 1;

static int rank, ranks = 1;

static void hush(void)
{
    if (program_hushed())
        return;
    program_hush();
    progress_silence();
    if (freopen("/dev/null", "w", stdout) == NULL)
        program_error("cannot open /dev/null");
}

/* Before MPI is there, which --help does not need, Open MPI says in the environment who one is. */
void crew_begin(void)
{
    const char *own = getenv("OMPI_COMM_WORLD_RANK");
    if (own != NULL && strcmp(own, "0") != 0)
        hush();
}

int crew_start(int *argc, char ***argv, size_t shards)
{
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank > 0)
        hush();
    return shards >= (size_t)ranks
               ? 0
               : arguments_usage("--shards=%zu: fewer than the %d ranks", shards, ranks);
}

int crew_agree(int status)
{
    int own[2] = {-status, status != 0 ? rank : INT_MAX}, all[2];
    MPI_Allreduce(own, all, 2, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (all[0] != 0 && all[1] == rank && rank > 0)
        fprintf(stderr, "%s: rank %d: %s\n", program_name, rank, program_kept());
    return -all[0];
}

ng_status crew_exchange(ng_exchange *exchange, size_t shards, int watched, ng_error *error)
{
    ng_mpi_options options;
    ng_mpi_init(&options);
    options.shards = shards;
    options.sharing = watched ? NG_MPI_REPLICATE : NG_MPI_OWNER;
    ng_status status = ng_mpi_exchange_create(exchange, MPI_COMM_WORLD, &options);
    return status == NG_OK
               ? NG_OK
               : ng_error_set(error, status, "the ranks of MPI: %s", ng_status_text(status));
}

void crew_end(void)
{
    int begun;
    MPI_Initialized(&begun);
    if (begun)
        MPI_Finalize();
}
