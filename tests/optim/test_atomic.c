/* A step is all or nothing: a bad gradient in any parameter of any group
 * changes no weight, and no state, which shows in the steps that follow. */
#include "tests/support/dense.h"
#include "tests/support/run.h"

#include <stdio.h>

static const struct {
    const char *preset, *settings;
} groups[] = {{"sgd", ""},
              {"adamw", ""},
              {"muon", "weight_decay=0.1"},
              {"fismo", ""},
              {"fismo", "polar=exact root=inverse refresh_p=2 refresh_q=3"},
              {"fismo", "root=symmetric"},
              {"fismo_paper", ""},
              {"muon", "ball=frobenius"},
              {"normuon", ""},
              {"ivon", ""},
              {"muon", "ball=rows length=dual cautious_decay=yes weight_decay=0.1"},
              {"shampoo", "inverse_interval=2"},
              {"shampoo", "grafting=none ball=spectral inverse_interval=1"},
              {"soap", "inverse_interval=2"},
              {"soap", "ball=frobenius eigenbasis=eigh inverse_interval=1"}};
static const size_t shapes[][2] = {{4, 7}, {1, 6}, {7, 4}};
enum {
    GROUPS = sizeof groups / sizeof groups[0],
    EACH = sizeof shapes / sizeof shapes[0],
    PARAMS = GROUPS * EACH
};

typedef struct {
    ng_optimizer *opt;
    ng_mat w[PARAMS], dw[PARAMS];
} twin;

static void name_of(char *name, int p)
{
    sprintf(name, "layer%d.weight", p);
}

static void open_twin(twin *t, ng_dtype dtype)
{
    test_rng rng = {71};
    ng_assert_ok(ng_optimizer_create(&t->opt, NULL), NULL);
    for (int g = 0; g < GROUPS; g++) {
        ng_group *group;
        void *options = test_options(groups[g].preset, groups[g].settings);
        ng_assert_ok(ng_optimizer_add_group(t->opt, &group, options), NULL);
        free(options);
        for (int i = 0; i < EACH; i++) {
            int p = g * EACH + i;
            char name[32];
            name_of(name, p);
            t->w[p] = test_mat(shapes[i][0], shapes[i][1], (size_t)i, dtype);
            t->dw[p] = test_mat(shapes[i][0], shapes[i][1], 2 * (size_t)i, dtype);
            test_fill_normal(t->w[p], &rng);
            ng_assert_ok(ng_group_add(group, NULL, name, t->w[p], t->dw[p]), NULL);
        }
    }
}

static void close_twin(twin *t)
{
    ng_optimizer_destroy(t->opt);
    for (int p = 0; p < PARAMS; p++) {
        test_free(t->w[p]);
        test_free(t->dw[p]);
    }
}

static void gradients(twin *t, unsigned seed)
{
    test_rng rng = {seed};
    for (int p = 0; p < PARAMS; p++)
        test_fill_normal(t->dw[p], &rng);
}

static void good_steps(twin *t, int count, unsigned seed)
{
    for (int i = 0; i < count; i++) {
        gradients(t, seed + (unsigned)i);
        ck_assert_msg(ng_optimizer_step(t->opt) == NG_OK, "%s", ng_optimizer_error(t->opt));
    }
}

/* fresh gradients, one element of parameter p spoilt */
static void bad_step(twin *t, int p, double value, ng_status expected)
{
    char name[32];
    ng_mat before[PARAMS], x = t->dw[p];
    unsigned long long steps = ng_optimizer_steps(t->opt);
    for (int i = 0; i < PARAMS; i++)
        before[i] = test_copy(t->w[i]);
    gradients(t, 1000 + (unsigned)p);
    ng_mat_set(x, (size_t)p % x.rows, (size_t)p % x.cols, value);
    ng_status status = ng_optimizer_step(t->opt);
    name_of(name, p);
    ck_assert_msg(status == expected, "%s with %g: %s", name, value, ng_status_name(status));
    ck_assert_msg(strstr(ng_optimizer_error(t->opt), name) != NULL, "\"%s\" does not name %s",
                  ng_optimizer_error(t->opt), name);
    ck_assert_uint_eq(ng_optimizer_steps(t->opt), steps);
    for (int i = 0; i < PARAMS; i++) {
        ck_assert_msg(test_same_bits(before[i], t->w[i]), "parameter %d changed when %d failed", i,
                      p);
        test_free(before[i]);
    }
}

