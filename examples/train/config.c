/* The command line. */
#define _GNU_SOURCE
#include "examples/train/train.h"

#include <stdio.h>
#include <string.h>

#include "examples/support/reading.h"

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

static int take_task(void *data, const char *text, const char *option)
{
    config *c = data;
    ng_error error;
    if (ng_dataset_options_set(&c->reading, option, text, &error) != NG_OK)
        return arguments_usage("--%s=%s: %s", option, text, error.text);
    return 0;
}

static int take_schedule(void *data, const char *text, const char *option)
{
    config *c = data;
    const char *name;
    for (int i = 0; (name = ng_schedule_shape_name(NULL, (ng_schedule_shape)i)) != NULL; i++)
        if (strcmp(name, text) == 0) {
            c->how.schedule = (ng_schedule_shape)i;
            return 0;
        }
    return arguments_usage("--%s=%s: not one of constant, linear, cosine, inverse_sqrt, wsd",
                           option, text);
}

static int take_fisher(void *data, const char *text, const char *option)
{
    config *c = data;
    const char *name;
    for (int i = 0; (name = ng_trainer_fisher_name((ng_trainer_fisher)i)) != NULL; i++)
        if (strcmp(name, text) == 0) {
            c->how.fisher = (ng_trainer_fisher)i;
            return 0;
        }
    return arguments_usage("--%s=%s: not one of empirical, sampled, exact", option, text);
}

static int take_log(void *data, const char *text, const char *option)
{
    config *c = data;
    const char *end = strrchr(text, '.');
    if (end == NULL || (strcmp(end, ".csv") != 0 && strcmp(end, ".jsonl") != 0))
        return arguments_usage("--%s=%s: expected FILE.jsonl or FILE.csv", option, text);
    c->log = text;
    return 0;
}

static int take_bars(void *data, const char *text, const char *option)
{
    config *c = data;
    const char *name;
    for (int i = 0; (name = ng_laplace_structure_name((size_t)i)) != NULL; i++)
        if (strcmp(name, text) == 0) {
            c->bars = 1 + i;
            return 0;
        }
    return arguments_usage("--%s=%s: not one of last, kron", option, text);
}

/* ---- The command line ----------------------------------------------------------- */

static argument options[] = {
    {"data", ARGUMENT_TEXT, .offset = offsetof(config, data)},
    {"read", ARGUMENT_OWN, .offset = offsetof(config, reading), .take = reading_take},
    {"optimizer", ARGUMENT_METHODS, .offset = offsetof(config, methods)},
    {"model", ARGUMENT_OWN, .take = take_model},
    {"layers", ARGUMENT_COUNT, .offset = offsetof(config, layers), 1, 4096},
    {"width", ARGUMENT_COUNT, .offset = offsetof(config, width), 1, 1 << 16},
    {"heads", ARGUMENT_COUNT, .offset = offsetof(config, heads), 1, 1 << 16},
    {"hidden", ARGUMENT_OWN, .take = take_widths},
    {"activation", ARGUMENT_OWN, .take = take_activation},
    {"task", ARGUMENT_OWN, .take = take_task},
    {"epochs", ARGUMENT_COUNT, .offset = offsetof(config, how.epochs), 1, MAX_EPOCHS},
    {"batch", ARGUMENT_COUNT, .offset = offsetof(config, how.batch), 1, 1 << 20},
    {"lr", ARGUMENT_TEXT, .offset = offsetof(config, lr)},
    {"rest-lr", ARGUMENT_NUMBER, .offset = offsetof(config, methods.rest_lr), 1e-12, 1e6},
    {"schedule", ARGUMENT_OWN, .take = take_schedule},
    {"warmup", ARGUMENT_NUMBER, .offset = offsetof(config, how.warmup), 0, 1},
    {"early-stop", ARGUMENT_COUNT, .offset = offsetof(config, how.patience), 1, MAX_EPOCHS,
     .bare = "5"},
    {"time", ARGUMENT_NUMBER, .offset = offsetof(config, how.seconds), 1e-3, 1e9},
    {"fisher", ARGUMENT_OWN, .take = take_fisher},
    {"ema", ARGUMENT_NUMBER, .offset = offsetof(config, how.ema), 0, 0.999999},
    {"save", ARGUMENT_TEXT, .offset = offsetof(config, save)},
    {"resume", ARGUMENT_TEXT, .offset = offsetof(config, resume)},
    {"uncertainty", ARGUMENT_OWN, .take = take_bars, .bare = "last"},
    {"log", ARGUMENT_OWN, .take = take_log},
    {"context", ARGUMENT_COUNT, .offset = offsetof(config, context), 1, 4096},
    {"seed", ARGUMENT_SEEDS, .offset = offsetof(config, seeds)},
    {"dtype", ARGUMENT_OWN, .take = take_dtype},
    {"threads", ARGUMENT_INT, .offset = offsetof(config, threads), 1, 1024},
    {"set", ARGUMENT_SETTING, .offset = offsetof(config, methods)},
    {"sweep", ARGUMENT_FLAG, .offset = offsetof(config, sweep)},
    {"validate", ARGUMENT_FLAG, .offset = offsetof(config, validate)},
    {"regimes", ARGUMENT_INT, .offset = offsetof(config, regimes), 1, 1 << 30, .bare = "50"},
    {"spectra", ARGUMENT_INT, .offset = offsetof(config, spectra), 1, 1 << 30, .bare = "100"},
    {"shards", ARGUMENT_COUNT, .offset = offsetof(config, shards), 1, 1 << 16}, /* the last one */
    {NULL},
};
enum { SHARDS = sizeof options / sizeof *options - 2 };

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
               {"uncertainty", 1 << MODEL_MLP | 1 << MODEL_CNN},
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
    if (c->model == MODEL_GPT && !text)
        return arguments_usage("--model=gpt: wants text, not --data=%s", c->data);
    if (c->model == MODEL_CNN && (text || csv))
        return arguments_usage("--model=cnn: wants pictures, not --data=%s", c->data);
    if (c->model != MODEL_MLP && c->reading.task == NG_TASK_REGRESSION)
        return arguments_usage("--task=regression: of --model=mlp alone");
    if (c->model == MODEL_GPT && c->width % c->heads != 0)
        return arguments_usage("--heads: they must divide the width");
    return 0;
}

