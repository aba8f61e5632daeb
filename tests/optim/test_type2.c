/* The type2 metric against g = (F + d I)^2 + beta (F + d I) as a dense matrix, F the
 * Kronecker product of kfac's factors. */
#include "tests/support/kfac.h"

#include <stdio.h>

static double tolerance(test_setup setup)
{
    return setup.dtype == NG_F64 ? 1e-9 : 1e-3;
}

/* beta = 0: where functional A is least, lambda_max - 2 lambda_min of F + d I or 0 */
static ng_mat metric(ng_mat f, double d, double beta)
{
    ng_mat values;
    f = dense_add(1, f, d, dense_identity(f.rows));
    dense_eigh(&values, NULL, f);
    if (!(beta > 0))
        beta = fmax(0, ng_mat_get(values, 0, f.rows - 1) - 2 * ng_mat_get(values, 0, 0));
    return dense_add(1, dense_mul(f, 0, f, 0), beta, f);
}

/* g^-1/2 vec(x), in x's shape */
static ng_mat whiten(ng_mat g, ng_mat x)
{
    ng_mat vec = dense_of(x);
    vec.rows = x.rows * x.cols;
    vec.cols = vec.stride = 1;
    vec = dense_mul(dense_power(g, -0.5), 0, vec, 0);
    vec.rows = x.rows;
    vec.cols = vec.stride = x.cols;
    return vec;
}

/* The eigenbasis the library whitens in leaves lengths and polar factors alone. */
static ng_mat direction(ng_mat g, ng_mat m, int ball)
{
    ng_mat y;
    if (ball == 0)
        return kfac_dense_solve(g, 0, m);
    g = dense_scale((double)g.rows / dense_trace(g), g);
    y = whiten(g, m);
    return whiten(g, test_project(ball, y));
}

/* ---- Several steps ----------------------------------------------------------------------------
 */

static void follow(double beta, int interval, size_t m, size_t n, int ball, test_setup setup)
{
    char text[200];
    test_rng rng = {31};
    test_run run;
    double decay = 0.8, weight = 0;
    ng_mat p = dense_mat(m, m), q = dense_mat(n, n), g = dense_mat(m * n, m * n);
    ng_mat mean = dense_mat(m, n);
    sprintf(text,
            "metric=type2 lr=1 momentum=0.6 damping=0.3 ema_decay=%g inverse_interval=%d beta=%g%s",
            decay, interval, beta, test_balls[ball]);
    test_run_open(&run, "kfac", text, m, n, setup);
    for (int step = 0; step < 5; step++) {
        kfac_batch batch = kfac_random(12, m, n, &rng);
        weight = decay * weight + 1;
        p = dense_add(1 - 1 / weight, p, 1 / weight, kfac_output_factor(batch, 1.3));
        q = dense_add(1 - 1 / weight, q, 1 / weight, kfac_input_factor(batch));
        mean = dense_add(0.6, mean, 0.4, batch.dw);
        if (step % interval == 0)
            g = metric(dense_kron(p, q), 0.3, beta);
        ng_assert_mat(kfac_direction(&run, batch, 1.3), direction(g, mean, ball), tolerance(setup));
    }
    test_run_close(&run);
    dense_release();
}

START_TEST(steps)
{
    static const size_t shapes[][2] = {{4, 3}, {3, 5}, {1, 4}, {4, 1}, {1, 1}};
    test_setup setup = test_setup_number(_i);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int ball = 0; ball < TEST_INVARIANT_BALLS; ball++) {
            follow(0, 1, shapes[s][0], shapes[s][1], ball, setup);
            follow(0.7, 3, shapes[s][0], shapes[s][1], ball, setup);
        }
}
END_TEST

/* ---- Limits ------------------------------------------------------------------------------------
 */

/* Of F + d I: beta far above its eigenvalues leaves beta (F + d I), kfac's own step / beta. */
START_TEST(large_beta_is_kfac)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {32};
    test_run type2, kfac;
    kfac_batch batch = kfac_random(9, 3, 4, &rng);
    test_run_open(&type2, "kfac", "metric=type2 lr=1 damping=0.2 beta=1e12", 3, 4, setup);
    test_run_open(&kfac, "kfac", "lr=1 damping=0.2 damping_kind=exact_eigen", 3, 4, setup);
    ng_mat wanted = kfac_direction(&kfac, batch, 1);
    ng_assert_mat(dense_scale(1e12, kfac_direction(&type2, batch, 1)), wanted, tolerance(setup));
    test_run_close(&type2);
    test_run_close(&kfac);
    dense_release();
}
END_TEST

