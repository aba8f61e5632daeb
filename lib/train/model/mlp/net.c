/* The net: its memory, its weights at the start, forward and backward pass. */
#include <natgrad/train/net.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/train/model/mlp/internal.h"

void ng_net_options_init(ng_net_options *options)
{
    const ng_net_options defaults = {
        .size = sizeof *options,
        .dtype = NG_F32,
        .activation = NG_ACTIVATION_RELU,
        .loss = NG_LOSS_SOFTMAX,
        .max_batch = 64,
    };
    *options = defaults;
}

static ng_status check_options(const ng_net_options *o, ng_error *error)
{
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "size: %zu, call ng_net_options_init first",
                            o->size);
    if (o->dtype != NG_F32 && o->dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "dtype: unknown dtype %d", (int)o->dtype);
    if (o->inputs == 0)
        return ng_error_set(error, NG_EOPTION, "inputs: must be at least 1");
    if (o->layers == 0 || o->widths == NULL)
        return ng_error_set(error, NG_EOPTION, "widths: at least one layer is needed");
    for (size_t i = 0; i < o->layers; i++)
        if (o->widths[i] == 0)
            return ng_error_set(error, NG_EOPTION, "widths: widths[%zu] is 0", i);
    if (ngi_activation_find(o->activation) == NULL)
        return ng_error_set(error, NG_EOPTION, "activation: unknown activation %d",
                            (int)o->activation);
    if (ng_loss_name(o->loss) == NULL)
        return ng_error_set(error, NG_EOPTION, "loss: unknown loss %d", (int)o->loss);
    if (o->max_batch == 0)
        return ng_error_set(error, NG_EOPTION, "max_batch: must be at least 1");
    return NG_OK;
}

/* ---- Memory: one block, cut into matrices ----------------------------------- */

/* a + count matrices of rows x cols; SIZE_MAX if that does not fit */
static size_t add_bytes(size_t a, size_t count, size_t rows, size_t cols, ng_dtype dtype)
{
    size_t b = ng_work_mat_size(rows, cols, dtype);
    for (; count > 0; count--)
        a = a > SIZE_MAX - b ? SIZE_MAX : a + b;
    return a;
}

/* What cut_layers takes. */
static size_t total_bytes(const ng_net_options *o)
{
    size_t in = o->inputs, bytes = add_bytes(0, 1, o->max_batch, in, o->dtype);
    for (size_t i = 0; i < o->layers; i++) {
        size_t out = o->widths[i];
        bytes = add_bytes(bytes, 2, out, in, o->dtype);
        bytes = add_bytes(bytes, 2, 1, out, o->dtype);
        bytes = add_bytes(bytes, 3, o->max_batch, out, o->dtype);
        in = out;
    }
    return bytes;
}

static ng_status cut_layer(ng_net *net, ngi_layer *l, size_t in, size_t out, ng_error *error)
{
    const struct {
        ng_mat *mat;
        size_t rows, cols;
    } cuts[] = {
        {&l->weight, out, in},        {&l->weight_grad, out, in},   {&l->bias, 1, out},
        {&l->bias_grad, 1, out},      {&l->z, net->max_batch, out}, {&l->h, net->max_batch, out},
        {&l->g, net->max_batch, out},
    };
    ng_status status = NG_OK;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts && status == NG_OK; i++)
        status =
            ng_work_mat(&net->memory, cuts[i].mat, cuts[i].rows, cuts[i].cols, net->dtype, error);
    return status;
}

/* Input buffer and layers out of net->memory; the last layer is linear. */
static ng_status cut_layers(ng_net *net, const ng_net_options *o, ng_error *error)
{
    size_t in = o->inputs;
    ng_status status = ng_work_mat(&net->memory, &net->input, o->max_batch, in, o->dtype, error);
    for (size_t i = 0; i < o->layers && status == NG_OK; i++) {
        ngi_layer *l = &net->layer[i];
        snprintf(l->name, sizeof l->name, "fc%zu", i + 1);
        snprintf(l->weight_name, sizeof l->weight_name, "%s.weight", l->name);
        snprintf(l->bias_name, sizeof l->bias_name, "%s.bias", l->name);
        l->activation =
            ngi_activation_find(i + 1 < o->layers ? o->activation : NG_ACTIVATION_LINEAR);
        status = cut_layer(net, l, in, o->widths[i], error);
        in = o->widths[i];
    }
    return status;
}

