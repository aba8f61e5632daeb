/* Families with an oracle: a list of points x with probabilities p that gives
 * every expectation of interest by a direct sum. For discrete families it is
 * the list of all states; for Gaussians Gauss-Hermite nodes, exact for the
 * polynomials that occur. T(x), energies and densities are computed here. */
#ifndef NG_TEST_FAMILY_WORLD_H
#define NG_TEST_FAMILY_WORLD_H

#include <natgrad-lab.h>

#include "tests/support/support.h"

enum { WORLD_N = 16, WORLD_WIDTH = 16, WORLD_POINTS = 1 << 12 };

typedef enum { ISING, CATEGORICAL, BERNOULLI, GAUSSIAN, GAUSSIAN_CENTRED } world_kind;

typedef struct {
    const char *name;
    world_kind kind;
    size_t size; /* spins, outcomes, bits, dimensions */
    size_t edges;
    uint32_t edge[WORLD_N];
} world_shape;

static const world_shape world_shapes[] = {
    {"one spin", ISING, 1, 1, {1}},
    {"pair", ISING, 2, 1, {3}},
    {"K3", ISING, 3, 3, {3, 5, 6}},
    {"C6", ISING, 6, 6, {3, 6, 12, 24, 48, 33}},
    {"K5", ISING, 5, 10, {3, 5, 9, 17, 6, 10, 18, 12, 20, 24}},
    {"three body", ISING, 5, 8, {7, 14, 28, 1, 18, 31, 16, 11}},
    {"four body", ISING, 6, 7, {15, 60, 51, 3, 6, 33, 63}},
    {"loose spins", ISING, 4, 2, {2, 6}},
    {"two outcomes", CATEGORICAL, 2, 0, {0}},
    {"five outcomes", CATEGORICAL, 5, 0, {0}},
    {"bit", BERNOULLI, 1, 0, {0}},
    {"four bits", BERNOULLI, 4, 0, {0}},
    {"N(m, s)", GAUSSIAN, 1, 0, {0}},
    {"N(m, S2)", GAUSSIAN, 2, 0, {0}},
    {"N(m, S3)", GAUSSIAN, 3, 0, {0}},
    {"N(0, S3)", GAUSSIAN_CENTRED, 3, 0, {0}},
};
enum { WORLD_SHAPES = sizeof world_shapes / sizeof *world_shapes };

typedef struct {
    world_shape shape;
    ng_family *family;
    size_t n, points;
    double theta[WORLD_N];
    double log_z;
    double p[WORLD_POINTS], t[WORLD_POINTS][WORLD_N];
} world;

static inline int world_gaussian(world_shape s)
{
    return s.kind == GAUSSIAN || s.kind == GAUSSIAN_CENTRED;
}

static inline ng_family *world_family(world_shape s)
{
    ng_family *f = NULL;
    ng_error error = {NG_OK, ""};
    if (s.kind == ISING)
        ng_assert_ok(ng_family_create_ising(&f, s.size, s.edge, s.edges, &error), &error);
    else if (s.kind == CATEGORICAL)
        ng_assert_ok(ng_family_create_categorical(&f, s.size, &error), &error);
    else if (s.kind == BERNOULLI)
        ng_assert_ok(ng_family_create_bernoulli(&f, s.size, &error), &error);
    else
        ng_assert_ok(ng_family_create_gaussian(&f, s.size, s.kind == GAUSSIAN, &error), &error);
    return f;
}

/* T of a discrete state */
static inline void world_state(const world *w, double *t, size_t state)
{
    for (size_t a = 0; a < w->n; a++)
        if (w->shape.kind == ISING) {
            t[a] = 1;
            for (size_t i = 0; i < w->shape.size; i++)
                if (w->shape.edge[a] >> i & 1)
                    t[a] *= state >> i & 1 ? -1 : 1;
        } else if (w->shape.kind == CATEGORICAL) {
            t[a] = state == a;
        } else {
            t[a] = (double)(state >> a & 1);
        }
}

static inline void world_discrete(world *w)
{
    double z = 0;
    w->points = w->shape.kind == CATEGORICAL ? w->shape.size : (size_t)1 << w->shape.size;
    for (size_t s = 0; s < w->points; s++) {
        double energy = 0;
        world_state(w, w->t[s], s);
        for (size_t a = 0; a < w->n; a++)
            energy += w->theta[a] * w->t[s][a];
        z += w->p[s] = exp(energy);
    }
    for (size_t s = 0; s < w->points; s++)
        w->p[s] /= z;
    w->log_z = log(z);
}

/* T of a point of R^d */
static inline void world_real(const world *w, double *t, const double *x)
{
    size_t d = w->shape.size, a = 0;
    for (size_t i = 0; i < d && w->shape.kind == GAUSSIAN; i++)
        t[a++] = x[i];
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++)
            t[a++] = x[i] * x[j];
}

