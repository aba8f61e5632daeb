/* What models say of data, and the measures of how good that is: by closed forms, and by counting
 * again. */
#include "tests/train/model_files.h"

#include <float.h>

static ng_error err;

/* ---- Predictions ------------------------------------------------------------------------- */

enum { ROWS = 17 }; /* no multiple of any max_batch */

/* A table of ROWS random samples: labels of three classes, or targets. */
static ng_dataset *table(size_t features, size_t targets)
{
    char text[1 << 12] = "", source[1400];
    test_rng rng = {3};
    ng_dataset_options o;
    ng_dataset *data;
    ng_dataset_init(&o);
    o.dtype = NG_F64;
    o.task = targets > 0 ? NG_TASK_REGRESSION : NG_TASK_CLASSIFICATION;
    o.label = targets == 2 ? "5,6" : NULL;
    for (size_t i = 0; i < ROWS; i++) {
        char *at = text + strlen(text);
        for (size_t j = 0; j < features + targets; j++)
            at += sprintf(at, "%s%.6f", j > 0 ? "," : "", 50 + 3 * test_normal(&rng));
        sprintf(at, targets > 0 ? "\n" : ",%c\n", (int)('a' + i % 3));
    }
    snprintf(source, sizeof source, "csv:%s", files_text("t.csv", text));
    ng_assert_ok(ng_dataset_open(&data, source, &o, &err), &err);
    return data;
}

/* Logits of one sample, by itself. */
static ng_mat logits_of(ng_model *model, const ng_dataset *data, size_t i)
{
    ng_assert_ok(ng_dataset_gather(data, ng_model_input(model, 1), NULL, &i, 1, &err), &err);
    ng_assert_ok(ng_model_forward(model, 1, &err), &err);
    return ng_model_output(model);
}

START_TEST(probabilities_and_loss)
{
    ng_model *model = small_model(_i); /* f32, f64 */
    ng_dataset *data = table(4, 0);
    double loss, sum = 0, tol = _i == 0 ? 1e-5 : 1e-12;
    ng_mat out = test_mat(ROWS, 3, 2, NG_F64);
    ng_assert_ok(ng_model_predict(model, out, &loss, data, &err), &err);
    for (size_t i = 0; i < ROWS; i++) {
        double total = 0;
        int label;
        ng_dataset_gather(data, ng_model_input(model, 1), &label, &i, 1, NULL);
        ng_mat z = logits_of(model, data, i);
        for (size_t j = 0; j < 3; j++)
            total += exp(ng_mat_get(z, 0, j));
        for (size_t j = 0; j < 3; j++)
            ng_assert_rel(ng_mat_get(out, i, j), exp(ng_mat_get(z, 0, j)) / total, tol);
        sum += log(total) - ng_mat_get(z, 0, (size_t)label);
    }
    ng_assert_rel(loss, sum / ROWS, tol);
    ng_assert_ok(ng_model_predict(model, ng_mat_none(), &loss, data, &err), &err);
    ng_assert_rel(loss, sum / ROWS, tol);
    test_free(out);
    ng_dataset_destroy(data);
    ng_model_destroy(model);
}
END_TEST

START_TEST(outputs_of_their_own)
{
    ng_model *model = small_model(3); /* bernoulli */
    ng_dataset *data = table(4, 0);
    ng_mat out = test_mat(ROWS, 2, 0, NG_F32);
    ng_assert_ok(ng_model_predict(model, out, NULL, data, &err), &err);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < 2; j++)
            ng_assert_rel(ng_mat_get(out, i, j),
                          1 / (1 + exp(-ng_mat_get(logits_of(model, data, i), 0, j))), 1e-6);
    test_free(out);
    ng_dataset_destroy(data);
    ng_model_destroy(model);
}
END_TEST

