/* FISMO with factors that are not refreshed every step, or exist on one side
 * only, against the dense program with the same schedule. */
#include <stdio.h>

#include "tests/support/fismo.h"
#include "tests/support/run.h"

static const size_t shapes[][2] = {{3, 7}, {7, 3}, {5, 5}, {1, 6}, {6, 1}, {8, 13}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], STEPS = 14 };

#define SETTINGS                                                                                   \
    TEST_EXACT TEST_EACH_STEP "lr=0.05 momentum=0.8 ema_decay=0.9 damping=0.3 weight_decay=0 "

/* f32: rounding of G, P and Q is amplified by the roots' conditions, at most
 * (1 + 1/mu) each here */
static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F64 ? 1e-10 : 1e-4;
}

typedef struct {
    test_run run;
    fismo_state state;
    ng_mat w;
    test_rng rng;
    double largest;
} pair;

static void open_pair(pair *p, const char *preset, const char *settings, size_t m, size_t n,
                      fismo_rule rule, test_setup setup)
{
    test_rng rng = {91 + m + 10 * n};
    test_run_open(&p->run, preset, settings, m, n, setup);
    fismo_open(&p->state, m, n, rule);
    p->w = test_mat(m, n, 0, NG_F64);
    p->rng = rng;
    p->largest = 0;
}

static void close_pair(pair *p)
{
    test_run_close(&p->run);
    fismo_close(&p->state);
    test_free(p->w);
}

/* A step of both with one gradient; how far W is off, relative to the largest so far. */
static double both_step(pair *p)
{
    ng_mat rounded = test_convert(dense_normal(p->w.rows, p->w.cols, &p->rng), p->run.w.dtype);
    ng_mat g = dense_of(rounded);
    test_free(rounded);
    test_run_step(&p->run, g);
    test_assign(p->w, dense_add(1, p->w, -0.05, fismo_step(&p->state, g)));
    p->largest = fmax(p->largest, test_norm(p->w));
    double error = test_norm(dense_add(1, test_run_weights(&p->run), -1, p->w)) / p->largest;
    dense_release();
    return error;
}

static double follow(const char *preset, const char *settings, size_t m, size_t n, fismo_rule rule,
                     test_setup setup)
{
    pair p;
    double worst = 0;
    open_pair(&p, preset, settings, m, n, rule, setup);
    for (int step = 0; step < STEPS; step++)
        worst = fmax(worst, both_step(&p));
    close_pair(&p);
    return worst;
}

/* The rule of a preset with SETTINGS. */
static fismo_rule rule_of(int paper)
{
    fismo_rule rule = {.momentum = 0.8, .ema_decay = 0.9, .damping = 0.3};
    rule.whitened = paper;
    rule.rms = !paper;
    return rule;
}

static const char *const presets[] = {"fismo", "fismo_paper"};

/* ---- Intervals ------------------------------------------------------------------------ */

static const int intervals[][2] = {{1, 1}, {2, 1},       {1, 2},      {3, 5},
                                   {4, 4}, {1000000, 1}, {3, 1000000}};
enum { INTERVALS = sizeof intervals / sizeof intervals[0] };

START_TEST(schedule)
{
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < INTERVALS * 4; i++) { /* two of the setups each, in turn */
        test_setup setup = test_setup_number((3 * (i / 2) + _i) % TEST_SETUPS);
        const int *every = intervals[i / 4];
        fismo_rule rule = rule_of(i % 2);
        char settings[256];
        sprintf(settings, SETTINGS "refresh_p=%d refresh_q=%d", every[0], every[1]);
        rule.every_p = every[0];
        rule.every_q = every[1];
        double error = follow(presets[i % 2], settings, m, n, rule, setup);
        ck_assert_msg(error <= tolerance(setup.dtype), "%s %s: %g", presets[i % 2], settings,
                      error);
    }
}
END_TEST

/* The comparison sees the schedule: exchanged intervals and a schedule one
 * step late are far away. */
