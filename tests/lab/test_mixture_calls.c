/* Gaussian mixtures: samples, point masses, what is refused, and want of memory. */
#include <stdlib.h>

#include "tests/lab/mixture_world.h"

static ng_error error;

/* ---- Samples ----------------------------------------------------------------------------- */

START_TEST(samples)
{
    enum { COUNT = 40000 };
    world w;
    ng_random random;
    ng_mixture *m = random_mixture(&w, K, D, 0.3, 41);
    ng_assert_ok(ng_rng_create(&random, 6, &error), &error);
    ng_mat x = test_mat(COUNT, D, 1, NG_F64);
    size_t *from = calloc(COUNT, sizeof *from), seen[K] = {0};
    double sum[K][D] = {{0}}, square[K][D * D] = {{0}};
    ck_assert(from != NULL);
    ng_assert_ok(ng_mixture_sample(m, x, from, NG_MIXTURE_ALL, &random, &error), &error);
    for (size_t row = 0; row < COUNT; row++) {
        size_t c = from[row];
        ck_assert_uint_lt(c, K);
        seen[c]++;
        for (size_t i = 0; i < D; i++)
            for (size_t j = 0; j <= i; j++) {
                double u = ng_mat_get(x, row, i) - w.means[c * D + i],
                       v = ng_mat_get(x, row, j) - w.means[c * D + j];
                sum[c][i] += j == 0 ? u : 0;
                square[c][i * D + j] += u * v;
            }
    }
    for (size_t c = 0; c < K; c++) { /* five standard errors */
        double n = (double)seen[c], p = mixture_weights[c] / 4.2;
        ng_assert_le(fabs(n / COUNT - p), 5 * sqrt(p * (1 - p) / COUNT));
        for (size_t i = 0; i < D; i++)
            for (size_t j = 0; j <= i; j++) {
                const double *cov = w.covariances + c * D * D;
                double wide = cov[i * D + i] * cov[j * D + j];
                ng_assert_le(fabs(sum[c][i] / n), 5 * sqrt(cov[i * D + i] / n));
                ng_assert_le(fabs(square[c][i * D + j] / n - cov[i * D + j]),
                             5 * sqrt(2 * wide / n));
            }
    }
    ng_assert_ok(ng_mixture_sample(m, x, from, 0, &random, &error), &error);
    for (size_t row = 0; row < COUNT; row++)
        ck_assert(from[row] == 0 || from[row] == 2);
    ng_rng_destroy(&random);
    free(from);
    test_free(x);
    ng_mixture_destroy(m);
}
END_TEST

