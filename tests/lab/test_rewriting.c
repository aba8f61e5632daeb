/* Rewriting: critical pairs worked out by hand, causal graphs, observers, failing
 * allocations (linked statically with --wrap). */
#include "tests/lab/hypergraph_world.h"

static const char growing[] = "{{x,y}} -> {{x,y},{y,z}}";
static const char wolfram[] = "{{x,y},{x,z}} -> {{x,z},{x,w},{y,w},{z,w}}";
static const char composing[] = "{{x,y},{y,z}} -> {{x,z}}";

/* ---- Critical pairs -------------------------------------------------------------------- */

static void check_joinability(const char *text, size_t depth, size_t states, size_t pairs,
                              size_t unresolved)
{
    ng_rules *r = rules_of(text);
    ng_joinability report;
    ng_assert_ok(ng_rules_joinability(&report, r, depth, NULL, NULL, &error), &error);
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

static int stop_later(void *data, const ng_joinability *report)
{
    size_t *calls = data;
    ck_assert_uint_le(report->unresolved, report->pairs);
    return ++*calls == 20;
}

/* Nobody waits for the overlaps of eight hyperedges. */
START_TEST(joinability_stops)
{
    static const char eight[] = "{{a,b},{b,c},{c,d},{d,e},{e,f},{f,g},{g,h},{h,i}} -> {{a,i}}";
    ng_rules *r = rules_of(eight), *small = rules_of(composing);
    ng_joinability report = {.pairs = 77}, partial;
    size_t calls = 0;
    ng_assert_fails(ng_rules_joinability(&report, r, 0, stop_later, &calls, &error), NG_STOPPED,
                    &error, "stopped: 0 overlaps judged");
    ck_assert_uint_eq(calls, 20);
    ck_assert_uint_eq(report.pairs, 0); /* what was found until then */
    calls = 19;                         /* at the first call */
    ng_assert_fails(ng_rules_joinability(&partial, small, 1, stop_later, &calls, &error),
                    NG_STOPPED, &error, "stopped");
    calls = 100; /* a watch that lets it be changes nothing */
    ng_assert_ok(ng_rules_joinability(&partial, small, 1, stop_later, &calls, &error), &error);
    ck_assert(partial.states == 5 && partial.pairs == 4 && partial.unresolved == 3);
    ng_rules_destroy(r);
    ng_rules_destroy(small);
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
    const size_t *x = ng_hypergraph_edge(o->internal, &n, e), *y;
    for (size_t f = 0; (y = ng_hypergraph_edge(state, &m, f)) != NULL; f++) {
        size_t i = 0;
        while (m == n && i < n && o->vertex[x[i]] == y[i])
            i++;
        count += m == n && i == n;
    }
    return count;
}

/* How many hyperedges of the state touch one of the observer's vertices and one outside. */
static size_t cut_edges(const ng_observer *o, const ng_hypergraph *state)
{
    size_t cut = 0, arity;
    for (size_t f = 0; f < ng_hypergraph_edges(state); f++) {
        const size_t *y = ng_hypergraph_edge(state, &arity, f);
        size_t ends = 0;
        for (size_t k = 0; k < o->vertices; k++)
            ends += (y[0] == o->vertex[k]) + (y[1] == o->vertex[k]);
        cut += ends == 1;
    }
    return cut;
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
    ng_assert_ok(ng_evolution_state(&state, v, GENERATIONS, &error), &error);
    ck_assert_uint_eq(ng_hypergraph_edges(state), 32);
    ck_assert_uint_eq(o.cut, cut_edges(&o, state));
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
        status = ng_rules_joinability(&report, r, 1, NULL, NULL, &error);
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
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = everything();
        fault_over();
        ck_assert_msg(status == NG_OK ? k > 50 : status == NG_ENOMEM, "%ld: %s, %s", k,
                      ng_status_name(status), error.text);
    }
}
END_TEST

TEST_SUITE(rewriting)
{
    TCase *tcase = tcase_create("rewriting");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, critical_pairs);
    tcase_add_test(tcase, joinability_stops);
    tcase_add_test(tcase, generations);
    tcase_add_test(tcase, causal_agreement);
    tcase_add_test(tcase, too_much);
    tcase_add_test(tcase, observers);
    tcase_add_test(tcase, without_memory);
    suite_add_tcase(suite, tcase);
}
