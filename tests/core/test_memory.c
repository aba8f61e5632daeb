/* The allocator helper: zeros, sizes that do not fit, growth. */
#include "lib/core/memory.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/support.h"

/* _i of every loop test is the dtype */
START_TEST(matrices_of_zeros)
{
    static const size_t shapes[][2] = {{1, 1}, {7, 13}, {0, 5}, {5, 0}, {0, 0}};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        ng_mat m;
        ng_assert_ok(ngi_mat_create(&m, shapes[k][0], shapes[k][1], (ng_dtype)_i, NULL), NULL);
        ck_assert_ptr_nonnull(m.data);
        ck_assert(m.rows == shapes[k][0] && m.cols == shapes[k][1] && m.stride == m.cols);
        ck_assert_int_eq(m.dtype, _i);
        for (size_t i = 0; i < m.rows; i++)
            for (size_t j = 0; j < m.cols; j++)
                ck_assert(ng_mat_get(m, i, j) == 0);
        free(m.data);
    }
}
END_TEST

/* products that wrap to something small: 2^32 * 2^32 = 0 in 64 bits */
START_TEST(sizes_that_do_not_fit)
{
    size_t half = (size_t)1 << (4 * sizeof(size_t));
    ng_mat m = ng_f64(NULL, 0, 0);
    ng_error error = {NG_OK, ""};
    int *list = NULL;
    ck_assert_int_eq(ngi_mat_create(&m, half, half, NG_F32, &error), NG_ENOMEM);
    ck_assert_ptr_null(m.data);
    ck_assert_int_eq(ngi_mat_create(&m, SIZE_MAX / 8 + 1, 1, NG_F64, &error), NG_ENOMEM);
    ck_assert_ptr_null(m.data);
    ck_assert_int_eq(ngi_array_create(&list, half, half, "things", &error), NG_ENOMEM);
    ck_assert_ptr_null(list);
    ck_assert(strstr(error.text, "things") != NULL);
    size_t capacity = SIZE_MAX / 2 + 1;
    ck_assert_int_eq(ngi_array_grow(&list, &capacity, capacity, 1, &error), NG_ENOMEM);
    capacity = half;
    ck_assert_int_eq(ngi_array_grow(&list, &capacity, capacity, half, &error), NG_ENOMEM);
    ck_assert(list == NULL && capacity == half);
}
END_TEST

/* zeros, aligned as malloc's, none lost: taken in any order of sizes, given back to a mark */
START_TEST(scratch_pool)
{
    ngi_pool pool = {NULL};
    ng_mat a, b;
    unsigned char *bytes;
    size_t half = (size_t)1 << (4 * sizeof(size_t));
    ng_assert_ok(ngi_pool_mat(&pool, &a, 3, 5, NG_F64, NULL), NULL);
    for (size_t i = 0; i < 15; i++)
        ((double *)a.data)[i] = 7;
    void *mark = pool.top;
    for (size_t n = 0; n < 40; n++) {
        ng_assert_ok(ngi_pool_array(&pool, &bytes, n, 1, "bytes", NULL), NULL);
        ck_assert_uint_eq((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            ck_assert(bytes[i] == 0);
        memset(bytes, 1, n);
    }
    ck_assert_int_eq(ngi_pool_mat(&pool, &b, half, half, NG_F32, NULL), NG_ENOMEM);
    ck_assert_ptr_null(b.data);
    ngi_pool_drop(&pool, mark);
    ck_assert_ptr_eq(pool.top, mark);
    for (size_t i = 0; i < 15; i++)
        ck_assert(((double *)a.data)[i] == 7);
    ck_assert_int_eq(ngi_pool_close(&pool, NG_ENOCONV), NG_ENOCONV);
    ck_assert_ptr_null(pool.top);
}
END_TEST

START_TEST(arrays)
{
    size_t capacity = 0, *list = NULL, *none;
    for (size_t i = 0; i < 1000; i++) {
        ng_assert_ok(ngi_array_grow(&list, &capacity, i, sizeof *list, NULL), NULL);
        ck_assert_uint_gt(capacity, i);
        list[i] = i;
    }
    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(list[i], i);
    free(list);
    ng_assert_ok(ngi_array_create(&list, 100, sizeof *list, "numbers", NULL), NULL);
    for (size_t i = 0; i < 100; i++)
        ck_assert_uint_eq(list[i], 0);
    ng_assert_ok(ngi_array_create(&none, 0, sizeof *none, "numbers", NULL), NULL);
    ck_assert_ptr_nonnull(none);
    free(list), free(none);
}
END_TEST

TEST_SUITE(memory)
{
    TCase *tc = tcase_create("memory");
    tcase_add_loop_test(tc, matrices_of_zeros, 0, 2);
    tcase_add_test(tc, sizes_that_do_not_fit);
    tcase_add_test(tc, arrays);
    tcase_add_test(tc, scratch_pool);
    suite_add_tcase(suite, tc);
}
