/* What all data sets share (gather, views), text windows against enumeration
 * by hand, and the statistics of generated sets. */
#include <natgrad/lab/data.h>
#include <natgrad/lab/rng.h>

#include <stdio.h>

#include "tests/lab/files.h"
#include "tests/support/support.h"

static ng_error err;
static ng_dataset *data, *view;

static ng_random create(unsigned long seed)
{
    ng_random random;
    ng_assert_ok(ng_rng_create(&random, seed, &err), &err);
    return random;
}

/* ---- Text --------------------------------------------------------------------- */

/* "abca cab": vocabulary ' ' 'a' 'b' 'c', windows of three
 *   abc|a bca|' ' "ca "|c "a c"|a " ca"|b */
START_TEST(text_windows)
{
    static const int windows[5][4] = {
        {1, 2, 3, 1}, {2, 3, 1, 0}, {3, 1, 0, 3}, {1, 0, 3, 1}, {0, 3, 1, 2}};
    static const size_t index[] = {4, 0, 3, 2, 1, 1};
    int labels[6];
    const char *path = files_text("t.txt", "abca cab");
    ng_assert_ok(ng_dataset_text(&data, path, 3, &err), &err);
    ck_assert_uint_eq(ng_dataset_count(data), 5);
    ck_assert_uint_eq(ng_dataset_classes(data), 4);
    ck_assert_uint_eq(ng_dataset_features(data), 12);
    ck_assert_mem_eq(ng_dataset_vocabulary(data), " abc", 4);
    for (int dtype = 0; dtype < 2; dtype++) {
        ng_mat x = test_mat(6, 12, 2, (ng_dtype)dtype);
        for (size_t i = 0; i < 6; i++)
            for (size_t j = 0; j < 12; j++)
                ng_mat_set(x, i, j, 7); /* must go */
        ng_assert_ok(ng_dataset_gather(data, x, labels, index, 6, &err), &err);
        for (size_t i = 0; i < 6; i++) {
            ck_assert_int_eq(labels[i], windows[index[i]][3]);
            for (size_t j = 0; j < 12; j++)
                ck_assert_double_eq(ng_mat_get(x, i, j),
                                    windows[index[i]][j / 4] == (int)(j % 4) ? 1 : 0);
        }
        test_free(x);
    }
    ng_dataset_destroy(data);
}
END_TEST

/* All 256 bytes, from a gzipped file, the last one above 127 */
/* every sample, of a view too, against the text cut by hand */
START_TEST(text_sequences)
{
    const char text[] = "abca cab"; /* symbols 1 2 3 1 0 3 1 2 */
    const double symbols[] = {1, 2, 3, 1, 0, 3, 1, 2};
    const char *path = files_text("t.txt", text);
    for (size_t context = 1; context <= 7; context++) {
        ng_assert_ok(ng_dataset_sequences(&data, path, context, &err), &err);
        size_t count = ng_dataset_count(data);
        ck_assert_uint_eq(count, 7 / context);
        ck_assert_uint_eq(ng_dataset_features(data), context);
        ck_assert_uint_eq(ng_dataset_classes(data), 4);
        ck_assert_int_eq(ng_dataset_vocabulary(data)[3], 'c');
        ng_assert_ok(ng_dataset_view(&view, data, count - 1, 1, &err), &err);
        for (size_t i = 0; i <= count; i++) { /* the last one is the view's */
            size_t sample = i < count ? i : count - 1, index = i < count ? i : 0;
            double x[7];
            int label;
            ng_assert_ok(ng_dataset_gather(i < count ? data : view, ng_f64(x, 1, context), &label,
                                           &index, 1, &err),
                         &err);
            for (size_t c = 0; c < context; c++)
                ck_assert_double_eq(x[c], symbols[sample * context + c]);
            ck_assert_int_eq(label, (int)symbols[(sample + 1) * context]);
        }
        ng_dataset_destroy(view);
        ng_dataset_destroy(data);
    }
    ng_assert_fails(ng_dataset_sequences(&data, path, 8, &err), NG_EFORMAT, &err, "8 bytes");
    ng_assert_fails(ng_dataset_sequences(&data, path, 0, &err), NG_EARG, &err, "context is 0");
}
END_TEST

