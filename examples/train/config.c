/* The command line of train; --help is written from the preset and option
 * tables, so it cannot go stale. */
#define _GNU_SOURCE
#include "examples/train/train.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char default_optimizers[] = "adamw,muon,fismo";

static void print_options(const ng_preset *preset)
{
    void *options = malloc(preset->size);
    char value[64];
    if (options == NULL)
        return;
    preset->init(options);
    printf("\n%s: %s\n", preset->name, preset->doc);
    for (const ng_option *o = ng_method_options(preset->method, NULL); o->name != NULL; o++) {
        ng_options_get_text(options, o->name, value, sizeof value, NULL);
        printf("  --set %s.%s=%-*s %s", preset->name, o->name,
               (int)(28 - strlen(preset->name) - strlen(o->name)), value, o->doc);
        for (int i = 0; o->kind == NG_OPTION_CHOICE && o->choices[i] != NULL; i++)
            printf("%s%s", i == 0 ? " (" : "|", o->choices[i]);
        printf("%s\n", o->kind == NG_OPTION_CHOICE ? ")" : "");
    }
    free(options);
}

static void print_help(void)
{
    printf(
        "Usage: train [OPTION]...\n"
        "Train a small net with several optimizers and compare them.\n\n"
        "  --data=SOURCE        text[:FILE]   characters of a text (default: text:/usr/share/\n"
        "                                     common-licenses/GPL-3); last tenth held out\n"
        "                       mnist[:DIR]   IDX files in DIR, or $NATGRAD_DATA/mnist-t10k\n"
        "                       digits        drawn digits: 8,000 to train, 2,000 to test\n"
        "                       csv:FILE      numbers, the class in the last column; last fifth\n"
        "                                     held out\n"
        "  --optimizer=NAMES    comma-separated, or all (default: %s)\n"
        "  --hidden=WIDTHS      hidden layers (default: 128)\n"
        "  --activation=NAME    linear, relu, tanh, sigmoid, gelu (default: relu)\n"
        "  --epochs=N           passes over the training set (default: 3)\n"
        "  --batch=N            samples a step (default: 64)\n"
        "  --context=N          characters seen before the next one, text only (default: 8)\n"
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
        "Matrix methods (all but sgd and adamw) step the hidden weights; biases and the last\n"
        "layer go to adamw with lr 0.001. kfac, kfac_muon and ekfac step whole layers, biases\n"
        "and the last one included. Exit status: 0 done, 1 failed, 2 usage.\n",
        default_optimizers);
    for (const ng_preset *preset = ng_presets; preset->name != NULL; preset++)
        print_options(preset);
}

static int usage(const char *format, const char *what)
{
    fputs("train: ", stderr);
    fprintf(stderr, format, what);
    fputs("\nTry 'train --help' for more information.\n", stderr);
    return 2;
}

/* ---- Values ------------------------------------------------------------------- */

/* A whole number min ... max, or usage error. */
static int parse_count(size_t *value, const char *text, const char *option, size_t min, size_t max)
{
    char *end, message[128];
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0 && text[0] != '-' && n >= min && n <= max) {
        *value = (size_t)n;
        return 0;
    }
    snprintf(message, sizeof message, "--%s=%.40s: expected a whole number from %zu to %zu", option,
             text, min, max);
    return usage("%s", message);
}

/* Calls `item` for each comma-separated piece. */
static int parse_list(config *c, const char *text, int (*item)(config *, const char *))
{
    int status = 0;
    char *copy = strdup(text), *rest = copy, *piece;
    while (copy != NULL && status == 0 && (piece = strsep(&rest, ",")) != NULL)
        status = item(c, piece);
    free(copy);
    return copy != NULL ? status : 2;
}

