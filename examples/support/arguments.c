#define _GNU_SOURCE
#include "examples/support/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *arguments_program = "";

/* ---- Values --------------------------------------------------------------------- */

static int try_help(void)
{
    fprintf(stderr, "Try '%s --help' for more information.\n", arguments_program);
    return 2;
}

int arguments_usage(const char *format, ...)
{
    va_list values;
    fprintf(stderr, "%s: ", arguments_program);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    return try_help();
}

int arguments_count(size_t *value, const char *text, const char *option, size_t min, size_t max)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n < min || n > max)
        return arguments_usage("--%s=%.40s: expected a whole number from %zu to %zu", option, text,
                               min, max);
    *value = (size_t)n;
    return 0;
}

int arguments_range(size_t *first, size_t *last, const char *text, const char *to,
                    const char *option, size_t min, size_t max)
{
    char head[24];
    const char *between = text[0] != '\0' ? strstr(text + 1, to) : NULL;
    int length = between != NULL && between - text < 20 ? (int)(between - text) : 20;
    snprintf(head, sizeof head, "%.*s", length, text);
    int status = arguments_count(first, head, option, min, max);
    *last = *first;
    if (status == 0 && between != NULL)
        status = arguments_count(last, between + strlen(to), option, min, max);
    if (status == 0 && *last < *first)
        return arguments_usage("--%s=%s: the last comes before the first", option, text);
    return status;
}

int arguments_list(void *data, const char *text, const char *option, argument_take *item)
{
    int status = 0;
    char *copy = strdup(text), *rest = copy, *piece;
    while (copy != NULL && status == 0 && (piece = strsep(&rest, ",")) != NULL)
        status = item(data, piece, option);
    free(copy);
    return copy != NULL ? status : 2;
}

int arguments_folder(const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0)
        return 0;
    int why = errno;
    if (why == EEXIST && stat(path, &info) == 0) {
        if (!S_ISDIR(info.st_mode))
            why = ENOTDIR;
        else if (access(path, W_OK | X_OK) == 0)
            return 0;
        else
            why = errno;
    }
    fprintf(stderr, "%s: --out=%s: %s\n", arguments_program, path, strerror(why));
    return 1;
}

FILE *arguments_table(const char *base)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.csv", base);
    FILE *csv = fopen(path, "w");
    if (csv == NULL)
        fprintf(stderr, "%s: cannot write %s: %s\n", arguments_program, path, strerror(errno));
    return csv;
}

/* ---- Options -------------------------------------------------------------------- */

static int take_number(double *to, const char *text, const argument *a)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= a->min && value <= a->max))
        return arguments_usage("--%s: expected a number from %g to %g, not '%s'", a->name, a->min,
                               a->max, text);
    *to = value;
    return 0;
}

static int take(void *field, const argument *a, const char *text)
{
    size_t n, min = (size_t)a->min, max = (size_t)a->max;
    int status = 0;
    switch (a->kind) {
    case ARGUMENT_FLAG:
        *(int *)field = 1;
        return 0;
    case ARGUMENT_TEXT:
        *(const char **)field = text;
        return 0;
    case ARGUMENT_BASE:
        if (text[0] == '\0' || text[strlen(text) - 1] == '/')
            return arguments_usage("--%s=%s: expected a file's name, not a folder's", a->name,
                                   text);
        *(const char **)field = text;
        return 0;
    case ARGUMENT_COUNT:
        return arguments_count(field, text, a->name, min, max);
    case ARGUMENT_INT:
        status = arguments_count(&n, text, a->name, min, max);
        if (status == 0)
            *(int *)field = (int)n;
        return status;
    case ARGUMENT_NUMBER:
        return take_number(field, text, a);
    case ARGUMENT_METHODS:
        return methods_parse(field, text);
    case ARGUMENT_SETTING:
        return methods_set(field, text);
    case ARGUMENT_OWN:
        return a->take(field, text, a->name);
    }
    return 2;
}

enum { SHOW_HELP = MAX_ARGUMENTS, SHOW_VERSION };

/* list <- the table as getopt wants it, row i with value i */
static void fill_options(struct option *list, const argument *a)
{
    int i = 0;
    for (; a[i].name != NULL; i++)
        list[i] = (struct option){a[i].name,
                                  a[i].kind == ARGUMENT_FLAG ? no_argument
                                  : a[i].bare != NULL        ? optional_argument
                                                             : required_argument,
                                  NULL, i};
    list[i++] = (struct option){"help", no_argument, NULL, SHOW_HELP};
    list[i++] = (struct option){"version", no_argument, NULL, SHOW_VERSION};
    list[i] = (struct option){NULL, 0, NULL, 0};
}

int arguments_read(void *to, arguments *a, int argc, char **argv)
{
    static char name[40];
    struct option list[MAX_ARGUMENTS + 3];
    snprintf(name, sizeof name, "%s", a->program);
    arguments_program = name;
    if (argc > 0)
        argv[0] = name;
    fill_options(list, a->options);
    for (int i, status; (i = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        if (i == '?') /* getopt has said what is wrong */
            return try_help();
        if (i >= SHOW_HELP) {
            if (i == SHOW_HELP)
                a->help();
            else
                printf("%s (natgrad) %s\n", name, ng_version());
            exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        const argument *option = &a->options[i];
        status = take((char *)to + option->offset, option, optarg != NULL ? optarg : option->bare);
        if (status != 0)
            return status;
        a->given |= 1UL << i;
    }
    if (argc - optind > a->operands)
        return arguments_usage("unexpected argument '%s'", argv[optind + a->operands]);
    return 0;
}

/* ---- Presets ---------------------------------------------------------------------- */

static int add_method(void *data, const char *name, const char *option)
{
    methods *m = data;
    const ng_preset *preset = ng_preset_find(name);
    if (preset == NULL) {
        char known[256] = "";
        for (const ng_preset *p = ng_presets; p->name != NULL; p++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s", p->name);
        fprintf(stderr, "%s: there is no optimizer '%s'; there are%s, and all\n", arguments_program,
                name, known);
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
    for (const ng_preset *p = ng_presets; p->name != NULL && status == 0; p++)
        status = add_method(m, p->name, "optimizer");
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

int methods_check(const methods *m)
{
    int status = 0;
    for (const ng_preset *p = ng_presets; p->name != NULL && status == 0; p++) {
        void *options = methods_options(m, p);
        status = options != NULL ? 0 : 2;
        free(options);
    }
    return status;
}

void *methods_options(const methods *m, const ng_preset *preset)
{
    ng_error error = {NG_OK, ""};
    ng_status status = NG_OK;
    void *options = malloc(preset->size);
    if (options == NULL) {
        fprintf(stderr, "%s: out of memory\n", arguments_program);
        return NULL;
    }
    preset->init(options);
    for (size_t i = 0; i < m->setting_count && status == NG_OK; i++)
        if (strcmp(m->settings[i].method, preset->name) == 0)
            status =
                ng_options_set_text(options, m->settings[i].option, m->settings[i].value, &error);
    if (status == NG_OK)
        status = ng_options_check(options, &error);
    if (status == NG_OK)
        return options;
    fprintf(stderr, "%s: --set for %s: %s\n", arguments_program, preset->name, error.text);
    free(options);
    return NULL;
}

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

void methods_print(void)
{
    for (const ng_preset *preset = ng_presets; preset->name != NULL; preset++)
        print_options(preset);
}
