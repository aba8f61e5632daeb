/* The command line of curvature. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "examples/curvature/curvature.h"

static void print_help(void)
{
    printf(
        "Usage: curvature [OPTION]...\n"
        "Scalar curvature R of the Fisher metric of lattice models with one coupling a bond,\n"
        "exactly, against the number of sites n: does |R| grow as A n^d or as n (a + b ln n)?\n\n"
        "  --model=NAME      ");
    for (const model *m = models; m->name != NULL; m++)
        printf("%s%-10s %s\n", m == models ? "" : "                    ", m->name, m->doc);
    printf(
        "                    (default: ising2d)\n"
        "  --J=X             the coupling, a number from 0 to 2, or J_c (default: J_c)\n"
        "  --exact=SIZES     L, comma-separated, ranges as 3..9, ascending\n"
        "                    or none (default: 3..9,10,12,14,16,20,24,32; fewer of other models)\n"
        "  --engine=NAME     the exact method (default: the first that suits the model):");
    for (const engine *e = engines; e->name != NULL; e++)
        printf("\n                    %-10s %s", e->name, e->doc);
    printf("\n"
           "  --mc=SIZES        L for Monte Carlo (default: none)\n"
           "  --samples=N       of Monte Carlo, at least 20 n^2 (default: 20 n^2)\n"
           "  --flips=K         cluster flips between samples (default: 3)\n"
           "  --seed=S          of Monte Carlo (default: 1)\n"
           "  --threads=N       for its chains; changes no bit (default: 1)\n"
           "  --checkpoint=FILE keep its state in FILE-L10 and so on, each minute and on\n"
           "                    interrupt; go on from there if it exists (default: none)\n"
           "  --memory=BYTES    refuse what needs more; K, M, G for powers of 1000 (default: 8G)\n"
           "  --no-controls     at J_c: no runs off it (J = 0.3 and 0.6, sizes up to 32)\n"
           "  --out=DIR         for curvature.csv and pictures (default: out)\n"
           "  --quiet           no progress\n"
           "  --help, --version\n\n"
           "One line a size: L, R, its error, method, seconds. Exit status: 0 done, 1 failed,\n"
           "2 usage.\n");
}

static int usage(const char *format, const char *what)
{
    fputs("curvature: ", stderr);
    fprintf(stderr, format, what);
    fputs("\nTry 'curvature --help' for more information.\n", stderr);
    return 2;
}

static int parse_count(size_t *value, const char *text, const char *option, size_t min, size_t max)
{
    char *end, message[128];
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0 && text[0] >= '0' && text[0] <= '9' && n >= min &&
        n <= max) {
        *value = (size_t)n;
        return 0;
    }
    snprintf(message, sizeof message, "--%s=%.40s: expected a whole number from %zu to %zu", option,
             text, min, max);
    return usage("%s", message);
}

/* 7 or 3..9, L >= 3, ascending */
static int add_sizes(size_t *sizes, size_t *count, const char *piece, const char *option)
{
    size_t first, last;
    char head[24];
    const char *dots = strstr(piece, "..");
    snprintf(head, sizeof head, "%.*s",
             dots != NULL && dots - piece < 20 ? (int)(dots - piece) : 20, piece);
    int status = parse_count(&first, head, option, 3, 1 << 12);
    last = first;
    if (status == 0 && dots != NULL)
        status = parse_count(&last, dots + 2, option, 3, 1 << 12);
    if (status == 0 && last < first)
        return usage("%s: the last size comes before the first", piece);
    for (size_t length = first; status == 0 && length <= last; length++) {
        if (*count == MAX_SIZES)
            return usage("--%s: more than 64 sizes", option);
        if (*count > 0 && length <= sizes[*count - 1])
            return usage("--%s: sizes must ascend", option);
        sizes[(*count)++] = length;
    }
    return status;
}

static int parse_sizes(size_t *sizes, size_t *count, const char *text, const char *option)
{
    int status = 0;
    char *copy = strdup(text), *rest = copy, *piece;
    *count = 0;
    while (copy != NULL && status == 0 && (piece = strsep(&rest, ",")) != NULL)
        status = add_sizes(sizes, count, piece, option);
    free(copy);
    return copy != NULL ? status : 2;
}

static int parse_memory(size_t *bytes, const char *text)
{
    char *end;
    double value = strtod(text, &end), unit = 1;
    if (end != text && *end != '\0' && end[1] == '\0')
        unit = *end == 'K' ? 1e3 : *end == 'M' ? 1e6 : *end == 'G' ? 1e9 : 0;
    if (end == text || unit == 0 || (unit == 1 && *end != '\0') || !(value * unit >= 1) ||
        value * unit > 1e18)
        return usage("--memory=%s: expected bytes, as 500M or 8G", text);
    *bytes = (size_t)(value * unit);
    return 0;
}

static int parse_coupling(config *c, const char *text)
{
    char *end;
    c->critical = strcmp(text, "J_c") == 0;
    c->coupling = c->critical ? 0 : strtod(text, &end);
    if (!c->critical && (end == text || *end != '\0' || !(c->coupling >= 0 && c->coupling <= 2)))
        return usage("--J=%s: expected J_c or a number from 0 to 2", text);
    return 0;
}

