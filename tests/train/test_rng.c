/* The generator against the published vectors of Philox4x32-10, sequences put
 * together by hand from its blocks, and statistics whose sampling error is
 * known: those hold for any seed, and several are tried. */
#include <natgrad/train/rng.h>

#include <stdint.h>

#include "tests/support/support.h"

enum { SEEDS = 6 };

static ng_error err;

static ng_random create_stream(uint64_t seed, uint64_t stream)
{
    ng_random random;
    ng_assert_ok(ng_rng_create_stream(&random, seed, stream, &err), &err);
    return random;
}

static ng_random create(uint64_t seed)
{
    return create_stream(seed, 0);
}

/* Random123, tests/kat_vectors, "philox4x32 10" */
START_TEST(published_vectors)
{
    static const uint32_t vectors[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint32_t out[4];
        ng_rng_philox(out, vectors[i], vectors[i] + 4);
        ck_assert_mem_eq(out, vectors[i] + 6, sizeof out);
    }
}
END_TEST

static double of_words(uint32_t high, uint32_t low)
{
    return ldexp(high >> 5, -27) + ldexp(low >> 6, -53);
}

/* The first vector is block 0 of stream 0 of seed 0; then other blocks, as the
 * header lays out counter and key. */
START_TEST(sequences_by_hand)
{
    const uint64_t seed = 0x0123456789abcdef, stream = 0x7edcba9876543210;
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    double u[40], x[40];
    ng_random random = create(0);
    random.fill_uniform(random.data, u, 2);
    ck_assert_double_eq(u[0], of_words(0x6627e8d5, 0xe169c58d));
    ck_assert_double_eq(u[1], of_words(0xbc57ac4c, 0x9b00dbd8));
    ng_rng_destroy(&random);
    random = create_stream(seed, stream);
    random.fill_uniform(random.data, u, 40);
    random.fill_normal(random.data, x, 40);
    for (uint32_t block = 0; block < 20; block++) {
        uint32_t words[4], counter[4] = {block, 0, 0x76543210, 0x7edcba98};
        ng_rng_philox(words, counter, key);
        ck_assert_double_eq(u[2 * block], of_words(words[0], words[1]));
        ck_assert_double_eq(u[2 * block + 1], of_words(words[2], words[3]));
        counter[3] |= 0x80000000;
        ng_rng_philox(words, counter, key);
        double a = of_words(words[0], words[1]), b = of_words(words[2], words[3]);
        ng_assert_rel(x[2 * block] * x[2 * block] + x[2 * block + 1] * x[2 * block + 1],
                      -2 * log(1 - a), 1e-12);
        double turn = atan2(x[2 * block + 1], x[2 * block]) / (2 * acos(-1));
        ng_assert_le(fabs(turn - b + (turn < 0)), 1e-14);
    }
    ng_rng_destroy(&random);
}
END_TEST

/* However the calls are cut and mixed, the two sequences are the same. */
START_TEST(calls_do_not_matter)
{
    double u[60], x[60], v[60], y[60];
    ng_random whole = create(7), parts = create(7), copy = parts; /* one state */
    whole.fill_uniform(whole.data, u, 60);
    whole.fill_normal(whole.data, x, 60);
    for (size_t i = 0, cut = 1; i < 60; i += cut, cut = cut % 4 + 1) {
        cut = cut < 60 - i ? cut : 60 - i;
        parts.fill_normal(parts.data, y + i, cut);
        copy.fill_uniform(copy.data, v + i, cut);
        copy.fill_uniform(copy.data, NULL, 0);
    }
    ck_assert_mem_eq(u, v, sizeof u);
    ck_assert_mem_eq(x, y, sizeof x);
    ng_rng_destroy(&whole);
    ng_rng_destroy(&parts);
    ck_assert_ptr_null(parts.data);
    ng_rng_destroy(&parts);
    ng_rng_destroy(NULL);
}
END_TEST

/* ---- Distributions ---------------------------------------------------------- */

enum { DRAWS = 200000 };
static double draws[DRAWS];

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* sqrt(n) times the largest distance of the distribution from that of the draws,
 * which it sorts: above 2.4 with a probability of 2e-5 (Kolmogorov). */
