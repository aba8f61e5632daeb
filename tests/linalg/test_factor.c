/* Eigenvalues and singular values of matrices made from known ones. */
#include "tests/linalg/common.h"
#include "tests/support/dense.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 5;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

static double max_abs(const double *w, size_t n)
{
    double max = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, fabs(w[i]));
    return max;
}

/* ---- Symmetric eigendecomposition -------------------------------------------- */

typedef struct {
    ng_mat values, vectors;
} eigen;

/* a is the true matrix in double, w its eigenvalues, ascending. Errors are
 * relative to the largest one: small eigenvalues owe no more. */
static void check_eigen(eigen e, ng_mat a, const double *w)
{
    size_t n = a.rows;
    double eps = ng_dtype_eps(e.values.dtype), scale = max_abs(w, n);
    for (size_t k = 0; k < n; k++) {
        ng_assert_le(fabs(ng_mat_get(e.values, 0, k) - w[k]), 8 * eps * scale);
        ck_assert(k == 0 || ng_mat_get(e.values, 0, k - 1) <= ng_mat_get(e.values, 0, k));
    }
    ng_assert_le(row_defect(e.vectors), 16 * eps * sqrt((double)n));
    for (size_t k = 0; k < n; k++) { /* a v = lambda v, row by row */
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double r = -ng_mat_get(e.values, 0, k) * ng_mat_get(e.vectors, k, i);
            for (size_t j = 0; j < n; j++)
                r += ng_mat_get(a, i, j) * ng_mat_get(e.vectors, k, j);
            sum += r * r;
        }
        ng_assert_le(sqrt(sum), 16 * eps * scale);
    }
}

static void check_eigh(ng_mat q, const double *w, ng_dtype dtype)
{
    size_t n = q.rows;
    ng_mat exact = from_spectrum(q, w), a = padded(exact, dtype);
    eigen e = {test_mat(1, n, PAD, dtype), test_mat(n, n, PAD, dtype)};
    const char *route = NULL;
    ng_error error = {NG_OK, ""};
    set_upper(a, NAN);
    ng_mat a0 = test_copy(a);
    ng_assert_ok(ng_eigh(e.values, e.vectors, &route, a, NULL, &error), &error);
    ck_assert_str_eq(route, "syevd");
    ck_assert(test_same_bits(a, a0));
    check_eigen(e, exact, w);
    ng_assert_ok(ng_eigh(e.values, e.vectors, NULL, a, NULL, NULL), NULL);
    test_free(exact), test_free(a), test_free(a0), test_free(e.values), test_free(e.vectors);
}

/* spectra: separated, of both signs; clustered; of rank one; zero */
START_TEST(eigh)
{
    for (size_t t = 0; t < N_SIZES; t++)
        for (int kind = 0; kind < 4; kind++) {
            size_t n = test_sizes[t];
            ng_mat q = test_orthogonal(n, &rng);
            double w[130];
            for (size_t k = 0; k < n; k++)
                w[k] = kind == 0   ? -3 + 5 * (double)k / (double)n
                       : kind == 1 ? (k < n / 2 ? 1 : 2)
                       : kind == 2 ? (k + 1 == n ? 4 : 0)
                                   : 0;
            check_eigh(q, w, DTYPE);
            test_free(q);
        }
}
END_TEST

/* far from 1, where an unscaled method would overflow or lose everything */
START_TEST(eigh_scales)
{
    double scales[] = {DTYPE == NG_F32 ? 1e-30 : 1e-290, DTYPE == NG_F32 ? 1e30 : 1e290};
    for (int s = 0; s < 2; s++)
        for (size_t n = 5; n <= 65; n += 60) {
            ng_mat q = test_orthogonal(n, &rng);
            double w[65];
            for (size_t k = 0; k < n; k++)
                w[k] = scales[s] * (1 + (double)k);
            ng_mat exact = from_spectrum(q, w), a = padded(exact, DTYPE);
            eigen e = {test_mat(1, n, 0, DTYPE), test_mat(n, n, 0, DTYPE)};
            ng_assert_ok(ng_eigh(e.values, e.vectors, NULL, a, NULL, NULL), NULL);
            for (size_t k = 0; k < n; k++)
                ng_assert_le(fabs(ng_mat_get(e.values, 0, k) - w[k]),
                             8 * ng_dtype_eps(DTYPE) * w[n - 1]);
            ng_assert_le(row_defect(e.vectors), 16 * ng_dtype_eps(DTYPE) * sqrt((double)n));
            test_free(q), test_free(exact), test_free(a), test_free(e.values), test_free(e.vectors);
        }
}
END_TEST

