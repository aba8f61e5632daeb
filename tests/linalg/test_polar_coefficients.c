/* The polynomials of Newton-Schulz as numbers: the published tables, the
 * equioscillation that makes a Polar Express quintic the best one, and what
 * whole compositions do to scalars. No matrix is involved. */
#include "tests/support/support.h"

#include <natgrad/polar.h>

enum { MOST = 32, SCAN = 200000 };

static const double safety = 1.01, cushion = 0.02407327424182761;

/* Amsel, Persson, Musco, Gower 2025: lower bound 1e-3, degree 5, without the safety factor. The
 * seventh row is the published one carried on in 60 digits: printed it is 5e-12 off. */
static const double published[8][3] = {
    {8.28721201814563, -23.595886519098837, 17.300387312530933},
    {4.107059111542203, -2.9478499167379106, 0.5448431082926601},
    {3.9486908534822946, -2.908902115962949, 0.5518191394370137},
    {3.3184196573706015, -2.488488024314874, 0.51004894012372},
    {2.300652019954817, -1.6689039845747493, 0.4188073119525673},
    {1.891301407787398, -1.2679958271945868, 0.37680408948524835},
    {1.8750014808442193, -1.2500016453814815, 0.3750001645381863},
    {1.875, -1.25, 0.375}};

static const double you[5][3] = {{4.0848, -6.8946, 2.9270},
                                 {3.9505, -6.3029, 2.6377},
                                 {3.7418, -5.5913, 2.3037},
                                 {2.8769, -3.1427, 1.2046},
                                 {2.8366, -3.0525, 1.2012}};

static double value(const double p[3], double x)
{
    return p[0] * x + p[1] * x * x * x + p[2] * x * x * x * x * x;
}

static double composed(double (*p)[3], int steps, double x)
{
    for (int t = 0; t < steps; t++)
        x = value(p[t], x);
    return x;
}

/* coefficients with the safety factor divided out again */
static void plain(double (*p)[3], int steps, double l)
{
    ng_error err = {NG_OK, ""};
    ng_assert_ok(ng_polar_coefficients(p, NG_ITERATION_POLAR_EXPRESS, steps, l, &err), &err);
    for (int t = 0; t + 1 < steps; t++)
        for (int i = 0; i < 3; i++)
            p[t][i] *= pow(safety, 2 * i + 1);
}

/* For a last step of any number the safety factor is absent, whatever the table's row. On an
 * interval of half-width h around 1 the columns x, x^3, x^5 of the fit agree up to h^2, so its
 * coefficients are known to eps / h^2 (its values, see below, to eps): h = 1.2e-3 in step 7. */
START_TEST(published_table)
{
    for (int steps = 1; steps <= 7; steps++) {
        double p[7][3];
        plain(p, steps, 1e-3);
        for (int t = 0; t < steps; t++)
            for (int i = 0; i < 3; i++)
                ng_assert_rel(p[t][i], published[t][i], t < 6 ? 1e-13 : 0x1p-52 / 1.4e-6);
        if (steps == 7)
            for (int i = -100; i <= 100; i++) {
                double x = 1 + 1.2e-5 * i;
                ng_assert_rel(value(p[6], x), value(published[6], x), 1e-14);
            }
    }
}
END_TEST

/* From the eighth on the interval is a point, 1 + 1.04e-9 and then 1, and the step the Pade one. */
START_TEST(late_steps)
{
    double p[MOST][3];
    plain(p, MOST, 1e-3);
    for (int t = 7; t < MOST; t++)
        for (int i = 0; i < 3; i++)
            ng_assert_rel(p[t][i], published[7][i], t == 7 ? 5.3e-9 : 1e-13);
}
END_TEST

/* extremes of p on [l, u] by a dense scan, and how often the scan turns round */
typedef struct {
    double least, most;
    int turns;
} range;

