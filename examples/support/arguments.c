#define _GNU_SOURCE
#include "examples/support/arguments.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/support/progress.h"

enum { MAX_FOLDER = 4000 }; /* names of files are put behind it */

/* ---- Values --------------------------------------------------------------------- */

int arguments_usage(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    program_complain(format, values);
    va_end(values);
    if (!program_hushed())
        fprintf(stderr, "Try '%s --help' for more information.\n", program_name);
    return 2;
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

int arguments_number(double *value, const char *text, const char *option, double min, double max)
{
    double x;
    size_t length = ng_number_read(&x, text);
    if (length == 0 || text[length] != '\0' || !(x >= min && x <= max))
        return arguments_usage("--%s: expected a number from %g to %g, not '%.40s'", option, min,
                               max, text);
    *value = x;
    return 0;
}

int arguments_list(void *data, const char *text, const char *option, argument_take *item)
{
    int status = 0;
    char *copy = strdup(text), *rest = copy, *piece;
    if (copy == NULL)
        return program_no_memory();
    while (status == 0 && (piece = strsep(&rest, ",")) != NULL)
        status = item(data, piece, option);
    free(copy);
    return status;
}

static int add_seeds(void *data, const char *text, const char *option)
{
    seed_list *seeds = data;
    size_t first, last;
    int status = arguments_range(&first, &last, text, "-", option, 0, 4294967295u);
    for (size_t seed = first; status == 0 && seed <= last; seed++) {
        if (seeds->count == MAX_SEEDS)
            return arguments_usage("--%s=%s: more than %d seeds", option, text, MAX_SEEDS);
        seeds->list[seeds->count++] = seed;
    }
    return status;
}

int arguments_folder(const char *path)
{
    struct stat info;
    if (program_hushed())
        return 0;
    int why = strlen(path) > MAX_FOLDER ? ENAMETOOLONG : 0;
    if (why == 0 && mkdir(path, 0777) != 0) {
        why = errno;
        if (why == EEXIST && stat(path, &info) == 0)
            why = !S_ISDIR(info.st_mode) ? ENOTDIR : access(path, W_OK | X_OK) != 0 ? errno : 0;
    }
    return why == 0 ? 0 : program_error("--out=%.200s: %s", path, strerror(why));
}

/* ---- Options -------------------------------------------------------------------- */

static int take(void *field, const argument *a, const char *text)
{
    size_t n;
    int status = 0;
    switch (a->kind) {
    case ARGUMENT_FLAG:
        *(int *)field = 1;
        return 0;
    case ARGUMENT_TEXT:
        *(const char **)field = text;
        return 0;
    case ARGUMENT_COUNT:
        return arguments_count(field, text, a->name, (size_t)a->min, (size_t)a->max);
    case ARGUMENT_INT:
        status = arguments_count(&n, text, a->name, (size_t)a->min, (size_t)a->max);
        if (status == 0)
            *(int *)field = (int)n;
        return status;
    case ARGUMENT_NUMBER:
        return arguments_number(field, text, a->name, a->min, a->max);
    case ARGUMENT_SEEDS:
        ((seed_list *)field)->count = 0;
        return arguments_list(field, text, a->name, add_seeds);
    case ARGUMENT_METHODS:
        return methods_parse(field, text);
    case ARGUMENT_SETTING:
        return methods_set(field, text);
    case ARGUMENT_OWN:
        return a->take(field, text, a->name);
    }
    return 2;
}

/* What every program has; their fields are in `common`. */
typedef struct {
    const char *out, *topic;
    int quiet, version, completion;
} common;

static const argument shared[] = {
    {"out", ARGUMENT_TEXT, .offset = offsetof(common, out)},
    {"quiet", ARGUMENT_FLAG, .offset = offsetof(common, quiet)},
    {"help", ARGUMENT_TEXT, .offset = offsetof(common, topic), .bare = ""},
    {"version", ARGUMENT_FLAG, .offset = offsetof(common, version)},
    {"completion", ARGUMENT_FLAG, .offset = offsetof(common, completion)},
    {NULL},
};

/* The row of exactly this name, or NULL. */
static const argument *find(const argument *list, const char *name, size_t length)
{
    for (; list->name != NULL; list++)
        if (strlen(list->name) == length && strncmp(list->name, name, length) == 0)
            return list;
    return NULL;
}

static void print_names(const argument *list)
{
    for (; list->name != NULL; list++)
        printf(" --%s%s", list->name, list->kind == ARGUMENT_FLAG || list->bare != NULL ? "" : "=");
}

/* How bash completes the program's options; what is no option is a file. */
static void print_completion(const arguments *a)
{
    char function[64];
    snprintf(function, sizeof function, "_%s", program_name);
    for (char *c = function; *c != '\0'; c++)
        *c = *c == '-' ? '_' : *c;
    printf("# made of the table of options by %s --completion\n%s()\n{\n"
           "    local options='",
           program_name, function);
    print_names(a->options);
    print_names(shared);
    printf("'\n    COMPREPLY=()\n    case $2 in\n    -*)\n"
           "        COMPREPLY=($(compgen -W \"$options\" -- \"$2\"))\n"
           "        [[ ${COMPREPLY-} == *= ]] && compopt -o nospace 2>/dev/null\n"
           "        ;;\n    esac\n    return 0\n}\ncomplete -o default -F %s %s\n",
           function, program_name);
}

/* Prints what was asked for and ends the program. */
static void answer(const arguments *a, const common *given)
{
    int status = 0;
    if (given->completion)
        print_completion(a);
    else if (given->version)
        printf("%s (natgrad) %s\n", program_name, ng_version());
    else if (given->topic[0] == '\0')
        a->help();
    else if (a->help_on != NULL)
        status = a->help_on(given->topic);
    else
        status = arguments_usage("option '--help' takes no value");
    exit(program_end(status));
}

/* The option at *next; afterwards *next is behind it and its value. */
static int read_option(void *to, arguments *a, common *given, char ***next)
{
    const char *name = **next + 2, *equals = strchr(name, '='), *value = NULL;
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const argument *own = find(a->options, name, length), *option = own;
    if (own == NULL)
        option = find(shared, name, length);
    if (option == NULL)
        return arguments_usage("unrecognized option '--%.*s'", (int)(length < 60 ? length : 60),
                               name);
    ++*next;
    if (option->kind == ARGUMENT_FLAG && equals != NULL)
        return arguments_usage("option '--%s' takes no value", option->name);
    if (equals != NULL)
        value = equals + 1;
    else if (option->bare != NULL)
        value = option->bare;
    else if (option->kind != ARGUMENT_FLAG && (value = *(*next)++) == NULL)
        return arguments_usage("option '--%s' requires an argument", option->name);
    if (own != NULL)
        a->given |= 1UL << (own - a->options);
    int status = take((char *)(own != NULL ? to : given) + option->offset, option, value);
    if (status == 0 && (given->topic != NULL || given->version || given->completion))
        answer(a, given);
    return status;
}

static int read_all(void *to, arguments *a, common *given, char **next)
{
    int status = 0, ended = 0, seen = 0;
    while (status == 0 && *next != NULL) {
        const char *text = *next;
        if (!ended && strcmp(text, "--") == 0) {
            ended = 1;
            next++;
        } else if (!ended && strncmp(text, "--", 2) == 0)
            status = read_option(to, a, given, &next);
        else if (!ended && text[0] == '-' && text[1] != '\0')
            status = arguments_usage("unrecognized option '%.60s'", text);
        else if (seen >= a->operands)
            status = arguments_usage("unexpected argument '%.60s'", text);
        else
            a->operand[seen++] = *next++;
    }
    return status;
}

int arguments_read(void *to, arguments *a, int argc, char **argv)
{
    common given = {.out = "out"};
    program_start(a->program);
    int status = argc > 0 ? read_all(to, a, &given, argv + 1) : 0;
    if (status == 0 && given.out[0] == '\0')
        status = arguments_usage("--out=: expected a folder");
    if (given.quiet)
        progress_silence();
    a->out = given.out;
    return status;
}

void arguments_help(void)
{
    printf("  --out=DIR            folder for tables and pictures, made if missing\n"
           "                       (default: out)\n"
           "  --quiet              no progress\n"
           "  --help, --version\n\n"
           "Exit status: 0 done, 1 failed, 2 usage, 130 interrupted: then the results are of what\n"
           "was done until then.\n");
}
