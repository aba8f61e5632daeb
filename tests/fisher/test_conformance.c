/* Every representation, in both dtypes and several shapes, against the dense
 * matrix it stands for. */
#include "tests/fisher/worlds.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 11;
}

static ng_mat shifted(ng_mat f, double damping)
{
    return dense_add(1, f, damping, dense_identity(f.rows));
}

static void check_dense(const world *w)
{
    ng_mat d = test_mat(w->n, w->n, PAD, w->dtype);
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j < w->n; j++)
            ng_mat_set(d, i, j, NAN); /* all of it is written */
    ng_assert_ok(ng_fisher_to_dense(w->f, d, &error), &error);
    ng_assert_mat(d, w->exact, w->tol);
    ck_assert(dense_asymmetry(d) == 0);
    test_free(d);
}

#define RULE(...) {sizeof(ng_fisher_batch), __VA_ARGS__}

static const ng_fisher_batch rules[] = {
    RULE(NG_FISHER_MEAN, 1, 0, 1),   RULE(NG_FISHER_SUM, 1, 0, 1),
    RULE(NG_FISHER_MEAN, 3, 0, 1),   RULE(NG_FISHER_SUM, 0.5, 0, 1),
    RULE(NG_FISHER_MEAN, 1, 7, 1),   RULE(NG_FISHER_MEAN, 2, 0, 0.9),
    RULE(NG_FISHER_SUM, 1, 0, 0.75), RULE(NG_FISHER_MEAN, 1, 0, 0.0),
    RULE(NG_FISHER_SUM, 1, 0, 0.0),
};

START_TEST(accumulates)
{
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
        for (int batches = 1; batches <= 3; batches++)
            for (int weighted = 0; weighted < 2; weighted++) {
                world w = world_open(_i, batches, &rules[r], weighted, &rng);
                check_dense(&w);
                world_close(&w);
            }
}
END_TEST

START_TEST(products)
{
    world w = world_open(_i, 2, NULL, 0, &rng);
    ng_mat x = world_normal(3, w.n, w.dtype, &rng), y = test_mat(3, w.n, 1, w.dtype);
    ng_mat one = ng_mat_block(x, 1, 0, 1, w.n), ref = dense_mul(x, 0, w.exact, 0);
    double value = 0;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_fisher_mul(w.f, y, x, &error), &error);
    ng_assert_mat(y, ref, w.tol);
    ng_assert_ok(ng_fisher_quadratic(w.f, &value, one, &error), &error);
    ng_assert_rel(value, dense_dot(one, ng_mat_block(ref, 1, 0, 1, w.n)), w.tol);
    ng_mat forms = dense_mat(3, 3);
    ng_assert_ok(ng_fisher_forms(w.f, forms, x, &error), &error);
    ng_assert_mat(forms, dense_mul(ref, 0, x, 1), w.tol);
    ng_assert_ok(ng_fisher_trace(w.f, &value, &error), &error);
    ng_assert_rel(value, dense_trace(w.exact), w.tol);
    test_free(x), test_free(y);
    world_close(&w);
}
END_TEST

START_TEST(powers_and_solves)
{
    static const double exponents[] = {-1, -0.5, 0.5, 0, 1, 2, -0.3};
    static const double dampings[] = {0.03, 1, 20};
    world w = world_open(_i, 2, NULL, 0, &rng);
    ng_mat x = world_normal(3, w.n, w.dtype, &rng), y = test_mat(3, w.n, 1, w.dtype);
    ng_mat before = test_copy(x);
    ng_error error = {NG_OK, ""};
    for (size_t d = 0; d < 3; d++) {
        ng_mat moved = shifted(w.exact, dampings[d]);
        for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
            if (!ng_fisher_can(w.f, NG_FISHER_POWER))
                break;
            ng_mat ref = dense_mul(x, 0, dense_power(moved, exponents[e]), 0);
            ng_assert_ok(ng_fisher_power(w.f, y, x, exponents[e], dampings[d], &error), &error);
            ng_assert_mat(y, ref, w.tol);
        }
        ng_assert_ok(ng_fisher_solve(w.f, y, x, dampings[d], &error), &error);
        ng_assert_mat(dense_mul(y, 0, moved, 0), x, w.tol);
    }
    ck_assert(test_same_bits(x, before));
    test_free(x), test_free(y), test_free(before);
    world_close(&w);
}
END_TEST

