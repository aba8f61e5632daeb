/* Laplace's approximation given wrong arguments, and every allocation failing once. */
#include "tests/support/faults.h"
#include "tests/train/laplace_world.h"

static test_rng rng;
static ng_error error;

static void setup(void)
{
    rng.state = 37;
    error = (ng_error){NG_OK, ""};
}

static const size_t widths[] = {4, 3};
enum { INPUTS = 5, OUTPUTS = 3, SAMPLES = 16, FRESH = 6 };

START_TEST(options_out_of_range)
{
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F32, INPUTS, widths, 2, SAMPLES, &rng);
    ng_laplace_options o, good;
    ng_laplace *l;
    ng_laplace_info info = {.size = 3};
    ck_assert_int_eq(ng_laplace_init_sized(&o, 3), NG_EOPTION);
    ck_assert_int_eq(ng_laplace_init_sized(NULL, sizeof o), NG_EOPTION);
    ng_assert_ok(ng_laplace_init(&good), NULL);
    const struct {
        size_t offset;
        double real;
        const char *culprit;
    } wrong[] = {{offsetof(ng_laplace_options, prior_precision), -1, "prior_precision"},
                 {offsetof(ng_laplace_options, prior_precision), NAN, "prior_precision"},
                 {offsetof(ng_laplace_options, noise_variance), 1e13, "noise_variance"}};
    for (size_t i = 0; i < 3; i++) {
        o = good;
        memcpy((char *)&o + wrong[i].offset, &wrong[i].real, sizeof(double));
        ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, &o, &error), NG_EOPTION, &error,
                        wrong[i].culprit);
    }
    o = good, o.structure = (ng_laplace_structure)7;
    ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, &o, &error), NG_EOPTION, &error,
                    "structure");
    o = good, o.rounds = 0;
    ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, &o, &error), NG_EOPTION, &error, "rounds");
    o = good, o.most = 0;
    ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, &o, &error), NG_EOPTION, &error, "most");
    o.most = 14;
    ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, &o, &error), NG_ERANGE, &error,
                    "15 weights");
    o.structure = NG_LAPLACE_KRON;
    ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, &o, &error), NG_ERANGE, &error, "fc2");
    o.refit = 0;
    ng_assert_ok(ng_laplace_fit(&l, s.model, s.data, &o, &error), &error);
    ng_laplace_destroy(l);
    ng_assert_fails(ng_laplace_fit(&l, NULL, s.data, NULL, &error), NG_EARG, &error, "model");
    ng_assert_fails(ng_laplace_fit(&l, s.model, NULL, NULL, &error), NG_EARG, &error, "data");
    o = good, o.size--;
    ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, &o, &error), NG_EOPTION, &error, "init");
    ck_assert_ptr_null(l);
    ng_assert_ok(ng_laplace_fit(&l, s.model, s.data, &good, &error), &error);
    ck_assert_int_eq(ng_laplace_get(l, &info), NG_EOPTION);
    ng_laplace_destroy(l);
    ng_laplace_destroy(NULL);
    scene_close(&s);
}
END_TEST

START_TEST(data_that_do_not_fit)
{
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F32, INPUTS, widths, 2, SAMPLES, &rng);
    ng_dataset *other;
    ng_laplace *l;
    int labels[2] = {0, 4};
    ng_mat x = dense_normal(2, INPUTS, &rng), narrow = dense_normal(2, 2, &rng);
    ng_assert_ok(ng_dataset_from_labels(&other, narrow, labels, 5, &error), &error);
    ng_assert_fails(ng_laplace_fit(&l, s.model, other, NULL, &error), NG_ESHAPE, &error,
                    "2 features");
    ng_dataset_destroy(other);
    ng_assert_ok(ng_dataset_from_labels(&other, x, labels, 5, &error), &error);
    ng_assert_fails(ng_laplace_fit(&l, s.model, other, NULL, &error), NG_EARG, &error, "label 4");
    ng_dataset_destroy(other);
    ng_assert_ok(ng_dataset_from_targets(&other, x, x, &error), &error);
    ck_assert_int_lt(ng_laplace_fit(&l, s.model, other, NULL, &error), 0);
    ng_dataset_destroy(other);
    ng_mat before = dense_of(head_weights(s.model)), w = model_weight(s.model, "fc1.weight");
    double kept = ng_mat_get(w, 0, 0);
    ng_mat_set(w, 0, 0, NAN);
    ng_assert_fails(ng_laplace_fit(&l, s.model, s.data, NULL, &error), NG_ENONFINITE, &error,
                    "NaN");
    ng_mat_set(w, 0, 0, kept);
    ck_assert(l == NULL && test_same_bits(before, head_weights(s.model)));
    scene_close(&s);
}
END_TEST

