/* natgrad/metric/kfac.h: K-FAC, Kronecker factors from captured statistics. Martens
 * & Grosse 2015: the Fisher matrix of a layer is approximated by F = P (x) Q, vec row-major, from
 * captured inputs a and output gradients g (ng_group_capture), N rows since the last step:
 *
 *   P <- ema_decay-average of (scale G)^T (scale G) / N     (m x m)
 *   Q <- ema_decay-average of A^T A / N                     (n x n)
 *
 * so F is per example: the mean of the outer products of each sample's own
 * gradient, up to the factorisation, whatever the batch size, and equal to it
 * for one sample. G from the labels gives the empirical Fisher matrix (what
 * ng_trainer does), G from labels sampled from the model the true one. With
 * ng_group_add_bias A has a column of ones and n counts it. Averages are corrected
 * for their start: sum_s ema_decay^(t-s) X_s / sum_s ema_decay^(t-s)
 * (factor_start = first).
 *
 * damping = lambda is in the units of F (a squared gradient of one sample):
 *   tikhonov_pi  P + pi sqrt(lambda) I and Q + sqrt(lambda)/pi I,
 *                pi = sqrt((tr P / m) / (tr Q / n)), 1 if either trace is 0
 *                (Martens & Grosse 2015, section 6.3)
 *   per_factor   P + lambda I and Q + lambda I
 *   diagonal     P + lambda diag(P) and Q + lambda diag(Q), lambda without unit: whatever
 *                the units of inputs and outputs, predictions after a step are the
 *                same (metric_scale = none, a root other than symmetric). A diagonal
 *                element 0, of an input that is always 0, becomes the mean. For raw
 *                columns; where many inputs are nearly always 0, as the pixels at the
 *                edge of a picture, each of them takes a whole step when it comes
 *   exact_eigen  P (x) Q + lambda I itself, in the eigenbasis of P and Q, their
 *                negative eigenvalues raised to 0; `root` is not read
 * A factor that one_sided leaves out is the identity and undamped; the other one
 * takes all of lambda. metric_scale = trace divides by the mean eigenvalues
 * after damping.
 *
 * With rank > 0 captures of the larger side are summed and averaged as v S, v its directions and a
 * few vectors more, S the sum above; what was averaged goes into the factor when it is inverted.
 *
 * A convolution is captured through its unfolded view: W is out_channels x
 * (in_channels kernel_h kernel_w), and a sample with T output positions gives T rows
 * of A (its patches, im2col) and of G (the derivatives of its loss by the outputs at
 * those positions). N = samples x positions: with the scale of a dense layer F is the
 * mean over positions. Times sqrt(T) it is a sample's, its positions' gradients taken
 * as independent (KFC, Grosse & Martens 2016; "expand", Eschenhagen et al. 2023).
 *
 * A step fails with NG_ENODATA without a capture since the last one, NG_ESINGULAR
 * where damping = 0 and a factor is singular to working precision. Where every
 * eigen-solver fails the last good inverse stays (ng_event, stale).
 *
 * Preset kfac: no ball, momentum 0.9, lr 0.01, kl_clip 0.001 (0 for a ball, grafting or atomic =
 * parameter), update_interval 4, inverse_interval 20. Preset kfac_auto: no learning rate to set,
 * natgrad/steepest.h's rate = quadratic; lr 1, momentum 0, damping on trial every 20 steps,
 * inverse_interval 5, retract; for batches of a few hundred samples and more: a small one's
 * minimum is its own. Preset kfac_muon, K-FAC with Muon's step: spectral ball, spectral.polar
 * fast, root inverse, spectral.shape_scale original, nesterov, momentum 0.95, agreement, lr 0.05,
 * damping 0.1.
 *
 * NG_EOPTION: momentum_space = whitened without root = symmetric; exact_eigen with
 * momentum_space = whitened, or with one_sided other than never; rank > 0 with exact_eigen or
 * diagonal. */
#ifndef NATGRAD_METRIC_KFAC_H
#define NATGRAD_METRIC_KFAC_H

#include <natgrad/metric/factors.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How damping enters; see the head of this file. */
typedef enum {
    NG_DAMPING_TIKHONOV_PI = 0,
    NG_DAMPING_PER_FACTOR = 1,
    NG_DAMPING_EXACT_EIGEN = 2,
    NG_DAMPING_DIAGONAL = 3
} ng_damping_kind;

typedef struct {
    double ema_decay;             /* default 0.95, [0, 1) */
    double damping;               /* default 0.001, >= 0, absolute */
    ng_damping_kind damping_kind; /* default tikhonov_pi; fixed once there are parameters */
    ng_factor_start factor_start; /* default first; fixed */
    /* captured statistics go into the factors at steps 1, 1 + update_interval, ... (captures
     * before the others are checked and dropped), factors are inverted, with the damping of that
     * step, at steps 1, 1 + inverse_interval, ...; defaults 1 and 10, >= 1 */
    int update_interval, inverse_interval;
    ng_root root;                 /* default cholesky; fixed */
    ng_metric_scale metric_scale; /* default auto */
    ng_one_sided one_sided;       /* default never; fixed */
    int rank; /* of the larger side's factor (factors.h), >= 1; default 0: it is whole; fixed */
    ng_factor_dtype factor_dtype; /* default auto; fixed */
} ng_kfac_options;

#ifdef __cplusplus
}
#endif
#endif
