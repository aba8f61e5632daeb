/* Roots that are kept because every eigen-solver failed, against a dense
 * program that keeps them likewise; the polar factor is found without them. */
#include "tests/support/dense.h"
#include "tests/support/run.h"

/* eigenproblems from here on: which of them fail, bit 0 the next one */
static unsigned failing;
static int problems;

static fault_kind solve(fault_call call)
{
    if (call == ON_SYEVD)
        return failing >> problems++ & 1 ? FAIL : SPARE;
    return call == ON_SYEVR ? FAIL : SPARE;
}

static void hook(void)
{
    failing = 0;
    fault_hook = solve;
}

static void unhook(void)
{
    fault_over();
}

/* ---- The dense program ----------------------------------------------------------------- */

#define SETTINGS                                                                                   \
    TEST_EXACT TEST_EACH_STEP                                                                      \
        "lr=1 momentum=0.8 ema_decay=0.9 damping=0.3 gradient_scale=none root=symmetric "

typedef struct {
    ng_mat p, q, sp, sq, m; /* factors, their inverse roots, the average */
    int whitened;
} model;

static model open_model(size_t m, size_t n, int whitened)
{
    model d = {test_mat(m, m, 0, NG_F64), test_mat(n, n, 0, NG_F64), test_mat(m, m, 0, NG_F64),
               test_mat(n, n, 0, NG_F64), test_mat(m, n, 0, NG_F64), whitened};
    test_assign(d.p, dense_identity(m)), test_assign(d.sp, d.p);
    test_assign(d.q, dense_identity(n)), test_assign(d.sq, d.q);
    return d;
}

static void close_model(model *d)
{
    test_free(d->p), test_free(d->q), test_free(d->sp), test_free(d->sq), test_free(d->m);
}

/* factor <- its average with x x^T / d, trace n; the root follows unless it fails */
static void update(ng_mat factor, ng_mat root, ng_mat x, int fails)
{
    double n = (double)factor.rows, shift = 0.3 * dense_trace(factor) / n;
    ng_mat fresh =
        dense_add(1 / (double)x.cols, dense_mul(x, 0, x, 1), shift, dense_identity(x.rows));
    ng_mat next = dense_add(0.9, factor, 0.1, fresh);
    test_assign(factor, dense_scale(n / dense_trace(next), next));
    if (!fails)
        test_assign(root, dense_power(factor, -0.5));
}

static ng_mat between(const model *d, ng_mat x)
{
    return dense_mul(dense_mul(d->sp, 0, x, 0), 0, d->sq, 0);
}

static ng_mat model_step(model *d, ng_mat g, int p_fails, int q_fails, ng_mat (*polar)(ng_mat))
{
    update(d->p, d->sp, dense_mul(g, 0, d->sq, 0), p_fails);
    update(d->q, d->sq, dense_mul(g, 1, d->sp, 0), q_fails);
    ng_mat x = d->whitened ? between(d, g) : g;
    test_assign(d->m, dense_add(0.8, d->m, 0.2, x));
    return between(d, polar(d->whitened ? dense_of(d->m) : between(d, d->m)));
}

static ng_mat exactly(ng_mat x)
{
    return dense_polar(x, 1e-13);
}

static ng_mat muon(ng_mat x)
{
    ng_mat y = dense_scale(1 / (test_norm(x) + 1e-7), x);
    for (int t = 0; t < 5; t++) {
        ng_mat a = dense_mul(y, 0, y, 1);
        ng_mat b = dense_add(-4.7750, a, 2.0315, dense_mul(a, 0, a, 0));
        y = dense_add(3.4445, y, 1, dense_mul(b, 0, y, 0));
    }
    return y;
}

/* ---- Steps with failures ---------------------------------------------------------------- */

static int stale;

static int watch(const ng_event *event, void *data)
{
    (void)data;
    if (event->kind == NG_EVENT_PARAMETER)
        stale = event->stale;
    return 0;
}

/* bit 0: P's root fails, bit 1: Q's; P comes first, whatever the layout */
static const int script[] = {0, 0, 3, 0, 1, 2, 3, 3, 0, 0};
static const int from_the_start[] = {3, 3, 0, 2, 0};

