/* What reaches gnuplot: strings that stay strings, data, and styles. */
#define _POSIX_C_SOURCE 200809L
#include "examples/support/plot.h"

#include <stdio.h>

#include "examples/support/filter.h"
#include "tests/support/support.h"

static void quoted(const char *text, const char *expected)
{
    char *script;
    size_t size;
    FILE *f = open_memstream(&script, &size);
    plot_quote(f, text);
    fclose(f);
    ck_assert_str_eq(script, expected);
    free(script);
}

START_TEST(quotes)
{
    quoted("", "\"\"");
    quoted("muon 2", "\"muon 2\"");
    quoted("it's", "\"it\\047s\"");
    quoted("a\n!b\rc\td\x1b\x7f", "\"a \\041b c d  \"");
    quoted("`$\"\\@<", "\"\\140\\044\\042\\134\\100\\074\"");
    quoted("a-12", "\"a\\055\\061\\062\"");
    quoted("μ", "\"μ\"");
}
END_TEST

/* gnuplot itself prints every such string as it was, and runs none of it. */
START_TEST(gnuplot_takes_them_as_text)
{
    static const char *const gnuplot[] = {"gnuplot", "-d", "-", NULL};
    static const char *const texts[] = {
        "it's",   "`echo run`",   "$(echo run)", "\"; !echo run; \"", "a\\nb",
        "@macro", "'; print 1 #", "%s %d",       "ends in \\",        "\\140"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *script, *output;
        size_t size;
        FILE *f = open_memstream(&script, &size);
        fputs("set print '-'\nprint ", f);
        plot_quote(f, texts[i]);
        fputs("\n", f);
        fclose(f);
        filter_result result = filter_run(&output, &size, gnuplot, script, strlen(script));
        free(script);
        if (result == FILTER_MISSING) {
            puts("no gnuplot here: what it makes of strings was not looked at");
            return;
        }
        ck_assert_int_eq(result, FILTER_DONE);
        ck_assert_uint_eq(size, strlen(texts[i]) + 1);
        ck_assert_mem_eq(output, texts[i], size - 1);
        free(output);
    }
}
END_TEST

/* More than a pipe holds, both ways; a program that reads nothing; none at all. */
START_TEST(filters)
{
    enum { MUCH = 1 << 20 };
    static const char *const cat[] = {"cat", NULL}, *const deaf[] = {"true", NULL},
                             *const bad[] = {"false", NULL},
                             *const none[] = {"no-such-program", NULL};
    char *text = malloc(MUCH), *output;
    size_t size;
    for (size_t i = 0; i < MUCH; i++)
        text[i] = (char)(i * 7);
    ck_assert_int_eq(filter_run(&output, &size, cat, text, MUCH), FILTER_DONE);
    ck_assert_uint_eq(size, MUCH);
    ck_assert(memcmp(output, text, MUCH) == 0);
    free(output);
    ck_assert_int_eq(filter_run(&output, &size, deaf, text, MUCH), FILTER_DONE);
    ck_assert_uint_eq(size, 0);
    free(output);
    ck_assert_int_eq(filter_run(&output, &size, bad, text, MUCH), FILTER_FAILED);
    free(output);
    ck_assert_int_eq(filter_run(&output, &size, none, text, MUCH), FILTER_MISSING);
    free(output);
    free(text);
}
END_TEST

/* A method looks the same whatever stands behind its name, and none like another. */
START_TEST(styles)
{
    static const char *const names[] = {"sgd",  "adamw", "muon",    "fismo", "fismo_paper",
                                        "kfac", "ekfac", "shampoo", "soap",  "kfac_muon"};
    enum { NAMES = sizeof names / sizeof *names };
    ck_assert_str_eq(plot_method("muon exact").colour, plot_method("muon").colour);
    ck_assert_str_eq(plot_method("muon exact").name, "muon exact");
    ck_assert_str_eq(plot_method("gradient descent, realisable").colour, plot_method("sgd").colour);
    ck_assert_ptr_nonnull(plot_method("a preset to come").colour);
    for (int i = 0; i < NAMES; i++)
        for (int k = 0; k < i; k++) {
            plot_style a = plot_method(names[i]), b = plot_method(names[k]);
            ck_assert_msg(strcmp(a.colour, b.colour) != 0 || a.point != b.point, "%s like %s",
                          names[i], names[k]);
        }
}
END_TEST

TEST_SUITE(plot)
{
    TCase *t = tcase_create("plot");
    tcase_add_test(t, quotes);
    tcase_add_test(t, gnuplot_takes_them_as_text);
    tcase_add_test(t, filters);
    tcase_add_test(t, styles);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
}
