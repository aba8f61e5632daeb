#include "tests/support/families.h"

static family make(const char *name, size_t outcomes, size_t n)
{
    family f = {name, dense_mat(outcomes, n), dense_mat(1, outcomes), dense_mat(n, n)};
    return f;
}

family family_categorical(size_t n, const double *p)
{
    family f = make("categorical", n, n);
    for (size_t y = 0; y < n; y++) {
        ng_mat_set(f.weights, 0, y, p[y]);
        for (size_t j = 0; j < n; j++) {
            ng_mat_set(f.scores, y, j, (y == j) - p[j]);
            ng_mat_set(f.closed, y, j, (y == j ? p[y] : 0) - p[y] * p[j]);
        }
    }
    return f;
}

family family_bernoulli(size_t n, const double *p)
{
    family f = make("Bernoulli", (size_t)1 << n, n);
    for (size_t y = 0; y < f.scores.rows; y++) {
        double probability = 1;
        for (size_t j = 0; j < n; j++) {
            int bit = (y >> j & 1) != 0;
            probability *= bit ? p[j] : 1 - p[j];
            ng_mat_set(f.scores, y, j, bit - p[j]);
        }
        ng_mat_set(f.weights, 0, y, probability);
    }
    for (size_t j = 0; j < n; j++)
        ng_mat_set(f.closed, j, j, p[j] * (1 - p[j]));
    return f;
}

family family_normal(double mean, double sigma)
{
    static const double nodes[] = {-1, 0, 1}, weights[] = {1.0 / 6, 2.0 / 3, 1.0 / 6};
    family f = make("normal", 3, 2);
    for (size_t y = 0; y < 3; y++) {
        double x = mean + sqrt(3) * sigma * nodes[y], d = x - mean;
        ng_mat_set(f.weights, 0, y, weights[y]);
        ng_mat_set(f.scores, y, 0, d / (sigma * sigma));
        ng_mat_set(f.scores, y, 1, d * d / (sigma * sigma * sigma) - 1 / sigma);
    }
    ng_mat_set(f.closed, 0, 0, 1 / (sigma * sigma));
    ng_mat_set(f.closed, 1, 1, 2 / (sigma * sigma));
    return f;
}

family family_means(ng_mat k)
{
    size_t n = k.rows;
    family f = make("means", 2 * n, n);
    ng_mat root = dense_power(k, -0.5), turned = dense_mul(root, 0, k, 0);
    for (size_t y = 0; y < 2 * n; y++) {
        ng_mat_set(f.weights, 0, y, 0.5 / (double)n);
        for (size_t j = 0; j < n; j++) /* the score of x is (x - mean) k */
            ng_mat_set(f.scores, y, j,
                       (y < n ? 1 : -1) * sqrt((double)n) * ng_mat_get(turned, y % n, j));
    }
    f.closed = dense_of(k);
    return f;
}

family family_ising_ring(double coupling)
{
    enum { SPINS = 3, STATES = 8 };
    family f = make("Ising ring", STATES, 2 * SPINS);
    double t = tanh(coupling), c = (t + t * t) / (1 + t * t * t), z = 0;
    for (size_t y = 0; y < STATES; y++) {
        double s[SPINS], energy = 0;
        for (size_t i = 0; i < SPINS; i++)
            s[i] = (y >> i & 1) != 0 ? 1 : -1;
        for (size_t i = 0; i < SPINS; i++) {
            double pair = s[i] * s[(i + 1) % SPINS];
            ng_mat_set(f.scores, y, i, s[i]); /* the mean of a spin is 0 */
            ng_mat_set(f.scores, y, SPINS + i, pair - c);
            energy += coupling * pair;
        }
        ng_mat_set(f.weights, 0, y, exp(energy));
        z += exp(energy);
    }
    for (size_t y = 0; y < STATES; y++)
        ng_mat_set(f.weights, 0, y, ng_mat_get(f.weights, 0, y) / z);
    for (size_t i = 0; i < SPINS; i++)
        for (size_t j = 0; j < SPINS; j++) {
            ng_mat_set(f.closed, i, j, i == j ? 1 : c);
            ng_mat_set(f.closed, SPINS + i, SPINS + j, (i == j ? 1 : c) - c * c);
        }
    return f;
}
