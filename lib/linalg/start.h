/* A block to begin an iteration with that is the same every time. */
#ifndef NGI_LINALG_START_H
#define NGI_LINALG_START_H

#include <math.h>
#include <stdint.h>

#include <natgrad/mat.h>

/* Element number i of the start, in [-1, 1): splitmix64 (Steele, Lea & Flood
 * 2014) of i, so that no start is orthogonal to an eigenvector of a problem
 * with any pattern. */
static inline double ngi_start_element(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ldexp((double)((z ^ (z >> 31)) >> 11), -52) - 1;
}

static inline void ngi_fill_start(ng_mat x)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(x, i, j, ngi_start_element((uint64_t)(i * x.cols + j)));
}

#endif
