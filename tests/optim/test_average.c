/* Running averages of weights (natgrad/average.h). */
#include "tests/optim/pair_world.h"

#include <math.h>

/* Against the definition, over decays, with the weights back to the bit. */
START_TEST(averages)
{
    static const double decays[] = {1, 0.9, 0};
    for (int dtype = 0; dtype < 2; dtype++) {
        world x;
        ng_error error = {NG_OK, ""};
        ng_average *average;
        test_rng rng = {9};
        double expected[35] = {0};
        open_world(&x, "sgd", (ng_dtype)dtype, NULL);
        ng_assert_ok(ng_average_create(&average, x.opt, decays[_i], &error), &error);
        ng_assert_fails(ng_average_swap(average, &error), NG_ENODATA, &error, "nothing");
        for (int k = 1; k <= 20; k++) {
            double part = fmax(1 - decays[_i], 1.0 / k);
            for (int i = 0; i < 2; i++)
                test_fill_normal(x.w[i], &rng);
            ng_assert_ok(ng_average_update(average, &error), &error);
            for (size_t j = 0; j < 20; j++)
                expected[j] += part * (ng_mat_get(x.w[0], j / 5, j % 5) - expected[j]);
        }
        ck_assert_uint_eq(ng_average_count(average), 20);
        ng_mat first = test_copy(x.w[0]), second = test_copy(x.w[1]);
        ng_assert_ok(ng_average_swap(average, &error), &error);
        ck_assert(ng_average_swapped(average));
        for (size_t j = 0; j < 20; j++)
            ng_assert_le(fabs(ng_mat_get(x.w[0], j / 5, j % 5) - expected[j]),
                         dtype == NG_F32 ? 1e-6 : 1e-14);
        ng_assert_fails(ng_average_update(average, &error), NG_EARG, &error, "swapped");
        ng_assert_ok(ng_average_swap(average, &error), &error);
        ck_assert(!ng_average_swapped(average));
        ck_assert(test_same_bits(x.w[0], first) && test_same_bits(x.w[1], second));
        ng_mat_set(x.w[1], 1, 1, NAN);
        ng_assert_fails(ng_average_update(average, &error), NG_ENONFINITE, &error, "second");
        ck_assert_uint_eq(ng_average_count(average), 20);
        ng_average_destroy(average);
        test_free(first), test_free(second);
        close_world(&x);
    }
}
END_TEST

/* One that is carried to another by hand goes on as the first would. */
START_TEST(average_restored)
{
    world x;
    ng_error error = {NG_OK, ""};
    ng_average *first, *second;
    test_rng rng = {9};
    open_world(&x, "sgd", NG_F32, NULL);
    ng_assert_ok(ng_average_create(&first, x.opt, 0.9, &error), &error);
    ng_assert_ok(ng_average_create(&second, x.opt, 0.9, &error), &error);
    for (int k = 0; k < 12; k++) {
        for (int i = 0; i < 2; i++)
            test_fill_normal(x.w[i], &rng);
        ng_assert_ok(ng_average_update(first, &error), &error);
        if (k < 4)
            continue;
        if (k > 4)
            ng_assert_ok(ng_average_update(second, &error), &error);
        ng_assert_ok(ng_average_swap(first, &error), &error);
        if (k == 4)
            ng_assert_ok(ng_average_restore(second, 5, &error), &error);
        ng_mat kept = test_copy(x.w[0]);
        ng_assert_ok(ng_average_swap(first, &error), &error);
        ng_assert_ok(ng_average_swap(second, &error), &error);
        ck_assert(test_same_bits(kept, x.w[0]));
        ng_assert_fails(ng_average_restore(second, 5, &error), NG_EARG, &error, "swapped");
        ng_assert_ok(ng_average_swap(second, &error), &error);
        test_free(kept);
    }
    ck_assert_uint_eq(ng_average_count(second), 12);
    ng_assert_fails(ng_average_restore(second, 0, &error), NG_EARG, &error, "no update");
    ng_assert_fails(ng_average_restore(NULL, 1, &error), NG_EARG, &error, "NULL");
    ng_average_destroy(first);
    ng_average_destroy(second);
    close_world(&x);
}
END_TEST

START_TEST(average_refusals)
{
    world x;
    ng_error error = {NG_OK, ""};
    ng_average *average;
    ng_optimizer *empty;
    float w[4] = {0}, dw[4] = {0};
    open_world(&x, "sgd", NG_F32, NULL);
    ng_assert_ok(ng_optimizer_create(&empty, NULL), NULL);
    ng_assert_fails(ng_average_create(&average, empty, 1, &error), NG_ENODATA, &error, "param");
    ng_assert_fails(ng_average_create(&average, x.opt, 1.1, &error), NG_EOPTION, &error, "decay");
    ng_assert_fails(ng_average_create(NULL, x.opt, 1, &error), NG_EARG, &error, "NULL");
    ng_assert_ok(ng_average_create(&average, x.opt, 1, &error), &error);
    ng_assert_ok(ng_group_add(x.group, NULL, "late", ng_f32(w, 2, 2), ng_f32(dw, 2, 2)), NULL);
    ng_assert_fails(ng_average_update(average, &error), NG_EARG, &error, "added");
    ng_average_destroy(average);
    ng_average_destroy(NULL);
    ng_optimizer_destroy(empty);
    close_world(&x);
}
END_TEST

TEST_SUITE(average)
{
    TCase *tcase = tcase_create("average");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, averages, 0, 3);
    tcase_add_test(tcase, average_restored);
    tcase_add_test(tcase, average_refusals);
    suite_add_tcase(suite, tcase);
}
