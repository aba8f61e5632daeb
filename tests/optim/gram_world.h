/* What the oracles of the metrics of averaged G G^T and G^T G have in common. */
#ifndef NG_TEST_GRAM_WORLD_H
#define NG_TEST_GRAM_WORLD_H

#include "tests/support/dense.h"
#include "tests/support/run.h"

static inline double tolerance(test_setup setup)
{
    return setup.dtype == NG_F64 ? 1e-9 : 1e-3;
}

static inline ng_mat map(ng_mat x, ng_mat y, double (*f)(double, double, double), double c)
{
    ng_mat z = dense_mat(x.rows, x.cols);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(z, i, j, f(ng_mat_get(x, i, j), ng_mat_get(y, i, j), c));
    return z;
}

static inline double adams(double m, double v, double eps)
{
    return m / (sqrt(v) + eps);
}

static inline double times(double x, double y, double c)
{
    return c * x * y;
}

/* Rows within a space of dimension 2, wide or tall: what lies beyond stays zero. */
static inline ng_mat gradient(size_t m, size_t n, int step)
{
    test_rng fixed = {17}, rng = {(unsigned long long)step + 100};
    ng_mat small = dense_normal(m < n ? m : n, m < n ? m : n, &rng);
    ng_mat frame = dense_normal(m < n ? m : n, m < n ? n : m, &fixed);
    return m <= n ? dense_mul(small, 0, frame, 0) : dense_mul(frame, 1, small, 0);
}

static const size_t shapes[][2] = {{3, 3}, {2, 5}, {5, 2}, {1, 4}, {4, 1}, {1, 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

#endif
