/* The net behind natgrad/train/model.h. */
#include "lib/train/model/mlp/internal.h"

/* the model is the net's first member */
static ng_net *of(const ng_model *model)
{
    return (ng_net *)model;
}

static void destroy(ng_model *model)
{
    ng_net_destroy(of(model));
}

static ng_status initialise(ng_model *model, const ng_random *random, ng_error *error)
{
    return ng_net_initialise(of(model), random, error);
}

static ng_mat input(const ng_model *model, size_t batch)
{
    return ng_net_input(of(model), batch);
}

static ng_status forward(ng_model *model, size_t batch, ng_error *error)
{
    return ng_net_forward(of(model), batch, error);
}

static ng_mat output(const ng_model *model)
{
    return ng_net_output(of(model));
}

static ng_status loss_labels(ng_model *model, double *loss, size_t *correct, const int *labels,
                             size_t n, ng_error *error)
{
    return ng_net_loss_labels(of(model), loss, correct, labels, n, error);
}

static ng_status loss_targets(ng_model *model, double *loss, ng_mat targets, ng_error *error)
{
    return ng_net_loss_targets(of(model), loss, targets, error);
}

static ng_status backward(ng_model *model, ng_error *error)
{
    return ng_net_backward(of(model), error);
}

static size_t parameters(const ng_model *model)
{
    return 2 * of(model)->layers;
}

static void parameter(const ng_model *model, ng_model_param *parameter, size_t i)
{
    const ngi_layer *l = &of(model)->layer[i / 2];
    const ng_model_param weight = {l->weight_name, l->weight, l->weight_grad, 1};
    const ng_model_param bias = {l->bias_name, l->bias, l->bias_grad, 1};
    *parameter = i % 2 == 0 ? weight : bias;
}

static size_t layers(const ng_model *model)
{
    return of(model)->layers;
}

static void layer(const ng_model *model, ng_model_linear *layer, size_t i)
{
    ng_layer l;
    ng_net_layer(of(model), &l, i, NULL);
    const ng_model_linear view = {
        .name = l.name,
        .weight = 2 * i,
        .bias = 2 * i + 1,
        .inputs = l.inputs,
        .outputs_grad = l.outputs_grad,
        .scale = (double)of(model)->batch,
    };
    *layer = view;
}

const ngi_model ngi_net_table = {
    .destroy = destroy,
    .initialise = initialise,
    .input = input,
    .forward = forward,
    .output = output,
    .loss_labels = loss_labels,
    .loss_targets = loss_targets,
    .backward = backward,
    .parameters = parameters,
    .parameter = parameter,
    .layers = layers,
    .layer = layer,
};

ng_model *ng_net_model(ng_net *net)
{
    return &net->model;
}