static void follow(const char *preset, const char *settings, int newton_schulz, const int *plan,
                   int steps, test_setup setup)
{
    size_t m = 5, n = 8;
    double tol = setup.dtype == NG_F32 ? 1e-4 : 1e-10;
    char text[256] = SETTINGS;
    test_rng rng = {61};
    test_run run;
    model d = open_model(m, n, strcmp(preset, "fismo_paper") == 0);
    strcat(text, settings);
    strcat(text, newton_schulz ? " polar=newton_schulz" : " polar=exact");
    test_run_open(&run, preset, text, m, n, setup);
    ng_assert_ok(ng_optimizer_add_monitor(run.opt, watch, NULL), NULL);
    for (int step = 0; step < steps; step++) {
        ng_mat rounded = test_convert(dense_normal(m, n, &rng), setup.dtype), g = dense_of(rounded);
        int p = plan[step] & 1, q = plan[step] >> 1;
        test_free(rounded);
        problems = 0;
        failing = (unsigned)plan[step];
        ng_mat w = test_run_direction(&run, g);
        ck_assert_int_eq(problems, 2);
        failing = 0;
        ck_assert_msg(stale == p + q, "step %d: %d stale", step, stale);
        ng_mat ref = model_step(&d, g, p, q, newton_schulz ? muon : exactly);
        ng_assert_mat(w, ref, tol);
        dense_release();
    }
    test_run_close(&run);
    close_model(&d);
}

static const char *const presets[] = {"fismo", "fismo_paper"};

/* Newton-Schulz in both dtypes, the SVD in f64: the step is done with the last
 * good root, the factor moves on, and the next good root is of the factor's day. */
START_TEST(last_good_root)
{
    for (int i = 0; i < 2 * TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i / 2);
        int steps = sizeof script / sizeof script[0];
        follow(presets[_i], "", 1, script, steps, setup);
        follow(presets[_i], "factor_dtype=f64", 1, script, steps, setup);
        if (setup.dtype == NG_F64)
            follow(presets[_i], "", 0, script, steps, setup);
    }
}
END_TEST

/* before there was any good root: the identity */
START_TEST(from_the_first_step)
{
    for (int i = 0; i < TEST_SETUPS; i++)
        follow(presets[_i], "", 1, from_the_start, 5, test_setup_number(i));
}
END_TEST

/* A basis that could not be renewed is not lost either: with a tolerance so
 * small that it always must be, the same steps. */
START_TEST(kept_basis)
{
    for (int i = 0; i < TEST_SETUPS; i++)
        follow(presets[_i], "refresh_tolerance=1e-15", 1, script, 10, test_setup_number(i));
}
END_TEST

/* The basis of the last good root is still there when the factor comes back to
 * it after a step that failed: no eigenproblem is needed then. */
START_TEST(basis_survives)
{
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_rng rng = {63};
        test_run run;
        ng_mat a = test_copy(dense_normal(5, 8, &rng)), b = test_copy(dense_normal(5, 8, &rng));
        test_run_open(&run, presets[_i],
                      SETTINGS "ema_decay=0 polar=newton_schulz refresh_tolerance=0.1", 5, 8,
                      test_setup_number(i));
        ng_assert_ok(ng_optimizer_add_monitor(run.opt, watch, NULL), NULL);
        for (int step = 0; step < 24; step++) { /* 20: failures with another gradient */
            problems = 0;
            failing = step == 20 ? 3 : 0;
            test_run_step(&run, step == 20 ? b : a);
            ck_assert_int_eq(stale, step == 20 ? 2 : 0);
            if (step == 0)
                ck_assert_int_gt(problems, 0);
            if (step >= 18)
                ck_assert_msg(problems == (step == 20 ? 2 : 0), "step %d: %d", step, problems);
        }
        failing = 0;
        test_run_close(&run);
        test_free(a), test_free(b);
        dense_release();
    }
}
END_TEST

/* In f32 the exact polar factor's eigen-solver fails as well: DWH does it, and
 * the event says so. */
START_TEST(polar_falls_back)
{
    static const int all = 0xffff;
    test_setup setup = {NG_F32, NG_OUT_IN, 1};
    test_rng rng = {62};
    test_run run;
    test_run_open(&run, presets[_i], SETTINGS "polar=exact", 5, 8, setup);
    ng_assert_ok(ng_optimizer_add_monitor(run.opt, watch, NULL), NULL);
    for (int step = 0; step < 4; step++) {
        ng_mat g = dense_normal(5, 8, &rng);
        problems = 0;
        failing = step == 2 ? (unsigned)all : 0;
        test_run_step(&run, g);
        ck_assert_int_eq(problems, 3);
        ck_assert_int_eq(stale, step == 2 ? 2 : 0);
        dense_release();
    }
    failing = 0;
    test_run_close(&run);
}
END_TEST

TEST_SUITE(stale)
{
    TCase *tcase = tcase_create("injected failures");
    tcase_add_checked_fixture(tcase, hook, unhook);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, last_good_root, 0, 2);
    tcase_add_loop_test(tcase, from_the_first_step, 0, 2);
    tcase_add_loop_test(tcase, kept_basis, 0, 2);
    tcase_add_loop_test(tcase, basis_survives, 0, 2);
    tcase_add_loop_test(tcase, polar_falls_back, 0, 2);
    suite_add_tcase(suite, tcase);
}
