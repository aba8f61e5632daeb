/* FISMO: the trust-region step it solves, Algorithm 1 re-implemented densely,
 * and the forms that must be one and the same. */
#include "tests/support/fismo.h"
#include "tests/support/run.h"

static const size_t shapes[][2] = {{3, 7}, {7, 3}, {5, 5}, {1, 6}, {6, 1}, {1, 1}, {8, 13}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

#define PLAIN TEST_EACH_STEP "lr=1 gradient_scale=none "

static const fismo_rule first_step = {.momentum = 0, .ema_decay = 0.3, .damping = 0.2};

/* f32: rounding of G, P and Q is amplified by the roots' conditions, at most
 * (1 + 1/mu) each here */
static double tolerance(ng_dtype dtype, double f64)
{
    return dtype == NG_F64 ? f64 : 1e-4;
}

/* ---- The trust region --------------------------------------------------------------- */

/* With M = G, D has ||P^1/2 D Q^1/2||_2 = 1 and <G, D> = ||P^-1/2 G Q^-1/2||_*,
 * the dual norm, which no other D in the ball reaches. */
static void check_trust_region(size_t m, size_t n, const char *settings, test_setup setup)
{
    test_rng rng = {31 + m + 10 * n};
    test_run run;
    fismo_state state;
    char text[256] = PLAIN "momentum=0 ema_decay=0.3 damping=0.2 ";
    strcat(text, settings);
    test_run_open(&run, "fismo", text, m, n, setup);
    fismo_open(&state, m, n, first_step);
    for (int step = 0; step < 4; step++) {
        ng_mat g = dense_normal(m, n, &rng);
        ng_mat d = test_run_direction(&run, g);
        fismo_step(&state, g);
        double tol = strstr(settings, "fast") != NULL ? TEST_FAST : tolerance(setup.dtype, 1e-10);
        ng_assert_rel(dense_spectral(fismo_between(&state, 0.5, d)), 1, tol);
        ng_assert_rel(dense_dot(g, d), dense_nuclear(fismo_between(&state, -0.5, g)), tol);
        ng_mat other = fismo_between(&state, -0.5, dense_polar(dense_normal(m, n, &rng), 0));
        ng_assert_le(dense_dot(g, other), dense_dot(g, d) * (1 + tol));
        dense_release();
    }
    fismo_close(&state);
    test_run_close(&run);
}

START_TEST(trust_region)
{
    static const char *const settings[] = {
        "root=cholesky polar=exact", "root=symmetric polar=exact", "root=inverse polar=exact",
        "root=cholesky polar=fast",  "root=symmetric polar=fast",  "root=inverse polar=fast"};
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int s = 0; s < 6; s++)
            check_trust_region(shapes[_i][0], shapes[_i][1], settings[s], test_setup_number(i));
}
END_TEST

/* ---- Against the dense program ---------------------------------------------------------- */

/* W after each of `steps` steps, decay included: the worst error relative to
 * the largest W so far, for a walk may return to near zero */
static double follow(const char *preset, const char *settings, size_t m, size_t n, fismo_rule rule,
                     test_setup setup, int steps)
{
    test_rng rng = {37 + m + 10 * n};
    test_run run;
    fismo_state state;
    double worst = 0, largest = 0;
    ng_mat w = test_mat(m, n, 0, NG_F64);
    test_run_open(&run, preset, settings, m, n, setup);
    fismo_open(&state, m, n, rule);
    for (int step = 0; step < steps; step++) {
        ng_mat rounded = test_convert(dense_normal(m, n, &rng), setup.dtype), g = dense_of(rounded);
        test_free(rounded);
        test_run_step(&run, g);
        test_assign(w, dense_add(1 - 0.05 * 0.1, w, -0.05, fismo_step(&state, g)));
        largest = fmax(largest, test_norm(w));
        worst = fmax(worst, test_norm(dense_add(1, test_run_weights(&run), -1, w)) / largest);
        dense_release();
    }
    fismo_close(&state);
    test_run_close(&run);
    test_free(w);
    return worst;
}

#define SETTINGS                                                                                   \
    TEST_EXACT TEST_EACH_STEP "lr=0.05 weight_decay=0.1 momentum=0.8 ema_decay=0.9 damping=0.3 "

START_TEST(algorithm_1)
{
    fismo_rule rule = {.momentum = 0.8, .ema_decay = 0.9, .damping = 0.3, .whitened = 1};
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i);
        double error =
            follow("fismo_paper", SETTINGS, shapes[_i][0], shapes[_i][1], rule, setup, 50);
        ng_assert_le(error, tolerance(setup.dtype, 1e-10));
    }
}
END_TEST

