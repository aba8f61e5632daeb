/* What the net refuses: options, calls out of order, wrong truth, NaN and
 * infinities; and the names it gives. */
#include "tests/train/mlp_world.h"

static const world_shape usual = {
    .inputs = 5, .widths = {4, 3}, .layers = 2, .batch = 7, .max_batch = 16};
static const world_shape deep = {
    .inputs = 4, .widths = {6, 1, 5, 7, 3}, .layers = 5, .batch = 5, .max_batch = 5};

START_TEST(bad_options)
{
    const size_t widths[2] = {4, 0};
    ng_mlp_options good, o;
    ng_model *net;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_mlp_init(&good), NULL);
    good.inputs = 3;
    good.widths = widths;
    good.layers = 1;
    ng_assert_ok(ng_model_create_mlp(&net, &good, &error), &error);
    ng_model_destroy(net);
    ng_model_destroy(NULL);
#define BAD(assignment, status, culprit)                                                           \
    do {                                                                                           \
        o = good;                                                                                  \
        assignment;                                                                                \
        net = (ng_model *)&good;                                                                   \
        ng_assert_fails(ng_model_create_mlp(&net, &o, &error), status, &error, culprit);           \
        ck_assert_ptr_null(net);                                                                   \
    } while (0)
    BAD(o.size = 0, NG_EOPTION, "size");
    BAD(o.dtype = (ng_dtype)7, NG_EDTYPE, "dtype 7");
    BAD(o.inputs = 0, NG_EOPTION, "inputs");
    BAD(o.widths = NULL, NG_EOPTION, "widths");
    BAD(o.layers = 0, NG_EOPTION, "layers: 0");
    BAD(o.layers = 4097, NG_EOPTION, "layers: 4097");
    BAD(o.layers = 2, NG_EOPTION, "widths[1]");
    BAD(o.activation = (ng_activation)5, NG_EOPTION, "activation 5");
    BAD(o.loss = (ng_loss)-1, NG_EOPTION, "loss -1");
    BAD(o.max_batch = 0, NG_EOPTION, "max_batch");
    BAD(o.max_batch = SIZE_MAX, NG_EOPTION, "max_batch");
    BAD(o.inputs = (size_t)1 << 31, NG_EOPTION, "inputs");
    const size_t most[1] = {0x7fffffff};
    BAD((o.widths = most, o.inputs = most[0], o.max_batch = most[0]), NG_ENOMEM, "no memory");
#undef BAD
}
END_TEST

/* Kinds by name; a struct of another kind, a shorter and a longer one. */
START_TEST(kinds_by_name)
{
    static const char *const names[] = {"mlp", "cnn", "gpt", NULL};
    const size_t widths[1] = {4};
    ng_mlp_options o;
    ng_gpt_options other;
    ng_model *model;
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i < 4; i++)
        ck_assert_pstr_eq(ng_model_kind_name(i), names[i]);
    ng_mlp_init(&o);
    o.inputs = 3;
    o.widths = widths;
    o.layers = 1;
    ng_assert_ok(ng_model_create(&model, "mlp", &o, &error), &error);
    ck_assert_str_eq(ng_model_kind(model), "mlp");
    ck_assert_uint_eq(ng_model_input(model, 1).cols, 3);
    ng_model_destroy(model);
    model = (ng_model *)&o;
    ng_assert_fails(ng_model_create(&model, "rnn", &o, &error), NG_EARG, &error,
                    "'rnn'; there are mlp cnn gpt");
    ck_assert_ptr_null(model);
    ng_assert_fails(ng_model_create(&model, NULL, &o, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_model_create(&model, "mlp", NULL, &error), NG_EARG, &error, "options");
    ng_gpt_init(&other);
    other.size++;
    ng_assert_fails(ng_model_create(&model, "gpt", &other, &error), NG_EOPTION, &error,
                    "ng_gpt_init");
}
END_TEST

START_TEST(init_keeps_to_its_size)
{
    union {
        ng_mlp_options mlp;
        ng_cnn_options cnn;
        ng_gpt_options gpt;
        unsigned char bytes[256];
    } o;
    const size_t sizes[3] = {sizeof o.mlp, sizeof o.cnn, sizeof o.gpt};
    for (int kind = 0; kind < 3; kind++)
        for (int off = -1; off <= 1; off++) {
            size_t size = sizes[kind] + (size_t)off, written = 0;
            memset(&o, 0xee, sizeof o);
            ng_status status = kind == 0   ? ng_mlp_init_sized(&o.mlp, size)
                               : kind == 1 ? ng_cnn_init_sized(&o.cnn, size)
                                           : ng_gpt_init_sized(&o.gpt, size);
            ck_assert_int_eq(status, off == 0 ? NG_OK : NG_EOPTION);
            for (size_t i = 0; i < sizeof o; i++)
                written += o.bytes[i] != 0xee && (off != 0 || i >= sizes[kind]);
            ck_assert_uint_eq(written, 0);
        }
    ck_assert_int_eq(ng_mlp_init_sized(NULL, sizes[0]), NG_EOPTION);
}
END_TEST