static range scan(const double p[3], double l, double u)
{
    range r = {INFINITY, -INFINITY, 0};
    double before = value(p, l), rising = 1;
    for (int i = 0; i <= SCAN; i++) {
        double y = value(p, l + (u - l) * i / SCAN);
        r.least = fmin(r.least, y);
        r.most = fmax(r.most, y);
        if ((y - before) * rising < -1e-14) {
            r.turns++;
            rising = -rising;
        }
        before = y;
    }
    return r;
}

/* Chebyshev: three coefficients are the best when the error reaches its size
 * four times with alternating signs: up from the lower end, down, up again to
 * the upper end. The fit begins at the cushion if that is higher than l, and is
 * then recentred so that p(l) + p(u) = 2; the next interval is [p(l), p(u)]. */
START_TEST(equioscillation)
{
    static const double bounds[] = {0.3, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6};
    double p[12][3], l = bounds[_i], u = 1;
    plain(p, 12, l);
    for (int t = 0; t < 12 && l / u < 1 - 5e-6; t++) {
        double lower = fmax(l, cushion * u);
        range r = scan(p[t], lower, u);
        double middle = (r.least + r.most) / 2;
        ck_assert_msg(l / u > 0.9 || r.turns == 2, "step %d: %d turns", t + 1, r.turns);
        ng_assert_rel(value(p[t], lower), r.least, 1e-9); /* the scan's step squared, doubled */
        ng_assert_rel(value(p[t], u), r.most, 1e-9);
        ng_assert_rel(value(p[t], l) + value(p[t], u), 2, 1e-13);
        if (l >= cushion * u)
            ng_assert_rel(middle, 1, 1e-9);
        ck_assert(value(p[t], l) > l);
        l = value(p[t], l);
        u = 2 - l;
    }
    ng_assert_le(1 - l, 2.5e-6);
}
END_TEST

/* The inner extremes, found from the derivative a + 3 b x^2 + 5 c x^4, are the other two of the
 * four points and lie inside. */
START_TEST(inner_extremes)
{
    double p[6][3], l = 1e-3, u = 1;
    plain(p, 6, l);
    for (int t = 0; t < 5; t++) {
        double a = p[t][0], b = p[t][1], c = p[t][2], lower = fmax(l, cushion * u);
        double root = sqrt(9 * b * b - 20 * a * c);
        double q = sqrt((-3 * b - root) / (10 * c)), r = sqrt((-3 * b + root) / (10 * c));
        ck_assert(lower < q && q < r && r < u);
        ng_assert_rel(value(p[t], q), value(p[t], u), 1e-12);
        ng_assert_rel(value(p[t], r), value(p[t], lower), 1e-12);
        l = value(p[t], l);
        u = 2 - l;
    }
}
END_TEST

/* Worst |1 - s| over log-spaced s in [l, 1]. */
static double worst_error(double (*p)[3], int steps, double l)
{
    double worst = 0;
    for (int i = 0; i <= 100000; i++)
        worst = fmax(worst, fabs(1 - composed(p, steps, pow(l, i / 1e5))));
    return worst;
}