START_TEST(spectra)
{
    world w = world_open(_i, 2, NULL, 0, &rng);
    ng_mat exact, values = test_mat(1, w.n, PAD, w.dtype);
    double value, sum = 0;
    ng_error error = {NG_OK, ""};
    dense_eigh(&exact, NULL, w.exact);
    ng_assert_ok(ng_fisher_eigen(w.f, values, ng_mat_none(), &error), &error);
    ng_assert_mat(values, exact, w.tol);
    for (size_t i = 0; i < w.n; i++)
        sum += log(ng_mat_get(exact, 0, i) + 0.5);
    if (ng_fisher_can(w.f, NG_FISHER_LOGDET)) {
        ng_assert_ok(ng_fisher_logdet(w.f, &value, 0.5, &error), &error);
        ng_assert_le(fabs(value - sum), w.tol * (fabs(sum) + (double)w.n));
    }
    size_t k = w.n < 4 ? 1 : 4; /* leading pairs: V F = diag(values) V */
    ng_mat top = test_mat(1, k, 0, w.dtype), v = test_mat(k, w.n, PAD, w.dtype);
    ng_assert_ok(ng_fisher_eigen(w.f, top, v, &error), &error);
    ng_assert_mat(top, ng_mat_block(exact, 0, w.n - k, 1, k), w.tol);
    ng_assert_mat(dense_mul(v, 0, v, 1), dense_identity(k), w.tol);
    ng_mat scaled = dense_of(v);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < w.n; j++)
            ng_mat_set(scaled, i, j, ng_mat_get(top, 0, i) * ng_mat_get(v, i, j));
    ng_assert_mat(dense_mul(v, 0, w.exact, 0), scaled, w.tol);
    test_free(values), test_free(top), test_free(v);
    world_close(&w);
}
END_TEST

/* A draw is the power -1/2 of the same normal numbers; and its covariance,
 * within five standard errors of its trace, is the inverse. */
START_TEST(samples)
{
    world w = world_open(_i, 2, NULL, 0, &rng);
    enum { DRAWS = 2000 };
    ng_mat x = test_mat(DRAWS, w.n, PAD, w.dtype), z = test_mat(DRAWS, w.n, 0, NG_F64);
    test_rng same = rng;
    ng_random random = world_random(&rng);
    ng_error error = {NG_OK, ""};
    if (ng_fisher_can(w.f, NG_FISHER_POWER)) {
        ng_assert_ok(ng_fisher_sample(w.f, x, 0.5, &random, &error), &error);
        test_fill_normal(z, &same);
        ng_mat moved = shifted(w.exact, 0.5);
        ng_assert_mat(x, dense_mul(z, 0, dense_power(moved, -0.5), 0), w.tol);
        double sum = dense_dot(x, dense_mul(x, 0, moved, 0)) / DRAWS; /* chi^2 of n each */
        ng_assert_le(fabs(sum - (double)w.n), 5 * sqrt(2 * (double)w.n / DRAWS));
    }
    test_free(x), test_free(z);
    world_close(&w);
}
END_TEST

/* set(to_dense) changes nothing; later batches count as the samples say. */
START_TEST(set_from_dense)
{
    static const ng_fisher_batch forget = RULE(NG_FISHER_MEAN, 1, 0, 0.9);
    world w = world_open(_i, 2, NULL, 0, &rng);
    ng_mat d = test_mat(w.n, w.n, PAD, w.dtype);
    ng_fisher *copy = world_empty(w.representation, w.dtype, w.n, w.outputs);
    ng_error error = {NG_OK, ""};
    if (!ng_fisher_can(copy, NG_FISHER_SET)) {
        ng_assert_fails(ng_fisher_set(copy, d, 40, &error), NG_EUNSUPPORTED, &error, "set");
        ng_fisher_destroy(copy), test_free(d);
        world_close(&w);
        return;
    }
    test_assign(d, w.exact);
    for (size_t i = 0; i < w.n; i++)
        for (size_t j = i + 1; j < w.n; j++)
            ng_mat_set(d, i, j, NAN); /* never read */
    ng_assert_ok(ng_fisher_set(copy, d, 40, &error), &error);
    ng_fisher_destroy(w.f);
    w.f = copy;
    check_dense(&w);
    ng_mat s = world_normal(4, w.n, w.dtype, &rng); /* 40 = 4 / (1 - 0.9) */
    ng_mat zero = test_mat(4, w.n, 0, w.dtype);
    ng_assert_ok(ng_fisher_accumulate(copy, zero, ng_mat_none(), &forget, &error), &error);
    w.exact = dense_scale(0.9, w.exact);
    check_dense(&w);
    test_free(d), test_free(s), test_free(zero);
    world_close(&w);
}
END_TEST

