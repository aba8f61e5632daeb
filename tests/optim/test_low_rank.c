/* rank > 0: the larger side's factor as low rank plus a multiple of the identity, against the dense
 * program that cuts back a whole one, and against whole ones that are of that form. */
#include <stdio.h>

#include "tests/support/fismo.h"
#include "tests/support/kfac.h"

#define STEP "lr=0.05 momentum=0.8 ema_decay=0.9 damping=0.3 "
#define FISMO TEST_EXACT "refresh_p=1 refresh_q=1 " STEP

static const size_t shapes[][2] = {{3, 9}, {9, 3}, {1, 7}, {7, 1}, {5, 6}, {6, 12}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* f32: rounding is amplified by the roots' conditions and by 1 / the gap where the factor is cut.
 */
static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F64 ? 1e-10 : 1e-3;
}

/* W after each step of gradients x base, x as normal as can be: the worst error relative to the
 * largest W so far */
static double follow(const char *preset, const char *settings, ng_mat base, size_t m,
                     fismo_rule rule, test_setup setup)
{
    test_rng rng = {7 + m + 10 * base.cols};
    test_run run;
    fismo_state state;
    size_t n = base.cols;
    double worst = 0, largest = 0;
    ng_mat w = test_mat(m, n, 0, NG_F64), b = test_mat(base.rows, n, 0, NG_F64);
    test_assign(b, base);
    test_run_open(&run, preset, settings, m, n, setup);
    fismo_open(&state, m, n, rule);
    for (int step = 0; step < 8; step++) {
        ng_mat g = dense_mul(dense_normal(m, b.rows, &rng), 0, b, 0);
        ng_mat rounded = test_convert(g, setup.dtype);
        g = dense_of(rounded);
        test_free(rounded);
        test_run_step(&run, g);
        test_assign(w, dense_add(1, w, -0.05, fismo_step(&state, g)));
        largest = fmax(largest, test_norm(w));
        worst = fmax(worst, test_norm(dense_add(1, test_run_weights(&run), -1, w)) / largest);
        dense_release();
    }
    fismo_close(&state);
    test_run_close(&run);
    test_free(w), test_free(b);
    return worst;
}

START_TEST(fismo_is_cut_back)
{
    static const struct {
        const char *preset, *settings;
        fismo_rule rule;
    } cases[] = {
        {"fismo", FISMO "rank=2 root=cholesky", {0.8, 0.9, 0.3, .rms = 1, .rank = 2}},
        {"fismo", FISMO "rank=4 one_sided=always", {0.8, 0.9, 0.3, .rms = 1, .rank = 4}},
        {"fismo",
         FISMO "rank=2 root=symmetric metric_scale=none",
         {0.8, 0.9, 0.3, .rms = 1, .unscaled = 1, .rank = 2}},
        {"fismo",
         FISMO "rank=2 refresh_p=2 refresh_q=3",
         {0.8, 0.9, 0.3, .rms = 1, .every_p = 2, .every_q = 3, .rank = 2}},
        {"fismo_paper", TEST_EXACT STEP "rank=3", {0.8, 0.9, 0.3, .whitened = 1, .rank = 3}}};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < 10; i++) {
        test_setup setup = test_setup_number((3 * i + _i) % TEST_SETUPS);
        double error = follow(cases[i / 2].preset, cases[i / 2].settings, dense_identity(n), m,
                              cases[i / 2].rule, setup);
        ck_assert_msg(error <= tolerance(setup.dtype), "%zu x %zu %s: %g", m, n,
                      cases[i / 2].settings, error);
    }
}
END_TEST

/* the fast polar factors' form, without a root */
START_TEST(fused)
{
    fismo_rule rule = {0.8, 0.9, 0.3, .rms = 1, .rank = 2};
    for (int i = 0; i < TEST_SETUPS; i++)
        ng_assert_le(follow("fismo", "refresh_p=1 refresh_q=1 polar=fast rank=2 " STEP,
                            dense_identity(shapes[_i][1]), shapes[_i][0], rule,
                            test_setup_number(i)),
                     TEST_FAST);
}
END_TEST

