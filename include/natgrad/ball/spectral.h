/* natgrad/ball/spectral.h: the spectral ball, whose steps have spectral norm 1.
 * Y = Polar(X) (natgrad/polar.h).
 *
 * With polar = fast and momentum in gradient space a Kronecker metric's step is
 * fused: no root is taken and no eigenproblem solved. (X X^T)^(-1/2) is a sum of
 * shifted inverses, and in a metric each of them loses its roots:
 *
 *   D = [ sum_j w_j (A + t_j P)^-1 ] M Q^-1,   A = M Q^-1 M^T   (mirrored if m > n)
 *
 * which S_P^-T Polar(S_P^-1 M S_Q^-T) S_Q^-1 is, as far as polar = fast promises:
 * singular values within 5e-3 of 1 from 3e-3 of the largest on. Below that they
 * fall to 0, so a square matrix of Gaussian noise, whose smallest singular values
 * lie there, comes out with its smallest at 0.4 to 0.9. The presets muon, fismo
 * and kfac_muon use it; 0.68 to 1.13, all that Newton-Schulz gives, trains no worse. */
#ifndef NATGRAD_BALL_SPECTRAL_H
#define NATGRAD_BALL_SPECTRAL_H

#include <natgrad/polar.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Factor on the step by the layer's shape; rows are outputs, cols inputs. */
typedef enum {
    NG_SHAPE_SCALE_NONE = 0,           /* 1 */
    NG_SHAPE_SCALE_ORIGINAL = 1,       /* sqrt(max(1, rows/cols)) (Jordan 2024) */
    NG_SHAPE_SCALE_MATCH_RMS_ADAMW = 2 /* 0.2 sqrt(max(rows, cols)) (Liu et al. 2025) */
} ng_shape_scale;

typedef struct {
    ng_shape_scale shape_scale; /* default none */
    ng_polar_accuracy polar;    /* default exact; of the presets muon, fismo, kfac_muon fast */
} ng_spectral_options;

#ifdef __cplusplus
}
#endif
#endif
