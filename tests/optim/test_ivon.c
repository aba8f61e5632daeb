/* IVON against the published update written out, on the same noise. */
#define _POSIX_C_SOURCE 200809L
#include "tests/support/dense.h"
#include "tests/support/run.h"

#include <stdio.h>
#include <unistd.h>

enum { ROWS = 5, COLS = 7, N = ROWS * COLS };

static test_rng rng;

static void reseed(void)
{
    rng.state = 77;
    dense_release();
}

static void fill_normal(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_normal(data);
}

static ng_random normal(test_rng *from)
{
    return (ng_random){.fill_normal = fill_normal, .data = from};
}

/* ---- The published update ------------------------------------------------------------------- */

typedef struct {
    double m[N], momentum[N], h[N];
    double lr, ess, hess, beta1, beta2, delta, radius;
    int t;
} world;

static world world_of(ng_mat w, double ess, double hess, double radius)
{
    world x = {.lr = 0.1,
               .ess = ess,
               .hess = hess,
               .beta1 = 0.9,
               .beta2 = 0.99,
               .delta = 1e-3,
               .radius = radius};
    for (size_t i = 0; i < N; i++) {
        x.m[i] = ng_mat_get(w, i / COLS, i % COLS);
        x.h[i] = hess;
    }
    return x;
}

/* noise, g: samples of N */
static void world_step(world *x, const double *noise, const double *g, int samples, int drawn)
{
    x->t++;
    for (size_t i = 0; i < N; i++) {
        double mean = 0, product = 0, precision = x->h[i] + x->delta;
        for (int k = 0; k < samples; k++) {
            double n = noise[(size_t)k * N + i] / sqrt(x->ess * precision),
                   one = g[(size_t)k * N + i];
            mean += one / samples;
            product += (drawn ? n * one * precision * x->ess : one * one * x->ess) / samples;
        }
        double old = x->h[i];
        x->momentum[i] = x->beta1 * x->momentum[i] + (1 - x->beta1) * mean;
        x->h[i] = x->beta2 * old + (1 - x->beta2) * product +
                  0.5 * pow(1 - x->beta2, 2) * pow(old - product, 2) / precision;
        double step = (x->momentum[i] / (1 - pow(x->beta1, x->t)) + x->delta * x->m[i]) /
                      (x->h[i] + x->delta);
        x->m[i] -= x->lr * (x->hess + x->delta) * fmin(x->radius, fmax(-x->radius, step));
    }
}

/* ---- A loop that samples ----------------------------------------------------------------------
 */

static const char settings[] = "ess=50 hess_init=0.7 beta2=0.99 weight_decay=1e-3 clip_radius=2";

/* a slope that depends on the weights */
static double slope(double w, size_t i)
{
    return sin(w + (double)i) + 0.3 * w;
}

static void gradient(test_run *run, double *g)
{
    for (size_t i = 0; i < N; i++) {
        g[i] = slope(ng_mat_get(run->w, i / COLS, i % COLS), i);
        ng_mat_set(run->dw, i / COLS, i % COLS, g[i]);
        g[i] = ng_mat_get(run->dw, i / COLS, i % COLS);
    }
}

static void start(test_run *run, ng_dtype dtype)
{
    test_run_open(run, "ivon", settings, ROWS, COLS, (test_setup){.dtype = dtype, .pad = 2});
    test_fill_normal(run->w, &rng);
}

