/* Parity with other implementations, step by step: tests/vectors holds the
 * gradients they were given and the weights they reached, in double. Each case
 * runs in f64 to the file's tolerance, in f32 to 1e-5, with strided views, and
 * once more transposed under the other layout. */
#include "tests/support/support.h"

#include <stdio.h>

#include <natgrad.h>

typedef struct {
    const char *file, *preset;
    const char *settings[8][2];
    double tolerance;
} parity_case;

#define MUON                                                                                       \
    {"lr", "0.04"}, {"momentum", "0.95"},                                                          \
    {                                                                                              \
        "weight_decay", "0.1"                                                                      \
    }
#define FISMO                                                                                      \
    {"lr", "0.04"}, {"momentum", "0.9"}, {"ema_decay", "0.9"},                                     \
    {                                                                                              \
        "damping", "0.04"                                                                          \
    }

#define EXACT                                                                                      \
    {"polar", "exact"}, {"refresh_p", "1"},                                                        \
    {                                                                                              \
        "refresh_q", "1"                                                                           \
    }

static const parity_case cases[] = {
    {"sgd_momentum.txt",
     "sgd",
     {{"lr", "0.04"},
      {"momentum", "0.9"},
      {"weight_decay", "0.01"},
      {"weight_decay_kind", "coupled"}},
     1e-12},
    {"sgd_nesterov.txt",
     "sgd",
     {{"lr", "0.04"}, {"momentum", "0.9"}, {"nesterov", "yes"}, {"weight_decay", "0"}},
     1e-12},
    {"adamw.txt",
     "adamw",
     {{"lr", "0.04"},
      {"beta1", "0.9"},
      {"beta2", "0.99"},
      {"eps", "1e-8"},
      {"weight_decay", "0.05"}},
     1e-12},
    {"muon_exact_tall.txt",
     "muon",
     {MUON, {"polar", "exact"}, {"nesterov", "no"}, {"shape_scale", "match_rms_adamw"}},
     1e-10},
    {"muon_exact_wide.txt", "muon", {MUON, {"polar", "exact"}, {"nesterov", "yes"}}, 1e-10},
    {"muon_ns5_tall.txt", "muon", {MUON, {"polar", "newton_schulz"}}, 1e-12},
    {"muon_ns5_wide.txt", "muon", {MUON, {"polar", "newton_schulz"}}, 1e-12},
    {"fismo_paper_tall.txt", "fismo_paper", {FISMO, {"gradient_scale", "rms"}}, 1e-9},
    {"fismo_paper_wide.txt", "fismo_paper", {FISMO}, 1e-9},
    {"fismo_paper_square.txt", "fismo_paper", {FISMO, {"gradient_scale", "rms"}}, 1e-9},
    {"fismo_gradient_space_tall.txt", "fismo", {FISMO, EXACT, {"gradient_scale", "none"}}, 1e-9},
    {"fismo_gradient_space_wide.txt", "fismo", {FISMO, EXACT, {"gradient_scale", "rms"}}, 1e-9},
};

/* to <- from or its transpose, any dtypes */
static void assign(ng_mat to, ng_mat from, int transposed)
{
    for (size_t i = 0; i < from.rows; i++)
        for (size_t j = 0; j < from.cols; j++)
            ng_mat_set(to, transposed ? j : i, transposed ? i : j, ng_mat_get(from, i, j));
}

static ng_optimizer *create(const parity_case *c, ng_mat w, ng_mat dw, ng_layout layout)
{
    ng_optimizer *opt;
    ng_group *group;
    ng_error err = {NG_OK, ""};
    size_t index;
    void *options;
    ng_assert_ok(ng_options_new(&options, c->preset, &err), &err);
    for (int i = 0; i < 8 && c->settings[i][0] != NULL; i++)
        ng_assert_ok(ng_options_set_text(options, c->settings[i][0], c->settings[i][1], &err),
                     &err);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, options), NULL);
    ng_assert_ok(ng_group_add(group, &index, "w", w, dw), NULL);
    ng_assert_ok(ng_group_set_layout(group, index, layout), NULL);
    free(options);
    return opt;
}

static void run_case(const parity_case *c, ng_dtype dtype, size_t pad, int transposed)
{
    double tolerance = dtype == NG_F64 ? c->tolerance : 2e-5;
    ng_mat start = test_vector(c->file, "W0");
    size_t rows = transposed ? start.cols : start.rows, cols = transposed ? start.rows : start.cols;
    ng_mat w = test_mat(rows, cols, pad, dtype), dw = test_mat(rows, cols, 2 * pad, dtype);
    ng_mat expected = test_mat(rows, cols, 0, NG_F64);
    assign(w, start, transposed);
    ng_optimizer *opt = create(c, w, dw, transposed ? NG_IN_OUT : NG_OUT_IN);
    int steps = 0;
    for (char name[16];
         snprintf(name, sizeof name, "G%d", steps + 1), test_vector_exists(c->file, name);
         steps++) {
        ng_mat gradient = test_vector(c->file, name);
        name[0] = 'W';
        ng_mat reached = test_vector(c->file, name);
        assign(dw, gradient, transposed);
        ck_assert_msg(ng_optimizer_step(opt) == NG_OK, "%s", ng_optimizer_error(opt));
        assign(expected, reached, transposed);
        double error = test_rel_error(w, expected);
        ck_assert_msg(error <= tolerance, "%s, %s, layout %d, step %d: error %.3g > %.3g", c->file,
                      dtype == NG_F64 ? "f64" : "f32", transposed, steps + 1, error, tolerance);
        test_free(gradient);
        test_free(reached);
    }
    ck_assert_int_ge(steps, 8);
    ng_optimizer_destroy(opt);
    test_free(start);
    test_free(expected);
    test_free(w);
    test_free(dw);
}

START_TEST(parity)
{
    const parity_case *c = &cases[_i];
    for (int transposed = 0; transposed < 2; transposed++)
        for (size_t pad = 0; pad < 2; pad++) {
            run_case(c, NG_F64, 3 * pad, transposed);
            run_case(c, NG_F32, 3 * pad, transposed);
        }
}
END_TEST

TEST_SUITE(parity)
{
    TCase *tcase = tcase_create("vectors");
    tcase_add_loop_test(tcase, parity, 0, sizeof cases / sizeof cases[0]);
    suite_add_tcase(suite, tcase);
}