START_TEST(models_without)
{
    ng_gpt_options o;
    ng_laplace_options choice;
    ng_model *model;
    ng_laplace *l;
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F32, INPUTS, widths, 2, SAMPLES, &rng);
    ng_gpt_init(&o);
    o.vocabulary = 5;
    o.context = 3;
    ng_laplace_init(&choice);
    ng_assert_ok(ng_model_create_gpt(&model, &o, &error), &error);
    for (int k = 0; k < 2; k++) {
        choice.structure = (ng_laplace_structure)k;
        ng_assert_fails(ng_laplace_fit(&l, model, s.data, &choice, &error), NG_EUNSUPPORTED, &error,
                        "rows of logits");
    }
    ng_model_destroy(model);
    scene_close(&s);
}
END_TEST

START_TEST(predictions_that_do_not_fit)
{
    ng_laplace_options o;
    ng_laplace_info info;
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F32, INPUTS, widths, 2, SAMPLES, &rng);
    ng_laplace_init(&o);
    o.structure = (ng_laplace_structure)_i;
    ng_laplace *l = scene_fit(&s, &o, &info);
    ng_random random = {model_normal, NULL, NULL, NULL, &rng}, none = {0};
    ng_mat p = test_mat(FRESH, OUTPUTS, 0, NG_F64), no = ng_mat_none();
    scene_input(&s, dense_normal(FRESH, INPUTS, &rng));
    ng_assert_ok(ng_laplace_predict(l, no, no, FRESH, &error), &error);
    ng_assert_fails(ng_laplace_predict(l, p, no, FRESH - 1, &error), NG_ESHAPE, &error, "mean");
    ng_assert_fails(ng_laplace_predict(l, no, p, FRESH - 1, &error), NG_ESHAPE, &error, "variance");
    ng_assert_fails(ng_laplace_logits(l, no, p, FRESH, &error), NG_ESHAPE, &error, "covariance");
    ng_assert_fails(ng_laplace_predict(l, no, no, 8, &error), NG_ESHAPE, &error, "batch");
    ng_assert_fails(ng_laplace_sample(l, p, FRESH, 0, &random, &error), NG_EARG, &error, "draws");
    ng_assert_fails(ng_laplace_sample(l, p, FRESH, 1, &none, &error), NG_EARG, &error,
                    "fill_normal");
    ng_mat_set(ng_model_input(s.model, FRESH), 2, 1, NAN);
    ng_assert_fails(ng_laplace_predict(l, p, no, FRESH, &error), NG_ENONFINITE, &error, "NaN");
    test_free(p);
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

/* ---- Memory -------------------------------------------------------------------------------- */

/* *fitted: the model is another now */
static ng_status everything(scene *s, int *fitted, ng_mat p, int structure)
{
    ng_random random = {model_normal, NULL, NULL, NULL, &rng};
    ng_laplace_options o;
    ng_laplace *l;
    ng_laplace_init(&o);
    o.structure = (ng_laplace_structure)structure;
    o.prior_precision = 1;
    ng_status status = ng_laplace_fit(&l, s->model, s->data, &o, &error);
    *fitted = status == NG_OK;
    if (status != NG_OK)
        return l == NULL ? status : NG_EARG;
    status = ng_laplace_predict(l, p, ng_mat_none(), FRESH, &error);
    if (status == NG_OK)
        status = ng_laplace_sample(l, p, FRESH, 2, &random, &error);
    ng_laplace_destroy(l);
    return status;
}

START_TEST(each_allocation_fails)
{
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F64, INPUTS, widths, 2, SAMPLES, &rng);
    ng_mat p = test_mat(FRESH, OUTPUTS, 0, NG_F64);
    ng_status status = NG_ENOMEM;
    long k = 1;
    for (; status != NG_OK && k < 5000; k++) {
        int fitted;
        ng_mat before = head_weights(s.model);
        scene_input(&s, ng_mat_block(s.x, 0, 0, FRESH, INPUTS));
        fault_once(FAULT_MEMORY, k, FAIL);
        status = everything(&s, &fitted, p, _i);
        int reached = fault_over() >= k;
        ck_assert_msg(status == (reached ? NG_ENOMEM : NG_OK), "allocation %ld: %s", k,
                      ng_status_name(status));
        ck_assert(fitted || test_same_bits(before, head_weights(s.model)));
        if (status != NG_OK && strstr(error.text, "memory") == NULL)
            ck_abort_msg("allocation %ld: %s", k, error.text);
    }
    ck_assert_int_gt(k, 50);
    test_free(p);
    scene_close(&s);
}
END_TEST

TEST_SUITE(laplace_refusals)
{
    TCase *tc = tcase_create("laplace_refusals");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, options_out_of_range);
    tcase_add_test(tc, data_that_do_not_fit);
    tcase_add_test(tc, models_without);
    tcase_add_loop_test(tc, predictions_that_do_not_fit, 0, 2);
    tcase_add_loop_test(tc, each_allocation_fails, 0, 2);
    suite_add_tcase(suite, tc);
}