/* In the units of the file, about 50 with a deviation of 3. */
START_TEST(values_and_loss)
{
    ng_model *model = small_model(5); /* squared */
    ng_dataset *data = table(4, 1);
    double loss, sum = 0, offset, factor;
    ng_mat out = test_mat(ROWS, 1, 0, NG_F64);
    ng_assert_ok(ng_schema_target_scale(ng_dataset_schema(data), 0, &offset, &factor), NULL);
    ck_assert(fabs(offset - 50) < 3 && fabs(factor - 1 / 3.0) < 0.2);
    ng_assert_ok(ng_model_predict(model, out, &loss, data, &err), &err);
    for (size_t i = 0; i < ROWS; i++) {
        double y, z = ng_mat_get(logits_of(model, data, i), 0, 0);
        ng_dataset_gather_targets(data, ng_f64(&y, 1, 1), &i, 1, NULL);
        ng_assert_rel(ng_mat_get(out, i, 0), offset + z / factor, 1e-12);
        sum += (z - y) * (z - y) / 2;
    }
    ng_assert_rel(loss, sum / ROWS, 1e-12);
    test_free(out);
    ng_dataset_destroy(data);
    ng_model_destroy(model);
}
END_TEST

/* Of a text the character behind it; the loss is that of all positions. */
START_TEST(of_a_text)
{
    const int labels[] = {1, 2, 0};
    const float tokens[3][3] = {{0, 1, 2}, {3, 4, 0}, {1, 1, 1}};
    ng_model *model = small_model(9); /* gpt */
    ng_dataset *data;
    double out[3][5], loss, sum = 0, one;
    ng_assert_ok(
        ng_dataset_from_labels(&data, ng_f32((float *)&tokens[0][0], 3, 3), labels, 5, &err), &err);
    ng_assert_ok(ng_model_predict(model, ng_f64(&out[0][0], 3, 5), &loss, data, &err), &err);
    for (size_t i = 0; i < 3; i++) {
        double total = 0;
        ng_mat z = logits_of(model, data, i);
        ck_assert_uint_eq(z.rows, 3);
        for (size_t j = 0; j < 5; j++)
            total += exp(ng_mat_get(z, 2, j));
        for (size_t j = 0; j < 5; j++)
            ng_assert_rel(out[i][j], exp(ng_mat_get(z, 2, j)) / total, 1e-12);
        ng_assert_ok(ng_model_loss_labels(model, &one, NULL, &labels[i], 1, &err), &err);
        sum += one / 3;
    }
    ng_assert_rel(loss, sum, 1e-12);
    ng_dataset_destroy(data);
    ng_model_destroy(model);
}
END_TEST

START_TEST(predict_refuses)
{
    ng_model *model = small_model(1);
    ng_dataset *data = table(4, 0), *other = table(5, 0), *bare;
    double x[ROWS * 4], loss;
    ng_mat out = ng_f64(x, ROWS, 3);
    ng_assert_fails(ng_model_predict(NULL, out, NULL, data, &err), NG_EARG, &err, "model");
    ng_assert_fails(ng_model_predict(model, out, NULL, NULL, &err), NG_EARG, &err, "data");
    ng_assert_fails(ng_model_predict(model, ng_f64(x, ROWS, 4), NULL, data, &err), NG_ESHAPE, &err,
                    "17 x 4, expected 17 x 3");
    ng_assert_fails(ng_model_predict(model, ng_f64(x, 5, 3), NULL, data, &err), NG_ESHAPE, &err,
                    "5 x 3");
    ng_assert_fails(ng_model_predict(model, out, NULL, other, &err), NG_ESHAPE, &err, "");
    const ng_schema *schema = ng_dataset_schema(data);
    char source[1400];
    snprintf(source, sizeof source, "csv:%s", files_text("b.csv", "1,2,3,4\n"));
    ng_assert_ok(ng_dataset_open_like(&bare, schema, source, NULL, &err), &err);
    ng_assert_fails(ng_model_predict(model, ng_f64(x, 1, 3), &loss, bare, &err), NG_ENODATA, &err,
                    "labels");
    ng_assert_ok(ng_model_predict(model, ng_f64(x, 1, 3), NULL, bare, &err), &err);
    ng_fill(model_param(model, 1).w, DBL_MAX);
    ng_fill(model_param(model, 2).w, 10);
    ng_assert_fails(ng_model_predict(model, out, NULL, data, &err), NG_ENONFINITE, &err,
                    "samples 0");
    ng_dataset_destroy(bare);
    ng_dataset_destroy(other);
    ng_dataset_destroy(data);
    ng_model_destroy(model);
}
END_TEST

