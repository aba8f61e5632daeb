/* The history of an evolution: every hyperedge ever, and its life. */
#ifndef NGI_LAB_HYPERGRAPH_EVOLUTION_H
#define NGI_LAB_HYPERGRAPH_EVOLUTION_H

#include "lib/lab/hypergraph/hypergraph.h"

/* SIZE_MAX: no event (the start), not taken. There after generation t when
 * born <= t < died. */
typedef struct {
    size_t made_by, taken_by; /* events */
    size_t born, died;        /* generations */
} ngi_life;

struct ng_evolution {
    ng_hypergraph *all; /* in the order they were made */
    ngi_life *life;
    size_t lives, room;
    size_t events, generations, next_vertex;
};

/* *state <- what there is after a generation, *where (to be freed) <- the numbers of its
 * hyperedges in `all`. */
ng_status ngi_evolution_state(ng_hypergraph **state, size_t **where, const ng_evolution *v,
                              size_t generation, ng_error *error);

#endif