/* Gradients of one row space, no larger than rank: nothing is cut away. */
START_TEST(fismo_is_whole)
{
    fismo_rule rule = {0.8, 0.9, 0.3, .rms = 1};
    test_rng rng = {3};
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i);
        ng_mat base = dense_normal(3, 17, &rng);
        ng_assert_le(follow("fismo", FISMO "rank=3", base, 3, rule, setup),
                     tolerance(setup.dtype) / 10);
    }
}
END_TEST

/* A side no longer than rank has a whole factor: the same bits. */
START_TEST(longer_than_the_side)
{
    static const char *const presets[] = {"fismo", "kfac", "kfac_muon"};
    test_rng rng = {5};
    for (int i = 0; i < 3 * TEST_SETUPS; i++) {
        kfac_batch batch = kfac_random(4, 3, 5, &rng);
        test_run whole, cut;
        test_run_open(&whole, presets[i / TEST_SETUPS], "lr=1", 3, 5, test_setup_number(i % 8));
        test_run_open(&cut, presets[i / TEST_SETUPS], "lr=1 rank=5", 3, 5,
                      test_setup_number(i % 8));
        for (int step = 0; step < 2; step++) {
            if (i >= TEST_SETUPS) {
                ng_assert_ok(kfac_capture(&whole, batch, 1), NULL);
                ng_assert_ok(kfac_capture(&cut, batch, 1), NULL);
            }
            test_run_step(&whole, batch.dw);
            test_run_step(&cut, batch.dw);
        }
        ck_assert(test_norm(dense_add(1, test_run_weights(&whole), -1, test_run_weights(&cut))) ==
                  0);
        test_run_close(&whole);
        test_run_close(&cut);
        dense_release();
    }
}
END_TEST

/* ---- K-FAC ------------------------------------------------------------------------------- */

static ng_mat mean_of(ng_mat x, ng_mat y)
{
    return dense_add(0.5, x, 0.5, y);
}

/* Two captures of two samples: rank 4 is all there is, on either side. */
START_TEST(kfac_is_whole)
{
    static const char *const settings[] = {"rank=4 damping_kind=per_factor damping=0.3 ",
                                           "rank=4 damping=0.3 root=symmetric ",
                                           "rank=4 damping=0.3 root=inverse "};
    static const size_t of[][2] = {{3, 11}, {11, 3}, {2, 6}, {1, 5}};
    test_rng rng = {17};
    for (int i = 0; i < 12; i++) {
        test_setup setup = test_setup_number((i + _i) % TEST_SETUPS);
        size_t m = of[i % 4][0], n = of[i % 4][1];
        kfac_batch first = kfac_random(2, m, n, &rng), second = kfac_random(2, m, n, &rng);
        ng_mat p = mean_of(kfac_output_factor(first, 2), kfac_output_factor(second, 2));
        ng_mat q = mean_of(kfac_input_factor(first), kfac_input_factor(second));
        double pi = sqrt(dense_trace(p) / (double)m * (double)n / dense_trace(q));
        double root = sqrt(0.3);
        ng_mat d = i / 4 == 0 ? kfac_solve(kfac_damped(p, 0.3), kfac_damped(q, 0.3), second.dw)
                              : kfac_solve(kfac_damped(p, root * pi), kfac_damped(q, root / pi),
                                           second.dw);
        char text[128];
        test_run run;
        sprintf(text, "lr=1 momentum=0 %s", settings[i / 4]);
        test_run_open(&run, "kfac", text, m, n, setup);
        ng_assert_ok(kfac_capture(&run, first, 2), NULL);
        ng_assert_mat(kfac_direction(&run, second, 2), d, setup.dtype == NG_F64 ? 1e-10 : 3e-5);
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

/* Averages over steps, of inputs in one space of 3 dimensions; inverted every `interval` steps. */
static void check_averages(test_setup setup, int interval)
{
    test_rng rng = {29};
    test_run run;
    size_t m = 2, n = 9;
    ng_mat base = dense_normal(3, n, &rng), p = dense_mat(m, m), q = dense_mat(n, n), of[2], d;
    double weight = 0;
    char settings[160];
    sprintf(settings,
            "lr=1 momentum=0 ema_decay=0.8 damping=0.3 damping_kind=per_factor rank=3 "
            "update_interval=1 inverse_interval=%d",
            interval);
    test_run_open(&run, "kfac", settings, m, n, setup);
    for (int step = 0; step < 5; step++) {
        kfac_batch batch = kfac_random(7, m, n, &rng);
        batch.a = dense_mul(dense_normal(7, 3, &rng), 0, base, 0);
        weight = 1 + 0.8 * weight;
        p = dense_add(1 - 1 / weight, p, 1 / weight, kfac_output_factor(batch, 1));
        q = dense_add(1 - 1 / weight, q, 1 / weight, kfac_input_factor(batch));
        if (step % interval == 0)
            of[0] = kfac_damped(p, 0.3), of[1] = kfac_damped(q, 0.3);
        d = kfac_solve(of[0], of[1], batch.dw);
        ng_assert_mat(kfac_direction(&run, batch, 1), d, setup.dtype == NG_F64 ? 1e-9 : 1e-4);
    }
    test_run_close(&run);
    dense_release();
}

START_TEST(kfac_averages)
{
    for (int interval = 1; interval <= 3; interval++)
        check_averages(test_setup_number(_i), interval);
}
END_TEST

/* ---- Layers ------------------------------------------------------------------------------- */

/* A few layers in one group; what they hold is on dense.h's list. */
typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w[2], dw[2], b, db;
} layers;

static void open_layers(layers *x, const char *preset, const char *settings)
{
    void *o = test_options(preset, settings);
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, o), NULL);
    free(o);
}