/* _i: dtype, then samples a step (0: none is drawn) */
START_TEST(the_published_update)
{
    const ng_dtype dtype = _i % 2 ? NG_F64 : NG_F32;
    const int samples = _i / 2, count = samples > 0 ? samples : 1;
    const double tolerance = dtype == NG_F64 ? 1e-12 : 2e-4;
    test_run run;
    start(&run, dtype);
    world x = world_of(run.w, 50, 0.7, 2);
    for (int t = 0; t < 20; t++) {
        double noise[3 * N] = {0}, g[3 * N];
        for (int k = 0; k < count; k++) {
            test_rng same = rng;
            ng_random random = normal(&rng);
            if (samples > 0) {
                ng_assert_ok(ng_optimizer_sample(run.opt, &random), NULL);
                fill_normal(&same, noise + k * N, N);
            }
            gradient(&run, g + k * N);
            if (count > 1)
                ng_assert_ok(ng_optimizer_accumulate(run.opt), NULL);
        }
        ng_assert_ok(ng_optimizer_step(run.opt), NULL);
        world_step(&x, noise, g, count, samples > 0);
        for (size_t i = 0; i < N; i++)
            ck_assert_double_le(fabs(ng_mat_get(run.w, i / COLS, i % COLS) - x.m[i]),
                                tolerance * fmax(1, fabs(x.m[i])));
    }
    ng_mat sd = test_mat(ROWS, COLS, 1, dtype);
    ng_assert_ok(ng_optimizer_deviations(run.opt, sd, "w"), NULL);
    for (size_t i = 0; i < N; i++)
        ng_assert_rel(ng_mat_get(sd, i / COLS, i % COLS), 1 / sqrt(50 * (x.h[i] + 1e-3)),
                      tolerance * 10);
    test_free(sd);
    test_run_close(&run);
}
END_TEST

/* Mean and deviation of what is drawn: within 5 standard errors. */
START_TEST(samples_have_mean_and_deviation)
{
    enum { DRAWS = 4000 };
    test_run run;
    ng_random random = normal(&rng);
    double sum = 0, squares = 0;
    start(&run, NG_F64);
    ng_mat mean = test_copy(run.w);
    for (int k = 0; k < DRAWS; k++) {
        ng_assert_ok(ng_optimizer_sample(run.opt, &random), NULL);
        for (size_t i = 0; i < N; i++) {
            double z =
                (ng_mat_get(run.w, i / COLS, i % COLS) - ng_mat_get(mean, i / COLS, i % COLS)) *
                sqrt(50 * 0.701);
            sum += z;
            squares += z * z;
        }
    }
    const double n = (double)DRAWS * N;
    ck_assert_double_le(fabs(sum / n), 5 / sqrt(n));
    ck_assert_double_le(fabs(squares / n - 1), 5 * sqrt(2 / n));
    ng_assert_ok(ng_optimizer_restore(run.opt), NULL);
    ck_assert(test_same_bits(run.w, mean));
    test_free(mean);
    test_run_close(&run);
}
END_TEST

static void fill_uniform(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_uniform(data);
}

/* z of the weights when a key is taken from the uniform numbers of `seed`; other names before it */
static ng_mat drawn_by_name(unsigned seed, ng_dtype dtype, size_t pad, const char *before)
{
    test_run run;
    double other[3] = {1, 2, 3}, none[3] = {0};
    test_rng from = {seed};
    ng_random random = {.fill_uniform = fill_uniform, .data = &from};
    rng.state = 5;
    test_run_open(&run, "ivon", settings, ROWS, COLS, (test_setup){.dtype = dtype, .pad = pad});
    ng_assert_ok(ng_group_add(run.group, NULL, before, ng_f64(other, 1, 3), ng_f64(none, 1, 3)),
                 NULL);
    ng_assert_ok(ng_optimizer_sample(run.opt, &random), NULL);
    ng_mat z = test_copy(run.w);
    ng_assert_ok(ng_optimizer_restore(run.opt), NULL);
    for (size_t i = 0; i < N; i++)
        ng_mat_set(z, i / COLS, i % COLS,
                   (ng_mat_get(z, i / COLS, i % COLS) - ng_mat_get(run.w, i / COLS, i % COLS)) *
                       sqrt(50 * 0.701));
    test_run_close(&run);
    return z;
}

/* An element has its number whatever stands beside it, however rows lie, in either dtype; another
 * draw has others. */
START_TEST(numbers_by_name)
{
    ng_mat z = drawn_by_name(1, NG_F64, 2, "a"), dense = drawn_by_name(1, NG_F64, 0, "b");
    ng_mat single = drawn_by_name(1, NG_F32, 2, "a"), other = drawn_by_name(2, NG_F64, 2, "a");
    double apart = 0, squares = 0;
    for (size_t i = 0; i < N; i++) {
        double x = ng_mat_get(z, i / COLS, i % COLS);
        ck_assert_double_le(fabs(ng_mat_get(dense, i / COLS, i % COLS) - x), 1e-13);
        ck_assert_double_le(fabs(ng_mat_get(single, i / COLS, i % COLS) - x), 1e-5);
        apart += fabs(ng_mat_get(other, i / COLS, i % COLS) - x);
        squares += x * x;
    }
    ck_assert_double_ge(apart, 0.5 * N);
    ck_assert_double_le(fabs(squares / N - 1), 5 * sqrt(2.0 / N));
    test_free(z), test_free(dense), test_free(single), test_free(other);
}
END_TEST

