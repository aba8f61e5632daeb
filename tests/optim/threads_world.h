/* A world of many parameters of several groups, methods and dtypes; what
 * monitors heard of it; steps that fail; OpenBLAS's count seen from inside a
 * step; threads that cannot be had. */
#ifndef NG_TEST_THREADS_WORLD_H
#define NG_TEST_THREADS_WORLD_H

#include "tests/support/dense.h"
#include "tests/support/run.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

int openblas_get_num_threads(void);
void openblas_set_num_threads(int);

/* ---- What is seen ---------------------------------------------------------------- */

static atomic_int least_seen, most_seen; /* OpenBLAS's count inside an eigenproblem */

static void look(void)
{
    int now = openblas_get_num_threads();
    for (int old = most_seen; now > old && !atomic_compare_exchange_weak(&most_seen, &old, now);)
        ;
    for (int old = least_seen; now < old && !atomic_compare_exchange_weak(&least_seen, &old, now);)
        ;
}

static int hands = INT_MAX; /* threads that can still be had */
static int had;

static fault_kind note_threads(fault_call call)
{
    if (call == ON_SYEVD)
        look();
    if (call != ON_THREAD)
        return SPARE;
    return had >= hands ? FAIL : (had++, SPARE);
}

static inline void reset(void)
{
    least_seen = INT_MAX;
    most_seen = 0;
    hands = INT_MAX;
    had = 0;
    fault_hook = note_threads;
    openblas_set_num_threads(1);
}

static inline void unhook(void)
{
    fault_over();
    openblas_set_num_threads(1);
}

/* ---- An optimizer of many parameters ---------------------------------------------------- */

static const struct {
    const char *preset, *settings;
} groups[] = {{"sgd", "momentum=0.9"},
              {"fismo", ""},
              {"adamw", ""},
              {"muon", "weight_decay=0.1"},
              {"fismo_paper", "refresh_tolerance=0.01"},
              {"fismo", "polar=fast refresh_q=2 damping=1e-5"},
              {"muon", "polar=newton_schulz"},
              {"muon", "ball=frobenius"},
              {"normuon", ""},
              {"ivon", ""},
              {"muon", "ball=sign"},
              {"shampoo", "inverse_interval=2"},
              {"soap", "inverse_interval=2"}};
/* the costliest neither first nor last in the order of adding */
static const size_t shapes[][2] = {{4, 7}, {40, 24}, {1, 33}, {23, 41}, {12, 12}};
enum {
    GROUPS = sizeof groups / sizeof groups[0],
    EACH = sizeof shapes / sizeof shapes[0],
    PARAMS = GROUPS * EACH,
    EVENTS = PARAMS + 1
};

/* what a monitor was told, without times */
typedef struct {
    char name[16], route[32];
    size_t index, rank;
    double gradient_norm, update_norm;
} note;

typedef struct {
    ng_optimizer *opt;
    ng_mat w[PARAMS], dw[PARAMS];
    note notes[EVENTS];
    int count;
} world;

static int listen(const ng_event *event, void *data)
{
    world *t = data;
    note *n = &t->notes[t->count++ % EVENTS];
    memset(n, 0, sizeof *n);
    snprintf(n->name, sizeof n->name, "%s", event->name);
    snprintf(n->route, sizeof n->route, "%s", event->route);
    n->index = event->index;
    n->rank = event->rank;
    n->gradient_norm = event->gradient_norm;
    n->update_norm = event->update_norm;
    return 0;
}

/* each parameter's dtype by turns: f32 and f64 meet in one optimizer */
static void add_params(world *t, ng_group *group, int g, test_rng *rng)
{
    for (int i = 0; i < EACH; i++) {
        int p = g * EACH + i;
        size_t index;
        char name[32];
        sprintf(name, "layer%02d", p);
        ng_dtype dtype = (ng_dtype)((p + g) % 2);
        t->w[p] = test_mat(shapes[i][0], shapes[i][1], (size_t)i, dtype);
        t->dw[p] = test_mat(shapes[i][0], shapes[i][1], 2 * (size_t)i, dtype);
        test_fill_normal(t->w[p], rng);
        ng_assert_ok(ng_group_add(group, &index, name, t->w[p], t->dw[p]), NULL);
        ng_assert_ok(ng_group_set_layout(group, index, (ng_layout)(i % 2)), NULL);
    }
}

