/* natgrad/lab/hypergraph.h: rewriting of ordered hypergraphs by rules, as in
 * Wolfram's model (arXiv:2004.08210), and observers cut out of what grows.
 *
 * A hypergraph is a multiset of hyperedges, ordered lists of vertices. A rule
 *     {{x,y},{x,z}} -> {{x,z},{x,w},{y,w},{z,w}}
 * matches different hyperedges of its left side's arities, consistently in its
 * variables (two variables may name one vertex), takes them out and puts the
 * right side in; variables that are new on the right name new vertices. One such
 * replacement is an event.
 *
 * Two facts about a rule can be asked for. Neither proves causal invariance or
 * confluence: joinability of critical pairs is not sufficient for hypergraphs
 * and confluence is undecidable (Plump 2005), and random orders are samples.
 *
 * NULL where an object is needed is NG_EARG; memory NG_ENOMEM; growth beyond
 * the limits said NG_ERANGE. On an error created objects are NULL. */
#ifndef NATGRAD_LAB_HYPERGRAPH_H
#define NATGRAD_LAB_HYPERGRAPH_H

#include <stddef.h>
#include <natgrad/random.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Hypergraphs ------------------------------------------------------------- */

typedef struct ng_hypergraph ng_hypergraph;

/* From text like {{1,2},{1,3}} or {{a,b,c}}; {} is empty. Names are letters,
 * digits and _; vertices are numbered 0, 1, ... as they appear. A hyperedge has 1 to 64
 * vertices. Linear in the length of the text. NG_EFORMAT with position (bytes from 0) and
 * reason. */
NG_API ng_status ng_hypergraph_parse(ng_hypergraph **g, const char *text, ng_error *error);

/* NULL is fine. */
NG_API void ng_hypergraph_destroy(ng_hypergraph *g);

/* Number of hyperedges; all vertices are less than ng_hypergraph_vertices (not
 * all of them need occur); the vertices of hyperedge i, `arity` of them (NULL
 * beyond the last), which live until the hypergraph changes. */
NG_API size_t ng_hypergraph_edges(const ng_hypergraph *g);
NG_API size_t ng_hypergraph_vertices(const ng_hypergraph *g);
NG_API const size_t *ng_hypergraph_edge(const ng_hypergraph *g, size_t *arity, size_t i);

/* *same <- 1 if renaming vertices makes g and h the same multiset. The vertices
 * below `fixed` keep their names. Exact: colour refinement, then search. */
NG_API ng_status ng_hypergraph_isomorphic(int *same, const ng_hypergraph *g,
                                          const ng_hypergraph *h, size_t fixed, ng_error *error);

/* ---- Rules ----------------------------------------------------------------------- */

typedef struct ng_rules ng_rules;

/* One rule, or several with ; between them. Left sides have 1 to 8 hyperedges, a
 * rule at most 32 variables (NG_ERANGE). NG_EFORMAT with position and reason. */
NG_API ng_status ng_rules_parse(ng_rules **rules, const char *text, ng_error *error);
NG_API void ng_rules_destroy(ng_rules *rules);

typedef struct {
    size_t states;     /* overlaps of two left sides, up to isomorphism */
    size_t pairs;      /* labelled critical pairs */
    size_t unresolved; /* not strongly joinable to that depth */
    size_t depth;
} ng_joinability;

/* Called now and then (every 256 steps) with what has been found so far, `states` being the
 * overlaps judged; non-zero stops the search. */
typedef int (*ng_joinability_watch)(void *data, const ng_joinability *report);

