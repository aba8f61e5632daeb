/* ng_options_memory says before what ng_optimizer_memory says after. */
#include "tests/support/kfac.h"

#include <stdint.h>

static const struct {
    const char *preset, *settings;
} kinds[] = {{"sgd", ""},
             {"adamw", ""},
             {"muon", ""},
             {"muon", "polar=fast nesterov=no"},
             {"muon", "ball=frobenius"},
             {"fismo", ""},
             {"fismo", "polar=fast one_sided=always"},
             {"fismo", "root=symmetric refresh_tolerance=0.01"},
             {"fismo_paper", "damping=1e-6"},
             {"kfac", ""},
             {"kfac", "damping_kind=exact_eigen"},
             {"kfac", "metric=type2"},
             {"kfac", "damping=1e-6 root=symmetric"},
             {"kfac_muon", ""},
             {"ekfac", ""},
             {"shampoo", ""},
             {"soap", ""},
             {"soap", "one_sided=always"}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };
static const size_t shapes[][2] = {{1, 1}, {1, 9}, {30, 50}, {50, 30}, {17, 2}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static ng_memory promised(const void *options, size_t rows, size_t cols, ng_dtype dtype)
{
    ng_error err = {NG_OK, ""};
    ng_memory m;
    ng_assert_ok(ng_options_memory(&m, options, rows, cols, dtype, &err), &err);
    return m;
}

/* ---- An optimizer of all shapes under one method ---------------------------------------------- */

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w[SHAPES], dw[SHAPES], b[SHAPES], db[SHAPES];
} world;

static void add(world *x, int i, ng_dtype dtype, ng_layout layout, int biased)
{
    size_t index, m = shapes[i][0], n = shapes[i][1], outputs = layout == NG_OUT_IN ? m : n;
    char name[2] = {(char)('a' + i), 0};
    test_rng rng = {(unsigned)i + 5};
    x->w[i] = test_mat(m, n, 1, dtype);
    x->dw[i] = test_mat(m, n, 0, dtype);
    x->b[i] = test_mat(1, outputs, 0, dtype);
    x->db[i] = test_mat(1, outputs, 0, dtype);
    test_fill_normal(x->dw[i], &rng);
    test_fill_normal(x->db[i], &rng);
    ng_assert_ok(ng_group_add(x->group, &index, name, x->w[i], x->dw[i]), NULL);
    ng_assert_ok(ng_group_set_layout(x->group, index, layout), NULL);
    if (biased)
        ng_assert_ok(ng_group_add_bias(x->group, index, x->b[i], x->db[i]), NULL);
}

static void capture(world *x, int i, ng_layout layout)
{
    size_t m = shapes[i][0], n = shapes[i][1];
    test_rng rng = {(unsigned)i + 6};
    ng_mat a = test_mat(70, layout == NG_OUT_IN ? n : m, 0, x->w[i].dtype);
    ng_mat g = test_mat(70, layout == NG_OUT_IN ? m : n, 0, x->w[i].dtype);
    test_fill_normal(a, &rng);
    test_fill_normal(g, &rng);
    ng_assert_ok(ng_group_capture(x->group, (size_t)i, a, g, 1), NULL);
    test_free(a), test_free(g);
}

static void close_world(world *x)
{
    ng_optimizer_destroy(x->opt);
    for (int i = 0; i < SHAPES; i++)
        test_free(x->w[i]), test_free(x->dw[i]), test_free(x->b[i]), test_free(x->db[i]);
}

static void compare(const void *options, ng_dtype dtype, ng_layout layout, int threads)
{
    world x;
    int layers = ng_options_want_capture(options);
    size_t held = 0, work = 0;
    ng_optimizer_options o;
    ng_optimizer_init(&o);
    o.threads = threads;
    ng_assert_ok(ng_optimizer_create(&x.opt, &o), NULL);
    ng_assert_ok(ng_optimizer_add_group(x.opt, &x.group, options), NULL);
    for (int i = 0; i < SHAPES; i++) {
        int biased = layers && i % 2 == 0;
        ng_memory m = promised(options, shapes[i][0] + (size_t)(biased && layout == NG_IN_OUT),
                               shapes[i][1] + (size_t)(biased && layout == NG_OUT_IN), dtype);
        held += m.state + m.spare;
        work = m.work > work ? m.work : work;
        add(&x, i, dtype, layout, biased);
        if (layers)
            capture(&x, i, layout);
    }
    ck_assert_uint_eq(ng_optimizer_memory(x.opt), held);
    ck_assert_msg(ng_optimizer_step(x.opt) == NG_OK, "%s", ng_optimizer_error(x.opt));
    ck_assert_uint_eq(ng_optimizer_memory(x.opt), held + (threads > 1 ? 2 : 1) * work);
    close_world(&x);
}

START_TEST(before_and_after)
{
    void *options = test_options(kinds[_i].preset, kinds[_i].settings);
    for (int k = 0; k < 8; k++)
        compare(options, (ng_dtype)(k & 1), (ng_layout)(k >> 1 & 1), k & 4 ? 2 : 0);
    free(options);
}
END_TEST

/* Nobody allocates what nobody could: the state of a parameter of 2^20 x 2^20. */
START_TEST(in_advance)
{
    void *options = test_options(kinds[_i].preset, kinds[_i].settings);
    size_t n = (size_t)1 << 20;
    ng_memory small = promised(options, 16, 16, NG_F32), large = promised(options, n, n, NG_F32);
    /* all but single numbers grow with the square */
    double times = (double)large.state / (double)small.state;
    ck_assert(times > 0.9 * 0x1p32 && times <= 0x1p32);
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
    for (long at = 1, calls = at; calls >= at; at++) {
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
    tcase_add_test(tcase, natural);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
}
