/* The command line of train; --help is written from the preset and option
 * tables, so it cannot go stale. */
#define _GNU_SOURCE
#include "examples/train/train.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char default_optimizers[] = "adamw,muon,fismo";

static void print_help(void)
{
    printf(
        "Usage: train [OPTION]...\n"
        "Train a small model with several optimizers and compare them.\n\n"
        "  --data=SOURCE        text[:FILE]   characters of a text (default: text:/usr/share/\n"
        "                                     common-licenses/GPL-3); last tenth held out\n"
        "                       mnist[:DIR]   IDX files in DIR, or $NATGRAD_DATA/mnist-t10k\n"
        "                       digits        drawn digits: 8,000 to train, 2,000 to test\n"
        "                       csv:FILE      numbers, the class in the last column; last fifth\n"
        "                                     held out\n"
        "  --optimizer=NAMES    comma-separated, or all (default: %s)\n"
        "  --model=KIND         mlp, cnn (pictures: convolutions 3 x 3 with pooling), gpt (text)\n"
        "                       (default: mlp)\n"
        "  --hidden=WIDTHS      hidden layers (default: 128); of cnn: filters (default: 8,16)\n"
        "  --layers=N, --width=N, --heads=N\n"
        "                       of gpt: its blocks (default: 2, 64, 4)\n"
        "  --activation=NAME    linear, relu, tanh, sigmoid, gelu (default: relu)\n"
        "  --epochs=N           passes over the training set (default: 3)\n"
        "  --batch=N            samples a step (default: 64)\n"
        "  --context=N          characters seen before the next one, text only (default: 8, of\n"
        "                       gpt: 64)\n"
        "  --seed=LIST          of initialisation and order: 1 or 1,2,7 or 1-5 (default: 1)\n"
        "  --dtype=f32|f64      (default: f32)\n"
        "  --threads=N          of the BLAS (default: 1)\n"
        "  --set NAME.OPTION=X  an option of one optimizer, listed below; repeatable\n"
        "  --validate           judge by the last eighth of the training set instead; the test\n"
        "                       set is not looked at\n"
        "  --sweep              try a grid of settings, as many for every optimizer, judged as\n"
        "                       by --validate; writes DIR/sweep.csv\n"
        "  --regimes[=N]        every N steps (default: 50) the regimes of each layer's Kronecker\n"
        "                       factors (fismo, kfac; eigenvalues above 1e-6 of the largest)\n"
        "                       to DIR/regimes.csv, and a picture; not with --sweep\n"
        "  --out=DIR            for curves.csv and pictures (default: out)\n"
        "  --quiet              no progress\n"
        "  --help, --version\n\n"
        "Matrix methods (all but sgd and adamw) step the hidden weights; biases, norms, "
        "embeddings\n"
        "and the last layer go to adamw with lr 0.001. kfac, kfac_muon and ekfac step whole\n"
        "layers, biases and the last one included. Exit status: 0 done, 1 failed, 2 usage.\n",
        default_optimizers);
    methods_print();
}

/* ---- Values ------------------------------------------------------------------- */

static int add_width(void *data, const char *text)
{
    config *c = data;
    if (c->width_count == MAX_WIDTHS - 1)
        return arguments_usage("--hidden: more than %s layers", "15");
    return arguments_count(&c->widths[c->width_count++], text, "hidden", 1, 1 << 20);
}

/* 7 or 1-5 */
static int add_seeds(void *data, const char *text)
{
    config *c = data;
    size_t first, last;
    char head[24];
    const char *dash = text[0] != '\0' ? strchr(text + 1, '-') : NULL;
    snprintf(head, sizeof head, "%.*s", dash != NULL ? (int)(dash - text) : 20, text);
    int status = arguments_count(&first, head, "seed", 0, 4294967295u);
    last = first;
    if (status == 0 && dash != NULL)
        status = arguments_count(&last, dash + 1, "seed", 0, 4294967295u);
    if (status == 0 && last < first)
        return arguments_usage("--seed=%s: the last seed comes before the first", text);
    for (size_t seed = first; status == 0 && seed <= last; seed++) {
        if (c->seed_count == MAX_SEEDS)
            return arguments_usage("--seed=%s: too many seeds", text);
        c->seeds[c->seed_count++] = seed;
    }
    return status;
}

static int parse_activation(config *c, const char *text)
{
    const char *name;
    for (int i = 0; (name = ng_activation_name((ng_activation)i)) != NULL; i++)
        if (strcmp(name, text) == 0) {
            c->activation = (ng_activation)i;
            return 0;
        }
    return arguments_usage("--activation=%s: not one of linear, relu, tanh, sigmoid, gelu", text);
}

static int parse_model(config *c, const char *text)
{
    static const char *const names[] = {
        [MODEL_MLP] = "mlp", [MODEL_CNN] = "cnn", [MODEL_GPT] = "gpt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], text) == 0) {
            c->model = (model_kind)i;
            return 0;
        }
    return arguments_usage("--model=%s: not one of mlp, cnn, gpt", text);
}

static int parse_dtype(config *c, const char *text)
{
    if (strcmp(text, "f32") != 0 && strcmp(text, "f64") != 0)
        return arguments_usage("--dtype=%s: expected f32 or f64", text);
    c->dtype = strcmp(text, "f32") == 0 ? NG_F32 : NG_F64;
    return 0;
}

/* ---- The command line ----------------------------------------------------------- */

