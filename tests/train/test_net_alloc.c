/* Failing allocations: linked statically with --wrap, so that calls from the
 * library arrive here. The k-th allocation fails; no leak (run under ASan or
 * valgrind), no half-built net, and a training step allocates nothing. */
#include "tests/train/net_world.h"

START_TEST(create_survives)
{
    const size_t widths[2] = {3, 2};
    ng_net_options options;
    ng_status status = NG_ENOMEM;
    ng_net_options_init(&options);
    options.inputs = 4;
    options.widths = widths;
    options.layers = 2;
    for (long k = 0; status != NG_OK; k++) {
        ng_error error = {NG_OK, ""};
        ng_net *net = (ng_net *)&options;
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = ng_net_create(&net, &options, &error);
        long counted = fault_over();
        ck_assert_int_eq(counted, status == NG_OK ? k : k + 1);
        if (status == NG_OK) {
            ck_assert_int_ge(k, 2); /* the wrapping works: something was made to fail */
            ng_net_destroy(net);
            break;
        }
        ck_assert_ptr_null(net);
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert_msg(strstr(error.text, "no memory") != NULL, "%s", error.text);
    }
}
END_TEST

START_TEST(step_allocates_nothing)
{
    world_shape shape = {.inputs = 9, .widths = {70, 5}, .layers = 2, .batch = 8, .max_batch = 16};
    for (int loss_kind = NG_LOSS_SOFTMAX; loss_kind <= NG_LOSS_SQUARED; loss_kind++) {
        world w = world_create(shape, NG_ACTIVATION_GELU, (ng_loss)loss_kind, NG_F32, 1);
        double loss;
        fault_once(FAULT_MEMORY, 0, FAIL);
        ng_status forward = ng_net_forward(w.net, 8, NULL);
        ng_status middle = world_loss(&w, &loss, NULL, NULL);
        ng_status backward = ng_net_backward(w.net, NULL);
        long counted = fault_over();
        ck_assert(forward == NG_OK && middle == NG_OK && backward == NG_OK);
        ck_assert_int_eq(counted, 0);
        world_destroy(&w);
    }
}
END_TEST

TEST_SUITE(net_alloc)
{
    TCase *tcase = tcase_create("net_alloc");
    tcase_add_test(tcase, create_survives);
    tcase_add_test(tcase, step_allocates_nothing);
    suite_add_tcase(suite, tcase);
}