START_TEST(text_of_all_bytes)
{
    unsigned char text[300];
    double x[256];
    int label;
    for (int i = 0; i < 300; i++)
        text[i] = (unsigned char)(255 - i);
    ng_assert_ok(ng_dataset_text(&data, files_write_gz("t.gz", text, 300), 1, &err), &err);
    ck_assert_uint_eq(ng_dataset_classes(data), 256);
    for (size_t i = 0; i < 299; i++) {
        ng_assert_ok(ng_dataset_gather(data, ng_f64(x, 1, 256), &label, &i, 1, &err), &err);
        ck_assert_double_eq(x[text[i]], 1);
        ck_assert_int_eq(label, text[i + 1]);
    }
    ng_dataset_destroy(data);
}
END_TEST

START_TEST(text_refused)
{
    const char *path = files_text("t.txt", "abc");
    ng_assert_fails(ng_dataset_text(&data, path, 3, &err), NG_EFORMAT, &err, "3 bytes");
    ck_assert_ptr_nonnull(strstr(err.text, path));
    ng_assert_fails(ng_dataset_text(&data, path, (size_t)-1, &err), NG_EFORMAT, &err, path);
    ng_assert_fails(ng_dataset_text(&data, path, 0, &err), NG_EARG, &err, "context is 0");
    path = files_text("empty", "");
    ng_assert_fails(ng_dataset_text(&data, path, 1, &err), NG_EFORMAT, &err, path);
    ng_assert_fails(ng_dataset_text(&data, files_path("none"), 1, &err), NG_EIO, &err, "none");
    ng_assert_fails(ng_dataset_text(&data, files_path("."), 1, &err), NG_EIO, &err, "directory");
    path = files_write_gz("t.gz", "some text, some text, some text", 31);
    files_damage(path, -7);
    ng_assert_fails(ng_dataset_text(&data, path, 1, &err), NG_EFORMAT, &err, "damaged");
    ck_assert_ptr_null(data);
    ng_assert_ok(ng_dataset_text(&data, files_text("t.txt", "abc"), 2, &err), &err);
    ck_assert_uint_eq(ng_dataset_count(data), 1);
    ng_dataset_destroy(data);
}
END_TEST

/* ---- Gather and views ------------------------------------------------------------ */

/* "0123456789" in windows of one: sample i has label i + 1. */
static void open_numbers(void)
{
    ng_assert_ok(ng_dataset_text(&data, files_text("n", "0123456789"), 1, &err), &err);
}

static int label_of(const ng_dataset *set, size_t i)
{
    double x[10];
    int label = -1;
    ng_assert_ok(ng_dataset_gather(set, ng_f64(x, 1, 10), &label, &i, 1, &err), &err);
    ck_assert_double_eq(x[label - 1], 1);
    return label;
}

START_TEST(views)
{
    ng_dataset *inner, *rest;
    open_numbers();
    ng_assert_ok(ng_dataset_view(&view, data, 2, 6, &err), &err);
    ng_assert_ok(ng_dataset_view(&inner, view, 1, 5, &err), &err);
    ng_assert_ok(ng_dataset_view(&rest, view, 6, 0, &err), &err);
    ck_assert_uint_eq(ng_dataset_count(rest), 0);
    ck_assert_uint_eq(ng_dataset_count(inner), 5);
    ck_assert_uint_eq(ng_dataset_classes(inner), 10);
    ng_dataset_destroy(data);
    ck_assert_int_eq(label_of(view, 0), 3);
    ck_assert_int_eq(label_of(view, 5), 8);
    ng_dataset_destroy(view);
    ck_assert_int_eq(label_of(inner, 0), 4);
    ck_assert_int_eq(label_of(inner, 4), 8);
    ng_dataset_destroy(rest);
    ng_dataset_destroy(inner);
    ng_dataset_destroy(NULL);
}
END_TEST

