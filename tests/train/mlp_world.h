/* A small net with data, and the same net written naively: one sample at a
 * time, textbook formulas, in double. Shared by the tests of the net. */
#ifndef NG_TEST_MLP_WORLD_H
#define NG_TEST_MLP_WORLD_H

#include <natgrad-train.h>

#include "tests/support/support.h"

enum { WORLD_LAYERS = 6, WORLD_WIDTH = 80, WORLD_BATCH = 16 };

typedef struct {
    size_t inputs, widths[WORLD_LAYERS], layers, batch, max_batch;
} world_shape;

/* A layer with its parameters, as views. */
typedef struct {
    const char *name, *weight_name, *bias_name;
    ng_mat weight, weight_grad, bias, bias_grad, inputs, outputs_grad;
    double scale;
} world_layer;

typedef struct {
    world_shape shape;
    ng_activation activation;
    ng_loss loss;
    ng_model *net;
    world_layer layer[WORLD_LAYERS];
    ng_mat x; /* the rows of the net's input buffer in use */
    int labels[WORLD_BATCH];
    ng_mat targets; /* batch x outputs, strided */
} world;

/* Looks at layer i anew: its inputs and derivatives come and go with the passes. */
static inline void world_look(world *w, size_t i)
{
    ng_model_linear l;
    ng_model_param weight, bias;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_model_layer(w->net, &l, i, &error), &error);
    ng_assert_ok(ng_model_parameter(w->net, &weight, l.weight, &error), &error);
    ng_assert_ok(ng_model_parameter(w->net, &bias, l.bias, &error), &error);
    w->layer[i] = (world_layer){l.name, weight.name, bias.name, weight.w,       weight.dw,
                                bias.w, bias.dw,     l.inputs,  l.outputs_grad, l.scale};
}

/* Random weights, biases, samples and truth; the rows of the input buffer
 * beyond the batch hold NaN. */
static inline world world_create(world_shape shape, ng_activation activation, ng_loss loss,
                                 ng_dtype dtype, unsigned long long seed)
{
    world w = {.shape = shape, .activation = activation, .loss = loss};
    test_rng rng = {seed};
    ng_mlp_options options;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_mlp_init(&options), NULL);
    options.dtype = dtype;
    options.inputs = shape.inputs;
    options.widths = shape.widths;
    options.layers = shape.layers;
    options.activation = activation;
    options.loss = loss;
    options.max_batch = shape.max_batch;
    ng_assert_ok(ng_model_create_mlp(&w.net, &options, &error), &error);
    for (size_t i = 0; i < shape.layers; i++) {
        world_look(&w, i);
        test_fill_normal(w.layer[i].weight, &rng);
        test_fill_normal(w.layer[i].bias, &rng);
        ng_scale(w.layer[i].weight, 1 / sqrt((double)w.layer[i].weight.cols));
    }
    ng_fill(ng_model_input(w.net, shape.max_batch), NAN);
    w.x = ng_model_input(w.net, shape.batch);
    test_fill_normal(w.x, &rng);
    size_t outputs = shape.widths[shape.layers - 1];
    w.targets = test_mat(shape.batch, outputs, 3, dtype);
    for (size_t i = 0; i < shape.batch; i++) {
        w.labels[i] = (int)(test_uniform(&rng) * (double)outputs);
        for (size_t j = 0; j < outputs; j++)
            ng_mat_set(w.targets, i, j,
                       loss == NG_LOSS_BERNOULLI ? test_uniform(&rng) : test_normal(&rng));
    }
    return w;
}

static inline void world_destroy(world *w)
{
    test_free(w->targets);
    ng_model_destroy(w->net);
}

/* The loss by the library, after a forward pass. */
static inline ng_status world_loss(world *w, double *loss, size_t *correct, ng_error *error)
{
    return w->loss == NG_LOSS_SOFTMAX
               ? ng_model_loss_labels(w->net, loss, correct, w->labels, w->shape.batch, error)
               : ng_model_loss_targets(w->net, loss, w->targets, error);
}

static inline double naive_activation(ng_activation activation, double z)
{
    switch (activation) {
    case NG_ACTIVATION_RELU:
        return z > 0 ? z : 0;
    case NG_ACTIVATION_TANH:
        return (exp(z) - exp(-z)) / (exp(z) + exp(-z));
    case NG_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-z));
    case NG_ACTIVATION_GELU:
        return z * 0.5 * (1 + erf(z / sqrt(2)));
    default:
        return z;
    }
}

/* The values in `values` (inputs of layer 0) become those behind layer
 * `layers`-1, where the last layer of the net is linear. margin (may be NULL)
 * is lowered to the smallest |z| of a hidden unit. */
static inline void naive_forward(const world *w, double *values, size_t layers, double *margin)
{
    double z[WORLD_WIDTH];
    for (size_t l = 0; l < layers; l++) {
        ng_mat weight = w->layer[l].weight;
        int hidden = l + 1 < w->shape.layers;
        for (size_t o = 0; o < weight.rows; o++) {
            z[o] = ng_mat_get(w->layer[l].bias, 0, o);
            for (size_t k = 0; k < weight.cols; k++)
                z[o] += ng_mat_get(weight, o, k) * values[k];
            if (hidden && margin != NULL)
                *margin = fmin(*margin, fabs(z[o]));
        }
        for (size_t o = 0; o < weight.rows; o++)
            values[o] = hidden ? naive_activation(w->activation, z[o]) : z[o];
    }
}

/* The mean loss; logits (batch x outputs, may be empty) receives the outputs. */
static inline double naive_loss(const world *w, ng_mat logits, double *margin)
{
    double sum = 0, z[WORLD_WIDTH];
    size_t outputs = w->shape.widths[w->shape.layers - 1];
    for (size_t i = 0; i < w->shape.batch; i++) {
        double partition = 0;
        for (size_t k = 0; k < w->shape.inputs; k++)
            z[k] = ng_mat_get(w->x, i, k);
        naive_forward(w, z, w->shape.layers, margin);
        for (size_t j = 0; j < outputs; j++) {
            double t = ng_mat_get(w->targets, i, j);
            partition += exp(z[j]);
            if (w->loss == NG_LOSS_BERNOULLI)
                sum += log(1 + exp(z[j])) - t * z[j];
            if (w->loss == NG_LOSS_SQUARED)
                sum += 0.5 * (z[j] - t) * (z[j] - t);
            if (logits.rows > 0)
                ng_mat_set(logits, i, j, z[j]);
        }
        if (w->loss == NG_LOSS_SOFTMAX)
            sum += log(partition) - z[w->labels[i]];
    }
    return sum / (double)w->shape.batch;
}

/* One layer whose logits are its biases, for two samples. */
static inline world bias_world(ng_loss loss, ng_dtype dtype, size_t outputs, const double *logits)
{
    world_shape shape = {.inputs = 2, .widths = {outputs}, .layers = 1, .batch = 2, .max_batch = 2};
    world w = world_create(shape, NG_ACTIVATION_RELU, loss, dtype, 3);
    ng_fill(w.layer[0].weight, 0);
    for (size_t j = 0; j < outputs; j++)
        ng_mat_set(w.layer[0].bias, 0, j, logits[j]);
    ng_assert_ok(ng_model_forward(w.net, 2, NULL), NULL);
    return w;
}

#endif
