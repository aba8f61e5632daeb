/* The table of functionals against tau written from the spectrum of g, its
 * verdicts against those derived by hand, and the three ways to the minimum
 * against each other. */
#include "tests/geometry/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 5;
    dense_release();
}

enum { N = 7, BUILT_IN = 7, CONDS = 6 };
static const double conds[CONDS] = {1, 1.5, 2.01, 3, 1e3, 1e10};

static void spectrum(double *w, size_t n, double cond)
{
    world_spectrum(w, n, cond, pow(10, 8 * test_uniform(&rng) - 4), &rng);
}

/* tau by name, from all eigenvalues lambda (lambda + beta) of g, or with Hessian F from the
 * modes lambda / mu of g^-1 F */
static double tau(const char *name, const double *w, size_t n, double beta)
{
    double high = 0, low = HUGE_VAL, fast = 0, slow = HUGE_VAL, sum = 0;
    for (size_t k = 0; k < n; k++) {
        double mu = w[k] * (w[k] + beta), mode = w[k] / mu;
        high = fmax(high, mu), low = fmin(low, mu);
        fast = fmax(fast, mode), slow = fmin(slow, mode);
        sum += mu;
    }
    return strcmp(name, "A") == 0                   ? high / low * high
           : strcmp(name, "condition") == 0         ? high / low
           : strcmp(name, "slowest") == 0           ? high
           : strcmp(name, "trace") == 0             ? sum
           : strcmp(name, "slowest_natural") == 0   ? 1 / slow
           : strcmp(name, "condition_natural") == 0 ? fast / slow
           : strcmp(name, "product_natural") == 0   ? fast / slow / slow
                                                    : (double)NAN;
}

/* the verdicts of the theory, in the order of the table */
static ng_verdict verdict(const char *name, double cond)
{
    if (strcmp(name, "A") == 0 || strcmp(name, "product_natural") == 0)
        return cond > 2 ? NG_MINIMUM_INTERIOR : NG_MINIMUM_ZERO;
    if (strcmp(name, "condition") == 0 || strcmp(name, "condition_natural") == 0)
        return cond > 1 ? NG_MINIMUM_INFINITY : NG_MINIMUM_FLAT;
    return NG_MINIMUM_ZERO;
}

START_TEST(values_are_those_of_the_spectrum_of_g)
{
    const ng_functional *f = ng_functional_get(_i);
    for (int c = 0; c < CONDS; c++)
        for (double b = 0; b < 1e5; b = 8 * b + 0.01) {
            double w[N], y, beta;
            spectrum(w, N, conds[c]);
            beta = b * w[N - 1];
            ng_assert_ok(ng_functional_log_value(f, &y, ng_f64(w, 1, N), beta, NULL), NULL);
            ng_assert_rel(exp(y), tau(f->name, w, N, beta), 1e-13);
        }
    ck_assert_ptr_eq(ng_functional_find(f->name), f);
}
END_TEST

START_TEST(slopes_are_derivatives_of_the_values)
{
    const ng_functional *f = ng_functional_get(_i);
    for (int c = 0; c < CONDS; c++)
        for (double b = 0.1; b < 100; b *= 2.7) {
            double w[N], up, down;
            spectrum(w, N, conds[c]);
            double beta = b * w[N - 1], h = 1e-5 * beta;
            ng_mat s = ng_f64(w, 1, N);
            ng_assert_ok(ng_functional_log_value(f, &up, s, beta + h, NULL), NULL);
            ng_assert_ok(ng_functional_log_value(f, &down, s, beta - h, NULL), NULL);
            double slope = f->slope(f, w, N, beta);
            ck_assert_msg(fabs((up - down) / (2 * h) - slope) * beta <= 1e-8 * (1 + fabs(up)),
                          "%s at beta %g lambda_max: %g, slope %g", f->name, b,
                          (up - down) / (2 * h), slope);
        }
}
END_TEST

/* Nothing on a fine grid lies below the verdict's place. */
static void check_grid(const char *name, const double *w, ng_minimum m)
{
    double least = HUGE_VAL, at = -1;
    for (int i = -1; i <= 2000; i++) {
        double beta = i < 0 ? 0 : w[N - 1] * pow(10, 8 - 20 * (2000 - i) / 2000.0);
        double y = tau(name, w, N, beta);
        if (y < least * (1 - 1e-12))
            least = y, at = beta;
    }
    if (m.verdict == NG_MINIMUM_INTERIOR) {
        ng_assert_le(tau(name, w, N, m.beta), least * (1 + 1e-12));
        ck_assert_msg(at >= 0, "%s", name);
    } else if (m.verdict == NG_MINIMUM_INFINITY)
        ng_assert_le(1e3 * w[N - 1], at); /* as far as 1e-12 can be seen */
    else
        ck_assert_msg(at == 0, "%s: %s, yet less at %g", name, ng_verdict_name(m.verdict), at);
}

