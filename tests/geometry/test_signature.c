/* Signed mass tensors F S F against dense eigenvalues and Sylvester's law. */
#include "tests/geometry/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 23;
    dense_release();
}

enum { N = 6 };

static size_t negatives(ng_mat a)
{
    ng_mat values;
    size_t count = 0;
    dense_eigh(&values, NULL, a);
    for (size_t k = 0; k < values.cols; k++)
        count += ng_mat_get(values, 0, k) < 0;
    return count;
}

static ng_mat signs_matrix(const int *signs)
{
    ng_mat s = dense_mat(N, N);
    for (size_t k = 0; k < N; k++)
        ng_mat_set(s, k, k, signs[k]);
    return s;
}

static size_t draw(int *signs, int bits)
{
    size_t minus = 0;
    for (int k = 0; k < N; k++) {
        signs[k] = bits >> k & 1 ? -1 : 1;
        minus += signs[k] < 0;
    }
    return minus;
}

/* every sign pattern: as many negative eigenvalues as minus signs, beta_c the transition */
START_TEST(sylvester_on_every_pattern)
{
    double w[N];
    world_spectrum(w, N, 30, 0.4, &rng);
    ng_mat f = world_spd(w, N, &rng), half = dense_power(f, 0.5);
    ng_regime *r;
    ng_assert_ok(ng_regime_create(&r, f, NULL, NULL), NULL);
    for (int bits = 0; bits < 1 << N; bits++) {
        int signs[N];
        size_t minus = draw(signs, bits);
        ng_mat sign = signs_matrix(signs), values,
               g = test_mat(N, N, 1, bits % 2 ? NG_F32 : NG_F64);
        ng_mat a = dense_mul(dense_mul(half, 0, sign, 0), 0, half, 0);
        ng_mat mass = dense_mul(dense_mul(f, 0, sign, 0), 0, f, 0);
        ng_signature *s;
        ng_error error = {NG_OK, ""};
        ng_assert_ok(ng_signature_create(&s, r, signs, &error), &error);
        dense_eigh(&values, NULL, a);
        ng_assert_mat(s->eigenvalues, values, 1e-12);
        ck_assert_uint_eq(s->negative, minus);
        ck_assert_uint_eq(s->rank, N);
        ck_assert((s->beta_c > 0) == (minus > 0));
        ng_assert_rel(s->beta_c, fmax(0, -ng_mat_get(values, 0, 0)), 1e-12);
        double betas[] = {0, 0.3, s->beta_c * (1 - 1e-6), s->beta_c * (1 + 1e-6), 5, -1};
        for (int i = 0; i < 6; i++) {
            ng_mat expected = dense_add(1, mass, betas[i], f);
            ck_assert_uint_eq(ng_signature_negative(s, betas[i]), negatives(expected));
            ng_assert_ok(ng_signature_metric(r, g, signs, betas[i], &error), &error);
            ng_assert_mat(g, expected, bits % 2 ? 1e-6 : 1e-13);
            ng_assert_le(dense_asymmetry(dense_of(g)), 0);
            if (betas[i] > s->beta_c)
                ck_assert_uint_eq(ng_signature_negative(s, betas[i]), 0);
        }
        if (minus > 0)
            ck_assert_uint_ge(ng_signature_negative(s, s->beta_c * (1 - 1e-6)), 1);
        test_free(g);
        ng_signature_destroy(s);
    }
    ng_regime_destroy(r);
}
END_TEST

/* singular F: at most as many as minus signs, those of the dense matrix */
START_TEST(singular_matrices_have_at_most_that_many)
{
    int fewer = 0;
    for (int bits = 0; bits < 1 << N; bits++) {
        double w[N] = {0, 0, 0, 1, 2, 3};
        int signs[N];
        size_t minus = draw(signs, bits), count = 0;
        ng_mat f = world_spd(w, N, &rng), values;
        ng_regime *r;
        ng_regime_options o;
        ng_signature *s;
        ng_regime_init(&o);
        o.rcond = 1e-10;
        ng_assert_ok(ng_regime_create(&r, f, &o, NULL), NULL);
        ng_assert_ok(ng_signature_create(&s, r, signs, NULL), NULL);
        dense_eigh(&values, NULL, dense_mul(dense_mul(f, 0, signs_matrix(signs), 0), 0, f, 0));
        for (size_t k = 0; k < N; k++)
            count += ng_mat_get(values, 0, k) < -1e-10;
        ck_assert_uint_eq(s->negative, count);
        ck_assert_uint_le(s->negative, minus);
        ck_assert_uint_eq(s->rank, 3);
        fewer += s->negative < minus;
        ng_signature_destroy(s);
        ng_regime_destroy(r);
    }
    ck_assert_int_gt(fewer, 0);
}
END_TEST

