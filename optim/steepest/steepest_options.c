/* Options of ng_steepest: the table, illegal combinations, the presets. */
#include "optim/steepest/steepest.h"

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
static const char *const metrics[] = {"identity", "fismo", "kfac",  "ekfac",
                                      "shampoo",  "soap",  "type2", NULL};
static const char *const damping_kinds[] = {"tikhonov_pi", "per_factor", "exact_eigen", NULL};
static const char *const factor_starts[] = {"first", "identity", NULL};
static const char *const graftings[] = {"none", "sgd", "adam", NULL};
static const char *const eigenbases[] = {"qr", "eigh", NULL};
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
    REAL(ema_decay, 0.95, 1, 0, "decay of the factors (gamma); 1: sums (shampoo, soap)"),
    REAL(damping, 1, DBL_MAX, 0,
         "damping: relative to the factors' mean eigenvalue (fismo, shampoo), absolute (others)"),
    CHOICE(damping_kind, NG_DAMPING_TIKHONOV_PI, damping_kinds, 1, "how damping enters (kfac)"),
    CHOICE(factor_start, NG_FACTOR_START_FIRST, factor_starts, 1,
           "what the averages of the factors start from (kfac, ekfac, type2)"),
    {FIELD(update_interval), .kind = NG_OPTION_INTEGER, .value = 1, .min = 1, .max = 1000000,
     .doc = "steps from one use of statistics for the factors to the next"},
    {FIELD(inverse_interval), .kind = NG_OPTION_INTEGER, .value = 1, .min = 1, .max = 1000000,
     .doc = "steps from one decomposition of the factors to the next"},
    {FIELD(refresh_p), .kind = NG_OPTION_INTEGER, .value = 1, .min = 1, .max = 1000000,
     .doc = "steps from one update of the output factor P to the next"},
    {FIELD(refresh_q), .kind = NG_OPTION_INTEGER, .value = 1, .min = 1, .max = 1000000,
     .doc = "steps from one update of the input factor Q to the next"},
    REAL(kl_clip, 0, DBL_MAX, 0, "largest KL divergence of a group's step, 0 for any (no ball)"),
    CHOICE(one_sided, NG_ONE_SIDED_NEVER, one_sided, 1, "factor on the smaller side only"),
    CHOICE(factor_dtype, NG_FACTORS_AUTO, factor_dtypes, 1, "dtype of the factors"),
    {FIELD(refresh_tolerance), .kind = NG_OPTION_REAL, .min = 0, .max = 1, .below = 1, .fixed = 1,
     .doc = "off-diagonal part up to which an eigenbasis is kept (symmetric roots)"},
    REAL(exponent, 0.25, 1, 0, "power of the averages in the factors (shampoo)"),
    CHOICE(grafting, NG_GRAFTING_NONE, graftings, 1, "whose step length the step gets (no ball)"),
    REAL(beta2, 0.95, 1, 0, "decay of second moments (soap, grafting = adam); 1: sums"),
    CHOICE(eigenbasis, NG_EIGENBASIS_QR, eigenbases, 0, "how eigenbases follow (ekfac, soap)"),
    REAL(beta, 0, DBL_MAX, 0, "beta of F^2 + beta F (type2); 0: of each layer's alpha_scalar"),
    {.name = NULL},
};

/* Metrics diagonal in a product of eigenbases. */
static int diagonal(const ng_steepest_options *o)
{
    return o->metric == NG_METRIC_EKFAC || o->metric == NG_METRIC_SOAP ||
           o->metric == NG_METRIC_TYPE2 ||
           (o->metric == NG_METRIC_KFAC && o->damping_kind == NG_DAMPING_EXACT_EIGEN);
}

static const char *eigen_name(const ng_steepest_options *o)
{
    return o->metric == NG_METRIC_KFAC ? "damping_kind = exact_eigen" : metrics[o->metric];
}

