/* What fails on one rank alone, memory and solvers: the same for all, and nothing has changed. */
#include "tests/mpi/world.h"
#include "tests/support/faults.h"

enum { SOLVERS = FAULT_CHOLESKY | FAULT_EIGEN | FAULT_EIGEN_RETRY | FAULT_SVD | FAULT_SVD_RETRY };
enum { SHARDS = 9, MOST_FAILURES = 20000 };

/* One call of all ranks. */
typedef struct {
    const char *name;
    ng_status (*make)(world *x, const setup *s);
    void (*before)(world *x, const setup *s); /* (optional) */
    int sharded;
} call;

static char where[300];

static ng_status make_attach(world *x, const setup *s)
{
    (void)s;
    return attach_sharded(x, MPI_COMM_WORLD, SHARDS);
}

static ng_status make_step(world *x, const setup *s)
{
    (void)s;
    return ng_optimizer_step(x->opt);
}

static ng_status make_reduce(world *x, const setup *s)
{
    (void)s;
    return ng_optimizer_reduce(x->opt);
}

static ng_status make_save(world *x, const setup *s)
{
    (void)s;
    return ng_optimizer_save(x->opt, where, NULL);
}

static ng_status make_load(world *x, const setup *s)
{
    (void)s;
    return ng_optimizer_load(x->opt, where, NULL);
}

static void load_step(world *x, const setup *s)
{
    load_batch(x, s, 1);
}

static void add_all(world *x, const setup *s)
{
    add_shards(x, s, 1, SHARDS);
}

/* Failures of the victim's, farther and farther apart, until there are no more. */
static void run_call(const call *c, const setup *s, int victim)
{
    int failed = 1;
    long at = 1;
    for (; failed && at < MOST_FAILURES; at += 1 + at / 3) {
        world x, before;
        open_world(&x, s);
        open_world(&before, s);
        if (c->make != make_attach) {
            CHECK((c->sharded ? attach_sharded(&x, MPI_COMM_WORLD, SHARDS) : attach(&x)) == NG_OK,
                  "%s", ng_optimizer_error(x.opt));
        }
        if (c->before != NULL)
            c->before(&x, s);
        if (rank == victim)
            fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = c->make(&x, s);
        if (rank == victim)
            failed = fault_over() >= at;
        MPI_Bcast(&failed, 1, MPI_INT, victim, MPI_COMM_WORLD);
        if (failed) {
            CHECK(status == NG_ENOMEM, "%s, allocation %ld: %d, %s", c->name, at, (int)status,
                  ng_optimizer_error(x.opt));
            if (c->make != make_attach && c->make != make_reduce)
                same_text(ng_optimizer_error(x.opt));
            CHECK(same_worlds(&x, &before), "%s, allocation %ld: weights have changed", c->name,
                  at);
            if (c->before != NULL && c->make == make_reduce)
                c->before(&x, s); /* the batch is gone */
            status = c->make(&x, s);
        }
        CHECK(status == NG_OK, "%s after allocation %ld: %s", c->name, at,
              ng_optimizer_error(x.opt));
        close_world(&x);
        close_world(&before);
    }
    CHECK(!failed && at > 2, "%s: no end of allocations, or none", c->name);
}

static void memory(const char *folder)
{
    const setup kfac = {"kfac", "", NG_F32, 0.5, 0, 0, 0};
    const call calls[] = {
        {"attach", make_attach, NULL, 0},    {"step", make_step, load_step, 0},
        {"reduce", make_reduce, add_all, 1}, {"save", make_save, NULL, 0},
        {"load", make_load, NULL, 0},
    };
    snprintf(where, sizeof where, "%s/failing", folder);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (int victim = 0; victim<ranks; victim += ranks> 1 ? ranks - 1 : 1)
            run_call(&calls[i], &kfac, victim);
}

/* Every solver of the rank that owns layer 3 fails in the first step, which has nothing older to
 * fall back on. */
static void solver(const char *preset, const char *settings)
{
    setup s = {preset, settings, NG_F64, 0, 0, 0, 0};
    world x, alone;
    int victim;
    char who[64];
    open_world(&x, &s);
    open_world(&alone, &s);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    ng_group_owner(x.groups[0], &victim, 3);
    load_batch(&x, &s, 0);
    if (rank == victim)
        fault_from(SOLVERS, 1, FAIL);
    ng_status status = ng_optimizer_step(x.opt);
    fault_over();
    snprintf(who, sizeof who, "rank %d: parameter 'layer", victim);
    CHECK(status < NG_OK && strstr(ng_optimizer_error(x.opt), who) == ng_optimizer_error(x.opt),
          "%s: %d, %s", preset, (int)status, ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    CHECK(same_worlds(&x, &alone), "%s: a step that failed has changed weights", preset);
    ng_optimizer_drop(x.opt);
    for (int t = 0; t < 3; t++) {
        CHECK(step(&x, &s, t) == NG_OK && step(&alone, &s, t) == NG_OK, "%s: %s", preset,
              ng_optimizer_error(x.opt));
    }
    CHECK(same_worlds(&x, &alone), "%s: other weights after a step that failed", preset);
    close_world(&x);
    close_world(&alone);
}

void test_failures(const char *folder)
{
    solver("muon", "polar=exact");
    solver("kfac", "");
    memory(folder);
}
