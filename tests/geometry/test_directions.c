/* What a regime does with vectors and matrices, against dense products: of F,
 * of a Kronecker pair and of a spectrum, in either dtype. */
#include "tests/geometry/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 17;
    dense_release();
}

enum { M = 3, C = 4, N = M * C, KINDS = 3 };

/* A regime of one kind and the dense matrix it stands for. Rank N - M (kind 1: Q has a zero
 * eigenvalue) or N - 2, or all. */
typedef struct {
    ng_regime *r;
    ng_mat f;
} scene;

static scene open_scene(int kind, int singular)
{
    scene s;
    double w[N], p[M], q[C];
    ng_regime_options o;
    ng_error error = {NG_OK, ""};
    ng_regime_init(&o);
    o.rcond = singular ? 1e-9 : 0;
    world_spectrum(w, N, 40, 0.2, &rng);
    world_spectrum(p, M, 7, 0.5, &rng);
    world_spectrum(q, C, 9, 0.3, &rng);
    if (singular)
        w[0] = w[1] = q[0] = 0;
    if (kind == 0) {
        s.f = world_spd(w, N, &rng);
        ng_assert_ok(ng_regime_create(&s.r, s.f, &o, &error), &error);
    } else if (kind == 1) {
        ng_mat left = world_spd(p, M, &rng), right = world_spd(q, C, &rng);
        s.f = dense_kron(left, right);
        ng_assert_ok(ng_regime_create_kron(&s.r, left, right, &o, &error), &error);
    } else {
        s.f = dense_mat(N, N);
        for (size_t k = 0; k < N; k++) /* shuffled */
            ng_mat_set(s.f, k, k, w[(5 * k + 3) % N]);
        for (size_t k = 0; k < N; k++)
            w[k] = ng_mat_get(s.f, k, k);
        ng_assert_ok(ng_regime_create_spectrum(&s.r, ng_f64(w, 1, N), &o, &error), &error);
    }
    ck_assert_uint_eq(s.r->rank, singular ? N - (kind == 1 ? M : 2) : N);
    return s;
}

static ng_mat metric(ng_mat f, double beta)
{
    return dense_add(1, dense_mul(f, 0, f, 0), beta, f);
}

/* _i = 2 kind + singular */
START_TEST(the_metric_and_its_action)
{
    scene s = open_scene(_i / 2, _i % 2);
    for (int i = 0; i < 4; i++) {
        ng_dtype dtype = i % 2 ? NG_F32 : NG_F64;
        double beta[] = {0, 0.7, 30, -0.05}, tolerance = dtype == NG_F32 ? 1e-6 : 1e-13;
        ng_mat g = test_mat(N, N, 2, dtype), x = test_mat(5, N, 1, dtype),
               y = test_mat(5, N, 3, dtype);
        ng_mat expected = metric(s.f, beta[i]);
        ng_error error = {NG_OK, ""};
        test_fill_normal(x, &rng);
        ng_assert_ok(ng_regime_metric(s.r, g, beta[i], &error), &error);
        ng_assert_mat(g, expected, tolerance);
        ng_assert_le(dense_asymmetry(dense_of(g)), 0);
        ng_assert_ok(ng_regime_mul(s.r, y, x, beta[i], &error), &error);
        ng_assert_mat(y, dense_mul(dense_of(x), 0, expected, 0), tolerance);
        /* g g^-1 g = g on vectors of the space that counts, 0 elsewhere */
        ng_mat z = test_mat(5, N, 0, NG_F64), back = test_mat(5, N, 0, NG_F64);
        ng_assert_ok(ng_regime_solve(s.r, z, y, beta[i], &error), &error);
        ng_assert_mat(dense_mul(z, 0, expected, 0), y, 100 * tolerance);
        ng_assert_ok(ng_regime_solve(s.r, back, x, beta[i], &error), &error);
        ng_assert_mat(dense_mul(dense_mul(back, 0, expected, 0), 0, s.f, 0),
                      dense_mul(dense_of(x), 0, s.f, 0), 100 * tolerance);
        if (_i % 2) { /* the pseudo-inverse: nothing outside */
            ng_mat twice = test_mat(5, N, 0, NG_F64);
            ng_assert_ok(ng_regime_solve(s.r, twice, back, beta[i], &error), &error);
            ng_assert_mat(dense_mul(twice, 0, expected, 0), back, 100 * tolerance);
            test_free(twice);
        }
        test_free(g), test_free(x), test_free(y), test_free(z), test_free(back);
    }
    ng_regime_destroy(s.r);
}
END_TEST

