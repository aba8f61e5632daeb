/* What surrounds a step: schedules, clipping, accumulation. */
#include "tests/optim/pair_world.h"

#include <math.h>

static void fill(world *x, test_rng *rng)
{
    for (int i = 0; i < 2; i++)
        test_fill_normal(x->dw[i], rng);
}

/* ---- Schedules ----------------------------------------------------------------------------- */

static double at(const ng_schedule *s, unsigned long long t)
{
    double value = NAN;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_schedule_value(&value, s, t, &error), &error);
    return value;
}

START_TEST(shapes)
{
    ng_schedule s;
    ng_schedule_init(&s);
    s.peak = 0.2, s.warmup = 4, s.steps = 24, s.final = 0.1, s.decay = 10;
    const char *name, *doc;
    int count = 0;
    for (; (name = ng_schedule_shape_name(&doc, (ng_schedule_shape)count)) != NULL; count++) {
        s.shape = (ng_schedule_shape)count;
        int ends = s.shape != NG_SCHEDULE_CONSTANT && s.shape != NG_SCHEDULE_INVERSE_SQRT &&
                   s.shape != NG_SCHEDULE_PIECEWISE;
        s.period = s.shape == NG_SCHEDULE_COSINE_RESTARTS ? 1000000 : 0;
        ck_assert(name[0] != '\0' && doc[0] != '\0');
        for (unsigned long long t = 0; t < 4; t++)
            ng_assert_rel(at(&s, t), 0.2 * (double)(t + 1) / 4, 1e-15);
        for (unsigned long long t = 4; t < 40;
             t++) /* never up again, never below the final value */
            ck_assert(at(&s, t) <= at(&s, t - 1) * (1 + 1e-15));
        ng_assert_le(fabs(at(&s, 4) / 0.2 - 1), s.shape != NG_SCHEDULE_INVERSE_SQRT ? 1e-15 : 0.11);
        if (ends && s.period == 0) {
            ng_assert_rel(at(&s, 24), 0.02, 1e-14);
            ng_assert_rel(at(&s, 1000), 0.02, 1e-14);
        }
    }
    ck_assert_int_eq(count, 8);
    s.period = 0;
    ck_assert_str_eq(ng_schedule_shape_name(NULL, NG_SCHEDULE_WSD), "wsd");
    ck_assert_ptr_null(ng_schedule_shape_name(&doc, (ng_schedule_shape)-1));
    s.shape = NG_SCHEDULE_LINEAR;
    ng_assert_rel(at(&s, 14), 0.2 * 0.55, 1e-14); /* half way */
    s.shape = NG_SCHEDULE_COSINE;
    ng_assert_rel(at(&s, 14), 0.2 * 0.55, 1e-14);
    ng_assert_rel(at(&s, 9), 0.2 * (0.1 + 0.9 * (1 + sqrt(0.5)) / 2), 1e-14);
    s.shape = NG_SCHEDULE_WSD;
    ng_assert_rel(at(&s, 14), 0.2, 1e-15);
    ng_assert_rel(at(&s, 19), 0.2 * 0.55, 1e-14);
    s.shape = NG_SCHEDULE_INVERSE_SQRT;
    ng_assert_rel(at(&s, 15), 0.1, 1e-15); /* sqrt(4 / 16) */
    s.warmup = 0;
    ng_assert_rel(at(&s, 0), 0.2, 1e-15);
}
END_TEST

