/* Steepest descent: balls, scales, decay, and the awkward gradients. */
#include "tests/support/fismo.h"
#include "tests/support/run.h"

static const size_t shapes[][2] = {{3, 7}, {7, 3}, {5, 5}, {1, 6}, {6, 1}, {1, 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F64 ? 1e-12 : 2e-5;
}

/* ---- Balls -------------------------------------------------------------------------- */

START_TEST(no_ball)
{
    test_rng rng = {51};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i);
        test_run run;
        ng_mat average = test_mat(m, n, 0, NG_F64);
        test_run_open(&run, "muon", "ball=none nesterov=no lr=0.25 momentum=0.9", m, n, setup);
        for (int step = 0; step < 6; step++) {
            ng_mat g = dense_normal(m, n, &rng);
            test_assign(average, dense_add(0.9, average, 1 - 0.9, g));
            ng_mat d = test_run_direction(&run, g);
            ng_assert_mat(d, dense_scale(0.25, average), tolerance(setup.dtype));
            dense_release();
        }
        test_free(average);
        test_run_close(&run);
    }
}
END_TEST

/* The Frobenius ball under the identity: along M, of length lr exactly,
 * whatever the size of G, down to numbers that have no reciprocal. */
START_TEST(frobenius)
{
    static const double sizes[2][7] = {{1, 1e-10, 1e10, 1e-30, 1e30, 1e-40, 1e37},
                                       {1, 1e-10, 1e10, 1e-300, 1e300, 3e-310, 1e306}};
    test_rng rng = {52};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int s = 0; s < 7; s++) {
            test_setup setup = test_setup_number(i);
            test_run run;
            test_run_open(&run, "muon", "ball=frobenius lr=0.25 momentum=0", m, n, setup);
            ng_mat g = dense_normal(m, n, &rng);
            ng_mat d = test_run_direction(&run, dense_scale(sizes[setup.dtype][s], g));
            ng_assert_rel(test_norm(d), 0.25, setup.dtype == NG_F64 ? 1e-14 : 1e-6);
            /* subnormal gradients have few bits left */
            ng_assert_mat(d, dense_scale(0.25 / test_norm(g), g),
                          s == 5 ? 1e-4 : tolerance(setup.dtype));
            test_run_close(&run);
            dense_release();
        }
}
END_TEST

/* Under FISMO's metric the whitened step has length lr in the Frobenius norm. */
START_TEST(frobenius_in_a_metric)
{
    test_rng rng = {53};
    fismo_rule rule = {.momentum = 0, .ema_decay = 0.5, .damping = 0.5};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_run run;
        fismo_state state;
        test_run_open(
            &run, "fismo",
            TEST_EACH_STEP
            "ball=frobenius gradient_scale=none lr=0.25 momentum=0 ema_decay=0.5 damping=0.5",
            m, n, test_setup_number(i));
        fismo_open(&state, m, n, rule);
        for (int step = 0; step < 3; step++) {
            ng_mat g = dense_normal(m, n, &rng);
            ng_mat d = test_run_direction(&run, g);
            fismo_step(&state, g);
            ng_assert_rel(test_norm(fismo_between(&state, 0.5, d)), 0.25,
                          tolerance(run.w.dtype) * 100);
            dense_release();
        }
        fismo_close(&state);
        test_run_close(&run);
    }
}
END_TEST

/* No ball under FISMO's metric: D = P^-1 M Q^-1 with factors that keep their
 * trace (metric_scale auto). */
START_TEST(no_ball_in_a_metric)
{
    test_rng rng = {54};
    fismo_rule rule = {.ema_decay = 0.5, .damping = 0.5, .unscaled = 1};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_run run;
        fismo_state state;
        test_run_open(&run, "fismo",
                      TEST_EACH_STEP
                      "ball=none gradient_scale=none lr=1 momentum=0 ema_decay=0.5 damping=0.5",
                      m, n, test_setup_number(i));
        fismo_open(&state, m, n, rule);
        for (int step = 0; step < 3; step++) {
            ng_mat g = dense_normal(m, n, &rng);
            ng_mat d = test_run_direction(&run, g);
            fismo_step(&state, g);
            ng_assert_mat(d, fismo_between(&state, -1, g), tolerance(run.w.dtype) * 100);
            dense_release();
        }
        fismo_close(&state);
        test_run_close(&run);
    }
}
END_TEST

