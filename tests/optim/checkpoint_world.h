/* An optimizer of every kind of group, fed the same numbers at the same step
 * whoever runs it; and files to spoil. */
#ifndef NG_TEST_CHECKPOINT_WORLD_H
#define NG_TEST_CHECKPOINT_WORLD_H

#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/dense.h"
#include "tests/support/run.h"

static const struct {
    const char *preset, *settings; /* preset NULL: natural */
} kinds[] = {
    {"sgd", "momentum=0.9 nesterov=yes"},
    {"adamw", ""},
    {"muon", "weight_decay=0.1"},
    {"fismo", "refresh_q=2"},
    {"fismo", "root=symmetric refresh_tolerance=0.1 ball=frobenius"},
    {"fismo_paper", ""},
    {"kfac", "inverse_interval=2 kl_clip=0.01"},
    {"kfac", "damping_kind=exact_eigen update_interval=2"},
    {"kfac_muon", ""},
    {"ekfac", "inverse_interval=3"},
    {"shampoo", "inverse_interval=2"},
    {"soap", "inverse_interval=2"},
    {NULL, "momentum=0.5 damping=0.1"},
    {NULL, "damping_mode=lm damping=0.3"},
    {"normuon", "weight_decay=0.1 cautious_decay=yes"},
    {"ivon", ""},
    {"muon", "ball=rows length=dual agreement=yes"},
    {"kfac_muon", "damping_kind=diagonal"},
    {"kfac_auto", "inverse_interval=2 retract=yes"},
    {"kfac", "rank=2 inverse_interval=2"},
};
static const size_t world_shapes[][2] = {{4, 6}, {5, 3}};
enum { KINDS = sizeof kinds / sizeof kinds[0], EACH = 2, WORLD_PARAMS = KINDS * EACH };

typedef struct {
    ng_optimizer *opt;
    size_t count; /* of groups */
    ng_group *group[KINDS];
    int natural[KINDS], captures[KINDS];
    ng_fisher *fisher[KINDS];
    ng_mat w[WORLD_PARAMS], dw[WORLD_PARAMS], b[WORLD_PARAMS], db[WORLD_PARAMS];
} world;

static inline void world_add(world *t, size_t g, size_t i, ng_dtype dtype, test_rng *rng)
{
    size_t p = g * EACH + i, rows = world_shapes[i][0], cols = world_shapes[i][1], index;
    ng_layout layout = i == 1 && !t->natural[g] ? NG_IN_OUT : NG_OUT_IN;
    char name[40];
    sprintf(name, "layer%zu.\xce\xb1/weight", p); /* a slash and a letter that is not ASCII */
    t->w[p] = test_mat(rows, cols, i, dtype);
    t->dw[p] = test_mat(rows, cols, 2 * i, dtype);
    test_fill_normal(t->w[p], rng);
    ng_assert_ok(ng_group_add(t->group[g], &index, name, t->w[p], t->dw[p]), NULL);
    ng_assert_ok(ng_group_set_layout(t->group[g], index, layout), NULL);
    if (!t->captures[g])
        return;
    size_t outputs = layout == NG_OUT_IN ? rows : cols;
    t->b[p] = test_mat(1, outputs, 0, dtype);
    t->db[p] = test_mat(1, outputs, 0, dtype);
    test_fill_normal(t->b[p], rng);
    ng_assert_ok(ng_group_add_bias(t->group[g], index, t->b[p], t->db[p]), NULL);
}

