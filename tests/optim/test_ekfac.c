/* The ekfac metric against dense programs in double; its meeting with kfac; and
 * captures of convolutions through their unfolded view. */
#include "tests/support/kfac.h"

#include <stdio.h>

#define PLAIN "lr=1 momentum=0 "
static double tolerance(test_setup setup)
{
    return setup.dtype == NG_F64 ? 1e-9 : 3e-4;
}

static ng_mat squares(ng_mat x)
{
    ng_mat y = dense_of(x);
    for (size_t i = 0; i < x.rows * x.cols; i++)
        ((double *)y.data)[i] *= ((double *)y.data)[i];
    return y;
}

/* ---- Several steps -------------------------------------------------------------------------- */

typedef struct {
    ng_mat p, q, u, v, s;
    double weight;
} model;

/* The mean over samples of the squares of u (g a^T) v^T, sample by sample. */
static ng_mat measured(const model *x, kfac_batch batch, double scale)
{
    ng_mat sum = dense_mat(x->u.rows, x->v.rows);
    for (size_t r = 0; r < batch.a.rows; r++) {
        ng_mat g = ng_mat_block(batch.g, r, 0, 1, batch.g.cols);
        ng_mat a = ng_mat_block(batch.a, r, 0, 1, batch.a.cols);
        ng_mat own = dense_mul(x->u, 0, dense_mul(dense_mul(g, 1, a, 0), 0, x->v, 1), 0);
        sum = dense_add(1, sum, scale * scale / (double)batch.a.rows, squares(own));
    }
    return sum;
}

static void learn(model *x, kfac_batch batch, double scale, double decay, int step, int renew)
{
    ng_mat u, v, d, e;
    x->weight = decay * x->weight + 1;
    double keep = 1 - 1 / x->weight, add = 1 / x->weight;
    x->p = dense_add(keep, x->p, add, kfac_output_factor(batch, scale));
    x->q = dense_add(keep, x->q, add, kfac_input_factor(batch));
    if (step > 0)
        x->s = dense_add(keep, x->s, add, measured(x, batch, scale));
    if (!renew)
        return;
    dense_eigh(&d, &u, x->p);
    dense_eigh(&e, &v, x->q);
    x->s = step == 0 ? dense_mul(d, 1, e, 0)
                     : dense_mul(squares(dense_mul(u, 0, x->u, 1)), 0,
                                 dense_mul(x->s, 0, squares(dense_mul(v, 0, x->v, 1)), 1), 0);
    x->u = u;
    x->v = v;
}

static ng_mat direction(const model *x, ng_mat m, double lambda, int ball)
{
    double unit = 0;
    ng_mat y = dense_mul(x->u, 0, dense_mul(m, 0, x->v, 1), 0), h = dense_of(y);
    for (size_t i = 0; i < y.rows; i++)
        for (size_t j = 0; j < y.cols; j++)
            unit += (ng_mat_get(x->s, i, j) + lambda) / (double)(y.rows * y.cols);
    for (size_t i = 0; i < y.rows; i++)
        for (size_t j = 0; j < y.cols; j++) {
            double root = sqrt((ball == 0 ? 1 : unit) / (ng_mat_get(x->s, i, j) + lambda));
            ng_mat_set(h, i, j, root);
            ng_mat_set(y, i, j, root * ng_mat_get(y, i, j));
        }
    y = test_project(ball, y);
    for (size_t i = 0; i < y.rows; i++)
        for (size_t j = 0; j < y.cols; j++)
            ng_mat_set(y, i, j, ng_mat_get(h, i, j) * ng_mat_get(y, i, j));
    return dense_mul(x->u, 1, dense_mul(y, 0, x->v, 0), 0);
}

static void follow(double decay, int interval, size_t m, size_t n, int ball, test_setup setup)
{
    char text[200];
    test_rng rng = {21};
    test_run run;
    model x = {dense_mat(m, m),   dense_mat(n, n), dense_identity(m),
               dense_identity(n), dense_mat(m, n), 0};
    ng_mat mean = dense_mat(m, n);
    sprintf(text,
            "lr=1 momentum=0.6 damping=0.3 ema_decay=%g inverse_interval=%d eigenbasis=eigh%s",
            decay, interval, test_balls[ball]);
    test_run_open(&run, "ekfac", text, m, n, setup);
    for (int step = 0; step < 6; step++) {
        kfac_batch batch = kfac_random(12, m, n, &rng), one = batch, other = batch;
        one.a = ng_mat_block(batch.a, 0, 0, 5, n), one.g = ng_mat_block(batch.g, 0, 0, 5, m);
        other.a = ng_mat_block(batch.a, 5, 0, 7, n), other.g = ng_mat_block(batch.g, 5, 0, 7, m);
        learn(&x, batch, 1.3, decay, step, step % interval == 0);
        mean = dense_add(0.6, mean, 0.4, batch.dw);
        ng_assert_ok(kfac_capture(&run, one, 1.3), NULL);
        ng_assert_mat(kfac_direction(&run, other, 1.3), direction(&x, mean, 0.3, ball),
                      tolerance(setup));
    }
    test_run_close(&run);
    dense_release();
}

