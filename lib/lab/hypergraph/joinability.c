/* Strong joinability of labelled critical pairs to a depth. */
#include "lib/lab/hypergraph/hypergraph.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

enum { STATES_MAX = 200000, STEPS_MAX = 4000000, STEPS_BETWEEN = 256, HEADS_MIN = 16 };

/* What the whole search shares. */
typedef struct {
    const ng_rules *rules;
    ng_joinability report; /* so far */
    size_t steps;          /* overlaps tried, states reached, pairs compared */
    ng_joinability_watch watch;
    void *data;
    ng_error *error;
} search;

/* One step more: asks the caller now and then, and ends what would never end. */
static ng_status spend(search *w)
{
    if (w->steps == STEPS_MAX)
        return ng_error_set(w->error, NG_ERANGE,
                            "more than %d overlaps, states and pairs; %zu overlaps judged so far",
                            STEPS_MAX, w->report.states);
    if (w->steps++ % STEPS_BETWEEN == 0 && w->watch != NULL && w->watch(w->data, &w->report) != 0)
        return ng_error_set(w->error, NG_STOPPED, "stopped: %zu overlaps judged, %zu pairs",
                            w->report.states, w->report.pairs);
    return NG_OK;
}

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
    size_t *head, heads; /* + 1; a power of 2 of them */
} set;

static void set_destroy(set *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        ng_hypergraph_destroy(s->item[i].g);
    free(s->item);
    free(s->head);
    free(s);
}

