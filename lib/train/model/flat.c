/* The base of models with flat parameters: memory, views, loss, and the
 * products of a linear layer. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/train/model/model.h"
#include "lib/train/model/mlp/internal.h"

/* ---- Memory: one block, cut by a plan ------------------------------------------- */

static size_t add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

ng_mat ngi_plan_buffer(ngi_plan *plan, size_t rows, size_t cols)
{
    ng_mat m = {NULL, rows, cols, cols, plan->flat->dtype};
    if (plan->dry)
        plan->bytes = add(plan->bytes, ng_work_mat_size(rows, cols, m.dtype));
    else
        ng_work_mat(&plan->flat->memory, &m, rows, cols, m.dtype, NULL);
    return m;
}

int *ngi_plan_ints(ngi_plan *plan, size_t count)
{
    size_t size = count > SIZE_MAX / sizeof(int) ? SIZE_MAX : count * sizeof(int);
    void *ints = NULL;
    if (plan->dry)
        plan->bytes = add(plan->bytes, ng_work_bytes_size(size));
    else
        ng_work_bytes(&plan->flat->memory, &ints, size, NULL);
    return ints;
}

size_t ngi_plan_param(ngi_plan *plan, size_t rows, size_t cols, double variance, double value,
                      const char *prefix, const char *suffix)
{
    size_t index = plan->params++;
    if (plan->dry) {
        plan->elements = add(plan->elements, cols > SIZE_MAX / rows ? SIZE_MAX : rows * cols);
        return index;
    }
    ngi_param *p = &plan->flat->param[index];
    snprintf(p->name, sizeof p->name, "%s.%s", prefix, suffix);
    p->w = ng_mat_take(&plan->w, rows, cols);
    p->dw = ng_mat_take(&plan->dw, rows, cols);
    p->variance = variance;
    p->value = value;
    p->blocks = 1;
    return index;
}

void ngi_plan_linear(ngi_plan *plan, const char *name, const ngi_linear *layer)
{
    size_t index = plan->layers++;
    if (plan->dry)
        return;
    plan->flat->linear[index] = *layer;
    snprintf(plan->flat->linear[index].name, sizeof layer->name, "%s", name);
}