START_TEST(order_of_calls)
{
    world w = world_create(usual, NG_ACTIVATION_TANH, NG_LOSS_SOFTMAX, NG_F64, 1);
    ng_error error = {NG_OK, ""};
    double loss;
    size_t batch = w.shape.batch;
    ck_assert_uint_eq(ng_model_output(w.net).rows, 0);
    ck_assert_uint_eq(w.layer[1].inputs.rows, 0);
    ng_assert_fails(world_loss(&w, &loss, NULL, &error), NG_ENODATA, &error, "forward");
    ng_assert_fails(ng_model_backward(w.net, &error), NG_ENODATA, &error, "loss");
    ng_assert_ok(ng_model_forward(w.net, batch, &error), &error);
    ng_assert_fails(ng_model_backward(w.net, &error), NG_ENODATA, &error, "loss");
    ng_assert_ok(world_loss(&w, &loss, NULL, &error), &error);
    world_look(&w, 1);
    ck_assert_uint_eq(w.layer[1].inputs.rows, batch);
    ck_assert_uint_eq(w.layer[1].outputs_grad.rows, 0);
    ng_assert_ok(ng_model_backward(w.net, &error), &error);
    /* a new pass makes the gradients at the outputs out of date */
    ng_assert_ok(ng_model_forward(w.net, batch, &error), &error);
    world_look(&w, 1);
    ck_assert_uint_eq(w.layer[1].outputs_grad.rows, 0);
    /* a failed loss takes the derivative of the one before away */
    ng_assert_ok(world_loss(&w, &loss, NULL, &error), &error);
    w.labels[3] = -1;
    ng_assert_fails(world_loss(&w, &loss, NULL, &error), NG_EARG, &error, "row 3 is -1");
    ng_assert_fails(ng_model_backward(w.net, &error), NG_ENODATA, &error, "loss");
    ng_assert_fails(ng_model_forward(w.net, 0, &error), NG_ESHAPE, &error, "batch");
    ng_assert_fails(ng_model_forward(w.net, 17, &error), NG_ESHAPE, &error, "1 ... 16");
    ng_assert_fails(world_loss(&w, &loss, NULL, &error), NG_ENODATA, &error, "forward");
    ck_assert_ptr_null(ng_model_input(w.net, 17).data);
    ck_assert_uint_eq(ng_model_input(w.net, 17).rows, 0);
    world_destroy(&w);
}
END_TEST

START_TEST(bad_labels)
{
    world w = world_create(usual, NG_ACTIVATION_TANH, NG_LOSS_SOFTMAX, NG_F32, 1);
    ng_error error = {NG_OK, ""};
    double loss;
    size_t n = w.shape.batch;
    ng_assert_ok(ng_model_forward(w.net, n, &error), &error);
    ng_assert_fails(ng_model_loss_labels(w.net, &loss, NULL, w.labels, n + 1, &error), NG_ESHAPE,
                    &error, "labels");
    ng_assert_fails(ng_model_loss_labels(w.net, &loss, NULL, NULL, n, &error), NG_EARG, &error,
                    "labels");
    w.labels[6] = 3;
    ng_assert_fails(ng_model_loss_labels(w.net, &loss, NULL, w.labels, n, &error), NG_EARG, &error,
                    "row 6 is 3, not in 0 ... 2");
    ng_assert_fails(ng_model_loss_targets(w.net, &loss, w.targets, &error), NG_EUNSUPPORTED, &error,
                    "ng_model_loss_labels");
    world_destroy(&w);
}
END_TEST

START_TEST(bad_targets)
{
    for (int loss_kind = NG_LOSS_BERNOULLI; loss_kind <= NG_LOSS_SQUARED; loss_kind++) {
        world w = world_create(usual, NG_ACTIVATION_TANH, (ng_loss)loss_kind, NG_F32, 1);
        ng_error error = {NG_OK, ""};
        double loss;
        int bounded = loss_kind == NG_LOSS_BERNOULLI;
        ng_mat wide = test_convert(w.targets, NG_F64), less = w.targets, null = w.targets;
        less.cols--;
        null.data = NULL;
        ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
        ng_assert_fails(ng_model_loss_targets(w.net, &loss, wide, &error), NG_EDTYPE, &error,
                        "targets");
        ng_assert_fails(ng_model_loss_targets(w.net, &loss, less, &error), NG_ESHAPE, &error,
                        "7 x 2, expected 7 x 3");
        ng_assert_fails(ng_model_loss_targets(w.net, &loss, null, &error), NG_EARG, &error,
                        "targets");
        const double bad[4] = {NAN, INFINITY, -INFINITY, bounded ? 1.0000002 : (double)NAN};
        for (size_t k = 0; k < 4; k++) {
            double keep = ng_mat_get(w.targets, 4, 1);
            ng_mat_set(w.targets, 4, 1, bad[k]);
            ng_assert_fails(ng_model_loss_targets(w.net, &loss, w.targets, &error), NG_EARG, &error,
                            "row 4, column 1");
            ng_mat_set(w.targets, 4, 1, keep);
        }
        ng_assert_fails(ng_model_loss_labels(w.net, &loss, NULL, w.labels, 7, &error),
                        NG_EUNSUPPORTED, &error, "ng_model_loss_targets");
        test_free(wide);
        world_destroy(&w);
    }
}
END_TEST

