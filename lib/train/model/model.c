/* The calls of natgrad/train/model.h, whatever the kind, but for the losses. */
#include "lib/train/model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

/* ---- Life -------------------------------------------------------------------- */

const char *ng_model_kind(const ng_model *model)
{
    return model->kind->name;
}

size_t ng_model_max_batch(const ng_model *model)
{
    return model->max_batch;
}

static ng_status check(const ngi_model_kind *kind, const void *options, ng_error *error)
{
    char init[32];
    snprintf(init, sizeof init, "ng_%s_init", kind->name);
    TRY(ngi_options_check(options, kind->options_size, kind->fields, kind->field_count, init,
                          error));
    return kind->check != NULL ? kind->check(options, error) : NG_OK;
}

static ng_status fill(ng_model *model, const void *options, ng_error *error)
{
    const ngi_model_kind *kind = model->kind;
    model->dtype = ((const ngi_options *)options)->dtype;
    model->options = ngi_options_copy(options, kind->fields, kind->field_count);
    if (model->options == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the options of a model");
    return kind->create(model, options, error);
}

/* A model without its matrices. */
static ng_status create_bare(ng_model **model, const ngi_model_kind *kind, const void *options,
                             ng_error *error)
{
    TRY(check(kind, options, error));
    ng_model *m = calloc(1, kind->size);
    if (m == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a model: %s", kind->name);
    m->kind = kind;
    ng_status status = fill(m, options, error);
    if (status == NG_OK)
        *model = m;
    else
        ng_model_destroy(m);
    return status;
}

ng_status ngi_model_create(ng_model **model, const ngi_model_kind *kind, const void *options,
                           ng_error *error)
{
    *model = NULL;
    TRY(create_bare(model, kind, options, error));
    ng_status status = ngi_plan_carry_out(*model, options, error);
    if (status != NG_OK) {
        ng_model_destroy(*model);
        *model = NULL;
    }
    return status;
}

ng_status ngi_model_measure(size_t *elements, size_t *bytes, const ngi_model_kind *kind,
                            const void *options, ng_error *error)
{
    ng_model *model;
    ngi_plan dry;
    TRY(create_bare(&model, kind, options, error));
    ngi_plan_measure(&dry, model, options);
    *elements = dry.elements;
    *bytes = dry.bytes;
    ng_model_destroy(model);
    return NG_OK;
}

void ng_model_destroy(ng_model *model)
{
    if (model == NULL)
        return;
    if (model->kind->destroy != NULL)
        model->kind->destroy(model);
    ng_work_destroy(&model->memory);
    ng_work_destroy(&model->tangents.memory);
    free(model->param);
    free(model->linear);
    free(model->options);
    free(model);
}

/* ---- Weights at the start ----------------------------------------------------- */

/* m <- independent N(0, variance), row by row, drawn in double whatever the dtype */
static void fill_normal(ng_mat m, const ng_random *random, double variance)
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

ng_status ng_model_initialise(ng_model *model, const ng_random *random, ng_error *error)
{
    if (random == NULL || random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "random: no fill_normal");
    for (size_t i = 0; i < model->params; i++) {
        ngi_model_parameter *p = &model->param[i];
        if (p->variance > 0)
            fill_normal(p->w, random, p->variance);
        else
            ng_fill(p->w, p->value);
    }
    return NG_OK;
}

/* ---- The passes ---------------------------------------------------------------- */

ng_mat ng_model_input(const ng_model *model, size_t batch)
{
    if (batch <= model->max_batch)
        return ngi_rows(model->input, batch);
    ng_mat none = {NULL, 0, model->input.cols, model->input.cols, model->dtype};
    return none;
}

ng_status ng_model_forward(ng_model *model, size_t batch, ng_error *error)
{
    model->stage = STAGE_NONE;
    model->batch = 0;
    if (batch == 0 || batch > model->max_batch)
        return ng_error_set(error, NG_ESHAPE, "batch: %zu rows, not in 1 ... %zu", batch,
                            model->max_batch);
    model->batch = batch;
    TRY(model->kind->forward(model, error));
    model->stage = STAGE_FORWARD;
    return NG_OK;
}

ng_mat ng_model_output(const ng_model *model)
{
    return ngi_rows(model->logits, model->stage < STAGE_FORWARD ? 0 : model->batch * model->places);
}

ng_status ng_model_backward(ng_model *model, ng_error *error)
{
    if (model->stage < STAGE_LOSS)
        return ng_error_set(error, NG_ENODATA, "backward: no loss since the last forward pass");
    model->stage = STAGE_FORWARD;
    TRY(model->kind->backward(model, error));
    model->stage = STAGE_BACKWARD;
    return NG_OK;
}

/* ---- Parameters and layers ------------------------------------------------------ */

size_t ng_model_parameters(const ng_model *model)
{
    return model->params;
}

ng_status ng_model_parameter(const ng_model *model, ng_model_param *parameter, size_t i,
                             ng_error *error)
{
    if (i >= model->params)
        return ng_error_set(error, NG_EARG, "parameter: %zu of %zu", i, model->params);
    const ngi_model_parameter *p = &model->param[i];
    *parameter = (ng_model_param){p->name, p->w, p->dw, p->blocks};
    return NG_OK;
}

size_t ng_model_layers(const ng_model *model)
{
    return model->layers;
}

ng_status ng_model_layer(const ng_model *model, ng_model_linear *layer, size_t i, ng_error *error)
{
    if (i >= model->layers)
        return ng_error_set(error, NG_EARG, "layer: %zu of %zu", i, model->layers);
    const ngi_linear *l = &model->linear[i];
    size_t rows = model->batch * l->places;
    *layer = (ng_model_linear){
        .name = l->name,
        .weight = l->weight,
        .bias = l->bias,
        .inputs = ngi_rows(l->a, model->stage < STAGE_FORWARD ? 0 : rows),
        .outputs_grad = ngi_rows(l->g, model->stage < STAGE_BACKWARD ? 0 : rows),
        .scale = l->scale * (double)model->batch,
        .shared = l->shared,
    };
    return NG_OK;
}
