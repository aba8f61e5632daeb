/* Solvers: measured orders, exact steps, EVODiff written out once more as its publication has it.
 */
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/support/support.h"

static ng_error error;

/* ---- Orders -------------------------------------------------------------------------- */

static ng_mixture *three(void)
{
    static double means[6] = {1, 0.5, -1, 0.2, 0.1, -1.2},
                  covariances[12] = {0.3, 0, 0.1, 0.2, 0.15, 0, 0, 0.3, 0.2, 0, -0.05, 0.1};
    ng_mixture *m;
    ng_assert_ok(
        ng_mixture_create(&m, ng_f64(means, 3, 2), ng_f64(covariances, 6, 2), NULL, NULL, &error),
        &error);
    return m;
}

static ng_status denoise(void *data, ng_mat f, ng_mat x, double sigma, ng_error *e)
{
    const ng_mixture_fields fields = {.mean = f};
    return ng_mixture_evaluate(data, &fields, x, 1, sigma, NG_MIXTURE_ALL, e);
}

/* the probability flow of the same path with log sigma = -t */
static ng_status flow(void *data, ng_mat f, ng_mat x, double t, ng_error *e)
{
    const ng_mixture_fields fields = {.score = f};
    ng_status status = ng_mixture_evaluate(data, &fields, x, 1, exp(-t), NG_MIXTURE_ALL, e);
    ng_scale(f, exp(-2 * t));
    return status;
}

enum { ROWS = 5, MOST = 1281 };

static void end_points(ng_mat x, const ng_solver_info *s, ng_mixture *m, size_t steps)
{
    double nodes[MOST];
    ng_random random;
    for (size_t i = 0; i <= steps; i++) {
        double t = log(0.1) + log(30) * (double)i / (double)steps;
        nodes[i] = s->denoises ? exp(-t) : t;
    }
    for (size_t i = 0; i < ROWS * 2; i++)
        ((double *)x.data)[i] = 7 * cos(1.3 + 2.1 * (double)i);
    ng_assert_ok(ng_rng_create(&random, 1, &error), &error);
    ng_assert_ok(
        ng_solver_run(x, s, nodes, steps + 1, 0, &random, s->denoises ? denoise : flow, m, &error),
        &error);
    ng_rng_destroy(&random);
}

/* Halving the steps divides the error by 2^order; an order of 0 leaves it. */
START_TEST(orders)
{
    const ng_solver_info *s = ng_solver_get((size_t)_i), *fine = ng_solver_find("dpm++2m");
    double exact[ROWS * 2], x[ROWS * 2], errors[2];
    ng_mat e = ng_f64(exact, ROWS, 2), y = ng_f64(x, ROWS, 2);
    ng_mixture *m = three();
    ck_assert_ptr_eq(ng_solver_find(s->name), s);
    end_points(e, fine, m, MOST - 1);
    end_points(y, fine, m, (MOST - 1) / 2);
    for (size_t i = 0; i < ROWS * 2; i++) /* Richardson */
        exact[i] += (exact[i] - x[i]) / 3;
    for (int k = 0; k < 2; k++) {
        end_points(y, s, m, (size_t)160 << k);
        errors[k] = test_rel_error(y, e);
    }
    double order = log(errors[0] / errors[1]) / log(2);
    /* with diffusion 0 stochastic Heun is Heun */
    ng_assert_le(fabs(order - (s->stochastic ? 2 : s->order)), 0.15);
    ng_mixture_destroy(m);
}
END_TEST

/* A point mass: DDIM and DPM++ take the straight line exactly, in any number of steps. */
START_TEST(straight_lines)
{
    double mean[2] = {0.3, -2}, none[4] = {0}, nodes[4] = {5, 3, 0.7, 0.1};
    ng_mixture *m;
    ng_assert_ok(ng_mixture_create(&m, ng_f64(mean, 1, 2), ng_f64(none, 2, 2), NULL, NULL, &error),
                 &error);
    const char *names[] = {"ddim", "dpm++2m"};
    for (int i = 0; i < 2; i++) {
        double x[2] = {4, 1};
        ng_assert_ok(ng_solver_run(ng_f64(x, 1, 2), ng_solver_find(names[i]), nodes, 4, 0, NULL,
                                   denoise, m, &error),
                     &error);
        ng_assert_rel(x[0], 0.3 + 3.7 * 0.02, 1e-13);
        ng_assert_rel(x[1], -2 + 3 * 0.02, 1e-13);
    }
    ng_mixture_destroy(m);
}
END_TEST

static ng_status decay(void *data, ng_mat f, ng_mat x, double t, ng_error *e)
{
    (void)data, (void)t;
    return ng_lincomb(f, -1, x, 0, x, e);
}