START_TEST(verdicts_are_the_derived_ones)
{
    const ng_functional *f = ng_functional_get(_i);
    for (int c = 0; c < CONDS; c++)
        for (int trial = 0; trial < 20; trial++) {
            double w[N];
            ng_minimum closed, slope, value;
            ng_error error = {NG_OK, ""};
            spectrum(w, N, conds[c]);
            ng_mat s = ng_f64(w, 1, N);
            ng_verdict expected = verdict(f->name, conds[c]);
            ng_assert_ok(ng_functional_closed(f, &closed, s, &error), &error);
            ng_assert_ok(ng_functional_minimise(f, &slope, s, &error), &error);
            ng_assert_ok(ng_functional_minimise_values(f, &value, s, &error), &error);
            ck_assert_msg(closed.verdict == expected && slope.verdict == expected &&
                              value.verdict == expected,
                          "%s, cond %g: %s expected, closed %s, slope %s, values %s", f->name,
                          conds[c], ng_verdict_name(expected), ng_verdict_name(closed.verdict),
                          ng_verdict_name(slope.verdict), ng_verdict_name(value.verdict));
            if (expected == NG_MINIMUM_INTERIOR) {
                ng_assert_le(fabs(closed.beta - (w[N - 1] - 2 * w[0])), 1e-15 * w[N - 1]);
                ng_assert_le(fabs(slope.beta - closed.beta), 1e-12 * w[N - 1]);
                ng_assert_le(fabs(value.beta - closed.beta), 1e-6 * w[N - 1]);
            } else
                ck_assert(closed.beta == slope.beta && slope.beta == value.beta &&
                          closed.beta == (expected == NG_MINIMUM_INFINITY ? HUGE_VAL : 0));
            if (trial == 0)
                check_grid(f->name, w, slope);
        }
}
END_TEST

/* tau_A = product_natural lambda_max^2 / lambda_min */
START_TEST(the_two_with_an_interior_minimum_differ_by_a_factor)
{
    for (double beta = 0; beta < 100; beta = 2 * beta + 0.1) {
        double w[N] = {0.5, 0.6, 0.7, 1, 2, 3, 4}, a, p;
        ng_mat s = ng_f64(w, 1, N);
        ng_assert_ok(ng_functional_log_value(ng_functional_get(0), &a, s, beta, NULL), NULL);
        ng_assert_ok(
            ng_functional_log_value(ng_functional_find("product_natural"), &p, s, beta, NULL),
            NULL);
        ng_assert_rel(exp(a - p), w[N - 1] * w[N - 1] / w[0], 1e-13);
    }
}
END_TEST

/* ---- Functionals of the caller ------------------------------------------------- */

static double own_value(const ng_functional *self, const double *w, size_t n, double beta)
{
    ck_assert_ptr_nonnull(self->data);
    return log(w[n - 1] * pow(w[n - 1] + beta, 2) / w[0] / (w[0] + beta));
}

static double own_slope(const ng_functional *self, const double *w, size_t n, double beta)
{
    ck_assert_ptr_nonnull(self->data);
    return 2 / (w[n - 1] + beta) - 1 / (w[0] + beta);
}

static const ng_functional own = {
    .name = "own", .log_value = own_value, .slope = own_slope, .data = &rng};

/* The textbook derivative of log tau_A over many spectra, near the threshold too. */
START_TEST(an_own_slope_finds_the_paper_minimum)
{
    for (int trial = 0; trial < 2000; trial++) {
        double w[N],
            cond = trial % 2 ? pow(10, 12 * test_uniform(&rng)) : 2 + test_normal(&rng) * 0.01;
        ng_minimum slope, value;
        ng_error error = {NG_OK, ""};
        spectrum(w, N, fmax(cond, 1));
        ng_mat s = ng_f64(w, 1, N);
        double expected = fmax(w[N - 1] - 2 * w[0], 0);
        ng_assert_ok(ng_functional_minimise(&own, &slope, s, &error), &error);
        ck_assert_int_eq(slope.verdict, expected > 0 ? NG_MINIMUM_INTERIOR : NG_MINIMUM_ZERO);
        ng_assert_le(fabs(slope.beta - expected), 1e-12 * w[N - 1]);
        ng_assert_ok(ng_functional_minimise_values(&own, &value, s, &error), &error);
        ng_assert_le(fabs(value.beta - expected), 1e-6 * w[N - 1]);
    }
}
END_TEST

/* log tau with minima at 1 and 30, the second or the first lower: (u^2 - 1)^2 + c u, u a
 * logarithm that is -1 and 1 there. data: c. */
static double wells(const ng_functional *self, const double *w, size_t n, double beta)
{
    (void)w, (void)n;
    double u = 2 * log((beta + 1e-3) / 1) / log(30) - 1, c = *(const double *)self->data;
    return (u * u - 1) * (u * u - 1) + c * u;
}

static double wells_slope(const ng_functional *self, const double *w, size_t n, double beta)
{
    (void)w, (void)n;
    double u = 2 * log((beta + 1e-3) / 1) / log(30) - 1, c = *(const double *)self->data;
    return (4 * u * (u * u - 1) + c) * 2 / log(30) / (beta + 1e-3);
}

