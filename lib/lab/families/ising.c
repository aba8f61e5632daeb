/* Ising models on hypergraphs, by two fast Walsh-Hadamard transforms.
 *
 * State s in {0,1}^free has spins x_i = (-1)^{s_i}, so that prod_{i in e} x_i =
 * (-1)^{popcount(s & e)}: the energies are the transform of theta placed at
 * the masks, and moment[m] = E prod_{i in m} x_i the transform of p. Products of
 * statistics are statistics, T_a T_b = T_{a xor b}: all cumulants are read off
 * that one table. When all edges are even, spin `spins - 1` is +1: its bit
 * falls off the masks, and the parity of the others tells it. */
#include "lib/lab/families/family.h"

#include <natgrad/sketch.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

enum { FREE_MAX = 26, SPINS_MAX = 32 };

typedef struct {
    size_t spins, states; /* states = 2^free */
    uint32_t *edge;       /* n, as given */
    uint32_t *mask;       /* n, over the free spins */
    double *moment;       /* states */
} ising;

static int parity(uint32_t m)
{
    for (int shift = 16; shift > 0; shift /= 2)
        m ^= m >> shift;
    return (int)(m & 1);
}

static size_t free_spins(size_t spins, const uint32_t *edges, size_t n)
{
    for (size_t e = 0; e < n; e++)
        if (parity(edges[e]))
            return spins;
    return spins - 1;
}

/* moment <- sum_e u_e prod x over the states */
static void energies(const ng_family *f, const double *u)
{
    const ising *g = f->state;
    memset(g->moment, 0, g->states * sizeof *g->moment);
    for (size_t e = 0; e < f->n; e++)
        g->moment[g->mask[e]] = u[e];
    ng_walsh_hadamard(g->moment, g->states, NULL);
}

/* moment <- probabilities of the free states; returns their log Z */
static double probabilities(const ng_family *f, const double *theta)
{
    const ising *g = f->state;
    double *p = g->moment, largest = -HUGE_VAL, sum = 0;
    energies(f, theta);
    for (size_t s = 0; s < g->states; s++)
        largest = p[s] > largest ? p[s] : largest;
    /* by blocks: the error of the sum grows with their size and their number */
    for (size_t s = 0; s < g->states; s += 4096) {
        double part = 0;
        for (size_t k = s; k < g->states && k < s + 4096; k++)
            part += p[k] = exp(p[k] - largest);
        sum += part;
    }
    for (size_t s = 0; s < g->states; s++)
        p[s] /= sum;
    return largest + log(sum);
}

static ng_status set(ng_family *f, const double *theta, ng_error *error)
{
    const ising *g = f->state;
    ng_status status = ngi_family_check_energy(theta, f->n, error);
    if (status != NG_OK)
        return status;
    f->log_z = probabilities(f, theta);
    if (g->states >> g->spins == 0)
        f->log_z += log(2);
    ng_walsh_hadamard(g->moment, g->states, NULL);
    for (size_t e = 0; e < f->n; e++)
        f->eta[e] = g->moment[g->mask[e]];
    return NG_OK;
}

static double second(const ng_family *f, size_t a, size_t b)
{
    const ising *g = f->state;
    const double *m = g->moment;
    /* 1 - m^2 without cancellation when the spins are nearly frozen */
    if (a == b)
        return (1 - f->eta[a]) * (1 + f->eta[a]);
    return m[g->mask[a] ^ g->mask[b]] - f->eta[a] * f->eta[b];
}

static double third(const ng_family *f, size_t a, size_t b, size_t c)
{
    const ising *g = f->state;
    const double *m = g->moment, ea = f->eta[a], eb = f->eta[b], ec = f->eta[c];
    uint32_t ma = g->mask[a], mb = g->mask[b], mc = g->mask[c];
    return m[ma ^ mb ^ mc] - ea * m[mb ^ mc] - eb * m[ma ^ mc] - ec * m[ma ^ mb] + 2 * ea * eb * ec;
}

static int statistics(const ng_family *f, double *t, const double *x)
{
    const ising *g = f->state;
    uint32_t s = 0;
    for (size_t i = 0; i < g->spins; i++) {
        if (fabs(x[i]) != 1)
            return 0;
        s |= (uint32_t)(x[i] < 0) << i;
    }
    for (size_t e = 0; e < f->n; e++)
        t[e] = parity(s & g->edge[e]) ? -1 : 1;
    return 1;
}

/* The first state whose cumulative probability exceeds u. */
static size_t find(const double *cumulative, size_t states, double u)
{
    size_t low = 0, high = states - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cumulative[middle] > u)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static ng_status sample(ng_family *f, ng_mat x, const ng_random *random, ng_error *error)
{
    const ising *g = f->state;
    double *p = g->moment, total = 0;
    (void)error;
    probabilities(f, f->theta);
    for (size_t s = 0; s < g->states; s++)
        p[s] = total += p[s];
    for (size_t i = 0; i < x.rows; i++) {
        size_t s = find(p, g->states, total * ngi_family_uniform(random));
        if (g->states >> g->spins == 0 && ngi_family_uniform(random) < 0.5)
            s = ~s; /* the other state of the global flip */
        for (size_t j = 0; j < g->spins; j++)
            ng_mat_set(x, i, j, s >> j & 1 ? -1 : 1);
    }
    return NG_OK;
}

