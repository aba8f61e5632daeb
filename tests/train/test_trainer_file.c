/* A training in a file: going on from it is as if it had never stopped, and nothing else loads. */
#include "tests/train/trainer_world.h"

#include "tests/support/faults.h"
#include "tests/train/files.h"

enum { KINDS = 4 };

static void settle(bench *b, int kind)
{
    b->options.ema = kind & 1 ? 0.9 : 0;
    b->options.patience = kind & 2 ? 2 : 0;
    b->options.fisher = kind & 2 ? NG_TRAINER_FISHER_SAMPLED : NG_TRAINER_FISHER_EMPIRICAL;
    b->options.schedule = kind & 1 ? NG_SCHEDULE_COSINE : NG_SCHEDULE_CONSTANT;
}

typedef struct {
    const char *path; /* NULL: stops only */
    size_t steps, stop_at;
    int saved;
} saver;

/* Saves behind that step, an epoch's last one too, and stops; never in an evaluation. */
static int save_at(ng_trainer *t, const ng_trainer_event *event, void *data)
{
    saver *s = data;
    if (event->kind == NG_TRAINER_STEP)
        s->steps++;
    if (event->kind == NG_TRAINER_JUDGE && s->path != NULL)
        ck_assert_int_eq(ng_trainer_save(t, s->path, NULL), NG_EARG);
    if (s->path == NULL || s->steps < s->stop_at || s->saved || event->kind != NG_TRAINER_STEP)
        return s->steps >= s->stop_at;
    ck_assert_msg(ng_trainer_save(t, s->path, NULL) == NG_OK, "%s", ng_trainer_error(t));
    s->saved = 1;
    return 1;
}

/* ---- As if never stopped ------------------------------------------------------------------- */

static void check_resumed(const char *preset, int kind, size_t at, const bench *never)
{
    bench b, resumed;
    const char *path = files_path("training.safetensors");
    saver s = {at % 2 ? path : NULL, 0, at, 0}; /* on the way, or behind it */
    bench_open(&b, preset, NG_F32);
    settle(&b, kind);
    b.options.watch = save_at;
    b.options.watch_data = &s;
    bench_start(&b);
    ng_trainer_fit(b.trainer, b.train, b.held_out);
    ck_assert_str_eq(ng_trainer_error(b.trainer), "");
    ck_assert_msg(s.saved || ng_trainer_save(b.trainer, path, NULL) == NG_OK, "%s",
                  ng_trainer_error(b.trainer));
    bench_close(&b);
    bench_open(&resumed, preset, NG_F32);
    settle(&resumed, kind);
    resumed.options.keep_weights = 1; /* whatever it begins with */
    bench_start(&resumed);
    ck_assert_msg(ng_trainer_load(resumed.trainer, path) == NG_OK, "%s",
                  ng_trainer_error(resumed.trainer));
    bench_fit(&resumed, NG_OK);
    ck_assert_msg(test_same_bits(model_weights(resumed.model), model_weights(never->model)),
                  "%s, kind %d, step %zu", preset, kind, at);
    assert_same_points(resumed.trainer, never->trainer);
    ck_assert_int_eq(ng_trainer_ended(resumed.trainer), ng_trainer_ended(never->trainer));
    bench_close(&resumed);
}

START_TEST(as_if_never_stopped)
{
    const char *preset = ng_preset_get((size_t)_i)->name;
    for (int kind = 0; kind < KINDS; kind++) {
        bench never;
        bench_open(&never, preset, NG_F32);
        settle(&never, kind);
        bench_start(&never);
        bench_fit(&never, NG_OK);
        for (size_t at = 1 + (size_t)kind; at < 18; at += 3) /* 5 steps an epoch */
            check_resumed(preset, kind, at, &never);
        bench_close(&never);
    }
}
END_TEST

/* The file is a model file of the weights to be used, and saving changes nothing. */
START_TEST(is_a_model)
{
    bench b;
    ng_model *model;
    ng_error error = {NG_OK, ""};
    const char *path = files_path("best.safetensors");
    bench_open(&b, "fismo", NG_F64);
    settle(&b, _i);
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ng_mat before = test_copy(model_weights(b.model));
    ck_assert_int_eq(ng_trainer_save(b.trainer, path, ng_dataset_schema(b.train)), NG_OK);
    ck_assert(test_same_bits(before, model_weights(b.model)));
    ng_assert_ok(ng_model_load(&model, NULL, NULL, path, NULL, &error), &error);
    ck_assert(test_same_bits(before, model_weights(model)));
    ng_model_destroy(model);
    test_free(before);
    bench_close(&b);
}
END_TEST

