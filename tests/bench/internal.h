/* What the files of the harness share: what was measured, and how it is told. */
#ifndef NG_BENCH_INTERNAL_H
#define NG_BENCH_INTERNAL_H

#include <stddef.h>

enum { BENCH_PAIRS_FEW = 5, BENCH_PAIRS_MIN = 7, BENCH_PAIRS_MAX = 31, BENCH_RESULTS_MAX = 128 };

typedef struct {
    const char *claim, *label;
    const char *ours_name, *peer_name;
    int stated;   /* a value without timings */
    size_t pairs; /* 0: a side is absent, or the value is stated */
    double ours[BENCH_PAIRS_MAX], peer[BENCH_PAIRS_MAX]; /* seconds a unit */
    double value, low, high;                             /* of the ratios: median, extremes */
} bench_result;

/* Middle of n numbers, which are left in their order. */
double bench_median(const double *x, size_t n);

/* The goal of a claim, negative if the table has none. */
double bench_goal(const char *claim, const char *label);

/* CPU, BLAS and threads in one line. */
void bench_print_machine(const char *name, int threads);

void bench_print_heading(void);
void bench_print_row(const bench_result *result);
void bench_print_claims(const bench_result *results, size_t count);

#endif
