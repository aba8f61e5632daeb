/* Balls, the length of a step in one, also by how gradients agree, rows brought to equal size and
 * cautious decay, against their formulas in double. */
#include "tests/support/dense.h"
#include "tests/support/run.h"

#include <stdio.h>

static const size_t shapes[][2] = {{3, 7}, {7, 3}, {5, 5}, {1, 6}, {6, 1}, {1, 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F64 ? 1e-12 : 2e-5;
}

/* The norm whose unit sphere ball `ball` is, and the one dual to it. */
static double line_norm(ng_mat x, int rows, size_t i)
{
    double sum = 0;
    for (size_t k = 0; k < (rows ? x.cols : x.rows); k++)
        sum += pow(rows ? ng_mat_get(x, i, k) : ng_mat_get(x, k, i), 2);
    return sqrt(sum);
}

static double of_lines(ng_mat x, int rows, int largest)
{
    double all = 0, most = 0;
    for (size_t i = 0; i < (rows ? x.rows : x.cols); i++) {
        all += line_norm(x, rows, i);
        most = fmax(most, line_norm(x, rows, i));
    }
    return largest ? most : all;
}

static double of_elements(ng_mat x, int largest)
{
    double all = 0, most = 0;
    for (size_t i = 0; i < x.rows * x.cols; i++) {
        double e = fabs(ng_mat_get(x, i / x.cols, i % x.cols));
        all += e;
        most = fmax(most, e);
    }
    return largest ? most : all;
}

static double norm(int ball, ng_mat x)
{
    return ball == 1   ? test_norm(x)
           : ball == 2 ? dense_spectral(x)
           : ball == 3 ? of_elements(x, 1)
                       : of_lines(x, ball == 4, 1);
}

static double dual_norm(int ball, ng_mat x)
{
    return ball == 1   ? test_norm(x)
           : ball == 2 ? dense_nuclear(x)
           : ball == 3 ? of_elements(x, 0)
                       : of_lines(x, ball == 4, 0);
}

static ng_mat first_step(const char *settings, int ball, ng_mat g, test_setup setup)
{
    char text[200];
    test_run run;
    sprintf(text, "%slr=1 momentum=0%s %s", ball == 2 ? TEST_EXACT "shape_scale=none " : "",
            test_balls[ball], settings);
    test_run_open(&run, "muon", text, g.rows, g.cols, setup);
    ng_mat d = test_run_direction(&run, g);
    test_run_close(&run);
    return d;
}

/* The step is the projection; it has norm 1, <G, D> is the dual norm, and no D of norm 1 at hand
 * has more: random ones, and those near it. */
START_TEST(maximises)
{
    test_rng rng = {31};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int ball = 1; ball < TEST_BALLS; ball++) {
        for (int i = 0; i < TEST_SETUPS; i++) {
            ng_mat g = dense_normal(m, n, &rng);
            test_setup setup = test_setup_number(i);
            double eps = tolerance(setup.dtype);
            ng_mat d = first_step("", ball, g, setup);
            ng_assert_mat(d, test_project(ball, g), ball == 2 ? 10 * eps : eps);
            ng_assert_rel(norm(ball, d), 1, eps);
            ng_assert_rel(dense_dot(g, d), dual_norm(ball, g), eps);
            for (int k = 0; k < 40; k++) {
                ng_mat y = dense_normal(m, n, &rng);
                y = k % 2 ? y : dense_add(1, d, 0.01, y);
                y = dense_scale(1 / norm(ball, y), y);
                ng_assert_le(dense_dot(g, y), dual_norm(ball, g) * (1 + eps));
            }
        }
        dense_release();
    }
}
END_TEST

/* Times the dual norm, whatever the size of G, down to numbers that have no reciprocal. */
START_TEST(dual)
{
    static const double sizes[2][5] = {{1, 1e-10, 1e10, 1e-30, 1e30},
                                       {1, 1e-10, 1e10, 1e-300, 1e300}};
    test_rng rng = {32};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int ball = 1; ball < TEST_BALLS; ball++)
        for (int i = 0; i < TEST_SETUPS; i++)
            for (int s = 0; s < 5; s++) {
                test_setup setup = test_setup_number(i);
                ng_mat g = dense_normal(m, n, &rng);
                ng_mat d =
                    first_step("length=dual", ball, dense_scale(sizes[setup.dtype][s], g), setup);
                ng_assert_mat(dense_scale(1 / sizes[setup.dtype][s], d),
                              dense_scale(dual_norm(ball, g), test_project(ball, g)),
                              (ball == 2 ? 10 : 1) * tolerance(setup.dtype));
                dense_release();
            }
}
END_TEST

