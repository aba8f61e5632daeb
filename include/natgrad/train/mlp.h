/* natgrad/train/mlp.h: a feed-forward net with its backward pass.
 *
 * Layer l = 1 ... L is dense: Z_l = A_l W_l^T + b_l, with A_1 the input and
 * A_{l+1} = phi(Z_l). Batches lie row by row: A is batch x in, W is out x in,
 * b is 1 x out, Z is batch x out. The hidden layers share one activation phi;
 * the last layer is linear, its Z are the logits the loss works on.
 *
 * It is an ng_model. A row of the input buffer is one sample of `inputs` numbers:
 * gather samples straight into it.
 *
 * Parameters: fc<l>.weight, fc<l>.bias for l = 1 ... L. Layers: fc1, ..., fcL,
 * each with scale = batch: one sample's own derivative is batch times G.
 *
 * ng_model_initialise: biases zero, weights independent N(0, v), by the hidden
 * activation:
 *   relu, gelu             v = 2 / in          (He et al., arXiv:1502.01852, eq. 10)
 *   linear, tanh, sigmoid  v = 2 / (in + out)  (Glorot and Bengio, AISTATS 2010, eq. 12)
 * The last layer follows the same rule: what He's factor 2 makes up for is a
 * rectified input. */
#ifndef NATGRAD_TRAIN_MLP_H
#define NATGRAD_TRAIN_MLP_H

#include <natgrad/train/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size;              /* sizeof(ng_mlp_options), set by ng_mlp_init */
    ng_dtype dtype;           /* of everything; default NG_F32 */
    size_t inputs;            /* columns of the input, 1 ... 2^31 - 1; no default */
    const size_t *widths;     /* outputs of each layer, 1 ... 2^31 - 1; the last are the logits;
                               * copied; no default */
    size_t layers;            /* number of widths, 1 ... 4096; no default */
    ng_activation activation; /* of the hidden layers; default NG_ACTIVATION_RELU */
    ng_loss loss;             /* default NG_LOSS_SOFTMAX */
    size_t max_batch;         /* rows the buffers have room for, 1 ... 2^31 - 1; default 64 */
} ng_mlp_options;

/* Fills in the defaults; NG_EOPTION, nothing written, for a struct of another size. */
NG_API ng_status ng_mlp_init_sized(ng_mlp_options *options, size_t size);
static inline ng_status ng_mlp_init(ng_mlp_options *options)
{
    return ng_mlp_init_sized(options, sizeof *options);
}

/* A net whose parameters are zero. Errors: ng_model_create. */
NG_API ng_status ng_model_create_mlp(ng_model **model, const ng_mlp_options *options,
                                     ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
