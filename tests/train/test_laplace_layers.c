/* All layers: F from gradients of single losses, the covariance of the logits from
 * Jacobians written out; and what becomes of it behind the likelihood. */
#include "tests/train/laplace_world.h"

static test_rng rng;
static ng_error error;

static void reseed(void)
{
    rng.state = 29;
    error = (ng_error){NG_OK, ""};
}

static const size_t widths[] = {4, 3};
enum { INPUTS = 5, OUTPUTS = 3, SAMPLES = 16 };

/* ---- A derivative of the caller's own --------------------------------------------------- */

START_TEST(gradient_of_ones_own)
{
    for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
        scene s = scene_open(NG_LOSS_SOFTMAX, (ng_dtype)dtype, INPUTS, widths, 2, SAMPLES, &rng);
        ng_mat x = dense_of(ng_mat_block(s.x, 0, 0, 4, INPUTS)), none = ng_mat_none();
        ng_mat dz = test_mat(4, OUTPUTS, 2, NG_F64), w = model_weight(s.model, "fc1.weight");
        ng_assert_fails(ng_model_loss_gradient(s.model, dz, &error), NG_ENODATA, &error, "forward");
        scene_input(&s, x);
        model_pass(s.model, 4, s.labels, 4);
        ng_mat want = dense_of(model_param(s.model, 0).dw);
        ng_model_linear head;
        ng_model_layer(s.model, &head, 1, NULL);
        test_assign(dz, head.outputs_grad);
        ng_assert_ok(ng_model_loss_gradient(s.model, dz, &error), &error);
        ng_assert_ok(ng_model_backward(s.model, &error), &error);
        ck_assert(test_same_bits(dense_of(model_param(s.model, 0).dw), want));
        ng_assert_fails(ng_model_loss_gradient(s.model, none, &error), NG_ESHAPE, &error, "dz");
        ng_assert_fails(ng_model_backward(s.model, &error), NG_ENODATA, &error, "loss");
        ng_mat_set(dz, 3, 1, NAN);
        ng_assert_fails(ng_model_loss_gradient(s.model, dz, &error), NG_ENONFINITE, &error, "dz");
        ck_assert(w.data != NULL);
        test_free(dz);
        scene_close(&s);
    }
}
END_TEST

/* ---- Jacobians --------------------------------------------------------------------------- */

/* Row k: the derivative of logit k of the one sample in the input buffer by [W b] of a layer, by
 * central differences. */
static ng_mat jacobian(ng_model *model, size_t layer)
{
    const double h = 1e-5;
    ng_model_linear l;
    ng_model_layer(model, &l, layer, NULL);
    ng_mat w = model_param(model, l.weight).w, b = model_param(model, l.bias).w;
    size_t c = w.cols + 1, outputs;
    ng_assert_ok(ng_model_forward(model, 1, NULL), NULL);
    outputs = ng_model_output(model).cols;
    ng_mat j = dense_mat(outputs, w.rows * c);
    for (size_t i = 0; i < w.rows * c; i++) {
        ng_mat at =
            i % c < w.cols ? ng_mat_block(w, i / c, i % c, 1, 1) : ng_mat_block(b, 0, i / c, 1, 1);
        double old = ng_mat_get(at, 0, 0);
        for (int side = -1; side <= 1; side += 2) {
            ng_mat_set(at, 0, 0, old + side * h);
            ng_model_forward(model, 1, NULL);
            for (size_t k = 0; k < outputs; k++)
                ng_mat_set(j, k, i,
                           ng_mat_get(j, k, i) +
                               side * ng_mat_get(ng_model_output(model), 0, k) / (2 * h));
        }
        ng_mat_set(at, 0, 0, old);
    }
    return j;
}