START_TEST(steps)
{
    static const size_t shapes[][2] = {{4, 3}, {3, 5}, {1, 4}, {4, 1}, {1, 1}};
    test_setup setup = test_setup_number(_i);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int ball = 0; ball < TEST_BALLS; ball++) {
            follow(0.8, 1, shapes[s][0], shapes[s][1], ball, setup);
            follow(0.8, 3, shapes[s][0], shapes[s][1], ball, setup);
            follow(0, 1000, shapes[s][0], shapes[s][1], ball, setup);
        }
}
END_TEST

/* More rows than are squared at a time. */
START_TEST(many_rows)
{
    test_rng rng = {22};
    test_run run;
    model x = {dense_mat(3, 3),   dense_mat(2, 2), dense_identity(3),
               dense_identity(2), dense_mat(3, 2), 0};
    test_run_open(&run, "ekfac", PLAIN "damping=0.1 ema_decay=0", 3, 2, test_setup_number(_i));
    for (int step = 0; step < 2; step++) {
        kfac_batch batch = kfac_random(1100, 3, 2, &rng);
        learn(&x, batch, 1, 0, step, step == 0);
        ng_assert_mat(kfac_direction(&run, batch, 1), direction(&x, batch.dw, 0.1, 0),
                      tolerance(test_setup_number(_i)));
    }
    test_run_close(&run);
    dense_release();
}
END_TEST

/* ---- kfac ------------------------------------------------------------------------------------ */

/* One sample, no average: F is the outer product of its gradient, both have it exactly. */
START_TEST(one_sample_is_kfac)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {23};
    test_run ekfac, kfac;
    kfac_batch batch = kfac_random(1, 3, 4, &rng);
    test_run_open(&ekfac, "ekfac", PLAIN "damping=0.2 ema_decay=0", 3, 4, setup);
    test_run_open(&kfac, "kfac", PLAIN "damping=0.2 ema_decay=0 damping_kind=exact_eigen", 3, 4,
                  setup);
    for (int step = 0; step < 4; step++) {
        ng_mat wanted = kfac_direction(&kfac, batch, 1.5);
        ng_assert_mat(kfac_direction(&ekfac, batch, 1.5), wanted, tolerance(setup));
    }
    ng_mat score = dense_mul(batch.g, 1, batch.a, 0), vec = dense_scale(1.5, score);
    vec.rows = 12, vec.cols = vec.stride = 1;
    ng_assert_mat(kfac_direction(&ekfac, batch, 1.5),
                  kfac_dense_solve(dense_mul(vec, 0, vec, 1), 0.2, batch.dw), tolerance(setup));
    test_run_close(&ekfac);
    test_run_close(&kfac);
    dense_release();
}
END_TEST

