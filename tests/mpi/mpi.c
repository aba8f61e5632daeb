/* Optimizers over MPI, run by check-mpi under mpirun: every rank also has the same optimizer alone,
 * and compares bits. */
#include "tests/mpi/world.h"

/* ---- Weights, monitors, memory ------------------------------------------------------------------
 */

static size_t state_bytes(world *x)
{
    const char *parameter, *name;
    ng_mat view;
    size_t bytes = 0;
    for (size_t i = 0; ng_optimizer_tensor(x->opt, &parameter, &name, &view, i) == NG_OK; i++)
        bytes += view.rows * view.cols * ng_dtype_size(view.dtype);
    return bytes;
}

/* Of all ranks: what has no owner is everybody's. */
static size_t expected_bytes(world *alone, world *x)
{
    const char *parameter, *name;
    ng_mat view;
    size_t bytes = 0;
    for (size_t i = 0; ng_optimizer_tensor(alone->opt, &parameter, &name, &view, i) == NG_OK; i++) {
        int owner, in_rest = strcmp(parameter, "vector") == 0;
        size_t index = in_rest ? 0 : (size_t)atoi(parameter + strlen("layer"));
        CHECK(ng_group_owner(x->groups[in_rest], &owner, index) == NG_OK, "%s", parameter);
        bytes +=
            view.rows * view.cols * ng_dtype_size(view.dtype) * (owner < 0 ? (size_t)ranks : 1);
    }
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
    size_t own = state_bytes(&x), whole = expected_bytes(&alone, &x);
    unsigned long long bytes = own, sum;
    MPI_Allreduce(&bytes, &sum, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
    CHECK(sum == whole, "%s: the ranks keep %llu bytes of state, not %zu", s->preset, sum, whole);
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

/* ---- One status for all
 * --------------------------------------------------------------------------- */

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

/* ---- Differences
 * ------------------------------------------------------------------------------------ */

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

/* The cheapest parameters are every rank's. Costs: 216, 144, 63, 63, 1 and, of the vector, 50.
 */
static void test_hybrid(double fraction, int expected)
{
    setup s = {"kfac", "kl_clip=1e-5", NG_F32, 0.5, 0, 0, 1};
    world x, alone;
    ng_mpi_options options;
    int owner, own = 0;
    double heard = 0, heard_alone = 0;
    open_world(&x, &s);
    open_world(&alone, &s);
    ng_mpi_init(&options);
    options.sharing = NG_MPI_HYBRID;
    options.fraction = fraction;
    CHECK(ng_mpi_optimizer_attach(x.opt, MPI_COMM_WORLD, &options) == NG_OK, "%s",
          ng_optimizer_error(x.opt));
    ng_optimizer_add_monitor(x.opt, listen, &heard);
    ng_optimizer_add_monitor(alone.opt, listen, &heard_alone);
    for (size_t i = 0; i < LAYERS; i++) {
        ng_group_owner(x.groups[0], &owner, i);
        own += owner >= 0;
    }
    CHECK(own == expected, "fraction %g: %d layers have one owner, not %d", fraction, own,
          expected);
    for (int t = 0; t < 5; t++) {
        CHECK(step(&x, &s, t) == NG_OK && step(&alone, &s, t) == NG_OK, "%s",
              ng_optimizer_error(x.opt));
        CHECK(same_worlds(&x, &alone), "fraction %g: other weights", fraction);
    }
    CHECK(heard == heard_alone, "fraction %g: monitors heard %g, alone %g", fraction, heard,
          heard_alone);
    close_world(&x);
    close_world(&alone);
}

/* A weight, then a gradient, of the last rank is another one. */
static void test_checked(void)
{
    setup s = {"muon", "", NG_F32, 0, 0, 0, 0};
    world x, alone;
    ng_mpi_options options;
    char who[64];
    open_world(&x, &s);
    open_world(&alone, &s);
    ng_mpi_init(&options);
    options.check = 1;
    CHECK(ng_mpi_optimizer_attach(x.opt, MPI_COMM_WORLD, &options) == NG_OK, "%s",
          ng_optimizer_error(x.opt));
    for (int i = 0; i < 2 && ranks > 1; i++) {
        load_batch(&x, &s, 0);
        ng_mat m = i == 0 ? x.w[3] : x.dw[2];
        double good = ng_mat_get(m, 1, 2);
        if (rank == ranks - 1)
            ng_mat_set(m, 1, 2, good + 1e-6);
        CHECK(ng_optimizer_step(x.opt) == NG_EARG, "a difference was not found");
        snprintf(who, sizeof who, "rank %d: parameter 'layer%d': its %s", ranks - 1, 3 - i,
                 i == 0 ? "weights" : "gradient");
        CHECK(strstr(ng_optimizer_error(x.opt), who) != NULL, "%s", ng_optimizer_error(x.opt));
        same_text(ng_optimizer_error(x.opt));
        ng_mat_set(m, 1, 2, good);
        CHECK(same_worlds(&x, &alone), "a step that failed has changed weights");
    }
    CHECK(step(&x, &s, 0) == NG_OK && step(&alone, &s, 0) == NG_OK, "%s",
          ng_optimizer_error(x.opt));
    CHECK(same_worlds(&x, &alone), "checked: other weights");
    close_world(&x);
    close_world(&alone);
}

/* mpi hello | fisher | large N | steps | checkpoints FOLDER | failures FOLDER | save FILE | load
 * FILE */
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
        test_hybrid(0, LAYERS);
        test_hybrid(0.5, 2);
        test_hybrid(0.7, 1);
        test_hybrid(1, 0);
        test_checked();
        test_shards();
        test_captures();
    } else if (strcmp(what, "fisher") == 0) {
        test_fisher();
    } else if (strcmp(what, "large") == 0) {
        compare_large((size_t)atoi(where));
    } else if (strcmp(what, "checkpoints") == 0) {
        test_checkpoints(where);
    } else if (strcmp(what, "failures") == 0) {
        test_failures(where);
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
