/* natgrad/metric/list.h: the one list of the metrics of ng_steepest, and of its
 * presets. The enum, the options' members, the registry and the init functions
 * are made from it: who adds a metric writes a line here. */
#ifndef NATGRAD_METRIC_LIST_H
#define NATGRAD_METRIC_LIST_H

#include <natgrad/metric/factors.h>
#include <natgrad/metric/identity.h>
#include <natgrad/metric/fismo.h>
#include <natgrad/metric/kfac.h>
#include <natgrad/metric/ekfac.h>
#include <natgrad/metric/shampoo.h>
#include <natgrad/metric/soap.h>
#include <natgrad/metric/type2.h>

/* X(NAME, name): NG_METRIC_NAME = 1, 2, ..., `ng_name_options name` in the options.
 * NG_METRIC_IDENTITY = 0, which has no options, comes before them. */
#define NG_METRIC_LIST(X)                                                                          \
    X(FISMO, fismo)                                                                                \
    X(KFAC, kfac)                                                                                  \
    X(EKFAC, ekfac)                                                                                \
    X(SHAMPOO, shampoo)                                                                            \
    X(SOAP, soap)                                                                                  \
    X(TYPE2, type2)

/* X(name, doc): ng_steepest_init_name */
#define NG_STEEPEST_PRESET_LIST(X)                                                                 \
    X(muon, "orthogonalised momentum: identity metric, spectral ball")                             \
    X(normuon, "muon with each output's step brought to the same size")                            \
    X(fismo, "Fisher-structured orthogonalised momentum: averages in gradient space, by products") \
    X(fismo_paper, "the same, Algorithm 1 to the letter: whitened average, symmetric roots")       \
    X(kfac, "natural gradient with Kronecker factors from activations and output gradients")       \
    X(kfac_auto, "K-FAC without a learning rate: steps to the minimum of a quadratic model")         \
    X(kfac_muon, "K-FAC with Muon's step: the same metric, spectral ball")                         \
    X(ekfac, "K-FAC with second moments of samples' gradients in its factors' eigenbases")         \
    X(shampoo, "inverse roots of the averages of G G^T and G^T G, with Adam's step length")        \
    X(soap, "Adam in the eigenbases of Shampoo's averages")

#endif