/* More epochs than were asked for at first. */
START_TEST(longer)
{
    bench b, never;
    const char *path = files_path("longer.safetensors");
    bench_open(&b, "adamw", NG_F32);
    bench_open(&never, "adamw", NG_F32);
    b.options.epochs = 2;
    bench_start(&b);
    bench_start(&never);
    bench_fit(&b, NG_OK);
    bench_fit(&never, NG_OK);
    ck_assert_int_eq(ng_trainer_save(b.trainer, path, NULL), NG_OK);
    ng_trainer_destroy(b.trainer);
    b.options.epochs = 4;
    bench_start(&b);
    ck_assert_int_eq(ng_trainer_load(b.trainer, path), NG_OK);
    bench_fit(&b, NG_OK);
    ck_assert(test_same_bits(model_weights(b.model), model_weights(never.model)));
    assert_same_points(b.trainer, never.trainer);
    bench_close(&b);
    bench_close(&never);
}
END_TEST

/* ---- Refusals ----------------------------------------------------------------------------------
 */

/* A trainer with the given change refuses the file and stays as it is. */
static void refuses(bench *b, const char *path, ng_status expected, const char *culprit)
{
    ng_mat before = test_copy(model_weights(b->model));
    size_t count;
    ng_status status = ng_trainer_load(b->trainer, path);
    ck_assert_msg(status == expected, "%s: %s", ng_status_name(status),
                  ng_trainer_error(b->trainer));
    ck_assert_msg(strstr(ng_trainer_error(b->trainer), culprit) != NULL &&
                      strstr(ng_trainer_error(b->trainer), path) != NULL,
                  "'%s' or the file not in: %s", culprit, ng_trainer_error(b->trainer));
    ck_assert(test_same_bits(before, model_weights(b->model)));
    ng_trainer_points(b->trainer, &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(ng_optimizer_steps(ng_trainer_optimizer(b->trainer)), 0);
    test_free(before);
}

static void make_file(const char *path)
{
    bench b;
    bench_open(&b, "muon", NG_F32);
    settle(&b, 3);
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ck_assert_int_eq(ng_trainer_save(b.trainer, path, NULL), NG_OK);
    bench_close(&b);
}

START_TEST(other_settings)
{
    const char *path = files_path("settings.safetensors");
    make_file(path);
#define OTHER(preset, change, culprit)                                                             \
    do {                                                                                           \
        bench b;                                                                                   \
        bench_open(&b, preset, NG_F32);                                                            \
        settle(&b, 3);                                                                             \
        change;                                                                                    \
        bench_start(&b);                                                                           \
        refuses(&b, path, NG_EOPTION, culprit);                                                    \
        bench_close(&b);                                                                           \
    } while (0)
    OTHER("muon", b.options.batch = 8, "batch=16");
    OTHER("muon", b.options.seed = 8, "seed=7");
    OTHER("muon", b.options.ema = 0.5, "ema=0.9");
    OTHER("muon", b.options.patience = 0, "patience=yes");
    OTHER("muon", b.options.schedule = NG_SCHEDULE_LINEAR, "schedule=cosine");
    OTHER("muon", ng_options_set(b.method, "momentum", 0.5, NULL), "method.momentum");
    OTHER("adamw", (void)0, "method=");
    OTHER("muon",
          (ng_model_destroy(b.model),
           b.model = bench_model(BENCH_FEATURES, BENCH_CLASSES, NG_LOSS_SOFTMAX, NG_F64)),
          "dtype=f32");
    OTHER("muon",
          (ng_model_destroy(b.model),
           b.model = bench_model(BENCH_FEATURES, 2, NG_LOSS_SOFTMAX, NG_F32)),
          "model.widths=");
#undef OTHER
}
END_TEST

START_TEST(no_training)
{
    bench b;
    const char *path = files_path("alone.safetensors");
    bench_open(&b, "muon", NG_F32);
    bench_start(&b);
    ck_assert_int_eq(ng_model_save(b.model, NULL, path, NULL, NULL), NG_OK);
    refuses(&b, path, NG_EFORMAT, "a model alone");
    refuses(&b, files_path("nowhere.safetensors"), NG_EIO, "nowhere");
    ck_assert_int_eq(ng_trainer_load(b.trainer, NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_load(NULL, path), NG_EARG);
    ck_assert_int_eq(ng_trainer_save(NULL, path, NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_save(b.trainer, NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_save(b.trainer, "/nowhere/at/all", NULL), NG_EIO);
    bench_close(&b);
}
END_TEST

/* ---- Hostile files: the check sum agrees, a number does not
 * --------------------------------------- */

/* The file of `from` with one tensor of other numbers, or without it. */
typedef struct {
    const char *name;
    size_t at; /* which double of it */
    double value;
    const char *culprit;
    ng_status status;
} lie;

static void write_lie(const char *to, const char *from, const lie *l)
{
    ng_model *model;
    ng_tensors *file;
    ng_model_extra *extra;
    ng_error e = {NG_OK, ""};
    void *kept[256];
    size_t n = 0;
    ng_assert_ok(ng_model_load(&model, NULL, &file, from, NULL, &e), &e);
    ng_assert_ok(ng_model_extra_create(&extra, &e), &e);
    ng_model_extra_add_text(extra, "trainer/settings", ng_tensors_text(file, "trainer/settings"),
                            NULL);
    for (size_t i = 0; i < ng_tensors_count(file); i++) {
        const ng_tensor *t = ng_tensors_get(file, i);
        int it = strcmp(t->name, l->name) == 0;
        if (strchr(t->name, '/') == NULL || (it && l->at == SIZE_MAX))
            continue;
        char *bytes = kept[n++] = malloc(t->bytes + 8);
        ng_assert_ok(ng_tensors_read(file, bytes, t, 0, t->bytes, &e), &e);
        size_t size = t->dtype == NG_TENSOR_F32 ? 4 : 8;
        if (it && size == 4)
            ((float *)(void *)bytes)[l->at] = (float)l->value;
        else if (it && t->dtype == NG_TENSOR_U8)
            bytes[8 * l->at] = (char)l->value;
        else if (it)
            ((double *)(void *)bytes)[l->at] = l->value;
        if (t->dtype == NG_TENSOR_U8)
            ng_assert_ok(ng_model_extra_add_bytes(extra, t->name, bytes, t->bytes, &e), &e);
        else
            ng_assert_ok(ng_model_extra_add(extra, t->name,
                                            (ng_mat){bytes, t->shape[0], t->shape[1], t->shape[1],
                                                     size == 4 ? NG_F32 : NG_F64},
                                            &e),
                         &e);
    }
    ng_assert_ok(ng_model_save(model, NULL, to, extra, &e), &e);
    ng_model_extra_destroy(extra);
    ng_tensors_close(file);
    ng_model_destroy(model);
    while (n > 0)
        free(kept[--n]);
}

START_TEST(hostile)
{
    static const lie lies[] = {
        {"trainer/position", 0, 2.5, "no training", NG_EFORMAT},
        {"trainer/position", 0, 1e300, "no training", NG_EFORMAT},
        {"trainer/position", 1, 3, "no training", NG_EFORMAT},  /* no whole batches */
        {"trainer/position", 1, 96, "no training", NG_EFORMAT}, /* behind the last */
        {"trainer/position", 4, -1, "no training", NG_EFORMAT},
        {"trainer/position", 5, 77, "no training", NG_EFORMAT},
        {"trainer/position", 7, NAN, "no training", NG_EFORMAT},
        {"trainer/position", 8, 1e15, "order", NG_EFORMAT},
        {"trainer/position", 8, 0, "order", NG_EFORMAT},
        {"trainer/position", 9, -2, "no training", NG_EFORMAT},
        {"trainer/order", 3, 200, "order", NG_EFORMAT},
        {"trainer/order", 0, 1, "order", NG_EFORMAT}, /* one twice, or the next one is the lie */
        {"trainer/random", 0, 7, "generator", NG_EFORMAT},
        {"trainer/live", 5, INFINITY, "trainer/live", NG_ENONFINITE},
        {"trainer/best", 0, NAN, "trainer/best", NG_ENONFINITE},
        {"trainer/average", 0, NAN, "trainer/average", NG_ENONFINITE},
        {"optimizer/counts", 0, -3, "steps", NG_EARG},
        {"optimizer/counts", 2, NAN, "optimizer/counts", NG_ENONFINITE},
        {"trainer/position", SIZE_MAX, 0, "trainer/position", NG_EFORMAT},
        {"trainer/points", SIZE_MAX, 0, "no training", NG_EFORMAT},
        {"trainer/order", SIZE_MAX, 0, "trainer/order", NG_EFORMAT},
        {"trainer/random", SIZE_MAX, 0, "trainer/random", NG_EFORMAT},
        {"trainer/live", SIZE_MAX, 0, "trainer/live", NG_EFORMAT},
        {"optimizer/counts", SIZE_MAX, 0, "optimizer/counts", NG_EFORMAT},
        {"optimizer/fc1.weight/momentum", SIZE_MAX, 0, "fc1.weight/momentum", NG_EFORMAT},
    };
    bench b;
    char honest[1200];
    snprintf(honest, sizeof honest, "%s", files_path("honest.safetensors"));
    const char *path = files_path("lie.safetensors");
    make_file(honest);
    bench_open(&b, "muon", NG_F32);
    settle(&b, 3);
    bench_start(&b);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        write_lie(path, honest, &lies[i]);
        refuses(&b, path, lies[i].status, lies[i].culprit);
    }
    write_lie(path, honest, &(lie){.name = "nothing"});
    ck_assert_msg(ng_trainer_load(b.trainer, path) == NG_OK, "%s", ng_trainer_error(b.trainer));
    bench_close(&b);
}
END_TEST

/* State that no step leaves is refused by the first step, and no weight changes. */
START_TEST(impossible_state)
{
    bench b;
    const char *honest = files_path("honest.safetensors"), *path = files_path("lie.safetensors");
    bench_open(&b, "adamw", NG_F32);
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ck_assert_int_eq(ng_trainer_save(b.trainer, honest, NULL), NG_OK);
    write_lie(path, honest, &(lie){.name = "optimizer/fc1.weight/second_moment", .value = -1});
    ng_trainer_destroy(b.trainer);
    b.options.epochs = 5;
    bench_start(&b);
    ck_assert_msg(ng_trainer_load(b.trainer, path) == NG_OK, "%s", ng_trainer_error(b.trainer));
    ng_mat before = test_copy(model_weights(b.model));
    bench_fit(&b, NG_ERANGE);
    ck_assert_msg(strstr(ng_trainer_error(b.trainer), "second_moment") != NULL, "%s",
                  ng_trainer_error(b.trainer));
    ck_assert(test_same_bits(before, model_weights(b.model)));
    test_free(before);
    bench_close(&b);
}
END_TEST

/* ---- Allocations
 * ------------------------------------------------------------------------------------ */

START_TEST(allocations)
{
    bench b;
    const char *path = files_path("faults.safetensors");
    long k = 0;
    make_file(path);
    bench_open(&b, "muon", NG_F32);
    settle(&b, 3);
    bench_start(&b);
    for (ng_status status = NG_ENOMEM; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = ng_trainer_load(b.trainer, path);
        fault_over();
        ck_assert_msg(status == NG_OK || status == NG_ENOMEM, "%ld: %s", k,
                      ng_trainer_error(b.trainer));
    }
    ck_assert_int_gt(k, 20);
    ng_mat before = test_copy(model_weights(b.model));
    k = 0;
    for (ng_status status = NG_ENOMEM; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = ng_trainer_save(b.trainer, path, NULL);
        fault_over();
        ck_assert_msg(status == NG_OK || status == NG_ENOMEM, "%ld: %s", k,
                      ng_trainer_error(b.trainer));
        ck_assert(test_same_bits(before, model_weights(b.model)));
    }
    ck_assert_int_gt(k, 20);
    test_free(before);
    bench_close(&b);
}
END_TEST

TEST_SUITE(trainer_file)
{
    TCase *tcase = tcase_create("trainer_file");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_add_loop_test(tcase, as_if_never_stopped, 0, (int)ng_preset_count());
    tcase_add_loop_test(tcase, is_a_model, 0, KINDS);
    tcase_add_test(tcase, longer);
    tcase_add_test(tcase, other_settings);
    tcase_add_test(tcase, no_training);
    tcase_add_test(tcase, hostile);
    tcase_add_test(tcase, impossible_state);
    tcase_add_test(tcase, allocations);
    suite_add_tcase(suite, tcase);
}
