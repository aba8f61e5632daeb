/* Conjugate gradients and Lanczos against matrices of a known spectrum, through
 * operators that multiply naively. */
#include "tests/linalg/common.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 21;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

/* A matrix as an operator that counts, fails, or breaks when told to. */
typedef struct {
    ng_mat a;
    size_t calls, fail_at, nan_at; /* from 1; 0 never */
} dense_operator;

static ng_status apply(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    dense_operator *d = data;
    d->calls++;
    if (d->calls == d->fail_at)
        return ng_error_set(error, NG_EIO, "a device is gone");
    test_matmul(y, x, 0, d->a, 0);
    if (d->calls == d->nan_at)
        ng_mat_set(y, y.rows - 1, 0, NAN);
    return NG_OK;
}

static ng_operator as_operator(dense_operator *d)
{
    ng_operator a = {apply, d};
    return a;
}

static ng_mat with_spectrum(size_t n, const double *w)
{
    ng_mat q = test_orthogonal(n, &rng), a = from_spectrum(q, w);
    test_free(q);
    return a;
}

enum { N = 20, K = 3 };

static ng_mat spd(double cond)
{
    double w[N];
    for (size_t i = 0; i < N; i++)
        w[i] = pow(cond, -(double)i / (N - 1));
    return with_spectrum(N, w);
}

/* ||b - x a|| / ||b|| for row i, naively */
static double residual(ng_mat x, ng_mat b, ng_mat a, size_t i)
{
    ng_mat xi = ng_mat_block(x, i, 0, 1, x.cols), bi = ng_mat_block(b, i, 0, 1, x.cols);
    ng_mat r = test_mat(1, x.cols, 0, NG_F64);
    test_matmul(r, xi, 0, a, 0);
    double relative = test_rel_error(r, bi);
    test_free(r);
    return relative;
}

START_TEST(cg_solves)
{
    double tolerance = DTYPE == NG_F64 ? 1e-12 : 1e-5, scales[] = {1, 1e-12, 0x1p60};
    for (size_t s = 0; s < 3; s++)
        for (double cond = 1; cond < 200; cond *= 10) {
            dense_operator d = {spd(cond), 0, 0, 0};
            ng_operator a = as_operator(&d);
            ng_mat b = random_mat(K, N, DTYPE, &rng), x = test_mat(K, N, PAD, DTYPE);
            ng_iteration info;
            ng_error error = {NG_OK, ""};
            for (size_t j = 0; j < N; j++) { /* rows of their own sizes, and a zero */
                ng_mat_set(b, 0, j, scales[s] * ng_mat_get(b, 0, j));
                ng_mat_set(b, 1, j, 0);
            }
            ng_mat before = test_copy(b);
            ng_assert_ok(ng_cg(x, &info, b, tolerance, 100, &a, NULL, NULL, &error), &error);
            ng_assert_le(residual(x, b, d.a, 0), 2 * tolerance);
            ng_assert_le(residual(x, b, d.a, 2), 2 * tolerance);
            ck_assert(ng_max_abs(ng_mat_block(x, 1, 0, 1, N)) == 0);
            ng_assert_le(info.residual, tolerance);
            ck_assert_uint_le(info.iterations, 2 * N);
            ck_assert(test_same_bits(b, before));
            test_free(d.a), test_free(b), test_free(x), test_free(before);
        }
}
END_TEST

/* In exact arithmetic as many steps as there are different eigenvalues. */
START_TEST(cg_counts_steps)
{
    double w[N];
    for (size_t i = 0; i < N; i++)
        w[i] = 1 + (double)(i % 3);
    dense_operator d = {with_spectrum(N, w), 0, 0, 0};
    ng_operator a = as_operator(&d);
    ng_mat b = random_mat(K, N, DTYPE, &rng), x = test_mat(K, N, PAD, DTYPE);
    ng_iteration info;
    ng_assert_ok(ng_cg(x, &info, b, 1e-4, 100, &a, NULL, NULL, NULL), NULL);
    ck_assert_uint_eq(info.iterations, 3);
    ck_assert_uint_eq(d.calls, 4); /* and the true residual */
    test_free(d.a), test_free(b), test_free(x);
}
END_TEST