/* What a sweep has no use for, and what is of one run alone. */
static int check_runs(const config *c)
{
    const struct {
        const char *option;
        int given;
    } own[] = {{"regimes", c->regimes > 0}, {"spectra", c->spectra > 0},
               {"save", c->save != NULL},   {"resume", c->resume != NULL},
               {"log", c->log != NULL},     {"lr", c->lr != NULL}};
    for (size_t i = 0; i < sizeof own / sizeof *own && c->sweep; i++)
        if (own[i].given)
            return arguments_usage("--%s: not with --sweep", own[i].option);
    if (c->bars > 0 && c->save == NULL)
        return arguments_usage("--uncertainty: goes into the file of --save");
    if (c->resume != NULL && c->methods.count * c->seeds.count > 1)
        return arguments_usage("--resume: of one run; name one --optimizer and one --seed");
    if (c->resume != NULL && c->lr != NULL && strcmp(c->lr, "auto") == 0)
        return arguments_usage("--resume: goes on with the rate it had; not with --lr=auto");
    return 0;
}

int config_parse(config *c, int argc, char **argv)
{
    arguments a = {
        .program = crew_program, .help = help_print, .help_on = methods_help, .options = options};
    memset(c, 0, sizeof *c);
    c->data = "text";
    ng_dataset_init(&c->reading);
    ng_trainer_init(&c->how);
    c->how.epochs = 3;
    c->layers = 2;
    c->width = 64;
    c->heads = 4;
    c->seeds = (seed_list){{1}, 1};
    c->dtype = NG_F32;
    c->threads = 1;
    c->shards = 8;
    if (!crew_shards)
        options[SHARDS].name = NULL;
    c->activation = NG_ACTIVATION_RELU;
    program_start(a.program);
    int status = methods_parse(&c->methods, default_optimizers);
    if (status == 0)
        status = arguments_read(c, &a, argc, argv);
    if (crew_shards) /* a trainer over ranks has none of them */
        methods_leave_quadratic(&c->methods);
    c->out = a.out;
    c->words = argv;
    if (status == 0)
        status = check_runs(c);
    if (status == 0)
        status = rate_set(c);
    if (status == 0)
        status = check_model(c, a.given);
    if (status == 0)
        status = fit_model(c);
    if (status == 0)
        status = methods_check(&c->methods);
    return status;
}