/* Labelled critical pairs and how many are strongly joinable within `depth`
 * further steps on either side. The overlaps are the most general unifiers of
 * two left sides that share at least one hyperedge (a left side alone
 * included). A pair is two different matches in an overlap that share a
 * hyperedge, unordered, hyperedges told apart. It is resolved when results of at
 * most depth steps after one and the other are isomorphic with every vertex of the
 * overlap fixed. unresolved = 0 proves nothing, unresolved > 0 holds for
 * this depth.
 * The work grows as the factorial of a left side: seven hyperedges of one arity overlap in
 * 130,921 ways, eight in 1,441,728. A step is an overlap tried, a state reached or two matches
 * compared; NG_ERANGE after 4,000,000 of them, and beyond 200,000 states a side.
 * NG_STOPPED: watch (may be NULL) stopped it; *report is what was found until then. */
NG_API ng_status ng_rules_joinability(ng_joinability *report, const ng_rules *rules, size_t depth,
                                      ng_joinability_watch watch, void *data, ng_error *error);

/* ---- Evolution ---------------------------------------------------------------------- */

typedef struct ng_evolution ng_evolution;

/* `generations` of rewriting. In a generation the matches among the hyperedges that
 * its beginning finds are tried one after the other, and those whose
 * hyperedges are still there happen: in order of age (rule by rule, hyperedges
 * oldest first) when random is NULL, else in a random order (fill_uniform). At most
 * 100000 hyperedges ever made and a million matches at once (NG_ERANGE). */
NG_API ng_status ng_evolution_create(ng_evolution **evolution, const ng_rules *rules,
                                     const ng_hypergraph *start, size_t generations,
                                     const ng_random *random, ng_error *error);
NG_API void ng_evolution_destroy(ng_evolution *evolution);

/* Events in all. */
NG_API size_t ng_evolution_events(const ng_evolution *evolution);

/* The hyperedges there are after a generation, 0 being the start, oldest first.
 * NG_ERANGE beyond the last. */
NG_API ng_status ng_evolution_state(ng_hypergraph **state, const ng_evolution *evolution,
                                    size_t generation, ng_error *error);

/* The causal graph: {i} for every event i, {i,j} for every hyperedge that event i made
 * and event j took. */
NG_API ng_status ng_evolution_causal_graph(ng_hypergraph **graph, const ng_evolution *evolution,
                                           ng_error *error);

typedef struct {
    size_t orders;     /* random update orders drawn */
    size_t isomorphic; /* of them, with the causal graph of the order of age */
    size_t events;     /* of that one */
} ng_causal_agreement;

/* Compares causal graphs after that many generations over random update
 * orders. An observation about these orders, not a proof. */
NG_API ng_status ng_rules_causal_agreement(ng_causal_agreement *report, const ng_rules *rules,
                                           const ng_hypergraph *start, size_t generations,
                                           size_t orders, const ng_random *random,
                                           ng_error *error);

/* ---- Observers ------------------------------------------------------------------------ */

/* A connected piece of the last state that has persisted, with the cut around it. */
typedef struct {
    ng_hypergraph *internal; /* its hyperedges, vertices renamed 0 ... vertices-1 */
    size_t vertices;
    size_t *vertex;          /* their names in the state, in the order they were reached */
    size_t boundary_count;
    size_t *boundary;        /* new names of those that also lie in hyperedges outside */
    size_t cut;              /* the number of these hyperedges: outside, meeting the observer */
} ng_observer;

/* Grows an observer around vertex `seed`, hyperedge by hyperedge in order of age, over
 * hyperedges that persist: the same vertices in the same order were a hyperedge at
 * the end of each of the last `window` generations and of the one before them (whether or not events
 * took it and made it again). It stops where the next hyperedge would bring more than
 * max_vertices. NG_ENODATA when no persistent hyperedge holds the seed or fits;
 * NG_ERANGE for a window longer than the evolution. Give back with ng_observer_clear. */
NG_API ng_status ng_observer_cut(ng_observer *observer, const ng_evolution *evolution, size_t seed,
                                 size_t window, size_t max_vertices, ng_error *error);
NG_API void ng_observer_clear(ng_observer *observer);

#ifdef __cplusplus
}
#endif
#endif
