/* Ordered hypergraphs and their isomorphism. */
#include "lib/lab/hypergraph/hypergraph.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

ng_status ngi_hypergraph_grow(void **data, size_t *room, size_t needed, size_t size,
                              ng_error *error)
{
    if (needed <= *room)
        return NG_OK;
    size_t more = needed + needed / 2 + 8;
    void *grown = more <= SIZE_MAX / size ? realloc(*data, more * size) : NULL;
    if (grown == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu elements of a hypergraph", more);
    *data = grown;
    *room = more;
    return NG_OK;
}

ng_status ngi_hypergraph_create(ng_hypergraph **g, ng_error *error)
{
    *g = calloc(1, sizeof **g);
    return *g != NULL ? NG_OK : ng_error_set(error, NG_ENOMEM, "no memory for a hypergraph");
}

void ng_hypergraph_destroy(ng_hypergraph *g)
{
    if (g == NULL)
        return;
    free(g->start);
    free(g->vertex);
    free(g);
}

ng_status ngi_hypergraph_add(ng_hypergraph *g, const size_t *vertex, size_t arity, ng_error *error)
{
    size_t first = g->edges > 0 ? g->start[g->edges] : 0;
    void *start = g->start, *data = g->vertex;
    TRY(ngi_hypergraph_grow(&start, &g->start_room, g->edges + 2, sizeof *g->start, error));
    g->start = start;
    TRY(ngi_hypergraph_grow(&data, &g->vertex_room, first + arity, sizeof *g->vertex, error));
    g->vertex = data;
    for (size_t i = 0; i < arity; i++) {
        g->vertex[first + i] = vertex[i];
        g->vertices = vertex[i] >= g->vertices ? vertex[i] + 1 : g->vertices;
    }
    g->start[g->edges++] = first;
    g->start[g->edges] = first + arity;
    return NG_OK;
}

size_t ng_hypergraph_edges(const ng_hypergraph *g)
{
    return g->edges;
}

size_t ng_hypergraph_vertices(const ng_hypergraph *g)
{
    return g->vertices;
}

const size_t *ng_hypergraph_edge(const ng_hypergraph *g, size_t *arity, size_t i)
{
    if (i >= g->edges)
        return NULL;
    *arity = g->start[i + 1] - g->start[i];
    return g->vertex + g->start[i];
}

/* ---- Isomorphism: colour refinement, then search --------------------------------
 * Colours are hashes that do not depend on names. Equal colours promise nothing;
 * a discrete colouring names the one candidate, which is then checked. */

typedef struct {
    const ng_hypergraph *g;
    size_t n;          /* vertices, numbered by g */
    uint64_t *colour;  /* n; 0 for vertices that do not occur */
    uint64_t *scratch; /* n */
} coloured;

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = a * 0x9e3779b97f4a7c15u + b + 0x7f4a7c159e3779b9u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) | 1;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static ng_status coloured_create(coloured *c, const ng_hypergraph *g, size_t fixed, ng_error *error)
{
    c->g = g;
    c->n = g->vertices;
    c->colour = calloc(2 * c->n + 1, sizeof *c->colour);
    if (c->colour == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the colours of a hypergraph");
    c->scratch = c->colour + c->n;
    for (size_t i = 0; g->edges > 0 && i < g->start[g->edges]; i++) {
        size_t v = g->vertex[i];
        c->colour[v] = v < fixed ? mix(1, v) : mix(2, 0);
    }
    return NG_OK;
}

/* Number of different colours; scratch <- the colours, sorted. */
static size_t classes(const coloured *c)
{
    size_t count = 0;
    memcpy(c->scratch, c->colour, c->n * sizeof *c->colour);
    qsort(c->scratch, c->n, sizeof *c->scratch, compare);
    for (size_t i = 0; i < c->n; i++)
        count += i == 0 || c->scratch[i] != c->scratch[i - 1];
    return count;
}

/* Until the classes no longer split; scratch is the sorted colours then. */
static void refine(const coloured *c)
{
    const ng_hypergraph *g = c->g;
    for (size_t before = 0, now = classes(c); now > before;) {
        memset(c->scratch, 0, c->n * sizeof *c->scratch);
        for (size_t e = 0; e < g->edges; e++) {
            uint64_t h = g->start[e + 1] - g->start[e];
            for (size_t i = g->start[e]; i < g->start[e + 1]; i++)
                h = mix(h, c->colour[g->vertex[i]]);
            for (size_t i = g->start[e]; i < g->start[e + 1]; i++)
                c->scratch[g->vertex[i]] += mix(h, i - g->start[e]);
        }
        for (size_t v = 0; v < c->n; v++)
            c->colour[v] = c->colour[v] != 0 ? mix(c->colour[v], c->scratch[v]) : 0;
        before = now;
        now = classes(c);
    }
}

ng_status ngi_hypergraph_hash(uint64_t *hash, const ng_hypergraph *g, size_t fixed, ng_error *error)
{
    coloured c;
    TRY(coloured_create(&c, g, fixed, error));
    refine(&c);
    uint64_t h = g->edges;
    for (size_t v = 0; v < c.n; v++)
        h += c.colour[v] != 0 ? mix(3, c.colour[v]) : 0;
    *hash = h;
    free(c.colour);
    return NG_OK;
}

/* Vertices of one colour correspond: are the hyperedges the same? partner: one
 * number a vertex, taken: a flag an edge, both scratch. */
static int same_edges(const coloured *a, const coloured *b, size_t *partner, unsigned char *taken)
{
    for (size_t v = 0; v < a->n; v++)
        for (size_t w = 0; w < b->n; w++)
            if (a->colour[v] != 0 && a->colour[v] == b->colour[w])
                partner[v] = w;
    memset(taken, 0, b->g->edges);
    for (size_t e = 0; e < a->g->edges; e++) {
        size_t arity, other, f;
        const size_t *x = ng_hypergraph_edge(a->g, &arity, e);
        for (f = 0; f < b->g->edges; f++) {
            const size_t *y = ng_hypergraph_edge(b->g, &other, f);
            size_t i = 0;
            while (!taken[f] && other == arity && i < arity && partner[x[i]] == y[i])
                i++;
            if (!taken[f] && other == arity && i == arity)
                break;
        }
        if (f == b->g->edges)
            return 0;
        taken[f] = 1;
    }
    return 1;
}

/* scratch is the sorted colours: the first of the smallest class with two or
 * more members, 0 if there is none. */
static uint64_t split_colour(const coloured *c)
{
    uint64_t best = 0;
    size_t size = SIZE_MAX;
    for (size_t i = 0, k; i < c->n; i += k) {
        for (k = 1; i + k < c->n && c->scratch[i + k] == c->scratch[i]; k++)
            ;
        if (k > 1 && k < size && c->scratch[i] != 0) {
            size = k;
            best = c->scratch[i];
        }
    }
    return best;
}

static ng_status search(int *same, coloured *a, coloured *b, ng_error *error);

/* One vertex of a with the colour made special, against each of b. */
static ng_status branch(int *same, coloured *a, coloured *b, uint64_t colour, ng_error *error)
{
    ng_status status = NG_OK;
    uint64_t *saved = malloc((a->n + b->n) * sizeof *saved);
    if (saved == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory to compare hypergraphs");
    memcpy(saved, a->colour, a->n * sizeof *saved);
    memcpy(saved + a->n, b->colour, b->n * sizeof *saved);
    size_t v = 0;
    while (saved[v] != colour)
        v++;
    for (size_t w = 0; w < b->n && status == NG_OK && !*same; w++) {
        if (saved[a->n + w] != colour)
            continue;
        memcpy(a->colour, saved, a->n * sizeof *saved);
        memcpy(b->colour, saved + a->n, b->n * sizeof *saved);
        a->colour[v] = b->colour[w] = mix(4, colour);
        status = search(same, a, b, error);
    }
    free(saved);
    return status;
}

/* The colours of vertices that occur, sorted, agree. */
static int same_colours(const coloured *a, const coloured *b)
{
    size_t i = 0, j = 0;
    while (i < a->n && a->scratch[i] == 0)
        i++;
    while (j < b->n && b->scratch[j] == 0)
        j++;
    return a->n - i == b->n - j &&
           memcmp(a->scratch + i, b->scratch + j, (a->n - i) * sizeof *a->scratch) == 0;
}

static ng_status search(int *same, coloured *a, coloured *b, ng_error *error)
{
    *same = 0;
    refine(a);
    refine(b);
    if (!same_colours(a, b))
        return NG_OK;
    uint64_t colour = split_colour(a);
    if (colour != 0)
        return branch(same, a, b, colour, error);
    size_t *partner = malloc((a->n + 1) * sizeof *partner);
    unsigned char *taken = malloc(b->g->edges + 1);
    if (partner != NULL && taken != NULL)
        *same = same_edges(a, b, partner, taken);
    int memory = partner != NULL && taken != NULL;
    free(partner);
    free(taken);
    return memory ? NG_OK : ng_error_set(error, NG_ENOMEM, "no memory to compare hypergraphs");
}

static ng_status isomorphic(int *same, coloured *a, coloured *b, const ng_hypergraph *g,
                            const ng_hypergraph *h, size_t fixed, ng_error *error)
{
    TRY(coloured_create(a, g, fixed, error));
    TRY(coloured_create(b, h, fixed, error));
    return g->edges == h->edges ? search(same, a, b, error) : NG_OK;
}

ng_status ng_hypergraph_isomorphic(int *same, const ng_hypergraph *g, const ng_hypergraph *h,
                                   size_t fixed, ng_error *error)
{
    coloured a = {0}, b = {0};
    if (same == NULL || g == NULL || h == NULL)
        return ng_error_set(error, NG_EARG, "same, g or h is NULL");
    int result = 0;
    ng_status status = isomorphic(&result, &a, &b, g, h, fixed, error);
    if (status == NG_OK)
        *same = result;
    free(a.colour);
    free(b.colour);
    return status;
}
