/* Failing allocations of the generator and of every kind of model: the k-th
 * one fails; no leak (run under ASan or valgrind), no half-built model, and a training step
 * allocates nothing. */
#include "tests/train/model_world.h"
#include "tests/support/faults.h"

static ng_status create_mlp(ng_model **model, ng_loss loss, ng_error *error)
{
    const size_t widths[2] = {3, 2};
    ng_mlp_options o;
    ng_mlp_init(&o);
    o.inputs = 4;
    o.widths = widths;
    o.layers = 2;
    o.activation = NG_ACTIVATION_GELU;
    o.loss = loss;
    return ng_model_create_mlp(model, &o, error);
}

static ng_status create_gpt(ng_model **model, ng_loss loss, ng_error *error)
{
    ng_gpt_options o;
    (void)loss;
    ng_gpt_init(&o);
    o.vocabulary = 5;
    o.context = 3;
    return ng_model_create_gpt(model, &o, error);
}

static ng_status create_cnn(ng_model **model, ng_loss loss, ng_error *error)
{
    const size_t filters[2] = {2, 3};
    ng_cnn_options o;
    (void)loss;
    ng_cnn_init(&o);
    o.height = o.width = 6;
    o.filters = filters;
    o.stages = 2;
    o.classes = 4;
    return ng_model_create_cnn(model, &o, error);
}

static const struct {
    ng_status (*create)(ng_model **model, ng_loss loss, ng_error *error);
    ng_loss loss;
} cases[] = {
    {create_mlp, NG_LOSS_SOFTMAX}, {create_mlp, NG_LOSS_BERNOULLI}, {create_mlp, NG_LOSS_SQUARED},
    {create_cnn, NG_LOSS_SOFTMAX}, {create_gpt, NG_LOSS_SOFTMAX},
};
enum { CASES = sizeof cases / sizeof *cases };

START_TEST(create_survives)
{
    ng_status status = NG_ENOMEM;
    for (long k = 0; status != NG_OK; k++) {
        ng_error error = {NG_OK, ""};
        ng_model *model = (ng_model *)&error;
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = cases[_i].create(&model, cases[_i].loss, &error);
        long counted = fault_over();
        if (status == NG_OK) {
            ck_assert_int_ge(k, 4); /* the wrapping works: something was made to fail */
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
    const int labels[2] = {1, 0};
    double zeros[4] = {0}, loss;
    const ng_mat targets = {zeros, 2, 2, 2, NG_F32};
    ng_model *model;
    ng_assert_ok(cases[_i].create(&model, cases[_i].loss, NULL), NULL);
    fault_once(FAULT_MEMORY, 0, FAIL);
    ng_status forward = ng_model_forward(model, 2, NULL);
    ng_status middle = cases[_i].loss == NG_LOSS_SOFTMAX
                           ? ng_model_loss_labels(model, &loss, NULL, labels, 2, NULL)
                           : ng_model_loss_targets(model, &loss, targets, NULL);
    ng_status backward = ng_model_backward(model, NULL);
    long counted = fault_over();
    ck_assert(forward == NG_OK && middle == NG_OK && backward == NG_OK);
    ck_assert_int_eq(counted, 0);
    ng_model_destroy(model);
}
END_TEST

START_TEST(generator)
{
    ng_random random = {.data = &random};
    ng_error error = {NG_OK, ""};
    double x[3];
    size_t index[3] = {0, 1, 2};
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_status status = ng_rng_create(&random, 1, &error);
    fault_over();
    ck_assert_int_eq(status, NG_ENOMEM);
    ck_assert(random.data == NULL && random.fill_normal == NULL);
    ng_assert_ok(ng_rng_create(&random, 1, &error), &error);
    fault_once(FAULT_MEMORY, 0, FAIL);
    random.fill_normal(random.data, x, 3);
    ng_rng_shuffle(&random, index, 3);
    long counted = fault_over();
    ck_assert_int_eq(counted, 0);
    ng_rng_destroy(&random);
}
END_TEST

TEST_SUITE(model_alloc)
{
    TCase *tcase = tcase_create("model_alloc");
    tcase_add_loop_test(tcase, create_survives, 0, CASES);
    tcase_add_loop_test(tcase, step_allocates_nothing, 0, CASES);
    tcase_add_test(tcase, generator);
    suite_add_tcase(suite, tcase);
}