enum {
    DATA = 256,
    OPTIMIZER,
    MODEL,
    LAYERS,
    WIDTH,
    HEADS,
    HIDDEN,
    ACTIVATION,
    EPOCHS,
    BATCH,
    CONTEXT,
    SEED,
    DTYPE,
    THREADS,
    SET,
    SWEEP,
    VALIDATE,
    REGIMES,
    OUT,
    QUIET,
    SHOW_HELP,
    SHOW_VERSION
};

static const struct option long_options[] = {
    {"data", required_argument, NULL, DATA},
    {"optimizer", required_argument, NULL, OPTIMIZER},
    {"model", required_argument, NULL, MODEL},
    {"layers", required_argument, NULL, LAYERS},
    {"width", required_argument, NULL, WIDTH},
    {"heads", required_argument, NULL, HEADS},
    {"hidden", required_argument, NULL, HIDDEN},
    {"activation", required_argument, NULL, ACTIVATION},
    {"epochs", required_argument, NULL, EPOCHS},
    {"batch", required_argument, NULL, BATCH},
    {"context", required_argument, NULL, CONTEXT},
    {"seed", required_argument, NULL, SEED},
    {"dtype", required_argument, NULL, DTYPE},
    {"threads", required_argument, NULL, THREADS},
    {"set", required_argument, NULL, SET},
    {"sweep", no_argument, NULL, SWEEP},
    {"validate", no_argument, NULL, VALIDATE},
    {"regimes", optional_argument, NULL, REGIMES},
    {"out", required_argument, NULL, OUT},
    {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, SHOW_HELP},
    {"version", no_argument, NULL, SHOW_VERSION},
    {NULL, 0, NULL, 0},
};

static int take(config *c, int option, const char *value)
{
    size_t n;
    int status = 0;
    switch (option) {
    case DATA:
        c->data = value;
        return 0;
    case OPTIMIZER:
        return methods_parse(&c->methods, value);
    case MODEL:
        return parse_model(c, value);
    case LAYERS:
        return arguments_count(&c->layers, value, "layers", 1, 4096);
    case WIDTH:
        return arguments_count(&c->width, value, "width", 1, 1 << 16);
    case HEADS:
        return arguments_count(&c->heads, value, "heads", 1, 1 << 16);
    case HIDDEN:
        c->width_count = 0;
        return arguments_list(c, value, add_width);
    case ACTIVATION:
        return parse_activation(c, value);
    case EPOCHS:
        status = arguments_count(&n, value, "epochs", 1, MAX_EPOCHS);
        c->epochs = status == 0 ? (int)n : 0;
        return status;
    case BATCH:
        return arguments_count(&c->batch, value, "batch", 1, 1 << 20);
    case CONTEXT:
        return arguments_count(&c->context, value, "context", 1, 4096);
    case SEED:
        c->seed_count = 0;
        return arguments_list(c, value, add_seeds);
    case DTYPE:
        return parse_dtype(c, value);
    case THREADS:
        status = arguments_count(&n, value, "threads", 1, 1024);
        c->threads = status == 0 ? (int)n : 0;
        return status;
    case SET:
        return methods_set(&c->methods, value);
    case VALIDATE:
        c->validate = 1;
        return 0;
    case SWEEP:
        c->sweep = 1;
        return 0;
    case REGIMES:
        status = arguments_count(&n, value != NULL ? value : "50", "regimes", 1, 1 << 30);
        c->regimes = status == 0 ? (int)n : 0;
        return status;
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
        printf("train (natgrad) %s\n", ng_version());
        return 1;
    default: /* getopt has said what is wrong */
        fputs("Try 'train --help' for more information.\n", stderr);
        return 2;
    }
}

/* Defaults that depend on the model, and what it asks of the data. */
static int fit_model(config *c)
{
    int text = strncmp(c->data, "text", 4) == 0, csv = strncmp(c->data, "csv", 3) == 0;
    if (c->width_count == 0) {
        c->widths[0] = c->model == MODEL_CNN ? 8 : 128;
        c->widths[1] = 16;
        c->width_count = c->model == MODEL_CNN ? 2 : 1;
    }
    if (c->context == 0)
        c->context = c->model == MODEL_GPT ? 64 : 8;
    if (c->model == MODEL_GPT && !text)
        return arguments_usage("--model=gpt: wants text, not --data=%s", c->data);
    if (c->model == MODEL_CNN && (text || csv))
        return arguments_usage("--model=cnn: wants pictures, not --data=%s", c->data);
    if (c->model == MODEL_GPT && c->width % c->heads != 0)
        return arguments_usage("--heads: they must divide the %s", "width");
    return 0;
}

int config_parse(config *c, int argc, char **argv)
{
    static char name[] = "train"; /* for getopt's messages: libtool has made it a long path */
    int option, status;
    if (argc > 0)
        argv[0] = name;
    memset(c, 0, sizeof *c);
    arguments_program = name;
    c->data = "text";
    c->epochs = 3;
    c->batch = 64;
    c->layers = 2;
    c->width = 64;
    c->heads = 4;
    c->seeds[0] = 1;
    c->seed_count = 1;
    c->out = "out";
    c->dtype = NG_F32;
    c->threads = 1;
    c->activation = NG_ACTIVATION_RELU;
    status = methods_parse(&c->methods, default_optimizers);
    while (status == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = take(c, option, optarg);
    if (status == 0 && optind < argc)
        status = arguments_usage("unexpected argument '%s'", argv[optind]);
    if (status == 0)
        status = fit_model(c);
    if (status == 0)
        status = methods_check(&c->methods);
    return status;
}
