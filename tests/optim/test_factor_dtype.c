/* What FISMO's factors are kept in, bases kept while they still diagonalise
 * them, and the options that are fixed once there are parameters. */
#include "tests/support/dense.h"
#include "tests/support/run.h"

#include <natgrad/linalg.h>

#include <stdio.h>

enum { M = 8, N = 13 };
static const double eps = 0x1p-23;

static const struct {
    const char *preset, *settings;
} kinds[] = {{"fismo", TEST_EXACT TEST_EACH_STEP "root=cholesky "},
             {"fismo_paper", ""},
             {"fismo", TEST_EXACT TEST_EACH_STEP "root=symmetric "},
             {"fismo", TEST_EXACT TEST_EACH_STEP "root=cholesky ball=none metric_scale=trace "}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void open_run(test_run *run, int kind, const char *settings, ng_dtype dtype)
{
    test_setup setup = {dtype, NG_OUT_IN, 2};
    char text[256] = "lr=0.05 ";
    strcat(text, kinds[kind].settings);
    strcat(text, settings);
    test_run_open(run, kinds[kind].preset, text, M, N, setup);
}

/* Gradients of rank 2 in fixed subspaces and a part of other directions. */
typedef struct {
    ng_mat a, b;
    double noise;
    test_rng rng;
} source;

static source source_of(double noise, unsigned seed)
{
    source s = {test_mat(M, 2, 0, NG_F64), test_mat(2, N, 0, NG_F64), noise, {seed}};
    test_fill_normal(s.a, &s.rng);
    test_fill_normal(s.b, &s.rng);
    return s;
}

/* rounded to f32, so that both dtypes get the same */
static ng_mat next(source *s)
{
    ng_mat turn = dense_normal(2, 2, &s->rng);
    ng_mat x = dense_mul(dense_mul(s->a, 0, turn, 0), 0, s->b, 0);
    ng_mat rounded = test_convert(dense_add(1, x, s->noise, dense_normal(M, N, &s->rng)), NG_F32);
    ng_mat g = dense_of(rounded);
    test_free(rounded);
    return g;
}

static void close_source(source *s)
{
    test_free(s->a), test_free(s->b);
    dense_release();
}

/* ---- The dtype of the factors ----------------------------------------------------------- */

/* Factors from one strongly correlated gradient alone, then kept; ordinary
 * gradients whitened with them in f32 and in f64: the worst difference of W. */
static double frozen(int kind, const char *settings, double noise)
{
    char text[256] = "momentum=0 ema_decay=0 refresh_p=1000 refresh_q=1000 ";
    test_run run, ref;
    source first = source_of(noise, 5), other = source_of(1, 6);
    double worst = 0;
    strcat(text, settings);
    open_run(&run, kind, text, NG_F32);
    open_run(&ref, kind, text, NG_F64);
    for (int step = 0; step < 6; step++) {
        ng_mat g = next(step == 0 ? &first : &other);
        test_run_step(&run, g);
        test_run_step(&ref, g);
        if (step == 0) {
            ng_fill(run.w, 0);
            ng_fill(ref.w, 0);
        } else
            worst = fmax(worst, test_rel_error(test_run_weights(&run), test_run_weights(&ref)));
    }
    test_run_close(&run), test_run_close(&ref);
    close_source(&first), close_source(&other);
    return worst;
}

/* A root in f32 of a factor in double is as good as its condition, about
 * 1/noise, allows; a factor in f32 as its own, which is the square. */
START_TEST(doubles_help)
{
    static const char *const dampings[] = {"damping=1e-5 ", "damping=1e-6 ", "damping=1e-8 "};
    static const double noises[] = {1e-2, 1e-3, 1e-4};
    for (int i = 0; i < 9; i++) {
        char settings[64];
        double noise = noises[i / 3];
        sprintf(settings, "%s%s", dampings[i % 3], "factor_dtype=f64");
        double f64 = frozen(_i, settings, noise);
        ck_assert_msg(f64 <= 8 * eps / noise, "%s, noise %g: %g", settings, noise, f64);
        if (i % 3 == 1 && noise >= 1e-3) {
            sprintf(settings, "%s%s", dampings[i % 3], "factor_dtype=same");
            double same = frozen(_i, settings, noise);
            ck_assert_msg(same > 20 * f64, "%g against %g", same, f64);
        }
    }
}
END_TEST

/* With damping 1e-6 and gradients that hardly leave two directions, for many
 * steps: finite, and as close to f64 as the rounding of M allows, whose other
 * directions are `noise` of the largest. */
START_TEST(small_damping)
{
    const double noise = 1e-3;
    test_run run, ref;
    source s = source_of(noise, 7);
    open_run(&run, _i, "momentum=0.8 ema_decay=0.9 damping=1e-6", NG_F32);
    open_run(&ref, _i, "momentum=0.8 ema_decay=0.9 damping=1e-6", NG_F64);
    for (int step = 0; step < 60; step++) {
        ng_mat g = next(&s);
        test_run_step(&run, g);
        test_run_step(&ref, g);
        ck_assert(ng_is_finite(run.w));
        ng_assert_mat(test_run_weights(&run), test_run_weights(&ref), 10 * eps / noise);
    }
    test_run_close(&run), test_run_close(&ref);
    close_source(&s);
}
END_TEST

/* the weights after a few steps, on dense's list, and the bytes before them */
static ng_mat walk(int kind, const char *settings, ng_dtype dtype, size_t *bytes)
{
    test_run run;
    source s = source_of(0.3, 8);
    open_run(&run, kind, settings, dtype);
    *bytes = ng_optimizer_memory(run.opt);
    for (int step = 0; step < 5; step++)
        test_run_step(&run, next(&s));
    ng_mat copy = test_copy(run.w);
    test_run_close(&run);
    close_source(&s);
    ng_mat w = dense_of(copy);
    test_free(copy);
    return w;
}

/* auto is one of the two, by the damping the parameter was added with */
START_TEST(automatic)
{
    static const struct {
        const char *damping;
        int doubles;
    } cases[] = {{"1e-2", 0}, {"1e-4", 0}, {"0.99e-4", 1}, {"1e-6", 1}};
    for (int i = 0; i < 4; i++) {
        char settings[3][128];
        static const char *const names[] = {"auto", "same", "f64"};
        size_t bytes[3], wide[3];
        ng_mat w[3];
        for (int k = 0; k < 3; k++)
            sprintf(settings[k], "damping=%s factor_dtype=%s", cases[i].damping, names[k]);
        for (int k = 0; k < 3; k++) {
            ng_mat copy = walk(_i, settings[k], NG_F32, &bytes[k]);
            w[k] = test_copy(copy);
            walk(_i, settings[k], NG_F64, &wide[k]);
        }
        ck_assert(test_same_bits(w[0], w[cases[i].doubles ? 2 : 1]));
        ck_assert(!test_same_bits(w[1], w[2]));
        ck_assert_uint_eq(bytes[0], bytes[cases[i].doubles ? 2 : 1]);
        ck_assert_uint_ge(bytes[2], bytes[1] + 2 * 4 * (M * M + N * N)); /* two copies each */
        ck_assert(wide[0] == wide[1] && wide[1] == wide[2]);             /* f64 weights: all one */
        test_free(w[0]), test_free(w[1]), test_free(w[2]);
    }
    dense_release();
}
END_TEST

/* The damping of the day the parameter was added: later changes move no factor. */
START_TEST(chosen_once)
{
    test_run a, b;
    source s = source_of(0.3, 9);
    open_run(&a, _i, "damping=1e-2 factor_dtype=auto", NG_F32);
    open_run(&b, _i, "damping=1e-2 factor_dtype=same", NG_F32);
    for (int step = 0; step < 4; step++) {
        ng_mat g = next(&s);
        test_run_step(&a, g);
        test_run_step(&b, g);
        ck_assert(test_same_bits(a.w, b.w));
        ng_assert_ok(ng_group_set(a.group, "damping", 1e-5), NULL);
        ng_assert_ok(ng_group_set(b.group, "damping", 1e-5), NULL);
    }
    test_run_close(&a), test_run_close(&b);
    close_source(&s);
}
END_TEST

/* ---- Kept bases --------------------------------------------------------------------------- */

/* W with a tolerance against W without, over a walk whose factors move slowly */
static double with_tolerance(const char *preset, const char *tolerance, ng_dtype dtype)
{
    test_setup setup = {dtype, NG_OUT_IN, 1};
    char text[256] = "lr=0.05 momentum=0.8 ema_decay=0.99 damping=0.3 root=symmetric ";
    test_run kept, exact;
    test_rng rng = {97};
    double worst = 0;
    test_run_open(&exact, preset, text, M, N, setup);
    sprintf(text + strlen(text), "refresh_tolerance=%s", tolerance);
    test_run_open(&kept, preset, text, M, N, setup);
    for (int step = 0; step < 30; step++) {
        ng_mat g = dense_normal(M, N, &rng);
        test_run_step(&kept, g);
        test_run_step(&exact, g);
        worst = fmax(worst, test_rel_error(test_run_weights(&kept), test_run_weights(&exact)));
        dense_release();
    }
    test_run_close(&kept), test_run_close(&exact);
    return worst;
}

/* What is dropped is at most the tolerance of the factor; its condition is some
 * 10 here, the roots' derivative its 3/2th power. A coarse tolerance differs:
 * bases are kept. */
START_TEST(tolerance)
{
    static const char *const presets[] = {"fismo_paper", "fismo"};
    static const char *const tolerances[] = {"1e-12", "1e-6", "1e-3", "1e-2", "0.1"};
    for (int i = 0; i < 20; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        const char *text = tolerances[i / 4];
        double error = with_tolerance(presets[i / 2 % 2], text, dtype);
        double rounding = dtype == NG_F32 ? 1e-4 : 1e-10;
        ck_assert_msg(error <= 30 * strtod(text, NULL) + rounding, "%s: %g", text, error);
        if (i / 4 >= 3)
            ck_assert_msg(error > 1e-4 || dtype == NG_F32, "%s: only %g", text, error);
    }
}
END_TEST

START_TEST(tolerance_needs_symmetric)
{
    ng_error err = {NG_OK, ""};
    ng_optimizer *opt;
    ng_group *group;
    ng_steepest_options o;
    ng_steepest_init_fismo(&o);
    o.fismo.refresh_tolerance = 1e-3;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "refresh_tolerance");
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ck_assert_int_eq(ng_optimizer_add_group(opt, &group, &o), NG_EOPTION);
    o.fismo.root = NG_ROOT_SYMMETRIC;
    ng_assert_ok(ng_options_check(&o, &err), &err);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    static const double bad[] = {-1e-9, 1, NAN};
    for (int i = 0; i < 3; i++) {
        o.fismo.refresh_tolerance = bad[i];
        ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "refresh_tolerance");
    }
    ng_optimizer_destroy(opt);
}
END_TEST

