/* The monitor's reports against regimes of the factors as dense programs keep
 * them: K-FAC from its statistics, FISMO by Algorithm 1. */
#include "tests/support/fismo.h"
#include "tests/support/kfac.h"

enum { OUTPUTS = 3, INPUTS = 5 };

/* What the callback compares with, and what it has seen. */
typedef struct {
    ng_mat p, q;
    double tolerance;
    int calls, stop;
    ng_status expected;
    unsigned long long step;
} desk;

static int compare(const ng_regime_report *report, void *data)
{
    desk *d = data;
    ng_regime *r;
    ng_regime_monitor defaults;
    d->calls++;
    d->step = report->step;
    ck_assert_uint_eq(report->size, sizeof *report);
    ck_assert_str_eq(report->name, "w");
    ck_assert_uint_eq(report->index, 0);
    ck_assert_ptr_nonnull(report->group);
    ck_assert_msg(report->status == d->expected, "%s", report->error);
    ck_assert_int_eq(report->regime == NULL, report->status != NG_OK);
    ck_assert_int_eq(report->error[0] == 0, report->status == NG_OK);
    if (report->status != NG_OK || d->p.data == NULL)
        return d->stop;
    ng_assert_rel(report->scale_p, dense_trace(d->p) / OUTPUTS, d->tolerance);
    ng_assert_rel(report->scale_q, dense_trace(d->q) / INPUTS, d->tolerance);
    ng_regime_monitor_init(&defaults);
    ng_assert_ok(ng_regime_create_kron(&r, d->p, d->q, &defaults.regime, NULL), NULL);
    ck_assert(report->regime->outputs == OUTPUTS && report->regime->inputs == INPUTS);
    ck_assert_uint_eq(report->regime->rank, r->rank);
    ng_assert_mat(report->regime->eigenvalues, r->eigenvalues, d->tolerance);
    ng_assert_rel(report->regime->cond, r->cond, 100 * d->tolerance);
    ng_assert_rel(report->regime->alpha_scalar, r->alpha_scalar, 100 * d->tolerance);
    ng_assert_rel(report->regime->alpha_scalar_unit, r->alpha_scalar_unit, 100 * d->tolerance);
    ng_assert_mat(report->regime->alpha_dir, r->alpha_dir, 100 * d->tolerance);
    ng_assert_rel(report->regime->deviation_fraction, r->deviation_fraction, 100 * d->tolerance);
    ng_regime_destroy(r);
    return d->stop;
}

static void watch(ng_regime_monitor *monitor, desk *d, test_run *run, int interval)
{
    ng_regime_monitor_init(monitor);
    monitor->interval = interval;
    monitor->report = compare;
    monitor->data = d;
    ng_assert_ok(ng_optimizer_add_monitor(run->opt, ng_regime_watch, monitor), NULL);
}

static double tolerance(test_setup setup)
{
    return setup.dtype == NG_F64 ? 1e-11 : 2e-5;
}

START_TEST(kfac_factors)
{
    test_setup setup = test_setup_number(_i);
    test_rng rng = {41};
    test_run run;
    kfac_batch batch = kfac_random(20, OUTPUTS, INPUTS, &rng);
    desk d = {
        kfac_output_factor(batch, 1.7), kfac_input_factor(batch), tolerance(setup), 0, 0, NG_OK, 0};
    ng_regime_monitor monitor;
    test_run_open(&run, "kfac", "lr=1 damping=0.3", OUTPUTS, INPUTS, setup);
    watch(&monitor, &d, &run, 1);
    kfac_direction(&run, batch, 1.7);
    ck_assert_int_eq(d.calls, 1);
    test_run_close(&run);
    dense_release();
}
END_TEST

