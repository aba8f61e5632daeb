/* An optimizer of every kind of group that steps parameter by parameter, fed the same numbers at
 * the same step whoever runs it. */
#ifndef NG_TEST_KINDS_WORLD_H
#define NG_TEST_KINDS_WORLD_H

#include "tests/support/dense.h"
#include "tests/support/run.h"

#include <stdio.h>

static const struct {
    const char *preset, *settings;
} kinds[] = {
    {"sgd", ""},
    {"adamw", ""},
    {"muon", "polar=exact weight_decay=0.1"},
    {"muon", "polar=fast nesterov=no gradient_scale=rms"},
    {"muon", "ball=frobenius"},
    {"muon", "ball=none"},
    {"fismo", "polar=exact root=cholesky refresh_p=1 refresh_q=1"},
    {"fismo", "one_sided=always nesterov=yes"},
    {"fismo", "root=symmetric refresh_tolerance=0.01 refresh_q=2"},
    {"fismo_paper", "damping=1e-6"},
    {"kfac", ""},
    {"kfac", "damping_kind=exact_eigen update_interval=2 gradient_scale=rms"},
    {"kfac", "metric=type2"},
    {"kfac", "damping=1e-6 root=symmetric"},
    {"kfac_muon", "polar=exact root=cholesky"},
    {"ekfac", "inverse_interval=2"},
    {"shampoo", "inverse_interval=2"},
    {"soap", "inverse_interval=2"},
    {"soap", "one_sided=always"},
    {"kfac", "damping_kind=per_factor update_interval=1 inverse_interval=2"},
    {"fismo", ""},
    {"fismo", "refresh_p=1 refresh_q=2"},
    {"kfac_muon", ""},
    {"muon", "ball=sign cautious_decay=yes weight_decay=0.1"},
    {"muon", "ball=rows length=dual"},
    {"muon", "ball=columns"},
    {"muon", "length=dual"},
    {"normuon", ""},
    {"ivon", "weight_decay=1e-8"},
    {"kfac", "damping_kind=diagonal"},
    {"fismo", "rank=4 refresh_p=2 refresh_q=1"},
    {"kfac", "rank=6 update_interval=1 inverse_interval=10"},
    {"kfac_muon",
     "length=dual agreement=yes row_normalisation=yes cautious_decay=yes weight_decay=0.1"}};
static const size_t shapes[][2] = {{1, 1}, {1, 9}, {30, 20}, {11, 30}, {17, 2}};
enum {
    KINDS = sizeof kinds / sizeof kinds[0],
    SHAPES = sizeof shapes / sizeof shapes[0],
    MOST = KINDS * SHAPES
};

/* what a monitor was told, without times */
typedef struct {
    char name[16], route[32];
    ng_status status;
    size_t rank;
    double gradient_norm, update_norm;
} note;

typedef struct {
    ng_optimizer *opt;
    size_t count; /* of parameters */
    ng_group *group[MOST];
    int captures[MOST];
    ng_mat w[MOST], dw[MOST], b[MOST], db[MOST]; /* b: of every second layer with captures */
    note notes[MOST + 1];                        /* of the last step; the last is its own */
    int told;
} world;

static int world_listen(const ng_event *event, void *data)
{
    world *x = data;
    note *n = &x->notes[(size_t)x->told++ % (x->count + 1)];
    memset(n, 0, sizeof *n);
    snprintf(n->name, sizeof n->name, "%s", event->name);
    snprintf(n->route, sizeof n->route, "%s", event->route);
    n->status = event->status;
    n->rank = event->rank;
    n->gradient_norm = event->gradient_norm;
    n->update_norm = event->update_norm;
    return 0;
}

static inline ng_layout world_layout(size_t p)
{
    return p % 3 == 1 ? NG_IN_OUT : NG_OUT_IN;
}

/* of the whole, [W b] */
static inline size_t world_rows(const world *x, size_t p)
{
    return x->w[p].rows + (x->b[p].data != NULL && world_layout(p) == NG_IN_OUT);
}

