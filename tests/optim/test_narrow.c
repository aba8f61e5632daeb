/* Weights and gradients of sixteen bits. The oracle is the same optimizer in f32, given the same
 * numbers: with a master the weights are its, rounded; without one each step ends at a neighbour of
 * where it ends. */
#include "tests/optim/narrow_world.h"

#include "lib/core/half.h"
#include "tests/support/faults.h"

/* x, of sixteen bits, and its twin of f32 with the same numbers. */
typedef struct {
    stack x, twin;
    double clip;
    int micro; /* micro-batches a step */
} both;

static void widen_all(const both *t)
{
    ng_assert_ok(ng_copy(t->twin.w, t->x.w, NULL), NULL);
    ng_assert_ok(ng_copy(t->twin.b, t->x.b, NULL), NULL);
}

static void open_both(both *t, size_t kind, stack_setup setup)
{
    stack_setup plain = setup;
    setup.clip_norm = plain.clip_norm = t->clip;
    plain.dtype = NG_F32;
    stack_open(&t->x, kind, setup);
    stack_open(&t->twin, kind, plain);
    stack_add(&t->x);
    stack_add(&t->twin);
    widen_all(t);
}

static void close_both(both *t)
{
    stack_close(&t->x);
    stack_close(&t->twin);
}

static void feed_both(both *t, unsigned step)
{
    stack_feed(&t->x, step);
    stack_feed(&t->twin, step);
    ng_assert_ok(ng_copy(t->twin.dw, t->x.dw, NULL), NULL);
    ng_assert_ok(ng_copy(t->twin.db, t->x.db, NULL), NULL);
}

static void step_both(both *t, unsigned step)
{
    for (int k = 0; k < 2; k++) {
        stack *s = k == 0 ? &t->x : &t->twin;
        if (s->captures)
            ck_assert_msg(stack_capture(s) == NG_OK, "%s", ng_optimizer_error(s->opt));
    }
    for (int m = 0; m < t->micro; m++) {
        feed_both(t, 10 * step + (unsigned)m);
        ng_assert_ok(ng_optimizer_accumulate(t->x.opt), NULL);
        ng_assert_ok(ng_optimizer_accumulate(t->twin.opt), NULL);
    }
    ck_assert_msg(ng_optimizer_step(t->x.opt) == NG_OK, "%s", ng_optimizer_error(t->x.opt));
    ck_assert_msg(ng_optimizer_step(t->twin.opt) == NG_OK, "%s", ng_optimizer_error(t->twin.opt));
}

/* half is f32 rounded to nearest. */
static void check_rounded(ng_mat half, ng_mat wide)
{
    for (size_t i = 0; i < half.rows; i++)
        for (size_t j = 0; j < half.cols; j++) {
            double rounded =
                ng_half_value(half.dtype, ng_half_bits(half.dtype, ng_mat_get(wide, i, j)));
            ck_assert_msg(ng_mat_get(half, i, j) == rounded, "(%zu, %zu): %a, expected %a of %a", i,
                          j, ng_mat_get(half, i, j), rounded, ng_mat_get(wide, i, j));
        }
}

/* half is a neighbour of f32: less than one last bit away. */
static size_t check_neighbour(ng_mat half, ng_mat wide)
{
    size_t other = 0;
    double eps = ng_dtype_eps(half.dtype), least = half.dtype == NG_F16 ? 0x1p-24 : 0x1p-133;
    for (size_t i = 0; i < half.rows; i++)
        for (size_t j = 0; j < half.cols; j++) {
            double h = ng_mat_get(half, i, j), x = ng_mat_get(wide, i, j);
            int exponent;
            frexp(x, &exponent);
            double ulp = fmax(ldexp(eps, exponent - 1), least);
            ck_assert_msg(fabs(h - x) < ulp, "(%zu, %zu): %a for %a", i, j, h, x);
            other += h != ng_half_value(half.dtype, ng_half_bits(half.dtype, x));
        }
    return other;
}

