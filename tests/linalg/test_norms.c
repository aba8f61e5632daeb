/* Numbers about a matrix: extremes, norms, inner products, traces. */
#include "tests/linalg/common.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 2;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

START_TEST(max_abs_of_numbers)
{
    for (size_t k = 0; k < N_SHAPES; k++) {
        ng_mat x = random_mat(test_shapes[k].m, test_shapes[k].n, DTYPE, &rng);
        double max = 0;
        for (size_t i = 0; i < x.rows; i++)
            for (size_t j = 0; j < x.cols; j++)
                max = fmax(max, fabs(ng_mat_get(x, i, j)));
        ck_assert(ng_max_abs(x) == max);
        ck_assert_int_eq(ng_is_finite(x), 1);
        test_free(x);
    }
}
END_TEST

/* Each position in turn, also the last one of the last padded row; negative
 * numbers, zeros and subnormal numbers have a magnitude too. */
START_TEST(max_abs_finds_every_position)
{
    static const double values[] = {-7, INFINITY, -INFINITY, NAN};
    for (size_t pad = 0; pad < 2; pad++) {
        ng_mat x = test_mat(3, 11, pad * PAD, DTYPE);
        for (size_t p = 0; p < 33 * 4; p++) {
            double value = values[p % 4], max;
            ng_mat_set(x, p / 4 / 11, p / 4 % 11, value);
            max = ng_max_abs(x);
            ck_assert(isnan(value) ? isnan(max) : max == fabs(value));
            ck_assert_int_eq(ng_is_finite(x), isfinite(value) != 0);
            ng_mat_set(x, p / 4 / 11, p / 4 % 11, 0);
        }
        test_free(x);
    }
}
END_TEST

/* NaN wins over infinity, wherever the two stand */
START_TEST(nan_before_infinity)
{
    for (size_t pad = 0; pad < 2; pad++)
        for (size_t p = 0; p < 12; p++)
            for (size_t q = 0; q < 12; q++) {
                ng_mat x = test_mat(4, 3, pad * PAD, DTYPE);
                ng_mat_set(x, q / 3, q % 3, -INFINITY);
                ng_mat_set(x, p / 3, p % 3, -NAN);
                ck_assert(isnan(ng_max_abs(x)) && isnan(ng_norm(x)));
                ck_assert_int_eq(ng_is_finite(x), 0);
                test_free(x);
            }
}
END_TEST

START_TEST(max_abs_smallest)
{
    double tiny = DTYPE == NG_F32 ? 0x1p-149 : 0x1p-1074;
    ng_mat x = test_mat(2, 3, PAD, DTYPE);
    ck_assert(ng_max_abs(x) == 0 && !signbit(ng_max_abs(x)));
    ng_mat_set(x, 1, 2, -0.0);
    ck_assert(ng_max_abs(x) == 0 && !signbit(ng_max_abs(x)));
    ng_mat_set(x, 0, 1, -tiny);
    ck_assert(ng_max_abs(x) == tiny);
    test_free(x);
}
END_TEST

/* Neumaier's sum, which carries along what each addition loses. (long double
 * would do, but some emulators shorten it to double.) */
static double dot_careful(ng_mat x, ng_mat y)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double term = ng_mat_get(x, i, j) * ng_mat_get(y, i, j), next = sum + term;
            lost += fabs(sum) >= fabs(term) ? (sum - next) + term : (term - next) + sum;
            sum = next;
        }
    return sum + lost;
}

START_TEST(norm_of_numbers)
{
    for (size_t k = 0; k < N_SHAPES; k++) {
        ng_mat x = random_mat(test_shapes[k].m, test_shapes[k].n, DTYPE, &rng);
        /* sums accumulate in double, whatever the dtype */
        ng_assert_rel(ng_norm(x), sqrt(dot_careful(x, x)), 8 * DBL_EPSILON);
        test_free(x);
    }
}
END_TEST

/* 3, 4, 12 times a power of two has the norm 13 times that power, exactly
 * representable; the powers reach from subnormal numbers to the largest. */
START_TEST(norm_at_the_ends)
{
    int low = DTYPE == NG_F32 ? -149 : -1074, high = DTYPE == NG_F32 ? 123 : 1019;
    for (int e = low; e <= high; e++) {
        ng_mat x = test_mat(3, 4, PAD, DTYPE);
        ng_mat_set(x, 0, 0, ldexp(3, e));
        ng_mat_set(x, 1, 3, ldexp(-4, e));
        ng_mat_set(x, 2, 2, ldexp(12, e));
        ng_assert_rel(ng_norm(x), ldexp(13, e), 4 * DBL_EPSILON);
        test_free(x);
    }
}
END_TEST

START_TEST(norm_of_decimal_ends)
{
    static const double scales[] = {1e300,  1e-300, 1e-310, 1e154,  1e-154,
                                    1e-162, 1e139,  1e141,  1e-139, 1e-141};
    for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
        ng_mat x = test_mat(9, 9, PAD, NG_F64);
        ng_fill(x, -scales[k]);
        ng_assert_rel(ng_norm(x), 9 * scales[k], 8 * DBL_EPSILON);
        test_free(x);
    }
    ng_mat f = test_mat(9, 9, PAD, NG_F32); /* squares far outside float */
    ng_fill(f, 0x1p120);
    ng_assert_rel(ng_norm(f), ldexp(9, 120), 8 * DBL_EPSILON);
    ng_fill(f, 0x1p-140);
    ng_assert_rel(ng_norm(f), ldexp(9, -140), 8 * DBL_EPSILON);
    test_free(f);
}
END_TEST

