/* The last lines of a program that reproduces a paper, for machines. */
#ifndef EXAMPLES_TARGET_H
#define EXAMPLES_TARGET_H

typedef enum { VERDICT_NO, VERDICT_PARTLY, VERDICT_YES } verdict_kind;

/* "target paper=ska name=k_min expected=29.2 found=29.4 tolerance=0.6 ok=yes".
 * Returns whether found is within the tolerance of what is expected; a NaN is
 * not. paper and name: one word each. */
int target_print(const char *paper, const char *name, double expected, double found,
                 double tolerance);

/* verdict paper=fismo claim="..." holds=yes|no|partly */
void verdict_print(const char *paper, const char *claim, verdict_kind holds);

#endif
