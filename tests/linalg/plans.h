/* What befalls the calls of LAPACK's routines, planned for each routine (tests/support/faults.h).
 */
#ifndef NG_TEST_PLANS_H
#define NG_TEST_PLANS_H

#include <limits.h>

#include "tests/support/support.h"

/* calls first ... last fail in that way; how many came */
static struct {
    fault_kind kind;
    int first, last, calls;
} plan[ON_GESVD + 1];

static inline fault_kind planned_kind(fault_call routine)
{
    int number = ++plan[routine].calls;
    return number >= plan[routine].first && number <= plan[routine].last ? plan[routine].kind
                                                                         : SPARE;
}

/* the next `times` calls */
static inline void expect(fault_call routine, fault_kind kind, int times)
{
    plan[routine].kind = kind;
    plan[routine].first = 1;
    plan[routine].last = times;
    plan[routine].calls = 0;
}

/* all calls but the next `spared` */
static inline void expect_after(fault_call routine, fault_kind kind, int spared)
{
    expect(routine, kind, INT_MAX);
    plan[routine].first = spared + 1;
}

static inline void all_well(void)
{
    memset(plan, 0, sizeof plan);
    fault_hook = planned_kind;
}

static inline void unhook(void)
{
    fault_over();
}

#endif