START_TEST(norm_of_infinity)
{
    ng_mat x = test_mat(3, 4, PAD, DTYPE);
    ng_mat_set(x, 2, 3, -INFINITY);
    ck_assert(ng_norm(x) == (double)INFINITY);
    ng_fill(x, 0);
    ck_assert(ng_norm(x) == 0);
    test_free(x);
}
END_TEST

START_TEST(dot_of_numbers)
{
    for (size_t k = 0; k < N_SHAPES; k++)
        for (size_t pad = 0; pad < 2; pad++) {
            ng_mat x = random_mat(test_shapes[k].m, test_shapes[k].n, DTYPE, &rng);
            ng_mat y = test_mat(x.rows, x.cols, pad, DTYPE);
            test_fill_normal(y, &rng);
            double size = test_norm(x) * test_norm(y); /* Cauchy and Schwarz */
            ng_assert_le(fabs(ng_dot(x, y) - dot_careful(x, y)), 2 * DBL_EPSILON * size);
            ng_assert_rel(ng_dot(x, x), dot_careful(x, x), 8 * DBL_EPSILON);
            test_free(x), test_free(y);
        }
}
END_TEST

/* What a float sum loses: small terms beside 1, and the low half of products. */
START_TEST(dot_accumulates_in_double)
{
    enum { N = 4099, FEW = 100 };
    ng_mat x = test_mat(1, N, 0, NG_F32), one = test_mat(1, N, 0, NG_F32);
    ng_fill(one, 1);
    ng_fill(x, 0x1p-25);
    ng_mat_set(x, 0, 0, 1);
    ng_assert_rel(ng_dot(x, one), 1 + (N - 1) * 0x1p-25, 4 * DBL_EPSILON);
    ng_fill(x, 1 + 0x1p-23); /* its square has 46 bits, a few of them sum exactly */
    ng_mat few = ng_mat_block(x, 0, 0, 1, FEW);
    ck_assert(ng_dot(few, few) == FEW * (1 + 0x1p-22 + 0x1p-46));
    ng_assert_rel(ng_norm(few), 10 * (1 + 0x1p-23), DBL_EPSILON);
    test_free(x), test_free(one);
}
END_TEST

START_TEST(dot_refuses)
{
    ng_mat x = test_mat(3, 4, PAD, DTYPE), y = test_mat(4, 3, PAD, DTYPE);
    ng_mat other = test_mat(3, 4, PAD, (ng_dtype)!DTYPE), null = x;
    null.data = NULL;
    ck_assert(isnan(ng_dot(x, y)));
    ck_assert(isnan(ng_dot(x, ng_mat_block(x, 0, 0, 3, 3))));
    ck_assert(isnan(ng_dot(x, other)));
    ck_assert(isnan(ng_dot(x, null)) && isnan(ng_dot(null, x)));
    test_free(x), test_free(y), test_free(other);
}
END_TEST

START_TEST(trace)
{
    for (size_t k = 0; k < N_SHAPES; k++) {
        ng_mat x = random_mat(test_shapes[k].m, test_shapes[k].n, DTYPE, &rng);
        double sum = 0;
        for (size_t i = 0; i < x.rows && i < x.cols; i++)
            sum += ng_mat_get(x, i, i);
        ck_assert(ng_trace(x) == sum);
        test_free(x);
    }
    ng_mat x = test_mat(40, 40, 0, NG_F32); /* a float sum would drop the rest */
    for (size_t i = 0; i < 40; i++)
        ng_mat_set(x, i, i, i == 0 ? 1 : 0x1p-25);
    ck_assert(ng_trace(x) == 1 + 39 * 0x1p-25);
    test_free(x);
}
END_TEST

/* Sums that have a place in double though their terms, or some of them together, have none. */
START_TEST(sums_at_the_ends)
{
    double big[] = {1e200, 1e200, 3}, other[] = {1e200, -1e200, 5}, tiny[] = {1e-200, 2e-200, 3};
    double largest = 1.7e308, diagonal[9] = {largest, 0, 0, 0, largest, 0, 0, 0, -largest};
    ng_assert_rel(ng_dot(ng_f64(big, 1, 2), ng_f64(tiny, 1, 2)), 3, 4 * DBL_EPSILON);
    ck_assert(ng_dot(ng_f64(big, 1, 2), ng_f64(other, 1, 2)) == 0);
    ck_assert(ng_dot(ng_f64(big, 1, 3), ng_f64(big, 1, 3)) == (double)INFINITY);
    ng_assert_rel(ng_trace(ng_f64(diagonal, 3, 3)), largest, DBL_EPSILON);
    big[0] = NAN;
    ck_assert(isnan(ng_dot(ng_f64(big, 1, 2), ng_f64(tiny, 1, 2))));
}
END_TEST

TEST_SUITE(norms)
{
    TCase *tc = tcase_create("numbers about a matrix");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_add_loop_test(tc, max_abs_of_numbers, 0, 2);
    tcase_add_loop_test(tc, max_abs_finds_every_position, 0, 2);
    tcase_add_loop_test(tc, nan_before_infinity, 0, 2);
    tcase_add_loop_test(tc, max_abs_smallest, 0, 2);
    tcase_add_loop_test(tc, norm_of_numbers, 0, 2);
    tcase_add_loop_test(tc, norm_at_the_ends, 0, 2);
    tcase_add_test(tc, norm_of_decimal_ends);
    tcase_add_test(tc, sums_at_the_ends);
    tcase_add_loop_test(tc, norm_of_infinity, 0, 2);
    tcase_add_loop_test(tc, dot_of_numbers, 0, 2);
    tcase_add_test(tc, dot_accumulates_in_double);
    tcase_add_loop_test(tc, dot_refuses, 0, 2);
    tcase_add_loop_test(tc, trace, 0, 2);
    suite_add_tcase(suite, tc);
}