/* Every activation lets a NaN through to the loss, and the text says whence. */
START_TEST(nonfinite)
{
    for (int a = 0; a <= NG_ACTIVATION_GELU; a++) {
        world w = world_create(usual, (ng_activation)a, NG_LOSS_SOFTMAX, NG_F32, 1);
        ng_error error = {NG_OK, ""};
        double loss;
        const struct {
            ng_mat mat;
            double value;
            const char *culprit;
        } cases[] = {
            {w.x, NAN, "in the input"},
            {w.layer[0].weight, NAN, "fc1.weight"},
            {w.layer[1].weight, INFINITY, "fc2.weight"},
            {w.layer[1].bias, NAN, "fc2.bias"},
            {w.layer[1].bias, 3e38, "the logits overflow"},
        };
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            ng_mat keep = test_copy(cases[k].mat), weight = test_copy(w.layer[1].weight);
            ng_fill(cases[k].mat, cases[k].value);
            if (k == 4)
                ng_fill(w.layer[1].weight, 3e38);
            if (k == 4)
                ng_fill(w.layer[0].bias, 10);
            ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
            ng_assert_fails(world_loss(&w, &loss, NULL, &error), NG_ENONFINITE, &error,
                            cases[k].culprit);
            ng_assert_fails(ng_model_backward(w.net, &error), NG_ENODATA, &error, "loss");
            test_assign(cases[k].mat, keep);
            test_assign(w.layer[1].weight, weight);
            test_free(keep);
            test_free(weight);
        }
        world_destroy(&w);
    }
    /* finite logits whose squared loss is not: the loss is named */
    world w = bias_world(NG_LOSS_SQUARED, NG_F64, 1, (const double[1]){1e200});
    ng_error error = {NG_OK, ""};
    double loss;
    ng_assert_fails(world_loss(&w, &loss, NULL, &error), NG_ENONFINITE, &error,
                    "squared loss is inf: the loss itself");
    world_destroy(&w);
}
END_TEST

START_TEST(names)
{
    world w = world_create(deep, NG_ACTIVATION_RELU, NG_LOSS_SQUARED, NG_F32, 1);
    ng_error error = {NG_OK, ""};
    ng_model_linear layer;
    ck_assert_uint_eq(ng_model_layers(w.net), 5);
    ck_assert_str_eq(w.layer[0].name, "fc1");
    ck_assert_str_eq(w.layer[4].weight_name, "fc5.weight");
    ck_assert_str_eq(w.layer[4].bias_name, "fc5.bias");
    ng_assert_fails(ng_model_layer(w.net, &layer, 5, &error), NG_EARG, &error, "5 of 5");
    ng_assert_fails(ng_model_initialise(w.net, NULL, &error), NG_EARG, &error, "random");
    world_destroy(&w);
    const char *activations[] = {"linear", "relu", "tanh", "sigmoid", "gelu"};
    const char *losses[] = {"softmax", "bernoulli", "squared"};
    for (int i = 0; i <= NG_ACTIVATION_GELU; i++)
        ck_assert_str_eq(ng_activation_name((ng_activation)i), activations[i]);
    for (int i = 0; i <= NG_LOSS_SQUARED; i++)
        ck_assert_str_eq(ng_loss_name((ng_loss)i), losses[i]);
    ck_assert_ptr_null(ng_activation_name((ng_activation)(NG_ACTIVATION_GELU + 1)));
    ck_assert_ptr_null(ng_loss_name((ng_loss)(NG_LOSS_SQUARED + 1)));
}
END_TEST

TEST_SUITE(mlp_errors)
{
    TCase *tcase = tcase_create("mlp_errors");
    tcase_add_test(tcase, bad_options);
    tcase_add_test(tcase, kinds_by_name);
    tcase_add_test(tcase, init_keeps_to_its_size);
    tcase_add_test(tcase, order_of_calls);
    tcase_add_test(tcase, bad_labels);
    tcase_add_test(tcase, bad_targets);
    tcase_add_test(tcase, nonfinite);
    tcase_add_test(tcase, names);
    suite_add_tcase(suite, tcase);
}