START_TEST(schedule_refusals)
{
    static const struct {
        ng_schedule_shape shape;
        double peak, final;
        unsigned long long warmup, steps, decay;
        const char *culprit;
    } bad[] = {{(ng_schedule_shape)8, 1, 0, 0, 10, 1, "shape 8"},
               {(ng_schedule_shape)-1, 1, 0, 0, 10, 1, "shape -1"},
               {NG_SCHEDULE_LINEAR, -1, 0, 0, 10, 1, "peak"},
               {NG_SCHEDULE_LINEAR, NAN, 0, 0, 10, 1, "peak"},
               {NG_SCHEDULE_LINEAR, 1, 1.5, 0, 10, 1, "final"},
               {NG_SCHEDULE_COSINE, 1, 0, 10, 10, 1, "steps"},
               {NG_SCHEDULE_WSD, 1, 0, 2, 10, 0, "decay"},
               {NG_SCHEDULE_WSD, 1, 0, 2, 10, 9, "decay"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ng_schedule s;
        ng_error error = {NG_OK, ""};
        double value = 7;
        ng_schedule_init(&s);
        s.shape = bad[i].shape, s.peak = bad[i].peak, s.final = bad[i].final;
        s.warmup = bad[i].warmup, s.steps = bad[i].steps, s.decay = bad[i].decay;
        ng_assert_fails(ng_schedule_value(&value, &s, 3, &error), NG_EOPTION, &error,
                        bad[i].culprit);
        ck_assert(value == 7);
    }
}
END_TEST

/* The step that follows has the value of its own number. */
START_TEST(schedule_of_a_group)
{
    world x;
    ng_schedule s;
    test_rng rng = {3};
    open_world(&x, "sgd", NG_F64, NULL);
    ng_assert_ok(ng_group_set(x.group, "momentum", 0), NULL);
    ng_schedule_init(&s);
    s.shape = NG_SCHEDULE_LINEAR, s.peak = 0.5, s.steps = 8;
    for (int t = 0; t < 8; t++) {
        fill(&x, &rng);
        ng_mat before = test_copy(x.w[0]);
        ng_assert_ok(ng_group_schedule(x.group, "lr", &s), NULL);
        ng_assert_ok(ng_optimizer_step(x.opt), NULL);
        double lr = 0.5 * (1 - t / 8.0);
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < 5; j++)
                ng_mat_set(before, i, j, ng_mat_get(before, i, j) - lr * ng_mat_get(x.dw[0], i, j));
        ng_assert_mat(x.w[0], before, 1e-15);
        test_free(before);
    }
    double lr;
    s.peak = -1;
    refuse(&x, ng_group_schedule(x.group, "lr", &s), NG_EOPTION, "peak");
    s.peak = 1;
    refuse(&x, ng_group_schedule(x.group, "beta", &s), NG_EOPTION, "beta");
    ng_assert_ok(ng_group_get(x.group, "lr", &lr), NULL);
    ng_assert_rel(lr, 0.0625, 1e-15);
    ck_assert_int_eq(ng_group_schedule(NULL, "lr", &s), NG_EARG);
    close_world(&x);
}
END_TEST

/* ---- Clipping and accumulation ------------------------------------------------------------- */

static double global_norm(const world *x)
{
    return hypot(test_norm(x->dw[0]), test_norm(x->dw[1]));
}

/* A step of `clipped` with clipping is a step of `plain` with gradients clipped by hand. */
static void check_clip(const char *preset, ng_dtype dtype, double by_value, double by_norm)
{
    world clipped, plain;
    ng_optimizer_options o;
    test_rng rng = {5};
    ng_optimizer_init(&o);
    o.clip_value = by_value, o.clip_norm = by_norm;
    open_world(&clipped, preset, dtype, &o);
    open_world(&plain, preset, dtype, NULL);
    for (int t = 0; t < 3; t++) {
        fill(&clipped, &rng);
        for (int i = 0; i < 2; i++)
            test_assign(plain.dw[i], clipped.dw[i]);
        ng_mat given = test_copy(clipped.dw[1]);
        for (int i = 0; i < 2 && by_value > 0; i++)
            for (size_t r = 0; r < plain.dw[i].rows; r++)
                for (size_t c = 0; c < plain.dw[i].cols; c++)
                    ng_mat_set(plain.dw[i], r, c,
                               fmax(-by_value, fmin(by_value, ng_mat_get(plain.dw[i], r, c))));
        double norm = global_norm(&plain), factor = by_norm > 0 ? fmin(1, by_norm / norm) : 1;
        for (int i = 0; i < 2; i++)
            for (size_t r = 0; r < plain.dw[i].rows; r++)
                for (size_t c = 0; c < plain.dw[i].cols; c++)
                    ng_mat_set(plain.dw[i], r, c, factor * ng_mat_get(plain.dw[i], r, c));
        ng_assert_ok(ng_optimizer_step(clipped.opt), NULL);
        ng_assert_ok(ng_optimizer_step(plain.opt), NULL);
        for (int i = 0; i < 2; i++)
            ng_assert_mat(clipped.w[i], plain.w[i], dtype == NG_F32 ? 2e-5 : 1e-12);
        ck_assert(test_same_bits(clipped.dw[1], given)); /* gradients are never written */
        test_free(given);
    }
    close_world(&clipped), close_world(&plain);
}

START_TEST(clipping)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        check_clip(presets[_i], (ng_dtype)dtype, 0, 0.5);
        check_clip(presets[_i], (ng_dtype)dtype, 0, 1e6);
        check_clip(presets[_i], (ng_dtype)dtype, 0.3, 0);
        check_clip(presets[_i], (ng_dtype)dtype, 0.3, 0.5);
    }
}
END_TEST

typedef struct {
    double norm, factor;
} heard;

static int listen(const ng_event *event, void *data)
{
    heard *h = data;
    if (event->kind == NG_EVENT_STEP) {
        h->norm = event->gradient_norm;
        h->factor = event->clip_factor;
    }
    return 0;
}

