/* Stacks of matrices and their blocks against the same parameters added one by one: the same bits,
 * for every method, layout, dtype and rounding, with and without biases. */
#include "tests/optim/stack_world.h"

/* ---- Conformance ------------------------------------------------------------------------------
 */

/* 1: inputs were shared */
static int compare(size_t kind, stack_setup setup)
{
    stack one, apart;
    stack_setup plain = setup;
    plain.atomic = NG_ATOMIC_STEP;
    plain.threads = 0;
    stack_open(&one, kind, setup);
    stack_open(&apart, kind, plain);
    stack_add(&one);
    stack_add_apart(&apart);
    int shared = setup.shared && stack_share(&one);
    for (unsigned step = 0; step < 4; step++) {
        stack_feed(&one, step);
        stack_feed(&apart, step);
        if (one.captures) {
            ck_assert_msg(stack_capture(&one) == NG_OK, "%s", ng_optimizer_error(one.opt));
            stack_capture_apart(&apart);
        }
        ck_assert_msg(ng_optimizer_step(one.opt) == NG_OK, "%s", ng_optimizer_error(one.opt));
        ck_assert_msg(ng_optimizer_step(apart.opt) == NG_OK, "%s", ng_optimizer_error(apart.opt));
        ck_assert(test_same_bits(one.w, apart.w));
        ck_assert(test_same_bits(one.b, apart.b));
    }
    if (!shared && setup.atomic == NG_ATOMIC_STEP && setup.threads == 0)
        ck_assert_uint_eq(ng_optimizer_memory(one.opt), ng_optimizer_memory(apart.opt));
    stack_close(&one), stack_close(&apart);
    return shared;
}

/* Every combination; shared inputs only where there are several outputs of the same. */
START_TEST(conformance)
{
    int shared = 0, captures = 0;
    static const struct {
        ng_dtype dtype;
        ng_rounding rounding;
    } types[] = {{NG_F32, NG_ROUND_MASTER},     {NG_F64, NG_ROUND_MASTER},
                 {NG_F16, NG_ROUND_MASTER},     {NG_BF16, NG_ROUND_MASTER},
                 {NG_F16, NG_ROUND_STOCHASTIC}, {NG_BF16, NG_ROUND_STOCHASTIC}};
    for (int k = 0; k < 32 * 6; k++) {
        stack_setup setup = {.dtype = types[k / 32].dtype,
                             .rounding = types[k / 32].rounding,
                             .layout = (ng_layout)(k & 1),
                             .divided = k >> 1 & 1,
                             .biased = k >> 2 & 1,
                             .shared = k >> 1 & k >> 3 & 1,
                             .atomic = (ng_atomic)(k >> 4 & 1),
                             .threads = k & 16 ? 2 : 0};
        void *o = test_options(kinds[_i].preset, kinds[_i].settings);
        if (!setup.biased || ng_options_want_capture(o))
            shared += compare((size_t)_i, setup);
        captures = ng_options_want_capture(o);
        free(o);
    }
    ck_assert_int_eq(shared > 0, captures);
}
END_TEST

/* Rows between the layers are nobody's, and names tell layer and block. */
START_TEST(names)
{
    for (int divided = 0; divided < 2; divided++) {
        stack x;
        stack_setup setup = {.divided = divided};
        char text[4000];
        stack_open(&x, 2, setup);
        stack_add(&x);
        ng_mat before = test_copy(x.w);
        stack_feed(&x, 0);
        ng_assert_ok(ng_optimizer_step(x.opt), NULL);
        for (size_t l = 0; l < LAYERS; l++)
            ck_assert(
                test_same_bits(ng_mat_block(before, l * (OUTPUTS + 1) + OUTPUTS, 0, 1, INPUTS),
                               ng_mat_block(x.w, l * (OUTPUTS + 1) + OUTPUTS, 0, 1, INPUTS)));
        ng_optimizer_describe(x.opt, text, sizeof text);
        ck_assert_ptr_nonnull(strstr(text, divided ? "w[2][1] " : "w[2] "));
        ck_assert_ptr_null(strstr(text, divided ? "w[2][3]" : "w[3]"));
        test_free(before);
        stack_close(&x);
    }
}
END_TEST