/* With beta* the step is kfac's over a factor that is twice as large at one end as at the other. */
START_TEST(within_two_of_kfac)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {36};
    test_run type2, kfac;
    kfac_batch batch = kfac_random(9, 3, 4, &rng);
    ng_mat u, v;
    double least = HUGE_VAL, most = 0;
    dense_eigh(NULL, &u, kfac_output_factor(batch, 1));
    dense_eigh(NULL, &v, kfac_input_factor(batch));
    test_run_open(&type2, "kfac", "metric=type2 lr=1 damping=0.05", 3, 4, setup);
    test_run_open(&kfac, "kfac", "lr=1 damping=0.05 damping_kind=exact_eigen", 3, 4, setup);
    ng_mat x = dense_mul(u, 0, dense_mul(kfac_direction(&kfac, batch, 1), 0, v, 1), 0);
    ng_mat y = dense_mul(u, 0, dense_mul(kfac_direction(&type2, batch, 1), 0, v, 1), 0);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 4; j++) {
            least = fmin(least, ng_mat_get(x, i, j) / ng_mat_get(y, i, j));
            most = fmax(most, ng_mat_get(x, i, j) / ng_mat_get(y, i, j));
        }
    ng_assert_rel(most / least, 2, 10 * tolerance(setup));
    test_run_close(&type2);
    test_run_close(&kfac);
    dense_release();
}
END_TEST

/* Statistics of zero: F + d I = d I, beta* = 0, g = d^2 I. */
START_TEST(zero)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {33};
    test_run run;
    kfac_batch batch = kfac_random(2, 3, 4, &rng);
    batch.a = dense_mat(2, 4), batch.g = dense_mat(2, 3);
    test_run_open(&run, "kfac", "metric=type2 lr=1 momentum=0 damping=0.5", 3, 4, setup);
    ng_assert_mat(kfac_direction(&run, batch, 1), dense_scale(4, batch.dw), tolerance(setup));
    batch.dw = dense_mat(3, 4);
    ck_assert(test_norm(kfac_direction(&run, batch, 1)) == 0);
    test_run_close(&run);
    dense_release();
}
END_TEST

/* mu stays between decompositions; damping may be 0 with statistics of full rank. */
START_TEST(stays)
{
    test_setup setup = test_setup_number(_i % TEST_SETUPS);
    double damping = _i < TEST_SETUPS ? 0 : 4;
    test_rng rng = {35};
    test_run run;
    char text[100];
    ng_mat g = dense_mat(6, 6);
    sprintf(text, "lr=1 momentum=0 metric=type2 inverse_interval=1000 damping=%g", damping);
    test_run_open(&run, "kfac", text, 2, 3, setup);
    for (int step = 0; step < 14; step++) {
        kfac_batch batch = kfac_random(40, 2, 3, &rng);
        ng_mat p = kfac_output_factor(batch, 1), q = kfac_input_factor(batch);
        if (step == 0)
            g = metric(dense_kron(p, q), damping, 0);
        ng_assert_mat(kfac_direction(&run, batch, 1), direction(g, batch.dw, 0), tolerance(setup));
    }
    test_run_close(&run);
    dense_release();
}
END_TEST

/* ---- Refusals ----------------------------------------------------------------------------------
 */

/* A step that fails leaves no trace: the one after it is the twin's. */
static void refused(const char *settings, ng_status expected, const char *word, test_setup setup)
{
    test_rng rng = {34};
    test_run run;
    kfac_batch batch = kfac_random(2, 3, 4, &rng);
    test_run_open(&run, "kfac", settings, 3, 4, setup);
    ng_mat before = test_copy(run.w);
    ng_assert_ok(kfac_capture(&run, batch, 1), NULL);
    test_run_gradient(&run, batch.dw);
    ck_assert_int_eq(ng_optimizer_step(run.opt), expected);
    ck_assert_msg(strstr(ng_optimizer_error(run.opt), word) != NULL, "no '%s' in '%s'", word,
                  ng_optimizer_error(run.opt));
    ck_assert(test_same_bits(before, run.w));
    test_free(before);
    test_run_close(&run);
    dense_release();
}

START_TEST(refusals)
{
    test_setup setup = test_setup_number(_i);
    refused("metric=type2 damping=0", NG_ESINGULAR, "'w'", setup); /* two samples, rank 2 */
    refused("metric=type2 damping=1e10 beta=1e300", NG_ERANGE, "leaves the range", setup);
    refused("metric=type2 damping=1e-300 beta=1e-100", NG_ERANGE, "leaves the range", setup);
}
END_TEST

START_TEST(combinations)
{
    static const char *const bad[][2] = {{"metric=type2 momentum_space=whitened", "type2"},
                                         {"metric=type2 one_sided=always", "type2"},
                                         {"metric=type2 ema_decay=1", "ema_decay"},
                                         {"metric=type2 refresh_tolerance=0.1", "type2"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        test_options_refused("kfac", bad[i][0], bad[i][1]);
}
END_TEST

TEST_SUITE(type2)
{
    TCase *tcase = tcase_create("metric");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, steps, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, large_beta_is_kfac, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, within_two_of_kfac, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, zero, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, stays, 0, 2 * TEST_SETUPS);
    tcase_add_loop_test(tcase, refusals, 0, TEST_SETUPS);
    tcase_add_test(tcase, combinations);
    suite_add_tcase(suite, tcase);
}
