/* Schedules of a shape of their own, and one over those of all groups. */
#include "tests/support/run.h"

static double at(const ng_schedule *s, unsigned long long t)
{
    double value = NAN;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_schedule_value(&value, s, t, &error), &error);
    return value;
}

/* 1 - sqrt of the part of the cooldown that is over. */
START_TEST(root_cooldown)
{
    ng_schedule s;
    ng_schedule_init(&s);
    s.shape = NG_SCHEDULE_WSD_SQRT, s.peak = 3, s.final = 0.25, s.steps = 100, s.decay = 16;
    ng_assert_rel(at(&s, 84), 3, 1e-15);
    ng_assert_rel(at(&s, 85), 3 * (0.25 + 0.75 * 0.75), 1e-14);
    ng_assert_rel(at(&s, 88), 3 * (0.25 + 0.75 * 0.5), 1e-14);
    ng_assert_rel(at(&s, 93), 3 * (0.25 + 0.75 * 0.25), 1e-14);
    ng_assert_rel(at(&s, 100), 0.75, 1e-14);
}
END_TEST

/* Periods laid end to end by counting, against the closed form. */
START_TEST(restarts)
{
    static const double growths[] = {1, 2, 1.5};
    for (int g = 0; g < 3; g++) {
        ng_schedule s;
        double begin = 3, length = 8;
        ng_schedule_init(&s);
        s.shape = NG_SCHEDULE_COSINE_RESTARTS, s.peak = 0.5, s.final = 0.2, s.warmup = 3;
        s.period = 8, s.growth = growths[g];
        for (unsigned long long t = 3; t < 400; t++) {
            while ((double)t >= begin + length * (1 - 1e-12)) {
                begin += length;
                length *= growths[g];
            }
            double part = fmax(0, ((double)t - begin) / length);
            ng_assert_rel(at(&s, t), 0.5 * (0.2 + 0.8 * (1 + cos(acos(-1) * part)) / 2), 1e-9);
        }
    }
    ng_schedule whole, cosine;
    ng_schedule_init(&whole), ng_schedule_init(&cosine);
    whole.shape = NG_SCHEDULE_COSINE_RESTARTS, cosine.shape = NG_SCHEDULE_COSINE;
    whole.steps = cosine.steps = 50, whole.warmup = cosine.warmup = 5;
    for (unsigned long long t = 0; t < 50; t++) /* without a period the run is one */
        ng_assert_rel(at(&whole, t), at(&cosine, t), 1e-12);
}
END_TEST

START_TEST(pieces)
{
    static const ng_schedule_piece piece[] = {{10, 0.5}, {20, 0.1}, {21, 2}};
    ng_schedule s;
    ng_schedule_init(&s);
    s.shape = NG_SCHEDULE_PIECEWISE, s.peak = 4, s.warmup = 2;
    ng_assert_rel(at(&s, 1000), 4, 1e-15);
    s.pieces = piece, s.piece_count = 3;
    for (unsigned long long t = 2; t < 40; t++)
        ng_assert_rel(at(&s, t), t < 10 ? 4 : t < 20 ? 2 : t < 21 ? 0.4 : 8, 1e-15);
    ng_assert_rel(at(&s, 0), 2, 1e-15);
}
END_TEST

START_TEST(further_refusals)
{
    static const ng_schedule_piece bad[] = {{10, 0.5}, {10, 0.1}, {11, -1}};
    ng_schedule s;
    ng_error error = {NG_OK, ""};
    double value;
    ng_schedule_init(&s);
    s.shape = NG_SCHEDULE_COSINE_RESTARTS;
    ng_assert_fails(ng_schedule_value(&value, &s, 0, &error), NG_EOPTION, &error, "period");
    s.period = 3, s.growth = 0.5;
    ng_assert_fails(ng_schedule_value(&value, &s, 0, &error), NG_EOPTION, &error, "growth");
    s.growth = INFINITY;
    ng_assert_fails(ng_schedule_value(&value, &s, 0, &error), NG_EOPTION, &error, "growth");
    s.shape = NG_SCHEDULE_PIECEWISE, s.piece_count = 2;
    ng_assert_fails(ng_schedule_value(&value, &s, 0, &error), NG_EOPTION, &error, "NULL");
    s.pieces = bad;
    ng_assert_fails(ng_schedule_value(&value, &s, 0, &error), NG_EOPTION, &error, "piece 1");
    s.pieces = bad + 1;
    ng_assert_fails(ng_schedule_value(&value, &s, 0, &error), NG_EOPTION, &error, "-1");
}
END_TEST

/* ---- One factor on every lr --------------------------------------------------------------------- */

enum { GROUPS = 3 };

