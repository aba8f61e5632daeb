/* Laplace's approximation where the answer is known: Bayesian linear regression in closed
 * form, logistic regression by a Newton's method of the test's own. */
#include "tests/train/laplace_world.h"

static test_rng rng;
static const double two_pi = 6.283185307179586477;

static void reseed(void)
{
    rng.state = 23;
}

/* ---- Linear regression ------------------------------------------------------------- */

enum { INPUTS = 3, SAMPLES = 25, FRESH = 5 };

typedef struct {
    ng_mat mean, sigma; /* k x c: weights; c x c: covariance of those of one output */
} exact;

/* Sigma = (A^T A / s + tau I)^-1, mean = T^T A Sigma / s */
static exact regression(const scene *s, double tau, double noise)
{
    ng_mat a = dense_with_ones(s->x);
    ng_mat precision = dense_add(1 / noise, dense_mul(a, 1, a, 0), tau, dense_identity(a.cols));
    exact e = {.sigma = dense_power(precision, -1)};
    e.mean = dense_scale(1 / noise, dense_mul(dense_mul(s->t, 1, a, 0), 0, e.sigma, 0));
    return e;
}

/* log N(t; 0, s I + A A^T / tau), of all outputs */
static double log_evidence(const scene *s, double tau, double noise)
{
    ng_mat a = dense_with_ones(s->x), n = dense_identity(s->count);
    ng_mat c = dense_add(noise, n, 1 / tau, dense_mul(a, 0, a, 1));
    double quadratic = dense_dot(s->t, dense_mul(dense_power(c, -1), 0, s->t, 0));
    double k = (double)s->t.cols;
    return -0.5 * (k * log_det(c) + quadratic + k * (double)s->count * log(two_pi));
}

static void check_regression(scene *s, ng_laplace *l, const ng_laplace_info *info)
{
    size_t k = s->t.cols;
    double tau = info->prior_precision, noise = info->noise_variance;
    exact e = regression(s, tau, noise);
    ng_mat mean = dense_mat(1, k * (INPUTS + 1));
    test_assign(ng_f64(mean.data, k, INPUTS + 1), e.mean);
    ng_assert_mat(head_weights(s->model), mean, 1e-10);
    ng_assert_rel(info->evidence, log_evidence(s, tau, noise), 1e-10);
    ng_mat x = dense_normal(FRESH, INPUTS, &rng), a = dense_with_ones(x);
    ng_mat z = test_mat(FRESH, k, 2, NG_F64), v = test_mat(FRESH, k, 1, NG_F64);
    ng_mat c = test_mat(FRESH, k * k, 0, NG_F64);
    ng_error error = {NG_OK, ""};
    scene_input(s, x);
    ng_assert_ok(ng_laplace_predict(l, z, v, FRESH, &error), &error);
    ng_assert_mat(z, dense_mul(a, 0, e.mean, 1), 1e-10);
    ng_assert_ok(ng_laplace_logits(l, ng_mat_none(), c, FRESH, &error), &error);
    ng_mat want = dense_mul(dense_mul(a, 0, e.sigma, 0), 0, a, 1);
    for (size_t i = 0; i < FRESH; i++)
        for (size_t j = 0; j < k * k; j++) {
            double variance = ng_mat_get(want, i, i);
            ng_assert_le(fabs(ng_mat_get(c, i, j) - (j % (k + 1) == 0 ? variance : 0)),
                         1e-10 * variance);
            ng_assert_rel(ng_mat_get(v, i, j / k), variance + noise, 1e-10);
        }
    test_free(z), test_free(v), test_free(c);
}

/* All samples of a set are what each is by itself. */
static void check_data(ng_laplace *l, const scene *s)
{
    size_t k = s->t.cols;
    ng_error error = {NG_OK, ""};
    ng_mat p = test_mat(s->count, k, 1, NG_F32), v = test_mat(s->count, k, 0, NG_F64);
    ng_mat few = ng_mat_block(p, 0, 0, s->count - 1, k), none = ng_mat_none();
    ng_mat z = test_mat(1, k, 0, NG_F64), zv = test_mat(1, k, 0, NG_F64);
    ng_assert_ok(ng_laplace_predict_data(l, p, v, s->data, &error), &error);
    for (size_t i = 0; i < s->count; i++) {
        scene_input(s, dense_of(ng_mat_block(s->x, i, 0, 1, INPUTS)));
        ng_assert_ok(ng_laplace_predict(l, z, zv, 1, &error), &error);
        for (size_t j = 0; j < k; j++) {
            ng_assert_le(fabs(ng_mat_get(p, i, j) - ng_mat_get(z, 0, j)), 1e-6);
            ng_assert_rel(ng_mat_get(v, i, j), ng_mat_get(zv, 0, j), 1e-12);
        }
    }
    ng_assert_ok(ng_laplace_predict_data(l, none, v, s->data, &error), &error);
    ng_assert_fails(ng_laplace_predict_data(l, few, none, s->data, &error), NG_ESHAPE, &error,
                    "mean");
    test_free(p), test_free(v), test_free(z), test_free(zv);
}

