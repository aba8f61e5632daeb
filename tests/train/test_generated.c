/* The statistics of generated sets: mixtures of Gaussians and drawn digits. */
#include <natgrad/train/data.h>
#include <natgrad/train/rng.h>

#include "tests/support/support.h"

enum { MOST = 20000 };
static ng_error err;
static int labels[MOST]; /* of the last set drawn */

/* The n samples of a mixture, or of drawn digits where there are 0 classes. */
static ng_mat drawn(size_t n, size_t classes, size_t features, double spread, unsigned long seed)
{
    static size_t index[MOST];
    ng_random random;
    ng_dataset *data;
    ng_assert_ok(ng_rng_create(&random, seed, &err), &err);
    if (classes == 0)
        ng_assert_ok(ng_dataset_digits(&data, n, &random, &err), &err);
    else
        ng_assert_ok(ng_dataset_mixture(&data, n, classes, features, spread, &random, &err), &err);
    ck_assert_uint_eq(ng_dataset_count(data), n);
    ck_assert_uint_eq(ng_dataset_classes(data), classes > 0 ? classes : 10);
    ck_assert_uint_eq(ng_dataset_features(data), classes > 0 ? features : 784);
    for (size_t i = 0; i < n; i++)
        index[i] = i;
    ng_mat x = test_mat(n, ng_dataset_features(data), 0, NG_F64);
    ng_assert_ok(ng_dataset_gather(data, x, labels, index, n, &err), &err);
    ng_dataset_destroy(data);
    ng_rng_destroy(&random);
    return x;
}

static double square(double x)
{
    return x * x;
}

START_TEST(seeds_decide)
{
    static const unsigned long seeds[] = {21, 21, 22};
    for (size_t classes = 0; classes <= 5; classes += 5) {
        ng_mat x[3];
        int own[3][50];
        for (int i = 0; i < 3; i++) {
            x[i] = drawn(50, classes, 6, 3, seeds[i]);
            memcpy(own[i], labels, sizeof own[i]);
        }
        ck_assert(test_same_bits(x[0], x[1]));
        ck_assert_mem_eq(own[0], own[1], sizeof own[0]);
        ck_assert(!test_same_bits(x[0], x[2]));
        ck_assert_mem_ne(own[0], own[2], sizeof own[0]);
        for (int i = 0; i < 3; i++)
            test_free(x[i]);
    }
}
END_TEST

/* Within a class: unit variance around the mean in each direction. Between
 * the classes: the root mean square distance of the centres. */
START_TEST(mixture_statistics)
{
    enum { N = 20000, K = 40, D = 30 };
    static double mean[K][D];
    double within = 0, between = 0, seen[K] = {0};
    ng_mat x = drawn(N, K, D, 5, 4);
    for (size_t i = 0; i < N; i++) {
        if (labels[i] < 0 || labels[i] >= K)
            ck_abort_msg("label %d", labels[i]);
        seen[labels[i]]++;
        for (size_t j = 0; j < D; j++)
            mean[labels[i]][j] += ng_mat_get(x, i, j);
    }
    for (size_t k = 0; k < K; k++) {
        ng_assert_rel(seen[k], N / K, 0.25); /* five standard errors */
        for (size_t j = 0; j < D; j++)
            mean[k][j] /= seen[k];
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < D; j++)
            within += square(ng_mat_get(x, i, j) - mean[labels[i]][j]);
    ng_assert_rel(within / D / (N - K), 1, 0.01);
    for (size_t a = 0; a < K; a++)
        for (size_t b = 0; b < a; b++)
            for (size_t j = 0; j < D; j++)
                between += square(mean[a][j] - mean[b][j]);
    ng_assert_rel(sqrt(between / (K * (K - 1) / 2)), 5, 0.08);
    test_free(x);
}
END_TEST

/* A picture is mostly dark, has ink that keeps clear of the corners, and each
 * digit occurs about equally often. */
