#include "tests/geometry/worlds.h"

enum { MOST = 32 };

static size_t edges(world_graph graph, int v, int (*edge)[2])
{
    size_t n = 0;
    for (int i = 0; i < v; i++)
        for (int j = i + 1; j < v; j++)
            if (graph == COMPLETE || (graph == STAR && i == 0) || (graph != STAR && j == i + 1) ||
                (graph == CYCLE && i == 0 && j == v - 1)) {
                ck_assert_uint_lt(n, MOST);
                edge[n][0] = i, edge[n][1] = j;
                n++;
            }
    return n;
}

ng_mat world_ising(world_graph graph, int vertices, double coupling)
{
    int edge[MOST][2];
    size_t n = edges(graph, vertices, edge);
    ng_mat second = dense_mat(n, n), first = dense_mat(1, n);
    double z = 0;
    for (int state = 0; state < 1 << vertices; state++) {
        double t[MOST], energy = 0;
        for (size_t e = 0; e < n; e++) {
            t[e] = (state >> edge[e][0] & 1) == (state >> edge[e][1] & 1) ? 1 : -1;
            energy += coupling * t[e];
        }
        double p = exp(energy);
        z += p;
        for (size_t a = 0; a < n; a++) {
            ng_mat_set(first, 0, a, ng_mat_get(first, 0, a) + p * t[a]);
            for (size_t b = 0; b < n; b++)
                ng_mat_set(second, a, b, ng_mat_get(second, a, b) + p * t[a] * t[b]);
        }
    }
    return dense_add(1 / z, second, -1 / z / z, dense_mul(first, 1, first, 0));
}

ng_mat world_spd(const double *values, size_t n, test_rng *rng)
{
    ng_mat v = test_orthogonal(n, rng), scaled = dense_of(v), basis = dense_of(v);
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < n; j++)
            ng_mat_set(scaled, k, j, values[k] * ng_mat_get(v, k, j));
    test_free(v);
    return dense_mul(basis, 1, scaled, 0);
}

void world_spectrum(double *values, size_t n, double cond, double unit, test_rng *rng)
{
    for (size_t k = 0; k < n; k++)
        values[k] = unit * pow(cond, test_uniform(rng));
    values[0] = unit;
    values[n - 1] = n > 1 ? unit * cond : unit;
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && values[j] < values[j - 1]; j--) {
            double swap = values[j];
            values[j] = values[j - 1], values[j - 1] = swap;
        }
}

ng_mat world_lower(ng_mat a, ng_dtype dtype, size_t pad)
{
    ng_mat m = test_mat(a.rows, a.cols, pad, dtype);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j < a.cols; j++)
            ng_mat_set(m, i, j, j <= i ? ng_mat_get(a, i, j) : 1234.5 + (double)j);
    return m;
}