static void open_world(world *t, int threads)
{
    test_rng rng = {71};
    ng_optimizer_options options;
    ng_optimizer_init(&options);
    ck_assert(options.size == sizeof options && options.threads == 0);
    options.threads = threads;
    t->count = 0;
    ng_assert_ok(ng_optimizer_create(&t->opt, &options), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(t->opt, listen, t), NULL);
    for (int g = 0; g < GROUPS; g++) {
        ng_group *group;
        void *o = test_options(groups[g].preset, groups[g].settings);
        ck_assert_msg(ng_optimizer_add_group(t->opt, &group, o) == NG_OK, "%s",
                      ng_optimizer_error(t->opt));
        free(o);
        add_params(t, group, g, &rng);
    }
}

static inline void close_world(world *t)
{
    ng_optimizer_destroy(t->opt);
    for (int p = 0; p < PARAMS; p++)
        test_free(t->w[p]), test_free(t->dw[p]);
}

static void gradients(world *t, unsigned seed)
{
    test_rng rng = {seed};
    for (int p = 0; p < PARAMS; p++)
        test_fill_normal(t->dw[p], &rng);
}

static inline void step(world *t, unsigned seed)
{
    gradients(t, seed);
    ck_assert_msg(ng_optimizer_step(t->opt) == NG_OK, "%s", ng_optimizer_error(t->opt));
}

static inline void assert_same(const world *a, const world *b)
{
    for (int p = 0; p < PARAMS; p++)
        ck_assert_msg(test_same_bits(a->w[p], b->w[p]), "parameter %d differs", p);
    ck_assert_int_eq(a->count, b->count);
    for (int e = 0; e < EVENTS; e++)
        ck_assert_msg(memcmp(&a->notes[e], &b->notes[e], sizeof(note)) == 0,
                      "event %d: %s %s against %s %s", e, a->notes[e].name, a->notes[e].route,
                      b->notes[e].name, b->notes[e].route);
}

/* ---- Failures ----------------------------------------------------------------------------------
 */

/* Which parameters' gradients are spoilt, and how; the first is the one named. */
static const struct {
    int at[4];
    double with[4];
    ng_status expected;
} failures[] = {{{2, 6, 8, 39}, {NAN, NAN, INFINITY, NAN}, NG_ENONFINITE},
                {{38, 16, 21, 38}, {INFINITY, -INFINITY, NAN, NAN}, NG_ENONFINITE},
                {{10, 11, 12, 13}, {1e30, NAN, 1e200, NAN}, NG_ERANGE},
                {{0, 1, 2, 3}, {NAN, NAN, NAN, NAN}, NG_ENONFINITE},
                {{39, 39, 39, 39}, {NAN, NAN, NAN, NAN}, NG_ENONFINITE}};
enum { FAILURES = sizeof failures / sizeof failures[0] };

/* A step that must fail; its text. Nothing has changed. */
static inline void bad_step(world *t, int f, char *text, size_t size)
{
    ng_mat before[PARAMS];
    int events = t->count, first = PARAMS;
    char name[32];
    unsigned long long steps = ng_optimizer_steps(t->opt);
    gradients(t, 1000);
    for (int p = 0; p < PARAMS; p++)
        before[p] = test_copy(t->w[p]);
    for (int k = 0; k < 4; k++) {
        int p = failures[f].at[k];
        ng_mat x = t->dw[p];
        ng_mat_set(x, x.rows - 1, x.cols / 2, failures[f].with[k]);
        first = p < first ? p : first;
    }
    ng_status status = ng_optimizer_step(t->opt);
    ck_assert_msg(status == failures[f].expected, "case %d: %s", f, ng_status_name(status));
    sprintf(name, "'layer%02d'", first);
    ck_assert_msg(strstr(ng_optimizer_error(t->opt), name) != NULL, "\"%s\" does not name %s",
                  ng_optimizer_error(t->opt), name);
    snprintf(text, size, "%s", ng_optimizer_error(t->opt));
    ck_assert_int_eq(t->count, events);
    ck_assert_uint_eq(ng_optimizer_steps(t->opt), steps);
    for (int p = 0; p < PARAMS; p++) {
        ck_assert_msg(test_same_bits(before[p], t->w[p]), "parameter %d changed", p);
        test_free(before[p]);
    }
}

#endif
