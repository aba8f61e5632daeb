/* Layers under the kfac metric: weights and bias as one parameter [W b], and
 * parity with kfac-pytorch, the KL clip. */
#include "tests/support/kfac.h"

#include <stdio.h>

#define PLAIN "lr=1 momentum=0 update_interval=1 inverse_interval=1 "

/* ---- Bias -------------------------------------------------------------------------------- */

/* The last column of x, as 1 x rows; and x without it. */
static void split(ng_mat x, ng_mat w, ng_mat b, int transposed)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double value = ng_mat_get(x, i, j);
            if (j + 1 == x.cols)
                ng_mat_set(b, 0, i, value);
            else
                ng_mat_set(w, transposed ? j : i, transposed ? i : j, value);
        }
}

static ng_mat join(const test_run *run, ng_mat b)
{
    ng_mat w = test_run_weights(run), x = dense_mat(w.rows, w.cols + 1);
    for (size_t i = 0; i < w.rows; i++) {
        for (size_t j = 0; j < w.cols; j++)
            ng_mat_set(x, i, j, ng_mat_get(w, i, j));
        ng_mat_set(x, i, w.cols, ng_mat_get(b, 0, i));
    }
    return x;
}

/* A layer with a bias takes the steps of a hand-built m x (n+1) parameter whose
 * inputs end with a 1. */
static void compare(const char *preset, const char *settings, test_setup setup)
{
    test_run run, whole;
    test_rng rng = {21};
    kfac_batch batch = kfac_random(9, 3, 5, &rng);
    ng_mat b = test_mat(1, 3, 2, setup.dtype), db = test_mat(1, 3, 4, setup.dtype);
    test_run_open(&run, preset, settings, 3, 4, setup);
    test_run_open(&whole, preset, settings, 3, 5, setup);
    ng_assert_ok(ng_group_add_bias(run.group, 0, b, db), NULL);
    split(batch.dw, run.w, b, run.transposed); /* weights to begin with */
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 5; j++)
            ng_mat_set(whole.w, run.transposed ? j : i, run.transposed ? i : j,
                       ng_mat_get(batch.dw, i, j));
    for (int step = 0; step < 4; step++) {
        batch = kfac_random(9, 3, 4, &rng);
        ng_mat g = dense_normal(3, 5, &rng);
        kfac_batch with_ones = {dense_with_ones(batch.a), batch.g, g};
        split(g, run.dw, db, run.transposed);
        kfac_batch first = batch, second = batch;
        first.a.rows = first.g.rows = 4;
        second.a = ng_mat_block(batch.a, 4, 0, 5, 4);
        second.g = ng_mat_block(batch.g, 4, 0, 5, 3);
        ng_assert_ok(kfac_capture(&run, first, 9), NULL);
        ng_assert_ok(kfac_capture(&run, second, 9), NULL);
        ng_assert_ok(kfac_capture(&whole, with_ones, 9), NULL);
        ng_assert_ok(ng_optimizer_step(run.opt), NULL);
        test_run_step(&whole, g);
        ng_assert_mat(join(&run, b), test_run_weights(&whole),
                      setup.dtype == NG_F64 ? 1e-12 : 1e-5);
    }
    test_run_close(&run);
    test_run_close(&whole);
    test_free(b);
    test_free(db);
    dense_release();
}

START_TEST(bias_is_an_input_of_one)
{
    test_setup setup = test_setup_number(_i);
    compare("kfac", "lr=0.1 weight_decay=0.3 damping=0.1 inverse_interval=2", setup);
    compare("kfac", "lr=0.1 damping=0.1 damping_kind=exact_eigen", setup);
    compare("kfac_muon", "lr=0.1 damping=0.1 shape_scale=match_rms_adamw", setup);
    compare("kfac", "lr=0.1 damping=0.1 one_sided=always", setup);
}
END_TEST

/* ---- Parity ------------------------------------------------------------------------------- */

/* kfac-pytorch's statistics use the mean loss's gradients as they are: scale 1. */
static void parity(const char *file, const char *settings, int layer, test_setup setup)
{
    char name[32];
    test_run run;
    double tolerance = setup.dtype == NG_F64 ? 3e-6 : 1e-5;
    size_t m = layer == 1 ? 5 : 3, n = layer == 1 ? 6 : 5;
    ng_mat b = test_mat(1, m, 0, setup.dtype), db = test_mat(1, m, 0, setup.dtype);
    test_run_open(&run, "kfac", settings, m, n, setup);
    ng_assert_ok(ng_group_add_bias(run.group, 0, b, db), NULL);
    for (int step = 0; step < 3; step++) {
        ng_mat read[4];
        static const char *const what[] = {"A", "G", "dW", "precond"};
        for (int i = 0; i < 4; i++) {
            snprintf(name, sizeof name, "step%d_%s%d", step, what[i], layer);
            read[i] = test_vector(file, name);
        }
        kfac_batch batch = {read[0], read[1], read[2]};
        ng_fill(run.w, 0);
        ng_fill(b, 0);
        split(batch.dw, run.dw, db, run.transposed);
        ng_assert_ok(kfac_capture(&run, batch, 1), NULL);
        ck_assert_msg(ng_optimizer_step(run.opt) == NG_OK, "%s", ng_optimizer_error(run.opt));
        ng_mat reached = join(&run, b);
        ng_assert_mat(dense_scale(-1, reached), read[3], tolerance);
        for (int i = 0; i < 4; i++)
            test_free(read[i]);
    }
    test_run_close(&run);
    test_free(b);
    test_free(db);
    dense_release();
}

