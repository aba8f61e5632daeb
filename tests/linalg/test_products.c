/* BLAS-3 products against a naive triple loop in double. */
#include "tests/linalg/common.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 3;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

static const double scalars[][2] = {{1, 0}, {-0.5, 0}, {2, 1}, {1.5, -0.75}, {0, 2}, {0, 0}};
#define N_SCALARS (sizeof scalars / sizeof *scalars)

/* m x n (x) n x k of awkward sizes: every shape with every inner size */
static const size_t inner[] = {0, 1, 4, 13, 65};
#define N_INNER (sizeof inner / sizeof *inner)

/* What is expected, and the same with every number replaced by its magnitude:
 * the size of what was rounded, whatever cancelled. */
typedef struct {
    ng_mat ref, size;
} oracle;

static ng_mat magnitudes(ng_mat x)
{
    ng_mat y = test_mat(x.rows, x.cols, 0, NG_F64);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(y, i, j, fabs(ng_mat_get(x, i, j)));
    return y;
}

/* ref <- alpha ref + beta c */
static void combine(ng_mat ref, double alpha, ng_mat c, double beta)
{
    for (size_t i = 0; i < ref.rows; i++)
        for (size_t j = 0; j < ref.cols; j++) {
            double old = beta == 0 ? 0 : beta * ng_mat_get(c, i, j);
            ng_mat_set(ref, i, j, alpha * ng_mat_get(ref, i, j) + old);
        }
}

/* alpha op(a) op(b) + beta c; s = {alpha, beta} */
static oracle expect(ng_mat a, int ta, ng_mat b, int tb, ng_mat c, const double *s)
{
    ng_mat x = magnitudes(a), y = magnitudes(b), z = magnitudes(c);
    oracle o = {test_mat(c.rows, c.cols, 0, NG_F64), test_mat(c.rows, c.cols, 0, NG_F64)};
    test_matmul(o.ref, a, ta, b, tb);
    test_matmul(o.size, x, ta, y, tb);
    combine(o.ref, s[0], c, s[1]);
    combine(o.size, fabs(s[0]), z, fabs(s[1]));
    test_free(x), test_free(y), test_free(z);
    return o;
}

/* ||x - ref||_F <= 4 eps ||size||_F */
static void assert_close(ng_mat x, oracle o)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double d = ng_mat_get(x, i, j) - ng_mat_get(o.ref, i, j);
            sum += d * d;
        }
    ng_assert_le(sqrt(sum), 4 * ng_dtype_eps(x.dtype) * test_norm(o.size));
}

static void free_oracle(oracle o)
{
    test_free(o.ref), test_free(o.size);
}

/* ---- gemm ---------------------------------------------------------------- */

static void check_gemm(size_t m, size_t n, size_t k, int form, ng_dtype dtype, const double *s)
{
    int ta = form & 1, tb = form >> 1;
    ng_mat a = ta ? random_mat(k, m, dtype, &rng) : random_mat(m, k, dtype, &rng);
    ng_mat b = tb ? random_mat(n, k, dtype, &rng) : random_mat(k, n, dtype, &rng);
    ng_mat c = random_mat(m, n, dtype, &rng), a0 = test_copy(a), b0 = test_copy(b);
    oracle o = expect(a, ta, b, tb, c, s);
    ng_error error = {NG_OK, ""};
    if (s[1] == 0)
        ng_fill(c, NAN);
    ng_assert_ok(ng_gemm(c, a, ta ? NG_TRANS : NG_NOTRANS, b, tb ? NG_TRANS : NG_NOTRANS, s[0],
                         s[1], &error),
                 &error);
    assert_close(c, o);
    ck_assert(test_same_bits(a, a0) && test_same_bits(b, b0));
    test_free(a), test_free(b), test_free(c), free_oracle(o), test_free(a0), test_free(b0);
}

