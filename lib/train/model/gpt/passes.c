/* Forward and backward pass of the transformer. */
#include <natgrad/linalg.h>

#include "lib/train/model/gpt/gpt.h"
#include "lib/train/model/mlp/internal.h"

static size_t rows_of(const ngi_gpt *gpt)
{
    return gpt->flat.batch * gpt->context;
}

static void *weight(const ngi_gpt *gpt, size_t param)
{
    return gpt->flat.param[param].w.data;
}

static void *grad(const ngi_gpt *gpt, size_t param)
{
    return gpt->flat.param[param].dw.data;
}

static void normalise(const ngi_gpt *gpt, const ngi_norm *norm, ng_mat x)
{
    gpt->kernels->norm(rows_of(gpt), x.cols, norm->out.data, norm->stats.data, x.data,
                       weight(gpt, norm->ln_w), weight(gpt, norm->ln_b));
}

/* dx <- in + the derivative at x, where g is the one at the norm's output */
static void normalise_backward(const ngi_gpt *gpt, const ngi_norm *norm, ng_mat dx, ng_mat in,
                               ng_mat g, ng_mat x)
{
    gpt->kernels->norm_backward(rows_of(gpt), x.cols, dx.data, grad(gpt, norm->ln_w),
                                grad(gpt, norm->ln_b), in.data, g.data, x.data, norm->stats.data,
                                weight(gpt, norm->ln_w));
}

/* z <- in + bias + A W^T; in.data may be NULL */
static ng_status affine(const ngi_gpt *gpt, size_t layer, ng_mat z, ng_mat in, ng_error *error)
{
    const ngi_linear *l = &gpt->flat.linear[layer];
    gpt->kernels->add_bias(rows_of(gpt), z.cols, z.data, in.data, weight(gpt, l->bias));
    return ngi_linear_forward(&gpt->flat, layer, z, error);
}

/* Bias and weight gradients; a_grad <- the derivative at the inputs. */
static ng_status affine_backward(const ngi_gpt *gpt, size_t layer, ng_mat a_grad, ng_error *error)
{
    const ngi_linear *l = &gpt->flat.linear[layer];
    gpt->kernels->column_sums(rows_of(gpt), l->g.cols, grad(gpt, l->bias), l->g.data);
    return ngi_linear_backward(&gpt->flat, layer, a_grad, error);
}

static const ng_mat nothing = {NULL, 0, 0, 0, NG_F32};

/* ---- Forward ------------------------------------------------------------------- */

static ng_status embed(const ngi_gpt *gpt, ng_error *error)
{
    size_t rows = rows_of(gpt);
    ng_mat input = gpt->flat.input;
    size_t bad = gpt->kernels->tokens(rows, gpt->tokens, input.data, gpt->vocabulary);
    if (bad < rows)
        return ng_error_set(
            error, NG_EARG, "input: row %zu, position %zu is %g, no token 0 ... %zu",
            bad / gpt->context, bad % gpt->context,
            ng_mat_get(input, bad / gpt->context, bad % gpt->context), gpt->vocabulary - 1);
    gpt->kernels->embed(rows, gpt->width, gpt->context, gpt->x[0].data, gpt->tokens,
                        weight(gpt, gpt->wte), weight(gpt, gpt->wpe));
    return NG_OK;
}

static ng_status block_forward(const ngi_gpt *gpt, size_t i, ng_error *error)
{
    const ngi_block *b = &gpt->block[i];
    const ng_mat *x = &gpt->x[2 * i];
    const ngi_activation *gelu = ngi_activation_find(NG_ACTIVATION_GELU);
    normalise(gpt, &b->norm1, x[0]);
    ng_status status = affine(gpt, b->qkv, b->qkv_z, nothing, error);
    if (status == NG_OK)
        status = ngi_attention(gpt, b, error);
    if (status == NG_OK)
        status = affine(gpt, b->proj, x[1], x[0], error);
    if (status != NG_OK)
        return status;
    normalise(gpt, &b->norm2, x[1]);
    const ngi_linear *fc = &gpt->flat.linear[b->fc];
    size_t rows = rows_of(gpt);
    status = ng_gemm(ngi_rows(b->z, rows), ngi_rows(fc->a, rows), NG_NOTRANS,
                     gpt->flat.param[fc->weight].w, NG_TRANS, 1, 0, error);
    if (status != NG_OK)
        return status;
    gelu->forward[gpt->flat.dtype](rows, b->z.cols, b->z.data, b->h.data, weight(gpt, fc->bias));
    return affine(gpt, b->out, x[2], x[1], error);
}

