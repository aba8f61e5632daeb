/* fismo_paper: the command line. See --help. */
#define _POSIX_C_SOURCE 200809L
#include "examples/fismo_paper/fismo_paper.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/threads.h"

static const char compared[] = "sgd,adamw,shampoo,muon,fismo,fismo_paper";

static void print_help(void)
{
    printf(
        "Usage: fismo_paper language|images|condition|rate [OPTION]...\n"
        "The claims of Xu, Yan & Zhang, FISMO, arXiv:2601.21750 (2026), at small scale: a table,\n"
        "CSV, pictures, and whether the numbers agree with the paper.\n\n"
        "  language    a character transformer: which optimizer has the lowest loss after equal\n"
        "              numbers of steps\n"
        "  images      a convolutional net on digits: accuracy, smoothness of the curves\n"
        "  condition   condition numbers of the updates of the transformer's matrices\n"
        "  rate        mean nuclear norm of the gradient against steps and batch size, on a\n"
        "              stochastic non-convex problem with known minimum\n\n"
        "language, condition\n"
        "  --text=FILE          (default: $NATGRAD_DATA/tinyshakespeare.txt); the last tenth is\n"
        "                       held out\n"
        "  --layers=N --width=N --heads=N --context=N   (default: 2, 64, 4, 64)\n"
        "images\n"
        "  --data=SOURCE        mnist[:DIR]   IDX files in DIR, or $NATGRAD_DATA/mnist-t10k\n"
        "                       (default); digits: drawn ones\n"
        "  --samples=N          the first N of the training set, and so many of the test\n"
        "                       set (default: 2000)\n"
        "language, images\n"
        "  --sweep              find learning rates: half decades over two decades around the\n"
        "                       preset's own, further while the best is at an edge, then quarter\n"
        "                       decades beside the best; by the loss on the last eighth of the\n"
        "                       training set. Writes DIR/rates-language.csv, DIR/rates-images.csv\n"
        "  --optimizer=NAMES    comma-separated, or all (default:\n"
        "                       %s)\n"
        "language, images, condition\n"
        "  --rates=FILE         what --sweep wrote (default: the file that comes with the "
        "sources)\n"
        "  --set NAME.OPTION=X  an option of one optimizer, listed below; repeatable\n"
        "  --batch=N            samples a step (default: 16; images 64)\n"
        "all\n"
        "  --steps=N            20 or more (default: 400; images 200, condition 100; rate 4096,\n"
        "                       with a quarter and a sixteenth of it)\n"
        "  --seeds=N            runs an optimizer, seeds 1 ... N (default: 3; condition 1)\n"
        "  --out=DIR            for CSV and pictures (default: out)\n"
        "  --quiet              no progress\n"
        "  --help, --version\n\n"
        "Matrix methods step the hidden weights; embeddings, norms, biases and the last layer go\n"
        "to AdamW at the rate that is best for AdamW alone. One thread. Exit status: 0 done,\n"
        "1 failed, 2 usage.\n",
        compared);
    methods_print();
}

/* Options in the order of their owners. */
enum {
    TEXT,
    LAYERS,
    WIDTH,
    HEADS,
    CONTEXT,
    DATA,
    SAMPLES,
    SWEEP,
    OPTIMIZER,
    RATES,
    SET,
    STEPS,
    BATCH,
    OF_ALL
};