/* The published errors of a schedule built for the bound it is used with. */
START_TEST(composition_errors)
{
    static const struct {
        double l;
        int steps;
        double error;
    } cases[] = {{1e-3, 6, 2e-3}, {1e-3, 8, 1e-14}, {1e-1, 5, 1e-13}, {1e-2, 6, 1e-6},
                 {1e-3, 7, 1e-6}, {1e-4, 8, 1e-3},  {1e-4, 9, 1e-6},  {1e-6, 10, 0.1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double p[MOST][3];
        plain(p, cases[i].steps, cases[i].l);
        double error = worst_error(p, cases[i].steps, cases[i].l);
        ck_assert_msg(error <= cases[i].error, "%g, %d steps: %g", cases[i].l, cases[i].steps,
                      error);
    }
}
END_TEST

/* As ng_polar uses them: safety factors in, values above lower_bound of a norm that is itself
 * enlarged by the safety factor. The figures for 1e-3 are those of natgrad/polar.h. */
START_TEST(errors_with_safety)
{
    static const struct {
        double l;
        int steps;
        double error;
    } cases[] = {{1e-3, 6, 5.3e-3}, {1e-3, 8, 1e-14},  {1e-1, 3, 6e-4},   {1e-2, 5, 4e-5},
                 {1e-3, 7, 7e-7},   {1e-4, 8, 6.8e-4}, {1e-4, 9, 2.7e-9}, {1e-4, 10, 1e-14}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double p[MOST][3], worst = 0, l = cases[i].l;
        ng_assert_ok(ng_polar_coefficients(p, NG_ITERATION_POLAR_EXPRESS, cases[i].steps, l, NULL),
                     NULL);
        for (int k = 0; k <= 20000; k++)
            worst = fmax(worst, fabs(1 - composed(p, cases[i].steps, pow(l, k / 2e4) / safety)));
        ck_assert_msg(worst <= cases[i].error, "%g, %d steps: %g", l, cases[i].steps, worst);
    }
}
END_TEST

START_TEST(fixed_tables)
{
    double p[MOST][3];
    ng_error err = {NG_OK, ""};
    ng_assert_ok(ng_polar_coefficients(p, NG_ITERATION_MUON, 7, 1e-3, &err), &err);
    for (int t = 0; t < 7; t++) {
        ck_assert(p[t][0] == 3.4445 && p[t][1] == -4.7750 && p[t][2] == 2.0315);
    }
    ng_assert_ok(ng_polar_coefficients(p, NG_ITERATION_FIVE_STEP, 5, 1e-3, &err), &err);
    for (int t = 0; t < 5; t++)
        for (int i = 0; i < 3; i++)
            ck_assert(p[t][i] == you[t][i]);
}
END_TEST

/* The bands natgrad/polar.h names for five steps from values above 0.01. */
START_TEST(five_step_bands)
{
    double p[5][3];
    ng_error err = {NG_OK, ""};
    ng_assert_ok(ng_polar_coefficients(p, NG_ITERATION_FIVE_STEP, 5, 1e-3, &err), &err);
    ng_assert_le(worst_error(p, 5, 0.01), 0.032);
    ck_assert(worst_error(p, 5, 0.01) > 0.031 && worst_error(p, 5, 1e-3) > 0.5);
    ng_assert_ok(ng_polar_coefficients(p, NG_ITERATION_MUON, 5, 1e-3, &err), &err);
    for (int i = 0; i <= 100000; i++) {
        double s = composed(p, 5, pow(0.01, i / 1e5));
        ck_assert_msg(s >= 0.68 && s <= 1.135, "%g", s);
    }
}
END_TEST

START_TEST(bad_arguments)
{
    double p[MOST + 1][3];
    static const double bounds[] = {0, -1, 1, 2, NAN, INFINITY};
    ng_error err = {NG_OK, ""};
    const ng_polar_iteration express = NG_ITERATION_POLAR_EXPRESS;
    ng_assert_fails(ng_polar_coefficients(NULL, express, 5, 1e-3, &err), NG_EARG, &err, "");
    ng_assert_fails(ng_polar_coefficients(p, express, -1, 1e-3, &err), NG_EARG, &err, "-1");
    ng_assert_fails(ng_polar_coefficients(p, express, MOST + 1, 1e-3, &err), NG_EARG, &err, "33");
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(ng_polar_coefficients(p, express, 5, bounds[i], NULL), NG_EARG);
    for (int i = 3; i >= -1; i -= 4)
        ng_assert_fails(ng_polar_coefficients(p, (ng_polar_iteration)i, 5, 1e-3, &err), NG_EARG,
                        &err, "iteration");
}
END_TEST

TEST_SUITE(polar_coefficients)
{
    TCase *tcase = tcase_create("polynomials");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, published_table);
    tcase_add_test(tcase, late_steps);
    tcase_add_loop_test(tcase, equioscillation, 0, 6);
    tcase_add_test(tcase, inner_extremes);
    tcase_add_test(tcase, composition_errors);
    tcase_add_test(tcase, errors_with_safety);
    tcase_add_test(tcase, fixed_tables);
    tcase_add_test(tcase, five_step_bands);
    tcase_add_test(tcase, bad_arguments);
    suite_add_tcase(suite, tcase);
}
