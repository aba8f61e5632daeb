/* Whole training steps of a 784-256-128-10 ReLU net, float32: gather a batch by
 * index from 8000 samples, forward, loss, backward, update.
 *   train_step_vs_torch      with AdamW, against the same in torch (peer_torch.py)
 *   kfac_step_vs_adamw_step  with K-FAC, statistics captured and taken in at
 *                            every step, factors inverted every tenth, against
 *                            ours with AdamW */
#include <stdlib.h>

#include <natgrad-train.h>
#include <natgrad.h>

#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

enum { SAMPLES = 8000, LAYERS = 3, INVERSE_INTERVAL = 10 };

typedef struct {
    ng_dataset *data;
    size_t index[SAMPLES];
} samples;

typedef struct {
    const samples *from;
    ng_random random;
    ng_model *net;
    ng_optimizer *optimizer;
    ng_group *group;
    ng_error error;
    int labels[SAMPLES];
    int captures; /* parameter i is layer i and wants its statistics */
    size_t batch, steps /* in one call */, done;
} job;

static void capture(job *j)
{
    ng_model_linear layer;
    for (size_t i = 0; i < LAYERS && j->captures; i++) {
        bench_ok(ng_model_layer(j->net, &layer, i, &j->error), "layer", j->error.text);
        bench_ok(ng_group_capture(j->group, i, layer.inputs, layer.outputs_grad, layer.scale),
                 "capture", ng_optimizer_error(j->optimizer));
    }
}

static void step(job *j)
{
    double loss;
    size_t first = j->done++ % (SAMPLES / j->batch) * j->batch;
    ng_mat x = ng_model_input(j->net, j->batch);
    bench_ok(
        ng_dataset_gather(j->from->data, x, j->labels, j->from->index + first, j->batch, &j->error),
        "gather", j->error.text);
    bench_ok(ng_model_forward(j->net, j->batch, &j->error), "forward", j->error.text);
    bench_ok(ng_model_loss_labels(j->net, &loss, NULL, j->labels, j->batch, &j->error), "loss",
             j->error.text);
    bench_ok(ng_model_backward(j->net, &j->error), "backward", j->error.text);
    capture(j);
    bench_ok(ng_optimizer_step(j->optimizer), "step", ng_optimizer_error(j->optimizer));
}

static void run_steps(void *data)
{
    job *j = data;
    for (size_t k = 0; k < j->steps; k++)
        step(j);
}

static void create_net(job *j)
{
    static const size_t widths[LAYERS] = {256, 128, 10};
    ng_mlp_options options;
    ng_mlp_init(&options);
    options.inputs = ng_dataset_features(j->from->data);
    options.widths = widths;
    options.layers = LAYERS;
    options.max_batch = j->batch;
    bench_ok(ng_rng_create(&j->random, 1, &j->error), "generator", j->error.text);
    bench_ok(ng_model_create_mlp(&j->net, &options, &j->error), "net", j->error.text);
    bench_ok(ng_model_initialise(j->net, &j->random, &j->error), "weights", j->error.text);
}

static void create_optimizer(job *j, const void *options)
{
    j->captures = ng_options_want_capture(options);
    bench_ok(ng_optimizer_create(&j->optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(j->optimizer, &j->group, options), "group",
             ng_optimizer_error(j->optimizer));
    for (size_t i = 0; i < LAYERS; i++) {
        size_t index;
        ng_model_param weight, bias;
        bench_ok(ng_model_parameter(j->net, &weight, 2 * i, &j->error), "weight", j->error.text);
        bench_ok(ng_model_parameter(j->net, &bias, 2 * i + 1, &j->error), "bias", j->error.text);
        bench_ok(ng_group_add(j->group, &index, weight.name, weight.w, weight.dw), "weight",
                 ng_optimizer_error(j->optimizer));
        bench_ok(j->captures ? ng_group_add_bias(j->group, index, bias.w, bias.dw)
                             : ng_group_add(j->group, NULL, bias.name, bias.w, bias.dw),
                 "bias", ng_optimizer_error(j->optimizer));
    }
}

static job *create_job(const samples *from, size_t batch, size_t steps, const void *options)
{
    job *j = calloc(1, sizeof *j);
    if (j == NULL)
        bench_fail("memory", "exhausted");
    j->from = from;
    j->batch = batch;
    j->steps = steps;
    create_net(j);
    create_optimizer(j, options);
    return j;
}

static void destroy_job(job *j)
{
    ng_optimizer_destroy(j->optimizer);
    ng_model_destroy(j->net);
    ng_rng_destroy(&j->random);
    free(j);
}

static void compare_torch(const samples *from, const char *label, size_t batch,
                          bench_request request)
{
    ng_adamw_options adamw;
    ng_adamw_init(&adamw);
    job *j = create_job(from, batch, SAMPLES / batch, &adamw);
    bench_job ours = {.run = run_steps, .data = j, .units = j->steps};
    bench_compare("train_step_vs_torch", label, bench_job_side("natgrad", &ours),
                  bench_peer_side("torch", &request));
    destroy_job(j);
}

/* A call is a whole number of inversions. */
static void compare_kfac(const samples *from, const char *label, size_t batch)
{
    ng_adamw_options adamw;
    ng_steepest_options kfac;
    ng_adamw_init(&adamw);
    ng_steepest_init_kfac(&kfac);
    kfac.kfac.update_interval = 1;
    kfac.kfac.inverse_interval = INVERSE_INTERVAL;
    job *peer = create_job(from, batch, INVERSE_INTERVAL, &adamw);
    job *ours = create_job(from, batch, INVERSE_INTERVAL, &kfac);
    bench_job of_peer = {.run = run_steps, .data = peer, .units = peer->steps};
    bench_job of_ours = {.run = run_steps, .data = ours, .units = ours->steps};
    bench_compare("kfac_step_vs_adamw_step", label, bench_job_side("kfac", &of_ours),
                  bench_job_side("adamw", &of_peer));
    destroy_job(peer);
    destroy_job(ours);
}

static void create_samples(samples *s)
{
    ng_random random;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_rng_create(&random, 1, &error), "generator", error.text);
    bench_ok(ng_dataset_digits(&s->data, SAMPLES, &random, &error), "data", error.text);
    for (size_t i = 0; i < SAMPLES; i++)
        s->index[i] = i;
    ng_rng_shuffle(&random, s->index, SAMPLES);
    ng_rng_destroy(&random);
}

int main(int argc, char **argv)
{
    static samples s;
    bench_peer torch;
    bench_begin(argc, argv, "train", 1);
    create_samples(&s);
    bench_torch_start(&torch);
    compare_torch(&s, "batch=64", 64, (bench_request){&torch, "train_step 64"});
    compare_torch(&s, "batch=256", 256, (bench_request){&torch, "train_step 256"});
    compare_kfac(&s, "batch=256", 256);
    compare_torch(&s, "batch=1024", 1024, (bench_request){&torch, "train_step 1024"});
    compare_kfac(&s, "batch=1024", 1024);
    bench_peer_stop(&torch);
    ng_dataset_destroy(s.data);
    return bench_end();
}
