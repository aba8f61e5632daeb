/* A layer of any preset, for tests about the range of numbers. */
#ifndef NG_TEST_FINITE_WORLD_H
#define NG_TEST_FINITE_WORLD_H

#include <math.h>
#include <stdio.h>

#include "tests/support/run.h"

static const char *const presets[] = {"sgd",     "adamw",     "muon",      "fismo",   "fismo_paper",
                                      "kfac",    "kfac_muon", "ekfac",     "shampoo", "soap",
                                      "normuon", "ivon",      "kfac_auto", "natural"};
enum { PRESETS = sizeof presets / sizeof presets[0], ROWS = 4, COLS = 3, BATCH = 6 };

/* With its captures, where its method takes them, or its Fisher matrix. */
typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w, dw, a, g, scores;
    ng_fisher *fisher; /* of natural alone */
    int captures;
} world;

/* Of a preset, or of natural, which is none: it wants a Fisher matrix. */
static inline void *options_of(const char *preset, const char *settings)
{
    char name[64], text[64];
    int used = 0;
    if (strcmp(preset, "natural") != 0)
        return test_options(preset, settings);
    ng_natural_options *o = malloc(sizeof *o);
    ng_assert_ok(ng_natural_init(o), NULL);
    for (; sscanf(settings, " %63[^=]=%63s%n", name, text, &used) == 2; settings += used)
        ng_assert_ok(ng_options_set_text(o, name, text, NULL), NULL);
    return o;
}

static inline void open_world(world *x, const char *preset, const char *settings, ng_dtype dtype)
{
    void *o = options_of(preset, settings);
    x->captures = ng_options_want_capture(o);
    x->fisher = NULL;
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, o), NULL);
    x->w = test_mat(ROWS, COLS, 1, dtype), x->dw = test_mat(ROWS, COLS, 0, dtype);
    x->a = test_mat(BATCH, COLS, 0, dtype), x->g = test_mat(BATCH, ROWS, 0, dtype);
    x->scores = test_mat(BATCH, ROWS * COLS, 0, dtype);
    ng_assert_ok(ng_group_add(x->group, NULL, "w", x->w, x->dw), NULL);
    if (strcmp(preset, "natural") == 0) {
        ng_assert_ok(ng_fisher_create_dense(&x->fisher, ROWS * COLS, dtype, NULL), NULL);
        ng_assert_ok(ng_group_set_fisher(x->group, x->fisher), NULL);
    }
    free(o);
}

static inline void close_world(world *x)
{
    ng_optimizer_destroy(x->opt);
    ng_fisher_destroy(x->fisher);
    test_free(x->w), test_free(x->dw), test_free(x->a), test_free(x->g), test_free(x->scores);
}

/* uniform in -largest ... largest, and one element at either end */
static inline void fill(ng_mat m, double largest, test_rng *rng)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            ng_mat_set(m, i, j, largest * (2 * test_uniform(rng) - 1));
    ng_mat_set(m, 0, 0, largest);
    ng_mat_set(m, m.rows - 1, m.cols - 1, -largest);
}

static inline int all_finite(ng_mat m)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            if (!isfinite(ng_mat_get(m, i, j)))
                return 0;
    return 1;
}

/* What the method wants beside the gradient: captures of these sizes, or scores. */
static inline ng_status feed(world *x, double inputs, double outputs, double scale, test_rng *rng)
{
    fill(x->a, inputs, rng);
    fill(x->g, outputs, rng);
    fill(x->scores, outputs, rng);
    if (x->fisher != NULL)
        return ng_fisher_accumulate(x->fisher, x->scores, ng_mat_none(), NULL, NULL);
    return x->captures ? ng_group_capture(x->group, 0, x->a, x->g, scale) : NG_OK;
}

enum { TENSORS = 16 };

/* weights, then all state */
static inline size_t look(const world *x, ng_mat *views)
{
    const char *parameter, *name;
    size_t n = 0;
    views[n++] = x->w;
    while (n < TENSORS && ng_optimizer_tensor(x->opt, &parameter, &name, &views[n], n - 1) == NG_OK)
        n++;
    return n;
}

/* A step that fails has changed no bit; one that does not leaves only finite numbers. */
static inline int check_step(world *x, const char *what)
{
    ng_mat views[TENSORS], before[TENSORS];
    size_t n = look(x, views);
    for (size_t i = 0; i < n; i++)
        before[i] = test_copy(views[i]);
    ng_status status = ng_optimizer_step(x->opt);
    ck_assert_msg(status == NG_OK || ng_optimizer_error(x->opt)[0] != '\0', "%s: no text", what);
    ck_assert_uint_eq(look(x, views), n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(all_finite(views[i]), "%s: tensor %zu is not finite (%s)", what, i,
                      ng_status_name(status));
        ck_assert_msg(status == NG_OK || test_same_bits(views[i], before[i]),
                      "%s: tensor %zu changed in a step that failed (%s)", what, i,
                      ng_status_name(status));
        test_free(before[i]);
    }
    return status == NG_OK;
}

#endif
