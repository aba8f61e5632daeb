/* Linear layers: products with the weights, bias and activation. */
#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"

static size_t rows_of(const ng_model *model, const ngi_linear *layer)
{
    return model->batch * layer->places;
}

ng_status ngi_linear_product(const ng_model *model, size_t layer, ng_mat z, double beta,
                             ng_error *error)
{
    const ngi_linear *l = &model->linear[layer];
    size_t rows = rows_of(model, l);
    return ng_gemm(ngi_rows(z, rows), ngi_rows(l->a, rows), NG_NOTRANS, model->param[l->weight].w,
                   NG_TRANS, 1, beta, error);
}

ng_status ngi_linear_forward(const ng_model *model, size_t layer, ng_mat z, ng_mat h,
                             ng_activation activation, ng_error *error)
{
    const ngi_linear *l = &model->linear[layer];
    TRY(ngi_linear_product(model, layer, z, 0, error));
    ngi_activation_find(activation)
        ->forward[z.dtype](rows_of(model, l), z.cols, z.data, h.data, model->param[l->bias].w.data);
    return NG_OK;
}

ng_status ngi_linear_gradient(const ng_model *model, size_t layer, ng_mat a_grad, ng_error *error)
{
    const ngi_linear *l = &model->linear[layer];
    const ngi_model_parameter *p = &model->param[l->weight];
    size_t rows = rows_of(model, l);
    ng_mat g = ngi_rows(l->g, rows);
    TRY(ng_gemm(p->dw, g, NG_TRANS, ngi_rows(l->a, rows), NG_NOTRANS, 1, 0, error));
    if (a_grad.data == NULL)
        return NG_OK;
    return ng_gemm(ngi_rows(a_grad, rows), g, NG_NOTRANS, p->w, NG_NOTRANS, 1, 0, error);
}

ng_status ngi_linear_tangent(const ng_model *model, size_t layer, ng_mat dz, ng_mat da, ng_mat v,
                             double beta, ng_error *error)
{
    const ngi_linear *l = &model->linear[layer];
    size_t rows = rows_of(model, l);
    TRY(ng_gemm(dz, ngi_rows(l->a, rows), NG_NOTRANS, ngi_direction(model, v, l->weight), NG_TRANS,
                1, beta, error));
    if (da.data != NULL)
        TRY(ng_gemm(dz, da, NG_NOTRANS, model->param[l->weight].w, NG_TRANS, 1, 1, error));
    if (l->bias == NG_MODEL_NONE)
        return NG_OK;
    return ng_gemm(dz, ngi_rows(model->tangents.ones, rows), NG_NOTRANS,
                   ngi_direction(model, v, l->bias), NG_NOTRANS, 1, 1, error);
}

/* The kernel of the way back; nobody reads its column sums. */
void ngi_activation_tangent(const ng_model *model, ng_mat dz, ng_mat z, ng_mat h,
                            ng_activation activation)
{
    ngi_activation_find(activation)
        ->backward[dz.dtype](dz.rows, dz.cols, dz.data, model->tangents.row.data, z.data, h.data);
}

ng_status ngi_linear_backward(const ng_model *model, size_t layer, ng_mat a_grad, ng_mat z,
                              ng_mat h, ng_activation activation, ng_error *error)
{
    const ngi_linear *l = &model->linear[layer];
    ngi_activation_find(activation)
        ->backward[z.dtype](rows_of(model, l), z.cols, l->g.data, model->param[l->bias].dw.data,
                            z.data, h.data);
    return ngi_linear_gradient(model, layer, a_grad, error);
}