START_TEST(views_stay_inside)
{
    static const size_t bad[][2] = {{0, 10}, {9, 1}, {10, 0}, {1, (size_t)-1}, {(size_t)-1, 2}};
    ng_dataset *inner;
    open_numbers();
    for (int i = 0; i < 5; i++)
        ng_assert_fails(ng_dataset_view(&view, data, bad[i][0], bad[i][1], &err), NG_ERANGE, &err,
                        "of 9");
    ck_assert_ptr_null(view);
    ng_assert_ok(ng_dataset_view(&view, data, 9, 0, &err), &err);
    ng_dataset_destroy(view);
    ng_assert_ok(ng_dataset_view(&view, data, 2, 3, &err), &err);
    ng_assert_fails(ng_dataset_view(&inner, view, 2, 2, &err), NG_ERANGE, &err, "of 3");
    ng_dataset_destroy(view);
    ng_assert_fails(ng_dataset_view(NULL, data, 0, 1, &err), NG_EARG, &err, "view");
    ng_assert_fails(ng_dataset_view(&view, NULL, 0, 1, &err), NG_EARG, &err, "dataset");
    ng_dataset_destroy(data);
}
END_TEST

START_TEST(gather_checks)
{
    double x[30];
    int labels[3] = {-5, -5, -5};
    size_t index[] = {0, 8, 9};
    open_numbers();
    x[0] = 42;
    ng_assert_fails(ng_dataset_gather(data, ng_f64(x, 3, 10), labels, index, 3, &err), NG_ERANGE,
                    &err, "index[2] is 9");
    ng_assert_ok(ng_dataset_view(&view, data, 0, 8, &err), &err);
    ng_assert_fails(ng_dataset_gather(view, ng_f64(x, 2, 10), labels, index, 2, &err), NG_ERANGE,
                    &err, "index[1] is 8");
    ng_assert_fails(ng_dataset_gather(data, ng_f64(x, 3, 9), labels, index, 3, &err), NG_ESHAPE,
                    &err, "3 x 9, expected 3 x 10");
    ng_assert_fails(ng_dataset_gather(data, ng_f64(x, 2, 10), labels, index, 3, &err), NG_ESHAPE,
                    &err, "2 x 10, expected 3 x 10");
    ng_assert_fails(ng_dataset_gather(data, ng_f64(NULL, 3, 10), labels, index, 3, &err), NG_EARG,
                    &err, "x");
    ng_assert_fails(ng_dataset_gather(data, ng_f64(x, 3, 10), labels, NULL, 3, &err), NG_EARG,
                    &err, "index");
    ck_assert(x[0] == 42 && labels[0] == -5);
    ng_assert_ok(ng_dataset_gather(data, ng_f64(NULL, 0, 10), NULL, NULL, 0, &err), &err);
    ng_assert_ok(ng_dataset_gather(data, ng_f64(x, 2, 10), NULL, index, 2, &err), &err);
    ck_assert_int_eq(label_of(data, 8), 9);
    ng_dataset_destroy(view);
    ng_dataset_destroy(data);
}
END_TEST

/* ---- Generated sets ----------------------------------------------------------------- */

/* All samples as a matrix; labels to be freed. */
static ng_mat everything(const ng_dataset *set, int **labels)
{
    size_t n = ng_dataset_count(set), *index = malloc(n * sizeof *index);
    ng_mat x = test_mat(n, ng_dataset_features(set), 0, NG_F64);
    *labels = malloc(n * sizeof **labels);
    ck_assert(index != NULL && *labels != NULL);
    for (size_t i = 0; i < n; i++)
        index[i] = i;
    ng_assert_ok(ng_dataset_gather(set, x, *labels, index, n, &err), &err);
    free(index);
    return x;
}

static double square(double x)
{
    return x * x;
}

static void make(int kind, unsigned long seed)
{
    ng_random random = create(seed);
    if (kind == 0)
        ng_assert_ok(ng_dataset_digits(&data, 50, &random, &err), &err);
    else
        ng_assert_ok(ng_dataset_mixture(&data, 50, 5, 6, 3, &random, &err), &err);
    ng_rng_destroy(&random);
}

