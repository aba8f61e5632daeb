/* Forward and backward pass of the transformer, and its tangents. */
#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/model/gpt/gpt.h"

static size_t rows_of(const ngi_gpt *gpt)
{
    return gpt->model.batch * gpt->context;
}

static void *weight(const ngi_gpt *gpt, size_t param)
{
    return gpt->model.param[param].w.data;
}

static void *grad(const ngi_gpt *gpt, size_t param)
{
    return gpt->model.param[param].dw.data;
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

/* out <- how the norm's output goes as x goes along dx and its own parameters along v */
static void normalise_tangent(const ngi_gpt *gpt, const ngi_norm *norm, ng_mat out, ng_mat dx,
                              ng_mat x, ng_mat v)
{
    ng_mat dw = ngi_direction(&gpt->model, v, norm->ln_w),
           db = ngi_direction(&gpt->model, v, norm->ln_b);
    gpt->kernels->norm_tangent(rows_of(gpt), x.cols, out.data, dx.data, dw.data, db.data, x.data,
                               norm->stats.data, weight(gpt, norm->ln_w));
}

/* z <- in + bias + A W^T; in.data may be NULL */
static ng_status affine(const ngi_gpt *gpt, size_t layer, ng_mat z, ng_mat in, ng_error *error)
{
    const ngi_linear *l = &gpt->model.linear[layer];
    gpt->kernels->add_bias(rows_of(gpt), z.cols, z.data, in.data, weight(gpt, l->bias));
    return ngi_linear_product(&gpt->model, layer, z, 1, error);
}

/* Bias and weight gradients; a_grad <- the derivative at the inputs. */
static ng_status affine_backward(const ngi_gpt *gpt, size_t layer, ng_mat a_grad, ng_error *error)
{
    const ngi_linear *l = &gpt->model.linear[layer];
    gpt->kernels->column_sums(rows_of(gpt), l->g.cols, grad(gpt, l->bias), l->g.data);
    return ngi_linear_gradient(&gpt->model, layer, a_grad, error);
}

static const ng_mat nothing = {NULL, 0, 0, 0, NG_F32};

/* ---- Forward ------------------------------------------------------------------- */

static ng_status embed(const ngi_gpt *gpt, ng_error *error)
{
    size_t rows = rows_of(gpt);
    ng_mat input = gpt->model.input;
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
    normalise(gpt, &b->norm1, x[0]);
    TRY(affine(gpt, b->qkv, b->qkv_z, nothing, error));
    TRY(ngi_attention(gpt, b, error));
    TRY(affine(gpt, b->proj, x[1], x[0], error));
    normalise(gpt, &b->norm2, x[1]);
    TRY(ngi_linear_forward(&gpt->model, b->fc, b->z, b->h, NG_ACTIVATION_GELU, error));
    return affine(gpt, b->out, x[2], x[1], error);
}

ng_status ngi_gpt_forward(ng_model *model, ng_error *error)
{
    const ngi_gpt *gpt = (const ngi_gpt *)model;
    TRY(embed(gpt, error));
    for (size_t i = 0; i < gpt->blocks; i++)
        TRY(block_forward(gpt, i, error));
    normalise(gpt, &gpt->last, gpt->x[2 * gpt->blocks]);
    return ngi_linear_product(model, gpt->head, model->logits, 0, error);
}

/* ---- Backward ------------------------------------------------------------------ */

static ng_status block_backward(const ngi_gpt *gpt, size_t i, ng_error *error)
{
    const ngi_block *b = &gpt->block[i];
    const ng_mat *x = &gpt->x[2 * i], *g = &gpt->g[2 * i];
    TRY(affine_backward(gpt, b->out, b->h_grad, error));
    TRY(ngi_linear_backward(&gpt->model, b->fc, gpt->scratch, b->z, b->h, NG_ACTIVATION_GELU,
                            error));
    normalise_backward(gpt, &b->norm2, g[1], g[2], gpt->scratch, x[1]);
    TRY(affine_backward(gpt, b->proj, gpt->scratch, error));
    TRY(ngi_attention_backward(gpt, b, gpt->scratch, error));
    TRY(affine_backward(gpt, b->qkv, gpt->scratch, error));
    normalise_backward(gpt, &b->norm1, g[0], g[1], gpt->scratch, x[0]);
    return NG_OK;
}

ng_status ngi_gpt_backward(ng_model *model, ng_error *error)
{
    const ngi_gpt *gpt = (const ngi_gpt *)model;
    size_t top = 2 * gpt->blocks;
    ng_fill(model->param[gpt->wte].dw, 0); /* a tied head overwrites it */
    TRY(ngi_linear_gradient(model, gpt->head, gpt->scratch, error));
    normalise_backward(gpt, &gpt->last, gpt->g[top], nothing, gpt->scratch, gpt->x[top]);
    for (size_t i = gpt->blocks; i-- > 0;)
        TRY(block_backward(gpt, i, error));
    gpt->kernels->embed_backward(rows_of(gpt), gpt->width, gpt->context, gpt->vocabulary,
                                 grad(gpt, gpt->wte), grad(gpt, gpt->wpe), gpt->g[0].data,
                                 gpt->tokens);
    return NG_OK;
}

/* ---- Tangents ------------------------------------------------------------------ */

/* dx: how the residual stream goes, from node to node; a: scratch of its size */
static ng_status block_tangent(const ngi_gpt *gpt, size_t i, ng_mat dx, ng_mat a, ng_mat v,
                               ng_error *error)
{
    const ng_model *m = &gpt->model;
    const ngi_block *b = &gpt->block[i];
    ng_mat dqkv = ngi_tangent_room(m, 1, dx.rows, b->qkv_z.cols),
           dh = ngi_tangent_room(m, 1, dx.rows, b->z.cols);
    normalise_tangent(gpt, &b->norm1, a, dx, gpt->x[2 * i], v);
    TRY(ngi_linear_tangent(m, b->qkv, dqkv, a, v, 0, error));
    TRY(ngi_attention_tangent(gpt, b, a, dqkv, error));
    TRY(ngi_linear_tangent(m, b->proj, dx, a, v, 1, error));
    normalise_tangent(gpt, &b->norm2, a, dx, gpt->x[2 * i + 1], v);
    TRY(ngi_linear_tangent(m, b->fc, dh, a, v, 0, error));
    ngi_activation_tangent(m, dh, b->z, b->h, NG_ACTIVATION_GELU);
    return ngi_linear_tangent(m, b->out, dx, dh, v, 1, error);
}

ng_status ngi_gpt_tangent(ng_model *model, ng_mat dz, ng_mat v, ng_error *error)
{
    const ngi_gpt *gpt = (const ngi_gpt *)model;
    size_t rows = rows_of(gpt);
    ng_mat dx = ngi_tangent_room(model, 0, rows, gpt->width), a = ngi_rows(gpt->scratch, rows);
    gpt->kernels->embed(rows, gpt->width, gpt->context, dx.data, gpt->tokens,
                        ngi_direction(model, v, gpt->wte).data,
                        ngi_direction(model, v, gpt->wpe).data);
    for (size_t i = 0; i < gpt->blocks; i++)
        TRY(block_tangent(gpt, i, dx, a, v, error));
    normalise_tangent(gpt, &gpt->last, a, dx, gpt->x[2 * gpt->blocks], v);
    return ngi_linear_tangent(model, gpt->head, dz, a, v, 0, error);
}
