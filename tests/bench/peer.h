/* A contestant outside C: another process that is asked over a pipe. See
 * peer_torch.py for what is said. */
#ifndef NG_BENCH_PEER_H
#define NG_BENCH_PEER_H

#include "tests/bench/bench.h"

typedef struct {
    long pid; /* 0: absent */
    int to, from;
    char hello[128]; /* what it said when it was ready */
    char pending[256];
    size_t held; /* bytes in pending that belong to the next line */
} bench_peer;

/* One request to a peer; the side that makes it must not outlive either. */
typedef struct {
    bench_peer *to;
    const char *request; /* "train_step 64" */
} bench_request;

/* Starts PyTorch with bench_threads() threads: the script with the first
 * interpreter among $PYTHON, configure's, python3 and /usr/bin/python3 that
 * has torch. Without any the peer is absent, which is no error. */
void bench_torch_start(bench_peer *peer);

void bench_peer_stop(bench_peer *peer);

bench_side bench_peer_side(const char *name, bench_request *request);

#endif
