/* The lines for machines. */
#define _POSIX_C_SOURCE 200809L
#include "examples/support/target.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/support/support.h"

/* What is printed between the two calls. */
static int kept;
static FILE *caught;

static void catch_output(void)
{
    fflush(stdout);
    kept = dup(STDOUT_FILENO);
    caught = tmpfile();
    dup2(fileno(caught), STDOUT_FILENO);
}

static void expect(const char *text)
{
    char found[1000];
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(caught);
    found[fread(found, 1, sizeof found - 1, caught)] = '\0';
    fclose(caught);
    ck_assert_str_eq(found, text);
}

START_TEST(targets)
{
    int held, missed, none;
    catch_output();
    held = target_print("ska", "k_min_layer1", 29.2, 29.4, 0.6);
    missed = target_print("ska", "k", -1, 1, 0.5);
    none = target_print("ska", "n", 1, NAN, 10);
    expect("target paper=ska name=k_min_layer1 expected=29.2 found=29.4 tolerance=0.6 ok=yes\n"
           "target paper=ska name=k expected=-1 found=1 tolerance=0.5 ok=no\n"
           "target paper=ska name=n expected=1 found=nan tolerance=10 ok=no\n");
    ck_assert(held && !missed && !none);
}
END_TEST

START_TEST(verdicts)
{
    catch_output();
    verdict_print("fismo", "muon below sgd", VERDICT_YES);
    verdict_print("fismo", "a \"quoted\" one", VERDICT_PARTLY);
    verdict_print("fismo", "", VERDICT_NO);
    expect("verdict paper=fismo claim=\"muon below sgd\" holds=yes\n"
           "verdict paper=fismo claim=\"a 'quoted' one\" holds=partly\n"
           "verdict paper=fismo claim=\"\" holds=no\n");
}
END_TEST

TEST_SUITE(target)
{
    TCase *t = tcase_create("lines");
    tcase_add_test(t, targets);
    tcase_add_test(t, verdicts);
    suite_add_tcase(suite, t);
}
