/* Student's t: the normalisation, the Fisher matrix and the law of the radius by quadrature,
 * samples against that law, the Gaussian limit. */
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/support/support.h"

static ng_error error;

/* f averaged over b = R^2/(R^2 + dof scale^2), which is beta(n/2, dof/2), with b = sin^2 a */
static double over_shares(double n, double dof, double (*f)(double b, double n, double dof))
{
    enum { STEPS = 20000 };
    const double half_pi = acos(0);
    double sum = 0, total = 0;
    for (int i = 0; i < STEPS; i++) {
        double a = half_pi * (i + 0.5) / STEPS, weight = pow(sin(a), n - 1) * pow(cos(a), dof - 1);
        sum += weight * f(sin(a) * sin(a), n, dof);
        total += weight;
    }
    return sum / total;
}

/* squares of one component of the score by center, and of that by log scale; scale 1 */
static double center_score(double b, double n, double dof)
{
    return pow(dof + n, 2) / n * b * (1 - b) / dof; /* |x|^2 / (dof + |x|^2)^2 = b (1 - b) / dof */
}

static double scale_score(double b, double n, double dof)
{
    return pow((dof + n) * b - n, 2);
}

static const struct {
    size_t n;
    double dof, scale;
} cases[] = {{5, 10, 1}, {1, 1, 0.3}, {2, 3.5, 2}, {3, 200, 1.5}, {8, 2, 1}};

START_TEST(fisher)
{
    const size_t n = cases[_i].n;
    const double dof = cases[_i].dof, scale = cases[_i].scale;
    ng_student s = {n, dof, scale, NULL};
    ng_mat f = test_mat(n + 1, n + 1, 2, NG_F64);
    ng_assert_ok(ng_student_fisher(&s, f, &error), &error);
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= n; j++)
            if (i != j)
                ck_assert(ng_mat_get(f, i, j) == 0);
    for (size_t i = 0; i < n; i++)
        ng_assert_rel(ng_mat_get(f, i, i) * scale * scale,
                      over_shares((double)n, dof, center_score), 1e-7);
    ng_assert_rel(ng_mat_get(f, n, n), over_shares((double)n, dof, scale_score), 1e-7);
    test_free(f);
}
END_TEST

/* On the line and in the plane the density is that of the law of the radius. */
START_TEST(density_and_radius)
{
    const double center[2] = {0.4, -1}, pi = acos(-1), h = 1e-4;
    for (size_t n = 1; n <= 2; n++)
        for (double dof = 0.7; dof < 300; dof *= 3) {
            ng_student s = {n, dof, 1.3, center};
            for (double r = 0.2; r < 9; r *= 2) {
                double x[2] = {center[0] + r * 0.6, center[1] + r * 0.8}, log_density,
                       radius[2] = {r - h, r + h}, cdf[2];
                if (n == 1)
                    x[0] = center[0] - r;
                ng_assert_ok(
                    ng_student_log_density(&s, ng_f64(&log_density, 1, 1), ng_f64(x, 1, n), &error),
                    &error);
                ng_assert_ok(
                    ng_student_radius_cdf(&s, ng_f64(cdf, 2, 1), ng_f64(radius, 2, 1), &error),
                    &error);
                double area = n == 1 ? 2 : 2 * pi * r;
                ng_assert_le(fabs((cdf[1] - cdf[0]) / (2 * h) - area * exp(log_density)),
                             1e-7 * (1 + area * exp(log_density)));
            }
        }
}
END_TEST