START_TEST(directions_are_eigenvectors)
{
    scene s = open_scene(_i / 2, _i % 2);
    ng_mat all = dense_mat(N, N);
    for (size_t k = 0; k < N; k++) {
        ng_mat v = test_mat(1, N, 0, NG_F64);
        double value = ng_mat_get(s.r->eigenvalues, 0, k), alpha;
        ng_assert_ok(ng_regime_direction(s.r, v, k, NULL), NULL);
        test_assign(ng_mat_block(all, k, 0, 1, N), v);
        ng_mat image = dense_mul(v, 0, s.f, 0);
        ng_assert_le(test_norm(dense_add(1, image, -value, v)), 1e-13 * s.r->lambda_max);
        ng_error error = {NG_OK, ""};
        if (k < N - s.r->rank)
            ng_assert_fails(ng_regime_alpha(s.r, &alpha, v, 1, &error), NG_ESINGULAR, &error,
                            "no part");
        else {
            ng_assert_ok(ng_regime_alpha(s.r, &alpha, v, s.r->beta, &error), &error);
            ng_assert_rel(alpha, ng_mat_get(s.r->alpha_dir, 0, k - (N - s.r->rank)), 1e-12);
        }
        test_free(v);
    }
    ng_assert_mat(dense_mul(all, 0, all, 1), dense_identity(N), 1e-13);
    ng_regime_destroy(s.r);
}
END_TEST

static double form(ng_mat v, ng_mat a)
{
    return dense_dot(dense_mul(v, 0, a, 0), v);
}

/* alpha_dir(v) = vMv / (vMv + beta vFv), decreasing in beta, between its smallest and largest;
 * the sign of side is on which side of alpha_c it is */
START_TEST(alpha_of_any_vector)
{
    scene s = open_scene(_i / 2, _i % 2);
    ng_mat mass = dense_mul(s.f, 0, s.f, 0);
    for (int trial = 0; trial < 50; trial++) {
        ng_mat v = test_mat(1, N, 0, trial % 2 ? NG_F32 : NG_F64), w = dense_of(v);
        test_fill_normal(v, &rng);
        test_assign(w, v);
        double before = 1;
        for (double beta = 0; beta < 1e4; beta = 3 * beta + 0.02) {
            double alpha, side, alpha_c = 0.05 + 0.9 * test_uniform(&rng);
            double m = form(w, mass), f = form(w, s.f), expected = m / (m + beta * f);
            ng_assert_ok(ng_regime_alpha(s.r, &alpha, v, beta, NULL), NULL);
            ng_assert_rel(alpha, expected, 1e-12);
            ng_assert_le(alpha, before);
            before = alpha;
            ng_assert_le(alpha, s.r->lambda_max / (s.r->lambda_max + beta) * (1 + 1e-14));
            ng_assert_le(s.r->lambda_min / (s.r->lambda_min + beta) * (1 - 1e-14), alpha);
            ng_assert_ok(ng_regime_side(s.r, &side, v, beta, alpha_c, NULL), NULL);
            double lambda_c = beta * alpha_c / (1 - alpha_c);
            ng_assert_le(fabs(side - (m - lambda_c * f)), 1e-12 * (m + lambda_c * f));
            if (fabs(alpha - alpha_c) > 1e-10)
                ck_assert((side > 0) == (alpha > alpha_c));
        }
        test_free(v);
    }
    ng_regime_destroy(s.r);
}
END_TEST

