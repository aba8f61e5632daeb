/* A small net, a small mixture of Gaussians and a trainer for them. */
#ifndef NG_TEST_TRAINER_WORLD_H
#define NG_TEST_TRAINER_WORLD_H

#include <stdio.h>

#include "tests/train/model_world.h"

enum { BENCH_SAMPLES = 90, BENCH_FEATURES = 4, BENCH_CLASSES = 3, BENCH_BATCH = 16 };

typedef struct {
    ng_dataset *all, *train, *held_out;
    ng_model *model;
    ng_trainer *trainer;
    ng_trainer_options options;
    void *method;
    ng_error error;
} bench;

static inline ng_model *bench_model(size_t inputs, size_t outputs, ng_loss loss, ng_dtype dtype)
{
    const size_t widths[] = {6, 5, outputs};
    ng_mlp_options o;
    ng_model *model;
    ng_error error = {NG_OK, ""};
    ng_mlp_init(&o);
    o.dtype = dtype;
    o.inputs = inputs;
    o.widths = widths;
    o.layers = 3;
    o.activation = NG_ACTIVATION_TANH;
    o.loss = loss;
    o.max_batch = 32;
    ng_assert_ok(ng_model_create_mlp(&model, &o, &error), &error);
    return model;
}

/* Everything but the trainer, whose options are the defaults but for batch and epochs. */
static inline void bench_open(bench *b, const char *preset, ng_dtype dtype)
{
    ng_random random;
    memset(b, 0, sizeof *b);
    ng_assert_ok(ng_rng_create(&random, 5, &b->error), &b->error);
    ng_assert_ok(ng_dataset_mixture(&b->all, BENCH_SAMPLES, BENCH_CLASSES, BENCH_FEATURES, 2,
                                    &random, &b->error),
                 &b->error);
    ng_rng_destroy(&random);
    ng_assert_ok(ng_dataset_split(&b->train, &b->held_out, b->all, NULL, &b->error), &b->error);
    b->model = bench_model(BENCH_FEATURES, BENCH_CLASSES, NG_LOSS_SOFTMAX, dtype);
    ng_assert_ok(ng_options_new(&b->method, preset, &b->error), &b->error);
    ck_assert_int_eq(ng_trainer_init(&b->options), NG_OK);
    b->options.method = b->method;
    b->options.batch = BENCH_BATCH;
    b->options.epochs = 4;
    b->options.seed = 7;
}

static inline void bench_start(bench *b)
{
    ng_assert_ok(ng_trainer_create(&b->trainer, b->model, &b->options, &b->error), &b->error);
}

static inline void bench_close(bench *b)
{
    ng_trainer_destroy(b->trainer);
    ng_model_destroy(b->model);
    ng_options_free(b->method);
    ng_dataset_destroy(b->train);
    ng_dataset_destroy(b->held_out);
    ng_dataset_destroy(b->all);
}

static inline void bench_fit(bench *b, ng_status expected)
{
    ng_status status = ng_trainer_fit(b->trainer, b->train, b->held_out);
    ck_assert_msg(status == expected, "%s: %s", ng_status_name(status),
                  ng_trainer_error(b->trainer));
}

static inline void assert_same_points(const ng_trainer *a, const ng_trainer *b)
{
    size_t n, m;
    const ng_trainer_point *p = ng_trainer_points(a, &n), *q = ng_trainer_points(b, &m);
    ck_assert_uint_eq(n, m);
    for (size_t i = 0; i < n; i++) {
        ck_assert(memcmp(&p[i].train_loss, &q[i].train_loss, sizeof(double)) == 0);
        ck_assert(memcmp(&p[i].loss, &q[i].loss, sizeof(double)) == 0);
        ck_assert(memcmp(&p[i].score, &q[i].score, sizeof(double)) == 0);
    }
}

#endif