static ng_status set_create(set **s, size_t fixed, ng_error *error)
{
    *s = calloc(1, sizeof **s);
    if (*s == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a set of hypergraphs");
    (*s)->fixed = fixed;
    return NG_OK;
}

static void set_link(set *s, size_t i)
{
    size_t *head = &s->head[s->item[i].hash & (s->heads - 1)];
    s->item[i].next = *head;
    *head = i + 1;
}

/* At least as many heads as members. */
static ng_status set_spread(set *s, ng_error *error)
{
    if (s->count < s->heads)
        return NG_OK;
    size_t heads = s->heads > 0 ? 4 * s->heads : HEADS_MIN;
    size_t *head = calloc(heads, sizeof *head);
    if (head == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a set of %zu hypergraphs", s->count);
    free(s->head);
    s->head = head;
    s->heads = heads;
    for (size_t i = 0; i < s->count; i++)
        set_link(s, i);
    return NG_OK;
}

static ng_status set_has(int *found, const set *s, const ng_hypergraph *g, uint64_t hash,
                         ng_error *error)
{
    *found = 0;
    for (size_t i = s->heads > 0 ? s->head[hash & (s->heads - 1)] : 0; i > 0 && !*found;
         i = s->item[i - 1].next)
        if (s->item[i - 1].hash == hash)
            TRY(ng_hypergraph_isomorphic(found, s->item[i - 1].g, g, s->fixed, error));
    return NG_OK;
}

/* *taken <- 1: g is a new member and the set's. */
static ng_status set_offer(int *taken, set *s, ng_hypergraph *g, search *w)
{
    uint64_t hash = 0;
    int found = 0;
    void *item = s->item;
    TRY(spend(w));
    TRY(ngi_hypergraph_hash(&hash, g, s->fixed, w->error));
    TRY(set_has(&found, s, g, hash, w->error));
    if (found)
        return NG_OK;
    if (s->count == STATES_MAX)
        return ng_error_set(w->error, NG_ERANGE, "more than %d states", STATES_MAX);
    TRY(set_spread(s, w->error));
    TRY(ngi_hypergraph_grow(&item, &s->room, s->count + 1, sizeof *s->item, w->error));
    s->item = item;
    s->item[s->count] = (member){g, hash, 0};
    set_link(s, s->count++);
    *taken = 1;
    return NG_OK;
}

/* Takes g, whatever happens. */
static ng_status set_add(set *s, ng_hypergraph *g, search *w)
{
    int taken = 0;
    ng_status status = set_offer(&taken, s, g, w);
    if (!taken)
        ng_hypergraph_destroy(g);
    return status;
}

/* ---- Overlaps of two left sides -------------------------------------------------- */

typedef struct {
    const ngi_rule *a, *b;
    size_t partner[NGI_LEFT_MAX];         /* of a's hyperedges: b's, or SIZE_MAX */
    size_t parent[2 * NGI_VARIABLES_MAX]; /* union of variables, b's after a's */
    set *states;
    search *search;
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
    const size_t *variable = ng_hypergraph_edge(left, &arity, e);
    for (size_t i = 0; i < arity; i++) {
        size_t v = root(o->parent, variable[i] + offset);
        if (name[v] == SIZE_MAX)
            name[v] = name[2 * NGI_VARIABLES_MAX]++;
        vertex[i] = name[v];
    }
    return ngi_hypergraph_add(g, vertex, arity, o->search->error);
}

/* Variables of partners become one; bits of b's hyperedges that have a partner. */
static unsigned unite(overlap *o)
{
    size_t arity;
    unsigned used = 0;
    for (size_t v = 0; v < 2 * NGI_VARIABLES_MAX; v++)
        o->parent[v] = v;
    for (size_t e = 0; e < o->a->left->edges; e++) {
        if (o->partner[e] == SIZE_MAX)
            continue;
        const size_t *x = ng_hypergraph_edge(o->a->left, &arity, e);
        const size_t *y = ng_hypergraph_edge(o->b->left, &arity, o->partner[e]);
        for (size_t i = 0; i < arity; i++)
            o->parent[root(o->parent, x[i])] = root(o->parent, y[i] + o->a->left_variables);
        used |= 1u << o->partner[e];
    }
    return used;
}

/* g <- the most general unifier of the partners */
static ng_status fill_unifier(overlap *o, ng_hypergraph *g)
{
    size_t name[2 * NGI_VARIABLES_MAX + 1];
    unsigned used = unite(o);
    for (size_t v = 0; v < 2 * NGI_VARIABLES_MAX; v++)
        name[v] = SIZE_MAX;
    name[2 * NGI_VARIABLES_MAX] = 0; /* names given */
    for (size_t e = 0; e < o->a->left->edges; e++)
        TRY(add_renamed(o, g, o->a->left, e, 0, name));
    for (size_t e = 0; e < o->b->left->edges; e++)
        if (!(used >> e & 1))
            TRY(add_renamed(o, g, o->b->left, e, o->a->left_variables, name));
    return NG_OK;
}

static ng_status unify(overlap *o)
{
    ng_hypergraph *g;
    TRY(ngi_hypergraph_create(&g, o->search->error));
    ng_status status = fill_unifier(o, g);
    if (status == NG_OK)
        return set_add(o->states, g, o->search);
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
    TRY(pair_up(o, e + 1, used));
    ng_hypergraph_edge(o->a->left, &arity, e);
    for (size_t f = 0; f < o->b->left->edges; f++) {
        ng_hypergraph_edge(o->b->left, &other, f);
        if (used >> f & 1 || arity != other)
            continue;
        o->partner[e] = f;
        TRY(pair_up(o, e + 1, used | 1u << f));
    }
    return NG_OK;
}

static ng_status find_overlaps(search *w, set *states)
{
    const ng_rules *rules = w->rules;
    for (size_t r = 0; r < rules->count; r++)
        for (size_t s = r; s < rules->count; s++) {
            overlap o = {.a = &rules->rule[r], .b = &rules->rule[s], .states = states, .search = w};
            TRY(pair_up(&o, 0, 0));
        }
    return NG_OK;
}

/* ---- What can be reached ------------------------------------------------------------ */

/* result <- g after one event */
static ng_status fill_rewritten(ng_hypergraph *result, const search *w, const ng_hypergraph *g,
                                const ngi_match *match, size_t fixed)
{
    size_t next = g->vertices > fixed ? g->vertices : fixed, arity;
    for (size_t e = 0; e < g->edges; e++)
        if (!ngi_match_takes(w->rules, match, e)) {
            const size_t *vertex = ng_hypergraph_edge(g, &arity, e);
            TRY(ngi_hypergraph_add(result, vertex, arity, w->error));
        }
    return ngi_rule_append(result, &w->rules->rule[match->rule], match, &next, w->error);
}

/* Adds g after one event. */
static ng_status add_rewritten(set *s, search *w, const ng_hypergraph *g, const ngi_match *match)
{
    ng_hypergraph *result;
    TRY(ngi_hypergraph_create(&result, w->error));
    ng_status status = fill_rewritten(result, w, g, match, s->fixed);
    if (status == NG_OK)
        return set_add(s, result, w);
    ng_hypergraph_destroy(result);
    return status;
}

/* Adds everything one event away from a member. */
static ng_status step(set *s, size_t from, search *w)
{
    ngi_match *match;
    size_t count;
    TRY(ngi_rules_match(&match, &count, w->rules, s->item[from].g, w->error));
    ng_status status = NG_OK;
    for (size_t i = 0; i < count && status == NG_OK; i++)
        status = add_rewritten(s, w, s->item[from].g, &match[i]);
    free(match);
    return status;
}

/* *s <- all states after the event and at most depth more */
static ng_status reach(set **s, search *w, const ng_hypergraph *state, const ngi_match *match)
{
    TRY(set_create(s, state->vertices, w->error));
    TRY(add_rewritten(*s, w, state, match));
    for (size_t d = 0, first = 0; d < w->report.depth; d++) {
        size_t last = (*s)->count;
        if (first == last)
            return NG_OK; /* nothing new to go on from */
        for (; first < last; first++)
            TRY(step(*s, first, w));
    }
    return NG_OK;
}

static ng_status meet(int *found, const set *a, const set *b, search *w)
{
    *found = 0;
    for (size_t i = 0; i < a->count && !*found; i++)
        TRY(set_has(found, b, a->item[i].g, a->item[i].hash, w->error));
    return NG_OK;
}

static int share(const ng_rules *rules, const ngi_match *a, const ngi_match *b)
{
    for (size_t k = 0; k < rules->rule[a->rule].left->edges; k++)
        if (ngi_match_takes(rules, b, a->edge[k]))
            return 1;
    return 0;
}

/* The critical pairs among the matches; reached: a set each, NULL so far */
static ng_status compare(search *w, const ng_hypergraph *state, const ngi_match *match,
                         size_t count, set **reached)
{
    for (size_t i = 0; i < count && count > 1; i++)
        TRY(reach(&reached[i], w, state, &match[i]));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            int found;
            TRY(spend(w));
            if (!share(w->rules, &match[i], &match[j]))
                continue;
            TRY(meet(&found, reached[i], reached[j], w));
            w->report.pairs++;
            w->report.unresolved += !found;
        }
    return NG_OK;
}

/* The critical pairs of one overlap. */
static ng_status judge(search *w, const ng_hypergraph *state)
{
    ngi_match *match;
    size_t count;
    TRY(ngi_rules_match(&match, &count, w->rules, state, w->error));
    set **reached = calloc(count + 1, sizeof *reached);
    ng_status status = reached != NULL
                           ? compare(w, state, match, count, reached)
                           : ng_error_set(w->error, NG_ENOMEM, "no memory for %zu matches", count);
    for (size_t i = 0; i < count && reached != NULL; i++)
        set_destroy(reached[i]);
    free(reached);
    free(match);
    w->report.states += status == NG_OK;
    return status;
}

static ng_status run(search *w, set *states)
{
    TRY(find_overlaps(w, states));
    for (size_t i = 0; i < states->count; i++)
        TRY(judge(w, states->item[i].g));
    return NG_OK;
}

ng_status ng_rules_joinability(ng_joinability *report, const ng_rules *rules, size_t depth,
                               ng_joinability_watch watch, void *data, ng_error *error)
{
    search w = {
        .rules = rules, .report.depth = depth, .watch = watch, .data = data, .error = error};
    set *states;
    if (report == NULL || rules == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", report == NULL ? "report" : "rules");
    TRY(set_create(&states, 0, error));
    ng_status status = run(&w, states);
    set_destroy(states);
    if (status == NG_OK || status == NG_STOPPED)
        *report = w.report;
    return status;
}
