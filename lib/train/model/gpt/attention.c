/* Causal attention, one head of one sample at a time: q, k, v (context x
 * C/heads) are strided blocks of qkv_z, so nothing is copied. */
#include "lib/train/model/gpt/gpt.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

/* Block `part` (0 q, 1 k, 2 v; 0 of y) of head j in sample i. */
static ng_mat head(const ngi_gpt *gpt, ng_mat m, size_t i, size_t j, size_t part)
{
    size_t size = gpt->width / gpt->heads;
    return ng_mat_block(m, i * gpt->context, part * gpt->width + j * size, gpt->context, size);
}

static ng_mat probabilities(const ngi_gpt *gpt, const ngi_block *block, size_t i, size_t j)
{
    return ng_mat_block(block->p, (i * gpt->heads + j) * gpt->context, 0, gpt->context,
                        gpt->context);
}

static double temper(const ngi_gpt *gpt)
{
    return 1 / sqrt((double)(gpt->width / gpt->heads));
}

static ng_status forward(const ngi_gpt *gpt, const ngi_block *block, size_t i, size_t j,
                         ng_error *error)
{
    ng_mat p = probabilities(gpt, block, i, j), m = block->qkv_z;
    TRY(ng_gemm(p, head(gpt, m, i, j, 0), NG_NOTRANS, head(gpt, m, i, j, 1), NG_TRANS, temper(gpt),
                0, error));
    gpt->kernels->causal_softmax(gpt->context, p.data);
    return ng_gemm(head(gpt, block->y, i, j, 0), p, NG_NOTRANS, head(gpt, m, i, j, 2), NG_NOTRANS,
                   1, 0, error);
}

ng_status ngi_attention(const ngi_gpt *gpt, const ngi_block *block, ng_error *error)
{
    for (size_t i = 0; i < gpt->model.batch; i++)
        for (size_t j = 0; j < gpt->heads; j++)
            TRY(forward(gpt, block, i, j, error));
    return NG_OK;
}

/* P = softmax(q k^T / sqrt d), y = P v: dv = P^T dy, dP = dy v^T, dS by the
 * softmax, dq = dS k / sqrt d, dk = dS^T q / sqrt d. */
static ng_status backward(const ngi_gpt *gpt, const ngi_block *block, ng_mat y_grad, size_t i,
                          size_t j, ng_error *error)
{
    ng_mat p = probabilities(gpt, block, i, j), ds = gpt->attention;
    ng_mat z = block->qkv_z, g = block->qkv_g, dy = head(gpt, y_grad, i, j, 0);
    TRY(ng_gemm(head(gpt, g, i, j, 2), p, NG_TRANS, dy, NG_NOTRANS, 1, 0, error));
    TRY(ng_gemm(ds, dy, NG_NOTRANS, head(gpt, z, i, j, 2), NG_TRANS, 1, 0, error));
    gpt->kernels->softmax_jacobian(gpt->context, ds.data, p.data);
    TRY(ng_gemm(head(gpt, g, i, j, 0), ds, NG_NOTRANS, head(gpt, z, i, j, 1), NG_NOTRANS,
                temper(gpt), 0, error));
    return ng_gemm(head(gpt, g, i, j, 1), ds, NG_TRANS, head(gpt, z, i, j, 0), NG_NOTRANS,
                   temper(gpt), 0, error);
}

ng_status ngi_attention_backward(const ngi_gpt *gpt, const ngi_block *block, ng_mat y_grad,
                                 ng_error *error)
{
    for (size_t i = 0; i < gpt->model.batch; i++)
        for (size_t j = 0; j < gpt->heads; j++)
            TRY(backward(gpt, block, y_grad, i, j, error));
    return NG_OK;
}

/* dS = (dq k^T + q dk^T) / sqrt d, dP by the softmax, dy = dP v + P dv. */
static ng_status tangent(const ngi_gpt *gpt, const ngi_block *block, ng_mat dy, ng_mat dqkv,
                         size_t i, size_t j, ng_error *error)
{
    ng_mat p = probabilities(gpt, block, i, j), dp = gpt->attention, z = block->qkv_z;
    dy = head(gpt, dy, i, j, 0);
    TRY(ng_gemm(dp, head(gpt, dqkv, i, j, 0), NG_NOTRANS, head(gpt, z, i, j, 1), NG_TRANS,
                temper(gpt), 0, error));
    TRY(ng_gemm(dp, head(gpt, z, i, j, 0), NG_NOTRANS, head(gpt, dqkv, i, j, 1), NG_TRANS,
                temper(gpt), 1, error));
    gpt->kernels->softmax_jacobian(gpt->context, dp.data, p.data);
    TRY(ng_gemm(dy, dp, NG_NOTRANS, head(gpt, z, i, j, 2), NG_NOTRANS, 1, 0, error));
    return ng_gemm(dy, p, NG_NOTRANS, head(gpt, dqkv, i, j, 2), NG_NOTRANS, 1, 1, error);
}

ng_status ngi_attention_tangent(const ngi_gpt *gpt, const ngi_block *block, ng_mat dy, ng_mat dqkv,
                                ng_error *error)
{
    for (size_t i = 0; i < gpt->model.batch; i++)
        for (size_t j = 0; j < gpt->heads; j++)
            TRY(tangent(gpt, block, dy, dqkv, i, j, error));
    return NG_OK;
}
