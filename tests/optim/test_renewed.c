/* State that a step makes in the place of the old: where the step fails the old is there again, bit
 * for bit. */
#include "tests/optim/kinds_world.h"

/* all bits of the state, one tensor after the other */
static unsigned char *state_of(const world *x, size_t *size)
{
    const char *parameter, *name;
    unsigned char *bytes = NULL;
    ng_mat view;
    *size = 0;
    for (size_t i = 0; ng_optimizer_tensor(x->opt, &parameter, &name, &view, i) == NG_OK; i++)
        for (size_t row = 0; row < view.rows; row++) {
            size_t length = view.cols * ng_dtype_size(view.dtype);
            ng_mat line = ng_mat_block(view, row, 0, 1, view.cols);
            bytes = realloc(bytes, *size + length);
            ck_assert_ptr_nonnull(bytes);
            memcpy(bytes + *size, line.data, length);
            *size += length;
        }
    return bytes;
}

static void refuse(world *x, ng_status expected)
{
    size_t size, size_after;
    unsigned char *before = state_of(x, &size);
    ck_assert_int_eq(ng_optimizer_step(x->opt), expected);
    unsigned char *after = state_of(x, &size_after);
    ck_assert_uint_eq(size, size_after);
    ck_assert(memcmp(before, after, size) == 0);
    free(before);
    free(after);
}

/* Is it a method of metrics and balls? */
static int is_steepest(const world *x)
{
    double value;
    return ng_group_get(x->group[0], "kl_clip", &value) == NG_OK;
}

/* The last parameter's gradient is bad, those before it have been prepared; with the other mode
 * nothing is begun. */
static void spoil(world *x)
{
    ng_mat dw = x->dw[x->count - 1];
    double kept = ng_mat_get(dw, 0, 0);
    ng_mat_set(dw, 0, 0, NAN);
    refuse(x, NG_ENONFINITE);
    ng_mat_set(dw, 0, 0, kept);
}

/* No step of f32 is as long: every parameter fails at the end of its prepare. */
static void overflow(world *x)
{
    double lr;
    ng_assert_ok(ng_group_get(x->group[0], "lr", &lr), NULL);
    ng_assert_ok(ng_group_set(x->group[0], "lr", 1e39), NULL);
    refuse(x, NG_ERANGE);
    ng_assert_ok(ng_group_set(x->group[0], "lr", lr), NULL);
}

/* At the first step everything is due, at the third what has an interval of two. */
static void hurt(world *x, unsigned step, ng_dtype dtype)
{
    world_feed(x, step);
    spoil(x);
    if (dtype == NG_F32 && is_steepest(x))
        overflow(x);
    if (x->captures[0])
        ng_assert_ok(ng_group_capture_discard(x->group[0]), NULL);
}

START_TEST(put_back)
{
    for (int k = 0; k < 8; k++) {
        world x, y;
        ng_dtype dtype = (ng_dtype)(k & 1);
        ng_atomic atomic = (ng_atomic)(k >> 1 & 1);
        world_open(&x, (size_t)_i, (size_t)_i + 1, dtype, k & 4 ? 2 : 0, atomic);
        world_open(&y, (size_t)_i, (size_t)_i + 1, dtype, k & 4 ? 2 : 0, atomic);
        for (unsigned step = 1; step <= 4; step++) {
            if (step % 2 == 1)
                hurt(&x, step, dtype);
            world_step(&x, step), world_step(&y, step);
        }
        for (size_t p = 0; p < x.count; p++)
            ck_assert_msg(world_same(&x, &y, p), "%s remembers a failed step", kinds[_i].preset);
        world_close(&x);
        world_close(&y);
    }
}
END_TEST

TEST_SUITE(renewed)
{
    TCase *tcase = tcase_create("failed");
    tcase_add_loop_test(tcase, put_back, 0, KINDS);
    suite_add_tcase(suite, tcase);
}