/* dx = -x dt + sqrt(2 eps) dW in n steps of Heun: mean and variance of the recurrence
 * x' = q (x + sqrt(2 eps h) z) with q = 1 - h + h^2 / 2, also backwards in time. */
START_TEST(ornstein_uhlenbeck)
{
    enum { COUNT = 40000, STEPS = 10 };
    double nodes[STEPS + 1], q = 1 - 0.1 + 0.005, variance = 0, sum = 0, square = 0;
    for (int i = 0; i <= STEPS; i++)
        nodes[i] = 0.1 * i;
    for (int i = 0; i < STEPS; i++)
        variance = q * q * (variance + 2 * 0.7 * 0.1);
    ng_mat x = test_mat(COUNT, 1, 2, NG_F64);
    ng_fill(x, 2);
    ng_random random;
    ng_assert_ok(ng_rng_create(&random, 3, &error), &error);
    ng_assert_ok(ng_solver_run(x, ng_solver_find("stochastic_heun"), nodes, STEPS + 1, 0.7, &random,
                               decay, NULL, &error),
                 &error);
    for (size_t i = 0; i < COUNT; i++)
        sum += ng_mat_get(x, i, 0);
    for (size_t i = 0; i < COUNT; i++)
        square += pow(ng_mat_get(x, i, 0) - sum / COUNT, 2);
    ng_assert_le(fabs(sum / COUNT - 2 * pow(q, STEPS)), 5 * sqrt(variance / COUNT));
    ng_assert_le(fabs(square / COUNT - variance), 5 * variance * sqrt(2.0 / COUNT));
    ng_rng_destroy(&random);
    test_free(x);
}
END_TEST

/* ---- EVODiff, formula by formula -------------------------------------------------------- */

static double dot(const double *x, const double *y)
{
    return x[0] * y[0] + x[1] * y[1];
}

