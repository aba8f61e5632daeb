/* Gaussian mixtures against quadrature on the line, finite differences, a naive sum with an
 * elimination of its own, and the continuity equation. */
#include <stdlib.h>

#include "tests/lab/mixture_world.h"

static ng_error error;

/* log N(x; mean, c) by elimination without pivots; c is overwritten */
static double naive_normal(const double *x, const double *mean, double *c, size_t d)
{
    double y[D], log_density = 0;
    for (size_t i = 0; i < d; i++)
        y[i] = x[i] - mean[i];
    for (size_t p = 0; p < d; p++) { /* c = L D L^T, y <- L^-1 y */
        log_density -= 0.5 * (log(2 * acos(-1) * c[p * d + p]) + y[p] * y[p] / c[p * d + p]);
        for (size_t i = p + 1; i < d; i++) {
            double f = c[i * d + p] / c[p * d + p];
            for (size_t j = p; j < d; j++)
                c[i * d + j] -= f * c[p * d + j];
            y[i] -= f * y[p];
        }
    }
    return log_density;
}

/* log p(x) of x = a x1 + s z and the share of each component */
static double naive_density(const world *w, size_t k, size_t d, const double *x, double a, double s,
                            int label, double *share)
{
    double sum = 0, total = 0;
    for (size_t c = 0; c < k; c++) {
        double mean[D], cov[D * D];
        for (size_t i = 0; i < d; i++)
            mean[i] = a * w->means[c * d + i];
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < d; j++)
                cov[i * d + j] =
                    a * a * w->covariances[(c * d + (i > j ? i : j)) * d + (i > j ? j : i)] +
                    (i == j ? s * s : 0);
        double in = label < 0 || mixture_labels[c] == label;
        total += in * mixture_weights[c];
        sum += share[c] = in * mixture_weights[c] * exp(naive_normal(x, mean, cov, d));
    }
    for (size_t c = 0; c < k; c++)
        share[c] /= sum;
    return log(sum / total);
}

static const struct {
    double a, s;
    int label;
} schedules[] = {{1, 0, NG_MIXTURE_ALL}, {0.6, 0.8, NG_MIXTURE_ALL},
                 {1, 3, NG_MIXTURE_ALL}, {0.3, 0.7, 0},
                 {-0.5, 0.5, 1},         {0, 1.5, NG_MIXTURE_ALL}};
enum { SCHEDULES = sizeof schedules / sizeof *schedules };

/* ---- Fields at points ------------------------------------------------------------- */

typedef struct {
    ng_mat x;
    ng_mixture_fields f;
} sheet;

static sheet open_sheet(size_t n, size_t k, size_t d, size_t pad, test_rng *rng)
{
    sheet s = {.x = test_mat(n, d, pad, NG_F64),
               .f = {test_mat(n, 1, pad, NG_F64), test_mat(n, k, pad, NG_F64),
                     test_mat(n, d, pad, NG_F64), test_mat(n, d * d, pad, NG_F64),
                     test_mat(n, d, pad, NG_F64), test_mat(n, d * d, pad, NG_F64)}};
    test_fill_normal(s.x, rng);
    return s;
}

static void close_sheet(sheet *s)
{
    ng_mat all[] = {s->x,          s->f.log_density, s->f.responsibility, s->f.score,
                    s->f.jacobian, s->f.mean,        s->f.covariance};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        test_free(all[i]);
}

static double density_near(const world *w, size_t d, const double *x, size_t i, double by, size_t j,
                           double by_j, int which)
{
    double y[D], share[K];
    memcpy(y, x, d * sizeof *y);
    y[i] += by;
    y[j] += by_j;
    return naive_density(w, K, d, y, schedules[which].a, schedules[which].s, schedules[which].label,
                         share);
}

/* log density and shares exactly, score and Jacobian by central differences of the naive density,
 * the mean by Tweedie's formula, the covariance by its second order form */
