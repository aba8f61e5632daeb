/* Exponential families with F and third cumulants in closed form, for tests. */
#ifndef NG_TEST_CURVATURE_WORLDS_H
#define NG_TEST_CURVATURE_WORLDS_H

#include "tests/support/tensor.h"

#include <natgrad/curvature.h>
#include <stdlib.h>

typedef struct {
    size_t n;
    ng_mat f;      /* n x n, on dense.h's list */
    double *kappa; /* n^3, free it */
} family;

static inline family family_create(size_t n)
{
    size_t count = n < 100 ? n * n * n : 0;
    family w = {n, dense_mat(n, n), calloc(count, sizeof(double))};
    ck_assert(count > 0 && w.kappa != NULL);
    return w;
}

/* Indicators of the first k - 1 of k outcomes with probabilities p. */
static inline family family_categorical(const double *p, size_t k)
{
    family w = family_create(k - 1);
    for (size_t a = 0; a < w.n; a++)
        for (size_t b = 0; b < w.n; b++) {
            ng_mat_set(w.f, a, b, (a == b) * p[a] - p[a] * p[b]);
            for (size_t c = 0; c < w.n; c++)
                w.kappa[(a * w.n + b) * w.n + c] =
                    (a == b && b == c) * p[a] -
                    ((a == b) * p[a] * p[c] + (b == c) * p[b] * p[a] + (a == c) * p[a] * p[b]) +
                    2 * p[a] * p[b] * p[c];
        }
    return w;
}

/* E[x_i1 ... x_ik] of N(mean, sigma): Isserlis with a mean */
static inline double gauss_moment(const size_t *index, size_t k, const double *mean,
                                  const double *sigma, size_t d)
{
    size_t rest[6];
    if (k == 0 || k > 6)
        return 1;
    double sum = mean[index[0]] * gauss_moment(index + 1, k - 1, mean, sigma, d);
    for (size_t j = 1; j < k; j++) {
        size_t count = 0;
        for (size_t i = 1; i < k; i++)
            if (i != j)
                rest[count++] = index[i];
        sum += sigma[index[0] * d + index[j]] * gauss_moment(rest, k - 2, mean, sigma, d);
    }
    return sum;
}

/* Statistics x_i (unless the mean is fixed) and x_i x_j of N(mean, sigma). */
static inline family family_gauss(const double *mean, const double *sigma, size_t d, int fixed)
{
    size_t stat[9][2], degree[9], n = 0;
    for (size_t i = 0; i < d && !fixed; i++, n++)
        stat[n][0] = i, degree[n] = 1;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++, n++)
            stat[n][0] = i, stat[n][1] = j, degree[n] = 2;
    family w = family_create(n);
    double m[8]; /* moments of the subsets of {a, b, c} */
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            for (size_t c = 0; c < n; c++) {
                const size_t which[3] = {a, b, c};
                for (int s = 0; s < 8; s++) {
                    size_t index[6], k = 0;
                    for (int i = 0; i < 3; i++)
                        for (size_t e = 0; (s >> i & 1) && e < degree[which[i]]; e++)
                            index[k++] = stat[which[i]][e];
                    m[s] = gauss_moment(index, k, mean, sigma, d);
                }
                ng_mat_set(w.f, a, b, m[3] - m[1] * m[2]);
                w.kappa[(a * n + b) * n + c] =
                    m[7] - m[3] * m[4] - m[5] * m[2] - m[6] * m[1] + 2 * m[1] * m[2] * m[4];
            }
    return w;
}

/* An Ising model on a graph with one coupling an edge. */
typedef struct {
    size_t edges;
    size_t mask[10];
    int spins;
} graph;

static inline graph graph_of(int spins, size_t edges, const int (*edge)[2])
{
    graph g = {.edges = edges, .spins = spins};
    for (size_t e = 0; e < edges; e++)
        g.mask[e] = (size_t)1 << edge[e][0] ^ (size_t)1 << edge[e][1];
    return g;
}

static inline graph graph_cycle(int n)
{
    int edge[10][2];
    for (int i = 0; i < n; i++)
        edge[i][0] = i, edge[i][1] = (i + 1) % n;
    return graph_of(n, (size_t)n, (const int(*)[2])edge);
}

static inline graph graph_complete(int n)
{
    int edge[10][2];
    size_t e = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++, e++)
            edge[e][0] = i, edge[e][1] = j;
    return graph_of(n, e, (const int(*)[2])edge);
}

static inline family family_ising(const graph *g, const double *theta)
{
    family w = family_create(g->edges);
    tensor_walsh(w.f, w.kappa, NULL, g->edges, g->mask, theta, g->spins);
    return w;
}

#endif
