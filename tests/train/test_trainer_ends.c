/* When a training ends, with which weights, and that going on is as if it never had. */
#include "tests/train/trainer_world.h"

/* ---- Best weights, averages -------------------------------------------------------------- */

START_TEST(patience)
{
    bench b;
    double loss, least = INFINITY;
    size_t count, best = 0;
    bench_open(&b, "adamw", (ng_dtype)_i);
    ng_options_set(b.method, "lr", 0.1, NULL); /* overfits soon */
    b.options.epochs = 200;
    b.options.patience = 3;
    bench_start(&b);
    bench_fit(&b, NG_OK);
    const ng_trainer_point *p = ng_trainer_points(b.trainer, &count);
    for (size_t i = 0; i < count; i++)
        if (p[i].loss < least) {
            least = p[i].loss;
            best = i + 1;
        }
    ck_assert_int_eq(ng_trainer_ended(b.trainer), NG_TRAINER_PATIENCE);
    ck_assert_uint_eq(ng_trainer_best(b.trainer), best);
    ck_assert_uint_eq(count, best + 3);
    ck_assert_uint_lt(count, 200);
    ng_assert_ok(ng_trainer_evaluate(b.trainer, &loss, NULL, b.held_out), NULL);
    ck_assert(loss == least);
    bench_fit(&b, NG_OK);
    ng_trainer_points(b.trainer, &best);
    ck_assert_uint_eq(best, count);
    bench_close(&b);
}
END_TEST

/* The average of the weights behind every step, kept beside. */
typedef struct {
    ng_mat mean;
    double steps, decay;
} running;

static int average(ng_trainer *t, const ng_trainer_event *event, void *data)
{
    running *r = data;
    ng_mat w = model_weights(ng_trainer_model(t));
    if (event->kind != NG_TRAINER_STEP)
        return 0;
    double part = fmax(1 - r->decay, 1 / ++r->steps);
    for (size_t i = 0; i < w.cols; i++) {
        double mean = ng_mat_get(r->mean, 0, i);
        ng_mat_set(r->mean, 0, i, mean + part * (ng_mat_get(w, 0, i) - mean));
    }
    return 0;
}

START_TEST(ema)
{
    bench b;
    size_t count;
    double loss;
    bench_open(&b, "muon", NG_F64);
    running r = {test_mat(1, model_weights(b.model).cols, 0, NG_F64), 0, 0.8};
    b.options.ema = 0.8;
    b.options.watch = average;
    b.options.watch_data = &r;
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ng_assert_mat(model_weights(b.model), r.mean, 1e-13);
    const ng_trainer_point *p = ng_trainer_points(b.trainer, &count);
    ng_assert_ok(ng_trainer_evaluate(b.trainer, &loss, NULL, b.held_out), NULL);
    ck_assert(loss == p[count - 1].loss);
    test_free(r.mean);
    bench_close(&b);
}
END_TEST

/* ---- Learning rates ------------------------------------------------------------------------- */

typedef struct {
    ng_schedule s;
    double off;
} rates;

static int look(ng_trainer *t, const ng_trainer_event *event, void *data)
{
    rates *r = data;
    double lr, rest, wanted;
    if (event->kind != NG_TRAINER_STEP)
        return 0;
    unsigned long long step = ng_optimizer_steps(ng_trainer_optimizer(t)) - 1;
    ng_schedule_value(&wanted, &r->s, step, NULL);
    ng_group_get(ng_trainer_group(t), "lr", &lr);
    ng_group_get(ng_trainer_rest(t), "lr", &rest);
    r->off = fmax(r->off, fabs(lr - 0.05 * wanted) + fabs(rest - 0.001 * wanted));
    return 0;
}

START_TEST(schedules)
{
    bench b;
    rates r = {.off = 0};
    bench_open(&b, "muon", NG_F32);
    ng_options_set(b.method, "lr", 0.05, NULL);
    ng_schedule_init(&r.s);
    r.s.shape = b.options.schedule = (ng_schedule_shape)_i;
    r.s.steps = 4 * ((ng_dataset_count(b.train) + BENCH_BATCH - 1) / BENCH_BATCH);
    b.options.warmup = 0.25;
    r.s.warmup = r.s.steps / 4;
    b.options.decay = 0.5;
    r.s.decay = r.s.steps / 2;
    r.s.final = b.options.final = 0.1;
    b.options.watch = look;
    b.options.watch_data = &r;
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ng_assert_le(r.off, 1e-15);
    bench_close(&b);
}
END_TEST

