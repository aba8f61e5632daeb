/* The numbers of a regime: Ising models enumerated completely, closed forms,
 * identities over random spectra. */
#include "tests/geometry/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 11;
    dense_release();
}

static ng_regime *regime(ng_mat f)
{
    ng_regime *r;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_regime_create(&r, f, NULL, &error), &error);
    return r;
}

static ng_regime *of_spectrum(double *w, size_t n, double beta, double rcond)
{
    ng_regime *r;
    ng_regime_options o;
    ng_error error = {NG_OK, ""};
    ng_regime_init(&o);
    o.beta = beta, o.rcond = rcond;
    ng_assert_ok(ng_regime_create_spectrum(&r, ng_f64(w, 1, n), &o, &error), &error);
    return r;
}

/* ---- Ising models ---------------------------------------------------------------- */

static const struct {
    world_graph graph;
    int vertices;
    size_t params, repeated; /* how often lambda_min occurs */
    double lambda_min, lambda_max, beta_star, alpha_scalar, deviation;
} table[] = {
    {PATH, 3, 2, 2, 0.786447732966, 0.786447732966, 0, 0, 0},
    {PATH, 5, 4, 4, 0.786447732966, 0.786447732966, 0, 0, 0},
    {STAR, 4, 3, 3, 0.786447732966, 0.786447732966, 0, 0, 0},
    {STAR, 6, 5, 5, 0.786447732966, 0.786447732966, 0, 0, 0},
    {CYCLE, 4, 4, 3, 0.591523845616335, 1.074770616983530, 0, 0, 0.286333161388},
    {CYCLE, 6, 6, 5, 0.743342736894100, 0.909332431509162, 0, 0, 0.089353934155},
    {COMPLETE, 3, 3, 2, 0.385020541029875, 1.095359713074687, 0.325318631014937, 0.430448334026994,
     0.322972745404},
    {COMPLETE, 4, 6, 2, 0.116837312081382, 1.137040053844696, 0.903365429681932, 0.600639813934332,
     0.421086918692},
    {COMPLETE, 5, 10, 5, 0.035526023641512, 0.759603392400153, 0.688551345117129, 0.554099017552851,
     0.463009778204},
};
enum { TABLE = sizeof table / sizeof *table };

START_TEST(the_reference_table)
{
    ng_regime *r = regime(world_ising(table[_i].graph, table[_i].vertices, 0.5));
    ck_assert_uint_eq(r->n, table[_i].params);
    ck_assert_uint_eq(r->rank, r->n);
    for (size_t k = 0; k < table[_i].repeated; k++)
        ng_assert_rel(ng_mat_get(r->eigenvalues, 0, k), table[_i].lambda_min, 1e-11);
    ng_assert_rel(r->lambda_max, table[_i].lambda_max, 1e-11);
    ng_assert_rel(r->beta_star, table[_i].beta_star, 1e-11);
    ng_assert_rel(r->alpha_scalar, table[_i].alpha_scalar, 1e-11);
    if (table[_i].deviation > 0)
        ng_assert_rel(r->deviation_fraction, table[_i].deviation, 1e-11);
    else
        ng_assert_le(r->deviation_fraction, 1e-12);
    ck_assert_str_eq(r->functional->name, "A");
    ck_assert_int_eq(r->verdict, r->cond > 2 ? NG_MINIMUM_INTERIOR : NG_MINIMUM_ZERO);
    ck_assert_int_eq(r->pure, table[_i].deviation == 0);
    ng_regime_destroy(r);
}
END_TEST

/* F = sech^2(J) I on every tree */
START_TEST(trees_are_pure)
{
    for (double j = 0.1; j < 1.6; j += 0.2)
        for (int v = 2; v <= 7; v++)
            for (int g = 0; g < 2; g++) {
                ng_mat f = world_ising(g ? STAR : PATH, v, j);
                double value = 1 / cosh(j) / cosh(j);
                ng_assert_mat(f, dense_add(value, dense_identity(f.rows), 0, f), 1e-12);
                ng_regime *r = regime(f);
                ng_assert_rel(r->lambda_min, value, 1e-12);
                ng_assert_rel(r->lambda_max, value, 1e-12);
                ck_assert(r->pure && r->beta_star == 0 && r->alpha_scalar == 0);
                ng_assert_le(r->spread, 1e-12);
                ng_assert_le(r->deviation_fraction, 1e-12);
                ng_regime_destroy(r);
            }
}
END_TEST

