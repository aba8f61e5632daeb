/* Whole optimizer steps as others take them, in C, float32, on BLAS and LAPACK
 * alone, workspace made once, nothing checked. */
#ifndef NG_BENCH_STEP_PEERS_H
#define NG_BENCH_STEP_PEERS_H

#include "tests/bench/polar_peers.h"

/* Muon (Jordan 2024): momentum as a moving average, Nesterov, five quintic
 * Newton-Schulz steps, the weights. */
typedef struct {
    float *w, *m, *x; /* rows x cols: weights, average, what is orthogonalised */
    const float *g;   /* the gradient of the next step */
    float lr, momentum;
    polar_peer polar; /* of x */
} muon_peer;

void muon_peer_create(muon_peer *peer, const float *w, size_t rows, size_t cols);
void muon_peer_destroy(muon_peer *peer);
void muon_peer_step(muon_peer *peer);

/* One Kronecker factor of FISMO with what a step needs of it. */
typedef struct {
    int n;
    float *factor, *inverse, *inverse_root; /* n x n */
    float *vectors, *scaled, *values;       /* of the eigendecomposition */
    float *work;
    int *iwork, work_size, iwork_size;
} textbook_factor;

/* FISMO as Algorithm 1 reads (Xu et al. 2026): each step new eigenpairs of P
 * and Q by ssyevd, inverses and inverse square roots from them, the polar
 * factor by sgesdd. */
typedef struct {
    float *w, *m, *x, *y; /* rows x cols: weights, average, scratch */
    const float *g;       /* the gradient of the next step */
    float lr, momentum, ema_decay, damping;
    textbook_factor p, q;
    polar_peer polar; /* of m */
} textbook_peer;

void textbook_peer_create(textbook_peer *peer, const float *w, size_t rows, size_t cols);
void textbook_peer_destroy(textbook_peer *peer);
void textbook_peer_step(textbook_peer *peer);

#endif
