/* Divisions: how many, which, and what is fitted to the one part. */
#include "tests/train/data_world.h"

static ng_dataset *train, *held_out;

static ng_status split(void)
{
    return ng_dataset_split(&train, &held_out, data, &options, &err);
}

static void close_all(void)
{
    ng_dataset_destroy(train);
    ng_dataset_destroy(held_out);
    close_data();
}

/* rows rows: x = row number, the class changes every `run` rows */
static const char *rows_of(int rows, int run)
{
    static char text[1 << 16];
    char *at = text;
    for (int i = 0; i < rows; i++)
        at += sprintf(at, "%d,%d\n", i + 1, i / run);
    return text;
}

/* A fifth, rounded to whole samples: never more than half a sample off. */
START_TEST(a_fifth)
{
    for (int rows = 4; rows < 60; rows++) {
        set_options("split=order task=regression");
        ng_assert_ok(open_path("csv", files_text("t", rows_of(rows, 1)), NULL), &err);
        ng_assert_ok(split(), &err);
        size_t out = ng_dataset_count(held_out);
        ck_assert_uint_eq(ng_dataset_count(train) + out, rows);
        ck_assert_msg(fabs((double)out - rows / 5.0) <= 0.5, "%d rows: %zu", rows, out);
        close_all();
    }
    ng_assert_ok(open_csv("1,0\n2,1\n", ""), &err);
    ng_assert_fails(split(), NG_ENODATA, &err, "2 samples are too few");
    ck_assert(train == NULL && held_out == NULL);
    close_data();
}
END_TEST

static void count(const ng_dataset *set, int *of, int *seen)
{
    for (size_t i = 0; i < ng_dataset_count(set); i++) {
        double x;
        int label;
        ng_assert_ok(ng_dataset_gather(set, ng_f64(&x, 1, 1), &label, &i, 1, &err), &err);
        of[label]++;
        seen[(int)x - 1]++;
    }
}

/* Sorted by class: each class in both parts by its share, every row once; the seed decides. */
START_TEST(stratified)
{
    static const int sizes[][2] = {{150, 50}, {9, 3}, {19, 7}, {101, 40}, {7, 1}};
    for (int k = 0; k < 5; k++) {
        int rows = sizes[k][0], run = sizes[k][1], a[8] = {0}, b[8] = {0}, seen[200] = {0};
        set_options(RAW);
        ng_assert_ok(open_path("csv", files_text("t", rows_of(rows, run)), NULL), &err);
        ng_status status = split();
        if (run == 1) {
            ng_assert_fails(status, NG_ENODATA, &err, "held out");
            close_data();
            continue;
        }
        ng_assert_ok(status, &err);
        count(train, a, seen);
        count(held_out, b, seen);
        for (int i = 0; i < rows; i++)
            ck_assert_int_eq(seen[i], 1);
        for (int c = 0; c * run < rows; c++)
            ck_assert_msg(a[c] > 0 && b[c] > 0 && fabs(a[c] - 0.8 * (a[c] + b[c])) <= 1,
                          "class %d: %d and %d", c, a[c], b[c]);
        double fifth = rows == 9 ? 3 : rows / 5.0; /* one of each class at least */
        ck_assert_msg(fabs((double)ng_dataset_count(held_out) - fifth) <= 0.5, "%zu",
                      ng_dataset_count(held_out));
        close_all();
    }
}
END_TEST

START_TEST(seeds_decide)
{
    double x[3][60];
    size_t index[60];
    for (size_t i = 0; i < 60; i++)
        index[i] = i;
    for (int k = 0; k < 3; k++) {
        set_options(k == 2 ? RAW "seed=2 train=0.6" : RAW "seed=1 train=0.6");
        ng_assert_ok(open_path("csv", files_text("t", rows_of(100, 50)), NULL), &err);
        ng_assert_ok(split(), &err);
        ng_assert_ok(ng_dataset_gather(train, ng_f64(x[k], 60, 1), NULL, index, 60, &err), &err);
        close_all();
    }
    ck_assert_mem_eq(x[0], x[1], sizeof x[0]);
    ck_assert_mem_ne(x[0], x[2], sizeof x[0]);
}
END_TEST

