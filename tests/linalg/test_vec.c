/* Element-wise operations. The oracle is one element at a time in double. */
#include "tests/linalg/common.h"

#include <stdint.h>

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 1;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

static void check_axpby(test_shape shape, ng_dtype dtype, double a, double b)
{
    ng_mat x = random_mat(shape.m, shape.n, dtype, &rng);
    ng_mat y = random_mat(shape.m, shape.n, dtype, &rng);
    ng_mat x0 = test_copy(x), ref = test_mat(shape.m, shape.n, 0, NG_F64);
    for (size_t i = 0; i < y.rows; i++)
        for (size_t j = 0; j < y.cols; j++) {
            double ax = a == 0 ? 0 : a * ng_mat_get(x, i, j);
            ng_mat_set(ref, i, j, ax + (b == 0 ? 0 : b * ng_mat_get(y, i, j)));
        }
    if (b == 0)
        ng_fill(y, NAN);
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_axpby(y, x, a, b, &error), &error);
    ng_assert_mat(y, ref, 4 * ng_dtype_eps(dtype));
    ck_assert(test_same_bits(x, x0));
    test_free(x), test_free(y), test_free(x0), test_free(ref);
}

START_TEST(axpby)
{
    static const double scalars[][2] = {{1, 1}, {2, -0.5}, {0.1, 0.3}, {-1, 0},
                                        {0, 0}, {0, 0.7},  {0, 1},     {1, 0}};
    for (size_t k = 0; k < N_SHAPES; k++)
        for (size_t s = 0; s < sizeof scalars / sizeof *scalars; s++)
            check_axpby(test_shapes[k], DTYPE, scalars[s][0], scalars[s][1]);
}
END_TEST

/* a = 0 does not read x, whatever b */
START_TEST(axpby_without_x)
{
    for (int dense = 0; dense < 2; dense++) {
        ng_mat x = test_mat(7, 13, dense ? 0 : PAD, DTYPE), y = random_mat(7, 13, DTYPE, &rng);
        ng_mat y0 = test_copy(y);
        ng_fill(x, NAN);
        ng_assert_ok(ng_axpby(y, x, 0, 1, NULL), NULL);
        ck_assert(test_same_bits(y, y0));
        ng_assert_ok(ng_axpby(y, x, 0, 0, NULL), NULL);
        ck_assert(test_norm(y) == 0);
        test_free(x), test_free(y), test_free(y0);
    }
}
END_TEST

/* The same bits as a copy and then axpby; z also in the place of x or of y. */
static void check_lincomb(test_shape shape, ng_dtype dtype, double a, double b)
{
    ng_mat x = random_mat(shape.m, shape.n, dtype, &rng), x0 = test_copy(x);
    ng_mat y = random_mat(shape.m, shape.n, dtype, &rng), y0 = test_copy(y);
    ng_mat ref = test_copy(y), z = random_mat(shape.m, shape.n, dtype, &rng);
    ng_assert_ok(ng_axpby(ref, x, a, b, NULL), NULL);
    ng_assert_ok(ng_lincomb(z, a, x, b, y, NULL), NULL);
    ck_assert(test_same_bits(z, ref));
    ck_assert(test_same_bits(x, x0) && test_same_bits(y, y0));
    ng_assert_ok(ng_lincomb(x, a, x, b, y, NULL), NULL);
    ck_assert(test_same_bits(x, ref));
    ng_assert_ok(ng_lincomb(y, a, x0, b, y, NULL), NULL);
    ck_assert(test_same_bits(y, ref));
    test_free(x), test_free(y), test_free(z), test_free(x0), test_free(y0), test_free(ref);
}

START_TEST(lincomb)
{
    static const double scalars[][2] = {{1, 1}, {2, -0.5}, {0.1, 0.3}, {-1, 0},
                                        {0, 0}, {0, 0.7},  {0, 1},     {1, 0}};
    for (size_t k = 0; k < N_SHAPES; k++)
        for (size_t s = 0; s < sizeof scalars / sizeof *scalars; s++)
            check_lincomb(test_shapes[k], DTYPE, scalars[s][0], scalars[s][1]);
}
END_TEST

