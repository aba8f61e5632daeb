#include "examples/support/target.h"

#include <math.h>
#include <stdio.h>

int target_print(const char *paper, const char *name, double expected, double found,
                 double tolerance)
{
    int ok = fabs(found - expected) <= tolerance;
    printf("target paper=%s name=%s expected=%.6g found=%.6g tolerance=%.3g ok=%s\n", paper, name,
           expected, found, tolerance, ok ? "yes" : "no");
    return ok;
}

void verdict_print(const char *paper, const char *claim, verdict_kind holds)
{
    static const char *const words[] = {
        [VERDICT_NO] = "no", [VERDICT_PARTLY] = "partly", [VERDICT_YES] = "yes"};
    printf("verdict paper=%s claim=\"", paper);
    for (; *claim != '\0'; claim++)
        putchar(*claim == '"' ? '\'' : *claim);
    printf("\" holds=%s\n", words[holds]);
}