/* C = A: one step, whatever the condition. */
START_TEST(cg_preconditioned)
{
    ng_mat m = spd(1e4);
    double w[N];
    for (size_t i = 0; i < N; i++)
        w[i] = pow(1e4, -(double)i / (N - 1));
    reseed();
    ng_mat q = test_orthogonal(N, &rng), plain = test_mat(K, N, PAD, NG_F64);
    for (size_t i = 0; i < N; i++)
        w[i] = 1 / w[i];
    dense_operator d = {m, 0, 0, 0}, inverse = {from_spectrum(q, w), 0, 0, 0};
    ng_operator a = as_operator(&d), c = as_operator(&inverse);
    ng_mat b = random_mat(K, N, NG_F64, &rng), x = test_mat(K, N, PAD, NG_F64);
    ng_iteration with, without;
    ng_assert_ok(ng_cg(x, &with, b, 1e-9, 200, &a, &c, NULL, NULL), NULL);
    ck_assert_uint_eq(with.iterations, 1);
    ng_assert_ok(ng_cg(plain, &without, b, 1e-9, 200, &a, NULL, NULL, NULL), NULL);
    ck_assert_uint_gt(without.iterations, 15);
    ng_assert_mat(x, plain, 1e-4);
    test_free(m), test_free(inverse.a), test_free(q), test_free(b), test_free(x), test_free(plain);
}
END_TEST

START_TEST(cg_fails)
{
    double w[N];
    for (size_t i = 0; i < N; i++)
        w[i] = i == 3 ? -0.5 : 1 + (double)i;
    dense_operator good = {spd(100), 0, 0, 0}, bad = {with_spectrum(N, w), 0, 0, 0};
    ng_operator a = as_operator(&good), indefinite = as_operator(&bad), none = {NULL, NULL};
    ng_mat b = random_mat(K, N, DTYPE, &rng), x = test_mat(K, N, PAD, DTYPE);
    ng_iteration info;
    ng_error error = {NG_OK, ""};
    ng_assert_fails(ng_cg(x, &info, b, 1e-4, 50, &indefinite, NULL, NULL, &error), NG_EINDEFINITE,
                    &error, "p A p");
    ck_assert(ng_is_finite(x));
    ng_assert_fails(ng_cg(x, &info, b, 1e-4, 50, &a, &indefinite, NULL, &error), NG_EINDEFINITE,
                    &error, "preconditioner");
    ng_assert_fails(ng_cg(x, &info, b, 1e-5, 2, &a, NULL, NULL, &error), NG_ENOCONV, &error,
                    "2 iterations");
    ck_assert_uint_eq(info.iterations, 2);
    ng_assert_rel(
        info.residual,
        fmax(residual(x, b, good.a, 0), fmax(residual(x, b, good.a, 1), residual(x, b, good.a, 2))),
        1e-4);
    ng_assert_fails(ng_cg(x, &info, b, 1e-30, 5000, &a, NULL, NULL, &error), NG_ENOCONV, &error,
                    "rounding");
    good.calls = 0, good.nan_at = 3;
    ng_assert_fails(ng_cg(x, &info, b, 1e-4, 50, &a, NULL, NULL, &error), NG_ENONFINITE, &error,
                    "operator");
    ck_assert(ng_is_finite(x));
    good.calls = 0, good.nan_at = 0, good.fail_at = 2;
    ng_assert_fails(ng_cg(x, &info, b, 1e-4, 50, &a, NULL, NULL, &error), NG_EIO, &error,
                    "a device is gone");
    ng_assert_fails(ng_cg(x, NULL, b, 0, 50, &a, NULL, NULL, &error), NG_EARG, &error, "tolerance");
    ng_assert_fails(ng_cg(x, NULL, b, 0.1, 50, NULL, NULL, NULL, &error), NG_EARG, &error,
                    "operator");
    ng_assert_fails(ng_cg(x, NULL, b, 0.1, 50, &a, &none, NULL, &error), NG_EARG, &error,
                    "preconditioner");
    ng_assert_fails(ng_cg(ng_mat_block(x, 0, 0, 1, N), NULL, b, 0.1, 50, &a, NULL, NULL, &error),
                    NG_ESHAPE, &error, "x");
    ng_mat_set(b, 1, 1, INFINITY);
    ng_assert_fails(ng_cg(x, NULL, b, 0.1, 50, &a, NULL, NULL, &error), NG_ENONFINITE, &error, "b");
    test_free(good.a), test_free(bad.a), test_free(b), test_free(x);
}
END_TEST

