/* FISMO as a plain dense program in double (Xu et al. 2026, Alg. 1): the
 * oracle the library is compared with. Symmetric roots by Jacobi throughout. */
#ifndef NG_TEST_FISMO_H
#define NG_TEST_FISMO_H

#include "tests/support/dense.h"

typedef struct {
    double momentum, ema_decay, damping; /* beta, gamma, mu */
    int whitened;                        /* the average is of whitened gradients */
    int nesterov;
    int rms;                  /* gradients divided by their root mean square */
    int unscaled;             /* factors keep their trace */
    int q_first;              /* the wrong Gauss-Seidel order, to be told apart */
    int every_p, every_q;     /* steps from one update to the next; 0 is 1 */
    int without_p, without_q; /* that factor stays the identity */
    int rank;                 /* of the larger side's factor; 0: it is whole. No equal sides */
} fismo_rule;

typedef struct {
    fismo_rule rule;
    ng_mat p, q, m; /* owned: m is the average */
    ng_mat u;       /* owned: directions of the factor of low rank, its other eigenvalues are */
    double rho;
    int step;
} fismo_state;

void fismo_open(fismo_state *state, size_t outputs, size_t inputs, fismo_rule rule);
void fismo_close(fismo_state *state);

/* One step; the direction D is on dense.h's list. */
ng_mat fismo_step(fismo_state *state, ng_mat g);

/* s_P x s_Q with the state's factors to the power p, for instance P^-1/2 x Q^-1/2 */
ng_mat fismo_between(const fismo_state *state, double p, ng_mat x);

#endif
