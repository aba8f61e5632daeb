/* The polar factor as others get it, in C: written on the Fortran names of
 * BLAS and LAPACK alone, workspace made once, nothing checked. */
#ifndef NG_BENCH_POLAR_PEERS_H
#define NG_BENCH_POLAR_PEERS_H

#include <stddef.h>

typedef struct {
    const float *x;        /* rows x cols, row-major, left as it is */
    float *u;              /* the result, likewise */
    int rows, cols, small; /* small = min(rows, cols) */
    float *a, *b;          /* rows x cols scratch */
    float *gram, *square;  /* small x small */
    float *left, *right, *values, *work; /* of the SVD */
    int *iwork, work_size;
} polar_peer;

void polar_peer_create(polar_peer *peer, const float *x, size_t rows, size_t cols);
void polar_peer_destroy(polar_peer *peer);

/* data is a polar_peer. U V^T by sgesdd and one sgemm. */
void polar_gesdd(void *data);

/* Muon's five quintic steps with sgemm only, and with ssyrk where the result
 * is symmetric and ssymm where a factor is. */
void polar_ns5_gemm(void *data);
void polar_ns5_syrk(void *data);

/* c = a b of n x n, for the machine's limits: data is a gemm_job. */
typedef struct {
    int n;
    void *a, *b, *c;
} gemm_job;

void machine_sgemm(void *data);
void machine_dgemm(void *data);

#endif
