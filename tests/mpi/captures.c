/* Batches in shards: gradients and captures of each come from one rank alone. */
#include "tests/mpi/world.h"

ng_status attach_sharded(world *x, MPI_Comm comm, size_t shards)
{
    ng_mpi_options options;
    ng_mpi_init(&options);
    options.shards = shards;
    return ng_mpi_optimizer_attach(x->opt, comm, &options);
}

/* The gradients and captures of one shard; every third one has no samples. */
static void load_shard(world *x, const setup *s, int t, size_t shard)
{
    size_t samples = shard % 3 == 2 ? 0 : 3 + shard;
    state = 5000 + 100 * (unsigned)t + shard;
    for (int i = 0; i < LAYERS; i++)
        fill(x->dw[i]);
    fill(x->db);
    fill(x->dvector);
    for (size_t i = 0; i < LAYERS; i++) {
        ng_mat a = make(samples, shapes[i][1], s->dtype), g = make(samples, shapes[i][0], s->dtype);
        fill(a);
        fill(g);
        ng_status status = ng_group_capture(x->groups[0], i, a, g, 1 + (double)(shard % 2));
        CHECK(status == NG_OK || status == NG_EUNSUPPORTED, "%s", ng_optimizer_error(x->opt));
        free(a.data);
        free(g.data);
    }
}

void add_shards(world *x, const setup *s, int t, size_t shards)
{
    size_t first, last;
    CHECK(ng_optimizer_shards(x->opt, &first, &last) == NG_OK, "%s", ng_optimizer_error(x->opt));
    for (size_t i = first; i < last; i++) {
        load_shard(x, s, t, i);
        ng_optimizer_add_shard(x->opt, (1 + (double)i) / (double)shards);
    }
}

ng_status reduce_shards(world *x, const setup *s, int t, size_t shards)
{
    add_shards(x, s, t, shards);
    return ng_optimizer_reduce(x->opt);
}

ng_status sharded_step(world *x, const setup *s, int t, size_t shards)
{
    ng_status status = reduce_shards(x, s, t, shards);
    return status == NG_OK ? ng_optimizer_step(x->opt) : status;
}

static void add(ng_mat sum, ng_mat term, double weight, int first)
{
    for (size_t i = 0; i < sum.rows; i++)
        for (size_t j = 0; j < sum.cols; j++)
            ng_mat_set(sum, i, j,
                       (first ? 0 : ng_mat_get(sum, i, j)) + weight * ng_mat_get(term, i, j));
}

/* One process that captures shard after shard and adds the gradients up. */
static ng_status plain_step(world *x, const setup *s, int t, size_t shards)
{
    world sums;
    open_world(&sums, s);
    for (size_t k = 0; k < shards; k++) {
        double weight = (1 + (double)k) / (double)shards;
        load_shard(x, s, t, k);
        for (int i = 0; i < LAYERS; i++)
            add(sums.dw[i], x->dw[i], weight, k == 0);
        add(sums.db, x->db, weight, k == 0);
        add(sums.dvector, x->dvector, weight, k == 0);
    }
    for (int i = 0; i < LAYERS; i++)
        add(x->dw[i], sums.dw[i], 1, 1);
    add(x->db, sums.db, 1, 1);
    add(x->dvector, sums.dvector, 1, 1);
    close_world(&sums);
    return ng_optimizer_step(x->opt);
}

static double farthest(const world *x, const world *y)
{
    double most = 0;
    for (int k = 0; k < LAYERS; k++)
        for (size_t i = 0; i < x->w[k].rows; i++)
            for (size_t j = 0; j < x->w[k].cols; j++)
                most = fmax(most, fabs(ng_mat_get(x->w[k], i, j) - ng_mat_get(y->w[k], i, j)));
    return most;
}

static void sharded_run(const setup *s, size_t shards)
{
    world x, alone, plain;
    open_world(&x, s);
    open_world(&alone, s);
    open_world(&plain, s);
    CHECK(attach_sharded(&x, MPI_COMM_WORLD, shards) == NG_OK, "%s", ng_optimizer_error(x.opt));
    CHECK(attach_sharded(&alone, MPI_COMM_SELF, shards) == NG_OK, "%s",
          ng_optimizer_error(alone.opt));
    for (int t = 0; t < 8 && failures == 0; t++) {
        CHECK(sharded_step(&x, s, t, shards) == NG_OK, "%s: %s", s->preset,
              ng_optimizer_error(x.opt));
        CHECK(sharded_step(&alone, s, t, shards) == NG_OK, "%s: %s", s->preset,
              ng_optimizer_error(alone.opt));
        CHECK(plain_step(&plain, s, t, shards) == NG_OK, "%s: %s", s->preset,
              ng_optimizer_error(plain.opt));
        CHECK(same_worlds(&x, &alone), "%s %s, %zu shards: other weights after step %d", s->preset,
              s->settings, shards, t + 1);
    }
    CHECK(farthest(&alone, &plain) < (s->dtype == NG_F64 ? 1e-9 : 1e-3),
          "%s %s: %g from a process that has the whole batch", s->preset, s->settings,
          farthest(&alone, &plain));
    close_world(&x);
    close_world(&alone);
    close_world(&plain);
}

