/* Numbers as text: the C locale's, also under a locale with a decimal comma. */
#define _POSIX_C_SOURCE 200809L
#include <natgrad.h>

#include <float.h>
#include <stdio.h>

#include "tests/support/locale.h"
#include "tests/support/support.h"

static void check_read(const char *text, size_t length, double expected)
{
    double value = -7;
    ck_assert_msg(ng_number_read(&value, text) == length, "%s", text);
    ck_assert_msg(value == expected, "%s: %.17g", text, value);
}

static void check_write(double value, const char *expected)
{
    char text[NG_NUMBER_SIZE], small[4];
    ck_assert_uint_eq(ng_number_write(text, sizeof text, value), strlen(expected));
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(ng_number_write(small, sizeof small, value), strlen(expected));
    ck_assert_int_eq(strncmp(small, expected, 3), 0);
    ck_assert_uint_le(strlen(small), 3);
}

static void check_all(void)
{
    ng_error error;
    char text[64];
    check_read("0.25", 4, 0.25);
    check_read("0,5", 1, 0);
    check_read("1.5,2.5", 3, 1.5);
    check_read("-1e-3x", 5, -1e-3);
    check_read("1e999", 5, HUGE_VAL);
    check_read("", 0, -7);
    check_read(" 1", 0, -7);
    check_read("x", 0, -7);
    check_read(".", 0, -7);
    check_write(0.5, "0.5");
    check_write(-1234567.25, "-1234567.25");
    check_write(0.1, "0.1");
    check_write(1.0 / 3, "0.3333333333333333");
    check_write(DBL_MAX, "1.7976931348623157e+308");
    check_write(-DBL_MIN, "-2.2250738585072014e-308");
    check_write(0, "0");
    ck_assert_int_eq(ng_number_format(text, sizeof text, "%.3f and %g", 1.5, 0.25), 14);
    ck_assert_str_eq(text, "1.500 and 0.25");
    ng_error_set(&error, NG_EARG, "%g", 0.5);
    ck_assert_str_eq(error.text, "0.5");
}

START_TEST(in_the_c_locale)
{
    check_all();
}
END_TEST

START_TEST(under_a_decimal_comma)
{
    char text[8];
    if (!test_comma_locale()) {
        fputs("no locale with a decimal comma: not tested\n", stderr);
        return;
    }
    check_all();
    snprintf(text, sizeof text, "%g", 0.5); /* the host's own text stays as it was */
    ck_assert_str_eq(text, "0,5");
}
END_TEST

/* every number comes back */
START_TEST(round_trip)
{
    test_rng rng = {7};
    char text[NG_NUMBER_SIZE];
    for (int i = 0; i < 2000; i++) {
        double value = test_normal(&rng) * pow(10, 600 * test_uniform(&rng) - 300), back = 0;
        size_t length = ng_number_write(text, sizeof text, value);
        ck_assert_uint_eq(ng_number_read(&back, text), length);
        ck_assert_msg(back == value, "%s: %.17g", text, value);
    }
}
END_TEST

TEST_SUITE(number)
{
    TCase *numbers = tcase_create("numbers");
    tcase_set_timeout(numbers, 60);
    tcase_add_checked_fixture(numbers, NULL, test_plain_locale);
    tcase_add_test(numbers, in_the_c_locale);
    tcase_add_test(numbers, under_a_decimal_comma);
    tcase_add_test(numbers, round_trip);
    suite_add_tcase(suite, numbers);
}