/* tau = (t + t^2)/(1 + t^3), t = tanh J: 1 - tau twice, (1 - tau)(1 + 3 tau) */
START_TEST(the_triangle_in_closed_form)
{
    for (double j = 0.05; j < 2; j += 0.1) {
        double t = tanh(j), tau = (t + t * t) / (1 + t * t * t);
        ng_regime *r = regime(world_ising(COMPLETE, 3, j));
        ng_assert_rel(ng_mat_get(r->eigenvalues, 0, 0), 1 - tau, 1e-11);
        ng_assert_rel(ng_mat_get(r->eigenvalues, 0, 1), 1 - tau, 1e-11);
        ng_assert_rel(r->lambda_max, (1 - tau) * (1 + 3 * tau), 1e-11);
        ng_regime_destroy(r);
    }
}
END_TEST

/* ---- alpha_scalar ------------------------------------------------------------------ */

static double ulp(double x)
{
    return nextafter(x, HUGE_VAL) - x;
}

START_TEST(alpha_scalar_does_not_cancel)
{
    for (int i = 0; i < 200000; i++) {
        double delta = pow(10, 28 * test_uniform(&rng) - 12);
        double a = ng_regime_alpha_scalar(delta), rest = ng_regime_alpha_scalar_rest(delta);
        ck_assert_msg(fabs(a * a / rest - delta) <= 4 * ulp(delta),
                      "Delta %.17g comes back as %.17g", delta, a * a / rest);
        long double wide = (long double)delta; /* the root of alpha^2 + Delta alpha - Delta */
        long double exact = 2 * wide / (wide + sqrtl(wide * (wide + 4)));
        ng_assert_rel(a, (double)exact, 0x1p-52);
        ng_assert_rel(a + rest, 1, 3e-16);
    }
    ck_assert(ng_regime_alpha_scalar(0) == 0 && ng_regime_alpha_scalar_rest(0) == 1);
    ck_assert(ng_regime_alpha_scalar(HUGE_VAL) == 1 && ng_regime_alpha_scalar_rest(HUGE_VAL) == 0);
    ng_assert_rel(ng_regime_alpha_scalar(1e300), 1, 1e-15);
    ng_assert_rel(ng_regime_alpha_scalar_rest(1e300), 1e-300, 1e-15);
    ng_assert_rel(ng_regime_alpha_scalar(1e-300), 1e-150, 1e-14);
}
END_TEST

/* ---- Identities over random spectra --------------------------------------------------- */

enum { N = 9 };

static double sum(ng_mat x)
{
    double s = 0;
    for (size_t k = 0; k < x.cols; k++)
        s += ng_mat_get(x, 0, k);
    return s;
}

START_TEST(identities_of_a_spectrum)
{
    for (int trial = 0; trial < 500; trial++) {
        double w[N], cond = pow(10, 10 * test_uniform(&rng)), f = 0, m = 0;
        double unit = pow(10, 6 * test_uniform(&rng) - 3), beta = unit * cond * test_uniform(&rng);
        world_spectrum(w, N, cond, unit, &rng);
        ng_regime *r = of_spectrum(w, N, beta, 0);
        for (size_t k = 0; k < N; k++)
            f += w[k], m += w[k] * w[k];
        ng_assert_rel(r->cond, cond, 1e-15);
        ng_assert_rel(r->trace, f, 1e-14);
        ng_assert_rel(r->kappa, m / f, 1e-14);
        ng_assert_le(fabs(r->Delta - (w[N - 1] - 2 * w[0])), 1e-15 * w[N - 1]);
        ck_assert((r->Delta > 0) == (r->cond > 2) || fabs(r->cond - 2) < 1e-14);
        ck_assert(r->beta_star == fmax(r->Delta, 0) && r->beta == beta);
        ng_assert_le(fabs(sum(r->deviation)), 1e-14 * m);
        ng_assert_le(test_norm(r->deviation) / m, 1);
        ck_assert(r->deviation_fraction >= 0 && r->deviation_fraction < 1);
        ng_assert_le(r->spread, r->spread_max * (1 + 1e-14));
        size_t above = 0;
        for (size_t k = 0; k < N; k++) {
            double alpha = ng_mat_get(r->alpha_dir, 0, k), d = ng_mat_get(r->deviation, 0, k);
            ng_assert_rel(alpha, w[k] / (w[k] + beta), 1e-15);
            ck_assert(alpha > 0 && alpha <= 1);
            ng_assert_le(fabs(d - w[k] * (w[k] - m / f)), 1e-14 * m);
            /* delta_k > 0 iff alpha_dir,k > kappa / (kappa + beta) */
            if (fabs(w[k] - r->kappa) > 1e-12 * r->kappa)
                ck_assert((d > 0) == (alpha > r->kappa / (r->kappa + beta)));
            above += alpha > r->alpha_c;
        }
        ck_assert_uint_eq(r->above, above);
        ng_assert_rel(r->spread,
                      ng_mat_get(r->alpha_dir, 0, N - 1) - ng_mat_get(r->alpha_dir, 0, 0), 1e-7);
        ng_regime_destroy(r);
    }
}
END_TEST