/* ---- Stopping and going on ----------------------------------------------------------------------
 */

typedef struct {
    size_t steps, stop_at;
} stopper;

static int stop(ng_trainer *t, const ng_trainer_event *event, void *data)
{
    stopper *s = data;
    (void)t;
    return event->kind == NG_TRAINER_STEP && ++s->steps == s->stop_at;
}

static void settle(bench *b, int kind)
{
    b->options.ema = kind & 1 ? 0.9 : 0;
    b->options.patience = kind & 2 ? 2 : 0;
    b->options.schedule = kind & 4 ? NG_SCHEDULE_COSINE : NG_SCHEDULE_CONSTANT;
}

/* Stopped after any of the 18 or 20 steps, in an epoch or at its end. */
START_TEST(going_on)
{
    bench never;
    bench_open(&never, "fismo", NG_F32);
    settle(&never, _i);
    bench_start(&never);
    bench_fit(&never, NG_OK);
    for (size_t at = 1; at < 18; at++) {
        bench b;
        stopper s = {0, at};
        bench_open(&b, "fismo", NG_F32);
        settle(&b, _i);
        b.options.watch = stop;
        b.options.watch_data = &s;
        bench_start(&b);
        bench_fit(&b, NG_STOPPED);
        ck_assert_int_eq(ng_trainer_ended(b.trainer), NG_TRAINER_ASKED);
        bench_fit(&b, NG_OK);
        ck_assert(test_same_bits(model_weights(b.model), model_weights(never.model)));
        assert_same_points(b.trainer, never.trainer);
        bench_close(&b);
    }
    bench_close(&never);
}
END_TEST

START_TEST(time_is_over)
{
    bench b, never;
    size_t count;
    bench_open(&b, "adamw", NG_F32);
    bench_open(&never, "adamw", NG_F32);
    b.options.seconds = 1e-9;
    bench_start(&b);
    bench_start(&never);
    bench_fit(&b, NG_OK);
    ck_assert_int_eq(ng_trainer_ended(b.trainer), NG_TRAINER_TIME);
    ck_assert_uint_eq(ng_optimizer_steps(ng_trainer_optimizer(b.trainer)), 1);
    const ng_trainer_point *p = ng_trainer_points(b.trainer, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert(p->loss > 0 && p->seconds >= 1e-9);
    for (int i = 0; i < 100 && ng_trainer_ended(b.trainer) == NG_TRAINER_TIME; i++)
        bench_fit(&b, NG_OK);
    bench_fit(&never, NG_OK);
    ck_assert(test_same_bits(model_weights(b.model), model_weights(never.model)));
    assert_same_points(b.trainer, never.trainer);
    bench_close(&b);
    bench_close(&never);
}
END_TEST

/* ---- Runs that leave the numbers
 * ------------------------------------------------------------------- */

START_TEST(divergence)
{
    bench b;
    bench_open(&b, "sgd", NG_F32);
    ng_options_set(b.method, "lr", 1e38, NULL);
    bench_start(&b);
    ng_status status = ng_trainer_fit(b.trainer, b.train, NULL);
    ck_assert_msg(ng_trainer_diverged(status), "%s", ng_status_name(status));
    ck_assert_int_eq(ng_trainer_ended(b.trainer), NG_TRAINER_FAILED);
    ck_assert_str_ne(ng_trainer_error(b.trainer), "");
    ck_assert(!ng_trainer_diverged(NG_OK) && !ng_trainer_diverged(NG_EARG));
    bench_close(&b);
}
END_TEST

TEST_SUITE(trainer_ends)
{
    TCase *tcase = tcase_create("trainer_ends");
    tcase_add_loop_test(tcase, patience, 0, 2);
    tcase_add_test(tcase, ema);
    tcase_add_loop_test(tcase, schedules, NG_SCHEDULE_CONSTANT, NG_SCHEDULE_WSD + 1);
    tcase_add_loop_test(tcase, going_on, 0, 8);
    tcase_add_test(tcase, time_is_over);
    tcase_add_test(tcase, divergence);
    suite_add_tcase(suite, tcase);
}
