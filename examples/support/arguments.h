/* What the command lines of the programs have in common: a table of options,
 * whole numbers, lists. Functions that return int: 0, or 2 (usage error) after
 * reporting on stderr. */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <stddef.h>
#include <stdio.h>
#include <natgrad.h>

#include "examples/support/methods.h"

/* Begins every message; arguments_read sets it. */
extern const char *arguments_program;

/* ---- Options ------------------------------------------------------------------- */

/* How an option's value is read, and the type of the field it goes to. */
typedef enum {
    ARGUMENT_FLAG,    /* int: takes no value and becomes 1 */
    ARGUMENT_TEXT,    /* const char * into argv */
    ARGUMENT_BASE,    /* the same: a file's path without .csv or the like */
    ARGUMENT_COUNT,   /* size_t, a whole number min ... max */
    ARGUMENT_INT,     /* int, likewise */
    ARGUMENT_NUMBER,  /* double, min ... max */
    ARGUMENT_METHODS, /* methods: the presets of a list, methods_parse */
    ARGUMENT_SETTING, /* methods: NAME.OPTION=X, methods_set */
    ARGUMENT_OWN      /* anything: `take` */
} argument_kind;

/* Reads text, which stands behind --option, into a field. */
typedef int argument_take(void *field, const char *text, const char *option);

typedef struct {
    const char *name;
    argument_kind kind;
    size_t offset; /* of the field in what all of them go to */
    double min, max;
    argument_take *take;
    const char *bare; /* (optional) the value of --name without one */
} argument;

enum { MAX_ARGUMENTS = 32 };

typedef struct {
    const char *program; /* also of getopt's messages, where libtool has made argv[0] a long path */
    void (*help)(void);
    const argument *options; /* ends with a NULL name; --help and --version come by themselves */
    int operands;            /* at most; the caller finds them at argv[optind] */
    unsigned long given;     /* <- bit i: options[i] was named */
} arguments;

/* Reads the command line into `to`. Answers --help and --version, and ends the
 * program with them. */
int arguments_read(void *to, arguments *a, int argc, char **argv);

/* ---- Values --------------------------------------------------------------------- */

/* Reports as printf does. Returns 2. */
int arguments_usage(const char *format, ...) NG_PRINTF(1, 2);

/* A whole number min ... max. */
int arguments_count(size_t *value, const char *text, const char *option, size_t min, size_t max);

/* 7, or 3..9 where `to` is "..": both ends of a range of whole numbers. */
int arguments_range(size_t *first, size_t *last, const char *text, const char *to,
                    const char *option, size_t min, size_t max);

/* Calls `item` for each comma-separated piece until one fails. */
int arguments_list(void *data, const char *text, const char *option, argument_take *item);

/* The folder of --out is there afterwards and can be written to; its parent
 * must exist. 0, or 1 after reporting. */
int arguments_folder(const char *path);

/* Opens BASE.csv to write it. NULL after reporting. */
FILE *arguments_table(const char *base);

#endif