/* (a a^T)^-1 of a lower triangular a, added. */
static inline void world_precision(double precision[3][3], double a[3][3], size_t d)
{
    double b[3][3] = {{0}};
    for (size_t j = 0; j < d; j++) /* b = a^-1, column by column */
        for (size_t i = j; i < d; i++) {
            double sum = i == j;
            for (size_t m = j; m < i; m++)
                sum -= a[i][m] * b[m][j];
            b[i][j] = sum / a[i][i];
        }
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            for (size_t m = 0; m < d; m++)
                precision[i][j] += b[m][i] * b[m][j];
}

/* x = mu + A z with z on the four-point Gauss-Hermite grid, S = A A^T; theta
 * and log Z from S^-1 = A^-T A^-1 with A lower triangular, and log p(mu). */
static inline void world_normal(world *w, test_rng *rng)
{
    const double r[2] = {sqrt(3 - sqrt(6)), sqrt(3 + sqrt(6))};
    const double node[4] = {-r[1], -r[0], r[0], r[1]};
    const double weight[2] = {(3 + sqrt(6)) / 12, (3 - sqrt(6)) / 12};
    size_t d = w->shape.size, k = 0;
    double a[3][3] = {{0}}, mu[3] = {0}, precision[3][3] = {{0}}, det = 1;
    for (size_t i = 0; i < d; i++) {
        mu[i] = w->shape.kind == GAUSSIAN ? test_normal(rng) : 0;
        for (size_t j = 0; j < i; j++)
            a[i][j] = 0.5 * test_normal(rng);
        a[i][i] = 0.5 + test_uniform(rng);
        det *= a[i][i];
    }
    world_precision(precision, a, d);
    for (size_t i = 0; i < d && w->shape.kind == GAUSSIAN; i++, k++)
        for (size_t j = 0; j < d; j++)
            w->theta[k] += precision[i][j] * mu[j];
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++)
            w->theta[k++] = i == j ? -precision[i][i] / 2 : -precision[i][j];
    double t[WORLD_N];
    world_real(w, t, mu);
    w->log_z = (double)d / 2 * log(2 * acos(-1)) + log(det);
    for (size_t m = 0; m < w->n; m++)
        w->log_z += w->theta[m] * t[m];
    w->points = (size_t)1 << (2 * d);
    for (size_t s = 0; s < w->points; s++) {
        double x[3];
        w->p[s] = 1;
        for (size_t i = 0; i < d; i++) {
            x[i] = mu[i];
            for (size_t j = 0; j < d; j++)
                x[i] += a[i][j] * node[s >> (2 * j) & 3];
            size_t outer = (s >> (2 * i) & 3) == 0 || (s >> (2 * i) & 3) == 3;
            w->p[s] *= weight[outer];
        }
        world_real(w, w->t[s], x);
    }
}

/* The oracle moved to another theta of a discrete family. */
static inline void world_move(world *w, const double *theta)
{
    for (size_t a = 0; a < w->n; a++)
        w->theta[a] = theta[a];
    world_discrete(w);
}

/* A family at a random theta, freed with world_destroy. */
static inline world *world_create(world_shape shape, unsigned long long seed)
{
    world *w = calloc(1, sizeof *w);
    test_rng rng = {seed};
    ng_error error = {NG_OK, ""};
    w->shape = shape;
    w->family = world_family(shape);
    w->n = ng_family_size(w->family);
    if (world_gaussian(shape)) {
        world_normal(w, &rng);
    } else {
        for (size_t a = 0; a < w->n; a++)
            w->theta[a] = 0.7 * test_normal(&rng);
        world_discrete(w);
    }
    ng_assert_ok(ng_family_set(w->family, w->theta, &error), &error);
    return w;
}

static inline void world_destroy(world *w)
{
    ng_family_destroy(w->family);
    free(w);
}

/* E T, and cov(T) and the third cumulant by central moments */
static inline void world_mean(const world *w, double *eta)
{
    for (size_t a = 0; a < w->n; a++) {
        eta[a] = 0;
        for (size_t s = 0; s < w->points; s++)
            eta[a] += w->p[s] * w->t[s][a];
    }
}

/* x <- F^-1 b by Gauss-Jordan, F n x n row by row and destroyed */
static inline void world_solve(size_t n, double *f, double *x, const double *b)
{
    memcpy(x, b, n * sizeof *x);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++) {
            double m = i == k ? 0 : f[i * n + k] / f[k * n + k];
            for (size_t j = k; j < n && m != 0; j++)
                f[i * n + j] -= m * f[k * n + j];
            x[i] -= m * x[k];
        }
    for (size_t k = 0; k < n; k++)
        x[k] /= f[k * n + k];
}

#endif
