/* Evolution in generations, causal graphs, and their agreement. */
#include "lib/lab/hypergraph/evolution.h"

#include <stdlib.h>
#include <string.h>

#include <natgrad/train/rng.h>

enum { EDGES_MAX = 100000 };
static const size_t none = SIZE_MAX;

/* A life for every hyperedge of `all` that has none yet. */
static ng_status record(ng_evolution *v, size_t event, size_t generation, ng_error *error)
{
    void *life = v->life;
    if (v->all->edges > EDGES_MAX)
        return ng_error_set(error, NG_ERANGE, "more than %d hyperedges in generation %zu",
                            EDGES_MAX, generation);
    ng_status status = ngi_hypergraph_grow(&life, &v->room, v->all->edges, sizeof *v->life, error);
    v->life = life;
    for (; status == NG_OK && v->lives < v->all->edges; v->lives++)
        v->life[v->lives] = (ngi_life){event, none, generation, none};
    return status;
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
    ng_status status = ngi_rule_append(v->all, rule, match, &v->next_vertex, error);
    return status == NG_OK ? record(v, v->events++, generation, error) : status;
}

static ng_status generate(ng_evolution *v, const ng_rules *rules, size_t generation,
                          const ng_random *random, ng_error *error)
{
    ng_hypergraph *state = NULL;
    ngi_match *match = NULL;
    size_t *where = NULL, *order = NULL, count = 0;
    ng_status status = ngi_evolution_state(&state, &where, v, generation - 1, error);
    if (status == NG_OK)
        status = ngi_rules_match(&match, &count, rules, state, error);
    if (status == NG_OK) {
        order = malloc((count + 1) * sizeof *order);
        if (order == NULL)
            status = ng_error_set(error, NG_ENOMEM, "no memory for %zu matches", count);
    }
    if (status == NG_OK) {
        for (size_t i = 0; i < count; i++)
            order[i] = i;
        if (random != NULL)
            ng_rng_shuffle(random, order, count);
        for (size_t i = 0; i < count && status == NG_OK; i++)
            status = happen(v, rules, &match[order[i]], where, generation, error);
    }
    ng_hypergraph_destroy(state);
    free(where);
    free(match);
    free(order);
    return status;
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
    ng_status status = ngi_hypergraph_create(&v->all, error);
    for (size_t e = 0; e < start->edges && status == NG_OK; e++) {
        size_t arity;
        const size_t *vertex = ng_hypergraph_edge(start, e, &arity);
        status = ngi_hypergraph_add(v->all, vertex, arity, error);
    }
    v->next_vertex = start->vertices;
    if (status == NG_OK)
        status = record(v, none, 0, error);
    for (; v->generations < generations && status == NG_OK; v->generations++)
        status = generate(v, rules, v->generations + 1, random, error);
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

ng_status ngi_evolution_state(ng_hypergraph **state, size_t **where, const ng_evolution *v,
                              size_t generation, ng_error *error)
{
    ng_hypergraph *g = NULL;
    size_t *index = malloc((v->lives + 1) * sizeof *index);
    ng_status status = index != NULL ? ngi_hypergraph_create(&g, error)
                                     : ng_error_set(error, NG_ENOMEM, "no memory for a state");
    for (size_t e = 0; e < v->lives && status == NG_OK; e++) {
        size_t arity;
        const size_t *vertex = ng_hypergraph_edge(v->all, e, &arity);
        if (v->life[e].born > generation || v->life[e].died <= generation)
            continue;
        index[g->edges] = e;
        status = ngi_hypergraph_add(g, vertex, arity, error);
    }
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
    ng_status status = ngi_evolution_state(state, &where, evolution, generation, error);
    if (status == NG_OK)
        free(where);
    return status;
}

ng_status ng_evolution_causal_graph(ng_hypergraph **graph, const ng_evolution *evolution,
                                    ng_error *error)
{
    if (graph != NULL)
        *graph = NULL;
    if (graph == NULL || evolution == NULL)
        return ng_error_set(error, NG_EARG, "graph or evolution is NULL");
    ng_hypergraph *g;
    ng_status status = ngi_hypergraph_create(&g, error);
    for (size_t i = 0; i < evolution->events && status == NG_OK; i++)
        status = ngi_hypergraph_add(g, &i, 1, error);
    for (size_t e = 0; e < evolution->lives && status == NG_OK; e++) {
        size_t arrow[2] = {evolution->life[e].made_by, evolution->life[e].taken_by};
        if (arrow[0] != none && arrow[1] != none)
            status = ngi_hypergraph_add(g, arrow, 2, error);
    }
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
    ng_status status = ng_evolution_create(&v, rules, start, generations, random, error);
    if (status == NG_OK)
        status = ng_evolution_causal_graph(graph, v, error);
    ng_evolution_destroy(v);
    return status;
}

ng_status ng_rules_causal_agreement(ng_causal_agreement *report, const ng_rules *rules,
                                    const ng_hypergraph *start, size_t generations, size_t orders,
                                    const ng_random *random, ng_error *error)
{
    ng_causal_agreement result = {.orders = orders};
    ng_hypergraph *first = NULL;
    if (report == NULL || random == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", report == NULL ? "report" : "random");
    ng_status status = causal_graph(&first, rules, start, generations, NULL, error);
    if (status == NG_OK)
        result.events = first->vertices;
    for (size_t k = 0; k < orders && status == NG_OK; k++) {
        ng_hypergraph *other = NULL;
        int same = 0;
        status = causal_graph(&other, rules, start, generations, random, error);
        if (status == NG_OK)
            status = ng_hypergraph_isomorphic(&same, first, other, 0, error);
        result.isomorphic += same != 0;
        ng_hypergraph_destroy(other);
    }
    ng_hypergraph_destroy(first);
    if (status == NG_OK)
        *report = result;
    return status;
}
