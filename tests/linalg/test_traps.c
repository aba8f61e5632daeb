/* Hosts that trap: every call on zeros, on ordinary numbers and on both, with the floating-point
 * exceptions that stand for a mistake enabled. A trap ends the test. Scratch holds what it likes,
 * signalling NaN included, and so does the triangle of a symmetric matrix that is not read. */
#define _GNU_SOURCE /* feenableexcept */
#include "tests/linalg/common.h"

#include <fenv.h>

#include "tests/linalg/routes.h"

#ifdef __GLIBC__

static test_rng rng;

static void reseed(void)
{
    rng.state = 77;
}

/* _i = 2 * kind + dtype; kinds of numbers: all 0, ordinary, one row 0, subnormal */
#define DTYPE ((ng_dtype)(_i % 2))
enum { ZEROS, ORDINARY, A_ROW, SUBNORMAL, KINDS };

static ng_mat numbers(size_t m, size_t n, int kind, ng_dtype dtype)
{
    ng_mat x = random_mat(m, n, dtype, &rng);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            if (kind == ZEROS || (kind == A_ROW && i == m / 2))
                ng_mat_set(x, i, j, 0);
            else if (kind == SUBNORMAL)
                ng_mat_set(x, i, j, (dtype == NG_F32 ? 1e-42 : 1e-312) * ng_mat_get(x, i, j));
    return x;
}

/* what scratch may hold: signalling NaNs */
static void poison(void *data, size_t bytes)
{
    memset(data, 0, bytes);
    for (size_t i = 0; i + 4 <= bytes; i += 4) {
        unsigned bits = 0x7fa00001;
        memcpy((char *)data + i, &bits, 4);
    }
}

/* x x^T (n x n) with a poisoned upper triangle */
static ng_mat gram(ng_mat x)
{
    size_t n = x.rows;
    ng_mat g = test_mat(n, n, 0, x.dtype);
    test_matmul(g, x, 0, x, 1);
    for (size_t i = 0; i < n; i++)
        poison((char *)g.data + (i * n + i + 1) * ng_dtype_size(x.dtype),
               (n - i - 1) * ng_dtype_size(x.dtype));
    return g;
}

static ng_work poisoned(size_t size)
{
    ng_work work;
    ng_assert_ok(ng_work_create(&work, size, NULL), NULL);
    poison(work.data, work.size);
    return work;
}

static void trap(void)
{
    feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
}

static void calm(void)
{
    fedisableexcept(FE_ALL_EXCEPT);
}

START_TEST(elements)
{
    for (int kind = 0; kind < KINDS; kind++) {
        ng_mat x = numbers(9, 17, kind, DTYPE), y = numbers(9, 17, _i / 2, DTYPE);
        ng_mat t = numbers(17, 9, kind, DTYPE), square = numbers(9, 9, kind, DTYPE);
        trap();
        double sum = ng_norm(x) + ng_dot(x, y) + ng_trace(x) + ng_max_abs(x);
        ng_status status[] = {ng_axpby(y, x, 0.5, 0.25, NULL), ng_lincomb(y, 2, x, -1, y, NULL),
                              ng_transpose(t, x, NULL), ng_gemm(square, x, 0, y, 1, 1, 0, NULL),
                              ng_syrk(square, x, 0, 1, 1, NULL)};
        ng_scale(y, 3), ng_clamp(y, 1), ng_add_diagonal(square, 1), ng_mirror(square);
        calm();
        ck_assert(isfinite(sum));
        for (size_t k = 0; k < sizeof status / sizeof *status; k++)
            ck_assert_int_eq(status[k], NG_OK);
        test_free(x), test_free(y), test_free(t), test_free(square);
    }
}
END_TEST

