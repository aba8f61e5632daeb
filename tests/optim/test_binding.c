/* What may be bound to a parameter and what may not: shared memory, biases, misaligned data. */
#include "tests/optim/layer_world.h"
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

TEST_SUITE(binding)
{
    TCase *tcase = tcase_create("binding");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_overlap);
    tcase_add_test(tcase, interleaved);
    tcase_add_test(tcase, gradients);
    tcase_add_test(tcase, biases);
    tcase_add_test(tcase, misaligned);
    suite_add_tcase(suite, tcase);
}
