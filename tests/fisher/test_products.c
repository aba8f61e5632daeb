/* The matrix-free representation's callbacks and the block-diagonal one's
 * blocks: what the common table of representations does not ask. */
#include "tests/fisher/worlds.h"

#include <natgrad/linalg.h>

static test_rng rng;

static void reseed(void)
{
    rng.state = 14;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

/* F = diag(d), with what the callbacks saw and how they fail. */
typedef struct {
    ng_mat d; /* 1 x n */
    size_t calls, preconditioned, fail_at, nan_at;
    double damping;
} diagonal;

static ng_status mul(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    diagonal *f = data;
    ck_assert(ng_is_finite(x));
    if (++f->calls == f->fail_at)
        return ng_error_set(error, NG_EIO, "no device");
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(y, i, j, ng_mat_get(f->d, 0, j) * ng_mat_get(x, i, j));
    if (f->calls == f->nan_at)
        ng_mat_set(y, 0, 0, NAN);
    return NG_OK;
}

static ng_status jacobi(void *data, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    diagonal *f = data;
    (void)error;
    ck_assert(ng_is_finite(x));
    f->preconditioned++;
    f->damping = damping;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(y, i, j, ng_mat_get(x, i, j) / (ng_mat_get(f->d, 0, j) + damping));
    return NG_OK;
}

enum { N = 150, K = 3 }; /* more than one batch of unit rows */

static ng_fisher *open_free(diagonal *f, int precondition, size_t iterations, ng_dtype dtype)
{
    ng_fisher *made;
    ng_fisher_product product = {mul, precondition ? jacobi : NULL, f, NULL};
    ng_fisher_iteration limits = {sizeof limits, 0, iterations, 80};
    ng_error error = {NG_OK, ""};
    f->d = test_mat(1, N, 0, NG_F64);
    for (size_t j = 0; j < N; j++)
        ng_mat_set(f->d, 0, j, pow(2, -(double)j / 10));
    ng_assert_ok(ng_fisher_create_matrix_free(&made, N, dtype, &limits, &product, &error), &error);
    return made;
}

/* The defaults: relative residuals of 1e-8 and 1e-4. */
static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F32 ? 1e-4 : 1e-8;
}

static double residual(const diagonal *f, ng_mat y, ng_mat x, size_t row, double damping)
{
    ng_mat r = dense_mat(1, N);
    for (size_t j = 0; j < N; j++)
        ng_mat_set(r, 0, j, (ng_mat_get(f->d, 0, j) + damping) * ng_mat_get(y, row, j));
    return test_rel_error(r, ng_mat_block(x, row, 0, 1, N));
}

START_TEST(solves)
{
    for (int precondition = 0; precondition < 2; precondition++) {
        diagonal d = {.calls = 0};
        ng_fisher *f = open_free(&d, precondition, 0, DTYPE);
        ng_mat x = world_normal(K, N, DTYPE, &rng), y = test_mat(K, N, PAD, DTYPE);
        ng_error error = {NG_OK, ""};
        double tiny = DTYPE == NG_F32 ? 0x1p-126 : 0x1p-1000; /* rows keep their own scale */
        for (size_t j = 0; j < N; j++)
            ng_mat_set(x, 1, j, tiny * ng_mat_get(x, 1, j));
        ng_assert_ok(ng_fisher_solve(f, y, x, 1e-2, &error), &error);
        for (size_t i = 0; i < K; i += 2)
            ng_assert_le(residual(&d, y, x, i, 1e-2), 1.1 * tolerance(DTYPE));
        ck_assert(ng_mat_get(y, 1, 5) != 0);
        if (precondition) { /* exact here: one step, then the check */
            ck_assert_uint_eq(d.calls, 2);
            ck_assert_uint_ge(d.preconditioned, 1);
            ng_assert_rel(d.damping, 1e-2, 0);
        } else {
            ck_assert_uint_gt(d.calls, 10);
            ck_assert_uint_eq(d.preconditioned, 0);
        }
        ng_fisher_destroy(f);
        test_free(x), test_free(y), test_free(d.d);
        dense_release();
    }
}
END_TEST

/* (y - y*) (F + damping I) (y - y*)^T relative to that of y = 0: what every step lowers */
static double energy(const diagonal *f, ng_mat y, ng_mat x, size_t row, double damping)
{
    double sum = 0, start = 0;
    for (size_t j = 0; j < N; j++) {
        double w = ng_mat_get(f->d, 0, j) + damping, solution = ng_mat_get(x, row, j) / w;
        sum += w * pow(ng_mat_get(y, row, j) - solution, 2);
        start += w * pow(solution, 2);
    }
    return sum / start;
}