START_TEST(factorisations)
{
    static const size_t sizes[][2] = {{1, 1}, {6, 9}, {40, 60}, {60, 40}};
    for (size_t s = 0; s < 4; s++) {
        size_t n = sizes[s][0], c = sizes[s][1], k = n < c ? n : c;
        ng_mat x = numbers(n, c, _i / 2, DTYPE), a = gram(x), l = test_mat(n, n, 0, DTYPE);
        ng_mat w = test_mat(1, n, 0, DTYPE), v = test_mat(n, n, 0, DTYPE);
        ng_mat u = test_mat(n, k, 0, DTYPE), sv = test_mat(1, k, 0, DTYPE);
        ng_mat vt = test_mat(k, c, 0, DTYPE);
        ng_work e = poisoned(ng_eigh_work(n, DTYPE)), d = poisoned(ng_svd_work(n, c, DTYPE));
        ng_work p = poisoned(ng_spd_power_work(n, DTYPE));
        double jitter;
        trap();
        ng_status eigh = ng_eigh(w, v, NULL, a, &e, NULL);
        ng_status svd = ng_svd(u, sv, vt, NULL, x, &d, NULL);
        ng_status power = ng_spd_power(l, a, 0.25, 0, &p, NULL);
        ng_cholesky(l, &jitter, a, NULL); /* may say that it is singular */
        ng_cholesky(l, NULL, a, NULL);
        ng_spd_power(l, a, -0.5, 0, &p, NULL);
        calm();
        ck_assert_int_eq(eigh, NG_OK);
        ck_assert_int_eq(svd, NG_OK);
        ck_assert_int_eq(power, NG_OK);
        ng_work_destroy(&e), ng_work_destroy(&d), ng_work_destroy(&p);
        test_free(x), test_free(a), test_free(l), test_free(w), test_free(v);
        test_free(u), test_free(sv), test_free(vt);
    }
}
END_TEST

START_TEST(polar_factors)
{
    static const size_t sizes[][2] = {{1, 1}, {6, 9}, {40, 90}, {90, 40}, {40, 40}};
    for (size_t s = 0; s < 5; s++)
        for (int r = NG_ROUTE_AUTO; r <= NG_ROUTE_DWH; r++)
            for (int iteration = 0; iteration < 3; iteration++) {
                ng_mat x = numbers(sizes[s][0], sizes[s][1], _i / 2, DTYPE), u = test_copy(x);
                ng_polar_options o = forced((ng_polar_route)r);
                ng_polar_info info;
                ng_error error = {NG_OK, ""};
                o.iteration = (ng_polar_iteration)iteration;
                ng_work work = poisoned(ng_polar_work(x.rows, x.cols, DTYPE, &o));
                trap();
                ng_status status = ng_polar(u, &info, x, &o, &work, &error);
                calm();
                ck_assert_msg(status == NG_OK, "route %d: %s", r, error.text);
                ck_assert(ng_is_finite(u));
                ng_work_destroy(&work);
                test_free(x), test_free(u);
            }
}
END_TEST

static ng_status diagonal(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    const ng_mat *d = data;
    (void)error;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(y, i, j, ng_mat_get(*d, 0, j) * ng_mat_get(x, i, j));
    return NG_OK;
}

START_TEST(iterations)
{
    enum { N = 12, K = 2 };
    ng_mat d = numbers(1, N, _i / 2, DTYPE), b = numbers(K, N, ORDINARY, DTYPE);
    ng_mat zero = test_mat(K, N, 0, DTYPE), x = test_mat(K, N, 0, DTYPE);
    ng_mat values = test_mat(1, K, 0, DTYPE);
    ng_operator a = {diagonal, &d};
    for (size_t j = 0; j < N; j++)
        ng_mat_set(d, 0, j, fabs(ng_mat_get(d, 0, j)));
    ng_fill(zero, 0);
    ng_work c = poisoned(ng_cg_work(K, N, DTYPE)), l = poisoned(ng_lanczos_work(K, N, N, DTYPE));
    trap();
    ng_cg(x, NULL, b, 1e-4, 50, &a, NULL, &c, NULL); /* may fail: singular, out of range */
    ng_status nothing = ng_cg(x, NULL, zero, 1e-4, 50, &a, NULL, &c, NULL);
    ng_lanczos(values, x, NULL, 1e-4, N, &a, &l, NULL);
    calm();
    ck_assert_int_eq(nothing, NG_OK);
    ng_work_destroy(&c), ng_work_destroy(&l);
    test_free(d), test_free(b), test_free(zero), test_free(x), test_free(values);
}
END_TEST

#endif

TEST_SUITE(traps)
{
    TCase *tc = tcase_create("traps");
#ifdef __GLIBC__
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, elements, 0, 2 * KINDS);
    tcase_add_loop_test(tc, factorisations, 0, 2 * KINDS);
    tcase_add_loop_test(tc, polar_factors, 0, 2 * KINDS);
    tcase_add_loop_test(tc, iterations, 0, 2 * KINDS);
#endif
    suite_add_tcase(suite, tc);
}
