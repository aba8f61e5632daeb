/* Variational Monte Carlo of the Ising ring in a transverse field, H = -sum sz sz - h sum sx, by a
 * positive restricted Boltzmann machine. */
#ifndef EXAMPLES_VMC_H
#define EXAMPLES_VMC_H

#include <natgrad-train.h>

#include "examples/support/paper.h"
#include "examples/support/program.h"
#include "examples/support/progress.h"

/* ---- The machine ----------------------------------------------------------------------------- */

/* log psi(s) = sum_j log 2 cosh(theta_j), theta_j = b_j + sum_i W_ji s_i, with alpha N hidden
 * units. symmetric: unit (f, t) has filter f moved by t along the ring. Weights: rows [W b] of N
 * + 1. */
typedef struct {
    size_t spins, alpha, hidden, n; /* N, alpha, alpha N, weights */
    int symmetric;
    double h;
    ng_mat w; /* 1 x n */
    ng_mat full, cosh2, sinh2,
        bias; /* N x hidden of all units: W^T, cosh 2W, sinh 2W; 1 x hidden */
} machine;

machine machine_make(size_t spins, size_t alpha, int symmetric, double h, const ng_random *random);

/* To be called whenever w has changed. */
void machine_expand(machine *m);

/* ---- Chains ------------------------------------------------------------------------------------
 */

typedef struct {
    machine *m;
    const ng_random *random;
    ng_mat s, theta, t; /* chains x N, chains x hidden: spins, fields, tanh theta */
    ng_mat draws;       /* 1 x N */
    double accepted, tried;
} chains;

chains chains_make(machine *m, size_t count, const ng_random *random);

/* theta and t for the present weights. */
void chains_refresh(chains *c);

/* One attempt at every spin of every chain, in order. */
void chains_sweep(chains *c);

/* The local energy of a chain; row (1 x n, or none) <- d log psi / dw. */
double chains_energy(const chains *c, size_t chain, ng_mat row);

/* ---- Numbers
 * ------------------------------------------------------------------------------------- */

/* -sum_k sqrt(1 + h^2 - 2 h cos k), k = (2 j - 1) pi / N. */
double exact_energy(size_t spins, double h);

typedef struct {
    double energy, bar;
} estimate;

/* Of `total` samples at the machine's weights; the error bar by blocking. */
estimate measure(machine *m, size_t total, const ng_random *random);

/* The same without samples: all 2^N states. */
double enumerate(machine *m);

#endif