START_TEST(the_spread_is_largest_at_the_geometric_mean)
{
    for (int trial = 0; trial < 200; trial++) {
        double w[N], cond = 1 + pow(10, 12 * test_uniform(&rng) - 2);
        world_spectrum(w, N, cond, 0.3, &rng);
        ng_regime *r = of_spectrum(w, N, -1, 0);
        double low = sqrt(w[0]), high = sqrt(w[N - 1]);
        ng_assert_rel(r->beta, low * high, 1e-15);
        ng_assert_rel(r->beta_spread, low * high, 1e-15);
        ng_assert_rel(r->spread_max, (high - low) / (high + low), 1e-11);
        ng_assert_rel(r->spread, r->spread_max, 1e-13);
        for (double x = 1e-6; x < 1e6; x *= 1.7)
            ng_assert_le(ng_regime_spread(r, x * r->beta_spread), r->spread_max * (1 + 1e-14));
        ck_assert(ng_regime_spread(r, 0) == 0);
        ng_regime_destroy(r);
    }
}
END_TEST

/* beta = 0: nothing but mass; beta -> infinity: nothing of it */
START_TEST(the_ends_of_beta)
{
    double w[] = {1, 2, 5};
    ng_regime *r = of_spectrum(w, 3, 0, 0);
    for (size_t k = 0; k < 3; k++)
        ck_assert(ng_mat_get(r->alpha_dir, 0, k) == 1);
    ck_assert(r->spread == 0 && r->above == 3 && r->lambda_c == 0);
    ng_regime_destroy(r);
    r = of_spectrum(w, 3, 1e18, 0);
    ng_assert_le(ng_mat_get(r->alpha_dir, 0, 2), 1e-17);
    ck_assert_uint_eq(r->above, 0);
    ng_regime_destroy(r);
}
END_TEST

/* 0 iff all that count are equal, 1 approached and not attained */
START_TEST(bounds_of_the_deviation_fraction)
{
    double near = 0;
    for (double x = 1e-1; x > 1e-9; x *= 0.1) { /* one large among ever more small: k values x */
        size_t n = (size_t)fmin(1e6, 10 / x / x);
        double *w = malloc(n * sizeof *w);
        for (size_t k = 0; k < n; k++)
            w[k] = k + 1 < n ? x : 1;
        ng_regime *r = of_spectrum(w, n, -1, 0);
        ck_assert(r->deviation_fraction > 0 && r->deviation_fraction < 1);
        near = fmax(near, r->deviation_fraction);
        ng_regime_destroy(r);
        free(w);
    }
    ng_assert_le(0.99, near);
}
END_TEST

START_TEST(purity_counts_no_zeros)
{
    double pure[] = {0, 3, 0, 3, 3}, mixed[] = {0, 3, 0, 3, 3.0000001}, one[] = {4};
    ng_regime *r = of_spectrum(pure, 5, -1, 1e-12);
    ck_assert(r->pure && r->rank == 3 && r->n == 5 && r->cond == 1);
    ng_assert_le(r->deviation_fraction, 1e-15);
    ck_assert(r->spread == 0 && r->spread_max == 0 && r->spectrum.cols == 3);
    ng_assert_rel(r->alpha_scalar_unit, r->alpha_scalar, 0);
    ng_regime_destroy(r);
    r = of_spectrum(mixed, 5, -1, 1e-12);
    ck_assert(!r->pure && r->rank == 3 && r->spread > 0 && r->deviation_fraction > 0);
    ng_regime_destroy(r);
    r = of_spectrum(one, 1, -1, 0);
    ck_assert(r->pure && r->rank == 1 && r->beta_star == 0 && r->kappa == 4 && r->beta == 4);
    ck_assert(ng_mat_get(r->alpha_dir, 0, 0) == 0.5 && r->deviation_fraction == 0);
    ng_regime_destroy(r);
    /* the same as a matrix: rank 3 of 5 */
    double values[] = {0, 0, 3, 3, 3};
    ng_regime_options o;
    ng_regime_init(&o);
    o.rcond = 1e-10;
    ng_assert_ok(ng_regime_create(&r, world_spd(values, 5, &rng), &o, NULL), NULL);
    ck_assert(r->pure && r->rank == 3);
    ng_assert_le(r->deviation_fraction, 1e-14);
    ck_assert(ng_mat_get(r->eigenvalues, 0, 0) == 0 && ng_mat_get(r->eigenvalues, 0, 1) == 0);
    ng_regime_destroy(r);
}
END_TEST

/* ---- Units --------------------------------------------------------------------------- */

