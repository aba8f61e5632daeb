/* Sums of shifted inverses, and the inverse square root they make. */
#include "lib/linalg/polar/fractions.h"
#include "lib/linalg/sweep.h"
#include "tests/linalg/common.h"
#include "tests/support/dense.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 61;
}

static const size_t sizes[] = {1, 2, 7, 8, 16, 31, 32, 33, 47, 64, 65, 130, 275};
enum { SIZES = sizeof sizes / sizeof sizes[0] };
static const double t[] = {1e-3, 0.02, 0.4, 7, 1, 0.1, 3, 0.5, 2},
                    w[] = {1, 2, -3, 4, 5, 1, 1, 2, 7};
enum { TERMS = sizeof t / sizeof t[0] };

/* Q^T diag(s) Q with s log-spaced from 1 to least; the upper triangle is nobody's business */
static ng_mat positive(size_t n, double least, ng_dtype dtype)
{
    ng_mat q = test_orthogonal(n, &rng);
    double s[300];
    for (size_t i = 0; i < n; i++)
        s[i] = n > 1 ? pow(least, (double)i / (double)(n - 1)) : least;
    ng_mat wide = from_spectrum(q, s), a = padded(wide, dtype);
    set_upper(a, NAN);
    test_free(q), test_free(wide);
    return a;
}

/* both triangles of what the lower one says, in double */
static ng_mat whole(ng_mat a)
{
    ng_mat x = dense_of(a);
    symmetrise(x);
    return x;
}

/* the same in double and whole, on dense's list */
static ng_mat whole_positive(size_t n, double least)
{
    ng_mat a = positive(n, least, NG_F64), x = whole(a);
    test_free(a);
    return x;
}

static ng_mat call(ng_mat a, ng_mat p, const double *shifts, const double *weights, size_t terms)
{
    ng_error err = {NG_OK, ""};
    size_t bytes = ngi_shifted_inverses_work(a.rows, a.dtype);
    ng_mat k = test_mat(a.rows, a.rows, PAD, a.dtype);
    void *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    ng_work work = ng_work_on(block, bytes); /* exactly what was promised */
    ng_assert_ok(ngi_shifted_inverses(k, a, p, shifts, weights, terms, &work, &err), &err);
    ck_assert_uint_eq(work.used, 0);
    free(block);
    return k;
}

/* (a + t p) k = w I for one term, which needs no second inverse */
START_TEST(one_term)
{
    size_t n = sizes[_i / 4];
    ng_dtype dtype = (ng_dtype)(_i % 2);
    int with_p = _i / 2 % 2;
    ng_mat a = positive(n, 1e-3, dtype), p = positive(n, 0.1, dtype), none = {.dtype = dtype};
    for (size_t j = 0; j < TERMS; j++) {
        ng_mat k = call(a, with_p ? p : none, t + j, w + j, 1);
        ng_mat sum = dense_add(1, whole(a), t[j], with_p ? whole(p) : dense_identity(n));
        ng_mat product = dense_mul(sum, 0, dense_of(k), 0);
        ng_assert_mat(product, dense_scale(w[j], dense_identity(n)),
                      (20 / (2e-3 + t[j]) + sqrt((double)n)) * ng_dtype_eps(dtype));
        ck_assert(test_same_bits(dense_of(k), dense_transpose(dense_of(k))));
        test_free(k);
        dense_release();
    }
    test_free(a), test_free(p);
}
END_TEST

/* All terms at once are the terms one by one: more than there are lanes, and less. */
START_TEST(sums)
{
    size_t n = sizes[_i / 2];
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_mat a = positive(n, 1e-2, dtype), p = positive(n, 0.2, dtype);
    for (size_t terms = 1; terms <= TERMS; terms += 2) {
        ng_mat sum = dense_mat(n, n), k = call(a, p, t, w, terms);
        for (size_t j = 0; j < terms; j++) {
            ng_mat one = call(a, p, t + j, w + j, 1);
            sum = dense_add(1, sum, 1, dense_of(one));
            test_free(one);
        }
        ng_assert_mat(k, sum, 1000 * ng_dtype_eps(dtype));
        test_free(k);
        dense_release();
    }
    test_free(a), test_free(p);
}
END_TEST

