/* Small hypergraphs and the Ising models on them. */
#include "examples/observers/observers.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t pair(size_t i, size_t j)
{
    return UINT32_C(1) << i | UINT32_C(1) << j;
}

/* Adds the hyperedge unless it is there. */
static void add(topology *t, uint32_t edge)
{
    for (size_t k = 0; k < t->count; k++)
        if (t->edges[k] == edge)
            return;
    if (t->count == MAX_EDGES)
        die("%s has too many hyperedges", t->name);
    t->edges[t->count++] = edge;
}

static size_t below(const ng_random *random, size_t n)
{
    double u;
    random->fill_uniform(random->data, &u, 1);
    return (size_t)(u * (double)n);
}

static void path(topology *t, const ng_random *random)
{
    (void)random;
    for (size_t i = 1; i < t->spins; i++)
        add(t, pair(i - 1, i));
}

static void star(topology *t, const ng_random *random)
{
    (void)random;
    for (size_t i = 1; i < t->spins; i++)
        add(t, pair(0, i));
}

static void cycle(topology *t, const ng_random *random)
{
    path(t, random);
    add(t, pair(0, t->spins - 1));
}

static void complete(topology *t, const ng_random *random)
{
    (void)random;
    for (size_t i = 0; i < t->spins; i++)
        for (size_t j = i + 1; j < t->spins; j++)
            add(t, pair(i, j));
}

static void tree(topology *t, const ng_random *random)
{
    for (size_t i = 1; i < t->spins; i++)
        add(t, pair(below(random, i), i));
}

static void graph(topology *t, const ng_random *random)
{
    tree(t, random);
    while (t->count < 3 * t->spins / 2) {
        size_t i = below(random, t->spins), j = below(random, t->spins);
        if (i != j)
            add(t, pair(i, j));
    }
}

static void three_body(topology *t, const ng_random *random)
{
    (void)random;
    for (size_t i = 0; i < t->spins; i++)
        add(t, pair(i, (i + 1) % t->spins) | UINT32_C(1) << (i + 2) % t->spins);
}

static const struct {
    char letter;
    size_t least;
    const char *kind;
    void (*build)(topology *t, const ng_random *random);
} kinds[] = {{'P', 2, "trees", path},        {'S', 2, "trees", star},
             {'T', 2, "trees", tree},        {'C', 3, "cycles", cycle},
             {'K', 3, "complete", complete}, {'G', 4, "random graphs", graph},
             {'H', 4, "3-body", three_body}};

int topology_parse(topology *t, const char *name, const ng_random *random)
{
    memset(t, 0, sizeof *t);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char *end;
        if (name[0] != kinds[k].letter || !isdigit((unsigned char)name[1]))
            continue;
        unsigned long spins = strtoul(name + 1, &end, 10);
        size_t most = kinds[k].letter == 'K' ? 8 : MAX_SPINS; /* K8 has 28 pairs */
        if (*end != '\0' || spins < kinds[k].least || spins > most)
            return -1;
        snprintf(t->name, sizeof t->name, "%c%lu", kinds[k].letter, spins);
        t->kind = kinds[k].kind;
        t->spins = spins;
        kinds[k].build(t, random);
        return 0;
    }
    return -1;
}

ng_mat topology_fisher(ng_family **family, const topology *t, double coupling)
{
    ng_error error;
    double theta[MAX_EDGES];
    ng_mat f = ng_f64(memory(t->count * t->count, sizeof(double)), t->count, t->count);
    for (size_t k = 0; k < t->count; k++)
        theta[k] = coupling;
    must(ng_family_create_ising(family, t->spins, t->edges, t->count, &error), &error);
    must(ng_family_set(*family, theta, &error), &error);
    must(ng_family_fisher(*family, f, &error), &error);
    return f;
}

static ng_status third(void *data, ng_mat slab, size_t c, ng_error *error)
{
    return ng_family_third(data, c, slab, error);
}

double scalar_curvature(ng_family *family, ng_mat f)
{
    ng_curvature curvature;
    ng_error error;
    must(ng_curvature_scalar(&curvature, f, 0, 0, third, family, &error), &error);
    return curvature.scalar;
}