static inline void world_open_group(world *t, size_t kind, ng_dtype dtype, test_rng *rng)
{
    size_t g = t->count++, n = 0;
    ng_natural_options natural;
    ng_error err = {NG_OK, ""};
    void *options = NULL;
    t->natural[g] = kinds[kind].preset == NULL;
    if (t->natural[g]) {
        char name[64], text[64];
        int used = 0;
        const char *settings = kinds[kind].settings;
        ng_natural_init(&natural);
        for (; sscanf(settings, " %63[^=]=%63s%n", name, text, &used) == 2; settings += used)
            ng_assert_ok(ng_options_set_text(&natural, name, text, &err), &err);
    } else
        options = test_options(kinds[kind].preset, kinds[kind].settings);
    const void *chosen = t->natural[g] ? (const void *)&natural : options;
    t->captures[g] = ng_options_want_capture(chosen);
    ck_assert_msg(ng_optimizer_add_group(t->opt, &t->group[g], chosen) == NG_OK, "%s",
                  ng_optimizer_error(t->opt));
    free(options);
    for (size_t i = 0; i < EACH; i++) {
        world_add(t, g, i, dtype, rng);
        n += world_shapes[i][0] * world_shapes[i][1];
    }
    if (!t->natural[g])
        return;
    ng_mat f = test_mat(n, n, 0, dtype);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            ng_mat_set(f, i, j, (i == j ? 2 : 0) + 1 / (1 + (double)(i + j)));
    ng_assert_ok(ng_fisher_create_dense(&t->fisher[g], n, dtype, NULL), NULL);
    ng_assert_ok(ng_fisher_set(t->fisher[g], f, 1, NULL), NULL);
    ng_assert_ok(ng_group_set_fisher(t->group[g], t->fisher[g]), NULL);
    test_free(f);
}

/* Groups of the kinds from ... to - 1. */
static inline void world_open(world *t, size_t from, size_t to, ng_dtype dtype, int threads,
                              unsigned seed)
{
    test_rng rng = {seed};
    ng_optimizer_options options;
    memset(t, 0, sizeof *t);
    ng_optimizer_init(&options);
    options.threads = threads;
    options.clip_norm = 20;
    ng_assert_ok(ng_optimizer_create(&t->opt, &options), NULL);
    for (size_t kind = from; kind < to; kind++)
        world_open_group(t, kind, dtype, &rng);
}

static inline void world_close(world *t)
{
    ng_optimizer_destroy(t->opt);
    for (size_t p = 0; p < t->count * EACH; p++) {
        test_free(t->w[p]);
        test_free(t->dw[p]);
        if (t->b[p].data != NULL) {
            test_free(t->b[p]);
            test_free(t->db[p]);
        }
    }
    for (size_t g = 0; g < t->count; g++)
        ng_fisher_destroy(t->fisher[g]);
}

/* Gradients and captures number `seed`, the same for every world. */
static inline void world_feed(world *t, unsigned seed)
{
    test_rng rng = {1000 + seed};
    for (size_t p = 0; p < t->count * EACH; p++) {
        size_t g = p / EACH, i = p % EACH;
        test_fill_normal(t->dw[p], &rng);
        if (!t->captures[g])
            continue;
        test_fill_normal(t->db[p], &rng);
        size_t out = i == 1 ? t->w[p].cols : t->w[p].rows,
               in = i == 1 ? t->w[p].rows : t->w[p].cols;
        ng_mat a = test_mat(7, in, 0, t->w[p].dtype), s = test_mat(7, out, 0, t->w[p].dtype);
        test_fill_normal(a, &rng);
        test_fill_normal(s, &rng);
        ck_assert_msg(ng_group_capture(t->group[g], i, a, s, 7) == NG_OK, "%s",
                      ng_optimizer_error(t->opt));
        test_free(a);
        test_free(s);
    }
}

static inline void world_finish(world *t)
{
    ck_assert_msg(ng_optimizer_step(t->opt) == NG_OK, "%s", ng_optimizer_error(t->opt));
    for (size_t g = 0; g < t->count; g++)
        if (t->natural[g])
            (void)ng_group_adapt_damping(t->group[g], NULL, 1, 0.9);
}

static inline void world_step(world *t, unsigned seed)
{
    world_feed(t, seed);
    world_finish(t);
}

/* ---- Everything a world is, to be compared ------------------------------------------------ */