/* Two points without width: the law under noise is known, and without noise there is none. */
START_TEST(point_masses)
{
    double means[2] = {-1, 1}, none[2] = {0}, x = 0.3, mean, log_density, cdf;
    ng_mixture *m;
    ng_random random;
    ng_assert_ok(ng_mixture_create(&m, ng_f64(means, 2, 1), ng_f64(none, 2, 1), NULL, NULL, &error),
                 &error);
    ng_mixture_fields f = {.log_density = ng_f64(&log_density, 1, 1), .mean = ng_f64(&mean, 1, 1)};
    ng_assert_ok(ng_mixture_evaluate(m, &f, ng_f64(&x, 1, 1), 0.5, 0.4, -1, &error), &error);
    ng_assert_rel(mean, tanh(0.5 * x / 0.16), 1e-14);
    ng_assert_fails(ng_mixture_evaluate(m, &f, ng_f64(&x, 1, 1), 1, 0, -1, &error), NG_ESINGULAR,
                    &error, "component 0");
    ng_assert_ok(ng_mixture_cdf(m, ng_f64(&cdf, 1, 1), ng_f64(&x, 1, 1), 1, 0, -1, &error), &error);
    ck_assert(cdf == 0.5);
    ng_assert_ok(ng_rng_create(&random, 1, &error), &error);
    for (int i = 0; i < 20; i++) {
        ng_assert_ok(ng_mixture_sample(m, ng_f64(&x, 1, 1), NULL, 1, &random, &error), &error);
        ck_assert(x == 1);
    }
    ng_rng_destroy(&random);
    ng_mixture_destroy(m);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------ */

START_TEST(refusals)
{
    world w;
    ng_mixture *m = random_mixture(&w, K, D, 0.3, 1), *none = m;
    double x[D] = {0}, bad[K] = {1, 1, 0, 1};
    int negative[K] = {0, 0, 0, -3};
    ng_mat means = ng_f64(w.means, K, D), covariances = ng_f64(w.covariances, K * D, D);
    ng_assert_fails(ng_mixture_create(&none, means, covariances, bad, NULL, &error), NG_EARG,
                    &error, "weights[2]");
    ck_assert(none == NULL);
    ng_assert_fails(ng_mixture_create(&none, means, covariances, NULL, negative, &error), NG_EARG,
                    &error, "labels[3]");
    ng_assert_fails(ng_mixture_create(&none, means, means, NULL, NULL, &error), NG_ESHAPE, &error,
                    "covariances is 4 x 3, expected 12 x 3");
    ng_assert_fails(ng_mixture_create(&none, ng_f64(x, 0, D), ng_f64(x, 0, D), NULL, NULL, &error),
                    NG_ERANGE, &error, "0 components");
    w.covariances[D * D] = -1;
    ng_assert_fails(ng_mixture_create(&none, means, covariances, NULL, NULL, &error), NG_ESINGULAR,
                    &error, "covariance 1");
    w.covariances[0] = (double)NAN;
    ng_assert_fails(ng_mixture_create(&none, means, covariances, NULL, NULL, &error), NG_ENONFINITE,
                    &error, "covariance 0");
    ng_mixture_destroy(m);
}
END_TEST

START_TEST(refused_points)
{
    world w;
    ng_mixture *m = random_mixture(&w, K, D, 0.3, 1);
    double x[2 * D] = {0}, out[2 * D], nan[D] = {0, NAN, 0};
    float single[2 * D] = {0};
    ng_mat points = ng_f64(x, 2, D);
    ng_mixture_fields f = {.score = ng_f64(out, 2, D)};
    ng_assert_fails(ng_mixture_evaluate(m, &f, points, 1, -1, -1, &error), NG_EARG, &error,
                    "s = -1");
    ng_assert_fails(ng_mixture_evaluate(m, &f, points, NAN, 1, -1, &error), NG_EARG, &error,
                    "a = ");
    ng_assert_fails(ng_mixture_evaluate(m, &f, points, 0, 0, -1, &error), NG_ESINGULAR, &error,
                    "component 0");
    ng_assert_fails(ng_mixture_evaluate(m, &f, points, 1, 1, 7, &error), NG_EARG, &error,
                    "label 7");
    ng_assert_fails(ng_mixture_evaluate(m, &f, ng_f64(nan, 1, D), 1, 1, -1, &error), NG_ENONFINITE,
                    &error, "x is not finite");
    ng_assert_fails(ng_mixture_evaluate(m, &f, ng_f32(single, 2, D), 1, 1, -1, &error), NG_EDTYPE,
                    &error, "x");
    ng_assert_fails(ng_mixture_evaluate(m, &f, ng_f64(x, 1, D), 1, 1, -1, &error), NG_ESHAPE,
                    &error, "score is 2 x 3");
    ng_assert_fails(ng_mixture_evaluate(NULL, &f, points, 1, 1, -1, &error), NG_EARG, &error,
                    "mixture");
    f.score = points;
    ng_assert_fails(ng_mixture_evaluate(m, &f, points, 1, 1, -1, &error), NG_EARG, &error,
                    "score is x");
    ng_assert_fails(ng_mixture_cdf(m, ng_f64(out, 2, 1), points, 1, 1, -1, &error), NG_ESHAPE,
                    &error, "3 dimensions");
    x[0] = 1e200;
    f.score = ng_f64(out, 2, D);
    ng_assert_fails(ng_mixture_evaluate(m, &f, points, 1, 1, -1, &error), NG_ERANGE, &error,
                    "row 0");
    ng_mixture_destroy(m);
}
END_TEST

/* ---- Failing allocations --------------------------------------------------------------------- */

static ng_status everything(ng_error *e)
{
    static double means[2] = {-1, 1}, covariances[2] = {1, 2}, x[2] = {0.1, 0.2}, out[2];
    ng_mixture *m;
    ng_random random = {NULL};
    ng_interpolant t = at_time(0.5);
    ng_mat points = ng_f64(x, 2, 1);
    const ng_mixture_fields f = {.jacobian = ng_f64(out, 2, 1)};
    ng_status status =
        ng_mixture_create(&m, ng_f64(means, 2, 1), ng_f64(covariances, 2, 1), NULL, NULL, e);
    if (status == NG_OK)
        status = ng_rng_create(&random, 1, e);
    if (status == NG_OK)
        status = ng_mixture_sample(m, points, NULL, -1, &random, e);
    if (status == NG_OK)
        status = ng_mixture_evaluate(m, &f, points, 1, 1, -1, e);
    if (status == NG_OK)
        status =
            ng_mixture_interpolate(m, m, ng_mat_none(), f.jacobian, ng_mat_none(), points, &t, e);
    ng_rng_destroy(&random);
    ng_mixture_destroy(m);
    return status;
}

START_TEST(every_allocation_fails_once)
{
    ng_status status = NG_ENOMEM;
    for (long k = 0; status != NG_OK; k++) {
        error.text[0] = '\0';
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = everything(&error);
        long counted = fault_over();
        ck_assert(status == NG_OK ? counted == k && k >= 8 : counted > k);
        ck_assert(status == NG_OK || (status == NG_ENOMEM && error.text[0] != '\0'));
    }
}
END_TEST

TEST_SUITE(mixture_calls)
{
    TCase *tcase = tcase_create("mixture calls");
    tcase_add_test(tcase, samples);
    tcase_add_test(tcase, point_masses);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, refused_points);
    tcase_add_test(tcase, every_allocation_fails_once);
    suite_add_tcase(suite, tcase);
}
