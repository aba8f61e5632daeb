/* Numbers of sixteen bits. The oracle has their definition: sign, exponent, fraction, by ldexp; the
 * nearest number by looking at the two around. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/half.h"
#include "tests/support/support.h"

static const ng_dtype dtypes[] = {NG_F16, NG_BF16};
#define DTYPE (dtypes[_i])

enum { ALL = 1 << 16 };

/* IEEE 754 with so many bits of fraction */
static double value_by_definition(ng_dtype dtype, unsigned bits)
{
    int fraction_bits = dtype == NG_F16 ? 10 : 7, exponent_bits = 15 - fraction_bits;
    int most = (1 << exponent_bits) - 1, bias = most / 2;
    int exponent = (int)(bits >> fraction_bits) & most;
    double fraction = ldexp(bits & ((1U << fraction_bits) - 1), -fraction_bits), value;
    if (exponent == most)
        value = fraction > 0 ? NAN : INFINITY;
    else
        value = exponent == 0 ? ldexp(fraction, 1 - bias) : ldexp(1 + fraction, exponent - bias);
    return bits & 0x8000 ? -value : value;
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint16_t *all_values(void)
{
    uint16_t *all = malloc(ALL * sizeof *all);
    for (unsigned i = 0; i < ALL; i++)
        all[i] = (uint16_t)i;
    return all;
}

/* Each of the 65,536, to float, to double and to the bits again. */
START_TEST(every_value)
{
    uint16_t *all = all_values(), *back = malloc(ALL * sizeof *back);
    float *wide = malloc(ALL * sizeof *wide);
    double *wider = malloc(ALL * sizeof *wider);
    ng_mat half = {all, 1, ALL, ALL, DTYPE}, again = {back, 1, ALL, ALL, DTYPE};
    ng_assert_ok(ng_copy(ng_f32(wide, 1, ALL), half, NULL), NULL);
    ng_assert_ok(ng_copy(ng_f64(wider, 1, ALL), half, NULL), NULL);
    for (unsigned i = 0; i < ALL; i++) {
        double expected = value_by_definition(DTYPE, i);
        ck_assert_msg(isnan(expected) ? isnan(wide[i]) && isnan(wider[i])
                                      : (double)wide[i] == expected && wider[i] == expected,
                      "%s %04x: %g, %g, expected %g", ngi_dtype_name(DTYPE), i, (double)wide[i],
                      wider[i], expected);
        ck_assert(!signbit(wide[i]) == !(i & 0x8000));
        ck_assert(isnan(expected) || ng_half_value(DTYPE, (uint16_t)i) == expected);
    }
    for (int from = 0; from < 2; from++) {
        ng_mat source = from ? ng_f64(wider, 1, ALL) : ng_f32(wide, 1, ALL);
        ng_assert_ok(ng_copy(again, source, NULL), NULL);
        for (unsigned i = 0; i < ALL; i++) { /* NaN with its sign, quiet */
            unsigned quiet = DTYPE == NG_F16 ? 0x200 : 0x40;
            unsigned expected = isnan(wide[i]) ? i | quiet : i;
            ck_assert_msg(back[i] == expected, "%04x came back as %04x", i, back[i]);
        }
    }
    free(all), free(back), free(wide), free(wider);
}
END_TEST

/* x is between the finite numbers of bits `low` and low + 1, as magnitudes. */
static uint16_t nearest(double x, double down, double up, unsigned low)
{
    if (x - down != up - x)
        return (uint16_t)(x - down < up - x ? low : low + 1);
    return (uint16_t)(low & 1 ? low + 1 : low);
}

static void check_nearest(ng_dtype dtype, double x, unsigned low, double down, double up)
{
    uint16_t expected = nearest(x, down, up, low), found;
    for (int negative = 0; negative < 2; negative++) {
        double signed_x = negative ? -x : x;
        unsigned bits = expected | (negative ? 0x8000U : 0);
        ck_assert_msg(ng_half_bits(dtype, signed_x) == bits, "%s: %a is %04x, expected %04x",
                      ngi_dtype_name(dtype), signed_x, ng_half_bits(dtype, signed_x), bits);
        if ((double)(float)signed_x == signed_x) {
            float f = (float)signed_x;
            ngi_half_of(dtype)->narrow(1, &found, &f);
            ck_assert_msg(found == bits, "%a is %04x, expected %04x", signed_x, found, bits);
        }
    }
}

/* Between each two neighbours: the middle, next to it on both sides (as float and closer still),
 * and next to the two themselves. The largest number's upper neighbour is what would come next. */
START_TEST(every_interval)
{
    unsigned infinite = DTYPE == NG_F16 ? 0x7c00 : 0x7f80;
    for (unsigned low = 0; low < infinite; low++) {
        double down = value_by_definition(DTYPE, low), up = value_by_definition(DTYPE, low + 1);
        if (low + 1 == infinite)
            up = 2 * down - value_by_definition(DTYPE, low - 1);
        double middle = down + (up - down) / 2;
        double between[] = {down,
                            middle,
                            nextafter(middle, up),
                            nextafter(middle, down),
                            nextafterf((float)middle, (float)up),
                            nextafterf((float)middle, (float)down),
                            nextafter(down, up),
                            nextafter(up, down)};
        for (size_t k = 0; k < sizeof between / sizeof *between; k++)
            if (between[k] >= down && between[k] <= up)
                check_nearest(DTYPE, between[k], low, down, up);
    }
    ck_assert_uint_eq(ng_half_bits(DTYPE, INFINITY), infinite);
    ck_assert_uint_eq(ng_half_bits(DTYPE, -1e300), infinite | 0x8000);
    ck_assert_uint_eq(ng_half_bits(DTYPE, 1e-300), 0);
}
END_TEST

/* Strided views, the norms, and what takes no numbers of sixteen bits. */
START_TEST(views)
{
    uint16_t *bits = calloc(28, 8), *copy = calloc(28, 8); /* as far as any dtype would reach */
    float *wide = calloc(36, sizeof *wide);
    double sum = 0;
    for (unsigned i = 0; i < 28; i++)
        bits[i] = ng_half_bits(DTYPE, i % 7 < 5 ? (double)i - 9 : (double)NAN);
    ng_mat half = {bits, 4, 5, 7, DTYPE}, w = ng_f32_strided(wide, 4, 5, 9),
           back = {copy, 4, 5, 7, DTYPE};
    ng_assert_ok(ng_copy(w, half, NULL), NULL);
    ng_assert_ok(ng_copy(back, w, NULL), NULL);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 7; j++) {
            ck_assert_uint_eq(copy[7 * i + j], j < 5 ? bits[7 * i + j] : 0);
            sum += j < 5 ? pow((double)(7 * i + j) - 9, 2) : 0;
        }
    ck_assert(ng_max_abs(half) == 16 && ng_is_finite(half));
    ng_assert_rel(ng_norm(half), sqrt(sum), 1e-15);
    ng_mat_set(half, 3, 1, -INFINITY);
    ck_assert(isinf(ng_max_abs(half)) && !ng_is_finite(half) && isinf(ng_mat_get(half, 3, 1)));
    ng_mat_set(half, 0, 0, NAN);
    ck_assert(isnan(ng_max_abs(half)));
    ng_error error = {NG_OK, ""};
    ck_assert_int_eq(ng_mat_check(half, "x", &error), NG_EDTYPE);
    ck_assert_ptr_nonnull(strstr(error.text, ngi_dtype_name(DTYPE)));
    ck_assert_int_eq(ng_axpby(half, half, 1, 1, NULL), NG_EDTYPE);
    ck_assert_int_eq(ng_gemm(half, half, NG_NOTRANS, half, NG_TRANS, 1, 0, NULL), NG_EDTYPE);
    back.rows = 3;
    ck_assert_int_eq(ng_copy(back, half, NULL), NG_ESHAPE);
    half.data = (char *)half.data + 1;
    ck_assert_int_eq(ng_copy(w, half, NULL), NG_EARG);
    free(bits), free(copy), free(wide);
}
END_TEST

