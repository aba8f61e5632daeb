/* Rows of the option tables of ng_steepest, its metrics and balls. Before it is included OWNER says
 * whose: #define OWNER(field) kfac.field */
#ifndef NGI_TABLE_H
#define NGI_TABLE_H

#include <float.h>
#include <stddef.h>

#include <natgrad/steepest.h>

#define FIELD(field) #field, .offset = offsetof(ng_steepest_options, OWNER(field))

/* a double in [0, upper], or [0, upper) */
#define REAL(field, default_value, upper, below_upper, text)                                       \
    {                                                                                              \
        FIELD(field), .kind = NG_OPTION_REAL, .value = default_value, .min = 0, .max = upper,      \
                      .below = below_upper, .doc = text                                            \
    }
#define STEPS(field, default_value, text)                                                          \
    {                                                                                              \
        FIELD(field), .kind = NG_OPTION_INTEGER, .value = default_value, .min = 1, .max = 1000000, \
                      .doc = text                                                                  \
    }
#define CHOICE(field, default_value, names, is_fixed, text)                                        \
    {                                                                                              \
        FIELD(field), .kind = NG_OPTION_CHOICE, .value = default_value, .min = 0,                  \
                      .max = sizeof(names) / sizeof(names[0]) - 2, .fixed = is_fixed,              \
                      .choices = names, .doc = text                                                \
    }

/* names of the enums of natgrad/metric/factors.h */
extern const char *const ngi_roots[4];
extern const char *const ngi_metric_scales[4];
extern const char *const ngi_one_sided[4];
extern const char *const ngi_factor_dtypes[4];
extern const char *const ngi_factor_starts[3];
extern const char *const ngi_eigenbases[3];

/* rows that mean the same wherever they stand */
#define METRIC_SCALE                                                                               \
    CHOICE(metric_scale, NG_METRIC_SCALE_AUTO, ngi_metric_scales, 0,                               \
           "scale the metric to mean eigenvalue 1; auto: with a ball")
#define ROOT CHOICE(root, NG_ROOT_CHOLESKY, ngi_roots, 1, "square root of the factors")
#define ONE_SIDED                                                                                  \
    CHOICE(one_sided, NG_ONE_SIDED_NEVER, ngi_one_sided, 1, "factor on the smaller side only")
#define RANK                                                                                       \
    {                                                                                              \
        FIELD(rank), .kind = NG_OPTION_INTEGER, .value = 0, .min = 0, .max = 1000000, .fixed = 1,  \
                     .doc = "rank of the factor of a larger side, which then is that and rho I; "  \
                            "0: whole"                                                             \
    }
#define FACTOR_DTYPE(value)                                                                        \
    CHOICE(factor_dtype, value, ngi_factor_dtypes, 1, "dtype of the factors")
#define FACTOR_START                                                                               \
    CHOICE(factor_start, NG_FACTOR_START_FIRST, ngi_factor_starts, 1,                              \
           "what the averages of the factors start from")
#define INTERVALS(of, what)                                                                        \
    STEPS(update_interval, 1, "steps from one use of " of " for the factors to the next"),         \
        STEPS(inverse_interval, 10, "steps from one " what " of the factors to the next")

#endif
