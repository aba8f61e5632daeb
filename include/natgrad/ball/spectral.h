/* natgrad/ball/spectral.h: the spectral ball, whose steps have spectral norm 1.
 * Y = Polar(X) (natgrad/polar.h).
 *
 * With polar = fast and momentum in gradient space a Kronecker metric's step is
 * fused: D = S_P^-T K S_P^-1 M Q^-1 with K = (X X^T)^(-1/2) from one eigenproblem
 * on the smaller side (mirrored if m > n). */
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
    ng_polar_accuracy polar;    /* default exact */
} ng_spectral_options;

#ifdef __cplusplus
}
#endif
#endif
