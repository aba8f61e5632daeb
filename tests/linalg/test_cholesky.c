/* Cholesky, with and without the retry. */
#include "tests/linalg/common.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 4;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

/* A well conditioned lower factor with a positive diagonal. */
static ng_mat known_factor(size_t n)
{
    ng_mat l = test_mat(n, n, 0, NG_F64);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            ng_mat_set(l, i, j, i == j ? 1 + test_uniform(&rng) : test_normal(&rng) / (double)n);
    return l;
}

/* l l^T in dtype, NaN above the diagonal */
static ng_mat half_gram(ng_mat l, ng_dtype dtype)
{
    ng_mat a = test_mat(l.rows, l.rows, PAD, dtype);
    test_matmul(a, l, 0, l, 1);
    set_upper(a, NAN);
    return a;
}

/* l l^T = a + jitter I to rounding, read from the lower triangle of a */
static void assert_factors(ng_mat l, ng_mat a, double jitter)
{
    ng_mat product = test_mat(l.rows, l.rows, 0, NG_F64), ref = test_mat(l.rows, l.rows, 0, NG_F64);
    test_matmul(product, l, 0, l, 1);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j <= i; j++)
            ng_mat_set(ref, i, j, ng_mat_get(a, i, j) + (i == j ? jitter : 0));
    symmetrise(ref);
    ck_assert(upper_is(l, 0));
    ng_assert_mat(product, ref, 4 * ng_dtype_eps(l.dtype));
    test_free(product), test_free(ref);
}

/* The factor is unique, so it can be compared with the one a was made from. */
START_TEST(known)
{
    for (size_t k = 0; k < N_SIZES; k++) {
        size_t n = test_sizes[k];
        ng_mat ref = known_factor(n), a = half_gram(ref, DTYPE), a0 = test_copy(a);
        for (int with_jitter = 0; with_jitter < 2; with_jitter++) {
            double jitter = -1;
            ng_mat l = random_mat(n, n, DTYPE, &rng);
            ng_error error = {NG_OK, ""};
            ng_assert_ok(ng_cholesky(l, with_jitter ? &jitter : NULL, a, &error), &error);
            ng_assert_mat(l, ref, 8 * ng_dtype_eps(DTYPE));
            assert_factors(l, a, 0);
            ck_assert(!with_jitter || jitter == 0);
            ck_assert(test_same_bits(a, a0));
            test_free(l);
        }
        test_free(ref), test_free(a), test_free(a0);
    }
}
END_TEST

START_TEST(in_place)
{
    for (size_t k = 0; k < N_SIZES; k++) {
        ng_mat ref = known_factor(test_sizes[k]), a = half_gram(ref, DTYPE);
        ng_assert_ok(ng_cholesky(a, NULL, a, NULL), NULL);
        ck_assert(upper_is(a, 0));
        ng_assert_mat(a, ref, 8 * ng_dtype_eps(DTYPE));
        test_free(ref), test_free(a);
    }
}
END_TEST

/* a scale alone is no reason for a jitter */
START_TEST(scales)
{
    static const double factors[] = {1e-30, 4, 1e30};
    for (size_t s = 0; s < 3; s++) {
        double jitter = -1;
        ng_mat ref = known_factor(13), a = half_gram(ref, NG_F64);
        for (size_t i = 0; i < 13; i++)
            for (size_t j = 0; j <= i; j++) {
                ng_mat_set(a, i, j, factors[s] * ng_mat_get(a, i, j));
                ng_mat_set(ref, i, j, sqrt(factors[s]) * ng_mat_get(ref, i, j));
            }
        ng_mat typed = padded(a, DTYPE), l = test_mat(13, 13, PAD, DTYPE);
        ng_assert_ok(ng_cholesky(l, &jitter, typed, NULL), NULL);
        ck_assert(jitter == 0);
        ng_assert_mat(l, ref, 8 * ng_dtype_eps(DTYPE));
        test_free(ref), test_free(a), test_free(typed), test_free(l);
    }
}
END_TEST

/* ---- The retry -------------------------------------------------------------- */

/* diag(1, ..., 1, last); NaN above */
static ng_mat diagonal_with(double last, size_t n, ng_dtype dtype)
{
    ng_mat a = test_mat(n, n, PAD, dtype);
    for (size_t i = 0; i < n; i++)
        ng_mat_set(a, i, i, i + 1 < n ? 1 : last);
    set_upper(a, NAN);
    return a;
}

/* An eigenvalue of -3 * 10^k units (one unit: eps tr/n) is repaired by the
 * jitter 10^(k+1) units: the first of 1, 10, 100, ... that is large enough. */
