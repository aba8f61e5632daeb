/* What command lines of programs that run presets have in common: whole
 * numbers, lists, names of presets, --set NAME.OPTION=X. Functions that return
 * int: 0, or 2 (usage error) after reporting on stderr. */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <stddef.h>
#include <natgrad.h>

/* Begins every message; set once before anything else here is called. */
extern const char *arguments_program;

enum { MAX_METHODS = 16, MAX_SETTINGS = 64 };

/* One --set fismo.lr=0.01 */
typedef struct {
    char method[32], option[32], value[64];
} setting;

/* Presets to run, in the order of naming, and what was set of any. */
typedef struct {
    const ng_preset *list[MAX_METHODS];
    size_t count;
    setting settings[MAX_SETTINGS];
    size_t setting_count;
} methods;

/* Reports; format has one %s. Returns 2. */
int arguments_usage(const char *format, const char *what);

/* A whole number min ... max. */
int arguments_count(size_t *value, const char *text, const char *option, size_t min, size_t max);

/* Calls `item` for each comma-separated piece until one fails. */
int arguments_list(void *data, const char *text, int (*item)(void *data, const char *piece));

/* The folder of --out is there afterwards and can be written to; its parent
 * must exist. 0, or 1 after reporting. */
int arguments_folder(const char *path);

/* The presets of a comma-separated list, or all, instead of those there were. */
int methods_parse(methods *m, const char *names);

/* NAME.OPTION=X */
int methods_set(methods *m, const char *text);

/* Checks all settings, also those of presets that will not run. */
int methods_check(const methods *m);

/* The preset's options with its settings applied; to be freed. NULL on an
 * error, reported. */
void *methods_options(const methods *m, const ng_preset *preset);

/* The options of every preset with defaults and documentation, for --help. */
void methods_print(void);

#endif