/* A layer with a bias is the layer whose inputs end with 1. */
START_TEST(bias)
{
    for (int dtype = 0; dtype < 2; dtype++)
        for (int layout = 0; layout < 2; layout++) {
            test_setup setup = {(ng_dtype)dtype, (ng_layout)layout, 1};
            test_rng rng = {24};
            test_run run, whole;
            ng_mat b = test_mat(1, 3, 0, setup.dtype), db = test_mat(1, 3, 0, setup.dtype);
            test_run_open(&run, "ekfac", PLAIN "damping=0.1 inverse_interval=2", 3, 4, setup);
            test_run_open(&whole, "ekfac", PLAIN "damping=0.1 inverse_interval=2", 3, 5, setup);
            ng_assert_ok(ng_group_add_bias(run.group, 0, b, db), NULL);
            for (int step = 0; step < 4; step++) {
                kfac_batch batch = kfac_random(9, 3, 5, &rng), part = batch;
                part.a = ng_mat_block(batch.a, 0, 0, 9, 4);
                batch.a = dense_with_ones(part.a);
                part.dw = ng_mat_block(batch.dw, 0, 0, 3, 4);
                for (size_t i = 0; i < 3; i++) {
                    ng_mat_set(b, 0, i, 0);
                    ng_mat_set(db, 0, i, ng_mat_get(batch.dw, i, 4));
                }
                ng_mat wanted = kfac_direction(&whole, batch, 2);
                ng_assert_mat(kfac_direction(&run, part, 2), ng_mat_block(wanted, 0, 0, 3, 4),
                              tolerance(setup));
                ng_assert_mat(dense_transpose(dense_of(b)),
                              dense_scale(-1, ng_mat_block(wanted, 0, 4, 3, 1)), tolerance(setup));
            }
            test_run_close(&run), test_run_close(&whole);
            test_free(b), test_free(db);
            dense_release();
        }
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------ */

static void refused(test_run *run, ng_status status, ng_status expected)
{
    ck_assert_int_eq(status, expected);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(run->opt), "'w'"));
}

/* Bad captures and steps leave no trace: the twin never had them. */
START_TEST(failures)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {25};
    test_run run, twin;
    test_run_open(&run, "ekfac", "inverse_interval=2", 3, 4, setup);
    test_run_open(&twin, "ekfac", "inverse_interval=2", 3, 4, setup);
    for (int step = 0; step < 5; step++) {
        kfac_batch batch = kfac_random(9, 3, 4, &rng), bad = batch;
        ng_mat before = test_copy(run.w);
        bad.a = dense_scale(setup.dtype == NG_F32 ? 1e15 : 1e100, batch.a);
        bad.g = dense_scale(setup.dtype == NG_F32 ? 1e15 : 1e100, batch.g);
        if (step > 0) /* of no use for the first */
            refused(&run, kfac_capture(&run, bad, 1), NG_ERANGE);
        bad = batch;
        bad.g = dense_of(batch.g);
        ng_mat_set(bad.g, 1, 1, NAN);
        refused(&run, kfac_capture(&run, bad, 1), NG_ENONFINITE);
        test_run_gradient(&run, batch.dw);
        refused(&run, ng_optimizer_step(run.opt), NG_ENODATA);
        ng_assert_ok(kfac_capture(&run, batch, 1), NULL);
        ng_assert_ok(kfac_capture(&twin, batch, 1), NULL);
        ng_mat_set(run.dw, 0, 0, NAN);
        refused(&run, ng_optimizer_step(run.opt), NG_ENONFINITE);
        ck_assert(test_same_bits(before, run.w));
        test_run_step(&run, batch.dw);
        test_run_step(&twin, batch.dw);
        ck_assert(test_same_bits(run.w, twin.w));
        test_free(before);
    }
    test_run_close(&run), test_run_close(&twin);
    dense_release();
}
END_TEST

START_TEST(singular_and_zero)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {26};
    test_run run;
    kfac_batch batch = kfac_random(2, 3, 4, &rng), zero = batch;
    test_run_open(&run, "ekfac", PLAIN "damping=0", 3, 4, setup);
    ng_assert_ok(kfac_capture(&run, batch, 1), NULL);
    test_run_gradient(&run, batch.dw);
    refused(&run, ng_optimizer_step(run.opt), NG_ESINGULAR);
    test_run_close(&run);
    zero.a = dense_mat(2, 4), zero.g = dense_mat(2, 3);
    test_run_open(&run, "ekfac", PLAIN "damping=0.5", 3, 4, setup);
    for (int step = 0; step < 3; step++) /* F = 0 */
        ng_assert_mat(kfac_direction(&run, zero, 1), dense_scale(2, batch.dw), tolerance(setup));
    zero.dw = dense_mat(3, 4);
    ck_assert(test_norm(kfac_direction(&run, zero, 1)) == 0);
    test_run_close(&run);
    dense_release();
}
END_TEST

/* ---- Convolutions -----------------------------------------------------------------------------
 */

enum { SAMPLES = 5, CHANNELS = 2, OUT = 3, SIDE = 4, KERNEL = 2, HERE = SIDE - KERNEL + 1 };
enum { POSITIONS = HERE * HERE, PATCH = CHANNELS * KERNEL * KERNEL };

static double pixel(ng_mat images, int sample, int channel, int y, int x)
{
    return ng_mat_get(images, (size_t)sample, (size_t)((channel * SIDE + y) * SIDE + x));
}

