/* The memory of a model: one block, cut by its plan. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"

static size_t add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

ng_mat ngi_plan_buffer(ngi_plan *plan, size_t rows, size_t cols)
{
    ng_mat m = {NULL, rows, cols, cols, plan->model->dtype};
    if (plan->dry)
        plan->bytes = add(plan->bytes, ng_work_mat_size(rows, cols, m.dtype));
    else
        ng_work_mat(&plan->model->memory, &m, rows, cols, m.dtype, NULL);
    return m;
}

int *ngi_plan_ints(ngi_plan *plan, size_t count)
{
    size_t size = ngi_times(count, sizeof(int));
    void *ints = NULL;
    if (plan->dry)
        plan->bytes = add(plan->bytes, ng_work_bytes_size(size));
    else
        ng_work_bytes(&plan->model->memory, &ints, size, NULL);
    return ints;
}

size_t ngi_plan_param(ngi_plan *plan, size_t rows, size_t cols, double variance, double value,
                      const char *prefix, const char *suffix)
{
    size_t index = plan->params++;
    if (plan->dry) {
        plan->elements = add(plan->elements, ngi_times(rows, cols));
        return index;
    }
    ngi_model_parameter *p = &plan->model->param[index];
    snprintf(p->name, sizeof p->name, "%s.%s", prefix, suffix);
    p->w = ng_mat_take(&plan->w, rows, cols);
    p->dw = ng_mat_take(&plan->dw, rows, cols);
    p->variance = variance;
    p->value = value;
    p->blocks = 1;
    return index;
}

size_t ngi_plan_linear(ngi_plan *plan, const char *name, const ngi_linear *layer)
{
    size_t index = plan->layers++;
    if (plan->dry)
        return index;
    plan->model->linear[index] = *layer;
    snprintf(plan->model->linear[index].name, sizeof layer->name, "%s", name);
    return index;
}

size_t ngi_plan_affine(ngi_plan *plan, const char *name, double variance, ngi_linear layer)
{
    size_t out = layer.g.cols, in = layer.a.cols;
    layer.weight = ngi_plan_param(plan, out, in, variance, 0, name, "weight");
    layer.bias = ngi_plan_param(plan, 1, out, 0, 0, name, "bias");
    return ngi_plan_linear(plan, name, &layer);
}

void ngi_plan_measure(ngi_plan *dry, ng_model *model, const void *options)
{
    *dry = (ngi_plan){.model = model, .dry = 1};
    model->kind->lay_out(dry, options);
    model->params = dry->params;
    model->layers = dry->layers;
}

ng_status ngi_plan_carry_out(ng_model *model, const void *options, ng_error *error)
{
    ngi_plan dry, real = {.model = model};
    ngi_plan_measure(&dry, model, options);
    model->param = calloc(dry.params, sizeof *model->param);
    model->linear = calloc(dry.layers, sizeof *model->linear);
    if (model->param == NULL || model->linear == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu layers", dry.layers);
    size_t flat = ng_work_mat_size(1, dry.elements, model->dtype);
    TRY(ng_work_create(&model->memory, add(dry.bytes, add(flat, flat)), error));
    memset(model->memory.data, 0, model->memory.size);
    TRY(ng_work_mat(&model->memory, &model->w, 1, dry.elements, model->dtype, error));
    TRY(ng_work_mat(&model->memory, &model->dw, 1, dry.elements, model->dtype, error));
    real.w = model->w;
    real.dw = model->dw;
    model->kind->lay_out(&real, options);
    return NG_OK;
}