/* Not converged: a status, and the last iterate, nearer than 0. */
START_TEST(truncated)
{
    diagonal d = {.calls = 0};
    ng_fisher *f = open_free(&d, 0, 4, DTYPE);
    ng_mat x = world_normal(K, N, DTYPE, &rng), y = test_mat(K, N, PAD, DTYPE);
    ng_mat before = test_copy(x);
    ng_error error = {NG_OK, ""};
    ng_assert_fails(ng_fisher_solve(f, y, x, 1e-2, &error), NG_ENOCONV, &error, "4 iterations");
    for (size_t i = 0; i < K; i++) {
        ng_assert_le(energy(&d, y, x, i, 1e-2), 0.7);
        ng_assert_le(tolerance(DTYPE), residual(&d, y, x, i, 1e-2));
    }
    ck_assert(test_same_bits(x, before));
    ng_fisher_destroy(f);
    test_free(x), test_free(y), test_free(before), test_free(d.d);
    dense_release();
}
END_TEST

START_TEST(leading_spectrum)
{
    diagonal d = {.calls = 0};
    ng_fisher *f = open_free(&d, 0, 0, DTYPE);
    ng_mat top = test_mat(1, K, 0, DTYPE), v = test_mat(K, N, 0, DTYPE), dense;
    ng_error error = {NG_OK, ""};
    double value, sum = 0;
    for (size_t j = 0; j < N; j++)
        sum += ng_mat_get(d.d, 0, j);
    ng_assert_ok(ng_fisher_eigen(f, top, v, &error), &error);
    ck_assert_uint_le(d.calls, 27); /* blocks of 3 in a basis of 80 */
    for (size_t i = 0; i < K; i++) {
        ng_assert_rel(ng_mat_get(top, 0, i), ng_mat_get(d.d, 0, K - 1 - i), tolerance(DTYPE));
        ng_assert_rel(fabs(ng_mat_get(v, i, K - 1 - i)), 1, 1e-4);
    }
    ng_assert_ok(ng_fisher_trace(f, &value, &error), &error);
    ng_assert_rel(value, sum, ng_dtype_eps(DTYPE));
    dense = test_mat(N, N, PAD, DTYPE);
    ng_assert_ok(ng_fisher_to_dense(f, dense, &error), &error);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            ng_assert_le(fabs(ng_mat_get(dense, i, j) - (i == j ? ng_mat_get(d.d, 0, i) : 0)),
                         ng_dtype_eps(DTYPE));
    ng_fisher_destroy(f);
    test_free(top), test_free(v), test_free(dense), test_free(d.d);
}
END_TEST

START_TEST(refusals)
{
    diagonal d = {.calls = 0};
    ng_fisher *f = open_free(&d, 0, 0, DTYPE), *none = NULL;
    ng_mat x = world_normal(K, N, DTYPE, &rng), y = test_mat(K, N, 0, DTYPE);
    ng_error error = {NG_OK, ""};
    double value;
    for (int k = 0; k < 2; k++) {
        ng_status expected = k == 0 ? NG_ENONFINITE : NG_EIO;
        size_t *when = k == 0 ? &d.nan_at : &d.fail_at;
        const char *text = k == 0 ? "NaN" : "no device";
        *when = d.calls + 1;
        ng_assert_fails(ng_fisher_mul(f, y, x, &error), expected, &error, text);
        *when = d.calls + 3;
        ng_assert_fails(ng_fisher_solve(f, y, x, 1e-2, &error), expected, &error, text);
        *when = d.calls + 2;
        ng_assert_fails(ng_fisher_trace(f, &value, &error), expected, &error, text);
        *when = d.calls + 1;
        ng_mat one = ng_mat_block(y, 0, 0, 1, 2);
        ng_assert_fails(ng_fisher_eigen(f, one, ng_mat_none(), &error), expected, &error, text);
        *when = 0;
    }
    ng_mat_set(d.d, 0, 0, -1);
    ng_assert_fails(ng_fisher_solve(f, y, x, 1e-2, &error), NG_EINDEFINITE, &error, "p A p");
    ng_fisher_product product = {.precondition = jacobi, .data = &d};
    ng_fisher_iteration bad = {sizeof bad, 1.5, 0, 0};
    ng_assert_fails(ng_fisher_create_matrix_free(&none, N, DTYPE, NULL, &product, &error), NG_EARG,
                    &error, "product");
    product.mul = mul;
    ng_assert_fails(ng_fisher_create_matrix_free(&none, N, DTYPE, &bad, &product, &error), NG_EARG,
                    &error, "tolerance");
    ng_assert_fails(ng_fisher_create_matrix_free(NULL, N, DTYPE, NULL, &product, &error), NG_EARG,
                    &error, "NULL");
    ck_assert_ptr_null(none);
    ng_fisher_destroy(f);
    test_free(x), test_free(y), test_free(d.d);
}
END_TEST

