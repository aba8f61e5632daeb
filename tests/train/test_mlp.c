/* The net against a naive net (mlp_world.h), its finite differences, and
 * closed forms. */
#include "tests/train/mlp_world.h"
#include "tests/train/model_world.h"

static const world_shape shapes[] = {
    {.inputs = 3, .widths = {1}, .layers = 1, .batch = 1, .max_batch = 1},
    {.inputs = 1, .widths = {1, 1}, .layers = 2, .batch = 1, .max_batch = 3},
    {.inputs = 5, .widths = {4}, .layers = 1, .batch = 6, .max_batch = 6},
    {.inputs = 5, .widths = {4, 3}, .layers = 2, .batch = 7, .max_batch = 16},
    {.inputs = 4, .widths = {6, 1, 5, 7, 3}, .layers = 5, .batch = 5, .max_batch = 5},
    {.inputs = 2, .widths = {70, 9}, .layers = 2, .batch = 2, .max_batch = 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, ACTIVATIONS = 5, LOSSES = 3 };

static const ng_mat none = {NULL, 0, 0, 0, NG_F64};

/* The loop variable of Check runs over activation x loss x shape. A seed whose
 * hidden units stay away from relu's kink, where differences mean nothing. */
static world nth_world(int n, ng_dtype dtype)
{
    world_shape shape = shapes[n / (ACTIVATIONS * LOSSES)];
    for (unsigned long long seed = 1; seed < 1000; seed++) {
        world w = world_create(shape, (ng_activation)(n / LOSSES % ACTIVATIONS),
                               (ng_loss)(n % LOSSES), dtype, seed);
        double margin = 1;
        naive_loss(&w, none, &margin);
        if (margin > 0.01)
            return w;
        world_destroy(&w);
    }
    ck_abort_msg("no seed keeps away from the kink");
}

/* Differences of fourth order of the naive loss, against the gradient. A
 * gradient may be zero (one class, a dead unit), hence the absolute floor. */
static void check_gradient(const world *w, ng_mat parameter, ng_mat gradient, const char *name)
{
    const double h = 1e-3;
    double wrong = 0, norm = 0;
    for (size_t i = 0; i < parameter.rows; i++)
        for (size_t j = 0; j < parameter.cols; j++) {
            double at = ng_mat_get(parameter, i, j), f[4];
            const double steps[4] = {-2, -1, 1, 2};
            for (int k = 0; k < 4; k++) {
                ng_mat_set(parameter, i, j, at + steps[k] * h);
                f[k] = naive_loss(w, none, NULL);
            }
            ng_mat_set(parameter, i, j, at);
            double difference = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
            wrong += pow(ng_mat_get(gradient, i, j) - difference, 2);
            norm += difference * difference;
        }
    ck_assert_msg(sqrt(wrong) <= 1e-9 * sqrt(norm) + 1e-12, "%s: error %.3g of %.3g", name,
                  sqrt(wrong), sqrt(norm));
}

START_TEST(gradients)
{
    world w = nth_world(_i, NG_F64);
    ng_error error = {NG_OK, ""};
    double loss;
    ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
    ng_assert_ok(world_loss(&w, &loss, NULL, &error), &error);
    ng_assert_ok(ng_model_backward(w.net, &error), &error);
    for (size_t i = 0; i < w.shape.layers; i++) {
        check_gradient(&w, w.layer[i].weight, w.layer[i].weight_grad, w.layer[i].weight_name);
        check_gradient(&w, w.layer[i].bias, w.layer[i].bias_grad, w.layer[i].bias_name);
    }
    world_destroy(&w);
}
END_TEST

START_TEST(forward_and_loss)
{
    for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
        double tol = dtype == NG_F32 ? 2e-5 : 1e-13, loss;
        world w = nth_world(_i, (ng_dtype)dtype);
        ng_error error = {NG_OK, ""};
        ng_mat logits = test_mat(w.shape.batch, w.shape.widths[w.shape.layers - 1], 0, NG_F64);
        double expected = naive_loss(&w, logits, NULL);
        size_t correct = 99, right = 0;
        ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
        ng_assert_ok(world_loss(&w, &loss, &correct, &error), &error);
        ng_mat output = test_convert(ng_model_output(w.net), NG_F64);
        ng_assert_mat(output, logits, tol);
        /* one class: the loss is exactly 0 and the naive one is rounding */
        ng_assert_le(fabs(loss - expected), tol * fabs(expected) + tol * tol);
        for (size_t i = 0; i < w.shape.batch; i++) {
            size_t larger = 0;
            for (size_t j = 0; j < logits.cols; j++)
                larger += w.loss == NG_LOSS_SOFTMAX &&
                          ng_mat_get(logits, i, j) > ng_mat_get(logits, i, (size_t)w.labels[i]);
            right += larger == 0;
        }
        if (w.loss == NG_LOSS_SOFTMAX)
            ck_assert_uint_eq(correct, right);
        test_free(output);
        test_free(logits);
        world_destroy(&w);
    }
}
END_TEST