START_TEST(lincomb_refuses)
{
    ng_dtype other = DTYPE == NG_F32 ? NG_F64 : NG_F32;
    ng_mat x = random_mat(3, 4, DTYPE, &rng), z = test_copy(x), z0 = test_copy(x);
    ng_mat narrow = random_mat(3, 5, DTYPE, &rng), typed = random_mat(3, 4, other, &rng);
    ng_error error = {NG_OK, ""};
    ck_assert_int_eq(ng_lincomb(narrow, 1, x, 1, z, &error), NG_ESHAPE);
    ck_assert_str_eq(error.text, "z is 3 x 5, expected 3 x 4");
    ck_assert_int_eq(ng_lincomb(z, 1, x, 1, narrow, &error), NG_ESHAPE);
    ck_assert_str_eq(error.text, "y is 3 x 5, expected 3 x 4");
    ck_assert_int_eq(ng_lincomb(z, 1, x, 1, typed, &error), NG_EDTYPE);
    ck_assert(test_same_bits(z, z0));
    test_free(x), test_free(z), test_free(z0), test_free(narrow), test_free(typed);
}
END_TEST

/* every pair of dtypes; _i = 2 * from + to */
START_TEST(copy)
{
    ng_dtype from = (ng_dtype)(_i / 2), to = (ng_dtype)(_i % 2);
    double tol = from == NG_F64 && to == NG_F32 ? ng_dtype_eps(NG_F32) : 0;
    for (size_t k = 0; k < N_SHAPES; k++)
        for (size_t pad = 0; pad < 2; pad++) {
            test_shape s = test_shapes[k];
            ng_mat x = random_mat(s.m, s.n, from, &rng), y = test_mat(s.m, s.n, pad, to);
            ng_assert_ok(ng_copy(y, x, NULL), NULL);
            ng_assert_mat(y, x, tol);
            test_free(x), test_free(y);
        }
}
END_TEST

START_TEST(copy_narrows)
{
    double values[] = {1e300, -1e300, 1e-300, 3.4028234663852886e38, NAN, INFINITY, -0.0};
    float out[7];
    ng_assert_ok(ng_copy(ng_f32(out, 1, 7), ng_f64(values, 1, 7), NULL), NULL);
    ck_assert(out[0] == (float)INFINITY && out[1] == (float)-INFINITY && out[2] == 0);
    ck_assert(out[3] == FLT_MAX && isnan(out[4]) && out[5] == (float)INFINITY);
    ck_assert(out[6] == 0 && signbit(out[6]));
}
END_TEST

START_TEST(fill_scale_diagonal)
{
    for (size_t k = 0; k < N_SHAPES; k++) {
        size_t m = test_shapes[k].m, n = test_shapes[k].n;
        ng_mat x = random_mat(m, n, DTYPE, &rng), ref = test_copy(x);
        ng_scale(x, -1.5);
        ng_add_diagonal(x, 0.25);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                ng_mat_set(ref, i, j, -1.5 * ng_mat_get(ref, i, j) + (i == j ? 0.25 : 0));
        ng_assert_mat(x, ref, 2 * ng_dtype_eps(DTYPE));
        ng_fill(x, 0.1);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                ng_assert_rel(ng_mat_get(x, i, j), 0.1, ng_dtype_eps(DTYPE));
        ng_fill(x, NAN);
        ng_set_identity(x);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                ck_assert(ng_mat_get(x, i, j) == (i == j));
        test_free(x), test_free(ref);
    }
}
END_TEST

START_TEST(transpose)
{
    for (size_t k = 0; k < N_SHAPES; k++)
        for (size_t pad = 0; pad < 2; pad++) {
            size_t m = test_shapes[k].m, n = test_shapes[k].n;
            ng_mat x = random_mat(m, n, DTYPE, &rng), y = test_mat(n, m, pad, DTYPE);
            ng_mat x0 = test_copy(x);
            ng_assert_ok(ng_transpose(y, x, NULL), NULL);
            for (size_t i = 0; i < m; i++)
                for (size_t j = 0; j < n; j++)
                    ck_assert(ng_mat_get(y, j, i) == ng_mat_get(x, i, j));
            ck_assert(test_same_bits(x, x0));
            test_free(x), test_free(y), test_free(x0);
        }
}
END_TEST

START_TEST(mirror)
{
    for (size_t k = 0; k < N_SIZES; k++) {
        size_t n = test_sizes[k];
        ng_mat x = random_mat(n, n, DTYPE, &rng), ref = test_copy(x);
        symmetrise(ref);
        set_upper(x, NAN);
        ng_mirror(x);
        ck_assert(test_same_bits(x, ref));
        test_free(x), test_free(ref);
    }
}
END_TEST

/* ---- Views without elements ------------------------------------------------- */