START_TEST(predict_survives)
{
    ng_model *model = small_model(1);
    ng_dataset *data = table(4, 0);
    double x[ROWS * 3], loss;
    ng_status status = NG_ENOMEM;
    for (long k = 1; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k, FAIL);
        status = ng_model_predict(model, ng_f64(x, ROWS, 3), &loss, data, &err);
        fault_over();
        ck_assert(status == NG_OK ? k > 3 : status == NG_ENOMEM);
    }
    ng_dataset_destroy(data);
    ng_model_destroy(model);
}
END_TEST

/* ---- Measures ------------------------------------------------------------------------------ */

/* Ten samples of two classes: of 0 five, four said 0; of 1 five, three said 1. */
static const double few[10][2] = {{0.9, 0.1},   {0.9, 0.1},   {0.75, 0.25}, {0.5, 0.5}, {0.3, 0.7},
                                  {0.05, 0.95}, {0.05, 0.95}, {0.4, 0.6},   {0.8, 0.2}, {0.6, 0.4}};
static const int truth[10] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};

/* The ten of either dtype, with room between the rows. */
static ng_mat the_ten(int f64)
{
    ng_mat p = test_mat(10, 2, 3, f64 ? NG_F64 : NG_F32);
    for (size_t i = 0; i < 10; i++)
        for (size_t j = 0; j < 2; j++)
            ng_mat_set(p, i, j, few[i][j]);
    return p;
}

START_TEST(counted)
{
    double c[2][2], of[2][3], accuracy;
    ng_mat p = the_ten(_i);
    ck_assert_uint_eq(ng_metrics_choice(p, 3), 0); /* the first of equals */
    ck_assert_uint_eq(ng_metrics_choice(p, 4), 1);
    ng_assert_ok(ng_metrics_confusion(ng_f64(&c[0][0], 2, 2), p, truth, &err), &err);
    ck_assert(c[0][0] == 4 && c[0][1] == 1 && c[1][0] == 2 && c[1][1] == 3);
    ng_assert_ok(ng_metrics_classes(ng_f64(&of[0][0], 2, 3), &accuracy, p, truth, &err), &err);
    ck_assert(of[0][0] == 5 && of[0][1] == 6 && of[0][2] == 4);
    ck_assert(of[1][0] == 5 && of[1][1] == 4 && of[1][2] == 3);
    ck_assert(accuracy == 0.7);
    ng_assert_ok(ng_metrics_classes(ng_f64(&of[0][0], 2, 3), NULL, p, truth, &err), &err);
    test_free(p);
}
END_TEST

/* Two bins: up to 1/2 there is one sample, right, of 0.5; above it nine of mean
 * (0.9 + 0.9 + 0.75 + 0.7 + 0.95 + 0.95 + 0.6 + 0.8 + 0.6) / 9, six right. */
START_TEST(reliability)
{
    const double mean = 7.15 / 9, tol = _i ? 1e-14 : 1e-6;
    double bins[2][3], one[1][3], ece;
    ng_mat p = the_ten(_i);
    ng_assert_ok(ng_metrics_calibration(ng_f64(&bins[0][0], 2, 3), &ece, p, truth, &err), &err);
    ck_assert(bins[0][0] == 1 && bins[0][1] == 0.5 && bins[0][2] == 1);
    ck_assert(bins[1][0] == 9);
    ng_assert_rel(bins[1][1], mean, tol);
    ng_assert_rel(bins[1][2], 6 / 9.0, tol);
    ng_assert_rel(ece, 0.1 * 0.5 + 0.9 * (mean - 6 / 9.0), tol);
    ng_assert_ok(ng_metrics_calibration(ng_f64(&one[0][0], 1, 3), &ece, p, truth, &err), &err);
    ng_assert_rel(ece, 7.65 / 10 - 0.7, 100 * tol);
    test_free(p);
}
END_TEST

