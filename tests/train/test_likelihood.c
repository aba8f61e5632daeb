/* The Fisher matrix of a net's likelihood: tangents against differences of the logits, products and
 * forms against the matrix itself, derivatives drawn and in columns against the closed form of the
 * likelihood's curvature. */
#include "tests/train/fisher_world.h"
#include "tests/train/mlp_world.h"

static const world_shape shapes[] = {
    {.inputs = 3, .widths = {1}, .layers = 1, .batch = 1, .max_batch = 1},
    {.inputs = 5, .widths = {4}, .layers = 1, .batch = 6, .max_batch = 9},
    {.inputs = 4, .widths = {6, 3}, .layers = 2, .batch = 5, .max_batch = 5},
    {.inputs = 3, .widths = {5, 2, 7, 4}, .layers = 4, .batch = 3, .max_batch = 8},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, ACTIVATIONS = 5, LOSSES = 3 };
enum { CASES = SHAPES * ACTIVATIONS * LOSSES };

static ng_error error;

/* After a forward pass. Relu's kink is left out by the seeds: no hidden unit is near it. */
static world nth_world(int n, ng_dtype dtype)
{
    world w =
        world_create(shapes[n / (ACTIVATIONS * LOSSES)], (ng_activation)(n / LOSSES % ACTIVATIONS),
                     (ng_loss)(n % LOSSES), dtype, (unsigned long long)n + 7);
    ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
    return w;
}

static void naive_output(const void *w, ng_mat logits)
{
    naive_loss(w, logits, NULL);
}

START_TEST(tangents)
{
    world w = nth_world(_i, NG_F64), narrow = nth_world(_i, NG_F32);
    model_check_tangents(w.net, narrow.net, w.shape.batch, naive_output, &w);
    world_destroy(&w);
    world_destroy(&narrow);
}
END_TEST

START_TEST(products)
{
    test_rng rng = {(unsigned long long)_i + 3};
    world w = nth_world(_i, NG_F64);
    size_t n = model_weights(w.net).cols;
    ng_mat f = fisher_of(w.net, w.loss), dense = dense_mat(n, n), v = dense_normal(3, n, &rng);
    ng_mat forms = dense_mat(3, 3), two = dense_mat(2, 2), one = dense_mat(1, 1);
    ng_fisher_product product;
    ng_fisher *of;
    ng_assert_ok(ng_model_fisher_product(w.net, &product, &error), &error);
    ng_assert_ok(ng_fisher_create_matrix_free(&of, n, NG_F64, NULL, &product, &error), &error);
    ng_assert_ok(ng_fisher_to_dense(of, dense, &error), &error);
    ng_assert_mat(dense, f, 1e-12);
    ng_mat want = dense_mul(dense_mul(v, 0, f, 0), 0, v, 1);
    ng_assert_ok(ng_fisher_forms(of, forms, v, &error), &error);
    ng_assert_mat(forms, want, 1e-12);
    ng_assert_ok(ng_fisher_forms(of, two, ng_mat_block(v, 0, 0, 2, n), &error), &error);
    ng_assert_mat(two, ng_mat_block(want, 0, 0, 2, 2), 1e-12);
    ng_assert_ok(ng_fisher_forms(of, one, ng_mat_block(v, 0, 0, 1, n), &error), &error);
    ng_assert_mat(one, ng_mat_block(want, 0, 0, 1, 1), 1e-12);
    ng_fisher_destroy(of);
    world_destroy(&w);
}
END_TEST

/* Forms leave gradients and statistics alone. */
START_TEST(forms_touch_nothing)
{
    test_rng rng = {5};
    double loss;
    world w = nth_world(_i, NG_F64);
    size_t n = model_weights(w.net).cols;
    ng_mat v = dense_normal(2, n, &rng), a = dense_mat(2, 2), g[WORLD_LAYERS], dw[WORLD_LAYERS];
    ng_fisher_product product;
    ng_fisher *of;
    ng_assert_ok(ng_model_fisher_product(w.net, &product, &error), &error);
    ng_assert_ok(ng_fisher_create_matrix_free(&of, n, NG_F64, NULL, &product, &error), &error);
    ng_assert_ok(world_loss(&w, &loss, NULL, &error), &error);
    ng_assert_ok(ng_model_backward(w.net, &error), &error);
    for (size_t i = 0; i < w.shape.layers; i++) {
        world_look(&w, i);
        g[i] = dense_of(w.layer[i].outputs_grad);
        dw[i] = dense_of(w.layer[i].weight_grad);
    }
    ng_assert_ok(ng_fisher_forms(of, a, v, &error), &error);
    for (size_t i = 0; i < w.shape.layers; i++) {
        world_look(&w, i);
        ng_assert_mat(w.layer[i].outputs_grad, g[i], 0);
        ng_assert_mat(w.layer[i].weight_grad, dw[i], 0);
    }
    ng_fisher_destroy(of);
    world_destroy(&w);
}
END_TEST

/* What stands at the logits after a backward pass, times the number of rows. */
static ng_mat at_logits(world *w)
{
    ng_assert_ok(ng_model_backward(w->net, &error), &error);
    world_look(w, w->shape.layers - 1);
    return dense_scale((double)w->shape.batch,
                       dense_of(w->layer[w->shape.layers - 1].outputs_grad));
}

