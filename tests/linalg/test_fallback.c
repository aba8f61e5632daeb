/* Fallbacks, reached by LAPACK routines that fail on purpose (tests/support/faults.h). */
#include "tests/linalg/common.h"
#include "tests/linalg/plans.h"

static test_rng rng;

/* Before each test: no plans, and the same numbers with and without forking. */
static void begin(void)
{
    all_well();
    rng.state = 7;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

/* ---- Eigenvalues ---------------------------------------------------------------- */

typedef struct {
    size_t n;
    double w[40];
    ng_mat q, exact, a, values, vectors;
} eigen_case;

static void make_eigen(eigen_case *c, size_t n, ng_dtype dtype)
{
    c->n = n;
    c->q = test_orthogonal(n, &rng);
    for (size_t k = 0; k < n; k++)
        c->w[k] = 1 + (double)k;
    c->exact = from_spectrum(c->q, c->w);
    c->a = padded(c->exact, dtype);
    set_upper(c->a, NAN);
    c->values = random_mat(1, n, dtype, &rng);
    c->vectors = random_mat(n, n, dtype, &rng);
}

static void free_eigen(eigen_case *c)
{
    test_free(c->q), test_free(c->exact), test_free(c->a);
    test_free(c->values), test_free(c->vectors);
}

static void check_eigen(const eigen_case *c)
{
    double tol = 16 * ng_dtype_eps(c->a.dtype);
    for (size_t k = 0; k < c->n; k++) {
        double dot = 0; /* simple eigenvalues: the vector is known up to its sign */
        ng_assert_le(fabs(ng_mat_get(c->values, 0, k) - c->w[k]), tol * (double)c->n);
        for (size_t j = 0; j < c->n; j++)
            dot += ng_mat_get(c->vectors, k, j) * ng_mat_get(c->q, k, j);
        ng_assert_le(fabs(fabs(dot) - 1), tol);
    }
    /* MRRR promises n eps, less than the QR iteration's orthogonality */
    ng_assert_le(row_defect(c->vectors), 8 * ng_dtype_eps(c->a.dtype) * (double)c->n);
}

START_TEST(eigh_falls_back)
{
    static const fault_kind kinds[] = {FAIL, NAN_VALUES, NAN_LEFT};
    for (int k = 0; k < 3; k++)
        for (size_t n = 1; n <= 40; n += 13) {
            eigen_case c;
            const char *route = NULL;
            ng_error error = {NG_OK, ""};
            make_eigen(&c, n, DTYPE);
            ng_mat a0 = test_copy(c.a);
            expect(ON_SYEVD, kinds[k], 1);
            expect(ON_SYEVR, SPARE, 0);
            ng_assert_ok(ng_eigh(c.values, c.vectors, &route, c.a, NULL, &error), &error);
            ck_assert_str_eq(route, "syevr");
            ck_assert_int_eq(plan[ON_SYEVR].calls, 1);
            check_eigen(&c);
            ck_assert(test_same_bits(c.a, a0));
            ng_assert_ok(ng_eigh(c.values, c.vectors, &route, c.a, NULL, &error), &error);
            ck_assert_str_eq(route, "syevd"); /* the next call is well again */
            check_eigen(&c);
            test_free(a0), free_eigen(&c);
        }
}
END_TEST

/* The promised workspace is enough for the second try too. */
START_TEST(eigh_falls_back_in_its_workspace)
{
    for (size_t n = 1; n <= 40; n += 13) {
        eigen_case c;
        size_t size = ng_eigh_work(n, DTYPE);
        void *block = aligned_alloc(64, size);
        ng_work work = ng_work_on(block, size);
        ng_error error = {NG_OK, ""};
        make_eigen(&c, n, DTYPE);
        expect(ON_SYEVD, FAIL, 1);
        ng_assert_ok(ng_eigh(c.values, c.vectors, NULL, c.a, &work, &error), &error);
        ck_assert_uint_eq(work.used, 0);
        check_eigen(&c);
        free(block), free_eigen(&c);
    }
}
END_TEST

START_TEST(eigh_gives_up)
{
    static const fault_kind kinds[] = {FAIL, NAN_VALUES, NAN_LEFT, TOO_FEW};
    for (int k = 0; k < 4; k++) {
        eigen_case c;
        ng_error error = {NG_OK, ""};
        char block[65536];
        ng_work work = ng_work_on(block, sizeof block);
        make_eigen(&c, 14, DTYPE);
        ng_mat a0 = test_copy(c.a);
        expect(ON_SYEVD, FAIL, 1);
        expect(ON_SYEVR, kinds[k], 1);
        ng_assert_fails(ng_eigh(c.values, c.vectors, NULL, c.a, &work, &error), NG_ENOCONV, &error,
                        "syevd");
        ck_assert_ptr_nonnull(strstr(error.text, "syevr"));
        ck_assert_uint_eq(work.used, 0);
        ck_assert(test_same_bits(c.a, a0));
        expect(ON_SYEVD, FAIL, 1);
        expect(ON_SYEVR, kinds[k], 1);
        ck_assert_int_eq(ng_eigh(c.values, c.vectors, NULL, c.a, NULL, NULL), NG_ENOCONV);
        test_free(a0), free_eigen(&c);
    }
}
END_TEST

/* ng_spd_power stands on ng_eigh in double */
START_TEST(power_falls_back)
{
    eigen_case c;
    ng_error error = {NG_OK, ""};
    make_eigen(&c, 14, DTYPE);
    double inverse[40];
    for (size_t k = 0; k < c.n; k++)
        inverse[k] = 1 / c.w[k];
    ng_mat ref = from_spectrum(c.q, inverse), a0 = test_copy(c.a);
    expect(ON_SYEVD, FAIL, 1);
    expect(ON_SYEVR, SPARE, 0);
    ng_assert_ok(ng_spd_power(c.vectors, c.a, -1, 0, NULL, &error), &error);
    ck_assert_int_eq(plan[ON_SYEVR].calls, 1);
    ng_assert_mat(c.vectors, ref, 64 * ng_dtype_eps(DTYPE));
    expect(ON_SYEVD, FAIL, 1);
    expect(ON_SYEVR, FAIL, 1);
    ng_assert_fails(ng_spd_power(c.a, c.a, -1, 0, NULL, &error), NG_ENOCONV, &error, "syevr");
    ck_assert(test_same_bits(c.a, a0)); /* in place: still the old matrix */
    test_free(ref), test_free(a0), free_eigen(&c);
}
END_TEST

/* ---- Singular values --------------------------------------------------------------- */

typedef struct {
    ng_mat a, u, s, vt;
} svd_case;

/* Without an oracle in closed form: a = u diag(s) vt decides. */
static void make_svd(svd_case *c, size_t m, size_t n, ng_dtype dtype)
{
    size_t k = m < n ? m : n;
    c->a = random_mat(m, n, dtype, &rng);
    c->u = random_mat(m, k, dtype, &rng);
    c->s = random_mat(1, k, dtype, &rng);
    c->vt = random_mat(k, n, dtype, &rng);
}

static void free_svd(svd_case *c)
{
    test_free(c->a), test_free(c->u), test_free(c->s), test_free(c->vt);
}

static void check_svd(const svd_case *c)
{
    size_t m = c->a.rows, k = c->s.cols;
    double eps = ng_dtype_eps(c->a.dtype), tol = 8 * eps;
    /* max(m, n) eps is the measure of LAPACK's own tests (xDRVBD), which allow 50 of it. QR iteration
     * turns around within one of these matrices and leaves 22 eps there, by the kernels of every
     * processor; the others keep below 16. */
    double backward = 2 * (double)(m > c->a.cols ? m : c->a.cols) * eps;
    ng_mat us = test_mat(m, k, 0, NG_F64), ut = test_mat(k, m, 0, NG_F64);
    ng_mat product = test_mat(m, c->a.cols, 0, NG_F64);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < k; j++) {
            ng_mat_set(ut, j, i, ng_mat_get(c->u, i, j));
            ng_mat_set(us, i, j, ng_mat_get(c->u, i, j) * ng_mat_get(c->s, 0, j));
        }
    for (size_t j = 1; j < k; j++)
        ck_assert(ng_mat_get(c->s, 0, j - 1) >= ng_mat_get(c->s, 0, j));
    ck_assert(ng_mat_get(c->s, 0, k - 1) >= 0);
    test_matmul(product, us, 0, c->vt, 0);
    ng_assert_mat(product, c->a, backward);
    ng_assert_le(row_defect(ut), 2 * tol * sqrt((double)k));
    ng_assert_le(row_defect(c->vt), 2 * tol * sqrt((double)k));
    test_free(us), test_free(ut), test_free(product);
}

