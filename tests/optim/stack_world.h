/* One method around the layers of a net that lie in one array each for weights, gradients, biases
 * and activations: added as a stack, or one by one. */
#ifndef NG_TEST_STACK_WORLD_H
#define NG_TEST_STACK_WORLD_H

#include "tests/optim/kinds_world.h"

enum { LAYERS = 3, INPUTS = 5, OUTPUTS = 6, SAMPLES = 20, PARTS = 3 };
static const size_t parts[PARTS] = {2, 3, 1};

typedef struct {
    ng_dtype dtype;
    ng_layout layout;
    int divided; /* into parts */
    int biased;
    int shared; /* inputs, by the parts of a layer, where the method can */
    ng_atomic atomic;
    int threads;
    ng_rounding rounding;
    double clip_norm;
} stack_setup;

typedef struct {
    stack_setup setup;
    ng_optimizer *opt;
    ng_group *group;
    int captures;
    ng_mat w, dw, b, db, a, g; /* all layers, one below the other, with a row between */
} stack;

static inline ng_stack stack_layers(ng_mat all, size_t rows)
{
    ng_mat first = all;
    first.rows = rows;
    return ng_stack_of(first, LAYERS, (rows + 1) * all.stride);
}

static inline ng_mat stack_mat(size_t rows, size_t cols, size_t pad, ng_dtype dtype)
{
    return test_mat(LAYERS * (rows + 1), cols, pad, dtype);
}

static inline size_t stack_rows(const stack *x)
{
    return x->setup.layout == NG_OUT_IN ? OUTPUTS : INPUTS;
}

/* Without parameters so far. */
static inline void stack_open(stack *x, size_t kind, stack_setup setup)
{
    test_rng rng = {31};
    void *o = test_options(kinds[kind].preset, kinds[kind].settings);
    memset(x, 0, sizeof *x);
    x->setup = setup;
    x->captures = ng_options_want_capture(o);
    size_t rows = stack_rows(x), cols = OUTPUTS + INPUTS - rows;
    x->w = stack_mat(rows, cols, 2, setup.dtype);
    x->dw = stack_mat(rows, cols, 1, setup.dtype);
    x->b = stack_mat(1, OUTPUTS, 1, setup.dtype);
    x->db = stack_mat(1, OUTPUTS, 0, setup.dtype);
    ng_dtype wide = setup.dtype == NG_F64 ? NG_F64 : NG_F32;
    x->a = stack_mat(SAMPLES, INPUTS, 1, wide);
    x->g = stack_mat(SAMPLES, OUTPUTS, 0, wide);
    test_fill_normal(x->w, &rng);
    test_fill_normal(x->b, &rng);
    ng_optimizer_options options;
    ng_optimizer_init(&options);
    options.atomic = setup.atomic;
    options.threads = setup.threads;
    options.rounding = setup.rounding;
    options.seed = 12;
    options.clip_norm = setup.clip_norm;
    ng_assert_ok(ng_optimizer_create(&x->opt, &options), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, o), NULL);
    free(o);
}

static inline void stack_close(stack *x)
{
    ng_optimizer_destroy(x->opt);
    test_free(x->w), test_free(x->dw), test_free(x->b), test_free(x->db);
    test_free(x->a), test_free(x->g);
}

/* As one stack. */
static inline void stack_add(stack *x)
{
    size_t first = 9, rows = stack_rows(x);
    ng_status status = ng_group_add_stack(x->group, &first, "w", stack_layers(x->w, rows),
                                          stack_layers(x->dw, rows), parts,
                                          x->setup.divided ? PARTS : 0, x->setup.layout);
    ck_assert_msg(status == NG_OK && first == 0, "%s", ng_optimizer_error(x->opt));
    if (x->setup.biased)
        ck_assert_msg(ng_group_add_bias_stack(x->group, 0, stack_layers(x->b, 1),
                                              stack_layers(x->db, 1)) == NG_OK,
                      "%s", ng_optimizer_error(x->opt));
}

/* 1: the parts of every layer share their inputs from now on. */
static inline int stack_share(stack *x)
{
    size_t memory = ng_optimizer_memory(x->opt);
    for (size_t l = 0; l < LAYERS; l++) {
        ng_status status = ng_group_share_inputs(x->group, l * PARTS, PARTS);
        if (status == NG_EUNSUPPORTED) {
            ck_assert_uint_eq(ng_optimizer_memory(x->opt), memory);
            return 0;
        }
        ck_assert_msg(status == NG_OK, "%s", ng_optimizer_error(x->opt));
    }
    return 1;
}

/* Outputs from ... of a matrix of the layout. */
static inline ng_mat stack_part(ng_mat m, size_t from, size_t outputs, ng_layout layout)
{
    return layout == NG_OUT_IN ? ng_mat_block(m, from, 0, outputs, m.cols)
                               : ng_mat_block(m, 0, from, m.rows, outputs);
}

/* For each parameter: its number, layer, first output and number of outputs. */
#define EACH_PART(x, p, l, from, n)                                                                \
    for (size_t p = 0, l = 0, from = 0, n = 0;                                                     \
         l < LAYERS && (n = (x)->setup.divided ? parts[p % PARTS] : OUTPUTS, 1);                   \
         from += n, l += from == OUTPUTS, from %= OUTPUTS, p++)

/* One by one. */
static inline void stack_add_apart(stack *x)
{
    ng_layout layout = x->setup.layout;
    ng_stack w = stack_layers(x->w, stack_rows(x)), dw = stack_layers(x->dw, stack_rows(x));
    ng_stack b = stack_layers(x->b, 1), db = stack_layers(x->db, 1);
    EACH_PART(x, p, l, from, n)
    {
        char name[40];
        sprintf(name, x->setup.divided ? "w[%zu][%zu]" : "w[%zu]", l, p % PARTS);
        ng_assert_ok(ng_group_add(x->group, NULL, name,
                                  stack_part(ng_stack_at(w, l), from, n, layout),
                                  stack_part(ng_stack_at(dw, l), from, n, layout)),
                     NULL);
        ng_assert_ok(ng_group_set_layout(x->group, p, layout), NULL);
        if (x->setup.biased)
            ng_assert_ok(ng_group_add_bias(x->group, p,
                                           ng_mat_block(ng_stack_at(b, l), 0, from, 1, n),
                                           ng_mat_block(ng_stack_at(db, l), 0, from, 1, n)),
                         NULL);
    }
}

static inline void stack_feed(stack *x, unsigned step)
{
    test_rng rng = {step + 100};
    test_fill_normal(x->dw, &rng);
    test_fill_normal(x->db, &rng);
    test_fill_normal(x->a, &rng);
    test_fill_normal(x->g, &rng);
}

static inline ng_status stack_capture(stack *x)
{
    return ng_group_capture_stack(x->group, 0, stack_layers(x->a, SAMPLES),
                                  stack_layers(x->g, SAMPLES), 3);
}

static inline void stack_capture_apart(stack *x)
{
    ng_stack a = stack_layers(x->a, SAMPLES), g = stack_layers(x->g, SAMPLES);
    EACH_PART(x, p, l, from, n)
    ng_assert_ok(ng_group_capture(x->group, p, ng_stack_at(a, l),
                                  ng_mat_block(ng_stack_at(g, l), 0, from, SAMPLES, n), 3),
                 NULL);
}

#endif
