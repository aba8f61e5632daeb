/* Dense Fisher matrices over ranks of which one has no memory: the same for all, and nothing has
 * changed. */
#include "tests/mpi/world.h"
#include "tests/support/faults.h"

enum { N = 7, CALLS = 8, MOST_FAILURES = 100 };

typedef struct {
    ng_mpi_fisher *f;
    ng_mat x, y, values, vectors, dense;
} subject;

static ng_status one_call(subject *s, int which, ng_error *error)
{
    double value;
    ng_mpi_fisher *other = NULL;
    ng_status status = NG_OK;
    switch (which) {
    case 0:
        status = ng_mpi_fisher_create(&other, MPI_COMM_WORLD, N, 2, error);
        ng_mpi_fisher_destroy(other);
        return status;
    case 1:
        return ng_mpi_fisher_accumulate(s->f, s->x, ng_mat_none(), NULL, error);
    case 2:
        return ng_mpi_fisher_mul(s->f, s->y, s->x, error);
    case 3:
        return ng_mpi_fisher_quadratic(s->f, &value, ng_mat_block(s->x, 0, 0, 1, N), error);
    case 4:
        return ng_mpi_fisher_solve(s->f, s->y, s->x, 1, error);
    case 5:
        return ng_mpi_fisher_logdet(s->f, &value, 1, error);
    case 6:
        return ng_mpi_fisher_eigen(s->f, s->values, s->vectors, error);
    default:
        return ng_mpi_fisher_to_dense(s->f, s->dense, error);
    }
}

static ng_mat filled(size_t rows, size_t cols)
{
    ng_mat m = {calloc(rows * cols, sizeof(double)), rows, cols, cols, NG_F64};
    fill(m);
    return m;
}

static double first_of(subject *s)
{
    ng_error error = {NG_OK, ""};
    CHECK(ng_mpi_fisher_to_dense(s->f, s->dense, &error) == NG_OK, "%s", error.text);
    return ng_mat_get(s->dense, N - 1, 1);
}

/* Each allocation of the victim's in turn, until there are no more. */
static void run_call(subject *s, int which, int victim)
{
    int failed = 1;
    long at = 1;
    for (; failed && at < MOST_FAILURES; at++) {
        ng_error error = {NG_OK, ""};
        double before = first_of(s);
        if (rank == victim)
            fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = one_call(s, which, &error);
        if (rank == victim)
            failed = fault_over() >= at;
        MPI_Bcast(&failed, 1, MPI_INT, victim, MPI_COMM_WORLD);
        CHECK(status == (failed ? NG_ENOMEM : NG_OK), "call %d, allocation %ld: %s", which, at,
              error.text);
        if (failed) {
            same_text(error.text);
            CHECK(first_of(s) == before, "call %d, allocation %ld: F has changed", which, at);
        }
    }
    CHECK(!failed && at > 2, "call %d: no end of allocations, or none", which);
}

void test_fisher_memory(void)
{
    ng_error error = {NG_OK, ""};
    subject s = {.x = filled(3, N),
                 .y = filled(3, N),
                 .values = filled(1, 2),
                 .vectors = filled(2, N),
                 .dense = filled(N, N)};
    CHECK(ng_mpi_fisher_create(&s.f, MPI_COMM_WORLD, N, 2, &error) == NG_OK, "%s", error.text);
    CHECK(one_call(&s, 1, &error) == NG_OK, "%s", error.text);
    for (int which = 0; which < CALLS && failures == 0; which++)
        for (int victim = 0; victim<ranks; victim += ranks> 1 ? ranks - 1 : 1)
            run_call(&s, which, victim);
    ng_mpi_fisher_destroy(s.f);
    free(s.x.data);
    free(s.y.data);
    free(s.values.data);
    free(s.vectors.data);
    free(s.dense.data);
}