/* Both structures: for one linear layer and this likelihood the Kronecker F is exact.
 * _i = structure, outputs - 1, with or without given tau and s. */
START_TEST(linear_regression)
{
    size_t k = (size_t)_i / 2 % 2 + 1;
    scene s = scene_open(NG_LOSS_SQUARED, NG_F64, INPUTS, &k, 1, SAMPLES, &rng);
    ng_laplace_options o;
    ng_laplace_info info;
    ng_laplace_init(&o);
    o.structure = (ng_laplace_structure)(_i % 2);
    if (_i < 4) {
        o.prior_precision = 0.7;
        o.noise_variance = 0.3;
    }
    ng_laplace *l = scene_fit(&s, &o, &info);
    ck_assert_uint_eq(info.parameters, k * (INPUTS + 1));
    ck_assert_uint_eq(info.samples, SAMPLES);
    ck_assert(info.converged);
    if (_i < 4)
        ck_assert(info.prior_precision == 0.7 && info.noise_variance == 0.3);
    check_regression(&s, l, &info);
    check_data(l, &s);
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

/* What is chosen is where the closed form's slopes vanish: log s and log tau to 1e-3. */
START_TEST(evidence_is_largest)
{
    size_t k = 2;
    scene s = scene_open(NG_LOSS_SQUARED, NG_F64, INPUTS, &k, 1, SAMPLES, &rng);
    ng_laplace_info info;
    ng_laplace_destroy(scene_fit(&s, NULL, &info));
    double tau = info.prior_precision, noise = info.noise_variance, h = 0.01;
    double here = log_evidence(&s, tau, noise);
    for (int which = 0; which < 2; which++) {
        double up = log_evidence(&s, which ? tau : tau * exp(h), which ? noise * exp(h) : noise);
        double down = log_evidence(&s, which ? tau : tau / exp(h), which ? noise / exp(h) : noise);
        double curvature = (up - 2 * here + down) / (h * h);
        ck_assert(curvature < 0);
        ng_assert_le(fabs((up - down) / (2 * h) / curvature), 1e-3);
    }
    scene_close(&s);
}
END_TEST

/* ---- Logistic regression ------------------------------------------------------------- */

/* Probabilities by the textbook. */
static void means(double *p, ng_loss loss, size_t k, ng_mat w, const double *a, size_t c)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) {
        double z = 0;
        for (size_t j = 0; j < c; j++)
            z += ng_mat_get(w, 0, i * c + j) * a[j];
        p[i] = loss == NG_LOSS_SOFTMAX ? exp(z) : 1 / (1 + exp(-z));
        sum += p[i];
    }
    for (size_t i = 0; i < k && loss == NG_LOSS_SOFTMAX; i++)
        p[i] /= sum;
}

/* gradient and Hessian of -log posterior; returns log p(data | w) */
static double derivatives(ng_mat gradient, ng_mat hessian, const scene *s, ng_loss loss, double tau,
                          ng_mat w)
{
    size_t k = s->t.cols, c = s->x.cols + 1;
    double value = 0, p[4];
    ng_mat a = dense_with_ones(s->x);
    for (size_t i = 0; i < w.cols; i++) {
        ng_mat_set(gradient, 0, i, tau * ng_mat_get(w, 0, i));
        for (size_t j = 0; j < w.cols; j++)
            ng_mat_set(hessian, i, j, i == j ? tau : 0);
    }
    for (size_t n = 0; n < s->count; n++) {
        const double *row = (const double *)a.data + n * c;
        means(p, loss, k, w, row, c);
        for (size_t i = 0; i < k * c; i++) {
            double pi = p[i / c], y = loss == NG_LOSS_SOFTMAX ? s->labels[n] == (int)(i / c)
                                                              : ng_mat_get(s->t, n, i / c);
            if (i % c == 0)
                value +=
                    loss == NG_LOSS_SOFTMAX ? y * log(pi) : y * log(pi) + (1 - y) * log(1 - pi);
            ng_mat_set(gradient, 0, i, ng_mat_get(gradient, 0, i) + (pi - y) * row[i % c]);
            for (size_t j = 0; j < k * c; j++) {
                double pj = p[j / c], same = i / c == j / c;
                double h = loss == NG_LOSS_SOFTMAX ? same * pi - pi * pj : same * pi * (1 - pi);
                ng_mat_set(hessian, i, j, ng_mat_get(hessian, i, j) + h * row[i % c] * row[j % c]);
            }
        }
    }
    return value;
}