/* ---- Stochastic rounding ------------------------------------------------------------------- */

enum { ROUNDINGS = 1000000 };

/* The share of low + 1 in x rounded so often; low is the rest. */
static double share_rounded_up(ng_dtype dtype, double x, unsigned low, uint64_t key)
{
    static float source[1000];
    static uint16_t rounded[1000];
    size_t ups = 0, lows = 0;
    for (size_t i = 0; i < 1000; i++)
        source[i] = (float)x;
    for (size_t k = 0; k < ROUNDINGS / 1000; k++) {
        ngi_half_of(dtype)->dice(1000, rounded, source, (ngi_dice){key, 1000 * k});
        for (size_t i = 0; i < 1000; i++) {
            ups += rounded[i] == low + 1;
            lows += rounded[i] == low;
        }
    }
    ck_assert_uint_eq(ups + lows, ROUNDINGS);
    return (double)ups / ROUNDINGS;
}

static void check_unbiased(ng_dtype dtype, unsigned low, double fraction, uint64_t key)
{
    double down = value_by_definition(dtype, low), up = value_by_definition(dtype, low + 1);
    double x = (double)(float)(down + fraction * (up - down)), p = (x - down) / (up - down);
    double off = (share_rounded_up(dtype, x, low, key) - p) / sqrt(p * (1 - p) / ROUNDINGS);
    ck_assert_msg(fabs(off) <= 4, "%s %a: mean off by %g standard errors", ngi_dtype_name(dtype), x,
                  off);
}

