/* What the files of the transformer share. R = batch * context, C = width. */
#ifndef NGI_TRAIN_GPT_H
#define NGI_TRAIN_GPT_H

#include <natgrad/train/gpt.h>

#include "lib/train/model/model.h"

/* Loops over elements, for one dtype; matrices dense, rows x cols. */
typedef struct {
    /* tokens <- x as whole numbers; the first index of one not in 0 ... limit - 1, else n */
    size_t (*tokens)(size_t n, int *tokens, const void *x, size_t limit);
    /* row r of x <- wte[tokens[r]] + wpe[r mod context] */
    void (*embed)(size_t rows, size_t cols, size_t context, void *x, const int *tokens,
                  const void *wte, const void *wpe);
    /* dwte (vocabulary x cols) += sums of the rows of g with that token; dwpe <- sums by position
     */
    void (*embed_backward)(size_t rows, size_t cols, size_t context, size_t vocabulary, void *dwte,
                           void *dwpe, const void *g, const int *tokens);
    /* every row of out <- that of in (0 where in is NULL) + bias */
    void (*add_bias)(size_t rows, size_t cols, void *out, const void *in, const void *bias);
    void (*column_sums)(size_t rows, size_t cols, void *sums, const void *x);
    /* out <- w * (x - mean) * scale + b; stats (rows x 2) <- mean and scale = 1 / deviation */
    void (*norm)(size_t rows, size_t cols, void *out, void *stats, const void *x, const void *w,
                 const void *b);
    /* dx <- in (0 where NULL) + the derivative at x; dw, db; g is the derivative at out */
    void (*norm_backward)(size_t rows, size_t cols, void *dx, void *dw, void *db, const void *in,
                          const void *g, const void *x, const void *stats, const void *w);
    /* dout <- how out goes as x, w and b go along dx, dw and db */
    void (*norm_tangent)(size_t rows, size_t cols, void *dout, const void *dx, const void *dw,
                         const void *db, const void *x, const void *stats, const void *w);
    /* row t of s (n x n) <- softmax of its columns 0 ... t; the others 0 */
    void (*causal_softmax)(size_t n, void *s);
    /* ds <- p * (ds - sum over the row of ds * p): the matrix is symmetric, so that this makes of
     * a derivative at p the one at s, and of a direction of s the one of p */
    void (*softmax_jacobian)(size_t n, void *ds, const void *p);
} ngi_gpt_kernels;

extern const ngi_gpt_kernels ngi_gpt_f32, ngi_gpt_f64;

typedef struct {
    size_t ln_w, ln_b; /* parameters */
    ng_mat out, stats; /* R x C, R x 2 */
} ngi_norm;

/* The residual stream x has 2 layers + 1 nodes: x[0] the embedding, x[2l + 1]
 * behind the attention of block l, x[2l + 2] behind its MLP; g are the
 * derivatives there, which are the G of the two proj. */
typedef struct {
    ngi_norm norm1, norm2;
    size_t qkv, proj, fc, out; /* linear layers */
    ng_mat qkv_z, qkv_g;       /* R x 3C */
    ng_mat p;                  /* (max_batch * heads * context) x context: attention */
    ng_mat y;                  /* R x C: what attention reads out */
    ng_mat z, h, h_grad;       /* R x 4C */
} ngi_block;

typedef struct {
    ng_model model;
    const ngi_gpt_kernels *kernels;
    size_t vocabulary, context, width, heads, blocks;
    int tied;
    size_t wte, wpe, head; /* parameters; linear layer */
    ngi_block *block;
    ngi_norm last;
    ng_mat *x, *g;         /* nodes of the residual stream, R x C */
    ng_mat scratch;        /* R x C */
    ng_mat attention;      /* context x context */
    int *tokens, *targets; /* R */
} ngi_gpt;

ng_status ngi_gpt_forward(ng_model *model, ng_error *error);
ng_status ngi_gpt_backward(ng_model *model, ng_error *error);
ng_status ngi_gpt_tangent(ng_model *model, ng_mat dz, ng_mat v, ng_error *error);

/* y and p from qkv_z; qkv_g from the derivative y_grad at y; how y goes, dy, from dqkv. */
ng_status ngi_attention(const ngi_gpt *gpt, const ngi_block *block, ng_error *error);
ng_status ngi_attention_backward(const ngi_gpt *gpt, const ngi_block *block, ng_mat y_grad,
                                 ng_error *error);
ng_status ngi_attention_tangent(const ngi_gpt *gpt, const ngi_block *block, ng_mat dy, ng_mat dqkv,
                                ng_error *error);

#endif
