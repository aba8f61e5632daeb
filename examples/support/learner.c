#include "examples/support/learner.h"

#include <stdlib.h>
#include <string.h>

static ng_status optimizer_error(learner *l, ng_status status)
{
    return ng_error_set(&l->error, status, "%s", ng_optimizer_error(l->opt));
}

static ng_model_param parameter(const learner *l, size_t i)
{
    ng_model_param p;
    ng_model_parameter(l->model, &p, i, NULL);
    return p;
}

static ng_model_linear layer(const learner *l, size_t i)
{
    ng_model_linear layer;
    ng_model_layer(l->model, &layer, i, NULL);
    return layer;
}

static ng_status add_rest(learner *l)
{
    if (l->rest != NULL)
        return NG_OK;
    void *adamw = methods_options(l->settings, ng_preset_find("adamw"));
    if (adamw == NULL)
        return ng_error_set(&l->error, NG_ENOMEM, "no options of adamw");
    ng_status status = ng_optimizer_add_group(l->opt, &l->rest, adamw);
    free(adamw);
    return status;
}

/* Of a whole layer, or in l->rest, made when there is one. */
static ng_status add_unless_captured(learner *l, size_t i)
{
    ng_model_param p = parameter(l, i);
    for (size_t k = 0; k < ng_model_layers(l->model); k++)
        if (!layer(l, k).shared && (layer(l, k).weight == i || layer(l, k).bias == i))
            return NG_OK;
    ng_status status = add_rest(l);
    return status == NG_OK ? ng_group_add(l->rest, NULL, p.name, p.w, p.dw) : status;
}

static ng_status add_layers(learner *l, const void *options)
{
    size_t layers = ng_model_layers(l->model), index;
    ng_status status = ng_optimizer_add_group(l->opt, &l->method, options);
    l->captures = l->method;
    for (size_t i = 0; i < layers && status == NG_OK; i++) {
        ng_model_linear it = layer(l, i);
        ng_model_param w = parameter(l, it.weight);
        l->captured[i] = NG_MODEL_NONE;
        if (it.shared)
            continue;
        status = ng_group_add(l->captures, &index, w.name, w.w, w.dw);
        if (status == NG_OK && it.bias != NG_MODEL_NONE)
            status = ng_group_add_bias(l->captures, index, parameter(l, it.bias).w,
                                       parameter(l, it.bias).dw);
        l->captured[i] = index;
    }
    for (size_t i = 0; i < ng_model_parameters(l->model) && status == NG_OK; i++)
        status = add_unless_captured(l, i);
    return status;
}

/* Parameter i to the method's group or the other, by ng_policy; a fused weight
 * that goes to the method goes there block by block. */
static ng_status add_matrix(const ng_policy *policy, ng_model_param p)
{
    size_t outputs[8];
    int whole = p.blocks == 1 || p.blocks > 8 || policy->matrix == policy->rest ||
                ng_policy_elementwise(p.name, p.w);
    for (size_t i = 0; i < p.blocks && !whole; i++)
        outputs[i] = p.w.rows / p.blocks;
    return whole ? ng_policy_add(policy, NULL, NULL, p.name, p.w, p.dw)
                 : ng_group_add_blocks(policy->matrix, NULL, p.name, p.w, p.dw, outputs, p.blocks,
                                       NG_OUT_IN);
}

static ng_status add_matrices(learner *l, const ng_preset *preset, const void *options)
{
    ng_policy policy;
    ng_status status = ng_optimizer_add_group(l->opt, &l->method, options);
    int alone = ng_method_elementwise(preset->method);
    if (status == NG_OK && !alone)
        status = add_rest(l);
    if (status != NG_OK)
        return status;
    ng_group *rest = alone ? l->method : l->rest;
    size_t head = layer(l, ng_model_layers(l->model) - 1).weight;
    ng_policy_rule last = {parameter(l, head).name, rest};
    ng_policy_init(&policy, l->method, rest);
    policy.rules = &last;
    policy.rule_count = 1;
    for (size_t i = 0; i < ng_model_parameters(l->model) && status == NG_OK; i++)
        status = add_matrix(&policy, parameter(l, i));
    return status;
}

static ng_status create_optimizer(learner *l, const ng_preset *preset, const void *options)
{
    ng_status status = ng_optimizer_create(&l->opt, NULL);
    if (status != NG_OK)
        return ng_error_set(&l->error, status, "cannot create an optimizer");
    status = ng_options_want_capture(options) ? add_layers(l, options)
                                              : add_matrices(l, preset, options);
    return status == NG_OK || l->error.status != NG_OK ? status : optimizer_error(l, status);
}

ng_status learner_create(learner *l, ng_model *model, const ng_random *random,
                         const ng_preset *preset, const void *options, const methods *settings)
{
    memset(l, 0, sizeof *l);
    l->model = model;
    l->settings = settings;
    l->captured = malloc(ng_model_layers(model) * sizeof *l->captured);
    if (l->captured == NULL)
        return ng_error_set(&l->error, NG_ENOMEM, "no memory for %zu layers",
                            ng_model_layers(model));
    ng_status status = ng_model_initialise(model, random, &l->error);
    return status == NG_OK ? create_optimizer(l, preset, options) : status;
}

void learner_destroy(learner *l)
{
    ng_optimizer_destroy(l->opt);
    ng_model_destroy(l->model);
    free(l->captured);
    l->opt = NULL;
    l->model = NULL;
    l->captured = NULL;
}

static ng_status capture(learner *l)
{
    ng_status status = NG_OK;
    for (size_t i = 0; l->captures != NULL && i < ng_model_layers(l->model) && status == NG_OK;
         i++) {
        ng_model_linear it = layer(l, i);
        if (l->captured[i] != NG_MODEL_NONE)
            status =
                ng_group_capture(l->captures, l->captured[i], it.inputs, it.outputs_grad, it.scale);
    }
    return status;
}

ng_status learner_forward(learner *l, double *loss, double *share, int *labels,
                          const ng_dataset *data, const size_t *index, size_t batch)
{
    size_t correct;
    ng_status status =
        ng_dataset_gather(data, ng_model_input(l->model, batch), labels, index, batch, &l->error);
    if (status == NG_OK)
        status = ng_model_forward(l->model, batch, &l->error);
    if (status == NG_OK)
        status = ng_model_loss_labels(l->model, loss, &correct, labels, batch, &l->error);
    if (status == NG_OK)
        *share = (double)correct / (double)ng_model_output(l->model).rows;
    return status;
}

static ng_status update(learner *l)
{
    ng_status status = ng_optimizer_step(l->opt);
    return status == NG_OK ? NG_OK : optimizer_error(l, status);
}

ng_status learner_capture(learner *l)
{
    ng_status status = ng_model_backward(l->model, &l->error);
    if (status == NG_OK && (status = capture(l)) != NG_OK)
        status = optimizer_error(l, status);
    return status;
}

ng_status learner_step(learner *l)
{
    ng_status status = ng_model_backward(l->model, &l->error);
    return status == NG_OK ? update(l) : status;
}

ng_status learner_capture_step(learner *l)
{
    ng_status status = learner_capture(l);
    return status == NG_OK ? update(l) : status;
}

int learner_diverged(ng_status status)
{
    return status == NG_ENONFINITE || status == NG_ERANGE || status == NG_ESINGULAR;
}