static double distance(double (*distribution)(double x))
{
    double largest = 0;
    qsort(draws, DRAWS, sizeof *draws, ascending);
    for (int i = 0; i < DRAWS; i++) {
        double p = distribution(draws[i]);
        largest = fmax(largest, fmax(p - (double)i / DRAWS, (i + 1.0) / DRAWS - p));
    }
    return largest * sqrt(DRAWS);
}

static double normal_distribution(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static double uniform_distribution(double x)
{
    return x;
}

/* Neighbours too: their products have mean 0, variance 1. */
START_TEST(normal_numbers)
{
    static const double expected[] = {0, 1, 0, 3, 0, 15};
    static const double variance[] = {1, 2, 15, 96, 945, 10170}; /* of x^k */
    double sum[6] = {0}, product = 0;
    ng_random random = create((uint64_t)_i);
    random.fill_normal(random.data, draws, DRAWS);
    for (int i = 0; i < DRAWS; i++) {
        for (int k = 0; k < 6; k++)
            sum[k] += pow(draws[i], k + 1);
        product += i > 0 ? draws[i] * draws[i - 1] : 0;
    }
    for (int k = 0; k < 6; k++)
        ng_assert_le(fabs(sum[k] / DRAWS - expected[k]), 5 * sqrt(variance[k] / DRAWS));
    ng_assert_le(fabs(product / DRAWS), 5 / sqrt(DRAWS));
    ng_assert_le(distance(normal_distribution), 2.4);
    ng_rng_destroy(&random);
}
END_TEST

START_TEST(uniform_numbers)
{
    double product = 0;
    ng_random random = create((uint64_t)_i);
    random.fill_uniform(random.data, draws, DRAWS);
    for (int i = 0; i < DRAWS; i++) {
        ck_assert(draws[i] >= 0 && draws[i] < 1);
        product += i > 0 ? 12 * (draws[i] - 0.5) * (draws[i - 1] - 0.5) : 0;
    }
    ng_assert_le(fabs(product / DRAWS), 5 / sqrt(DRAWS));
    ng_assert_le(distance(uniform_distribution), 2.4);
    ng_rng_destroy(&random);
}
END_TEST

/* Seeds, streams and kinds that differ in one bit have nothing in common: the
 * mean product with those of seed 0, stream 0 is within five standard errors. */
START_TEST(streams_are_apart)
{
    enum { N = 20000 };
    static double a[N], b[N];
    ng_random first = create(0);
    first.fill_normal(first.data, a, N);
    for (int bit = 0; bit < 127; bit++) {
        double product = 0;
        ng_random other =
            bit < 64 ? create((uint64_t)1 << bit) : create_stream(0, (uint64_t)1 << (bit - 64));
        other.fill_normal(other.data, b, N);
        for (int i = 0; i < N; i++)
            product += a[i] * b[i];
        ck_assert_msg(fabs(product) <= 5 * sqrt(N), "bit %d: %g", bit, product / sqrt(N));
        ng_rng_destroy(&other);
    }
    ng_rng_destroy(&first);
}
END_TEST

START_TEST(argument_range)
{
    ng_random random = create_stream(UINT64_MAX, INT64_MAX);
    ng_rng_destroy(&random);
    ng_assert_fails(ng_rng_create_stream(&random, 1, (uint64_t)1 << 63, &err), NG_EARG, &err,
                    "9223372036854775808");
    ck_assert_ptr_null(random.data);
    ng_assert_fails(ng_rng_create(NULL, 1, &err), NG_EARG, &err, "random");
}
END_TEST

/* ---- State ------------------------------------------------------------------ */

/* Odd positions: in the middle of a block of either kind. */
START_TEST(state_comes_back)
{
    double before[200], after[200];
    ng_random random = create_stream(11, 5), other = create(12);
    random.fill_normal(random.data, before, 77);
    random.fill_uniform(random.data, before, 5);
    size_t size = random.save(random.data, NULL, 0);
    unsigned char state[64];
    ck_assert_uint_eq(size, 48);
    memset(state, 0xee, sizeof state);
    ck_assert_uint_eq(random.save(random.data, state, size - 1), size);
    ck_assert_uint_eq(state[0], 0xee); /* too small: untouched */
    ck_assert_uint_eq(random.save(random.data, state, sizeof state), size);
    ck_assert_uint_eq(state[size], 0xee);
    random.fill_normal(random.data, before, 100);
    random.fill_uniform(random.data, before + 100, 100);
    ck_assert_int_eq(other.load(other.data, state, size), 0);
    other.fill_normal(other.data, after, 100);
    other.fill_uniform(other.data, after + 100, 100);
    ck_assert_mem_eq(before, after, sizeof before);
    ng_rng_destroy(&random);
    ng_rng_destroy(&other);
}
END_TEST

/* The state is the same bytes on every machine. */
START_TEST(state_is_portable)
{
    static const unsigned char expected[40] = "philox10\x02\x01\0\0\0\0\0\0\x03\0\0\0\0\0\0\0"
                                              "\x05\0\0\0\0\0\0\0\x04";
    unsigned char state[48];
    double x[5];
    ng_random random = create_stream(0x102, 3);
    random.fill_uniform(random.data, x, 5);
    random.fill_normal(random.data, x, 4);
    ck_assert_uint_eq(random.save(random.data, state, sizeof state), 48);
    ck_assert_mem_eq(state, expected, sizeof expected);
    ng_rng_destroy(&random);
}
END_TEST

START_TEST(damaged_state_is_refused)
{
    double before[20], after[20];
    ng_random random = create(11), twin = create(11);
    unsigned char state[48];
    random.fill_uniform(random.data, before, 9);
    ck_assert_uint_eq(random.save(random.data, state, sizeof state), sizeof state);
    ck_assert_int_ne(twin.load(twin.data, state, sizeof state - 1), 0);
    ck_assert_int_ne(twin.load(twin.data, state, sizeof state + 1), 0);
    ck_assert_int_ne(twin.load(twin.data, NULL, sizeof state), 0);
    for (size_t bit = 0; bit < 8 * sizeof state; bit++) {
        state[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert_msg(twin.load(twin.data, state, sizeof state) != 0, "bit %zu", bit);
        state[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    twin.fill_uniform(twin.data, after, 9); /* still at its start */
    ck_assert_mem_eq(before, after, 9 * sizeof *before);
    ng_rng_destroy(&random);
    ng_rng_destroy(&twin);
}
END_TEST

/* The check sum (that of zlib: CRC-32, reflected, polynomial 0xedb88320) made
 * right over a stream out of range and positions at the end of their range: the
 * one is refused, the others draw. */
static void make_right(unsigned char *state)
{
    uint32_t crc = 0xffffffff;
    for (int i = 0; i < 40; i++) {
        crc ^= state[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    for (int i = 0; i < 4; i++)
        state[40 + i] = (unsigned char)(~crc >> 8 * i);
}

START_TEST(crafted_state)
{
    unsigned char state[48];
    double x[5];
    ng_random random = create(1);
    ck_assert_uint_eq(random.save(random.data, state, sizeof state), sizeof state);
    make_right(state);
    ck_assert_int_eq(random.load(random.data, state, sizeof state), 0);
    memset(state + 24, 0xff, 16);
    make_right(state);
    ck_assert_int_eq(random.load(random.data, state, sizeof state), 0);
    random.fill_uniform(random.data, x, 5);
    random.fill_normal(random.data, x, 5);
    for (int i = 0; i < 5; i++)
        ck_assert(isfinite(x[i]));
    state[23] = 0x80;
    make_right(state);
    ck_assert_int_ne(random.load(random.data, state, sizeof state), 0);
    ng_rng_destroy(&random);
}
END_TEST

TEST_SUITE(rng)
{
    TCase *tc = tcase_create("rng");
    tcase_add_test(tc, published_vectors);
    tcase_add_test(tc, sequences_by_hand);
    tcase_add_test(tc, calls_do_not_matter);
    tcase_add_loop_test(tc, normal_numbers, 0, SEEDS);
    tcase_add_loop_test(tc, uniform_numbers, 0, SEEDS);
    tcase_add_test(tc, streams_are_apart);
    tcase_add_test(tc, argument_range);
    tcase_add_test(tc, state_comes_back);
    tcase_add_test(tc, state_is_portable);
    tcase_add_test(tc, damaged_state_is_refused);
    tcase_add_test(tc, crafted_state);
    suite_add_tcase(suite, tc);
}
