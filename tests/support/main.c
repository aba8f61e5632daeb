/* The main program of each module's tests. SUITES is X(NAME) for each tests/MODULE/test_NAME.c that
 * the module's .am lists. */
#include "tests/support/support.h"

#define X(name) Suite *name##_suite(void);
SUITES
#undef X

#define X(name) name##_suite,
static Suite *(*const suites[])(void) = {SUITES NULL};

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; suites[i] != NULL; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    /* none at all: CK_RUN_SUITE or CK_RUN_CASE names what is not there */
    int good = srunner_ntests_run(runner) > 0 && srunner_ntests_failed(runner) == 0;
    srunner_free(runner);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