static int add_method(config *c, const char *name)
{
    const ng_preset *preset = ng_preset_find(name);
    if (preset == NULL) {
        char known[256] = "";
        for (const ng_preset *p = ng_presets; p->name != NULL; p++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s", p->name);
        fprintf(stderr, "train: there is no optimizer '%s'; there are%s, and all\n", name, known);
        return 2;
    }
    for (size_t i = 0; i < c->method_count; i++)
        if (c->methods[i] == preset)
            return usage("--optimizer: %s is named twice", name);
    if (c->method_count == MAX_METHODS)
        return usage("%s: too many optimizers", name);
    c->methods[c->method_count++] = preset;
    return 0;
}

static int add_methods(config *c, const char *names)
{
    int status = 0;
    c->method_count = 0;
    if (strcmp(names, "all") != 0)
        return parse_list(c, names, add_method);
    for (const ng_preset *p = ng_presets; p->name != NULL && status == 0; p++)
        status = add_method(c, p->name);
    return status;
}

static int add_width(config *c, const char *text)
{
    if (c->width_count == MAX_WIDTHS - 1)
        return usage("--hidden: more than %s layers", "15");
    return parse_count(&c->widths[c->width_count++], text, "hidden", 1, 1 << 20);
}

/* 7 or 1-5 */
static int add_seeds(config *c, const char *text)
{
    size_t first, last;
    char head[24];
    const char *dash = text[0] != '\0' ? strchr(text + 1, '-') : NULL;
    snprintf(head, sizeof head, "%.*s", dash != NULL ? (int)(dash - text) : 20, text);
    int status = parse_count(&first, head, "seed", 0, 4294967295u);
    last = first;
    if (status == 0 && dash != NULL)
        status = parse_count(&last, dash + 1, "seed", 0, 4294967295u);
    if (status == 0 && last < first)
        return usage("--seed=%s: the last seed comes before the first", text);
    for (size_t seed = first; status == 0 && seed <= last; seed++) {
        if (c->seed_count == MAX_SEEDS)
            return usage("--seed=%s: too many seeds", text);
        c->seeds[c->seed_count++] = seed;
    }
    return status;
}

/* to <- the characters from ... end; -1 if they do not fit */
static int copy(char *to, size_t size, const char *from, const char *end)
{
    size_t length = (size_t)(end - from);
    if (length >= size)
        return -1;
    memcpy(to, from, length);
    to[length] = '\0';
    return 0;
}

static int add_setting(config *c, const char *text)
{
    setting *s = &c->settings[c->setting_count];
    if (c->setting_count == MAX_SETTINGS)
        return usage("--set %s: too many settings", text);
    const char *equals = strchr(text, '='), *dot = strchr(text, '.');
    if (equals == NULL || dot == NULL || dot > equals || dot == text || dot + 1 == equals ||
        equals[1] == '\0' || copy(s->method, sizeof s->method, text, dot) != 0 ||
        copy(s->option, sizeof s->option, dot + 1, equals) != 0 ||
        copy(s->value, sizeof s->value, equals + 1, text + strlen(text)) != 0)
        return usage("--set %s: expected NAME.OPTION=VALUE", text);
    if (ng_preset_find(s->method) == NULL)
        return usage("--set %s: there is no such optimizer", text);
    c->setting_count++;
    return 0;
}

static int parse_activation(config *c, const char *text)
{
    const char *name;
    for (int i = 0; (name = ng_activation_name((ng_activation)i)) != NULL; i++)
        if (strcmp(name, text) == 0) {
            c->activation = (ng_activation)i;
            return 0;
        }
    return usage("--activation=%s: not one of linear, relu, tanh, sigmoid, gelu", text);
}

static int parse_dtype(config *c, const char *text)
{
    if (strcmp(text, "f32") != 0 && strcmp(text, "f64") != 0)
        return usage("--dtype=%s: expected f32 or f64", text);
    c->dtype = strcmp(text, "f32") == 0 ? NG_F32 : NG_F64;
    return 0;
}

/* ---- The command line ----------------------------------------------------------- */

enum {
    DATA = 256,
    OPTIMIZER,
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
        return add_methods(c, value);
    case HIDDEN:
        c->width_count = 0;
        return parse_list(c, value, add_width);
    case ACTIVATION:
        return parse_activation(c, value);
    case EPOCHS:
        status = parse_count(&n, value, "epochs", 1, MAX_EPOCHS);
        c->epochs = status == 0 ? (int)n : 0;
        return status;
    case BATCH:
        return parse_count(&c->batch, value, "batch", 1, 1 << 20);
    case CONTEXT:
        return parse_count(&c->context, value, "context", 1, 4096);
    case SEED:
        c->seed_count = 0;
        return parse_list(c, value, add_seeds);
    case DTYPE:
        return parse_dtype(c, value);
    case THREADS:
        status = parse_count(&n, value, "threads", 1, 1024);
        c->threads = status == 0 ? (int)n : 0;
        return status;
    case SET:
        return add_setting(c, value);
    case VALIDATE:
        c->validate = 1;
        return 0;
    case SWEEP:
        c->sweep = 1;
        return 0;
    case REGIMES:
        status = parse_count(&n, value != NULL ? value : "50", "regimes", 1, 1 << 30);
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

int config_parse(config *c, int argc, char **argv)
{
    static char name[] = "train"; /* for getopt's messages: libtool has made it a long path */
    int option, status;
    if (argc > 0)
        argv[0] = name;
    memset(c, 0, sizeof *c);
    c->data = "text";
    c->widths[0] = 128;
    c->width_count = 1;
    c->epochs = 3;
    c->batch = 64;
    c->context = 8;
    c->seeds[0] = 1;
    c->seed_count = 1;
    c->out = "out";
    c->dtype = NG_F32;
    c->threads = 1;
    c->activation = NG_ACTIVATION_RELU;
    status = add_methods(c, default_optimizers);
    while (status == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = take(c, option, optarg);
    if (status == 0 && optind < argc)
        status = usage("unexpected argument '%s'", argv[optind]);
    /* settings are checked now, also those of optimizers that will not run */
    for (const ng_preset *p = ng_presets; p->name != NULL && status == 0; p++) {
        void *options = config_options(c, p);
        status = options != NULL ? 0 : 2;
        free(options);
    }
    return status;
}

void *config_options(const config *c, const ng_preset *preset)
{
    ng_error error = {NG_OK, ""};
    ng_status status = NG_OK;
    void *options = malloc(preset->size);
    if (options == NULL) {
        fputs("train: out of memory\n", stderr);
        return NULL;
    }
    preset->init(options);
    for (size_t i = 0; i < c->setting_count && status == NG_OK; i++)
        if (strcmp(c->settings[i].method, preset->name) == 0)
            status =
                ng_options_set_text(options, c->settings[i].option, c->settings[i].value, &error);
    if (status == NG_OK)
        status = ng_options_check(options, &error);
    if (status == NG_OK)
        return options;
    fprintf(stderr, "train: --set for %s: %s\n", preset->name, error.text);
    free(options);
    return NULL;
}
