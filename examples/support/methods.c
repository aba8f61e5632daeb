#include "examples/support/methods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/arguments.h"

static int add_method(void *data, const char *name, const char *option)
{
    methods *m = data;
    const ng_preset *preset = ng_preset_find(name);
    if (preset == NULL) {
        char known[256] = "";
        for (size_t i = 0; i < ng_preset_count(); i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s",
                     ng_preset_get(i)->name);
        program_error("there is no optimizer '%.40s'; there are%s, and all", name, known);
        return 2;
    }
    for (size_t i = 0; i < m->count; i++)
        if (m->list[i] == preset)
            return arguments_usage("--%s: %s is named twice", option, name);
    if (m->count == MAX_METHODS)
        return arguments_usage("%s: too many optimizers", name);
    m->list[m->count++] = preset;
    return 0;
}

int methods_parse(methods *m, const char *names)
{
    int status = 0;
    m->count = 0;
    m->all = strcmp(names, "all") == 0;
    if (!m->all)
        return arguments_list(m, names, "optimizer", add_method);
    for (size_t i = 0; i < ng_preset_count() && status == 0; i++)
        status = add_method(m, ng_preset_get(i)->name, "optimizer");
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

int methods_set(methods *m, const char *text)
{
    setting *s = &m->settings[m->setting_count];
    if (m->setting_count == MAX_SETTINGS)
        return arguments_usage("--set %s: too many settings", text);
    const char *equals = strchr(text, '='), *dot = strchr(text, '.');
    if (equals == NULL || dot == NULL || dot > equals || dot == text || dot + 1 == equals ||
        equals[1] == '\0' || copy(s->method, sizeof s->method, text, dot) != 0 ||
        copy(s->option, sizeof s->option, dot + 1, equals) != 0 ||
        copy(s->value, sizeof s->value, equals + 1, text + strlen(text)) != 0)
        return arguments_usage("--set %s: expected NAME.OPTION=VALUE", text);
    if (ng_preset_find(s->method) == NULL)
        return arguments_usage("--set %s: there is no such optimizer", text);
    m->setting_count++;
    return 0;
}

/* *options <- the preset's with its settings. 0, 1 or 2. */
static int make_options(void **options, const methods *m, const ng_preset *preset)
{
    ng_error error = {NG_OK, ""};
    ng_status status = ng_options_new(options, preset->name, &error);
    if (status == NG_ENOMEM)
        return program_no_memory();
    for (size_t i = 0; i < m->setting_count && status == NG_OK; i++)
        if (strcmp(m->settings[i].method, preset->name) == 0)
            status =
                ng_options_set_text(*options, m->settings[i].option, m->settings[i].value, &error);
    if (status == NG_OK)
        status = ng_options_check(*options, &error);
    if (status == NG_OK)
        return 0;
    program_error("--set for %s: %s", preset->name, error.text);
    free(*options);
    *options = NULL;
    return 2;
}

void *methods_options(const methods *m, const ng_preset *preset)
{
    void *options;
    make_options(&options, m, preset);
    return options;
}

void *methods_rest(const methods *m)
{
    void *options = methods_options(m, ng_preset_find("adamw"));
    if (options != NULL && m->rest_lr > 0)
        ng_options_set(options, "lr", m->rest_lr, NULL);
    return options;
}

/* Does a matrix method run? */
static int leaves_rest(const methods *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (!ng_method_elementwise(m->list[i]->method))
            return 1;
    return 0;
}

/* AdamW also steps what matrix methods leave to it. */
static int is_used(const methods *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->list[i]->name, name) == 0)
            return 1;
    return strcmp(name, "adamw") == 0 && leaves_rest(m);
}

int methods_check(const methods *m)
{
    int status = 0;
    for (size_t i = 0; i < ng_preset_count() && status == 0; i++) {
        void *options;
        status = make_options(&options, m, ng_preset_get(i));
        free(options);
    }
    for (size_t i = m->own; i < m->setting_count && status == 0; i++)
        if (!is_used(m, m->settings[i].method))
            status = arguments_usage("--set %s.%s: %s is not among the optimizers that run",
                                     m->settings[i].method, m->settings[i].option,
                                     m->settings[i].method);
    if (status == 0 && m->rest_lr > 0 && !leaves_rest(m))
        status = arguments_usage("--rest-lr: no optimizer that runs leaves anything to adamw");
    return status;
}