/* ---- Refusals: all or nothing ------------------------------------------------------------------
 */

static void refuse(const stack *x, ng_status status, ng_status expected, const char *culprit)
{
    ck_assert_msg(status == expected, "%s, expected %s", ng_status_name(status),
                  ng_status_name(expected));
    ck_assert_msg(strstr(ng_optimizer_error(x->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(x->opt), culprit);
}

static size_t params(const stack *x)
{
    return (ng_optimizer_counts(x->opt, NULL, 0) - 4) / 2;
}

START_TEST(refused_stacks)
{
    stack x;
    stack_setup setup = {.dtype = (ng_dtype)_i, .divided = 1};
    size_t first = 7;
    stack_open(&x, 10, setup);
    ng_stack w = stack_layers(x.w, OUTPUTS), dw = stack_layers(x.dw, OUTPUTS), s;
#define ADD(w, dw, n) ng_group_add_stack(x.group, &first, "w", w, dw, parts, n, NG_OUT_IN)
    s = w, s.count = 0;
    refuse(&x, ADD(s, dw, 3), NG_ESHAPE, "0 matrices");
    s = dw, s.count = 2;
    refuse(&x, ADD(w, s, 3), NG_ESHAPE, "with 2 gradients");
    refuse(&x, ADD(w, dw, 2), NG_ESHAPE, "cover 5 of 6");
    s = w, s.step = (OUTPUTS - 1) * x.w.stride; /* layers overlap */
    refuse(&x, ADD(s, dw, 0), NG_EARG, "share weights");
    s = w, s.first.data = NULL;
    refuse(&x, ADD(s, dw, 0), NG_EARG, "weights");
    refuse(&x, ng_group_add_stack(x.group, &first, NULL, w, dw, parts, 3, NG_OUT_IN), NG_EARG,
           "name");
    refuse(&x, ng_group_add_stack(x.group, &first, "w", w, dw, NULL, 3, NG_OUT_IN), NG_EARG,
           "outputs");
    refuse(&x, ng_group_add_stack(x.group, &first, "w", w, dw, parts, 3, (ng_layout)2), NG_EARG,
           "layout");
    ck_assert_int_eq(ng_group_add_stack(NULL, NULL, "w", w, dw, NULL, 0, NG_OUT_IN), NG_EARG);
#undef ADD
    ck_assert_uint_eq(params(&x), 0);
    ck_assert_uint_eq(first, 7);
    stack_close(&x);
}
END_TEST

START_TEST(refused_biases)
{
    stack x;
    stack_setup setup = {.dtype = (ng_dtype)_i, .divided = 1};
    stack_open(&x, 10, setup);
    stack_add(&x);
    size_t memory = ng_optimizer_memory(x.opt);
    ng_stack b = stack_layers(x.b, 1), db = stack_layers(x.db, 1), s;
    s = b, s.step = 0; /* every layer the same: the second finds it taken */
    refuse(&x, ng_group_add_bias_stack(x.group, 0, s, db), NG_EARG, "share weights");
    s = b, s.first.cols = OUTPUTS - 1;
    refuse(&x, ng_group_add_bias_stack(x.group, 0, s, db), NG_ESHAPE, "5");
    ng_stack t = db;
    t.first.cols = OUTPUTS - 1;
    refuse(&x, ng_group_add_bias_stack(x.group, 0, s, t), NG_ESHAPE,
           "'w[1][1]' has 3 outputs, 2 are left of 5");
    refuse(&x, ng_group_add_bias_stack(x.group, 1, b, db), NG_ESHAPE, "of 6");
    refuse(&x, ng_group_add_bias_stack(x.group, PARTS, b, db), NG_ESHAPE, "end before");
    refuse(&x, ng_group_add_bias_stack(x.group, 99, b, db), NG_EARG, "99");
    ck_assert_int_eq(ng_group_add_bias_stack(NULL, 0, b, db), NG_EARG);
    ck_assert_uint_eq(ng_optimizer_memory(x.opt), memory);
    ng_assert_ok(ng_group_add_bias_stack(x.group, 0, b, db), NULL);
    ck_assert_uint_gt(ng_optimizer_memory(x.opt), memory);
    ng_assert_ok(ng_group_add_bias_stack(x.group, 0, b, db), NULL); /* the same pointers again */
    stack_close(&x);
}
END_TEST

/* A capture that is refused for the last layer has taken nothing of the first: the step is that of
 * a twin that was never refused. */
START_TEST(refused_captures)
{
    static const size_t kind[] = {10, 15};
    stack x, twin;
    stack_setup setup = {.dtype = (ng_dtype)(_i & 1), .divided = 1, .biased = 1};
    stack_open(&x, kind[_i / 2], setup), stack_open(&twin, kind[_i / 2], setup);
    stack_add(&x), stack_add(&twin);
    for (unsigned step = 0; step < 3; step++) {
        size_t i = (LAYERS - 1) * (SAMPLES + 1) + SAMPLES - 1;
        stack_feed(&x, step), stack_feed(&twin, step);
        double was = ng_mat_get(x.g, i, 0);
        ng_mat_set(x.g, i, 0, NAN);
        refuse(&x, stack_capture(&x), NG_ENONFINITE, "'w[2][0]'");
        ng_mat_set(x.g, i, 0, setup.dtype == NG_F32 ? 1e30 : 1e300);
        if (kind[_i / 2] == 15 || step == 0) /* kfac's factors take every fourth step's captures */
            refuse(&x, stack_capture(&x), NG_ERANGE, "'w[2][0]'");
        ng_mat_set(x.g, i, 0, was);
        if (kind[_i / 2] == 15 && step > 0) { /* moments need scratch */
            fault_once(FAULT_MEMORY, 2, FAIL);
            ng_status status = stack_capture(&x);
            fault_over();
            ck_assert_int_eq(status, NG_ENOMEM);
        }
        ng_assert_ok(stack_capture(&x), NULL);
        ng_assert_ok(stack_capture(&twin), NULL);
        ng_assert_ok(ng_optimizer_step(x.opt), NULL);
        ng_assert_ok(ng_optimizer_step(twin.opt), NULL);
        ck_assert(test_same_bits(x.w, twin.w));
    }
    stack_close(&x), stack_close(&twin);
}
END_TEST

/* Whatever allocation fails, nothing was added. */
START_TEST(no_memory)
{
    for (int what = 0; what < 3; what++)
        for (long at = 1, calls = at; calls >= at - 1; at++) {
            stack x;
            stack_setup setup = {.divided = 1};
            size_t first;
            stack_open(&x, 10, setup);
            if (what > 0)
                stack_add(&x);
            size_t count = params(&x), memory = ng_optimizer_memory(x.opt);
            fault_once(FAULT_MEMORY, at, FAIL);
            ng_status status =
                what == 0   ? ng_group_add_stack(x.group, &first, "w", stack_layers(x.w, OUTPUTS),
                                                 stack_layers(x.dw, OUTPUTS), parts, 3, NG_OUT_IN)
                : what == 1 ? ng_group_add_bias_stack(x.group, 0, stack_layers(x.b, 1),
                                                      stack_layers(x.db, 1))
                            : stack_capture(&x);
            calls = fault_over();
            ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
            if (status != NG_OK) {
                ck_assert_uint_eq(params(&x), count);
                ck_assert_uint_eq(ng_optimizer_memory(x.opt), memory);
            }
            stack_close(&x);
        }
}
END_TEST

TEST_SUITE(stack)
{
    TCase *tcase = tcase_create("stack");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, conformance, 0, KINDS);
    tcase_add_test(tcase, names);
    tcase_add_loop_test(tcase, refused_stacks, 0, 2);
    tcase_add_loop_test(tcase, refused_biases, 0, 2);
    tcase_add_loop_test(tcase, refused_captures, 0, 4);
    tcase_add_test(tcase, no_memory);
    suite_add_tcase(suite, tcase);
}