static double clamped(double x)
{
    return x < -2 ? -2 : x > 2 ? 2 : x;
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static void ask(ng_mixture *m, double *d, double *x, double sigma)
{
    ng_assert_ok(denoise(m, ng_f64(d, 1, 2), ng_f64(x, 1, 2), sigma, &error), &error);
}

/* one step u, s -> t; m1, m0: D at u and s; last, first: of all nodes. x and mt (D looked at). */
static void written_out(ng_mixture *m, double *x, double *mt, const double *m0, const double *m1,
                        double u, double s, double t, double first, double last, size_t steps)
{
    double h = 1 / t - 1 / s, r = log(u / s) / log(s / t), tn = (t + last) / (first + last);
    double w = 0.5 * (1 - tn * tn), base = sqrt(t / s / (s / u)), e[2], d1[2], d2[2], look[2];
    double rho1 = (1 - w) * base + w * clamped(dot(m0, m1) / dot(m1, m1));
    double ri = r * logistic(0.25 * fabs(rho1));
    for (int j = 0; j < 2; j++) {
        e[j] = t / s * x[j] + t * h * m0[j];
        d1[j] = m0[j] - rho1 * m1[j];
        look[j] = e[j] + 0.5 * t * h / ri * d1[j];
    }
    ask(m, mt, look, t);
    double rho2 = (1 - w) * base + w * clamped(dot(mt, m0) / dot(m0, m0));
    double plus[2], minus[2], b[2], p[2], d10[2];
    for (int j = 0; j < 2; j++) {
        d2[j] = mt[j] - rho2 * m0[j];
        plus[j] = r / h * d2[j] + d1[j] / r / h;
        minus[j] = r / h * d2[j] - d1[j] / r / h;
        d10[j] = (m0[j] - m1[j]) / h;
    }
    double eta = 0.5 * logistic(fabs(0.5 * clamped(dot(plus, minus) / dot(minus, minus))));
    for (int j = 0; j < 2; j++) {
        b[j] = -eta / r * d1[j] + r * (1 - eta) * d2[j];
        p[j] = look[j] - e[j] - 0.5 * t * h / ri * b[j];
    }
    double shift = fabs(clamped(dot(p, d1) / dot(d1, d1)) / (h * t)) - 0.5, zeta = logistic(shift);
    if (steps > 20)
        zeta = logistic(-shift *
                        logistic(clamped(dot(m0, d10) / dot(d10, d10)) * (2 - t * t / s / s)));
    for (int j = 0; j < 2; j++)
        x[j] = e[j] + 0.5 * t * h / zeta * b[j];
}

START_TEST(evodiff)
{
    const size_t steps = _i == 0 ? 6 : 24;
    ng_mixture *m = three();
    double nodes[25], x[2] = {3, -5}, y[2] = {3, -5}, before[2], now[2], next[2];
    for (size_t i = 0; i <= steps; i++)
        nodes[i] = 8 * pow(0.01 / 8, (double)i / (double)steps) * (1 + 0.01 * (double)(i % 2));
    ask(m, before, x, nodes[0]);
    for (int j = 0; j < 2; j++)
        x[j] = before[j] + nodes[1] / nodes[0] * (x[j] - before[j]);
    ask(m, now, x, nodes[1]);
    for (size_t i = 1; i + 1 < steps; i++) {
        written_out(m, x, next, now, before, nodes[i - 1], nodes[i], nodes[i + 1], nodes[0],
                    nodes[steps], steps);
        memcpy(before, now, sizeof now);
        memcpy(now, next, sizeof next);
    }
    double s = nodes[steps - 1], t = nodes[steps], q = t / s,
           r = 1 - 0.5 * sqrt(q < 0.5 ? q : q - 0.5);
    for (int j = 0; j < 2; j++)
        x[j] = (1 - sqrt(s * t)) * (q * x[j] + (1 - q) * now[j]) +
               0.5 * (1 - q) * (now[j] - r * before[j]);
    ng_assert_ok(ng_solver_run(ng_f64(y, 1, 2), ng_solver_find("evodiff"), nodes, steps + 1, 0,
                               NULL, denoise, m, &error),
                 &error);
    ng_assert_mat(ng_f64(y, 1, 2), ng_f64(x, 1, 2), 1e-11);
    ng_mixture_destroy(m);
}
END_TEST

/* ---- Refusals and failing allocations ---------------------------------------------------------
 */

static ng_status nan_field(void *data, ng_mat f, ng_mat x, double t, ng_error *e)
{
    (void)data, (void)x, (void)t, (void)e;
    ng_fill(f, NAN);
    return NG_OK;
}

START_TEST(refusals)
{
    double up[2] = {0.1, 1}, down[3] = {1, 0.5, 0.2}, turn[3] = {0, 1, 0.5}, x[2] = {1, 2};
    ng_mat m = ng_f64(x, 1, 2);
    const ng_solver_info *ddim = ng_solver_find("ddim"), *euler = ng_solver_find("euler"),
                         copy = *ddim;
    ck_assert_ptr_null(ng_solver_get(ng_solver_count()));
    ck_assert_ptr_null(ng_solver_find("rk4"));
    ck_assert_ptr_null(ng_solver_find(NULL));
    ng_assert_fails(ng_solver_run(m, ddim, up, 2, 0, NULL, decay, NULL, &error), NG_EARG, &error,
                    "nodes[");
    ng_assert_fails(ng_solver_run(m, euler, turn, 3, 0, NULL, decay, NULL, &error), NG_EARG, &error,
                    "nodes[2]");
    ng_assert_fails(ng_solver_run(m, euler, up, 1, 0, NULL, decay, NULL, &error), NG_EARG, &error,
                    "1 nodes");
    ng_assert_fails(ng_solver_run(m, &copy, down, 3, 0, NULL, decay, NULL, &error), NG_EARG, &error,
                    "solver");
    ng_assert_fails(ng_solver_run(m, euler, up, 2, 0, NULL, NULL, NULL, &error), NG_EARG, &error,
                    "field");
    ng_assert_fails(
        ng_solver_run(m, ng_solver_find("stochastic_heun"), up, 2, 1, NULL, decay, NULL, &error),
        NG_EARG, &error, "random");
    ng_assert_fails(ng_solver_run(m, euler, up, 2, 0, NULL, nan_field, NULL, &error), NG_ENONFINITE,
                    &error, "field");
    ck_assert(x[0] == 1 && x[1] == 2);
}
END_TEST

START_TEST(want_of_memory)
{
    double nodes[3] = {1, 0.5, 0.2}, x[2] = {1, 2};
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_status status = ng_solver_run(ng_f64(x, 1, 2), ng_solver_find("euler"), nodes, 3, 0, NULL,
                                     decay, NULL, &error);
    fault_over();
    ck_assert_int_eq(status, NG_ENOMEM);
    ck_assert(x[0] == 1 && x[1] == 2);
}
END_TEST

TEST_SUITE(solver)
{
    TCase *tcase = tcase_create("solver");
    tcase_add_loop_test(tcase, orders, 0, (int)ng_solver_count());
    tcase_add_test(tcase, straight_lines);
    tcase_add_test(tcase, ornstein_uhlenbeck);
    tcase_add_loop_test(tcase, evodiff, 0, 2);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, want_of_memory);
    suite_add_tcase(suite, tcase);
}
