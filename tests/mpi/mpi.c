/* Optimizers over MPI, run by check-mpi under mpirun: every rank also has the same optimizer alone,
 * and compares bits. */
#include <natgrad-mpi.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int rank, ranks, failures;

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "rank %d of %d, line %d: %s: ", rank, ranks, __LINE__, #condition);    \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* ---- A small world: four layers of awkward shapes, one with a bias, and a vector -------------- */

enum { LAYERS = 5, SAMPLES = 24, STEPS = 50 };
static const size_t shapes[LAYERS][2] = {{1, 1}, {7, 3}, {4, 9}, {6, 6}, {3, 7}};

typedef struct {
    ng_optimizer *opt;
    ng_group *groups[2]; /* under test, and adamw for the vector */
    ng_mat w[LAYERS], dw[LAYERS], b, db, vector, dvector;
} world;

typedef struct {
    const char *preset, *settings;
    ng_dtype dtype;
    double clip_norm;
    int micro, threads, monitored;
} setup;

static unsigned long long state;

static double number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0 - 0.5;
}

static ng_mat make(size_t rows, size_t cols, ng_dtype dtype)
{
    size_t stride = cols + rows % 2; /* some strided */
    ng_mat m = {calloc(rows * stride, sizeof(double)), rows, cols, stride, dtype};
    return m;
}

static void fill(ng_mat m)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            ng_mat_set(m, i, j, number());
}

static int same(ng_mat a, ng_mat b)
{
    size_t item = ng_dtype_size(a.dtype);
    for (size_t i = 0; i < a.rows; i++)
        if (memcmp((char *)a.data + i * a.stride * item, (char *)b.data + i * b.stride * item,
                   a.cols * item) != 0)
            return 0;
    return 1;
}

static int listen(const ng_event *event, void *data)
{
    *(double *)data += event->update_norm * (double)(event->index + 1);
    return 0;
}

static void open_world(world *x, const setup *s)
{
    ng_error error = {NG_OK, ""};
    ng_optimizer_options all;
    ng_adamw_options adam;
    void *options;
    char name[16];
    ng_optimizer_init(&all);
    all.clip_norm = s->clip_norm;
    all.threads = s->threads;
    memset(x, 0, sizeof *x);
    state = 7;
    CHECK(ng_options_new(&options, s->preset, &error) == NG_OK, "%s", error.text);
    CHECK(ng_options_set_all(options, s->settings, NULL, 0, &error) == NG_OK, "%s", error.text);
    CHECK(ng_optimizer_create(&x->opt, &all) == NG_OK, "create");
    CHECK(ng_optimizer_add_group(x->opt, &x->groups[0], options) == NG_OK, "%s",
          ng_optimizer_error(x->opt));
    for (int i = 0; i < LAYERS; i++) {
        x->w[i] = make(shapes[i][0], shapes[i][1], s->dtype);
        x->dw[i] = make(shapes[i][0], shapes[i][1], s->dtype);
        fill(x->w[i]);
        snprintf(name, sizeof name, "layer%d", i);
        CHECK(ng_group_add(x->groups[0], NULL, name, x->w[i], x->dw[i]) == NG_OK, "%s",
              ng_optimizer_error(x->opt));
    }
    x->b = make(1, 6, s->dtype);
    x->db = make(1, 6, s->dtype);
    if (ng_options_want_capture(options)) {
        CHECK(ng_group_add_bias(x->groups[0], 3, x->b, x->db) == NG_OK, "%s",
              ng_optimizer_error(x->opt));
    }
    x->vector = make(1, 50, s->dtype);
    x->dvector = make(1, 50, s->dtype);
    ng_adamw_init(&adam);
    CHECK(ng_optimizer_add_group(x->opt, &x->groups[1], &adam) == NG_OK, "adamw");
    CHECK(ng_group_add(x->groups[1], NULL, "vector", x->vector, x->dvector) == NG_OK, "vector");
    ng_options_free(options);
}

static void close_world(world *x)
{
    ng_optimizer_destroy(x->opt);
    for (int i = 0; i < LAYERS; i++) {
        free(x->w[i].data);
        free(x->dw[i].data);
    }
    free(x->b.data);
    free(x->db.data);
    free(x->vector.data);
    free(x->dvector.data);
}