/* A vector that is not finite never reaches the caller's operator. */
static ng_status apply_finite(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    ck_assert(ng_is_finite(x));
    return apply(data, y, x, error);
}

/* Singular A: b has a part where A is 0, so that no x solves it. Diagonal and turned, b with and
 * without equal elements, alone and beside a row that is solved. */
START_TEST(cg_singular)
{
    static const double diagonals[][3] = {{1, 0, 2}, {0, 0, 1}, {1, 1, 0}, {0, 0, 0}, {3, 2, -1}};
    for (size_t k = 0; k < 5; k++)
        for (int turned = 0; turned < 2; turned++)
            for (int equal = 0; equal < 2; equal++) {
                ng_mat a = turned ? with_spectrum(3, diagonals[k]) : test_mat(3, 3, 0, NG_F64);
                for (size_t i = 0; i < 3 && !turned; i++)
                    ng_mat_set(a, i, i, diagonals[k][i]);
                dense_operator d = {a, 0, 0, 0};
                ng_operator op = {apply_finite, &d};
                ng_mat b = random_mat(2, 3, DTYPE, &rng), x = test_mat(2, 3, PAD, DTYPE);
                for (size_t j = 0; j < 3; j++) {
                    ng_mat_set(b, 0, j, 0);
                    if (equal)
                        ng_mat_set(b, 1, j, 1);
                }
                ng_error error = {NG_OK, ""};
                ng_status status = ng_cg(x, NULL, b, 1e-4, 200, &op, NULL, NULL, &error);
                ck_assert_msg(status == NG_EINDEFINITE, "%s: %s, diagonal %zu, turned %d",
                              ng_status_name(status), error.text, k, turned);
                ck_assert(ng_is_finite(x));
                test_free(a), test_free(b), test_free(x);
            }
}
END_TEST

/* Curvatures that differ by more than 1 / eps are no singular matrix as long as products are exact:
 * F + damping I of a diagonal F, say. And a solution beyond the dtype is said to be that. */
START_TEST(cg_extreme)
{
    ng_mat a = test_mat(2, 2, 0, NG_F64), b = test_mat(1, 2, 0, DTYPE), x = test_copy(b);
    dense_operator d = {a, 0, 0, 0};
    ng_operator op = {apply_finite, &d};
    ng_error error = {NG_OK, ""};
    ng_mat_set(a, 0, 0, 1e20), ng_mat_set(a, 1, 1, 1);
    ng_mat_set(b, 0, 0, 1), ng_mat_set(b, 0, 1, 1);
    ng_assert_ok(ng_cg(x, NULL, b, 1e-5, 20, &op, NULL, NULL, &error), &error);
    ng_assert_rel(ng_mat_get(x, 0, 1), 1, 1e-5);
    double small = DTYPE == NG_F32 ? 1e-42 : 1e-310;
    ng_mat_set(a, 0, 0, small), ng_mat_set(a, 1, 1, small);
    ng_assert_fails(ng_cg(x, NULL, b, 1e-2, 20, &op, NULL, NULL, &error), NG_ERANGE, &error, "x");
    ck_assert(ng_is_finite(x));
    test_free(a), test_free(b), test_free(x);
}
END_TEST