/* A pivot that is not positive, wherever it lies, is said and not divided by. */
START_TEST(not_positive)
{
    size_t n = sizes[_i / 2];
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_mat none = {.dtype = dtype}, k = test_mat(n, n, 0, dtype);
    ng_work work;
    ng_error err = {NG_OK, ""};
    ng_assert_ok(ng_work_create(&work, ngi_shifted_inverses_work(n, dtype), &err), &err);
    for (size_t bad = 0; bad < n; bad += n / 3 + 1)
        for (int kind = 0; kind < 3; kind++) {
            ng_mat a = test_mat(n, n, PAD, dtype);
            for (size_t i = 0; i < n; i++)
                ng_mat_set(a, i, i, 1);
            ng_mat_set(a, bad, bad, kind == 0 ? -1 : kind == 1 ? 0 : NAN);
            double zero = 0, one = 1;
            ng_assert_fails(ngi_shifted_inverses(k, a, none, &zero, &one, 1, &work, &err),
                            NG_ESINGULAR, &err, "positive definite");
            ck_assert_uint_eq(work.used, 0);
            test_free(a);
        }
    ng_work_destroy(&work);
    test_free(k);
}
END_TEST

/* ---- Coefficients ----------------------------------------------------------------- */

/* the sum at x */
static double sum_at(double x, const double *shift, const double *weight, double constant,
                     int terms)
{
    double sum = constant;
    for (int j = 0; j < terms; j++)
        sum += weight[j] / (x + shift[j]);
    return sum;
}

/* largest relative error of the sum on [l, 1], of half as many terms as there are halves and, where
 * one is left over, a constant */
static double worst(int halves, double l)
{
    double most = 0, shift[NGI_FRACTIONS_MOST], weight[NGI_FRACTIONS_MOST], constant = 0;
    ngi_fractions(shift, weight, halves % 2 ? &constant : NULL, halves / 2, l);
    for (int i = 0; i <= 20000; i++) {
        double x = pow(l, i / 20000.0);
        most = fmax(most, fabs(sum_at(x, shift, weight, constant, halves / 2) * sqrt(x) - 1));
    }
    return most;
}