typedef struct {
    ng_optimizer *opt;
    ng_group *group[GROUPS];
    double w[GROUPS][6], dw[GROUPS][6], seen[GROUPS];
} world;

static int listen(const ng_event *event, void *data)
{
    world *x = data;
    for (int g = 0; g < GROUPS; g++)
        if (event->group == x->group[g])
            x->seen[g] = event->lr;
    return 0;
}

static void open_world(world *x)
{
    static const char *const presets[GROUPS] = {"sgd", "adamw", "fismo"};
    test_rng rng = {2};
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(x->opt, listen, x), NULL);
    for (int g = 0; g < GROUPS; g++) {
        void *o = test_options(presets[g], "weight_decay=0.1");
        char name[2] = {(char)('a' + g), 0};
        ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group[g], o), NULL);
        ng_assert_ok(ng_group_add(x->group[g], NULL, name, ng_f64(x->w[g], 2, 3),
                                  ng_f64(x->dw[g], 2, 3)),
                     NULL);
        for (int i = 0; i < 6; i++)
            x->w[g][i] = test_normal(&rng);
        free(o);
    }
}

static ng_status step(world *x, unsigned t)
{
    test_rng rng = {t + 10};
    for (int g = 0; g < GROUPS; g++)
        for (int i = 0; i < 6; i++)
            x->dw[g][i] = test_normal(&rng);
    return ng_optimizer_step(x->opt);
}

static double lr(const world *x, int g)
{
    double value = NAN;
    ng_assert_ok(ng_group_get(x->group[g], "lr", &value), NULL);
    return value;
}

/* The steps are those of options multiplied by hand; options and later steps know nothing of it. */
START_TEST(multiplied)
{
    world x, by_hand;
    ng_schedule s;
    double own[GROUPS];
    ng_schedule_init(&s);
    s.shape = NG_SCHEDULE_LINEAR, s.peak = 1.5, s.warmup = 2, s.steps = 6, s.final = 0.2;
    open_world(&x), open_world(&by_hand);
    for (int g = 0; g < GROUPS; g++)
        own[g] = lr(&x, g);
    for (unsigned t = 0; t < 8; t++) {
        double factor = at(&s, t);
        ng_assert_ok(ng_optimizer_schedule(x.opt, &s), NULL);
        for (int g = 0; g < GROUPS; g++)
            ng_assert_ok(ng_group_set(by_hand.group[g], "lr", own[g] * factor), NULL);
        ng_assert_ok(step(&x, t), NULL);
        ng_assert_ok(step(&by_hand, t), NULL);
        ck_assert_int_eq(memcmp(x.w, by_hand.w, sizeof x.w), 0);
        for (int g = 0; g < GROUPS; g++) {
            ck_assert(lr(&x, g) == own[g]);
            ck_assert(x.seen[g] == own[g] * factor);
        }
    }
    ng_optimizer_destroy(x.opt), ng_optimizer_destroy(by_hand.opt);
}
END_TEST

START_TEST(refused_multipliers)
{
    static const double bad[] = {-1, NAN, INFINITY};
    world x, before;
    open_world(&x);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ng_optimizer_set_multiplier(x.opt, bad[i]), NG_EARG);
        ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "multiplier"));
    }
    ck_assert_int_eq(ng_optimizer_set_multiplier(NULL, 1), NG_EARG);
    ck_assert_int_eq(ng_optimizer_schedule(NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_schedule(x.opt, NULL), NG_EARG);
    ng_assert_ok(ng_group_set(x.group[1], "lr", 10), NULL);
    ng_assert_ok(ng_optimizer_set_multiplier(x.opt, 1e308), NULL);
    before = x;
    ck_assert_int_eq(step(&x, 0), NG_EOPTION); /* 1e309: the second group's */
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "lr"));
    ck_assert_int_eq(memcmp(x.w, before.w, sizeof x.w), 0);
    ck_assert(lr(&x, 0) == 0.05 && lr(&x, 1) == 10);
    ng_assert_ok(ng_optimizer_set_multiplier(x.opt, 0), NULL);
    ng_assert_ok(step(&x, 0), NULL); /* no step and no decay */
    ck_assert_int_eq(memcmp(x.w, before.w, sizeof x.w), 0);
    ng_optimizer_destroy(x.opt);
}
END_TEST

TEST_SUITE(schedule)
{
    TCase *tcase = tcase_create("schedule");
    tcase_add_test(tcase, root_cooldown);
    tcase_add_test(tcase, restarts);
    tcase_add_test(tcase, pieces);
    tcase_add_test(tcase, further_refusals);
    tcase_add_test(tcase, multiplied);
    tcase_add_test(tcase, refused_multipliers);
    suite_add_tcase(suite, tcase);
}
