/* The substrate of good_regulator: a hypergraph that a rule has grown, and an
 * observer cut out of it. */
#include "examples/observers/substrate.h"

#include <stdlib.h>

enum { GENERATIONS = 4, WINDOW = 2, DEPTH = 3, ORDERS = 20, ORDERED = 3 };
static const char start_text[] = "{{0,1},{1,2},{2,0}}";

/* Joinability of critical pairs and causal graphs, each said as what it is. */
static void check(const ng_rules *rules, const ng_hypergraph *start, const config *c,
                  const ng_random *random)
{
    ng_joinability join;
    ng_causal_agreement causal;
    ng_error error;
    must(ng_rules_joinability(&join, rules, DEPTH, NULL, NULL, &error), &error);
    must(ng_rules_causal_agreement(&causal, rules, start, ORDERED, ORDERS, random, &error), &error);
    printf("rule         %s\n", c->rule);
    if (join.pairs == 0)
        printf("joinability  no labelled critical pairs: no two matches can share a hyperedge; no "
               "proof of causal invariance\n");
    else if (join.unresolved == 0)
        printf("joinability  %zu labelled critical pairs, strongly joinable within %zu steps; no "
               "proof of causal invariance\n",
               join.pairs, join.depth);
    else
        printf("joinability  %zu of %zu labelled critical pairs unresolved to depth %zu\n",
               join.unresolved, join.pairs, join.depth);
    printf("causal graph %zu of %zu random update orders give the one of the order of age (%zu "
           "events); an observation, no proof\n",
           causal.isomorphic, causal.orders, causal.events);
    if (join.unresolved > 0)
        die("the rule '%s' does not pass the joinability check; choose another", c->rule);
}

/* Spins are vertices, a term for each set of vertices; an ordered or repeated hyperedge is the
 * same term. */
static void model(topology *t, const ng_observer *o)
{
    ng_error error;
    t->spins = o->vertices;
    for (size_t i = 0, arity; i < ng_hypergraph_edges(o->internal); i++) {
        const size_t *vertices = ng_hypergraph_edge(o->internal, &arity, i);
        uint32_t edge;
        size_t k = 0;
        must(ng_family_edge(&edge, vertices, arity, &error), &error);
        while (k < t->count && t->edges[k] != edge)
            k++;
        if (edge != 0 && k == t->count && t->count < MAX_EDGES)
            t->edges[t->count++] = edge;
    }
    if (t->count == 0)
        die("%s", "the observer has no hyperedge that is a term of an Ising model");
}

void substrate_observer(topology *t, const config *c, const ng_random *random)
{
    ng_rules *rules;
    ng_hypergraph *start, *state;
    ng_evolution *evolution;
    ng_observer o;
    ng_error error;
    topology none = {.name = "observer", .kind = "observer"};
    *t = none;
    must(ng_rules_parse(&rules, c->rule, &error), &error);
    must(ng_hypergraph_parse(&start, start_text, &error), &error);
    check(rules, start, c, random);
    must(ng_evolution_create(&evolution, rules, start, GENERATIONS, NULL, &error), &error);
    must(ng_evolution_state(&state, evolution, GENERATIONS, &error), &error);
    must(ng_observer_cut(&o, evolution, 0, WINDOW, c->spins, &error), &error);
    model(t, &o);
    printf("substrate    %s after %d generations: %zu events, %zu vertices, %zu hyperedges\n",
           start_text, GENERATIONS, ng_evolution_events(evolution), ng_hypergraph_vertices(state),
           ng_hypergraph_edges(state));
    printf("observer     %zu spins, %zu of them boundary, %zu internal terms, %zu hyperedges cut\n",
           t->spins, o.boundary_count, t->count, o.cut);
    if (o.boundary_count < o.vertices)
        die("%s", "the observer has spins that are not boundary: its model would be a marginal, "
                  "for which M = F^2 does not hold; choose another --spins");
    ng_observer_clear(&o);
    ng_hypergraph_destroy(state);
    ng_evolution_destroy(evolution);
    ng_hypergraph_destroy(start);
    ng_rules_destroy(rules);
}