static int parse_model(config *c, const char *text)
{
    char known[256] = "";
    c->model = model_find(text);
    if (c->model != NULL)
        return 0;
    for (const model *m = models; m->name != NULL; m++)
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s", m->name);
    fprintf(stderr, "curvature: there is no model '%s'; there are%s\n", text, known);
    return 2;
}

/* ---- The command line ----------------------------------------------------------- */

enum {
    MODEL = 256,
    COUPLING,
    EXACT,
    ENGINE,
    MC,
    SAMPLES,
    FLIPS,
    SEED,
    THREADS,
    CHECKPOINT,
    MEMORY,
    NO_CONTROLS,
    OUT,
    QUIET,
    SHOW_HELP,
    SHOW_VERSION
};

static const struct option long_options[] = {
    {"model", required_argument, NULL, MODEL},
    {"J", required_argument, NULL, COUPLING},
    {"exact", required_argument, NULL, EXACT},
    {"engine", required_argument, NULL, ENGINE},
    {"mc", required_argument, NULL, MC},
    {"samples", required_argument, NULL, SAMPLES},
    {"flips", required_argument, NULL, FLIPS},
    {"seed", required_argument, NULL, SEED},
    {"threads", required_argument, NULL, THREADS},
    {"checkpoint", required_argument, NULL, CHECKPOINT},
    {"memory", required_argument, NULL, MEMORY},
    {"no-controls", no_argument, NULL, NO_CONTROLS},
    {"out", required_argument, NULL, OUT},
    {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, SHOW_HELP},
    {"version", no_argument, NULL, SHOW_VERSION},
    {NULL, 0, NULL, 0},
};

static int take(config *c, int option, const char *value)
{
    size_t n = 0;
    int status;
    switch (option) {
    case MODEL:
        return parse_model(c, value);
    case COUPLING:
        return parse_coupling(c, value);
    case EXACT:
        c->sizes_given = 1;
        c->size_count = 0;
        return strcmp(value, "none") == 0 ? 0
                                          : parse_sizes(c->sizes, &c->size_count, value, "exact");
    case ENGINE:
        c->engine = value;
        return 0;
    case MC:
        return parse_sizes(c->mc, &c->mc_count, value, "mc");
    case SAMPLES:
        return parse_count(&c->samples, value, "samples", 1, (size_t)1 << 40);
    case FLIPS:
        return parse_count(&c->flips, value, "flips", 1, 1 << 20);
    case SEED:
        status = parse_count(&n, value, "seed", 0, 4294967295u);
        c->seed = n;
        return status;
    case THREADS:
        return parse_count(&c->threads, value, "threads", 1, 256);
    case CHECKPOINT:
        c->checkpoint = value;
        return 0;
    case MEMORY:
        return parse_memory(&c->memory, value);
    case NO_CONTROLS:
        c->controls = 0;
        return 0;
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
        printf("curvature (natgrad) %s\n", ng_version());
        return 1;
    default: /* getopt has said what is wrong */
        fputs("Try 'curvature --help' for more information.\n", stderr);
        return 2;
    }
}

/* The sizes have an engine and fit into --memory. */
static int check_sizes(const config *c, const size_t *sizes, size_t count, int sampled)
{
    const engine *e = engine_find(c->model, sampled ? NULL : c->engine, sampled);
    if (count > 0 && e == NULL) {
        fprintf(stderr, "curvature: no %s engine%s%s for %s\n", sampled ? "Monte Carlo" : "exact",
                sampled || c->engine == NULL ? "" : " ",
                sampled || c->engine == NULL ? "" : c->engine, c->model->name);
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        size_t bytes = e->memory(c, sizes[i]);
        if (sampled && samples_of(c, sizes[i]) < samples_least(c, sizes[i])) {
            fprintf(stderr,
                    "curvature: --samples=%zu: L = %zu needs at least 20 n^2 = %zu samples\n",
                    c->samples, sizes[i], samples_least(c, sizes[i]));
            return 2;
        }
        if (bytes > c->memory) {
            fprintf(stderr,
                    "curvature: L = %zu by %s needs %s%.3g GB, more than --memory %.3g GB\n",
                    sizes[i], e->name, bytes == SIZE_MAX ? "over " : "", 1e-9 * (double)bytes,
                    1e-9 * (double)c->memory);
            return 2;
        }
    }
    return 0;
}

int config_parse(config *c, int argc, char **argv)
{
    static char name[] = "curvature"; /* for getopt's messages: libtool has made it a long path */
    int option, status;
    if (argc > 0)
        argv[0] = name;
    memset(c, 0, sizeof *c);
    c->model = &models[0];
    c->critical = c->controls = 1;
    c->flips = 3;
    c->threads = 1;
    c->seed = 1;
    c->memory = 8000000000u;
    c->out = "out";
    status = 0;
    while (status == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = take(c, option, optarg);
    if (status == 0 && optind < argc)
        status = usage("unexpected argument '%s'", argv[optind]);
    if (status == 0 && !c->sizes_given)
        status = parse_sizes(c->sizes, &c->size_count, c->model->sizes, "exact");
    if (status == 0 && c->critical)
        c->coupling = ng_lattice_critical(c->model->lattice);
    if (status == 0)
        status = check_sizes(c, c->sizes, c->size_count, 0);
    if (status == 0)
        status = check_sizes(c, c->mc, c->mc_count, 1);
    return status;
}