START_TEST(clip_reports)
{
    world x;
    ng_optimizer_options o;
    test_rng rng = {6};
    heard h = {0, 0};
    ng_optimizer_init(&o);
    o.clip_norm = 0.25;
    open_world(&x, "sgd", NG_F64, &o);
    ng_assert_ok(ng_optimizer_add_monitor(x.opt, listen, &h), NULL);
    fill(&x, &rng);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_assert_rel(h.norm, global_norm(&x), 1e-14);
    ng_assert_rel(h.factor, 0.25 / global_norm(&x), 1e-14);
    ng_mat_set(x.dw[1], 6, 2, INFINITY);
    refuse(&x, ng_optimizer_step(x.opt), NG_ENONFINITE, "second");
    ng_mat_set(x.dw[1], 6, 2, NAN);
    refuse(&x, ng_optimizer_step(x.opt), NG_ENONFINITE, "second");
    close_world(&x);
    o.clip_norm = -1;
    ck_assert_int_eq(ng_optimizer_create(&x.opt, &o), NG_EOPTION);
    o.clip_norm = 0, o.clip_value = NAN;
    ck_assert_int_eq(ng_optimizer_create(&x.opt, &o), NG_EOPTION);
}
END_TEST

/* Steps of accumulated micro-batches are steps of their means. */
START_TEST(accumulate)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        world parts, whole;
        test_rng rng = {7};
        open_world(&parts, presets[_i], (ng_dtype)dtype, NULL);
        open_world(&whole, presets[_i], (ng_dtype)dtype, NULL);
        for (int t = 0; t < 4; t++) {
            int count = t == 2 ? 0 : t + 1; /* a plain step among them */
            for (int i = 0; i < 2; i++)
                ng_fill(whole.dw[i], 0);
            for (int k = 0; k < (count ? count : 1); k++) {
                fill(&parts, &rng);
                for (int i = 0; i < 2; i++)
                    ng_axpby(whole.dw[i], parts.dw[i], 1.0 / (count ? count : 1), 1, NULL);
                if (count)
                    ng_assert_ok(ng_optimizer_accumulate(parts.opt), NULL);
            }
            ng_assert_ok(ng_optimizer_step(parts.opt), NULL);
            ng_assert_ok(ng_optimizer_step(whole.opt), NULL);
            for (int i = 0; i < 2; i++)
                ng_assert_mat(parts.w[i], whole.w[i], dtype == NG_F32 ? 1e-4 : 1e-11);
        }
        close_world(&parts), close_world(&whole);
    }
}
END_TEST

START_TEST(accumulate_failures)
{
    world x, y;
    test_rng rng = {8};
    open_world(&x, "adamw", NG_F32, NULL);
    open_world(&y, "adamw", NG_F32, NULL);
    fill(&x, &rng);
    for (int i = 0; i < 2; i++)
        test_assign(y.dw[i], x.dw[i]);
    ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
    ng_mat_set(x.dw[1], 0, 0, NAN);
    refuse(&x, ng_optimizer_accumulate(x.opt), NG_ENONFINITE, "second");
    ng_assert_ok(ng_optimizer_step(x.opt), NULL); /* what was taken before is whole */
    ng_assert_ok(ng_optimizer_step(y.opt), NULL);
    for (int i = 0; i < 2; i++)
        ck_assert(test_same_bits(x.w[i], y.w[i]));
    fill(&x, &rng);
    ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
    ng_optimizer_drop(x.opt);
    for (int i = 0; i < 2; i++)
        test_assign(x.dw[i], y.dw[i]);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_assert_ok(ng_optimizer_step(y.opt), NULL);
    for (int i = 0; i < 2; i++)
        ck_assert(test_same_bits(x.w[i], y.w[i]));
    ng_mat w = test_mat(2, 2, 0, NG_F32), dw = test_mat(2, 2, 0, NG_F32);
    ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
    ng_assert_ok(ng_group_add(x.group, NULL, "late", w, dw), NULL);
    refuse(&x, ng_optimizer_step(x.opt), NG_ENODATA, "late");
    ck_assert_int_eq(ng_optimizer_accumulate(NULL), NG_EARG);
    ng_optimizer_drop(NULL);
    close_world(&x), close_world(&y);
    test_free(w), test_free(dw);
}
END_TEST

TEST_SUITE(loop)
{
    TCase *tcase = tcase_create("loop");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, shapes);
    tcase_add_test(tcase, schedule_refusals);
    tcase_add_test(tcase, schedule_of_a_group);
    tcase_add_loop_test(tcase, clipping, 0, PRESETS);
    tcase_add_test(tcase, clip_reports);
    tcase_add_loop_test(tcase, accumulate, 0, PRESETS);
    tcase_add_test(tcase, accumulate_failures);
    suite_add_tcase(suite, tcase);
}
