/* Our side of comparisons of whole optimizer steps: one float32 matrix, another gradient each time. */
#ifndef NG_BENCH_STEP_OURS_H
#define NG_BENCH_STEP_OURS_H

#include <natgrad.h>

enum { GRADIENTS = 4 };

typedef struct {
    float *w, *g[GRADIENTS];
    size_t rows, cols;
} problem;

void create_problem(problem *a, size_t rows, size_t cols);
void destroy_problem(problem *a);

typedef struct {
    const problem *of;
    float *w;
    ng_optimizer *optimizer;
    ng_group *group;
    size_t steps, together; /* taken so far; in one call of run_ours */
} ours;

void create_ours(ours *o, const problem *a, const void *options);
void take_step(ours *o);
void run_ours(void *data);
void destroy_ours(ours *o);

#endif
