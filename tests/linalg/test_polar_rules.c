/* What the polar factor promises beside accuracy: invariances, errors that
 * leave the output alone, and a workspace that suffices and is never overrun. */
#include "tests/support/dense.h"

#include <natgrad/polar.h>

static const size_t shapes[][2] = {{1, 1}, {1, 9}, {9, 1}, {6, 6}, {5, 17}, {17, 5}, {24, 31}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F32 ? 2e-6 : 1e-12;
}

/* condition at most 50, so that eps kappa stays far below the tolerance */
static ng_mat matrix(size_t m, size_t n, test_rng *rng)
{
    double s[64];
    for (size_t i = 0; i < 64; i++)
        s[i] = 0.02 + test_uniform(rng);
    return dense_compose(dense_frame(m, n, s, rng));
}

static ng_polar_options options_of(int accuracy)
{
    ng_polar_options options;
    ng_polar_init(&options);
    options.accuracy = (ng_polar_accuracy)accuracy;
    return options;
}

/* an owned matrix of x's dtype */
static ng_mat polar(ng_mat x, int accuracy)
{
    ng_error err = {NG_OK, ""};
    ng_mat u = test_mat(x.rows, x.cols, 2, x.dtype);
    ng_polar_options options = options_of(accuracy);
    ng_assert_ok(ng_polar(u, NULL, x, &options, NULL, &err), &err);
    return u;
}

/* the same, rounded to dtype first, in double on dense's list */
static ng_mat polar_of(ng_mat x, ng_dtype dtype, int accuracy)
{
    ng_mat in = test_convert(x, dtype), u = polar(in, accuracy);
    ng_mat wide = dense_of(u);
    test_free(in);
    test_free(u);
    return wide;
}

/* ---- Invariances ----------------------------------------------------------------- */

START_TEST(scale)
{
    test_rng rng = {21 + (unsigned)_i};
    static const int powers[2][6] = {{-100, -60, -1, 1, 60, 100}, {-900, -100, -1, 1, 100, 900}};
    for (int i = 0; i < 4; i++) { /* exact and fast */
        ng_dtype dtype = (ng_dtype)(i % 2);
        ng_mat x = test_convert(matrix(shapes[_i][0], shapes[_i][1], &rng), dtype);
        ng_mat u = polar(x, i / 2);
        for (int p = 0; p < 6; p++) {
            ng_mat y = test_copy(x);
            for (size_t r = 0; r < x.rows; r++)
                for (size_t c = 0; c < x.cols; c++)
                    ng_mat_set(y, r, c, ldexp(ng_mat_get(x, r, c), powers[dtype][p]));
            ng_mat v = polar(y, i / 2);
            ck_assert_msg(test_same_bits(u, v), "2^%d changed bits", powers[dtype][p]);
            test_free(y);
            test_free(v);
        }
        test_free(x);
        test_free(u);
        dense_release();
    }
}
END_TEST

START_TEST(transpose)
{
    test_rng rng = {22 + (unsigned)_i};
    for (int i = 0; i < 6; i++) {
        ng_mat x = matrix(shapes[_i][0], shapes[_i][1], &rng);
        ng_mat u = polar_of(x, (ng_dtype)(i % 2), i / 2);
        ng_mat v = polar_of(dense_transpose(x), (ng_dtype)(i % 2), i / 2);
        /* fast is within 5e-3 either way; Newton-Schulz loses eps kappa ||K||, the exact route not */
        double tol = tolerance((ng_dtype)(i % 2)) * (i < 2 ? 1 : 50);
        ng_assert_mat(dense_transpose(v), u, i / 2 == NG_POLAR_FAST ? 1e-2 : tol);
        dense_release();
    }
}
END_TEST

