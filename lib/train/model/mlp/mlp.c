/* The feed-forward net: every layer linear, with an activation behind it. */
#include <natgrad/train/mlp.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"

typedef struct {
    ng_model model;
    ng_activation activation;
    ng_mat *z, *h; /* of each layer, max_batch x out: A W^T + b, phi(z) */
} mlp;

/* ---- Options -------------------------------------------------------------------- */

static const char *activation_text(size_t value)
{
    return ng_activation_name((ng_activation)value);
}

static const char *loss_text(size_t value)
{
    return ng_loss_name((ng_loss)value);
}

enum { MOST = 0x7fffffff }; /* what every BLAS counts to */

#define AT(name) offsetof(ng_mlp_options, name)
static const ngi_field fields[] = {
    {"inputs", NGI_COUNT, AT(inputs), .min = 1, .max = MOST},
    {"layers", NGI_COUNT, AT(layers), .min = 1, .max = 4096},
    {"widths", NGI_COUNTS, AT(widths), .min = 1, .max = MOST, .length = AT(layers)},
    {"activation", NGI_CHOICE, AT(activation), .value = NG_ACTIVATION_RELU,
     .text = activation_text},
    {"loss", NGI_CHOICE, AT(loss), .value = NG_LOSS_SOFTMAX, .text = loss_text},
    {"max_batch", NGI_COUNT, AT(max_batch), .value = 64, .min = 1, .max = MOST},
};
#undef AT

ng_status ng_mlp_init_sized(ng_mlp_options *options, size_t size)
{
    return ngi_options_init(options, size, sizeof *options, fields, sizeof fields / sizeof *fields);
}

/* ---- Memory --------------------------------------------------------------------- */

static ng_status create(ng_model *model, const void *options, ng_error *error)
{
    const ng_mlp_options *o = options;
    mlp *net = (mlp *)model;
    model->max_batch = o->max_batch;
    model->places = 1;
    model->loss = o->loss;
    net->activation = o->activation;
    net->z = calloc(o->layers, sizeof *net->z);
    net->h = calloc(o->layers, sizeof *net->h);
    if (net->z == NULL || net->h == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu layers", o->layers);
    return NG_OK;
}

static void destroy(ng_model *model)
{
    mlp *net = (mlp *)model;
    free(net->z);
    free(net->h);
}

/* The last layer's phi(z) is z and goes to its g, which the loss overwrites. */
static void lay_out(ngi_plan *plan, const void *options)
{
    const ng_mlp_options *o = options;
    mlp *net = (mlp *)plan->model;
    const ngi_activation *phi = ngi_activation_find(o->activation);
    ng_mat a = plan->model->input = ngi_plan_buffer(plan, o->max_batch, o->inputs);
    for (size_t i = 0; i < o->layers; i++) {
        char name[32];
        ng_mat g = ngi_plan_buffer(plan, o->max_batch, o->widths[i]);
        double variance = phi->variance((double)a.cols, (double)o->widths[i]);
        snprintf(name, sizeof name, "fc%zu", i + 1);
        ngi_plan_affine(plan, name, variance,
                        (ngi_linear){.a = a, .g = g, .places = 1, .scale = 1});
        net->z[i] = ngi_plan_buffer(plan, o->max_batch, o->widths[i]);
        net->h[i] = i + 1 < o->layers ? ngi_plan_buffer(plan, o->max_batch, o->widths[i]) : g;
        a = net->h[i];
    }
    plan->model->logits = net->z[o->layers - 1];
}

/* ---- The passes ------------------------------------------------------------------ */

static ng_activation activation(const mlp *net, size_t i)
{
    return i + 1 < net->model.layers ? net->activation : NG_ACTIVATION_LINEAR;
}

static ng_status forward(ng_model *model, ng_error *error)
{
    const mlp *net = (const mlp *)model;
    for (size_t i = 0; i < model->layers; i++)
        TRY(ngi_linear_forward(model, i, net->z[i], net->h[i], activation(net, i), error));
    return NG_OK;
}

/* On the way in, g is the derivative at phi(z); phi' makes it the derivative at z. */
static ng_status backward(ng_model *model, ng_error *error)
{
    const mlp *net = (const mlp *)model;
    const ng_mat nowhere = {NULL, 0, 0, 0, model->dtype};
    for (size_t i = model->layers; i-- > 0;) {
        ng_mat below = i > 0 ? model->linear[i - 1].g : nowhere;
        ng_mat h = i + 1 < model->layers ? net->h[i] : net->z[i];
        TRY(ngi_linear_backward(model, i, below, net->z[i], h, activation(net, i), error));
    }
    return NG_OK;
}

static ng_status tangent(ng_model *model, ng_mat dz, ng_mat v, ng_error *error)
{
    const mlp *net = (const mlp *)model;
    ng_mat below = {NULL, 0, 0, 0, model->dtype};
    size_t last = model->layers - 1;
    for (size_t i = 0; i < last; i++) {
        ng_mat to = ngi_tangent_room(model, i % 2, model->batch, net->z[i].cols);
        TRY(ngi_linear_tangent(model, i, to, below, v, 0, error));
        ngi_activation_tangent(model, to, net->z[i], net->h[i], net->activation);
        below = to;
    }
    return ngi_linear_tangent(model, last, dz, below, v, 0, error);
}

const ngi_model_kind ngi_mlp_kind = {
    .name = "mlp",
    .options_size = sizeof(ng_mlp_options),
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .size = sizeof(mlp),
    .create = create,
    .destroy = destroy,
    .lay_out = lay_out,
    .forward = forward,
    .backward = backward,
    .tangent = tangent,
};

ng_status ng_model_create_mlp(ng_model **model, const ng_mlp_options *options, ng_error *error)
{
    return ngi_model_create(model, &ngi_mlp_kind, options, error);
}
