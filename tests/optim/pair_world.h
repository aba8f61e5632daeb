/* An optimizer of one group with two parameters, and how its refusals are told. */
#ifndef NG_TEST_PAIR_WORLD_H
#define NG_TEST_PAIR_WORLD_H

#include "tests/support/run.h"

/* Those without captures; not soap, whose step depends on the eigenvectors that rounding chooses
 * where an eigenvalue is repeated: here in the null space of the first 7 x 3 gradient. */
static const char *const presets[] = {"sgd",         "adamw",   "muon",   "fismo",
                                      "fismo_paper", "shampoo", "normuon"};
enum { PRESETS = sizeof presets / sizeof presets[0] };

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w[2], dw[2];
} world;

/* Two parameters, one of them strided, of the dtype. */
static inline void open_world(world *x, const char *preset, ng_dtype dtype,
                              const ng_optimizer_options *options)
{
    void *o = test_options(preset, "");
    ng_assert_ok(ng_optimizer_create(&x->opt, options), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, o), NULL);
    free(o);
    for (int i = 0; i < 2; i++) {
        size_t rows = i ? 7 : 4, cols = i ? 3 : 5, pad = i ? 2 : 0;
        x->w[i] = test_mat(rows, cols, pad, dtype);
        x->dw[i] = test_mat(rows, cols, 2 * pad, dtype);
        ng_assert_ok(ng_group_add(x->group, NULL, i ? "second" : "first", x->w[i], x->dw[i]), NULL);
    }
}

static inline void close_world(world *x)
{
    ng_optimizer_destroy(x->opt);
    for (int i = 0; i < 2; i++)
        test_free(x->w[i]), test_free(x->dw[i]);
}

static inline void refuse(const world *x, ng_status status, ng_status expected, const char *culprit)
{
    ck_assert_msg(status == expected, "%s, expected %s", ng_status_name(status),
                  ng_status_name(expected));
    ck_assert_msg(strstr(ng_optimizer_error(x->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(x->opt), culprit);
}

#endif
