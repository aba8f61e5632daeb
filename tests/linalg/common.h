/* What the linear algebra tests share: awkward shapes, padded random matrices,
 * matrices of a known spectrum, and the strict upper triangle that symmetric
 * and triangular arguments must not care about. */
#ifndef NG_TEST_LINALG_COMMON_H
#define NG_TEST_LINALG_COMMON_H

#include <float.h>

#include <natgrad/linalg.h>

#include "tests/support/support.h"

enum { PAD = 3 };

typedef struct {
    size_t m, n;
} test_shape;

static const test_shape test_shapes[] = {{0, 0}, {0, 5},  {5, 0},  {1, 1},   {1, 9},   {9, 1},
                                         {4, 4}, {7, 13}, {13, 7}, {65, 33}, {33, 65}, {130, 257}};
#define N_SHAPES (sizeof test_shapes / sizeof test_shapes[0])

static const size_t test_sizes[] = {0, 1, 2, 5, 13, 33, 65, 130};
#define N_SIZES (sizeof test_sizes / sizeof test_sizes[0])

/* m x n normal numbers, rows padded. */
static inline ng_mat random_mat(size_t m, size_t n, ng_dtype dtype, test_rng *rng)
{
    ng_mat x = test_mat(m, n, PAD, dtype);
    test_fill_normal(x, rng);
    return x;
}

/* value everywhere above the diagonal */
static inline void set_upper(ng_mat x, double value)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = i + 1; j < x.cols; j++)
            ng_mat_set(x, i, j, value);
}

/* the strict upper triangle holds value everywhere; NaN equals NaN */
static inline int upper_is(ng_mat x, double value)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = i + 1; j < x.cols; j++) {
            double e = ng_mat_get(x, i, j);
            if (isnan(value) ? !isnan(e) : e != value)
                return 0;
        }
    return 1;
}

/* the lower triangle onto the upper one, without the library */
static inline void symmetrise(ng_mat x)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < i; j++)
            ng_mat_set(x, j, i, ng_mat_get(x, i, j));
}

/* Q^T diag(w) Q in double: row k of Q is the eigenvector of w[k] */
static inline ng_mat from_spectrum(ng_mat q, const double *w)
{
    ng_mat scaled = test_copy(q), a = test_mat(q.cols, q.cols, PAD, NG_F64);
    for (size_t k = 0; k < q.rows; k++)
        for (size_t j = 0; j < q.cols; j++)
            ng_mat_set(scaled, k, j, w[k] * ng_mat_get(q, k, j));
    test_matmul(a, q, 1, scaled, 0);
    symmetrise(a);
    test_free(scaled);
    return a;
}

/* the same numbers in another dtype, rows padded */
static inline ng_mat padded(ng_mat m, ng_dtype dtype)
{
    ng_mat x = test_mat(m.rows, m.cols, PAD, dtype);
    test_assign(x, m);
    return x;
}

/* ||x x^T - I||_F for the rows of x */
static inline double row_defect(ng_mat x)
{
    ng_mat g = test_mat(x.rows, x.rows, 0, NG_F64);
    test_matmul(g, x, 0, x, 1);
    for (size_t i = 0; i < g.rows; i++)
        ng_mat_set(g, i, i, ng_mat_get(g, i, i) - 1);
    double defect = test_norm(g);
    test_free(g);
    return defect;
}

/* A view whose sizes are a lie; its one element must never be touched. */
static inline ng_mat fake(size_t rows, size_t cols, ng_dtype dtype)
{
    static double element;
    ng_mat m = {&element, rows, cols, cols, dtype};
    return m;
}

/* one more than the largest BLAS integer */
#define TOO_MANY ((size_t)1 << 31)

#endif
