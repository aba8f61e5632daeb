/* fismo_paper: the command line. See --help. */
#define _GNU_SOURCE
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

enum {
    TEXT = 256,
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
    SEEDS,
    OUT,
    QUIET,
    SHOW_HELP,
    SHOW_VERSION
};

static const struct option long_options[] = {
    {"text", required_argument, NULL, TEXT},
    {"layers", required_argument, NULL, LAYERS},
    {"width", required_argument, NULL, WIDTH},
    {"heads", required_argument, NULL, HEADS},
    {"context", required_argument, NULL, CONTEXT},
    {"data", required_argument, NULL, DATA},
    {"samples", required_argument, NULL, SAMPLES},
    {"sweep", no_argument, NULL, SWEEP},
    {"optimizer", required_argument, NULL, OPTIMIZER},
    {"rates", required_argument, NULL, RATES},
    {"set", required_argument, NULL, SET},
    {"steps", required_argument, NULL, STEPS},
    {"batch", required_argument, NULL, BATCH},
    {"seeds", required_argument, NULL, SEEDS},
    {"out", required_argument, NULL, OUT},
    {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, SHOW_HELP},
    {"version", no_argument, NULL, SHOW_VERSION},
    {NULL, 0, NULL, 0},
};

#define BIT(option) (1U << ((option)-TEXT))
#define TRANSFORMER (BIT(TEXT) | BIT(LAYERS) | BIT(WIDTH) | BIT(HEADS) | BIT(CONTEXT))
#define TRAINING (BIT(RATES) | BIT(SET) | BIT(STEPS) | BIT(BATCH))
#define COMPARING (BIT(SWEEP) | BIT(OPTIMIZER) | TRAINING)

static const struct {
    const char *name;
    int (*run)(const config *c);
    unsigned options; /* those of its own */
    task_kind kind;
    size_t steps, batch, seeds;
} programs[] = {
    {"language", compare, TRANSFORMER | COMPARING, TASK_TEXT, 400, 16, 3},
    {"images", compare, BIT(DATA) | BIT(SAMPLES) | COMPARING, TASK_PICTURES, 200, 64, 3},
    {"condition", condition, TRANSFORMER | TRAINING, TASK_TEXT, 100, 16, 1},
    {"rate", rate, BIT(STEPS), TASK_TEXT, 4096, 0, 3},
};
enum { PROGRAMS = sizeof programs / sizeof *programs };

/* 0, 1 done, 2 usage error */
static int take(config *c, int option, const char *value)
{
    switch (option) {
    case TEXT:
        c->text = value;
        return 0;
    case LAYERS:
        return arguments_count(&c->layers, value, "layers", 1, 64);
    case WIDTH:
        return arguments_count(&c->width, value, "width", 1, 4096);
    case HEADS:
        return arguments_count(&c->heads, value, "heads", 1, 4096);
    case CONTEXT:
        return arguments_count(&c->context, value, "context", 1, 4096);
    case DATA:
        c->data = value;
        return 0;
    case SAMPLES:
        return arguments_count(&c->samples, value, "samples", 16, 1 << 30);
    case SWEEP:
        c->sweep = 1;
        return 0;
    case OPTIMIZER:
        return methods_parse(&c->methods, value);
    case RATES:
        c->rates = value;
        return 0;
    case SET:
        return methods_set(&c->methods, value);
    case STEPS:
        return arguments_count(&c->steps, value, "steps", 20, 1000000);
    case BATCH:
        return arguments_count(&c->batch, value, "batch", 1, 1 << 20);
    case SEEDS:
        return arguments_count(&c->seeds, value, "seeds", 1, MAX_SEEDS);
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
        printf("fismo_paper (natgrad) %s\n", ng_version());
        return 1;
    default: /* getopt has said what is wrong */
        fputs("Try 'fismo_paper --help' for more information.\n", stderr);
        return 2;
    }
}

/* Options of another sub-command would do nothing: an error. */
static int check(const config *c, int program, unsigned seen)
{
    for (int option = TEXT; option < SEEDS; option++)
        if (seen & BIT(option) & ~programs[program].options) {
            char text[80];
            snprintf(text, sizeof text, "--%s is no option of %s", long_options[option - TEXT].name,
                     programs[program].name);
            return arguments_usage("%s", text);
        }
    if (c->width % c->heads != 0)
        return arguments_usage("--heads: they must divide the %s", "width");
    if (c->sweep && c->rates != NULL)
        return arguments_usage("--sweep finds rates and %s names some: not both", "--rates");
    return methods_check(&c->methods);
}

static int find_program(int argc, char **argv)
{
    if (optind == argc) {
        arguments_usage("%s", "which one: language, images, condition or rate?");
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
    static char name[] = "fismo_paper"; /* for getopt's messages: libtool has made it a path */
    config c = {.data = "mnist",
                .layers = 2,
                .width = 64,
                .heads = 4,
                .context = 64,
                .samples = 2000,
                .out = "out",
                .dtype = NG_F32};
    unsigned seen = 0;
    if (argc > 0)
        argv[0] = name;
    arguments_program = name;
    int status = methods_parse(&c.methods, compared);
    for (int option;
         status == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        status = take(&c, option, optarg);
        seen |= status == 0 ? BIT(option) : 0;
    }
    if (status != 0)
        return status == 1 ? EXIT_SUCCESS : status;
    int program = find_program(argc, argv);
    if (program < 0 || (status = check(&c, program, seen)) != 0)
        return 2;
    c.kind = programs[program].kind;
    c.steps = c.steps > 0 ? c.steps : programs[program].steps;
    c.batch = c.batch > 0 ? c.batch : programs[program].batch;
    c.seeds = c.seeds > 0 ? c.seeds : programs[program].seeds;
    blas_set_threads(1);
    return c.sweep ? sweep(&c) : programs[program].run(&c);
}