START_TEST(limits)
{
    /* Cauchy; nearly Gaussian; a radius whose square overflows */
    ng_student cauchy = {1, 1, 2, NULL}, gauss = {3, 1e9, 0.5, NULL};
    double x[3] = {3, -0.4, 0.2}, value, far = 1e200, cdf;
    ng_assert_ok(ng_student_log_density(&cauchy, ng_f64(&value, 1, 1), ng_f64(x, 1, 1), &error),
                 &error);
    ng_assert_rel(value, -log(acos(-1) * 2 * (1 + 2.25)), 1e-12);
    x[0] = 0.3;
    ng_assert_ok(ng_student_log_density(&gauss, ng_f64(&value, 1, 1), ng_f64(x, 1, 3), &error),
                 &error);
    ng_assert_rel(value, -1.5 * log(2 * acos(-1) * 0.25) - 0.29 / 0.5, 1e-6);
    ng_assert_ok(ng_student_log_density(&cauchy, ng_f64(&value, 1, 1), ng_f64(&far, 1, 1), &error),
                 &error);
    ng_assert_rel(value, log(2 / acos(-1)) - 2 * log(1e200), 1e-12);
    ng_assert_ok(ng_student_radius_cdf(&cauchy, ng_f64(&cdf, 1, 1), ng_f64(&far, 1, 1), &error),
                 &error);
    ck_assert(cdf == 1);
}
END_TEST

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's distance of the radii, 2.5 / sqrt(k): once in 10^5 */
START_TEST(samples)
{
    enum { COUNT = 20000 };
    const double center[8] = {1, -2, 0.5};
    ng_student s = {cases[_i].n, cases[_i].dof, cases[_i].scale, center};
    ng_random random;
    ng_assert_ok(ng_rng_create(&random, 5, &error), &error);
    ng_mat x = test_mat(COUNT, s.n, 1, NG_F64), radius = test_mat(COUNT, 1, 0, NG_F64),
           cdf = test_mat(COUNT, 1, 0, NG_F64);
    ng_assert_ok(ng_student_sample(&s, x, &random, &error), &error);
    double largest = 0, above = 0;
    for (size_t row = 0; row < COUNT; row++) {
        double square = 0;
        for (size_t i = 0; i < s.n; i++)
            square += pow(ng_mat_get(x, row, i) - center[i], 2);
        ng_mat_set(radius, row, 0, sqrt(square));
        above += ng_mat_get(x, row, 0) > center[0];
    }
    qsort(radius.data, COUNT, sizeof(double), ascending);
    ng_assert_ok(ng_student_radius_cdf(&s, cdf, radius, &error), &error);
    for (size_t row = 0; row < COUNT; row++)
        largest = fmax(largest, fabs(ng_mat_get(cdf, row, 0) - ((double)row + 0.5) / COUNT));
    ng_assert_le(largest, 2.5 / sqrt(COUNT));
    ng_assert_le(fabs(above / COUNT - 0.5), 2.5 / sqrt(COUNT));
    ng_rng_destroy(&random);
    test_free(x);
    test_free(radius);
    test_free(cdf);
}
END_TEST

START_TEST(refusals)
{
    ng_student s = {2, 3, 1, NULL}, bad = {2, 0, 1, NULL};
    double x[2] = {0, NAN}, out[4], negative = -1;
    float single[2] = {0};
    ng_assert_fails(ng_student_fisher(&bad, ng_f64(out, 3, 3), &error), NG_EARG, &error, "dof = 0");
    bad.dof = 1, bad.scale = NAN;
    ng_assert_fails(ng_student_fisher(&bad, ng_f64(out, 3, 3), &error), NG_EARG, &error, "scale");
    ng_assert_fails(ng_student_fisher(NULL, ng_f64(out, 3, 3), &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_student_fisher(&s, ng_f64(out, 2, 2), &error), NG_ESHAPE, &error, "f is 2");
    ng_assert_fails(ng_student_log_density(&s, ng_f64(out, 1, 1), ng_f64(x, 1, 2), &error),
                    NG_ENONFINITE, &error, "x");
    ng_assert_fails(ng_student_log_density(&s, ng_f64(out, 1, 1), ng_f32(single, 1, 2), &error),
                    NG_EDTYPE, &error, "x");
    ng_assert_fails(ng_student_radius_cdf(&s, ng_f64(out, 1, 1), ng_f64(&negative, 1, 1), &error),
                    NG_EARG, &error, "radius 0 is -1");
    ng_assert_fails(ng_student_sample(&s, ng_f64(out, 1, 2), NULL, &error), NG_EARG, &error,
                    "random");
    s.center = x;
    ng_assert_fails(ng_student_fisher(&s, ng_f64(out, 3, 3), &error), NG_ENONFINITE, &error,
                    "center[1]");
}
END_TEST

TEST_SUITE(student)
{
    TCase *tcase = tcase_create("student");
    tcase_add_loop_test(tcase, fisher, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, density_and_radius);
    tcase_add_test(tcase, limits);
    tcase_add_loop_test(tcase, samples, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
}
