/* What may be bound to a parameter and what may not: shared memory, biases, misaligned data; and
 * how calls leave the error text. */
#include "tests/optim/pair_world.h"

#include <math.h>

/* ---- Shared memory ----------------------------------------------------------------------- */

enum { BUFFER = 240 };

/* two views of one buffer of floats, and an optimizer that has neither */
typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    float w[BUFFER], dw[2][BUFFER];
} shelf;

static void open_shelf(shelf *x)
{
    ng_sgd_options o;
    memset(x, 0, sizeof *x);
    ng_sgd_init(&o);
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, &o), NULL);
}

static size_t below(test_rng *rng, size_t n)
{
    return (size_t)(test_uniform(rng) * (double)n);
}

/* A view of the buffer of floats or, at even places, doubles; dense, strided or one row. */
static ng_mat draw_view(float *buffer, test_rng *rng)
{
    for (;;) {
        int wide = below(rng, 4) == 0;
        size_t room = wide ? BUFFER / 2 : BUFFER, at = below(rng, room);
        size_t rows = 1 + below(rng, below(rng, 3) ? 7 : 1), cols = 1 + below(rng, 12);
        size_t stride = cols + below(rng, 3) * below(rng, 14);
        stride += rows == 1 ? below(rng, 30) : 0; /* a row's stride is not looked at */
        if (at + (rows - 1) * stride + cols > room)
            continue;
        ng_mat f = ng_f32_strided(buffer + at, rows, cols, stride), d = f;
        d.data = buffer + 2 * at;
        d.dtype = NG_F64;
        return wide ? d : f;
    }
}

static void mark(unsigned char *bytes, const float *buffer, ng_mat m)
{
    size_t size = ng_dtype_size(m.dtype), start = (size_t)((char *)m.data - (char *)buffer);
    memset(bytes, 0, BUFFER * sizeof *buffer);
    for (size_t i = 0; i < m.rows; i++)
        memset(bytes + start + i * m.stride * size, 1, m.cols * size);
}

static int share(const float *buffer, ng_mat a, ng_mat b)
{
    unsigned char in_a[BUFFER * sizeof *buffer], in_b[sizeof in_a];
    mark(in_a, buffer, a);
    mark(in_b, buffer, b);
    for (size_t i = 0; i < sizeof in_a; i++)
        if (in_a[i] && in_b[i])
            return 1;
    return 0;
}

static ng_mat gradient_of(ng_mat w, void *data)
{
    ng_mat g = {data, w.rows, w.cols, w.cols, w.dtype};
    return g;
}

/* Every pair is decided as by marking each byte; the second view as weights, then as gradient. */
START_TEST(every_overlap)
{
    enum { FIRSTS = 4000, SECONDS = 100 };
    static _Alignas(16) float buffer[BUFFER];
    test_rng rng = {2024};
    long shared = 0, interleaved = 0;
    for (int first = 0; first < FIRSTS; first++) {
        shelf x;
        open_shelf(&x);
        ng_mat a = draw_view(buffer, &rng);
        double g[2][BUFFER / 2] = {{0}};
        ng_assert_ok(ng_group_add(x.group, NULL, "here", a, gradient_of(a, g[0])), NULL);
        ng_assert_ok(ng_group_add(x.group, NULL, "there", ng_f32(x.w, 1, 1), ng_f32(x.dw[0], 1, 1)),
                     NULL);
        for (int second = 0; second < SECONDS; second++) {
            ng_mat b = draw_view(buffer, &rng);
            int truth = share(buffer, a, b);
            ng_status status = ng_group_add(x.group, NULL, "new", b, gradient_of(b, g[1]));
            ck_assert_msg(status == (truth ? NG_EARG : NG_OK),
                          "%zu x %zu (%zu) at %td, %zu x %zu (%zu) at %td: %s", a.rows, a.cols,
                          a.stride, (char *)a.data - (char *)buffer, b.rows, b.cols, b.stride,
                          (char *)b.data - (char *)buffer, ng_status_name(status));
            shared += truth;
            interleaved += !truth && a.rows > 1 && b.rows > 1 && a.stride != b.stride;
            if (status == NG_OK) {
                ng_optimizer_destroy(x.opt);
                open_shelf(&x);
                ng_assert_ok(ng_group_add(x.group, NULL, "here", a, gradient_of(a, g[0])), NULL);
            }
        }
        ng_optimizer_destroy(x.opt);
    }
    ck_assert(shared > 50000 && interleaved > 20000);
}
END_TEST