START_TEST(digits_look_sane)
{
    enum { N = 3000 };
    int seen[10] = {0}, outside = 0;
    ng_mat x = drawn(N, 0, 0, 0, 8);
    for (size_t i = 0; i < N; i++) {
        double bright = 0, most = 0;
        for (size_t j = 0; j < 784; j++) {
            double v = ng_mat_get(x, i, j);
            outside += !(v >= 0 && v <= 1);
            bright += v > 0.5;
            most = v > most ? v : most;
        }
        if (most < 0.6 || bright < 10 || bright > 300)
            ck_abort_msg("digit %d: %g bright pixels, brightest %g", labels[i], bright, most);
        if (ng_mat_get(x, i, 0) + ng_mat_get(x, i, 783) > 0.6)
            ck_abort_msg("digit %d of sample %zu: ink in a corner", labels[i], i);
        seen[labels[i]]++;
    }
    ck_assert_int_eq(outside, 0);
    for (int k = 0; k < 10; k++)
        ng_assert_rel(seen[k], N / 10, 0.3);
    test_free(x);
}
END_TEST

/* The nearest mean of a class is right far more often than chance and far from
 * always: there is something to learn, and a line does not learn it. */
START_TEST(digits_are_neither_trivial_nor_noise)
{
    enum { N = 4000, TRAIN = 3000, P = 784 };
    static double mean[10][P];
    double seen[10] = {0}, right = 0;
    ng_mat x = drawn(N, 0, 0, 0, 9);
    for (size_t i = 0; i < TRAIN; i++) {
        seen[labels[i]]++;
        for (size_t j = 0; j < P; j++)
            mean[labels[i]][j] += ng_mat_get(x, i, j);
    }
    for (size_t i = TRAIN; i < N; i++) {
        double best = INFINITY;
        int nearest = -1;
        for (int k = 0; k < 10; k++) {
            double distance = 0;
            for (size_t j = 0; j < P; j++)
                distance += square(ng_mat_get(x, i, j) - mean[k][j] / seen[k]);
            nearest = distance < best ? k : nearest;
            best = distance < best ? distance : best;
        }
        right += nearest == labels[i];
    }
    ng_assert_le(0.5, right / (N - TRAIN));
    ng_assert_le(right / (N - TRAIN), 0.9);
    test_free(x);
}
END_TEST

START_TEST(generators_refuse)
{
    ng_random random, hollow = {0};
    ng_dataset *data;
    ng_assert_ok(ng_rng_create(&random, 1, &err), &err);
    ng_assert_fails(ng_dataset_digits(&data, 0, &random, &err), NG_EARG, &err, "0 samples");
    ng_assert_fails(ng_dataset_digits(&data, 5, NULL, &err), NG_EARG, &err, "random");
    ng_assert_fails(ng_dataset_digits(&data, 5, &hollow, &err), NG_EARG, &err, "random");
    ng_assert_fails(ng_dataset_digits(&data, (size_t)-1, &random, &err), NG_ENOMEM, &err, "784");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 257, 2, 1, &random, &err), NG_EARG, &err, "257");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 0, 2, 1, &random, &err), NG_EARG, &err, "0 class");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 2, 0, 1, &random, &err), NG_EARG, &err, "of 0");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 2, 2, -1, &random, &err), NG_EARG, &err, "-1");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 2, 2, NAN, &random, &err), NG_EARG, &err, "nan");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 256, (size_t)-1 / 16, 1, &random, &err), NG_EOPTION,
                    &err, "features is");
    ck_assert_ptr_null(data);
    ng_rng_destroy(&random);
}
END_TEST

TEST_SUITE(generated)
{
    TCase *tc = tcase_create("generated");
    tcase_set_timeout(tc, 60); /* seconds; for valgrind */
    tcase_add_test(tc, seeds_decide);
    tcase_add_test(tc, mixture_statistics);
    tcase_add_test(tc, digits_look_sane);
    tcase_add_test(tc, digits_are_neither_trivial_nor_noise);
    tcase_add_test(tc, generators_refuse);
    suite_add_tcase(suite, tc);
}
