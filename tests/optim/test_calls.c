/* What every call on an optimizer does: NULL handles, the error's text, sizes of structs. */
#include "tests/optim/layer_world.h"

/* ---- The error's text --------------------------------------------------------------------- */

static int listen(const ng_event *event, void *data)
{
    (void)event, (void)data;
    return 0;
}

enum { GOOD_CALLS = 16 };

/* The last of them, which add parameters. */
static ng_status good_addition(layer *x, int which)
{
    static const size_t outputs[] = {1, 1};
    static float w[2][8], dw[2][8], b[8];
    switch (which) {
    case 12:
        return ng_group_add(x->group, NULL, "p", ng_f32(w[0], 2, 2), ng_f32(dw[0], 2, 2));
    case 13:
        return ng_group_add_bias(x->group, 1, ng_f32(b, 1, 2), ng_f32(b + 4, 1, 2));
    case 14:
        return ng_group_set_layout(x->group, 1, NG_OUT_IN);
    default:
        return ng_group_add_blocks(x->group, NULL, "q", ng_f32(w[1], 2, 2), ng_f32(dw[1], 2, 2),
                                   outputs, 2, NG_OUT_IN);
    }
}

/* One call that succeeds, by number. */
static ng_status good_call(layer *x, int which)
{
    double value, counts[32];
    const char *parameter, *name;
    ng_mat view, a = ng_f32(x->dw + 24, 2, 4), g = ng_f32(x->dw + 32, 2, 3);
    ng_sgd_options sgd;
    ng_group *group;
    size_t n = ng_optimizer_counts(x->opt, counts, 32);
    ng_sgd_init(&sgd);
    switch (which) {
    case 0:
        return ng_optimizer_add_group(x->opt, &group, &sgd);
    case 1:
        return ng_group_capture(x->group, 0, a, g, 1);
    case 2:
        return ng_optimizer_step(x->opt);
    case 3:
        return ng_optimizer_accumulate(x->opt);
    case 4:
        ng_optimizer_drop(x->opt);
        return NG_OK;
    case 5:
        return ng_group_rebind(x->group, 0, ng_f32(x->w, 3, 4), ng_f32(x->dw, 3, 4));
    case 6:
        return ng_group_set(x->group, "lr", 0.1);
    case 7:
        return ng_group_get(x->group, "lr", &value);
    case 8:
        return ng_optimizer_add_monitor(x->opt, listen, NULL);
    case 9:
        return ng_optimizer_set_message(x->opt, NULL, NULL);
    case 10:
        return ng_optimizer_tensor(x->opt, &parameter, &name, &view, 0);
    case 11:
        return ng_optimizer_set_counts(x->opt, counts, n);
    default:
        return good_addition(x, which);
    }
}

START_TEST(empty_after_success)
{
    layer x;
    open_layer(&x);
    for (int call = 0; call < GOOD_CALLS; call++) {
        ck_assert_int_eq(ng_group_set(x.group, "no such option", 1), NG_EOPTION);
        ck_assert_str_ne(ng_optimizer_error(x.opt), "");
        ng_status status = good_call(&x, call);
        ck_assert_msg(status == NG_OK, "call %d: %s", call, ng_optimizer_error(x.opt));
        ck_assert_msg(ng_optimizer_error(x.opt)[0] == '\0', "call %d leaves \"%s\"", call,
                      ng_optimizer_error(x.opt));
    }
    ng_optimizer_destroy(x.opt);
}
END_TEST

