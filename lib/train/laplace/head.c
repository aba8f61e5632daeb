/* The last layer by itself: a generalised linear model of what it sees, convex. */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"

enum { CHUNK = 256 }; /* samples at a time */

/* ---- Weights ------------------------------------------------------------------------ */

typedef struct {
    ng_mat weight, bias; /* bias without rows: none */
} parameters;

static ng_status find(parameters *p, const ng_model *model, ng_error *error)
{
    ng_model_linear layer;
    ng_model_param of;
    TRY(ng_model_layer(model, &layer, ng_model_layers(model) - 1, error));
    TRY(ng_model_parameter(model, &of, layer.weight, error));
    p->weight = of.w;
    p->bias = ng_mat_none();
    if (layer.bias == NG_MODEL_NONE)
        return NG_OK;
    TRY(ng_model_parameter(model, &of, layer.bias, error));
    p->bias = of.w;
    return NG_OK;
}

ng_status ngi_head_read(const ng_model *model, ng_mat w, ng_error *error)
{
    parameters p;
    TRY(find(&p, model, error));
    TRY(ng_copy(ng_mat_block(w, 0, 0, w.rows, p.weight.cols), p.weight, error));
    for (size_t i = 0; i < p.bias.cols; i++)
        ng_mat_set(w, i, w.cols - 1, ng_mat_get(p.bias, 0, i));
    return NG_OK;
}

ng_status ngi_head_write(ng_model *model, ng_mat w, ng_error *error)
{
    parameters p;
    TRY(find(&p, model, error));
    TRY(ng_copy(p.weight, ng_mat_block(w, 0, 0, w.rows, p.weight.cols), error));
    for (size_t i = 0; i < p.bias.cols; i++)
        ng_mat_set(p.bias, 0, i, ng_mat_get(w, i, w.cols - 1));
    if (!ng_is_finite(p.weight) || !ng_is_finite(p.bias))
        return ng_error_set(error, NG_ERANGE, "refit: weights overflow the model's data type");
    return NG_OK;
}

/* ---- A pass over the samples ----------------------------------------------------------- */

typedef struct {
    ng_mat z, d, r, h, scaled; /* CHUNK x k, the same, k x k, CHUNK x k^2, CHUNK x c */
} scratch;

static ng_status allocate(scratch *c, size_t k, size_t inputs, ngi_heap *heap, ng_error *error)
{
    TRY(ngi_heap_mat(heap, &c->z, CHUNK, k, error));
    TRY(ngi_heap_mat(heap, &c->d, CHUNK, k, error));
    TRY(ngi_heap_mat(heap, &c->r, k, k, error));
    TRY(ngi_heap_mat(heap, &c->h, CHUNK, k * k, error));
    return ngi_heap_mat(heap, &c->scaled, CHUNK, inputs, error);
}

/* h (1 x k^2) <- the Fisher matrix at the logits z */
static void fisher_at(const ngi_likelihood *likelihood, size_t k, double *h, double *r, double *z)
{
    likelihood->mean(k, z, z);
    likelihood->root(k, r, z);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) {
            h[i * k + j] = 0;
            for (size_t c = 0; c < k; c++)
                h[i * k + j] += r[c * k + i] * r[c * k + j];
        }
}

/* Block (i, j), i >= j, of f, the weights of outputs i and j: += a^T diag(h_ij) a. */
static ng_status add_block(ng_mat f, scratch *c, ng_mat a, size_t k, size_t i, size_t j,
                           ng_error *error)
{
    size_t n = a.cols;
    const double *h = c->h.data;
    ng_mat scaled = ng_mat_block(c->scaled, 0, 0, a.rows, n);
    for (size_t r = 0; r < a.rows; r++)
        for (size_t q = 0; q < n; q++)
            ng_mat_set(scaled, r, q, ng_mat_get(a, r, q) * h[r * k * k + i * k + j]);
    return ng_gemm(ng_mat_block(f, i * n, j * n, n, n), a, NG_TRANS, scaled, NG_NOTRANS, 1, 1,
                   error);
}

static ng_status add_fisher(ng_mat f, const ng_laplace *l, scratch *c, ng_mat a, ng_error *error)
{
    size_t k = c->z.cols;
    for (size_t r = 0; r < a.rows; r++)
        fisher_at(l->likelihood, k, (double *)c->h.data + r * k * k, c->r.data,
                  (double *)c->z.data + r * k);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++)
            TRY(add_block(f, c, a, k, i, j, error));
    return NG_OK;
}

/* Samples first ... of one chunk. */
static ng_status add_chunk(const ng_laplace *l, const ngi_samples *s, double *loss, ng_mat gradient,
                           ng_mat f, ng_mat w, size_t first, scratch *c, ng_error *error)
{
    size_t n = s->count - first < CHUNK ? s->count - first : CHUNK, k = w.rows;
    ng_mat a = ng_mat_block(s->a, first, 0, n, s->a.cols), d = ng_mat_block(c->d, 0, 0, n, k);
    TRY(ng_gemm(ng_mat_block(c->z, 0, 0, n, k), a, NG_NOTRANS, w, NG_TRANS, 1, 0, error));
    for (size_t i = 0; i < n; i++)
        *loss += l->likelihood->loss(k, (double *)d.data + i * k, (double *)c->z.data + i * k,
                                     s->labels[first + i],
                                     (const double *)s->t.data + (s->t.rows > 0) * (first + i) * k);
    if (gradient.rows > 0)
        TRY(ng_gemm(gradient, d, NG_TRANS, a, NG_NOTRANS, 1, 1, error));
    return f.rows > 0 ? add_fisher(f, l, c, a, error) : NG_OK;
}

static ng_status pass(const ng_laplace *l, const ngi_samples *s, double *loss, ng_mat gradient,
                      ng_mat f, ng_mat w, ngi_heap *heap, ng_error *error)
{
    scratch c;
    TRY(allocate(&c, w.rows, w.cols, heap, error));
    *loss = 0;
    ng_fill(gradient, 0);
    ng_fill(f, 0);
    for (size_t i = 0; i < s->count; i += CHUNK)
        TRY(add_chunk(l, s, loss, gradient, f, w, i, &c, error));
    for (size_t i = 0; i < f.rows; i++)
        for (size_t j = i + 1; j < f.cols; j++)
            ng_mat_set(f, i, j, ng_mat_get(f, j, i));
    if (!isfinite(*loss) || !ng_is_finite(gradient) || !ng_is_finite(f))
        return ng_error_set(error, NG_ENONFINITE, "the loss of the last layer is %g", *loss);
    return NG_OK;
}

ng_status ngi_head_pass(const ng_laplace *l, const ngi_samples *s, double *loss, ng_mat gradient,
                        ng_mat fisher, ng_mat w, ng_error *error)
{
    ngi_heap heap = {NULL};
    return ngi_heap_close(&heap, pass(l, s, loss, gradient, fisher, w, &heap, error));
}