/* max u.T is the support of the marginal polytope in direction u. */
static double depth(ng_family *f, const double *moments, const double *u)
{
    const ising *g = f->state;
    double low = HUGE_VAL, high = -HUGE_VAL, at = 0;
    energies(f, u);
    for (size_t s = 0; s < g->states; s++) {
        low = g->moment[s] < low ? g->moment[s] : low;
        high = g->moment[s] > high ? g->moment[s] : high;
    }
    for (size_t e = 0; e < f->n; e++)
        at += u[e] * moments[e];
    return high > low ? (high - at) / (high - low) : 1;
}

static int same(const ng_family *f, const ng_family *g)
{
    const ising *a = f->state, *b = g->state;
    return a->spins == b->spins && memcmp(a->edge, b->edge, f->n * sizeof *a->edge) == 0;
}

static void destroy(void *state)
{
    ising *g = state;
    free(g->edge);
    free(g->mask);
    free(g->moment);
    free(g);
}

static const ngi_family_kind kind = {
    .name = "ising",
    .set = set,
    .second = second,
    .third = third,
    .statistics = statistics,
    .sample = sample,
    .depth = depth,
    .same = same,
    .destroy = destroy,
    .resets = 1,
};

/* ---- Making one ------------------------------------------------------------ */

static int compare_edges(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static ng_status check(size_t spins, const uint32_t *edges, size_t n, ng_error *error)
{
    if (edges == NULL || n == 0)
        return ng_error_set(error, NG_EARG, "edges: at least one is needed");
    if (spins < 1 || spins > SPINS_MAX)
        return ng_error_set(error, NG_ERANGE, "%zu spins, expected 1 to %d free ones", spins,
                            FREE_MAX);
    for (size_t e = 0; e < n; e++)
        if (edges[e] == 0 || (uint64_t)edges[e] >> spins != 0)
            return ng_error_set(error, NG_EARG, "edges[%zu] = %#lx has %s", e,
                                (unsigned long)edges[e],
                                edges[e] == 0 ? "no spin" : "a spin that does not exist");
    size_t free_count = free_spins(spins, edges, n);
    if (free_count > FREE_MAX)
        return ng_error_set(error, NG_ERANGE, "%zu free spins, at most %d", free_count, FREE_MAX);
    return NG_OK;
}

/* sorted: n numbers of scratch */
static ng_status check_distinct(const uint32_t *edges, uint32_t *sorted, size_t n, ng_error *error)
{
    memcpy(sorted, edges, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_edges);
    for (size_t e = 1; e < n; e++)
        if (sorted[e] == sorted[e - 1])
            return ng_error_set(error, NG_EARG, "edges: %#lx occurs twice",
                                (unsigned long)sorted[e]);
    return NG_OK;
}

size_t ng_family_ising_memory(size_t spins, const uint32_t *edges, size_t n)
{
    if (check(spins, edges, n, NULL) != NG_OK || n > SIZE_MAX / 64)
        return SIZE_MAX;
    return (sizeof(double) << free_spins(spins, edges, n)) + sizeof(ng_family) + sizeof(ising) +
           n * (2 * sizeof(double) + 2 * sizeof(uint32_t));
}

/* The family at theta = 0. */
static ng_status build(ng_family *f, size_t spins, const uint32_t *edges, size_t n, ng_error *error)
{
    ising *g = f->state = calloc(1, sizeof *g);
    if (g != NULL) {
        g->spins = spins;
        g->states = (size_t)1 << free_spins(spins, edges, n);
        g->edge = malloc(n * sizeof *g->edge);
        g->mask = malloc(n * sizeof *g->mask);
        g->moment = malloc(g->states * sizeof *g->moment);
    }
    if (g == NULL || g->edge == NULL || g->mask == NULL || g->moment == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for an Ising model, %zu bytes",
                            ng_family_ising_memory(spins, edges, n));
    TRY(check_distinct(edges, g->mask, n, error));
    memcpy(g->edge, edges, n * sizeof *edges);
    for (size_t e = 0; e < n; e++)
        g->mask[e] = edges[e] & (uint32_t)(g->states - 1);
    return set(f, f->theta, error);
}

ng_status ng_family_create_ising(ng_family **family, size_t spins, const uint32_t *edges, size_t n,
                                 ng_error *error)
{
    ng_family *f = NULL;
    if (family == NULL)
        return ng_error_set(error, NG_EARG, "family is NULL");
    *family = NULL;
    TRY(check(spins, edges, n, error));
    TRY(ngi_family_create(&f, &kind, n, spins, error));
    ng_status status = build(f, spins, edges, n, error);
    if (status != NG_OK) {
        ng_family_destroy(f);
        return status;
    }
    *family = f;
    return NG_OK;
}

ng_status ng_family_edge(uint32_t *edge, const size_t *vertices, size_t count, ng_error *error)
{
    uint32_t mask = 0;
    if (edge == NULL || (vertices == NULL && count > 0))
        return ng_error_set(error, NG_EARG, "%s is NULL", edge == NULL ? "edge" : "vertices");
    for (size_t i = 0; i < count; i++) {
        if (vertices[i] >= SPINS_MAX)
            return ng_error_set(error, NG_ERANGE, "vertices[%zu] = %zu, expected less than %d", i,
                                vertices[i], SPINS_MAX);
        mask ^= (uint32_t)1 << vertices[i];
    }
    *edge = mask;
    return NG_OK;
}
