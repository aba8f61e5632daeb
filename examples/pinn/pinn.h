/* Differential equations by nets, and how fast each method solves them. */
#ifndef EXAMPLES_PINN_H
#define EXAMPLES_PINN_H

#include "examples/support/collocation.h"
#include "examples/support/paper.h"
#include "examples/support/program.h"
#include "examples/support/progress.h"

/* ---- Problems -------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    size_t d, widths[MAX_LAYERS], layers;
    ng_smooth_order order;
    collocation_residual *inside, *boundary;
    double (*solution)(const double *x);
    size_t inner, outer; /* points */
    double weight;       /* of the boundary's mean square beside that inside */
    int anew;            /* points are drawn for every step */
} problem;

extern const problem poisson2, heat, poisson5;

typedef struct {
    const problem *of;
    ng_smooth_options net;
    collocation c;
    ng_mat inner, outer, test; /* points */
    ng_smooth *judge;
    ng_mat jets, truth;
    const ng_random *random;
} solver;

/* Weights and points of that seed. */
void solver_open(solver *s, const problem *of, const paper *p, size_t seed);
void solver_close(solver *s);
void solver_draw(solver *s); /* other points */

/* Relative L2 error over the test points. */
double solver_error(solver *s);

/* ---- Methods ----------------------------------------------------------------------------------
 */

typedef struct {
    const char *name, *preset; /* preset NULL: the residual form */
    ng_residual_options natural;
    int accelerated;
    double lr;
} method;

typedef struct {
    double error, cpu, reached; /* at the end; processor time of it; when `goal` was met, or NAN */
    size_t steps;
} outcome;

method method_natural(const char *name);
method method_preset(const char *preset, double lr);

/* `seconds` of processor time; a row of the table every so often. goal: ends there if > 0. */
outcome solve(solver *s, paper *p, const method *m, size_t seed, double seconds, double goal);

/* The best of several learning rates, each from the same start. */
outcome solve_best(paper *p, const problem *of, const char *preset, const double *rates,
                   size_t count, size_t seed, double seconds, double *rate);

/* Limited-memory BFGS by liblbfgs; error NAN where the program was built without it. */
outcome solve_lbfgs(solver *s, paper *p, size_t seed, double seconds);

void record(paper *p, const solver *s, const char *method, size_t seed, size_t step, double cpu,
            double error);

#endif
