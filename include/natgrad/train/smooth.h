/* natgrad/train/smooth.h: a smooth net for physics: values, input derivatives, and the
 * derivatives of all of these by the weights.
 *
 *   ng_smooth *net;
 *   ng_smooth_options o;
 *   ng_smooth_init(&o);
 *   o.inputs = 2, o.widths = (size_t[]){32, 1}, o.layers = 2;
 *   o.order = NG_SMOOTH_LAPLACIAN, o.max_batch = 900;
 *   ng_smooth_create(&net, &o, &error);
 *   ng_smooth_initialise(net, w, &random, &error);          w: 1 x ng_smooth_count(net)
 *   ng_smooth_forward(net, jets, w, x, &error);             u, its gradient and Laplacian at x
 *   ... seeds <- d r / d jet of each point's residual r ...
 *   ng_smooth_rows(net, j, w, seeds, &error);               the rows dr/dw
 *
 * A feed-forward net u: R^d -> R^k in NG_F64, layers Z_l = A_l W_l^T + b_l with a smooth activation
 * behind all but the last. What it carries forward is a jet: at every unit the value, its d
 * derivatives by the inputs, and second ones, by the chain rule (for the Laplacian alone: Li et al.
 * 2024, "forward Laplacian", arXiv:2307.08214):
 *
 *   h = phi(z),  h_i = phi' z_i,  h_ij = phi' z_ij + phi'' z_i z_j
 *
 * A jet has C numbers an output: the value; with order >= gradient d first derivatives; then
 * with order = laplacian the Laplacian, with order = hessian the d (d + 1)/2 second derivatives
 * (i <= j, row by row of the upper triangle: ng_smooth_pair). Jets and seeds are batch x (k C):
 * output o's number c stands in column o C + c. So the divergence of a field R^d -> R^d is the sum
 * of the columns i C + 1 + i, and has seeds of 1 there.
 *
 * Weights: one vector, layer after layer, each [W_l b_l], outputs x (inputs + 1), row by row. */
#ifndef NATGRAD_TRAIN_SMOOTH_H
#define NATGRAD_TRAIN_SMOOTH_H

#include <natgrad/mat.h>
#include <natgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NG_SMOOTH_TANH = 0, NG_SMOOTH_SIN = 1, NG_SMOOTH_SILU = 2 } ng_smooth_activation;

typedef enum {
    NG_SMOOTH_VALUE = 0,     /* C = 1 */
    NG_SMOOTH_GRADIENT = 1,  /* C = 1 + d */
    NG_SMOOTH_LAPLACIAN = 2, /* C = 2 + d */
    NG_SMOOTH_HESSIAN = 3    /* C = 1 + d + d (d + 1)/2 */
} ng_smooth_order;

typedef struct {
    size_t size;                     /* set by ng_smooth_init */
    size_t inputs;                   /* d, 1 ... 1024; no default */
    const size_t *widths;            /* outputs of each layer, 1 ... 65536, the last is k; copied */
    size_t layers;                   /* number of widths, 1 ... 64; no default */
    ng_smooth_activation activation; /* default tanh */
    ng_smooth_order order;           /* default laplacian */
    size_t max_batch; /* points the buffers have room for, 1 ... 2^24; default 1024 */
} ng_smooth_options;

NG_API ng_status ng_smooth_init_sized(ng_smooth_options *options, size_t size);
static inline ng_status ng_smooth_init(ng_smooth_options *options)
{
    return ng_smooth_init_sized(options, sizeof *options);
}

typedef struct ng_smooth ng_smooth;

/* NG_EOPTION with the option's name, NG_ERANGE (buffers beyond the BLAS integer), NG_ENOMEM,
 * NG_EARG; then *net is NULL. All memory is taken here. A net is one thread's at a time. */
NG_API ng_status ng_smooth_create(ng_smooth **net, const ng_smooth_options *options,
                                  ng_error *error);
NG_API void ng_smooth_destroy(ng_smooth *net);

NG_API size_t ng_smooth_count(const ng_smooth *net); /* weights, n */
NG_API size_t ng_smooth_jet(const ng_smooth *net);   /* C */

/* Where the second derivative by inputs i and j, in either order, stands in a jet of order hessian
 * of d inputs. */
static inline size_t ng_smooth_pair(size_t d, size_t i, size_t j)
{
    size_t low = i < j ? i : j, high = i < j ? j : i;
    return 1 + d + low * d - low * (low + 1) / 2 + high;
}

/* The view [W b] of a layer (0 ... layers - 1) in w, 1 x n; data NULL for other arguments. */
NG_API ng_mat ng_smooth_layer(const ng_smooth *net, ng_mat w, size_t layer);

/* w (1 x n) <- biases zero, weights N(0, 2 / (in + out)) (Glorot and Bengio 2010). NG_EARG,
 * NG_ESHAPE, NG_EDTYPE. */
NG_API ng_status ng_smooth_initialise(const ng_smooth *net, ng_mat w, const ng_random *random,
                                      ng_error *error);

/* jets (batch x k C) <- of the net with the weights w (1 x n) at the points x (batch x d), 1 <=
 * batch
 * <= max_batch. NG_ESHAPE, NG_EDTYPE, NG_EARG; NG_ERANGE: the jets are not finite. */
NG_API ng_status ng_smooth_forward(ng_smooth *net, ng_mat jets, ng_mat w, ng_mat x,
                                   ng_error *error);

/* After forward, with the same w: row b of rows (batch x n) <- the derivative by w of
 * sum_q seeds_bq jet_bq. Again with other seeds for further rows. NG_ENODATA without forward. */
NG_API ng_status ng_smooth_rows(ng_smooth *net, ng_mat rows, ng_mat w, ng_mat seeds,
                                ng_error *error);

/* The same summed over the points, g 1 x n, at the cost of one backward pass: with seeds
 * c_b r_b dr_b/djet the gradient of a loss, without any row. */
NG_API ng_status ng_smooth_gradient(ng_smooth *net, ng_mat g, ng_mat w, ng_mat seeds,
                                    ng_error *error);

/* After rows or gradient: *a (C batch x (inputs + 1)) what went into the layer, *g (C batch x
 * outputs) the derivative behind it, both number c of the jet after number c - 1, batch rows each:
 * the layer's gradient is g^T a, and K-FAC's factors are made of them (natgrad/optimizer.h,
 * ng_group_capture; arXiv:2405.15603). Valid until the next call. NG_EARG, NG_ENODATA. */
NG_API ng_status ng_smooth_factors(const ng_smooth *net, ng_mat *a, ng_mat *g, size_t layer,
                                   ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
