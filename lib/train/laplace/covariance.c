/* The covariance of the logits, J Sigma J^T, of the linearised model. */
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

/* tau in units of F for s = 1: Sigma = s (N F + damping I)^-1 */
static double damping(const ng_laplace *l)
{
    return l->info.prior_precision * l->info.noise_variance;
}

/* ---- The last layer: a^T Sigma a, block by block ----------------------------------------- */

static ng_status invert(ng_laplace *l, ngi_heap *heap, ng_error *error)
{
    size_t n = l->info.parameters;
    ng_mat one;
    TRY(ngi_heap_mat(heap, &one, n, n, error));
    ng_set_identity(one);
    TRY(ng_fisher_solve(l->block[0].f, l->covariance, one, damping(l), error));
    ng_scale(l->covariance, l->info.noise_variance);
    return NG_OK;
}

ng_status ngi_laplace_finish(ng_laplace *l, ng_error *error)
{
    size_t n = l->info.parameters;
    ngi_heap heap = {NULL};
    if (l->info.structure == NG_LAPLACE_KRON)
        return NG_OK;
    TRY(ngi_heap_mat(&l->memory, &l->covariance, n, n, error));
    return ngi_heap_close(&heap, invert(l, &heap, error));
}

/* Columns (i, j) and (j, i) of c <- a_r^T Sigma_ij a_r. t: as a. */
static ng_status between(ng_mat c, const ng_laplace *l, size_t i, size_t j, ng_mat a, ng_mat t,
                         ng_error *error)
{
    size_t n = a.cols, k = l->model->logits.cols;
    ng_mat block = ng_mat_block(l->covariance, i * n, j * n, n, n);
    TRY(ng_gemm(t, a, NG_NOTRANS, block, NG_NOTRANS, 1, 0, error));
    for (size_t r = 0; r < a.rows; r++) {
        double value = ng_dot(ng_mat_block(t, r, 0, 1, n), ng_mat_block(a, r, 0, 1, n));
        ng_mat_set(c, r, i * k + j, value);
        ng_mat_set(c, r, j * k + i, value);
    }
    return NG_OK;
}

static ng_status last(ng_mat c, ng_laplace *l, ngi_heap *heap, ng_error *error)
{
    ng_model_linear layer;
    ng_mat a, t;
    TRY(ng_model_layer(l->model, &layer, l->block[0].layer, error));
    size_t in = layer.inputs.cols, n = in + (layer.bias != NG_MODEL_NONE);
    TRY(ngi_heap_mat(heap, &a, c.rows, n, error));
    TRY(ngi_heap_mat(heap, &t, c.rows, n, error));
    ng_fill(a, 1);
    TRY(ng_copy(ng_mat_block(a, 0, 0, c.rows, in), layer.inputs, error));
    for (size_t i = 0; i < l->model->logits.cols; i++)
        for (size_t j = 0; j <= i; j++)
            TRY(between(c, l, i, j, a, t, error));
    return NG_OK;
}

/* ---- All layers -------------------------------------------------------------------------------
 */

/* A layer's derivatives of the k logits, each (batch * places) x out. */
typedef struct {
    ng_mat a;
    ng_mat g; /* k of them, one below the other */
} jacobian;

/* The jacobians of all blocks, from k backward passes. */
static ng_status differentiate(jacobian *of, ng_laplace *l, size_t batch, ngi_heap *heap,
                               ng_error *error)
{
    size_t k = l->model->logits.cols;
    ng_mat d;
    TRY(ngi_heap_mat(heap, &d, batch, k, error));
    for (size_t c = 0; c < k; c++) {
        ng_fill(d, 0);
        ng_fill(ng_mat_block(d, 0, c, batch, 1), 1);
        TRY(ng_model_loss_gradient(l->model, d, error));
        TRY(ng_model_backward(l->model, error));
        for (size_t i = 0; i < l->blocks; i++) {
            ng_model_linear layer;
            TRY(ng_model_layer(l->model, &layer, l->block[i].layer, error));
            size_t rows = layer.inputs.rows, out = layer.outputs_grad.cols;
            if (c == 0) {
                TRY(ngi_heap_mat(heap, &of[i].a, rows, layer.inputs.cols, error));
                TRY(ngi_heap_mat(heap, &of[i].g, k * rows, out, error));
                TRY(ng_copy(of[i].a, layer.inputs, error));
            }
            TRY(ng_copy(ng_mat_block(of[i].g, c * rows, 0, rows, out), layer.outputs_grad, error));
        }
    }
    return NG_OK;
}

/* covariance += what block i says of it */
static ng_status add_block(ng_mat covariance, ng_laplace *l, size_t i, const jacobian *of,
                           ngi_heap *heap, ng_error *error)
{
    ng_mat values;
    TRY(ngi_heap_mat(heap, &values, covariance.rows, covariance.cols, error));
    TRY(ng_fisher_inverse_layer(l->block[i].f, values, of->a, of->g, damping(l), error));
    return ng_axpby(covariance, values, l->info.noise_variance, 1, error);
}

static ng_status all(ng_mat covariance, ng_laplace *l, ngi_heap *heap, ng_error *error)
{
    jacobian *of = calloc(l->blocks, sizeof *of);
    if (of == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu layers", l->blocks);
    ng_status status = differentiate(of, l, covariance.rows, heap, error);
    for (size_t i = 0; i < l->blocks && status == NG_OK; i++) {
        ngi_heap rows = {NULL};
        status = ngi_heap_close(&rows, add_block(covariance, l, i, &of[i], &rows, error));
    }
    free(of);
    return status;
}

ng_status ngi_laplace_covariance(ng_mat covariance, ng_laplace *l, ngi_heap *heap, ng_error *error)
{
    return l->info.structure == NG_LAPLACE_KRON ? all(covariance, l, heap, error)
                                                : last(covariance, l, heap, error);
}
