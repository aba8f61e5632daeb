/* Normal numbers by counting: the formula of normal.h by another Philox and the C library, the law,
 * and that neither the pieces nor the machine's vectors change a bit. */
#include "lib/linalg/normal.h"
#include "tests/linalg/common.h"

#include <math.h>
#include <string.h>

/* ---- The formula ------------------------------------------------------------------------------
 */

static void other_philox(uint32_t x[4], uint64_t block, uint64_t key)
{
    uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    const uint32_t start[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
    memcpy(x, start, sizeof start);
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)x[0] * 0xD2511F53, q = (uint64_t)x[2] * 0xCD9E8D57;
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ x[1] ^ k[0], (uint32_t)q,
                            (uint32_t)(p >> 32) ^ x[3] ^ k[1], (uint32_t)p};
        memcpy(x, next, sizeof next);
        k[0] += 0x9E3779B9;
        k[1] += 0xBB67AE85;
    }
}

/* number e of the sequence; log near 1 by log1p, as 1 - u is exact */
static double formula(uint64_t e, uint64_t key)
{
    uint32_t x[4];
    other_philox(x, e / 4, key);
    const uint32_t *pair = x + e % 4 / 2 * 2;
    double u = (pair[0] + 0.5) * 0x1p-32, v = (pair[1] + 0.5) * 0x1p-32;
    double r = sqrt(-2 * (u < 0.5 ? log(u) : log1p(u - 1))), turn = 8 * atan(1);
    return r * (e % 2 == 0 ? cos(turn * v) : sin(turn * v));
}

/* Random123's known answer for counter and key of zeros: 6627e8d5 e169c58d bc57ac4c 9b00dbd8 */
START_TEST(known_answer)
{
    uint32_t x[4];
    other_philox(x, 0, 0);
    ck_assert(x[0] == 0x6627e8d5 && x[1] == 0xe169c58d && x[2] == 0xbc57ac4c && x[3] == 0x9b00dbd8);
}
END_TEST

/* _i: dtype. Keys and places beyond 32 bits, small radii, far tails among 40,000 */
START_TEST(the_formula)
{
    enum { N = 10000 };
    static const uint64_t keys[] = {0, 1, 0xfedcba9876543210U, ~(uint64_t)0};
    static const uint64_t firsts[] = {0, 3, ((uint64_t)1 << 34) - 5000, 12345678901234567U};
    const double tolerance = _i ? 5e-15 : 1.2e-6;
    ng_mat x = test_mat(1, N, 0, (ng_dtype)_i);
    for (size_t k = 0; k < 4; k++) {
        ngi_normal_fill(x.data, N, keys[k], firsts[k], x.dtype);
        for (size_t i = 0; i < N; i++) {
            double known = formula(firsts[k] + i, keys[k]);
            ck_assert_double_le(fabs(ng_mat_get(x, 0, i) - known), tolerance);
        }
    }
    test_free(x);
}
END_TEST

/* However the sequence is cut. */
START_TEST(pieces)
{
    enum { N = 1100 };
    static const size_t lengths[] = {1, 2, 3, 5, 37, 256, 257, 1099};
    ng_mat whole = test_mat(1, N, 0, (ng_dtype)_i), cut = test_mat(1, N, 0, (ng_dtype)_i);
    const size_t size = ng_dtype_size(whole.dtype);
    ngi_normal_fill(whole.data, N, 9, 2, whole.dtype);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        memset(cut.data, 0, N * size);
        for (size_t i = 0; i < N; i += lengths[k])
            ngi_normal_fill((char *)cut.data + i * size, lengths[k] < N - i ? lengths[k] : N - i, 9,
                            2 + i, cut.dtype);
        ck_assert(memcmp(whole.data, cut.data, N * size) == 0);
    }
    test_free(whole);
    test_free(cut);
}
END_TEST

/* ---- The law ----------------------------------------------------------------------------------
 */

enum { DRAWS = 1 << 20, STEP = 4096 };

