#include "tests/bench/step_ours.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

void create_problem(problem *a, size_t rows, size_t cols)
{
    a->rows = rows;
    a->cols = cols;
    a->w = bench_floats(rows * cols, 0.02, 5);
    for (unsigned i = 0; i < GRADIENTS; i++)
        a->g[i] = bench_floats(rows * cols, 1, 7 + i);
}

void destroy_problem(problem *a)
{
    free(a->w);
    for (size_t i = 0; i < GRADIENTS; i++)
        free(a->g[i]);
}

void take_step(ours *o)
{
    const problem *a = o->of;
    float *g = a->g[o->steps++ % GRADIENTS];
    bench_ok(
        ng_group_rebind(o->group, 0, ng_f32(o->w, a->rows, a->cols), ng_f32(g, a->rows, a->cols)),
        "gradient", NULL);
    bench_ok(ng_optimizer_step(o->optimizer), "step", ng_optimizer_error(o->optimizer));
}

void run_ours(void *data)
{
    ours *o = data;
    for (size_t i = 0; i < o->together; i++)
        take_step(o);
}

void create_ours(ours *o, const problem *a, const void *options)
{
    size_t count = a->rows * a->cols;
    o->of = a;
    o->w = bench_floats(count, 0, 1);
    memcpy(o->w, a->w, count * sizeof *o->w);
    o->steps = 0;
    o->together = 1;
    bench_ok(ng_optimizer_create(&o->optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(o->optimizer, &o->group, options), "options",
             ng_optimizer_error(o->optimizer));
    bench_ok(ng_group_add(o->group, NULL, "w", ng_f32(o->w, a->rows, a->cols),
                          ng_f32(a->g[0], a->rows, a->cols)),
             "parameter", ng_optimizer_error(o->optimizer));
}

void destroy_ours(ours *o)
{
    ng_optimizer_destroy(o->optimizer);
    free(o->w);
}
