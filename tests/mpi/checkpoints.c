/* Checkpoints of attached optimizers. */
#include "tests/mpi/world.h"

static int same_files(const char *a, const char *b)
{
    FILE *x = fopen(a, "rb"), *y = fopen(b, "rb");
    int c, d, alike = x != NULL && y != NULL;
    while (alike && (c = getc(x), d = getc(y), alike = c == d, c != EOF))
        ;
    if (x != NULL)
        fclose(x);
    if (y != NULL)
        fclose(y);
    return alike;
}

static void checkpoint_run(const setup *s, const char *folder)
{
    world x, alone, again;
    char together[300], single[300];
    ng_checkpoint_options options;
    ng_checkpoint_init(&options);
    options.weights = 1;
    snprintf(together, sizeof together, "%s/together", folder);
    snprintf(single, sizeof single, "%s/alone", folder);
    open_world(&x, s);
    open_world(&alone, s);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    for (int t = 0; t < 12; t++) {
        step(&x, s, t);
        step(&alone, s, t);
    }
    load_batch(&x, s, 12); /* pending captures and sums */
    load_batch(&alone, s, 12);
    CHECK(ng_optimizer_save(x.opt, together, &options) == NG_OK, "%s", ng_optimizer_error(x.opt));
    if (rank == 0) {
        CHECK(ng_optimizer_save(alone.opt, single, &options) == NG_OK, "%s",
              ng_optimizer_error(alone.opt));
        CHECK(same_files(together, single), "%s: not the file of one rank", s->preset);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    /* what one wrote, all read */
    open_world(&again, s);
    CHECK(attach(&again) == NG_OK, "%s", ng_optimizer_error(again.opt));
    CHECK(ng_optimizer_load(again.opt, single, &options) == NG_OK, "%s",
          ng_optimizer_error(again.opt));
    load_batch(&alone, s, 13);
    ng_optimizer_set_multiplier(again.opt, 1);
    load_batch(&again, s, 13);
    CHECK(ng_optimizer_step(again.opt) == NG_OK, "%s", ng_optimizer_error(again.opt));
    CHECK(ng_optimizer_step(alone.opt) == NG_OK, "%s", ng_optimizer_error(alone.opt));
    for (int t = 14; t < 18; t++) {
        CHECK(step(&again, s, t) == NG_OK && step(&alone, s, t) == NG_OK, "%s",
              ng_optimizer_error(again.opt));
    }
    CHECK(same_worlds(&again, &alone), "%s: other weights after a load", s->preset);
    /* what cannot be written, or read, is so for all */
    CHECK(ng_optimizer_save(x.opt, "/nowhere/at/all", NULL) == NG_EIO, "%s",
          ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    CHECK(ng_optimizer_load(x.opt, rank == ranks - 1 ? "/nowhere/at/all" : together, NULL) ==
              NG_EIO,
          "%s", ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    close_world(&x);
    close_world(&alone);
    close_world(&again);
}

/* The sums of captures of a batch that is reduced and not yet stepped are in the file. */
static void sharded_checkpoint(const char *folder)
{
    enum { SHARDS = 9 };
    const setup s = {"ekfac", "", NG_F32, 0, 0, 0, 0};
    world x, alone, again;
    char together[300], single[300];
    ng_checkpoint_options options;
    ng_checkpoint_init(&options);
    options.weights = 1;
    snprintf(together, sizeof together, "%s/together", folder);
    snprintf(single, sizeof single, "%s/alone", folder);
    open_world(&x, &s);
    open_world(&alone, &s);
    open_world(&again, &s);
    CHECK(attach_sharded(&x, MPI_COMM_WORLD, SHARDS) == NG_OK, "%s", ng_optimizer_error(x.opt));
    CHECK(attach_sharded(&alone, MPI_COMM_SELF, SHARDS) == NG_OK, "%s",
          ng_optimizer_error(alone.opt));
    CHECK(attach_sharded(&again, MPI_COMM_WORLD, SHARDS) == NG_OK, "%s",
          ng_optimizer_error(again.opt));
    for (int t = 0; t < 3; t++) {
        CHECK(sharded_step(&x, &s, t, SHARDS) == NG_OK, "%s", ng_optimizer_error(x.opt));
        CHECK(sharded_step(&alone, &s, t, SHARDS) == NG_OK, "%s", ng_optimizer_error(alone.opt));
    }
    CHECK(reduce_shards(&x, &s, 3, SHARDS) == NG_OK &&
              reduce_shards(&alone, &s, 3, SHARDS) == NG_OK,
          "%s", ng_optimizer_error(x.opt));
    CHECK(ng_optimizer_save(x.opt, together, &options) == NG_OK, "%s", ng_optimizer_error(x.opt));
    if (rank == 0) {
        CHECK(ng_optimizer_save(alone.opt, single, &options) == NG_OK, "%s",
              ng_optimizer_error(alone.opt));
        CHECK(same_files(together, single), "shards: not the file of one rank");
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(ng_optimizer_load(again.opt, together, &options) == NG_OK, "%s",
          ng_optimizer_error(again.opt));
    for (int i = 0; i < LAYERS; i++)
        ng_copy(again.dw[i], alone.dw[i], NULL);
    ng_copy(again.db, alone.db, NULL);
    ng_copy(again.dvector, alone.dvector, NULL);
    CHECK(ng_optimizer_step(again.opt) == NG_OK && ng_optimizer_step(alone.opt) == NG_OK, "%s",
          ng_optimizer_error(again.opt));
    CHECK(sharded_step(&again, &s, 4, SHARDS) == NG_OK &&
              sharded_step(&alone, &s, 4, SHARDS) == NG_OK,
          "%s", ng_optimizer_error(again.opt));
    CHECK(same_worlds(&again, &alone), "shards: other weights after a load");
    close_world(&x);
    close_world(&alone);
    close_world(&again);
}

void test_checkpoints(const char *folder)
{
    const setup all[] = {
        {"muon", "", NG_F32, 0, 2, 0, 0},
        {"adamw", "", NG_F64, 0, 0, 0, 0},
        {"kfac", "update_interval=3", NG_F32, 0, 0, 0, 0},
        {"soap", "", NG_F64, 0, 1, 0, 0},
        {"muon", "", NG_BF16, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        checkpoint_run(&all[i], folder);
    sharded_checkpoint(folder);
}

/* Saves until it is killed: the file is always whole. */
void save_for_ever(const char *path)
{
    setup s = {"adamw", "", NG_F64, 0, 0, 0, 0};
    world x;
    open_world(&x, &s);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    for (int t = 0;; t++) {
        step(&x, &s, t);
        CHECK(ng_optimizer_save(x.opt, path, NULL) == NG_OK, "%s", ng_optimizer_error(x.opt));
        if (t == 0 && rank == ranks - 1) {
            printf("pid %ld\n", (long)getpid());
            fflush(stdout);
        }
    }
}

/* Is the file one that one process can go on with? */
void load_once(const char *path)
{
    setup s = {"adamw", "", NG_F64, 0, 0, 0, 0};
    world x;
    open_world(&x, &s);
    CHECK(ng_optimizer_load(x.opt, path, NULL) == NG_OK, "%s", ng_optimizer_error(x.opt));
    CHECK(step(&x, &s, 1) == NG_OK, "%s", ng_optimizer_error(x.opt));
    close_world(&x);
}
