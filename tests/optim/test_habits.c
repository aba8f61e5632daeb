/* What hosts do: gradients that do not exist yet, parameters that are frozen or that a loss did not
 * use. */
#include "tests/optim/kinds_world.h"

static void refuse(const world *x, ng_status status, ng_status expected, const char *culprit)
{
    ck_assert_msg(status == expected, "%s, expected %s", ng_status_name(status),
                  ng_status_name(expected));
    ck_assert_msg(strstr(ng_optimizer_error(x->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(x->opt), culprit);
}

/* ---- Gradients to come ----------------------------------------------------------------------- */

/* Takes every gradient away. */
static void unbind(world *x)
{
    for (size_t p = 0; p < x->count; p++) {
        ng_assert_ok(ng_group_rebind(x->group[p], p % SHAPES, x->w[p], ng_mat_none()), NULL);
        if (x->b[p].data != NULL)
            ng_assert_ok(ng_group_add_bias(x->group[p], p % SHAPES, x->b[p], ng_mat_none()), NULL);
    }
}

START_TEST(gradients_to_come)
{
    world x, twin;
    char name[32];
    world_open(&x, 0, KINDS, (ng_dtype)(_i % 2), 0, (ng_atomic)(_i / 2));
    world_open(&twin, 0, KINDS, (ng_dtype)(_i % 2), 0, (ng_atomic)(_i / 2));
    unbind(&x);
    world_feed(&x, 1), world_feed(&twin, 1);
    for (size_t p = 0; p < x.count; p++) {
        sprintf(name, "'layer%03zu'", p);
        if (p % 7 == 0) {
            refuse(&x, ng_optimizer_step(x.opt), NG_ENODATA, name);
            refuse(&x, ng_optimizer_accumulate(x.opt), NG_ENODATA, name);
        }
        ng_assert_ok(ng_group_rebind(x.group[p], p % SHAPES, x.w[p], x.dw[p]), NULL);
        if (x.b[p].data == NULL)
            continue;
        if (p % 7 == 0)
            refuse(&x, ng_optimizer_step(x.opt), NG_ENODATA, "bias");
        ng_assert_ok(ng_group_add_bias(x.group[p], p % SHAPES, x.b[p], x.db[p]), NULL);
    }
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_assert_ok(ng_optimizer_step(twin.opt), NULL);
    for (size_t p = 0; p < x.count; p++)
        ck_assert(world_same(&x, &twin, p));
    world_close(&x), world_close(&twin);
}
END_TEST

/* From the beginning, by each of the ways to add. */
START_TEST(added_without)
{
    ng_optimizer *opt;
    ng_group *group, *rest;
    float w[60] = {1}, dw[60] = {0};
    size_t outputs[] = {2, 1}, i;
    void *kfac = test_options("kfac", ""), *adamw = test_options("adamw", "");
    ng_mat none = ng_mat_none();
    ng_stack w2 = ng_stack_f32(w, 2, 3, 2), no = ng_stack_of(ng_mat_none(), 2, 0);
    ng_policy_entry entry = {.name = "fc", .dims = {4, 3}};
    ng_policy policy;
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, kfac), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &rest, adamw), NULL);
    ng_policy_init(&policy, group, rest);
    ng_assert_ok(ng_group_add_stack(group, &i, "s", w2, no, outputs, 2, NG_OUT_IN), NULL);
    ng_assert_ok(ng_group_add_bias_stack(group, i, ng_stack_f32(w + 12, 2, 1, 3), no), NULL);
    ng_assert_ok(ng_group_add_blocks(group, NULL, "b", ng_f32(w + 20, 3, 2), none, outputs, 2,
                                     NG_OUT_IN),
                 NULL);
    ng_assert_ok(ng_policy_add(&policy, NULL, NULL, "p", ng_f32(w + 30, 2, 2), none), NULL);
    ng_assert_ok(ng_policy_add_all(&policy, NULL, &entry, 1, ng_f32(w + 40, 1, 12), none), NULL);
    ck_assert_int_eq(ng_optimizer_step(opt), NG_ENODATA);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(opt), "'s[0][0]'"));
    ck_assert_int_eq(ng_group_rebind(group, 0, ng_f32(w, 2, 2), ng_f32(dw, 3, 2)), NG_ESHAPE);
    ng_optimizer_destroy(opt);
    free(kfac), free(adamw);
}
END_TEST

/* ---- Left out --------------------------------------------------------------------------------- */

static int left_out(size_t p)
{
    return p % 3 == 1;
}