START_TEST(fields)
{
    const size_t d = (size_t)_i / SCHEDULES + 1;
    const int which = _i % SCHEDULES;
    const double a = schedules[which].a, s = schedules[which].s, h = 1e-3;
    world w;
    test_rng rng = {17};
    ng_mixture *m = random_mixture(&w, K, d, 0.3, 5 + (unsigned)_i);
    sheet t = open_sheet(N, K, d, 2, &rng);
    ng_assert_ok(ng_mixture_evaluate(m, &t.f, t.x, a, s, schedules[which].label, &error), &error);
    for (size_t row = 0; row < N; row++) {
        double x[D], share[K];
        for (size_t i = 0; i < d; i++)
            x[i] = ng_mat_get(t.x, row, i);
        double log_density = naive_density(&w, K, d, x, a, s, schedules[which].label, share);
        ng_assert_le(fabs(ng_mat_get(t.f.log_density, row, 0) - log_density), 1e-11);
        for (size_t c = 0; c < K; c++)
            ng_assert_le(fabs(ng_mat_get(t.f.responsibility, row, c) - share[c]), 1e-11);
        for (size_t i = 0; i < d; i++) {
            double slope = (8 * density_near(&w, d, x, i, h, i, 0, which) -
                            8 * density_near(&w, d, x, i, -h, i, 0, which) -
                            density_near(&w, d, x, i, 2 * h, i, 0, which) +
                            density_near(&w, d, x, i, -2 * h, i, 0, which)) /
                           (12 * h);
            double score = ng_mat_get(t.f.score, row, i);
            ng_assert_le(fabs(score - slope), 1e-8 * (1 + fabs(slope)));
            if (a != 0)
                ng_assert_le(fabs(ng_mat_get(t.f.mean, row, i) * a - x[i] - s * s * score),
                             1e-11 * (1 + fabs(x[i])));
            for (size_t j = 0; j < d; j++) {
                double second = (density_near(&w, d, x, i, h, j, h, which) -
                                 density_near(&w, d, x, i, h, j, -h, which) -
                                 density_near(&w, d, x, i, -h, j, h, which) +
                                 density_near(&w, d, x, i, -h, j, -h, which)) /
                                (4 * h * h);
                double jacobian = ng_mat_get(t.f.jacobian, row, i * d + j);
                ng_assert_le(fabs(jacobian - second), 1e-4 * (1 + fabs(second)));
                ng_assert_le(fabs(a * a * ng_mat_get(t.f.covariance, row, i * d + j) -
                                  s * s * ((i == j) + s * s * jacobian)),
                             1e-10 * (1 + s * s * s * s * fabs(jacobian)));
            }
        }
    }
    close_sheet(&t);
    ng_mixture_destroy(m);
}
END_TEST

/* On the line, with the posterior of x1 integrated by Simpson's rule: what Tweedie's formula
 * cannot see at a = 0 either. */
START_TEST(posterior_by_quadrature)
{
    world w;
    ng_mixture *m = random_mixture(&w, K, 1, 0.2, 3);
    const double a[] = {0.7, 0, 1, -1.2}, s[] = {0.5, 1, 0.05, 2};
    for (int q = 0; q < 4; q++) {
        double x = 0.4, sums[3] = {0}, mean, covariance, cdf, share[K], below = 0;
        enum { POINTS = 40001 };
        const double low = -12, step = 24.0 / (POINTS - 1);
        for (int i = 0; i < POINTS; i++) {
            double y = low + i * step, u = (x - a[q] * y) / s[q];
            double weight = (i == 0 || i == POINTS - 1 ? 1
                             : i % 2                   ? 4
                                                       : 2) *
                            exp(naive_density(&w, K, 1, &y, 1, 0, -1, share) - u * u / 2);
            for (int power = 0; power < 3; power++)
                sums[power] += weight * pow(y, power);
            if (i <= (POINTS - 1) / 2) /* the distribution function at 0 of x1 */
                below += (i == 0 || i == (POINTS - 1) / 2 ? 1
                          : i % 2                         ? 4
                                                          : 2) *
                         step / 3 * exp(naive_density(&w, K, 1, &y, 1, 0, -1, share));
        }
        ng_mixture_fields f = {.mean = ng_f64(&mean, 1, 1),
                               .covariance = ng_f64(&covariance, 1, 1)};
        ng_assert_ok(ng_mixture_evaluate(m, &f, ng_f64(&x, 1, 1), a[q], s[q], -1, &error), &error);
        ng_assert_rel(mean, sums[1] / sums[0], 1e-9);
        ng_assert_rel(covariance, sums[2] / sums[0] - mean * mean, 1e-8);
        double zero = 0;
        ng_assert_ok(ng_mixture_cdf(m, ng_f64(&cdf, 1, 1), ng_f64(&zero, 1, 1), 1, 0, -1, &error),
                     &error);
        ng_assert_rel(cdf, below, 1e-9);
    }
    ng_mixture_destroy(m);
}
END_TEST

