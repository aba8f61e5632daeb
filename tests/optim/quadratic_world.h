/* A group of two parameters, the first with a bias where captures are wanted, driven with vectors
 * in double: each parameter's weights, row by row, then its bias. */
#ifndef NG_TEST_QUADRATIC_WORLD_H
#define NG_TEST_QUADRATIC_WORLD_H

#include <natgrad/natural.h>

#include "tests/support/kfac.h"

enum { PLAIN = 10, BIASED = 13 }; /* elements without and with the bias */

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w[3], dw[3]; /* of the second parameter, then of the third; the bias last */
    int biased;
} team;

static const size_t sizes[3][2] = {{3, 2}, {1, 4}, {3, 1}};

/* weights of the first, its bias, weights of the second */
static const int order[3] = {0, 2, 1};

static inline void team_open(team *t, const char *preset, const char *settings, ng_dtype dtype)
{
    void *o = test_options(preset, settings);
    t->biased = ng_options_want_capture(o);
    ng_assert_ok(ng_optimizer_create(&t->opt, NULL), NULL);
    ck_assert_msg(ng_optimizer_add_group(t->opt, &t->group, o) == NG_OK, "%s",
                  ng_optimizer_error(t->opt));
    for (int i = 0; i < 3; i++) {
        t->w[i] = test_mat(sizes[i][0], sizes[i][1], (size_t)i, dtype);
        t->dw[i] = test_mat(sizes[i][0], sizes[i][1], 2, dtype);
    }
    ng_assert_ok(ng_group_add(t->group, NULL, "first", t->w[0], t->dw[0]), NULL);
    if (t->biased)
        ng_assert_ok(ng_group_add_bias(t->group, 0, t->w[2], t->dw[2]), NULL);
    ng_assert_ok(ng_group_add(t->group, NULL, "second", t->w[1], t->dw[1]), NULL);
    free(o);
}

static inline void team_close(team *t)
{
    ng_optimizer_destroy(t->opt);
    for (int i = 0; i < 3; i++) {
        test_free(t->w[i]);
        test_free(t->dw[i]);
    }
}

static inline ng_mat team_get(const team *t, const ng_mat *from)
{
    size_t k = 0, n = t->biased ? BIASED : PLAIN;
    ng_mat v = dense_mat(1, n);
    for (int o = 0; o < 3; o++) {
        ng_mat m = from[order[o]];
        if (order[o] == 2 && !t->biased)
            continue;
        for (size_t i = 0; i < m.rows; i++)
            for (size_t j = 0; j < m.cols; j++)
                ng_mat_set(v, 0, k++, ng_mat_get(m, i, j));
    }
    return v;
}

static inline void team_put(const team *t, const ng_mat *to, ng_mat v)
{
    size_t k = 0;
    for (int o = 0; o < 3; o++) {
        ng_mat m = to[order[o]];
        if (order[o] == 2 && !t->biased)
            continue;
        for (size_t i = 0; i < m.rows; i++)
            for (size_t j = 0; j < m.cols; j++)
                ng_mat_set(m, i, j, ng_mat_get(v, 0, k++));
    }
}

/* Statistics of the step, the same whoever asks for that number of it. */
static inline void team_capture(const team *t, int step)
{
    test_rng own = {(unsigned long long)step + 500};
    for (size_t i = 0; i < 2 && t->biased; i++) {
        ng_mat a = test_mat(9, sizes[i][1], 0, t->w[0].dtype);
        ng_mat g = test_mat(9, sizes[i][0], 0, t->w[0].dtype);
        test_fill_normal(a, &own);
        test_fill_normal(g, &own);
        ng_assert_ok(ng_group_capture(t->group, i, a, g, 1), NULL);
        test_free(a);
        test_free(g);
    }
}

static inline void team_step(const team *t, ng_mat g, int step)
{
    team_put(t, t->dw, g);
    team_capture(t, step);
    ck_assert_msg(ng_optimizer_step(t->opt) == NG_OK, "%s", ng_optimizer_error(t->opt));
}

static inline ng_fisher *fisher_of(ng_mat h, ng_dtype dtype)
{
    ng_fisher *f;
    ng_mat x = test_convert(h, dtype);
    ng_assert_ok(ng_fisher_create_dense(&f, h.rows, dtype, NULL), NULL);
    ng_assert_ok(ng_fisher_set(f, x, 1, NULL), NULL);
    test_free(x);
    return f;
}

static inline double option(const team *t, const char *name)
{
    double x = NAN;
    ng_assert_ok(ng_group_get(t->group, name, &x), NULL);
    return x;
}

#endif
