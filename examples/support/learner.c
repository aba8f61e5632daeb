#include "examples/support/learner.h"

#include <string.h>

static const double REST_LR = 1e-3;

static ng_status optimizer_error(learner *l, ng_status status)
{
    return ng_error_set(&l->error, status, "%s", ng_optimizer_error(l->opt));
}

/* Whole layers, weights and biases, to a method that asks for their statistics. */
static ng_status add_layers(learner *l, const void *options)
{
    ng_status status = ng_optimizer_add_group(l->opt, &l->captures, options);
    for (size_t i = 0; i < ng_net_layers(l->net) && status == NG_OK; i++) {
        ng_layer layer;
        size_t index;
        ng_net_layer(l->net, &layer, i, NULL);
        status =
            ng_group_add(l->captures, &index, layer.weight_name, layer.weight, layer.weight_grad);
        if (status == NG_OK)
            status = ng_group_add_bias(l->captures, index, layer.bias, layer.bias_grad);
    }
    return status;
}

/* Hidden weights to the method; biases and the last layer to AdamW at the same
 * learning rate whatever the method, unless the method is element-wise itself. */
static ng_status add_matrices(learner *l, const ng_preset *preset, const void *options)
{
    ng_adamw_options adamw;
    ng_group *hidden, *rest;
    ng_adamw_init(&adamw);
    adamw.lr = REST_LR;
    ng_status status = ng_optimizer_add_group(l->opt, &hidden, options);
    rest = hidden;
    if (status == NG_OK && !ng_method_elementwise(preset->method))
        status = ng_optimizer_add_group(l->opt, &rest, &adamw);
    for (size_t i = 0; i < ng_net_layers(l->net) && status == NG_OK; i++) {
        ng_layer layer;
        int last = i + 1 == ng_net_layers(l->net);
        ng_net_layer(l->net, &layer, i, NULL);
        status = ng_group_add(last ? rest : hidden, NULL, layer.weight_name, layer.weight,
                              layer.weight_grad);
        if (status == NG_OK)
            status = ng_group_add(rest, NULL, layer.bias_name, layer.bias, layer.bias_grad);
    }
    return status;
}

static ng_status create_optimizer(learner *l, const ng_preset *preset, const void *options)
{
    ng_status status = ng_optimizer_create(&l->opt, NULL);
    if (status != NG_OK)
        return ng_error_set(&l->error, status, "cannot create an optimizer");
    status = ng_options_want_capture(options) ? add_layers(l, options)
                                              : add_matrices(l, preset, options);
    return status == NG_OK ? NG_OK : optimizer_error(l, status);
}

ng_status learner_create(learner *l, const ng_net_options *net, const ng_random *random,
                         const ng_preset *preset, const void *options)
{
    memset(l, 0, sizeof *l);
    ng_status status = ng_net_create(&l->net, net, &l->error);
    if (status == NG_OK)
        status = ng_net_initialise(l->net, random, &l->error);
    return status == NG_OK ? create_optimizer(l, preset, options) : status;
}

void learner_destroy(learner *l)
{
    ng_optimizer_destroy(l->opt);
    ng_net_destroy(l->net);
    l->opt = NULL;
    l->net = NULL;
}

/* Loss and gradients are means over the batch, so that a sample's own output
 * gradient is `batch` times its row of outputs_grad. */
static ng_status capture(learner *l)
{
    ng_status status = NG_OK;
    for (size_t i = 0; l->captures != NULL && i < ng_net_layers(l->net) && status == NG_OK; i++) {
        ng_layer layer;
        ng_net_layer(l->net, &layer, i, NULL);
        status = ng_group_capture(l->captures, i, layer.inputs, layer.outputs_grad,
                                  (double)layer.inputs.rows);
    }
    return status;
}

static ng_status update(learner *l)
{
    ng_status status = ng_optimizer_step(l->opt);
    return status == NG_OK ? NG_OK : optimizer_error(l, status);
}

ng_status learner_capture(learner *l)
{
    ng_status status = ng_net_backward(l->net, &l->error);
    if (status == NG_OK && (status = capture(l)) != NG_OK)
        status = optimizer_error(l, status);
    return status;
}

ng_status learner_step(learner *l)
{
    ng_status status = ng_net_backward(l->net, &l->error);
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
