/* Options of ng_steepest itself: the table, illegal combinations, the parts of
 * metrics and balls, and what these tables have in common. */
#include "optim/steepest/steepest.h"

#include "lib/core/try.h"

#include "optim/steepest/quadratic.h"

#define OWNER(field) field
#include "optim/steepest/table.h"

const char *const ngi_roots[4] = {"cholesky", "symmetric", "inverse", NULL};
const char *const ngi_metric_scales[4] = {"auto", "none", "trace", NULL};
const char *const ngi_one_sided[4] = {"never", "auto", "always", NULL};
const char *const ngi_factor_dtypes[4] = {"auto", "same", "f64", NULL};
const char *const ngi_factor_starts[3] = {"first", "identity", NULL};
const char *const ngi_eigenbases[3] = {"qr", "eigh", NULL};

#define METRIC_NAME(NAME, name) #name,
static const char *const metrics[] = {"identity", NG_METRIC_LIST(METRIC_NAME) NULL};
static const char *const balls[] = {"none", "frobenius", "spectral", "sign",
                                    "rows", "columns",   NULL};
static const char *const momentum_spaces[] = {"gradient", "whitened", NULL};
static const char *const gradient_scales[] = {"none", "rms", NULL};
static const char *const lengths[] = {"unit", "dual", NULL};
static const char *const rates[] = {"fixed", "quadratic", NULL};
static const char *const graftings[] = {"none", "sgd", "adam", NULL};

const ng_option ngi_steepest_table[] = {
    REAL(lr, 0.01, DBL_MAX, 0, "learning rate"),
    REAL(momentum, 0.95, 1, 1, "decay of the averaged gradient"),
    {FIELD(nesterov), .kind = NG_OPTION_SWITCH, .value = 0, .min = 0, .max = 1,
     .doc = "step along (1 - momentum) G + momentum M"},
    REAL(weight_decay, 0, DBL_MAX, 0, "decoupled weight decay per unit of lr"),
    {FIELD(cautious_decay), .kind = NG_OPTION_SWITCH, .value = 0, .min = 0, .max = 1,
     .doc = "decay only weights that the step takes towards 0"},
    CHOICE(metric, NG_METRIC_IDENTITY, metrics, 1, "which Fisher matrix measures the step"),
    CHOICE(ball, NG_BALL_NONE, balls, 0, "what bounds the step in that metric"),
    CHOICE(length, NG_LENGTH_UNIT, lengths, 0,
           "how long a step in a ball is: 1, or the dual norm of what is projected"),
    {FIELD(agreement), .kind = NG_OPTION_SWITCH, .value = 0, .min = 0, .max = 1, .fixed = 1,
     .doc = "a step as long as its gradients agree: ||M|| over their size so far (in a ball)"},
    {FIELD(row_normalisation), .kind = NG_OPTION_SWITCH, .value = 0, .min = 0, .max = 1, .fixed = 1,
     .doc = "divide each output's step by its root mean square so far (in a ball)"},
    REAL(row_beta2, 0.95, 1, 1, "decay of the mean squares of row_normalisation"),
    CHOICE(momentum_space, NG_MOMENTUM_GRADIENT, momentum_spaces, 1,
           "where gradients are averaged; whitened: symmetric roots, no eigenbases"),
    CHOICE(gradient_scale, NG_GRADIENT_SCALE_NONE, gradient_scales, 0,
           "divide each gradient by its root mean square"),
    REAL(kl_clip, 0, DBL_MAX, 0,
         "largest KL divergence of a group's step, 0: any (no ball, no identity metric)"),
    CHOICE(grafting, NG_GRAFTING_NONE, graftings, 1,
           "whose step length the step gets (no ball, no kl_clip, gradient momentum)"),
    REAL(grafting_beta2, 0.95, 1, 0, "decay of the second moments of grafting = adam; 1: sums"),
    CHOICE(rate, NG_RATE_FIXED, rates, 1,
           "lr as set, or what a quadratic model of the loss says (no ball, momentum 0)"),
    REAL(model_damping, 1, DBL_MAX, 0, "damping of that model; ng_group_adapt_damping moves it"),
    {FIELD(damping_factor), .kind = NG_OPTION_REAL, .value = 0.95, .min = DBL_MIN, .max = 1,
     .below = 1, .doc = "what a good step multiplies a damping with, and a bad one divides (rate)"},
    REAL(damping_min, 1e-8, DBL_MAX, 0, "least damping of the model and of trials (rate)"),
    REAL(damping_max, 1e8, DBL_MAX, 0, "largest damping of the model and of trials (rate)"),
    {FIELD(trial_interval), .kind = NG_OPTION_INTEGER, .value = 0, .min = 0, .max = 1000000,
     .doc = "steps from one trial of the metric's damping to the next, 0: none (rate)"},
    {FIELD(retract), .kind = NG_OPTION_SWITCH, .value = 0, .min = 0, .max = 1, .fixed = 1,
     .doc = "take back a step that made the loss larger (rate)"},
    {.name = NULL},
};

