/* Solves by a sketch of the rows: against dense algebra with the very sketch, against the exact
 * solve, and how the difference falls. */
#include "tests/fisher/worlds.h"

#include <natgrad/linalg.h>

static test_rng rng;

static void reseed(void)
{
    rng.state = 17;
}

/* a low-rank Fisher matrix of these rows, as a sum; and the rows as they are in its dtype */
static ng_fisher *lowrank(ng_mat *rows, size_t count, size_t n, ng_dtype dtype)
{
    ng_fisher *f;
    ng_fisher_batch sum;
    ng_mat b = world_normal(count, n, dtype, &rng);
    ng_fisher_batch_init(&sum);
    sum.normalisation = NG_FISHER_SUM;
    ng_assert_ok(ng_fisher_create_lowrank(&f, n, count, dtype, NULL), NULL);
    ng_assert_ok(ng_fisher_accumulate(f, b, ng_mat_none(), &sum, NULL), NULL);
    *rows = dense_of(b);
    test_free(b);
    return f;
}

static ng_sketch *draw(ng_sketch_kind kind, size_t m, size_t n)
{
    ng_sketch *s;
    ng_random random = world_random(&rng);
    ng_assert_ok(ng_sketch_create(&s, kind, m, n, &random, NULL), NULL);
    return s;
}

/* S B by S itself, from its columns */
static ng_mat sketched(const ng_sketch *s, ng_mat b)
{
    ng_mat dense = dense_mat(ng_sketch_rows(s), b.rows);
    ng_assert_ok(ng_sketch_apply(s, dense, dense_identity(b.rows), NULL), NULL);
    return dense_mul(dense, 0, b, 0);
}

/* x (b^T b + damping I)^-1 */
static ng_mat solution(ng_mat b, ng_mat x, double damping)
{
    ng_mat f = dense_add(1, dense_mul(b, 1, b, 0), damping, dense_identity(b.cols));
    return dense_mul(x, 0, dense_power(f, -1), 0);
}

static ng_mat solve(ng_fisher *f, ng_mat x, double damping, const ng_sketch *s)
{
    ng_error error = {NG_OK, ""};
    ng_dtype dtype = ng_fisher_dtype(f);
    ng_mat in = test_convert(x, dtype), out = test_mat(x.rows, x.cols, 3, dtype);
    ng_assert_ok(ng_fisher_solve_sketched(f, out, in, damping, s, &error), &error);
    ng_mat y = dense_of(out);
    test_free(in), test_free(out);
    return y;
}

/* _i: kind, dtype, shape */
START_TEST(against_dense)
{
    static const size_t shapes[][3] = {{1, 1, 1}, {9, 5, 3}, {9, 5, 8}, {20, 31, 6}, {6, 40, 6}};
    ng_sketch_kind kind = (ng_sketch_kind)(_i % NG_SKETCH_KINDS);
    ng_dtype dtype = (ng_dtype)(_i / NG_SKETCH_KINDS % 2);
    const size_t *shape = shapes[_i / NG_SKETCH_KINDS / 2];
    ng_mat b, f32 = world_normal(2, shape[1], NG_F32, &rng), x = dense_of(f32);
    ng_fisher *f = lowrank(&b, shape[0], shape[1], dtype);
    ng_sketch *s = draw(kind, shape[2], shape[0]);
    test_free(f32);
    ck_assert(ng_sketch_rows(s) == shape[2] && ng_sketch_cols(s) == shape[0]);
    ng_assert_mat(solve(f, x, 0.7, s), solution(sketched(s, b), x, 0.7),
                  dtype == NG_F64 ? 1e-11 : 1e-5);
    ng_sketch_destroy(s);
    ng_fisher_destroy(f);
}
END_TEST

