/* Blocks of a matrix, weights that two parameters would share, flat buffers, and who goes to
 * which group. */
#include "tests/optim/pair_world.h"

#include <math.h>

/* The blocks of a fused matrix move as matrices of their own do. */
START_TEST(block_steps)
{
    static const size_t outputs[] = {4, 4, 2};
    test_rng rng = {10};
    for (int layout = 0; layout < 2; layout++) {
        size_t rows = layout ? 6 : 10, cols = layout ? 10 : 6, first = 99;
        ng_mat w = test_mat(rows, cols, 1, NG_F64), dw = test_mat(rows, cols, 0, NG_F64);
        ng_mat own[3], grad[3];
        ng_optimizer *opt;
        ng_group *fused, *apart;
        void *o = test_options(presets[_i], "");
        ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
        ng_assert_ok(ng_optimizer_add_group(opt, &fused, o), NULL);
        ng_assert_ok(ng_optimizer_add_group(opt, &apart, o), NULL);
        free(o);
        ck_assert_msg(ng_group_add_blocks(fused, &first, "qkv", w, dw, outputs, 3,
                                          (ng_layout)layout) == NG_OK,
                      "%s", ng_optimizer_error(opt));
        ck_assert_uint_eq(first, 0);
        test_fill_normal(dw, &rng);
        for (size_t i = 0, start = 0; i < 3; start += outputs[i++]) {
            size_t r = layout ? rows : outputs[i], c = layout ? outputs[i] : cols;
            own[i] = test_mat(r, c, 0, NG_F64);
            grad[i] = test_mat(r, c, 0, NG_F64);
            test_assign(grad[i], layout ? ng_mat_block(dw, 0, start, r, c)
                                        : ng_mat_block(dw, start, 0, r, c));
            char name[2] = {(char)('a' + i), 0};
            ng_assert_ok(ng_group_add(apart, NULL, name, own[i], grad[i]), NULL);
            ng_assert_ok(ng_group_set_layout(apart, i, (ng_layout)layout), NULL);
        }
        for (int t = 0; t < 3; t++)
            ck_assert_msg(ng_optimizer_step(opt) == NG_OK, "%s", ng_optimizer_error(opt));
        for (size_t i = 0, start = 0; i < 3; start += outputs[i++])
            ng_assert_mat(layout ? ng_mat_block(w, 0, start, rows, outputs[i])
                                 : ng_mat_block(w, start, 0, outputs[i], cols),
                          own[i], 1e-13);
        ng_optimizer_destroy(opt);
        for (int i = 0; i < 3; i++)
            test_free(own[i]), test_free(grad[i]);
        test_free(w), test_free(dw);
    }
}
END_TEST

START_TEST(block_refusals)
{
    world x;
    float w[60] = {0}, dw[60] = {0};
    ng_mat weights = ng_f32(w, 10, 6), gradient = ng_f32(dw, 10, 6);
    size_t first = 7, few[] = {4, 4}, many[] = {4, 4, 3}, none[] = {4, 0, 6}, good[] = {4, 6};
    open_world(&x, "muon", NG_F32, NULL);
    refuse(&x, ng_group_add_blocks(x.group, &first, "qkv", weights, gradient, few, 2, NG_OUT_IN),
           NG_ESHAPE, "cover 8 of 10");
    refuse(&x, ng_group_add_blocks(x.group, &first, "qkv", weights, gradient, many, 3, NG_OUT_IN),
           NG_ESHAPE, "block 2");
    refuse(&x, ng_group_add_blocks(x.group, &first, "qkv", weights, gradient, none, 3, NG_OUT_IN),
           NG_ESHAPE, "block 1");
    refuse(&x, ng_group_add_blocks(x.group, &first, "qkv", weights, gradient, good, 2, NG_IN_OUT),
           NG_ESHAPE, "of 6");
    /* the second block's name is taken: the first goes too */
    float v[4] = {0}, dv[4] = {0};
    ng_assert_ok(ng_group_add(x.group, NULL, "qkv[1]", ng_f32(v, 2, 2), ng_f32(dv, 2, 2)), NULL);
    refuse(&x, ng_group_add_blocks(x.group, &first, "qkv", weights, gradient, good, 2, NG_OUT_IN),
           NG_EARG, "qkv[1]");
    ng_assert_ok(ng_group_add(x.group, &first, "qkv[0]", weights, gradient), NULL);
    ck_assert_uint_eq(first, 3);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    close_world(&x);
}
END_TEST

