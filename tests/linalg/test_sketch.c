/* Sketches: the matrices they are, against their definitions, and what they keep. */
#include <natgrad/sketch.h>

#include "tests/linalg/common.h"
#include "tests/support/dense.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 29;
    dense_release();
}

static void fill_normal(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_normal(data);
}

static void fill_uniform(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_uniform(data);
}

static ng_random random_numbers(void)
{
    return (ng_random){.fill_normal = fill_normal, .fill_uniform = fill_uniform, .data = &rng};
}

/* S itself: applied to the identity. */
static ng_mat matrix(ng_sketch_kind kind, size_t m, size_t n)
{
    ng_sketch *s;
    ng_error error = {NG_OK, ""};
    ng_random random = random_numbers();
    ng_mat whole = dense_mat(m, n);
    ng_assert_ok(ng_sketch_create(&s, kind, m, n, &random, &error), &error);
    ng_assert_ok(ng_sketch_apply(s, whole, dense_identity(n), &error), &error);
    ng_sketch_destroy(s);
    return whole;
}

/* The transform against the sum it is. */
START_TEST(walsh)
{
    for (size_t n = 1; n <= 64; n *= 2) {
        double x[64], y[64];
        for (size_t i = 0; i < n; i++)
            x[i] = y[i] = test_normal(&rng);
        ng_assert_ok(ng_walsh_hadamard(y, n, NULL), NULL);
        for (size_t mask = 0; mask < n; mask++) {
            double sum = 0;
            for (size_t s = 0; s < n; s++) {
                int odd = 0;
                for (size_t common = mask & s; common > 0; common &= common - 1)
                    odd = !odd;
                sum += odd ? -x[s] : x[s];
            }
            ck_assert_double_le(fabs(y[mask] - sum), 1e-12);
        }
    }
    ng_error error = {NG_OK, ""};
    double x[3] = {0};
    ng_assert_fails(ng_walsh_hadamard(x, 3, &error), NG_EARG, &error, "power of two");
    ng_assert_fails(ng_walsh_hadamard(x, 0, &error), NG_EARG, &error, "power of two");
    ng_assert_fails(ng_walsh_hadamard(NULL, 2, &error), NG_EARG, &error, "x");
}
END_TEST

/* What can be said of every draw: srht has orthogonal rows of length^2 N/m (n = N), its entries are
 * +-1 / sqrt(m); count one sign in each column. */
START_TEST(structure)
{
    ng_mat s = matrix(NG_SKETCH_SRHT, 6, 16), gram = dense_mul(s, 0, s, 1);
    ng_assert_mat(gram, dense_scale(16.0 / 6, dense_identity(6)), 1e-13);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 16; j++)
            ng_assert_rel(fabs(ng_mat_get(s, i, j)), 1 / sqrt(6), 1e-13);
    ng_mat all = matrix(NG_SKETCH_SRHT, 16, 16); /* all rows: a rotation */
    ng_assert_mat(dense_mul(all, 1, all, 0), dense_identity(16), 1e-13);
    s = matrix(NG_SKETCH_COUNT, 5, 40);
    for (size_t j = 0; j < 40; j++) {
        double sum = 0;
        for (size_t i = 0; i < 5; i++)
            sum += fabs(ng_mat_get(s, i, j));
        ck_assert_double_eq(sum, 1);
    }
}
END_TEST

/* _i: kind. The mean of S^T S is I, within 5 standard errors, for n a power of two and not. */
START_TEST(mean_is_identity)
{
    enum { DRAWS = 3000 };
    static const size_t shapes[][2] = {{4, 8}, {3, 11}, {8, 5}, {1, 1}};
    for (size_t k = 0; k < 4; k++) {
        const size_t m = shapes[k][0], n = shapes[k][1];
        ng_mat sum = dense_mat(n, n), squares = dense_mat(n, n);
        for (int t = 0; t < DRAWS; t++) {
            ng_mat s = matrix((ng_sketch_kind)_i, m, n), gram = dense_mul(s, 1, s, 0);
            for (size_t i = 0; i < n * n; i++) {
                double x = ((double *)gram.data)[i];
                ((double *)sum.data)[i] += x / DRAWS;
                ((double *)squares.data)[i] += x * x / DRAWS;
            }
            if (t % 100 == 99) {
                ng_mat a = test_copy(sum), b = test_copy(squares);
                dense_release();
                sum = dense_of(a), squares = dense_of(b);
                test_free(a), test_free(b);
            }
        }
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double mean = ng_mat_get(sum, i, j),
                       deviation = sqrt(fmax(0, ng_mat_get(squares, i, j) - mean * mean) / DRAWS);
                ck_assert_double_le(fabs(mean - (i == j)), 5 * deviation + 1e-12);
            }
    }
}
END_TEST