START_TEST(rotations)
{
    test_rng rng = {23 + (unsigned)_i};
    for (int accuracy = 0; accuracy < 3; accuracy++) {
        size_t m = shapes[_i][0], n = shapes[_i][1];
        ng_mat q1 = test_orthogonal(m, &rng), q2 = test_orthogonal(n, &rng);
        ng_mat x = matrix(m, n, &rng);
        ng_mat turned = dense_mul(dense_mul(q1, 0, x, 0), 0, q2, 0);
        ng_mat u = dense_mul(dense_mul(q1, 0, polar_of(x, NG_F64, accuracy), 0), 0, q2, 0);
        /* fast bounds the spectrum from a column, which turns: twice its 5e-3 */
        ng_assert_mat(polar_of(turned, NG_F64, accuracy), u,
                      accuracy == NG_POLAR_FAST ? 1e-2 : 1e-11);
        test_free(q1);
        test_free(q2);
        dense_release();
    }
}
END_TEST

START_TEST(idempotent)
{
    test_rng rng = {24 + (unsigned)_i};
    for (int i = 0; i < 4; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        ng_mat u = polar_of(matrix(shapes[_i][0], shapes[_i][1], &rng), dtype, NG_POLAR_EXACT);
        /* fast promises 5e-3 for every singular value */
        double tol = i / 2 == NG_POLAR_FAST ? 5e-3 : tolerance(dtype);
        ng_assert_mat(polar_of(u, dtype, i / 2), u, tol);
        dense_release();
    }
}
END_TEST

/* X = H U with H symmetric positive semidefinite (on the smaller side) */
START_TEST(hermitian_factor)
{
    test_rng rng = {25 + (unsigned)_i};
    for (int dtype = 0; dtype < 2; dtype++) {
        size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
        for (size_t r = 1; r <= k; r += k > 1 ? k - 1 : 1) {
            ng_mat x = r == k ? matrix(m, n, &rng) : dense_rank(m, n, r, &rng), l;
            ng_mat rounded = test_convert(x, (ng_dtype)dtype);
            ng_mat u = polar_of(x, (ng_dtype)dtype, NG_POLAR_EXACT);
            ng_mat h = m <= n ? dense_mul(rounded, 0, u, 1) : dense_mul(u, 1, rounded, 0);
            double tol = tolerance((ng_dtype)dtype) * (1e-30 + test_norm(x));
            ng_assert_le(dense_asymmetry(h), tol);
            dense_eigh(&l, NULL, dense_add(0.5, h, 0.5, dense_transpose(h)));
            ng_assert_le(-ng_mat_get(l, 0, 0), tol);
            ng_mat back = m <= n ? dense_mul(h, 0, u, 0) : dense_mul(u, 0, h, 0);
            ng_assert_le(test_norm(dense_add(1, back, -1, rounded)), 2 * tol);
            test_free(rounded);
            dense_release();
        }
    }
}
END_TEST

/* A view inside a larger matrix full of NaN: nothing around it may be read. */
START_TEST(neighbours_are_not_read)
{
    test_rng rng = {26 + (unsigned)_i};
    for (int i = 0; i < 6; i++) {
        size_t m = shapes[_i][0], n = shapes[_i][1];
        ng_mat big = test_mat(m + 2, n + 3, 0, (ng_dtype)(i % 2));
        ng_mat x = ng_mat_block(big, 1, 2, m, n), plain;
        for (size_t r = 0; r < m + 2; r++)
            for (size_t c = 0; c < n + 3; c++)
                ng_mat_set(big, r, c, NAN);
        test_assign(x, matrix(m, n, &rng));
        plain = test_copy(x);
        ng_mat u = polar(x, i / 2), v = polar(plain, i / 2);
        ck_assert(test_same_bits(u, v));
        test_free(u);
        test_free(v);
        test_free(plain);
        test_free(big);
        dense_release();
    }
}
END_TEST

/* ---- Errors ----------------------------------------------------------------------- */