/* closed form: [[2, .], [1, 2]] has 1 with (1, -1) and 3 with (1, 1) */
START_TEST(eigh_rows_are_vectors)
{
    ng_mat a = test_mat(2, 2, 0, DTYPE), w = test_mat(1, 2, 0, DTYPE), v = test_mat(2, 2, 0, DTYPE);
    ng_mat_set(a, 0, 0, 2), ng_mat_set(a, 1, 0, 1), ng_mat_set(a, 1, 1, 3.5);
    ng_mat_set(a, 0, 1, -100);
    ng_assert_ok(ng_eigh(w, v, NULL, a, NULL, NULL), NULL);
    double r = sqrt(0.75 * 0.75 + 1); /* (5.5 -+ sqrt(1.5^2 + 4)) / 2 */
    ng_assert_rel(ng_mat_get(w, 0, 0), 2.75 - r, 8 * ng_dtype_eps(DTYPE));
    ng_assert_rel(ng_mat_get(w, 0, 1), 2.75 + r, 8 * ng_dtype_eps(DTYPE));
    for (size_t k = 0; k < 2; k++) /* (2 - w) x + y = 0 */
        ng_assert_rel(ng_mat_get(v, k, 1), (ng_mat_get(w, 0, k) - 2) * ng_mat_get(v, k, 0),
                      8 * ng_dtype_eps(DTYPE));
    test_free(a), test_free(w), test_free(v);
}
END_TEST

/* ---- Singular values ------------------------------------------------------------ */

typedef struct {
    ng_mat u, s, vt;
} parts;

static parts make_parts(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = m < n ? m : n;
    parts p = {test_mat(m, k, PAD, dtype), test_mat(1, k, PAD, dtype), test_mat(k, n, PAD, dtype)};
    return p;
}

static void free_parts(parts p)
{
    test_free(p.u), test_free(p.s), test_free(p.vt);
}

/* a = sum over k of s_k (row k of p)^T (row k of q), in double */
static ng_mat from_singular(ng_mat p, const double *s, ng_mat q)
{
    size_t m = p.cols, n = q.cols, k = m < n ? m : n;
    ng_mat scaled = test_mat(k, n, 0, NG_F64), a = test_mat(m, n, 0, NG_F64);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < n; j++)
            ng_mat_set(scaled, i, j, s[i] * ng_mat_get(q, i, j));
    test_matmul(a, ng_mat_block(p, 0, 0, k, m), 1, scaled, 0);
    test_free(scaled);
    return a;
}

static void check_parts(parts p, ng_mat a, const double *s)
{
    size_t k = p.s.cols;
    double eps = ng_dtype_eps(p.s.dtype), scale = max_abs(s, k);
    ng_mat us = test_mat(a.rows, k, 0, NG_F64), ut = test_mat(k, a.rows, 0, NG_F64);
    ng_mat product = test_mat(a.rows, a.cols, 0, NG_F64);
    for (size_t j = 0; j < k; j++) {
        ng_assert_le(fabs(ng_mat_get(p.s, 0, j) - s[j]), 8 * eps * scale);
        ck_assert(ng_mat_get(p.s, 0, j) >= 0);
        ck_assert(j == 0 || ng_mat_get(p.s, 0, j - 1) >= ng_mat_get(p.s, 0, j));
        for (size_t i = 0; i < a.rows; i++) {
            ng_mat_set(us, i, j, ng_mat_get(p.u, i, j) * ng_mat_get(p.s, 0, j));
            ng_mat_set(ut, j, i, ng_mat_get(p.u, i, j));
        }
    }
    test_matmul(product, us, 0, p.vt, 0);
    ng_assert_mat(product, a, 16 * eps);
    ng_assert_le(row_defect(ut), 16 * eps * sqrt((double)k));
    ng_assert_le(row_defect(p.vt), 16 * eps * sqrt((double)k));
    test_free(us), test_free(ut), test_free(product);
}

static void check_svd(size_t m, size_t n, const double *s, ng_dtype dtype)
{
    ng_mat p = test_orthogonal(m, &rng), q = test_orthogonal(n, &rng);
    ng_mat exact = from_singular(p, s, q), a = padded(exact, dtype), a0 = test_copy(a);
    parts out = make_parts(m, n, dtype);
    const char *route = NULL;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_svd(out.u, out.s, out.vt, &route, a, NULL, &error), &error);
    ck_assert_str_eq(route, "gesdd");
    ck_assert(test_same_bits(a, a0));
    check_parts(out, exact, s);
    ng_assert_ok(ng_svd(out.u, out.s, out.vt, NULL, a, NULL, NULL), NULL);
    test_free(p), test_free(q), test_free(exact), test_free(a), test_free(a0);
    free_parts(out);
}

