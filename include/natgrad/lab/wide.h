/* natgrad/lab/wide.h: nets of infinite width: the Gaussian process they are at random weights (GP)
 * and the kernel by which gradient descent trains them (NTK, the neural tangent kernel).
 *
 *   ng_wide_mlp mlp;
 *   ng_wide_mlp_init(&mlp);                                    ReLU
 *   mlp.hidden = 3;
 *   ng_wide_mlp_kernels(&mlp, gp, ntk, x, &error);             k x k each, x k x d
 *
 * Weights are sqrt(v / inputs) times parameters from N(0, 1), biases sqrt(v) times such
 * (NTK parametrisation). With J the derivative of one output at the k inputs by all parameters, gp
 * is the limit of the outputs' covariance and ntk that of J J^T; nets of width n are off by
 * O(n^-1/2).
 *
 * V(S) = E phi(u) phi(u') for N(0, S) and V'(S) = E phi'(u) phi'(u'), element by element of S:
 *
 *   relu   V  = sqrt(s s') (sin t + (pi - t) cos t) / (2 pi), cos t = S / sqrt(s s')
 *          V' = (pi - t) / (2 pi)
 *   erf    V  = (2 / pi) asin(2 S / sqrt((1 + 2 s)(1 + 2 s')))
 *          V' = (4 / pi) / sqrt((1 + 2 s)(1 + 2 s') - 4 S^2)
 *   step   V  = (pi - t) / (2 pi); no V', which is infinite on the diagonal
 *
 * Where s = 0, relu and step are 0 and so are their slopes. Sources: Cho and Saul 2009 (relu,
 * step); Williams 1997 (erf); Jacot, Gabriel and Hongler 2018 (NTK); Yang 2019 to 2020,
 * arXiv:1902.04760, 1910.12478, 2006.14548 (recurrent nets).
 *
 * Views are of NG_F64 (else NG_EDTYPE; NG_ESHAPE); options out of range NG_EOPTION; NaN and
 * infinity in an input NG_ENONFINITE; results that overflow NG_ERANGE; NG_EARG, NG_ENOMEM. After an
 * error outputs may be overwritten. Outputs overlap nothing. */
#ifndef NATGRAD_LAB_WIDE_H
#define NATGRAD_LAB_WIDE_H

#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NG_WIDE_RELU,
    NG_WIDE_ERF,
    NG_WIDE_STEP,       /* 1 above 0, else 0 */
    NG_WIDE_ACTIVATIONS /* how many there are */
} ng_wide_activation;

/* "relu", ...; "unknown" for anything else. Static strings. */
NG_API const char *ng_wide_activation_name(ng_wide_activation activation);

/* value, slope (k x k; slope may be ng_mat_none()) <- V(s), V'(s) of the covariance s (k x k, both
 * triangles read). NG_EUNSUPPORTED for a slope of step; NG_EINDEFINITE for a negative variance
 * or |s_ij| above sqrt(s_ii s_jj) by more than rounding. */
NG_API ng_status ng_wide_transform(ng_mat value, ng_mat slope, ng_mat s,
                                   ng_wide_activation activation, ng_error *error);

/* ---- Feed-forward nets ----------------------------------------------------------------------
 *
 *   S_0 = var_first x x^T / d + var_b            Theta_0 = S_0
 *   S_l = var_w V(S_(l-1)) + var_b               Theta_l = S_l + var_w V'(S_(l-1)) o Theta_(l-1)
 *
 * for l = 1 ... hidden; gp = S_hidden, ntk = Theta_hidden. By default |x|^2 = d makes all variances
 * 1 and the diagonal of ntk hidden + 1. */
typedef struct {
    size_t size;                   /* set by ng_wide_mlp_init */
    ng_wide_activation activation; /* default NG_WIDE_RELU */
    size_t hidden;                 /* hidden layers, default 1, 0 ... 4096 */
    double var_first;              /* default 1, >= 0: of weights on the inputs */
    double var_w;                  /* default 2, >= 0: of all others */
    double var_b;                  /* default 0, >= 0: of all biases, the output's among them */
} ng_wide_mlp;

/* The defaults; NG_EARG for NULL, NG_EOPTION for another library's size: nothing written. */
NG_API ng_status ng_wide_mlp_init_sized(ng_wide_mlp *mlp, size_t size);
static inline ng_status ng_wide_mlp_init(ng_wide_mlp *mlp)
{
    return ng_wide_mlp_init_sized(mlp, sizeof *mlp);
}

/* gp, ntk (k x k; either may be ng_mat_none()) for the rows of x (k x d). NG_EUNSUPPORTED for the
 * NTK of step. */
NG_API ng_status ng_wide_mlp_kernels(const ng_wide_mlp *mlp, ng_mat gp, ng_mat ntk, ng_mat x,
                                     ng_error *error);

/* ---- Recurrent nets -------------------------------------------------------------------------
 *
 *   h^t = W phi(h^(t-1)) + U x^t + b,  phi(h^0) = 0,  t = 1 ... steps
 *   y   = <v, phi(h^steps)>, or pooled: <v, mean over t of phi(h^t)>
 *
 * W, U, b, v of variances var_w, var_u, var_b, var_v. Between step t of one sequence and t' of
 * another
 *
 *   S(t, t')  = var_w V(S)(t-1, t'-1) + var_u <x^t, x'^t'> / d + var_b
 *   P(t, t')  = V'(S)(t, t') (var_w P(t+1, t'+1) + var_v c_t c_t')
 *   gp        = var_v sum of c_t c_t' V(S)(t, t')
 *   ntk       = gp + sum of P(t, t') S(t, t')
 *
 * with c = 1 at the last step and 0 before, or pooled: 1 / steps. */
typedef struct {
    size_t size;                       /* set by ng_wide_rnn_init */
    ng_wide_activation activation;     /* default NG_WIDE_ERF */
    size_t steps;                      /* default 1, >= 1 */
    int pooled;                        /* default 0 */
    double var_w, var_u, var_b, var_v; /* defaults 1, 2, 0.2, 1, >= 0: those of Yang's tables */
} ng_wide_rnn;

NG_API ng_status ng_wide_rnn_init_sized(ng_wide_rnn *rnn, size_t size);
static inline ng_status ng_wide_rnn_init(ng_wide_rnn *rnn)
{
    return ng_wide_rnn_init_sized(rnn, sizeof *rnn);
}

/* gp, ntk (k x k; either may be ng_mat_none()) for k sequences: x (k steps x d), the steps of a
 * sequence one after the other. Takes O((k steps)^2) numbers. */
NG_API ng_status ng_wide_rnn_kernels(const ng_wide_rnn *rnn, ng_mat gp, ng_mat ntk, ng_mat x,
                                     ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