/* The f32 net has the f64 net's weights, samples and truth, rounded to f32
 * first; what is left is the rounding of the passes. */
START_TEST(single_against_double)
{
    world s = nth_world(_i, NG_F32), d = world_create(s.shape, s.activation, s.loss, NG_F64, 1);
    world *both[2] = {&s, &d};
    double loss[2];
    ng_error error = {NG_OK, ""};
    test_assign(d.x, s.x);
    test_assign(d.targets, s.targets);
    memcpy(d.labels, s.labels, sizeof d.labels);
    for (size_t i = 0; i < s.shape.layers; i++) {
        test_assign(d.layer[i].weight, s.layer[i].weight);
        test_assign(d.layer[i].bias, s.layer[i].bias);
    }
    for (int k = 0; k < 2; k++) {
        ng_assert_ok(ng_model_forward(both[k]->net, s.shape.batch, &error), &error);
        ng_assert_ok(world_loss(both[k], &loss[k], NULL, &error), &error);
        ng_assert_ok(ng_model_backward(both[k]->net, &error), &error);
    }
    ng_assert_rel(loss[0], loss[1], 2e-5);
    for (size_t i = 0; i < s.shape.layers; i++) {
        ng_mat got[2] = {s.layer[i].weight_grad, s.layer[i].bias_grad};
        ng_mat want[2] = {d.layer[i].weight_grad, d.layer[i].bias_grad};
        for (int k = 0; k < 2; k++) {
            ng_mat wide = test_convert(got[k], NG_F64);
            ng_axpby(wide, want[k], -1, 1, NULL);
            ng_assert_le(test_norm(wide), 2e-5 * test_norm(want[k]));
            test_free(wide);
        }
    }
    world_destroy(&s);
    world_destroy(&d);
}
END_TEST

/* weight_grad = G^T A, bias_grad = column sums of G, A what the naive net has
 * in front of the layer; strides and shapes as documented */
START_TEST(capture)
{
    world w = nth_world(_i, NG_F64);
    ng_error error = {NG_OK, ""};
    double loss;
    ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
    ng_assert_ok(world_loss(&w, &loss, NULL, &error), &error);
    ng_assert_ok(ng_model_backward(w.net, &error), &error);
    for (size_t l = 0; l < w.shape.layers; l++) {
        world_look(&w, l);
        ck_assert(w.layer[l].scale == (double)w.shape.batch);
        ng_mat a = w.layer[l].inputs, g = w.layer[l].outputs_grad;
        ck_assert_uint_eq(a.rows, w.shape.batch);
        ck_assert_uint_eq(g.rows, w.shape.batch);
        ck_assert_uint_eq(g.cols, w.shape.widths[l]);
        ng_mat dw = test_mat(g.cols, a.cols, 0, NG_F64), db = test_mat(1, g.cols, 0, NG_F64);
        ng_mat naive = test_mat(a.rows, a.cols, 0, NG_F64);
        test_matmul(dw, g, 1, a, 0);
        for (size_t i = 0; i < g.rows; i++) {
            double values[WORLD_WIDTH];
            for (size_t j = 0; j < g.cols; j++)
                ng_mat_set(db, 0, j, ng_mat_get(db, 0, j) + ng_mat_get(g, i, j));
            for (size_t k = 0; k < w.shape.inputs; k++)
                values[k] = ng_mat_get(w.x, i, k);
            naive_forward(&w, values, l, NULL);
            for (size_t k = 0; k < a.cols; k++)
                ng_mat_set(naive, i, k, values[k]);
        }
        ng_axpby(dw, w.layer[l].weight_grad, -1, 1, NULL);
        ng_axpby(db, w.layer[l].bias_grad, -1, 1, NULL);
        ng_axpby(naive, a, -1, 1, NULL);
        ng_assert_le(test_norm(dw), 1e-13 * test_norm(w.layer[l].weight_grad));
        ng_assert_le(test_norm(db), 1e-13 * test_norm(w.layer[l].bias_grad));
        ng_assert_le(test_norm(naive), 1e-13 * test_norm(a));
        test_free(dw);
        test_free(db);
        test_free(naive);
    }
    world_destroy(&w);
}
END_TEST