static ng_status attach(world *x)
{
    return ng_mpi_optimizer_attach(x->opt, MPI_COMM_WORLD, NULL);
}

/* Gradients, micro-batches and captures of step t. */
static void load_batch(world *x, const setup *s, int t)
{
    state = 1000 + (unsigned)t;
    for (int k = 0; k < s->micro + 1; k++) {
        for (int i = 0; i < LAYERS; i++)
            fill(x->dw[i]);
        fill(x->db);
        fill(x->dvector);
        if (k < s->micro) {
            CHECK(ng_optimizer_accumulate(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
        }
    }
    for (size_t i = 0; i < LAYERS; i++) {
        ng_mat a = make(SAMPLES, shapes[i][1], s->dtype), g = make(SAMPLES, shapes[i][0], s->dtype);
        fill(a);
        fill(g);
        ng_status status = ng_group_capture(x->groups[0], i, a, g, 1);
        CHECK(status == NG_OK || status == NG_EUNSUPPORTED, "%s", ng_optimizer_error(x->opt));
        free(a.data);
        free(g.data);
    }
}

static int same_worlds(const world *x, const world *y)
{
    int alike = same(x->b, y->b) && same(x->vector, y->vector);
    for (int i = 0; i < LAYERS; i++)
        alike &= same(x->w[i], y->w[i]);
    return alike;
}

static ng_status step(world *x, const setup *s, int t)
{
    ng_optimizer_set_multiplier(x->opt, t < 10 ? (t + 1) / 10.0 : 1); /* a warm-up */
    load_batch(x, s, t);
    return ng_optimizer_step(x->opt);
}

/* ---- Weights, monitors, memory ------------------------------------------------------------------ */

static size_t state_bytes(world *x)
{
    const char *parameter, *name;
    ng_mat view;
    size_t bytes = 0;
    for (size_t i = 0; ng_optimizer_tensor(x->opt, &parameter, &name, &view, i) == NG_OK; i++)
        bytes += view.rows * view.cols * ng_dtype_size(view.dtype);
    return bytes;
}

static void compare_run(const setup *s, int steps)
{
    world x, alone;
    double heard = 0, heard_alone = 0;
    open_world(&x, s);
    open_world(&alone, s);
    CHECK(attach(&x) == NG_OK, "%s: %s", s->preset, ng_optimizer_error(x.opt));
    if (s->monitored) {
        ng_optimizer_add_monitor(x.opt, listen, &heard);
        ng_optimizer_add_monitor(alone.opt, listen, &heard_alone);
    }
    for (int t = 0; t < steps && failures == 0; t++) {
        CHECK(step(&x, s, t) == NG_OK, "%s: %s", s->preset, ng_optimizer_error(x.opt));
        CHECK(step(&alone, s, t) == NG_OK, "%s: %s", s->preset, ng_optimizer_error(alone.opt));
        CHECK(same_worlds(&x, &alone), "%s %s: other weights after step %d", s->preset, s->settings,
              t + 1);
    }
    CHECK(heard == heard_alone, "%s: monitors heard %g, alone %g", s->preset, heard, heard_alone);
    size_t own = state_bytes(&x), whole = state_bytes(&alone);
    unsigned long long bytes = own, sum;
    MPI_Allreduce(&bytes, &sum, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
    CHECK(sum == whole, "%s: the ranks keep %llu bytes of state, one alone %zu", s->preset, sum,
          whole);
    close_world(&x);
    close_world(&alone);
}

/* every preset there is, with clipping, micro-batches and a schedule */
static void test_presets(void)
{
    const ng_preset *preset;
    for (size_t i = 0; (preset = ng_preset_get(i)) != NULL; i++)
        for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
            setup s = {preset->name, "", (ng_dtype)dtype, 0.5, 2, 0, 0};
            compare_run(&s, STEPS);
        }
}

static void test_settings(void)
{
    const setup all[] = {
        {"muon", "", NG_F32, 0, 0, 0, 1},
        {"fismo", "momentum=0.8", NG_F64, 0, 0, 2, 0},
        {"kfac", "kl_clip=1e-5", NG_F64, 0, 0, 0, 1},
        {"kfac", "kl_clip=1e-5 update_interval=3", NG_F32, 1, 3, 0, 0},
        {"shampoo", "weight_decay=0.1", NG_F32, 0, 0, 0, 0},
        {"muon", "", NG_BF16, 0, 0, 0, 0},
        {"adamw", "", NG_F16, 0.5, 2, 0, 1},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        compare_run(&all[i], 20);
}

/* ---- One status for all --------------------------------------------------------------------------- */

static void same_text(const char *text)
{
    char first[256] = "";
    snprintf(first, sizeof first, "%s", text);
    MPI_Bcast(first, sizeof first, MPI_CHAR, 0, MPI_COMM_WORLD);
    CHECK(strcmp(first, text) == 0, "\"%s\", on rank 0 \"%s\"", text, first);
}

static void failing(world *x, world *alone, const char *who, const char *what)
{
    char expected[32];
    ng_status status = ng_optimizer_step(x->opt);
    const char *text = ng_optimizer_error(x->opt);
    snprintf(expected, sizeof expected, "rank %s: ", who);
    CHECK(status == NG_ENONFINITE, "%s: %s", what, text);
    CHECK(strstr(text, expected) == text && strstr(text, what) != NULL, "\"%s\", not of %s: %s",
          text, expected, what);
    same_text(text);
    CHECK(same_worlds(x, alone), "a step that failed has changed weights");
}

/* NaN in the gradients of one rank, whoever owns the parameter */
static void nan_run(double clip_norm)
{
    setup s = {"muon", "", NG_F64, clip_norm, 0, 0, 0};
    world x, alone;
    char who[16];
    open_world(&x, &s);
    open_world(&alone, &s);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    for (int t = 0; t < 3; t++) {
        step(&x, &s, t);
        step(&alone, &s, t);
    }
    for (int r = 0; r < ranks; r++)
        for (int i = 0; i < LAYERS; i++) {
            char name[16];
            double good = ng_mat_get(x.dw[i], 0, 0);
            if (rank == r)
                ng_mat_set(x.dw[i], 0, 0, NAN);
            snprintf(who, sizeof who, "%d", r);
            snprintf(name, sizeof name, "layer%d", i);
            failing(&x, &alone, who, name);
            ng_mat_set(x.dw[i], 0, 0, good);
        }
    /* two at once: the parameter added first */
    double good[2] = {ng_mat_get(x.dw[1], 0, 0), ng_mat_get(x.dw[3], 0, 0)};
    if (rank == 0)
        ng_mat_set(x.dw[3], 0, 0, NAN);
    if (rank == ranks - 1)
        ng_mat_set(x.dw[1], 0, 0, NAN);
    snprintf(who, sizeof who, "%d", ranks - 1);
    failing(&x, &alone, who, "layer1");
    ng_mat_set(x.dw[1], 0, 0, good[0]);
    ng_mat_set(x.dw[3], 0, 0, good[1]);
    CHECK(step(&x, &s, 3) == NG_OK && step(&alone, &s, 3) == NG_OK, "%s",
          ng_optimizer_error(x.opt));
    CHECK(same_worlds(&x, &alone), "other weights after steps that failed");
    close_world(&x);
    close_world(&alone);
}

static void test_one_status(void)
{
    nan_run(0);
    nan_run(0.5);
}

/* no captures on the owner: a method's own refusal */
static void test_no_capture(void)
{
    setup s = {"kfac", "", NG_F64, 0, 0, 0, 0};
    world x;
    open_world(&x, &s);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    CHECK(ng_optimizer_step(x.opt) == NG_ENODATA, "%s", ng_optimizer_error(x.opt));
    CHECK(strstr(ng_optimizer_error(x.opt), "'layer0'") != NULL, "%s", ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    close_world(&x);
}

/* a factor that only the owner has is singular */
static void test_singular(void)
{
    setup s = {"kfac", "damping=0", NG_F64, 0, 0, 0, 0};
    world x, alone;
    open_world(&x, &s);
    open_world(&alone, &s);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    for (size_t i = 0; i < LAYERS; i++) {
        ng_mat a = make(SAMPLES, shapes[i][1], s.dtype), g = make(SAMPLES, shapes[i][0], s.dtype);
        for (size_t k = 0; k < SAMPLES && i != 2; k++) { /* nothing but zeros for layer2 */
            for (size_t j = 0; j < a.cols; j++)
                ng_mat_set(a, k, j, number());
            for (size_t j = 0; j < g.cols; j++)
                ng_mat_set(g, k, j, number());
        }
        CHECK(ng_group_capture(x.groups[0], i, a, g, 1) == NG_OK, "%s", ng_optimizer_error(x.opt));
        free(a.data);
        free(g.data);
    }
    CHECK(ng_optimizer_step(x.opt) == NG_ESINGULAR, "%s", ng_optimizer_error(x.opt));
    CHECK(strstr(ng_optimizer_error(x.opt), "'layer2'") != NULL, "%s", ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    CHECK(same_worlds(&x, &alone), "a step that failed has changed weights");
    close_world(&x);
    close_world(&alone);
}

/* ---- Differences ------------------------------------------------------------------------------------ */

static void test_differences(void)
{
    setup s = {"muon", "", NG_F64, 0, 0, 0, 0};
    world x;
    if (ranks == 1)
        return;
    /* an option, before and after attach */
    open_world(&x, &s);
    if (rank == ranks - 1)
        ng_group_set(x.groups[0], "momentum", 0.5);
    CHECK(attach(&x) == NG_EARG, "%s", ng_optimizer_error(x.opt));
    CHECK(strstr(ng_optimizer_error(x.opt), "group.0.option.momentum = 0.5") != NULL, "%s",
          ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    ng_group_set(x.groups[0], "momentum", 0.5);
    CHECK(attach(&x) == NG_OK, "%s", ng_optimizer_error(x.opt));
    if (rank == ranks - 1)
        ng_group_freeze(x.groups[0], 2, 1);
    load_batch(&x, &s, 0);
    CHECK(ng_optimizer_step(x.opt) == NG_EARG, "%s", ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    ng_group_freeze(x.groups[0], 2, 0);
    CHECK(ng_optimizer_step(x.opt) == NG_OK, "%s", ng_optimizer_error(x.opt));
    CHECK(ng_group_add(x.groups[1], NULL, "late", x.b, x.db) == NG_EARG, "added after attach");
    close_world(&x);
    /* a shape; one parameter less */
    open_world(&x, &s);
    if (rank == 0) {
        CHECK(ng_group_add(x.groups[1], NULL, "late", x.b, x.db) == NG_OK, "late");
    }
    CHECK(attach(&x) == NG_EARG, "%s", ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    close_world(&x);
}

static void test_sharing(void)
{
    setup s = {"muon", "", NG_F32, 0, 0, 0, 0};
    world x, alone;
    ng_mpi_options options;
    int owner;
    open_world(&x, &s);
    open_world(&alone, &s);
    ng_mpi_init(&options);
    options.sharing = NG_MPI_REPLICATE;
    CHECK(ng_mpi_optimizer_attach(x.opt, MPI_COMM_WORLD, &options) == NG_OK, "%s",
          ng_optimizer_error(x.opt));
    CHECK(ng_group_owner(x.groups[0], &owner, 1) == NG_OK && owner == -1, "owner %d", owner);
    for (int t = 0; t < 5; t++) {
        CHECK(step(&x, &s, t) == NG_OK && step(&alone, &s, t) == NG_OK, "%s",
              ng_optimizer_error(x.opt));
    }
    CHECK(same_worlds(&x, &alone), "replicated: other weights");
    CHECK(state_bytes(&x) == state_bytes(&alone), "replicated: %zu bytes", state_bytes(&x));
    close_world(&x);
    close_world(&alone);
}

/* ---- Gradients over shards ----------------------------------------------------------------------- */

/* Element j of the gradient of a shard: of very different sizes, so that each order has its own
 * rounding. */
static double element(size_t shard, size_t j)
{
    state = 77 * shard + 1009 * j;
    number();
    return number() * ldexp(1, (int)(7 * shard % 23));
}

/* The tree of natgrad-mpi.h to the letter, in the dtype. */
static double tree(size_t low, size_t high, size_t j, ng_dtype dtype)
{
    size_t half = 1;
    double sum;
    if (high - low == 1)
        return dtype == NG_F32 ? (double)(float)element(low, j) : element(low, j);
    while (2 * half < high - low)
        half *= 2;
    sum = tree(low, low + half, j, dtype) + tree(low + half, high, j, dtype);
    return dtype == NG_F32 ? (double)(float)sum : sum;
}

static void shards_run(size_t number_of_shards)
{
    enum { VIEWS = 3 };
    const size_t sizes[VIEWS][2] = {{7, 3}, {1, 1}, {5, 40}};
    ng_mat views[VIEWS];
    ng_mpi_shards *shards;
    ng_error error = {NG_OK, ""};
    size_t first, last;
    for (int v = 0; v < VIEWS; v++)
        views[v] = make(sizes[v][0], sizes[v][1], v == 1 ? NG_F64 : NG_F32);
    ng_status status =
        ng_mpi_shards_create(&shards, MPI_COMM_WORLD, views, VIEWS, number_of_shards, &error);
    if (number_of_shards < (size_t)ranks) {
        CHECK(status == NG_EARG && shards == NULL, "fewer shards than ranks: %s", error.text);
    } else {
        CHECK(status == NG_OK, "%s", error.text);
    }
    for (int batch = 0; batch < 2 && status == NG_OK; batch++) {
        ng_mpi_shards_range(shards, &first, &last);
        for (size_t i = first; i < last; i++) {
            if (i == first && batch == 1 && rank == 0) {
                /* a call too early is refused on all ranks; its partners are below */
                CHECK(ng_mpi_reduce_gradients(shards, 1, &error) == NG_EARG, "%s", error.text);
            }
            for (int v = 0; v < VIEWS; v++)
                for (size_t j = 0; j < views[v].rows * views[v].cols; j++)
                    ng_mat_set(views[v], j / views[v].cols, j % views[v].cols,
                               element(i, j + 1000 * (size_t)v));
            CHECK(ng_mpi_shards_add(shards, &error) == NG_OK, "%s", error.text);
        }
        if (batch == 1 && rank != 0) {
            CHECK(ng_mpi_reduce_gradients(shards, 1, &error) == NG_EARG, "%s", error.text);
        }
        CHECK(ng_mpi_shards_add(shards, &error) == NG_EARG, "a shard too many");
        CHECK(ng_mpi_reduce_gradients(shards, 0.5, &error) == NG_OK, "%s", error.text);
        for (int v = 0; v < VIEWS; v++)
            for (size_t j = 0; j < views[v].rows * views[v].cols; j++) {
                double found = ng_mat_get(views[v], j / views[v].cols, j % views[v].cols);
                double expected = 0.5 * tree(0, number_of_shards, j + 1000 * (size_t)v,
                                             views[v].dtype);
                CHECK(found == expected, "%zu shards, view %d, element %zu: %.17g, the tree %.17g",
                      number_of_shards, v, j, found, expected);
            }
    }
    ng_mpi_shards_destroy(shards);
    for (int v = 0; v < VIEWS; v++)
        free(views[v].data);
}

static void test_shards(void)
{
    for (size_t n = 1; n <= 13; n++)
        shards_run(n);
    shards_run(64);
}

/* ---- Checkpoints --------------------------------------------------------------------------------------- */

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
    CHECK(ng_optimizer_load(x.opt, rank == ranks - 1 ? "/nowhere/at/all" : together, NULL) == NG_EIO,
          "%s", ng_optimizer_error(x.opt));
    same_text(ng_optimizer_error(x.opt));
    close_world(&x);
    close_world(&alone);
    close_world(&again);
}

static void test_checkpoints(const char *folder)
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
}

/* Saves until it is killed: the file is always whole. */
static void save_for_ever(const char *path)
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
static void load_once(const char *path)
{
    setup s = {"adamw", "", NG_F64, 0, 0, 0, 0};
    world x;
    open_world(&x, &s);
    CHECK(ng_optimizer_load(x.opt, path, NULL) == NG_OK, "%s", ng_optimizer_error(x.opt));
    CHECK(step(&x, &s, 1) == NG_OK, "%s", ng_optimizer_error(x.opt));
    close_world(&x);
}

/* mpi hello | steps | checkpoints FOLDER | save FILE | load FILE */
int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *where = argc > 2 ? argv[2] : ".";
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (strcmp(what, "steps") == 0) {
        test_presets();
        test_settings();
        test_one_status();
        test_no_capture();
        test_singular();
        test_differences();
        test_sharing();
        test_shards();
    } else if (strcmp(what, "checkpoints") == 0) {
        test_checkpoints(where);
    } else if (strcmp(what, "save") == 0) {
        save_for_ever(where);
    } else if (strcmp(what, "load") == 0) {
        load_once(where);
    } else if (strcmp(what, "hello") != 0) {
        failures = 1;
    }
    int all;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all > 0;
}