/* A step that fails leaves the sample and everything else; restore gives back the mean. */
START_TEST(a_failed_step_changes_nothing)
{
    const ng_dtype dtype = _i ? NG_F64 : NG_F32;
    test_run run, twin;
    double g[N];
    rng.state = 3;
    start(&run, dtype);
    rng.state = 3;
    start(&twin, dtype);
    test_rng a = {9}, b = {9};
    ng_random first = normal(&a), second = normal(&b);
    for (int t = 0; t < 6; t++) {
        ng_assert_ok(ng_optimizer_sample(run.opt, &first), NULL);
        ng_assert_ok(ng_optimizer_sample(twin.opt, &second), NULL);
        gradient(&run, g);
        gradient(&twin, g);
        if (t == 3) {
            ng_mat sample = test_copy(run.w);
            double kept = ng_mat_get(run.dw, 4, 6);
            ng_mat_set(run.dw, 4, 6, (double)NAN);
            ck_assert_int_eq(ng_optimizer_step(run.opt), NG_ENONFINITE);
            ck_assert(test_same_bits(run.w, sample));
            ng_mat_set(run.dw, 4, 6, kept);
            test_free(sample);
        }
        ng_assert_ok(ng_optimizer_step(run.opt), NULL);
        ng_assert_ok(ng_optimizer_step(twin.opt), NULL);
        ck_assert(test_same_bits(run.w, twin.w));
    }
    test_run_close(&run);
    test_run_close(&twin);
}
END_TEST

/* Others beside it are not drawn and take no numbers; what is skipped gets its mean back. */
START_TEST(who_is_drawn)
{
    test_run run;
    ng_group *other;
    double w2[4] = {1, 2, 3, 4}, g2[4] = {0}, skipped[4] = {5, 6, 7, 8}, g3[4] = {0}, g[N];
    ng_random random = normal(&rng), none = {NULL};
    start(&run, NG_F64);
    void *adamw = test_options("adamw", "");
    ng_assert_ok(ng_optimizer_add_group(run.opt, &other, adamw), NULL);
    free(adamw);
    size_t index;
    ng_assert_ok(ng_group_add(other, NULL, "w2", ng_f64(w2, 2, 2), ng_f64(g2, 2, 2)), NULL);
    ng_assert_ok(ng_group_add(run.group, &index, "w3", ng_f64(skipped, 2, 2), ng_f64(g3, 2, 2)),
                 NULL);
    test_rng before = rng;
    ng_assert_ok(ng_optimizer_sample(run.opt, &random), NULL);
    double numbers[N + 4];
    fill_normal(&before, numbers, N + 4);
    ck_assert_uint_eq(before.state, rng.state);
    ck_assert(w2[0] == 1 && w2[3] == 4 && skipped[0] != 5);
    ng_assert_ok(ng_group_skip(run.group, index), NULL);
    gradient(&run, g);
    ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    ck_assert(skipped[0] == 5 && skipped[3] == 8);
    ck_assert_int_eq(ng_optimizer_sample(run.opt, &none), NG_EARG);
    ck_assert_int_eq(ng_optimizer_sample(NULL, &random), NG_EARG);
    ck_assert_int_eq(ng_optimizer_restore(NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_deviations(run.opt, ng_f64(w2, 2, 2), "w2"), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(run.opt), "adamw"));
    ck_assert_int_eq(ng_optimizer_deviations(run.opt, ng_f64(w2, 2, 2), "no"), NG_EARG);
    ck_assert_int_eq(ng_optimizer_deviations(run.opt, ng_f64(w2, 2, 2), "w"), NG_ESHAPE);
    ck_assert_int_eq(ng_optimizer_deviations(run.opt, ng_f64(w2, 2, 2), NULL), NG_EARG);
    test_run_close(&run);
}
END_TEST