/* All metrics, then all balls. */
int ngi_steepest_part(ngi_option_part *part, const void *options, size_t i)
{
    static const ng_option none[] = {{.name = NULL}};
    const ng_steepest_options *o = options;
    enum { METRICS = sizeof metrics / sizeof metrics[0] - 1 };
    const ngi_metric *metric = i < METRICS ? ngi_metric_find((ng_metric)i) : NULL;
    const ngi_ball *ball = i >= METRICS ? ngi_ball_find((ng_ball)(i - METRICS)) : NULL;
    if (metric != NULL) {
        part->kind = "metric";
        part->name = metric->name;
        part->options = metric->options != NULL ? metric->options : none;
        part->active = (size_t)o->metric == i;
    } else if (ball != NULL) {
        part->kind = "ball";
        part->name = ball->name;
        part->options = ball->options != NULL ? ball->options : none;
        part->active = (size_t)o->ball == i - METRICS;
    }
    return metric != NULL || ball != NULL;
}

/* ---- Combinations ----------------------------------------------------------------- */

ng_status ngi_check_gradient_space(const ng_steepest_options *o, const char *what, ng_error *error)
{
    if (o->momentum_space == NG_MOMENTUM_GRADIENT)
        return NG_OK;
    return ng_error_set(error, NG_EOPTION, "steepest: %s needs momentum_space = gradient", what);
}

ng_status ngi_check_whitened_root(const ng_steepest_options *o, ng_root root, ng_error *error)
{
    if (o->momentum_space == NG_MOMENTUM_GRADIENT || root == NG_ROOT_SYMMETRIC)
        return NG_OK;
    return ng_error_set(error, NG_EOPTION,
                        "steepest: momentum_space = whitened needs root = symmetric");
}

ng_status ngi_steepest_check(const void *options, ng_error *error)
{
    const ng_steepest_options *o = options;
    const ngi_metric *metric = ngi_metric_find(o->metric);
    if (o->grafting != NG_GRAFTING_NONE &&
        (o->ball != NG_BALL_NONE || o->momentum_space != NG_MOMENTUM_GRADIENT || o->kl_clip > 0))
        return ng_error_set(error, NG_EOPTION,
                            "steepest: grafting needs ball = none, momentum_space = gradient and "
                            "kl_clip = 0");
    if (o->kl_clip > 0 && o->ball != NG_BALL_NONE)
        return ng_error_set(error, NG_EOPTION, "steepest: kl_clip needs ball = none");
    if (o->ball == NG_BALL_NONE &&
        (o->length == NG_LENGTH_DUAL || o->agreement || o->row_normalisation))
        return ng_error_set(error, NG_EOPTION, "steepest: %s needs a ball",
                            o->row_normalisation ? "row_normalisation"
                            : o->agreement       ? "agreement"
                                                 : "length = dual");
    TRY(ngi_quadratic_check(o, error));
    return metric->check != NULL ? metric->check(o, error) : NG_OK;
}
