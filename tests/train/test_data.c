/* What all data sets share (gather, views), and text windows against enumeration
 * by hand. */
#include <natgrad/train/data.h>

#include "tests/train/files.h"
#include "tests/support/support.h"

static ng_error err;
static ng_dataset *data, *view;

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

/* Every sample, of a view too, against the text cut by hand. */
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

/* All 256 bytes, from a gzipped file. */
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
    ng_assert_fails(ng_dataset_text(&data, path, (size_t)-1, &err), NG_EOPTION, &err, "context");
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
    ng_assert_fails(ng_dataset_gather(data, ng_f64(x, 3, 10), labels, NULL, 3, &err), NG_EARG, &err,
                    "index");
    ck_assert(x[0] == 42 && labels[0] == -5);
    ng_assert_ok(ng_dataset_gather(data, ng_f64(NULL, 0, 10), NULL, NULL, 0, &err), &err);
    ng_assert_ok(ng_dataset_gather(data, ng_f64(x, 2, 10), NULL, index, 2, &err), &err);
    ck_assert_int_eq(label_of(data, 8), 9);
    ng_dataset_destroy(view);
    ng_dataset_destroy(data);
}
END_TEST

TEST_SUITE(data)
{
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
    suite_add_tcase(suite, tc);
}
