/* ng_group_capture and ng_group_add_bias: refusals, and failed steps that change
 * nothing. */
#include "tests/support/kfac.h"

#define PLAIN "lr=1 momentum=0 update_interval=1 inverse_interval=1 "
static const test_setup dense_f64 = {NG_F64, NG_OUT_IN, 0};

/* ---- Options --------------------------------------------------------------------------- */

START_TEST(presets)
{
    ng_steepest_options kfac, both;
    ng_steepest_init_kfac(&kfac);
    ng_steepest_init_kfac_muon(&both);
    ck_assert(kfac.metric == NG_METRIC_KFAC && kfac.ball == NG_BALL_NONE);
    ck_assert(kfac.kfac.damping_kind == NG_DAMPING_TIKHONOV_PI && kfac.kfac.damping > 0);
    ck_assert(kfac.kfac.factor_start == NG_FACTOR_START_FIRST && kfac.kfac.update_interval == 4);
    ck_assert(kfac.kl_clip == 0.001 && both.kl_clip == 0);
    ck_assert(both.metric == NG_METRIC_KFAC && both.ball == NG_BALL_SPECTRAL);
    ck_assert(both.spectral.shape_scale == NG_SHAPE_SCALE_ORIGINAL && both.nesterov == 1);
    for (size_t i = 0; i < ng_preset_count(); i++) {
        const char *name = ng_preset_get(i)->name;
        void *options = test_options(name, "");
        ck_assert_int_eq(ng_options_want_capture(options), strstr(name, "kfac") != NULL);
        free(options);
    }
    ck_assert_int_eq(ng_options_want_capture(NULL), 0);
}
END_TEST

START_TEST(combinations)
{
    ng_error err = {NG_OK, ""};
    ng_steepest_options o;
    ng_steepest_init_kfac_muon(&o);
    o.kl_clip = 0.01;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "kl_clip");
    ng_steepest_init(&o);
    o.kl_clip = 0.01;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "kl_clip");
    ng_steepest_init_kfac(&o);
    o.kfac.damping_kind = NG_DAMPING_EXACT_EIGEN;
    ng_assert_ok(ng_options_check(&o, &err), &err);
    o.kfac.one_sided = NG_ONE_SIDED_AUTO;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "one_sided");
    o.kfac.one_sided = NG_ONE_SIDED_NEVER;
    o.momentum_space = NG_MOMENTUM_WHITENED;
    o.kfac.root = NG_ROOT_SYMMETRIC;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "momentum_space");
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------ */

typedef struct {
    test_run run;
    kfac_batch batch;
    ng_error err;
} world;

static void open_world(world *x, const char *settings, test_setup setup)
{
    test_rng rng = {31};
    memset(x, 0, sizeof *x);
    x->batch = kfac_random(9, 3, 4, &rng);
    test_run_open(&x->run, "kfac", settings, 3, 4, setup);
    test_assign(x->run.w, dense_normal(x->run.w.rows, x->run.w.cols, &rng));
    test_run_gradient(&x->run, x->batch.dw);
}

static void close_world(world *x)
{
    test_run_close(&x->run);
    dense_release();
}

/* The call fails with that status and the optimizer's text names the culprit. */
static void refused(const world *x, ng_status got, ng_status wanted, const char *culprit)
{
    const char *text = ng_optimizer_error(x->run.opt);
    ck_assert_msg(got == wanted, "%s, expected %s", ng_status_name(got), ng_status_name(wanted));
    ck_assert_msg(strstr(text, culprit) != NULL, "\"%s\" does not name \"%s\"", text, culprit);
}

/* A step that fails: no bit of the weights moves. */
static void step_refused(world *x, ng_status wanted, const char *culprit)
{
    ng_mat before = test_copy(x->run.w);
    refused(x, ng_optimizer_step(x->run.opt), wanted, culprit);
    refused(x, wanted, wanted, "'w'");
    ck_assert(test_same_bits(x->run.w, before));
    test_free(before);
}

START_TEST(wrong_arguments)
{
    world x;
    open_world(&x, PLAIN, dense_f64);
    ng_group *group = x.run.group;
    ng_mat a = x.batch.a, g = x.batch.g, narrow = test_mat(9, 4, 0, NG_F32);
    ng_mat short_a = ng_mat_block(a, 0, 0, 8, 4), thin = ng_mat_block(a, 0, 0, 9, 3), null = a;
    null.data = NULL;
    ck_assert_int_eq(ng_group_capture(NULL, 0, a, g, 1), NG_EARG);
    refused(&x, ng_group_capture(group, 1, a, g, 1), NG_EARG, "1");
    refused(&x, ng_group_capture(group, 0, null, g, 1), NG_EARG, "inputs");
    refused(&x, ng_group_capture(group, 0, short_a, g, 1), NG_ESHAPE, "8 x 4");
    refused(&x, ng_group_capture(group, 0, thin, g, 1), NG_ESHAPE, "'w'");
    refused(&x, ng_group_capture(group, 0, g, a, 1), NG_ESHAPE, "'w'");
    refused(&x, ng_group_capture(group, 0, narrow, g, 1), NG_EDTYPE, "'w'");
    refused(&x, ng_group_capture(group, 0, a, g, NAN), NG_ENONFINITE, "'w'");
    refused(&x, ng_group_capture(group, 0, a, g, (double)INFINITY), NG_ENONFINITE, "'w'");
    refused(&x, ng_group_capture(group, 0, a, g, 1e200), NG_ERANGE, "'w'");
    step_refused(&x, NG_ENODATA, "ng_group_capture");
    test_free(narrow);
    close_world(&x);
}
END_TEST

