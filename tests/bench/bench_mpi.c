/* Two ranks against one: a step of muon over the weight matrices of two GPT-2 124M blocks, the
 * state the larger rank keeps, how evenly parameters go to more ranks, and the sum over shards
 * against MPI_Allreduce. Starts itself under
 * mpirun; rank 0 measures, rank 1 does what it is told. On a machine that is busy otherwise ratios
 * of times mean little. */
#define _POSIX_C_SOURCE 200809L
#include <natgrad-mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/balance.h"
#include "tests/bench/bench.h"

enum { BLOCKS = 2, KINDS = 4, MATRICES = BLOCKS * KINDS, NUMBERS = 10000000 };
typedef enum { STEP, TREE, ALLREDUCE, END } command;

/* attention out, attention in (q, k, v), MLP in, MLP out; outputs x inputs */
static const size_t shapes[KINDS][2] = {{768, 768}, {2304, 768}, {3072, 768}, {768, 3072}};

typedef struct {
    ng_optimizer *optimizer;
    ng_group *group;
    float *w[MATRICES], *g[MATRICES];
} model;

static model together, alone;
static ng_mpi_shards *shards;
static float *numbers, *sums;
static int rank;

static size_t elements(size_t i)
{
    return shapes[i % KINDS][0] * shapes[i % KINDS][1];
}

static void create_model(model *m)
{
    ng_steepest_options muon;
    ng_steepest_init_muon(&muon);
    bench_ok(ng_optimizer_create(&m->optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(m->optimizer, &m->group, &muon), "group", NULL);
    for (size_t i = 0; i < MATRICES; i++) {
        size_t rows = shapes[i % KINDS][0], cols = shapes[i % KINDS][1];
        char name[8];
        m->w[i] = bench_floats(elements(i), 0.02, (unsigned)i);
        m->g[i] = bench_floats(elements(i), 1, 100 + (unsigned)i);
        snprintf(name, sizeof name, "w%d", (int)i % 100);
        bench_ok(ng_group_add(m->group, NULL, name, ng_f32(m->w[i], rows, cols),
                              ng_f32(m->g[i], rows, cols)),
                 "parameter", ng_optimizer_error(m->optimizer));
    }
}

static void destroy_model(model *m)
{
    ng_optimizer_destroy(m->optimizer);
    for (size_t i = 0; i < MATRICES; i++) {
        free(m->w[i]);
        free(m->g[i]);
    }
}

static void obey(command what)
{
    ng_error error = {NG_OK, ""};
    if (what == STEP)
        bench_ok(ng_optimizer_step(together.optimizer), "step",
                 ng_optimizer_error(together.optimizer));
    if (what == TREE) {
        bench_ok(ng_mpi_shards_add(shards, &error), "shards", error.text);
        bench_ok(ng_mpi_reduce_gradients(shards, 0.5, &error), "sum", error.text);
    }
    if (what == ALLREDUCE)
        MPI_Allreduce(numbers, sums, NUMBERS, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static void tell(command what)
{
    int word = what;
    MPI_Bcast(&word, 1, MPI_INT, 0, MPI_COMM_WORLD);
    obey(what);
}

static void step_together(void *data)
{
    (void)data;
    tell(STEP);
}

static void step_alone(void *data)
{
    (void)data;
    bench_ok(ng_optimizer_step(alone.optimizer), "step", ng_optimizer_error(alone.optimizer));
}

static void sum_by_tree(void *data)
{
    (void)data;
    tell(TREE);
}

static void sum_by_mpi(void *data)
{
    (void)data;
    tell(ALLREDUCE);
}

static void check_bits(void)
{
    for (int i = 0; i < 2; i++) {
        step_together(NULL);
        step_alone(NULL);
    }
    for (size_t i = 0; i < MATRICES; i++)
        if (memcmp(together.w[i], alone.w[i], elements(i) * sizeof(float)) != 0)
            bench_fail("two ranks", "the weights differ from those of one");
}

/* Of what two ranks keep the larger part. */
static double larger_part(void)
{
    double bytes[2] = {0, 0};
    for (size_t i = 0; i < MATRICES; i++) {
        int owner;
        bench_ok(ng_group_owner(together.group, &owner, i), "owner", NULL);
        bytes[owner] += (double)elements(i); /* one momentum each */
    }
    return (bytes[0] > bytes[1] ? bytes[0] : bytes[1]) / (bytes[0] + bytes[1]);
}

static void measure(int argc, char **argv)
{
    bench_job two = {.run = step_together, .repeats = 1}, one = {.run = step_alone, .repeats = 1};
    bench_job tree = {.run = sum_by_tree, .repeats = 1}, mpi = {.run = sum_by_mpi, .repeats = 1};
    bench_begin(argc, argv, "mpi", 1); /* of BLAS, as rank 1 */
    create_model(&alone);
    check_bits();
    bench_compare("mpi_step_two_ranks", "gpt2x2", bench_job_side("muon, 2 ranks", &two),
                  bench_job_side("muon, 1 rank", &one));
    bench_state("mpi_state_two_ranks", "gpt2x2", larger_part());
    bench_state("mpi_lpt_balance", "gpt2/8", balance_gpt2(8));
    bench_state("mpi_lpt_balance", "gpt2/64", balance_gpt2(64));
    bench_compare("mpi_allreduce_overhead", "10M", bench_job_side("tree over shards", &tree),
                  bench_job_side("MPI_Allreduce", &mpi));
    destroy_model(&alone);
    int word = END;
    MPI_Bcast(&word, 1, MPI_INT, 0, MPI_COMM_WORLD);
}

static void follow(void)
{
    for (int word = STEP; word != END;) {
        MPI_Bcast(&word, 1, MPI_INT, 0, MPI_COMM_WORLD);
        obey((command)word);
    }
}

int main(int argc, char **argv)
{
    ng_error error = {NG_OK, ""};
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL) {
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
        setenv("OMPI_MCA_btl", "self,vader", 0);
        setenv("NG_BENCH_CLOCK", "wall", 0);
        setenv("OPENBLAS_NUM_THREADS", "1", 0);
        setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
        execlp("mpirun", "mpirun", "--oversubscribe", "--bind-to", "none", "-n", "2", argv[0],
               (char *)NULL);
        bench_fail("mpirun", "cannot be started");
    }
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    numbers = bench_floats(NUMBERS, 1, 7 + (unsigned)rank);
    sums = bench_floats(NUMBERS, 1, 9);
    ng_mat view = ng_f32(numbers, 1, NUMBERS);
    create_model(&together);
    bench_ok(ng_mpi_optimizer_attach(together.optimizer, MPI_COMM_WORLD, NULL), "attach",
             ng_optimizer_error(together.optimizer));
    bench_ok(ng_mpi_shards_create(&shards, MPI_COMM_WORLD, &view, 1, 2, &error), "shards",
             error.text);
    if (rank == 0)
        measure(argc, argv);
    else
        follow();
    ng_mpi_shards_destroy(shards);
    destroy_model(&together);
    free(numbers);
    free(sums);
    MPI_Finalize();
    return rank == 0 ? bench_end() : 0;
}
