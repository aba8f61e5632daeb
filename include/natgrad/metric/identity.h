/* natgrad/metric/identity.h: the Euclidean metric, P = Q = I. It has no options
 * and no state.
 *
 *   ball        step                      preset
 *   none        D = M                     ng_steepest_init
 *   Frobenius   D = M / ||M||_F
 *   spectral    D = Polar(M)              muon, normuon
 *   sign        D = sign(M)               (signSGD)
 *
 * Preset muon (Jordan 2024, "Muon: an optimizer for hidden layers in neural
 * networks"): spectral ball, spectral.polar fast, spectral.shape_scale original, nesterov, lr
 * 0.005, momentum 0.95.
 *
 * Preset normuon (Li et al. 2025, "NorMuon: making Muon more efficient and scalable"): the same
 * with row_normalisation, and the authors' lr 0.02, momentum 0.95, row_beta2 0.95.
 *
 * It measures no KL divergence: kl_clip > 0 is NG_EOPTION. */
#ifndef NATGRAD_METRIC_IDENTITY_H
#define NATGRAD_METRIC_IDENTITY_H

#include <natgrad/status.h>

#endif
