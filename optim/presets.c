/* The named optimizers. A preset is an init function with a name. */
#include "optim/method.h"

#include <string.h>

#include <natgrad/adamw.h>
#include <natgrad/sgd.h>
#include <natgrad/steepest.h>

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
