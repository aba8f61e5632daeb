/* A whole AdamW step, front and finite pass included, against what the memory
 * allows: m += g; v += g; w += g, three loops over arrays of the same size
 * with the same flags. Both sides read and write about as much; the rest is
 * arithmetic. And against torch's AdamW. */
#include <stdlib.h>

#include <natgrad.h>

#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

enum { COUNT = 10000000 };

typedef struct {
    float *w, *g, *m, *v;
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

/* The optimizer's own moments are private; the loops have arrays like them. */
static void create(job *j)
{
    ng_adamw_options options;
    ng_group *group;
    j->w = bench_floats(COUNT, 1, 1);
    j->g = bench_floats(COUNT, 0.01, 2);
    j->m = bench_floats(COUNT, 1, 3);
    j->v = bench_floats(COUNT, 1, 4);
    ng_adamw_init(&options);
    bench_ok(ng_optimizer_create(&j->optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(j->optimizer, &group, &options), "group",
             ng_optimizer_error(j->optimizer));
    bench_ok(ng_group_add(group, NULL, "w", ng_f32(j->w, 1, COUNT), ng_f32(j->g, 1, COUNT)),
             "parameter", ng_optimizer_error(j->optimizer));
}

static void destroy(job *j)
{
    ng_optimizer_destroy(j->optimizer);
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
    destroy(&j);
    bench_peer_stop(&torch);
    return bench_end();
}