START_TEST(non_finite)
{
    test_rng rng = {27 + (unsigned)_i};
    static const double poison[] = {NAN, INFINITY, -INFINITY};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < 6; i++)
        for (int p = 0; p < 3; p++) {
            ng_error err = {NG_OK, ""};
            ng_polar_options options = options_of(i / 2);
            ng_mat x = test_convert(matrix(m, n, &rng), (ng_dtype)(i % 2));
            ng_mat u = test_mat(m, n, 1, x.dtype);
            test_fill_normal(u, &rng);
            ng_mat before = test_copy(u);
            ng_mat_set(x, p == 0 ? m - 1 : 0, p == 1 ? 0 : n - 1, poison[p]);
            ng_assert_fails(ng_polar(u, NULL, x, &options, NULL, &err), NG_ENONFINITE, &err, "x");
            ck_assert(test_same_bits(u, before));
            ck_assert_int_eq(ng_polar(u, NULL, x, &options, NULL, NULL), NG_ENONFINITE);
            test_free(x);
            test_free(u);
            test_free(before);
            dense_release();
        }
}
END_TEST

START_TEST(bad_arguments)
{
    ng_error err = {NG_OK, ""};
    ng_polar_options o;
    ng_mat x = test_mat(3, 5, 0, NG_F32), u = test_mat(3, 5, 0, NG_F32);
    ng_mat turned = test_mat(5, 3, 0, NG_F32), wide = test_mat(3, 5, 0, NG_F64), none = x;
    ng_assert_fails(ng_polar(turned, NULL, x, NULL, NULL, &err), NG_ESHAPE, &err, "u");
    ng_assert_fails(ng_polar(wide, NULL, x, NULL, NULL, &err), NG_EDTYPE, &err, "u");
    none.data = NULL;
    ng_assert_fails(ng_polar(u, NULL, none, NULL, NULL, &err), NG_EARG, &err, "x");
    ng_assert_fails(ng_polar(none, NULL, x, NULL, NULL, &err), NG_EARG, &err, "u");
    o = options_of(3);
    ng_assert_fails(ng_polar(u, NULL, x, &o, NULL, &err), NG_EOPTION, &err, "accuracy");
    o = options_of(-1);
    ng_assert_fails(ng_polar(u, NULL, x, &o, NULL, &err), NG_EOPTION, &err, "accuracy");
    static const double kappas[] = {-1, NAN};
    for (int i = 0; i < 2; i++) {
        o = options_of(0);
        o.kappa_max = kappas[i];
        ng_assert_fails(ng_polar(u, NULL, x, &o, NULL, &err), NG_EOPTION, &err, "kappa_max");
    }
    o = options_of(0);
    o.size--;
    ng_assert_fails(ng_polar(u, NULL, x, &o, NULL, &err), NG_EOPTION, &err, "size");
    test_free(x);
    test_free(u);
    test_free(turned);
    test_free(wide);
}
END_TEST

START_TEST(empty)
{
    ng_polar_info info;
    for (int i = 0; i < 3; i++) {
        ng_mat x = test_mat(i == 0 ? 0 : 4, i == 1 ? 0 : 4, 0, NG_F32);
        ng_mat u = test_mat(x.rows, x.cols, 0, NG_F32);
        ng_assert_ok(ng_polar(u, &info, x, NULL, NULL, NULL), NULL);
        ck_assert_uint_eq(info.rank, 0);
        ck_assert_str_eq(info.route, "zero");
        ng_assert_le(info.orthogonality_error, 0);
        test_free(x);
        test_free(u);
    }
}
END_TEST

/* ---- Workspace --------------------------------------------------------------------- */

/* Sizes from exactly the promised bytes down to none: success with the same
 * bits, or NG_ENOMEM; a heap block of that size lets ASan see any overrun. */