/* What each can is written down here; what it cannot says so. */
START_TEST(abilities)
{
    enum {
        ALL = NG_FISHER_MUL | NG_FISHER_SOLVE | NG_FISHER_TRACE | NG_FISHER_EIGEN |
              NG_FISHER_TO_DENSE,
        MORE = ALL | NG_FISHER_POWER | NG_FISHER_LOGDET,
        SCORES = MORE | NG_FISHER_ACCUMULATE | NG_FISHER_SET,
        LAYER = MORE | NG_FISHER_ACCUMULATE_LAYER | NG_FISHER_SET_FACTORS |
                NG_FISHER_GET_FACTORS | NG_FISHER_INVERSE_LAYER
    };
    static const unsigned expected[REPRESENTATIONS] = {[DENSE] = SCORES,
                                                       [DIAGONAL] = SCORES,
                                                       [LOWRANK] = SCORES | NG_FISHER_GRAM |
                                                                   NG_FISHER_SOLVE_SKETCHED,
                                                       [KRON] = LAYER,
                                                       [EKFAC] = LAYER | NG_FISHER_ACCUMULATE,
                                                       [BLOCKS] = SCORES,
                                                       [FREE] = ALL};
    world w = world_open(_i, 1, NULL, 0, &rng);
    ng_mat x = world_normal(2, w.n, w.dtype, &rng), y = test_mat(2, w.n, 0, w.dtype);
    ng_mat square = test_mat(w.n, w.n, 0, w.dtype);
    ng_random random = world_random(&rng);
    ng_error error = {NG_OK, ""};
    double value;
    unsigned can = 0;
    for (unsigned bit = NG_FISHER_ACCUMULATE; bit <= NG_FISHER_SOLVE_SKETCHED; bit <<= 1)
        can |= ng_fisher_can(w.f, bit) ? bit : 0u;
    ck_assert_uint_eq(can, expected[w.representation]);
    struct {
        unsigned bit;
        ng_status status;
    } calls[] = {
        {NG_FISHER_ACCUMULATE, ng_fisher_accumulate(w.f, x, ng_mat_none(), NULL, &error)},
        {NG_FISHER_ACCUMULATE_LAYER, ng_fisher_accumulate_layer(w.f, x, x, ng_mat_none(), NULL, &error)},
        {NG_FISHER_SET, ng_fisher_set(w.f, square, 1, &error)},
        {NG_FISHER_SET_FACTORS, ng_fisher_set_factors(w.f, square, square, 1, &error)},
        {NG_FISHER_POWER, ng_fisher_power(w.f, y, x, 0.5, 1, &error)},
        {NG_FISHER_POWER, ng_fisher_sample(w.f, y, 1, &random, &error)},
        {NG_FISHER_LOGDET, ng_fisher_logdet(w.f, &value, 1, &error)},
        {NG_FISHER_GRAM, ng_fisher_gram(w.f, square, &error)},
        {NG_FISHER_GET_FACTORS, ng_fisher_get_factors(w.f, square, square, &error)},
        {NG_FISHER_INVERSE_LAYER, ng_fisher_inverse_layer(w.f, y, x, x, 1, &error)},
        {NG_FISHER_SOLVE_SKETCHED, ng_fisher_solve_sketched(w.f, y, x, 1, NULL, &error)},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        ck_assert_int_eq((can & calls[i].bit) == 0, calls[i].status == NG_EUNSUPPORTED);
    test_free(x), test_free(y), test_free(square);
    world_close(&w);
}
END_TEST

TEST_SUITE(conformance)
{
    TCase *tc = tcase_create("conformance");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, accumulates, 0, WORLDS);
    tcase_add_loop_test(tc, products, 0, WORLDS);
    tcase_add_loop_test(tc, powers_and_solves, 0, WORLDS);
    tcase_add_loop_test(tc, spectra, 0, WORLDS);
    tcase_add_loop_test(tc, samples, 0, WORLDS);
    tcase_add_loop_test(tc, set_from_dense, 0, WORLDS);
    tcase_add_loop_test(tc, abilities, 0, WORLDS);
    suite_add_tcase(suite, tc);
}