/* ---- Closed forms ----------------------------------------------------------- */

static double label_loss(world *w, size_t *correct, int first, int second)
{
    const int labels[2] = {first, second};
    double loss;
    ng_assert_ok(ng_model_loss_labels(w->net, &loss, correct, labels, 2, NULL), NULL);
    ng_assert_ok(ng_model_backward(w->net, NULL), NULL);
    world_look(w, 0);
    return loss;
}

START_TEST(softmax_closed_forms)
{
    for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
        double tol = 4 * ng_dtype_eps((ng_dtype)dtype);
        size_t correct;
        /* uniform: log k; p - 1 and p over the batch of 2; the first of equals wins */
        world w = bias_world(NG_LOSS_SOFTMAX, (ng_dtype)dtype, 5, (const double[5]){0});
        ng_assert_rel(label_loss(&w, &correct, 0, 3), log(5), tol);
        ck_assert_uint_eq(correct, 1);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 1, 3), -0.4, tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 1, 2), 0.1, tol);
        world_destroy(&w);
        /* extreme: losses 2e4 and 0 */
        w = bias_world(NG_LOSS_SOFTMAX, (ng_dtype)dtype, 2, (const double[2]){1e4, -1e4});
        ng_assert_rel(label_loss(&w, &correct, 1, 0), 1e4, tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 0, 1), -0.5, tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 0, 0), 0.5, tol);
        ck_assert_uint_eq(correct, 1);
        ck_assert(label_loss(&w, &correct, 0, 0) == 0);
        world_destroy(&w);
        /* a sure net keeps its digits: loss exp(-50), derivative -exp(-50) / 2 */
        w = bias_world(NG_LOSS_SOFTMAX, (ng_dtype)dtype, 2, (const double[2]){50, 0});
        ng_assert_rel(label_loss(&w, &correct, 0, 0), exp(-50), tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 0, 0), -0.5 * exp(-50), tol);
        world_destroy(&w);
    }
}
END_TEST

static double target_loss(world *w, const double *row)
{
    double loss;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < w->targets.cols; j++)
            ng_mat_set(w->targets, i, j, row[j]);
    ng_assert_ok(ng_model_loss_targets(w->net, &loss, w->targets, NULL), NULL);
    ng_assert_ok(ng_model_backward(w->net, NULL), NULL);
    world_look(w, 0);
    return loss;
}

START_TEST(target_closed_forms)
{
    for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
        double tol = 4 * ng_dtype_eps((ng_dtype)dtype);
        const double zero[9] = {0}, extreme[4] = {1e4, 1e4, -1e4, -1e4}, sure[1] = {50};
        /* zero logits: log 2 an output, whatever the target */
        world w = bias_world(NG_LOSS_BERNOULLI, (ng_dtype)dtype, 3, zero);
        ng_assert_rel(target_loss(&w, (const double[3]){0, 0.25, 1}), 3 * log(2), tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 0, 1), 0.125, tol);
        world_destroy(&w);
        w = bias_world(NG_LOSS_BERNOULLI, (ng_dtype)dtype, 4, extreme);
        ng_assert_rel(target_loss(&w, (const double[4]){0, 1, 0, 0.5}), 1.5e4, tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 0, 0), 0.5, tol);
        ck_assert(ng_mat_get(w.layer[0].outputs_grad, 0, 1) == 0);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 0, 3), -0.25, tol);
        world_destroy(&w);
        w = bias_world(NG_LOSS_BERNOULLI, (ng_dtype)dtype, 1, sure);
        ng_assert_rel(target_loss(&w, (const double[1]){1}), exp(-50), tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 0, 0), -0.5 * exp(-50), tol);
        world_destroy(&w);
        /* 9 outputs, more than the partial sums of the loop: 1/2 (1 + 4 + ... + 81) */
        w = bias_world(NG_LOSS_SQUARED, (ng_dtype)dtype, 9, zero);
        ng_assert_rel(target_loss(&w, (const double[9]){1, 2, 3, 4, 5, 6, 7, 8, -9}), 142.5, tol);
        ng_assert_rel(ng_mat_get(w.layer[0].outputs_grad, 1, 8), 4.5, tol);
        world_destroy(&w);
    }
}
END_TEST

/* The activations where their textbook formulas lose all digits: gelu in the
 * left tail, everything at 1e4 (finite, right limit). */