/* Leading pairs of a spectrum given in ascending order. */
static void check_lanczos(const double *w, size_t n, size_t k, ng_dtype dtype, double tolerance)
{
    dense_operator d = {with_spectrum(n, w), 0, 0, 0};
    ng_operator a = as_operator(&d);
    ng_mat values = test_mat(1, k, PAD, dtype), v = test_mat(k, n, PAD, dtype);
    ng_mat av = test_mat(k, n, 0, NG_F64);
    double largest = fmax(fabs(w[0]), fabs(w[n - 1])), gap = 10 * tolerance * largest;
    ng_iteration info;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_lanczos(values, v, &info, tolerance, n, &a, NULL, &error), &error);
    ng_assert_le(info.residual, tolerance);
    test_matmul(av, v, 0, d.a, 0);
    for (size_t i = 0; i < k; i++) {
        ng_assert_le(fabs(ng_mat_get(values, 0, i) - w[n - k + i]), gap);
        for (size_t j = 0; j < n; j++)
            ng_assert_le(
                fabs(ng_mat_get(av, i, j) - ng_mat_get(values, 0, i) * ng_mat_get(v, i, j)), gap);
    }
    ng_assert_le(row_defect(v), 20 * sqrt((double)n) * ng_dtype_eps(dtype));
    test_free(d.a), test_free(values), test_free(v), test_free(av);
}

START_TEST(lanczos_finds)
{
    enum { MAX = 40 };
    double w[MAX], tolerance = DTYPE == NG_F64 ? 1e-11 : 1e-5;
    for (size_t n = 1; n <= MAX; n = 3 * n + 1)
        for (size_t k = 1; k <= n; k = 2 * k + 1)
            for (int kind = 0; kind < 5; kind++) {
                for (size_t i = 0; i < n; i++) {
                    double t = (double)(i + 1) / (double)n;
                    w[i] = kind == 0   ? t                       /* evenly */
                           : kind == 1 ? pow(1e-6, 1 - t)        /* decay */
                           : kind == 2 ? 2                       /* one value, n times */
                           : kind == 3 ? (i + 2 < n ? 0.0 : 3.0) /* rank two, repeated */
                                       : t - 0.8;                /* most of it negative */
                }
                if (kind != 3 || k > 1) /* a block finds what is repeated so often */
                    check_lanczos(w, n, k, DTYPE, tolerance);
            }
}
END_TEST

/* A long tail: a small basis is enough for the top, and the start is the same. */
START_TEST(lanczos_small_basis)
{
    enum { LONG = 120, TOP = 2 };
    double w[LONG];
    for (size_t i = 0; i < LONG; i++)
        w[i] = i + TOP < LONG ? 0.1 * (double)i / LONG : 1 + (double)i / LONG;
    dense_operator d = {with_spectrum(LONG, w), 0, 0, 0};
    ng_operator a = as_operator(&d);
    ng_mat values = test_mat(1, TOP, 0, DTYPE), v = test_mat(TOP, LONG, 0, DTYPE);
    ng_mat again = test_mat(TOP, LONG, 0, DTYPE);
    ng_iteration info;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_lanczos(values, v, &info, 1e-5, 30, &a, NULL, &error), &error);
    ck_assert_uint_le(info.iterations, 15);
    ck_assert_uint_eq(info.iterations, d.calls);
    ng_assert_rel(ng_mat_get(values, 0, 0), w[LONG - 2], 1e-6);
    ng_assert_rel(ng_mat_get(values, 0, 1), w[LONG - 1], 1e-6);
    ng_assert_ok(ng_lanczos(values, again, &info, 1e-5, 30, &a, NULL, &error), &error);
    ck_assert(test_same_bits(v, again));
    ng_assert_fails(ng_lanczos(values, v, &info, 1e-5, 4, &a, NULL, &error), NG_ENOCONV, &error,
                    "4 basis vectors");
    test_free(d.a), test_free(values), test_free(v), test_free(again);
}
END_TEST

