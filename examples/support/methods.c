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
    if (strcmp(names, "all") != 0)
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

/* AdamW also steps what matrix methods leave to it. */
static int is_used(const methods *m, const char *name)
{
    int adamw = strcmp(name, "adamw") == 0;
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->list[i]->name, name) == 0 ||
            (adamw && !ng_method_elementwise(m->list[i]->method)))
            return 1;
    return 0;
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
    return status;
}

static void print_options(const ng_preset *preset)
{
    void *options;
    char value[64];
    if (ng_options_new(&options, preset->name, NULL) != NG_OK)
        return;
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

void methods_print(void)
{
    for (size_t i = 0; i < ng_preset_count(); i++)
        print_options(ng_preset_get(i));
}