static const test_shape svd_shapes[] = {{1, 1},  {1, 9},   {9, 1},  {7, 13},
                                        {13, 7}, {65, 33}, {20, 90}};

START_TEST(svd_falls_back)
{
    static const fault_kind kinds[] = {FAIL, NAN_VALUES, NAN_LEFT, NAN_RIGHT};
    for (int k = 0; k < 4; k++)
        for (size_t t = 0; t < sizeof svd_shapes / sizeof *svd_shapes; t++) {
            svd_case c;
            size_t size = ng_svd_work(svd_shapes[t].m, svd_shapes[t].n, DTYPE);
            void *block = aligned_alloc(64, size);
            ng_work work = ng_work_on(block, size);
            const char *route = NULL;
            ng_error error = {NG_OK, ""};
            make_svd(&c, svd_shapes[t].m, svd_shapes[t].n, DTYPE);
            ng_mat a0 = test_copy(c.a);
            expect(ON_GESDD, kinds[k], 1);
            expect(ON_GESVD, SPARE, 0);
            ng_assert_ok(ng_svd(c.u, c.s, c.vt, &route, c.a, &work, &error), &error);
            ck_assert_str_eq(route, "gesvd");
            ck_assert_int_eq(plan[ON_GESVD].calls, 1);
            ck_assert_uint_eq(work.used, 0);
            check_svd(&c);
            ck_assert(test_same_bits(c.a, a0));
            ng_assert_ok(ng_svd(c.u, c.s, c.vt, &route, c.a, NULL, &error), &error);
            ck_assert_str_eq(route, "gesdd");
            check_svd(&c);
            free(block), test_free(a0), free_svd(&c);
        }
}
END_TEST