/* sum over the blocks of J s (N F + tau s I)^-1 J^T for one sample */
static ng_mat covariance(ng_laplace *l, const ng_laplace_info *info, ng_model *model, ng_mat x)
{
    size_t layer;
    ng_fisher *f;
    ng_mat sum = ng_mat_none();
    test_assign(ng_model_input(model, 1), x);
    for (size_t i = 0; (f = ng_laplace_fisher(l, &layer, i)) != NULL; i++) {
        ng_mat dense = dense_mat(ng_fisher_size(f), ng_fisher_size(f)), j = jacobian(model, layer);
        ng_assert_ok(ng_fisher_to_dense(f, dense, NULL), NULL);
        dense = dense_add(1, dense, info->prior_precision * info->noise_variance,
                          dense_identity(dense.rows));
        ng_mat part = dense_mul(dense_mul(j, 0, dense_power(dense, -1), 0), 0, j, 1);
        part = dense_scale(info->noise_variance, part);
        sum = i == 0 ? part : dense_add(1, sum, 1, part);
    }
    return sum;
}

static void check_covariance(ng_laplace *l, const ng_laplace_info *info, ng_model *model, ng_mat x,
                             size_t outputs, double tol)
{
    ng_mat got = test_mat(x.rows, outputs * outputs, 1, NG_F64);
    test_assign(ng_model_input(model, x.rows), x);
    ng_assert_ok(ng_laplace_logits(l, ng_mat_none(), got, x.rows, &error), &error);
    for (size_t i = 0; i < x.rows; i++) {
        ng_mat want = covariance(l, info, model, ng_mat_block(x, i, 0, 1, x.cols));
        ng_mat row = dense_of(ng_mat_block(got, i, 0, 1, got.cols));
        ng_assert_mat(row, ng_f64(want.data, 1, got.cols), tol);
    }
    test_free(got);
}