/* Bit for bit the optimizer in f32, rounded; a weight that the caller writes counts there too. */
START_TEST(master)
{
    for (int k = 0; k < 16; k++)
        for (int way = 0; way < 3; way++) { /* gradients as they are, clipped, accumulated */
            both t = {.clip = way == 1 ? 0.5 : 0, .micro = way == 2 ? 2 : 0};
            if (!fits((size_t)_i, variant(k, NG_ROUND_MASTER)) || (way > 0 && k > 7))
                continue;
            open_both(&t, (size_t)_i, variant(k, NG_ROUND_MASTER));
            for (unsigned step = 0; step < 4; step++) {
                feed_both(&t, step);
                step_both(&t, step);
                check_rounded(t.x.w, t.twin.w);
                check_rounded(t.x.b, t.twin.b);
                double before = ng_mat_get(t.x.w, 0, 1);
                ng_mat_set(t.x.w, 0, 1, before + 1);
                ng_mat_set(t.twin.w, 0, 1, ng_mat_get(t.x.w, 0, 1));
            }
            close_both(&t);
        }
}
END_TEST

/* Each step goes to where f32 would go from there, but for less than a last bit; and not always to
 * the nearest. */
START_TEST(stochastic)
{
    size_t other = 0;
    for (int k = 0; k < 16; k++) {
        both t = {.clip = k & 4 ? 0.5 : 0};
        if (!fits((size_t)_i, variant(k, NG_ROUND_STOCHASTIC)))
            continue;
        open_both(&t, (size_t)_i, variant(k, NG_ROUND_STOCHASTIC));
        for (unsigned step = 0; step < 4; step++) {
            widen_all(&t);
            feed_both(&t, step);
            step_both(&t, step);
            other += check_neighbour(t.x.w, t.twin.w);
            other += check_neighbour(t.x.b, t.twin.b);
        }
        close_both(&t);
    }
    ck_assert_uint_gt(other, 20);
}
END_TEST

/* The same seed: the same bits with any number of threads. Another: others. */
START_TEST(seeds)
{
    stack runs[3];
    for (int r = 0; r < 3; r++) {
        stack_setup setup = variant(1, NG_ROUND_STOCHASTIC);
        setup.threads = r;
        stack_open(&runs[r], (size_t)_i, setup);
        if (r == 2) {
            ng_optimizer_options options;
            void *o = test_options(kinds[_i].preset, kinds[_i].settings);
            ng_optimizer_init(&options);
            options.rounding = NG_ROUND_STOCHASTIC;
            options.seed = 13;
            ng_optimizer_destroy(runs[r].opt);
            ng_assert_ok(ng_optimizer_create(&runs[r].opt, &options), NULL);
            ng_assert_ok(ng_optimizer_add_group(runs[r].opt, &runs[r].group, o), NULL);
            free(o);
        }
        stack_add(&runs[r]);
        for (unsigned step = 0; step < 3; step++) {
            stack_feed(&runs[r], step);
            if (runs[r].captures)
                ck_assert_int_eq(stack_capture(&runs[r]), NG_OK);
            ng_assert_ok(ng_optimizer_step(runs[r].opt), NULL);
        }
    }
    ck_assert(test_same_bits(runs[0].w, runs[1].w));
    ck_assert(!test_same_bits(runs[0].w, runs[2].w));
    for (int r = 0; r < 3; r++)
        stack_close(&runs[r]);
}
END_TEST

/* Elements are numbered by row and column: strides change nothing, and no two rows round alike. */
START_TEST(numbered)
{
    enum { ROWS = 3, COLS = 300 };
    ng_mat w[2], dw[2];
    for (int padded = 0; padded < 2; padded++) {
        ng_optimizer_options options;
        ng_optimizer *opt;
        ng_group *group;
        void *o = test_options(_i & 1 ? "adamw" : "muon", _i & 1 ? "" : "ball=sign");
        w[padded] = test_mat(ROWS, COLS, padded ? 3 : 0, dtypes[_i >> 1]);
        dw[padded] = test_mat(ROWS, COLS, padded ? 1 : 0, dtypes[_i >> 1]);
        for (size_t k = 0; k < ROWS * COLS; k++) {
            ng_mat_set(w[padded], k / COLS, k % COLS, 1);
            ng_mat_set(dw[padded], k / COLS, k % COLS, 1);
        }
        ng_optimizer_init(&options);
        options.rounding = NG_ROUND_STOCHASTIC;
        ng_assert_ok(ng_options_set_text(o, "lr", "0.0005", NULL), NULL);
        ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
        ng_assert_ok(ng_optimizer_add_group(opt, &group, o), NULL);
        ng_assert_ok(ng_group_add(group, NULL, "w", w[padded], dw[padded]), NULL);
        ng_assert_ok(ng_optimizer_step(opt), NULL);
        ng_optimizer_destroy(opt);
        free(o);
    }
    ck_assert(test_same_bits(w[0], w[1]));
    for (size_t i = 1; i < ROWS; i++)
        ck_assert(
            !test_same_bits(ng_mat_block(w[0], 0, 0, 1, COLS), ng_mat_block(w[0], i, 0, 1, COLS)));
    for (int padded = 0; padded < 2; padded++)
        test_free(w[padded]), test_free(dw[padded]);
}
END_TEST

