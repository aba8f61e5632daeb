/* The one list of methods, metrics, balls and presets. */
#include "optim/steepest/ball.h"
#include "optim/steepest/metric.h"

#include <string.h>

#include <natgrad/adamw.h>
#include <natgrad/sgd.h>
#include <natgrad/steepest.h>

/* ---- Metrics and balls, by number; their names are in steepest_options.c -------- */

static const ngi_metric *const metrics[] = {
    [NG_METRIC_IDENTITY] = &ngi_metric_identity, [NG_METRIC_FISMO] = &ngi_metric_fismo,
    [NG_METRIC_KFAC] = &ngi_metric_kfac,         [NG_METRIC_EKFAC] = &ngi_metric_ekfac,
    [NG_METRIC_SHAMPOO] = &ngi_metric_shampoo,   [NG_METRIC_SOAP] = &ngi_metric_soap,
    [NG_METRIC_TYPE2] = &ngi_metric_type2,
};

const ngi_metric *ngi_metric_find(ng_metric metric)
{
    return metrics[metric];
}

static const ngi_ball *const balls[] = {
    [NG_BALL_NONE] = &ngi_ball_none,
    [NG_BALL_FROBENIUS] = &ngi_ball_frobenius,
    [NG_BALL_SPECTRAL] = &ngi_ball_spectral,
};

const ngi_ball *ngi_ball_find(ng_ball ball)
{
    return balls[ball];
}

/* ---- Presets -------------------------------------------------------------------- */

/* init functions behind a type that fits them all */
#define PRESET_INIT(preset, type, function)                                                        \
    static void preset##_init(void *options)                                                       \
    {                                                                                              \
        function((type *)options);                                                                 \
    }
PRESET_INIT(sgd, ng_sgd_options, ng_sgd_init)
PRESET_INIT(adamw, ng_adamw_options, ng_adamw_init)
PRESET_INIT(muon, ng_steepest_options, ng_steepest_init_muon)
PRESET_INIT(fismo, ng_steepest_options, ng_steepest_init_fismo)
PRESET_INIT(fismo_paper, ng_steepest_options, ng_steepest_init_fismo_paper)
PRESET_INIT(kfac, ng_steepest_options, ng_steepest_init_kfac)
PRESET_INIT(kfac_muon, ng_steepest_options, ng_steepest_init_kfac_muon)
PRESET_INIT(ekfac, ng_steepest_options, ng_steepest_init_ekfac)
PRESET_INIT(shampoo, ng_steepest_options, ng_steepest_init_shampoo)
PRESET_INIT(soap, ng_steepest_options, ng_steepest_init_soap)

const ng_preset ng_presets[] = {
    {"sgd", &ngi_method_sgd, sizeof(ng_sgd_options), sgd_init,
     "stochastic gradient descent with momentum"},
    {"adamw", &ngi_method_adamw, sizeof(ng_adamw_options), adamw_init,
     "Adam with decoupled weight decay"},
    {"muon", &ngi_method_steepest, sizeof(ng_steepest_options), muon_init,
     "orthogonalised momentum: identity metric, spectral ball"},
    {"fismo", &ngi_method_steepest, sizeof(ng_steepest_options), fismo_init,
     "Fisher-structured orthogonalised momentum, gradient-space average, Cholesky roots"},
    {"fismo_paper", &ngi_method_steepest, sizeof(ng_steepest_options), fismo_paper_init,
     "the same, Algorithm 1 to the letter: whitened average, symmetric roots"},
    {"kfac", &ngi_method_steepest, sizeof(ng_steepest_options), kfac_init,
     "natural gradient with Kronecker factors from activations and output gradients"},
    {"kfac_muon", &ngi_method_steepest, sizeof(ng_steepest_options), kfac_muon_init,
     "K-FAC with Muon's step: the same metric, spectral ball"},
    {"ekfac", &ngi_method_steepest, sizeof(ng_steepest_options), ekfac_init,
     "K-FAC with the second moments of samples' gradients in the eigenbases of its factors"},
    {"shampoo", &ngi_method_steepest, sizeof(ng_steepest_options), shampoo_init,
     "inverse roots of the averages of G G^T and G^T G on its sides, with Adam's step length"},
    {"soap", &ngi_method_steepest, sizeof(ng_steepest_options), soap_init,
     "Adam in the eigenbases of Shampoo's averages"},
    {NULL, NULL, 0, NULL, NULL},
};

const ng_preset *ng_preset_find(const char *name)
{
    for (const ng_preset *preset = ng_presets; preset->name != NULL; preset++)
        if (name != NULL && strcmp(preset->name, name) == 0)
            return preset;
    return NULL;
}