START_TEST(wrong_bias)
{
    world x;
    open_world(&x, PLAIN, dense_f64);
    ng_group *group = x.run.group;
    double b[4] = {0}, db[4] = {0};
    float narrow[3];
    ng_mat w = x.run.w;
    ck_assert_int_eq(ng_group_add_bias(NULL, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 3)), NG_EARG);
    refused(&x, ng_group_add_bias(group, 7, ng_f64(b, 1, 3), ng_f64(db, 1, 3)), NG_EARG, "7");
    refused(&x, ng_group_add_bias(group, 0, ng_f64(b, 1, 4), ng_f64(db, 1, 4)), NG_ESHAPE, "'w'");
    refused(&x, ng_group_add_bias(group, 0, ng_f64(b, 4, 1), ng_f64(db, 4, 1)), NG_ESHAPE, "'w'");
    refused(&x, ng_group_add_bias(group, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 2)), NG_ESHAPE, "'w'");
    refused(&x, ng_group_add_bias(group, 0, ng_f32(narrow, 1, 3), ng_f32(narrow, 1, 3)), NG_EDTYPE,
            "'w'");
    refused(&x, ng_group_add_bias(group, 0, ng_f64(w.data, 1, 3), ng_f64(db, 1, 3)), NG_EARG,
            "'w'");
    ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
    refused(&x, ng_group_add_bias(group, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 3)), NG_EARG, "before");
    refused(&x, ng_group_set_layout(group, 0, NG_IN_OUT), NG_EARG, "layout");
    ng_assert_ok(ng_group_set_layout(group, 0, NG_OUT_IN), NULL);
    test_run_step(&x.run, x.batch.dw);
    refused(&x, ng_group_add_bias(group, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 3)), NG_EARG, "before");
    close_world(&x);
}
END_TEST

/* New pointers for a bias; weights and biases are known to the optimizer once. */
START_TEST(bias_rebound)
{
    world x;
    double b[3] = {0}, db[3] = {1, 1, 1}, other[3] = {0}, other_db[3] = {1, 1, 1}, v[3];
    ng_group *group;
    open_world(&x, PLAIN, dense_f64);
    ng_assert_ok(ng_group_add_bias(x.run.group, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 3)), NULL);
    ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
    ng_assert_ok(ng_group_add_bias(x.run.group, 0, ng_f64(other, 1, 3), ng_f64(other_db, 1, 3)),
                 NULL);
    test_run_step(&x.run, x.batch.dw);
    ck_assert(b[0] == 0 && other[0] != 0);
    void *adamw = test_options("adamw", "");
    ng_assert_ok(ng_optimizer_add_group(x.run.opt, &group, adamw), NULL);
    refused(&x, ng_group_add(group, NULL, "b", ng_f64(other, 1, 3), ng_f64(v, 1, 3)), NG_EARG,
            "share weights");
    ng_assert_ok(ng_group_add(group, NULL, "b", ng_f64(b, 1, 3), ng_f64(v, 1, 3)), NULL);
    refused(&x, ng_group_add_bias(x.run.group, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 3)), NG_EARG,
            "share weights");
    free(adamw);
    close_world(&x);
}
END_TEST

START_TEST(unsupported)
{
    static const char *const others[] = {"sgd", "adamw", "muon", "fismo"};
    double b[3], db[3];
    for (int i = 0; i < 4; i++) {
        world x;
        open_world(&x, PLAIN, dense_f64);
        ng_optimizer_destroy(x.run.opt);
        test_free(x.run.w);
        test_free(x.run.dw);
        test_run_open(&x.run, others[i], "", 3, 4, dense_f64);
        refused(&x, kfac_capture(&x.run, x.batch, 1), NG_EUNSUPPORTED, "'w'");
        refused(&x, ng_group_add_bias(x.run.group, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 3)),
                NG_EUNSUPPORTED, "bias");
        close_world(&x);
    }
}
END_TEST

/* ---- Failures -------------------------------------------------------------------------------- */

/* After any failed capture or step the run goes on as one that never failed. */
static void goes_on(world *x, const char *settings, test_setup setup)
{
    world calm;
    open_world(&calm, settings, setup);
    ng_assert_ok(kfac_capture(&calm.run, x->batch, 1), NULL);
    for (int step = 0; step < 2; step++) {
        test_run_step(&x->run, x->batch.dw);
        test_run_step(&calm.run, x->batch.dw);
        ck_assert(test_same_bits(x->run.w, calm.run.w));
        if (step == 0) {
            ng_assert_ok(kfac_capture(&x->run, x->batch, 2), NULL);
            ng_assert_ok(kfac_capture(&calm.run, x->batch, 2), NULL);
        }
    }
    test_run_close(&calm.run);
}

