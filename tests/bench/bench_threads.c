/* Muon over the weight matrices of two GPT-2 124M blocks: a step in two
 * threads against the same step in one, on the wall's clock. Both must end in
 * the same bits. On a machine that is busy otherwise the ratio means little. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad.h>

#include "tests/bench/bench.h"

enum { BLOCKS = 2, KINDS = 4, MATRICES = BLOCKS * KINDS, CHECKED_STEPS = 2 };

/* attention out, attention in (q, k, v), MLP in, MLP out; outputs x inputs */
static const size_t shapes[KINDS][2] = {{768, 768}, {2304, 768}, {3072, 768}, {768, 3072}};

typedef struct {
    ng_optimizer *optimizer;
    char names[MATRICES][8];
    float *w[MATRICES], *g[MATRICES];
} model;

static size_t elements(size_t i)
{
    return shapes[i % KINDS][0] * shapes[i % KINDS][1];
}

static void create_model(model *m, int threads)
{
    ng_optimizer_options options;
    ng_steepest_options muon;
    ng_group *group;
    ng_optimizer_init(&options);
    options.threads = threads;
    ng_steepest_init_muon(&muon);
    bench_ok(ng_optimizer_create(&m->optimizer, &options), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(m->optimizer, &group, &muon), "group", NULL);
    for (size_t i = 0; i < MATRICES; i++) {
        size_t rows = shapes[i % KINDS][0], cols = shapes[i % KINDS][1];
        m->w[i] = bench_floats(elements(i), 0.02, (unsigned)i);
        m->g[i] = bench_floats(elements(i), 1, 100 + (unsigned)i);
        snprintf(m->names[i], sizeof m->names[i], "w%zu", i);
        bench_ok(ng_group_add(group, NULL, m->names[i], ng_f32(m->w[i], rows, cols),
                              ng_f32(m->g[i], rows, cols)),
                 "parameter", ng_optimizer_error(m->optimizer));
    }
}

static void destroy_model(model *m)
{
    ng_optimizer_destroy(m->optimizer);
    for (size_t i = 0; i < MATRICES; i++) {
        free(m->w[i]);
        free(m->g[i]);
    }
}

static void step(void *data)
{
    model *m = data;
    bench_ok(ng_optimizer_step(m->optimizer), "step", ng_optimizer_error(m->optimizer));
}

static void check_bits(model *two, model *one)
{
    for (int i = 0; i < CHECKED_STEPS; i++) {
        step(two);
        step(one);
    }
    for (size_t i = 0; i < MATRICES; i++)
        if (memcmp(two->w[i], one->w[i], elements(i) * sizeof(float)) != 0)
            bench_fail("two threads", "the weights differ from those of one thread");
}

int main(int argc, char **argv)
{
    model one, two;
    bench_begin(argc, argv, "threads", 2);
    create_model(&one, 1);
    create_model(&two, 2);
    check_bits(&two, &one);
    bench_job two_job = {.run = step, .data = &two, .repeats = 1};
    bench_job one_job = {.run = step, .data = &one, .repeats = 1};
    bench_compare("step_two_threads", "gpt2x2", bench_job_side("muon, 2 threads", &two_job),
                  bench_job_side("muon, 1 thread", &one_job));
    destroy_model(&one);
    destroy_model(&two);
    return bench_end();
}
