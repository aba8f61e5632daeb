/* Stacks whose weights and gradients have sixteen bits. */
#ifndef NG_TEST_NARROW_WORLD_H
#define NG_TEST_NARROW_WORLD_H

#include "tests/optim/stack_world.h"

static const ng_dtype dtypes[] = {NG_F16, NG_BF16};

static stack_setup variant(int k, ng_rounding rounding)
{
    stack_setup setup = {.dtype = dtypes[k & 1],
                         .layout = (ng_layout)(k >> 1 & 1),
                         .biased = k >> 2 & 1,
                         .divided = k >> 3 & 1,
                         .atomic = (ng_atomic)(k >> 3 & 1),
                         .threads = k & 2 ? 2 : 0,
                         .rounding = rounding};
    return setup;
}

static int fits(size_t kind, stack_setup setup)
{
    void *o = test_options(kinds[kind].preset, kinds[kind].settings);
    int ok = !setup.biased || ng_options_want_capture(o);
    free(o);
    return ok;
}

#endif