static double cdf(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

/* Moments 1 to 6 within five standard errors, with the variances of x^k of a normal x. */
START_TEST(moments)
{
    static const double mean[] = {0, 1, 0, 3, 0, 15}, variance[] = {1, 2, 15, 96, 945, 10170};
    double sum[6] = {0}, top = 0;
    ng_mat x = test_mat(1, STEP, 0, (ng_dtype)_i);
    for (size_t at = 0; at < DRAWS; at += STEP) {
        ngi_normal_fill(x.data, STEP, 42, at, x.dtype);
        for (size_t i = 0; i < STEP; i++) {
            double value = ng_mat_get(x, 0, i), power = value;
            top = fmax(top, fabs(value));
            for (int k = 0; k < 6; k++, power *= value)
                sum[k] += power;
        }
    }
    for (int k = 0; k < 6; k++)
        ck_assert_msg(fabs(sum[k] / DRAWS - mean[k]) <= 5 * sqrt(variance[k] / DRAWS),
                      "moment %d is %g", k + 1, sum[k] / DRAWS);
    /* P(largest of 2^20 < 4.3) = 2e-8, P(> 6.3) = 3e-4 */
    ck_assert_double_ge(top, 4.3);
    ck_assert_double_le(top, 6.3);
    test_free(x);
}
END_TEST

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: sqrt(n) D > 2.2 has probability 2 exp(-2 2.2^2) = 1e-4. */
START_TEST(distance_from_the_cdf)
{
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x), most = 0;
    ng_mat some = test_mat(1, N, 0, (ng_dtype)_i);
    ngi_normal_fill(some.data, N, 5, 0, some.dtype);
    for (size_t i = 0; i < N; i++)
        x[i] = ng_mat_get(some, 0, i);
    qsort(x, N, sizeof *x, ascending);
    for (size_t i = 0; i < N; i++)
        most = fmax(most, fmax((double)(i + 1) / N - cdf(x[i]), cdf(x[i]) - (double)i / N));
    ck_assert_double_le(most * sqrt(N), 2.2);
    free(x);
    test_free(some);
}
END_TEST

/* Counts in the tails against the law, within five deviations, of 2^20 numbers. */
START_TEST(tails)
{
    static const double ends[] = {2, 3, 4, 4.5};
    size_t count[4] = {0};
    ng_mat x = test_mat(1, STEP, 0, (ng_dtype)_i);
    for (size_t at = 0; at < DRAWS; at += STEP) {
        ngi_normal_fill(x.data, STEP, 77, at, x.dtype);
        for (size_t i = 0; i < STEP; i++)
            for (int k = 0; k < 4; k++)
                count[k] += fabs(ng_mat_get(x, 0, i)) > ends[k];
    }
    for (int k = 0; k < 4; k++) {
        double known = DRAWS * 2 * cdf(-ends[k]);
        ck_assert_msg(fabs((double)count[k] - known) <= 5 * sqrt(known), "%zu beyond %g, not %g",
                      count[k], ends[k], known);
    }
    test_free(x);
}
END_TEST

/* Of numbers, and of their squares, at lags within a sequence and of sequences whose keys are
 * neighbours (in either word): within five standard errors. */
START_TEST(correlations)
{
    enum { N = 100000 };
    static const size_t lags[] = {1, 2, 3, 4, 5, 8, 16, 63, 64, 255, 256, 257, 1024, 0, 0, 0, 4, 4};
    static const uint64_t keys[] = {9,  9,
                                    9,  9,
                                    9,  9,
                                    9,  9,
                                    9,  9,
                                    9,  9,
                                    9,  8,
                                    10, ((uint64_t)1 << 32) + 9,
                                    8,  ((uint64_t)1 << 32) + 9};
    ng_mat a = test_mat(1, N, 0, NG_F64), b = test_mat(1, N, 0, NG_F64);
    ngi_normal_fill(a.data, N, 9, 0, NG_F64);
    for (size_t k = 0; k < sizeof lags / sizeof *lags; k++) {
        double plain = 0, squares = 0;
        ngi_normal_fill(b.data, N, keys[k], lags[k], NG_F64);
        for (size_t i = 0; i < N; i++) {
            double x = ng_mat_get(a, 0, i), y = ng_mat_get(b, 0, i);
            plain += x * y;
            squares += (x * x - 1) * (y * y - 1) / 2;
        }
        ck_assert_msg(fabs(plain) <= 5 * sqrt(N) && fabs(squares) <= 5 * sqrt(N),
                      "lag %zu, key %llx: %g and %g deviations", lags[k],
                      (unsigned long long)keys[k], plain / sqrt(N), squares / sqrt(N));
    }
    test_free(a);
    test_free(b);
}
END_TEST

TEST_SUITE(normal)
{
    TCase *c = tcase_create("normal");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, known_answer);
    tcase_add_loop_test(c, the_formula, 0, 2);
    tcase_add_loop_test(c, pieces, 0, 2);
    tcase_add_loop_test(c, moments, 0, 2);
    tcase_add_loop_test(c, distance_from_the_cdf, 0, 2);
    tcase_add_loop_test(c, tails, 0, 2);
    tcase_add_test(c, correlations);
    suite_add_tcase(suite, c);
}
