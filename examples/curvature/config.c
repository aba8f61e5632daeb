/* The command line of curvature. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "examples/curvature/curvature.h"
#include "examples/curvature/ranks.h"
#include "examples/support/arguments.h"

static void print_help(void)
{
    printf(
        "Usage: %s [OPTION]...\n"
        "Scalar curvature R of the Fisher metric of lattice models with one coupling a bond,\n"
        "exactly, against the number of sites n: does |R| grow as A n^d or as n (a + b ln n)?\n\n"
        "  --model=NAME      ",
        ranks_program);
    for (const model *m = models; m->name != NULL; m++)
        printf("%s%-10s %s\n", m == models ? "" : "                    ", m->name, m->doc);
    printf(
        "                    (default: ising2d)\n"
        "  --J=X             the coupling, a number from 0 to 2, or J_c (default: J_c)\n"
        "  --exact=SIZES     L, comma-separated, ranges as 3..9, ascending\n"
        "                    or none (default: 3..9,10,12,14,16,20,24,32; fewer of other models)\n"
        "  --engine=NAME     the exact method (default: the first that suits the model):");
    for (const engine *e = engines; e->name != NULL; e++)
        if (!e->sampled)
            printf("\n                    %-10s %s", e->name, e->doc);
    printf(
        "\n"
        "  --mc=SIZES        L for Monte Carlo by Wolff's clusters, ising2d and ising3d, or none\n"
        "                    (default: none)\n"
        "  --samples=N       of Monte Carlo, at least 20 n^2 (default: 20 n^2)\n"
        "  --flips=K         cluster flips between samples (default: 3)\n"
        "  --seed=S          of Monte Carlo (default: 1)\n"
        "  --threads=N       for its chains; changes no bit (default: 1)\n"
        "  --checkpoint=FILE keep its state in FILE-L10 and so on, each minute and on\n"
        "                    interrupt; go on from there if it exists (default: none)\n"
        "  --memory=BYTES    of a process: fermion takes up to 16 passes to keep to it, what\n"
        "                    needs more is refused; K, M, G for powers of 1000 (default: 8G)\n"
        "  --no-controls     at J_c: no runs off it (J = 0.3 and 0.6, sizes up to 32)\n"
        "\nOne line a size: L, R, its error, method, seconds.\n\n");
    arguments_help();
}

typedef struct {
    size_t *list, *count;
} size_list;

/* 7 or 3..9, L >= 3, ascending */
static int add_sizes(void *data, const char *piece, const char *option)
{
    const size_list *s = data;
    size_t first, last;
    int status = arguments_range(&first, &last, piece, "..", option, 3, 1 << 12);
    for (size_t length = first; status == 0 && length <= last; length++) {
        if (*s->count == MAX_SIZES)
            return arguments_usage("--%s: more than %d sizes", option, MAX_SIZES);
        if (*s->count > 0 && length <= s->list[*s->count - 1])
            return arguments_usage("--%s: sizes must ascend", option);
        s->list[(*s->count)++] = length;
    }
    return status;
}

static int take_exact(void *data, const char *text, const char *option)
{
    config *c = data;
    size_list s = {c->sizes, &c->size_count};
    c->sizes_given = 1;
    c->size_count = 0;
    return strcmp(text, "none") == 0 ? 0 : arguments_list(&s, text, option, add_sizes);
}

static int take_mc(void *data, const char *text, const char *option)
{
    config *c = data;
    size_list s = {c->mc, &c->mc_count};
    c->mc_count = 0;
    return strcmp(text, "none") == 0 ? 0 : arguments_list(&s, text, option, add_sizes);
}

static int take_memory(void *field, const char *text, const char *option)
{
    double value = 0, unit = 1;
    const char *end = text + ng_number_read(&value, text);
    if (end != text && *end != '\0' && end[1] == '\0')
        unit = *end == 'K' ? 1e3 : *end == 'M' ? 1e6 : *end == 'G' ? 1e9 : 0;
    if (end == text || unit == 0 || (unit == 1 && *end != '\0') || !(value * unit >= 1) ||
        value * unit > 1e18)
        return arguments_usage("--%s=%s: expected bytes, as 500M or 8G", option, text);
    *(size_t *)field = (size_t)(value * unit);
    return 0;
}

