/* Hypergraphs and rules as text, and isomorphism against all permutations. */
#include <stdio.h>

#include "tests/lab/hypergraph_world.h"

/* ---- Text ------------------------------------------------------------------------ */

START_TEST(parses)
{
    ng_hypergraph *g = graph(" { {1, 2} ,{2,b_3,1}}\n");
    const size_t expected[5] = {0, 1, 1, 2, 0};
    size_t arity;
    ck_assert_uint_eq(ng_hypergraph_edges(g), 2);
    ck_assert_uint_eq(ng_hypergraph_vertices(g), 3);
    ck_assert_mem_eq(ng_hypergraph_edge(g, &arity, 0), expected, 2 * sizeof *expected);
    ck_assert_uint_eq(arity, 2);
    ck_assert_mem_eq(ng_hypergraph_edge(g, &arity, 1), expected + 2, 3 * sizeof *expected);
    ck_assert_uint_eq(arity, 3);
    ck_assert_ptr_null(ng_hypergraph_edge(g, &arity, 2));
    ng_hypergraph_destroy(g);
    g = graph("{}");
    ck_assert_uint_eq(ng_hypergraph_edges(g), 0);
    ng_hypergraph_destroy(g);
    ng_rules_destroy(rules_of("{{x}} -> {}; {{x,y}} -> {{y}}"));
}
END_TEST

