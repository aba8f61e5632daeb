/* Observers: persistent connected pieces of the last state. */
#include "lib/lab/hypergraph/evolution.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

static int same_edge(const ng_hypergraph *g, size_t e, const ng_hypergraph *h, size_t f)
{
    size_t n, m;
    const size_t *x = ng_hypergraph_edge(g, &n, e), *y = ng_hypergraph_edge(h, &m, f);
    return n == m && memcmp(x, y, n * sizeof *x) == 0;
}

/* Were these vertices a hyperedge after every generation from `first` on? The
 * lives of equal hyperedges are looked through generation by generation. */
static int persists(const ng_evolution *v, const ng_hypergraph *state, size_t e, size_t first)
{
    for (size_t t = first; t < v->generations; t++) {
        size_t f = 0;
        while (f < v->lives &&
               !(v->life[f].born <= t && t < v->life[f].died && same_edge(state, e, v->all, f)))
            f++;
        if (f == v->lives)
            return 0;
    }
    return 1;
}

typedef struct {
    const ng_hypergraph *state;
    unsigned char *inside, *persistent; /* flags of its hyperedges */
    size_t *name;                       /* of its vertices; SIZE_MAX: not reached */
    size_t max_vertices;
    ng_observer *out;
} cut;

/* How many vertices hyperedge e would bring; SIZE_MAX if it touches none. */
static size_t brings(const cut *c, size_t e)
{
    size_t arity, count = 0, touches = 0;
    const size_t *x = ng_hypergraph_edge(c->state, &arity, e);
    for (size_t i = 0; i < arity; i++) {
        size_t earlier = 0;
        while (earlier < i && x[earlier] != x[i])
            earlier++;
        touches += c->name[x[i]] != SIZE_MAX;
        count += c->name[x[i]] == SIZE_MAX && earlier == i;
    }
    return touches > 0 ? count : SIZE_MAX;
}

static void reach(cut *c, size_t vertex)
{
    if (c->name[vertex] != SIZE_MAX)
        return;
    c->name[vertex] = c->out->vertices;
    c->out->vertex[c->out->vertices++] = vertex;
}

static ng_status take(cut *c, size_t e, ng_error *error)
{
    size_t arity, renamed[64];
    const size_t *x = ng_hypergraph_edge(c->state, &arity, e);
    for (size_t i = 0; i < arity; i++) {
        reach(c, x[i]);
        renamed[i] = c->name[x[i]];
    }
    c->inside[e] = 1;
    return ngi_hypergraph_add(c->out->internal, renamed, arity, error);
}

/* Again and again the oldest persistent hyperedge that touches the observer. */
static ng_status grow(cut *c, ng_error *error)
{
    for (;;) {
        size_t e = 0;
        while (e < c->state->edges &&
               (c->inside[e] || !c->persistent[e] || brings(c, e) == SIZE_MAX))
            e++;
        if (e == c->state->edges || c->out->vertices + brings(c, e) > c->max_vertices)
            return NG_OK;
        TRY(take(c, e, error));
    }
}

/* Hyperedges outside that meet the observer, and where they do. */
static void find_boundary(const cut *c, unsigned char *touched)
{
    for (size_t e = 0; e < c->state->edges; e++) {
        size_t arity, meets = 0;
        const size_t *x = ng_hypergraph_edge(c->state, &arity, e);
        for (size_t i = 0; i < arity && !c->inside[e]; i++)
            if (c->name[x[i]] != SIZE_MAX)
                touched[c->name[x[i]]] = 1, meets = 1;
        c->out->cut += meets;
    }
    for (size_t k = 0; k < c->out->vertices; k++)
        if (touched[k])
            c->out->boundary[c->out->boundary_count++] = k;
}

/* One block of flags and one of names; the observer's own arrays. */
static ng_status allocate(cut *c, unsigned char **touched, ng_error *error)
{
    size_t edges = c->state->edges, vertices = c->state->vertices;
    c->inside = calloc(2 * edges + vertices + 1, 1);
    c->name = malloc((vertices + 1) * sizeof *c->name);
    c->out->vertex = malloc((vertices + 1) * sizeof *c->out->vertex);
    c->out->boundary = malloc((vertices + 1) * sizeof *c->out->boundary);
    if (c->inside == NULL || c->name == NULL || c->out->vertex == NULL || c->out->boundary == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for an observer");
    c->persistent = c->inside + edges;
    *touched = c->persistent + edges;
    for (size_t v = 0; v < vertices; v++)
        c->name[v] = SIZE_MAX;
    return ngi_hypergraph_create(&c->out->internal, error);
}

static ng_status run(cut *c, const ng_evolution *v, size_t seed, size_t window, ng_error *error)
{
    unsigned char *touched = NULL;
    TRY(allocate(c, &touched, error));
    if (seed >= c->state->vertices)
        return ng_error_set(error, NG_ENODATA, "seed: vertex %zu is not in the last state", seed);
    for (size_t e = 0; e < c->state->edges; e++)
        c->persistent[e] = (unsigned char)persists(v, c->state, e, v->generations - window);
    reach(c, seed);
    TRY(grow(c, error));
    if (c->out->internal->edges == 0)
        return ng_error_set(error, NG_ENODATA,
                            "seed: no hyperedge that persists for %zu "
                            "generations holds vertex %zu and has at most %zu vertices",
                            window, seed, c->max_vertices);
    find_boundary(c, touched);
    return NG_OK;
}

ng_status ng_observer_cut(ng_observer *observer, const ng_evolution *evolution, size_t seed,
                          size_t window, size_t max_vertices, ng_error *error)
{
    ng_observer result = {0};
    ng_hypergraph *state = NULL;
    size_t *where = NULL;
    if (observer != NULL)
        memset(observer, 0, sizeof *observer);
    if (observer == NULL || evolution == NULL)
        return ng_error_set(error, NG_EARG, "observer or evolution is NULL");
    if (window > evolution->generations)
        return ng_error_set(error, NG_ERANGE, "window: %zu generations of %zu", window,
                            evolution->generations);
    TRY(ngi_evolution_state(&state, &where, evolution, evolution->generations, error));
    cut c = {.state = state, .max_vertices = max_vertices, .out = &result};
    ng_status status = run(&c, evolution, seed, window, error);
    free(c.inside);
    free(c.name);
    free(where);
    ng_hypergraph_destroy(state);
    if (status == NG_OK)
        *observer = result;
    else
        ng_observer_clear(&result);
    return status;
}

void ng_observer_clear(ng_observer *observer)
{
    if (observer == NULL)
        return;
    ng_hypergraph_destroy(observer->internal);
    free(observer->vertex);
    free(observer->boundary);
    memset(observer, 0, sizeof *observer);
}