/* Who says 1 and is right half the time is off by a half; who says what is true, by nothing. */
START_TEST(reliability_ends)
{
    double p[4][2] = {{1, 0}, {1, 0}, {1, 0}, {1, 0}}, bins[10][3], ece;
    const int half[4] = {0, 1, 1, 0}, three[4] = {0, 0, 1, 0};
    ng_mat m = ng_f64(&p[0][0], 4, 2), b = ng_f64(&bins[0][0], 10, 3);
    ng_assert_ok(ng_metrics_calibration(b, &ece, m, half, &err), &err);
    ck_assert(ece == 0.5 && bins[9][0] == 4 && bins[0][0] == 0 && bins[0][1] == 0);
    for (int i = 0; i < 4; i++)
        p[i][0] = 0.75, p[i][1] = 0.25;
    ng_assert_ok(ng_metrics_calibration(b, &ece, m, three, &err), &err);
    ck_assert(ece == 0 && bins[7][0] == 4 && bins[7][2] == 0.75); /* (0.7, 0.8] */
}
END_TEST

/* Random predictions of five classes, in ten bins: against a count of each by itself. */
START_TEST(counted_again)
{
    enum { N = 1000, K = 5, B = 10 };
    test_rng rng = {11};
    static int labels[N];
    double c[K][K], of[K][3], bins[B][3], ece, accuracy, off = 0, right = 0;
    ng_mat p = test_mat(N, K, 1, _i ? NG_F64 : NG_F32);
    for (size_t i = 0; i < N; i++) {
        double sum = 0, x[K];
        for (size_t j = 0; j < K; j++)
            sum += x[j] = exp(2 * test_normal(&rng));
        for (size_t j = 0; j < K; j++)
            ng_mat_set(p, i, j, x[j] / sum);
        labels[i] = (int)(test_uniform(&rng) * K);
    }
    ng_assert_ok(ng_metrics_confusion(ng_f64(&c[0][0], K, K), p, labels, &err), &err);
    ng_assert_ok(ng_metrics_classes(ng_f64(&of[0][0], K, 3), &accuracy, p, labels, &err), &err);
    ng_assert_ok(ng_metrics_calibration(ng_f64(&bins[0][0], B, 3), &ece, p, labels, &err), &err);
    for (size_t k = 0; k < K; k++) {
        double row = 0, column = 0;
        for (size_t j = 0; j < K; j++) {
            row += c[k][j];
            column += c[j][k];
        }
        ck_assert(of[k][0] == row && of[k][1] == column && of[k][2] == c[k][k]);
        right += c[k][k];
    }
    ck_assert(accuracy == right / N);
    for (int b = 0; b < B; b++) {
        double count = 0, sum = 0, good = 0;
        for (size_t i = 0; i < N; i++) {
            double most = 0;
            for (size_t j = 0; j < K; j++)
                most = fmax(most, ng_mat_get(p, i, j));
            if (most <= b / (double)B || most > (b + 1) / (double)B)
                continue;
            count++;
            sum += most;
            good += ng_mat_get(p, i, (size_t)labels[i]) == most;
        }
        ck_assert(bins[b][0] == count);
        off += fabs(good - sum) / N;
    }
    ng_assert_rel(ece, off, 1e-12);
    test_free(p);
}
END_TEST