/* NorMuon by the authors' formulas; the projection is the exact polar factor. */
START_TEST(row_normalisation)
{
    test_rng rng = {35};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    double scale = sqrt(fmax(1, (double)m / (double)n));
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_run run;
        double v[8] = {0};
        ng_mat average = dense_mat(m, n), zero = average;
        test_run_open(&run, "normuon", TEST_EXACT "lr=0.5 momentum=0.9", m, n,
                      test_setup_number(i));
        for (int step = 0; step < 6; step++) {
            ng_mat g = step == 3 ? zero : dense_normal(m, n, &rng), x;
            average = dense_add(0.9, average, 1 - 0.9, g);
            x = dense_polar(dense_add(0.9, average, 1 - 0.9, g), 1e-12);
            ng_mat y = dense_of(x);
            for (size_t r = 0; r < m; r++) {
                v[r] = 0.95 * v[r] + 0.05 * pow(line_norm(x, 1, r), 2) / (double)n;
                for (size_t c = 0; c < n; c++)
                    ng_mat_set(y, r, c, ng_mat_get(x, r, c) / (sqrt(v[r]) + 1e-10));
            }
            y = dense_scale(0.5 * scale * test_norm(x) / (test_norm(y) + 1e-10), y);
            ng_assert_mat(test_run_direction(&run, g), y, run.w.dtype == NG_F64 ? 1e-12 : 2e-4);
        }
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

/* Steps as long as gradients agree: those of plain Muon, times the norm of what is projected over
 * the root of the mean square, both in double. */
START_TEST(agreement)
{
    test_rng rng = {37};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int nesterov = 0; nesterov < 2; nesterov++) {
            char text[160];
            test_run run;
            double square = 0;
            ng_mat average = dense_mat(m, n), zero = average;
            sprintf(text,
                    TEST_EXACT "shape_scale=none lr=0.5 momentum=0.9 agreement=yes nesterov=%d",
                    nesterov);
            test_run_open(&run, "muon", text, m, n, test_setup_number(i));
            for (int step = 0; step < 6; step++) {
                ng_mat g = step == 3 ? zero : dense_normal(m, n, &rng), x;
                average = dense_add(0.9, average, 1 - 0.9, g);
                square = 0.9 * square + (1 - 0.9) * dense_dot(g, g);
                x = nesterov ? dense_add(0.9, average, 1 - 0.9, g) : average;
                ng_assert_mat(test_run_direction(&run, g),
                              dense_scale(0.5 * test_norm(x) / sqrt(square), dense_polar(x, 1e-12)),
                              10 * tolerance(run.w.dtype));
            }
            test_run_close(&run);
            dense_release();
        }
}
END_TEST

/* Gradients of one direction are wholly agreed on in the end, and the step does not know their
 * size, down to numbers whose squares have no place. */
START_TEST(agreement_is_whole)
{
    static const double sizes[2][2] = {{1e-30, 1e30}, {1e-300, 1e300}};
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int s = 0; s < 2; s++) {
            test_setup setup = test_setup_number(i);
            test_rng rng = {38};
            test_run run;
            ng_mat d = dense_mat(3, 4), g = dense_normal(3, 4, &rng);
            test_run_open(&run, "muon",
                          TEST_EXACT "shape_scale=none lr=1 momentum=0.5 agreement=yes", 3, 4,
                          setup);
            for (int step = 0; step < 60; step++)
                d = test_run_direction(&run, dense_scale(sizes[setup.dtype][s], g));
            ng_assert_mat(d, dense_polar(g, 1e-12), 10 * tolerance(setup.dtype));
            test_run_close(&run);
            dense_release();
        }
}
END_TEST

/* W decays where the step does not lead away from 0, and only there. */
START_TEST(cautious)
{
    test_rng rng = {36};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_run run;
        test_run_open(&run, "muon",
                      "ball=sign lr=0.1 momentum=0 weight_decay=0.5 cautious_decay=yes", m, n,
                      test_setup_number(i));
        test_fill_normal(run.w, &rng);
        for (int step = 0; step < 4; step++) {
            ng_mat g = dense_normal(m, n, &rng), w = test_run_weights(&run);
            ng_mat d = test_project(3, g), next = dense_mat(m, n);
            if (step == 2) /* no step at all: everything decays */
                d = g = dense_mat(m, n);
            for (size_t k = 0; k < m * n; k++) {
                double x = ng_mat_get(w, k / n, k % n), y = ng_mat_get(d, k / n, k % n);
                ng_mat_set(next, k / n, k % n, (x * y >= 0 ? 0.95 : 1) * x - 0.1 * y);
            }
            test_run_step(&run, g);
            ng_assert_mat(test_run_weights(&run), next, tolerance(run.w.dtype));
        }
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

START_TEST(published)
{
    static const struct {
        const char *name;
        double value;
    } of[] = {{"lr", 0.02},
              {"momentum", 0.95},
              {"nesterov", 1},
              {"weight_decay", 0},
              {"row_beta2", 0.95},
              {"row_normalisation", 1},
              {"ball", NG_BALL_SPECTRAL},
              {"shape_scale", NG_SHAPE_SCALE_ORIGINAL}};
    void *normuon = test_options("normuon", "");
    double value;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        ng_assert_ok(ng_options_get(normuon, of[i].name, &value, NULL), NULL);
        ck_assert_msg(value == of[i].value, "%s", of[i].name);
    }
    free(normuon);
}
END_TEST

TEST_SUITE(balls)
{
    TCase *tcase = tcase_create("balls");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, maximises, 0, SHAPES);
    tcase_add_loop_test(tcase, dual, 0, SHAPES);
    tcase_add_loop_test(tcase, row_normalisation, 0, SHAPES);
    tcase_add_loop_test(tcase, agreement, 0, SHAPES);
    tcase_add_test(tcase, agreement_is_whole);
    tcase_add_loop_test(tcase, cautious, 0, SHAPES);
    tcase_add_test(tcase, published);
    suite_add_tcase(suite, tcase);
}