START_TEST(of_several_minima_the_lowest)
{
    double tilt[] = {0.1, -0.1}, w[] = {1, 1};
    for (int i = 0; i < 2; i++) {
        ng_functional f = {
            .name = "wells", .log_value = wells, .slope = wells_slope, .data = &tilt[i]};
        ng_minimum slope, value;
        double u = i == 0 ? -1 : 1; /* Newton on the cubic */
        for (int k = 0; k < 20; k++)
            u -= (4 * u * (u * u - 1) + tilt[i]) / (12 * u * u - 4);
        double expected = exp((u + 1) / 2 * log(30)) - 1e-3;
        ng_assert_ok(ng_functional_minimum(&f, &slope, ng_f64(w, 1, 2), NULL), NULL);
        f.slope = NULL;
        ng_assert_ok(ng_functional_minimum(&f, &value, ng_f64(w, 1, 2), NULL), NULL);
        ck_assert(slope.verdict == NG_MINIMUM_INTERIOR && value.verdict == NG_MINIMUM_INTERIOR);
        ng_assert_rel(slope.beta, expected, 1e-12);
        ng_assert_rel(value.beta, expected, 1e-6);
    }
}
END_TEST

static double nan_above_one(const ng_functional *self, const double *w, size_t n, double beta)
{
    (void)self;
    return beta > w[n - 1] ? (double)NAN : beta;
}

START_TEST(refusals_name_the_culprit)
{
    double w[] = {1, 2, 3}, down[] = {1, 3, 2}, zero[] = {0, 1, 2}, nan[] = {1, (double)NAN, 2},
           y = 7;
    float single[] = {1, 2, 3};
    ng_minimum m = {NG_MINIMUM_FLAT, 42};
    ng_error error = {NG_OK, ""};
    const ng_functional *a = ng_functional_get(0);
    ck_assert_ptr_null(ng_functional_get(ng_functional_count()));
    ng_functional bad = {.name = "bad", .log_value = nan_above_one};
    ng_mat s = ng_f64(w, 1, 3);
    ng_assert_fails(ng_functional_minimise(a, &m, ng_f64(down, 1, 3), &error), NG_EARG, &error,
                    "eigenvalue 2 is 2");
    ng_assert_fails(ng_functional_closed(a, &m, ng_f64(zero, 1, 3), &error), NG_ESINGULAR, &error,
                    "eigenvalue 0");
    ng_assert_fails(ng_functional_closed(a, &m, ng_f64(nan, 1, 3), &error), NG_ENONFINITE, &error,
                    "eigenvalue 1");
    ng_assert_fails(ng_functional_closed(a, &m, ng_f64(w, 3, 1), &error), NG_ESHAPE, &error,
                    "3 x 1");
    ng_assert_fails(ng_functional_closed(a, &m, ng_f64(w, 1, 0), &error), NG_ESHAPE, &error,
                    "1 x 0");
    ng_assert_fails(ng_functional_closed(a, &m, ng_f32(single, 1, 3), &error), NG_EDTYPE, &error,
                    "f32");
    ng_assert_fails(ng_functional_closed(NULL, &m, s, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_functional_minimum(NULL, &m, s, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_functional_closed(a, NULL, s, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_functional_closed(&own, &m, s, &error), NG_EUNSUPPORTED, &error, "own");
    ng_assert_fails(ng_functional_minimise(&bad, &m, s, &error), NG_EUNSUPPORTED, &error, "bad");
    ng_assert_fails(ng_functional_minimise_values(&bad, &m, s, &error), NG_ERANGE, &error, "bad");
    ng_assert_fails(ng_functional_log_value(&bad, &y, s, 4, &error), NG_ERANGE, &error, "beta 4");
    ng_assert_fails(ng_functional_log_value(a, &y, s, -1, &error), NG_EARG, &error, "-1");
    ng_assert_fails(ng_functional_log_value(a, &y, s, HUGE_VAL, &error), NG_EARG, &error, "inf");
    ck_assert(m.beta == 42 && y == 7);
    ck_assert(ng_functional_find("B") == NULL && ng_functional_find(NULL) == NULL);
    ck_assert_str_eq(ng_verdict_name((ng_verdict)9), "unknown");
}
END_TEST

TEST_SUITE(functional)
{
    TCase *tc = tcase_create("table");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, values_are_those_of_the_spectrum_of_g, 0, BUILT_IN);
    tcase_add_loop_test(tc, slopes_are_derivatives_of_the_values, 0, BUILT_IN);
    tcase_add_loop_test(tc, verdicts_are_the_derived_ones, 0, BUILT_IN);
    tcase_add_test(tc, the_two_with_an_interior_minimum_differ_by_a_factor);
    tcase_add_test(tc, an_own_slope_finds_the_paper_minimum);
    tcase_add_test(tc, of_several_minima_the_lowest);
    tcase_add_test(tc, refusals_name_the_culprit);
    suite_add_tcase(suite, tc);
}