/* A sample that is not finite is taken back everywhere; memory that fails draws nothing. */
START_TEST(samples_that_cannot_be)
{
    test_run run;
    ng_random random = normal(&rng);
    start(&run, NG_F32);
    ng_mat_set(run.w, 4, 6, 3.4e38);
    ng_mat mean = test_copy(run.w);
    ng_assert_ok(ng_group_set(run.group, "ess", 1e-30), NULL);
    ng_assert_ok(ng_group_set(run.group, "weight_decay", 1e-30), NULL);
    const char *parameter, *name;
    ng_mat state;
    for (size_t k = 0; ng_optimizer_tensor(run.opt, &parameter, &name, &state, k) == NG_OK; k++)
        if (strcmp(name, "hessian") == 0)
            ng_fill(state, -1); /* no variance */
    ck_assert_int_eq(ng_optimizer_sample(run.opt, &random), NG_ERANGE);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(run.opt), "'w'"));
    ck_assert(test_same_bits(run.w, mean));
    test_run_close(&run);
    start(&run, NG_F32);
    ng_assert_mat(run.w, run.w, 0);
    test_free(mean);
    mean = test_copy(run.w);
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_status status = ng_optimizer_sample(run.opt, &random);
    fault_over();
    ck_assert_int_eq(status, NG_ENOMEM);
    ck_assert(test_same_bits(run.w, mean));
    ng_assert_ok(ng_optimizer_sample(run.opt, &random), NULL);
    test_free(mean);
    test_run_close(&run);
}
END_TEST

/* A file is of the mean, never of a sample; with the generator's state it goes on bit for bit,
 * between the samples of a step too. */
START_TEST(checkpoints)
{
    char path[] = "ivon-XXXXXX";
    int file = mkstemp(path);
    test_run run, again;
    double g[N];
    rng.state = 3;
    start(&run, NG_F32);
    rng.state = 3;
    start(&again, NG_F32);
    test_rng a = {9}, b;
    ng_random first = normal(&a), second = normal(&b);
    for (int t = 0; t < 3; t++) {
        ng_assert_ok(ng_optimizer_sample(run.opt, &first), NULL);
        gradient(&run, g);
        ng_assert_ok(ng_optimizer_accumulate(run.opt), NULL);
        if (t < 2)
            ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    }
    ck_assert_int_eq(ng_optimizer_save(run.opt, path, NULL), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(run.opt), "is a sample"));
    ng_assert_ok(ng_optimizer_restore(run.opt), NULL);
    ck_assert_msg(ng_optimizer_save(run.opt, path, NULL) == NG_OK, "%s",
                  ng_optimizer_error(run.opt));
    b = a;
    test_assign(again.w, run.w);
    ck_assert_msg(ng_optimizer_load(again.opt, path, NULL) == NG_OK, "%s",
                  ng_optimizer_error(again.opt));
    for (int t = 0; t < 3; t++) {
        ng_assert_ok(ng_optimizer_sample(run.opt, &first), NULL);
        ng_assert_ok(ng_optimizer_sample(again.opt, &second), NULL);
        gradient(&run, g);
        gradient(&again, g);
        ng_assert_ok(ng_optimizer_accumulate(run.opt), NULL);
        ng_assert_ok(ng_optimizer_accumulate(again.opt), NULL);
        ng_assert_ok(ng_optimizer_step(run.opt), NULL);
        ng_assert_ok(ng_optimizer_step(again.opt), NULL);
        ck_assert(test_same_bits(run.w, again.w));
    }
    close(file);
    unlink(path);
    test_run_close(&run);
    test_run_close(&again);
}
END_TEST

TEST_SUITE(ivon)
{
    TCase *tc = tcase_create("distribution");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_published_update, 0, 8);
    tcase_add_test(tc, samples_have_mean_and_deviation);
    tcase_add_test(tc, numbers_by_name);
    tcase_add_loop_test(tc, a_failed_step_changes_nothing, 0, 2);
    tcase_add_test(tc, who_is_drawn);
    tcase_add_test(tc, samples_that_cannot_be);
    tcase_add_test(tc, checkpoints);
    suite_add_tcase(suite, tc);
}
