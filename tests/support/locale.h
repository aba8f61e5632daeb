/* A locale with decimal commas, for what must not follow it. */
#ifndef NG_TEST_LOCALE_H
#define NG_TEST_LOCALE_H

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* setlocale to one; where none is installed localedef makes one for the moment. 0: neither. */
static inline int test_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8", "pl_PL.UTF-8"};
    char place[] = "/tmp/natgrad-locale-XXXXXX", command[200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_ALL, names[i]) != NULL)
            return 1;
    if (mkdtemp(place) == NULL)
        return 0;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1",
             place, place);
    int made = system(command) == 0 && setenv("LOCPATH", place, 1) == 0 &&
               setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    snprintf(command, sizeof command, "rm -rf %s", place);
    if (system(command) != 0 || !made)
        return 0;
    return strcmp(localeconv()->decimal_point, ",") == 0;
}

/* Back to the C locale: a checked fixture's teardown, since without forks the next test is in the
 * same process. */
static inline void test_plain_locale(void)
{
    unsetenv("LOCPATH");
    setlocale(LC_ALL, "C");
}

#endif