/* ---- Help ------------------------------------------------------------------------ */

enum { LINE = 100, NAMES = 12 };

/* "  kfac        ema_decay=0.95 damping=0.001 ...": the options from `first` on, in lines */
static void print_names(const char *whose, const void *options, size_t first)
{
    int column = printf("  %-*s", NAMES - 2, whose);
    for (size_t i = first; i < ng_options_count(options); i++) {
        const char *name = ng_options_at(options, i)->name;
        char value[64];
        ng_options_get_text(options, name, value, sizeof value, NULL);
        if (column + (int)(strlen(name) + strlen(value)) + 2 > LINE)
            column = printf("\n%*s", NAMES, "") - 1;
        column += printf(" %s=%s", name, value);
    }
    printf("\n");
}

static void print_method(const char *preset, const char *title)
{
    void *options;
    if (ng_options_new(&options, preset, NULL) == NG_OK)
        print_names(title, options, 0);
    ng_options_free(options);
}

/* What the choices of "metric" and "ball" add to the method's own options. */
static void print_parts(ng_steepest_options *options, const char *kind)
{
    size_t own;
    const ng_option *o = ng_method_options(options->method, &own);
    while (strcmp(o->name, kind) != 0)
        o++;
    printf("steepest, %s:\n", kind);
    for (int i = 0; o->choices[i] != NULL; i++) {
        ng_options_set_text(options, kind, o->choices[i], NULL);
        if (ng_options_count(options) > own)
            print_names(o->choices[i], options, own);
    }
    ng_options_set(options, kind, 0, NULL); /* which has none */
}

int methods_quadratic(const void *options)
{
    double rate;
    return ng_options_get(options, "rate", &rate, NULL) == NG_OK && rate == NG_RATE_QUADRATIC;
}

void methods_leave_quadratic(methods *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        void *options = NULL;
        ng_status status = ng_options_new(&options, m->list[i]->name, NULL);
        if (!m->all || status != NG_OK || !methods_quadratic(options))
            m->list[kept++] = m->list[i];
        ng_options_free(options);
    }
    m->count = kept;
}

void methods_print(void)
{
    ng_steepest_options steepest;
    printf("\nOptimizers; --help=NAME shows one with all its options:\n");
    for (size_t i = 0; i < ng_preset_count(); i++) {
        const ng_preset *preset = ng_preset_get(i);
        printf("%s:%*s%s\n", preset->name, NAMES - (int)strlen(preset->name), "", preset->doc);
    }
    printf("\nOptions, --set NAME.OPTION=X. Other NAMEs are steepest descent under a metric, in a "
           "ball:\n");
    print_method("sgd", "sgd");
    print_method("adamw", "adamw");
    print_method("ivon", "ivon");
    ng_steepest_init(&steepest);
    print_names("steepest", &steepest, 0);
    print_parts(&steepest, "metric");
    print_parts(&steepest, "ball");
}

/* "[0, 1)", "none|sgd|adam" */
static void print_range(const ng_option *o)
{
    if (o->kind == NG_OPTION_SWITCH)
        printf("yes|no");
    else if (o->kind != NG_OPTION_CHOICE && o->max >= 1e6)
        printf(">= %g", o->min);
    else if (o->kind != NG_OPTION_CHOICE)
        printf("[%g, %g%c", o->min, o->max, o->below ? ')' : ']');
    for (int i = 0; o->kind == NG_OPTION_CHOICE && o->choices[i] != NULL; i++)
        printf("%s%s", i == 0 ? "" : "|", o->choices[i]);
}

int methods_help(const char *name)
{
    void *options;
    ng_error error;
    if (ng_options_new(&options, name, &error) != NG_OK)
        return arguments_usage("--help=%.40s: %s", name, error.text);
    printf("%s: %s\n\n", name, ng_preset_find(name)->doc);
    for (size_t i = 0; i < ng_options_count(options); i++) {
        const ng_option *o = ng_options_at(options, i);
        char value[64], text[160];
        ng_options_get_text(options, o->name, value, sizeof value, NULL);
        snprintf(text, sizeof text, "--set %s.%s=%s", name, o->name, value);
        printf("  %-38s %s (", text, o->doc);
        print_range(o);
        printf(")\n");
    }
    ng_options_free(options);
    return 0;
}