START_TEST(spectral_is_muon)
{
    test_rng rng = {55};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_run run;
        ng_mat average = test_mat(m, n, 0, NG_F64);
        test_run_open(&run, "muon", TEST_EXACT "lr=0.5 momentum=0.9 shape_scale=none", m, n,
                      test_setup_number(i));
        for (int step = 0; step < 5; step++) {
            ng_mat g = dense_normal(m, n, &rng);
            test_assign(average, dense_add(0.9, average, 1 - 0.9, g));
            ng_mat x = dense_polar(dense_add(0.9, average, 1 - 0.9, g), 1e-12);
            ng_assert_mat(test_run_direction(&run, g), dense_scale(0.5, x),
                          tolerance(run.w.dtype) * 10);
            dense_release();
        }
        test_free(average);
        test_run_close(&run);
    }
}
END_TEST

/* ---- Scales and decay ------------------------------------------------------------------ */

/* The step over the unscaled one is the factor of the outputs x inputs shape;
 * decay acts on W with the group's lr alone. */
START_TEST(shape_scales)
{
    static const char *const names[] = {"none", "original", "match_rms_adamw"};
    test_rng rng = {56};
    double m = (double)shapes[_i][0], n = (double)shapes[_i][1];
    double expected[] = {1, sqrt(fmax(1, m / n)), 0.2 * sqrt(fmax(m, n))};
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int k = 0; k < 3; k++) {
            test_run run;
            char settings[128] = TEST_EXACT "lr=0.1 momentum=0 weight_decay=0.5 shape_scale=";
            strcat(settings, names[k]);
            test_run_open(&run, "muon", settings, shapes[_i][0], shapes[_i][1],
                          test_setup_number(i));
            ng_mat g = dense_normal(shapes[_i][0], shapes[_i][1], &rng);
            test_fill_normal(run.w, &rng);
            ng_mat w = dense_add(1 - 0.1 * 0.5, test_run_weights(&run), -0.1 * expected[k],
                                 dense_polar(g, 0));
            test_run_step(&run, g);
            ng_assert_mat(test_run_weights(&run), w, tolerance(run.w.dtype));
            test_run_close(&run);
            dense_release();
        }
}
END_TEST

START_TEST(default_shape_scales)
{
    double scale;
    void *muon = test_options("muon", ""), *fismo = test_options("fismo", "");
    ng_assert_ok(ng_options_get(muon, "shape_scale", &scale, NULL), NULL);
    ck_assert(scale == NG_SHAPE_SCALE_ORIGINAL);
    ng_assert_ok(ng_options_get(fismo, "shape_scale", &scale, NULL), NULL);
    ck_assert(scale == NG_SHAPE_SCALE_NONE);
    ng_assert_ok(ng_options_get(fismo, "weight_decay", &scale, NULL), NULL);
    ck_assert(scale == 0);
    free(muon);
    free(fismo);
}
END_TEST

/* ---- Zero and rank-deficient gradients ---------------------------------------------------- */

