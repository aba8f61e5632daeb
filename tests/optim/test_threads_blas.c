/* Threads and what is around them: OpenBLAS's own count as it was, options out
 * of range, steps that callbacks make. */
#include "tests/optim/threads_world.h"

#include "lib/core/try.h"

/* ---- OpenBLAS's own threads ---------------------------------------------------------------------
 */

/* k threads: 1 during the step, as before after it, also a failed one. 0: as it is throughout. */
START_TEST(count_is_restored)
{
    static const int threads[] = {0, 1, 2, 5};
    openblas_set_num_threads(2);
    ck_assert_int_eq(openblas_get_num_threads(), 2);
    for (int i = 0; i < 4; i++) {
        world t;
        char text[256];
        open_world(&t, threads[i]);
        for (unsigned k = 0; k < 2; k++) {
            least_seen = INT_MAX;
            most_seen = 0;
            step(&t, k);
            ck_assert_int_eq(openblas_get_num_threads(), 2);
            int expected = threads[i] == 0 ? 2 : 1;
            ck_assert_int_eq(least_seen, expected);
            ck_assert_int_eq(most_seen, expected);
            bad_step(&t, 1, text, sizeof text);
            ck_assert_int_eq(openblas_get_num_threads(), 2);
        }
        close_world(&t);
        ck_assert_int_eq(openblas_get_num_threads(), 2);
    }
    openblas_set_num_threads(1);
}
END_TEST

/* The count of the moment, not that of the optimizer's creation. */
START_TEST(count_may_change_between_steps)
{
    world t;
    open_world(&t, 2);
    for (int count = 1; count <= 2; count++) {
        openblas_set_num_threads(count);
        step(&t, (unsigned)count);
        ck_assert_int_eq(openblas_get_num_threads(), count);
    }
    close_world(&t);
}
END_TEST

/* ---- Small things
 * -------------------------------------------------------------------------------- */

START_TEST(out_of_range)
{
    static const int bad[] = {-1, 257, INT_MIN, INT_MAX};
    ng_optimizer *opt = NULL;
    ng_optimizer_options options;
    ng_optimizer_init(&options);
    for (int i = 0; i < 4; i++) {
        ng_optimizer *none = (ng_optimizer *)&options;
        options.threads = bad[i];
        ck_assert_int_eq(ng_optimizer_create(&none, &options), NG_EOPTION);
        ck_assert_ptr_null(none);
    }
    options.threads = 256;
    ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
    ng_assert_ok(ng_optimizer_step(opt), NULL); /* nothing to do, and no thread for it */
    ck_assert_int_eq(had, 0);
    ng_optimizer_destroy(opt);
    options.size--;
    ck_assert_int_eq(ng_optimizer_create(&opt, &options), NG_EOPTION);
}
END_TEST

/* One parameter needs no helper. */
START_TEST(one_parameter)
{
    test_rng rng = {72};
    ng_optimizer_options options;
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w = test_mat(5, 9, 0, NG_F32), dw = test_mat(5, 9, 0, NG_F32);
    void *o = test_options("fismo", "");
    ng_optimizer_init(&options);
    options.threads = 8;
    ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, o), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "w", w, dw), NULL);
    test_fill_normal(dw, &rng);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ck_assert_int_eq(had, 0);
    ng_optimizer_destroy(opt);
    free(o);
    test_free(w), test_free(dw);
}
END_TEST

/* ---- Steps in callbacks -----------------------------------------------------------------------
 */

/* F = I; each product makes a step of another optimizer */
static ng_status busy_product(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    TRY(ng_copy(y, x, error));
    return ng_optimizer_step(((world *)data)->opt);
}

/* _i: threads of a step, and of the step that its callback makes: it does not wait for itself. */
START_TEST(within_a_step)
{
    world inner;
    double w[2][3] = {{0}}, dw[2][3] = {{1, 2, 3}, {1, 1, 1}};
    ng_fisher_product product = {.mul = busy_product, .data = &inner};
    ng_natural_options o;
    ng_optimizer_options outer;
    ng_optimizer *opt;
    ng_group *group;
    ng_fisher *f;
    open_world(&inner, _i / 2 * 2);
    gradients(&inner, 7);
    ng_natural_init(&o);
    ng_optimizer_init(&outer);
    outer.threads = _i % 2 * 2;
    ng_assert_ok(ng_fisher_create_matrix_free(&f, 6, NG_F64, NULL, &product, NULL), NULL);
    ng_assert_ok(ng_optimizer_create(&opt, &outer), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ng_assert_ok(ng_group_set_fisher(group, f), NULL);
    for (int i = 0; i < 2; i++)
        ng_assert_ok(
            ng_group_add(group, NULL, i ? "b" : "a", ng_f64(w[i], 1, 3), ng_f64(dw[i], 1, 3)),
            NULL);
    openblas_set_num_threads(2);
    ck_assert_msg(ng_optimizer_step(opt) == NG_OK, "%s", ng_optimizer_error(opt));
    ck_assert_int_eq(openblas_get_num_threads(), 2);
    ck_assert_uint_gt(ng_optimizer_steps(inner.opt), 0);
    ng_optimizer_destroy(opt);
    ng_fisher_destroy(f);
    close_world(&inner);
}
END_TEST

TEST_SUITE(threads_blas)
{
    TCase *tcase = tcase_create("surroundings");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, reset, unhook);
    tcase_add_test(tcase, count_is_restored);
    tcase_add_test(tcase, count_may_change_between_steps);
    tcase_add_test(tcase, out_of_range);
    tcase_add_test(tcase, one_parameter);
    tcase_add_loop_test(tcase, within_a_step, 0, 4);
    suite_add_tcase(suite, tcase);
}