static int take_coupling(void *data, const char *text, const char *option)
{
    config *c = data;
    size_t length = ng_number_read(&c->coupling, text);
    c->critical = strcmp(text, "J_c") == 0;
    if (!c->critical &&
        (length == 0 || text[length] != '\0' || !(c->coupling >= 0 && c->coupling <= 2)))
        return arguments_usage("--%s=%s: expected J_c or a number from 0 to 2", option, text);
    return 0;
}

static int take_model(void *data, const char *text, const char *option)
{
    config *c = data;
    char known[256] = "";
    c->model = model_find(text);
    if (c->model != NULL)
        return 0;
    for (const model *m = models; m->name != NULL; m++)
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s", m->name);
    return arguments_usage("--%s: there is no model '%s'; there are%s", option, text, known);
}

/* ---- The command line ----------------------------------------------------------- */

static const argument options[] = {
    {"model", ARGUMENT_OWN, .take = take_model},
    {"J", ARGUMENT_OWN, .take = take_coupling},
    {"exact", ARGUMENT_OWN, .take = take_exact},
    {"engine", ARGUMENT_TEXT, .offset = offsetof(config, engine)},
    {"mc", ARGUMENT_OWN, .take = take_mc},
    {"samples", ARGUMENT_COUNT, .offset = offsetof(config, samples), 1, 0x1p40},
    {"flips", ARGUMENT_COUNT, .offset = offsetof(config, flips), 1, 1 << 20},
    {"seed", ARGUMENT_COUNT, .offset = offsetof(config, seed), 0, 4294967295u},
    {"threads", ARGUMENT_COUNT, .offset = offsetof(config, threads), 1, 256},
    {"checkpoint", ARGUMENT_TEXT, .offset = offsetof(config, checkpoint)},
    {"memory", ARGUMENT_OWN, .offset = offsetof(config, memory), .take = take_memory},
    {"no-controls", ARGUMENT_FLAG, .offset = offsetof(config, no_controls)},
    {NULL},
};

/* The sizes have an engine and fit into --memory. */
static int check_sizes(const config *c, const size_t *sizes, size_t count, int sampled)
{
    const engine *e = engine_find(c->model, sampled ? NULL : c->engine, sampled);
    if (count > 0 && e == NULL) {
        program_error("no %s engine%s%s for %s", sampled ? "Monte Carlo" : "exact",
                      sampled || c->engine == NULL ? "" : " ",
                      sampled || c->engine == NULL ? "" : c->engine, c->model->name);
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        size_t bytes = e->memory(c, sizes[i]);
        if (sampled && samples_of(c, sizes[i]) < samples_least(c, sizes[i])) {
            program_error("--samples=%zu: L = %zu needs at least 20 n^2 = %zu samples", c->samples,
                          sizes[i], samples_least(c, sizes[i]));
            return 2;
        }
        if (bytes > c->memory) {
            program_error("L = %zu by %s needs %s%.3g GB, more than --memory %.3g GB", sizes[i],
                          e->name, bytes == SIZE_MAX ? "over " : "", 1e-9 * (double)bytes,
                          1e-9 * (double)c->memory);
            return 2;
        }
    }
    return 0;
}

int config_parse(config *c, int argc, char **argv)
{
    arguments a = {.program = ranks_program, .help = print_help, .options = options};
    c->model = &models[0];
    c->critical = 1;
    c->flips = 3;
    c->threads = 1;
    c->seed = 1;
    c->memory = 8000000000u;
    int status = arguments_read(c, &a, argc, argv);
    c->out = a.out;
    if (status == 0 && !c->sizes_given)
        status = take_exact(c, c->model->sizes, "exact");
    if (status == 0 && c->critical)
        c->coupling = ng_lattice_critical(c->model->lattice);
    if (status == 0)
        status = check_sizes(c, c->sizes, c->size_count, 0);
    if (status == 0)
        status = check_sizes(c, c->mc, c->mc_count, 1);
    return status;
}