START_TEST(malformed)
{
    const struct {
        const char *text, *position, *reason;
    } cases[] = {
        {"", "position 0", "'{', found the end"},
        {"{{x,y}}", "position 7", "'->', found the end"},
        {"{{x,y} -> {{x}}", "position 7", "'}' after a hyperedge, found '-'"},
        {"{{x,y,}} -> {{x}}", "position 6", "a vertex, found '}'"},
        {"{{x;y}} -> {{x}}", "position 3", "in a hyperedge, found ';'"},
        {"{x} -> {{x}}", "position 1", "'{', found 'x'"},
        {"{{}} -> {{x}}", "position 2", "a vertex, found '}'"},
        {"{{x}} => {{x}}", "position 6", "'->', found '='"},
        {"{{x}} -> {{x}} {{y}}", "position 15", "the end, found '{'"},
        {"{{x}} -> {{x}};", "position 15", "'{', found the end"},
        {"{{x}} -> {{x", "position 12", "in a hyperedge, found the end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ng_rules *r = (ng_rules *)&error;
        ng_assert_fails(ng_rules_parse(&r, cases[i].text, &error), NG_EFORMAT, &error,
                        cases[i].position);
        ck_assert_msg(strstr(error.text, cases[i].reason) != NULL, "\"%s\", expected \"%s\"",
                      error.text, cases[i].reason);
        ck_assert_ptr_null(r);
    }
    ng_rules *r;
    ng_hypergraph *g;
    ng_assert_fails(ng_rules_parse(&r, "{{x}} -> {{x}}; {} -> {{x}}", &error), NG_ERANGE, &error,
                    "position 16: 0 hyperedges");
    ng_assert_fails(ng_hypergraph_parse(&g, "{{1}} 2", &error), NG_EFORMAT, &error, "position 6");
    ck_assert_ptr_null(g);
}
END_TEST

/* ---- Isomorphism ------------------------------------------------------------------- */

enum { V = 5, E = 5 };

typedef struct {
    size_t vertex[E][3], arity[E];
} small;

static ng_hypergraph *small_graph(const small *s)
{
    char text[200] = "{", word[32];
    for (int e = 0; e < E; e++) {
        strcat(text, e > 0 ? ",{" : "{");
        for (size_t i = 0; i < s->arity[e]; i++) {
            snprintf(word, sizeof word, "%s%zu", i > 0 ? "," : "", s->vertex[e][i]);
            strcat(text, word);
        }
        strcat(text, "}");
    }
    return graph(strcat(text, "}"));
}

static int compare_edges(const void *a, const void *b)
{
    return memcmp(a, b, 4 * sizeof(size_t));
}

static void sorted(size_t (*row)[4], const small *s, const size_t *name)
{
    memset(row, 0, E * sizeof *row);
    for (int e = 0; e < E; e++) {
        row[e][3] = s->arity[e];
        for (size_t i = 0; i < s->arity[e]; i++)
            row[e][i] = name[s->vertex[e][i]];
    }
    qsort(row, E, sizeof *row, compare_edges);
}

/* all 120 renamings of the five vertices */
static int brute_force(const small *a, const small *b)
{
    const size_t identity[V] = {0, 1, 2, 3, 4};
    size_t x[E][4], y[E][4];
    sorted(y, b, identity);
    for (int code = 0; code < 3125; code++) {
        size_t name[V];
        unsigned seen = 0;
        for (int i = 0, c = code; i < V; i++, c /= 5) {
            name[i] = (size_t)(c % 5);
            seen |= 1u << name[i];
        }
        sorted(x, a, name);
        if (seen == 31 && memcmp(x, y, sizeof x) == 0)
            return 1;
    }
    return 0;
}

START_TEST(isomorphism)
{
    test_rng rng = {7};
    int yes = 0, no = 0;
    for (int trial = 0; trial < 400; trial++) {
        small a, b;
        const size_t turn = (size_t)(test_uniform(&rng) * V);
        const size_t few = 2 + (size_t)(test_uniform(&rng) * 4); /* few vertices: symmetric */
        for (int e = 0; e < E; e++) {
            a.arity[e] = trial % 2 ? 2 : 1 + (size_t)(test_uniform(&rng) * 3);
            for (size_t i = 0; i < a.arity[e]; i++)
                a.vertex[e][i] = (size_t)(test_uniform(&rng) * (double)(few < V ? few : V));
        }
        for (int e = 0; e < E; e++) { /* renamed and in another order, sometimes changed */
            int f = (e + 2) % E;
            b.arity[f] = a.arity[e];
            for (size_t i = 0; i < a.arity[e]; i++)
                b.vertex[f][i] = (a.vertex[e][i] * 2 + turn) % V;
        }
        if (test_uniform(&rng) < 0.6)
            b.vertex[0][0] = (b.vertex[0][0] + 2) % V;
        ng_hypergraph *g = small_graph(&a), *h = small_graph(&b);
        int same = -1, expected = brute_force(&a, &b);
        ng_assert_ok(ng_hypergraph_isomorphic(&same, g, h, 0, &error), &error);
        ck_assert_int_eq(same, expected);
        yes += expected;
        no += !expected;
        ng_hypergraph_destroy(g);
        ng_hypergraph_destroy(h);
    }
    ck_assert_int_ge(yes, 50);
    ck_assert_int_ge(no, 50);
}
END_TEST

/* What colours alone cannot tell: six-cycle and two triangles. And fixed vertices. */
START_TEST(isomorphism_needs_search)
{
    ng_hypergraph *cycle = graph("{{0,1},{1,2},{2,3},{3,4},{4,5},{5,0}}");
    ng_hypergraph *turned = graph("{{a,b},{f,a},{b,c},{d,e},{c,d},{e,f}}");
    ng_hypergraph *triangles = graph("{{0,1},{1,2},{2,0},{3,4},{4,5},{5,3}}");
    ng_hypergraph *forth = graph("{{0,1}}"), *loop = graph("{{0,0}}");
    int same;
    ng_assert_ok(ng_hypergraph_isomorphic(&same, cycle, triangles, 0, &error), &error);
    ck_assert_int_eq(same, 0);
    ng_assert_ok(ng_hypergraph_isomorphic(&same, cycle, turned, 0, &error), &error);
    ck_assert_int_eq(same, 1);
    ng_assert_ok(ng_hypergraph_isomorphic(&same, cycle, turned, 6, &error), &error);
    ck_assert_int_eq(same, 0); /* the names of turned follow the order of appearance */
    ng_assert_ok(ng_hypergraph_isomorphic(&same, cycle, cycle, 6, &error), &error);
    ck_assert_int_eq(same, 1);
    ng_assert_ok(ng_hypergraph_isomorphic(&same, forth, loop, 0, &error), &error);
    ck_assert_int_eq(same, 0);
    ng_hypergraph_destroy(cycle);
    ng_hypergraph_destroy(turned);
    ng_hypergraph_destroy(triangles);
    ng_hypergraph_destroy(forth);
    ng_hypergraph_destroy(loop);
}
END_TEST

/* A quarter of a million different names, twice: within the time limit only when looking a
 * name up does not go through those before it. */
START_TEST(many_names)
{
    enum { NAMES = 250000 };
    size_t room = 40 * (size_t)NAMES, length = 1, arity;
    char *text = malloc(room);
    ck_assert_ptr_nonnull(text);
    text[0] = '{';
    for (int i = 0; i < NAMES; i++)
        length +=
            (size_t)snprintf(text + length, room - length, "{name_%d,name_%d},", i, NAMES - 1 - i);
    text[length - 1] = '}';
    ng_hypergraph *g = graph(text);
    ck_assert_uint_eq(ng_hypergraph_vertices(g), NAMES);
    for (size_t i = 0; i < NAMES; i++) { /* as they appear: 0, n-1, 1, n-2, ... */
        const size_t first = i < NAMES / 2 ? 2 * i : 2 * (NAMES - 1 - i) + 1;
        const size_t *vertex = ng_hypergraph_edge(g, &arity, i);
        ck_assert_uint_eq(vertex[0], first);
        ck_assert_uint_eq(vertex[1], first ^ 1);
    }
    ng_hypergraph_destroy(g);
    free(text);
}
END_TEST

TEST_SUITE(hypergraph)
{
    TCase *tcase = tcase_create("hypergraph");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, parses);
    tcase_add_test(tcase, malformed);
    tcase_add_test(tcase, many_names);
    tcase_add_test(tcase, isomorphism);
    tcase_add_test(tcase, isomorphism_needs_search);
    suite_add_tcase(suite, tcase);
}
