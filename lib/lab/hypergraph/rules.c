/* Rules: their text, where they match, what they make. */
#include "lib/lab/hypergraph/hypergraph.h"

#include <stdlib.h>
#include <string.h>

enum { MATCHES_MAX = 1000000 };

/* ---- Text ------------------------------------------------------------------- */

typedef struct {
    const char *text;
    size_t at;
    /* names so far, as pieces of the text */
    size_t *first, *length;
    size_t names, first_room, length_room;
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

static ng_status parse_name(parser *p, size_t *number)
{
    skip_blanks(p);
    const char *name = p->text + p->at;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_");
    if (length == 0)
        return unexpected(p, "a vertex");
    p->at += length;
    for (*number = 0; *number < p->names; ++*number)
        if (p->length[*number] == length && memcmp(p->text + p->first[*number], name, length) == 0)
            return NG_OK;
    void *first = p->first, *lengths = p->length;
    ng_status status =
        ngi_hypergraph_grow(&first, &p->first_room, p->names + 1, sizeof *p->first, p->error);
    p->first = first;
    if (status == NG_OK)
        status = ngi_hypergraph_grow(&lengths, &p->length_room, p->names + 1, sizeof *p->length,
                                     p->error);
    p->length = lengths;
    if (status != NG_OK)
        return status;
    p->first[p->names] = (size_t)(name - p->text);
    p->length[p->names++] = length;
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
        ng_status status = parse_name(p, &vertex[arity++]);
        if (status != NG_OK)
            return status;
    } while (accept(p, ","));
    if (!accept(p, "}"))
        return unexpected(p, "',' or '}' in a hyperedge");
    return ngi_hypergraph_add(g, vertex, arity, p->error);
}

/* {{a,b},{a,c}} */
static ng_status parse_side(parser *p, ng_hypergraph **g)
{
    ng_status status = ngi_hypergraph_create(g, p->error);
    if (status != NG_OK)
        return status;
    if (!accept(p, "{"))
        return unexpected(p, "'{'");
    if (accept(p, "}"))
        return NG_OK;
    do {
        status = parse_edge(p, *g);
        if (status != NG_OK)
            return status;
    } while (accept(p, ","));
    return accept(p, "}") ? NG_OK : unexpected(p, "',' or '}' after a hyperedge");
}

static ng_status parse_rule(parser *p, ngi_rule *rule)
{
    p->names = 0;
    skip_blanks(p);
    size_t begin = p->at;
    ng_status status = parse_side(p, &rule->left);
    if (status != NG_OK)
        return status;
    rule->left_variables = p->names;
    if (!accept(p, "->"))
        return unexpected(p, "'->'");
    status = parse_side(p, &rule->right);
    if (status != NG_OK)
        return status;
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

static void parser_free(parser *p)
{
    free(p->first);
    free(p->length);
}

ng_status ng_hypergraph_parse(ng_hypergraph **g, const char *text, ng_error *error)
{
    parser p = {.text = text, .error = error};
    if (g != NULL)
        *g = NULL;
    if (g == NULL || text == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", g == NULL ? "g" : "text");
    ng_status status = parse_side(&p, g);
    skip_blanks(&p);
    if (status == NG_OK && text[p.at] != 0)
        status = unexpected(&p, "the end");
    parser_free(&p);
    if (status != NG_OK) {
        ng_hypergraph_destroy(*g);
        *g = NULL;
    }
    return status;
}

ng_status ng_rules_parse(ng_rules **rules, const char *text, ng_error *error)
{
    parser p = {.text = text, .error = error};
    size_t room = 0;
    if (rules != NULL)
        *rules = NULL;
    if (rules == NULL || text == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", rules == NULL ? "rules" : "text");
    ng_rules *r = calloc(1, sizeof *r);
    ng_status status = r != NULL ? NG_OK : ng_error_set(error, NG_ENOMEM, "no memory for rules");
    while (status == NG_OK) {
        void *rule = r->rule;
        status = ngi_hypergraph_grow(&rule, &room, r->count + 1, sizeof *r->rule, error);
        r->rule = rule;
        if (status != NG_OK)
            break;
        memset(&r->rule[r->count], 0, sizeof *r->rule);
        status = parse_rule(&p, &r->rule[r->count++]);
        if (status == NG_OK && !accept(&p, ";"))
            break;
    }
    if (status == NG_OK && text[p.at] != 0)
        status = unexpected(&p, "';' or the end");
    parser_free(&p);
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
    const size_t *variable = ng_hypergraph_edge(left, k, &arity);
    const size_t *vertex = ng_hypergraph_edge(g, e, &other);
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
    ng_status status = NG_OK;
    if (k == left->edges) {
        void *item = w->item;
        if (w->count == MATCHES_MAX)
            return ng_error_set(w->error, NG_ERANGE, "more than %d matches at once", MATCHES_MAX);
        status = ngi_hypergraph_grow(&item, &w->room, w->count + 1, sizeof *w->item, w->error);
        w->item = item;
        if (status == NG_OK)
            w->item[w->count++] = *m;
        return status;
    }
    for (size_t e = 0; e < w->g->edges && status == NG_OK; e++) {
        size_t now = bind(left, w->g, m, k, e, bound);
        if (now != SIZE_MAX)
            status = extend(w, m, k + 1, now);
    }
    return status;
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
        const size_t *variable = ng_hypergraph_edge(rule->right, e, &arity);
        for (size_t i = 0; i < arity; i++)
            vertex[i] = name[variable[i]];
        ng_status status = ngi_hypergraph_add(g, vertex, arity, error);
        if (status != NG_OK)
            return status;
    }
    return NG_OK;
}
