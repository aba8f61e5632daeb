/* The calls of natgrad/train/model.h. */
#include "lib/train/model/model.h"

#include <math.h>

void ng_model_destroy(ng_model *model)
{
    if (model != NULL)
        model->table->destroy(model);
}

ng_status ng_model_initialise(ng_model *model, const ng_random *random, ng_error *error)
{
    return model->table->initialise(model, random, error);
}

ng_mat ng_model_input(const ng_model *model, size_t batch)
{
    return model->table->input(model, batch);
}

ng_status ng_model_forward(ng_model *model, size_t batch, ng_error *error)
{
    return model->table->forward(model, batch, error);
}

ng_mat ng_model_output(const ng_model *model)
{
    return model->table->output(model);
}

ng_status ng_model_loss_labels(ng_model *model, double *loss, size_t *correct, const int *labels,
                               size_t n, ng_error *error)
{
    return model->table->loss_labels(model, loss, correct, labels, n, error);
}

ng_status ng_model_loss_targets(ng_model *model, double *loss, ng_mat targets, ng_error *error)
{
    if (model->table->loss_targets == NULL)
        return ng_error_set(error, NG_EUNSUPPORTED, "softmax loss: call ng_model_loss_labels");
    return model->table->loss_targets(model, loss, targets, error);
}

ng_status ng_model_backward(ng_model *model, ng_error *error)
{
    return model->table->backward(model, error);
}

size_t ng_model_parameters(const ng_model *model)
{
    return model->table->parameters(model);
}

ng_status ng_model_parameter(const ng_model *model, ng_model_param *parameter, size_t i,
                             ng_error *error)
{
    size_t count = ng_model_parameters(model);
    if (i >= count)
        return ng_error_set(error, NG_EARG, "parameter: %zu of %zu", i, count);
    model->table->parameter(model, parameter, i);
    return NG_OK;
}

size_t ng_model_layers(const ng_model *model)
{
    return model->table->layers(model);
}

ng_status ng_model_layer(const ng_model *model, ng_model_linear *layer, size_t i, ng_error *error)
{
    size_t count = ng_model_layers(model);
    if (i >= count)
        return ng_error_set(error, NG_EARG, "layer: %zu of %zu", i, count);
    model->table->layer(model, layer, i);
    return NG_OK;
}

/* ---- Weights at the start ----------------------------------------------------- */

ng_status ngi_normal_check(const ng_random *random, ng_error *error)
{
    if (random == NULL || random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "random: no fill_normal");
    return NG_OK;
}

void ngi_fill_normal(ng_mat m, const ng_random *random, double variance)
{
    enum { CHUNK = 256 };
    double draws[CHUNK], deviation = sqrt(variance);
    for (size_t i = 0; i < m.rows; i++)
        for (size_t k = 0; k < m.cols; k += CHUNK) {
            size_t n = m.cols - k < CHUNK ? m.cols - k : CHUNK;
            random->fill_normal(random->data, draws, n);
            for (size_t j = 0; j < n; j++)
                ng_mat_set(m, i, k + j, deviation * draws[j]);
        }
}