static int is_preset(int p, const char *preset)
{
    return strcmp(groups[p / EACH].preset, preset) == 0;
}

static void suffer(twin *t, ng_dtype dtype)
{
    for (int p = 0; p < PARAMS; p++) {
        bad_step(t, p, NAN, NG_ENONFINITE);
        bad_step(t, p, INFINITY, NG_ENONFINITE);
        bad_step(t, p, -INFINITY, NG_ENONFINITE);
        /* squares that overflow: second moments, and the factors of metrics that take
         * gradients as they come */
        if (is_preset(p, "adamw") || is_preset(p, "fismo_paper") || is_preset(p, "shampoo") ||
            is_preset(p, "soap")) {
            bad_step(t, p, dtype == NG_F32 ? 1e30 : 1e200, NG_ERANGE);
            bad_step(t, p, dtype == NG_F32 ? -3e38 : -1e308, NG_ERANGE);
        }
    }
}

START_TEST(bad_gradients)
{
    for (int dtype = 0; dtype < 2; dtype++)
        for (int warm = 0; warm < 6; warm += 3) {
            twin a, b;
            open_twin(&a, (ng_dtype)dtype);
            open_twin(&b, (ng_dtype)dtype);
            good_steps(&a, warm, 1);
            good_steps(&b, warm, 1);
            suffer(&a, (ng_dtype)dtype);
            for (int step = 0; step < 5; step++) {
                good_steps(&a, 1, 50 + (unsigned)step);
                good_steps(&b, 1, 50 + (unsigned)step);
                for (int p = 0; p < PARAMS; p++)
                    ck_assert_msg(test_same_bits(a.w[p], b.w[p]),
                                  "parameter %d remembers a failed step", p);
            }
            ck_assert_uint_eq(ng_optimizer_steps(a.opt), (unsigned)warm + 5);
            close_twin(&a);
            close_twin(&b);
        }
}
END_TEST

/* f32 fismo with gradients as they come, in gradient space: NG_ERANGE too. */
START_TEST(huge_fismo)
{
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_rng rng = {72};
        test_run run;
        test_run_open(&run, "fismo", TEST_EACH_STEP "gradient_scale=none", 4, 7,
                      test_setup_number(i));
        test_run_step(&run, dense_normal(4, 7, &rng));
        ng_mat before = test_copy(run.w), g = dense_normal(4, 7, &rng);
        test_run_gradient(&run, dense_scale(run.w.dtype == NG_F32 ? 1e30 : 1e200, g));
        ck_assert_int_eq(ng_optimizer_step(run.opt), NG_ERANGE);
        ck_assert_ptr_nonnull(strstr(ng_optimizer_error(run.opt), "'w'"));
        ck_assert(test_same_bits(before, run.w));
        test_run_step(&run, g);
        test_free(before);
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

/* An option that makes the step overflow is an error of that step alone. */
START_TEST(huge_lr)
{
    for (int i = 0; i < TEST_SETUPS; i++) {
        test_rng rng = {73};
        test_run run;
        test_run_open(&run, "muon", "", 4, 7, test_setup_number(i));
        test_run_gradient(&run, dense_normal(4, 7, &rng));
        ng_mat before = test_copy(run.w);
        ng_assert_ok(ng_group_set(run.group, "lr", run.w.dtype == NG_F32 ? 1e39 : 1.7e308), NULL);
        ng_assert_ok(ng_group_set(run.group, "shape_scale", NG_SHAPE_SCALE_MATCH_RMS_ADAMW), NULL);
        ng_status status = ng_optimizer_step(run.opt);
        if (run.w.dtype == NG_F32)
            ck_assert_int_eq(status, NG_ERANGE);
        if (status != NG_OK)
            ck_assert(test_same_bits(before, run.w));
        for (size_t k = 0; k < 28; k++)
            ck_assert(isfinite(ng_mat_get(test_run_weights(&run), k / 7, k % 7)));
        test_free(before);
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

TEST_SUITE(atomic)
{
    TCase *tcase = tcase_create("gradients");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, bad_gradients);
    tcase_add_test(tcase, huge_fismo);
    tcase_add_test(tcase, huge_lr);
    suite_add_tcase(suite, tcase);
}