/* More rows than one block, each field alone, and rows that are far away: the same bits. */
START_TEST(blocks_and_single_fields)
{
    enum { ROWS = 1200 };
    world w;
    test_rng rng = {4};
    ng_mixture *m = random_mixture(&w, K, D, 0.3, 9);
    sheet whole = open_sheet(ROWS, K, D, 0, &rng), part = open_sheet(ROWS, K, D, 3, &rng);
    ng_scale(whole.x, 30);
    test_assign(part.x, whole.x);
    ng_assert_ok(ng_mixture_evaluate(m, &whole.f, whole.x, 0.8, 0.6, -1, &error), &error);
    ng_mat *of[] = {&part.f.log_density, &part.f.responsibility, &part.f.score,
                    &part.f.jacobian,    &part.f.mean,           &part.f.covariance};
    ng_mat expected[] = {whole.f.log_density, whole.f.responsibility, whole.f.score,
                         whole.f.jacobian,    whole.f.mean,           whole.f.covariance};
    for (size_t i = 0; i < 6; i++) {
        ng_mat keep[6];
        for (size_t j = 0; j < 6; j++) {
            keep[j] = *of[j];
            if (j != i)
                *of[j] = ng_mat_none();
        }
        ng_assert_ok(ng_mixture_evaluate(m, &part.f, part.x, 0.8, 0.6, -1, &error), &error);
        for (size_t j = 0; j < 6; j++)
            *of[j] = keep[j];
        ck_assert(test_same_bits(*of[i], expected[i]));
    }
    ck_assert(ng_is_finite(whole.f.log_density));
    close_sheet(&whole);
    close_sheet(&part);
    ng_mixture_destroy(m);
}
END_TEST

/* ---- Between two mixtures ------------------------------------------------------------- */

static double path_density(const ng_mixture *from, const ng_mixture *to, double x, double t,
                           double *velocity)
{
    double log_density, b;
    ng_interpolant at = at_time(t);
    ng_assert_ok(ng_mixture_interpolate(from, to, ng_f64(&log_density, 1, 1), ng_f64(&b, 1, 1),
                                        ng_mat_none(), ng_f64(&x, 1, 1), &at, &error),
                 &error);
    *velocity = b;
    return exp(log_density);
}

/* On the line the velocity is what the change of density asks for. */
START_TEST(continuity)
{
    world v, w;
    const double h = 1e-3, points[] = {-2.5, -0.3, 0.4, 1.9};
    ng_mixture *from = random_mixture(&v, 2, 1, 0.2, 21), *to = random_mixture(&w, 3, 1, 0.2, 22);
    for (double t = 0.1; t < 1; t += 0.2)
        for (size_t i = 0; i < 4; i++) {
            double flux[4], b, x = points[i], steps[4] = {-2 * h, -h, h, 2 * h}, rate[4];
            for (int e = 0; e < 4; e++) {
                rate[e] = path_density(from, to, x, t + steps[e], &b);
                flux[e] = path_density(from, to, x + steps[e], t, &b);
                flux[e] *= b;
            }
            double left = (rate[0] - 8 * rate[1] + 8 * rate[2] - rate[3]) / (12 * h),
                   right = (flux[0] - 8 * flux[1] + 8 * flux[2] - flux[3]) / (12 * h);
            ng_assert_le(fabs(left + right), 1e-8);
        }
    ng_mixture_destroy(from);
    ng_mixture_destroy(to);
}
END_TEST

/* With one standard normal law to start from it is the schedule a = beta, s^2 = alpha^2 + gamma^2,
 * whose velocity is a' mean - s' s score. */
START_TEST(from_noise)
{
    world w;
    double zero[D] = {0}, identity[D * D] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    test_rng rng = {8};
    ng_mixture *noise, *to = random_mixture(&w, K, D, 0.3, 31);
    ng_assert_ok(
        ng_mixture_create(&noise, ng_f64(zero, 1, D), ng_f64(identity, D, D), NULL, NULL, &error),
        &error);
    sheet one = open_sheet(N, K, D, 1, &rng), two = open_sheet(N, K, D, 0, &rng);
    ng_interpolant t = at_time(0.3);
    double a = t.beta, s = sqrt(t.alpha * t.alpha + t.gamma * t.gamma);
    ng_assert_ok(ng_mixture_evaluate(to, &one.f, one.x, a, s, -1, &error), &error);
    ng_assert_ok(ng_mixture_interpolate(noise, to, two.f.log_density, two.f.mean, two.f.score,
                                        one.x, &t, &error),
                 &error);
    ng_assert_ok(ng_lincomb(one.f.mean, t.beta_rate, one.f.mean,
                            -(t.alpha * t.alpha_rate + t.gamma_rate), one.f.score, &error),
                 &error);
    ng_assert_mat(two.f.log_density, one.f.log_density, 1e-12);
    ng_assert_mat(two.f.score, one.f.score, 1e-12);
    ng_assert_mat(two.f.mean, one.f.mean, 1e-12);
    close_sheet(&one);
    close_sheet(&two);
    ng_mixture_destroy(noise);
    ng_mixture_destroy(to);
}
END_TEST

TEST_SUITE(mixture)
{
    TCase *tcase = tcase_create("mixture");
    tcase_add_loop_test(tcase, fields, 0, D * SCHEDULES);
    tcase_add_test(tcase, posterior_by_quadrature);
    tcase_add_test(tcase, blocks_and_single_fields);
    tcase_add_test(tcase, continuity);
    tcase_add_test(tcase, from_noise);
    suite_add_tcase(suite, tcase);
}