START_TEST(activation_tails)
{
    static const struct {
        ng_activation activation;
        double z, value;
    } cases[] = {
        /* z Phi(z), Phi(-10) = 7.6198530241605260660e-24 */
        {NG_ACTIVATION_GELU, -10, -7.6198530241605260660e-23},
        {NG_ACTIVATION_GELU, 1e4, 1e4},
        {NG_ACTIVATION_GELU, -1e4, 0},
        {NG_ACTIVATION_SIGMOID, -50, 1.9287498479639177830e-22},
        {NG_ACTIVATION_SIGMOID, 1e4, 1},
        {NG_ACTIVATION_SIGMOID, -1e4, 0},
        {NG_ACTIVATION_TANH, 1e4, 1},
        {NG_ACTIVATION_TANH, -1e4, -1},
        {NG_ACTIVATION_TANH, 1e-9, 1e-9},
    };
    world_shape shape = {.inputs = 1, .widths = {1, 1}, .layers = 2, .batch = 1, .max_batch = 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world w = world_create(shape, cases[i].activation, NG_LOSS_SQUARED, NG_F64, 1);
        ng_fill(w.layer[0].weight, 0);
        ng_fill(w.layer[0].bias, cases[i].z);
        double loss;
        ng_assert_ok(ng_model_forward(w.net, 1, NULL), NULL);
        world_look(&w, 1);
        ng_assert_rel(ng_mat_get(w.layer[1].inputs, 0, 0), cases[i].value, 1e-13);
        ng_assert_ok(ng_model_loss_targets(w.net, &loss, w.targets, NULL), NULL);
        ng_assert_ok(ng_model_backward(w.net, NULL), NULL);
        ck_assert(ng_is_finite(w.layer[0].bias_grad));
        world_destroy(&w);
    }
}
END_TEST

/* After one forward pass, a second loss with other labels: its derivative at
 * each of the two rows is (p - onehot) / 2, and nothing of the first is left. */
START_TEST(second_loss)
{
    world w = bias_world(NG_LOSS_SOFTMAX, NG_F64, 3, (const double[3]){0.5, -1, 2});
    const double z[3] = {0.5, -1, 2}, sum = exp(0.5) + exp(-1) + exp(2);
    label_loss(&w, NULL, 2, 1);
    label_loss(&w, NULL, 0, 0);
    for (size_t j = 0; j < 3; j++) {
        double g = exp(z[j]) / sum - (j == 0);
        ng_assert_rel(ng_mat_get(w.layer[0].bias_grad, 0, j), g, 1e-14);
        for (size_t k = 0; k < 2; k++)
            ng_assert_rel(ng_mat_get(w.layer[0].weight_grad, j, k),
                          g * 0.5 * (ng_mat_get(w.x, 0, k) + ng_mat_get(w.x, 1, k)), 1e-13);
    }
    world_destroy(&w);
}
END_TEST

/* ---- Weights at the start --------------------------------------------------- */

START_TEST(initialise)
{
    const size_t widths[2] = {3, 2}, inputs = 300; /* more than one chunk of draws */
    for (int a = 0; a < ACTIVATIONS; a++) {
        int rectified = a == NG_ACTIVATION_RELU || a == NG_ACTIVATION_GELU;
        test_rng rng = {11}, same = {11};
        ng_random random = {.fill_normal = model_normal, .data = &rng};
        world_shape shape = {inputs, {3, 2}, 2, 1, 1};
        world w = world_create(shape, (ng_activation)a, NG_LOSS_SOFTMAX, NG_F64, 1);
        ng_assert_ok(ng_model_initialise(w.net, &random, NULL), NULL);
        for (size_t l = 0; l < 2; l++) {
            double in = l == 0 ? (double)inputs : 3, out = (double)widths[l];
            double variance = rectified ? 2 / in : 2 / (in + out);
            model_check_start(model_param(w.net, 2 * l), &same, sqrt(variance), 0);
            model_check_start(model_param(w.net, 2 * l + 1), &same, 0, 0);
        }
        world_destroy(&w);
    }
}
END_TEST

TEST_SUITE(mlp)
{
    TCase *tcase = tcase_create("mlp");
    tcase_set_timeout(tcase, 120); /* valgrind */
    const int worlds = SHAPES * ACTIVATIONS * LOSSES;
    tcase_add_loop_test(tcase, gradients, 0, worlds);
    tcase_add_loop_test(tcase, forward_and_loss, 0, worlds);
    tcase_add_loop_test(tcase, single_against_double, 0, worlds);
    tcase_add_loop_test(tcase, capture, 0, worlds);
    tcase_add_test(tcase, softmax_closed_forms);
    tcase_add_test(tcase, target_closed_forms);
    tcase_add_test(tcase, activation_tails);
    tcase_add_test(tcase, second_loss);
    tcase_add_test(tcase, initialise);
    suite_add_tcase(suite, tcase);
}
