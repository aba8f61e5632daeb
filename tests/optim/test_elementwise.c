/* sgd and adamw against their formulas, element by element in double. */
#include "tests/support/dense.h"
#include "tests/support/run.h"

static const size_t shapes[][2] = {{1, 1}, {1, 37}, {37, 1}, {5, 9}, {8, 16}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], MAX = 200, STEPS = 30 };

/* f32: one rounding of each of a few operations a step */
static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F64 ? 1e-13 : 1e-5;
}

typedef struct {
    double lr, momentum, weight_decay;
    int nesterov, coupled;
} sgd_rule;

static const struct {
    const char *settings;
    sgd_rule rule;
} sgd_cases[] = {
    {"lr=0.1 momentum=0 weight_decay=0", {0.1, 0, 0, 0, 0}},
    {"lr=0.1 momentum=0.9 weight_decay=0", {0.1, 0.9, 0, 0, 0}},
    {"lr=0.1 momentum=0.9 nesterov=yes", {0.1, 0.9, 0, 1, 0}},
    {"lr=0.1 momentum=0.9 weight_decay=0.3", {0.1, 0.9, 0.3, 0, 0}},
    {"lr=0.1 momentum=0.9 weight_decay=0.3 weight_decay_kind=coupled", {0.1, 0.9, 0.3, 0, 1}},
    {"lr=0.1 momentum=0.8 nesterov=yes weight_decay=0.3 weight_decay_kind=coupled",
     {0.1, 0.8, 0.3, 1, 1}},
    {"lr=0 momentum=0.8", {0, 0.8, 0, 0, 0}},
};

static double sgd(double w, double g, double *b, int first, const sgd_rule *r)
{
    if (r->coupled)
        g += r->weight_decay * w;
    *b = first ? g : r->momentum * *b + g;
    double d = r->nesterov ? g + r->momentum * *b : *b;
    return (r->coupled ? w : (1 - r->lr * r->weight_decay) * w) - r->lr * d;
}

static void open_random(test_run *run, const char *preset, const char *settings, size_t shape,
                        test_setup setup, double *w, test_rng *rng)
{
    test_run_open(run, preset, settings, shapes[shape][0], shapes[shape][1], setup);
    test_fill_normal(run->w, rng);
    for (size_t i = 0; i < shapes[shape][0] * shapes[shape][1]; i++)
        w[i] = ng_mat_get(test_run_weights(run), i / shapes[shape][1], i % shapes[shape][1]);
}

/* one step of the library; g becomes what it saw, for f32 rounded */
static ng_mat random_step(test_run *run, size_t shape, test_rng *rng)
{
    ng_mat rounded =
        test_convert(dense_normal(shapes[shape][0], shapes[shape][1], rng), run->w.dtype);
    ng_mat g = dense_of(rounded);
    test_free(rounded);
    test_run_step(run, g);
    return g;
}

/* relative to the largest w so far, for a walk may return to near zero */
static void check_weights(const test_run *run, const double *w, double *largest, const char *what)
{
    ng_mat x = test_run_weights(run), expected = dense_mat(x.rows, x.cols);
    memcpy(expected.data, w, x.rows * x.cols * sizeof *w);
    *largest = fmax(*largest, test_norm(expected));
    double error = test_norm(dense_add(1, x, -1, expected)) / *largest;
    ck_assert_msg(error <= tolerance(run->w.dtype), "%s: error %g", what, error);
}

START_TEST(sgd_formula)
{
    test_rng rng = {61};
    for (size_t c = 0; c < sizeof sgd_cases / sizeof sgd_cases[0]; c++)
        for (int i = 0; i < TEST_SETUPS; i++) {
            test_run run;
            double w[MAX], b[MAX] = {0}, largest = 0;
            open_random(&run, "sgd", sgd_cases[c].settings, (size_t)_i, test_setup_number(i), w,
                        &rng);
            for (int step = 0; step < STEPS; step++) {
                const double *g = random_step(&run, (size_t)_i, &rng).data;
                for (size_t k = 0; k < shapes[_i][0] * shapes[_i][1]; k++)
                    w[k] = sgd(w[k], g[k], &b[k], step == 0, &sgd_cases[c].rule);
                check_weights(&run, w, &largest, sgd_cases[c].settings);
                dense_release();
            }
            test_run_close(&run);
        }
}
END_TEST

