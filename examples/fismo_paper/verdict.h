/* Where the numbers of a comparison agree with the paper. */
#ifndef FISMO_PAPER_VERDICT_H
#define FISMO_PAPER_VERDICT_H

#include "examples/fismo_paper/fismo_paper.h"

typedef enum { TRAIN_LOSS, HELD_OUT_LOSS, ACCURACY, ROUGHNESS } quantity;

/* Of a run's end; ROUGHNESS is the sum of all rises of the held-out loss from
 * one evaluation to the next. NaN for a run that left the numbers. */
double quantity_of(const run *r, quantity what);

/* Over `seeds` runs of one method. */
double quantity_median(const run *runs, size_t seeds, quantity what);

/* Prints the claims about the task as a table, each with the numbers it
 * compares, a sentence that sums up, and a verdict line each. A claim holds if
 * the medians and all seeds agree with it. runs: method by method, all seeds of each. */
void verdicts(const config *c, const task *t, const run *runs);

#endif