/* Views of one buffer: side by side they are fine, one weight in common is not. */
START_TEST(shared_weights)
{
    static const struct {
        size_t at, rows, cols, stride;
        int shared;
    } views[] = {{0, 2, 3, 8, 0},  {3, 4, 2, 8, 1},  {35, 2, 2, 8, 1}, {27, 1, 2, 2, 1},
                 {64, 2, 8, 8, 0}, {56, 1, 8, 8, 0}, {63, 1, 2, 2, 1}, {5, 8, 3, 8, 0},
                 {6, 1, 5, 5, 1},  {48, 2, 2, 4, 1}, {12, 2, 4, 8, 1}};
    float w[96] = {0}, dw[96] = {0};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        world x;
        open_world(&x, "sgd", NG_F32, NULL);
        /* rows 3 ... 6, columns 2 ... 4 of a buffer of 8 columns */
        ng_assert_ok(ng_group_add(x.group, NULL, "here", ng_f32_strided(w + 26, 4, 3, 8),
                                  ng_f32_strided(dw, 4, 3, 8)),
                     NULL);
        ng_mat view =
            ng_f32_strided(w + views[i].at, views[i].rows, views[i].cols, views[i].stride);
        int touched[96] = {0}, shared = 0;
        for (size_t r = 3; r < 7; r++)
            for (size_t c = 2; c < 5; c++)
                touched[8 * r + c] = 1;
        for (size_t r = 0; r < view.rows; r++)
            for (size_t c = 0; c < view.cols; c++)
                shared |= touched[views[i].at + r * view.stride + c];
        ng_status status = ng_group_add(x.group, NULL, "there", view,
                                        ng_f32_strided(dw, view.rows, view.cols, view.stride));
        /* a span between the rows of another stride may be refused without need */
        if (shared || views[i].stride == 8)
            ck_assert_msg(status == (shared ? NG_EARG : NG_OK), "view %zu: %s", i,
                          ng_status_name(status));
        close_world(&x);
    }
}
END_TEST

/* A head and a line each; cut off where the buffer ends. */
static void check_description(const ng_optimizer *opt, size_t parameters)
{
    char text[4096], small[40];
    size_t length = ng_optimizer_describe(opt, text, sizeof text), lines = 0;
    ck_assert_uint_eq(length, strlen(text));
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    ck_assert_uint_eq(lines, parameters + 1);
    ck_assert(strstr(text, "identity spectral") != NULL && strstr(text, "2 x 9") != NULL);
    ck_assert_uint_eq(ng_optimizer_describe(opt, small, sizeof small), length);
    ck_assert(strlen(small) == sizeof small - 1 && memcmp(small, text, sizeof small - 1) == 0);
    ck_assert_uint_eq(ng_optimizer_describe(opt, NULL, 0), length);
}

START_TEST(policies)
{
    static const struct {
        const char *name;
        size_t rows, cols;
        int matrix;
    } params[] = {{"h.0.attn.qkv", 3, 4, 1},     {"h.0.attn.qkv.bias", 1, 4, 0},
                  {"transformer.wte", 5, 4, 0},  {"LM_Head", 4, 3, 0},
                  {"h.0.ln_1", 1, 4, 0},         {"tok_embeddings.weight", 4, 4, 0},
                  {"final_norm.scale", 1, 3, 0}, {"conv1", 2, 9, 1},
                  {"column", 4, 1, 0},           {"special.matrix", 2, 2, 0}};
    enum { COUNT = sizeof params / sizeof params[0] };
    float w[COUNT][20], dw[20] = {0};
    ng_optimizer *opt;
    ng_group *hidden, *rest, *chosen;
    void *muon = test_options("muon", ""), *adamw = test_options("adamw", "");
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &hidden, muon), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &rest, adamw), NULL);
    ng_policy_rule rules[] = {{"special*", rest}, {"h.?.attn*kv", hidden}};
    ng_policy p;
    ng_policy_init(&p, hidden, rest);
    p.rules = rules, p.rule_count = 2;
    for (size_t i = 0; i < COUNT; i++) {
        size_t index;
        ng_assert_ok(ng_policy_add(&p, &chosen, &index, params[i].name,
                                   ng_f32(w[i], params[i].rows, params[i].cols),
                                   ng_f32(dw, params[i].rows, params[i].cols)),
                     NULL);
        ck_assert_msg(chosen == (params[i].matrix ? hidden : rest), "%s", params[i].name);
    }
    check_description(opt, COUNT);
    rules[0].group = NULL;
    ck_assert_int_eq(ng_policy_add(&p, NULL, NULL, "x", ng_f32(dw, 2, 2), ng_f32(dw, 2, 2)),
                     NG_EARG);
    ng_optimizer_destroy(opt);
    free(muon), free(adamw);
}
END_TEST

START_TEST(take)
{
    float flat[20];
    ng_mat rest = ng_f32(flat, 1, 20), a = ng_mat_take(&rest, 3, 4), b = ng_mat_take(&rest, 2, 4);
    ck_assert(a.data == flat && a.rows == 3 && a.cols == 4 && a.stride == 4);
    ck_assert(b.data == flat + 12 && b.rows == 2 && rest.cols == 0);
    ck_assert_ptr_null(ng_mat_take(&rest, 1, 1).data);
    ck_assert_ptr_null(ng_mat_take(&rest, (size_t)-1, (size_t)-1).data);
    ck_assert_uint_eq(rest.cols, 0);
}
END_TEST

TEST_SUITE(assignment)
{
    TCase *tcase = tcase_create("assignment");
    tcase_add_loop_test(tcase, block_steps, 0, PRESETS);
    tcase_add_test(tcase, block_refusals);
    tcase_add_test(tcase, shared_weights);
    tcase_add_test(tcase, policies);
    tcase_add_test(tcase, take);
    suite_add_tcase(suite, tcase);
}
