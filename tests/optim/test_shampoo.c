/* Shampoo, powers of the averages of G G^T and G^T G, against a dense program in double: several
 * steps, every ball and setup, both factors and one; closed forms. */
#include "tests/optim/gram_world.h"

#include <stdio.h>

/* A polar factor moves by |dX| over the smallest singular value; nothing else here magnifies
 * rounding. */
static double rounding(test_setup setup, int ball, int fast, ng_mat x)
{
    dense_svd_result f = dense_svd(x);
    double worst = test_norm(x) / ng_mat_get(f.s, 0, f.s.cols - 1);
    double magnified = ball < 2 ? 1 : worst;
    return fast ? TEST_FAST : setup.dtype == NG_F64 ? 1e-9 : 10 * ng_dtype_eps(NG_F32) * magnified;
}

/* (x + damping mean I)^-(e/2), with a ball its inverse square of mean eigenvalue 1 */
static ng_mat shampoo_root(ng_mat x, double damping, double e, int ball)
{
    ng_mat p, id = dense_identity(x.rows);
    p = dense_power(dense_add(1, x, damping * dense_trace(x) / (double)x.rows, id), e);
    return dense_power(dense_scale(ball == 0 ? 1 : (double)p.rows / dense_trace(p), p), -0.5);
}

typedef struct {
    double exponent, decay, damping;
    int update, inverse, graft; /* graft: 1 sgd, 2 adam */
    int alone;                  /* the smaller side has a factor, with twice the exponent */
} rule;

static void follow_root(const char *root, const char *settings, rule r, size_t m, size_t n,
                        int ball, test_setup setup)
{
    char text[300];
    test_run run;
    double weight = 0, beta2 = 0.9;
    /* of equal sides the weights' rows have the factor */
    int right = m > n || (m == n && setup.layout == NG_IN_OUT);
    ng_mat l = dense_mat(m, m), q = dense_mat(n, n), sl = l, sq = q;
    ng_mat mean = dense_mat(m, n), v = mean;
    sprintf(text, "lr=1 momentum=0.7 grafting=none grafting_beta2=0.9%s root=%s %s%s",
            test_balls[ball], root, r.alone ? "one_sided=always " : "one_sided=never ", settings);
    test_run_open(&run, "shampoo", text, m, n, setup);
    for (int step = 0; step < 6; step++) {
        ng_mat g = gradient(m, n, step);
        if (step % r.update == 0) {
            weight = r.decay < 1 ? r.decay * weight + 1 : 1;
            double keep = r.decay < 1 ? 1 - 1 / weight : 1;
            l = dense_add(keep, l, 1 / weight, dense_mul(g, 0, g, 1));
            q = dense_add(keep, q, 1 / weight, dense_mul(g, 1, g, 0));
        }
        if (step % r.inverse == 0) {
            double e = r.alone ? 2 * r.exponent : r.exponent;
            sl = r.alone && right ? dense_identity(m) : shampoo_root(l, r.damping, e, ball);
            sq = r.alone && !right ? dense_identity(n) : shampoo_root(q, r.damping, e, ball);
        }
        mean = dense_add(0.7, mean, 0.3, g);
        v = dense_add(beta2, v, 1 - beta2, map(g, g, times, 1));
        ng_mat x = dense_mul(sl, 0, dense_mul(mean, 0, sq, 0), 0);
        ng_mat d = dense_mul(sl, 0, dense_mul(test_project(ball, x), 0, sq, 0), 0);
        if (r.graft == 1)
            d = dense_scale(test_norm(mean) / test_norm(d), d);
        if (r.graft == 2)
            d = dense_scale(
                test_norm(map(mean, dense_scale(1 / (1 - pow(beta2, step + 1)), v), adams, 1e-8)) /
                    test_norm(d),
                d);
        ng_assert_mat(test_run_direction(&run, g), d,
                      rounding(setup, ball, strstr(settings, "fast") != NULL, x));
    }
    test_run_close(&run);
    dense_release();
}

/* A kept inverse has another root, which no ball of rows or elements takes for the symmetric one.
 */
static void follow_shampoo(const char *settings, rule r, size_t m, size_t n, int ball,
                           test_setup setup)
{
    follow_root("symmetric", settings, r, m, n, ball, setup);
    if (ball < TEST_INVARIANT_BALLS)
        follow_root("inverse", settings, r, m, n, ball, setup);
}

