/* Bytes as text of rules and, behind the first @, of a hypergraph: refused with a position, or
 * rewritten a little. */
#include "tests/fuzz/fuzz.h"

#include <natgrad/lab/hypergraph.h>

enum { EDGES = 6, EVOLVED = 96 };

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const char *const texts[] = {
        "{{x,y},{x,z}} -> {{x,z},{x,w},{y,w},{z,w}}@{{1,2},{1,3},{1,1}}",
        "{{x,y}} -> {{x,y},{y,z},{z,x}}@{{a,b}}",
        "{{x}} -> {}; {{x,y,z}} -> {{x},{y,z}}@{{1},{1,2,3},{}}",
        "{{a,a}}->{{a}} ; {{a}}->{{a,a}}@{}",
    };
    (void)room;
    return i < sizeof texts / sizeof *texts ? fuzz_say(out, 0, texts[i]) : 0;
}

static void rewrite(const ng_rules *rules, const ng_hypergraph *start)
{
    ng_evolution *evolution;
    ng_hypergraph *causal;
    ng_error error;
    ng_status status = ng_evolution_create(&evolution, rules, start, 2, NULL, &error);
    if (status != NG_OK) {
        check_failed(status, &error);
        return;
    }
    check(ng_evolution_causal_graph(&causal, evolution, &error) == NG_OK);
    check(ng_hypergraph_vertices(causal) == ng_evolution_events(evolution));
    ng_hypergraph_destroy(causal);
    ng_evolution_destroy(evolution);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = {data, size};
    char *text = fuzz_text(&b), *at = strchr(text, '@');
    ng_rules *rules;
    ng_hypergraph *start = NULL;
    ng_error error;
    int same = 0;
    if (at != NULL)
        *at = '\0';
    ng_status read = ng_rules_parse(&rules, text, &error);
    if (read != NG_OK)
        check_failed(read, &error);
    check((read == NG_OK) == (rules != NULL));
    ng_status drawn = ng_hypergraph_parse(&start, at != NULL ? at + 1 : text, &error);
    if (drawn != NG_OK)
        check_failed(drawn, &error);
    check((drawn == NG_OK) == (start != NULL));
    if (start != NULL && ng_hypergraph_edges(start) <= EDGES) {
        check(ng_hypergraph_isomorphic(&same, start, start, 0, &error) == NG_OK && same == 1);
        if (rules != NULL && strlen(text) <= EVOLVED)
            rewrite(rules, start);
    }
    ng_rules_destroy(rules);
    ng_hypergraph_destroy(start);
    free(text);
    return 0;
}
