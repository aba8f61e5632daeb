/* Strong joinability of labelled critical pairs to a depth. */
#include "lib/lab/hypergraph/hypergraph.h"

#include <stdlib.h>
#include <string.h>

enum { STATES_MAX = 200000, HEADS = 4096 };

/* ---- Sets of hypergraphs up to isomorphism ------------------------------------- */

typedef struct {
    ng_hypergraph *g;
    uint64_t hash;
    size_t next; /* + 1, of the same head; 0 ends the chain */
} member;

typedef struct {
    size_t fixed; /* vertices that keep their names */
    member *item;
    size_t count, room;
    size_t head[HEADS]; /* + 1 */
} set;

static ng_status set_create(set **s, size_t fixed, ng_error *error)
{
    *s = calloc(1, sizeof **s);
    if (*s == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a set of hypergraphs");
    (*s)->fixed = fixed;
    return NG_OK;
}

static void set_destroy(set *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        ng_hypergraph_destroy(s->item[i].g);
    free(s->item);
    free(s);
}

static ng_status set_has(int *found, const set *s, const ng_hypergraph *g, uint64_t hash,
                         ng_error *error)
{
    ng_status status = NG_OK;
    *found = 0;
    for (size_t i = s->head[hash % HEADS]; i > 0 && !*found && status == NG_OK;
         i = s->item[i - 1].next)
        if (s->item[i - 1].hash == hash)
            status = ng_hypergraph_isomorphic(found, s->item[i - 1].g, g, s->fixed, error);
    return status;
}

/* Takes g, whatever happens. */
static ng_status set_add(set *s, ng_hypergraph *g, ng_error *error)
{
    uint64_t hash = 0;
    int found = 0;
    void *item = s->item;
    ng_status status = ngi_hypergraph_hash(&hash, g, s->fixed, error);
    if (status == NG_OK)
        status = set_has(&found, s, g, hash, error);
    if (status == NG_OK && !found && s->count == STATES_MAX)
        status = ng_error_set(error, NG_ERANGE, "more than %d states", STATES_MAX);
    if (status == NG_OK && !found)
        status = ngi_hypergraph_grow(&item, &s->room, s->count + 1, sizeof *s->item, error);
    s->item = item;
    if (status != NG_OK || found) {
        ng_hypergraph_destroy(g);
        return status;
    }
    s->item[s->count] = (member){g, hash, s->head[hash % HEADS]};
    s->head[hash % HEADS] = ++s->count;
    return NG_OK;
}

/* ---- Overlaps of two left sides -------------------------------------------------- */

typedef struct {
    const ngi_rule *a, *b;
    size_t partner[NGI_LEFT_MAX];         /* of a's hyperedges: b's, or SIZE_MAX */
    size_t parent[2 * NGI_VARIABLES_MAX]; /* union of variables, b's after a's */
    set *states;
    ng_error *error;
} overlap;

static size_t root(const size_t *parent, size_t v)
{
    while (parent[v] != v)
        v = parent[v];
    return v;
}

static ng_status add_renamed(const overlap *o, ng_hypergraph *g, const ng_hypergraph *left,
                             size_t e, size_t offset, size_t *name)
{
    size_t arity, vertex[64];
    const size_t *variable = ng_hypergraph_edge(left, e, &arity);
    for (size_t i = 0; i < arity; i++) {
        size_t v = root(o->parent, variable[i] + offset);
        if (name[v] == SIZE_MAX)
            name[v] = name[2 * NGI_VARIABLES_MAX]++;
        vertex[i] = name[v];
    }
    return ngi_hypergraph_add(g, vertex, arity, o->error);
}

/* The most general unifier of the partners, as a hypergraph. */
static ng_status unify(overlap *o)
{
    size_t name[2 * NGI_VARIABLES_MAX + 1], arity, offset = o->a->left_variables;
    unsigned used = 0;
    ng_hypergraph *g;
    ng_status status = ngi_hypergraph_create(&g, o->error);
    for (size_t v = 0; v < 2 * NGI_VARIABLES_MAX; v++) {
        o->parent[v] = v;
        name[v] = SIZE_MAX;
    }
    name[2 * NGI_VARIABLES_MAX] = 0; /* names given */
    for (size_t e = 0; e < o->a->left->edges; e++) {
        if (o->partner[e] == SIZE_MAX)
            continue;
        const size_t *x = ng_hypergraph_edge(o->a->left, e, &arity);
        const size_t *y = ng_hypergraph_edge(o->b->left, o->partner[e], &arity);
        for (size_t i = 0; i < arity; i++)
            o->parent[root(o->parent, x[i])] = root(o->parent, y[i] + offset);
        used |= 1u << o->partner[e];
    }
    for (size_t e = 0; e < o->a->left->edges && status == NG_OK; e++)
        status = add_renamed(o, g, o->a->left, e, 0, name);
    for (size_t e = 0; e < o->b->left->edges && status == NG_OK; e++)
        if (!(used >> e & 1))
            status = add_renamed(o, g, o->b->left, e, offset, name);
    if (status == NG_OK)
        return set_add(o->states, g, o->error);
    ng_hypergraph_destroy(g);
    return status;
}

/* Every partial injection of a's hyperedges into b's of the same arity. */
static ng_status pair_up(overlap *o, size_t e, unsigned used)
{
    size_t arity, other;
    if (e == o->a->left->edges)
        return used != 0 ? unify(o) : NG_OK;
    o->partner[e] = SIZE_MAX;
    ng_status status = pair_up(o, e + 1, used);
    ng_hypergraph_edge(o->a->left, e, &arity);
    for (size_t f = 0; f < o->b->left->edges && status == NG_OK; f++) {
        ng_hypergraph_edge(o->b->left, f, &other);
        if (used >> f & 1 || arity != other)
            continue;
        o->partner[e] = f;
        status = pair_up(o, e + 1, used | 1u << f);
    }
    return status;
}

static ng_status find_overlaps(set *states, const ng_rules *rules, ng_error *error)
{
    ng_status status = NG_OK;
    for (size_t r = 0; r < rules->count; r++)
        for (size_t s = r; s < rules->count && status == NG_OK; s++) {
            overlap o = {
                .a = &rules->rule[r], .b = &rules->rule[s], .states = states, .error = error};
            status = pair_up(&o, 0, 0);
        }
    return status;
}

/* ---- What can be reached ------------------------------------------------------------ */

/* *result <- g after one event */
static ng_status rewrite(ng_hypergraph **result, const ng_rules *rules, const ng_hypergraph *g,
                         const ngi_match *match, size_t fixed, ng_error *error)
{
    size_t next = g->vertices > fixed ? g->vertices : fixed, arity;
    ng_status status = ngi_hypergraph_create(result, error);
    for (size_t e = 0; e < g->edges && status == NG_OK; e++)
        if (!ngi_match_takes(rules, match, e)) {
            const size_t *vertex = ng_hypergraph_edge(g, e, &arity);
            status = ngi_hypergraph_add(*result, vertex, arity, error);
        }
    if (status == NG_OK)
        status = ngi_rule_append(*result, &rules->rule[match->rule], match, &next, error);
    if (status == NG_OK)
        return NG_OK;
    ng_hypergraph_destroy(*result);
    *result = NULL;
    return status;
}

/* Adds everything one event away from a member. */
static ng_status step(set *s, size_t from, const ng_rules *rules, ng_error *error)
{
    ngi_match *match = NULL;
    size_t count = 0;
    ng_status status = ngi_rules_match(&match, &count, rules, s->item[from].g, error);
    for (size_t i = 0; i < count && status == NG_OK; i++) {
        ng_hypergraph *g;
        status = rewrite(&g, rules, s->item[from].g, &match[i], s->fixed, error);
        if (status == NG_OK)
            status = set_add(s, g, error);
    }
    free(match);
    return status;
}

/* *s <- all states after the event and at most depth more */
static ng_status reach(set **s, const ng_rules *rules, const ng_hypergraph *state,
                       const ngi_match *match, size_t depth, ng_error *error)
{
    ng_hypergraph *g = NULL;
    ng_status status = set_create(s, state->vertices, error);
    if (status == NG_OK)
        status = rewrite(&g, rules, state, match, state->vertices, error);
    if (status == NG_OK)
        status = set_add(*s, g, error);
    for (size_t d = 0, first = 0; d < depth && status == NG_OK; d++) {
        size_t last = (*s)->count;
        for (; first < last && status == NG_OK; first++)
            status = step(*s, first, rules, error);
    }
    return status;
}

static ng_status meet(int *found, const set *a, const set *b, ng_error *error)
{
    ng_status status = NG_OK;
    *found = 0;
    for (size_t i = 0; i < a->count && !*found && status == NG_OK; i++)
        status = set_has(found, b, a->item[i].g, a->item[i].hash, error);
    return status;
}

static int share(const ng_rules *rules, const ngi_match *a, const ngi_match *b)
{
    for (size_t k = 0; k < rules->rule[a->rule].left->edges; k++)
        if (ngi_match_takes(rules, b, a->edge[k]))
            return 1;
    return 0;
}

/* The critical pairs of one overlap. */
static ng_status judge(ng_joinability *report, const ng_rules *rules, const ng_hypergraph *state,
                       ng_error *error)
{
    ngi_match *match = NULL;
    size_t count = 0;
    ng_status status = ngi_rules_match(&match, &count, rules, state, error);
    set **reached = count > 0 ? calloc(count, sizeof *reached) : NULL;
    if (status == NG_OK && count > 0 && reached == NULL)
        status = ng_error_set(error, NG_ENOMEM, "no memory for %zu matches", count);
    for (size_t i = 0; i < count && count > 1 && status == NG_OK; i++)
        status = reach(&reached[i], rules, state, &match[i], report->depth, error);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i && status == NG_OK; j++) {
            int found;
            if (!share(rules, &match[i], &match[j]))
                continue;
            status = meet(&found, reached[i], reached[j], error);
            report->pairs++;
            report->unresolved += !found;
        }
    for (size_t i = 0; i < count && reached != NULL; i++)
        set_destroy(reached[i]);
    free(reached);
    free(match);
    return status;
}

ng_status ng_rules_joinability(ng_joinability *report, const ng_rules *rules, size_t depth,
                               ng_error *error)
{
    ng_joinability result = {.depth = depth};
    set *states = NULL;
    if (report == NULL || rules == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", report == NULL ? "report" : "rules");
    ng_status status = set_create(&states, 0, error);
    if (status == NG_OK)
        status = find_overlaps(states, rules, error);
    for (size_t i = 0; status == NG_OK && i < states->count; i++, result.states++)
        status = judge(&result, rules, states->item[i].g, error);
    set_destroy(states);
    if (status == NG_OK)
        *report = result;
    return status;
}
