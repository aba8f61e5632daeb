/* An optimizer of one layer in the caller's arrays, with room behind. */
#ifndef NG_TEST_LAYER_WORLD_H
#define NG_TEST_LAYER_WORLD_H

#include "tests/support/run.h"

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    float w[64], dw[64];
} layer;

static inline void open_layer(layer *x)
{
    void *o = test_options("kfac", "");
    memset(x, 0, sizeof *x);
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, o), NULL);
    ng_assert_ok(ng_group_add(x->group, NULL, "fc", ng_f32(x->w, 3, 4), ng_f32(x->dw, 3, 4)), NULL);
    free(o);
}

#endif