START_TEST(kfac_pytorch)
{
    static const char start[] = PLAIN "damping=0.04 ema_decay=0.95 factor_start=identity ";
    char settings[200];
    test_setup setup = test_setup_number(_i);
    for (int layer = 1; layer <= 2; layer++) {
        strcat(strcpy(settings, start), "damping_kind=exact_eigen");
        parity("kfac_pytorch_eigen.txt", settings, layer, setup);
        strcat(strcpy(settings, start), "damping_kind=per_factor");
        parity("kfac_pytorch_inverse.txt", settings, layer, setup);
    }
}
END_TEST

/* ---- KL clip -------------------------------------------------------------------------------- */

enum { LAYERS = 3 };

/* One step of three layers from W = 0 with the largest KL allowed, 0 for any.
 * The weights after it, on dense.h's list. The last layer's gradient is zero. */
static void three_layers(ng_mat *reached, kfac_batch batch[LAYERS], const char *clip,
                         test_setup setup)
{
    char settings[200];
    test_run run;
    ng_mat w[LAYERS], dw[LAYERS];
    strcat(strcpy(settings, "lr=0.3 momentum=0 damping=0.1 damping_kind=per_factor "), clip);
    test_run_open(&run, "kfac", settings, 3, 4, setup);
    for (int i = 0; i < LAYERS; i++) {
        w[i] = i == 0 ? run.w : test_mat(3, 4, 1, setup.dtype);
        dw[i] = i == 0 ? run.dw : test_mat(3, 4, 0, setup.dtype);
        test_assign(dw[i], batch[i].dw);
        if (i > 0)
            ng_assert_ok(ng_group_add(run.group, NULL, i == 1 ? "second" : "third", w[i], dw[i]),
                         NULL);
        ng_mat a = test_convert(batch[i].a, setup.dtype), g = test_convert(batch[i].g, setup.dtype);
        ng_assert_ok(ng_group_capture(run.group, (size_t)i, a, g, 1), NULL);
        test_free(a);
        test_free(g);
    }
    ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    for (int i = 0; i < LAYERS; i++) {
        reached[i] = dense_of(w[i]);
        if (i > 0) {
            test_free(w[i]);
            test_free(dw[i]);
        }
    }
    ng_optimizer_destroy(run.opt);
    test_free(run.w);
    test_free(run.dw);
}

/* 1/2 sum <W, F W> for the damped F of each layer. */
static double divergence(const ng_mat *w, const kfac_batch *batch)
{
    double sum = 0;
    for (int i = 0; i < LAYERS; i++) {
        ng_mat p = kfac_damped(kfac_output_factor(batch[i], 1), 0.1);
        ng_mat q = kfac_damped(kfac_input_factor(batch[i]), 0.1);
        sum += dense_dot(w[i], dense_mul(p, 0, dense_mul(w[i], 0, q, 0), 0)) / 2;
    }
    return sum;
}

START_TEST(kl_clip)
{
    test_setup setup = {_i ? NG_F32 : NG_F64, NG_OUT_IN, 0};
    double tolerance = _i ? 1e-5 : 1e-12;
    test_rng rng = {41};
    kfac_batch batch[LAYERS];
    ng_mat free_steps[LAYERS], clipped[LAYERS], wide[LAYERS];
    for (int i = 0; i < LAYERS; i++)
        batch[i] = kfac_random(9, 3, 4, &rng);
    batch[2].dw = dense_mat(3, 4);
    three_layers(free_steps, batch, "", setup);
    three_layers(clipped, batch, "kl_clip=0.01", setup);
    three_layers(wide, batch, "kl_clip=1000", setup);
    double kl = divergence(free_steps, batch);
    ck_assert(kl > 0.02);
    ng_assert_rel(divergence(clipped, batch), 0.01, tolerance);
    for (int i = 0; i < 2; i++) { /* the same factor on every layer */
        ng_assert_mat(clipped[i], dense_add(sqrt(0.01 / kl), free_steps[i], 0, clipped[i]),
                      tolerance);
        ck_assert(test_same_bits(wide[i], free_steps[i]));
    }
    ck_assert(test_norm(clipped[2]) == 0);
    for (int i = 0; i < LAYERS; i++)
        batch[i].dw = batch[2].dw;
    three_layers(clipped, batch, "kl_clip=0.01", setup);
    ck_assert(test_norm(clipped[0]) == 0); /* no step at all: no factor of 0/0 */
    dense_release();
}
END_TEST

/* A clipped step is of one length however large its gradient, also where <D, M> has no place. */
START_TEST(kl_clip_of_any_gradient)
{
    static const double scales[] = {1e100, 1e150, 1e200};
    test_setup setup = {NG_F64, NG_OUT_IN, 0};
    test_rng rng = {43};
    kfac_batch batch = kfac_random(9, 3, 4, &rng);
    ng_mat reached[3], dw = batch.dw;
    for (int i = 0; i < 3; i++) {
        test_run run;
        test_run_open(&run, "kfac", "lr=1 momentum=0 damping=0.1", 3, 4, setup);
        ng_assert_ok(ng_group_set(run.group, "kl_clip", 0.01), NULL);
        batch.dw = dense_scale(scales[i], dw);
        reached[i] = kfac_direction(&run, batch, 1);
        test_run_close(&run);
    }
    ck_assert(test_norm(reached[0]) > 0);
    ng_assert_mat(reached[1], reached[0], 1e-12);
    ng_assert_mat(reached[2], reached[0], 1e-12);
    dense_release();
}
END_TEST

TEST_SUITE(layer)
{
    TCase *tcase = tcase_create("layer");
    tcase_add_loop_test(tcase, bias_is_an_input_of_one, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, kfac_pytorch, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, kl_clip, 0, 2);
    tcase_add_test(tcase, kl_clip_of_any_gradient);
    suite_add_tcase(suite, tcase);
}
