/* observers: the command line. See --help. */
#define _POSIX_C_SOURCE 200809L
#include "examples/observers/observers.h"

#include <getopt.h>
#include <math.h>
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
           "  --seed=N         (default: 1)\n"
           "  --out=BASE       writes BASE.csv, BASE.svg, BASE.png (default: the subcommand)\n"
           "  --quiet          no progress\n"
           "  --help, --version\n\n"
           "One thread. Exit status: 0 done, 1 failed, 2 usage.\n",
           triangles, MAX_SPINS);
}

enum {
    BETA = 256,
    RULE,
    SPINS,
    SAMPLES,
    GRAPH,
    COUPLING,
    SEED,
    OUT,
    QUIET,
    SHOW_HELP,
    SHOW_VERSION
};

static const struct option long_options[] = {
    {"beta", required_argument, NULL, BETA},      {"rule", required_argument, NULL, RULE},
    {"spins", required_argument, NULL, SPINS},    {"samples", required_argument, NULL, SAMPLES},
    {"graph", required_argument, NULL, GRAPH},    {"coupling", required_argument, NULL, COUPLING},
    {"seed", required_argument, NULL, SEED},      {"out", required_argument, NULL, OUT},
    {"quiet", no_argument, NULL, QUIET},          {"help", no_argument, NULL, SHOW_HELP},
    {"version", no_argument, NULL, SHOW_VERSION}, {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    int (*run)(const config *c);
    int options[4]; /* its own, ended by 0 */
} programs[] = {{"survey", survey, {BETA, 0}},
                {"good_regulator", good_regulator, {BETA, RULE, SPINS, SAMPLES}},
                {"signature", signature, {GRAPH, COUPLING, 0}}};
enum { PROGRAMS = sizeof programs / sizeof *programs };

/* A number in [least, most]. */
static int take_number(double *to, const char *text, const char *format, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        return arguments_usage(format, text);
    *to = value;
    return 0;
}

static int take_graph(config *c, const char *name)
{
    ng_random random;
    ng_error error;
    topology t;
    must(ng_rng_create(&random, 1, &error), &error);
    int bad = topology_parse(&t, name, &random);
    ng_rng_destroy(&random);
    c->graph = name;
    return bad ? arguments_usage("no graph '%s': a letter of P S T C K G H and 2 to 16 spins "
                                 "(C, K from 3, G, H from 4, K to 8)",
                                 name)
               : 0;
}

static int take_rule(config *c, const char *text)
{
    ng_rules *rules;
    ng_error error;
    ng_status status = ng_rules_parse(&rules, text, &error);
    ng_rules_destroy(rules);
    c->rule = text;
    return status != NG_OK ? arguments_usage("--rule: %s", error.text) : 0;
}

/* 0, 1 done, 2 usage error */
static int take(config *c, int option, const char *value)
{
    switch (option) {
    case BETA:
        return take_number(&c->beta, value, "--beta: expected a number from 0 to 1e100, not '%s'",
                           0, 1e100);
    case RULE:
        return take_rule(c, value);
    case SPINS:
        return arguments_count(&c->spins, value, "spins", 2, MAX_SPINS);
    case SAMPLES:
        return arguments_count(&c->samples, value, "samples", 1, 10000000);
    case GRAPH:
        return take_graph(c, value);
    case COUPLING:
        return take_number(&c->coupling, value,
                           "--coupling: expected a number from -2 to 2, not '%s'", -2, 2);
    case SEED:
        return arguments_count(&c->seed, value, "seed", 1, 1000000000);
    case OUT:
        c->out = value;
        return 0;
    case QUIET:
        c->quiet = 1;
        return 0;
    case SHOW_HELP:
        print_help();
        return 1;
    case SHOW_VERSION:
        printf("observers (natgrad) %s\n", ng_version());
        return 1;
    default: /* getopt has said what is wrong */
        fputs("Try 'observers --help' for more information.\n", stderr);
        return 2;
    }
}

/* Options of another subcommand would do nothing: an error. seen has a bit for each. */
static int check(int program, unsigned seen)
{
    for (int option = BETA; option <= COUPLING; option++) {
        int own = 0;
        for (int k = 0; k < 4; k++)
            own = own || programs[program].options[k] == option;
        if (!own && seen >> (option - BETA) & 1) {
            char text[80];
            snprintf(text, sizeof text, "--%s is no option of %s", long_options[option - BETA].name,
                     programs[program].name);
            return arguments_usage("%s", text);
        }
    }
    return 0;
}

static int find_program(int argc, char **argv)
{
    if (optind == argc) {
        arguments_usage("%s", "which one: survey, good_regulator or signature?");
        return -1;
    }
    for (int i = 0; i < PROGRAMS; i++)
        if (strcmp(argv[optind], programs[i].name) == 0 && optind + 1 == argc)
            return i;
    arguments_usage("unexpected argument '%s'", argv[optind + 1 < argc ? optind + 1 : optind]);
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
    unsigned seen = 0;
    arguments_program = "observers";
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        int status = take(&c, option, optarg);
        if (status != 0)
            return status == 1 ? EXIT_SUCCESS : status;
        if (option <= COUPLING)
            seen |= 1U << (option - BETA);
    }
    int program = find_program(argc, argv), status = program < 0 ? 2 : check(program, seen);
    if (status != 0)
        return status;
    if (c.out == NULL)
        c.out = programs[program].name;
    blas_set_threads(1);
    return programs[program].run(&c);
}
