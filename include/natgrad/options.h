/* natgrad/options.h: the option table of every method, and the presets.
 *
 * A method's options are one struct that begins with `size_t size; const
 * ng_method *method;` and is filled by its init function (ng_sgd_init,
 * ng_steepest_init_fismo, ...). One const table describes its fields; checks,
 * command lines, checkpoints and documentation all read that table. */
#ifndef NATGRAD_OPTIONS_H
#define NATGRAD_OPTIONS_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A method: sgd, adamw, steepest, natural. Opaque. */
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
 * natural); 0 if it is meant for weight matrices (steepest). */
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
NG_API ng_status ng_options_get_text(const void *options, const char *name, char *text, size_t size,
                                     ng_error *error);

/* Every field in range and every combination legal. */
NG_API ng_status ng_options_check(const void *options, ng_error *error);

/* A named way to fill a method's options: what a command line calls an optimizer. */
typedef struct {
    const char *name;
    const ng_method *method;
    size_t size;                 /* bytes of the options struct */
    void (*init)(void *options); /* fills size bytes */
    const char *doc;             /* one line */
} ng_preset;

/* All presets; ends with name = NULL. */
NG_API extern const ng_preset ng_presets[];

/* The preset of that name, or NULL. */
NG_API const ng_preset *ng_preset_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
