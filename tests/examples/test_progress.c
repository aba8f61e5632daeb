/* The text of the progress bar: inside any terminal, and no nonsense whatever
 * the estimate. */
#include "examples/support/progress.h"

#include "tests/support/support.h"

enum { ROOM = 600 };

static progress bar(int columns, double total)
{
    progress p = {.total = total, .unit = "samples", .columns = columns};
    strcpy(p.label, "fismo_paper 12345");
    return p;
}

static const double amounts[] = {0, 1, 50, 99.999, 100, 101, 1e300, -5, INFINITY, -INFINITY, NAN};
enum { AMOUNTS = sizeof amounts / sizeof *amounts };

/* Every width and every pair of done and total: a line of text that fits and says no NaN, and
 * nothing behind it is touched. */
START_TEST(fits_any_terminal)
{
    static const int widths[] = {0, 1, 2, 20, 39, 80, 90, 100, 120, 300, 512, 5000};
    char untouched[ROOM + 8];
    memset(untouched, 'x', sizeof untouched);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int i = 0; i < AMOUNTS; i++)
            for (int k = 0; k < AMOUNTS; k++)
                for (int e = 0; e < AMOUNTS; e++) {
                    char text[ROOM + 8];
                    progress p = bar(widths[w], amounts[k]);
                    memset(text, 'x', sizeof text);
                    progress_text(text, ROOM, &p, amounts[i], amounts[e], "epoch 3/4  loss 0.1234");
                    size_t length = strlen(text);
                    if (length > (widths[w] > 0 ? (size_t)widths[w] - 1 : 0) || length >= ROOM)
                        ck_abort_msg("%zu characters in %d columns: %s", length, widths[w], text);
                    if (memcmp(text + length + 1, untouched, sizeof text - length - 1) != 0)
                        ck_abort_msg("bytes behind the text are changed");
                    if (strstr(text, "nan") != NULL || strstr(text, "inf") != NULL ||
                        strchr(text, '-') != NULL)
                        ck_abort_msg("%s", text);
                }
}
END_TEST

static void says(const char *expected, int columns, double total, double done, double elapsed)
{
    char text[ROOM];
    progress p = {.total = total, .unit = "samples", .columns = columns};
    strcpy(p.label, "muon");
    progress_text(text, sizeof text, &p, done, elapsed, "loss 1");
    ck_assert_str_eq(text, expected);
}

START_TEST(says_what_is_done)
{
    says("muon        [############............]  50%  loss 1  25/s  2 s left", 80, 100, 50, 2);
    says("muon        [############............]  50%  loss 1  25 samples/s  2 s left", 110, 100,
         50, 2);
    says("muon         50%  loss 1  25/s  2 s", 36, 100, 50, 2);
    says("muon         50%  l", 20, 100, 50, 2);
    says("muon        [........................]   0%  loss 1  0/s  ? s left", 80, 100, 0, 2);
    says("muon        [########################] 100%  loss 1  100/s  0 s left", 80, 100, 200, 2);
    /* how much there is to do is not known */
    says("muon  2 s  loss 1", 80, 0, 50, 2);
    says("muon  2 s  loss 1", 80, NAN, 50, 2);
}
END_TEST

/* What a run begins with does not depend on a terminal: there is none here. */
START_TEST(is_silent_without_a_terminal)
{
    progress p;
    progress_start(&p, "a label far too long for the room that a label has in the bar", 10, "");
    ck_assert_int_eq(p.columns, 0);
    ck_assert_uint_eq(strlen(p.label), sizeof p.label - 1);
    progress_update(&p, 5, "");
    progress_end(&p);
}
END_TEST

TEST_SUITE(progress)
{
    TCase *t = tcase_create("text");
    tcase_add_test(t, fits_any_terminal);
    tcase_add_test(t, says_what_is_done);
    tcase_add_test(t, is_silent_without_a_terminal);
    suite_add_tcase(suite, t);
}