/* As many rows as srht has room for: S^T S = I. _i: rows, a power of two or not */
START_TEST(all_rows_are_exact)
{
    const size_t rows = _i ? 16 : 11;
    ng_mat b, x = dense_normal(3, 40, &rng);
    ng_fisher *f = lowrank(&b, rows, 40, NG_F64);
    ng_sketch *s = draw(NG_SKETCH_SRHT, 16, rows);
    ng_mat exact = dense_mat(3, 40);
    ng_assert_ok(ng_fisher_solve(f, exact, x, 0.01, NULL), NULL);
    ng_assert_mat(solve(f, x, 0.01, s), exact, 1e-11);
    ng_sketch_destroy(s);
    ng_fisher_destroy(f);
}
END_TEST

/* mean square of the relative error over draws, no damping */
static double spread(ng_fisher *f, ng_mat x, ng_sketch_kind kind, size_t m)
{
    enum { DRAWS = 60 };
    double sum = 0;
    for (int t = 0; t < DRAWS; t++) {
        ng_sketch *s = draw(kind, m, ng_fisher_rows(f));
        ng_mat d = dense_add(1, solve(f, x, 0, s), -1, x);
        sum += dense_dot(d, d) / dense_dot(x, x) / DRAWS;
        ng_sketch_destroy(s);
    }
    return sum;
}

/* |(W / m)^-1 x - x|^2 / |x|^2 in the mean, W Wishart of m degrees of freedom in n dimensions (von
 * Rosen 1988): (n + 1) / m to first order */
static double wishart(double m, double n)
{
    return m * m * (m - 1) / ((m - n) * (m - n - 1) * (m - n - 3)) - 2 * m / (m - n - 1) + 1;
}

/* That, of F = I: gaussian sketches are Wishart matrices, and count nearly. srht, which draws
 * without replacement, is off by about (1 - m / rows) of it. A row of pooled is Gaussian with a
 * random variance, the mean of s = rows / m squares: fourth moments are 1 + 2 / s times as large.
 */
static double known(ng_sketch_kind kind, double m, double rows, double n)
{
    double factor = kind == NG_SKETCH_SRHT     ? 1 - m / rows
                    : kind == NG_SKETCH_POOLED ? ((n + 2) * (1 + 2 * m / rows) - 1) / (n + 1)
                                               : 1;
    return factor * wishart(m, n);
}

/* _i: kind */
START_TEST(falls_like_one_over_m)
{
    enum { ROWS = 1024, N = 12 };
    ng_sketch_kind kind = (ng_sketch_kind)_i;
    ng_fisher_batch sum;
    ng_fisher *f;
    ng_mat x = dense_normal(1, N, &rng);
    ng_fisher_batch_init(&sum);
    sum.normalisation = NG_FISHER_SUM;
    ng_assert_ok(ng_fisher_create_lowrank(&f, N, ROWS, NG_F64, NULL), NULL);
    ng_mat b = dense_mat(ROWS, N); /* orthonormal columns: of the cosine transform */
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < N; j++)
            ng_mat_set(b, i, j,
                       sqrt(2.0 / ROWS) *
                           cos(acos(-1) / ROWS * ((double)i + 0.5) * (double)(j + 1)));
    ng_assert_ok(ng_fisher_accumulate(f, b, ng_mat_none(), &sum, NULL), NULL);
    for (double m = 64; m <= 128; m *= 2)
        ng_assert_rel(spread(f, x, kind, (size_t)m), known(kind, m, ROWS, N), 0.25);
    ng_fisher_destroy(f);
}
END_TEST

