/* Numbers of tables against strtod: a million texts, through a file. */
#include "tests/train/data_world.h"

enum { ROWS = 100000, COLUMNS = 10 };

static test_rng rng = {77};

static int below(int n)
{
    return (int)(test_uniform(&rng) * n);
}

static size_t digits(char *at, int n)
{
    for (int i = 0; i < n; i++)
        at[i] = (char)('0' + below(10));
    return (size_t)n;
}

/* One of: any bits of a double in 17 digits or fewer; digits with a point anywhere and an
 * exponent; halfway between two doubles, and a digit beside it; small numbers as people have. */
static size_t write_number(char *at)
{
    unsigned long long bits = 0;
    double value;
    char *start = at;
    int kind = below(8);
    if (kind < 2) { /* any double; some denormal */
        for (int i = 0; i < 4; i++)
            bits = bits << 16 | (unsigned long long)below(65536);
        if (below(5) == 0)
            bits &= 0x800fffffffffffffull >> below(50);
        memcpy(&value, &bits, sizeof value);
        value = isfinite(value) ? value : 1.5;
        return (size_t)sprintf(at, "%.*g", below(2) ? 17 : 1 + below(20), value);
    }
    if (below(3) == 0)
        *at++ = "+-"[below(2)];
    if (kind < 5) {
        at += digits(at, 1 + below(kind == 2 ? 60 : 19));
        if (below(2) == 0) {
            *at++ = '.';
            at += digits(at, below(kind == 2 ? 60 : 12));
        }
        if (below(2) == 0)
            at += sprintf(at, "%c%d", "eE"[below(2)],
                          below(kind == 4 ? 600 : 40) - 20 - (kind == 4) * 300);
        return (size_t)(at - start);
    }
    if (kind == 5) { /* 2^53 + odd, a tie, and around it */
        at += sprintf(at, "%llu", 9007199254740993ull + 2 * (unsigned long long)below(1000000));
        if (below(2) == 0)
            at += sprintf(at, ".%0*d1", 1 + below(30), 0);
        return (size_t)(at - start);
    }
    return (size_t)(at - start) + (size_t)sprintf(at, "%.*f", below(8), 1000 * test_uniform(&rng));
}

START_TEST(against_strtod)
{
    static double expected[ROWS][COLUMNS];
    char *text = malloc((size_t)ROWS * COLUMNS * 160), *at = text;
    int wrong = 0;
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLUMNS; j++) {
            for (;;) {
                at[write_number(at)] = '\0';
                expected[i][j] = strtod(at, NULL);
                if (isfinite(expected[i][j]))
                    break;
            }
            at += strlen(at);
            *at++ = ',';
        }
        at += sprintf(at, "%zu\n", i % 2);
    }
    set_options(RAW "header=no");
    const char *path = files_write("numbers", text, (size_t)(at - text));
    ng_assert_ok(open_path("csv", path, NULL), &err);
    for (size_t i = 0; i < ROWS; i++) {
        double x[COLUMNS];
        wrong += ng_dataset_gather(data, ng_f64(x, 1, COLUMNS), NULL, &i, 1, &err) != NG_OK;
        for (size_t j = 0; j < COLUMNS; j++)
            if (memcmp(&x[j], &expected[i][j], sizeof x[j]) != 0 && wrong++ < 5)
                printf("row %zu, column %zu: %.17g, strtod %.17g\n", i, j, x[j], expected[i][j]);
    }
    ck_assert_int_eq(wrong, 0);
    close_data();
    free(text);
}
END_TEST

START_TEST(what_is_no_number)
{
    static const char *const texts[] = {".",   "+",   "-.",  "e5",  "1e",    "1e+", "1e5.", "1 2",
                                        "1..", "0x1", "1,5", "--1", "1e999", "inf", "1f",   "1_0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[64];
        snprintf(text, sizeof text, "1;2;0\n1;%s;1\n", texts[i]);
        ng_assert_fails(open_csv(text, ""), NG_EFORMAT, &err, "column 2");
    }
}
END_TEST

TEST_SUITE(decimal)
{
    TCase *tc = tcase_create("decimal");
    tcase_set_timeout(tc, 120); /* seconds; for valgrind */
    tcase_add_checked_fixture(tc, files_setup, files_teardown);
    tcase_add_test(tc, against_strtod);
    tcase_add_test(tc, what_is_no_number);
    suite_add_tcase(suite, tc);
}
