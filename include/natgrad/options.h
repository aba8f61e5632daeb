/* natgrad/options.h: the option table of every method, and the presets.
 *
 * A method's options are one struct that begins with `size_t size; const
 * ng_method *method;` and is filled by its init function (ng_sgd_init,
 * ng_steepest_init_fismo, ...). Const tables describe its fields; checks,
 * command lines, checkpoints and documentation all read these tables.
 *
 * The init functions are inline: they pass the size the caller was compiled with
 * to the library's ng_..._init_sized, which returns NG_EOPTION, and writes
 * nothing, where its own is another; ng_optimizer_add_group compares once more. */
#ifndef NATGRAD_OPTIONS_H
#define NATGRAD_OPTIONS_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A method: sgd, adamw, steepest, natural, residual. Opaque. */
typedef struct ng_method ng_method;

typedef enum {
    NG_OPTION_REAL = 0,    /* double */
    NG_OPTION_INTEGER = 1, /* int */
    NG_OPTION_SWITCH = 2,  /* int, 0 or 1; "no" or "yes" in text */
    NG_OPTION_CHOICE = 3   /* an enum, by position in choices */
} ng_option_kind;

typedef struct {
    const char *name;
    ng_option_kind kind;
    size_t offset;              /* of the field in the options struct */
    double value;               /* the method's default; presets may differ */
    double min, max;            /* allowed: min <= value <= max ... */
    int below;                  /* ... and value < max if set */
    int fixed;                  /* cannot change once the group has parameters */
    const char *const *choices; /* NULL-terminated names, for NG_OPTION_CHOICE */
    const char *doc;            /* one line */
} ng_option;

NG_API const char *ng_method_name(const ng_method *method);

/* 1 if the shape of a parameter does not matter to the method (sgd, adamw,
 * natural, residual); 0 if it is meant for weight matrices (steepest). */
NG_API int ng_method_elementwise(const ng_method *method);

/* 1 if parameters under these options (a pointer to any method's struct) need
 * ng_group_capture before their steps and may take a bias (ng_group_add_bias),
 * as the kfac metric does; else 0. */
NG_API int ng_options_want_capture(const void *options);

/* The table of the method; *count (may be NULL) entries, then name = NULL. */
NG_API const ng_option *ng_method_options(const ng_method *method, size_t *count);

/* `options` below is a pointer to any method's options struct. Errors:
 * NG_EOPTION for an unknown name (the text lists the known ones), a value out
 * of range, or a struct whose size or method is not one of the library's. */

/* Numbers, choices by their position. */
NG_API ng_status ng_options_set(void *options, const char *name, double value, ng_error *error);
NG_API ng_status ng_options_get(const void *options, const char *name, double *value,
                                ng_error *error);

/* Text as on a command line: "0.02", "yes", "spectral". */
NG_API ng_status ng_options_set_text(void *options, const char *name, const char *text,
                                     ng_error *error);
/* Several at once, "lr=0.02 metric=kfac damping=0.1": name=text with blanks, ends of lines or commas
 * between; a metric or ball before its own options. All of them or none. On an error problem (size
 * bytes, may be NULL when that is 0; "" otherwise) says which text was wrong and lists, a line each
 * and in full, the option's range or choices, or all options there are; it is cut where it has no
 * room (4000 bytes are plenty). NG_EOPTION, NG_EARG, NG_ENOMEM. */
NG_API ng_status ng_options_set_all(void *options, const char *settings, char *problem, size_t size,
                                    ng_error *error);
NG_API ng_status ng_options_get_text(const void *options, const char *name, char *text, size_t size,
                                     ng_error *error);

/* Every field in range and every combination legal. */
NG_API ng_status ng_options_check(const void *options, ng_error *error);

/* The options in force, one after the other: the method's, then those of what
 * the method was told to use (of steepest its metric's, then its ball's). Each is
 * a row of one of the library's tables. 0, NULL: beyond them, or no options
 * struct of the library's. */
NG_API size_t ng_options_count(const void *options);
NG_API const ng_option *ng_options_at(const void *options, size_t i);

/* A named way to fill a method's options: what a command line calls an optimizer. */
typedef struct {
    const char *name;
    const ng_method *method;
    size_t size; /* bytes of the options struct */
    /* fills size bytes; NG_EOPTION, and nothing written, for any other size */
    ng_status (*init)(void *options, size_t size);
    const char *doc; /* one line */
} ng_preset;

/* All presets, i < ng_preset_count(); NULL beyond. */
NG_API size_t ng_preset_count(void);
NG_API const ng_preset *ng_preset_get(size_t i);

/* The preset of that name, or NULL. */
NG_API const ng_preset *ng_preset_find(const char *name);

/* *options <- a struct filled by the preset of that name, to be freed by
 * ng_options_free or free. NG_EOPTION for an unknown name (the text lists the
 * known ones), NG_ENOMEM, NG_EARG; then *options is NULL. */
NG_API ng_status ng_options_new(void **options, const char *preset, ng_error *error);
NG_API void ng_options_free(void *options);

#ifdef __cplusplus
}
#endif
#endif
