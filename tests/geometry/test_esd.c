/* ESDs against Jacobi rotations, plain loops and known laws. */
#include "tests/geometry/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 41;
    dense_release();
}

static void fill_uniform(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_uniform(data);
}

static ng_random uniform(void)
{
    return (ng_random){.fill_uniform = fill_uniform, .data = &rng};
}

/* ---- Eigenvalues ---------------------------------------------------------------------------- */

/* _i: dtype, then shape */
START_TEST(squares_of_singular_values)
{
    static const size_t shapes[][2] = {{1, 1}, {1, 7},   {7, 1},   {5, 3},
                                       {3, 5}, {12, 12}, {600, 4}, {4, 600}};
    const size_t *n = shapes[_i / 2];
    const ng_dtype dtype = _i % 2 ? NG_F64 : NG_F32;
    const size_t m = n[0] < n[1] ? n[0] : n[1];
    ng_mat w = test_mat(n[0], n[1], 3, dtype), values = dense_mat(1, m);
    ng_error error = {NG_OK, ""};
    test_fill_normal(w, &rng);
    dense_svd_result svd = dense_svd(dense_of(w));
    ng_assert_ok(ng_esd_values(values, w, &error), &error);
    double largest = pow(ng_mat_get(svd.s, 0, 0), 2);
    for (size_t k = 0; k < m; k++)
        ck_assert_double_le(
            fabs(ng_mat_get(values, 0, k) - pow(ng_mat_get(svd.s, 0, m - 1 - k), 2)),
            1e-13 * largest);
    test_free(w);
}
END_TEST

START_TEST(rounding_is_not_below_zero)
{
    ng_mat w = dense_rank(30, 20, 3, &rng), values = dense_mat(1, 20);
    ng_assert_ok(ng_esd_values(values, w, NULL), NULL);
    for (size_t k = 0; k < 20; k++)
        ck_assert_double_ge(ng_mat_get(values, 0, k), 0);
    ck_assert_double_le(ng_mat_get(values, 0, 16), 1e-12 * ng_mat_get(values, 0, 19));
}
END_TEST

/* ---- Tails ----------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static ng_mat pareto(size_t n, double alpha)
{
    ng_mat x = dense_mat(1, n);
    for (size_t i = 0; i < n; i++)
        ng_mat_set(x, 0, i, pow(1 - test_uniform(&rng), -1 / (alpha - 1)));
    qsort(x.data, n, sizeof(double), ascending);
    return x;
}

/* As the header says it, word for word, with powers. */
static ng_power_law plain_fit(const double *x, size_t n)
{
    ng_power_law best = {(double)NAN, (double)NAN, HUGE_VAL, (double)NAN, 0};
    for (size_t i = 0; i + 1 < n; i++) {
        double sum = 0, most = 0, count = (double)(n - i);
        for (size_t j = i; j < n; j++)
            sum += log(x[j] / x[i]);
        double alpha = 1 + count / sum;
        for (size_t j = i; j < n; j++)
            most = fmax(most, fabs(1 - pow(x[j] / x[i], 1 - alpha) - (double)(j - i) / count));
        if (most < best.ks)
            best = (ng_power_law){alpha, x[i], most, (alpha - 1) / sqrt(count), n - i};
    }
    return best;
}

START_TEST(the_fit_is_the_plain_one)
{
    static const size_t sizes[] = {2, 3, 10, 77, 400};
    for (size_t s = 0; s < 5; s++) {
        ng_mat x = pareto(sizes[s], 1.5 + (double)s);
        ng_power_law found, plain = plain_fit(x.data, sizes[s]);
        ng_assert_ok(ng_power_law_fit(&found, x, NULL), NULL);
        ng_assert_rel(found.alpha, plain.alpha, 1e-10);
        ng_assert_rel(found.ks, plain.ks, 1e-9);
        ng_assert_rel(found.sigma, plain.sigma, 1e-10);
        ck_assert_double_eq(found.xmin, plain.xmin);
        ck_assert_uint_eq(found.spikes, plain.spikes);
    }
}
END_TEST