/* x = 1 ... 8 | 9, 10: mean 4.5, variance 21/4 of the first eight; held out the same map. */
START_TEST(scaling_is_of_the_training_part)
{
    static const char text[] = "1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,0\n8,1\n9,0\n10,1\n";
    static const char *const scales[] = {"none", "standard", "minmax", "auto"};
    const double offsets[] = {0, 4.5, 1, 4.5};
    const double factors[] = {1, 1 / sqrt(21 / 4.0), 1 / 7.0, 1 / sqrt(21 / 4.0)};
    for (int k = 0; k < 4; k++) {
        char words[64];
        double x[10];
        snprintf(words, sizeof words, "dtype=f64 split=order scale=%s", scales[k]);
        ng_assert_ok(open_csv(text, words), &err);
        ng_assert_ok(split(), &err);
        for (int i = 0; i < 10; i++)
            x[i] = (i + 1 - offsets[k]) * factors[k];
        assert_samples(train, 8, 1, x, NULL);
        assert_samples(held_out, 2, 1, x + 8, NULL);
        close_all();
    }
}
END_TEST

/* Missing values get the training part's mean, and what is constant there is no feature. */
START_TEST(fitted_anew)
{
    static const char text[] = "a,b,y\n1,5,0\n3,5,1\n,5,0\n2,5,1\n100,7,0\n";
    ng_assert_ok(open_csv(text, RAW "split=order missing=mean"), &err);
    ck_assert_uint_eq(ng_dataset_features(data), 2);
    ng_assert_ok(split(), &err);
    assert_samples(train, 4, 1, (const double[]){1, 3, 2, 2}, (const int[]){0, 1, 0, 1});
    assert_samples(held_out, 1, 1, (const double[]){100}, (const int[]){0});
    assert_says(train, held_out, "constant, left out: b");
    assert_says(train, held_out, "4 for training, 1 held out (the last)");
    close_all();
}
END_TEST

/* A division of a division, after the whole has gone. */
START_TEST(again)
{
    ng_dataset *part, *rest;
    int classes[8] = {0}, seen[200] = {0};
    set_options(RAW);
    ng_assert_ok(open_path("csv", files_text("t", rows_of(100, 50)), NULL), &err);
    ng_assert_ok(split(), &err);
    close_data();
    ng_assert_ok(ng_dataset_split(&part, &rest, train, &options, &err), &err);
    ng_dataset_destroy(train);
    count(part, classes, seen);
    count(rest, classes, seen);
    count(held_out, classes, seen);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(seen[i], 1);
    ck_assert_uint_eq(ng_dataset_count(part), 64);
    ng_dataset_destroy(part);
    ng_dataset_destroy(rest);
    ng_dataset_destroy(held_out);
}
END_TEST

START_TEST(labels_seen_too_late)
{
    ng_assert_ok(open_csv("x,kind\n\n1,a\n2,b\n3,a\n4,b\n5,c\n", "split=order"), &err);
    ng_assert_fails(split(), NG_EFORMAT, &err,
                    "line 7, column 2: the label \"c\" is only in the held-out part");
    close_data();
    ng_assert_ok(open_csv("1,0\n2,0\n3,0\n4,0\n5,1\n", "split=order"), &err);
    ng_assert_fails(split(), NG_EFORMAT, &err, "line 5");
    close_data();
    ng_assert_ok(open_csv("1,0\n2,0\n3,0\n4,0\n5,0\n6,1\n", "split=order train=0.5"), &err);
    ng_assert_fails(split(), NG_EFORMAT, &err, "only in the held-out part");
    close_data();
}
END_TEST

TEST_SUITE(split)
{
    TCase *tc = tcase_create("split");
    tcase_set_timeout(tc, 60); /* seconds; for slow file systems and valgrind */
    tcase_add_checked_fixture(tc, files_setup, files_teardown);
    tcase_add_test(tc, a_fifth);
    tcase_add_test(tc, stratified);
    tcase_add_test(tc, seeds_decide);
    tcase_add_test(tc, scaling_is_of_the_training_part);
    tcase_add_test(tc, fitted_anew);
    tcase_add_test(tc, again);
    tcase_add_test(tc, labels_seen_too_late);
    suite_add_tcase(suite, tc);
}