/* F = u u^T with u S u = 0: an exact zero that rounding must not make negative */
START_TEST(a_null_direction_is_not_negative)
{
    double u[N] = {0.3, 0.7, 1.1, 0.7, 1.1, 0.3};
    int signs[N] = {1, 1, 1, -1, -1, -1};
    ng_mat f = dense_mul(ng_f64(u, 1, N), 1, ng_f64(u, 1, N), 0);
    ng_regime *r;
    ng_regime_options o;
    ng_signature *s;
    ng_regime_init(&o);
    o.rcond = 1e-10;
    ng_assert_ok(ng_regime_create(&r, f, &o, NULL), NULL);
    ng_assert_ok(ng_signature_create(&s, r, signs, NULL), NULL);
    ck_assert(s->rank == 1 && s->negative == 0 && s->beta_c == 0);
    ng_signature_destroy(s);
    ng_regime_destroy(r);
}
END_TEST

/* M = F^2: never indefinite for beta > 0, indefinite below -lambda_min */
START_TEST(the_plain_mass_tensor)
{
    double w[N];
    world_spectrum(w, N, 30, 0.4, &rng);
    ng_mat f = world_spd(w, N, &rng), square = dense_mul(f, 0, f, 0);
    ng_regime *r;
    int plus[N];
    ng_signature *s;
    draw(plus, 0);
    ng_assert_ok(ng_regime_create(&r, f, NULL, NULL), NULL);
    for (double beta = -20; beta < 20; beta += 0.37) {
        size_t count = ng_regime_negative(r, beta);
        ck_assert_uint_eq(count, negatives(dense_add(1, square, beta, f)));
        ck_assert((count > 0) == (beta < -r->lambda_min));
    }
    ng_assert_ok(ng_signature_create(&s, r, plus, NULL), NULL);
    ng_assert_mat(s->eigenvalues, r->eigenvalues, 1e-13); /* A = F */
    ng_signature_destroy(s);
    ng_regime_destroy(r);
}
END_TEST

/* A pair and its dense matrix have one signature. */
START_TEST(of_a_pair)
{
    double w[] = {0.3, 1, 2};
    int signs[N] = {1, -1, -1, 1, 1, -1};
    ng_mat p = world_spd(w, 2, &rng), q = world_spd(w, 3, &rng), g = dense_mat(N, N),
           h = dense_mat(N, N);
    ng_regime *pair, *dense;
    ng_signature *a, *b;
    ng_assert_ok(ng_regime_create_kron(&pair, p, q, NULL, NULL), NULL);
    ng_assert_ok(ng_regime_create(&dense, dense_kron(p, q), NULL, NULL), NULL);
    ng_assert_ok(ng_signature_create(&a, pair, signs, NULL), NULL);
    ng_assert_ok(ng_signature_create(&b, dense, signs, NULL), NULL);
    ng_assert_mat(a->eigenvalues, b->eigenvalues, 1e-13);
    ng_assert_ok(ng_signature_metric(pair, g, signs, 0.4, NULL), NULL);
    ng_assert_ok(ng_signature_metric(dense, h, signs, 0.4, NULL), NULL);
    ng_assert_mat(g, h, 1e-13);
    ng_signature_destroy(a);
    ng_signature_destroy(b);
    ng_regime_destroy(pair);
    ng_regime_destroy(dense);
}
END_TEST

START_TEST(refusals)
{
    int signs[N] = {1, 1, 0, 1, 1, 1}, good[N] = {1, 1, 1, 1, 1, -1};
    ng_regime *r;
    ng_signature *s = NULL;
    ng_error error = {NG_OK, ""};
    ng_mat g = dense_mat(N, N), f32 = test_mat(N, N, 0, NG_F32);
    ng_assert_ok(ng_regime_create(&r, dense_identity(N), NULL, NULL), NULL);
    ng_assert_fails(ng_signature_create(&s, r, signs, &error), NG_EARG, &error, "sign 2 of 6 is 0");
    ng_assert_fails(ng_signature_create(&s, r, NULL, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_signature_create(&s, NULL, good, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_signature_create(NULL, r, good, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_signature_metric(r, g, good, HUGE_VAL, &error), NG_EARG, &error, "beta");
    ng_assert_fails(ng_signature_metric(r, dense_mat(N, 2), good, 1, &error), NG_ESHAPE, &error,
                    "g");
    ng_assert_fails(ng_signature_metric(r, f32, good, 1e60, &error), NG_ERANGE, &error, "1e+60");
    ck_assert_ptr_null(s);
    ng_signature_destroy(NULL);
    test_free(f32);
    ng_regime_destroy(r);
}
END_TEST

TEST_SUITE(signature)
{
    TCase *tc = tcase_create("signs");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, sylvester_on_every_pattern);
    tcase_add_test(tc, singular_matrices_have_at_most_that_many);
    tcase_add_test(tc, a_null_direction_is_not_negative);
    tcase_add_test(tc, the_plain_mass_tensor);
    tcase_add_test(tc, of_a_pair);
    tcase_add_test(tc, refusals);
    suite_add_tcase(suite, tc);
}