START_TEST(columns)
{
    world w = nth_world(_i, NG_F64);
    ng_mat z = dense_of(ng_model_output(w.net)), sum[WORLD_BATCH];
    for (size_t i = 0; i < z.rows; i++)
        sum[i] = dense_mat(z.cols, z.cols);
    for (size_t k = 0; k < z.cols; k++) {
        ng_assert_ok(ng_model_loss_root(w.net, k, &error), &error);
        ng_mat g = at_logits(&w);
        for (size_t i = 0; i < z.rows; i++) {
            ng_mat row = ng_mat_block(g, i, 0, 1, z.cols);
            sum[i] = dense_add(1, sum[i], 1, dense_mul(row, 1, row, 0));
        }
    }
    for (size_t i = 0; i < z.rows; i++)
        ng_assert_mat(sum[i], fisher_at_logits(w.loss, z, i), 1e-13);
    ck_assert_int_eq(ng_model_loss_root(w.net, z.cols, &error), NG_EARG);
    world_destroy(&w);
}
END_TEST

/* Mean 0 and second moments H, to five standard errors of as many draws. */
START_TEST(draws)
{
    enum { DRAWS = 4000 };
    world w = nth_world(_i, NG_F64);
    ng_random random;
    ng_mat z = dense_of(ng_model_output(w.net)), h = fisher_at_logits(w.loss, z, 0);
    ng_mat mean = dense_mat(1, z.cols), square = dense_mat(z.cols, z.cols);
    ng_assert_ok(ng_rng_create(&random, 3, &error), &error);
    for (int k = 0; k < DRAWS; k++) {
        ng_assert_ok(ng_model_loss_sampled(w.net, &random, &error), &error);
        ng_assert_ok(ng_model_backward(w.net, &error), &error);
        world_look(&w, w.shape.layers - 1);
        ng_mat g = w.layer[w.shape.layers - 1].outputs_grad;
        for (size_t j = 0; j < z.cols; j++) {
            double gj = ng_mat_get(g, 0, j) * (double)w.shape.batch;
            ng_mat_set(mean, 0, j, ng_mat_get(mean, 0, j) + gj / DRAWS);
            for (size_t i = 0; i < z.cols; i++) {
                double gi = ng_mat_get(g, 0, i) * (double)w.shape.batch;
                ng_mat_set(square, i, j, ng_mat_get(square, i, j) + gi * gj / DRAWS);
            }
        }
    }
    for (size_t j = 0; j < z.cols; j++) {
        double variance = ng_mat_get(h, j, j);
        ck_assert(fabs(ng_mat_get(mean, 0, j)) <= 5 * sqrt(variance / DRAWS) + 1e-12);
        for (size_t i = 0; i < z.cols; i++) /* E g^4 <= 3 for all of these */
            ck_assert(fabs(ng_mat_get(square, i, j) - ng_mat_get(h, i, j)) <=
                      5 * sqrt(3 * fmax(variance, ng_mat_get(h, i, i)) / DRAWS) + 1e-12);
    }
    ng_rng_destroy(&random);
    world_destroy(&w);
}
END_TEST

START_TEST(refusals)
{
    world w = world_create(shapes[1], NG_ACTIVATION_TANH, NG_LOSS_SOFTMAX, NG_F64, 1);
    size_t n = model_weights(w.net).cols;
    ng_mat v = dense_mat(1, n), dz = dense_mat(6, 4), v32 = test_convert(v, NG_F32);
    ng_random none = {NULL, NULL, NULL, NULL, NULL};
    ng_assert_fails(ng_model_tangent(w.net, dz, v, &error), NG_ENODATA, &error, "forward");
    ng_assert_fails(ng_model_loss_root(w.net, 0, &error), NG_ENODATA, &error, "forward");
    ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
    ng_assert_fails(ng_model_tangent(w.net, dz, ng_mat_block(v, 0, 0, 1, n - 1), &error), NG_ESHAPE,
                    &error, "v:");
    ng_assert_fails(ng_model_tangent(w.net, dz, v32, &error), NG_EDTYPE, &error, "v:");
    ng_assert_fails(ng_model_tangent(w.net, ng_mat_block(dz, 0, 0, 6, 3), v, &error), NG_ESHAPE,
                    &error, "dz");
    ng_assert_fails(ng_model_loss_sampled(w.net, &none, &error), NG_EARG, &error, "uniform");
    ng_mat_set(model_weights(w.net), 0, 0, NAN);
    ng_assert_ok(ng_model_forward(w.net, w.shape.batch, &error), &error);
    ng_assert_fails(ng_model_loss_root(w.net, 0, &error), NG_ENONFINITE, &error, "logits");
    test_free(v32);
    world_destroy(&w);
}
END_TEST

TEST_SUITE(likelihood)
{
    TCase *c = tcase_create("fisher");
    tcase_add_checked_fixture(c, NULL, dense_release);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, tangents, 0, CASES);
    tcase_add_loop_test(c, products, 0, CASES);
    tcase_add_loop_test(c, forms_touch_nothing, 30, 45);
    tcase_add_loop_test(c, columns, 0, 45);
    tcase_add_loop_test(c, draws, 15, 18);
    tcase_add_test(c, refusals);
    suite_add_tcase(suite, c);
}
