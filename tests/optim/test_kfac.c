/* The kfac metric against dense oracles: formulas, normalisation, averages,
 * intervals, every setup of dtype, layout and strides. */
#include "tests/support/kfac.h"

#define EACH "update_interval=1 inverse_interval=1 "
#define PLAIN "lr=1 momentum=0 " EACH

static const size_t shapes[][3] = {{4, 3, 9}, {2, 5, 20}, {3, 3, 12}, {1, 4, 8}, {4, 1, 7}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static double tolerance(test_setup setup)
{
    return setup.dtype == NG_F64 ? 1e-10 : 2e-5;
}

static double mean(ng_mat x)
{
    return dense_trace(x) / (double)x.rows;
}

/* The direction of the first step under the settings, from one capture. */
static ng_mat first_direction(const char *settings, kfac_batch batch, double scale,
                              test_setup setup)
{
    test_run run;
    test_run_open(&run, "kfac", settings, batch.dw.rows, batch.dw.cols, setup);
    ng_mat d = kfac_direction(&run, batch, scale);
    test_run_close(&run);
    return d;
}

/* x + lambda diag(x) */
static ng_mat with_share(ng_mat x, double lambda)
{
    ng_mat y = dense_of(x);
    for (size_t i = 0; i < x.rows; i++)
        ng_mat_set(y, i, i, (1 + lambda) * ng_mat_get(x, i, i));
    return y;
}

/* What damping_kind should give, from the definition. */
static ng_mat expected(int kind, ng_mat p, ng_mat q, double lambda, ng_mat m)
{
    double pi = sqrt(mean(q) / mean(p));
    if (kind == NG_DAMPING_EXACT_EIGEN)
        return kfac_dense_solve(dense_kron(p, q), lambda, m);
    if (kind == NG_DAMPING_PER_FACTOR)
        return kfac_solve(kfac_damped(p, lambda), kfac_damped(q, lambda), m);
    if (kind == NG_DAMPING_DIAGONAL)
        return kfac_solve(with_share(p, lambda), with_share(q, lambda), m);
    return kfac_solve(kfac_damped(p, sqrt(lambda) / pi), kfac_damped(q, sqrt(lambda) * pi), m);
}

static const char *const kinds[] = {
    PLAIN "damping=0.3 damping_kind=tikhonov_pi", PLAIN "damping=0.3 damping_kind=per_factor",
    PLAIN "damping=0.3 damping_kind=exact_eigen", PLAIN "damping=0.3 damping_kind=diagonal"};
static const char *const roots[] = {" root=cholesky", " root=symmetric",
                                    " root=cholesky factor_dtype=f64"};

START_TEST(formulas)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {5};
    for (int s = 0; s < SHAPES; s++)
        for (int kind = 0; kind < 4; kind++)
            for (int root = 0; root < 3; root++) {
                char settings[200];
                kfac_batch batch = kfac_random(shapes[s][2], shapes[s][0], shapes[s][1], &rng);
                strcat(strcpy(settings, kinds[kind]), roots[root]);
                ng_mat d = first_direction(settings, batch, 1.7, setup);
                ng_mat wanted = expected(kind, kfac_output_factor(batch, 1.7),
                                         kfac_input_factor(batch), 0.3, batch.dw);
                ng_assert_mat(d, wanted, tolerance(setup));
                dense_release();
            }
}
END_TEST

/* Undamped, all kinds are (P (x) Q)^-1 vec M. */
START_TEST(undamped)
{
    test_rng rng = {6};
    kfac_batch batch = kfac_random(11, 3, 4, &rng);
    ng_mat f = dense_kron(kfac_output_factor(batch, 1), kfac_input_factor(batch));
    for (int kind = 0; kind < 3; kind++) {
        char settings[200];
        strcat(strcpy(settings, kinds[kind]), " damping=0");
        ng_mat d = first_direction(settings, batch, 1, test_setup_number(0));
        ng_assert_mat(d, kfac_dense_solve(f, 0, batch.dw), 1e-10);
    }
    dense_release();
}
END_TEST

