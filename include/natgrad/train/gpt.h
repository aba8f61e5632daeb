/* natgrad/train/gpt.h: a decoder-only character transformer with its backward
 * pass (Vaswani et al., arXiv:1706.03762; in the order of GPT-2: Radford et
 * al. 2019, layer norms in front of each branch).
 *
 * R = batch * context rows, sample after sample, C = width. With the token v at
 * position t, x = wte[v] + wpe[t], and each of the `layers` blocks is
 *     x <- x + proj(attention(qkv(ln_1(x))))
 *     x <- x + proj(gelu(fc(ln_2(x))))
 * and the logits (R x vocabulary) are head(ln_f(x)), without bias. Attention is
 * causal: softmax over s <= t of q_t . k_s / sqrt(C / heads), for each head.
 * GELU is that of natgrad/train/model.h; layer norms add 1e-5 to the variance.
 *
 * It is an ng_model. A row of the input buffer is `context` tokens as numbers
 * 0 ... vocabulary - 1 (ng_dataset_sequences fills them in); another number is
 * NG_EARG from ng_model_forward. The loss is the softmax cross-entropy, natural
 * logarithm, mean over all R positions. ng_model_loss_labels takes either n =
 * batch labels, the token behind each sample (at the other positions it is the
 * input's own next token), or n = batch * context labels, one a position.
 *
 * Parameters, in this order: wte.weight (vocabulary x C), wpe.weight (context x C); for block i: h<i>.ln_1.weight, .ln_1.bias,
 * .attn.qkv.weight (3C x C: the rows of q, k, v; head j has the rows j C/heads
 * and on of each), .attn.qkv.bias, .attn.proj.weight (C x C), .attn.proj.bias,
 * .ln_2.weight, .ln_2.bias, .mlp.fc.weight (4C x C), .mlp.fc.bias,
 * .mlp.proj.weight (C x 4C), .mlp.proj.bias; then ln_f.weight, ln_f.bias and,
 * unless tied, head.weight (vocabulary x C).
 *
 * Linear layers: qkv, proj, fc, proj of each block and the head, whose weight is
 * shared if tied. Their scale is R: each position is a sample with a loss of
 * its own (K-FAC-expand, Eschenhagen et al., arXiv:2311.00636).
 *
 * ng_model_initialise, as GPT-2: weights and embeddings N(0, 0.02^2), the two
 * proj N(0, 0.02^2 / (2 layers)), biases 0, norms 1 and 0. */
#ifndef NATGRAD_TRAIN_GPT_H
#define NATGRAD_TRAIN_GPT_H

#include <natgrad/train/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size;       /* sizeof(ng_gpt_options), set by ng_gpt_init */
    ng_dtype dtype;    /* of everything; default NG_F32 */
    size_t vocabulary; /* tokens, 1 ... 2^24; no default */
    size_t context;    /* positions of a sample, 1 ... 2^20; default 64 */
    size_t layers;     /* blocks, 1 ... 4096; default 2 */
    size_t width;      /* C, 1 ... 2^20; default 64 */
    size_t heads;      /* divides width; default 4 */
    int tied;          /* the head's weight is wte; default 0 */
    size_t max_batch;  /* samples the buffers have room for, 1 ... 2^20; default 16 */
} ng_gpt_options;

/* Fills in the defaults; NG_EOPTION, nothing written, for a struct of another size. */
NG_API ng_status ng_gpt_init_sized(ng_gpt_options *options, size_t size);
static inline ng_status ng_gpt_init(ng_gpt_options *options)
{
    return ng_gpt_init_sized(options, sizeof *options);
}

/* A transformer whose parameters are zero. Errors: ng_model_create. */
NG_API ng_status ng_model_create_gpt(ng_model **model, const ng_gpt_options *options,
                                     ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
