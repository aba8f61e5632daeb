/* The one list of methods, metrics, balls and presets. */
#include "optim/steepest/ball.h"
#include "optim/steepest/metric.h"

#include <string.h>

#include <natgrad/adamw.h>
#include <natgrad/ivon.h>
#include <natgrad/sgd.h>
#include <natgrad/steepest.h>

/* ---- Metrics and balls, by number -------------------------------------------------- */

#define METRIC(NAME, name) [NG_METRIC_##NAME] = &ngi_metric_##name,
static const ngi_metric *const metrics[] = {[NG_METRIC_IDENTITY] = &ngi_metric_identity,
                                            NG_METRIC_LIST(METRIC)};

const ngi_metric *ngi_metric_find(ng_metric metric)
{
    return (size_t)metric < sizeof metrics / sizeof metrics[0] ? metrics[metric] : NULL;
}

static const ngi_ball *const balls[] = {
    [NG_BALL_NONE] = &ngi_ball_none,         [NG_BALL_FROBENIUS] = &ngi_ball_frobenius,
    [NG_BALL_SPECTRAL] = &ngi_ball_spectral, [NG_BALL_SIGN] = &ngi_ball_sign,
    [NG_BALL_ROWS] = &ngi_ball_rows,         [NG_BALL_COLUMNS] = &ngi_ball_columns,
};

const ngi_ball *ngi_ball_find(ng_ball ball)
{
    return (size_t)ball < sizeof balls / sizeof balls[0] ? balls[ball] : NULL;
}

/* ---- Methods -------------------------------------------------------------------- */

static const ng_method *const methods[] = {
    &ngi_method_sgd,     &ngi_method_adamw,    &ngi_method_ivon,    &ngi_method_steepest,
    &ngi_method_natural, &ngi_method_residual, &ngi_method_langevin};

const ng_method *ngi_method_get(size_t i)
{
    return i < sizeof methods / sizeof methods[0] ? methods[i] : NULL;
}

/* ---- Presets -------------------------------------------------------------------- */

/* init functions behind a type that fits them all */
#define INIT(name, function)                                                                       \
    static ng_status init_##name(void *options, size_t size)                                       \
    {                                                                                              \
        return function##_sized(options, size);                                                    \
    }
#define STEEPEST_INIT(name, doc) INIT(name, ng_steepest_init_##name)
INIT(sgd, ng_sgd_init)
INIT(adamw, ng_adamw_init)
INIT(ivon, ng_ivon_init)
NG_STEEPEST_PRESET_LIST(STEEPEST_INIT)

#define STEEPEST(name, doc)                                                                        \
    {#name, &ngi_method_steepest, sizeof(ng_steepest_options), init_##name, doc},
static const ng_preset presets[] = {{"sgd", &ngi_method_sgd, sizeof(ng_sgd_options), init_sgd,
                                     "stochastic gradient descent with momentum"},
                                    {"adamw", &ngi_method_adamw, sizeof(ng_adamw_options),
                                     init_adamw, "Adam with decoupled weight decay"},
                                    {"ivon", &ngi_method_ivon, sizeof(ng_ivon_options), init_ivon,
                                     "natural gradient for a Gaussian over the weights"},
                                    NG_STEEPEST_PRESET_LIST(STEEPEST)};

size_t ng_preset_count(void)
{
    return sizeof presets / sizeof presets[0];
}

const ng_preset *ng_preset_get(size_t i)
{
    return i < ng_preset_count() ? &presets[i] : NULL;
}

const ng_preset *ng_preset_find(const char *name)
{
    for (size_t i = 0; i < ng_preset_count() && name != NULL; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}
