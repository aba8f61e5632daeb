/* The command line of train; --help is written from the preset and option
 * tables, so it cannot go stale. */
#define _GNU_SOURCE
#include "examples/train/train.h"

#include <stdio.h>
#include <string.h>

static const char default_optimizers[] = "adamw,muon,fismo";

static void print_help(void)
{
    printf(
        "Usage: train [OPTION]...\n"
        "Train a small model with several optimizers and compare them.\n\n"
        "  --data=KIND:WHAT     listed below; text alone is /usr/share/common-licenses/GPL-3, mnist\n"
        "                       alone $NATGRAD_DATA/mnist-t10k (default: text)\n"
        "  --read NAME=X        how they are read and divided, listed below; repeatable\n"
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
        "  --set NAME.OPTION=X  an option of one optimizer, listed below; repeatable, in this order\n"
        "  --validate           judge by the last eighth of the training set instead; the test\n"
        "                       set is not looked at\n"
        "  --sweep              try a grid of settings, as many for every optimizer, judged as\n"
        "                       by --validate; writes DIR/sweep.csv\n"
        "  --regimes[=N]        every N steps (default: 50) the regimes of each layer's Kronecker\n"
        "                       factors (sgd, adamw and muon have none; eigenvalues above 1e-6\n"
        "                       of the largest) to DIR/regimes.csv, and a picture; not with\n"
        "                       --sweep\n"
        "\nMatrix methods (all but sgd and adamw) step the hidden weights; biases, norms, "
        "embeddings\n"
        "and the last layer go to adamw with lr 0.001, or as --set adamw.OPTION says. kfac,\n"
        "kfac_muon and ekfac step whole layers, biases and the last one included; their\n"
        "Fisher matrix is the empirical one, of the labels in the batch.\n\n",
        default_optimizers);
    arguments_help();
    source_help();
    methods_print();
}

/* ---- Values ------------------------------------------------------------------- */

static int add_width(void *data, const char *text, const char *option)
{
    config *c = data;
    if (c->width_count == MAX_WIDTHS - 1)
        return arguments_usage("--%s: more than %d layers", option, MAX_WIDTHS - 1);
    return arguments_count(&c->widths[c->width_count++], text, option, 1, 1 << 20);
}

static int take_widths(void *data, const char *text, const char *option)
{
    config *c = data;
    c->width_count = 0;
    return arguments_list(c, text, option, add_width);
}

static int take_activation(void *data, const char *text, const char *option)
{
    config *c = data;
    const char *name;
    for (int i = 0; (name = ng_activation_name((ng_activation)i)) != NULL; i++)
        if (strcmp(name, text) == 0) {
            c->activation = (ng_activation)i;
            return 0;
        }
    return arguments_usage("--%s=%s: not one of linear, relu, tanh, sigmoid, gelu", option, text);
}

static const char *const models[] = {[MODEL_MLP] = "mlp", [MODEL_CNN] = "cnn", [MODEL_GPT] = "gpt"};

static int take_model(void *data, const char *text, const char *option)
{
    config *c = data;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strcmp(models[i], text) == 0) {
            c->model = (model_kind)i;
            return 0;
        }
    return arguments_usage("--%s=%s: not one of mlp, cnn, gpt", option, text);
}

static int take_dtype(void *data, const char *text, const char *option)
{
    config *c = data;
    if (strcmp(text, "f32") != 0 && strcmp(text, "f64") != 0)
        return arguments_usage("--%s=%s: expected f32 or f64", option, text);
    c->dtype = strcmp(text, "f32") == 0 ? NG_F32 : NG_F64;
    return 0;
}

/* ---- The command line ----------------------------------------------------------- */

