/* Powers of symmetric positive definite matrices of a known spectrum. */
#include "tests/linalg/common.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 6;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

enum { MAX_N = 65 };

/* From 1 down to 1/cond, in equal ratios, ascending. */
static void spectrum(double *w, size_t n, double cond)
{
    for (size_t k = 0; k < n; k++)
        w[k] = n == 1 ? 1 : pow(cond, (double)k / (double)(n - 1) - 1);
}

static ng_mat powered(ng_mat q, const double *w, double exponent)
{
    double p[MAX_N];
    for (size_t k = 0; k < q.rows; k++)
        p[k] = pow(w[k], exponent);
    return from_spectrum(q, p);
}

static void assert_symmetric(ng_mat b)
{
    for (size_t i = 0; i < b.rows; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert(ng_mat_get(b, i, j) == ng_mat_get(b, j, i));
}

/* The rounding of a itself, eps ||a||, moves the smallest eigenvalue, 1/cond of
 * the largest, by cond * eps relatively and its power by |exponent| times that;
 * how much of the result's norm this is depends on which end is the largest.
 * The product of the powers adds the rounding of double. */
static double tolerance(double exponent, double cond, ng_dtype dtype)
{
    double amplified = exponent < 0   ? -exponent * cond
                       : exponent < 1 ? exponent * pow(cond, 1 - exponent)
                                      : exponent;
    return (1 + 2 * amplified) * ng_dtype_eps(dtype) + 16 * DBL_EPSILON;
}

static void check_power(size_t n, double exponent, double cond, ng_dtype dtype)
{
    double w[MAX_N];
    ng_mat q = test_orthogonal(n, &rng);
    spectrum(w, n, cond);
    ng_mat exact = from_spectrum(q, w), ref = powered(q, w, exponent), a = padded(exact, dtype);
    ng_mat b = test_mat(n, n, PAD, dtype);
    ng_error error = {NG_OK, ""};
    set_upper(a, NAN);
    ng_mat a0 = test_copy(a);
    ng_assert_ok(ng_spd_power(b, a, exponent, 0, NULL, &error), &error);
    ng_assert_mat(b, ref, tolerance(exponent, n > 1 ? cond : 1, dtype));
    assert_symmetric(b);
    ck_assert(test_same_bits(a, a0));
    ng_assert_ok(ng_spd_power(a, a, exponent, 0, NULL, &error), &error); /* in place */
    ck_assert(test_same_bits(a, b));
    test_free(q), test_free(exact), test_free(ref), test_free(a), test_free(a0), test_free(b);
}

static const double exponents[] = {-1, -0.5, -0.25, 0.5, 0, 2, 0.3, 1};
#define N_EXPONENTS (sizeof exponents / sizeof *exponents)

START_TEST(powers)
{
    static const size_t sizes[] = {0, 1, 2, 13, MAX_N};
    static const double conds[] = {1, 10, 1e3, 1e6};
    for (size_t t = 0; t < sizeof sizes / sizeof *sizes; t++)
        for (size_t e = 0; e < N_EXPONENTS; e++)
            for (size_t c = 0; c < 4; c++)
                if (DTYPE == NG_F64 || conds[c] < 1e5) /* in float 1e6 is nearly singular */
                    check_power(sizes[t], exponents[e], conds[c], DTYPE);
}
END_TEST

/* A float matrix of condition 1e6 that holds its numbers exactly: the work is
 * done in double, so nothing is lost before the result is rounded. */
START_TEST(double_inside)
{
    for (size_t e = 0; e < N_EXPONENTS; e++) {
        ng_mat a = test_mat(2, 2, PAD, NG_F32), b = test_mat(2, 2, PAD, NG_F32);
        ng_mat ref = test_mat(2, 2, 0, NG_F64);
        double x = 0x1p20 + 1, y = 0x1p20 - 1, p = exponents[e]; /* eigenvalues 2^21 and 2 */
        double hi = pow(0x1p21, p), lo = pow(2, p);
        ng_mat_set(a, 0, 0, x), ng_mat_set(a, 1, 0, y), ng_mat_set(a, 1, 1, x);
        ng_mat_set(ref, 0, 0, (hi + lo) / 2), ng_mat_set(ref, 1, 1, (hi + lo) / 2);
        ng_mat_set(ref, 0, 1, (hi - lo) / 2), ng_mat_set(ref, 1, 0, (hi - lo) / 2);
        ng_assert_ok(ng_spd_power(b, a, p, 0, NULL, NULL), NULL);
        ng_assert_mat(b, ref, ng_dtype_eps(NG_F32));
        test_free(a), test_free(b), test_free(ref);
    }
}
END_TEST

/* Eigenvalues below floor * largest are raised to it, negative ones too. */
START_TEST(floor_raises)
{
    for (size_t e = 0; e < N_EXPONENTS; e++) {
        double w[] = {-0.25, 0, 1e-5, 0.5, 2}, raised[] = {0.02, 0.02, 0.02, 0.5, 2};
        ng_mat q = test_orthogonal(5, &rng), exact = from_spectrum(q, w);
        ng_mat ref = powered(q, raised, exponents[e]);
        ng_mat a = padded(exact, DTYPE), b = test_mat(5, 5, PAD, DTYPE);
        ng_assert_ok(ng_spd_power(b, a, exponents[e], 0.01, NULL, NULL), NULL);
        ng_assert_mat(b, ref, 64 * ng_dtype_eps(DTYPE));
        test_free(q), test_free(exact), test_free(ref), test_free(a), test_free(b);
    }
}
END_TEST

/* Without a floor: positive powers take negative eigenvalues for zero. */
START_TEST(positive_power_of_indefinite)
{
    double w[] = {-1, -0.5, 0, 1, 4}, clipped[] = {0, 0, 0, 1, 4};
    static const double positive[] = {0.25, 0.5, 1, 2};
    for (size_t e = 0; e < 4; e++) {
        ng_mat q = test_orthogonal(5, &rng), exact = from_spectrum(q, w);
        ng_mat ref = powered(q, clipped, positive[e]);
        ng_mat a = padded(exact, NG_F64), b = test_mat(5, 5, PAD, NG_F64);
        ng_assert_ok(ng_spd_power(b, a, positive[e], 0, NULL, NULL), NULL);
        /* the zero comes back as +-eps, whose fourth root is 1e-4 */
        double zero = positive[e] < 1 ? pow(DBL_EPSILON, positive[e]) : 0;
        ng_assert_mat(b, ref, 4 * zero + 16 * DBL_EPSILON);
        test_free(q), test_free(exact), test_free(ref), test_free(a), test_free(b);
    }
}
END_TEST

START_TEST(negative_power_of_singular)
{
    static const double diagonals[][3] = {
        {1, 0, 2}, {0, 0, 0}, {-1, 1, 1}, {-1, -2, -3}, {1, 1, 4e-16}};
    for (size_t k = 0; k < 5; k++) {
        ng_mat a = test_mat(3, 3, PAD, DTYPE), b = test_mat(3, 3, PAD, DTYPE);
        ng_error error = {NG_OK, ""};
        for (size_t i = 0; i < 3; i++)
            ng_mat_set(a, i, i, diagonals[k][i]);
        ng_mat a0 = test_copy(a);
        ng_assert_fails(ng_spd_power(b, a, -0.5, 0, NULL, &error), NG_ESINGULAR, &error,
                        "singular");
        ck_assert_int_eq(ng_spd_power(b, a, -1, 0, NULL, NULL), NG_ESINGULAR);
        ck_assert(test_same_bits(a, a0));
        test_free(a), test_free(a0), test_free(b);
    }
}
END_TEST

/* 4e-16 above is below the bound 3 eps = 6.7e-16; this is above */
START_TEST(barely_regular)
{
    ng_mat a = test_mat(3, 3, PAD, DTYPE), b = test_mat(3, 3, PAD, DTYPE);
    for (size_t i = 0; i < 3; i++)
        ng_mat_set(a, i, i, i == 2 ? 0x1p-50 : 1);
    ng_assert_ok(ng_spd_power(b, a, -0.5, 0, NULL, NULL), NULL);
    ng_assert_rel(ng_mat_get(b, 2, 2), 0x1p25, 1e-7);
    ng_assert_rel(ng_mat_get(b, 0, 0), 1, 1e-7);
    test_free(a), test_free(b);
}
END_TEST

START_TEST(zero_matrix)
{
    ng_mat a = test_mat(4, 4, PAD, DTYPE), b = random_mat(4, 4, DTYPE, &rng);
    ng_assert_ok(ng_spd_power(b, a, 0.5, 0, NULL, NULL), NULL);
    ck_assert(test_norm(b) == 0);
    ck_assert_int_eq(ng_spd_power(b, a, -0.5, 0.1, NULL, NULL), NG_ESINGULAR);
    test_free(a), test_free(b);
}
END_TEST

START_TEST(parameters_out_of_range)
{
    ng_mat a = test_mat(3, 3, PAD, DTYPE), b = test_mat(3, 3, PAD, DTYPE);
    static const double bad_floor[] = {-1e-9, 1, 2, NAN, INFINITY};
    static const double bad_exponent[] = {NAN, INFINITY, -INFINITY};
    ng_error error = {NG_OK, ""};
    ng_set_identity(a);
    for (size_t i = 0; i < 5; i++)
        ng_assert_fails(ng_spd_power(b, a, 1, bad_floor[i], NULL, &error), NG_EARG, &error,
                        "floor");
    for (size_t i = 0; i < 3; i++)
        ng_assert_fails(ng_spd_power(b, a, bad_exponent[i], 0, NULL, &error), NG_EARG, &error,
                        "exponent");
    test_free(a), test_free(b);
}
END_TEST

TEST_SUITE(power)
{
    TCase *tc = tcase_create("powers");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, powers, 0, 2);
    tcase_add_test(tc, double_inside);
    tcase_add_loop_test(tc, floor_raises, 0, 2);
    tcase_add_test(tc, positive_power_of_indefinite);
    tcase_add_loop_test(tc, negative_power_of_singular, 0, 2);
    tcase_add_loop_test(tc, barely_regular, 0, 2);
    tcase_add_loop_test(tc, zero_matrix, 0, 2);
    tcase_add_loop_test(tc, parameters_out_of_range, 0, 2);
    suite_add_tcase(suite, tc);
}
