/* Options of ng_steepest: the table, illegal combinations, the presets. */
#include "optim/steepest.h"

#include <float.h>
#include <stddef.h>

static const char *const shape_scales[] = {"none", "original", "match_rms_adamw", NULL};
static const char *const polars[] = {"exact", "fast", "newton_schulz", NULL};
static const char *const momentum_spaces[] = {"gradient", "whitened", NULL};
static const char *const roots[] = {"cholesky", "symmetric", NULL};
static const char *const gradient_scales[] = {"none", "rms", NULL};
static const char *const metric_scales[] = {"auto", "none", "trace", NULL};

#define FIELD(field) #field, .offset = offsetof(ng_steepest_options, field)
#define REAL(field, default_value, upper, below_upper, text)                                       \
    {                                                                                              \
        FIELD(field), .kind = NG_OPTION_REAL, .value = default_value, .min = 0, .max = upper,      \
                      .below = below_upper, .doc = text                                            \
    }
#define CHOICE(field, default_value, names, is_fixed, text)                                        \
    {                                                                                              \
        FIELD(field), .kind = NG_OPTION_CHOICE, .value = default_value, .min = 0,                  \
                      .max = sizeof(names) / sizeof(names[0]) - 2, .fixed = is_fixed,              \
                      .choices = names, .doc = text                                                \
    }

static const char *const one_sided[] = {"never", "auto", "always", NULL};
static const char *const factor_dtypes[] = {"auto", "same", "f64", NULL};
static const char *const metrics[] = {"identity", "fismo", NULL};
static const char *const balls[] = {"none", "frobenius", "spectral", NULL};

const ng_option ngi_steepest_table[] = {
    REAL(lr, 0.01, DBL_MAX, 0, "learning rate"),
    REAL(momentum, 0.95, 1, 1, "decay of the averaged gradient"),
    {FIELD(nesterov), .kind = NG_OPTION_SWITCH, .value = 0, .min = 0, .max = 1,
     .doc = "step along (1 - momentum) G + momentum M"},
    REAL(weight_decay, 0, DBL_MAX, 0, "decoupled weight decay per unit of lr"),
    CHOICE(metric, NG_METRIC_IDENTITY, metrics, 1, "which Fisher matrix measures the step"),
    CHOICE(ball, NG_BALL_NONE, balls, 0, "what bounds the step in that metric"),
    CHOICE(shape_scale, NG_SHAPE_SCALE_NONE, shape_scales, 0,
           "factor on the step by the layer's shape"),
    CHOICE(polar, NG_POLAR_EXACT, polars, 0, "how the polar factor is found"),
    CHOICE(momentum_space, NG_MOMENTUM_GRADIENT, momentum_spaces, 1,
           "where gradients are averaged"),
    CHOICE(root, NG_ROOT_CHOLESKY, roots, 1, "square root of the factors"),
    CHOICE(gradient_scale, NG_GRADIENT_SCALE_NONE, gradient_scales, 0,
           "divide each gradient by its root mean square"),
    CHOICE(metric_scale, NG_METRIC_SCALE_AUTO, metric_scales, 0,
           "scale the factors to mean eigenvalue 1"),
    REAL(ema_decay, 0.95, 1, 1, "decay of the factors (gamma)"),
    REAL(damping, 1, DBL_MAX, 0, "damping of the factors relative to their mean eigenvalue (mu)"),
    {FIELD(refresh_p), .kind = NG_OPTION_INTEGER, .value = 1, .min = 1, .max = 1000000,
     .doc = "steps from one update of the output factor P to the next"},
    {FIELD(refresh_q), .kind = NG_OPTION_INTEGER, .value = 1, .min = 1, .max = 1000000,
     .doc = "steps from one update of the input factor Q to the next"},
    CHOICE(one_sided, NG_ONE_SIDED_NEVER, one_sided, 1, "factor on the smaller side only"),
    CHOICE(factor_dtype, NG_FACTORS_AUTO, factor_dtypes, 1, "dtype of the factors"),
    {FIELD(refresh_tolerance), .kind = NG_OPTION_REAL, .min = 0, .max = 1, .below = 1, .fixed = 1,
     .doc = "off-diagonal part up to which an eigenbasis is kept (symmetric roots)"},
    {.name = NULL},
};

ng_status ngi_steepest_check(const void *options, ng_error *error)
{
    const ng_steepest_options *o = options;
    if (o->shape_scale != NG_SHAPE_SCALE_NONE && o->ball != NG_BALL_SPECTRAL)
        return ng_error_set(error, NG_EOPTION, "steepest: shape_scale = %s needs ball = spectral",
                            shape_scales[o->shape_scale]);
    if (o->momentum_space == NG_MOMENTUM_WHITENED && o->metric != NG_METRIC_IDENTITY &&
        o->root != NG_ROOT_SYMMETRIC)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: momentum_space = whitened needs root = symmetric");
    if (o->refresh_tolerance > 0 && o->root != NG_ROOT_SYMMETRIC)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: refresh_tolerance needs root = symmetric");
    return NG_OK;
}

void ng_steepest_init(ng_steepest_options *options)
{
    ngi_options_defaults(options, &ngi_method_steepest);
}

void ng_steepest_init_muon(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->ball = NG_BALL_SPECTRAL;
    options->shape_scale = NG_SHAPE_SCALE_ORIGINAL;
    options->nesterov = 1;
}

void ng_steepest_init_fismo(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->metric = NG_METRIC_FISMO;
    options->ball = NG_BALL_SPECTRAL;
    options->gradient_scale = NG_GRADIENT_SCALE_RMS;
}

void ng_steepest_init_fismo_paper(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->metric = NG_METRIC_FISMO;
    options->ball = NG_BALL_SPECTRAL;
    options->momentum_space = NG_MOMENTUM_WHITENED;
    options->root = NG_ROOT_SYMMETRIC;
}