ng_status ng_net_create(ng_net **net, const ng_net_options *options, ng_error *error)
{
    *net = NULL;
    ng_status status = check_options(options, error);
    if (status != NG_OK)
        return status;
    ng_net *n = calloc(1, sizeof *n);
    if (n == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a net");
    n->model.table = &ngi_net_table;
    n->dtype = options->dtype;
    n->loss = options->loss;
    n->variance = ngi_activation_find(options->activation)->variance;
    n->max_batch = options->max_batch;
    n->layers = options->layers;
    n->layer = calloc(n->layers, sizeof *n->layer);
    if (n->layer == NULL) {
        status = ng_error_set(error, NG_ENOMEM, "no memory for %zu layers", n->layers);
        goto fail;
    }
    status = ng_work_create(&n->memory, total_bytes(options), error);
    if (status != NG_OK)
        goto fail;
    memset(n->memory.data, 0, n->memory.size);
    status = cut_layers(n, options, error);
    if (status != NG_OK)
        goto fail;
    *net = n;
    return NG_OK;
fail:
    ng_net_destroy(n);
    return status;
}

void ng_net_destroy(ng_net *net)
{
    if (net == NULL)
        return;
    ng_work_destroy(&net->memory);
    free(net->layer);
    free(net);
}

/* ---- Weights at the start --------------------------------------------------- */

ng_status ng_net_initialise(ng_net *net, const ng_random *random, ng_error *error)
{
    ng_status status = ngi_normal_check(random, error);
    for (size_t i = 0; i < net->layers && status == NG_OK; i++) {
        ngi_layer *l = &net->layer[i];
        ngi_fill_normal(l->weight, random,
                        net->variance((double)l->weight.cols, (double)l->weight.rows));
        ng_fill(l->bias, 0);
    }
    return status;
}

/* ---- The passes ------------------------------------------------------------- */

ng_mat ng_net_input(const ng_net *net, size_t batch)
{
    if (batch <= net->max_batch)
        return ngi_rows(net->input, batch);
    ng_mat none = {NULL, 0, net->input.cols, net->input.cols, net->dtype};
    return none;
}

/* A of layer i (batch x in) */
static ng_mat layer_inputs(const ng_net *net, size_t i)
{
    return ngi_rows(i == 0 ? net->input : net->layer[i - 1].h, net->batch);
}

ng_status ng_net_forward(ng_net *net, size_t batch, ng_error *error)
{
    net->stage = STAGE_NONE;
    net->batch = 0;
    if (batch == 0 || batch > net->max_batch)
        return ng_error_set(error, NG_ESHAPE, "batch: %zu rows, not in 1 ... %zu", batch,
                            net->max_batch);
    net->batch = batch;
    for (size_t i = 0; i < net->layers; i++) {
        ngi_layer *l = &net->layer[i];
        ng_status status = ng_gemm(ngi_rows(l->z, batch), layer_inputs(net, i), NG_NOTRANS,
                                   l->weight, NG_TRANS, 1, 0, error);
        if (status != NG_OK)
            return status;
        l->activation->forward[net->dtype](batch, l->z.cols, l->z.data, l->h.data, l->bias.data);
    }
    net->stage = STAGE_FORWARD;
    return NG_OK;
}

ng_mat ng_net_output(const ng_net *net)
{
    return ngi_rows(net->layer[net->layers - 1].z, net->stage < STAGE_FORWARD ? 0 : net->batch);
}

/* On the way in g is the derivative at phi(z), for the last layer (linear) at
 * the logits; phi' makes it the derivative at z. */
ng_status ng_net_backward(ng_net *net, ng_error *error)
{
    if (net->stage < STAGE_LOSS)
        return ng_error_set(error, NG_ENODATA, "backward: no loss since the last forward pass");
    net->stage = STAGE_FORWARD;
    for (size_t i = net->layers; i-- > 0;) {
        ngi_layer *l = &net->layer[i];
        ng_mat g = ngi_rows(l->g, net->batch);
        l->activation->backward[net->dtype](g.rows, g.cols, g.data, l->bias_grad.data, l->z.data,
                                            l->h.data);
        ng_status status =
            ng_gemm(l->weight_grad, g, NG_TRANS, layer_inputs(net, i), NG_NOTRANS, 1, 0, error);
        if (status == NG_OK && i > 0)
            status = ng_gemm(ngi_rows(net->layer[i - 1].g, net->batch), g, NG_NOTRANS, l->weight,
                             NG_NOTRANS, 1, 0, error);
        if (status != NG_OK)
            return status;
    }
    net->stage = STAGE_BACKWARD;
    return NG_OK;
}

/* ---- Layers ----------------------------------------------------------------- */

size_t ng_net_layers(const ng_net *net)
{
    return net->layers;
}

ng_status ng_net_layer(const ng_net *net, ng_layer *layer, size_t i, ng_error *error)
{
    if (i >= net->layers)
        return ng_error_set(error, NG_EARG, "layer: %zu of %zu", i, net->layers);
    const ngi_layer *l = &net->layer[i];
    const ng_layer view = {
        .name = l->name,
        .weight_name = l->weight_name,
        .bias_name = l->bias_name,
        .weight = l->weight,
        .weight_grad = l->weight_grad,
        .bias = l->bias,
        .bias_grad = l->bias_grad,
        .inputs = ngi_rows(layer_inputs(net, i), net->stage < STAGE_FORWARD ? 0 : net->batch),
        .outputs_grad = ngi_rows(l->g, net->stage < STAGE_BACKWARD ? 0 : net->batch),
    };
    *layer = view;
    return NG_OK;
}
