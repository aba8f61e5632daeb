/* A whole AdamW step, front and finite pass included, against what the memory
 * allows: m += g; v += g; w += g, three loops over arrays of the same size
 * with the same flags. Both sides read and write about as much; the rest is
 * arithmetic. With weights and gradients in bfloat16 and a copy in f32: 34 bytes
 * a weight (gradient and weights twice, three arrays of f32 in and out) against
 * loops of 36. And against torch's AdamW. And what IVON costs, the weights' sample and the step, in
 * steps of AdamW: from memory, and in the cache. */
#include <stdlib.h>

#include <natgrad.h>

#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

enum { COUNT = 10000000 };

typedef struct {
    float *w, *g, *m, *v;
    uint16_t *w16, *g16, *loop16;
    ng_optimizer *optimizer;
} job;

static void step(void *data)
{
    job *j = data;
    bench_ok(ng_optimizer_step(j->optimizer), "step", ng_optimizer_error(j->optimizer));
}

static void add(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void stream(void *data)
{
    job *j = data;
    add(j->m, j->g, COUNT);
    add(j->v, j->g, COUNT);
    add(j->w, j->g, COUNT);
}

static void add_16(uint32_t *restrict y, const uint16_t *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += (uint32_t)x[i] << 16;
}

static void add_16_to_16(uint16_t *restrict y, const uint16_t *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (uint16_t)(y[i] + x[i]);
}

/* Of integers: no sum is ever subnormal or NaN. */
static void stream_16(void *data)
{
    job *j = data;
    add_16((uint32_t *)(void *)j->m, j->g16, COUNT);
    add_16((uint32_t *)(void *)j->v, j->g16, COUNT);
    add_16((uint32_t *)(void *)j->w, j->g16, COUNT);
    add_16_to_16(j->loop16, j->g16, COUNT);
}

/* An optimizer of its own around a parameter. */
static ng_optimizer *optimizer_of(const void *options, ng_mat w, ng_mat dw)
{
    ng_optimizer *made;
    ng_group *group;
    bench_ok(ng_optimizer_create(&made, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(made, &group, options), "group", ng_optimizer_error(made));
    bench_ok(ng_group_add(group, NULL, "w", w, dw), "parameter", ng_optimizer_error(made));
    return made;
}

static ng_optimizer *optimizer(ng_mat w, ng_mat dw)
{
    ng_adamw_options options;
    ng_adamw_init(&options);
    return optimizer_of(&options, w, dw);
}

/* A key is all that is asked for. */
static void fill_uniform(void *data, double *out, size_t n)
{
    size_t *drawn = data;
    for (size_t i = 0; i < n; i++)
        out[i] = (double)(++*drawn % 65536) / 65536;
}

static void sample_and_step(void *data)
{
    static size_t drawn;
    const ng_random random = {.fill_uniform = fill_uniform, .data = &drawn};
    job *j = data;
    bench_ok(ng_optimizer_sample(j->optimizer, &random), "sample",
             ng_optimizer_error(j->optimizer));
    step(j);
}

/* On the first `count` of the weights of j. */
static void compare_ivon(const job *j, size_t count, const char *label)
{
    ng_ivon_options options;
    ng_mat w = ng_f32(j->w, 1, count), g = ng_f32(j->g, 1, count);
    ng_ivon_init(&options);
    job ivon = {.optimizer = optimizer_of(&options, w, g)}, adamw = {.optimizer = optimizer(w, g)};
    bench_job ours = {.run = sample_and_step, .data = &ivon}, peer = {.run = step, .data = &adamw};
    bench_compare("ivon_step_vs_adamw", label, bench_job_side("ivon", &ours),
                  bench_job_side("adamw", &peer));
    ng_optimizer_destroy(ivon.optimizer);
    ng_optimizer_destroy(adamw.optimizer);
}

static uint16_t *sixteen(const float *x)
{
    uint16_t *y = malloc(COUNT * sizeof *y);
    bench_ok(y != NULL ? NG_OK : NG_ENOMEM, "numbers of sixteen bits", NULL);
    for (size_t i = 0; i < COUNT; i++)
        y[i] = ng_half_bits(NG_BF16, (double)x[i]);
    return y;
}

/* The optimizer's own moments are private; the loops have arrays like them. */
static void create(job *j)
{
    j->w = bench_floats(COUNT, 1, 1);
    j->g = bench_floats(COUNT, 0.01, 2);
    j->m = bench_floats(COUNT, 1, 3);
    j->v = bench_floats(COUNT, 1, 4);
    j->w16 = j->g16 = j->loop16 = NULL;
    j->optimizer = optimizer(ng_f32(j->w, 1, COUNT), ng_f32(j->g, 1, COUNT));
}

/* From f32 to bfloat16. */
static void narrow(job *j)
{
    ng_optimizer_destroy(j->optimizer);
    j->w16 = sixteen(j->w);
    j->g16 = sixteen(j->g);
    j->loop16 = sixteen(j->w);
    j->optimizer = optimizer(ng_bf16(j->w16, 1, COUNT), ng_bf16(j->g16, 1, COUNT));
}

static void destroy(job *j)
{
    ng_optimizer_destroy(j->optimizer);
    free(j->w16);
    free(j->g16);
    free(j->loop16);
    free(j->w);
    free(j->g);
    free(j->m);
    free(j->v);
}

int main(int argc, char **argv)
{
    job j;
    bench_peer torch;
    bench_begin(argc, argv, "adamw", 1);
    bench_torch_start(&torch);
    create(&j);
    bench_job ours = {.run = step, .data = &j}, loops = {.run = stream, .data = &j};
    bench_request theirs = {&torch, "adamw 10000000"};
    bench_compare("adamw_vs_stream", "10M", bench_job_side("natgrad", &ours),
                  bench_job_side("three loops", &loops));
    bench_compare("adamw_vs_torch_adamw", "10M", bench_job_side("natgrad", &ours),
                  bench_peer_side("torch", &theirs));
    compare_ivon(&j, 1000000, "1M");
    compare_ivon(&j, 20000, "20k");
    bench_job loops_16 = {.run = stream_16, .data = &j};
    narrow(&j);
    bench_compare("adamw_bf16_vs_stream", "10M", bench_job_side("natgrad", &ours),
                  bench_job_side("four loops", &loops_16));
    destroy(&j);
    bench_peer_stop(&torch);
    return bench_end();
}