typedef struct {
    unsigned char *bytes;
    size_t size;
} snapshot;

static inline void snap(snapshot *s, const void *bytes, size_t size)
{
    s->bytes = realloc(s->bytes, s->size + size);
    ck_assert_ptr_nonnull(s->bytes);
    memcpy(s->bytes + s->size, bytes, size);
    s->size += size;
}

static inline void snap_mat(snapshot *s, ng_mat m)
{
    size_t size = ng_dtype_size(m.dtype);
    for (size_t i = 0; i < m.rows && m.data != NULL; i++)
        snap(s, (const char *)m.data + i * m.stride * size, m.cols * size);
}

static inline snapshot world_snapshot(world *t)
{
    snapshot s = {NULL, 0};
    double counts[2 + 2 * KINDS + 2 * WORLD_PARAMS];
    const char *param, *name;
    ng_mat view;
    size_t n = ng_optimizer_counts(t->opt, counts, sizeof counts / sizeof counts[0]);
    snap(&s, counts, n * sizeof counts[0]);
    for (size_t i = 0; ng_optimizer_tensor(t->opt, &param, &name, &view, i) == NG_OK; i++) {
        snap(&s, param, strlen(param) + 1);
        snap(&s, name, strlen(name) + 1);
        snap_mat(&s, view);
    }
    for (size_t p = 0; p < t->count * EACH; p++) {
        snap_mat(&s, t->w[p]);
        snap_mat(&s, t->b[p]);
    }
    for (size_t g = 0; g < t->count; g++) {
        static const char *const some[] = {"lr", "momentum", "damping", "weight_decay"};
        for (int k = 0; k < 4; k++) {
            double value;
            if (ng_group_get(t->group[g], some[k], &value) == NG_OK)
                snap(&s, &value, sizeof value);
        }
    }
    return s;
}

/* Compares with t's present state and frees s. */
static inline int world_is(world *t, snapshot s)
{
    snapshot now = world_snapshot(t);
    int same = now.size == s.size && memcmp(now.bytes, s.bytes, s.size) == 0;
    free(now.bytes);
    free(s.bytes);
    return same;
}

/* ---- Files ------------------------------------------------------------------------------- */

static char folder[64], path[96];

static inline void open_files_in(const char *place)
{
    sprintf(folder, "%s/natgrad-checkpoint-XXXXXX", place);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    sprintf(path, "%s/last.safetensors", folder);
}

static inline void open_files(void)
{
    open_files_in("/tmp");
}

/* What a save left beside path; removed. */
static inline int sweep_temporaries(void)
{
    int count = 0;
    char name[400];
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, "natgrad-tmp-", 12) == 0) {
            sprintf(name, "%s/%s", folder, e->d_name);
            unlink(name);
            count++;
        }
    closedir(d);
    return count;
}

static inline void close_files(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left there */
}

static inline void save(world *t, int weights)
{
    ng_checkpoint_options o;
    ng_checkpoint_init(&o);
    o.weights = weights;
    ck_assert_msg(ng_optimizer_save(t->opt, path, &o) == NG_OK, "%s", ng_optimizer_error(t->opt));
    ck_assert_int_eq(sweep_temporaries(), 0);
}

static inline ng_status load(world *t, int weights)
{
    ng_checkpoint_options o;
    ng_checkpoint_init(&o);
    o.weights = weights;
    return ng_optimizer_load(t->opt, path, &o);
}

/* The load fails with that status, its text names the culprit, nothing changes. */
static inline void refused(world *t, ng_status expected, const char *culprit)
{
    snapshot before = world_snapshot(t);
    ng_status status = load(t, 0);
    ck_assert_msg(status == expected, "%s (%s), expected %s", ng_status_name(status),
                  ng_optimizer_error(t->opt), ng_status_name(expected));
    ck_assert_msg(strstr(ng_optimizer_error(t->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(t->opt), culprit);
    ck_assert(world_is(t, before));
}

#endif