/* rows of width 2 every 6 floats and rows of width 3 every 12, from 2 on: never the same float */
START_TEST(interleaved)
{
    shelf x;
    open_shelf(&x);
    ng_assert_ok(
        ng_group_add(x.group, NULL, "narrow", ng_f32_strided(x.w, 8, 2, 6), ng_f32(x.dw[0], 8, 2)),
        NULL);
    ng_assert_ok(ng_group_add(x.group, NULL, "wide", ng_f32_strided(x.w + 2, 4, 3, 12),
                              ng_f32(x.dw[1], 4, 3)),
                 NULL);
    ck_assert_int_eq(ng_group_add(x.group, NULL, "one", ng_f32_strided(x.w + 5, 3, 2, 12),
                                  ng_f32(x.dw[1], 3, 2)),
                     NG_EARG);
    ng_optimizer_destroy(x.opt);
}
END_TEST

/* What a step writes is nobody's gradient. */
START_TEST(gradients)
{
    static const struct {
        int w, dw; /* offsets in one buffer, 2 x 3 */
        const char *culprit;
    } bad[] = {{40, 40, "its gradient lies in its weights"},
               {40, 45, "its gradient lies in its weights"},
               {40, 0, "gradient of 'new' lies in weights of 'old'"},
               {40, 5, "gradient of 'new' lies in weights of 'old'"},
               {20, 60, "weights of 'new' lie in the gradient of 'old'"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        shelf x;
        open_shelf(&x);
        ng_mat w = ng_f32(x.w + bad[i].w, 2, 3), dw = ng_f32(x.w + bad[i].dw, 2, 3);
        ng_mat free_w = ng_f32(x.dw[1], 2, 3), free_dw = ng_f32(x.dw[0], 2, 3);
        ng_assert_ok(ng_group_add(x.group, NULL, "old", ng_f32(x.w, 2, 3), ng_f32(x.w + 20, 2, 3)),
                     NULL);
        for (int rebind = 0; rebind < 2; rebind++) {
            ng_status status = rebind ? ng_group_rebind(x.group, 1, w, dw)
                                      : ng_group_add(x.group, NULL, "new", w, dw);
            ck_assert_int_eq(status, NG_EARG);
            ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), bad[i].culprit));
            if (!rebind)
                ng_assert_ok(ng_group_add(x.group, NULL, "new", free_w, free_dw), NULL);
        }
        /* gradients may share: they are only read */
        ng_assert_ok(ng_group_rebind(x.group, 1, free_w, ng_f32(x.w + 22, 2, 3)), NULL);
        ng_optimizer_destroy(x.opt);
    }
}
END_TEST

/* ---- Biases -------------------------------------------------------------------------------- */

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    float w[64], dw[64];
} layer;

static void open_layer(layer *x)
{
    void *o = test_options("kfac", "");
    memset(x, 0, sizeof *x);
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, o), NULL);
    ng_assert_ok(ng_group_add(x->group, NULL, "fc", ng_f32(x->w, 3, 4), ng_f32(x->dw, 3, 4)), NULL);
    free(o);
}