START_TEST(units_change_alpha_scalar_alone)
{
    double w[N], scaled[N], before = -1;
    world_spectrum(w, N, 50, 0.1, &rng);
    for (double c = 1e-6; c < 1e7; c *= 10) {
        for (size_t k = 0; k < N; k++)
            scaled[k] = c * w[k];
        ng_regime *r = of_spectrum(w, N, 0.7, 0), *s = of_spectrum(scaled, N, 0.7 * c, 0);
        ng_assert_rel(s->beta_star, c * r->beta_star, 1e-14);
        ck_assert(s->alpha_scalar > before && s->alpha_scalar < 1);
        before = s->alpha_scalar;
        ng_assert_rel(s->alpha_scalar_unit, r->alpha_scalar_unit, 1e-13);
        ng_assert_rel(s->beta_star_unit, r->beta_star / r->trace * N, 1e-13);
        for (size_t k = 0; k < N; k++)
            ng_assert_rel(ng_mat_get(s->alpha_dir, 0, k), ng_mat_get(r->alpha_dir, 0, k), 1e-14);
        ng_assert_rel(s->deviation_fraction, r->deviation_fraction, 1e-13);
        ng_assert_rel(s->spread, r->spread, 1e-13);
        ng_regime_destroy(r);
        ng_regime_destroy(s);
    }
    ng_assert_le(0.999, before);
}
END_TEST

START_TEST(another_functional_another_number)
{
    double w[] = {1, 2, 30};
    for (size_t k = 0; k < ng_functional_count(); k++) {
        const ng_functional *f = ng_functional_get(k);
        ng_regime *r;
        ng_regime_options o;
        ng_regime_init(&o);
        o.functional = f;
        ng_assert_ok(ng_regime_create_spectrum(&r, ng_f64(w, 1, 3), &o, NULL), NULL);
        ck_assert_ptr_eq(r->functional, f);
        double expected = r->verdict == NG_MINIMUM_INTERIOR   ? 28
                          : r->verdict == NG_MINIMUM_INFINITY ? HUGE_VAL
                                                              : 0;
        ck_assert(r->beta_star == expected && r->Delta == 28);
        ck_assert(r->alpha_scalar == ng_regime_alpha_scalar(expected));
        ng_regime_destroy(r);
    }
}
END_TEST

/* ---- Views ------------------------------------------------------------------------------ */

START_TEST(any_view_of_the_matrix)
{
    size_t sizes[] = {1, 2, 7, 40};
    for (int s = 0; s < 4; s++)
        for (int i = 0; i < 4; i++) {
            size_t n = sizes[s];
            ng_dtype dtype = i % 2 ? NG_F32 : NG_F64;
            double w[40], tolerance = dtype == NG_F32 ? 1e-5 : 1e-13;
            world_spectrum(w, n, 100, 2, &rng);
            ng_mat f = world_spd(w, n, &rng), view = world_lower(f, dtype, i / 2 ? 3 : 0);
            ng_mat before = test_copy(view), values, vectors;
            ng_regime *r = regime(view);
            ck_assert(test_same_bits(before, view));
            dense_eigh(&values, &vectors, f);
            ng_assert_mat(r->eigenvalues, values, tolerance);
            ng_assert_mat(dense_mul(r->directions, 0, r->directions, 1), dense_identity(n), 1e-13);
            ng_mat half = dense_of(r->directions);
            for (size_t k = 0; k < n; k++)
                for (size_t j = 0; j < n; j++)
                    ng_mat_set(half, k, j,
                               ng_mat_get(half, k, j) * ng_mat_get(r->eigenvalues, 0, k));
            ng_assert_mat(dense_mul(r->directions, 1, half, 0), f, tolerance);
            ng_assert_rel(r->cond, n > 1 ? 100 : 1, 100 * tolerance);
            ck_assert(r->outputs == 1 && r->inputs == n && r->order == NULL);
            ng_regime_destroy(r);
            test_free(view);
            test_free(before);
        }
}
END_TEST

TEST_SUITE(regime)
{
    TCase *tc = tcase_create("numbers");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_reference_table, 0, TABLE);
    tcase_add_test(tc, trees_are_pure);
    tcase_add_test(tc, the_triangle_in_closed_form);
    tcase_add_test(tc, alpha_scalar_does_not_cancel);
    tcase_add_test(tc, identities_of_a_spectrum);
    tcase_add_test(tc, the_spread_is_largest_at_the_geometric_mean);
    tcase_add_test(tc, the_ends_of_beta);
    tcase_add_test(tc, bounds_of_the_deviation_fraction);
    tcase_add_test(tc, purity_counts_no_zeros);
    tcase_add_test(tc, units_change_alpha_scalar_alone);
    tcase_add_test(tc, another_functional_another_number);
    tcase_add_test(tc, any_view_of_the_matrix);
    suite_add_tcase(suite, tc);
}