/* data may be NULL and the stride anything */
START_TEST(nothing_is_fine)
{
    static const ng_mat empty[] = {{NULL, 0, 0, 0, NG_F32},
                                   {NULL, 0, 5, 8, NG_F32},
                                   {NULL, 5, 0, 0, NG_F32},
                                   {NULL, 5, 0, 8, NG_F32},
                                   {NULL, 1, 0, 8, NG_F32}};
    for (size_t k = 0; k < sizeof empty / sizeof *empty; k++) {
        ng_mat x = empty[k], t = {NULL, x.cols, x.rows, 9, DTYPE};
        x.dtype = DTYPE;
        ng_fill(x, 1);
        ng_scale(x, 2);
        ng_add_diagonal(x, 1);
        ng_set_identity(x);
        if (x.rows == x.cols)
            ng_mirror(x);
        ng_assert_ok(ng_axpby(x, x, 1, 1, NULL), NULL);
        ng_assert_ok(ng_axpby(x, x, 0, 2, NULL), NULL);
        ng_assert_ok(ng_copy(x, x, NULL), NULL);
        ng_assert_ok(ng_transpose(t, x, NULL), NULL);
        ck_assert(ng_max_abs(x) == 0 && ng_norm(x) == 0);
        ck_assert(ng_dot(x, x) == 0 && ng_trace(x) == 0);
        ck_assert_int_eq(ng_is_finite(x), 1);
    }
}
END_TEST

/* ---- Refusals ---------------------------------------------------------------- */

typedef ng_status (*pair_call)(ng_mat y, ng_mat x, ng_error *error);

static ng_status call_axpby(ng_mat y, ng_mat x, ng_error *error)
{
    return ng_axpby(y, x, 1, 1, error);
}

static void check_refusals(pair_call call, ng_dtype dtype, int any_dtypes)
{
    ng_mat x = test_mat(4, 4, PAD, dtype), y = test_mat(4, 4, PAD, dtype), bad;
    ng_mat other = test_mat(4, 4, 0, (ng_dtype)!dtype);
    ng_error error = {NG_OK, ""};
    if (any_dtypes) {
        ng_assert_ok(call(y, other, &error), &error);
    } else {
        ng_assert_fails(call(y, other, &error), NG_EDTYPE, &error, "y");
        ng_assert_fails(call(other, x, &error), NG_EDTYPE, &error, "y");
    }
    ng_assert_fails(call(ng_mat_block(y, 0, 0, 3, 4), x, &error), NG_ESHAPE, &error, "y");
    ng_assert_fails(call(ng_mat_block(y, 0, 0, 4, 3), x, &error), NG_ESHAPE, &error, "y");
    ck_assert_int_eq(call(ng_mat_block(y, 0, 0, 4, 3), x, NULL), NG_ESHAPE);
    bad = y, bad.data = NULL;
    ng_assert_fails(call(bad, x, &error), NG_EARG, &error, "y");
    ng_assert_fails(call(y, bad, &error), NG_EARG, &error, "x");
    bad = y, bad.stride = 3;
    ng_assert_fails(call(bad, x, &error), NG_ESHAPE, &error, "y");
    ng_assert_fails(call(y, bad, &error), NG_ESHAPE, &error, "x");
    bad = y, bad.dtype = (ng_dtype)5;
    ng_assert_fails(call(bad, x, &error), NG_EDTYPE, &error, "y");
    ng_assert_fails(call(y, bad, &error), NG_EDTYPE, &error, "x");
    bad = fake(SIZE_MAX / 2, SIZE_MAX / 2, dtype);
    ng_assert_fails(call(bad, bad, &error), NG_ERANGE, &error, "fit");
    test_free(x), test_free(y), test_free(other);
}

START_TEST(refusals)
{
    check_refusals(call_axpby, DTYPE, 0);
    check_refusals(ng_transpose, DTYPE, 0);
    check_refusals(ng_copy, DTYPE, 1);
}
END_TEST

TEST_SUITE(vec)
{
    TCase *tc = tcase_create("element by element");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_add_loop_test(tc, axpby, 0, 2);
    tcase_add_loop_test(tc, axpby_without_x, 0, 2);
    tcase_add_loop_test(tc, lincomb, 0, 2);
    tcase_add_loop_test(tc, lincomb_refuses, 0, 2);
    tcase_add_loop_test(tc, copy, 0, 4);
    tcase_add_test(tc, copy_narrows);
    tcase_add_loop_test(tc, fill_scale_diagonal, 0, 2);
    tcase_add_loop_test(tc, transpose, 0, 2);
    tcase_add_loop_test(tc, mirror, 0, 2);
    tcase_add_loop_test(tc, nothing_is_fine, 0, 2);
    tcase_add_loop_test(tc, refusals, 0, 2);
    suite_add_tcase(suite, tc);
}
