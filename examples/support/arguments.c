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