/* ---- All or nothing ----------------------------------------------------------------------------
 */

/* A step that fails, whatever for: NG_OK or the status, and then nothing has changed. */
static void refuse_step(both *t, ng_status expected, const char *culprit)
{
    const char *parameter, *name;
    ng_mat w = test_copy(t->x.w), b = test_copy(t->x.b), view, states[200];
    size_t count = 0;
    while (ng_optimizer_tensor(t->x.opt, &parameter, &name, &view, count) == NG_OK && count < 200)
        states[count++] = test_copy(view);
    ng_status status = ng_optimizer_step(t->x.opt);
    ck_assert_msg(status == expected, "%s: %s", ng_status_name(status),
                  ng_optimizer_error(t->x.opt));
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(t->x.opt), culprit));
    ck_assert(test_same_bits(w, t->x.w) && test_same_bits(b, t->x.b));
    for (size_t i = 0; i < count; i++) {
        ng_assert_ok(ng_optimizer_tensor(t->x.opt, &parameter, &name, &view, i), NULL);
        ck_assert_msg(test_same_bits(view, states[i]), "%s of %s", name, parameter);
        test_free(states[i]);
    }
    test_free(w), test_free(b);
}

/* NaN and infinity in gradients, weights that are not finite, and weights of f16 that would leave
 * their range; then the step that would have been. */
START_TEST(failures)
{
    for (int k = 0; k < 8; k++) {
        stack_setup setup = variant(k & 3, k & 4 ? NG_ROUND_STOCHASTIC : NG_ROUND_MASTER);
        both t = {.clip = 0};
        setup.biased = 0;
        open_both(&t, (size_t)_i, setup);
        feed_both(&t, 0);
        step_both(&t, 0);
        for (int bad = 0; bad < 4; bad++) {
            ng_mat spoiled = bad < 2 ? t.x.dw : t.x.w;
            double most = ng_half_value(setup.dtype, setup.dtype == NG_F16 ? 0x7bff : 0x7f7f);
            double value = bad == 0 ? (double)NAN : bad < 3 ? -(double)INFINITY : most;
            feed_both(&t, 1);
            double good = ng_mat_get(spoiled, 1, 1);
            ng_mat_set(spoiled, 1, 1, value);
            if (bad == 3) { /* the largest number, and a step up that is not lost there */
                ng_assert_ok(ng_group_set(t.x.group, "lr", setup.dtype == NG_F16 ? 1e4 : 1e38),
                             NULL);
                ng_fill(t.twin.dw, -1);
                ng_assert_ok(ng_copy(t.x.dw, t.twin.dw, NULL), NULL);
            }
            if (t.x.captures)
                ck_assert_int_eq(stack_capture(&t.x), NG_OK);
            if (bad < 3)
                refuse_step(&t, NG_ENONFINITE, "w[0]");
            else
                refuse_step(&t, NG_ERANGE, "w[");
            ng_mat_set(spoiled, 1, 1, good);
            ng_optimizer_drop(t.x.opt);
        }
        close_both(&t);
    }
}
END_TEST

/* Every allocation of adding and stepping fails once. */
START_TEST(allocations)
{
    for (int at = 1, done = 0; !done; at++) {
        stack x;
        stack_open(&x, (size_t)_i,
                   variant(at & 7 & ~4, at & 1 ? NG_ROUND_MASTER : NG_ROUND_STOCHASTIC));
        stack_feed(&x, 0);
        size_t rows = stack_rows(&x);
        ng_mat before = test_copy(x.w);
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_group_add_stack(x.group, NULL, "w", stack_layers(x.w, rows),
                                              stack_layers(x.dw, rows), NULL, 0, x.setup.layout);
        if (status == NG_OK && x.captures)
            status = stack_capture(&x);
        if (status == NG_OK)
            status = ng_optimizer_step(x.opt);
        done = fault_over() < at;
        ck_assert(done ? status == NG_OK : status == NG_ENOMEM);
        ck_assert(done || test_same_bits(before, x.w));
        test_free(before);
        stack_close(&x);
        ck_assert_int_lt(at, 1000);
    }
}
END_TEST

/* ---- What is refused ----------------------------------------------------------------------------
 */