static const argument options[] = {
    {"data", ARGUMENT_TEXT, .offset = offsetof(config, data)},
    {"read", ARGUMENT_OWN, .take = source_take},
    {"optimizer", ARGUMENT_METHODS, .offset = offsetof(config, methods)},
    {"model", ARGUMENT_OWN, .take = take_model},
    {"layers", ARGUMENT_COUNT, .offset = offsetof(config, layers), 1, 4096},
    {"width", ARGUMENT_COUNT, .offset = offsetof(config, width), 1, 1 << 16},
    {"heads", ARGUMENT_COUNT, .offset = offsetof(config, heads), 1, 1 << 16},
    {"hidden", ARGUMENT_OWN, .take = take_widths},
    {"activation", ARGUMENT_OWN, .take = take_activation},
    {"epochs", ARGUMENT_INT, .offset = offsetof(config, epochs), 1, MAX_EPOCHS},
    {"batch", ARGUMENT_COUNT, .offset = offsetof(config, batch), 1, 1 << 20},
    {"context", ARGUMENT_COUNT, .offset = offsetof(config, context), 1, 4096},
    {"seed", ARGUMENT_SEEDS, .offset = offsetof(config, seeds)},
    {"dtype", ARGUMENT_OWN, .take = take_dtype},
    {"threads", ARGUMENT_INT, .offset = offsetof(config, threads), 1, 1024},
    {"set", ARGUMENT_SETTING, .offset = offsetof(config, methods)},
    {"sweep", ARGUMENT_FLAG, .offset = offsetof(config, sweep)},
    {"validate", ARGUMENT_FLAG, .offset = offsetof(config, validate)},
    {"regimes", ARGUMENT_INT, .offset = offsetof(config, regimes), 1, 1 << 30, .bare = "50"},
    {NULL},
};

/* Options of another model would do nothing: an error. */
static int check_model(const config *c, unsigned long given)
{
    static const struct {
        const char *option;
        unsigned models;
    } own[] = {{"layers", 1 << MODEL_GPT},
               {"width", 1 << MODEL_GPT},
               {"heads", 1 << MODEL_GPT},
               {"hidden", 1 << MODEL_MLP | 1 << MODEL_CNN},
               {"activation", 1 << MODEL_MLP}};
    for (size_t i = 0; options[i].name != NULL; i++)
        for (size_t k = 0; k < sizeof own / sizeof *own && given >> i & 1; k++)
            if (strcmp(own[k].option, options[i].name) == 0 && !(own[k].models >> c->model & 1))
                return arguments_usage("--%s is no option of --model=%s", options[i].name,
                                       models[c->model]);
    return 0;
}

/* Defaults that depend on the model, and what it asks of the data. */
static int fit_model(config *c)
{
    int text = strncmp(c->data, "text", 4) == 0 || strncmp(c->data, "sequences", 9) == 0;
    int csv = strncmp(c->data, "csv", 3) == 0;
    if (c->width_count == 0) {
        c->widths[0] = c->model == MODEL_CNN ? 8 : 128;
        c->widths[1] = 16;
        c->width_count = c->model == MODEL_CNN ? 2 : 1;
    }
    if (c->context == 0)
        c->context = c->model == MODEL_GPT ? 64 : 8;
    if (c->sweep && c->regimes > 0)
        return arguments_usage("--regimes: not with --sweep");
    if (c->model == MODEL_GPT && !text)
        return arguments_usage("--model=gpt: wants text, not --data=%s", c->data);
    if (c->model == MODEL_CNN && (text || csv))
        return arguments_usage("--model=cnn: wants pictures, not --data=%s", c->data);
    if (c->model == MODEL_GPT && c->width % c->heads != 0)
        return arguments_usage("--heads: they must divide the width");
    return 0;
}

int config_parse(config *c, int argc, char **argv)
{
    arguments a = {.program = "train", .help = print_help, .help_on = methods_help, .options = options};
    memset(c, 0, sizeof *c);
    c->data = "text";
    ng_dataset_init(&c->reading);
    c->epochs = 3;
    c->batch = 64;
    c->layers = 2;
    c->width = 64;
    c->heads = 4;
    c->seeds = (seed_list){{1}, 1};
    c->dtype = NG_F32;
    c->threads = 1;
    c->activation = NG_ACTIVATION_RELU;
    program_start(a.program);
    int status = methods_parse(&c->methods, default_optimizers);
    if (status == 0)
        status = arguments_read(c, &a, argc, argv);
    c->out = a.out;
    if (status == 0)
        status = check_model(c, a.given);
    if (status == 0)
        status = fit_model(c);
    if (status == 0)
        status = methods_check(&c->methods);
    return status;
}