static void refused(world *x, const world *before, ng_status expected, const char *text)
{
    ng_status status = ng_optimizer_reduce(x->opt);
    const char *found = ng_optimizer_error(x->opt);
    CHECK(status == expected && strstr(found, text) != NULL, "%d: \"%s\", not \"%s\"", (int)status,
          found, text);
    same_text(found);
    CHECK(same_worlds(x, before), "a batch that failed has changed weights");
}

/* A NaN in one rank's shard; a rank that lacks one; a step before its reduction. */
static void refusals(void)
{
    setup s = {"kfac", "", NG_F64, 0, 0, 0, 0};
    world x, alone;
    size_t shards = (size_t)ranks + 3, first, last;
    char who[64];
    open_world(&x, &s);
    open_world(&alone, &s);
    CHECK(attach_sharded(&x, MPI_COMM_WORLD, shards) == NG_OK, "%s", ng_optimizer_error(x.opt));
    ng_optimizer_shards(x.opt, &first, &last);
    for (size_t i = first; i < last; i++) {
        load_shard(&x, &s, 0, i);
        if (rank == ranks - 1 && i == first)
            ng_mat_set(x.dw[2], 1, 1, NAN);
        ng_optimizer_add_shard(x.opt, 1);
    }
    snprintf(who, sizeof who, "rank %d: parameter 'layer2'", ranks - 1);
    refused(&x, &alone, NG_ENONFINITE, who);
    snprintf(who, sizeof who, "rank %d: 1 of its", ranks - 1);
    for (size_t i = first; i + (rank == ranks - 1) < last; i++) {
        load_shard(&x, &s, 0, i);
        CHECK(ng_optimizer_add_shard(x.opt, 1) == NG_OK, "%s", ng_optimizer_error(x.opt));
    }
    CHECK(ng_optimizer_save(x.opt, "/nowhere", NULL) != NG_OK, "saved within a batch");
    refused(&x, &alone, NG_EARG, who);
    for (size_t i = first; i < last; i++) {
        load_shard(&x, &s, 0, i);
        CHECK(ng_optimizer_add_shard(x.opt, 1) == NG_OK, "%s", ng_optimizer_error(x.opt));
    }
    CHECK(ng_optimizer_add_shard(x.opt, 1) == NG_EARG, "a shard too many");
    CHECK(ng_optimizer_step(x.opt) == NG_EARG, "a step before the reduction");
    same_text(ng_optimizer_error(x.opt));
    refused(&x, &alone, NG_EARG, "no shard");
    CHECK(sharded_step(&x, &s, 0, shards) == NG_OK, "%s", ng_optimizer_error(x.opt));
    close_world(&x);
    close_world(&alone);
    open_world(&x, &s);
    CHECK(ng_optimizer_add_shard(x.opt, 1) == NG_EARG, "a shard without an exchange");
    CHECK(ranks == 1 || attach_sharded(&x, MPI_COMM_WORLD, (size_t)ranks - 1) == NG_EARG,
          "fewer shards than ranks: %s", ng_optimizer_error(x.opt));
    close_world(&x);
}

/* ---- Samples of the weights ---- */

static void fill_uniform(void *data, double *values, size_t n)
{
    (void)data;
    for (size_t i = 0; i < n; i++)
        values[i] = number();
}

static void samples(void)
{
    setup s = {"ivon", "", NG_F64, 0, 0, 0, 0};
    const ng_random both[] = {{.fill_uniform = fill_uniform}, {.fill_normal = fill_uniform}};
    world x, alone;
    open_world(&x, &s);
    open_world(&alone, &s);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    for (int t = 0; t < 4; t++) {
        const ng_random random = both[t % 2];
        state = 99 + (unsigned)t;
        CHECK(ng_optimizer_sample(x.opt, &random) == NG_OK, "%s", ng_optimizer_error(x.opt));
        state = 99 + (unsigned)t;
        CHECK(ng_optimizer_sample(alone.opt, &random) == NG_OK, "%s",
              ng_optimizer_error(alone.opt));
        CHECK(same_worlds(&x, &alone), "ivon: another sample in step %d", t);
        CHECK(step(&x, &s, t) == NG_OK && step(&alone, &s, t) == NG_OK, "%s",
              ng_optimizer_error(x.opt));
        CHECK(same_worlds(&x, &alone), "ivon: other weights after step %d", t);
    }
    close_world(&x);
    close_world(&alone);
}

void test_captures(void)
{
    const setup all[] = {
        {"muon", "", NG_F32, 0.5, 0, 0, 0},
        {"adamw", "", NG_F64, 0, 0, 0, 0},
        {"kfac", "", NG_F64, 0, 0, 0, 0},
        {"kfac", "update_interval=3 inverse_interval=2", NG_F32, 0, 0, 0, 0},
        {"kfac", "rank=2", NG_F32, 0, 0, 0, 0},
        {"kfac_muon", "", NG_F32, 0, 0, 0, 0},
        {"ekfac", "", NG_F64, 0, 0, 0, 0},
        {"ekfac", "update_interval=2 inverse_interval=3 damping=0.1", NG_F32, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sharded_run(&all[i], i % 2 == 0 ? 8 : 11);
    refusals();
    samples();
}