#define FIELD(name) .offset = offsetof(config, name)
static const argument options[] = {
    [TEXT] = {"text", ARGUMENT_TEXT, FIELD(text)},
    [LAYERS] = {"layers", ARGUMENT_COUNT, FIELD(layers), 1, 64},
    [WIDTH] = {"width", ARGUMENT_COUNT, FIELD(width), 1, 4096},
    [HEADS] = {"heads", ARGUMENT_COUNT, FIELD(heads), 1, 4096},
    [CONTEXT] = {"context", ARGUMENT_COUNT, FIELD(context), 1, 4096},
    [DATA] = {"data", ARGUMENT_TEXT, FIELD(data)},
    [SAMPLES] = {"samples", ARGUMENT_COUNT, FIELD(samples), 16, 1 << 30},
    [SWEEP] = {"sweep", ARGUMENT_FLAG, FIELD(sweep)},
    [OPTIMIZER] = {"optimizer", ARGUMENT_METHODS, FIELD(methods)},
    [RATES] = {"rates", ARGUMENT_TEXT, FIELD(rates)},
    [SET] = {"set", ARGUMENT_SETTING, FIELD(methods)},
    [STEPS] = {"steps", ARGUMENT_COUNT, FIELD(steps), 20, 1000000},
    [BATCH] = {"batch", ARGUMENT_COUNT, FIELD(batch), 1, 1 << 20},
    [OF_ALL] = {"seeds", ARGUMENT_COUNT, FIELD(seeds), 1, MAX_SEEDS},
    {"out", ARGUMENT_TEXT, FIELD(out)},
    {"quiet", ARGUMENT_FLAG, FIELD(quiet)},
    {NULL},
};

#define BIT(option) (1UL << (option))
#define TRANSFORMER (BIT(TEXT) | BIT(LAYERS) | BIT(WIDTH) | BIT(HEADS) | BIT(CONTEXT))
#define TRAINING (BIT(RATES) | BIT(SET) | BIT(STEPS) | BIT(BATCH))
#define COMPARING (BIT(SWEEP) | BIT(OPTIMIZER) | TRAINING)

static const struct {
    const char *name;
    int (*run)(const config *c);
    unsigned long own; /* bits of its options beside those of all */
    task_kind kind;
    size_t steps, batch, seeds;
} programs[] = {
    {"language", compare, TRANSFORMER | COMPARING, TASK_TEXT, 400, 16, 3},
    {"images", compare, BIT(DATA) | BIT(SAMPLES) | COMPARING, TASK_PICTURES, 200, 64, 3},
    {"condition", condition, TRANSFORMER | TRAINING, TASK_TEXT, 100, 16, 1},
    {"rate", rate, BIT(STEPS), TASK_TEXT, 4096, 0, 3},
};
enum { PROGRAMS = sizeof programs / sizeof *programs };

/* Options of another sub-command would do nothing: an error. */
static int check(const config *c, int program, unsigned long given)
{
    for (int i = 0; i < OF_ALL; i++)
        if (given & ~programs[program].own & BIT(i))
            return arguments_usage("--%s is no option of %s", options[i].name,
                                   programs[program].name);
    if (c->width % c->heads != 0)
        return arguments_usage("--heads: they must divide the width");
    if (c->sweep && c->rates != NULL)
        return arguments_usage("--sweep finds rates and --rates names some: not both");
    return methods_check(&c->methods);
}

/* The subcommand's number, or -1 after reporting. */
static int find_program(int argc, char **argv)
{
    for (int i = 0; i < PROGRAMS && optind < argc; i++)
        if (strcmp(argv[optind], programs[i].name) == 0)
            return i;
    if (optind == argc)
        arguments_usage("which one: language, images, condition or rate?");
    else
        arguments_usage("unexpected argument '%s'", argv[optind]);
    return -1;
}

int main(int argc, char **argv)
{
    config c = {.data = "mnist",
                .layers = 2,
                .width = 64,
                .heads = 4,
                .context = 64,
                .samples = 2000,
                .out = "out",
                .dtype = NG_F32};
    arguments a = {.program = "fismo_paper", .help = print_help, .options = options, .operands = 1};
    if (methods_parse(&c.methods, compared) != 0 || arguments_read(&c, &a, argc, argv) != 0)
        return 2;
    int program = find_program(argc, argv);
    if (program < 0 || check(&c, program, a.given) != 0)
        return 2;
    c.kind = programs[program].kind;
    c.steps = c.steps > 0 ? c.steps : programs[program].steps;
    c.batch = c.batch > 0 ? c.batch : programs[program].batch;
    c.seeds = c.seeds > 0 ? c.seeds : programs[program].seeds;
    blas_set_threads(1);
    return c.sweep ? sweep(&c) : programs[program].run(&c);
}