START_TEST(refusals)
{
    stack x;
    ng_average *average;
    ng_error error = {NG_OK, ""};
    stack_setup setup = variant(_i, NG_ROUND_STOCHASTIC);
    size_t kfac = 0, rows;
    while (strcmp(kinds[kfac].preset, "kfac") != 0)
        kfac++;
    stack_open(&x, kfac, setup);
    rows = stack_rows(&x);
    ng_mat w = ng_stack_at(stack_layers(x.w, rows), 0), other = w,
           a = test_mat(4, INPUTS, 0, setup.dtype);
    ng_mat g = test_mat(4, OUTPUTS, 0, setup.dtype), dw = ng_stack_at(stack_layers(x.dw, rows), 0);
    other.dtype = setup.dtype == NG_F16 ? NG_BF16 : NG_F16;
    ck_assert_int_eq(ng_group_add(x.group, NULL, "a", w, other), NG_EDTYPE);
    ck_assert_int_eq(ng_group_add(x.group, NULL, "a", w, w), NG_EARG);
    ng_assert_ok(ng_group_add(x.group, NULL, "a", w, dw), NULL);
    ck_assert_int_eq(ng_group_add(x.group, NULL, "b", w, dw), NG_EARG); /* shared weights */
    ck_assert_int_eq(ng_group_rebind(x.group, 0, other, other), NG_EDTYPE);
    ck_assert_int_eq(ng_group_capture(x.group, 0, a, g, 1), NG_EDTYPE);
    ck_assert_int_eq(ng_average_create(&average, x.opt, 0.9, &error), NG_EDTYPE);
    ck_assert_ptr_nonnull(strstr(error.text, "'a'"));
    ng_natural_options natural;
    ng_group *group;
    ng_natural_init(&natural);
    ng_assert_ok(ng_optimizer_add_group(x.opt, &group, &natural), NULL);
    ng_mat second = ng_stack_at(stack_layers(x.w, rows), 1);
    ck_assert_int_eq(ng_group_add(group, NULL, "n", second, ng_mat_none()), NG_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "rounding = master"));
    ng_optimizer_options options;
    ng_optimizer *none;
    ng_optimizer_init(&options);
    options.rounding = (ng_rounding)2;
    ck_assert_int_eq(ng_optimizer_create(&none, &options), NG_EOPTION);
    test_free(a), test_free(g);
    stack_close(&x);
}
END_TEST

/* ---- Memory -------------------------------------------------------------------------------------
 */

/* What is told beforehand is what there is: that of f32, and the master beside it. */
START_TEST(memory)
{
    void *o = test_options(kinds[_i].preset, kinds[_i].settings);
    ng_memory plain, narrow;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_options_memory(&plain, o, 30, 20, NG_F32, &error), &error);
    ng_assert_ok(ng_options_memory(&narrow, o, 30, 20, NG_BF16, &error), &error);
    ck_assert_uint_eq(narrow.state, plain.state + 30 * 20 * 4);
    ck_assert_uint_eq(narrow.spare, plain.spare);
    int captures = ng_options_want_capture(o);
    for (int k = 0; k < 2 && !captures; k++) {
        ng_optimizer_options options;
        ng_optimizer *opt;
        ng_group *group;
        ng_mat w = test_mat(30, 20, 0, NG_BF16), dw = test_mat(30, 20, 0, NG_BF16);
        ng_optimizer_init(&options);
        options.rounding = (ng_rounding)k;
        ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
        ng_assert_ok(ng_optimizer_add_group(opt, &group, o), NULL);
        ng_assert_ok(ng_group_add(group, NULL, "w", w, dw), NULL);
        ck_assert_uint_eq(ng_optimizer_memory(opt),
                          narrow.spare + (k ? plain.state : narrow.state));
        ng_assert_ok(ng_optimizer_step(opt), NULL);
        if (k == 0)
            ck_assert_uint_eq(ng_optimizer_memory(opt), narrow.state + narrow.spare + narrow.work);
        ng_optimizer_destroy(opt);
        test_free(w), test_free(dw);
    }
    free(o);
}
END_TEST

TEST_SUITE(narrow)
{
    const TTest *const every[] = {master, stochastic, seeds, failures, allocations, memory};
    TCase *tcase = tcase_create("narrow");
    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < sizeof every / sizeof *every; i++)
        tcase_add_loop_test(tcase, every[i], 0, KINDS);
    tcase_add_loop_test(tcase, numbered, 0, 4);
    tcase_add_loop_test(tcase, refusals, 0, 2);
    suite_add_tcase(suite, tcase);
}