/* _i: kind. S (x + 2 y) = S x + 2 S y, into strided views. */
START_TEST(linear)
{
    ng_sketch *s;
    ng_random random = random_numbers();
    ng_mat x = dense_normal(20, 3, &rng), y = dense_normal(20, 3, &rng);
    ng_mat sx = test_mat(8, 3, 2, NG_F64), sy = dense_mat(8, 3), sum = dense_mat(8, 3);
    ng_assert_ok(ng_sketch_create(&s, (ng_sketch_kind)_i, 8, 20, &random, NULL), NULL);
    ng_assert_ok(ng_sketch_apply(s, sx, x, NULL), NULL);
    ng_assert_ok(ng_sketch_apply(s, sy, y, NULL), NULL);
    ng_assert_ok(ng_sketch_apply(s, sum, dense_add(1, x, 2, y), NULL), NULL);
    ng_assert_mat(sum, dense_add(1, dense_of(sx), 2, sy), 1e-13);
    ng_sketch_destroy(s);
    test_free(sx);
}
END_TEST

START_TEST(refusals)
{
    ng_sketch *s = (ng_sketch *)&rng;
    ng_random random = random_numbers(), none = {NULL}, flat = random;
    ng_error error = {NG_OK, ""};
    flat.fill_normal = NULL;
    ng_assert_fails(ng_sketch_create(&s, NG_SKETCH_COUNT, 0, 4, &random, &error), NG_ESHAPE, &error,
                    "0 x 4");
    ck_assert_ptr_null(s);
    ng_assert_fails(ng_sketch_create(&s, NG_SKETCH_SRHT, 9, 5, &random, &error), NG_ESHAPE, &error,
                    "9 rows of 8");
    ng_assert_fails(ng_sketch_create(&s, (ng_sketch_kind)9, 2, 5, &random, &error), NG_EARG, &error,
                    "kind 9");
    ng_assert_fails(ng_sketch_create(&s, NG_SKETCH_SRHT, 2, 5, &none, &error), NG_EARG, &error,
                    "random");
    ng_assert_fails(ng_sketch_create(&s, NG_SKETCH_POOLED, 2, 5, &flat, &error), NG_EARG, &error,
                    "fill_normal");
    ng_assert_fails(ng_sketch_create(NULL, NG_SKETCH_SRHT, 2, 5, &random, &error), NG_EARG, &error,
                    "sketch");
    ng_assert_ok(ng_sketch_create(&s, NG_SKETCH_SRHT, 2, 5, &random, NULL), NULL);
    ng_mat a = dense_mat(5, 2), sa = dense_mat(2, 2);
    ng_assert_fails(ng_sketch_apply(s, sa, dense_mat(4, 2), &error), NG_ESHAPE, &error, "a");
    ng_assert_fails(ng_sketch_apply(s, dense_mat(3, 2), a, &error), NG_ESHAPE, &error, "sa");
    ng_assert_fails(ng_sketch_apply(NULL, sa, a, &error), NG_EARG, &error, "sketch");
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_assert_fails(ng_sketch_apply(s, sa, a, &error), NG_ENOMEM, &error, "");
    fault_over();
    ng_sketch_destroy(s);
    ng_sketch_destroy(NULL);
    ck_assert_str_eq(ng_sketch_kind_name(NG_SKETCH_POOLED), "pooled");
    ck_assert_str_eq(ng_sketch_kind_name((ng_sketch_kind)7), "unknown");
}
END_TEST

/* _i: kind */
START_TEST(every_allocation_fails_once)
{
    ng_random random = random_numbers();
    for (long at = 1;; at++) {
        ng_sketch *s = NULL;
        ng_error error = {NG_OK, ""};
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_sketch_create(&s, (ng_sketch_kind)_i, 4, 9, &random, &error);
        long asked = fault_over();
        if (asked < at) {
            ng_sketch_destroy(s);
            break;
        }
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert(s == NULL && error.text[0] != 0 && at < 10);
    }
}
END_TEST

TEST_SUITE(sketch)
{
    TCase *tc = tcase_create("sketches");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, walsh);
    tcase_add_test(tc, structure);
    tcase_add_loop_test(tc, mean_is_identity, 0, NG_SKETCH_KINDS);
    tcase_add_loop_test(tc, linear, 0, NG_SKETCH_KINDS);
    tcase_add_test(tc, refusals);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, NG_SKETCH_KINDS);
    suite_add_tcase(suite, tc);
}