START_TEST(jitter_is_the_first_that_helps)
{
    enum { N = 4 };
    for (int k = -1; k <= 4; k++) {
        double unit = ng_dtype_eps(DTYPE) * (N - 1) / N, jitter = -1;
        ng_mat a = diagonal_with(k < 0 ? -0.5 * unit : -3 * unit * pow(10, k), N, DTYPE);
        ng_mat a0 = test_copy(a), l = random_mat(N, N, DTYPE, &rng);
        double expected = ng_dtype_eps(DTYPE) * (N - 1 + ng_mat_get(a, N - 1, N - 1)) / N;
        expected *= pow(10, k + 1);
        ng_error error = {NG_OK, ""};
        ck_assert_int_eq(ng_cholesky(l, NULL, a, NULL), NG_ESINGULAR);
        ng_assert_ok(ng_cholesky(l, &jitter, a, &error), &error);
        ng_assert_rel(jitter, expected, 16 * DBL_EPSILON);
        assert_factors(l, a, jitter);
        ck_assert(test_same_bits(a, a0));
        test_free(a), test_free(a0), test_free(l);
    }
}
END_TEST

/* rank one, exactly: all ones */
START_TEST(jitter_on_rank_one)
{
    ng_mat a = test_mat(5, 5, PAD, DTYPE), l = test_mat(5, 5, PAD, DTYPE);
    double jitter = -1;
    ng_error error = {NG_OK, ""};
    ng_fill(a, 1);
    ng_assert_fails(ng_cholesky(l, NULL, a, &error), NG_ESINGULAR, &error, "positive definite");
    ng_assert_ok(ng_cholesky(l, &jitter, a, &error), &error);
    ck_assert(jitter > 0 && jitter <= 101 * ng_dtype_eps(DTYPE));
    assert_factors(l, a, jitter);
    test_free(a), test_free(l);
}
END_TEST

START_TEST(beyond_repair)
{
    ng_mat l = test_mat(2, 2, PAD, DTYPE), a = test_mat(2, 2, PAD, DTYPE);
    double cases[][3] = {{1, 2, 1}, {1, 0, -1}, {-1, 0, -1}, {0, 0, 0}, {1, 0, -1e-2}, {0, 1, 1}};
    /* 3e6 units need more than the last jitter */
    cases[4][2] = -3e6 * ng_dtype_eps(DTYPE);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double jitter;
        ng_error error = {NG_OK, ""};
        ng_mat_set(a, 0, 0, cases[k][0]);
        ng_mat_set(a, 1, 0, cases[k][1]);
        ng_mat_set(a, 1, 1, cases[k][2]);
        ng_mat a0 = test_copy(a);
        ng_assert_fails(ng_cholesky(l, NULL, a, &error), NG_ESINGULAR, &error, "positive definite");
        ng_assert_fails(ng_cholesky(l, &jitter, a, &error), NG_ESINGULAR, &error,
                        "positive definite");
        ck_assert_int_eq(ng_cholesky(l, &jitter, a, NULL), NG_ESINGULAR);
        ck_assert(test_same_bits(a, a0));
        test_free(a0);
    }
    test_free(l), test_free(a);
}
END_TEST

START_TEST(one_by_one)
{
    double jitter = -1;
    ng_mat a = test_mat(1, 1, PAD, DTYPE), l = test_mat(1, 1, PAD, DTYPE);
    ng_mat_set(a, 0, 0, 9);
    ng_assert_ok(ng_cholesky(l, &jitter, a, NULL), NULL);
    ng_assert_rel(ng_mat_get(l, 0, 0), 3, ng_dtype_eps(DTYPE));
    ck_assert(jitter == 0);
    ng_mat_set(a, 0, 0, -9);
    ck_assert_int_eq(ng_cholesky(l, &jitter, a, NULL), NG_ESINGULAR);
    test_free(a), test_free(l);
}
END_TEST

/* Indefinite, finite, and overflowing on the way: inf * 0 is a NaN pivot,
 * which some LAPACKs let pass. It must not come back as a factor. */
START_TEST(nan_pivot_is_singular)
{
    double tiny = DTYPE == NG_F32 ? 1e-38 : 1e-300, huge = DTYPE == NG_F32 ? 1e30 : 1e300;
    for (size_t n = 3; n <= 70; n += 67) {
        ng_mat a = diagonal_with(1, n, DTYPE), l = test_mat(n, n, PAD, DTYPE);
        double jitter;
        ng_mat_set(a, 0, 0, tiny);
        ng_mat_set(a, n - 1, 0, huge);
        ck_assert_int_eq(ng_cholesky(l, NULL, a, NULL), NG_ESINGULAR);
        ck_assert_int_eq(ng_cholesky(l, &jitter, a, NULL), NG_ESINGULAR);
        test_free(a), test_free(l);
    }
}
END_TEST

TEST_SUITE(cholesky)
{
    TCase *tc = tcase_create("cholesky");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_add_loop_test(tc, known, 0, 2);
    tcase_add_loop_test(tc, in_place, 0, 2);
    tcase_add_loop_test(tc, scales, 0, 2);
    tcase_add_loop_test(tc, jitter_is_the_first_that_helps, 0, 2);
    tcase_add_loop_test(tc, jitter_on_rank_one, 0, 2);
    tcase_add_loop_test(tc, beyond_repair, 0, 2);
    tcase_add_loop_test(tc, one_by_one, 0, 2);
    tcase_add_loop_test(tc, nan_pivot_is_singular, 0, 2);
    suite_add_tcase(suite, tc);
}