static void add_layer(layers *x, size_t i, size_t m, size_t n)
{
    x->w[i] = dense_mat(m, n), x->dw[i] = dense_mat(m, n);
    ng_assert_ok(ng_group_add(x->group, NULL, i == 0 ? "first" : "second", x->w[i], x->dw[i]),
                 NULL);
}

/* A bias is one more input, 1: of a layer of low rank too. */
START_TEST(bias)
{
    test_rng rng = {23};
    layers with, without;
    open_layers(&with, "kfac", "rank=3");
    open_layers(&without, "kfac", "rank=3");
    add_layer(&with, 0, 2, 7);
    add_layer(&without, 0, 2, 8);
    with.b = dense_mat(1, 2), with.db = dense_mat(1, 2);
    ng_assert_ok(ng_group_add_bias(with.group, 0, with.b, with.db), NULL);
    for (int step = 0; step < 6; step++) {
        for (int micro = 0; micro < 2; micro++) {
            ng_mat a = dense_normal(5, 7, &rng), g = dense_normal(5, 2, &rng);
            ng_assert_ok(ng_group_capture(with.group, 0, a, g, 2), NULL);
            ng_assert_ok(ng_group_capture(without.group, 0, dense_with_ones(a), g, 2), NULL);
        }
        test_fill_normal(without.dw[0], &rng);
        ng_assert_ok(ng_copy(with.dw[0], ng_mat_block(without.dw[0], 0, 0, 2, 7), NULL), NULL);
        for (size_t i = 0; i < 2; i++)
            ng_mat_set(with.db, 0, i, ng_mat_get(without.dw[0], i, 7));
        ng_assert_ok(ng_optimizer_step(with.opt), NULL);
        ng_assert_ok(ng_optimizer_step(without.opt), NULL);
    }
    ng_assert_mat(with.w[0], ng_mat_block(without.w[0], 0, 0, 2, 7), 1e-9);
    ng_assert_rel(ng_mat_get(with.b, 0, 1), ng_mat_get(without.w[0], 1, 7), 1e-9);
    ng_optimizer_destroy(with.opt);
    ng_optimizer_destroy(without.opt);
    dense_release();
}
END_TEST

/* Inputs that two layers share have the first one's factor, also where they are the second one's
 * smaller side: what is of low rank is the same factor as a whole one. */
