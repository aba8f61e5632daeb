/* natgrad-spectrum: what the spectra of a model's weights say. See --help. */
#include "examples/spectrum/spectrum.h"

#include <string.h>

#include "examples/support/threads.h"

static void print_help(void)
{
    printf(
        "Usage: natgrad-spectrum [OPTION]... MODEL\n"
        "Look at the spectra of a model's weight matrices. MODEL is a safetensors file of "
        "anybody.\n"
        "Of every layer: the power law of its tail (alpha near 2: well trained; below 2: over-\n"
        "trained, above 6: under-trained), the trace-log gap, stable rank, norms, and what sets "
        "it\n"
        "apart from the same elements in random order. Neither data nor labels are needed.\n\n"
        "Layers are tensors of f64, f32, f16 or bf16 with two dimensions or more: the first "
        "against\n"
        "all others, so that a convolution is filters x (channels x height x width); the state of\n"
        "an optimizer is left out. The file is read layer by layer.\n\n"
        "In DIR: spectrum.csv, a row for each tensor, esd.csv, all eigenvalues, and their "
        "pictures.\n\n"
        "  --least=N            fewer eigenvalues are too few for a layer (default: 10)\n"
        "  --plain              do not compare with random order, which halves the time\n"
        "  --seed=N             of the random order (default: 1)\n"
        "  --threads=N          layers at a time (default: 1)\n");
    arguments_help();
}

static const argument options[] = {
    {"least", ARGUMENT_COUNT, .offset = offsetof(config, least), 2, 1 << 20},
    {"plain", ARGUMENT_FLAG, .offset = offsetof(config, plain)},
    {"seed", ARGUMENT_SEEDS, .offset = offsetof(config, seeds)},
    {"threads", ARGUMENT_INT, .offset = offsetof(config, threads), 1, 64},
    {NULL},
};

static int parse(config *c, int argc, char **argv)
{
    arguments a = {
        .program = "natgrad-spectrum", .help = print_help, .options = options, .operands = 1};
    *c = (config){.least = 10, .threads = 1, .seeds = {{1}, 1}};
    int status = arguments_read(c, &a, argc, argv);
    if (status == 0 && a.operand[0] == NULL)
        return arguments_usage("expected MODEL");
    if (status == 0 && c->seeds.count != 1)
        return arguments_usage("--seed: expected one number");
    c->model = a.operand[0];
    c->out = a.out;
    return status;
}

static int look(const config *c)
{
    model m = {NULL};
    int status = arguments_folder(c->out);
    if (status != 0)
        return status;
    status = model_open(&m, c);
    if (status == 0)
        status = model_measure(&m, c);
    if (status == 0)
        status = report(&m, c);
    if (status == 0 && m.incomplete)
        status = 1; /* which has been said */
    model_close(&m);
    return status;
}

int main(int argc, char **argv)
{
    config c;
    int status = parse(&c, argc, argv);
    if (status == 0) {
        blas_set_threads(1); /* threads take layers */
        program_catch_interrupt();
        status = look(&c);
    }
    return program_end(status);
}