ng_status ngi_flat_allocate(ngi_flat *flat, void (*lay_out)(ngi_plan *plan, const void *options),
                            const void *options, ng_error *error)
{
    ngi_plan dry = {.flat = flat, .dry = 1}, real = {.flat = flat};
    lay_out(&dry, options);
    flat->params = dry.params;
    flat->layers = dry.layers;
    flat->param = calloc(dry.params, sizeof *flat->param);
    flat->linear = calloc(dry.layers, sizeof *flat->linear);
    if (flat->param == NULL || flat->linear == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu layers", dry.layers);
    size_t flat_bytes = ng_work_mat_size(1, dry.elements, flat->dtype);
    ng_status status =
        ng_work_create(&flat->memory, add(dry.bytes, add(flat_bytes, flat_bytes)), error);
    if (status != NG_OK)
        return status;
    memset(flat->memory.data, 0, flat->memory.size);
    ng_work_mat(&flat->memory, &flat->w, 1, dry.elements, flat->dtype, NULL);
    ng_work_mat(&flat->memory, &flat->dw, 1, dry.elements, flat->dtype, NULL);
    real.w = flat->w;
    real.dw = flat->dw;
    lay_out(&real, options);
    return NG_OK;
}

void ngi_flat_release(ngi_flat *flat)
{
    ng_work_destroy(&flat->memory);
    free(flat->param);
    free(flat->linear);
}

/* ---- Slots ------------------------------------------------------------------------ */

ng_status ngi_flat_initialise(ng_model *model, const ng_random *random, ng_error *error)
{
    ngi_flat *f = (ngi_flat *)model;
    ng_status status = ngi_normal_check(random, error);
    for (size_t i = 0; i < f->params && status == NG_OK; i++) {
        ngi_param *p = &f->param[i];
        if (p->variance > 0)
            ngi_fill_normal(p->w, random, p->variance);
        else
            ng_fill(p->w, p->value);
    }
    return status;
}

ng_mat ngi_flat_input(const ng_model *model, size_t batch)
{
    const ngi_flat *f = (const ngi_flat *)model;
    if (batch <= f->max_batch)
        return ngi_rows(f->input, batch);
    ng_mat none = {NULL, 0, f->input.cols, f->input.cols, f->dtype};
    return none;
}

ng_mat ngi_flat_output(const ng_model *model)
{
    const ngi_flat *f = (const ngi_flat *)model;
    return ngi_rows(f->logits, f->stage < STAGE_FORWARD ? 0 : f->batch * f->places);
}

size_t ngi_flat_parameters(const ng_model *model)
{
    return ((const ngi_flat *)model)->params;
}

void ngi_flat_parameter(const ng_model *model, ng_model_param *parameter, size_t i)
{
    const ngi_param *p = &((const ngi_flat *)model)->param[i];
    const ng_model_param view = {p->name, p->w, p->dw, p->blocks};
    *parameter = view;
}

size_t ngi_flat_layers(const ng_model *model)
{
    return ((const ngi_flat *)model)->layers;
}

void ngi_flat_layer(const ng_model *model, ng_model_linear *layer, size_t i)
{
    const ngi_flat *f = (const ngi_flat *)model;
    const ngi_linear *l = &f->linear[i];
    size_t rows = f->batch * l->places;
    const ng_model_linear view = {
        .name = l->name,
        .weight = l->weight,
        .bias = l->bias,
        .inputs = ngi_rows(l->a, f->stage < STAGE_FORWARD ? 0 : rows),
        .outputs_grad = ngi_rows(l->g, f->stage < STAGE_BACKWARD ? 0 : rows),
        .scale = l->scale * (double)f->batch,
        .shared = l->shared,
    };
    *layer = view;
}

/* ---- The passes ---------------------------------------------------------------------- */

ng_status ngi_flat_begin(ngi_flat *flat, size_t batch, ng_error *error)
{
    flat->stage = STAGE_NONE;
    flat->batch = 0;
    if (batch == 0 || batch > flat->max_batch)
        return ng_error_set(error, NG_ESHAPE, "batch: %zu rows, not in 1 ... %zu", batch,
                            flat->max_batch);
    flat->batch = batch;
    return NG_OK;
}

static ng_status nonfinite(const ngi_flat *f, double loss, ng_error *error)
{
    const char *text = "softmax loss is %g: NaN or infinity in %s";
    if (!ng_is_finite(ngi_rows(f->input, f->batch)))
        return ng_error_set(error, NG_ENONFINITE, text, loss, "the input");
    for (size_t i = 0; i < f->params; i++)
        if (!ng_is_finite(f->param[i].w))
            return ng_error_set(error, NG_ENONFINITE, text, loss, f->param[i].name);
    for (size_t i = 0; i < f->layers; i++)
        if (!ng_is_finite(ngi_rows(f->linear[i].a, f->batch * f->linear[i].places)))
            return ng_error_set(error, NG_ENONFINITE,
                                "softmax loss is %g: the inputs of %s overflow", loss,
                                f->linear[i].name);
    return ng_error_set(error, NG_ENONFINITE, "softmax loss is %g: the logits overflow", loss);
}

ng_status ngi_flat_loss(ngi_flat *flat, double *loss, size_t *correct, const int *labels,
                        ng_error *error)
{
    size_t rows = flat->batch * flat->places, hits = 0, classes = flat->logits.cols;
    flat->stage = STAGE_FORWARD;
    for (size_t i = 0; i < rows; i++)
        if (labels[i] < 0 || (size_t)labels[i] >= classes)
            return ng_error_set(error, NG_EARG, "labels: row %zu is %d, not in 0 ... %zu", i,
                                labels[i], classes - 1);
    *loss = ngi_softmax_loss(ngi_rows(flat->linear[flat->layers - 1].g, rows), &hits,
                             ngi_rows(flat->logits, rows), labels, 1.0 / (double)rows) /
            (double)rows;
    if (correct != NULL)
        *correct = hits;
    if (!isfinite(*loss))
        return nonfinite(flat, *loss, error);
    flat->stage = STAGE_LOSS;
    return NG_OK;
}

ng_status ngi_linear_forward(const ngi_flat *flat, size_t layer, ng_mat z, ng_error *error)
{
    const ngi_linear *l = &flat->linear[layer];
    size_t rows = flat->batch * l->places;
    return ng_gemm(ngi_rows(z, rows), ngi_rows(l->a, rows), NG_NOTRANS, flat->param[l->weight].w,
                   NG_TRANS, 1, 1, error);
}

ng_status ngi_linear_backward(const ngi_flat *flat, size_t layer, ng_mat a_grad, ng_error *error)
{
    const ngi_linear *l = &flat->linear[layer];
    const ngi_param *p = &flat->param[l->weight];
    size_t rows = flat->batch * l->places;
    ng_mat g = ngi_rows(l->g, rows);
    ng_status status = ng_gemm(p->dw, g, NG_TRANS, ngi_rows(l->a, rows), NG_NOTRANS, 1, 0, error);
    if (status != NG_OK || a_grad.data == NULL)
        return status;
    return ng_gemm(ngi_rows(a_grad, rows), g, NG_NOTRANS, p->w, NG_NOTRANS, 1, 0, error);
}
