/* Checkpoints of weights of sixteen bits. */
#define _POSIX_C_SOURCE 200809L
#include "tests/optim/narrow_world.h"

#include <unistd.h>

static char path[64];

static void run_steps(stack *x, unsigned from, unsigned to)
{
    for (unsigned step = from; step < to; step++) {
        stack_feed(x, step);
        if (x->captures)
            ck_assert_int_eq(stack_capture(x), NG_OK);
        ck_assert_msg(ng_optimizer_step(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
    }
}

static void check_file(const stack *x)
{
    ng_tensors *file;
    ng_assert_ok(ng_tensors_open(&file, path, NULL), NULL);
    const ng_tensor *weights = ng_tensors_find(file, "w[1]/weights");
    const ng_tensor *copy = ng_tensors_find(file, "w[1]/master");
    ck_assert(weights->dtype == ng_tensor_dtype_of(x->setup.dtype));
    ck_assert(weights->begin % 2 == 0);
    ck_assert((copy != NULL) == (x->setup.rounding == NG_ROUND_MASTER));
    ck_assert(copy == NULL || copy->dtype == NG_TENSOR_F32);
    ng_tensors_close(file);
}

/* Stopped and resumed by a file, with the weights in it or the caller's: the bits of never stopped.
 */
START_TEST(resume)
{
    strcpy(path, "/tmp/natgrad-narrow-XXXXXX");
    close(mkstemp(path));
    for (int k = 0; k < 16; k++) {
        stack x, again;
        ng_checkpoint_options options;
        stack_setup setup = variant(k & 7, k & 8 ? NG_ROUND_STOCHASTIC : NG_ROUND_MASTER);
        if (!fits((size_t)_i, setup))
            continue;
        ng_checkpoint_init(&options);
        options.weights = k & 1 || k & 2;
        stack_open(&x, (size_t)_i, setup);
        stack_open(&again, (size_t)_i, setup);
        stack_add(&x), stack_add(&again);
        run_steps(&x, 0, 3);
        ck_assert_msg(ng_optimizer_save(x.opt, path, &options) == NG_OK, "%s",
                      ng_optimizer_error(x.opt));
        if (options.weights) {
            check_file(&x);
        } else {
            ng_assert_ok(ng_copy(again.w, x.w, NULL), NULL);
            ng_assert_ok(ng_copy(again.b, x.b, NULL), NULL);
        }
        ck_assert_msg(ng_optimizer_load(again.opt, path, &options) == NG_OK, "%s",
                      ng_optimizer_error(again.opt));
        run_steps(&x, 3, 6);
        run_steps(&again, 3, 6);
        ck_assert(test_same_bits(x.w, again.w) && test_same_bits(x.b, again.b));
        stack_close(&x), stack_close(&again);
    }
    unlink(path);
}
END_TEST

/* A file of another dtype is refused, by name. */
START_TEST(other_dtype)
{
    strcpy(path, "/tmp/natgrad-narrow-XXXXXX");
    close(mkstemp(path));
    static const ng_dtype here[] = {NG_BF16, NG_F16, NG_F32, NG_BF16},
                          there[] = {NG_F32, NG_BF16, NG_BF16, NG_F16};
    stack_setup setup = {.dtype = there[_i]}, mine = {.dtype = here[_i]};
    stack x, again;
    stack_open(&x, 1, setup), stack_open(&again, 1, mine);
    stack_add(&x), stack_add(&again);
    run_steps(&x, 0, 2);
    ng_mat before = test_copy(again.w);
    ng_assert_ok(ng_optimizer_save(x.opt, path, NULL), NULL);
    ck_assert_int_eq(ng_optimizer_load(again.opt, path, NULL), NG_EDTYPE);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(again.opt), "'w[0]': dtype"));
    ck_assert(test_same_bits(before, again.w));
    test_free(before);
    stack_close(&x), stack_close(&again);
    unlink(path);
}
END_TEST

TEST_SUITE(narrow_files)
{
    TCase *tcase = tcase_create("narrow_files");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, resume, 0, KINDS);
    tcase_add_loop_test(tcase, other_dtype, 0, 4);
    suite_add_tcase(suite, tcase);
}
