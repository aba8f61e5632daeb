/* The loop of before.c with weights and gradients kept in sixteen bits: its model computes in f32 from
 * what they are, as mixed precision does. `f32` is the same loop without. */
int before_main(int argc, char **argv);
#define main before_main
#include "tests/examples/gpt_loop/before.c"
#undef main

#include <natgrad.h>

static uint16_t kept[PARAMS], kept_grads[PARAMS];

static void copy(ng_mat to, ng_mat from)
{
    ng_error error = {NG_OK, ""};
    ng_copy(to, from, &error), check(error.text);
}

static ng_mat flat(void *data, size_t at, ng_dtype dtype)
{
    ng_mat m = {(char *)data + at * ng_dtype_size(dtype), 1, PARAMS - at, PARAMS - at, dtype};
    return m;
}

/* All tensors under AdamW, in the arrays w and g of that dtype. */
static void add_tensors(ng_optimizer *opt, ng_group *group, void *w, void *g, ng_dtype dtype)
{
    for (int i = 0; i < TENSORS; i++) {
        const struct tensor *t = &tensors[i];
        size_t at = (size_t)(t->w - params);
        ng_mat from = flat(w, at, dtype), gradient = flat(g, at, dtype);
        ng_group_add(group, NULL, t->name, ng_mat_take(&from, t->rows, t->cols),
                     ng_mat_take(&gradient, t->rows, t->cols));
        check(ng_optimizer_error(opt));
    }
}

static float validate(void)
{
    const unsigned char *c[BATCH];
    float validation = 0;
    for (int i = 0; i < HELD / N; i++) {
        for (int b = 0; b < BATCH; b++)
            c[b] = text + LENGTH - HELD + (i * BATCH + b) * T - 1;
        validation += forward(c) / (HELD / N);
    }
    return validation;
}

static void train(ng_optimizer *opt, ng_dtype dtype)
{
    const unsigned char *c[BATCH];
    ng_mat wide = flat(params, 0, NG_F32), wide_grads = flat(grads, 0, NG_F32);
    int narrow = dtype != NG_F32;
    for (int step = 1; step <= STEPS; step++) {
        for (int b = 0; b < BATCH; b++)
            c[b] = text + (int)uniform(LENGTH - HELD - T);
        forward(c), backward(c);
        if (narrow)
            copy(flat(kept_grads, 0, dtype), wide_grads);
        ng_optimizer_step(opt), check(ng_optimizer_error(opt));
        if (narrow)
            copy(wide, flat(kept, 0, dtype));
    }
}

int main(int argc, char **argv)
{
    ng_optimizer *opt;
    ng_group *group;
    ng_optimizer_options how;
    ng_adamw_options adam;
    check(argc < 5 ? "usage: sixteen f32|f16|bf16 master|stochastic LR SEED" : "");
    ng_dtype dtype = argv[1][0] == 'b' ? NG_BF16 : strcmp(argv[1], "f16") == 0 ? NG_F16 : NG_F32;
    write_text();
    state = strtoull(argv[4], NULL, 10);
    place(0, "wte", 0, V, C), place(1, "wpe", 0, T, C);
    for (int l = 0, i = 2; l < LAYERS; l++, i += 4) {
        place(i, "qkv", l, 3 * C, C), place(i + 1, "proj", l, C, C);
        place(i + 2, "up", l, 4 * C, C), place(i + 3, "down", l, C, 4 * C);
    }
    ng_optimizer_init(&how), ng_adamw_init(&adam);
    how.rounding = argv[2][0] == 's' ? NG_ROUND_STOCHASTIC : NG_ROUND_MASTER;
    how.seed = strtoull(argv[4], NULL, 10);
    adam.lr = strtod(argv[3], NULL), adam.beta2 = 0.99;
    ng_optimizer_create(&opt, &how), ng_optimizer_add_group(opt, &group, &adam);
    if (dtype == NG_F32)
        add_tensors(opt, group, params, grads, dtype);
    else {
        copy(flat(kept, 0, dtype), flat(params, 0, NG_F32));
        copy(flat(params, 0, NG_F32), flat(kept, 0, dtype));
        add_tensors(opt, group, kept, kept_grads, dtype);
    }
    train(opt, dtype);
    printf("step %d  validation %.4f\n", STEPS, (double)validate());
    ng_optimizer_destroy(opt);
    return 0;
}