/* One sample: P (x) Q is the outer product of that sample's own gradient. */
START_TEST(one_sample)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {7};
    kfac_batch batch = kfac_random(1, 3, 4, &rng);
    ng_mat score = dense_mul(batch.g, 1, batch.a, 0), f;
    score.rows = 12;
    score.cols = score.stride = 1;
    f = dense_mul(score, 0, score, 1);
    ng_mat d = first_direction(PLAIN "damping=0.2 damping_kind=exact_eigen", batch, 1, setup);
    ng_assert_mat(d, kfac_dense_solve(f, 0.2, batch.dw), tolerance(setup));
    dense_release();
}
END_TEST

/* The rows from..to-1 of a batch, with the whole batch's gradient of W. */
static kfac_batch part(kfac_batch batch, size_t from, size_t to)
{
    batch.a = ng_mat_block(batch.a, from, 0, to - from, batch.a.cols);
    batch.g = ng_mat_block(batch.g, from, 0, to - from, batch.g.cols);
    return batch;
}

START_TEST(micro_batches)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {8};
    test_run run;
    kfac_batch batch = kfac_random(10, 3, 4, &rng);
    ng_mat whole = first_direction(PLAIN "damping=0.01", batch, 3, setup);
    test_run_open(&run, "kfac", PLAIN "damping=0.01", 3, 4, setup);
    ng_assert_ok(kfac_capture(&run, part(batch, 0, 1), 3), NULL);
    ng_assert_ok(kfac_capture(&run, part(batch, 1, 1), 3), NULL);
    ng_assert_ok(kfac_capture(&run, part(batch, 1, 6), 3), NULL);
    ng_mat d = kfac_direction(&run, part(batch, 6, 10), 3);
    ng_assert_mat(d, whole, setup.dtype == NG_F64 ? 1e-13 : 1e-5);
    test_run_close(&run);
    dense_release();
}
END_TEST

/* A mean loss with scale = batch is a summed loss with scale 1. */
START_TEST(scale_is_per_sample)
{
    test_rng rng = {9};
    kfac_batch summed = kfac_random(16, 3, 4, &rng), averaged = summed;
    averaged.g = dense_scale(1. / 16, summed.g);
    ng_mat one = first_direction(PLAIN, summed, 1, test_setup_number(0));
    ng_mat other = first_direction(PLAIN, averaged, 16, test_setup_number(0));
    ng_assert_mat(other, one, 1e-14);
    dense_release();
}
END_TEST

/* Averages with and without bias correction, intervals of statistics and of
 * inverses, momentum: seven steps against a loop over the definition. */
static void follow(const char *settings, double momentum, double decay, int identity, int update,
                   int inverse, test_setup setup)
{
    test_rng rng = {10};
    test_run run;
    double weights = 0;
    ng_mat p = dense_identity(3), q = dense_identity(4), kept_p = p, kept_q = q;
    ng_mat m = dense_mat(3, 4);
    test_run_open(&run, "kfac", settings, 3, 4, setup);
    for (int step = 0; step < 7; step++) {
        kfac_batch batch = kfac_random(9, 3, 4, &rng);
        ng_mat d = kfac_direction(&run, batch, 1.5);
        if (step % update == 0) {
            weights = identity ? 1 / (1 - decay) : decay * weights + 1;
            p = dense_add(1 - 1 / weights, p, 1 / weights, kfac_output_factor(batch, 1.5));
            q = dense_add(1 - 1 / weights, q, 1 / weights, kfac_input_factor(batch));
        }
        if (step % inverse == 0) {
            kept_p = p;
            kept_q = q;
        }
        m = dense_add(momentum, m, 1 - momentum, batch.dw);
        ng_assert_mat(d, expected(NG_DAMPING_TIKHONOV_PI, kept_p, kept_q, 0.3, m),
                      tolerance(setup));
    }
    test_run_close(&run);
    dense_release();
}

