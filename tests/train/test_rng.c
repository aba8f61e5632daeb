/* The generator of the lab against published outputs of the Mersenne twister,
 * moments, and shuffles enumerated by hand. */
#include <natgrad/train/rng.h>

#include <gsl/gsl_rng.h>

#include "tests/support/support.h"

static ng_error err;

static ng_random create(unsigned long seed)
{
    ng_random random;
    ng_assert_ok(ng_rng_create(&random, seed, &err), &err);
    return random;
}

/* numpy.random.RandomState(42).random_sample(4), as every tutorial prints it */
START_TEST(uniform_is_res53)
{
    static const double expected[] = {0.3745401188473625, 0.9507143064099162, 0.7319939418114051,
                                      0.5986584841970366};
    double u[4];
    ng_random random = create(42);
    random.fill_uniform(random.data, u, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq(u[i], expected[i]);
    ng_rng_destroy(&random);
}
END_TEST

/* ISO C++ [rand.predef]: the 10000th output for seed 5489 is 4123659995; it is
 * the low part (32 - 6 bits) of our 5000th number. */
START_TEST(ten_thousandth_output)
{
    static double u[5000];
    ng_random random = create(5489);
    random.fill_uniform(random.data, u, 5000);
    unsigned long long bits = (unsigned long long)(u[4999] * 0x1p53);
    ck_assert_uint_eq(bits & ((1u << 26) - 1), 4123659995u >> 6);
    ng_rng_destroy(&random);
}
END_TEST

/* Moments of N(0, 1), each within five of its standard errors. */
START_TEST(normal_moments)
{
    enum { N = 400000 };
    static const double expected[] = {0, 1, 0, 3, 0, 15};
    static const double variance[] = {1, 2, 15, 96, 945, 10170}; /* of x^k */
    double *x = malloc(N * sizeof *x), sum[6] = {0};
    ck_assert_ptr_nonnull(x);
    ng_random random = create(3);
    random.fill_normal(random.data, x, N);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 6; k++)
            sum[k] += pow(x[i], k + 1);
    for (int k = 0; k < 6; k++)
        ng_assert_le(fabs(sum[k] / N - expected[k]), 5 * sqrt(variance[k] / N));
    free(x);
    ng_rng_destroy(&random);
}
END_TEST

START_TEST(seeds_decide)
{
    double a[50], b[50], c[50];
    ng_random x = create(7), copy;
    gsl_rng_default = gsl_rng_taus; /* as gsl_rng_env_setup of a host may do */
    ng_random y = create(7), z = create(8);
    x.fill_normal(x.data, a, 50);
    copy = y;
    y.fill_normal(y.data, b, 20);
    copy.fill_normal(copy.data, b + 20, 30); /* one state */
    z.fill_normal(z.data, c, 50);
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_mem_ne(a, c, sizeof a);
    ng_rng_destroy(&x);
    ng_rng_destroy(&y);
    ng_rng_destroy(&z);
    ck_assert_ptr_null(x.data);
    ng_rng_destroy(&x);
    ng_rng_destroy(NULL);
}
END_TEST

START_TEST(seed_range)
{
    ng_random random = create(0xffffffffUL);
    ng_rng_destroy(&random);
    if (sizeof(unsigned long) > 4) {
        ng_assert_fails(ng_rng_create(&random, 0xffffffffUL + 1, &err), NG_EARG, &err,
                        "4294967296");
        ck_assert_ptr_null(random.data);
    }
    ng_assert_fails(ng_rng_create(NULL, 1, &err), NG_EARG, &err, "random");
}
END_TEST

START_TEST(state_comes_back)
{
    double before[100], after[100];
    ng_random random = create(11), other = create(12);
    random.fill_normal(random.data, before, 77);
    size_t size = random.save(random.data, NULL, 0);
    unsigned char *state = malloc(size);
    ck_assert_ptr_nonnull(state);
    memset(state, 0xee, size);
    ck_assert_uint_eq(random.save(random.data, state, size - 1), size);
    ck_assert_uint_eq(state[0], 0xee); /* too small: untouched */
    ck_assert_uint_eq(random.save(random.data, state, size), size);
    random.fill_normal(random.data, before, 100);
    ck_assert_int_eq(other.load(other.data, state, size), 0);
    other.fill_normal(other.data, after, 100);
    ck_assert_mem_eq(before, after, sizeof before);
    free(state);
    ng_rng_destroy(&random);
    ng_rng_destroy(&other);
}
END_TEST

