/* Evolution in generations, causal graphs, and their agreement. */
#include "lib/lab/hypergraph/evolution.h"

#include <stdlib.h>
#include <string.h>

#include <natgrad/train/rng.h>

#include "lib/core/try.h"

enum { EDGES_MAX = 100000 };
static const size_t none = SIZE_MAX;

/* A life for every hyperedge of `all` that has none yet. */
static ng_status record(ng_evolution *v, size_t event, size_t generation, ng_error *error)
{
    void *life = v->life;
    if (v->all->edges > EDGES_MAX)
        return ng_error_set(error, NG_ERANGE, "more than %d hyperedges in generation %zu",
                            EDGES_MAX, generation);
    TRY(ngi_hypergraph_grow(&life, &v->room, v->all->edges, sizeof *v->life, error));
    v->life = life;
    for (; v->lives < v->all->edges; v->lives++)
        v->life[v->lives] = (ngi_life){event, none, generation, none};
    return NG_OK;
}

/* The match's hyperedges are positions in the state; where[] says which they are of all. */
static ng_status happen(ng_evolution *v, const ng_rules *rules, const ngi_match *match,
                        const size_t *where, size_t generation, ng_error *error)
{
    const ngi_rule *rule = &rules->rule[match->rule];
    for (size_t k = 0; k < rule->left->edges; k++)
        if (v->life[where[match->edge[k]]].taken_by != none)
            return NG_OK;
    for (size_t k = 0; k < rule->left->edges; k++) {
        v->life[where[match->edge[k]]].taken_by = v->events;
        v->life[where[match->edge[k]]].died = generation;
    }
    TRY(ngi_rule_append(v->all, rule, match, &v->next_vertex, error));
    return record(v, v->events++, generation, error);
}

/* What a generation needs, beginning with what there is. */
typedef struct {
    ng_hypergraph *state;
    ngi_match *match;
    size_t *where, *order, count;
} generation_work;

