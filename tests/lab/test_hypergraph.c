/* Rewriting: text, isomorphism against all permutations, critical pairs worked out
 * by hand, causal graphs, observers, failing allocations. */
#include <stdio.h>

#include <natgrad-lab.h>

#include "tests/support/support.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);

static long calls, failing = -1;
static ng_error error = {NG_OK, ""};
static const char growing[] = "{{x,y}} -> {{x,y},{y,z}}";
static const char wolfram[] = "{{x,y},{x,z}} -> {{x,z},{x,w},{y,w},{z,w}}";
static const char composing[] = "{{x,y},{y,z}} -> {{x,z}}";

void *__wrap_malloc(size_t size)
{
    return calls++ == failing ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return calls++ == failing ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
    return calls++ == failing ? NULL : __real_realloc(data, size);
}

static ng_hypergraph *graph(const char *text)
{
    ng_hypergraph *g;
    ng_assert_ok(ng_hypergraph_parse(&g, text, &error), &error);
    return g;
}

static ng_rules *rules_of(const char *text)
{
    ng_rules *r;
    ng_assert_ok(ng_rules_parse(&r, text, &error), &error);
    return r;
}

/* ---- Text ------------------------------------------------------------------------ */

START_TEST(parses)
{
    ng_hypergraph *g = graph(" { {1, 2} ,{2,b_3,1}}\n");
    const size_t expected[5] = {0, 1, 1, 2, 0};
    size_t arity;
    ck_assert_uint_eq(ng_hypergraph_edges(g), 2);
    ck_assert_uint_eq(ng_hypergraph_vertices(g), 3);
    ck_assert_mem_eq(ng_hypergraph_edge(g, 0, &arity), expected, 2 * sizeof *expected);
    ck_assert_uint_eq(arity, 2);
    ck_assert_mem_eq(ng_hypergraph_edge(g, 1, &arity), expected + 2, 3 * sizeof *expected);
    ck_assert_uint_eq(arity, 3);
    ck_assert_ptr_null(ng_hypergraph_edge(g, 2, &arity));
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

/* ---- Critical pairs -------------------------------------------------------------------- */

static void check_joinability(const char *text, size_t depth, size_t states, size_t pairs,
                              size_t unresolved)
{
    ng_rules *r = rules_of(text);
    ng_joinability report;
    ng_assert_ok(ng_rules_joinability(&report, r, depth, &error), &error);
    ck_assert_uint_eq(report.depth, depth);
    ck_assert_msg(report.states == states && report.pairs == pairs &&
                      report.unresolved == unresolved,
                  "%s to depth %zu: %zu overlaps, %zu pairs, %zu unresolved", text, depth,
                  report.states, report.pairs, report.unresolved);
    ng_rules_destroy(r);
}

START_TEST(critical_pairs)
{
    check_joinability(growing, 3, 1, 0, 0);
    /* two hyperedges from x: one pair; three: any two of six matches meet. The three
     * pairs that share z are joined by one more event each. */
    check_joinability(wolfram, 0, 2, 16, 16);
    check_joinability(wolfram, 1, 2, 16, 13);
    check_joinability(wolfram, 2, 2, 16, 13);
    check_joinability(wolfram, 3, 2, 16, 13);
    /* paths of two and three, the fork, the join, the two-cycle: the path of three becomes
     * one hyperedge either way, after one more event; x -> x is not y -> y. */
    check_joinability(composing, 0, 5, 4, 4);
    check_joinability(composing, 1, 5, 4, 3);
    check_joinability(composing, 5, 5, 4, 3);
    /* two rules for one hyperedge: {{x,y}} becomes {{x}} or {{y}}, joined by no rule, or by a
     * third that takes whatever is there */
    check_joinability("{{x,y}} -> {{x}}; {{x,y}} -> {{y}}", 2, 1, 1, 1);
    check_joinability("{{x,y}} -> {{x}}; {{x,y}} -> {{y}}; {{x}} -> {}", 1, 2, 1, 0);
}
END_TEST

/* ---- Evolution --------------------------------------------------------------------------- */

START_TEST(generations)
{
    ng_rules *r = rules_of(wolfram);
    ng_hypergraph *start = graph("{{0,0},{0,0}}"), *state, *expected;
    ng_evolution *v;
    int same;
    ng_assert_ok(ng_evolution_create(&v, r, start, 2, NULL, &error), &error);
    ng_assert_ok(ng_evolution_state(&state, v, 0, &error), &error);
    ng_assert_ok(ng_hypergraph_isomorphic(&same, start, state, 1, &error), &error);
    ck_assert_int_eq(same, 1);
    ng_hypergraph_destroy(state);
    ng_assert_ok(ng_evolution_state(&state, v, 1, &error), &error);
    expected = graph("{{0,0},{0,1},{0,1},{0,1}}");
    ng_assert_ok(ng_hypergraph_isomorphic(&same, expected, state, 1, &error), &error);
    ck_assert_int_eq(same, 1);
    ng_hypergraph_destroy(state);
    ng_hypergraph_destroy(expected);
    /* oldest first: 00, 01 with y = 0, z = 1; then 01, 01 */
    ng_assert_ok(ng_evolution_state(&state, v, 2, &error), &error);
    expected = graph("{{0,1},{0,2},{0,2},{1,2},{0,1},{0,3},{1,3},{1,3}}");
    ng_assert_ok(ng_hypergraph_isomorphic(&same, expected, state, 2, &error), &error);
    ck_assert_int_eq(same, 1);
    ck_assert_uint_eq(ng_evolution_events(v), 3);
    ng_hypergraph_destroy(state);
    ng_hypergraph_destroy(expected);
    ng_assert_fails(ng_evolution_state(&state, v, 3, &error), NG_ERANGE, &error, "3 of 2");
    ng_assert_ok(ng_evolution_causal_graph(&state, v, &error), &error);
    /* the first event made all four that the other two took */
    expected = graph("{{0},{1},{2},{0,1},{0,1},{0,2},{0,2}}");
    ng_assert_ok(ng_hypergraph_isomorphic(&same, expected, state, 0, &error), &error);
    ck_assert_int_eq(same, 1);
    ng_hypergraph_destroy(state);
    ng_hypergraph_destroy(expected);
    ng_hypergraph_destroy(start);
    ng_evolution_destroy(v);
    ng_rules_destroy(r);
}
END_TEST

START_TEST(causal_agreement)
{
    ng_rules *grow = rules_of(growing), *compose = rules_of(composing);
    ng_hypergraph *loop = graph("{{0,0}}"), *path = graph("{{0,1},{1,2},{2,3},{3,4}}");
    ng_causal_agreement report;
    ng_random random;
    ng_assert_ok(ng_rng_create(&random, 3, &error), &error);
    ng_assert_ok(ng_rules_causal_agreement(&report, grow, loop, 5, 20, &random, &error), &error);
    ck_assert_uint_eq(report.orders, 20);
    ck_assert_uint_eq(report.isomorphic, 20);
    ck_assert_uint_eq(report.events, 31);
    /* ((01)(23)) against (0(12)3): two different trees of three events */
    ng_assert_ok(ng_rules_causal_agreement(&report, compose, path, 4, 40, &random, &error), &error);
    ck_assert_uint_eq(report.events, 3);
    ck_assert_uint_ge(report.isomorphic, 10);
    ck_assert_uint_le(report.isomorphic, 35);
    ng_rng_destroy(&random);
    ng_hypergraph_destroy(loop);
    ng_hypergraph_destroy(path);
    ng_rules_destroy(grow);
    ng_rules_destroy(compose);
}
END_TEST

START_TEST(too_much)
{
    ng_rules *r = rules_of(growing);
    ng_hypergraph *loop = graph("{{0,0}}");
    ng_evolution *v;
    ng_assert_fails(ng_evolution_create(&v, r, loop, 40, NULL, &error), NG_ERANGE, &error,
                    "generation");
    ck_assert_ptr_null(v);
    ng_hypergraph_destroy(loop);
    ng_rules_destroy(r);
}
END_TEST

/* ---- Observers ------------------------------------------------------------------------------- */

/* how often a hyperedge with the observer's names is in a state */
static size_t occurs(const ng_observer *o, size_t e, const ng_hypergraph *state)
{
    size_t n, m, count = 0;
    const size_t *x = ng_hypergraph_edge(o->internal, e, &n), *y;
    for (size_t f = 0; (y = ng_hypergraph_edge(state, f, &m)) != NULL; f++) {
        size_t i = 0;
        while (m == n && i < n && o->vertex[x[i]] == y[i])
            i++;
        count += m == n && i == n;
    }
    return count;
}

START_TEST(observers)
{
    enum { GENERATIONS = 5, WINDOW = 3 };
    ng_rules *r = rules_of(growing);
    ng_hypergraph *loop = graph("{{0,0}}"), *state;
    ng_evolution *v;
    ng_observer o;
    ng_assert_ok(ng_evolution_create(&v, r, loop, GENERATIONS, NULL, &error), &error);
    /* after two generations: the loop, and 3 vertices hanging on it: a tree of 4 hyperedges */
    ng_assert_ok(ng_observer_cut(&o, v, 0, WINDOW, 100, &error), &error);
    ck_assert_uint_eq(ng_hypergraph_edges(o.internal), 4);
    ck_assert_uint_eq(o.vertices, 4);
    ck_assert_uint_eq(o.vertex[0], 0);
    for (size_t t = GENERATIONS - WINDOW; t <= GENERATIONS; t++) {
        ng_assert_ok(ng_evolution_state(&state, v, t, &error), &error);
        for (size_t e = 0; e < 4; e++)
            ck_assert_uint_ge(occurs(&o, e, state), 1);
        ng_hypergraph_destroy(state);
    }
    /* the last state has 32 hyperedges; those outside that touch one of the four vertices */
    size_t cut = 0, arity;
    ng_assert_ok(ng_evolution_state(&state, v, GENERATIONS, &error), &error);
    ck_assert_uint_eq(ng_hypergraph_edges(state), 32);
    for (size_t f = 0; f < 32; f++) {
        const size_t *y = ng_hypergraph_edge(state, f, &arity);
        size_t ends = 0;
        for (size_t k = 0; k < 4; k++)
            ends += (y[0] == o.vertex[k]) + (y[1] == o.vertex[k]);
        cut += ends == 1;
    }
    ck_assert_uint_eq(o.cut, cut);
    ck_assert_uint_eq(o.boundary_count, 4);
    ng_hypergraph_destroy(state);
    ng_observer_clear(&o);
    ng_assert_ok(ng_observer_cut(&o, v, 0, WINDOW, 2, &error), &error);
    ck_assert_uint_eq(o.vertices, 2);
    ng_observer_clear(&o);
    /* no generation to survive: the whole state is the observer, without a boundary */
    ng_assert_ok(ng_observer_cut(&o, v, 0, 0, 100, &error), &error);
    ck_assert_uint_eq(ng_hypergraph_edges(o.internal), 32);
    ck_assert_uint_eq(o.cut + o.boundary_count, 0);
    ng_observer_clear(&o);
    ng_assert_fails(ng_observer_cut(&o, v, 31, WINDOW, 9, &error), NG_ENODATA, &error, "vertex 31");
    ng_assert_fails(ng_observer_cut(&o, v, 99, 0, 9, &error), NG_ENODATA, &error, "vertex 99");
    ng_assert_fails(ng_observer_cut(&o, v, 0, 6, 9, &error), NG_ERANGE, &error, "6 generations");
    ck_assert_ptr_null(o.internal);
    ng_evolution_destroy(v);
    ng_hypergraph_destroy(loop);
    ng_rules_destroy(r);
}
END_TEST

/* ---- Memory -------------------------------------------------------------------------------- */

/* Everything once; the first call that fails ends it. */
static ng_status everything(void)
{
    ng_rules *r = NULL;
    ng_hypergraph *start = NULL, *a = NULL;
    ng_evolution *v = NULL;
    ng_observer o = {0};
    ng_joinability report;
    int same;
    ng_status status = ng_rules_parse(&r, composing, &error);
    if (status == NG_OK)
        status = ng_hypergraph_parse(&start, "{{0,1},{1,2},{2,3}}", &error);
    if (status == NG_OK)
        status = ng_rules_joinability(&report, r, 1, &error);
    if (status == NG_OK)
        status = ng_evolution_create(&v, r, start, 1, NULL, &error);
    if (status == NG_OK)
        status = ng_evolution_causal_graph(&a, v, &error);
    if (status == NG_OK)
        status = ng_hypergraph_isomorphic(&same, start, start, 0, &error);
    if (status == NG_OK)
        status = ng_observer_cut(&o, v, 0, 0, 9, &error);
    ng_observer_clear(&o);
    ng_hypergraph_destroy(a);
    ng_hypergraph_destroy(start);
    ng_evolution_destroy(v);
    ng_rules_destroy(r);
    return status;
}

START_TEST(without_memory)
{
    ng_status status = NG_ENOMEM;
    for (long k = 0; status != NG_OK; k++) {
        calls = 0;
        failing = k;
        status = everything();
        failing = -1;
        ck_assert_msg(status == NG_OK ? k > 50 : status == NG_ENOMEM, "%ld: %s, %s", k,
                      ng_status_name(status), error.text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hypergraph");
    TCase *tcase = tcase_create("hypergraph");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, parses);
    tcase_add_test(tcase, malformed);
    tcase_add_test(tcase, isomorphism);
    tcase_add_test(tcase, isomorphism_needs_search);
    tcase_add_test(tcase, critical_pairs);
    tcase_add_test(tcase, generations);
    tcase_add_test(tcase, causal_agreement);
    tcase_add_test(tcase, too_much);
    tcase_add_test(tcase, observers);
    tcase_add_test(tcase, without_memory);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