START_TEST(averages_and_intervals)
{
    test_setup setup = test_setup_number(_i);
    follow("lr=1 damping=0.3 momentum=0.6 ema_decay=0.8 " EACH, 0.6, 0.8, 0, 1, 1, setup);
    follow("lr=1 damping=0.3 momentum=0 ema_decay=0 " EACH, 0, 0, 0, 1, 1, setup);
    follow("lr=1 damping=0.3 momentum=0 ema_decay=0.8 factor_start=identity " EACH, 0, 0.8, 1, 1, 1,
           setup);
    follow("lr=1 damping=0.3 momentum=0.5 ema_decay=0.7 update_interval=2 inverse_interval=3", 0.5,
           0.7, 0, 2, 3, setup);
    follow("lr=1 damping=0.3 momentum=0 ema_decay=0.7 factor_dtype=f64 update_interval=1 "
           "inverse_interval=2",
           0, 0.7, 0, 1, 2, setup);
}
END_TEST

/* The balls: Frobenius and spectral, factors of mean eigenvalue 1 by default. */
START_TEST(balls)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {11};
    for (int s = 0; s < SHAPES; s++)
        for (int kind = 0; kind < 2; kind++) {
            kfac_batch batch = kfac_random(shapes[s][2], shapes[s][0], shapes[s][1], &rng);
            ng_mat p = kfac_output_factor(batch, 1), q = kfac_input_factor(batch), f;
            double pi = kind == 0 ? sqrt(mean(q) / mean(p)) : 1, shift = kind == 0 ? sqrt(.3) : .3;
            p = kfac_damped(p, shift / pi);
            q = kfac_damped(q, shift * pi);
            p = dense_scale(1 / mean(p), p);
            q = dense_scale(1 / mean(q), q);
            ng_mat left = dense_power(p, -0.5), right = dense_power(q, -0.5);
            ng_mat x = dense_mul(left, 0, dense_mul(batch.dw, 0, right, 0), 0);
            char settings[200];
            strcat(strcpy(settings, kinds[kind]), " ball=frobenius");
            ng_mat d = first_direction(settings, batch, 1, setup);
            f = dense_scale(1 / test_norm(x), x);
            ng_assert_mat(d, dense_mul(left, 0, dense_mul(f, 0, right, 0), 0), tolerance(setup));
            f = dense_polar(x, 1e-12);
            ng_mat wanted = dense_mul(left, 0, dense_mul(f, 0, right, 0), 0);
            strcat(strcpy(settings, kinds[kind]), " ball=spectral");
            ng_assert_mat(first_direction(settings, batch, 1, setup), wanted,
                          10 * tolerance(setup));
            strcat(settings, " polar=fast");
            ng_assert_mat(first_direction(settings, batch, 1, setup), wanted, TEST_FAST);
            strcat(settings, " length=dual"); /* fused, and the long way */
            wanted = dense_scale(dense_nuclear(x), wanted);
            ng_assert_mat(first_direction(settings, batch, 1, setup), wanted, 2 * TEST_FAST);
            strcat(settings, " polar=exact");
            ng_assert_mat(first_direction(settings, batch, 1, setup), wanted,
                          10 * tolerance(setup));
            dense_release();
        }
}
END_TEST

/* length = dual, fused, is linear in the gradient, also where that is so large or small that it is
 * scaled on the way. */
START_TEST(dual_is_linear)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {14};
    for (int s = 0; s < SHAPES; s++)
        for (int sign = -1; sign <= 1; sign += 2) {
            kfac_batch batch = kfac_random(shapes[s][2], shapes[s][0], shapes[s][1], &rng), far;
            const char *settings =
                PLAIN "damping=0.3 root=inverse ball=spectral polar=fast length=dual";
            double size = pow(2, 40 * sign);
            far = batch;
            far.dw = dense_scale(size, batch.dw);
            ng_mat d = first_direction(settings, batch, 1, setup);
            ng_assert_mat(dense_scale(1 / size, first_direction(settings, far, 1, setup)), d,
                          tolerance(setup));
            dense_release();
        }
}
END_TEST