START_TEST(shared_inputs)
{
    static const char *const presets[] = {"kfac", "kfac_muon"};
    test_rng rng = {31};
    layers low, whole;
    open_layers(&low, presets[_i], "rank=4 damping=0.3");
    open_layers(&whole, presets[_i], "damping=0.3");
    for (int k = 0; k < 2; k++) {
        layers *x = k ? &whole : &low;
        add_layer(x, 0, 3, 9);
        add_layer(x, 1, 12, 9);
        ng_assert_ok(ng_group_share_inputs(x->group, 0, 2), NULL);
    }
    for (int step = 0; step < 3; step++) {
        ng_mat a = dense_normal(4, 9, &rng), g[2];
        for (size_t i = 0; i < 2 && step == 0; i++) { /* rank 4 is all there is */
            g[i] = dense_normal(4, i ? 12 : 3, &rng);
            ng_assert_ok(ng_group_capture(low.group, i, a, g[i], 1), NULL);
            ng_assert_ok(ng_group_capture(whole.group, i, a, g[i], 1), NULL);
            test_fill_normal(low.dw[i], &rng);
            ng_assert_ok(ng_copy(whole.dw[i], low.dw[i], NULL), NULL);
        }
        for (int k = 0; k < 2 && step == 0; k++) {
            layers *x = k ? &whole : &low;
            ng_assert_ok(ng_group_set(x->group, "update_interval", 10), NULL);
        }
        ng_assert_ok(ng_optimizer_step(low.opt), NULL);
        ng_assert_ok(ng_optimizer_step(whole.opt), NULL);
        for (size_t i = 0; i < 2; i++)
            ng_assert_mat(low.w[i], whole.w[i], _i ? 2 * TEST_FAST : 1e-8);
    }
    ng_optimizer_destroy(low.opt);
    ng_optimizer_destroy(whole.opt);
    dense_release();
}
END_TEST

START_TEST(refused)
{
    test_options_refused("kfac", "damping_kind=exact_eigen rank=3", "rank");
    test_options_refused("kfac", "damping_kind=diagonal rank=3", "rank");
    test_options_refused("fismo", "rank=-1", "rank");
    test_options_refused("soap", "rank=3", "rank");
}
END_TEST

static size_t state_of(const char *preset, const char *settings, size_t m, size_t n, ng_dtype dtype)
{
    ng_memory memory;
    void *o = test_options(preset, settings);
    ng_assert_ok(ng_options_memory(&memory, o, m, n, dtype, NULL), NULL);
    free(o);
    return memory.state;
}

/* n r for the directions and, with captures, n (r + 4) for the sums of one step and for averages.
 */
START_TEST(memory)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        size_t m = 10, n = 1000, r = 8, size = ng_dtype_size((ng_dtype)dtype);
        size_t one = state_of("fismo", "one_sided=always", m, n, (ng_dtype)dtype);
        ck_assert_uint_eq(state_of("fismo", "rank=8", m, n, (ng_dtype)dtype),
                          one + r * n * size + (r + 1) * 8);
        one = state_of("kfac", "one_sided=always", n, m, (ng_dtype)dtype);
        ck_assert_uint_eq(state_of("kfac", "rank=8", n, m, (ng_dtype)dtype),
                          one + (3 * r + 8) * n * size + (2 * r + 5) * 8);
    }
}
END_TEST

TEST_SUITE(low_rank)
{
    TCase *tcase = tcase_create("low rank");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, fismo_is_cut_back, 0, SHAPES);
    tcase_add_loop_test(tcase, fused, 0, SHAPES);
    tcase_add_test(tcase, fismo_is_whole);
    tcase_add_test(tcase, longer_than_the_side);
    tcase_add_loop_test(tcase, kfac_is_whole, 0, 3);
    tcase_add_loop_test(tcase, kfac_averages, 0, TEST_SETUPS);
    tcase_add_test(tcase, bias);
    tcase_add_loop_test(tcase, shared_inputs, 0, 2);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, memory);
    suite_add_tcase(suite, tcase);
}