/* Within four standard errors of what was drawn. */
START_TEST(pareto_laws)
{
    for (int alpha = 2; alpha <= 4; alpha++) {
        ng_power_law found;
        ng_assert_ok(ng_power_law_fit(&found, pareto(3000, alpha), NULL), NULL);
        ck_assert_double_le(fabs(found.alpha - alpha), 4 * found.sigma);
        ck_assert_double_le(found.sigma, 0.25);
    }
}
END_TEST

START_TEST(tails_that_are_none)
{
    double same[4] = {2, 2, 2, 2}, ties[6] = {1, 1, 1, 3, 3, 9}, bad[2] = {2, 1}, zero[2] = {0, 1};
    ng_power_law t;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_power_law_fit(&t, ng_f64(same, 1, 4), NULL), NULL);
    ck_assert(isnan(t.alpha) && t.spikes == 0);
    ng_assert_ok(ng_power_law_fit(&t, ng_f64(same, 1, 0), NULL), NULL);
    ck_assert(isnan(t.alpha));
    ng_assert_ok(ng_power_law_fit(&t, ng_f64(ties, 1, 6), NULL), NULL);
    ck_assert(t.spikes == 6 || t.spikes == 3);
    ng_assert_fails(ng_power_law_fit(&t, ng_f64(bad, 1, 2), &error), NG_EARG, &error,
                    "value 1 of 2");
    ng_assert_fails(ng_power_law_fit(&t, ng_f64(zero, 1, 2), &error), NG_EARG, &error, "value 0");
    ng_assert_fails(ng_power_law_fit(NULL, ng_f64(same, 1, 4), &error), NG_EARG, &error, "tail");
}
END_TEST

/* ---- Laws -------------------------------------------------------------------------------------
 */

/* The law of Marchenko and Pastur: mass 1, its moments, and free cumulants q^(k - 1). */
START_TEST(marchenko_pastur)
{
    static const double ratios[] = {1.5, 2, 4, 10};
    enum { STEPS = 200000 };
    for (size_t r = 0; r < 4; r++) {
        double q = 1 / ratios[r], mass = 0, m[5] = {0}, k[5];
        for (int i = 0; i < STEPS; i++) {
            double x = 4.0 * (i + 0.5) / STEPS,
                   p = ng_marchenko_pastur(x, ratios[r], 1) * 4 / STEPS;
            mass += p;
            for (int j = 0; j < 5; j++)
                m[j] += p * pow(x, j + 1);
        }
        ng_assert_rel(mass, 1, 1e-5);
        ng_assert_rel(m[1], 1 + q, 1e-5);
        ng_assert_rel(m[2], 1 + 3 * q + q * q, 1e-5);
        ng_free_cumulants(k, m);
        for (int j = 0; j < 5; j++)
            ck_assert_double_le(fabs(k[j] - pow(q, j)), 2e-4);
        ng_assert_rel(ng_marchenko_pastur(0.9, ratios[r], 2),
                      ng_marchenko_pastur(0.225, ratios[r], 1) / 4, 1e-12);
    }
    ck_assert_double_eq(ng_marchenko_pastur(5, 2, 1), 0);
    ck_assert_double_eq(ng_marchenko_pastur(-1, 2, 1), 0);
}
END_TEST