/* ---- Fixed options --------------------------------------------------------------------------- */

/* What state was made for cannot change under it: refused, and the value stays. */
START_TEST(fixed)
{
    static const struct {
        const char *name;
        double now, other;
    } cases[] = {{"metric", NG_METRIC_FISMO, NG_METRIC_IDENTITY},
                 {"momentum_space", NG_MOMENTUM_WHITENED, NG_MOMENTUM_GRADIENT},
                 {"root", NG_ROOT_SYMMETRIC, NG_ROOT_CHOLESKY},
                 {"one_sided", NG_ONE_SIDED_NEVER, NG_ONE_SIDED_ALWAYS},
                 {"factor_dtype", NG_FACTORS_AUTO, NG_FACTORS_F64},
                 {"refresh_tolerance", 0, 0.1}};
    test_run run, twin;
    source s = source_of(0.3, 10);
    open_run(&run, 1, "", NG_F32);
    open_run(&twin, 1, "", NG_F32);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value;
        ck_assert_int_eq(ng_group_set(run.group, cases[i].name, cases[i].other), NG_EOPTION);
        ck_assert_msg(strstr(ng_optimizer_error(run.opt), cases[i].name) != NULL, "%s",
                      ng_optimizer_error(run.opt));
        ng_assert_ok(ng_group_get(run.group, cases[i].name, &value), NULL);
        ck_assert(value == cases[i].now);
        ng_assert_ok(ng_group_set(run.group, cases[i].name, cases[i].now), NULL); /* no change */
        ng_mat g = next(&s);
        test_run_step(&run, g);
        test_run_step(&twin, g);
        ck_assert(test_same_bits(run.w, twin.w));
    }
    test_run_close(&run), test_run_close(&twin);
    close_source(&s);
}
END_TEST

TEST_SUITE(factor_dtype)
{
    TCase *tcase = tcase_create("dtypes and bases");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, doubles_help, 0, KINDS);
    tcase_add_loop_test(tcase, small_damping, 0, KINDS);
    tcase_add_loop_test(tcase, automatic, 0, KINDS);
    tcase_add_loop_test(tcase, chosen_once, 0, KINDS);
    tcase_add_test(tcase, tolerance);
    tcase_add_test(tcase, tolerance_needs_symmetric);
    tcase_add_test(tcase, fixed);
    suite_add_tcase(suite, tcase);
}