START_TEST(gemm)
{
    for (size_t t = 0; t < N_SHAPES - 1; t++)
        for (size_t k = 0; k < N_INNER; k++)
            for (int form = 0; form < 4; form++)
                check_gemm(test_shapes[t].m, test_shapes[t].n, inner[k], form, DTYPE,
                           scalars[(t + k + (size_t)form) % N_SCALARS]);
    for (int form = 0; form < 4; form++)
        check_gemm(130, 257, 65, form, DTYPE, scalars[form]);
}
END_TEST

START_TEST(gemm_every_scalar)
{
    for (size_t s = 0; s < N_SCALARS; s++)
        for (int form = 0; form < 4; form++) {
            check_gemm(7, 13, 5, form, DTYPE, scalars[s]);
            check_gemm(33, 1, 65, form, DTYPE, scalars[s]);
            check_gemm(7, 13, 0, form, DTYPE, scalars[s]);
        }
}
END_TEST

/* c = a a is a product of one view with itself: inputs may be one */
START_TEST(gemm_same_input_twice)
{
    static const double one[] = {1, 0};
    ng_mat a = random_mat(13, 13, DTYPE, &rng), c = test_mat(13, 13, PAD, DTYPE);
    oracle o = expect(a, 0, a, 1, c, one);
    ng_assert_ok(ng_gemm(c, a, NG_NOTRANS, a, NG_TRANS, 1, 0, NULL), NULL);
    assert_close(c, o);
    test_free(a), test_free(c), free_oracle(o);
}
END_TEST

/* ---- syrk ---------------------------------------------------------------- */

/* The strict upper triangle of c keeps its bits, NaN among them. */
static void check_syrk(size_t n, size_t k, int trans, ng_dtype dtype, const double *s)
{
    ng_mat a = trans ? random_mat(k, n, dtype, &rng) : random_mat(n, k, dtype, &rng);
    ng_mat c = random_mat(n, n, dtype, &rng), a0 = test_copy(a);
    oracle o = expect(a, trans, a, !trans, c, s);
    ng_error error = {NG_OK, ""};
    if (s[1] == 0)
        ng_fill(c, NAN);
    for (int pass = 0; pass < 2; pass++) {
        double upper = pass == 0 ? NAN : 77;
        ng_mat copy = padded(c, dtype);
        set_upper(copy, upper);
        ng_assert_ok(ng_syrk(copy, a, trans ? NG_TRANS : NG_NOTRANS, s[0], s[1], &error), &error);
        ck_assert_msg(upper_is(copy, upper), "upper triangle written, n %zu k %zu", n, k);
        set_upper(copy, 0);
        set_upper(o.ref, 0);
        assert_close(copy, o);
        test_free(copy);
    }
    ck_assert(test_same_bits(a, a0));
    test_free(a), test_free(c), free_oracle(o), test_free(a0);
}

START_TEST(syrk)
{
    for (size_t i = 0; i < N_SIZES; i++)
        for (size_t k = 0; k < N_INNER; k++)
            for (int trans = 0; trans < 2; trans++)
                for (size_t s = 0; s < (test_sizes[i] < 33 ? N_SCALARS : 2); s++)
                    check_syrk(test_sizes[i], inner[k], trans, DTYPE, scalars[s]);
}
END_TEST

/* ---- symm ---------------------------------------------------------------- */

static void check_symm(size_t m, size_t n, ng_side side, ng_dtype dtype, const double *s)
{
    size_t k = side == NG_LEFT ? m : n;
    ng_mat sym = random_mat(k, k, dtype, &rng), full = test_copy(sym);
    ng_mat b = random_mat(m, n, dtype, &rng), c = random_mat(m, n, dtype, &rng);
    ng_mat b0 = test_copy(b);
    ng_error error = {NG_OK, ""};
    symmetrise(full);
    set_upper(sym, NAN);
    oracle o = side == NG_LEFT ? expect(full, 0, b, 0, c, s) : expect(b, 0, full, 0, c, s);
    if (s[1] == 0)
        ng_fill(c, NAN);
    ng_assert_ok(ng_symm(c, side, sym, b, s[0], s[1], &error), &error);
    assert_close(c, o);
    ck_assert(upper_is(sym, NAN) && test_same_bits(b, b0));
    test_free(sym), test_free(full), test_free(b), test_free(c), free_oracle(o), test_free(b0);
}

