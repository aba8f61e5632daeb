/* The constants: ping-pong between ranks 0 and 1, steps of rank 0. The least of several times: what
 * else the machine does only adds. */
#include <natgrad-mpi.h>

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "examples/scaling/scaling.h"
#include "examples/support/program.h"
#include "examples/support/progress.h"

enum { REPEATS = 9, PINGS = 40, SMALL = 8, LARGE = 8 << 20, MOST = 8 };

static int rank, ranks;

/* ---- Ping-pong ----------------------------------------------------------------------------------
 */

/* Seconds one way, on rank 0. */
static double ping(char *bytes, int size, int times)
{
    double best = HUGE_VAL;
    for (int repeat = 0; repeat < PINGS; repeat++) {
        double start = progress_clock();
        for (int i = 0; i < times; i++) {
            if (rank == 0)
                MPI_Send(bytes, size, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
            if (rank < 2)
                MPI_Recv(bytes, size, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            if (rank == 1)
                MPI_Send(bytes, size, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
        }
        best = fmin(best, (progress_clock() - start) / (2.0 * times));
    }
    return best;
}

static int measure_network(constants *c)
{
    char *bytes = calloc(LARGE, 1);
    int own = bytes == NULL, any;
    MPI_Allreduce(&own, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (!any) {
        double alpha = ping(bytes, SMALL, 100), whole = ping(bytes, LARGE, 1);
        c->alpha = c->alpha > 0 ? c->alpha : alpha;
        c->beta = c->beta > 0 ? c->beta : fmax(whole - alpha, 0) / LARGE;
    }
    free(bytes);
    return any ? program_no_memory() : 0;
}

/* ---- Steps
 * ----------------------------------------------------------------------------------------- */

typedef struct {
    ng_optimizer *optimizer;
    ng_mat w[MOST], g[MOST];
    size_t count;
} world;

static void close_world(world *x)
{
    ng_optimizer_destroy(x->optimizer);
    for (size_t i = 0; i < x->count; i++) {
        free(x->w[i].data);
        free(x->g[i].data);
    }
}

static ng_mat random_matrix(const matrix *m, unsigned seed)
{
    unsigned long long state = seed;
    size_t count = m->rows * m->cols;
    ng_mat a = {malloc(count * sizeof(double)), m->rows, m->cols, m->cols, NG_F32};
    for (size_t i = 0; i < count && a.data != NULL; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        ng_mat_set(a, i / m->cols, i % m->cols, (double)(state >> 11) / 9007199254740992.0 - 0.5);
    }
    return a;
}

static ng_status open_world(world *x, const matrix *list, size_t count)
{
    ng_steepest_options muon;
    ng_adamw_options adam;
    ng_group *group;
    ng_steepest_init_muon(&muon);
    ng_adamw_init(&adam);
    *x = (world){.count = count};
    ng_status status = ng_optimizer_create(&x->optimizer, NULL);
    const void *options = list[0].elementwise ? (const void *)&adam : (const void *)&muon;
    if (status == NG_OK)
        status = ng_optimizer_add_group(x->optimizer, &group, options);
    for (size_t i = 0; i < count && status == NG_OK; i++) {
        char name[24];
        snprintf(name, sizeof name, "w%zu", i);
        x->w[i] = random_matrix(&list[i], (unsigned)i);
        x->g[i] = random_matrix(&list[i], 100 + (unsigned)i);
        status = x->w[i].data != NULL && x->g[i].data != NULL
                     ? ng_group_add(group, NULL, name, x->w[i], x->g[i])
                     : NG_ENOMEM;
    }
    return status;
}

/* Of this process: what else runs on the machine counts less. One BLAS thread. */
static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* The least of the steps' seconds. */
static ng_status time_steps(double *seconds, world *x)
{
    *seconds = HUGE_VAL;
    for (int i = 0; i <= REPEATS; i++) { /* the first allocates */
        double start = processor_seconds();
        ng_status status = ng_optimizer_step(x->optimizer);
        if (status != NG_OK)
            return status;
        *seconds = i > 0 ? fmin(*seconds, processor_seconds() - start) : *seconds;
    }
    return NG_OK;
}

/* On rank 0 alone. */
static ng_status time_alone(double *seconds, const matrix *list, size_t count)
{
    world x;
    ng_status status = open_world(&x, list, count);
    if (status == NG_OK)
        status = time_steps(seconds, &x);
    close_world(&x);
    return status;
}

/* Square and long: two times, two constants. */
static ng_status measure_rates(constants *c, size_t width)
{
    const matrix square = {width, width, 0}, longer = {width, 4 * width, 0};
    const matrix line = {1, 1 << 20, 1};
    double a, b, e, cube = pow((double)width, 3);
    ng_status status = time_alone(&a, &square, 1);
    if (status == NG_OK)
        status = time_alone(&b, &longer, 1);
    if (status == NG_OK)
        status = time_alone(&e, &line, 1);
    if (status != NG_OK)
        return status;
    c->square = fmax(b - a, 0) / (3 * cube);
    c->cubic = fmax(a / cube - c->square, 0);
    c->element = e / (double)line.cols;
    return NG_OK;
}

/* Rank 0's status and numbers, everywhere. */
static int tell(ng_status status, double *numbers, int count)
{
    int code = (int)status;
    MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Bcast(numbers, count, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    return code == NG_OK ? 0 : program_error("steps: %s", ng_status_text((ng_status)code));
}

int measure_constants(constants *c, size_t width)
{
    double numbers[5];
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (ranks > 1 && measure_network(c) != 0)
        return 1;
    ng_status status = rank == 0 ? measure_rates(c, width) : NG_OK;
    const double own[5] = {c->alpha, c->beta, c->cubic, c->square, c->element};
    for (int i = 0; i < 5; i++)
        numbers[i] = own[i];
    int failed = tell(status, numbers, 5);
    *c = (constants){numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
    return failed;
}

/* The most of any rank. */
static double most(double own)
{
    double largest;
    MPI_Allreduce(&own, &largest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return largest;
}

int measure_steps(measured *alone, measured *together, size_t width)
{
    static model m;
    world x;
    block_model(&m, width);
    ng_status status = open_world(&x, m.list, m.count);
    if (status == NG_OK && rank == 0)
        status = time_steps(&alone->seconds, &x);
    alone->bytes = most((double)ng_optimizer_memory(x.optimizer));
    close_world(&x);
    if (tell(status, &alone->seconds, 1) != 0)
        return 1;
    status = open_world(&x, m.list, m.count);
    if (status == NG_OK)
        status = ng_mpi_optimizer_attach(x.optimizer, MPI_COMM_WORLD, NULL);
    if (status == NG_OK)
        status = time_steps(&together->seconds, &x);
    together->seconds = most(together->seconds);
    together->bytes = most((double)ng_optimizer_memory(x.optimizer));
    close_world(&x);
    return tell(status, &together->seconds, 1);
}