/* singular values: separated; of wide range; of half rank; zero; equal */
START_TEST(svd)
{
    for (size_t t = 0; t < N_SHAPES; t++)
        for (int kind = 0; kind < 5; kind++) {
            size_t m = test_shapes[t].m, n = test_shapes[t].n, k = m < n ? m : n;
            double s[130];
            for (size_t i = 0; i < k; i++)
                s[i] = kind == 0   ? (double)(k - i)
                       : kind == 1 ? pow(10, -6 * (double)i / (double)k)
                       : kind == 2 ? (2 * i < k ? 3 : 0)
                       : kind == 3 ? 0
                                   : 1;
            if (m < 100 || kind < 2)
                check_svd(m, n, s, DTYPE);
        }
}
END_TEST

START_TEST(svd_scales)
{
    double scales[] = {DTYPE == NG_F32 ? 1e-30 : 1e-290, DTYPE == NG_F32 ? 1e30 : 1e290};
    for (int i = 0; i < 2; i++)
        for (int wide = 0; wide < 2; wide++) {
            double s[] = {5 * scales[i], 2 * scales[i], scales[i]};
            ng_mat p = test_orthogonal(wide ? 3 : 7, &rng), q = test_orthogonal(wide ? 7 : 3, &rng);
            ng_mat exact = from_singular(p, s, q), a = padded(exact, DTYPE);
            parts out = make_parts(a.rows, a.cols, DTYPE);
            ng_assert_ok(ng_svd(out.u, out.s, out.vt, NULL, a, NULL, NULL), NULL);
            for (size_t j = 0; j < 3; j++)
                ng_assert_rel(ng_mat_get(out.s, 0, j), s[j], 32 * ng_dtype_eps(DTYPE));
            ng_assert_le(row_defect(out.vt), 16 * ng_dtype_eps(DTYPE));
            test_free(p), test_free(q), test_free(exact), test_free(a);
            free_parts(out);
        }
}
END_TEST

/* Eigenvalues alone; _i: dtype */
START_TEST(eigenvalues_alone)
{
    const ng_dtype dtype = _i ? NG_F64 : NG_F32;
    static const size_t sizes[] = {0, 1, 2, 7, 40};
    ng_error error = {NG_OK, ""};
    for (size_t k = 0; k < 5; k++) {
        const size_t n = sizes[k];
        ng_mat half = dense_normal(n, n, &rng), sum = dense_add(1, half, 1, dense_transpose(half));
        ng_mat a = test_mat(n, n, 2, dtype), values = test_mat(1, n, 0, dtype), expected;
        test_assign(a, sum);
        for (size_t i = 0; i < n; i++)
            for (size_t j = i + 1; j < n; j++)
                ng_mat_set(a, i, j, 1e30); /* not read */
        dense_eigh(&expected, NULL, sum);
        ng_assert_ok(ng_eigenvalues(values, a, &error), &error);
        for (size_t i = 0; i < n; i++)
            ck_assert_double_le(fabs(ng_mat_get(values, 0, i) - ng_mat_get(expected, 0, i)),
                                20 * ng_dtype_eps(dtype) * fabs(ng_mat_get(expected, 0, n - 1)) +
                                    20 * ng_dtype_eps(dtype) * fabs(ng_mat_get(expected, 0, 0)));
        test_free(a);
        test_free(values);
    }
    ng_mat a = test_mat(2, 2, 0, dtype), values = test_mat(1, 2, 0, dtype);
    ng_assert_fails(ng_eigenvalues(ng_mat_block(values, 0, 0, 1, 1), a, &error), NG_ESHAPE, &error,
                    "values");
    ng_mat_set(a, 1, 0, (double)NAN);
    ng_assert_fails(ng_eigenvalues(values, a, &error), NG_ENONFINITE, &error, "a");
    ng_mat_set(a, 1, 0, 0);
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_assert_fails(ng_eigenvalues(values, a, &error), NG_ENOMEM, &error, "");
    fault_over();
    test_free(a);
    test_free(values);
    dense_release();
}
END_TEST

TEST_SUITE(factor)
{
    TCase *tc = tcase_create("eigenvalues and singular values");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 120); /* naive oracles, perhaps under an emulator */
    tcase_add_loop_test(tc, eigh, 0, 2);
    tcase_add_loop_test(tc, eigh_scales, 0, 2);
    tcase_add_loop_test(tc, eigh_rows_are_vectors, 0, 2);
    tcase_add_loop_test(tc, svd, 0, 2);
    tcase_add_loop_test(tc, svd_scales, 0, 2);
    tcase_add_loop_test(tc, eigenvalues_alone, 0, 2);
    suite_add_tcase(suite, tc);
}
