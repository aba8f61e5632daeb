/* What people try first: a table as they have it, and every optimizer as it comes. */
#include <stdio.h>

#include <natgrad-train.h>

#include "tests/support/support.h"
#include "tests/train/files.h"

enum { SIDE = 8, PIXELS = 28, DRAWN = 1797 };

/* The bright part of a picture: rows low[0] ... high[0], columns low[1] ... high[1]. */
static void bounds(int low[2], int high[2], const float *x)
{
    low[0] = low[1] = PIXELS - 1;
    high[0] = high[1] = 0;
    for (int p = 0; p < PIXELS * PIXELS; p++)
        for (int k = 0; k < 2 && x[p] > 0.5f; k++) {
            int at = k == 0 ? p / PIXELS : p % PIXELS;
            low[k] = at < low[k] ? at : low[k];
            high[k] = at > high[k] ? at : high[k];
        }
}

/* As optdigits (Alpaydin and Kaynak 1998), which scikit-learn has: the digit fills 32 x 32 points,
 * of which each 4 x 4 are counted. */
static void write_row(FILE *csv, const float *x, int label)
{
    int low[2], high[2], count[SIDE * SIDE] = {0};
    bounds(low, high, x);
    for (int i = 0; i < 32; i++)
        for (int j = 0; j < 32; j++) {
            int row = low[0] + i * (high[0] - low[0] + 1) / 32;
            int col = low[1] + j * (high[1] - low[1] + 1) / 32;
            count[i / 4 * SIDE + j / 4] += x[row * PIXELS + col] > 0.5f;
        }
    for (int j = 0; j < SIDE * SIDE; j++)
        fprintf(csv, "%d,", count[j]);
    fprintf(csv, "%d\n", label);
}

/* A table of drawn digits as that one is: 8 x 8 counts, 0 ... 16, and the digit; with a header. */
static const char *digits_table(void)
{
    static float x[PIXELS * PIXELS];
    const char *path = files_path("digits.csv");
    ng_error error = {NG_OK, ""};
    ng_dataset *drawn;
    ng_random random;
    int label;
    FILE *csv = fopen(path, "w");
    ck_assert_ptr_nonnull(csv);
    ng_assert_ok(ng_rng_create(&random, 12, &error), &error);
    ng_assert_ok(ng_dataset_digits(&drawn, DRAWN, &random, &error), &error);
    for (int j = 0; j < SIDE * SIDE; j++)
        fprintf(csv, "pixel_%d_%d,", j / SIDE, j % SIDE);
    fprintf(csv, "target\n");
    for (size_t i = 0; i < DRAWN; i++) {
        ng_assert_ok(ng_dataset_gather(drawn, ng_f32(x, 1, PIXELS * PIXELS), &label, &i, 1, &error),
                     &error);
        write_row(csv, x, label);
    }
    ck_assert_int_eq(fclose(csv), 0);
    ng_dataset_destroy(drawn);
    ng_rng_destroy(&random);
    return path;
}

/* Accuracy on the fifth that is held out after ten epochs of a preset as it comes. */
static double accuracy(const ng_dataset *train, const ng_dataset *test, const char *preset)
{
    ng_error error = {NG_OK, ""};
    ng_mlp_options net;
    ng_model *model;
    ng_trainer_options how;
    ng_trainer *trainer;
    void *method;
    double score;
    ng_mlp_init(&net);
    net.inputs = ng_dataset_features(train);
    net.widths = (const size_t[]){128, 10};
    net.layers = 2;
    ng_assert_ok(ng_model_create_mlp(&model, &net, &error), &error);
    ng_assert_ok(ng_options_new(&method, preset, &error), &error);
    ng_trainer_init(&how);
    how.method = method;
    ck_assert_uint_eq(how.epochs, 10);
    ng_assert_ok(ng_trainer_create(&trainer, model, &how, &error), &error);
    ck_assert_int_eq(ng_trainer_fit(trainer, train, NULL), NG_OK);
    ck_assert_int_eq(ng_trainer_evaluate(trainer, NULL, &score, test), NG_OK);
    ng_trainer_destroy(trainer);
    ng_options_free(method);
    ng_model_destroy(model);
    return score;
}

START_TEST(raw_digits)
{
    char source[600];
    ng_error error = {NG_OK, ""};
    ng_dataset *all, *train, *test;
    const char *preset = ng_preset_get((size_t)_i)->name;
    snprintf(source, sizeof source, "csv:%s", digits_table());
    ng_assert_ok(ng_dataset_open(&all, source, NULL, &error), &error);
    ng_assert_ok(ng_dataset_split(&train, &test, all, NULL, &error), &error);
    ck_assert_int_eq(ng_schema_scale(ng_dataset_schema(train)), NG_SCALE_STANDARD);
    double score = accuracy(train, test, preset);
    ck_assert_msg(score >= 0.85, "%s: %.4f", preset, score);
    ng_dataset_destroy(all);
    ng_dataset_destroy(train);
    ng_dataset_destroy(test);
}
END_TEST

TEST_SUITE(defaults)
{
    TCase *tcase = tcase_create("defaults");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_add_loop_test(tcase, raw_digits, 0, (int)ng_preset_count());
    suite_add_tcase(suite, tcase);
}
