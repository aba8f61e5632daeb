/* What the files of lib/lab/hypergraph share. */
#ifndef NGI_LAB_HYPERGRAPH_HYPERGRAPH_H
#define NGI_LAB_HYPERGRAPH_HYPERGRAPH_H

#include <stdint.h>

#include <natgrad/lab/hypergraph.h>

enum { NGI_LEFT_MAX = 8, NGI_VARIABLES_MAX = 32 };

/* Hyperedge e is vertex[start[e]] ... vertex[start[e + 1] - 1]. */
struct ng_hypergraph {
    size_t vertices, edges;
    size_t *start, *vertex;
    size_t start_room, vertex_room;
};

typedef struct {
    ng_hypergraph *left, *right; /* variables as vertices, those of the left first */
    size_t left_variables, variables;
} ngi_rule;

struct ng_rules {
    size_t count;
    ngi_rule *rule;
};

/* A place where a rule applies. */
typedef struct {
    size_t rule;
    size_t edge[NGI_LEFT_MAX];
    size_t binding[NGI_VARIABLES_MAX]; /* vertex of each variable */
} ngi_match;

ng_status ngi_hypergraph_create(ng_hypergraph **g, ng_error *error);
/* Appends a hyperedge and counts its vertices in. */
ng_status ngi_hypergraph_add(ng_hypergraph *g, const size_t *vertex, size_t arity, ng_error *error);
/* The same for all isomorphic hypergraphs with these fixed vertices. */
ng_status ngi_hypergraph_hash(uint64_t *hash, const ng_hypergraph *g, size_t fixed,
                              ng_error *error);

/* *item <- an array of the count matches, in order of rule and hyperedges; to be
 * freed. NG_ERANGE beyond a million. */
ng_status ngi_rules_match(ngi_match **item, size_t *count, const ng_rules *rules,
                          const ng_hypergraph *g, ng_error *error);
/* Appends the right side to g: new variables become vertices *next, *next + 1, ... */
ng_status ngi_rule_append(ng_hypergraph *g, const ngi_rule *rule, const ngi_match *match,
                          size_t *next, ng_error *error);
/* 1 if hyperedge e belongs to the match. */
int ngi_match_takes(const ng_rules *rules, const ngi_match *match, size_t e);

/* Room for one more element of `size` bytes. NG_ENOMEM; then nothing changed. */
ng_status ngi_hypergraph_grow(void **data, size_t *room, size_t needed, size_t size,
                              ng_error *error);

#endif
