/* The monitor's reports against the spectrum of the weights as the step left them. */
#include <natgrad/esd_monitor.h>

#include <stdlib.h>

#include "tests/support/dense.h"
#include "tests/support/run.h"
#include "tests/support/support.h"

enum { OUTPUTS = 12, INPUTS = 15 };

typedef struct {
    ng_mat weights; /* views of what is trained: measured again in the callback */
    int calls, stop;
    unsigned long long step;
    ng_status expected;
} desk;

static int compare(const ng_esd_report *report, void *data)
{
    desk *d = data;
    ng_esd esd;
    d->calls++;
    d->step = report->step;
    ck_assert_uint_eq(report->size, sizeof *report);
    ck_assert_str_eq(report->name, "w");
    ck_assert_uint_eq(report->index, 0);
    ck_assert_ptr_nonnull(report->group);
    ck_assert_msg(report->status == d->expected, "%s", report->error);
    ck_assert_int_eq(report->esd == NULL, report->status != NG_OK);
    ck_assert_int_eq(report->error[0] == 0, report->status == NG_OK);
    if (report->esd == NULL)
        return d->stop;
    ng_mat w = d->weights, wide = test_mat(w.rows, w.cols, 0, NG_F32);
    int narrow = w.dtype != NG_F32 && w.dtype != NG_F64;
    ng_assert_ok(narrow ? ng_copy(wide, w, NULL) : NG_OK, NULL);
    ng_assert_ok(ng_esd_measure(&esd, ng_mat_none(), narrow ? wide : w, NULL, NULL), NULL);
    free(wide.data);
    ck_assert_uint_eq(report->esd->n, INPUTS);
    ck_assert_uint_eq(report->esd->m, OUTPUTS);
    ck_assert_double_eq(report->esd->trace, esd.trace);
    ck_assert_double_eq(report->esd->tail.alpha, esd.tail.alpha);
    ck_assert_double_eq(report->esd->erg.gap, esd.erg.gap);
    return d->stop;
}

static void watch(ng_esd_monitor *monitor, desk *d, test_run *run, int interval)
{
    ng_esd_monitor_init(monitor);
    monitor->interval = interval;
    monitor->report = compare;
    monitor->data = d;
    d->weights = run->w;
    ng_assert_ok(ng_optimizer_add_monitor(run->opt, ng_esd_watch, monitor), NULL);
}

/* Of any method, in either layout and dtype, strided or not: steps 1, 4, 7. */
START_TEST(weights_after_the_step)
{
    static const char *const presets[] = {"muon", "sgd"};
    test_rng rng = {17};
    test_run run;
    ng_esd_monitor monitor;
    desk d = {.calls = 0};
    test_run_open(&run, presets[_i % 2], "lr=0.1", OUTPUTS, INPUTS, test_setup_number(_i / 2));
    watch(&monitor, &d, &run, 3);
    for (int step = 1; step <= 7; step++) {
        test_run_step(&run, dense_normal(OUTPUTS, INPUTS, &rng));
        ck_assert_int_eq(d.calls, (step + 2) / 3);
    }
    ck_assert_uint_eq(d.step, 7);
    test_run_close(&run);
    dense_release();
}
END_TEST

/* With a copy in f32 and with stochastic rounding: of what the caller's weights are. */
START_TEST(sixteen_bits)
{
    test_rng rng = {29};
    ng_optimizer_options options;
    ng_sgd_options sgd;
    ng_optimizer *opt;
    ng_group *group;
    ng_esd_monitor monitor;
    ng_mat w = test_mat(OUTPUTS, INPUTS, 0, NG_BF16), dw = test_mat(OUTPUTS, INPUTS, 0, NG_BF16);
    desk d = {.weights = w};
    ng_assert_ok(ng_copy(w, dense_normal(OUTPUTS, INPUTS, &rng), NULL), NULL);
    ng_assert_ok(ng_copy(dw, dense_normal(OUTPUTS, INPUTS, &rng), NULL), NULL);
    ng_optimizer_init(&options);
    options.rounding = (ng_rounding)_i;
    ng_sgd_init(&sgd);
    ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &sgd), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "w", w, dw), NULL);
    ng_esd_monitor_init(&monitor);
    monitor.report = compare;
    monitor.data = &d;
    ng_assert_ok(ng_optimizer_add_monitor(opt, ng_esd_watch, &monitor), NULL);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ck_assert_int_eq(d.calls, 1);
    ng_optimizer_destroy(opt);
    free(w.data);
    free(dw.data);
    dense_release();
}
END_TEST

/* Too few rows for a spectrum: nobody calls. */
START_TEST(small_ones_are_silent)
{
    test_rng rng = {19};
    test_run run;
    ng_esd_monitor monitor;
    desk d = {.calls = 0};
    test_run_open(&run, "sgd", "", 9, INPUTS, test_setup_number(0));
    watch(&monitor, &d, &run, 1);
    test_run_step(&run, dense_normal(9, INPUTS, &rng));
    ck_assert_int_eq(d.calls, 0);
    test_run_close(&run);
    dense_release();
}
END_TEST

/* What fails is reported with its status; a callback may ask to stop; a monitor half filled in, of
 * another size, or one that would permute the weights does nothing. */
START_TEST(failures_and_stops)
{
    test_rng rng = {23};
    test_run run;
    ng_esd_monitor monitor, empty;
    desk d = {.expected = NG_EOPTION, .stop = 1};
    ng_mat g = dense_normal(OUTPUTS, INPUTS, &rng);
    test_run_open(&run, "sgd", "", OUTPUTS, INPUTS, test_setup_number(0));
    watch(&monitor, &d, &run, 1);
    ng_esd_monitor_init(&empty);
    empty.interval = 1;
    ng_assert_ok(ng_optimizer_add_monitor(run.opt, ng_esd_watch, &empty), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(run.opt, ng_esd_watch, NULL), NULL);
    monitor.options.floor = -1;
    test_run_gradient(&run, g);
    ck_assert_int_eq(ng_optimizer_step(run.opt), NG_STOPPED);
    ck_assert_int_eq(d.calls, 1);
    monitor.options.floor = 0;
    monitor.options.in_place = 1;
    ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    monitor.options.in_place = 0;
    monitor.size--;
    ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    ck_assert_int_eq(d.calls, 1);
    test_run_close(&run);
    dense_release();
}
END_TEST

TEST_SUITE(esd_monitor)
{
    TCase *tc = tcase_create("reports");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, weights_after_the_step, 0, 2 * TEST_SETUPS);
    tcase_add_loop_test(tc, sixteen_bits, 0, 2);
    tcase_add_test(tc, small_ones_are_silent);
    tcase_add_test(tc, failures_and_stops);
    suite_add_tcase(suite, tc);
}
