/* The front: parameters, rebinding, what is refused, monitors, memory. */
#include "tests/support/run.h"

static const char *const presets[] = {"sgd", "adamw", "muon", "fismo", "fismo_paper"};
enum { PRESETS = sizeof presets / sizeof presets[0] };

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
} world;

static void open_world(world *x, const char *preset, const char *settings)
{
    void *options = test_options(preset, settings);
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, options), NULL);
    free(options);
}

static void refuse(world *x, ng_status status, ng_status expected, const char *culprit)
{
    ck_assert_msg(status == expected, "%s, expected %s", ng_status_name(status),
                  ng_status_name(expected));
    ck_assert_msg(strstr(ng_optimizer_error(x->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(x->opt), culprit);
}

/* ---- What is refused --------------------------------------------------------------------- */

START_TEST(nulls)
{
    world x;
    double value;
    float w[1] = {0}, dw[1] = {0};
    ng_group *none = (ng_group *)&x;
    ck_assert_int_eq(ng_optimizer_create(NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_step(NULL), NG_EARG);
    ck_assert_str_eq(ng_optimizer_error(NULL), "");
    ng_optimizer_destroy(NULL);
    open_world(&x, "sgd", "");
    ck_assert_str_eq(ng_optimizer_error(x.opt), "");
    ck_assert_int_eq(ng_optimizer_add_group(x.opt, &none, NULL), NG_EARG);
    ck_assert_ptr_null(none);
    none = (ng_group *)&x;
    ck_assert_int_eq(ng_optimizer_add_group(NULL, &none, NULL), NG_EARG);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(ng_optimizer_add_monitor(x.opt, NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_group_add(NULL, NULL, "w", ng_f32(w, 1, 1), ng_f32(dw, 1, 1)), NG_EARG);
    refuse(&x, ng_group_add(x.group, NULL, NULL, ng_f32(w, 1, 1), ng_f32(dw, 1, 1)), NG_EARG,
           "name");
    ck_assert_int_eq(ng_group_set(NULL, "lr", 1), NG_EARG);
    ck_assert_int_eq(ng_group_get(x.group, "lr", NULL), NG_EARG);
    ck_assert_int_eq(ng_group_get(NULL, "lr", &value), NG_EARG);
    ck_assert_int_eq(ng_group_set_layout(NULL, 0, NG_OUT_IN), NG_EARG);
    ck_assert_int_eq(ng_group_rebind(NULL, 0, ng_f32(w, 1, 1), ng_f32(dw, 1, 1)), NG_EARG);
    ck_assert_int_ne(ng_group_set(x.group, NULL, 1), NG_OK);
    ng_optimizer_destroy(x.opt);
}
END_TEST

START_TEST(options_struct)
{
    ng_optimizer *opt = (ng_optimizer *)&opt;
    ng_optimizer_options options;
    ng_optimizer_init(&options);
    ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
    ng_optimizer_destroy(opt);
    options.size++;
    ck_assert_int_eq(ng_optimizer_create(&opt, &options), NG_EOPTION);
    ck_assert_ptr_null(opt);
}
END_TEST

START_TEST(bad_group)
{
    world x;
    ng_sgd_options o;
    ng_group *group = (ng_group *)&x;
    open_world(&x, "sgd", "");
    memset(&o, 0, sizeof o);
    refuse(&x, ng_optimizer_add_group(x.opt, &group, &o), NG_EOPTION, "init");
    ng_sgd_init(&o);
    o.momentum = 1;
    group = (ng_group *)&x;
    refuse(&x, ng_optimizer_add_group(x.opt, &group, &o), NG_EOPTION, "momentum");
    ck_assert_ptr_null(group);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_optimizer_destroy(x.opt);
}
END_TEST

START_TEST(bad_views)
{
    world x;
    size_t index = 77;
    float w[12] = {0}, dw[12] = {0}, v[12] = {0};
    double d[12] = {0};
    ng_mat good = ng_f32(w, 3, 4), odd = ng_f32(dw, 3, 4);
    open_world(&x, presets[_i], "");
    refuse(&x, ng_group_add(x.group, &index, "p", good, ng_f64(d, 3, 4)), NG_EDTYPE, "'p'");
    refuse(&x, ng_group_add(x.group, &index, "p", good, ng_f32(dw, 4, 3)), NG_ESHAPE, "'p'");
    refuse(&x, ng_group_add(x.group, &index, "p", ng_f32(NULL, 3, 4), odd), NG_EARG, "weights");
    refuse(&x, ng_group_add(x.group, &index, "p", ng_f32(w, 0, 4), ng_f32(dw, 0, 4)), NG_ESHAPE,
           "'p'");
    refuse(&x, ng_group_add(x.group, &index, "p", ng_f32_strided(w, 3, 4, 3), odd), NG_ESHAPE,
           "'p'");
    odd.dtype = (ng_dtype)2;
    refuse(&x, ng_group_add(x.group, &index, "p", good, odd), NG_EDTYPE, "'p'");
    ck_assert_uint_eq(index, 77);
    odd = ng_f32(dw, 3, 4);
    ng_assert_ok(ng_group_add(x.group, &index, "p", good, odd), NULL);
    ck_assert_uint_eq(index, 0);
    refuse(&x, ng_group_add(x.group, &index, "p", ng_f32(v, 3, 4), odd), NG_EARG, "'p'");
    refuse(&x, ng_group_add(x.group, &index, "q", good, odd), NG_EARG, "'q'");
    ng_group *other;
    ng_adamw_options adamw;
    ng_adamw_init(&adamw);
    ng_assert_ok(ng_optimizer_add_group(x.opt, &other, &adamw), NULL);
    refuse(&x, ng_group_add(other, &index, "p", ng_f32(v, 3, 4), odd), NG_EARG, "'p'");
    refuse(&x, ng_group_add(other, &index, "q", good, odd), NG_EARG, "'q'");
    ck_assert_uint_eq(index, 0);
    ng_assert_ok(ng_group_add(other, &index, "q", ng_f32(v, 3, 4), odd), NULL);
    ck_assert_uint_eq(index, 0);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_optimizer_destroy(x.opt);
}
END_TEST

/* ---- Rebind and layout ---------------------------------------------------------------------- */

START_TEST(rebind)
{
    world x;
    test_rng rng = {91};
    ng_mat w = test_mat(3, 4, 0, NG_F32), dw = test_mat(3, 4, 0, NG_F32);
    ng_mat moved = test_mat(3, 4, 5, NG_F32), dmoved = test_mat(3, 4, 2, NG_F32);
    ng_mat turned = test_mat(4, 3, 0, NG_F32), wide = test_mat(3, 4, 0, NG_F64);
    ng_mat other = test_mat(3, 4, 0, NG_F32);
    open_world(&x, presets[_i], "");
    ng_assert_ok(ng_group_add(x.group, NULL, "p", w, dw), NULL);
    ng_assert_ok(ng_group_add(x.group, NULL, "", other, dw), NULL);
    test_fill_normal(dw, &rng);
    refuse(&x, ng_group_rebind(x.group, 0, turned, turned), NG_ESHAPE, "'p'");
    refuse(&x, ng_group_rebind(x.group, 0, wide, wide), NG_EDTYPE, "'p'");
    refuse(&x, ng_group_rebind(x.group, 0, moved, wide), NG_EDTYPE, "'p'");
    refuse(&x, ng_group_rebind(x.group, 0, other, dmoved), NG_EARG, "share weights");
    refuse(&x, ng_group_rebind(x.group, 2, moved, dmoved), NG_EARG, "2");
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert(test_norm(w) > 0); /* the old ones are still bound */
    test_assign(moved, w);
    test_assign(dmoved, dw);
    ng_mat before = test_copy(w);
    ck_assert_msg(ng_group_rebind(x.group, 0, moved, dmoved) == NG_OK, "%s",
                  ng_optimizer_error(x.opt));
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert(test_same_bits(w, before));
    ng_assert_mat(moved, other, 0); /* its twin was never moved */
    ng_optimizer_destroy(x.opt);
    ng_mat all[] = {w, dw, moved, dmoved, turned, wide, other, before};
    for (int i = 0; i < 8; i++)
        test_free(all[i]);
}
END_TEST

START_TEST(layout)
{
    world x;
    float w[6] = {0}, dw[6] = {1, 2, 3, 4, 5, 6};
    open_world(&x, presets[_i], "");
    ng_assert_ok(ng_group_add(x.group, NULL, "p", ng_f32(w, 2, 3), ng_f32(dw, 2, 3)), NULL);
    refuse(&x, ng_group_set_layout(x.group, 1, NG_IN_OUT), NG_EARG, "1");
    refuse(&x, ng_group_set_layout(x.group, 0, (ng_layout)2), NG_EARG, "'p'");
    ng_assert_ok(ng_group_set_layout(x.group, 0, NG_IN_OUT), NULL);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    refuse(&x, ng_group_set_layout(x.group, 0, NG_OUT_IN), NG_EARG, "'p'");
    ng_optimizer_destroy(x.opt);
}
END_TEST

/* ---- Monitors -------------------------------------------------------------------------------- */

enum { LOG = 64 };

typedef struct {
    ng_event events[LOG];
    int who[LOG], count;
    unsigned long long stop_at;
} diary;

typedef struct {
    diary *log;
    int who;
} reader;

static int note(const ng_event *event, void *data)
{
    reader *r = data;
    diary *log = r->log;
    ck_assert_uint_ge(event->size, sizeof *event);
    ck_assert_int_lt(log->count, LOG);
    log->events[log->count] = *event;
    log->who[log->count++] = r->who;
    /* the first event of the step already asks: the others are still told */
    return r->who == 0 && event->step == log->stop_at;
}

static double change(ng_mat now, ng_mat before, double keep)
{
    double sum = 0;
    for (size_t i = 0; i < now.rows; i++)
        for (size_t j = 0; j < now.cols; j++) {
            double d = ng_mat_get(now, i, j) - keep * ng_mat_get(before, i, j);
            sum += d * d;
        }
    return sqrt(sum);
}

/* one parameter per group, one group per preset; the events of one step */
static void check_events(const diary *log, unsigned long long step, const ng_mat *w,
                         const ng_mat *before, const ng_mat *dw, ng_group *const *groups)
{
    double total_g = 0, total_u = 0;
    ck_assert_int_eq(log->count, 2 * (PRESETS + 1));
    for (int e = 0; e < log->count; e++) {
        const ng_event *event = &log->events[e];
        int p = e / 2;
        ck_assert_int_eq(log->who[e], e % 2);
        ck_assert_uint_eq(event->step, step);
        ck_assert(event->seconds >= 0 && event->seconds < 10);
        ck_assert_int_eq(event->kind, p < PRESETS ? NG_EVENT_PARAMETER : NG_EVENT_STEP);
        if (p == PRESETS) {
            ck_assert(event->group == NULL && event->name[0] == '\0' && event->method[0] == '\0');
            ng_assert_rel(event->gradient_norm, sqrt(total_g), 1e-6);
            ng_assert_rel(event->update_norm, sqrt(total_u), 1e-5);
            continue;
        }
        double g = test_norm(dw[p]), u = change(w[p], before[p], 1 - 0.25 * 0.5);
        ck_assert(event->group == groups[p] && event->index == 0);
        ck_assert_str_eq(event->name, presets[p]);
        ck_assert_str_eq(event->method, p < 2 ? presets[p] : "steepest");
        ck_assert(event->lr == 0.25);
        ng_assert_rel(event->gradient_norm, g, 1e-6);
        ng_assert_rel(event->update_norm, u, 1e-5);
        total_g += e % 2 == 0 ? g * g : 0;
        total_u += e % 2 == 0 ? u * u : 0;
        ck_assert_int_eq(event->route[0] != '\0', p >= 2);
        if (p >= 2) {
            ck_assert_uint_eq(event->rank, 3);
            int exact = strcmp(presets[p], "fismo_paper") == 0;
            ng_assert_le(event->orthogonality_error, exact ? 1e-5 : TEST_FAST);
            ck_assert(exact ? event->condition >= 1 && event->condition < 1e4
                            : isnan(event->condition));
        }
    }
}

START_TEST(monitors)
{
    ng_optimizer *opt;
    ng_group *groups[PRESETS];
    ng_mat w[PRESETS], dw[PRESETS], before[PRESETS];
    diary log = {.count = 0, .stop_at = 3};
    reader readers[2] = {{&log, 0}, {&log, 1}};
    test_rng rng = {92};
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    for (int p = 0; p < PRESETS; p++) {
        void *options = test_options(presets[p], "lr=0.25 weight_decay=0.5");
        w[p] = test_mat(3, 5, (size_t)p, (ng_dtype)_i);
        dw[p] = test_mat(3, 5, 1, (ng_dtype)_i);
        test_fill_normal(w[p], &rng);
        ng_assert_ok(ng_optimizer_add_group(opt, &groups[p], options), NULL);
        ng_assert_ok(ng_group_add(groups[p], NULL, presets[p], w[p], dw[p]), NULL);
        free(options);
    }
    for (int i = 0; i < 2; i++)
        ng_assert_ok(ng_optimizer_add_monitor(opt, note, &readers[i]), NULL);
    for (unsigned long long step = 1; step <= 4; step++) {
        for (int p = 0; p < PRESETS; p++) {
            before[p] = test_copy(w[p]);
            test_fill_normal(dw[p], &rng);
        }
        log.count = 0;
        ck_assert_int_eq(ng_optimizer_step(opt), step == 3 ? NG_STOPPED : NG_OK);
        ck_assert_uint_eq(ng_optimizer_steps(opt), step);
        check_events(&log, step, w, before, dw, groups);
        for (int p = 0; p < PRESETS; p++)
            test_free(before[p]);
    }
    log.count = 0;
    ng_mat_set(dw[0], 0, 0, NAN);
    ck_assert_int_eq(ng_optimizer_step(opt), NG_ENONFINITE);
    ck_assert_int_eq(log.count, 0); /* a failed step is no event */
    ng_optimizer_destroy(opt);
    for (int p = 0; p < PRESETS; p++) {
        test_free(w[p]);
        test_free(dw[p]);
    }
}
END_TEST

/* Looking changes nothing: the same bits with and without a monitor, and twice. */
START_TEST(determinism)
{
    for (int i = 0; i < TEST_SETUPS; i++)
        for (int polar = 0; polar < (_i < 2 ? 1 : 3); polar++) {
            static const char *const accuracies[] = {"", "polar=fast", "polar=newton_schulz"};
            test_run runs[3];
            diary log = {.count = 0, .stop_at = 0};
            reader r = {&log, 0};
            for (int k = 0; k < 3; k++) {
                test_rng rng = {93};
                test_run_open(&runs[k], presets[_i], accuracies[polar], 9, 14,
                              test_setup_number(i));
                if (k == 2)
                    ng_assert_ok(ng_optimizer_add_monitor(runs[k].opt, note, &r), NULL);
                for (int step = 0; step < 10; step++) {
                    test_fill_normal(runs[k].dw, &rng);
                    ng_assert_ok(ng_optimizer_step(runs[k].opt), NULL);
                }
                ck_assert(test_same_bits(runs[0].w, runs[k].w));
            }
            for (int k = 0; k < 3; k++)
                test_run_close(&runs[k]);
        }
}
END_TEST

/* ---- Small things ------------------------------------------------------------------------------
 */

START_TEST(memory)
{
    static const double states[PRESETS] = {1, 2, 2, 2, 3}; /* in sizes of W; spare copies too */
    for (int dtype = 0; dtype < 2; dtype++) {
        test_run run;
        test_setup setup = {(ng_dtype)dtype, NG_OUT_IN, 0};
        test_run_open(&run, presets[_i], "", 30, 50, setup);
        double size = (double)ng_dtype_size(run.w.dtype);
        double factors = _i < 3 ? 0 : 4 * (30. * 30 + 50. * 50);
        size_t created = ng_optimizer_memory(run.opt);
        double expected = size * (states[_i] * 1500 + factors);
        ck_assert_uint_ge(created, (size_t)expected);
        ck_assert_uint_le(created, (size_t)expected + 1024);
        ng_assert_ok(ng_optimizer_step(run.opt), NULL);
        size_t stepped = ng_optimizer_memory(run.opt);
        ck_assert(_i < 2 ? stepped == created : stepped > created);
        ng_assert_ok(ng_optimizer_step(run.opt), NULL);
        ck_assert_uint_eq(ng_optimizer_memory(run.opt), stepped);
        test_run_close(&run);
    }
}
END_TEST

START_TEST(no_groups)
{
    ng_optimizer *opt;
    diary log = {.count = 0, .stop_at = 2};
    reader r = {&log, 0};
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(opt, note, &r), NULL);
    ck_assert_int_eq(ng_optimizer_step(opt), NG_STOPPED);
    ck_assert_uint_eq(ng_optimizer_steps(opt), 2);
    ck_assert(log.count == 1 && log.events[0].kind == NG_EVENT_STEP);
    ck_assert(log.events[0].gradient_norm == 0 && log.events[0].update_norm == 0);
    ng_optimizer_destroy(opt);
}
END_TEST

TEST_SUITE(front)
{
    TCase *tcase = tcase_create("front");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, nulls);
    tcase_add_test(tcase, options_struct);
    tcase_add_test(tcase, bad_group);
    tcase_add_loop_test(tcase, bad_views, 0, PRESETS);
    tcase_add_loop_test(tcase, rebind, 0, PRESETS);
    tcase_add_loop_test(tcase, layout, 0, PRESETS);
    tcase_add_loop_test(tcase, monitors, 0, 2);
    tcase_add_loop_test(tcase, determinism, 0, PRESETS);
    tcase_add_loop_test(tcase, memory, 0, PRESETS);
    tcase_add_test(tcase, no_groups);
    suite_add_tcase(suite, tcase);
}