START_TEST(both_sides)
{
    test_setup setup = test_setup_number(_i);
    rule classic = {0.25, 0.8, 0.1, 1, 1, 0, 0}, sums = {0.5, 1, 0.2, 1, 1, 0, 0};
    rule rare = {0.25, 0.8, 0.1, 2, 3, 0, 0}, odd = {0.4, 0.6, 0.3, 1, 2, 0, 0};
    rule like_sgd = {0.25, 0.8, 0.1, 1, 1, 1, 0}, like_adam = {0.25, 0.8, 0.1, 1, 1, 2, 0};
    for (int s = 0; s < SHAPES; s++) {
        size_t m = shapes[s][0], n = shapes[s][1];
        for (int ball = 0; ball < TEST_BALLS; ball++) {
            follow_shampoo("ema_decay=0.8 damping=0.1 inverse_interval=1", classic, m, n, ball,
                           setup);
            follow_shampoo("exponent=0.5 ema_decay=1 damping=0.2 inverse_interval=1 "
                           "factor_dtype=f64",
                           sums, m, n, ball, setup);
            follow_shampoo("ema_decay=0.8 damping=0.1 update_interval=2 inverse_interval=3", rare,
                           m, n, ball, setup);
            follow_shampoo("exponent=0.4 ema_decay=0.6 damping=0.3 inverse_interval=2", odd, m, n,
                           ball, setup);
        }
        follow_shampoo("exponent=0.4 ema_decay=0.6 damping=0.3 inverse_interval=2 polar=fast", odd,
                       m, n, 2, setup);
        follow_shampoo("grafting=sgd ema_decay=0.8 damping=0.1 inverse_interval=1", like_sgd, m, n,
                       0, setup);
        follow_shampoo("grafting=adam ema_decay=0.8 damping=0.1 inverse_interval=1", like_adam, m,
                       n, 0, setup);
    }
}
END_TEST

/* One factor, whatever the layout: the wide matrix's is on the left, the tall one's on the right.
 */
START_TEST(one_side)
{
    test_setup setup = test_setup_number(_i);
    rule each = {0.25, 0.8, 0.1, 1, 1, 0, 1}, rare = {0.4, 0.6, 0.3, 2, 3, 0, 1};
    rule like_adam = {0.25, 0.8, 0.1, 1, 2, 2, 1};
    for (int s = 0; s < SHAPES; s++) {
        size_t m = shapes[s][0], n = shapes[s][1];
        for (int ball = 0; ball < TEST_BALLS; ball++) {
            follow_shampoo("ema_decay=0.8 damping=0.1 inverse_interval=1", each, m, n, ball, setup);
            follow_shampoo("exponent=0.4 ema_decay=0.6 damping=0.3 update_interval=2 "
                           "inverse_interval=3",
                           rare, m, n, ball, setup);
        }
        follow_shampoo("grafting=adam ema_decay=0.8 damping=0.1 inverse_interval=2", like_adam, m,
                       n, 0, setup);
    }
}
END_TEST

/* The preset leaves a side out from aspect 3 on. */
START_TEST(preset_sides)
{
    test_setup setup = test_setup_number(_i);
    for (int s = 0; s < 4; s++) {
        static const size_t sizes[][2] = {{2, 5}, {5, 2}, {2, 6}, {6, 2}};
        static const char *const ways[] = {"", "one_sided=never", "one_sided=always"};
        size_t m = sizes[s][0], n = sizes[s][1];
        int alone = m >= 3 * n || n >= 3 * m;
        test_run run[3];
        for (int i = 0; i < 3; i++)
            test_run_open(&run[i], "shampoo", ways[i], m, n, setup);
        for (int step = 0; step < 3; step++) {
            ng_mat g = gradient(m, n, step), as_is = test_run_direction(&run[0], g);
            ng_mat both = test_run_direction(&run[1], g), one = test_run_direction(&run[2], g);
            ng_assert_mat(as_is, alone ? one : both, 0);
        }
        for (int i = 0; i < 3; i++)
            test_run_close(&run[i]);
        dense_release();
    }
}
END_TEST

/* A first gradient U diag(s) V^T of full rank, no damping: U diag(s^(1 - 4e)) V^T, by both
 * factors and by one alone. */
START_TEST(closed_form)
{
    static const double s[] = {3, 2, 0.5}, e[] = {0.25, 0.5, 0.1};
    for (int i = 0; i < 6 * TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i / 6);
        test_rng rng = {18};
        double powers[3];
        char text[200];
        test_run run;
        dense_svd_result f = dense_frame(3, 3, s, &rng);
        ng_mat g = dense_compose(f);
        for (int k = 0; k < 3; k++)
            powers[k] = pow(s[k], 1 - 4 * e[i % 3]);
        sprintf(text, "lr=1 momentum=0 damping=0 grafting=none exponent=%g one_sided=%s", e[i % 3],
                i / 3 % 2 ? "always" : "never");
        test_run_open(&run, "shampoo", text, 3, 3, setup);
        for (int k = 0; k < 3; k++)
            ng_mat_set(f.s, 0, (size_t)k, powers[k]);
        ng_assert_mat(test_run_direction(&run, g), dense_compose(f), tolerance(setup));
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

START_TEST(singular)
{
    test_rng rng = {19};
    test_run run;
    test_run_open(&run, "shampoo", "damping=0", 2, 5, test_setup_number(_i));
    test_run_gradient(&run, dense_normal(2, 5, &rng));
    ck_assert_int_eq(ng_optimizer_step(run.opt), NG_ESINGULAR);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(run.opt), "damping"));
    test_run_close(&run);
    dense_release();
}
END_TEST

TEST_SUITE(shampoo)
{
    TCase *tcase = tcase_create("metric");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, both_sides, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, one_side, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, preset_sides, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, closed_form, 0, 1);
    tcase_add_loop_test(tcase, singular, 0, TEST_SETUPS);
    suite_add_tcase(suite, tcase);
}