START_TEST(biases)
{
    layer x;
    open_layer(&x);
    ng_mat db = ng_f32(x.dw + 20, 1, 3), b = ng_f32(x.w + 20, 1, 3);
    for (int at = 0; at < 12; at++)
        ck_assert_int_eq(ng_group_add_bias(x.group, 0, ng_f32(x.w + at, 1, 3), db), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "share weights"));
    ck_assert_int_eq(ng_group_add_bias(x.group, 0, b, ng_f32(x.w + 3, 1, 3)), NG_EARG);
    ck_assert_int_eq(ng_group_add_bias(x.group, 0, ng_f32(x.dw + 3, 1, 3), db), NG_EARG);
    ck_assert_int_eq(ng_group_add_bias(x.group, 0, b, b), NG_EARG);
    ng_assert_ok(ng_group_add_bias(x.group, 0, b, db), NULL);
    /* again: the old place of the bias is free, its weights are not */
    ck_assert_int_eq(ng_group_add_bias(x.group, 0, ng_f32(x.w + 11, 1, 3), db), NG_EARG);
    ng_assert_ok(ng_group_add_bias(x.group, 0, ng_f32(x.w + 21, 1, 3), db), NULL);
    /* the weights over the bias, or over its gradient */
    ng_mat dw = ng_f32(x.dw, 3, 4);
    ck_assert_int_eq(ng_group_rebind(x.group, 0, ng_f32(x.w + 12, 3, 4), dw), NG_EARG);
    ck_assert_int_eq(ng_group_rebind(x.group, 0, ng_f32(x.dw + 20, 3, 4), dw), NG_EARG);
    ck_assert_int_eq(ng_group_rebind(x.group, 0, ng_f32(x.w, 3, 4), ng_f32(x.w + 20, 3, 4)),
                     NG_EARG);
    ng_assert_ok(ng_group_rebind(x.group, 0, ng_f32(x.w + 24, 3, 4), dw), NULL);
    ng_assert_ok(ng_group_rebind(x.group, 0, ng_f32(x.w + 5, 3, 4), dw), NULL);
    ng_optimizer_destroy(x.opt);
}
END_TEST

/* ---- Alignment --------------------------------------------------------------------------- */

START_TEST(misaligned)
{
    static _Alignas(16) char memory[512];
    layer x;
    open_layer(&x);
    ng_mat good = ng_f32(x.w + 40, 2, 2), dgood = ng_f32(x.dw + 40, 2, 2);
    ng_mat b = ng_f32(x.w + 30, 1, 3);
    for (int off = 1; off < 8; off++) {
        ng_mat f = ng_f32((void *)(memory + off), 2, 2), d = ng_f64((void *)(memory + off), 2, 2);
        ng_mat fg = ng_f32((void *)(memory + 64 + off), 2, 2), row = f;
        row.rows = 1, row.cols = 3;
        ck_assert_int_eq(ng_mat_check(d, "d", NULL), NG_EARG);
        ck_assert_int_eq(ng_mat_check(f, "f", NULL), off == 4 ? NG_OK : NG_EARG);
        if (off == 4)
            continue;
        ck_assert_int_eq(ng_group_add(x.group, NULL, "p", f, dgood), NG_EARG);
        ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "aligned"));
        ck_assert_int_eq(ng_group_add(x.group, NULL, "p", good, fg), NG_EARG);
        ck_assert_int_eq(ng_group_add_bias(x.group, 0, row, b), NG_EARG);
        ck_assert_int_eq(ng_group_add_bias(x.group, 0, b, row), NG_EARG);
        row.cols = 4;
        ck_assert_int_eq(ng_group_capture(x.group, 0, row, b, 1), NG_EARG);
        f.rows = 3, f.cols = f.stride = 4;
        ck_assert_int_eq(ng_group_rebind(x.group, 0, f, ng_f32(x.dw, 3, 4)), NG_EARG);
        ck_assert_int_eq(ng_axpby(f, f, 1, 1, NULL), NG_EARG);
    }
    ng_optimizer_destroy(x.opt);
}
END_TEST

/* ---- The error's text --------------------------------------------------------------------- */