ng_status ngi_steepest_check(const void *options, ng_error *error)
{
    const ng_steepest_options *o = options;
    if (o->shape_scale != NG_SHAPE_SCALE_NONE && o->ball != NG_BALL_SPECTRAL)
        return ng_error_set(error, NG_EOPTION, "steepest: shape_scale = %s needs ball = spectral",
                            shape_scales[o->shape_scale]);
    if (o->momentum_space == NG_MOMENTUM_WHITENED && diagonal(o))
        return ng_error_set(error, NG_EOPTION, "steepest: %s needs momentum_space = gradient",
                            eigen_name(o));
    if (o->momentum_space == NG_MOMENTUM_WHITENED && o->metric != NG_METRIC_IDENTITY &&
        o->root != NG_ROOT_SYMMETRIC)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: momentum_space = whitened needs root = symmetric");
    if (o->one_sided != NG_ONE_SIDED_NEVER && diagonal(o) && o->metric != NG_METRIC_SOAP)
        return ng_error_set(error, NG_EOPTION, "steepest: %s needs one_sided = never",
                            eigen_name(o));
    if (o->metric == NG_METRIC_SHAMPOO && o->root != NG_ROOT_SYMMETRIC)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: the metric shampoo needs root = symmetric");
    if (o->ema_decay == 1 && o->metric != NG_METRIC_SHAMPOO && o->metric != NG_METRIC_SOAP)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: ema_decay = 1 is for the metrics shampoo and soap");
    if (o->grafting != NG_GRAFTING_NONE &&
        (o->ball != NG_BALL_NONE || o->momentum_space != NG_MOMENTUM_GRADIENT || o->kl_clip > 0))
        return ng_error_set(error, NG_EOPTION,
                            "steepest: grafting needs ball = none, momentum_space = gradient and "
                            "kl_clip = 0");
    if (o->kl_clip > 0 && (o->ball != NG_BALL_NONE || o->metric == NG_METRIC_IDENTITY))
        return ng_error_set(error, NG_EOPTION,
                            "steepest: kl_clip needs ball = none and a Fisher metric");
    if (o->refresh_tolerance > 0 && o->metric >= NG_METRIC_KFAC)
        return ng_error_set(error, NG_EOPTION,
                            "steepest: refresh_tolerance is not for the metric "
                            "%s, which has inverse_interval",
                            metrics[o->metric]);
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
    options->lr = 0.005;
}

void ng_steepest_init_fismo(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->metric = NG_METRIC_FISMO;
    options->ball = NG_BALL_SPECTRAL;
    options->gradient_scale = NG_GRADIENT_SCALE_RMS;
    options->damping = 3;
}

void ng_steepest_init_fismo_paper(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->metric = NG_METRIC_FISMO;
    options->ball = NG_BALL_SPECTRAL;
    options->momentum_space = NG_MOMENTUM_WHITENED;
    options->root = NG_ROOT_SYMMETRIC;
    options->lr = 0.005;
}

static void init_kfac(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->metric = NG_METRIC_KFAC;
    options->damping = 0.001;
    options->inverse_interval = 10;
}

void ng_steepest_init_kfac(ng_steepest_options *options)
{
    init_kfac(options);
    options->lr = 0.005;
    options->momentum = 0.9;
}

void ng_steepest_init_kfac_muon(ng_steepest_options *options)
{
    init_kfac(options);
    options->damping = 0.1;
    options->ball = NG_BALL_SPECTRAL;
    options->shape_scale = NG_SHAPE_SCALE_ORIGINAL;
    options->nesterov = 1;
}

void ng_steepest_init_ekfac(ng_steepest_options *options)
{
    init_kfac(options);
    options->metric = NG_METRIC_EKFAC;
    options->lr = 0.0025;
    options->momentum = 0.9;
    options->eigenbasis = NG_EIGENBASIS_EIGH;
}

void ng_steepest_init_shampoo(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->metric = NG_METRIC_SHAMPOO;
    options->root = NG_ROOT_SYMMETRIC;
    options->lr = 0.002;
    options->momentum = 0.9;
    options->damping = 0.001;
    options->inverse_interval = 10;
    options->grafting = NG_GRAFTING_ADAM;
}

void ng_steepest_init_soap(ng_steepest_options *options)
{
    ng_steepest_init(options);
    options->metric = NG_METRIC_SOAP;
    options->lr = 0.004;
    options->beta2 = 0.9;
    options->damping = 1e-8;
    options->factor_dtype = NG_FACTORS_SAME;
    options->inverse_interval = 10;
}