/* Independent normal numbers: no tail, no spike, no trap; 252 of 300 in the trace-log space. */
START_TEST(a_random_matrix)
{
    const ng_dtype dtype = _i ? NG_F64 : NG_F32;
    ng_mat w = test_mat(784, 300, 0, dtype), values = dense_mat(1, 300);
    ng_random random = uniform();
    ng_esd_options o;
    ng_esd e;
    test_fill_normal(w, &rng);
    ng_esd_init(&o);
    o.random = &random;
    ng_assert_ok(ng_esd_measure(&e, values, w, &o, NULL), NULL);
    ck_assert_uint_eq(e.n, 784);
    ck_assert_uint_eq(e.m, 300);
    ck_assert_double_ge(e.tail.alpha, 6);
    ck_assert(e.erg.count >= 250 && e.erg.count <= 254);
    ck_assert_double_le(fabs(e.bulk.scale - 1), 0.06);
    ck_assert_uint_le(e.bulk.spikes, 1);
    ck_assert_uint_eq(e.bulk.traps, 0);
    ck_assert_double_le(e.bulk.distance, 0.02);
    ng_assert_rel(e.trace, pow(ng_norm(w), 2), 1e-12);
    ng_assert_rel(e.lambda_max, ng_mat_get(values, 0, 299), 1e-15);
    ng_assert_rel(e.stable_rank, e.trace / e.lambda_max, 1e-14);
    ng_assert_rel(e.alpha_hat, e.tail.alpha * log10(e.lambda_max), 1e-14);
    ng_power_law plain = plain_fit(values.data, 300);
    ng_assert_rel(e.tail.alpha, plain.alpha, 1e-9);
    double sum = 0, x = 1;
    size_t count = 0;
    for (size_t i = 0; i < 300; i++)
        sum += pow(ng_mat_get(values, 0, i), plain.alpha);
    ng_assert_rel(e.log_alpha_norm, log10(sum), 1e-9);
    while (x >= 1)
        x *= ng_mat_get(values, 0, 299 - count++) * 300 / e.trace;
    ck_assert_uint_eq(e.erg.count, count);
    ng_assert_rel(e.erg.lambda, ng_mat_get(values, 0, 300 - count) * 300 / e.trace, 1e-12);
    ng_assert_rel(e.erg.gap, plain.xmin * 300 / e.trace - e.erg.lambda, 1e-9);
    test_free(w);
}
END_TEST

/* A direction that is there stands above the edge; one huge element is a trap. */
START_TEST(spikes_and_traps)
{
    ng_mat w = dense_normal(200, 100, &rng), u = dense_normal(200, 1, &rng),
           v = dense_normal(1, 100, &rng);
    ng_random random = uniform();
    ng_esd_options o;
    ng_esd e;
    ng_esd_init(&o);
    o.random = &random;
    ng_assert_ok(ng_gemm(w, u, NG_NOTRANS, v, NG_NOTRANS, 0.5, 1, NULL), NULL);
    ng_assert_ok(ng_esd_measure(&e, ng_mat_none(), w, &o, NULL), NULL);
    ck_assert_uint_eq(e.bulk.spikes, 1);
    ck_assert_uint_eq(e.bulk.traps, 0);
    ck_assert_double_lt(e.bulk.soft_rank, 0.5);
    w = dense_normal(200, 100, &rng);
    ng_mat_set(w, 3, 4, 40);
    ng_assert_ok(ng_esd_measure(&e, ng_mat_none(), w, &o, NULL), NULL);
    ck_assert_uint_ge(e.bulk.traps, 1);
}
END_TEST

/* Scaling W scales eigenvalues and leaves shape alone; a turned matrix is the same. */
START_TEST(units_and_sides)
{
    ng_mat w = dense_normal(90, 40, &rng);
    ng_esd a, b, c;
    ng_assert_ok(ng_esd_measure(&a, ng_mat_none(), w, NULL, NULL), NULL);
    ng_assert_ok(ng_esd_measure(&b, ng_mat_none(), dense_scale(100, w), NULL, NULL), NULL);
    ng_assert_ok(ng_esd_measure(&c, ng_mat_none(), dense_transpose(w), NULL, NULL), NULL);
    ng_assert_rel(b.lambda_max, 1e4 * a.lambda_max, 1e-12);
    ng_assert_rel(b.tail.alpha, a.tail.alpha, 1e-9);
    ng_assert_rel(b.erg.gap, a.erg.gap, 1e-9);
    ng_assert_rel(b.erg.cumulants[4], a.erg.cumulants[4], 1e-7);
    ng_assert_rel(c.tail.alpha, a.tail.alpha, 1e-9);
    ck_assert_uint_eq(c.n, 90);
    ck_assert(isnan(a.bulk.edge) && isnan(a.bulk.distance));
}
END_TEST