static inline size_t world_cols(const world *x, size_t p)
{
    return x->w[p].cols + (x->b[p].data != NULL && world_layout(p) == NG_OUT_IN);
}

static inline void world_add(world *x, ng_group *group, int captures, ng_dtype dtype)
{
    size_t p = x->count++, i = p % SHAPES, index;
    size_t outputs = shapes[i][world_layout(p) == NG_OUT_IN ? 0 : 1];
    char name[16];
    test_rng rng = {(unsigned)p + 1};
    sprintf(name, "layer%03zu", p);
    x->group[p] = group;
    x->captures[p] = captures;
    x->w[p] = test_mat(shapes[i][0], shapes[i][1], i % 2, dtype);
    x->dw[p] = test_mat(shapes[i][0], shapes[i][1], i % 3, dtype);
    test_fill_normal(x->w[p], &rng);
    ng_assert_ok(ng_group_add(group, &index, name, x->w[p], x->dw[p]), NULL);
    ng_assert_ok(ng_group_set_layout(group, index, world_layout(p)), NULL);
    if (!captures || i % 2 == 1)
        return;
    x->b[p] = test_mat(1, outputs, 0, dtype);
    x->db[p] = test_mat(1, outputs, 0, dtype);
    test_fill_normal(x->b[p], &rng);
    ng_assert_ok(ng_group_add_bias(group, index, x->b[p], x->db[p]), NULL);
}

/* Groups of the kinds from ... to - 1, each with a parameter of every shape. */
static inline void world_open(world *x, size_t from, size_t to, ng_dtype dtype, int threads,
                              ng_atomic atomic)
{
    ng_optimizer_options options;
    memset(x, 0, sizeof *x);
    ng_optimizer_init(&options);
    options.threads = threads;
    options.atomic = atomic;
    ng_assert_ok(ng_optimizer_create(&x->opt, &options), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(x->opt, world_listen, x), NULL);
    for (size_t kind = from; kind < to; kind++) {
        ng_group *group;
        void *o = test_options(kinds[kind].preset, kinds[kind].settings);
        ck_assert_msg(ng_optimizer_add_group(x->opt, &group, o) == NG_OK, "%s",
                      ng_optimizer_error(x->opt));
        for (size_t i = 0; i < SHAPES; i++)
            world_add(x, group, ng_options_want_capture(o), dtype);
        free(o);
    }
}

static inline void world_close(world *x)
{
    ng_optimizer_destroy(x->opt);
    for (size_t p = 0; p < x->count; p++) {
        test_free(x->w[p]), test_free(x->dw[p]);
        if (x->b[p].data != NULL)
            test_free(x->b[p]), test_free(x->db[p]);
    }
}

static inline void world_capture(world *x, size_t p, test_rng *rng)
{
    int straight = world_layout(p) == NG_OUT_IN;
    ng_mat w = x->w[p];
    ng_mat a = test_mat(40, straight ? w.cols : w.rows, 0, w.dtype);
    ng_mat g = test_mat(40, straight ? w.rows : w.cols, 1, w.dtype);
    test_fill_normal(a, rng);
    test_fill_normal(g, rng);
    ng_assert_ok(ng_group_capture(x->group[p], p % SHAPES, a, g, 1), NULL);
    test_free(a), test_free(g);
}

/* Gradients and captures of that step. */
static inline void world_feed(world *x, unsigned step)
{
    for (size_t p = 0; p < x->count; p++) {
        test_rng rng = {1000 * step + (unsigned)p};
        test_fill_normal(x->dw[p], &rng);
        if (x->b[p].data != NULL)
            test_fill_normal(x->db[p], &rng);
        if (x->captures[p])
            world_capture(x, p, &rng);
    }
}

static inline void world_step(world *x, unsigned step)
{
    world_feed(x, step);
    ck_assert_msg(ng_optimizer_step(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
}

/* Weights and bias of a parameter, bit for bit. */
static inline int world_same(const world *x, const world *y, size_t p)
{
    return test_same_bits(x->w[p], y->w[p]) &&
           (x->b[p].data == NULL || test_same_bits(x->b[p], y->b[p]));
}

#endif
