/* K-FAC of q, k and v with one input factor against three. Heads so narrow that the inputs' side is
 * nearly all there is: the ratios are those of the input factor. */
#include <stdlib.h>
#include <string.h>

#include <natgrad.h>

#include "tests/bench/bench.h"

enum { INPUTS = 768, OUTPUTS = 16, BLOCKS = 3, SAMPLES = 1024, CHECKED_STEPS = 2 };

static const ng_policy_entry table[] = {
    {.name = "qkv",
     .dims = {BLOCKS * OUTPUTS, INPUTS},
     .flags = NG_ENTRY_MATRIX | NG_ENTRY_SHARED,
     .blocks = BLOCKS},
    {.name = "qkv", .dims = {BLOCKS * OUTPUTS, INPUTS}, .flags = NG_ENTRY_MATRIX, .blocks = BLOCKS},
};

typedef struct {
    ng_optimizer *optimizer;
    ng_place place;
    float *w, *dw, *a, *g;
} layer;

static void create(layer *x, int apart)
{
    ng_policy policy;
    x->w = bench_floats(BLOCKS * OUTPUTS * INPUTS, 0.02, 1);
    x->dw = bench_floats(BLOCKS * OUTPUTS * INPUTS, 1, 2);
    x->a = bench_floats(SAMPLES * INPUTS, 1, 3);
    x->g = bench_floats(SAMPLES * BLOCKS * OUTPUTS, 1, 4);
    bench_ok(ng_optimizer_create(&x->optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_policy_init_presets(&policy, x->optimizer,
                                    "kfac damping_kind=per_factor inverse_interval=1", "adamw"),
             "groups", ng_optimizer_error(x->optimizer));
    bench_ok(ng_policy_add_all(&policy, &x->place, &table[apart], 1,
                               ng_f32(x->w, 1, BLOCKS * OUTPUTS * INPUTS),
                               ng_f32(x->dw, 1, BLOCKS * OUTPUTS * INPUTS)),
             "parameters", ng_optimizer_error(x->optimizer));
}

static void destroy(layer *x)
{
    ng_optimizer_destroy(x->optimizer);
    free(x->w), free(x->dw), free(x->a), free(x->g);
}

/* Statistics and a step. */
static void run(void *data)
{
    layer *x = data;
    bench_ok(ng_place_capture(x->place, ng_stack_f32(x->a, 1, SAMPLES, INPUTS),
                              ng_stack_f32(x->g, 1, SAMPLES, BLOCKS * OUTPUTS), SAMPLES),
             "capture", ng_optimizer_error(x->optimizer));
    bench_ok(ng_optimizer_step(x->optimizer), "step", ng_optimizer_error(x->optimizer));
}

/* Bytes of the state of the inputs' side. */
static double bytes(layer *x)
{
    const char *parameter, *name;
    ng_mat m;
    size_t sum = 0;
    for (size_t i = 0; ng_optimizer_tensor(x->optimizer, &parameter, &name, &m, i) == NG_OK; i++)
        if (strncmp(name, "right_", 6) == 0)
            sum += m.rows * m.cols * ng_dtype_size(m.dtype);
    return (double)sum;
}

int main(int argc, char **argv)
{
    layer one, three;
    bench_begin(argc, argv, "share", 1);
    create(&one, 0), create(&three, 1);
    for (int i = 0; i < CHECKED_STEPS; i++)
        run(&one), run(&three);
    if (memcmp(one.w, three.w, BLOCKS * OUTPUTS * INPUTS * sizeof *one.w) != 0)
        bench_fail("shared inputs", "other bits than apart");
    bench_job job[2] = {{.run = run, .data = &one}, {.run = run, .data = &three}};
    bench_compare("share_inputs_vs_three", "qkv/3x16x768", bench_job_side("one factor", &job[0]),
                  bench_job_side("three", &job[1]));
    bench_state("share_bytes_vs_three", "qkv/3x16x768", bytes(&one) / bytes(&three));
    destroy(&one), destroy(&three);
    return bench_end();
}
