/* Integers and shuffles of any generator: by hand from a script of uniform numbers, and statistics
 * of the library's own generator whose sampling error is known, with several seeds. */
#include <natgrad/train/rng.h>

#include <stdint.h>

#include "tests/support/support.h"

enum { SEEDS = 6 };

static ng_error err;

static ng_random create(uint64_t seed)
{
    ng_random random;
    ng_assert_ok(ng_rng_create(&random, seed, &err), &err);
    return random;
}

typedef struct {
    const double *values; /* the last one for ever */
    size_t count, next;
} script;

static void fill_script(void *data, double *out, size_t n)
{
    script *s = data;
    for (size_t i = 0; i < n; i++) {
        out[i] = s->values[s->next];
        s->next += s->next + 1 < s->count;
    }
}

/* 2^53 = 3 * 3002399751580330 + 2: the last two values are drawn again. */
START_TEST(integers_by_hand)
{
    const double each = 3002399751580330, unit = 0x1p-53;
    const double values[] = {0,
                             (each - 1) * unit,
                             each * unit,
                             (2 * each - 1) * unit,
                             2 * each * unit,
                             (3 * each - 1) * unit,
                             3 * each * unit, /* refused */
                             (3 * each + 1) * unit,
                             0.4};
    script s = {values, sizeof values / sizeof *values, 0};
    ng_random random = {.fill_uniform = fill_script, .data = &s};
    size_t out[8] = {9, 9, 9, 9, 9, 9, 9, 9}, whole = (size_t)1 << 53;
    ng_assert_ok(ng_rng_integers(&random, out, 7, 3, &err), &err);
    const size_t expected[8] = {0, 0, 1, 1, 2, 2, 1, 9};
    ck_assert_mem_eq(out, expected, sizeof out);
    ng_assert_ok(ng_rng_integers(&random, out, 1, 1, &err), &err);
    ck_assert_uint_eq(out[0], 0);
    ng_assert_ok(ng_rng_integers(&random, out, 1, whole, &err), &err);
    ck_assert_uint_eq(out[0], (size_t)(0.4 * 0x1p53));
    ng_assert_fails(ng_rng_integers(&random, out, 1, 0, &err), NG_EARG, &err, "below: 0");
    ng_assert_fails(ng_rng_integers(&random, out, 1, whole + 1, &err), NG_EARG, &err, "below");
    ng_assert_fails(ng_rng_integers(NULL, out, 1, 2, &err), NG_EARG, &err, "fill_uniform");
    random.fill_uniform = NULL;
    ng_assert_fails(ng_rng_integers(&random, out, 1, 2, &err), NG_EARG, &err, "fill_uniform");
}
END_TEST

/* Fisher and Yates from the end: with u = 0 always the first is chosen, with
 * the last value always the last, which changes nothing; nor do values that a
 * generator must not give. */
START_TEST(shuffle_by_hand)
{
    size_t index[] = {10, 11, 12, 13, 99}, one = 5;
    double u = 0;
    script s = {&u, 1, 0};
    ng_random random = {.fill_uniform = fill_script, .data = &s};
    ng_rng_shuffle(&random, index, 4);
    ck_assert(index[0] == 11 && index[1] == 12 && index[2] == 13 && index[3] == 10);
    static const double last[] = {1 - 0x1p-53, 1, -1, 1e300};
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        u = last[i];
        ng_rng_shuffle(&random, index, 4);
        ck_assert(index[0] == 11 && index[1] == 12 && index[2] == 13 && index[3] == 10);
        ck_assert_uint_eq(index[4], 99);
    }
    u = NAN;
    ng_rng_shuffle(&random, index, 4);
    ck_assert(index[0] == 11 && index[1] == 12 && index[2] == 13 && index[3] == 10);
    ng_rng_shuffle(&random, &one, 1);
    ng_rng_shuffle(&random, NULL, 0);
    ck_assert_uint_eq(one, 5);
}
END_TEST

/* All 24 orders of four: chi squared, 23 degrees of freedom; 70 has a
 * probability of 1e-6. */
START_TEST(shuffle_is_fair)
{
    enum { N = 24000 };
    int seen[256] = {0}, orders = 0;
    double chi = 0;
    ng_random random = create((uint64_t)_i);
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
    ng_assert_le(chi, 70);
    ng_rng_destroy(&random);
}
END_TEST

/* A permutation, and well mixed: |i - j| of two independent places has mean N/3
 * and variance N^2/18, and its mean over the places a smaller error than theirs. */
START_TEST(shuffle_long)
{
    enum { N = 1000 };
    size_t index[N];
    char seen[N] = {0};
    double drift = 0;
    ng_random random = create((uint64_t)_i);
    for (size_t i = 0; i < N; i++)
        index[i] = i;
    ng_rng_shuffle(&random, index, N);
    for (size_t i = 0; i < N; i++) {
        ck_assert(index[i] < N && !seen[index[i]]);
        seen[index[i]] = 1;
        drift += fabs((double)index[i] - (double)i) / N;
    }
    ng_assert_le(fabs(drift - N / 3.0), 5 * N / sqrt(18.0 * N));
    ng_rng_destroy(&random);
}
END_TEST

TEST_SUITE(shuffle)
{
    TCase *tc = tcase_create("shuffle");
    tcase_add_test(tc, integers_by_hand);
    tcase_add_test(tc, shuffle_by_hand);
    tcase_add_loop_test(tc, shuffle_is_fair, 0, SEEDS);
    tcase_add_loop_test(tc, shuffle_long, 0, SEEDS);
    suite_add_tcase(suite, tc);
}
