/* F of every block: of the last layer directly, of all layers from one backward
 * pass for each row of the root of the Fisher matrix at the logits. */
#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

/* ---- The last layer ----------------------------------------------------------------- */

static ng_status last(ng_laplace *l, const ngi_samples *s, ngi_heap *heap, ng_error *error)
{
    size_t k = l->model->logits.cols, n = k * s->a.cols;
    double loss;
    ng_mat w, dense;
    TRY(ngi_heap_mat(heap, &w, k, s->a.cols, error));
    TRY(ngi_heap_mat(heap, &dense, n, n, error));
    TRY(ngi_head_read(l->model, w, error));
    TRY(ngi_head_pass(l, s, &loss, ng_mat_none(), dense, w, error));
    return ng_fisher_set(l->block[0].f, dense, (double)s->count, error);
}

/* ---- All layers --------------------------------------------------------------------- */

ng_status ngi_layer_widen(ng_mat *a, ng_mat *g, const ng_model_linear *layer, ngi_heap *heap,
                          ng_error *error)
{
    TRY(ngi_heap_mat(heap, a, layer->inputs.rows, layer->inputs.cols, error));
    TRY(ngi_heap_mat(heap, g, layer->outputs_grad.rows, layer->outputs_grad.cols, error));
    TRY(ng_copy(*a, layer->inputs, error));
    return ng_copy(*g, layer->outputs_grad, error);
}

/* The layers' statistics of one backward pass, of `outputs` that make a batch. */
static ng_status add_layers(ng_laplace *l, size_t batch, int first, ngi_heap *heap, ng_error *error)
{
    ng_fisher_batch rule;
    TRY(ng_fisher_batch_init(&rule));
    rule.normalisation = NG_FISHER_SUM;
    rule.decay = first ? 0 : 1;
    for (size_t i = 0; i < l->blocks; i++) {
        ng_model_linear layer;
        ng_mat a, g;
        TRY(ng_model_layer(l->model, &layer, l->block[i].layer, error));
        TRY(ngi_layer_widen(&a, &g, &layer, heap, error));
        rule.scale = layer.scale / (double)batch;
        TRY(ng_fisher_accumulate_layer(l->block[i].f, a, g, ng_mat_none(), &rule, error));
    }
    return NG_OK;
}

/* roots (batch x k^2): of the Fisher matrices at the logits of the last forward pass */
static ng_status find_roots(ng_mat *roots, const ng_laplace *l, ngi_heap *heap, ng_error *error)
{
    ng_mat z = ng_model_output(l->model), p;
    size_t k = z.cols;
    TRY(ngi_heap_mat(heap, &p, z.rows, k, error));
    TRY(ngi_heap_mat(heap, roots, z.rows, k * k, error));
    TRY(ng_copy(p, z, error));
    for (size_t i = 0; i < z.rows; i++) {
        double *row = (double *)p.data + i * k;
        l->likelihood->mean(k, row, row);
        l->likelihood->root(k, (double *)roots->data + i * k * k, row);
    }
    return NG_OK;
}

static ng_status add_batch(ng_laplace *l, const ngi_samples *s, size_t first, size_t batch,
                           ngi_heap *heap, ng_error *error)
{
    ng_mat roots;
    size_t k = l->model->logits.cols;
    TRY(ngi_samples_forward(s, l->model, first, batch, error));
    TRY(find_roots(&roots, l, heap, error));
    for (size_t c = 0; c < k; c++) {
        ngi_heap layers = {NULL};
        TRY(ng_model_loss_gradient(l->model, ng_mat_block(roots, 0, c * k, batch, k), error));
        TRY(ng_model_backward(l->model, error));
        TRY(ngi_heap_close(&layers, add_layers(l, batch, first + c == 0, &layers, error)));
    }
    return NG_OK;
}

static ng_status all(ng_laplace *l, const ngi_samples *s, ng_error *error)
{
    size_t most = l->model->max_batch;
    for (size_t i = 0; i < s->count; i += most) {
        ngi_heap heap = {NULL};
        size_t batch = s->count - i < most ? s->count - i : most;
        TRY(ngi_heap_close(&heap, add_batch(l, s, i, batch, &heap, error)));
    }
    return NG_OK;
}

ng_status ngi_laplace_curvature(ng_laplace *l, const ngi_samples *s, ng_error *error)
{
    ngi_heap heap = {NULL};
    if (l->info.structure == NG_LAPLACE_KRON)
        return all(l, s, error);
    return ngi_heap_close(&heap, last(l, s, &heap, error));
}