/* A tiny operator and a large one: 1 / ||product|| has no place in the dtype, or the product's
 * square has none. The eigenvectors are those of the ordinary one. */
START_TEST(lanczos_scale)
{
    double w[N], scales[] = {DTYPE == NG_F32 ? 1e-40 : 1e-310, DTYPE == NG_F32 ? 1e30 : 1e300};
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < N; i++)
            w[i] = pow(2, (double)i - N + 1) * scales[s];
        dense_operator d = {test_mat(N, N, 0, NG_F64), 0, 0, 0};
        for (size_t i = 0; i < N; i++)
            ng_mat_set(d.a, i, i, w[i]);
        ng_operator a = as_operator(&d);
        ng_mat values = test_mat(1, 2, 0, DTYPE), v = test_mat(2, N, 0, DTYPE);
        ng_error error = {NG_OK, ""};
        ng_assert_ok(ng_lanczos(values, v, NULL, 1e-3, N, &a, NULL, &error), &error);
        for (size_t k = 0; k < 2; k++)
            ng_assert_rel(ng_mat_get(values, 0, k), w[N - 2 + k], 1e-2);
        test_free(d.a), test_free(values), test_free(v);
    }
}
END_TEST

START_TEST(lanczos_fails)
{
    dense_operator d = {spd(100), 0, 0, 2};
    ng_operator a = as_operator(&d);
    ng_mat values = test_mat(1, 2, 0, DTYPE), v = test_mat(2, N, 0, DTYPE);
    ng_error error = {NG_OK, ""};
    ng_assert_fails(ng_lanczos(values, v, NULL, 1e-5, N, &a, NULL, &error), NG_ENONFINITE, &error,
                    "operator");
    d.nan_at = 0, d.calls = 0, d.fail_at = 2;
    ng_assert_fails(ng_lanczos(values, v, NULL, 1e-5, N, &a, NULL, &error), NG_EIO, &error,
                    "a device is gone");
    ng_assert_fails(ng_lanczos(values, v, NULL, 0, N, &a, NULL, &error), NG_EARG, &error,
                    "tolerance");
    ng_assert_fails(ng_lanczos(values, v, NULL, 1e-5, 1, &a, NULL, &error), NG_EARG, &error,
                    "max_rows");
    ng_assert_fails(ng_lanczos(values, v, NULL, 1e-5, N, NULL, NULL, &error), NG_EARG, &error,
                    "operator");
    ng_assert_fails(
        ng_lanczos(values, ng_mat_block(v, 0, 0, 1, N), NULL, 1e-5, N, &a, NULL, &error), NG_ESHAPE,
        &error, "vectors");
    ng_assert_fails(
        ng_lanczos(values, ng_mat_block(v, 0, 0, 2, 1), NULL, 1e-5, N, &a, NULL, &error), NG_ESHAPE,
        &error, "values");
    test_free(d.a), test_free(values), test_free(v);
}
END_TEST

TEST_SUITE(iterations)
{
    TCase *tc = tcase_create("operators");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, cg_solves, 0, 2);
    tcase_add_loop_test(tc, cg_counts_steps, 0, 2);
    tcase_add_test(tc, cg_preconditioned);
    tcase_add_loop_test(tc, cg_fails, 0, 2);
    tcase_add_loop_test(tc, cg_singular, 0, 2);
    tcase_add_loop_test(tc, cg_extreme, 0, 2);
    tcase_add_loop_test(tc, lanczos_finds, 0, 2);
    tcase_add_loop_test(tc, lanczos_small_basis, 0, 2);
    tcase_add_loop_test(tc, lanczos_scale, 0, 2);
    tcase_add_loop_test(tc, lanczos_fails, 0, 2);
    suite_add_tcase(suite, tc);
}