/* _i = structure, loss */
START_TEST(covariance_by_jacobians)
{
    ng_loss loss = (ng_loss)(_i / 2);
    scene s = scene_open(loss, NG_F64, INPUTS, widths, 2, SAMPLES, &rng);
    ng_laplace_options o;
    ng_laplace_info info;
    ng_laplace_init(&o);
    o.structure = (ng_laplace_structure)(_i % 2);
    ng_laplace *l = scene_fit(&s, &o, &info);
    ck_assert_uint_eq(info.parameters, (_i % 2 ? 4 * 6 : 0) + 3 * 5);
    check_covariance(l, &info, s.model, dense_normal(3, INPUTS, &rng), OUTPUTS, 1e-7);
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

/* Weights at many places: the convolutional net. */
START_TEST(covariance_of_pictures)
{
    const size_t filters[2] = {2, 3}, outputs = 4;
    int labels[12];
    ng_cnn_options net;
    ng_laplace_options o;
    ng_laplace_info info = {.size = sizeof info};
    ng_model *model;
    ng_dataset *data;
    ng_laplace *l;
    ng_cnn_init(&net);
    net.dtype = NG_F64;
    net.height = net.width = 6;
    net.filters = filters;
    net.stages = 2;
    net.classes = outputs;
    net.max_batch = 5;
    ng_assert_ok(ng_model_create_cnn(&model, &net, &error), &error);
    model_draw(model, &rng);
    ng_mat x = dense_normal(12, ng_model_input(model, 1).cols, &rng);
    for (int i = 0; i < 12; i++)
        labels[i] = i % 4;
    ng_assert_ok(ng_dataset_from_labels(&data, x, labels, outputs, &error), &error);
    ng_laplace_init(&o);
    o.structure = (ng_laplace_structure)_i;
    ng_assert_ok(ng_laplace_fit(&l, model, data, &o, &error), &error);
    ng_laplace_get(l, &info);
    check_covariance(l, &info, model, dense_of(ng_mat_block(x, 0, 0, 2, x.cols)), outputs, 1e-6);
    ng_laplace_destroy(l);
    ng_dataset_destroy(data);
    ng_model_destroy(model);
    dense_release();
}
END_TEST

/* ---- F ----------------------------------------------------------------------------------------
 */

/* P and Q of a layer as expectations over labels that the model draws: one backward pass a
 * sample and class by ng_model_loss_labels. */
static void expected_factors(ng_mat *p, ng_mat *q, scene *s, size_t layer)
{
    ng_model_linear l;
    ng_model_layer(s->model, &l, layer, NULL);
    ng_mat w = model_param(s->model, l.weight).w;
    *p = dense_mat(w.rows, w.rows);
    *q = dense_mat(w.cols + 1, w.cols + 1);
    for (size_t i = 0; i < s->count; i++)
        for (int c = 0; c < OUTPUTS; c++) {
            double sum = 0, prob[OUTPUTS];
            scene_input(s, dense_of(ng_mat_block(s->x, i, 0, 1, INPUTS)));
            model_pass(s->model, 1, &c, 1);
            for (int k = 0; k < OUTPUTS; k++)
                sum += prob[k] = exp(ng_mat_get(ng_model_output(s->model), 0, (size_t)k));
            ng_model_layer(s->model, &l, layer, NULL);
            ng_mat g = dense_of(l.outputs_grad), a = dense_with_ones(l.inputs);
            *p = dense_add(1, *p, prob[c] / sum, dense_mul(g, 1, g, 0));
            *q = dense_add(1, *q, prob[c] / sum / (double)s->count, dense_mul(a, 1, a, 0));
        }
}

START_TEST(fisher_is_exact)
{
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F64, INPUTS, widths, 2, SAMPLES, &rng);
    ng_laplace_options o;
    ng_laplace_info info;
    ng_laplace_init(&o);
    o.structure = NG_LAPLACE_KRON;
    ng_laplace *l = scene_fit(&s, &o, &info);
    for (size_t i = 0; i < 2; i++) {
        ng_mat p, q;
        size_t layer;
        ng_fisher *f = ng_laplace_fisher(l, &layer, i);
        ng_mat got = dense_mat(ng_fisher_size(f), ng_fisher_size(f));
        ck_assert_uint_eq(layer, i);
        ng_assert_ok(ng_fisher_to_dense(f, got, &error), &error);
        expected_factors(&p, &q, &s, i);
        ng_assert_mat(got, dense_kron(p, q), 1e-12);
    }
    ck_assert_ptr_null(ng_laplace_fisher(l, NULL, 2));
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

/* f32 models: the same posterior up to their rounding. */
START_TEST(single_precision)
{
    ng_mat got[2];
    for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
        ng_laplace_options o;
        ng_laplace_info info;
        rng.state = 31;
        scene s = scene_open(NG_LOSS_SOFTMAX, (ng_dtype)dtype, INPUTS, widths, 2, SAMPLES, &rng);
        ng_laplace_init(&o);
        o.structure = (ng_laplace_structure)_i;
        o.prior_precision = 0.5;
        ng_laplace *l = scene_fit(&s, &o, &info);
        got[dtype] = test_mat(4, OUTPUTS, 0, NG_F64);
        scene_input(&s, dense_of(ng_mat_block(s.x, 0, 0, 4, INPUTS)));
        ng_assert_ok(ng_laplace_predict(l, got[dtype], ng_mat_none(), 4, &error), &error);
        ng_laplace_destroy(l);
        scene_close(&s);
    }
    ng_assert_mat(got[NG_F32], got[NG_F64], 1e-5);
    test_free(got[0]), test_free(got[1]);
}
END_TEST

/* ---- Behind the likelihood
 * ------------------------------------------------------------------------ */

/* E sigmoid(N(m, v)) by the trapezoidal rule, which is exact here to rounding. */
static double quadrature(double m, double v)
{
    double sum = 0, h = 0.02;
    for (double x = -9; x <= 9; x += h)
        sum += h * exp(-0.5 * x * x) / sqrt(2 * acos(-1)) / (1 + exp(-m - sqrt(v) * x));
    return sum;
}

/* One output, and two classes, which are the same thing: probit within 0.02 of the integral
 * (its known error), draws within five standard errors. */
