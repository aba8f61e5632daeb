/* fismo_paper: the command line. See --help. */
#include "examples/fismo_paper/fismo_paper.h"

#include <stdio.h>
#include <string.h>

#include "examples/support/threads.h"

static const char compared[] = "sgd,adamw,shampoo,muon,fismo,fismo_paper";

/* The paper's competitor has factors on both sides, in long matrices too. */
static const char classic[] = "shampoo.one_sided=never";

static void print_usage(void)
{
    fputs(
        "Usage: fismo_paper [language|images|condition|rate] [OPTION]...\n"
        "The claims of Xu, Yan & Zhang, FISMO, arXiv:2601.21750 (2026), at small scale: a table,\n"
        "CSV, pictures, and whether the numbers agree with the paper.\n\n"
        "  language    a character transformer: which optimizer has the lowest loss after equal\n"
        "              numbers of steps\n"
        "  images      a convolutional net on digits: accuracy, smoothness of the curves\n"
        "  condition   condition numbers of the updates of the transformer's matrices\n"
        "  rate        mean nuclear norm of the gradient against steps and batch size, on a\n"
        "              stochastic non-convex problem with known minimum\n\n"
        "Without a name all four, one after the other, with their defaults.\n\n",
        stdout);
}

static void print_options(void)
{
    printf(
        "language, condition\n"
        "  --data=text:FILE     (default: text:$NATGRAD_DATA/tinyshakespeare.txt); the last\n"
        "                       tenth is held out\n"
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
        "  --steps=N            20 or more (default: 400; images 200, condition 100; rate 4096,\n"
        "                       with a quarter and a sixteenth of it)\n"
        "all\n"
        "  --seed=LIST          a run each: 1 or 1,2,7 or 1-5 (default: 1-3; condition 1)\n"
        "  --threads=N          of the BLAS (default: 1)\n",
        compared);
}

static void print_help(void)
{
    print_usage();
    print_options();
    arguments_help();
    printf(
        "\nMatrix methods step the hidden weights; embeddings, norms, biases and the last layer "
        "go\nto AdamW at the rate that is best for AdamW alone; --set adamw.OPTION is about that "
        "one\ntoo. Methods that ask for statistics of the layers (kfac) have the empirical Fisher "
        "matrix,\nof the labels in the batch.\n");
    methods_print();
}

/* Options in the order of their owners. */
enum {
    DATA,
    LAYERS,
    WIDTH,
    HEADS,
    CONTEXT,
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
    [DATA] = {"data", ARGUMENT_TEXT, FIELD(data)},
    [LAYERS] = {"layers", ARGUMENT_COUNT, FIELD(layers), 1, 64},
    [WIDTH] = {"width", ARGUMENT_COUNT, FIELD(width), 1, 4096},
    [HEADS] = {"heads", ARGUMENT_COUNT, FIELD(heads), 1, 4096},
    [CONTEXT] = {"context", ARGUMENT_COUNT, FIELD(context), 1, 4096},
    [SAMPLES] = {"samples", ARGUMENT_COUNT, FIELD(samples), 16, 1 << 30},
    [SWEEP] = {"sweep", ARGUMENT_FLAG, FIELD(sweep)},
    [OPTIMIZER] = {"optimizer", ARGUMENT_METHODS, FIELD(methods)},
    [RATES] = {"rates", ARGUMENT_TEXT, FIELD(rates)},
    [SET] = {"set", ARGUMENT_SETTING, FIELD(methods)},
    [STEPS] = {"steps", ARGUMENT_COUNT, FIELD(steps), 20, 1000000},
    [BATCH] = {"batch", ARGUMENT_COUNT, FIELD(batch), 1, 1 << 20},
    [OF_ALL] = {"seed", ARGUMENT_SEEDS, FIELD(seeds)},
    {"threads", ARGUMENT_COUNT, FIELD(threads), 1, 1024},
    {NULL},
};

#define BIT(option) (1UL << (option))
#define TRANSFORMER (BIT(DATA) | BIT(LAYERS) | BIT(WIDTH) | BIT(HEADS) | BIT(CONTEXT))
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
static int find_program(const char *name)
{
    for (int i = 0; i < PROGRAMS; i++)
        if (strcmp(name, programs[i].name) == 0)
            return i;
    arguments_usage("unexpected argument '%s': expected language, images, condition or rate", name);
    return -1;
}

static int run_program(const config *given, int program)
{
    config c = *given;
    c.kind = programs[program].kind;
    c.steps = c.steps > 0 ? c.steps : programs[program].steps;
    c.batch = c.batch > 0 ? c.batch : programs[program].batch;
    if (c.seeds.count == 0)
        for (; c.seeds.count < programs[program].seeds; c.seeds.count++)
            c.seeds.list[c.seeds.count] = c.seeds.count + 1;
    return c.sweep ? sweep(&c) : programs[program].run(&c);
}

/* One of them, or for a name NULL all, of which those after a failure run nevertheless. */
static int run_named(const config *c, const char *name, unsigned long given)
{
    int program = name != NULL ? find_program(name) : 0, failed = 0;
    if (program < 0)
        return 2;
    if (name == NULL && given << (8 * sizeof given - OF_ALL) != 0)
        return arguments_usage("only --seed and --threads go with all of them: which one, "
                               "language, images, condition or rate?");
    int status = name != NULL ? check(c, program, given) : 0;
    if (status == 0)
        status = arguments_folder(c->out);
    if (status != 0)
        return status;
    blas_set_threads((int)c->threads);
    program_catch_interrupt();
    if (name != NULL)
        return run_program(c, program);
    for (int i = 0; i < PROGRAMS && !program_interrupted(); i++) {
        status = run_program(c, i);
        failed = status > failed ? status : failed;
    }
    return failed;
}

int main(int argc, char **argv)
{
    config c = {.layers = 2,
                .width = 64,
                .heads = 4,
                .context = 64,
                .samples = 2000,
                .threads = 1,
                .dtype = NG_F32};
    arguments a = {.program = "fismo_paper", .help = print_help, .help_on = methods_help, .options = options, .operands = 1};
    program_start(a.program);
    int status = methods_parse(&c.methods, compared);
    if (status == 0)
        status = methods_set(&c.methods, classic);
    c.methods.own = c.methods.setting_count;
    if (status == 0)
        status = arguments_read(&c, &a, argc, argv);
    c.out = a.out;
    if (status == 0)
        status = run_named(&c, a.operand[0], a.given);
    return program_end(status);
}
