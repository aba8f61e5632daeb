/* gpt_step_fismo_vs_adamw: a whole training step (forward, loss, backward,
 * update) of a character transformer, float32, 4 layers, width 128, context
 * 128, batch 32: hidden matrices by FISMO, both factors refreshed at every
 * step, and the rest by AdamW, against everything by AdamW. */
#include <stdlib.h>

#include <natgrad-train.h>
#include <natgrad.h>

#include "tests/bench/bench.h"

enum { LAYERS = 4, WIDTH = 128, HEADS = 4, CONTEXT = 128, BATCH = 32, VOCABULARY = 65 };

typedef struct {
    ng_model *model;
    ng_optimizer *optimizer;
    ng_error error;
    int labels[BATCH];
} job;

static void step(void *data)
{
    job *j = data;
    double loss;
    bench_ok(ng_model_forward(j->model, BATCH, &j->error), "forward", j->error.text);
    bench_ok(ng_model_loss_labels(j->model, &loss, NULL, j->labels, BATCH, &j->error), "loss",
             j->error.text);
    bench_ok(ng_model_backward(j->model, &j->error), "backward", j->error.text);
    bench_ok(ng_optimizer_step(j->optimizer), "step", ng_optimizer_error(j->optimizer));
}

/* Weights at their start and tokens that follow a rule. */
static void create_model(job *j)
{
    ng_gpt_options o;
    ng_random random;
    ng_gpt_init(&o);
    o.vocabulary = VOCABULARY;
    o.context = CONTEXT;
    o.layers = LAYERS;
    o.width = WIDTH;
    o.heads = HEADS;
    o.max_batch = BATCH;
    bench_ok(ng_model_create_gpt(&j->model, &o, &j->error), "model", j->error.text);
    bench_ok(ng_rng_create(&random, 1, &j->error), "generator", j->error.text);
    bench_ok(ng_model_initialise(j->model, &random, &j->error), "weights", j->error.text);
    ng_rng_destroy(&random);
    ng_mat x = ng_model_input(j->model, BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        for (size_t t = 0; t < CONTEXT; t++)
            ng_mat_set(x, i, t, (double)((i * i + t * t) % VOCABULARY));
        j->labels[i] = (int)(i % VOCABULARY);
    }
}

/* q, k and v each by itself, as ng_trainer has it. */
static void add_parameter(const ng_policy *policy, ng_model_param p)
{
    const size_t outputs[3] = {WIDTH, WIDTH, WIDTH};
    if (p.blocks == 3)
        ng_group_add_blocks(policy->matrix, NULL, p.name, p.w, p.dw, outputs, 3, NG_OUT_IN);
    else
        ng_policy_add(policy, NULL, NULL, p.name, p.w, p.dw);
}

static job *create_job(const void *options)
{
    job *j = calloc(1, sizeof *j);
    ng_adamw_options adamw;
    ng_group *hidden, *rest;
    ng_policy policy;
    if (j == NULL)
        bench_fail("memory", "exhausted");
    create_model(j);
    ng_adamw_init(&adamw);
    bench_ok(ng_optimizer_create(&j->optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(j->optimizer, &hidden, options), "group",
             ng_optimizer_error(j->optimizer));
    bench_ok(ng_optimizer_add_group(j->optimizer, &rest, &adamw), "group",
             ng_optimizer_error(j->optimizer));
    ng_policy_init(&policy, hidden, rest);
    for (size_t i = 0; i < ng_model_parameters(j->model); i++) {
        ng_model_param p;
        bench_ok(ng_model_parameter(j->model, &p, i, &j->error), "parameter", j->error.text);
        add_parameter(&policy, p);
    }
    return j;
}

static void destroy_job(job *j)
{
    ng_optimizer_destroy(j->optimizer);
    ng_model_destroy(j->model);
    free(j);
}

int main(int argc, char **argv)
{
    ng_adamw_options adamw;
    ng_steepest_options fismo;
    bench_begin(argc, argv, "gpt", 1);
    ng_adamw_init(&adamw);
    ng_steepest_init_fismo(&fismo);
    fismo.fismo.refresh_p = fismo.fismo.refresh_q = 1;
    job *ours = create_job(&fismo), *peer = create_job(&adamw);
    bench_job of_ours = {.run = step, .data = ours}, of_peer = {.run = step, .data = peer};
    bench_compare("gpt_step_fismo_vs_adamw", "4x128", bench_job_side("fismo", &of_ours),
                  bench_job_side("adamw", &of_peer));
    destroy_job(ours);
    destroy_job(peer);
    return bench_end();
}