static const char *const kinds[][2] = {{"muon", "polar=exact"},
                                       {"muon", ""},
                                       {"muon", "polar=newton_schulz"},
                                       {"muon", "ball=frobenius"},
                                       {"muon", "ball=none"},
                                       {"muon", "ball=sign"},
                                       {"muon", "ball=rows"},
                                       {"muon", "ball=columns"},
                                       {"normuon", ""},
                                       {"normuon", "ball=rows"},
                                       {"fismo", "ball=columns"},
                                       {"fismo", "polar=exact"},
                                       {"fismo", ""},
                                       {"fismo", "polar=exact root=symmetric"},
                                       {"fismo", "ball=none"},
                                       {"fismo_paper", ""},
                                       {"fismo", "rank=2"},
                                       {"fismo", "gradient_scale=none polar=fast"}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Zero gradients from the start: D = 0; the decay still acts. */
START_TEST(zero_momentum)
{
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int s = 0; s < SHAPES; s++) {
            test_rng rng = {57};
            test_run run;
            test_run_open(&run, kinds[_i][0], kinds[_i][1], shapes[s][0], shapes[s][1],
                          test_setup_number(i));
            ng_assert_ok(ng_group_set(run.group, "lr", 0.5), NULL);
            ng_assert_ok(ng_group_set(run.group, "weight_decay", 0.5), NULL);
            test_fill_normal(run.w, &rng);
            for (int step = 0; step < 3; step++) {
                ng_mat w = test_run_weights(&run);
                test_run_step(&run, dense_mat(shapes[s][0], shapes[s][1]));
                ng_assert_mat(test_run_weights(&run), dense_scale(0.75, w),
                              ng_dtype_eps(run.w.dtype));
                dense_release();
            }
            test_run_close(&run);
        }
}
END_TEST

static int is_finite(ng_mat x)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            if (!isfinite(ng_mat_get(x, i, j)))
                return 0;
    return 1;
}

/* After real gradients, zero ones: momentum keeps moving W; in a ball by the same length however
 * small it has become, until it has faded by eps against what it has seen, and then no more; never
 * NaN. */
START_TEST(zero_gradients)
{
    int none = strstr(kinds[_i][1], "ball=none") != NULL;
    int shrinks = none || strstr(kinds[_i][1], "newton");
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int s = 0; s < SHAPES; s++) {
            test_rng rng = {58};
            test_run run;
            size_t m = shapes[s][0], n = shapes[s][1];
            test_run_open(&run, kinds[_i][0], kinds[_i][1], m, n, test_setup_number(i));
            ng_assert_ok(ng_group_set(run.group, "momentum", 0.8), NULL);
            test_run_step(&run, dense_normal(m, n, &rng));
            int rest = (int)(2 * log(ng_dtype_eps(run.w.dtype)) / log(0.8)); /* 142, 323 */
            for (int step = 1; step < rest + 20; step++) {
                double least = 1e-3 * 0.02, length;
                ng_mat d = test_run_direction(&run, dense_mat(m, n));
                ck_assert(is_finite(d));
                length = test_norm(d);
                ck_assert_msg(shrinks || step > rest - 2 || length >= least,
                              "%s %s, %zu x %zu, step %d: %g", kinds[_i][0], kinds[_i][1], m, n,
                              step, length);
                ck_assert(none || step < rest + 2 || length == 0);
                dense_release();
            }
            test_run_close(&run);
        }
}
END_TEST

static double at(const test_run *run, size_t i, size_t j)
{
    return run->transposed ? ng_mat_get(run->w, j, i) : ng_mat_get(run->w, i, j);
}

/* A long noisy run, then nothing: W goes on for as long as its momentum takes to fade, and then
 * stays where it is, though the average never becomes zero. Of the noise an average larger than the
 * last one has been seen: up to 8 times, which is 80 steps' decay. */
START_TEST(comes_to_rest)
{
    static const char *const presets[] = {"muon", "fismo"};
    test_setup setup = test_setup_number(_i / 2);
    test_rng rng = {61};
    test_run run;
    int rest = (int)(2 * log(ng_dtype_eps(setup.dtype)) / log(0.95)), steps = 0; /* 621, 1405 */
    ng_mat nothing = dense_mat(6, 9), start, before = test_mat(6, 9, 0, NG_F64);
    test_run_open(&run, presets[_i % 2], "lr=0.01 momentum=0.95 weight_decay=0", 6, 9, setup);
    for (int step = 0; step < 500; step++)
        test_run_step(&run, dense_normal(6, 9, &rng));
    start = test_run_weights(&run);
    for (int step = 1; step <= 4500; step++) {
        for (size_t i = 0; i < 54; i++)
            ng_mat_set(before, i / 9, i % 9, at(&run, i / 9, i % 9));
        test_run_step(&run, nothing);
        for (size_t i = 0; i < 54; i++)
            if (at(&run, i / 9, i % 9) != ng_mat_get(before, i / 9, i % 9))
                steps = step;
    }
    ck_assert_msg(steps > rest - 80 && steps <= rest, "%d steps, expected %d", steps, rest);
    if (_i % 2 == 0) /* muon's: one direction, all of the same length */
        ng_assert_rel(test_norm(dense_add(1, test_run_weights(&run), -1, start)),
                      0.01 * sqrt(6) * steps, 1e-3);
    test_run_close(&run);
    test_free(before);
    dense_release();
}
END_TEST