START_TEST(schedule_matters)
{
    for (int i = 0; i < TEST_SETUPS * 2; i++) {
        test_setup setup = test_setup_number(i / 2);
        fismo_rule rule = rule_of(i % 2);
        rule.every_p = 3, rule.every_q = 5;
        double error =
            follow(presets[i % 2], SETTINGS "refresh_p=5 refresh_q=3", 3, 7, rule, setup);
        ck_assert_msg(error > 1e-3, "exchanged: %g", error);
        pair p;
        open_pair(&p, presets[i % 2], SETTINGS "refresh_p=3 refresh_q=5", 3, 7, rule, setup);
        p.state.step = 1;
        for (int step = 0; step < 4; step++)
            error = both_step(&p);
        ck_assert_msg(error > 1e-3, "late: %g", error);
        close_pair(&p);
    }
}
END_TEST

/* Fused and with symmetric roots: the same schedule. */
START_TEST(other_forms)
{
    static const char *const forms[] = {"polar=fast ", "root=symmetric ",
                                        "polar=fast root=symmetric ", "root=cholesky ",
                                        "polar=fast root=cholesky "};
    enum { FORMS = sizeof forms / sizeof forms[0] };
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < FORMS * TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i / FORMS);
        fismo_rule rule = rule_of(0);
        char settings[256] = SETTINGS "refresh_p=2 refresh_q=3 ";
        strcat(settings, forms[i % FORMS]);
        rule.every_p = 2, rule.every_q = 3;
        double error = follow("fismo", settings, m, n, rule, setup);
        double tol = strstr(forms[i % FORMS], "fast") != NULL ? TEST_FAST : tolerance(setup.dtype);
        ck_assert_msg(error <= tol, "%s: %g", settings, error);
    }
}
END_TEST

/* Set in the middle of a run: from the next step on, counted from the parameter's first. */
START_TEST(changed)
{
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i);
        pair p;
        open_pair(&p, "fismo", SETTINGS "refresh_p=4", 5, 4, rule_of(0), setup);
        p.state.rule.every_p = 4;
        for (int step = 0; step < 18; step++) {
            if (step == 6) {
                ng_assert_ok(ng_group_set(p.run.group, "refresh_p", 3), NULL);
                ng_assert_ok(ng_group_set(p.run.group, "refresh_q", 2), NULL);
                p.state.rule.every_p = 3, p.state.rule.every_q = 2;
            }
            ng_assert_le(both_step(&p), tolerance(setup.dtype));
        }
        close_pair(&p);
    }
}
END_TEST

START_TEST(out_of_range)
{
    static const double values[] = {0, -1, 1.5, 1000001, NAN, INFINITY};
    static const char *const names[] = {"refresh_p", "refresh_q"};
    test_run run;
    test_run_open(&run, "fismo", "refresh_p=7 refresh_q=7", 3, 4, test_setup_number(0));
    for (int i = 0; i < 12; i++) {
        double value;
        ck_assert_int_eq(ng_group_set(run.group, names[i % 2], values[i / 2]), NG_EOPTION);
        ng_assert_ok(ng_group_get(run.group, names[i % 2], &value), NULL);
        ck_assert(value == 7);
    }
    test_run_close(&run);
}
END_TEST

/* ---- One side ---------------------------------------------------------------------------- */

static const struct {
    size_t m, n;
    int always, automatic; /* which factor is dropped: 'p', 'q' or 0 */
} sides[] = {{3, 7, 'q', 0},   {7, 3, 'p', 0}, {3, 8, 'q', 0},   {3, 9, 'q', 'q'},
             {9, 3, 'p', 'p'}, {5, 2, 'p', 0}, {1, 4, 'q', 'q'}, {3, 1, 'p', 'p'},
             {1, 2, 'q', 0},   {3, 13, 'q', 'q'}};
enum { SIDES = sizeof sides / sizeof sides[0] };