/* Zolotarev's error, by an independent computation. */
START_TEST(coefficients)
{
    static const struct {
        double l, error;
        int halves;
    } known[] = {{1e-5, 1.6e-2, 8},   {1e-5, 4.0e-3, 10}, {1e-5, 1.0e-3, 12}, {1e-5, 2.5e-4, 14},
                 {1e-5, 6e-5, 16},    {1e-6, 3.2e-3, 12}, {1e-6, 2.9e-4, 16}, {6e-6, 2.605e-3, 11},
                 {6e-6, 6.86e-4, 13}, {1e-6, 5.76e-3, 11}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        ng_assert_rel(worst(known[i].halves, known[i].l), known[i].error, 0.06);
}
END_TEST

/* Below the range the sum never exceeds x^(-1/2) by more than on it. */
START_TEST(soft_floor)
{
    double shift[NGI_FRACTIONS_MOST], weight[NGI_FRACTIONS_MOST];
    for (int halves = 4; halves <= 2 * NGI_FRACTIONS_MOST; halves++) {
        double error = worst(halves, 1e-5), last = INFINITY, constant = 0;
        ngi_fractions(shift, weight, halves % 2 ? &constant : NULL, halves / 2, 1e-5);
        for (double x = 1e-5; x > 1e-14; x *= 0.8) {
            double y = sum_at(x, shift, weight, constant, halves / 2) * sqrt(x);
            ng_assert_le(y, (1 + error) * (1 + 1e-9));
            ng_assert_le(y, last * (1 + 1e-9));
            last = y;
        }
    }
}
END_TEST

/* ---- The root ------------------------------------------------------------------------- */

/* S^-T (S^-1 A S^-T)^(-1/2) S^-1 with the symmetric root S, by Jacobi's method */
static ng_mat oracle(ng_mat a, ng_mat p)
{
    ng_mat inner = dense_power(p, -0.5);
    ng_mat white = dense_mul(dense_mul(inner, 0, a, 0), 0, inner, 0);
    symmetrise(white);
    return dense_mul(dense_mul(inner, 0, dense_power(white, -0.5), 0), 0, inner, 0);
}

/* eigenvalues from 1 to 1e-4 of what the root is taken of; the bound 1 or off by a factor */
START_TEST(root)
{
    static const size_t few[] = {1, 5, 17, 32, 33, 60};
    static const double bounds[] = {1, 0.9, 1.4};
    size_t n = few[_i / 4];
    ng_dtype dtype = (ng_dtype)(_i % 2);
    int with_p = _i / 2 % 2;
    for (int b = 0; b < 3; b++) {
        ng_error err = {NG_OK, ""};
        ng_work work;
        ng_mat p = with_p ? positive(n, 0.05, dtype) : (ng_mat){.dtype = dtype};
        ng_mat white = whole_positive(n, 1e-4), a = white, k = test_mat(n, n, PAD, dtype);
        if (with_p) {
            ng_mat s = dense_power(whole(p), 0.5);
            a = dense_mul(dense_mul(s, 0, white, 0), 0, s, 0);
        }
        ng_mat rounded = padded(a, dtype);
        double largest = n > 1 ? 1 : 1e-4;
        ng_assert_ok(ng_work_create(&work, ngi_inverse_root_work(n, dtype), &err), &err);
        ng_assert_ok(ngi_inverse_root(k, rounded, p, largest * bounds[b], &work, &err), &err);
        ng_assert_mat(k, oracle(a, with_p ? whole(p) : dense_identity(n)), 4e-3);
        ng_work_destroy(&work);
        test_free(k), test_free(rounded);
        if (with_p)
            test_free(p);
        dense_release();
    }
}
END_TEST

/* a = u u^T and p with a spike along u: k u = u / (|u| sqrt(5)), although the condition number of
 * a + t p is up to 1e7 and in f32 cancellation leaves noise where u is not. */
START_TEST(rank_one)
{
    size_t n = sizes[_i / 2];
    ng_dtype dtype = (ng_dtype)(_i % 2);
    for (int turn = 0; turn < 8; turn++) {
        ng_error err = {NG_OK, ""};
        ng_work work;
        ng_mat u = dense_normal(n, 1, &rng), a = padded(dense_mul(u, 0, u, 1), dtype);
        ng_mat spike = dense_scale(4 / dense_dot(u, u), dense_mul(u, 0, u, 1));
        ng_mat p = padded(dense_add(1, spike, 1, dense_identity(n)), dtype);
        ng_mat k = test_mat(n, n, PAD, dtype);
        ng_assert_ok(ng_work_create(&work, ngi_inverse_root_work(n, dtype), &err), &err);
        ng_assert_ok(ngi_inverse_root(k, a, p, dense_dot(u, u) / 5 * 1.2, &work, &err), &err);
        ng_assert_mat(dense_mul(dense_of(k), 0, u, 0), dense_scale(1 / (test_norm(u) * sqrt(5)), u),
                      5e-3);
        ng_work_destroy(&work);
        test_free(a), test_free(p), test_free(k);
        dense_release();
    }
}
END_TEST

/* With P: of P^-1 A, through the inverse of P. */
static ng_status solve(void *data, ng_mat z, ng_mat x, ng_work *work, ng_error *error)
{
    const ng_mat *inverse = data;
    (void)work;
    return ng_gemm(z, *inverse, NG_NOTRANS, x, NG_NOTRANS, 1, 0, error);
}

START_TEST(generalised_bound)
{
    ng_dtype dtype = (ng_dtype)(_i % 2);
    for (size_t n = 1; n < 60; n += 19)
        for (int kind = 0; kind < 3; kind++) {
            ng_work work;
            double found;
            ng_mat x = kind == 0 ? dense_normal(n, 2 * n, &rng) : dense_rank(n, n, 1, &rng);
            ng_mat wide = whole_positive(n, 0.02), half = dense_power(wide, -0.5);
            if (kind == 2) /* the largest column is the wrong one to begin with */
                x = dense_add(1, dense_mul(dense_power(wide, 0.5), 0, x, 0), 0, x);
            ng_mat a = padded(dense_mul(x, 0, x, 1), dtype), p = padded(wide, dtype);
            ng_mat inverse = padded(dense_power(wide, -1), dtype);
            size_t bytes = ngi_largest_eigenvalue_work(n, dtype);
            ng_assert_ok(ng_work_create(&work, bytes, NULL), NULL);
            ng_assert_ok(ngi_largest_eigenvalue(&found, a, p, solve, &inverse, &work, NULL), NULL);
            double largest = pow(dense_spectral(dense_mul(half, 0, x, 0)), 2);
            ng_assert_le(largest * (1 - 1e-4), found * 1.05);
            ng_assert_le(found, 1.21 * largest);
            ng_work_destroy(&work);
            test_free(a), test_free(p), test_free(inverse);
            dense_release();
        }
}
END_TEST

/* Condition numbers to the limit of the dtype; beyond it what is added to the diagonal helps. */
START_TEST(inverse)
{
    size_t n = sizes[_i / 2];
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_work work;
    ng_error err = {NG_OK, ""};
    ng_mat a = positive(n, 1e-2, dtype), b = test_mat(n, n, PAD, dtype), x = dense_of(a);
    symmetrise(x);
    ng_assert_ok(ng_work_create(&work, ngi_spd_inverse_work(n, dtype), &err), &err);
    ng_assert_ok(ngi_spd_inverse(b, a, &work, &err), &err);
    ng_assert_mat(dense_mul(x, 0, dense_of(b), 0), dense_identity(n),
                  (1000 + sqrt((double)n)) * ng_dtype_eps(dtype));
    ng_mat flat = test_mat(n, n, PAD, dtype);
    ng_fill(flat, 1);
    ng_assert_ok(ngi_spd_inverse(b, flat, &work, &err), &err);
    ck_assert(ng_is_finite(b));
    ng_mat_set(flat, 0, 0, -1);
    ng_assert_fails(ngi_spd_inverse(b, flat, &work, &err), NG_ESINGULAR, &err, "definite");
    ck_assert_uint_eq(work.used, 0);
    ng_work_destroy(&work);
    test_free(a), test_free(b), test_free(flat);
}
END_TEST

START_TEST(bound)
{
    ng_dtype dtype = (ng_dtype)(_i % 2);
    for (int kind = 0; kind < 5; kind++)
        for (size_t n = 1; n < 70; n += 17) {
            ng_error err = {NG_OK, ""};
            ng_work work;
            double found;
            /* log spectrum, Gaussian Gram, rank one, columns of ones; all rows alike but the
             * longest, which is orthogonal to them */
            ng_mat x = dense_normal(n, 2 * n, &rng), a;
            if (kind == 0)
                x = whole_positive(n, 1e-3);
            else if (kind == 2)
                x = dense_rank(n, n, 1, &rng);
            else if (kind == 3)
                for (size_t i = 0; i < n; i++)
                    ng_mat_set(x, i, 0, 100);
            else if (kind == 4) {
                ng_fill(x, 0);
                for (size_t i = 0; i < n; i++)
                    ng_mat_set(x, i, i == n / 2, i == n / 2 ? 1.1 : 1);
            }
            a = padded(dense_mul(x, 0, x, 1), dtype);
            ng_assert_ok(ng_work_create(&work, ngi_largest_eigenvalue_work(n, dtype), &err), &err);
            ng_assert_ok(ngi_largest_eigenvalue(&found, a, ng_mat_none(), NULL, NULL, &work, &err),
                         &err);
            double largest = pow(dense_spectral(x), 2);
            ng_assert_le(largest * (1 - 1e-5), found * 1.05);
            ng_assert_le(found, 1.3 * largest);
            ng_work_destroy(&work);
            test_free(a);
            dense_release();
        }
    ng_mat zero = test_mat(3, 3, 0, dtype);
    double found = 1;
    ng_work work;
    ng_assert_ok(ng_work_create(&work, ngi_largest_eigenvalue_work(3, dtype), NULL), NULL);
    ng_assert_ok(ngi_largest_eigenvalue(&found, zero, ng_mat_none(), NULL, NULL, &work, NULL),
                 NULL);
    ck_assert(found == 0);
    ng_work_destroy(&work);
    test_free(zero);
}
END_TEST

TEST_SUITE(sweep)
{
    TCase *tc = tcase_create("shifted inverses");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_add_loop_test(tc, one_term, 0, 4 * SIZES);
    tcase_add_loop_test(tc, sums, 0, 2 * SIZES);
    tcase_add_loop_test(tc, not_positive, 0, 2 * SIZES);
    tcase_add_test(tc, coefficients);
    tcase_add_test(tc, soft_floor);
    tcase_add_loop_test(tc, root, 0, 24);
    tcase_add_loop_test(tc, rank_one, 0, 2 * SIZES);
    tcase_add_loop_test(tc, generalised_bound, 0, 2);
    tcase_add_loop_test(tc, inverse, 0, 2 * SIZES);
    tcase_add_loop_test(tc, bound, 0, 2);
    suite_add_tcase(suite, tc);
}