/* exact_eigen in a ball: the length in its metric, and alignment with the
 * gradient, which is the dual norm. */
START_TEST(balls_exact)
{
    test_rng rng = {12};
    kfac_batch batch = kfac_random(12, 3, 4, &rng);
    ng_mat f = dense_kron(kfac_output_factor(batch, 1), kfac_input_factor(batch));
    ng_mat unscaled = kfac_dense_solve(f, 0.3, batch.dw);
    double unit = mean(f) + 0.3, dual = sqrt(dense_dot(unscaled, batch.dw));
    ng_mat d = first_direction(PLAIN "damping=0.3 damping_kind=exact_eigen ball=frobenius", batch,
                               1, test_setup_number(0));
    ng_assert_mat(d, dense_scale(sqrt(unit) / dual, unscaled), 1e-10);
    /* spectral: in the eigenbasis S = diag(sqrt(eigenvalues / unit)), D = S^-1 Polar(S^-1 M) */
    ng_mat dl, dr, vl, vr, s = dense_mat(3, 4);
    dense_eigh(&dl, &vl, kfac_output_factor(batch, 1));
    dense_eigh(&dr, &vr, kfac_input_factor(batch));
    ng_mat x = dense_mul(vl, 0, dense_mul(batch.dw, 0, vr, 1), 0);
    for (size_t i = 0; i < 12; i++) {
        double value = ng_mat_get(dl, 0, i / 4) * ng_mat_get(dr, 0, i % 4) + 0.3;
        ng_mat_set(s, i / 4, i % 4, sqrt(unit / value));
        ng_mat_set(x, i / 4, i % 4, ng_mat_get(x, i / 4, i % 4) * sqrt(unit / value));
    }
    x = dense_polar(x, 1e-12);
    for (size_t i = 0; i < 12; i++)
        ng_mat_set(x, i / 4, i % 4, ng_mat_get(x, i / 4, i % 4) * ng_mat_get(s, i / 4, i % 4));
    x = dense_mul(vl, 1, dense_mul(x, 0, vr, 0), 0);
    for (int fast = 0; fast < 2; fast++)
        ng_assert_mat(first_direction(fast ? PLAIN "damping=0.3 damping_kind=exact_eigen "
                                                   "ball=spectral polar=fast"
                                           : PLAIN "damping=0.3 damping_kind=exact_eigen "
                                                   "ball=spectral",
                                      batch, 1, test_setup_number(0)),
                      x, fast ? 5e-3 : 1e-9);
    dense_release();
}
END_TEST

/* one_sided: the other factor is the identity, the kept one takes all damping. */
START_TEST(one_sided)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {13};
    kfac_batch batch = kfac_random(12, 2, 5, &rng);
    ng_mat p = kfac_output_factor(batch, 1);
    ng_mat d = first_direction(PLAIN "damping=0.3 one_sided=always", batch, 1, setup);
    ng_assert_mat(d, kfac_dense_solve(dense_kron(p, dense_identity(5)), 0.3, batch.dw),
                  tolerance(setup));
    dense_release();
}
END_TEST

TEST_SUITE(kfac)
{
    TCase *tcase = tcase_create("metric");
    tcase_add_loop_test(tcase, formulas, 0, TEST_SETUPS);
    tcase_add_test(tcase, undamped);
    tcase_add_loop_test(tcase, one_sample, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, micro_batches, 0, TEST_SETUPS);
    tcase_add_test(tcase, scale_is_per_sample);
    tcase_add_loop_test(tcase, averages_and_intervals, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, balls, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, dual_is_linear, 0, TEST_SETUPS);
    tcase_add_test(tcase, balls_exact);
    tcase_add_loop_test(tcase, one_sided, 0, TEST_SETUPS);
    suite_add_tcase(suite, tcase);
}