static int listen(const ng_event *event, void *data)
{
    (void)event, (void)data;
    return 0;
}

/* One call that succeeds, by number; 0 when there is no such call. */
static int good_call(layer *x, int which)
{
    static const size_t outputs[] = {1, 1};
    static float w[2][8], dw[2][8], b[8];
    double value, counts[32];
    const char *parameter, *name;
    ng_mat view;
    ng_sgd_options sgd;
    ng_group *group;
    ng_sgd_init(&sgd);
    ng_mat a = ng_f32(x->dw + 24, 2, 4), g = ng_f32(x->dw + 32, 2, 3);
    size_t n = ng_optimizer_counts(x->opt, counts, 32);
    ng_status status = NG_OK;
    switch (which) {
    case 0:
        status = ng_optimizer_add_group(x->opt, &group, &sgd);
        break;
    case 1:
        status = ng_group_capture(x->group, 0, a, g, 1);
        break;
    case 2:
        status = ng_optimizer_step(x->opt);
        break;
    case 3:
        status = ng_optimizer_accumulate(x->opt);
        break;
    case 4:
        ng_optimizer_drop(x->opt);
        break;
    case 5:
        status = ng_group_rebind(x->group, 0, ng_f32(x->w, 3, 4), ng_f32(x->dw, 3, 4));
        break;
    case 6:
        status = ng_group_set(x->group, "lr", 0.1);
        break;
    case 7:
        status = ng_group_get(x->group, "lr", &value);
        break;
    case 8:
        status = ng_optimizer_add_monitor(x->opt, listen, NULL);
        break;
    case 9:
        status = ng_optimizer_set_message(x->opt, NULL, NULL);
        break;
    case 10:
        status = ng_optimizer_tensor(x->opt, &parameter, &name, &view, 0);
        break;
    case 11:
        status = ng_optimizer_set_counts(x->opt, counts, n);
        break;
    case 12:
        status = ng_group_add(x->group, NULL, "p", ng_f32(w[0], 2, 2), ng_f32(dw[0], 2, 2));
        break;
    case 13:
        status = ng_group_add_bias(x->group, 1, ng_f32(b, 1, 2), ng_f32(b + 4, 1, 2));
        break;
    case 14:
        status = ng_group_set_layout(x->group, 1, NG_OUT_IN);
        break;
    case 15:
        status = ng_group_add_blocks(x->group, NULL, "q", ng_f32(w[1], 2, 2), ng_f32(dw[1], 2, 2),
                                     outputs, 2, NG_OUT_IN);
        break;
    default:
        return 0;
    }
    ck_assert_msg(status == NG_OK, "call %d: %s", which, ng_optimizer_error(x->opt));
    return 1;
}

START_TEST(empty_after_success)
{
    layer x;
    int calls = 0;
    open_layer(&x);
    for (int more = 1; more; calls += more) {
        ck_assert_int_eq(ng_group_set(x.group, "no such option", 1), NG_EOPTION);
        ck_assert_str_ne(ng_optimizer_error(x.opt), "");
        more = good_call(&x, calls);
        if (more)
            ck_assert_msg(ng_optimizer_error(x.opt)[0] == '\0', "call %d leaves \"%s\"", calls,
                          ng_optimizer_error(x.opt));
    }
    ck_assert_int_eq(calls, 16);
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
    REFUSES(regime_monitor, ng_regime_monitor, )
    REFUSES(policy, ng_policy, NO_GROUPS)
}
END_TEST

TEST_SUITE(binding)
{
    TCase *tcase = tcase_create("binding");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_overlap);
    tcase_add_test(tcase, interleaved);
    tcase_add_test(tcase, gradients);
    tcase_add_test(tcase, biases);
    tcase_add_test(tcase, misaligned);
    tcase_add_test(tcase, empty_after_success);
    tcase_add_test(tcase, no_handle);
    tcase_add_test(tcase, other_sizes);
    suite_add_tcase(suite, tcase);
}