START_TEST(poisoned)
{
    static const double poison[] = {NAN, INFINITY, -INFINITY, 0};
    static const char settings[] = PLAIN "damping=0.1";
    test_setup setup = test_setup_number(_i);
    world x;
    open_world(&x, settings, setup);
    ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
    for (int i = 0; i < 8; i++) {
        ng_mat m = i % 2 ? x.batch.a : x.batch.g;
        double value = poison[i / 2], kept = ng_mat_get(m, 8, 2);
        /* 0 stands for a number whose square is too large */
        ng_mat_set(m, 8, 2, value != 0 ? value : setup.dtype == NG_F32 ? 1e20 : 1e160);
        refused(&x, kfac_capture(&x.run, x.batch, 1), value != 0 ? NG_ENONFINITE : NG_ERANGE,
                "'w'");
        ng_mat_set(m, 8, 2, kept);
    }
    x.batch.dw = dense_of(x.batch.dw);
    ng_mat bad = dense_of(x.batch.dw);
    ng_mat_set(bad, 1, 1, NAN);
    test_run_gradient(&x.run, bad);
    step_refused(&x, NG_ENONFINITE, "'w'");
    goes_on(&x, settings, setup); /* with what was captured before */
    close_world(&x);
}
END_TEST

START_TEST(poisoned_bias)
{
    world x;
    double b[3] = {1, 2, 3}, db[3] = {0, NAN, 0};
    open_world(&x, PLAIN, dense_f64);
    ng_assert_ok(ng_group_add_bias(x.run.group, 0, ng_f64(b, 1, 3), ng_f64(db, 1, 3)), NULL);
    ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
    step_refused(&x, NG_ENONFINITE, "gradient");
    ck_assert(b[0] == 1 && b[1] == 2 && b[2] == 3);
    close_world(&x);
}
END_TEST

/* Every due step needs a capture of its own; the others need none and drop theirs. */
START_TEST(no_data)
{
    world x;
    open_world(&x, PLAIN "update_interval=2 damping=0.1", dense_f64);
    step_refused(&x, NG_ENODATA, "ng_group_capture");
    ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
    test_run_step(&x.run, x.batch.dw);
    ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
    test_run_step(&x.run, x.batch.dw);
    step_refused(&x, NG_ENODATA, "ng_group_capture");
    ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
    test_run_step(&x.run, x.batch.dw);
    test_run_step(&x.run, x.batch.dw);
    close_world(&x);
}
END_TEST

static const char *const undamped[] = {
    PLAIN "damping=0", PLAIN "damping=0 root=symmetric", PLAIN "damping=0 damping_kind=per_factor",
    PLAIN "damping=0 damping_kind=exact_eigen", PLAIN "damping=0 ball=spectral"};

/* Factors of deficient rank, or zero, without damping. */
START_TEST(singular)
{
    test_setup setup = test_setup_number(_i);
    for (int k = 0; k < 5; k++) {
        world x;
        open_world(&x, undamped[k], setup);
        kfac_batch few = x.batch;
        few.a.rows = few.g.rows = 2;
        ng_assert_ok(kfac_capture(&x.run, few, 1), NULL);
        step_refused(&x, NG_ESINGULAR, "damping");
        close_world(&x);
        open_world(&x, undamped[k], setup);
        x.batch.g = dense_mat(9, 3);
        ng_assert_ok(kfac_capture(&x.run, x.batch, 1), NULL);
        step_refused(&x, NG_ESINGULAR, "damping");
        close_world(&x);
    }
}
END_TEST

/* A zero factor: pi is 1, so that D = M Q_damped^-1 / sqrt(lambda). */
START_TEST(zero_factor)
{
    world x;
    open_world(&x, PLAIN "damping=0.09", test_setup_number(_i));
    ng_mat q = kfac_damped(kfac_input_factor(x.batch), 0.3);
    x.batch.g = dense_mat(9, 3);
    ng_mat wanted = kfac_solve(kfac_damped(dense_mat(3, 3), 0.3), q, x.batch.dw);
    ng_assert_mat(kfac_direction(&x.run, x.batch, 1), wanted,
                  x.run.w.dtype == NG_F64 ? 1e-12 : 1e-5);
    close_world(&x);
}
END_TEST

TEST_SUITE(capture)
{
    TCase *tcase = tcase_create("capture");
    tcase_add_test(tcase, presets);
    tcase_add_test(tcase, combinations);
    tcase_add_test(tcase, wrong_arguments);
    tcase_add_test(tcase, wrong_bias);
    tcase_add_test(tcase, bias_rebound);
    tcase_add_test(tcase, unsupported);
    tcase_add_loop_test(tcase, poisoned, 0, TEST_SETUPS);
    tcase_add_test(tcase, poisoned_bias);
    tcase_add_test(tcase, no_data);
    tcase_add_loop_test(tcase, singular, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, zero_factor, 0, TEST_SETUPS);
    suite_add_tcase(suite, tcase);
}