/* _i: softmax of three classes, Bernoulli of one, of two outputs; tau given or by evidence */
static const struct {
    ng_loss loss;
    size_t outputs;
    double tau;
} logistic[] = {{NG_LOSS_SOFTMAX, 3, 0.4},
                {NG_LOSS_BERNOULLI, 1, 0.05},
                {NG_LOSS_BERNOULLI, 2, 2},
                {NG_LOSS_SOFTMAX, 2, 0},
                {NG_LOSS_BERNOULLI, 1, 0}};
enum { LOGISTIC = sizeof logistic / sizeof *logistic };

START_TEST(logistic_regression)
{
    size_t k = logistic[_i].outputs, c = 3, n = k * c;
    ng_loss loss = logistic[_i].loss;
    scene s = scene_open(loss, NG_F64, 2, &k, 1, 40, &rng);
    ng_laplace_options o;
    ng_laplace_info info;
    ng_error error = {NG_OK, ""};
    ng_laplace_init(&o);
    o.prior_precision = logistic[_i].tau;
    ng_laplace *l = scene_fit(&s, &o, &info);
    double tau = info.prior_precision, value = 0;
    ng_mat w = dense_mat(1, n), gradient = dense_mat(1, n), hessian = dense_mat(n, n);
    ng_mat sigma = hessian;
    for (int step = 0; step < 30; step++) { /* from 0, full steps: mild problems */
        value = derivatives(gradient, hessian, &s, loss, tau, w);
        sigma = dense_power(hessian, -1);
        w = dense_add(1, w, -1, dense_mul(gradient, 0, sigma, 0));
    }
    ng_assert_mat(head_weights(s.model), w, 1e-8);
    ng_assert_rel(info.log_likelihood, value, 1e-8);
    double evidence =
        value - 0.5 * (tau * dense_dot(w, w) + log_det(hessian)) + 0.5 * (double)n * log(tau);
    ng_assert_rel(info.evidence, evidence, 1e-8);
    ng_mat x = dense_normal(FRESH, 2, &rng), a = dense_with_ones(x);
    ng_mat got = test_mat(FRESH, k * k, 3, NG_F64), want = dense_mat(FRESH, k * k);
    for (size_t r = 0; r < FRESH; r++)
        for (size_t i = 0; i < k * k; i++) {
            ng_mat row = ng_mat_block(a, r, 0, 1, c);
            ng_mat block = dense_of(ng_mat_block(sigma, i / k * c, i % k * c, c, c));
            ng_mat_set(want, r, i, dense_dot(dense_mul(row, 0, block, 0), row));
        }
    scene_input(&s, x);
    ng_assert_ok(ng_laplace_logits(l, ng_mat_none(), got, FRESH, &error), &error);
    ng_assert_mat(got, want, 1e-8);
    test_free(got);
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

/* Without refit the model is left alone, and tau is the zero of its slope there. */
START_TEST(tau_without_refit)
{
    size_t k = 3;
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F64, 4, &k, 1, 60, &rng);
    ng_laplace_options o;
    ng_laplace_info at[3];
    ng_mat before = dense_of(head_weights(s.model));
    ng_laplace_init(&o);
    o.refit = 0;
    ng_laplace_destroy(scene_fit(&s, &o, &at[1]));
    ck_assert_uint_eq(at[1].rounds, 0);
    for (int i = 0; i < 3; i += 2) {
        o.prior_precision = at[1].prior_precision * (i == 0 ? 0.99 : 1.01);
        ng_laplace_destroy(scene_fit(&s, &o, &at[i]));
        ck_assert(at[i].evidence < at[1].evidence);
    }
    double curvature = at[0].evidence - 2 * at[1].evidence + at[2].evidence;
    ng_assert_le(fabs(at[2].evidence - at[0].evidence), 0.05 * fabs(curvature));
    ng_assert_rel(at[1].effective, at[1].prior_precision * dense_dot(before, before), 1e-9);
    ck_assert(test_same_bits(before, head_weights(s.model)));
    scene_close(&s);
}
END_TEST

TEST_SUITE(laplace)
{
    TCase *tc = tcase_create("laplace");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_add_loop_test(tc, linear_regression, 0, 8);
    tcase_add_test(tc, evidence_is_largest);
    tcase_add_loop_test(tc, logistic_regression, 0, LOGISTIC);
    tcase_add_test(tc, tau_without_refit);
    suite_add_tcase(suite, tc);
}
