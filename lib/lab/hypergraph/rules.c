/* Rules: their text, where they match, what they make. */
#include "lib/lab/hypergraph/hypergraph.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

enum { MATCHES_MAX = 1000000 };

/* ---- Text ------------------------------------------------------------------- */

/* Names as a tree of their letters: a name is looked up in 63 comparisons a letter at
 * most, whatever names came before. */
typedef struct {
    char c;
    size_t child, sibling; /* nodes; 0: none */
    size_t number;         /* of the vertex whose name ends here; SIZE_MAX: none does */
} letter;

typedef struct {
    const char *text;
    size_t at;
    letter *node; /* the names so far; node[0] stands for none */
    size_t nodes, room, names;
    ng_error *error;
} parser;

static void skip_blanks(parser *p)
{
    p->at += strspn(p->text + p->at, " \t\r\n");
}

static ng_status unexpected(const parser *p, const char *expected)
{
    if (p->text[p->at] == 0)
        return ng_error_set(p->error, NG_EFORMAT, "position %zu: expected %s, found the end", p->at,
                            expected);
    return ng_error_set(p->error, NG_EFORMAT, "position %zu: expected %s, found '%c'", p->at,
                        expected, p->text[p->at]);
}

/* Takes `word` if it comes next. */
static int accept(parser *p, const char *word)
{
    skip_blanks(p);
    if (strncmp(p->text + p->at, word, strlen(word)) != 0)
        return 0;
    p->at += strlen(word);
    return 1;
}

static ng_status add_letter(parser *p, size_t parent, char c)
{
    void *node = p->node;
    TRY(ngi_hypergraph_grow(&node, &p->room, p->nodes + 1, sizeof *p->node, p->error));
    p->node = node;
    p->node[p->nodes] = (letter){c, 0, 0, SIZE_MAX};
    if (p->nodes > 0) {
        p->node[p->nodes].sibling = p->node[parent].child;
        p->node[parent].child = p->nodes;
    }
    p->nodes++;
    return NG_OK;
}

static ng_status forget_names(parser *p)
{
    p->names = p->nodes = 0;
    return add_letter(p, 0, 0);
}

static ng_status parse_name(parser *p, size_t *number)
{
    skip_blanks(p);
    const char *name = p->text + p->at;
    size_t at = 0, length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_");
    if (length == 0)
        return unexpected(p, "a vertex");
    p->at += length;
    for (size_t i = 0; i < length; i++) {
        size_t next = p->node[at].child;
        while (next != 0 && p->node[next].c != name[i])
            next = p->node[next].sibling;
        if (next == 0) {
            next = p->nodes;
            TRY(add_letter(p, at, name[i]));
        }
        at = next;
    }
    if (p->node[at].number == SIZE_MAX)
        p->node[at].number = p->names++;
    *number = p->node[at].number;
    return NG_OK;
}

/* {a,b,c} appended to g */
static ng_status parse_edge(parser *p, ng_hypergraph *g)
{
    enum { ARITY_MAX = 64 };
    size_t vertex[ARITY_MAX], arity = 0;
    if (!accept(p, "{"))
        return unexpected(p, "'{'");
    do {
        if (arity == ARITY_MAX)
            return ng_error_set(p->error, NG_EFORMAT,
                                "position %zu: a hyperedge with more than %d vertices", p->at,
                                ARITY_MAX);
        TRY(parse_name(p, &vertex[arity++]));
    } while (accept(p, ","));
    if (!accept(p, "}"))
        return unexpected(p, "',' or '}' in a hyperedge");
    return ngi_hypergraph_add(g, vertex, arity, p->error);
}

/* {{a,b},{a,c}} */
static ng_status parse_side(parser *p, ng_hypergraph **g)
{
    TRY(ngi_hypergraph_create(g, p->error));
    if (!accept(p, "{"))
        return unexpected(p, "'{'");
    if (accept(p, "}"))
        return NG_OK;
    do {
        TRY(parse_edge(p, *g));
    } while (accept(p, ","));
    return accept(p, "}") ? NG_OK : unexpected(p, "',' or '}' after a hyperedge");
}

static ng_status parse_rule(parser *p, ngi_rule *rule)
{
    TRY(forget_names(p));
    skip_blanks(p);
    size_t begin = p->at;
    TRY(parse_side(p, &rule->left));
    rule->left_variables = p->names;
    if (!accept(p, "->"))
        return unexpected(p, "'->'");
    TRY(parse_side(p, &rule->right));
    rule->variables = p->names;
    if (rule->left->edges < 1 || rule->left->edges > NGI_LEFT_MAX)
        return ng_error_set(p->error, NG_ERANGE,
                            "position %zu: %zu hyperedges on the left, expected 1 to %d", begin,
                            rule->left->edges, NGI_LEFT_MAX);
    if (rule->variables > NGI_VARIABLES_MAX)
        return ng_error_set(p->error, NG_ERANGE, "position %zu: %zu variables, at most %d", begin,
                            rule->variables, NGI_VARIABLES_MAX);
    return NG_OK;
}

static ng_status parse_hypergraph(parser *p, ng_hypergraph **g)
{
    TRY(forget_names(p));
    TRY(parse_side(p, g));
    skip_blanks(p);
    return p->text[p->at] != 0 ? unexpected(p, "the end") : NG_OK;
}