/* Pure: the same for every vector. Not pure: not. */
START_TEST(purity_is_one_alpha_for_all)
{
    double pure[] = {0, 2, 2, 2}, mixed[] = {0, 2, 2, 2.1}, *w[] = {pure, mixed};
    for (int i = 0; i < 2; i++) {
        ng_regime *r;
        ng_regime_options o;
        double low = 1, high = 0;
        ng_regime_init(&o);
        o.rcond = 1e-10;
        ng_assert_ok(ng_regime_create(&r, world_spd(w[i], 4, &rng), &o, NULL), NULL);
        for (int trial = 0; trial < 30; trial++) {
            double alpha;
            ng_assert_ok(ng_regime_alpha(r, &alpha, dense_normal(1, 4, &rng), 1, NULL), NULL);
            low = fmin(low, alpha), high = fmax(high, alpha);
        }
        ck_assert_int_eq(r->pure, i == 0);
        ck_assert_int_eq(high - low < 1e-13, i == 0);
        ng_regime_destroy(r);
    }
}
END_TEST

START_TEST(the_deviation_tensor)
{
    scene s = open_scene(_i / 2, _i % 2);
    ng_mat mass = dense_mul(s.f, 0, s.f, 0), d = test_mat(N, N, 1, NG_F64), values;
    double kappa = dense_trace(mass) / dense_trace(s.f);
    ng_assert_ok(ng_regime_deviation(s.r, d, NULL), NULL);
    ng_mat expected = dense_add(1, mass, -kappa, s.f);
    ng_assert_mat(d, expected, 1e-13);
    ng_assert_le(fabs(dense_trace(d)), 1e-13 * test_norm(mass));
    ng_assert_rel(s.r->kappa, kappa, 1e-13);
    ng_assert_rel(s.r->deviation_fraction, test_norm(expected) / test_norm(mass), 1e-12);
    dense_eigh(&values, NULL, expected);
    ng_mat ours = dense_mat(1, N); /* the rest is 0; sorted by insertion */
    for (size_t k = 0; k < s.r->rank; k++)
        ng_mat_set(ours, 0, k, ng_mat_get(s.r->deviation, 0, k));
    for (size_t i = 1; i < N; i++)
        for (size_t j = i; j > 0 && ng_mat_get(ours, 0, j) < ng_mat_get(ours, 0, j - 1); j--) {
            double swap = ng_mat_get(ours, 0, j);
            ng_mat_set(ours, 0, j, ng_mat_get(ours, 0, j - 1));
            ng_mat_set(ours, 0, j - 1, swap);
        }
    ng_assert_mat(ours, values, 1e-12);
    test_free(d);
    ng_regime_destroy(s.r);
}
END_TEST

/* Eigenvalues below rcond are left out of everything, not only zeros. */
START_TEST(small_eigenvalues_do_not_count)
{
    double w[] = {0.02, 0.05, 1, 3}, kept[] = {0, 0, 1, 3}, alpha;
    int signs[] = {1, -1, 1, -1};
    ng_regime *r;
    ng_regime_options o;
    ng_regime_init(&o);
    o.rcond = 0.1;
    test_rng same = rng;
    ng_mat f = world_spd(w, 4, &rng), left = world_spd(kept, 4, &same), g = dense_mat(4, 4);
    ng_mat v = dense_normal(1, 4, &rng), mass = dense_mul(left, 0, left, 0),
           sign = dense_identity(4);
    ng_assert_ok(ng_regime_create(&r, f, &o, NULL), NULL);
    ck_assert(r->rank == 2 && r->n == 4);
    ng_assert_rel(r->cond, 3, 1e-13);
    ng_assert_rel(ng_mat_get(r->eigenvalues, 0, 0), 0.02, 1e-13);
    ng_assert_ok(ng_regime_alpha(r, &alpha, v, 0.7, NULL), NULL);
    double m = form(v, mass), whole = m + 0.7 * form(v, left);
    ng_assert_rel(alpha, m / whole, 1e-13);
    ng_assert_ok(ng_regime_metric(r, g, 0.7, NULL), NULL);
    ng_assert_mat(g, metric(left, 0.7), 1e-13);
    ng_assert_ok(ng_regime_deviation(r, g, NULL), NULL);
    ng_assert_mat(g, dense_add(1, mass, -10.0 / 4, left), 1e-13);
    ng_assert_ok(ng_signature_metric(r, g, signs, 0.7, NULL), NULL);
    ng_mat_set(sign, 1, 1, -1), ng_mat_set(sign, 3, 3, -1);
    ng_assert_mat(g, dense_add(1, dense_mul(dense_mul(left, 0, sign, 0), 0, left, 0), 0.7, left),
                  1e-13);
    ng_regime_destroy(r);
}
END_TEST

