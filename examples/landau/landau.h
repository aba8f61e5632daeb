/* The homogeneous Landau equation for Maxwell molecules by particles and learnt scores, against the
 * solution of Bobylev, Krook and Wu. */
#ifndef EXAMPLES_LANDAU_H
#define EXAMPLES_LANDAU_H

#include "examples/support/collocation.h"
#include "examples/support/paper.h"
#include "examples/support/program.h"
#include "examples/support/progress.h"

/* ---- exact.c: the law with d = 2 or 3 and u = |v|^2 ---------------------------------------------
 */

typedef struct {
    int d;
    double b, k; /* collision strength; K(t) */
} bkw;

bkw bkw_at(int d, double t);                     /* B = 1/16 and C0 = 1/2, or B = 1/24 and C0 = 1 */
double bkw_slope(const bkw *f, double u);        /* score = slope v */
double bkw_slope_change(const bkw *f, double u); /* d slope / du */
double bkw_cdf(const bkw *f, double u);          /* of u, d = 2 */
double bkw_quantile(const bkw *f, double p);
double bkw_fisher(const bkw *f);   /* E |s|^2, by quadrature, as what follows */
double bkw_fourth(const bkw *f);   /* E |v|^4 */
double bkw_entropy(const bkw *f);  /* E log f */
double bkw_matching(const bkw *f); /* E (|s|^2/2 + div s) */

/* v at time t of what was v0 at time 0, d = 2: no steps in time. */
void bkw_flow(double *v, const double *v0, double t);

/* n points of the law in even strata of u, at angles of the golden section. */
void bkw_sample(ng_mat v, const bkw *f);

/* Velocities of particles v (n x d) with scores s, by the moments in n d^2 steps, and by the double
 * sum. */
void landau_moments(ng_mat u, ng_mat v, ng_mat s, double b);
void landau_sum(ng_mat u, ng_mat v, ng_mat s, double b);

/* ---- Stages -------------------------------------------------------------------------------------
 */

void check_identities(paper *p); /* identities.c: C1 to C8 */
void supervised(paper *p);       /* scores.c */
void implicit(paper *p);
void time_steps(paper *p); /* paths.c */
void flow_map(paper *p);

/* ---- scores.c
 * ------------------------------------------------------------------------------------- */

/* A net for the score s: R^2 -> R^2, 2-16-16-2, at particles. */
typedef struct {
    ng_smooth_options net;
    collocation c;
    ng_mat v, wanted; /* n x 2 */
    ng_fisher *fisher;
    ng_optimizer *opt;
    ng_group *group;
    ng_mat gram;
} score;

void score_open(score *s, const paper *p, size_t n, size_t seed);
void score_close(score *s);

/* Supervised steps to the scores in s->wanted until the squared relative error is below goal;
 * returns how many. *error <- the last one. */
size_t score_fit(score *s, double goal, size_t most, double *error);

/* mean(|s|^2/2 + div s) at points x; and what the net says there (may be none). */
double score_matching(score *s, ng_mat x, ng_mat values);

/* One natural gradient step of that loss on s->v. */
void score_step(score *s, double damping, double lr);

double score_error(score *s, ng_mat x, const bkw *f); /* |s - s*|^2 / |s*|^2 at x */

#endif
