/* Parameters that share their inputs, captures that are thrown away, biases of any stride and with
 * an input of -1. (That shared statistics change no bit is conformance's in test_stack.c.) */
#define _POSIX_C_SOURCE 200809L
#include "tests/optim/stack_world.h"

#include <unistd.h>

enum { KFAC = 10, KFAC_MUON = 14, EKFAC = 15, PER_FACTOR = 19 };

static void refuse(const stack *x, ng_status status, ng_status expected, const char *culprit)
{
    ck_assert_msg(status == expected, "%s, expected %s", ng_status_name(status),
                  ng_status_name(expected));
    ck_assert_msg(strstr(ng_optimizer_error(x->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(x->opt), culprit);
}

/* ---- Sharing --------------------------------------------------------------------------------- */

/* Bytes of tensors of the parameter whose name holds `what`. */
static size_t bytes(const stack *x, size_t p, const char *what)
{
    const char *parameter, *name;
    size_t sum = 0;
    ng_mat view;
    char own[32];
    sprintf(own, "w[%zu][%zu]", p / PARTS, p % PARTS);
    for (size_t i = 0; ng_optimizer_tensor(x->opt, &parameter, &name, &view, i) == NG_OK; i++)
        if (strcmp(parameter, own) == 0 && strstr(name, what) != NULL)
            sum += view.rows * view.cols * ng_dtype_size(view.dtype);
    return sum;
}

/* A third of the factor and the sums; of the root where it is a matter of the side alone. */
START_TEST(memory)
{
    static const size_t kind[] = {KFAC, PER_FACTOR, EKFAC};
    for (int k = 0; k < 3; k++) {
        stack x;
        stack_setup setup = {.dtype = (ng_dtype)_i, .divided = 1};
        size_t square = (size_t)INPUTS * INPUTS * ng_dtype_size(setup.dtype);
        stack_open(&x, kind[k], setup);
        stack_add(&x);
        ck_assert_int_eq(stack_share(&x), 1);
        for (size_t p = 0; p < LAYERS * PARTS; p++) {
            size_t leads = p % PARTS == 0;
            ck_assert_uint_eq(bytes(&x, p, "right_factor"), leads * square);
            ck_assert_uint_eq(bytes(&x, p, "right_pending"), leads * square);
            ck_assert_uint_eq(bytes(&x, p, "right_root"),
                              (leads || kind[k] != PER_FACTOR) * square);
            ck_assert_uint_gt(bytes(&x, p, "left_factor"), 0);
        }
        stack_close(&x);
    }
}
END_TEST

START_TEST(refused)
{
    stack x;
    stack_setup setup = {.dtype = (ng_dtype)_i, .divided = 1, .biased = 0};
    stack_open(&x, KFAC, setup);
    stack_add(&x);
    ck_assert_int_eq(ng_group_share_inputs(NULL, 0, 2), NG_EARG);
    refuse(&x, ng_group_share_inputs(x.group, 99, 2), NG_EARG, "99");
    refuse(&x, ng_group_share_inputs(x.group, 7, 3), NG_EARG, "has 2 there");
    ng_assert_ok(ng_group_share_inputs(x.group, 3, 1), NULL); /* alone: nothing to share */
    ng_assert_ok(ng_group_set_layout(x.group, 1, NG_IN_OUT), NULL);
    refuse(&x, ng_group_share_inputs(x.group, 0, 3), NG_ESHAPE, "'w[0][1]'");
    ng_assert_ok(ng_group_set_layout(x.group, 1, NG_OUT_IN), NULL);
    ng_assert_ok(ng_group_add_bias(x.group, 4, ng_mat_block(x.b, 2, 2, 1, 3),
                                   ng_mat_block(x.db, 2, 2, 1, 3)),
                 NULL);
    refuse(&x, ng_group_share_inputs(x.group, 3, 3), NG_ESHAPE, "'w[1][1]'");
    ng_assert_ok(ng_group_share_inputs(x.group, 0, 3), NULL);
    refuse(&x, ng_group_share_inputs(x.group, 2, 2), NG_EARG, "already");
    refuse(&x, ng_group_set_layout(x.group, 2, NG_IN_OUT), NG_EARG, "layout");
    refuse(&x,
           ng_group_add_bias(x.group, 0, ng_mat_block(x.b, 0, 0, 1, 2),
                             ng_mat_block(x.db, 0, 0, 1, 2)),
           NG_EARG, "shared");
    stack_feed(&x, 0);
    refuse(&x,
           ng_group_capture(x.group, 6, ng_mat_block(x.a, 0, 0, SAMPLES, INPUTS),
                            ng_mat_block(x.g, 0, 0, SAMPLES, 2), INFINITY),
           NG_ENONFINITE, "'w[2][0]'");
    ng_assert_ok(ng_group_capture(x.group, 6, ng_mat_block(x.a, 0, 0, SAMPLES, INPUTS),
                                  ng_mat_block(x.g, 0, 0, SAMPLES, 2), 1),
                 NULL);
    refuse(&x, ng_group_share_inputs(x.group, 6, 3), NG_EARG, "before its first capture");
    stack_close(&x);
    stack_open(&x, 2, setup);
    stack_add(&x);
    refuse(&x, ng_group_share_inputs(x.group, 0, 3), NG_EUNSUPPORTED, "captures");
    stack_close(&x);
}
END_TEST

START_TEST(no_memory)
{
    for (long at = 1, calls = at; calls >= at - 1; at++) {
        stack x;
        stack_setup setup = {.divided = 1};
        stack_open(&x, KFAC, setup);
        stack_add(&x);
        size_t held = ng_optimizer_memory(x.opt);
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_group_share_inputs(x.group, 3, 3);
        calls = fault_over();
        ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
        ck_assert(status == NG_OK ? ng_optimizer_memory(x.opt) < held
                                  : ng_optimizer_memory(x.opt) == held);
        stack_close(&x);
    }
}
END_TEST

/* A file of shared statistics is for those who share likewise, and goes on bit for bit. */
START_TEST(checkpoint)
{
    stack x, y, apart;
    stack_setup setup = {.dtype = (ng_dtype)(_i % 2), .divided = 1, .biased = 1};
    char path[] = "/tmp/share-XXXXXX";
    close(mkstemp(path));
    stack_open(&x, _i / 2 ? PER_FACTOR : KFAC, setup);
    stack_open(&y, _i / 2 ? PER_FACTOR : KFAC, setup);
    stack_open(&apart, _i / 2 ? PER_FACTOR : KFAC, setup);
    stack_add(&x), stack_add(&y), stack_add(&apart);
    stack_share(&x), stack_share(&y);
    ng_checkpoint_options options;
    ng_checkpoint_init(&options);
    options.weights = 1;
    for (unsigned step = 0; step < 6; step++) {
        stack_feed(&x, step), stack_feed(&y, step);
        ng_assert_ok(stack_capture(&x), NULL);
        if (step == 3) {
            ng_assert_ok(ng_optimizer_save(x.opt, path, &options), NULL);
            ck_assert_msg(ng_optimizer_load(y.opt, path, &options) == NG_OK, "%s",
                          ng_optimizer_error(y.opt));
            ck_assert_int_lt(ng_optimizer_load(apart.opt, path, &options), 0);
            ng_assert_ok(ng_optimizer_save(apart.opt, path, &options), NULL);
            refuse(&x, ng_optimizer_load(x.opt, path, &options), NG_EFORMAT, "inputs");
        }
        if (step > 3)
            ng_assert_ok(stack_capture(&y), NULL);
        ng_assert_ok(ng_optimizer_step(x.opt), NULL);
        if (step >= 3) {
            ck_assert_msg(ng_optimizer_step(y.opt) == NG_OK, "%s", ng_optimizer_error(y.opt));
            ck_assert(test_same_bits(x.w, y.w) && test_same_bits(x.b, y.b));
        }
    }
    unlink(path);
    stack_close(&x), stack_close(&y), stack_close(&apart);
}
END_TEST

/* With atomic = parameter one fails with the others of its layer, and only with those. */
START_TEST(together)
{
    stack x;
    stack_setup setup = {.dtype = (ng_dtype)_i, .divided = 1, .atomic = NG_ATOMIC_PARAMETER};
    stack_open(&x, KFAC_MUON, setup);
    stack_add(&x);
    stack_share(&x);
    stack_feed(&x, 0);
    ng_assert_ok(stack_capture(&x), NULL);
    ng_mat before = test_copy(x.w);
    fault_from(FAULT_EIGEN | FAULT_EIGEN_RETRY | FAULT_SVD | FAULT_SVD_RETRY | FAULT_CHOLESKY, 14,
               FAIL);
    ng_status status = ng_optimizer_step(x.opt);
    fault_over();
    ck_assert(status == NG_ESINGULAR || status == NG_ENOCONV);
    size_t layers = 0;
    for (size_t l = 0; l < LAYERS; l++) {
        size_t moved = 0, at = 0;
        for (size_t p = 0; p < PARTS; at += parts[p++])
            moved +=
                !test_same_bits(ng_mat_block(before, l * (OUTPUTS + 1) + at, 0, parts[p], INPUTS),
                                ng_mat_block(x.w, l * (OUTPUTS + 1) + at, 0, parts[p], INPUTS));
        ck_assert(moved == 0 || moved == PARTS);
        layers += moved > 0;
    }
    ck_assert(layers > 0 && layers < LAYERS);
    double counts[4 + 2 * LAYERS * PARTS]; /* nobody has captures left for another step */
    ng_optimizer_counts(x.opt, counts, 4 + 2 * LAYERS * PARTS);
    for (size_t p = 0; p < LAYERS * PARTS; p++)
        ck_assert(counts[5 + 2 * p] == 0);
    test_free(before);
    stack_close(&x);
}
END_TEST

/* ---- Discarding
 * ---------------------------------------------------------------------------------- */

START_TEST(discarded)
{
    stack x, twin;
    stack_setup setup = {.dtype = (ng_dtype)_i};
    stack_open(&x, KFAC, setup), stack_open(&twin, KFAC, setup);
    stack_add(&x), stack_add(&twin);
    stack_feed(&x, 7);
    ng_assert_ok(stack_capture(&x), NULL);
    ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
    ng_assert_ok(ng_group_capture_discard(x.group), NULL);
    ck_assert_int_eq(ng_optimizer_step(x.opt), NG_ENODATA);
    ng_assert_ok(stack_capture(&x), NULL); /* sums of gradients have stayed */
    stack_feed(&twin, 7);
    ng_assert_ok(stack_capture(&twin), NULL);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_assert_ok(ng_optimizer_step(twin.opt), NULL);
    ck_assert(test_same_bits(x.w, twin.w));
    ck_assert_int_eq(ng_group_capture_discard(NULL), NG_EARG);
    stack_close(&x), stack_close(&twin);
}
END_TEST

/* ---- Biases
 * -------------------------------------------------------------------------------------- */

/* A layer whose bias is the last column of the same array, as one row, or a hand-built m x (n + 1)
 * parameter whose last input is `one`. */
typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w, dw, b, db;
} layer;

enum { M = 4, N = 3 };

static void open_layer(layer *x, size_t kind, ng_dtype dtype, ng_layout layout, int how, double one)
{
    test_rng rng = {9};
    size_t rows = layout == NG_OUT_IN ? M : N, cols = M + N - rows;
    void *o = test_options(kinds[kind].preset, kinds[kind].settings);
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, o), NULL);
    free(o);
    /* [W b] in one array, and the bias once more as a row */
    size_t more_rows = rows + (layout == NG_IN_OUT), more_cols = cols + (layout == NG_OUT_IN);
    x->w = test_mat(more_rows, more_cols, 1, dtype);
    x->dw = test_mat(more_rows, more_cols, 0, dtype);
    x->b = test_mat(M, 1, 2, dtype);
    x->db = test_mat(M, 1, 1, dtype);
    test_fill_normal(x->w, &rng);
    ng_mat w = x->w, dw = x->dw;
    if (how > 0) {
        w = ng_mat_block(w, 0, 0, rows, cols);
        dw = ng_mat_block(dw, 0, 0, rows, cols);
    }
    ng_assert_ok(ng_group_add(x->group, NULL, "w", w, dw), NULL);
    ng_assert_ok(ng_group_set_layout(x->group, 0, layout), NULL);
    if (how == 1) /* in place: a column, or the last row */
        ng_assert_ok(ng_group_add_bias(x->group, 0,
                                       layout == NG_OUT_IN ? ng_mat_block(x->w, 0, N, M, 1)
                                                           : ng_mat_block(x->w, N, 0, 1, M),
                                       layout == NG_OUT_IN ? ng_mat_block(x->dw, 0, N, M, 1)
                                                           : ng_mat_block(x->dw, N, 0, 1, M)),
                     NULL);
    for (size_t i = 0; i < M && how == 2; i++)
        ng_mat_set(x->b, i, 0,
                   layout == NG_OUT_IN ? ng_mat_get(x->w, i, N) : ng_mat_get(x->w, N, i));
    if (how == 2)
        ng_assert_ok(ng_group_add_bias(x->group, 0, x->b, x->db), NULL);
    if (how > 0)
        ng_assert_ok(ng_group_set_bias_input(x->group, 0, one), NULL);
}