/* Normal and subnormal, of both signs, near a neighbour and amid. */
START_TEST(unbiased)
{
    static const unsigned lows[] = {0x0000, 0x0003, 0x0400, 0x3c01, 0x7bfe, 0xbd17, 0x8102};
    static const double fractions[] = {0.001, 0.25, 0.5, 0.9};
    for (size_t l = 0; l < sizeof lows / sizeof *lows; l++)
        for (size_t f = 0; f < sizeof fractions / sizeof *fractions; f++)
            check_unbiased(DTYPE, lows[l], fractions[f], 1000 * l + f);
}
END_TEST

/* Numbers of the dtype stay; so do infinity and NaN; beyond the largest as to nearest. */
START_TEST(dice_keep)
{
    uint16_t *all = all_values(), *back = malloc(ALL * sizeof *back);
    float *wide = malloc(ALL * sizeof *wide),
          beyond[] = {65519, 65520, 3.3961e38F, float_of(0x7f7fffff)};
    ng_mat half = {all, 1, ALL, ALL, DTYPE};
    ng_assert_ok(ng_copy(ng_f32(wide, 1, ALL), half, NULL), NULL);
    ngi_half_of(DTYPE)->dice(ALL, back, wide, (ngi_dice){77, 0});
    for (unsigned i = 0; i < ALL; i++)
        ck_assert_uint_eq(back[i], isnan(wide[i]) ? i | (DTYPE == NG_F16 ? 0x200U : 0x40U) : i);
    for (size_t i = DTYPE == NG_F16 ? 0 : 2; i < 4; i++)
        for (uint64_t key = 0; key < 20; key++) {
            ngi_half_of(DTYPE)->dice(1, back, &beyond[i], (ngi_dice){key, 0});
            ck_assert_uint_eq(back[0], ng_half_bits(DTYPE, beyond[i]));
        }
    free(all), free(back), free(wide);
}
END_TEST

/* Element i has the same bits wherever a piece begins; other keys have others. */
START_TEST(dice_by_number)
{
    enum { N = 4099 };
    float source[N];
    uint16_t whole[N], pieces[N], other[N];
    size_t differ = 0;
    for (size_t i = 0; i < N; i++)
        source[i] = 1.0001F + (float)i * 1e-5F;
    ngi_half_of(DTYPE)->dice(N, whole, source, (ngi_dice){5, (1ULL << 32) - 100});
    for (size_t i = 0; i < N; i += 17)
        ngi_half_of(DTYPE)->dice(N - i < 17 ? N - i : 17, pieces + i, source + i,
                                 (ngi_dice){5, (1ULL << 32) - 100 + i});
    ck_assert(memcmp(whole, pieces, sizeof whole) == 0);
    ngi_half_of(DTYPE)->dice(N, other, source, (ngi_dice){6, (1ULL << 32) - 100});
    for (size_t i = 0; i < N; i++)
        differ += whole[i] != other[i];
    ck_assert_uint_gt(differ, N / 20);
}
END_TEST

/* The copy in f32 keeps what rounds to the number, and takes over what does not. */
START_TEST(follow)
{
    float copy[] = {1.0001F, 1.0001F, -0.0F, 3};
    double ulp = ng_dtype_eps(DTYPE);
    uint16_t half[] = {ng_half_bits(DTYPE, 1), ng_half_bits(DTYPE, 1 + ulp), 0,
                       ng_half_bits(DTYPE, NAN)};
    ngi_half_of(DTYPE)->follow(4, copy, half);
    ck_assert(copy[0] == 1.0001F && (double)copy[1] == 1 + ulp && !signbit(copy[2]) &&
              isnan(copy[3]));
}
END_TEST

TEST_SUITE(half)
{
    const TTest *const tests[] = {every_value, every_interval, views, unbiased,
                                  dice_keep,   dice_by_number, follow};
    TCase *half = tcase_create("half");
    tcase_set_timeout(half, 60);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_loop_test(half, tests[i], 0, 2);
    suite_add_tcase(suite, half);
}
