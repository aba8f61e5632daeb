/* Small models and data for the tests of Laplace's approximation. */
#ifndef NG_TEST_LAPLACE_WORLD_H
#define NG_TEST_LAPLACE_WORLD_H

#include <natgrad-train.h>

#include "tests/support/dense.h"
#include "tests/train/model_world.h"

typedef struct {
    ng_model *model;
    ng_dataset *data;
    ng_mat x, t; /* on dense.h's list */
    int *labels;
    size_t count;
} scene;

/* A net with drawn weights and `count` samples: normal inputs, labels and targets at
 * random leaning on the first input (Bernoulli: 0 or 1). layers: widths. */
static inline scene scene_open(ng_loss loss, ng_dtype dtype, size_t inputs, const size_t *widths,
                               size_t layers, size_t count, test_rng *rng)
{
    scene s = {.count = count};
    ng_mlp_options o;
    ng_error error = {NG_OK, ""};
    size_t k = widths[layers - 1];
    ng_mlp_init(&o);
    o.dtype = dtype;
    o.inputs = inputs;
    o.widths = widths;
    o.layers = layers;
    o.activation = NG_ACTIVATION_TANH;
    o.loss = loss;
    o.max_batch = 7; /* no divisor of the counts */
    ng_assert_ok(ng_model_create_mlp(&s.model, &o, &error), &error);
    model_draw(s.model, rng);
    s.x = dense_normal(count, inputs, rng);
    s.t = dense_normal(count, k, rng);
    s.labels = calloc(count, sizeof *s.labels);
    for (size_t i = 0; i < count; i++) {
        double lean = ng_mat_get(s.x, i, 0) + test_normal(rng);
        s.labels[i] = lean > 0.5 && k > 2 ? 2 : lean > 0 && k > 1;
        for (size_t j = 0; j < k; j++)
            ng_mat_set(s.t, i, j,
                       loss == NG_LOSS_BERNOULLI ? lean > (double)j * 0.3
                                                 : lean + 0.2 * ng_mat_get(s.t, i, j));
    }
    ng_assert_ok(loss == NG_LOSS_SOFTMAX ? ng_dataset_from_labels(&s.data, s.x, s.labels, k, &error)
                                         : ng_dataset_from_targets(&s.data, s.x, s.t, &error),
                 &error);
    return s;
}

static inline void scene_close(scene *s)
{
    ng_dataset_destroy(s->data);
    ng_model_destroy(s->model);
    free(s->labels);
    dense_release();
}

static inline ng_laplace *scene_fit(scene *s, const ng_laplace_options *o, ng_laplace_info *info)
{
    ng_laplace *l;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_laplace_fit(&l, s->model, s->data, o, &error), &error);
    info->size = sizeof *info;
    ng_assert_ok(ng_laplace_get(l, info), NULL);
    return l;
}

/* [W b] of the last layer as one row. */
static inline ng_mat head_weights(const ng_model *model)
{
    ng_model_linear layer;
    ng_model_layer(model, &layer, ng_model_layers(model) - 1, NULL);
    ng_mat w = model_param(model, layer.weight).w, b = model_param(model, layer.bias).w;
    ng_mat all = dense_mat(1, w.rows * (w.cols + 1));
    for (size_t i = 0; i < w.rows; i++)
        for (size_t j = 0; j <= w.cols; j++)
            ng_mat_set(all, 0, i * (w.cols + 1) + j,
                       j < w.cols ? ng_mat_get(w, i, j) : ng_mat_get(b, 0, i));
    return all;
}

/* Samples into the model's input. */
static inline void scene_input(const scene *s, ng_mat x)
{
    test_assign(ng_model_input(s->model, x.rows), x);
}

static inline double log_det(ng_mat a)
{
    ng_mat values;
    double sum = 0;
    dense_eigh(&values, NULL, a);
    for (size_t i = 0; i < values.cols; i++)
        sum += log(ng_mat_get(values, 0, i));
    return sum;
}

#endif
