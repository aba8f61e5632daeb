/* Inverses and Cholesky factors in place are those that are not, bit for bit. */
#include "lib/linalg/sweep.h"
#include "tests/linalg/common.h"

static const size_t sizes[] = {1, 2, 7, 16, 31, 32, 33, 48, 64, 65, 130, 272};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static ng_status remake(const void *data, ng_mat a, ng_error *error)
{
    ngi_copy_lower(a, *(const ng_mat *)data);
    return error == NULL ? NG_OK : error->status;
}

static void compare_in_place(ng_mat a, ng_status expected)
{
    ng_work work, own;
    size_t n = a.rows;
    double jitter, jitter_again;
    ng_mat b = test_mat(n, n, 0, a.dtype), c = test_mat(n, n, 0, a.dtype);
    const ngi_maker maker = {remake, &a};
    ng_assert_ok(ng_work_create(&own, ngi_spd_inverse_work(n, a.dtype), NULL), NULL);
    ng_assert_ok(ng_work_create(&work, ngi_spd_inverse_again_work(n, a.dtype), NULL), NULL);
    remake(&a, c, NULL);
    ck_assert_int_eq(ngi_spd_inverse(b, a, &own, NULL), expected);
    ck_assert_int_eq(ngi_spd_inverse_again(c, maker, &work, NULL), expected);
    ck_assert(work.used == 0 && (expected != NG_OK || test_same_bits(b, c)));
    remake(&a, c, NULL);
    ck_assert_int_eq(ng_cholesky(b, &jitter, a, NULL), expected);
    ck_assert_int_eq(ngi_cholesky_again(c, &jitter_again, maker, NULL), expected);
    ck_assert(expected != NG_OK || (test_same_bits(b, c) && jitter == jitter_again));
    ng_work_destroy(&own), ng_work_destroy(&work);
    test_free(b), test_free(c);
}

START_TEST(in_place)
{
    size_t n = sizes[_i / 2];
    ng_mat a = test_mat(n, n, PAD, (ng_dtype)(_i % 2));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            ng_mat_set(a, i, j, (i == j) + exp(-fabs((double)i - (double)j)));
    compare_in_place(a, NG_OK);
    ng_fill(a, 1); /* not without what is added */
    compare_in_place(a, NG_OK);
    ng_mat_set(a, 0, 0, -1);
    compare_in_place(a, NG_ESINGULAR);
    test_free(a);
}
END_TEST

TEST_SUITE(again)
{
    TCase *tc = tcase_create("in place");
    tcase_add_loop_test(tc, in_place, 0, 2 * SIZES);
    suite_add_tcase(suite, tc);
}