/* Zero gradients relax the factors to I, so that later steps are those of a
 * fresh optimizer: with gamma = 0.5, 2^-60 of the past is left. */
START_TEST(factors_relax)
{
    static const char *const settings =
        TEST_EXACT TEST_EACH_STEP "momentum=0 ema_decay=0.5 damping=1 lr=1 gradient_scale=none";
    test_rng rng = {59};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_run used, fresh;
        test_run_open(&used, "fismo", settings, m, n, test_setup_number(i));
        test_run_open(&fresh, "fismo", settings, m, n, test_setup_number(i));
        test_run_step(&used, dense_normal(m, n, &rng));
        for (int step = 0; step < 60; step++)
            test_run_step(&used, dense_mat(m, n));
        ng_mat g = dense_normal(m, n, &rng);
        ng_mat a = test_run_direction(&used, g), b = test_run_direction(&fresh, g);
        ng_assert_mat(a, b, tolerance(used.w.dtype));
        test_run_close(&used);
        test_run_close(&fresh);
        dense_release();
    }
}
END_TEST

/* Rank-deficient gradients: finite, and for exact polar factors D has the rank
 * of G when there is no momentum. */
START_TEST(rank_deficient)
{
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int s = 0; s < SHAPES; s++) {
            test_rng rng = {60};
            test_run run;
            size_t m = shapes[s][0], n = shapes[s][1];
            test_run_open(&run, kinds[_i][0], kinds[_i][1], m, n, test_setup_number(i));
            ng_assert_ok(ng_group_set(run.group, "momentum", 0), NULL);
            ng_assert_ok(ng_group_set(run.group, "lr", 1), NULL);
            for (int step = 0; step < 4; step++) {
                ng_mat g = dense_rank(m, n, 1, &rng), d = test_run_direction(&run, g);
                ck_assert(is_finite(d));
                dense_svd_result f = dense_svd(d);
                if (strstr(kinds[_i][1], "exact") != NULL && f.s.cols > 1)
                    ng_assert_le(ng_mat_get(f.s, 0, 1),
                                 tolerance(run.w.dtype) * ng_mat_get(f.s, 0, 0));
                dense_release();
            }
            test_run_close(&run);
        }
}
END_TEST

TEST_SUITE(steepest)
{
    TCase *tcase = tcase_create("steepest");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, no_ball, 0, SHAPES);
    tcase_add_loop_test(tcase, frobenius, 0, SHAPES);
    tcase_add_loop_test(tcase, frobenius_in_a_metric, 0, SHAPES);
    tcase_add_loop_test(tcase, no_ball_in_a_metric, 0, SHAPES);
    tcase_add_loop_test(tcase, spectral_is_muon, 0, SHAPES);
    tcase_add_loop_test(tcase, shape_scales, 0, SHAPES);
    tcase_add_test(tcase, default_shape_scales);
    tcase_add_loop_test(tcase, zero_momentum, 0, KINDS);
    tcase_add_loop_test(tcase, zero_gradients, 0, KINDS);
    tcase_add_loop_test(tcase, comes_to_rest, 0, 2 * TEST_SETUPS);
    tcase_add_loop_test(tcase, factors_relax, 0, SHAPES);
    tcase_add_loop_test(tcase, rank_deficient, 0, KINDS);
    suite_add_tcase(suite, tcase);
}