START_TEST(variants)
{
    static const struct {
        const char *preset, *settings;
        fismo_rule rule;
    } cases[] = {
        {"fismo", SETTINGS, {0.8, 0.9, 0.3, .rms = 1}},
        {"fismo", SETTINGS "gradient_scale=none nesterov=yes", {0.8, 0.9, 0.3, .nesterov = 1}},
        {"fismo", SETTINGS "metric_scale=none", {0.8, 0.9, 0.3, .rms = 1, .unscaled = 1}},
        {"fismo", SETTINGS "metric_scale=trace root=symmetric", {0.8, 0.9, 0.3, .rms = 1}},
        {"fismo_paper",
         SETTINGS "nesterov=yes gradient_scale=rms",
         {0.8, 0.9, 0.3, .whitened = 1, .nesterov = 1, .rms = 1}},
        {"fismo_paper",
         SETTINGS "metric_scale=none",
         {0.8, 0.9, 0.3, .whitened = 1, .unscaled = 1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (int i = 0; i < TEST_SETUPS; i += 3) {
            test_setup setup = test_setup_number(i);
            double error = follow(cases[c].preset, cases[c].settings, shapes[_i][0], shapes[_i][1],
                                  cases[c].rule, setup, 20);
            ck_assert_msg(error <= tolerance(setup.dtype, 1e-10), "%s %s: %g", cases[c].preset,
                          cases[c].settings, error);
        }
}
END_TEST

/* The oracle with the wrong order (Q before P) is far away: the comparison
 * above does see the order, and so the layout's swap of sides. */
START_TEST(order_matters)
{
    fismo_rule rule = {0.8, 0.9, 0.3, .whitened = 1, .q_first = 1};
    for (int i = 0; i < TEST_SETUPS; i += 2) {
        double error = follow("fismo_paper", SETTINGS, 3, 7, rule, test_setup_number(i), 10);
        ck_assert_msg(error > 1e-4, "the wrong order is only %g away", error);
    }
}
END_TEST

/* ---- Forms that must agree -------------------------------------------------------------- */

/* worst relative difference of W between two settings over some steps */
static double compare(const char *a, const char *settings_a, const char *b, const char *settings_b,
                      size_t m, size_t n, test_setup setup, int steps)
{
    test_rng rng = {41 + m + 10 * n};
    test_run x, y;
    double worst = 0;
    test_run_open(&x, a, settings_a, m, n, setup);
    test_run_open(&y, b, settings_b, m, n, setup);
    for (int step = 0; step < steps; step++) {
        ng_mat g = dense_normal(m, n, &rng);
        test_run_step(&x, g);
        test_run_step(&y, g);
        worst = fmax(worst, test_rel_error(test_run_weights(&x), test_run_weights(&y)));
        dense_release();
    }
    test_run_close(&x);
    test_run_close(&y);
    return worst;
}

START_TEST(root_invariance)
{
    static const char *const others[] = {SETTINGS "root=symmetric", SETTINGS "root=inverse"};
    for (int i = 0; i < 2 * TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i / 2);
        double error = compare("fismo", SETTINGS "root=cholesky", "fismo", others[i % 2],
                               shapes[_i][0], shapes[_i][1], setup, 50);
        ng_assert_le(error, tolerance(setup.dtype, 1e-10));
    }
}
END_TEST

START_TEST(fused_is_unfused)
{
    static const char *const roots[] = {"root=cholesky ", "root=symmetric ", "root=inverse "};
    for (int i = 0; i < 3 * TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i / 3);
        char fast[256] = SETTINGS "polar=fast ", exact[256] = SETTINGS "polar=exact ";
        strcat(fast, roots[i % 3]);
        strcat(exact, roots[i % 3]);
        double error =
            compare("fismo", fast, "fismo", exact, shapes[_i][0], shapes[_i][1], setup, 20);
        ng_assert_le(error, TEST_FAST);
    }
}
END_TEST

/* Huge damping makes both factors multiples of I, trace 1 the identity. */
START_TEST(muon_is_the_limit)
{
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i);
        double error =
            compare("fismo",
                    "lr=0.05 damping=1e14 nesterov=yes shape_scale=original " TEST_EXACT
                    "gradient_scale=none",
                    "muon", TEST_EXACT "lr=0.05", shapes[_i][0], shapes[_i][1], setup, 20);
        ng_assert_le(error, tolerance(setup.dtype, 1e-10));
    }
}
END_TEST

/* G -> c G for powers of two and for factors that round G anew. */
START_TEST(gradient_scale)
{
    static const double factors[] = {1e-10, 1e-3, 0x1p-33, 0x1p30, 1e3, 1e10};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < 6 * TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i / 6);
        test_rng rng = {43 + m + 10 * n};
        test_run x, y;
        test_run_open(&x, "fismo", SETTINGS, m, n, setup);
        test_run_open(&y, "fismo", SETTINGS, m, n, setup);
        for (int step = 0; step < 10; step++) {
            ng_mat g = dense_normal(m, n, &rng);
            test_run_step(&x, g);
            test_run_step(&y, dense_scale(factors[i % 6], g));
            ng_assert_mat(test_run_weights(&y), test_run_weights(&x),
                          tolerance(setup.dtype, 1e-12));
            dense_release();
        }
        test_run_close(&x);
        test_run_close(&y);
    }
}
END_TEST

TEST_SUITE(fismo)
{
    TCase *tcase = tcase_create("identities");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, trust_region, 0, SHAPES);
    tcase_add_loop_test(tcase, algorithm_1, 0, SHAPES);
    tcase_add_loop_test(tcase, variants, 0, SHAPES);
    tcase_add_test(tcase, order_matters);
    tcase_add_loop_test(tcase, root_invariance, 0, SHAPES);
    tcase_add_loop_test(tcase, fused_is_unfused, 0, SHAPES);
    tcase_add_loop_test(tcase, muon_is_the_limit, 0, SHAPES);
    tcase_add_loop_test(tcase, gradient_scale, 0, SHAPES);
    suite_add_tcase(suite, tcase);
}