/* Steps 1, 2, 3, 4, of which those left out miss 2 and 3. */
static void run(world *x, int skip)
{
    for (unsigned t = 1; t <= 4; t++) {
        int out = t == 2 || t == 3;
        for (size_t p = 0; p < x->count; p++) {
            if (skip && out && left_out(p))
                ng_assert_ok(ng_group_skip(x->group[p], p % SHAPES), NULL);
            if (!skip && left_out(p))
                ng_assert_ok(ng_group_freeze(x->group[p], p % SHAPES, out), NULL);
        }
        world_feed(x, t);
        for (size_t p = 0; p < x->count && out; p++)
            if (left_out(p))
                ng_mat_set(x->dw[p], 0, 0, NAN); /* nobody looks */
        ck_assert_msg(ng_optimizer_step(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
        for (size_t p = 0; p < x->count && out; p++)
            ck_assert(!left_out(p) || x->notes[p].gradient_norm == 0);
    }
}

START_TEST(out)
{
    world x, two, four; /* two steps for those that were left out, four for the others */
    int atomic = _i & 1, skip = _i >> 1 & 1;
    ng_dtype dtype = (ng_dtype)(_i >> 2);
    world_open(&x, 0, KINDS, dtype, atomic ? 2 : 0, (ng_atomic)atomic);
    world_open(&two, 0, KINDS, dtype, 0, NG_ATOMIC_STEP);
    world_open(&four, 0, KINDS, dtype, 0, NG_ATOMIC_STEP);
    run(&x, skip);
    for (unsigned t = 1; t <= 4; t++) {
        world_step(&four, t);
        if (t == 1 || t == 4)
            world_step(&two, t);
    }
    for (size_t p = 0; p < x.count; p++)
        ck_assert_msg(world_same(&x, left_out(p) ? &two : &four, p), "parameter %zu", p);
    world_close(&x), world_close(&two), world_close(&four);
}
END_TEST

/* A skip lasts until a step is done; sums of micro-batches have a 0 for what is frozen, and the
 * norm for clipping nothing. */
START_TEST(kept)
{
    world x;
    world_open(&x, 0, 2, (ng_dtype)_i, 0, NG_ATOMIC_STEP);
    world_feed(&x, 1);
    ng_mat before = test_copy(x.w[2]), frozen = test_copy(x.w[3]);
    ng_assert_ok(ng_group_skip(x.group[2], 2), NULL);
    ng_assert_ok(ng_group_freeze(x.group[3], 3, 1), NULL);
    ng_mat_set(x.dw[3], 0, 0, NAN);
    ng_mat_set(x.dw[4], 0, 0, NAN);
    refuse(&x, ng_optimizer_step(x.opt), NG_ENONFINITE, "'layer004'");
    ng_mat_set(x.dw[4], 0, 0, 1);
    ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
    ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert(test_same_bits(before, x.w[2]) && test_same_bits(frozen, x.w[3]));
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert(!test_same_bits(before, x.w[2]) && test_same_bits(frozen, x.w[3]));
    test_free(before), test_free(frozen);
    world_close(&x);
}
END_TEST

START_TEST(refused)
{
    world x;
    ng_natural_options natural;
    ng_group *group;
    char text[8000];
    ng_natural_init(&natural);
    world_open(&x, 10, 11, (ng_dtype)_i, 0, NG_ATOMIC_STEP);
    ck_assert_int_eq(ng_group_freeze(NULL, 0, 1), NG_EARG);
    ck_assert_int_eq(ng_group_skip(NULL, 0), NG_EARG);
    refuse(&x, ng_group_freeze(x.group[0], 99, 1), NG_EARG, "99");
    refuse(&x, ng_group_skip(x.group[0], 99), NG_EARG, "99");
    ng_assert_ok(ng_optimizer_add_group(x.opt, &group, &natural), NULL);
    ng_mat w = test_mat(2, 2, 0, NG_F64), dw = test_mat(2, 2, 0, NG_F64);
    ng_assert_ok(ng_group_add(group, NULL, "n", w, dw), NULL);
    refuse(&x, ng_group_freeze(group, 0, 1), NG_EUNSUPPORTED, "'n'");
    refuse(&x, ng_group_skip(group, 0), NG_EUNSUPPORTED, "Fisher");
    ng_assert_ok(ng_group_freeze(group, 0, 0), NULL);
    ng_assert_ok(ng_group_share_inputs(x.group[0], 3, 1), NULL);
    ng_assert_ok(ng_group_freeze(x.group[0], 3, 1), NULL);
    ng_optimizer_describe(x.opt, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "frozen"));
    world_close(&x);
    test_free(w), test_free(dw);
}
END_TEST

/* All of them: a step of nobody is a step. */
START_TEST(everybody)
{
    world x;
    world_open(&x, 0, 12, (ng_dtype)(_i % 2), 0, (ng_atomic)(_i / 2));
    world_feed(&x, 1);
    for (size_t p = 0; p < x.count; p++)
        ng_assert_ok(ng_group_freeze(x.group[p], p % SHAPES, 1), NULL);
    ng_mat before = test_copy(x.w[2]);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert_uint_eq(ng_optimizer_steps(x.opt), 1);
    ck_assert(test_same_bits(before, x.w[2]));
    test_free(before);
    world_close(&x);
}
END_TEST

TEST_SUITE(habits)
{
    TCase *tcase = tcase_create("habits");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, gradients_to_come, 0, 4);
    tcase_add_test(tcase, added_without);
    tcase_add_loop_test(tcase, out, 0, 8);
    tcase_add_loop_test(tcase, kept, 0, 2);
    tcase_add_loop_test(tcase, refused, 0, 2);
    tcase_add_loop_test(tcase, everybody, 0, 4);
    suite_add_tcase(suite, tcase);
}