/* _i: dtype */
START_TEST(refusals)
{
    ng_dtype dtype = (ng_dtype)_i;
    ng_error error = {NG_OK, ""};
    ng_mat b, x = world_normal(1, 8, dtype, &rng), y = test_mat(1, 8, 0, dtype);
    ng_fisher *f = lowrank(&b, 6, 8, dtype), *empty;
    ng_sketch *s = draw(NG_SKETCH_COUNT, 3, 6), *other = draw(NG_SKETCH_COUNT, 3, 5);
    ng_assert_fails(ng_fisher_solve_sketched(f, y, x, 1, NULL, &error), NG_EARG, &error, "sketch");
    ng_assert_fails(ng_fisher_solve_sketched(f, y, x, 1, other, &error), NG_ESHAPE, &error,
                    "5 columns for 6 rows");
    ng_assert_fails(ng_fisher_solve_sketched(NULL, y, x, 1, s, &error), NG_EARG, &error, "f is");
    ng_assert_fails(ng_fisher_solve_sketched(f, y, x, -1, s, &error), NG_EARG, &error, "damping");
    ng_assert_fails(ng_fisher_solve_sketched(f, y, x, 0, s, &error), NG_ESINGULAR, &error,
                    "singular");
    ng_assert_fails(ng_fisher_solve_sketched(f, b, x, 1, s, &error),
                    dtype == NG_F64 ? NG_ESHAPE : NG_EDTYPE, &error, "y");
    ng_assert_ok(ng_fisher_create_lowrank(&empty, 8, 4, dtype, NULL), NULL);
    ng_assert_fails(ng_fisher_solve_sketched(empty, y, x, 1, s, &error), NG_ENODATA, &error,
                    "nothing");
    ng_mat_set(x, 0, 2, NAN);
    ng_assert_fails(ng_fisher_solve_sketched(f, y, x, 1, s, &error), NG_ENONFINITE, &error, "x");
    ck_assert(ng_sketch_rows(NULL) == 0 && ng_sketch_cols(NULL) == 0);
    ng_sketch_destroy(s), ng_sketch_destroy(other);
    ng_fisher_destroy(f), ng_fisher_destroy(empty);
    test_free(x), test_free(y);
}
END_TEST

/* Rows whose squares the dtype just holds: a number or a status, nothing else. _i: kind */
START_TEST(large_rows)
{
    ng_fisher *f;
    ng_error error = {NG_OK, ""};
    ng_mat b = dense_mat(8, 4), x = dense_normal(1, 4, &rng), y = dense_mat(1, 4);
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 4; j++)
            ng_mat_set(b, i, j, (i + j) % 3 ? 3e153 : -1e153);
    ng_assert_ok(ng_fisher_create_lowrank(&f, 4, 8, NG_F64, NULL), NULL);
    ng_assert_ok(ng_fisher_accumulate(f, b, ng_mat_none(), NULL, &error), &error);
    for (int t = 0; t < 20; t++) {
        ng_sketch *s = draw((ng_sketch_kind)_i, 3, 8);
        ng_status status = ng_fisher_solve_sketched(f, y, x, 1, s, &error);
        ck_assert_msg(status == NG_OK ? ng_is_finite(y) : error.text[0] != 0, "%s",
                      ng_status_name(status));
        ng_sketch_destroy(s);
    }
    ng_fisher_destroy(f);
}
END_TEST

/* _i: dtype */
START_TEST(every_allocation_fails_once)
{
    ng_mat b, x = world_normal(1, 40, (ng_dtype)_i, &rng), y = test_mat(1, 40, 0, (ng_dtype)_i);
    ng_fisher *f = lowrank(&b, 9, 40, (ng_dtype)_i);
    ng_sketch *s = draw(NG_SKETCH_SRHT, 4, 9);
    long at = 1;
    for (;; at++) {
        ng_error error = {NG_OK, ""};
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_fisher_solve_sketched(f, y, x, 1, s, &error);
        if (fault_over() < at) {
            ng_assert_ok(status, &error);
            break;
        }
        ng_assert_fails(status, NG_ENOMEM, &error, "");
    }
    ck_assert_int_ge(at, 5);
    ng_sketch_destroy(s);
    ng_fisher_destroy(f);
    test_free(x), test_free(y);
}
END_TEST

TEST_SUITE(sketched)
{
    TCase *tc = tcase_create("sketched solves");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, against_dense, 0, 10 * NG_SKETCH_KINDS);
    tcase_add_loop_test(tc, all_rows_are_exact, 0, 2);
    tcase_add_loop_test(tc, falls_like_one_over_m, 0, NG_SKETCH_KINDS);
    tcase_add_loop_test(tc, refusals, 0, 2);
    tcase_add_loop_test(tc, large_rows, 0, NG_SKETCH_KINDS);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, 2);
    suite_add_tcase(suite, tc);
}
