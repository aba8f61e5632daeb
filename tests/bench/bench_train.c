/* A whole training step of a 784-256-128-10 ReLU net with AdamW, float32:
 * gather a batch by index from 8000 samples, forward, loss, backward, update;
 * against the same in torch (peer_torch.py, train_step). */
#include <stdlib.h>

#include <natgrad-lab.h>
#include <natgrad.h>

#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

enum { SAMPLES = 8000, LAYERS = 3 };

typedef struct {
    ng_dataset *data;
    ng_random random;
    ng_net *net;
    ng_optimizer *optimizer;
    ng_error error;
    size_t index[SAMPLES];
    int labels[SAMPLES];
    size_t batch;
} job;

static void step(job *j, size_t first)
{
    double loss;
    ng_mat x = ng_net_input(j->net, j->batch);
    bench_ok(ng_dataset_gather(j->data, x, j->labels, j->index + first, j->batch, &j->error),
             "gather", j->error.text);
    bench_ok(ng_net_forward(j->net, j->batch, &j->error), "forward", j->error.text);
    bench_ok(ng_net_loss_labels(j->net, &loss, NULL, j->labels, j->batch, &j->error), "loss",
             j->error.text);
    bench_ok(ng_net_backward(j->net, &j->error), "backward", j->error.text);
    bench_ok(ng_optimizer_step(j->optimizer), "step", ng_optimizer_error(j->optimizer));
}

static void epoch(void *data)
{
    job *j = data;
    for (size_t k = 0; k < SAMPLES / j->batch; k++)
        step(j, k * j->batch);
}

static void create_net(job *j)
{
    static const size_t widths[LAYERS] = {256, 128, 10};
    ng_net_options options;
    ng_net_options_init(&options);
    options.inputs = ng_dataset_features(j->data);
    options.widths = widths;
    options.layers = LAYERS;
    options.max_batch = j->batch;
    bench_ok(ng_net_create(&j->net, &options, &j->error), "net", j->error.text);
    bench_ok(ng_net_initialise(j->net, &j->random, &j->error), "weights", j->error.text);
}

static void create_optimizer(job *j)
{
    ng_adamw_options options;
    ng_group *group;
    ng_adamw_init(&options);
    bench_ok(ng_optimizer_create(&j->optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(j->optimizer, &group, &options), "group",
             ng_optimizer_error(j->optimizer));
    for (size_t i = 0; i < LAYERS; i++) {
        ng_layer layer;
        bench_ok(ng_net_layer(j->net, &layer, i, &j->error), "layer", j->error.text);
        bench_ok(ng_group_add(group, NULL, layer.weight_name, layer.weight, layer.weight_grad),
                 "weight", ng_optimizer_error(j->optimizer));
        bench_ok(ng_group_add(group, NULL, layer.bias_name, layer.bias, layer.bias_grad), "bias",
                 ng_optimizer_error(j->optimizer));
    }
}

static void compare(const char *label, size_t batch, bench_request request)
{
    static job j;
    j.batch = batch;
    bench_ok(ng_rng_create(&j.random, 1, &j.error), "generator", j.error.text);
    bench_ok(ng_dataset_digits(&j.data, SAMPLES, &j.random, &j.error), "data", j.error.text);
    for (size_t i = 0; i < SAMPLES; i++)
        j.index[i] = i;
    ng_rng_shuffle(&j.random, j.index, SAMPLES);
    create_net(&j);
    create_optimizer(&j);
    bench_job ours = {.run = epoch, .data = &j, .units = SAMPLES / batch};
    bench_compare("train_step_vs_torch", label, bench_job_side("natgrad", &ours),
                  bench_peer_side("torch", &request));
    ng_optimizer_destroy(j.optimizer);
    ng_net_destroy(j.net);
    ng_dataset_destroy(j.data);
    ng_rng_destroy(&j.random);
}

int main(int argc, char **argv)
{
    bench_peer torch;
    bench_begin(argc, argv, "train", 1);
    bench_torch_start(&torch);
    compare("batch=64", 64, (bench_request){&torch, "train_step 64"});
    compare("batch=256", 256, (bench_request){&torch, "train_step 256"});
    bench_peer_stop(&torch);
    return bench_end();
}