START_TEST(no_handle)
{
    float v[4] = {0};
    double value;
    size_t one[1] = {2}, index;
    const char *text;
    ng_mat m = ng_f32(v, 2, 2), view;
    ng_group *group;
    ck_assert_uint_eq(ng_optimizer_steps(NULL), 0);
    ck_assert_uint_eq(ng_optimizer_memory(NULL), 0);
    ck_assert_uint_eq(ng_optimizer_counts(NULL, &value, 1), 0);
    ck_assert_uint_gt(ng_optimizer_describe(NULL, NULL, 0), 0); /* the table's head */
    ck_assert_str_eq(ng_optimizer_error(NULL), "");
    ng_optimizer_destroy(NULL);
    ng_optimizer_drop(NULL);
    ck_assert_int_eq(ng_optimizer_create(NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_add_group(NULL, &group, NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_step(NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_accumulate(NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_add_monitor(NULL, listen, NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_set_message(NULL, NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_save(NULL, "x", NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_load(NULL, "x", NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_tensor(NULL, &text, &text, &view, 0), NG_EARG);
    ck_assert_int_eq(ng_optimizer_set_counts(NULL, &value, 1), NG_EARG);
    ck_assert_int_eq(ng_group_add(NULL, &index, "p", m, m), NG_EARG);
    ck_assert_int_eq(ng_group_add_blocks(NULL, &index, "p", m, m, one, 1, NG_OUT_IN), NG_EARG);
    ck_assert_int_eq(ng_group_add_bias(NULL, 0, m, m), NG_EARG);
    ck_assert_int_eq(ng_group_capture_stack(NULL, 0, ng_stack_of(m, 1, 4), ng_stack_of(m, 1, 4), 1),
                     NG_EARG);
    ck_assert_int_eq(ng_group_capture(NULL, 0, m, m, 1), NG_EARG);
    ck_assert_int_eq(ng_group_set_layout(NULL, 0, NG_OUT_IN), NG_EARG);
    ck_assert_int_eq(ng_group_rebind(NULL, 0, m, m), NG_EARG);
    ck_assert_int_eq(ng_group_set(NULL, "lr", 1), NG_EARG);
    ck_assert_int_eq(ng_group_get(NULL, "lr", &value), NG_EARG);
    ck_assert_int_eq(ng_group_schedule(NULL, "lr", NULL), NG_EARG);
    ck_assert_int_eq(ng_group_set_fisher(NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_group_adapt_damping(NULL, &value, 1, 1), NG_EARG);
    ck_assert_int_eq(ng_policy_add(NULL, &group, &index, "p", m, m), NG_EARG);
    ck_assert_int_eq(ng_recorder_monitor(NULL, NULL), 0);
    ck_assert_int_eq(ng_regime_watch(NULL, NULL), 0);
}
END_TEST

/* Neither a shorter nor a longer struct is written into. */
START_TEST(other_sizes)
{
    unsigned char bytes[512], same[512];
    memset(bytes, 0xa5, sizeof bytes);
    memset(same, 0xa5, sizeof same);
#define REFUSES(noun, type, ...)                                                                   \
    for (size_t size = 0; size < sizeof bytes; size++)                                             \
        if (size != sizeof(type)) {                                                                \
            ck_assert_int_eq(ng_##noun##_init_sized((type *)(void *)bytes, size __VA_ARGS__),      \
                             NG_EOPTION);                                                          \
            ck_assert(memcmp(bytes, same, sizeof bytes) == 0);                                     \
        }                                                                                          \
    ck_assert_int_eq(ng_##noun##_init_sized(NULL, sizeof(type) __VA_ARGS__), NG_EARG);
#define NO_GROUPS , NULL, NULL
    REFUSES(optimizer, ng_optimizer_options, )
    REFUSES(schedule, ng_schedule, )
    REFUSES(recorder, ng_recorder, )
    REFUSES(esd_monitor, ng_esd_monitor, )
    REFUSES(regime_monitor, ng_regime_monitor, )
    REFUSES(policy, ng_policy, NO_GROUPS)
}
END_TEST

TEST_SUITE(calls)
{
    TCase *tcase = tcase_create("calls");
    tcase_add_test(tcase, empty_after_success);
    tcase_add_test(tcase, no_handle);
    tcase_add_test(tcase, other_sizes);
    suite_add_tcase(suite, tcase);
}