START_TEST(symm)
{
    for (size_t t = 0; t < N_SHAPES; t++)
        for (int side = 0; side < 2; side++)
            for (size_t s = 0; s < (test_shapes[t].m < 100 ? N_SCALARS : 1); s++)
                check_symm(test_shapes[t].m, test_shapes[t].n, side ? NG_RIGHT : NG_LEFT, DTYPE,
                           scalars[s]);
}
END_TEST

/* ---- trsm ---------------------------------------------------------------- */

/* Well conditioned: ones and more on the diagonal, little below, NaN above. */
static ng_mat triangular(size_t n, ng_dtype dtype)
{
    ng_mat l = random_mat(n, n, dtype, &rng);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            ng_mat_set(l, i, j, i == j ? 1 + test_uniform(&rng) : ng_mat_get(l, i, j) / (double)n);
    return l;
}

/* b is made from a known solution, so that the answer is known */
static void check_trsm(size_t m, size_t n, ng_side side, int trans, ng_dtype dtype, double alpha)
{
    ng_mat l = triangular(side == NG_LEFT ? m : n, dtype);
    ng_mat x = test_mat(m, n, 0, NG_F64), b = test_mat(m, n, PAD, dtype);
    ng_error error = {NG_OK, ""};
    test_fill_normal(x, &rng);
    set_upper(l, 0);
    if (side == NG_LEFT)
        test_matmul(b, l, trans, x, 0);
    else
        test_matmul(b, x, 0, l, trans);
    set_upper(l, NAN);
    ng_mat l0 = test_copy(l);
    ng_assert_ok(ng_trsm(b, side, l, trans ? NG_TRANS : NG_NOTRANS, alpha, &error), &error);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            ng_mat_set(x, i, j, alpha * ng_mat_get(x, i, j));
    ng_assert_mat(b, x, 8 * ng_dtype_eps(dtype));
    ck_assert(test_same_bits(l, l0));
    test_free(l), test_free(x), test_free(b), test_free(l0);
}

START_TEST(trsm)
{
    static const double alphas[] = {1, -0.5, 3, 0};
    for (size_t t = 0; t < N_SHAPES; t++)
        for (int form = 0; form < 4; form++)
            for (size_t s = 0; s < (test_shapes[t].m < 100 ? 4 : 1); s++)
                check_trsm(test_shapes[t].m, test_shapes[t].n, form & 1 ? NG_RIGHT : NG_LEFT,
                           form >> 1, DTYPE, alphas[s]);
}
END_TEST

START_TEST(trsm_zero_on_the_diagonal)
{
    ng_mat l = triangular(5, DTYPE), b = test_mat(5, 5, PAD, DTYPE);
    ng_mat_set(l, 2, 2, 0);
    for (int side = 0; side < 2; side++) {
        ng_fill(b, 1);
        ng_assert_ok(ng_trsm(b, side ? NG_RIGHT : NG_LEFT, l, NG_NOTRANS, 1, NULL), NULL);
        double spoilt = side ? ng_mat_get(b, 0, 2) : ng_mat_get(b, 2, 0);
        ck_assert_msg(!isfinite(spoilt), "%g", spoilt);
    }
    test_free(l), test_free(b);
}
END_TEST

TEST_SUITE(products)
{
    TCase *tc = tcase_create("products");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 120); /* naive oracles, perhaps under an emulator */
    tcase_add_loop_test(tc, gemm, 0, 2);
    tcase_add_loop_test(tc, gemm_every_scalar, 0, 2);
    tcase_add_loop_test(tc, gemm_same_input_twice, 0, 2);
    tcase_add_loop_test(tc, syrk, 0, 2);
    tcase_add_loop_test(tc, symm, 0, 2);
    tcase_add_loop_test(tc, trsm, 0, 2);
    tcase_add_loop_test(tc, trsm_zero_on_the_diagonal, 0, 2);
    suite_add_tcase(suite, tc);
}
