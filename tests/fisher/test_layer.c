/* Layer statistics against the dense F of a factored one: the factors come out as
 * they went in, and products by the inverse are those of the scores written out. */
#include "tests/fisher/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 17;
}

/* Only KRON and EKFAC: 2 x SHAPES x both dtypes. */
enum { FACTORED = 2 * SHAPES * 2 };
static world factored_open(int i)
{
    int representation = i / 2 % 2 == 0 ? KRON : EKFAC;
    return world_open((i / 4 * REPRESENTATIONS + representation) * 2 + i % 2, 2, NULL, 0, &rng);
}

START_TEST(factors_come_out)
{
    world w = factored_open(_i);
    size_t m = w.outputs, c = w.n / m;
    ng_mat p = test_mat(m, m, PAD, w.dtype), q = test_mat(c, c, 1, w.dtype);
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_fisher_get_factors(w.f, p, q, &error), &error);
    ck_assert(dense_asymmetry(p) == 0 && dense_asymmetry(q) == 0);
    ng_mat whole = dense_kron(dense_of(p), dense_of(q));
    if (w.representation == KRON)
        ng_assert_mat(whole, w.exact, w.tol);
    /* and in again: the same object */
    ng_fisher *same = world_empty(w.representation, w.dtype, w.n, m);
    ng_mat p2 = test_mat(m, m, 0, w.dtype), q2 = test_mat(c, c, 0, w.dtype);
    ng_assert_fails(ng_fisher_get_factors(same, p, q, &error), NG_ENODATA, &error, "get_factors");
    ng_assert_ok(ng_fisher_set_factors(same, p, q, 1, &error), &error);
    ng_assert_ok(ng_fisher_get_factors(same, p2, q2, &error), &error);
    ck_assert(test_same_bits(p, p2) && test_same_bits(q, q2));
    if (m != c)
        ng_assert_fails(ng_fisher_get_factors(w.f, q, q, &error), NG_ESHAPE, &error, "p");
    ng_fisher_destroy(same);
    test_free(p), test_free(q), test_free(p2), test_free(q2);
    world_close(&w);
}
END_TEST

/* The score of sample r for output i: the sum over its places. */
static ng_mat score(ng_mat a, ng_mat g, size_t i, size_t r, size_t places)
{
    ng_mat s = dense_mat(1, a.cols * g.cols);
    for (size_t t = r * places; t < (r + 1) * places; t++)
        for (size_t k = 0; k < s.cols; k++)
            ng_mat_set(s, 0, k,
                       ng_mat_get(s, 0, k) + ng_mat_get(g, i * a.rows + t, k / a.cols) *
                                                 ng_mat_get(a, t, k % a.cols));
    return s;
}

static void check_products(const world *w, size_t samples, size_t places, size_t k)
{
    size_t m = w->outputs, c = w->n / m, inputs = c > 1 ? c - 1 : c;
    const double damping = 0.3;
    ng_error error = {NG_OK, ""};
    ng_mat a = world_normal(samples * places, inputs, w->dtype, &rng);
    ng_mat g = world_normal(k * samples * places, m, w->dtype, &rng);
    ng_mat got = test_mat(samples, k * k, PAD, w->dtype), ref = dense_mat(samples, k * k);
    ng_mat inverse = dense_power(dense_add(1, w->exact, damping, dense_identity(w->n)), -1);
    ng_mat full = c > 1 ? dense_with_ones(a) : a;
    for (size_t r = 0; r < samples; r++)
        for (size_t i = 0; i < k; i++) {
            ng_mat y = dense_mul(score(full, g, i, r, places), 0, inverse, 0);
            for (size_t j = 0; j < k; j++)
                ng_mat_set(ref, r, i * k + j, dense_dot(y, score(full, g, j, r, places)));
        }
    ng_assert_ok(ng_fisher_inverse_layer(w->f, got, a, g, damping, &error), &error);
    ng_assert_mat(got, ref, 10 * w->tol);
    test_free(a), test_free(g), test_free(got);
}

START_TEST(products_by_the_inverse)
{
    world w = factored_open(_i);
    check_products(&w, 5, 1, 3);
    check_products(&w, 1, 1, 1);
    check_products(&w, 3, 4, 2);
    check_products(&w, 1, 2, 1);
    world_close(&w);
}
END_TEST

START_TEST(what_does_not_fit)
{
    world w = factored_open(_i);
    size_t m = w.outputs, c = w.n / m, inputs = c > 1 ? c - 1 : c;
    ng_error error = {NG_OK, ""};
    ng_mat a = world_normal(6, inputs, w.dtype, &rng), g = world_normal(12, m, w.dtype, &rng);
    ng_mat y = test_mat(6, 4, 0, w.dtype), few = test_mat(4, 4, 0, w.dtype);
    ng_mat none = ng_mat_block(y, 0, 0, 0, 4);
    ng_assert_ok(ng_fisher_inverse_layer(w.f, y, a, g, 1, &error), &error);
    ng_assert_fails(ng_fisher_inverse_layer(w.f, few, a, g, 1, &error), NG_ESHAPE, &error, "rows");
    ng_assert_fails(ng_fisher_inverse_layer(w.f, none, a, g, 1, &error), NG_ESHAPE, &error, "rows");
    ng_assert_fails(ng_fisher_inverse_layer(w.f, y, a, ng_mat_block(g, 0, 0, 11, m), 1, &error),
                    NG_ESHAPE, &error, "rows");
    ng_assert_fails(ng_fisher_inverse_layer(w.f, ng_mat_block(y, 0, 0, 6, 3), a, g, 1, &error),
                    NG_ESHAPE, &error, "values");
    ng_assert_fails(ng_fisher_inverse_layer(w.f, y, a, g, -1, &error), NG_EARG, &error, "damping");
    ng_mat_set(g, 11, 0, NAN);
    ng_assert_fails(ng_fisher_inverse_layer(w.f, y, a, g, 1, &error), NG_ENONFINITE, &error, "g");
    test_free(a), test_free(g), test_free(y), test_free(few);
    world_close(&w);
}
END_TEST

TEST_SUITE(layer)
{
    TCase *tc = tcase_create("layer");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_add_loop_test(tc, factors_come_out, 0, FACTORED);
    tcase_add_loop_test(tc, products_by_the_inverse, 0, FACTORED);
    tcase_add_loop_test(tc, what_does_not_fit, 0, FACTORED);
    suite_add_tcase(suite, tc);
}