typedef struct {
    double lr, beta1, beta2, eps, weight_decay;
} adamw_rule;

static const struct {
    const char *settings;
    adamw_rule rule;
} adamw_cases[] = {
    {"lr=1e-3", {1e-3, 0.9, 0.999, 1e-8, 0.01}}, /* torch's defaults */
    {"lr=0.1 beta1=0.8 beta2=0.95 eps=1e-3 weight_decay=0.3", {0.1, 0.8, 0.95, 1e-3, 0.3}},
    {"lr=0.1 beta1=0 beta2=0 weight_decay=0", {0.1, 0, 0, 1e-8, 0}},
    {"lr=0.1 beta1=0 beta2=0.9", {0.1, 0, 0.9, 1e-8, 0.01}},
};

static double adamw(double w, double g, double *m, double *v, int t, const adamw_rule *r)
{
    *m = r->beta1 * *m + (1 - r->beta1) * g;
    *v = r->beta2 * *v + (1 - r->beta2) * g * g;
    double first = *m / (1 - pow(r->beta1, t)), second = *v / (1 - pow(r->beta2, t));
    return (1 - r->lr * r->weight_decay) * w - r->lr * first / (sqrt(second) + r->eps);
}

START_TEST(adamw_formula)
{
    test_rng rng = {62};
    for (size_t c = 0; c < sizeof adamw_cases / sizeof adamw_cases[0]; c++)
        for (int i = 0; i < TEST_SETUPS; i++) {
            test_run run;
            double w[MAX], m[MAX] = {0}, v[MAX] = {0}, largest = 0;
            open_random(&run, "adamw", adamw_cases[c].settings, (size_t)_i, test_setup_number(i), w,
                        &rng);
            for (int step = 0; step < STEPS; step++) {
                const double *g = random_step(&run, (size_t)_i, &rng).data;
                for (size_t k = 0; k < shapes[_i][0] * shapes[_i][1]; k++)
                    w[k] = adamw(w[k], g[k], &m[k], &v[k], step + 1, &adamw_cases[c].rule);
                check_weights(&run, w, &largest, adamw_cases[c].settings);
                dense_release();
            }
            test_run_close(&run);
        }
}
END_TEST

/* A zero gradient moves nothing but the decay; never NaN, though 0/0 is near. */
START_TEST(zero_gradient)
{
    static const char *const presets[] = {"sgd", "adamw"};
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < TEST_SETUPS; i++) {
            test_rng rng = {63};
            test_run run;
            double w[MAX], largest = 0;
            open_random(&run, presets[p], "lr=0.5 weight_decay=0.5", (size_t)_i,
                        test_setup_number(i), w, &rng);
            for (int step = 0; step < 3; step++) {
                test_run_step(&run, dense_mat(shapes[_i][0], shapes[_i][1]));
                for (size_t k = 0; k < shapes[_i][0] * shapes[_i][1]; k++)
                    w[k] *= 0.75;
                check_weights(&run, w, &largest, presets[p]);
            }
            test_run_close(&run);
            dense_release();
        }
}
END_TEST

/* The largest gradients adamw takes, and the smallest: still about lr a step. */
START_TEST(adamw_extremes)
{
    static const double sizes[2][2] = {{1e19, 1e-15}, {1e153, 1e-20}};
    for (int i = 0; i < 2 * TEST_SETUPS; i++) {
        test_setup setup = test_setup_number(i / 2);
        test_run run;
        test_run_open(&run, "adamw", "lr=0.5 eps=1e-30 weight_decay=0", 2, 3, setup);
        ng_mat g = dense_mat(2, 3);
        for (size_t k = 0; k < 6; k++)
            ((double *)g.data)[k] = sizes[setup.dtype][i % 2];
        test_run_step(&run, g);
        for (size_t k = 0; k < 6; k++)
            ng_assert_rel(ng_mat_get(test_run_weights(&run), k / 3, k % 3), -0.5, 1e-4);
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

TEST_SUITE(elementwise)
{
    TCase *tcase = tcase_create("formulas");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, sgd_formula, 0, SHAPES);
    tcase_add_loop_test(tcase, adamw_formula, 0, SHAPES);
    tcase_add_loop_test(tcase, zero_gradient, 0, SHAPES);
    tcase_add_test(tcase, adamw_extremes);
    suite_add_tcase(suite, tcase);
}
