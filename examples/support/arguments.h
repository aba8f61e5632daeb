/* What the command lines of the programs have in common: a table of options,
 * numbers, lists, and the options that all of them have:
 *
 *   --out=DIR    folder for what is written, made where it is missing
 *   --quiet      no progress
 *   --help, --version
 *   --completion how bash completes the options: what is installed for that
 *
 * Where a program has them, these too mean the same everywhere: --data=SOURCE,
 * --seed=LIST (one number where only one run makes sense), --threads=N.
 * Options are not abbreviated. A value stands behind = or is the next argument;
 * "--" ends the options. Functions that return int: 0, or the exit status after
 * reporting on stderr. */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <stddef.h>
#include <natgrad.h>

#include "examples/support/methods.h"
#include "examples/support/program.h"

/* ---- Options ------------------------------------------------------------------- */

/* How an option's value is read, and the type of the field it goes to. */
typedef enum {
    ARGUMENT_FLAG,    /* int: takes no value and becomes 1 */
    ARGUMENT_TEXT,    /* const char * into argv */
    ARGUMENT_COUNT,   /* size_t, a whole number min ... max */
    ARGUMENT_INT,     /* int, likewise */
    ARGUMENT_NUMBER,  /* double, min ... max */
    ARGUMENT_SEEDS,   /* seed_list: 7 or 1,2,7 or 1-5 */
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

enum { MAX_ARGUMENTS = 32, MAX_SEEDS = 64, MAX_OPERANDS = 2 };

typedef struct {
    unsigned long list[MAX_SEEDS]; /* 0 ... 2^32 - 1 */
    size_t count;
} seed_list;

typedef struct {
    const char *program;
    void (*help)(void);
    int (*help_on)(const char *topic); /* (optional) --help=TOPIC */
    const argument *options;           /* ends with a NULL name */
    int operands;                      /* at most, 0 ... MAX_OPERANDS */
    const char *operand[MAX_OPERANDS]; /* <- they, or NULL */
    const char *out;                   /* <- --out, by default "out" */
    unsigned long given;               /* <- bit i: options[i] was named */
} arguments;

/* Reads the command line into `to`. Answers --help and --version, and ends the
 * program with them. */
int arguments_read(void *to, arguments *a, int argc, char **argv);

/* Prints the lines of --help about --out, --quiet, --help and --version, and of
 * the exit status. */
void arguments_help(void);

/* ---- Values --------------------------------------------------------------------- */

/* Reports as printf does. Returns 2. */
int arguments_usage(const char *format, ...) NG_PRINTF(1, 2);

/* A whole number min ... max. */
int arguments_count(size_t *value, const char *text, const char *option, size_t min, size_t max);

/* 7, or 3..9 where `to` is "..": both ends of a range of whole numbers. */
int arguments_range(size_t *first, size_t *last, const char *text, const char *to,
                    const char *option, size_t min, size_t max);

/* A number min ... max with a decimal point, whatever the locale. */
int arguments_number(double *value, const char *text, const char *option, double min, double max);

/* Calls `item` for each comma-separated piece until one fails. */
int arguments_list(void *data, const char *text, const char *option, argument_take *item);

/* The folder of --out is there afterwards and can be written to; its parent
 * must exist. 0, or 1 after reporting. */
int arguments_folder(const char *path);

#endif