/* ---- Order ------------------------------------------------------------------------------------
 */

START_TEST(every_order_alike)
{
    size_t seen[6] = {0};
    ng_random random = uniform();
    enum { TRIES = 12000 };
    for (int k = 0; k < TRIES; k++) {
        ng_mat w;
        double room[5] = {0, 0, -7, 1, 2};
        w = (ng_mat){room, 2, 1, 3, NG_F64};
        double three[3] = {0, 1, 2};
        ng_assert_ok(ng_mat_shuffle(ng_f64(three, 1, 3), &random, NULL), NULL);
        seen[(int)(three[0] * 2 + (three[1] > three[2]))]++;
        ng_assert_ok(ng_mat_shuffle(w, &random, NULL), NULL);
        ck_assert_double_eq(room[0] + room[3], 1);
        ck_assert_double_eq(room[2], -7);
    }
    double chi = 0;
    for (int i = 0; i < 6; i++)
        chi += pow((double)seen[i] - TRIES / 6, 2) / (TRIES / 6);
    ck_assert_double_le(chi, 25); /* 5 degrees of freedom: one in 7,000 */
}
END_TEST

START_TEST(nothing_is_lost)
{
    const ng_dtype dtype = _i ? NG_F64 : NG_F32;
    ng_mat w = test_mat(37, 41, 5, dtype);
    ng_random random = uniform();
    double got[37 * 41];
    for (size_t i = 0; i < 37 * 41; i++)
        ng_mat_set(w, i / 41, i % 41, (double)i);
    ng_assert_ok(ng_mat_shuffle(w, &random, NULL), NULL);
    for (size_t i = 0; i < 37 * 41; i++)
        got[i] = ng_mat_get(w, i / 41, i % 41);
    qsort(got, 37 * 41, sizeof *got, ascending);
    for (size_t i = 0; i < 37 * 41; i++)
        ck_assert_double_eq(got[i], (double)i);
    test_free(w);
}
END_TEST

START_TEST(w_is_kept_unless_it_may_change)
{
    ng_mat w = dense_normal(20, 12, &rng), before = dense_of(w);
    ng_random random = uniform();
    ng_esd_options o;
    ng_esd e, f;
    ng_esd_init(&o);
    o.random = &random;
    rng.state = 5;
    ng_assert_ok(ng_esd_measure(&e, ng_mat_none(), w, &o, NULL), NULL);
    ng_assert_mat(w, before, 0);
    o.in_place = 1;
    rng.state = 5;
    ng_assert_ok(ng_esd_measure(&f, ng_mat_none(), w, &o, NULL), NULL);
    ck_assert_double_eq(e.bulk.largest, f.bulk.largest);
    ck_assert_double_ne(ng_mat_get(w, 0, 0) + ng_mat_get(w, 1, 1),
                        ng_mat_get(before, 0, 0) + ng_mat_get(before, 1, 1));
}
END_TEST

TEST_SUITE(esd)
{
    TCase *tc = tcase_create("spectral densities");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, squares_of_singular_values, 0, 16);
    tcase_add_test(tc, rounding_is_not_below_zero);
    tcase_add_test(tc, the_fit_is_the_plain_one);
    tcase_add_test(tc, pareto_laws);
    tcase_add_test(tc, tails_that_are_none);
    tcase_add_test(tc, marchenko_pastur);
    tcase_add_loop_test(tc, a_random_matrix, 0, 2);
    tcase_add_test(tc, spikes_and_traps);
    tcase_add_test(tc, units_and_sides);
    tcase_add_test(tc, every_order_alike);
    tcase_add_loop_test(tc, nothing_is_lost, 0, 2);
    tcase_add_test(tc, w_is_kept_unless_it_may_change);
    suite_add_tcase(suite, tc);
}