START_TEST(damaged_state_is_refused)
{
    double before[20], after[20];
    ng_random random = create(11), twin = create(11);
    size_t size = random.save(random.data, NULL, 0);
    unsigned char *state = malloc(size);
    ck_assert_ptr_nonnull(state);
    random.fill_uniform(random.data, before, 9);
    random.save(random.data, state, size);
    ck_assert_int_ne(twin.load(twin.data, state, size - 1), 0);
    ck_assert_int_ne(twin.load(twin.data, NULL, size), 0);
    for (size_t i = 0; i < size; i += 7) {
        state[i] ^= 0x10;
        ck_assert_msg(twin.load(twin.data, state, size) != 0, "byte %zu", i);
        state[i] ^= 0x10;
    }
    twin.fill_uniform(twin.data, after, 9); /* still at its start */
    ck_assert_mem_eq(before, after, 9 * sizeof *before);
    free(state);
    ng_rng_destroy(&random);
    ng_rng_destroy(&twin);
}
END_TEST

static void fill_constant(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = *(double *)data;
}

/* Fisher and Yates from the end: with u = 0 always the first is chosen, with u
 * just below 1 always the last, which changes nothing. */
START_TEST(shuffle_by_hand)
{
    size_t index[] = {10, 11, 12, 13, 99}, one = 5;
    double u = 0;
    ng_random random = {.fill_uniform = fill_constant, .data = &u};
    ng_rng_shuffle(&random, index, 4);
    ck_assert(index[0] == 11 && index[1] == 12 && index[2] == 13 && index[3] == 10);
    static const double last[] = {1 - 0x1p-53, 1}; /* 1 breaks the contract, but no memory */
    for (int i = 0; i < 2; i++) {
        u = last[i];
        ng_rng_shuffle(&random, index, 4);
        ck_assert(index[0] == 11 && index[1] == 12 && index[2] == 13 && index[3] == 10);
        ck_assert_uint_eq(index[4], 99);
    }
    ng_rng_shuffle(&random, &one, 1);
    ng_rng_shuffle(&random, NULL, 0);
    ck_assert_uint_eq(one, 5);
}
END_TEST

/* All 24 orders of four: chi squared, 23 degrees of freedom; 60 has a
 * probability of 4e-5, and the seed is fixed. */
START_TEST(shuffle_is_fair)
{
    enum { N = 24000 };
    int seen[256] = {0}, orders = 0;
    double chi = 0;
    ng_random random = create(5);
    for (int i = 0; i < N; i++) {
        size_t index[] = {0, 1, 2, 3};
        ng_rng_shuffle(&random, index, 4);
        seen[index[0] << 6 | index[1] << 4 | index[2] << 2 | index[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (seen[i] > 0) {
            orders++;
            chi += (seen[i] - N / 24.0) * (seen[i] - N / 24.0) / (N / 24.0);
        }
    ck_assert_int_eq(orders, 24);
    ng_assert_le(chi, 60);
    ng_rng_destroy(&random);
}
END_TEST

/* Longer than one block of draws: still a permutation, and well mixed. */
START_TEST(shuffle_long)
{
    enum { N = 1000 };
    size_t index[N];
    char seen[N] = {0};
    double drift = 0;
    ng_random random = create(6);
    for (size_t i = 0; i < N; i++)
        index[i] = i;
    ng_rng_shuffle(&random, index, N);
    for (size_t i = 0; i < N; i++) {
        ck_assert(index[i] < N && !seen[index[i]]);
        seen[index[i]] = 1;
        drift += fabs((double)index[i] - (double)i) / N;
    }
    ng_assert_rel(drift, N / 3.0, 0.1); /* E|i - j| = N/3 */
    ng_rng_destroy(&random);
}
END_TEST

TEST_SUITE(rng)
{
    TCase *tc = tcase_create("rng");
    tcase_add_test(tc, uniform_is_res53);
    tcase_add_test(tc, ten_thousandth_output);
    tcase_add_test(tc, normal_moments);
    tcase_add_test(tc, seeds_decide);
    tcase_add_test(tc, seed_range);
    tcase_add_test(tc, state_comes_back);
    tcase_add_test(tc, damaged_state_is_refused);
    tcase_add_test(tc, shuffle_by_hand);
    tcase_add_test(tc, shuffle_is_fair);
    tcase_add_test(tc, shuffle_long);
    suite_add_tcase(suite, tc);
}