START_TEST(seeds_decide)
{
    static const unsigned long seeds[] = {21, 21, 22};
    for (int kind = 0; kind < 2; kind++) {
        ng_mat x[3];
        int *labels[3];
        for (int i = 0; i < 3; i++) {
            make(kind, seeds[i]);
            x[i] = everything(data, &labels[i]);
            ng_dataset_destroy(data);
        }
        ck_assert(test_same_bits(x[0], x[1]));
        ck_assert_mem_eq(labels[0], labels[1], 50 * sizeof(int));
        ck_assert(!test_same_bits(x[0], x[2]));
        ck_assert_mem_ne(labels[0], labels[2], 50 * sizeof(int));
        for (int i = 0; i < 3; i++) {
            test_free(x[i]);
            free(labels[i]);
        }
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
    int *labels;
    ng_random random = create(4);
    ng_assert_ok(ng_dataset_mixture(&data, N, K, D, 5, &random, &err), &err);
    ck_assert_uint_eq(ng_dataset_classes(data), K);
    ng_mat x = everything(data, &labels);
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
    free(labels);
    ng_dataset_destroy(data);
    ng_rng_destroy(&random);
}
END_TEST

/* A picture is mostly dark, has ink that keeps clear of the corners, and each
 * digit occurs about equally often. */
START_TEST(digits_look_sane)
{
    enum { N = 3000 };
    int *labels, seen[10] = {0}, outside = 0;
    ng_random random = create(8);
    ng_assert_ok(ng_dataset_digits(&data, N, &random, &err), &err);
    ck_assert_uint_eq(ng_dataset_classes(data), 10);
    ck_assert_uint_eq(ng_dataset_features(data), 784);
    ng_mat x = everything(data, &labels);
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
    free(labels);
    ng_dataset_destroy(data);
    ng_rng_destroy(&random);
}
END_TEST

/* The nearest mean of a class is right far more often than chance and far from
 * always: there is something to learn, and a line does not learn it. */
START_TEST(digits_are_neither_trivial_nor_noise)
{
    enum { N = 4000, TRAIN = 3000, P = 784 };
    static double mean[10][P];
    double seen[10] = {0}, right = 0;
    int *labels;
    ng_random random = create(9);
    ng_assert_ok(ng_dataset_digits(&data, N, &random, &err), &err);
    ng_mat x = everything(data, &labels);
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
    free(labels);
    ng_dataset_destroy(data);
    ng_rng_destroy(&random);
}
END_TEST

START_TEST(generators_refuse)
{
    ng_random random = create(1), hollow = {0};
    ng_assert_fails(ng_dataset_digits(&data, 0, &random, &err), NG_EARG, &err, "0 samples");
    ng_assert_fails(ng_dataset_digits(&data, 5, NULL, &err), NG_EARG, &err, "random");
    ng_assert_fails(ng_dataset_digits(&data, 5, &hollow, &err), NG_EARG, &err, "random");
    ng_assert_fails(ng_dataset_digits(&data, (size_t)-1, &random, &err), NG_ENOMEM, &err, "784");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 257, 2, 1, &random, &err), NG_EARG, &err, "257");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 0, 2, 1, &random, &err), NG_EARG, &err, "0 class");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 2, 0, 1, &random, &err), NG_EARG, &err, "of 0");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 2, 2, -1, &random, &err), NG_EARG, &err, "-1");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 2, 2, NAN, &random, &err), NG_EARG, &err, "nan");
    ng_assert_fails(ng_dataset_mixture(&data, 5, 256, (size_t)-1 / 16, 1, &random, &err),
                    NG_ENOMEM, &err, "memory");
    ck_assert_ptr_null(data);
    ng_rng_destroy(&random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab: data sets");
    TCase *tc = tcase_create("data");
    tcase_set_timeout(tc, 60); /* seconds; for slow file systems and valgrind */
    tcase_add_checked_fixture(tc, files_setup, files_teardown);
    tcase_add_test(tc, text_windows);
    tcase_add_test(tc, text_sequences);
    tcase_add_test(tc, text_of_all_bytes);
    tcase_add_test(tc, text_refused);
    tcase_add_test(tc, views);
    tcase_add_test(tc, views_stay_inside);
    tcase_add_test(tc, gather_checks);
    tcase_add_test(tc, seeds_decide);
    tcase_add_test(tc, mixture_statistics);
    tcase_add_test(tc, digits_look_sane);
    tcase_add_test(tc, digits_are_neither_trivial_nor_noise);
    tcase_add_test(tc, generators_refuse);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