static void step_layer(layer *x, ng_layout layout, int how, double one, unsigned step)
{
    test_rng rng = {step + 1};
    ng_mat a = test_mat(9, N + 1, 0, x->w.dtype), g = test_mat(9, M, 0, x->w.dtype);
    test_fill_normal(x->dw, &rng);
    test_fill_normal(a, &rng);
    test_fill_normal(g, &rng);
    for (size_t i = 0; i < M; i++)
        ng_mat_set(x->db, i, 0,
                   layout == NG_OUT_IN ? ng_mat_get(x->dw, i, N) : ng_mat_get(x->dw, N, i));
    for (size_t i = 0; i < 9; i++)
        ng_mat_set(a, i, N, one);
    ng_assert_ok(ng_group_capture(x->group, 0, how > 0 ? ng_mat_block(a, 0, 0, 9, N) : a, g, 1),
                 NULL);
    ck_assert_msg(ng_optimizer_step(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
    test_free(a), test_free(g);
}

static void close_layer(layer *x)
{
    ng_optimizer_destroy(x->opt);
    test_free(x->w), test_free(x->dw), test_free(x->b), test_free(x->db);
}

static void compare(size_t kind, ng_dtype dtype, ng_layout layout, double one)
{
    layer x[3];
    double tolerance = dtype == NG_F64 ? 1e-12 : 1e-4;
    for (int how = 0; how < 3; how++)
        open_layer(&x[how], kind, dtype, layout, how, one);
    for (unsigned step = 0; step < 5; step++) {
        for (int how = 0; how < 3; how++)
            step_layer(&x[how], layout, how, one, step);
        ng_assert_mat(x[1].w, x[0].w, tolerance);
        ck_assert(test_same_bits(
            ng_mat_block(x[1].w, 0, 0, layout == NG_OUT_IN ? M : N, layout == NG_OUT_IN ? N : M),
            ng_mat_block(x[2].w, 0, 0, layout == NG_OUT_IN ? M : N, layout == NG_OUT_IN ? N : M)));
        for (size_t i = 0; i < M; i++)
            ck_assert(ng_mat_get(x[2].b, i, 0) ==
                      (layout == NG_OUT_IN ? ng_mat_get(x[1].w, i, N) : ng_mat_get(x[1].w, N, i)));
    }
    for (int how = 0; how < 3; how++)
        close_layer(&x[how]);
}

START_TEST(biases)
{
    static const size_t kind[] = {KFAC, KFAC_MUON, EKFAC, PER_FACTOR};
    for (int k = 0; k < 8; k++)
        compare(kind[_i], (ng_dtype)(k & 1), (ng_layout)(k >> 1 & 1), k & 4 ? -1 : 1);
}
END_TEST

START_TEST(refused_inputs)
{
    layer x;
    open_layer(&x, KFAC, (ng_dtype)_i, NG_OUT_IN, 1, -1);
    ck_assert_int_eq(ng_group_set_bias_input(NULL, 0, 1), NG_EARG);
    ck_assert_int_eq(ng_group_set_bias_input(x.group, 1, 1), NG_EARG);
    ck_assert_int_eq(ng_group_set_bias_input(x.group, 0, 0.5), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "0.5"));
    ck_assert_int_eq(ng_group_set_bias_input(x.group, 0, NAN), NG_EARG);
    step_layer(&x, NG_OUT_IN, 1, -1, 0);
    ck_assert_int_eq(ng_group_set_bias_input(x.group, 0, 1), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "before"));
    close_layer(&x);
    open_layer(&x, KFAC, (ng_dtype)_i, NG_OUT_IN, 0, 1);
    ck_assert_int_eq(ng_group_set_bias_input(x.group, 0, 1), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "no bias"));
    close_layer(&x);
}
END_TEST

TEST_SUITE(share)
{
    TCase *tcase = tcase_create("share");
    tcase_add_loop_test(tcase, memory, 0, 2);
    tcase_add_loop_test(tcase, refused, 0, 2);
    tcase_add_test(tcase, no_memory);
    tcase_add_loop_test(tcase, checkpoint, 0, 4);
    tcase_add_loop_test(tcase, together, 0, 2);
    tcase_add_loop_test(tcase, discarded, 0, 2);
    tcase_add_loop_test(tcase, biases, 0, 4);
    tcase_add_loop_test(tcase, refused_inputs, 0, 2);
    suite_add_tcase(suite, tcase);
}
