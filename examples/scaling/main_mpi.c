/* scaling: what a step of the optimizer takes on 1 to 1,024 ranks, by an alpha-beta model of the
 * network (Hockney 1994) and the times of steps, both measured here. */
#include <natgrad-mpi.h>

#include <stdio.h>
#include <stdlib.h>

#include "examples/scaling/scaling.h"
#include "examples/support/arguments.h"
#include "examples/support/progress.h"

typedef struct {
    double alpha, beta;
    size_t width;
} config;

static void print_help(void)
{
    printf(
        "Usage: mpirun -n 2 scaling [OPTION]...\n"
        "Time, bytes received and memory of a rank for a step of Muon (AdamW for embeddings\n"
        "and vectors) on GPT-2 124M, GPT-2 1.5B and a transformer of 7B, for 1 to 1,024 ranks,\n"
        "where every rank makes all steps (replicate), one rank each (owner), or every rank the\n"
        "cheapest that are a tenth of the cost (hybrid). Constants are measured: a ping-pong of\n"
        "two ranks, steps of one; steps of one rank and of all are compared with the model.\n\n"
        "  --alpha=S         seconds a message instead of those measured\n"
        "  --beta=S          seconds a byte\n"
        "  --width=N         of the blocks whose steps are timed, 16 to 4096 (default: 384)\n\n"
        "Steps are timed by the processor's clock: set OPENBLAS_NUM_THREADS=1. \"plan\" lines\n"
        "have times as parts of a step of one rank.\n\n");
    arguments_help();
}

static const argument options[] = {
    {"alpha", ARGUMENT_NUMBER, .offset = offsetof(config, alpha), 1e-9, 1},
    {"beta", ARGUMENT_NUMBER, .offset = offsetof(config, beta), 1e-15, 1},
    {"width", ARGUMENT_COUNT, .offset = offsetof(config, width), 16, 4096},
    {NULL},
};

static void compare(int ranks, const plan *p, const measured *m)
{
    double seconds = p->step + p->weights;
    printf("check ranks=%d predicted=%.4g s measured=%.4g s ratio=%.3f\n", ranks, seconds,
           m->seconds, seconds / m->seconds);
    printf("check ranks=%d predicted=%.0f bytes measured=%.0f bytes ratio=%.3f\n", ranks, p->held,
           m->bytes, p->held / m->bytes);
}

/* What the model says of the steps that were measured. */
static int check(const constants *c, size_t width, int ranks)
{
    static model m;
    plan one, all;
    measured alone = {0, 0}, together = {0, 0};
    if (measure_steps(&alone, &together, width) != 0)
        return 1;
    block_model(&m, width);
    if (plan_make(&one, c, &m, &ways[2], 1) != 0 ||
        plan_make(&all, c, &m, &ways[2], (size_t)ranks) != 0)
        return 1;
    compare(1, &one, &alone);
    compare(ranks, &all, &together);
    return 0;
}

static int run(const arguments *a, const config *f, int rank, int ranks)
{
    constants c = {.alpha = f->alpha, .beta = f->beta};
    if (ranks < 2 && (f->alpha == 0 || f->beta == 0))
        return arguments_usage("one rank has no network: mpirun -n 2, or --alpha and --beta");
    if (rank == 0 && arguments_folder(a->out) != 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    if (measure_constants(&c, f->width) != 0)
        return 1;
    printf("constants alpha=%.3g s beta=%.3g s/byte cubic=%.3g square=%.3g element=%.3g s\n",
           c.alpha, c.beta, c.cubic, c.square, c.element);
    if (check(&c, f->width, ranks) != 0)
        return 1;
    return rank == 0 ? report_tables(a->out, &c) : 0;
}

int main(int argc, char **argv)
{
    arguments a = {.program = "scaling", .help = print_help, .options = options};
    config f = {.width = 384};
    const char *own = getenv("OMPI_COMM_WORLD_RANK");
    int rank, ranks;
    if (own != NULL && own[0] != '0') { /* rank 0 speaks */
        program_hush();
        progress_silence();
        if (freopen("/dev/null", "w", stdout) == NULL)
            return 1;
    }
    int status = arguments_read(&f, &a, argc, argv);
    if (status != 0)
        return program_end(status);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    status = run(&a, &f, rank, ranks);
    MPI_Finalize();
    return program_end(status);
}