START_TEST(means_of_two_classes)
{
    enum { N = 6, DRAWS = 20000 };
    size_t k = _i == 0 ? 1 : 2;
    scene s = scene_open(_i == 0 ? NG_LOSS_BERNOULLI : NG_LOSS_SOFTMAX, NG_F64, 2, &k, 1, 12, &rng);
    ng_random random = {model_normal, NULL, NULL, NULL, &rng};
    ng_laplace_options o;
    ng_laplace_info info;
    ng_laplace_init(&o);
    o.prior_precision = 0.2;
    ng_laplace *l = scene_fit(&s, &o, &info);
    ng_mat z = test_mat(N, k, 0, NG_F64), c = test_mat(N, k * k, 0, NG_F64);
    ng_mat probit = test_mat(N, k, 1, NG_F64), drawn = test_mat(N, k, 1, NG_F32);
    scene_input(&s, dense_scale(2, dense_normal(N, 2, &rng)));
    ng_assert_ok(ng_laplace_logits(l, z, c, N, &error), &error);
    ng_assert_ok(ng_laplace_predict(l, probit, ng_mat_none(), N, &error), &error);
    ng_assert_ok(ng_laplace_sample(l, drawn, N, DRAWS, &random, &error), &error);
    for (size_t i = 0; i < N; i++) {
        const double *v = (const double *)c.data + i * k * k, *m = (const double *)z.data + i * k;
        double mean = k == 1 ? m[0] : m[0] - m[1],
               variance = k == 1 ? v[0] : v[0] + v[3] - 2 * v[1];
        double want = quadrature(mean, variance);
        double rule = 1 / (1 + exp(-mean / sqrt(1 + acos(-1) / 8 * variance)));
        ck_assert(variance > 0.1);
        ng_assert_rel(ng_mat_get(probit, i, 0), rule, 1e-12);
        ng_assert_le(fabs(ng_mat_get(probit, i, 0) - want), 0.02);
        ng_assert_le(fabs(ng_mat_get(drawn, i, 0) - want), 5 * 0.5 / sqrt(DRAWS));
    }
    test_free(z), test_free(c), test_free(probit), test_free(drawn);
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

/* Three classes: the probit approximation against draws; and for the squared loss
 * draws average to the outputs. */
START_TEST(means_against_draws)
{
    enum { N = 7, DRAWS = 20000 };
    ng_loss loss = _i == 0 ? NG_LOSS_SOFTMAX : NG_LOSS_SQUARED;
    scene s = scene_open(loss, NG_F64, INPUTS, widths, 2, SAMPLES, &rng);
    ng_random random = {model_normal, NULL, NULL, NULL, &rng};
    ng_laplace_info info;
    ng_laplace *l = scene_fit(&s, NULL, &info);
    ng_mat mean = test_mat(N, OUTPUTS, 0, NG_F64), v = test_mat(N, OUTPUTS, 0, NG_F64);
    ng_mat drawn = test_mat(N, OUTPUTS, 0, NG_F64);
    scene_input(&s, dense_of(ng_mat_block(s.x, 0, 0, N, INPUTS)));
    ng_assert_ok(ng_laplace_predict(l, mean, v, N, &error), &error);
    ng_assert_ok(ng_laplace_sample(l, drawn, N, DRAWS, &random, &error), &error);
    for (size_t i = 0; i < N * OUTPUTS; i++) {
        double a = ((double *)mean.data)[i], b = ((double *)drawn.data)[i];
        double spread = loss == NG_LOSS_SOFTMAX ? 0.5 : sqrt(((double *)v.data)[i]);
        ck_assert(((double *)v.data)[i] > info.noise_variance * (loss == NG_LOSS_SQUARED));
        ng_assert_le(fabs(a - b), (loss == NG_LOSS_SOFTMAX ? 0.03 : 0) + 5 * spread / sqrt(DRAWS));
    }
    test_free(mean), test_free(v), test_free(drawn);
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

TEST_SUITE(laplace_layers)
{
    TCase *tc = tcase_create("laplace_layers");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_add_test(tc, gradient_of_ones_own);
    tcase_add_loop_test(tc, covariance_by_jacobians, 0, 6);
    tcase_add_loop_test(tc, covariance_of_pictures, 0, 2);
    tcase_add_test(tc, fisher_is_exact);
    tcase_add_loop_test(tc, single_precision, 0, 2);
    tcase_add_loop_test(tc, means_of_two_classes, 0, 2);
    tcase_add_loop_test(tc, means_against_draws, 0, 2);
    suite_add_tcase(suite, tc);
}