START_TEST(regression)
{
    double rmse, r2;
    double y[4][2] = {{1, 1e9}, {2, 1e9 + 2}, {3, 1e9 + 4}, {6, 1e9 + 6}};
    double z[4][2] = {{1, 1e9}, {2, 1e9 + 2}, {3, 1e9 + 4}, {6, 1e9 + 6}};
    double means[4][2] = {{3, 1e9 + 3}, {3, 1e9 + 3}, {3, 1e9 + 3}, {3, 1e9 + 3}};
    float flat[3] = {2, 2, 2}, wrong[3] = {1, 2, 3};
    ng_mat t = ng_f64(&y[0][0], 4, 2);
    ng_assert_ok(ng_metrics_regression(&rmse, &r2, ng_f64(&z[0][0], 4, 2), t, &err), &err);
    ck_assert(rmse == 0 && r2 == 1);
    /* sums of squares 14 and 20 about the means */
    ng_assert_ok(ng_metrics_regression(&rmse, &r2, ng_f64(&means[0][0], 4, 2), t, &err), &err);
    ng_assert_rel(rmse, sqrt(34 / 8.0), 1e-15);
    ck_assert(fabs(r2) < 1e-15);
    z[2][0] = 5; /* one column, strided */
    ng_assert_ok(ng_metrics_regression(&rmse, &r2, ng_f64_strided(&z[0][0], 4, 1, 2),
                                       ng_f64_strided(&y[0][0], 4, 1, 2), &err),
                 &err);
    ng_assert_rel(rmse, 1, 1e-15);
    ng_assert_rel(r2, 1 - 4 / 14.0, 1e-15);
    ng_assert_ok(ng_metrics_regression(&rmse, &r2, ng_f32(wrong, 3, 1), ng_f32(flat, 3, 1), &err),
                 &err);
    ck_assert(isinf(r2) && r2 < 0);
    ng_assert_ok(ng_metrics_regression(&rmse, &r2, ng_f32(flat, 3, 1), ng_f32(flat, 3, 1), &err),
                 &err);
    ck_assert(rmse == 0 && isnan(r2));
    ng_assert_fails(ng_metrics_regression(&rmse, &r2, ng_f32(flat, 3, 1), t, &err), NG_ESHAPE, &err,
                    "3 x 1");
}
END_TEST

START_TEST(measures_refuse)
{
    double c[2][3] = {{0}}, ece;
    const int other[10] = {0, 0, 0, 0, 2, 0, 0, 0, 0, 0}, none[10] = {0, 0, -1};
    ng_mat p = ng_f64((double *)&few[0][0], 10, 2), four = ng_f64(&c[0][0], 2, 2);
    ng_assert_fails(ng_metrics_confusion(four, p, other, &err), NG_EARG, &err, "row 4 is 2");
    ng_assert_fails(ng_metrics_confusion(four, p, none, &err), NG_EARG, &err, "row 2 is -1");
    ng_assert_fails(ng_metrics_confusion(four, p, NULL, &err), NG_EARG, &err, "labels");
    ng_assert_fails(ng_metrics_confusion(ng_f64(&c[0][0], 1, 2), p, truth, &err), NG_ESHAPE, &err,
                    "1 x 2");
    ng_assert_fails(ng_metrics_confusion(four, ng_f64(NULL, 0, 2), truth, &err), NG_ESHAPE, &err,
                    "0 x 2");
    ng_assert_fails(ng_metrics_classes(four, NULL, p, truth, &err), NG_ESHAPE, &err, "2 x 2");
    ng_assert_fails(ng_metrics_calibration(ng_f64(NULL, 0, 3), &ece, p, truth, &err), NG_ESHAPE,
                    &err, "0 x 3");
}
END_TEST

TEST_SUITE(predict)
{
    TCase *tcase = tcase_create("predict");
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_add_loop_test(tcase, probabilities_and_loss, 0, 2);
    tcase_add_test(tcase, outputs_of_their_own);
    tcase_add_test(tcase, values_and_loss);
    tcase_add_test(tcase, of_a_text);
    tcase_add_test(tcase, predict_refuses);
    tcase_add_test(tcase, predict_survives);
    tcase_add_loop_test(tcase, counted, 0, 2);
    tcase_add_loop_test(tcase, reliability, 0, 2);
    tcase_add_test(tcase, reliability_ends);
    tcase_add_loop_test(tcase, counted_again, 0, 2);
    tcase_add_test(tcase, regression);
    tcase_add_test(tcase, measures_refuse);
    suite_add_tcase(suite, tcase);
}
