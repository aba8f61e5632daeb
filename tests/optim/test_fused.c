/* The fused step, D = [sum of w_j (A + t_j P)^-1] M Q^-1, against the dense program of roots and
 * singular values, on both sides of the sizes at which the inverses change their ways. */
#include <stdio.h>

#include "tests/support/fismo.h"
#include "tests/support/run.h"

static const size_t shapes[][2] = {{36, 50}, {50, 36}, {40, 40}, {33, 34}, {5, 70},
                                   {70, 5},  {1, 40},  {40, 1},  {8, 13},  {1, 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

#define SETTINGS "one_sided=never lr=1 momentum=0.8 ema_decay=0.9 damping=0.3 "

static const fismo_rule rule = {.momentum = 0.8, .ema_decay = 0.9, .damping = 0.3, .rms = 1};

/* gradients whose smaller side has condition 30, in the dtype's numbers */
static ng_mat gradient(size_t m, size_t n, ng_dtype dtype, test_rng *rng)
{
    double s[64];
    size_t k = m < n ? m : n;
    for (size_t i = 0; i < k; i++)
        s[i] = k > 1 ? pow(30, -(double)i / (double)(k - 1)) : 1;
    ng_mat rounded = test_convert(dense_compose(dense_frame(m, n, s, rng)), dtype);
    ng_mat g = dense_of(rounded);
    test_free(rounded);
    return g;
}

/* S_P^T D S_Q is what a polar factor is: its singular values lie within 5e-3 of 1, and it aligns
 * with the whitened average; and D is the dense program's. */
static void check(const char *settings, size_t m, size_t n, int every, test_setup setup)
{
    test_rng rng = {17 + m + 10 * n};
    test_run run;
    fismo_state state;
    fismo_rule r = rule;
    char text[256];
    r.every_p = r.every_q = every;
    sprintf(text, SETTINGS "refresh_p=%d refresh_q=%d %s", every, every, settings);
    test_run_open(&run, "fismo", text, m, n, setup);
    fismo_open(&state, m, n, r);
    for (int step = 0; step < 4; step++) {
        ng_mat g = gradient(m, n, setup.dtype, &rng), d = test_run_direction(&run, g);
        ng_assert_mat(d, fismo_step(&state, g), TEST_FAST);
        dense_svd_result f = dense_svd(fismo_between(&state, 0.5, d));
        ng_assert_rel(ng_mat_get(f.s, 0, 0), 1, TEST_FAST);
        ng_assert_rel(ng_mat_get(f.s, 0, f.s.cols - 1), 1, TEST_FAST);
        dense_release();
    }
    fismo_close(&state);
    test_run_close(&run);
}

START_TEST(dense)
{
    static const char *const roots[] = {"root=inverse", "root=cholesky", "root=symmetric"};
    for (int i = 0; i < TEST_SETUPS; i++)
        check(roots[i % 3], shapes[_i][0], shapes[_i][1], 1 + i % 2, test_setup_number(i));
    check(roots[0], shapes[_i][0], shapes[_i][1], 3, test_setup_number(1));
}
END_TEST

/* Powers of two in the gradient change no bit of a step without momentum's past. */
START_TEST(powers_of_two)
{
    static const int exponents[] = {-60, -7, 1, 40};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < 4 * TEST_SETUPS; i++) {
        test_rng rng = {19 + m};
        test_run x, y;
        test_run_open(&x, "fismo", SETTINGS, m, n, test_setup_number(i / 4));
        test_run_open(&y, "fismo", SETTINGS, m, n, test_setup_number(i / 4));
        for (int step = 0; step < 12; step++) {
            ng_mat g = dense_normal(m, n, &rng);
            test_run_step(&x, g);
            test_run_step(&y, dense_scale(ldexp(1, exponents[i % 4]), g));
            ck_assert(test_same_bits(x.w, y.w));
            dense_release();
        }
        test_run_close(&x);
        test_run_close(&y);
    }
}
END_TEST

/* Of a gradient of rank 1, m/2 or with one huge column: finite, in the ball, and what lies in the
 * null side stays there. */
START_TEST(deficient)
{
    size_t m = 24 + 16 * (size_t)(_i % 2), n = m + 10;
    for (int kind = 0; kind < 3; kind++) {
        test_rng rng = {23};
        test_run run;
        fismo_state state;
        fismo_rule r = {.momentum = 0, .ema_decay = 0.9, .damping = 0.3, .rms = 1};
        test_run_open(&run, "fismo", SETTINGS TEST_EACH_STEP "momentum=0", m, n,
                      test_setup_number(_i));
        fismo_open(&state, m, n, r);
        for (int step = 0; step < 3; step++) {
            ng_mat g =
                kind < 2 ? dense_rank(m, n, kind == 0 ? 1 : m / 2, &rng) : dense_normal(m, n, &rng);
            for (size_t i = 0; i < m && kind == 2; i++)
                ng_mat_set(g, i, 3, 1e4);
            ng_mat d = test_run_direction(&run, g);
            fismo_step(&state, g);
            dense_svd_result f = dense_svd(fismo_between(&state, 0.5, d));
            ng_assert_le(ng_mat_get(f.s, 0, 0), 1 + TEST_FAST);
            ng_assert_rel(ng_mat_get(f.s, 0, 0), 1, TEST_FAST);
            if (kind < 2)
                ng_assert_le(ng_mat_get(f.s, 0, kind == 0 ? 1 : m / 2),
                             run.w.dtype == NG_F64 ? 1e-10 : 1e-3);
            dense_release();
        }
        fismo_close(&state);
        test_run_close(&run);
    }
}
END_TEST

/* What nesterov's mixture cancels to nothing is no step, and no failure: M = g/2, then with -g/6
 * M = g/6 and x = -g/12 + g/12, exactly in these numbers. */
START_TEST(nothing)
{
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_rng rng = {29};
        test_run run;
        test_run_open(&run, "fismo", "momentum=0.5 nesterov=yes gradient_scale=none", 4, 6,
                      test_setup_number(i));
        ng_mat g = dense_rank(4, 6, 2, &rng);
        test_run_step(&run, dense_scale(6, g));
        ng_mat before = test_run_weights(&run);
        ck_assert(test_norm(before) > 0);
        test_run_step(&run, dense_scale(-1, g));
        ck_assert(test_same_bits(before, test_run_weights(&run)));
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

/* What a monitor hears of it: the rank, and how far from orthogonal the whitened step is. */
static ng_event heard;

static int listen(const ng_event *event, void *data)
{
    (void)data;
    if (event->kind == NG_EVENT_PARAMETER)
        heard = *event;
    return 0;
}

START_TEST(monitored)
{
    for (int rank = 3; rank <= 6; rank += 3)
        for (int i = 0; i < TEST_SETUPS; i++) {
            test_rng rng = {31};
            test_run run;
            fismo_state state;
            test_run_open(&run, "fismo", SETTINGS TEST_EACH_STEP, 6, 9, test_setup_number(i));
            fismo_open(&state, 6, 9, rule);
            ng_assert_ok(ng_optimizer_add_monitor(run.opt, listen, NULL), NULL);
            ng_mat g = rank == 6 ? gradient(6, 9, run.w.dtype, &rng)
                                 : dense_rank(6, 9, (size_t)rank, &rng);
            ng_mat d = test_run_direction(&run, g);
            fismo_step(&state, g);
            dense_svd_result f = dense_svd(fismo_between(&state, 0.5, d));
            double sum = 0;
            for (size_t k = 0; k < f.s.cols; k++) {
                double s = ng_mat_get(f.s, 0, k), of = s * s - 1;
                sum += of * of * (rank < 6 ? s * s : 1);
            }
            ck_assert_str_eq(heard.route, "fused");
            ck_assert_uint_eq(heard.rank, (size_t)rank);
            ng_assert_le(fabs(heard.orthogonality_error - sqrt(sum / rank)),
                         run.w.dtype == NG_F64 ? 1e-6 : 1e-3);
            fismo_close(&state);
            test_run_close(&run);
            dense_release();
        }
}
END_TEST

TEST_SUITE(fused)
{
    TCase *tcase = tcase_create("fused");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, dense, 0, SHAPES);
    tcase_add_loop_test(tcase, powers_of_two, 0, SHAPES);
    tcase_add_loop_test(tcase, deficient, 0, 4);
    tcase_add_test(tcase, nothing);
    tcase_add_test(tcase, monitored);
    suite_add_tcase(suite, tcase);
}
