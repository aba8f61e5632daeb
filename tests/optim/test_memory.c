/* ng_options_memory says before what ng_optimizer_memory says after. */
#include "tests/optim/kinds_world.h"

#include <stdint.h>

static ng_memory promised(const void *options, size_t rows, size_t cols, ng_dtype dtype)
{
    ng_error err = {NG_OK, ""};
    ng_memory m;
    ng_assert_ok(ng_options_memory(&m, options, rows, cols, dtype, &err), &err);
    return m;
}

/* An optimizer of all shapes under one method. */
static void compare(size_t kind, ng_dtype dtype, int threads, ng_atomic atomic)
{
    world x;
    void *options = test_options(kinds[kind].preset, kinds[kind].settings);
    size_t state = 0, spare = 0, work = 0, together = 0, hands = threads > 1 ? (size_t)threads : 1;
    world_open(&x, kind, kind + 1, dtype, threads, atomic);
    for (size_t i = 0; i < SHAPES; i++) {
        ng_memory m = promised(options, world_rows(&x, i), world_cols(&x, i), dtype);
        state += m.state;
        spare += m.spare;
        work = m.work > work ? m.work : work;
        together = m.work + m.spare > together ? m.work + m.spare : together;
    }
    ck_assert_uint_eq(ng_optimizer_memory(x.opt), state + (atomic ? 0 : spare));
    world_step(&x, 1);
    ck_assert_uint_eq(ng_optimizer_memory(x.opt),
                      state + (atomic ? hands * together : spare + hands * work));
    world_close(&x);
    free(options);
}

START_TEST(before_and_after)
{
    for (int k = 0; k < 8; k++)
        compare((size_t)_i, (ng_dtype)(k & 1), k & 2 ? 2 : 0, (ng_atomic)(k >> 2));
}
END_TEST

/* Nobody allocates what nobody could: the state of a parameter of 2^20 x 2^20. */
START_TEST(in_advance)
{
    void *options = test_options(kinds[_i].preset, kinds[_i].settings);
    size_t n = (size_t)1 << 20;
    ng_memory small = promised(options, 16, 16, NG_F32), large = promised(options, n, n, NG_F32);
    /* all but single numbers and what is of low rank grow with the square */
    double times = (double)large.state / (double)small.state;
    double least = strstr(kinds[_i].settings, "rank=") != NULL ? 0.4 : 0.9;
    ck_assert(times > least * 0x1p32 && times <= 0x1p32);
    ck_assert_uint_ge(large.spare, small.spare);
    ck_assert_uint_ge(large.work, small.work);
    large = promised(options, SIZE_MAX / 2, SIZE_MAX / 2, NG_F64);
    ck_assert_uint_eq(large.state, SIZE_MAX);
    free(options);
}
END_TEST

/* A natural group: average, step and one vector of each for the group; under lm the weights too. */
START_TEST(natural)
{
    ng_natural_options o;
    ng_natural_init(&o);
    for (int lm = 0; lm < 2; lm++) {
        o.damping_mode = lm ? NG_DAMPING_MODE_LM : NG_DAMPING_MODE_FIXED;
        ng_memory m = promised(&o, 8, 4, NG_F64);
        ck_assert_uint_eq(m.state, (lm ? 2 : 1) * 256);
        ck_assert_uint_eq(m.spare, 256);
        ck_assert_uint_eq(m.work, 2 * 256);
    }
}
END_TEST

/* A transformer of four blocks of width 128, one parameter after the other: beside the state not
 * more than so much of what its hidden weights take. Eigen-solvers in double of the factor of 512
 * rows, 16 times as wide as the least parameter, take their own room. */
static double most_beside_state(const char *preset)
{
    static const char *const solvers[] = {"fismo_paper", "ekfac"};
    for (size_t i = 0; i < sizeof solvers / sizeof *solvers; i++)
        if (strcmp(preset, solvers[i]) == 0)
            return 3.7;
    return 0.5;
}

static void compare_with_weights(const void *options, double most)
{
    static const size_t shape[][2] = {{384, 128}, {128, 128}, {512, 128}, {128, 512}};
    size_t weights = 0, beside = 0;
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        ng_memory m = promised(options, shape[i][0], shape[i][1], NG_F32);
        weights += 4 * ng_dtype_size(NG_F32) * shape[i][0] * shape[i][1];
        beside = m.work + m.spare > beside ? m.work + m.spare : beside;
    }
    ck_assert_msg((double)beside <= most * (double)weights, "%g of the weights",
                  (double)beside / (double)weights);
}

START_TEST(half_the_weights)
{
    for (size_t i = 0; i < ng_preset_count(); i++) {
        const char *preset = ng_preset_get(i)->name;
        void *options = test_options(preset, "");
        compare_with_weights(options, most_beside_state(preset));
        if (ng_options_set_text(options, "one_sided", "always", NULL) == NG_OK &&
            ng_options_check(options, NULL) == NG_OK)
            compare_with_weights(options, strcmp(preset, "fismo_paper") == 0 ? 1 : 0.5);
        free(options);
    }
}
END_TEST

START_TEST(refusals)
{
    ng_error err = {NG_OK, ""};
    ng_memory m = {1, 1, 1};
    ng_adamw_options o;
    ng_adamw_init(&o);
    ng_assert_fails(ng_options_memory(NULL, &o, 2, 2, NG_F32, &err), NG_EARG, &err, "memory");
    ng_assert_fails(ng_options_memory(&m, &o, 0, 2, NG_F32, &err), NG_ESHAPE, &err, "0 x 2");
    ck_assert_uint_eq(m.state + m.spare + m.work, 0);
    ng_assert_fails(ng_options_memory(&m, &o, 2, 2, (ng_dtype)7, &err), NG_EDTYPE, &err, "7");
    ck_assert_int_eq(ng_options_memory(&m, NULL, 2, 2, NG_F32, NULL), NG_EARG);
    o.beta1 = 2;
    ng_assert_fails(ng_options_memory(&m, &o, 2, 2, NG_F32, &err), NG_EOPTION, &err, "beta1");
}
END_TEST

START_TEST(no_memory)
{
    void *options = test_options(kinds[_i].preset, kinds[_i].settings);
    for (long at = 1, calls = at; calls >= at - 1; at++) {
        ng_memory m;
        ng_error err = {NG_OK, ""};
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_options_memory(&m, options, 6, 5, NG_F32, &err);
        calls = fault_over();
        ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
    }
    free(options);
}
END_TEST

TEST_SUITE(memory)
{
    TCase *tcase = tcase_create("memory");
    tcase_add_loop_test(tcase, before_and_after, 0, KINDS);
    tcase_add_loop_test(tcase, in_advance, 0, KINDS);
    tcase_add_loop_test(tcase, no_memory, 0, KINDS);
    tcase_add_test(tcase, half_the_weights);
    tcase_add_test(tcase, natural);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
}
