/* natgrad/train/cnn.h: a small convolutional net with its backward pass, by
 * im2col: each convolution is one matrix product.
 *
 * Stage by stage: convolution 3 x 3, stride 1, zeros around, so that the
 * picture keeps its size; relu; maximum over 2 x 2 without overlap (an odd last
 * row or column is dropped; the first of equals wins). Behind the last stage
 * one dense layer makes the logits (batch x classes) from all numbers of the
 * small pictures, in the order (y, x, channel). The loss is the softmax
 * cross-entropy, natural logarithm, mean over the batch.
 *
 * It is an ng_model. A row of the input buffer is one picture: channels *
 * height * width numbers, in that order.
 *
 * Parameters: conv<i>.weight for i = 1, 2, ...: (out, in, 3, 3) seen as out x
 * (in * 9); conv<i>.bias; fc.weight (classes x inputs), fc.bias.
 *
 * Layers: conv1, ..., fc. Rows of A of a convolution are patches: batch * T
 * places. Its scale is batch * sqrt(T), which makes the Fisher matrix that of
 * Grosse and Martens (arXiv:1602.01407, section 3: their homogeneous and
 * uncorrelated derivatives).
 *
 * ng_model_initialise: biases 0, weights N(0, 2 / inputs) (He et al.,
 * arXiv:1502.01852), inputs = in * 9 for a convolution. */
#ifndef NATGRAD_TRAIN_CNN_H
#define NATGRAD_TRAIN_CNN_H

#include <natgrad/train/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size;           /* sizeof(ng_cnn_options), set by ng_cnn_init */
    ng_dtype dtype;        /* of everything; default NG_F32 */
    size_t channels;       /* of the input, 1 ... 2^16; default 1 */
    size_t height, width;  /* of the input, 2^stages ... 2^16; no default */
    const size_t *filters; /* outputs of each convolution, 1 ... 2^16; copied; no default */
    size_t stages;         /* number of filters, 1 ... 16; no default */
    size_t classes;        /* 1 ... 2^20; no default */
    size_t max_batch;      /* pictures the buffers have room for, 1 ... 2^20; default 64 */
} ng_cnn_options;

/* Fills in the defaults; NG_EOPTION, nothing written, for a struct of another size. */
NG_API ng_status ng_cnn_init_sized(ng_cnn_options *options, size_t size);
static inline ng_status ng_cnn_init(ng_cnn_options *options)
{
    return ng_cnn_init_sized(options, sizeof *options);
}

/* A net whose parameters are zero. Errors: ng_model_create. */
NG_API ng_status ng_model_create_cnn(ng_model **model, const ng_cnn_options *options,
                                     ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