/* The pair's regime is that of the matrix it never forms. */
START_TEST(a_pair_is_its_dense_matrix)
{
    ng_dtype dtype = _i ? NG_F32 : NG_F64;
    double p[M], q[C], tolerance = _i ? 1e-5 : 1e-12;
    world_spectrum(p, M, 30, 0.5, &rng);
    world_spectrum(q, C, 20, 2, &rng);
    ng_mat left = world_spd(p, M, &rng), right = world_spd(q, C, &rng);
    ng_mat p_view = world_lower(left, dtype, 2), q_view = world_lower(right, dtype, 1);
    ng_regime *pair, *dense;
    ng_assert_ok(ng_regime_create_kron(&pair, p_view, q_view, NULL, NULL), NULL);
    ng_assert_ok(ng_regime_create(&dense, dense_kron(left, right), NULL, NULL), NULL);
    ng_assert_mat(pair->eigenvalues, dense->eigenvalues, tolerance);
    ng_assert_mat(pair->alpha_dir, dense->alpha_dir, tolerance);
    ng_assert_mat(pair->deviation, dense->deviation, 10 * tolerance);
    ck_assert(pair->n == N && pair->rank == N && pair->outputs == M && pair->inputs == C);
    ck_assert(pair->directions.data == NULL && pair->above == dense->above);
    double a[] = {
        pair->cond, pair->Delta,  pair->beta_star,  pair->alpha_scalar, pair->alpha_scalar_unit,
        pair->beta, pair->spread, pair->spread_max, pair->kappa,        pair->deviation_fraction,
        pair->trace};
    double b[] = {dense->cond,
                  dense->Delta,
                  dense->beta_star,
                  dense->alpha_scalar,
                  dense->alpha_scalar_unit,
                  dense->beta,
                  dense->spread,
                  dense->spread_max,
                  dense->kappa,
                  dense->deviation_fraction,
                  dense->trace};
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        ng_assert_rel(a[i], b[i], 10 * tolerance);
    test_free(p_view), test_free(q_view);
    ng_regime_destroy(pair);
    ng_regime_destroy(dense);
}
END_TEST

/* Factors each of full rank stay so whatever the product's condition number. */
START_TEST(rounding_is_judged_factor_by_factor)
{
    double w[] = {1e-10, 1};
    ng_mat p = dense_mat(2, 2);
    ng_regime *r;
    ng_error error = {NG_OK, ""};
    ng_mat_set(p, 0, 0, w[0]), ng_mat_set(p, 1, 1, w[1]);
    ng_assert_ok(ng_regime_create_kron(&r, p, p, NULL, &error), &error);
    ck_assert_uint_eq(r->rank, 4);
    ng_assert_rel(r->cond, 1e20, 1e-14);
    ng_regime_destroy(r);
    ng_mat_set(p, 0, 0, 1e-17);
    ng_assert_fails(ng_regime_create_kron(&r, dense_identity(2), p, NULL, &error), NG_ESINGULAR,
                    &error, "Q: eigenvalue 0 of 2");
    ng_mat_set(p, 0, 0, -1);
    ng_assert_fails(ng_regime_create_kron(&r, p, p, NULL, &error), NG_EINDEFINITE, &error,
                    "P: eigenvalue 0 of 2 is -1");
}
END_TEST

