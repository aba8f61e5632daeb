/* observers: the command line. See --help. */
#include "examples/observers/observers.h"

#include <stdlib.h>
#include <string.h>

#include "examples/support/arguments.h"
#include "examples/support/threads.h"

/* Every hyperedge grows a triangle. One hyperedge on the left: no two matches overlap. */
static const char triangles[] = "{{x,y}} -> {{x,y},{y,z},{z,x}}";

static void print_help(void)
{
    printf("Usage: observers survey|good_regulator|signature [OPTION]...\n"
           "Observers as Ising models on small hypergraphs: their Fisher matrices F, the Type II\n"
           "metric g = F^2 + beta F and the regimes they live in.\n\n"
           "  survey           13 topologies x 7 couplings: alpha_scalar and alpha_dir, and which\n"
           "                   models of the time to learn have a best beta at all\n"
           "  good_regulator   a substrate, an observer cut out of it, its model of a known\n"
           "                   environment learnt by the natural gradient and by gradient descent\n"
           "  signature        F S F + beta F for signs S: where it turns positive definite\n\n"
           "survey, good_regulator\n"
           "  --beta=B         of alpha_dir (default: sqrt(lambda_min lambda_max))\n"
           "good_regulator\n"
           "  --rule=TEXT      of the substrate (default: %s)\n"
           "  --spins=N        of the observer at most, 2 ... %d (default: 6)\n"
           "  --samples=N      of the environment (default: 20000)\n"
           "signature\n"
           "  --graph=NAME     P5 path, S6 star, T8 random tree, C4 cycle, K5 complete, G8 random\n"
           "                   graph, H6 ring of 3-body terms; a number of spins (default: K5)\n"
           "  --coupling=J     of every hyperedge (default: 0.5)\n"
           "all\n"
           "  --seed=N             (default: 1)\n",
           triangles, MAX_SPINS);
    arguments_help();
}

static int take_graph(void *field, const char *name, const char *option)
{
    ng_random random;
    ng_error error;
    topology t;
    must(ng_rng_create(&random, 1, &error), &error);
    int bad = topology_parse(&t, name, &random);
    ng_rng_destroy(&random);
    *(const char **)field = name;
    return bad ? arguments_usage("--%s: no graph '%s': a letter of P S T C K G H and 2 to 16 spins "
                                 "(C, K from 3, G, H from 4, K to 8)",
                                 option, name)
               : 0;
}

static int take_rule(void *field, const char *text, const char *option)
{
    ng_rules *rules;
    ng_error error;
    ng_status status = ng_rules_parse(&rules, text, &error);
    ng_rules_destroy(rules);
    *(const char **)field = text;
    return status != NG_OK ? arguments_usage("--%s: %s", option, error.text) : 0;
}

/* Options in the order of their owners. */
enum { BETA, RULE, SPINS, SAMPLES, GRAPH, COUPLING, OF_ALL };

static const argument options[] = {
    [BETA] = {"beta", ARGUMENT_NUMBER, .offset = offsetof(config, beta), 0, 1e100},
    [RULE] = {"rule", ARGUMENT_OWN, .offset = offsetof(config, rule), .take = take_rule},
    [SPINS] = {"spins", ARGUMENT_COUNT, .offset = offsetof(config, spins), 2, MAX_SPINS},
    [SAMPLES] = {"samples", ARGUMENT_COUNT, .offset = offsetof(config, samples), 1, 10000000},
    [GRAPH] = {"graph", ARGUMENT_OWN, .offset = offsetof(config, graph), .take = take_graph},
    [COUPLING] = {"coupling", ARGUMENT_NUMBER, .offset = offsetof(config, coupling), -2, 2},
    [OF_ALL] = {"seed", ARGUMENT_COUNT, .offset = offsetof(config, seed), 1, 1000000000},
    {NULL},
};

static const struct {
    const char *name;
    int (*run)(const config *c);
    unsigned long own; /* bits of its options beside those of all */
} programs[] = {
    {"survey", survey, 1 << BETA},
    {"good_regulator", good_regulator, 1 << BETA | 1 << RULE | 1 << SPINS | 1 << SAMPLES},
    {"signature", signature, 1 << GRAPH | 1 << COUPLING}};
enum { PROGRAMS = sizeof programs / sizeof *programs };

/* Options of another subcommand would do nothing: an error. */
static int check(int program, unsigned long given)
{
    for (int i = 0; i < OF_ALL; i++)
        if (given & ~programs[program].own & 1UL << i)
            return arguments_usage("--%s is no option of %s", options[i].name,
                                   programs[program].name);
    return 0;
}

/* The subcommand's number, or -1 after reporting. */
static int find_program(const char *name)
{
    for (int i = 0; i < PROGRAMS && name != NULL; i++)
        if (strcmp(name, programs[i].name) == 0)
            return i;
    if (name == NULL)
        arguments_usage("which one: survey, good_regulator or signature?");
    else
        arguments_usage("unexpected argument '%s'", name);
    return -1;
}

int main(int argc, char **argv)
{
    config c = {.beta = -1,
                .seed = 1,
                .rule = triangles,
                .spins = 6,
                .samples = 20000,
                .graph = "K5",
                .coupling = 0.5};
    arguments a = {.program = "observers", .help = print_help, .options = options, .operands = 1};
    int status = arguments_read(&c, &a, argc, argv);
    if (status != 0)
        return program_end(status);
    int program = find_program(a.operand[0]);
    if (program < 0 || check(program, a.given) != 0)
        return 2;
    c.out = a.out;
    c.name = programs[program].name;
    status = arguments_folder(c.out);
    if (status == 0) {
        blas_set_threads(1);
        status = programs[program].run(&c);
    }
    return program_end(status);
}
