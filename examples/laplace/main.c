/* laplace: error bars from the Fisher matrix, and whether they can be believed. See --help. */
#include <string.h>

#include "examples/laplace/laplace.h"

static const char *const parts[] = {"digits", "odd", "prior", "band"};

static void help(void)
{
    printf("Usage: laplace [OPTION]... [PART]\n"
           "Error bars of trained nets by Laplace's approximation (ng_laplace), one part or all:\n"
           "  digits   calibration of nets that have learnt by heart, wrong labels and right ones\n"
           "  odd      whether entropy tells pictures that are no digits\n"
           "  prior    the evidence's choice of the prior against a validation set's\n"
           "  band     a regression with its band, and its picture\n\n"
           "  --seed=LIST          of digits and nets (default: 1-3)\n"
           "  --samples=N          digits learnt (default: 1000)\n"
           "  --epochs=N           of training (default: each part its own)\n");
    arguments_help();
}

static const argument options[] = {
    {"seed", ARGUMENT_SEEDS, .offset = offsetof(config, seeds)},
    {"samples", ARGUMENT_COUNT, .offset = offsetof(config, samples), 50, 50000},
    {"epochs", ARGUMENT_COUNT, .offset = offsetof(config, epochs), 1, 100000},
    {NULL},
};

/* Whether a part is asked for, and nobody stopped. */
static int asked(const config *c, int part)
{
    return !program_interrupted() && (c->part == NULL || strcmp(c->part, parts[part]) == 0);
}

static int run(const config *c)
{
    int status = asked(c, 0) ? digits(c) : 0;
    if (status == 0 && asked(c, 1))
        odd_ones(c);
    if (status == 0 && asked(c, 2))
        prior_choice(c);
    if (status == 0 && asked(c, 3))
        status = band(c);
    return status;
}

static int check_part(const char *part)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (part == NULL || strcmp(part, parts[i]) == 0)
            return 0;
    return arguments_usage("%s: not one of digits, odd, prior, band", part);
}

int main(int argc, char **argv)
{
    config c = {.seeds = {{1, 2, 3}, 3}, .samples = 1000};
    arguments a = {.program = "laplace", .help = help, .options = options, .operands = 1};
    int status = arguments_read(&c, &a, argc, argv);
    c.out = a.out;
    c.part = a.operand[0];
    if (status == 0)
        status = check_part(c.part);
    if (status == 0)
        status = arguments_folder(c.out);
    if (status == 0) {
        program_catch_interrupt();
        status = run(&c);
    }
    return program_end(status);
}