START_TEST(refusals)
{
    scene s = open_scene(0, 0);
    ng_error error = {NG_OK, ""};
    ng_mat v = dense_normal(1, N, &rng), y = dense_mat(1, N), g = dense_mat(N, N);
    ng_mat shape = dense_mat(1, N - 1), nan = dense_mat(1, N);
    double x;
    ng_mat_set(nan, 0, 2, (double)NAN);
    ng_assert_fails(ng_regime_alpha(s.r, &x, v, -1, &error), NG_EARG, &error, "beta is -1");
    ng_assert_fails(ng_regime_alpha(s.r, NULL, v, 1, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_regime_alpha(NULL, &x, v, 1, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_regime_alpha(s.r, &x, shape, 1, &error), NG_ESHAPE, &error, "v");
    ng_assert_fails(ng_regime_alpha(s.r, &x, nan, 1, &error), NG_ENONFINITE, &error, "v");
    ng_assert_fails(ng_regime_alpha(s.r, &x, y, 1, &error), NG_ESINGULAR, &error, "no part");
    ng_assert_fails(ng_regime_side(s.r, &x, v, 1, 1, &error), NG_EARG, &error, "alpha_c");
    ng_assert_fails(ng_regime_direction(s.r, v, N, &error), NG_EARG, &error, "eigenvalue 12 of 12");
    ng_assert_fails(ng_regime_mul(s.r, y, nan, 1, &error), NG_ENONFINITE, &error, "x");
    ng_assert_fails(ng_regime_mul(s.r, shape, v, 1, &error), NG_ESHAPE, &error, "y");
    ng_assert_fails(ng_regime_metric(s.r, shape, 1, &error), NG_ESHAPE, &error, "result");
    ng_assert_fails(ng_regime_metric(s.r, g, HUGE_VAL, &error), NG_EARG, &error, "beta");
    double pole = -ng_mat_get(s.r->eigenvalues, 0, 4);
    ng_assert_fails(ng_regime_solve(s.r, y, v, pole, &error), NG_ESINGULAR, &error, "eigenvalue 4");
    ng_mat narrow = test_mat(N, N, 0, NG_F32);
    ng_assert_fails(ng_regime_metric(s.r, narrow, 1e60, &error), NG_ERANGE, &error, "too large");
    test_free(narrow);
    /* lengths whose squares overflow are fine */
    double a, b;
    ng_assert_ok(ng_regime_alpha(s.r, &a, dense_scale(1e200, v), 1, NULL), NULL);
    ng_assert_ok(ng_regime_alpha(s.r, &b, v, 1, NULL), NULL);
    ng_assert_rel(a, b, 1e-13);
    ng_regime_destroy(s.r);
}
END_TEST

TEST_SUITE(directions)
{
    TCase *tc = tcase_create("vectors");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_metric_and_its_action, 0, 2 * KINDS);
    tcase_add_loop_test(tc, directions_are_eigenvectors, 0, 2 * KINDS);
    tcase_add_loop_test(tc, alpha_of_any_vector, 0, 2 * KINDS);
    tcase_add_loop_test(tc, the_deviation_tensor, 0, 2 * KINDS);
    tcase_add_test(tc, purity_is_one_alpha_for_all);
    tcase_add_test(tc, small_eigenvalues_do_not_count);
    tcase_add_loop_test(tc, a_pair_is_its_dense_matrix, 0, 2);
    tcase_add_test(tc, rounding_is_judged_factor_by_factor);
    tcase_add_test(tc, refusals);
    suite_add_tcase(suite, tc);
}
