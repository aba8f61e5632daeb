/* Failing allocations of the models behind natgrad/train/model.h: linked
 * statically with --wrap. The k-th allocation fails; no leak (run under ASan or
 * valgrind), no half-built model, and a training step allocates nothing. */
#include "tests/train/model_world.h"

static ng_status create_gpt(ng_model **model, ng_error *error)
{
    ng_gpt_options o;
    ng_gpt_options_init(&o);
    o.vocabulary = 5;
    o.context = 3;
    return ng_gpt_create(model, &o, error);
}

static ng_status create_cnn(ng_model **model, ng_error *error)
{
    const size_t filters[2] = {2, 3};
    ng_cnn_options o;
    ng_cnn_options_init(&o);
    o.height = o.width = 6;
    o.filters = filters;
    o.stages = 2;
    o.classes = 4;
    return ng_cnn_create(model, &o, error);
}

static ng_status (*const creates[])(ng_model **model, ng_error *error) = {create_gpt, create_cnn};

START_TEST(create_survives)
{
    ng_status status = NG_ENOMEM;
    for (long k = 0; status != NG_OK; k++) {
        ng_error error = {NG_OK, ""};
        ng_model *model = (ng_model *)&error;
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = creates[_i](&model, &error);
        long counted = fault_over();
        if (status == NG_OK) {
            ck_assert_int_ge(k, 4);
            ck_assert_int_eq(counted, k);
            ng_model_destroy(model);
            break;
        }
        ck_assert_ptr_null(model);
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert_msg(strstr(error.text, "no memory") != NULL, "%s", error.text);
    }
}
END_TEST

START_TEST(step_allocates_nothing)
{
    const int labels[2] = {1, 2};
    ng_model *model;
    double loss;
    ng_assert_ok(creates[_i](&model, NULL), NULL);
    fault_once(FAULT_MEMORY, 0, FAIL);
    ng_status forward = ng_model_forward(model, 2, NULL);
    ng_status middle = ng_model_loss_labels(model, &loss, NULL, labels, 2, NULL);
    ng_status backward = ng_model_backward(model, NULL);
    long counted = fault_over();
    ck_assert(forward == NG_OK && middle == NG_OK && backward == NG_OK);
    ck_assert_int_eq(counted, 0);
    ng_model_destroy(model);
}
END_TEST

TEST_SUITE(model_alloc)
{
    TCase *tcase = tcase_create("model_alloc");
    tcase_add_loop_test(tcase, create_survives, 0, 2);
    tcase_add_loop_test(tcase, step_allocates_nothing, 0, 2);
    suite_add_tcase(suite, tcase);
}
