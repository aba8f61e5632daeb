/* Paths between two mixtures on the line. */
#ifndef EXAMPLES_INTERPOLANTS_H
#define EXAMPLES_INTERPOLANTS_H

#include "examples/support/paper.h"

enum { SCHEDULES = 8 };

/* x_t = alpha x0 + beta x1 + gamma z */
typedef struct {
    const char *name;
    ng_interpolant (*at)(double t);
    int from_noise; /* one-sided: rho0 is N(0, 1) */
} schedule;

extern const schedule schedules[SCHEDULES];
const schedule *schedule_find(const char *name);

/* rho0 = N(-3, .25)/2 + N(3, .25)/2; rho1: N(-6, .5), N(0, .33), N(6, .5), a third each */
typedef struct {
    ng_mixture *from, *to, *noise;
} ends;

extern ends world;
void make_world(paper *p);

/* The laws where a schedule begins. */
const ng_mixture *begin_of(const schedule *s);

/* Fields at the rows of x: log density, velocity, score; any may be none. */
void fields_at(const schedule *s, ng_mat log_density, ng_mat velocity, ng_mat score, ng_mat x,
               double t);

/* stages: exact.c, learn.c */
void check_cdf(paper *p);
void check_continuity(paper *p);
void check_marginals(paper *p);
void check_bounds(paper *p);
void check_learning(paper *p);

#endif