ng_status ng_hypergraph_parse(ng_hypergraph **g, const char *text, ng_error *error)
{
    parser p = {.text = text, .error = error};
    if (g != NULL)
        *g = NULL;
    if (g == NULL || text == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", g == NULL ? "g" : "text");
    ng_status status = parse_hypergraph(&p, g);
    free(p.node);
    if (status != NG_OK) {
        ng_hypergraph_destroy(*g);
        *g = NULL;
    }
    return status;
}

static ng_status parse_rules(parser *p, ng_rules *r)
{
    size_t room = 0;
    do {
        void *rule = r->rule;
        TRY(ngi_hypergraph_grow(&rule, &room, r->count + 1, sizeof *r->rule, p->error));
        r->rule = rule;
        memset(&r->rule[r->count], 0, sizeof *r->rule);
        TRY(parse_rule(p, &r->rule[r->count++]));
    } while (accept(p, ";"));
    return p->text[p->at] != 0 ? unexpected(p, "';' or the end") : NG_OK;
}

ng_status ng_rules_parse(ng_rules **rules, const char *text, ng_error *error)
{
    parser p = {.text = text, .error = error};
    if (rules != NULL)
        *rules = NULL;
    if (rules == NULL || text == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", rules == NULL ? "rules" : "text");
    ng_rules *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for rules");
    ng_status status = parse_rules(&p, r);
    free(p.node);
    if (status == NG_OK)
        *rules = r;
    else
        ng_rules_destroy(r);
    return status;
}

void ng_rules_destroy(ng_rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t k = 0; k < rules->count; k++) {
        ng_hypergraph_destroy(rules->rule[k].left);
        ng_hypergraph_destroy(rules->rule[k].right);
    }
    free(rules->rule);
    free(rules);
}

/* ---- Matches ------------------------------------------------------------------ */

typedef struct {
    const ng_rules *rules;
    const ng_hypergraph *g;
    ngi_match *item;
    size_t count, room;
    ng_error *error;
} matcher;

/* Binds the variables of hyperedge k of the left side to those of hyperedge e;
 * `bound` variables are bound already (they are numbered as they appear). Returns how
 * many are bound then, SIZE_MAX if it does not fit. */
static size_t bind(const ng_hypergraph *left, const ng_hypergraph *g, ngi_match *m, size_t k,
                   size_t e, size_t bound)
{
    size_t arity, other;
    const size_t *variable = ng_hypergraph_edge(left, &arity, k);
    const size_t *vertex = ng_hypergraph_edge(g, &other, e);
    for (size_t i = 0; i < k; i++)
        if (m->edge[i] == e)
            return SIZE_MAX;
    if (arity != other)
        return SIZE_MAX;
    for (size_t i = 0; i < arity; i++) {
        if (variable[i] == bound)
            m->binding[bound++] = vertex[i];
        else if (m->binding[variable[i]] != vertex[i])
            return SIZE_MAX;
    }
    m->edge[k] = e;
    return bound;
}

/* The match has k hyperedges so far. */
static ng_status extend(matcher *w, ngi_match *m, size_t k, size_t bound)
{
    const ng_hypergraph *left = w->rules->rule[m->rule].left;
    if (k == left->edges) {
        void *item = w->item;
        if (w->count == MATCHES_MAX)
            return ng_error_set(w->error, NG_ERANGE, "more than %d matches at once", MATCHES_MAX);
        TRY(ngi_hypergraph_grow(&item, &w->room, w->count + 1, sizeof *w->item, w->error));
        w->item = item;
        w->item[w->count++] = *m;
        return NG_OK;
    }
    for (size_t e = 0; e < w->g->edges; e++) {
        size_t now = bind(left, w->g, m, k, e, bound);
        if (now != SIZE_MAX)
            TRY(extend(w, m, k + 1, now));
    }
    return NG_OK;
}

ng_status ngi_rules_match(ngi_match **item, size_t *count, const ng_rules *rules,
                          const ng_hypergraph *g, ng_error *error)
{
    matcher w = {.rules = rules, .g = g, .error = error};
    ng_status status = NG_OK;
    for (size_t r = 0; r < rules->count && status == NG_OK; r++) {
        ngi_match m = {.rule = r};
        status = extend(&w, &m, 0, 0);
    }
    if (status != NG_OK) {
        free(w.item);
        return status;
    }
    *item = w.item;
    *count = w.count;
    return NG_OK;
}

int ngi_match_takes(const ng_rules *rules, const ngi_match *match, size_t e)
{
    for (size_t k = 0; k < rules->rule[match->rule].left->edges; k++)
        if (match->edge[k] == e)
            return 1;
    return 0;
}

ng_status ngi_rule_append(ng_hypergraph *g, const ngi_rule *rule, const ngi_match *match,
                          size_t *next, ng_error *error)
{
    size_t name[NGI_VARIABLES_MAX], vertex[64];
    for (size_t v = 0; v < rule->variables; v++)
        name[v] = v < rule->left_variables ? match->binding[v] : (*next)++;
    for (size_t e = 0; e < rule->right->edges; e++) {
        size_t arity;
        const size_t *variable = ng_hypergraph_edge(rule->right, &arity, e);
        for (size_t i = 0; i < arity; i++)
            vertex[i] = name[variable[i]];
        TRY(ngi_hypergraph_add(g, vertex, arity, error));
    }
    return NG_OK;
}