ng_status ngi_gpt_forward(ng_model *model, size_t batch, ng_error *error)
{
    ngi_gpt *gpt = (ngi_gpt *)model;
    ng_status status = ngi_flat_begin(&gpt->flat, batch, error);
    if (status == NG_OK)
        status = embed(gpt, error);
    for (size_t i = 0; i < gpt->blocks && status == NG_OK; i++)
        status = block_forward(gpt, i, error);
    if (status != NG_OK)
        return status;
    normalise(gpt, &gpt->last, gpt->x[2 * gpt->blocks]);
    const ngi_linear *head = &gpt->flat.linear[gpt->head];
    size_t rows = rows_of(gpt);
    status = ng_gemm(ngi_rows(gpt->flat.logits, rows), ngi_rows(head->a, rows), NG_NOTRANS,
                     gpt->flat.param[head->weight].w, NG_TRANS, 1, 0, error);
    if (status == NG_OK)
        gpt->flat.stage = STAGE_FORWARD;
    return status;
}

/* ---- Backward ------------------------------------------------------------------ */

static ng_status block_backward(const ngi_gpt *gpt, size_t i, ng_error *error)
{
    const ngi_block *b = &gpt->block[i];
    const ng_mat *x = &gpt->x[2 * i], *g = &gpt->g[2 * i];
    const ngi_activation *gelu = ngi_activation_find(NG_ACTIVATION_GELU);
    const ngi_linear *fc = &gpt->flat.linear[b->fc];
    ng_status status = affine_backward(gpt, b->out, b->h_grad, error);
    if (status != NG_OK)
        return status;
    gelu->backward[gpt->flat.dtype](rows_of(gpt), b->z.cols, b->h_grad.data, grad(gpt, fc->bias),
                                    b->z.data, b->h.data);
    status = ngi_linear_backward(&gpt->flat, b->fc, gpt->scratch, error);
    if (status != NG_OK)
        return status;
    normalise_backward(gpt, &b->norm2, g[1], g[2], gpt->scratch, x[1]);
    status = affine_backward(gpt, b->proj, gpt->scratch, error);
    if (status == NG_OK)
        status = ngi_attention_backward(gpt, b, gpt->scratch, error);
    if (status == NG_OK)
        status = affine_backward(gpt, b->qkv, gpt->scratch, error);
    if (status == NG_OK)
        normalise_backward(gpt, &b->norm1, g[0], g[1], gpt->scratch, x[0]);
    return status;
}

ng_status ngi_gpt_backward(ng_model *model, ng_error *error)
{
    ngi_gpt *gpt = (ngi_gpt *)model;
    size_t top = 2 * gpt->blocks;
    if (gpt->flat.stage < STAGE_LOSS)
        return ng_error_set(error, NG_ENODATA, "backward: no loss since the last forward pass");
    gpt->flat.stage = STAGE_FORWARD;
    ng_fill(gpt->flat.param[gpt->wte].dw, 0); /* a tied head overwrites it */
    ng_status status = ngi_linear_backward(&gpt->flat, gpt->head, gpt->scratch, error);
    if (status != NG_OK)
        return status;
    normalise_backward(gpt, &gpt->last, gpt->g[top], nothing, gpt->scratch, gpt->x[top]);
    for (size_t i = gpt->blocks; i-- > 0;) {
        status = block_backward(gpt, i, error);
        if (status != NG_OK)
            return status;
    }
    /* a tied head has written its part of dwte */
    gpt->kernels->embed_backward(rows_of(gpt), gpt->width, gpt->context, gpt->vocabulary,
                                 grad(gpt, gpt->wte), grad(gpt, gpt->wpe), gpt->g[0].data,
                                 gpt->tokens);
    gpt->flat.stage = STAGE_BACKWARD;
    return NG_OK;
}