START_TEST(svd_gives_up)
{
    static const fault_kind kinds[] = {FAIL, NAN_VALUES, NAN_LEFT, NAN_RIGHT};
    for (int k = 0; k < 4; k++) {
        svd_case c;
        ng_error error = {NG_OK, ""};
        char block[65536];
        ng_work work = ng_work_on(block, sizeof block);
        make_svd(&c, 7, 13, DTYPE);
        ng_mat a0 = test_copy(c.a);
        expect(ON_GESDD, FAIL, 1);
        expect(ON_GESVD, kinds[k], 1);
        ng_assert_fails(ng_svd(c.u, c.s, c.vt, NULL, c.a, &work, &error), NG_ENOCONV, &error,
                        "gesdd");
        ck_assert_ptr_nonnull(strstr(error.text, "gesvd"));
        ck_assert_uint_eq(work.used, 0);
        ck_assert(test_same_bits(c.a, a0));
        test_free(a0), free_svd(&c);
    }
}
END_TEST

/* ---- Cholesky ------------------------------------------------------------------------ */

/* A regular matrix whose first `times` attempts fail: eps tr/n, times ten for
 * each further attempt, and the factor is that of a + jitter I. */
START_TEST(cholesky_retries)
{
    static const fault_kind kinds[] = {FAIL, NAN_VALUES};
    for (int k = 0; k < 2; k++)
        for (int times = 1; times <= 6; times++) {
            eigen_case c;
            ng_error error = {NG_OK, ""};
            double jitter = -1, mean = 0;
            make_eigen(&c, 14, DTYPE);
            ng_mat product = test_mat(14, 14, 0, NG_F64), ref = test_copy(c.exact);
            expect(ON_POTRF, kinds[k], times);
            ng_assert_ok(ng_cholesky(c.vectors, &jitter, c.a, &error), &error);
            ck_assert_int_eq(plan[ON_POTRF].calls, times + 1);
            for (size_t i = 0; i < 14; i++)
                mean += ng_mat_get(c.a, i, i) / 14;
            ng_assert_rel(jitter, ng_dtype_eps(DTYPE) * mean * pow(10, times - 1),
                          16 * DBL_EPSILON);
            for (size_t i = 0; i < 14; i++)
                ng_mat_set(ref, i, i, ng_mat_get(ref, i, i) + jitter);
            ck_assert(upper_is(c.vectors, 0));
            test_matmul(product, c.vectors, 0, c.vectors, 1);
            ng_assert_mat(product, ref, 4 * ng_dtype_eps(DTYPE));
            test_free(product), test_free(ref), free_eigen(&c);
        }
}
END_TEST

/* Seven failures in a row may be met by one more try, a hundred are the end. */
START_TEST(cholesky_gives_up)
{
    static const fault_kind kinds[] = {FAIL, NAN_VALUES};
    for (int k = 0; k < 2; k++) {
        eigen_case c;
        double jitter;
        ng_error error = {NG_OK, ""};
        make_eigen(&c, 14, DTYPE);
        expect(ON_POTRF, kinds[k], 1);
        ng_assert_fails(ng_cholesky(c.vectors, NULL, c.a, &error), NG_ESINGULAR, &error,
                        "positive definite");
        ck_assert_int_eq(plan[ON_POTRF].calls, 1); /* no retry unless asked */
        expect(ON_POTRF, kinds[k], 100);
        ng_assert_fails(ng_cholesky(c.vectors, &jitter, c.a, &error), NG_ESINGULAR, &error,
                        "positive definite");
        ng_assert_le(plan[ON_POTRF].calls, 8);
        all_well();
        free_eigen(&c);
    }
}
END_TEST

TEST_SUITE(fallback)
{
    TCase *tc = tcase_create("injected failures");
    tcase_add_checked_fixture(tc, begin, unhook);
    tcase_add_loop_test(tc, eigh_falls_back, 0, 2);
    tcase_add_loop_test(tc, eigh_falls_back_in_its_workspace, 0, 2);
    tcase_add_loop_test(tc, eigh_gives_up, 0, 2);
    tcase_add_loop_test(tc, power_falls_back, 0, 2);
    tcase_add_loop_test(tc, svd_falls_back, 0, 2);
    tcase_add_loop_test(tc, svd_gives_up, 0, 2);
    tcase_add_loop_test(tc, cholesky_retries, 0, 2);
    tcase_add_loop_test(tc, cholesky_gives_up, 0, 2);
    suite_add_tcase(suite, tc);
}