START_TEST(one_sided)
{
    static const char *const names[] = {"never", "auto", "always"};
    for (int i = 0; i < 3 * 2 * 3; i++) { /* three of the setups each, in turn */
        int choice = i / 2 / 3;
        test_setup setup = test_setup_number((3 * (i / 2) + _i) % TEST_SETUPS);
        fismo_rule rule = rule_of(i % 2);
        char settings[256] = SETTINGS "one_sided=";
        strcat(settings, names[choice]);
        int gone = choice == 0 ? 0 : choice == 1 ? sides[_i].automatic : sides[_i].always;
        rule.without_p = gone == 'p';
        rule.without_q = gone == 'q';
        double error = follow(presets[i % 2], settings, sides[_i].m, sides[_i].n, rule, setup);
        ck_assert_msg(error <= tolerance(setup.dtype), "%s %s: %g", presets[i % 2], settings,
                      error);
    }
}
END_TEST

/* Of equal sides one stays; 1 x 1 included. */
START_TEST(square)
{
    for (int i = 0; i < TEST_SETUPS * 2; i++) {
        size_t n = i % 2 ? 1 : 5;
        test_setup setup = test_setup_number(i / 2);
        fismo_rule p = rule_of(0), q = rule_of(0);
        p.without_q = q.without_p = 1;
        double of_p = follow("fismo", SETTINGS "one_sided=always", n, n, p, setup);
        double of_q = follow("fismo", SETTINGS "one_sided=always", n, n, q, setup);
        ng_assert_le(fmin(of_p, of_q), tolerance(setup.dtype));
        ng_assert_le(follow("fismo", SETTINGS "one_sided=auto", n, n, rule_of(0), setup),
                     tolerance(setup.dtype));
    }
}
END_TEST

/* The fused form and a schedule on the side that is there. */
START_TEST(one_sided_forms)
{
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i);
        fismo_rule rule = rule_of(0);
        rule.without_p = sides[_i].always == 'p';
        rule.without_q = sides[_i].always == 'q';
        rule.every_p = 2, rule.every_q = 3;
        double error =
            follow("fismo", SETTINGS "one_sided=always polar=fast refresh_p=2 refresh_q=3",
                   sides[_i].m, sides[_i].n, rule, setup);
        ng_assert_le(error, TEST_FAST);
    }
}
END_TEST

static size_t memory(const char *settings, size_t m, size_t n, ng_dtype dtype)
{
    test_setup setup = {dtype, NG_OUT_IN, 0};
    test_run run;
    test_run_open(&run, "fismo", settings, m, n, setup);
    size_t bytes = ng_optimizer_memory(run.opt);
    test_run_close(&run);
    return bytes;
}

/* Two copies of the large side's factor and root, at the least, are not held. */
START_TEST(memory_is_smaller)
{
    static const size_t of[][2] = {{80, 239}, {239, 80}, {74, 222}, {221, 74}};
    for (int i = 0; i < 8; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        size_t m = of[i / 2][0], n = of[i / 2][1], large = m > n ? m : n;
        size_t never = memory("one_sided=never", m, n, dtype);
        size_t automatic = memory("one_sided=auto", m, n, dtype);
        size_t always = memory("one_sided=always", m, n, dtype);
        int wide = i / 2 == 2; /* 222 = 3 * 74 */
        ck_assert_uint_le(always + 4 * large * large * ng_dtype_size(dtype), never);
        ck_assert_uint_eq(automatic, wide ? always : never);
    }
}
END_TEST

TEST_SUITE(refresh)
{
    TCase *tcase = tcase_create("schedules and sides");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, schedule, 0, SHAPES);
    tcase_add_test(tcase, schedule_matters);
    tcase_add_loop_test(tcase, other_forms, 0, SHAPES);
    tcase_add_test(tcase, changed);
    tcase_add_test(tcase, out_of_range);
    tcase_add_loop_test(tcase, one_sided, 0, SIDES);
    tcase_add_test(tcase, square);
    tcase_add_loop_test(tcase, one_sided_forms, 0, SIDES);
    tcase_add_test(tcase, memory_is_smaller);
    suite_add_tcase(suite, tcase);
}