/* A direction without curvature: F = diag(..., 0, ...), no damping, with and without the
 * preconditioner (which divides by its diagonal, so that one is made positive there). */
START_TEST(singular)
{
    ng_error error = {NG_OK, ""};
    for (int zeros = 1; zeros <= 3; zeros++) {
        diagonal d = {.calls = 0};
        ng_fisher *f = open_free(&d, 0, 0, DTYPE);
        ng_mat x = test_mat(2, N, 0, DTYPE), y = test_mat(2, N, 0, DTYPE);
        for (size_t j = 0; j < N; j++) {
            ng_mat_set(d.d, 0, j, (int)(j % 50) < zeros ? 0 : 1 + (double)(j % 3));
            ng_mat_set(x, 0, j, ng_mat_get(d.d, 0, j)); /* solved by ones */
            ng_mat_set(x, 1, j, 1);
        }
        ng_assert_fails(ng_fisher_solve(f, y, x, 0, &error), NG_EINDEFINITE, &error, "p A p");
        ng_assert_ok(ng_fisher_solve(f, y, x, 0.5, &error), &error);
        ng_fisher_destroy(f);
        test_free(x), test_free(y), test_free(d.d);
    }
}
END_TEST

START_TEST(blocks)
{
    size_t sizes[] = {3, 1, 2}, bad[] = {3, 0, 2}, many[] = {SIZE_MAX, 2};
    ng_fisher *f = NULL;
    ng_error error = {NG_OK, ""};
    ng_assert_fails(ng_fisher_create_block_diagonal(&f, sizes, 0, DTYPE, &error), NG_EARG, &error,
                    "sizes");
    ng_assert_fails(ng_fisher_create_block_diagonal(&f, NULL, 3, DTYPE, &error), NG_EARG, &error,
                    "sizes");
    ng_assert_fails(ng_fisher_create_block_diagonal(&f, bad, 3, DTYPE, &error), NG_ESHAPE, &error,
                    "block 1");
    ng_assert_fails(ng_fisher_create_block_diagonal(&f, many, 2, DTYPE, &error), NG_ERANGE, &error,
                    "parameters");
    ck_assert_ptr_null(f);
    ng_assert_ok(ng_fisher_create_block_diagonal(&f, sizes, 3, DTYPE, &error), &error);
    sizes[0] = 7; /* copied */
    ck_assert_uint_eq(ng_fisher_size(f), 6);
    ck_assert_str_eq(ng_fisher_name(f), "block-diagonal");
    /* One singular block is enough, and damping heals it. */
    ng_mat d = test_mat(6, 6, 0, DTYPE), x = world_normal(1, 6, DTYPE, &rng), y = test_copy(x);
    for (size_t i = 0; i < 6; i++)
        ng_mat_set(d, i, i, i == 3 ? 0 : 1);
    ng_assert_ok(ng_fisher_set(f, d, 1, &error), &error);
    ng_assert_fails(ng_fisher_solve(f, y, x, 0, &error), NG_ESINGULAR, &error, "singular");
    ng_assert_ok(ng_fisher_solve(f, y, x, 1, &error), &error);
    ng_assert_rel(ng_mat_get(y, 0, 3), ng_mat_get(x, 0, 3), ng_dtype_eps(DTYPE));
    ng_assert_rel(ng_mat_get(y, 0, 4), ng_mat_get(x, 0, 4) / 2, ng_dtype_eps(DTYPE));
    ng_fisher_destroy(f);
    test_free(d), test_free(x), test_free(y);
}
END_TEST

TEST_SUITE(products)
{
    TCase *tc = tcase_create("products");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, solves, 0, 2);
    tcase_add_loop_test(tc, truncated, 0, 2);
    tcase_add_loop_test(tc, leading_spectrum, 0, 2);
    tcase_add_loop_test(tc, refusals, 0, 2);
    tcase_add_loop_test(tc, singular, 0, 2);
    tcase_add_loop_test(tc, blocks, 0, 2);
    suite_add_tcase(suite, tc);
}