static void check_workspace(ng_mat x, int accuracy, test_rng *rng)
{
    ng_polar_options options = options_of(accuracy);
    ng_polar_info info;
    size_t full = ng_polar_work(x.rows, x.cols, x.dtype, &options);
    ng_mat u = test_mat(x.rows, x.cols, 0, x.dtype), expected = polar(x, accuracy);
    ck_assert_uint_eq(full % 64, 0);
    for (size_t size = full; size <= full; size -= 64) {
        ng_error err = {NG_OK, ""};
        void *block = size > 0 ? aligned_alloc(64, size) : NULL;
        ng_work work = ng_work_on(block, size);
        test_fill_normal(u, rng);
        ng_status status = ng_polar(u, &info, x, &options, &work, &err);
        ck_assert_uint_eq(work.used, 0);
        if (size == full)
            ng_assert_ok(status, &err);
        if (status == NG_OK)
            ck_assert(test_same_bits(u, expected));
        else
            ck_assert_msg(status == NG_ENOMEM && err.text[0] != '\0', "%s", ng_status_name(status));
        if (size == 0)
            ck_assert_int_eq(status, NG_ENOMEM);
        free(block);
        if (size > 4096 && size < full - 256) /* the middle by larger strides */
            size -= size / 8 / 64 * 64;
    }
    test_free(u);
    test_free(expected);
}

START_TEST(workspace)
{
    test_rng rng = {28 + (unsigned)_i};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < 6; i++) {
        ng_mat x = test_convert(matrix(m, n, &rng), (ng_dtype)(i % 2));
        check_workspace(x, i / 2, &rng);
        test_free(x);
        dense_release();
    }
    ng_polar_options exact = options_of(NG_POLAR_EXACT);
    ck_assert_uint_eq(ng_polar_work(m, n, NG_F64, NULL), ng_polar_work(m, n, NG_F64, &exact));
}
END_TEST

/* The SVD route is the hungriest there is, so its figure has no slack. */
START_TEST(one_line_less)
{
    test_rng rng = {29};
    ng_error err = {NG_OK, ""};
    ng_mat x = test_convert(matrix(24, 31, &rng), NG_F64), u = test_mat(24, 31, 0, NG_F64);
    ng_work work;
    ng_assert_ok(ng_work_create(&work, ng_polar_work(24, 31, NG_F64, NULL) - 64, &err), &err);
    ng_assert_fails(ng_polar(u, NULL, x, NULL, &work, &err), NG_ENOMEM, &err, "workspace");
    ng_work_destroy(&work);
    test_free(x);
    test_free(u);
    dense_release();
}
END_TEST

/* Options of another library's size are refused before a byte is written. */
START_TEST(option_sizes)
{
    union {
        ng_polar_options options;
        unsigned char bytes[256];
    } o;
    static const size_t sizes[] = {0, 8, sizeof o.options - 8, sizeof o.options + 8, 256};
    memset(&o, 0x5a, sizeof o);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        ck_assert_int_eq(ng_polar_init_sized(&o.options, sizes[k]), NG_EOPTION);
    for (size_t i = 0; i < sizeof o; i++)
        ck_assert_uint_eq(o.bytes[i], 0x5a);
    ck_assert_int_eq(ng_polar_init_sized(NULL, sizeof o.options), NG_EOPTION);
}
END_TEST

TEST_SUITE(polar_rules)
{
    TCase *tcase = tcase_create("rules");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, scale, 0, SHAPES);
    tcase_add_loop_test(tcase, transpose, 0, SHAPES);
    tcase_add_loop_test(tcase, rotations, 0, SHAPES);
    tcase_add_loop_test(tcase, idempotent, 0, SHAPES);
    tcase_add_loop_test(tcase, hermitian_factor, 0, SHAPES);
    tcase_add_loop_test(tcase, neighbours_are_not_read, 0, SHAPES);
    tcase_add_loop_test(tcase, non_finite, 0, SHAPES);
    tcase_add_test(tcase, bad_arguments);
    tcase_add_test(tcase, empty);
    tcase_add_loop_test(tcase, workspace, 0, SHAPES);
    tcase_add_test(tcase, one_line_less);
    tcase_add_test(tcase, option_sizes);
    suite_add_tcase(suite, tcase);
}