/* The patch of one position, channel, row, column: as W's columns are numbered. */
static void unfold(ng_mat row, ng_mat images, int sample, int position)
{
    for (int k = 0; k < PATCH; k++)
        ng_mat_set(row, 0, (size_t)k,
                   pixel(images, sample, k / (KERNEL * KERNEL),
                         position / HERE + k / KERNEL % KERNEL, position % HERE + k % KERNEL));
}

/* W's gradient of one sample and position by the definition of a convolution. */
static ng_mat gradient_at(ng_mat images, ng_mat slopes, int sample, int position)
{
    ng_mat dw = dense_mat(OUT, PATCH);
    for (int o = 0; o < OUT; o++)
        for (int c = 0; c < CHANNELS; c++)
            for (int y = 0; y < KERNEL; y++)
                for (int x = 0; x < KERNEL; x++)
                    ng_mat_set(
                        dw, (size_t)o, (size_t)((c * KERNEL + y) * KERNEL + x),
                        ng_mat_get(slopes, (size_t)(sample * POSITIONS + position), (size_t)o) *
                            pixel(images, sample, c, position / HERE + y, position % HERE + x));
    return dw;
}

/* Of a single position with constant statistics F is exact; of many, N = samples x positions:
 * F's trace is the mean squared gradient of a position, times T for scale sqrt(T). */
START_TEST(convolution)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {27};
    ng_mat images = dense_normal(SAMPLES, CHANNELS * SIDE * SIDE, &rng), dense, s;
    ng_mat slopes = dense_normal(SAMPLES * POSITIONS, OUT, &rng);
    kfac_batch batch = {dense_mat(SAMPLES * POSITIONS, PATCH), slopes, dense_mat(OUT, PATCH)};
    dense = dense_mat(OUT * PATCH, OUT * PATCH);
    for (int r = 0; r < SAMPLES * POSITIONS; r++) {
        unfold(ng_mat_block(batch.a, (size_t)r, 0, 1, PATCH), images, r / POSITIONS, r % POSITIONS);
        ng_mat own = gradient_at(images, slopes, r / POSITIONS, r % POSITIONS);
        batch.dw = dense_add(1, batch.dw, 1. / SAMPLES, own);
        own.rows = OUT * PATCH, own.cols = own.stride = 1;
        dense = dense_add(1, dense, 1. / SAMPLES, dense_mul(own, 0, own, 1)); /* a sample's */
    }
    ng_mat p = kfac_output_factor(batch, 1), q = kfac_input_factor(batch), u, v;
    dense_eigh(NULL, &u, p);
    dense_eigh(NULL, &v, q);
    /* the diagonal of the dense matrix in the eigenbasis, which scale sqrt(T) makes ekfac's */
    ng_mat basis = dense_kron(u, v);
    ng_mat turned = dense_mul(basis, 0, dense_mul(dense, 0, basis, 1), 0);
    s = dense_mat(OUT, PATCH);
    for (size_t i = 0; i < OUT * PATCH; i++)
        ng_mat_set(s, i / PATCH, i % PATCH, ng_mat_get(turned, i, i));
    model x = {p, q, u, v, s, 1};
    test_run run;
    test_run_open(&run, "ekfac", PLAIN "damping=0.3 ema_decay=0", OUT, PATCH, setup);
    kfac_direction(&run, batch, sqrt(POSITIONS)); /* the bases */
    ng_assert_mat(kfac_direction(&run, batch, sqrt(POSITIONS)), direction(&x, batch.dw, 0.3, 0),
                  tolerance(setup));
    test_run_close(&run);
    test_run_open(&run, "kfac", PLAIN "damping=0.3 damping_kind=exact_eigen", OUT, PATCH, setup);
    ng_assert_mat(kfac_direction(&run, batch, sqrt(POSITIONS)),
                  kfac_dense_solve(dense_kron(dense_scale(POSITIONS, p), q), 0.3, batch.dw),
                  tolerance(setup));
    test_run_close(&run);
    dense_release();
}
END_TEST

TEST_SUITE(ekfac)
{
    TCase *tcase = tcase_create("metric");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, steps, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, many_rows, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, one_sample_is_kfac, 0, TEST_SETUPS);
    tcase_add_test(tcase, bias);
    tcase_add_loop_test(tcase, failures, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, singular_and_zero, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, convolution, 0, TEST_SETUPS);
    suite_add_tcase(suite, tcase);
}
