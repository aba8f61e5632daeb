/* Five families: scores, and the metric and cubic tensor as their moments. */
#include "examples/connections/connections.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* ---- Normal laws: Gauss and Hermite's rule with four nodes is exact to degree 7, moments of
 * three scores have degree 6 ------------------------------------------------------------------ */

static double hermite(double *weight, size_t node)
{
    double sign = node < 2 ? 1 : -1, square = 3 + sign * sqrt(6);
    *weight *= (3 - sign * sqrt(6)) / 12;
    return node % 2 == 0 ? sqrt(square) : -sqrt(square);
}

/* x: mu, sigma */
static void normal(double *l, double *weight, size_t node, const double *x)
{
    *weight = 1;
    double z = hermite(weight, node);
    l[0] = z / x[1];
    l[1] = (z * z - 1) / x[1];
}

/* x: two means, Sigma_11, Sigma_21, Sigma_22 */
static void bivariate(double *l, double *weight, size_t node, const double *x)
{
    const double root = sqrt(x[2]), low = x[3] / root, last = sqrt(x[4] - low * low);
    *weight = 1;
    double z0 = hermite(weight, node / 4), z1 = hermite(weight, node % 4);
    /* u = Sigma^-1 (y - mu) = L^-T z */
    double u1 = z1 / last, u0 = (z0 - low * u1) / root;
    const double det = x[2] * x[4] - x[3] * x[3];
    l[0] = u0;
    l[1] = u1;
    l[2] = 0.5 * (u0 * u0 - x[4] / det);
    l[3] = u0 * u1 + x[3] / det;
    l[4] = 0.5 * (u1 * u1 - x[2] / det);
}

/* ---- Finite laws ------------------------------------------------------------------------------
 */

/* x: probabilities of all outcomes but the last */
static void categorical(double *l, double *weight, size_t node, const double *x)
{
    enum { N = 3 };
    double rest = 1;
    for (size_t i = 0; i < N; i++)
        rest -= x[i];
    *weight = node < N ? x[node] : rest;
    for (size_t i = 0; i < N; i++)
        l[i] = node == N ? -1 / rest : node == i ? 1 / x[i] : 0;
}

/* A surface in the simplex of five outcomes that no natural coordinates make straight:
 * log p = a u + b v + c u^2 v - log Z. */
static void curved(double *l, double *weight, size_t node, const double *x)
{
    enum { N = 5 };
    static const double a[N] = {1, -0.5, 0.3, 0, -1}, b[N] = {0.2, 1, -1, 0.5, 0},
                        c[N] = {-0.7, 0.4, 1, 0, 0.3};
    double z = 0, p[N], mean[2] = {0};
    for (size_t i = 0; i < N; i++)
        z += p[i] = exp(a[i] * x[0] + b[i] * x[1] + c[i] * x[0] * x[0] * x[1]);
    for (size_t i = 0; i < N; i++) {
        mean[0] += p[i] / z * (a[i] + 2 * x[0] * x[1] * c[i]);
        mean[1] += p[i] / z * (b[i] + x[0] * x[0] * c[i]);
    }
    *weight = p[node] / z;
    l[0] = a[node] + 2 * x[0] * x[1] * c[node] - mean[0];
    l[1] = b[node] + x[0] * x[0] * c[node] - mean[1];
}

/* ---- Student's laws ---------------------------------------------------------------------------
 */

enum { STUDENT_NODES = 32 };
const double student_freedom = 3;

/* x: location, scale. With z = sqrt(nu) tan(phi) the density is cos(phi)^(nu - 1) and scores are
 * polynomials in sin and cos, of which sums over equal steps are exact. */
static void student(double *l, double *weight, size_t node, const double *x)
{
    const double nu = student_freedom, phi = pi * ((double)node + 0.5) / STUDENT_NODES - pi / 2;
    const double norm = exp(lgamma((nu + 1) / 2) - lgamma(nu / 2)) / sqrt(pi);
    *weight = norm * pow(cos(phi), nu - 1) * pi / STUDENT_NODES;
    l[0] = (nu + 1) / sqrt(nu) * sin(phi) * cos(phi) / x[1];
    l[1] = ((nu + 1) * sin(phi) * sin(phi) - 1) / x[1];
}

const family families[FAMILIES] = {
    {"normal", "normal", 2, 4, {-1.7, 0.3}, 1, -0.5, normal},
    {"bivariate", "bivariate normal", 5, 16, {0.4, -1, 1.3, 0.4, 0.8}, 1, -0.225, bivariate},
    {"categorical", "four outcomes", 3, 4, {0.2, 0.35, 0.15}, 1, 0.25, categorical},
    {"student", "Student, 3 degrees of freedom", 2, STUDENT_NODES, {0.5, 2}, 0, -1, student},
    {"curved", "a curved surface in the simplex", 2, 5, {0.6, -0.4}, 0, (double)NAN, curved}};

/* ---- Moments ----------------------------------------------------------------------------------
 */

ng_status family_metric(void *data, ng_mat g, ng_mat x, ng_error *error)
{
    const family *f = data;
    (void)error;
    ng_fill(g, 0);
    for (size_t node = 0; node < f->nodes; node++) {
        double l[MOST], weight;
        f->score(l, &weight, node, x.data);
        for (size_t a = 0; a < f->n; a++)
            for (size_t b = 0; b < f->n; b++)
                ng_mat_set(g, a, b, ng_mat_get(g, a, b) + weight * l[a] * l[b]);
    }
    return NG_OK;
}

ng_status family_cubic(void *data, ng_mat cubic, ng_mat x, ng_error *error)
{
    const family *f = data;
    const size_t square = f->n * f->n;
    (void)error;
    ng_fill(cubic, 0);
    for (size_t node = 0; node < f->nodes; node++) {
        double l[MOST], weight;
        f->score(l, &weight, node, x.data);
        for (size_t c = 0; c < f->n; c++)
            for (size_t k = 0; k < square; k++)
                ng_mat_set(cubic, c, k,
                           ng_mat_get(cubic, c, k) + weight * l[c] * l[k / f->n] * l[k % f->n]);
    }
    return NG_OK;
}