static ng_status rewrite(generation_work *w, ng_evolution *v, const ng_rules *rules,
                         size_t generation, const ng_random *random, ng_error *error)
{
    TRY(ngi_evolution_state(&w->state, &w->where, v, generation - 1, error));
    TRY(ngi_rules_match(&w->match, &w->count, rules, w->state, error));
    w->order = malloc((w->count + 1) * sizeof *w->order);
    if (w->order == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu matches", w->count);
    for (size_t i = 0; i < w->count; i++)
        w->order[i] = i;
    if (random != NULL)
        ng_rng_shuffle(random, w->order, w->count);
    for (size_t i = 0; i < w->count; i++)
        TRY(happen(v, rules, &w->match[w->order[i]], w->where, generation, error));
    return NG_OK;
}

static ng_status generate(ng_evolution *v, const ng_rules *rules, size_t generation,
                          const ng_random *random, ng_error *error)
{
    generation_work w = {NULL};
    ng_status status = rewrite(&w, v, rules, generation, random, error);
    ng_hypergraph_destroy(w.state);
    free(w.where);
    free(w.match);
    free(w.order);
    return status;
}

/* All hyperedges of g at the end of `to`. */
static ng_status append(ng_hypergraph *to, const ng_hypergraph *g, ng_error *error)
{
    for (size_t e = 0; e < g->edges; e++)
        TRY(ngi_hypergraph_add(to, g->vertex + g->start[e], g->start[e + 1] - g->start[e], error));
    return NG_OK;
}

static ng_status evolve(ng_evolution *v, const ng_rules *rules, const ng_hypergraph *start,
                        size_t generations, const ng_random *random, ng_error *error)
{
    TRY(ngi_hypergraph_create(&v->all, error));
    TRY(append(v->all, start, error));
    v->next_vertex = start->vertices;
    TRY(record(v, none, 0, error));
    for (; v->generations < generations; v->generations++)
        TRY(generate(v, rules, v->generations + 1, random, error));
    return NG_OK;
}

ng_status ng_evolution_create(ng_evolution **evolution, const ng_rules *rules,
                              const ng_hypergraph *start, size_t generations,
                              const ng_random *random, ng_error *error)
{
    if (evolution != NULL)
        *evolution = NULL;
    if (evolution == NULL || rules == NULL || start == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL",
                            evolution == NULL ? "evolution"
                            : rules == NULL   ? "rules"
                                              : "start");
    if (random != NULL && random->fill_uniform == NULL)
        return ng_error_set(error, NG_EARG, "random: no fill_uniform");
    ng_evolution *v = calloc(1, sizeof *v);
    if (v == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for an evolution");
    ng_status status = evolve(v, rules, start, generations, random, error);
    if (status == NG_OK)
        *evolution = v;
    else
        ng_evolution_destroy(v);
    return status;
}

void ng_evolution_destroy(ng_evolution *evolution)
{
    if (evolution == NULL)
        return;
    ng_hypergraph_destroy(evolution->all);
    free(evolution->life);
    free(evolution);
}

size_t ng_evolution_events(const ng_evolution *evolution)
{
    return evolution->events;
}

/* g, index: what there is after a generation */
static ng_status fill_state(ng_hypergraph *g, size_t *index, const ng_evolution *v,
                            size_t generation, ng_error *error)
{
    for (size_t e = 0; e < v->lives; e++) {
        size_t arity;
        const size_t *vertex = ng_hypergraph_edge(v->all, &arity, e);
        if (v->life[e].born > generation || v->life[e].died <= generation)
            continue;
        index[g->edges] = e;
        TRY(ngi_hypergraph_add(g, vertex, arity, error));
    }
    return NG_OK;
}

ng_status ngi_evolution_state(ng_hypergraph **state, size_t **where, const ng_evolution *v,
                              size_t generation, ng_error *error)
{
    ng_hypergraph *g;
    TRY(ngi_hypergraph_create(&g, error));
    size_t *index = malloc((v->lives + 1) * sizeof *index);
    ng_status status = index != NULL ? fill_state(g, index, v, generation, error)
                                     : ng_error_set(error, NG_ENOMEM, "no memory for a state");
    if (status != NG_OK) {
        ng_hypergraph_destroy(g);
        free(index);
        return status;
    }
    *state = g;
    *where = index;
    return NG_OK;
}

ng_status ng_evolution_state(ng_hypergraph **state, const ng_evolution *evolution,
                             size_t generation, ng_error *error)
{
    size_t *where;
    if (state != NULL)
        *state = NULL;
    if (state == NULL || evolution == NULL)
        return ng_error_set(error, NG_EARG, "state or evolution is NULL");
    if (generation > evolution->generations)
        return ng_error_set(error, NG_ERANGE, "generation %zu of %zu", generation,
                            evolution->generations);
    TRY(ngi_evolution_state(state, &where, evolution, generation, error));
    free(where);
    return NG_OK;
}

static ng_status fill_causal_graph(ng_hypergraph *g, const ng_evolution *v, ng_error *error)
{
    for (size_t i = 0; i < v->events; i++)
        TRY(ngi_hypergraph_add(g, &i, 1, error));
    for (size_t e = 0; e < v->lives; e++) {
        const size_t arrow[2] = {v->life[e].made_by, v->life[e].taken_by};
        if (arrow[0] != none && arrow[1] != none)
            TRY(ngi_hypergraph_add(g, arrow, 2, error));
    }
    return NG_OK;
}

ng_status ng_evolution_causal_graph(ng_hypergraph **graph, const ng_evolution *evolution,
                                    ng_error *error)
{
    if (graph != NULL)
        *graph = NULL;
    if (graph == NULL || evolution == NULL)
        return ng_error_set(error, NG_EARG, "graph or evolution is NULL");
    ng_hypergraph *g;
    TRY(ngi_hypergraph_create(&g, error));
    ng_status status = fill_causal_graph(g, evolution, error);
    if (status == NG_OK)
        *graph = g;
    else
        ng_hypergraph_destroy(g);
    return status;
}

static ng_status causal_graph(ng_hypergraph **graph, const ng_rules *rules,
                              const ng_hypergraph *start, size_t generations,
                              const ng_random *random, ng_error *error)
{
    ng_evolution *v;
    TRY(ng_evolution_create(&v, rules, start, generations, random, error));
    ng_status status = ng_evolution_causal_graph(graph, v, error);
    ng_evolution_destroy(v);
    return status;
}

/* One random order against the order of age. */
static ng_status compare_order(ng_causal_agreement *report, const ng_hypergraph *first,
                               const ng_rules *rules, const ng_hypergraph *start,
                               size_t generations, const ng_random *random, ng_error *error)
{
    ng_hypergraph *other;
    int same = 0;
    TRY(causal_graph(&other, rules, start, generations, random, error));
    ng_status status = ng_hypergraph_isomorphic(&same, first, other, 0, error);
    report->isomorphic += same != 0;
    ng_hypergraph_destroy(other);
    return status;
}

ng_status ng_rules_causal_agreement(ng_causal_agreement *report, const ng_rules *rules,
                                    const ng_hypergraph *start, size_t generations, size_t orders,
                                    const ng_random *random, ng_error *error)
{
    ng_causal_agreement result = {.orders = orders};
    ng_hypergraph *first;
    ng_status status = NG_OK;
    if (report == NULL || random == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", report == NULL ? "report" : "random");
    TRY(causal_graph(&first, rules, start, generations, NULL, error));
    result.events = first->vertices;
    for (size_t k = 0; k < orders && status == NG_OK; k++)
        status = compare_order(&result, first, rules, start, generations, random, error);
    ng_hypergraph_destroy(first);
    if (status == NG_OK)
        *report = result;
    return status;
}
