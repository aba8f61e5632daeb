/* Presets on the command lines of the programs that train: which ones run, and
 * --set NAME.OPTION=X. Functions that return int: 0, or 2 (usage error) after
 * reporting on stderr. */
#ifndef EXAMPLES_METHODS_H
#define EXAMPLES_METHODS_H

#include <stddef.h>
#include <natgrad.h>

enum { MAX_METHODS = 16, MAX_SETTINGS = 64 };

/* One --set fismo.lr=0.01 */
typedef struct {
    char method[32], option[32], value[64];
} setting;

/* Presets to run, in the order of naming, and what was set of any. */
typedef struct {
    const ng_preset *list[MAX_METHODS];
    size_t count;
    int all; /* every preset was asked for */
    setting settings[MAX_SETTINGS];
    size_t setting_count;
    size_t own; /* settings that the program began with: they may be of presets that do not run */
    double rest_lr; /* of what matrix methods leave to AdamW; 0: as AdamW's settings say */
} methods;

/* The presets of a comma-separated list, or all, instead of those there were. */
int methods_parse(methods *m, const char *names);

/* NAME.OPTION=X */
int methods_set(methods *m, const char *text);

/* Checks all settings; one of a preset that does not run is an error, but AdamW
 * runs beside every matrix method, for what that leaves to it. 0, 1 or 2. */
int methods_check(const methods *m);

/* The preset's options with its settings applied; to be freed. NULL on an
 * error, reported. */
void *methods_options(const methods *m, const ng_preset *preset);

/* Likewise AdamW's, for what a matrix method leaves to it. */
void *methods_rest(const methods *m);

/* Do these options say by a quadratic model of the loss how far a step goes, so that no rate is to
 * be searched? */
int methods_quadratic(const void *options);

/* Leaves those out of `all`; who names one keeps it. */
void methods_leave_quadratic(methods *m);

/* For --help: all presets, and the options of each method, metric and ball once. */
void methods_print(void);

/* For --help=NAME: the preset of that name with all its options. 0, or 2 after
 * reporting. */
int methods_help(const char *name);

#endif
