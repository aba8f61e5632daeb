/* Hypergraphs and rules from text, for the tests. */
#ifndef NG_TEST_HYPERGRAPH_WORLD_H
#define NG_TEST_HYPERGRAPH_WORLD_H

#include <natgrad-lab.h>

#include "tests/support/support.h"

static ng_error error = {NG_OK, ""};

static inline ng_hypergraph *graph(const char *text)
{
    ng_hypergraph *g;
    ng_assert_ok(ng_hypergraph_parse(&g, text, &error), &error);
    return g;
}

static inline ng_rules *rules_of(const char *text)
{
    ng_rules *r;
    ng_assert_ok(ng_rules_parse(&r, text, &error), &error);
    return r;
}

#endif
