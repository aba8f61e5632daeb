/* A model of every kind, small, with weights drawn at random, to be saved. */
#ifndef NG_TEST_MODEL_FILES_H
#define NG_TEST_MODEL_FILES_H

#include <stdio.h>

#include "tests/train/files.h"
#include "tests/train/model_world.h"

static inline ng_status small_mlp(ng_model **model, ng_dtype dtype, ng_activation activation,
                                  ng_loss loss, size_t outputs)
{
    const size_t widths[2] = {5, outputs};
    ng_mlp_options o;
    ng_mlp_init(&o);
    o.dtype = dtype;
    o.inputs = 4;
    o.widths = widths;
    o.layers = 2;
    o.activation = activation;
    o.loss = loss;
    o.max_batch = 7;
    return ng_model_create_mlp(model, &o, NULL);
}

static inline ng_status mlp_softmax(ng_model **model, ng_dtype dtype)
{
    return small_mlp(model, dtype, NG_ACTIVATION_RELU, NG_LOSS_SOFTMAX, 3);
}

static inline ng_status mlp_bernoulli(ng_model **model, ng_dtype dtype)
{
    return small_mlp(model, dtype, NG_ACTIVATION_GELU, NG_LOSS_BERNOULLI, 2);
}

static inline ng_status mlp_squared(ng_model **model, ng_dtype dtype)
{
    return small_mlp(model, dtype, NG_ACTIVATION_TANH, NG_LOSS_SQUARED, 1);
}

static inline ng_status small_cnn(ng_model **model, ng_dtype dtype)
{
    const size_t filters[2] = {2, 3};
    ng_cnn_options o;
    ng_cnn_init(&o);
    o.dtype = dtype;
    o.height = 6;
    o.width = 5;
    o.filters = filters;
    o.stages = 2;
    o.classes = 4;
    o.max_batch = 3;
    return ng_model_create_cnn(model, &o, NULL);
}

static inline ng_status small_gpt(ng_model **model, ng_dtype dtype, int tied)
{
    ng_gpt_options o;
    ng_gpt_init(&o);
    o.dtype = dtype;
    o.vocabulary = 5;
    o.context = 3;
    o.width = 8;
    o.heads = 2;
    o.tied = tied;
    return ng_model_create_gpt(model, &o, NULL);
}

static inline ng_status gpt_plain(ng_model **model, ng_dtype dtype)
{
    return small_gpt(model, dtype, 0);
}

static inline ng_status gpt_tied(ng_model **model, ng_dtype dtype)
{
    return small_gpt(model, dtype, 1);
}

static ng_status (*const small_models[])(ng_model **model, ng_dtype dtype) = {
    mlp_softmax, mlp_bernoulli, mlp_squared, small_cnn, gpt_plain, gpt_tied};

/* Of each, in either dtype: numbers 0 ... SMALL_MODELS - 1. */
enum { SMALL_MODELS = 2 * sizeof small_models / sizeof *small_models };

static inline ng_model *small_model(int number)
{
    ng_model *model;
    test_rng rng = {(unsigned long long)number + 1};
    ng_assert_ok(small_models[number / 2](&model, number % 2 ? NG_F64 : NG_F32), NULL);
    model_draw(model, &rng);
    return model;
}

/* Logits of two samples that any kind takes, tokens too: to be freed. */
static inline ng_mat small_logits(ng_model *model)
{
    ng_error error = {NG_OK, ""};
    ng_mat x = ng_model_input(model, 2);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(x, i, j, (double)((3 * i + 2 * j) % 5));
    ng_assert_ok(ng_model_forward(model, 2, &error), &error);
    return test_copy(ng_model_output(model));
}

/* The two have the same name, kind, weights and logits, bit for bit. */
static inline void assert_same(ng_model *one, ng_model *two)
{
    ck_assert_str_eq(ng_model_kind(one), ng_model_kind(two));
    ck_assert_uint_eq(ng_model_parameters(one), ng_model_parameters(two));
    for (size_t i = 0; i < ng_model_parameters(one); i++) {
        ck_assert_str_eq(model_param(one, i).name, model_param(two, i).name);
        ck_assert(test_same_bits(model_param(one, i).w, model_param(two, i).w));
    }
    ng_mat z = small_logits(one), same = small_logits(two);
    ck_assert(test_same_bits(z, same));
    test_free(z);
    test_free(same);
}

#endif