START_TEST(fismo_factors)
{
    static const fismo_rule rule = {.momentum = 0.9, .ema_decay = 0.8, .damping = 0.2};
    static const fismo_rule one = {
        .momentum = 0.9, .ema_decay = 0.8, .damping = 0.2, .without_q = 1};
    int one_sided = _i / TEST_SETUPS;
    test_setup setup = test_setup_number(_i % TEST_SETUPS);
    test_rng rng = {43};
    test_run run;
    fismo_state state;
    ng_regime_monitor monitor;
    desk d = {{NULL, 0, 0, 0, NG_F64}, {NULL, 0, 0, 0, NG_F64}, tolerance(setup), 0, 0, NG_OK, 0};
    test_run_open(&run, "fismo",
                  one_sided ? TEST_EACH_STEP "lr=1 gradient_scale=none momentum=0.9 ema_decay=0.8 damping=0.2 "
                              "one_sided=always"
                            : TEST_EACH_STEP "lr=1 gradient_scale=none momentum=0.9 ema_decay=0.8 damping=0.2",
                  OUTPUTS, INPUTS, setup);
    fismo_open(&state, OUTPUTS, INPUTS, one_sided ? one : rule);
    watch(&monitor, &d, &run, 3);
    for (int step = 1; step <= 7; step++) {
        ng_mat g = dense_normal(OUTPUTS, INPUTS, &rng);
        fismo_step(&state, g);
        d.p = state.p, d.q = state.q;
        test_run_step(&run, g);
        ck_assert_int_eq(d.calls, (step + 2) / 3); /* steps 1, 4, 7 */
    }
    ck_assert_uint_eq(d.step, 7);
    fismo_close(&state);
    test_run_close(&run);
    dense_release();
}
END_TEST

/* muon and adamw keep no factors: nobody calls */
START_TEST(other_metrics_are_silent)
{
    static const char *const presets[] = {"muon", "adamw", "sgd"};
    for (int i = 0; i < 3; i++) {
        test_rng rng = {7};
        test_run run;
        ng_regime_monitor monitor;
        desk d = {.calls = 0};
        test_run_open(&run, presets[i], "", OUTPUTS, INPUTS, test_setup_number(0));
        watch(&monitor, &d, &run, 1);
        test_run_step(&run, dense_normal(OUTPUTS, INPUTS, &rng));
        ck_assert_int_eq(d.calls, 0);
        test_run_close(&run);
    }
    dense_release();
}
END_TEST

/* A factor that has none of the wanted eigenvalues is reported with its status;
 * a callback may ask to stop; a monitor half filled in does nothing. */
START_TEST(failures_and_stops)
{
    test_rng rng = {9};
    test_run run;
    ng_regime_monitor monitor, empty;
    desk d = {.expected = NG_ESINGULAR, .stop = 1};
    kfac_batch batch = kfac_random(2, OUTPUTS, INPUTS, &rng);
    test_run_open(&run, "kfac", "lr=1 damping=0.3", OUTPUTS, INPUTS, test_setup_number(0));
    watch(&monitor, &d, &run, 1);
    monitor.regime.rcond = 0;
    ng_regime_monitor_init(&empty);
    empty.interval = 1;
    ng_assert_ok(ng_optimizer_add_monitor(run.opt, ng_regime_watch, &empty), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(run.opt, ng_regime_watch, NULL), NULL);
    ng_assert_ok(kfac_capture(&run, batch, 1), NULL);
    test_run_gradient(&run, batch.dw);
    ck_assert_int_eq(ng_optimizer_step(run.opt), NG_STOPPED);
    ck_assert_int_eq(d.calls, 1);
    monitor.size--;
    ng_assert_ok(kfac_capture(&run, batch, 1), NULL);
    ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    ck_assert_int_eq(d.calls, 1);
    test_run_close(&run);
    dense_release();
}
END_TEST

TEST_SUITE(regime_monitor)
{
    TCase *tc = tcase_create("reports");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, kfac_factors, 0, TEST_SETUPS);
    tcase_add_loop_test(tc, fismo_factors, 0, 2 * TEST_SETUPS);
    tcase_add_test(tc, other_metrics_are_silent);
    tcase_add_test(tc, failures_and_stops);
    suite_add_tcase(suite, tc);
}
