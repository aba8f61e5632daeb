/* The inverse square root as Shampoo's iterative root finds it: Newton's
 * iteration coupled with its residual (Guo and Higham 2006, p = 2), in float32
 * on sgemm alone. */
#ifndef NG_BENCH_POWER_PEERS_H
#define NG_BENCH_POWER_PEERS_H

#include <stddef.h>

typedef struct {
    const float *a; /* n x n, symmetric positive definite, left as it is */
    float *x;       /* the result, a^(-1/2) */
    int n, iterations;
    float error;               /* max |M - I| at the end */
    float *m, *next, *scratch; /* n x n */
} newton_peer;

void newton_peer_create(newton_peer *peer, const float *a, size_t n);
void newton_peer_destroy(newton_peer *peer);

/* data is a newton_peer. */
void newton_inverse_sqrt(void *data);

#endif
