/* The trainer against the same loop by hand, and against closed forms. */
#include "tests/train/trainer_world.h"

#include "tests/train/files.h"

/* ---- The loop by hand ------------------------------------------------------------------ */

/* What AdamW makes of four epochs, from the parts alone. */
static void loop(bench *b, ng_model *model)
{
    ng_random random;
    ng_optimizer *opt;
    ng_group *group;
    size_t count = ng_dataset_count(b->train), order[BENCH_SAMPLES];
    int labels[BENCH_BATCH];
    ng_assert_ok(ng_rng_create(&random, 7, NULL), NULL);
    ng_assert_ok(ng_model_initialise(model, &random, NULL), NULL);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, b->method), NULL);
    for (size_t i = 0; i < ng_model_parameters(model); i++) {
        ng_model_param p;
        ng_model_parameter(model, &p, i, NULL);
        ng_assert_ok(ng_group_add(group, NULL, p.name, p.w, p.dw), NULL);
    }
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (int epoch = 0; epoch < 4; epoch++) {
        ng_rng_shuffle(&random, order, count);
        for (size_t first = 0; first < count; first += BENCH_BATCH) {
            size_t batch = count - first < BENCH_BATCH ? count - first : BENCH_BATCH;
            double loss;
            ng_dataset_gather(b->train, ng_model_input(model, batch), labels, order + first, batch,
                              NULL);
            ng_assert_ok(ng_model_forward(model, batch, NULL), NULL);
            ng_assert_ok(ng_model_loss_labels(model, &loss, NULL, labels, batch, NULL), NULL);
            ng_assert_ok(ng_model_backward(model, NULL), NULL);
            ng_assert_ok(ng_optimizer_step(opt), NULL);
        }
    }
    ng_optimizer_destroy(opt);
    ng_rng_destroy(&random);
}

START_TEST(fit_is_the_loop)
{
    bench b;
    size_t count;
    bench_open(&b, "adamw", (ng_dtype)_i);
    ng_model *other = bench_model(BENCH_FEATURES, BENCH_CLASSES, NG_LOSS_SOFTMAX, (ng_dtype)_i);
    bench_start(&b);
    bench_fit(&b, NG_OK);
    loop(&b, other);
    ck_assert(test_same_bits(model_weights(b.model), model_weights(other)));
    ck_assert_int_eq(ng_trainer_ended(b.trainer), NG_TRAINER_EPOCHS);
    const ng_trainer_point *p = ng_trainer_points(b.trainer, &count);
    ck_assert_uint_eq(count, 4);
    ck_assert(p[3].train_loss < p[0].train_loss && p[3].seconds >= p[0].seconds);
    bench_fit(&b, NG_OK); /* nothing is left to do */
    ck_assert(test_same_bits(model_weights(b.model), model_weights(other)));
    ng_model_destroy(other);
    bench_close(&b);
}
END_TEST

/* ---- Who steps what ---------------------------------------------------------------------- */

static void check_table(const char *preset, const char *const lines[4])
{
    bench b;
    char table[2048];
    bench_open(&b, preset, NG_F32);
    bench_start(&b);
    ng_optimizer_describe(ng_trainer_optimizer(b.trainer), table, sizeof table);
    for (int i = 0; i < 4 && lines[i] != NULL; i++) {
        char name[32], method[32];
        ck_assert_int_eq(sscanf(lines[i], "%31s %31s", name, method), 2);
        const char *row = strstr(table, name), *end = row != NULL ? strchr(row, '\n') : NULL;
        ck_assert_msg(end != NULL, "%s is not in\n%s", name, table);
        const char *found = strstr(row, method);
        ck_assert_msg(found != NULL && found < end, "%s: %s not with %s in\n%s", preset, name,
                      method, table);
    }
    ck_assert_int_eq(ng_trainer_rest(b.trainer) == NULL, strcmp(preset, "muon") != 0);
    bench_close(&b);
}

START_TEST(assignment)
{
    check_table("adamw", (const char *const[]){"fc1.weight adamw", "fc3.bias adamw", NULL, NULL});
    check_table("muon", (const char *const[]){"fc1.weight steepest", "fc2.weight steepest",
                                              "fc3.weight adamw", "fc1.bias adamw"});
    check_table("kfac",
                (const char *const[]){"fc1.weight steepest", "fc3.weight steepest", NULL, NULL});
}
END_TEST

/* ---- Regression: the optimum is known ------------------------------------------------------ */

enum { ROWS = 60, COLS = 2, TARGETS = 2 };

/* y = 1 + x A + noise; the least squares solution by the normal equations, naively. */
static void least_squares(double w[3][TARGETS], double x[ROWS][COLS], double y[ROWS][TARGETS])
{
    double a[3][3 + TARGETS] = {{0}};
    for (int i = 0; i < ROWS; i++) {
        const double row[3] = {x[i][0], x[i][1], 1};
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 3; k++)
                a[j][k] += row[j] * row[k];
            for (int k = 0; k < TARGETS; k++)
                a[j][3 + k] += row[j] * y[i][k];
        }
    }
    for (int p = 0; p < 3; p++)
        for (int j = 0; j < 3; j++)
            for (int k = 2 + TARGETS; k >= p && j != p; k--)
                a[j][k] -= a[j][p] / a[p][p] * a[p][k];
    for (int j = 0; j < 3; j++)
        for (int k = 0; k < TARGETS; k++)
            w[j][k] = a[j][3 + k] / a[j][j];
}

START_TEST(regression)
{
    double x[ROWS][COLS], y[ROWS][TARGETS], w[3][TARGETS], out[ROWS][TARGETS], loss, score;
    double errors = 0, squares = 0;
    test_rng rng = {3};
    bench b = {.error = {NG_OK, ""}};
    ng_mlp_options o;
    ng_sgd_options sgd;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 2; j++)
            x[i][j] = test_normal(&rng);
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < TARGETS; k++)
            y[i][k] = 1 + (k + 1) * x[i][0] - 0.5 * x[i][1] + 0.3 * test_normal(&rng);
    least_squares(w, x, y);
    ng_assert_ok(ng_dataset_from_targets(&b.train, ng_f64(&x[0][0], ROWS, COLS),
                                         ng_f64(&y[0][0], ROWS, TARGETS), &b.error),
                 &b.error);
    ng_mlp_init(&o);
    o.dtype = NG_F64;
    o.inputs = COLS;
    o.widths = (const size_t[]){TARGETS};
    o.layers = 1;
    o.loss = NG_LOSS_SQUARED;
    ng_assert_ok(ng_model_create_mlp(&b.model, &o, &b.error), &b.error);
    ng_sgd_init(&sgd);
    sgd.lr = 0.3;
    sgd.momentum = 0;
    ng_trainer_init(&b.options);
    b.options.method = &sgd;
    b.options.batch = ROWS; /* more than the model's 64 rows are not asked for */
    b.options.epochs = 400;
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ng_model_param p;
    ng_model_parameter(b.model, &p, 0, NULL);
    for (int k = 0; k < TARGETS; k++)
        for (int j = 0; j < COLS; j++)
            ng_assert_rel(ng_mat_get(p.w, (size_t)k, (size_t)j), w[j][k], 1e-9);
    for (int k = 0; k < TARGETS; k++) {
        double mean = 0;
        for (int i = 0; i < ROWS; i++)
            mean += y[i][k] / ROWS;
        for (int i = 0; i < ROWS; i++) {
            double wrong = y[i][k] - w[2][k] - x[i][0] * w[0][k] - x[i][1] * w[1][k];
            errors += wrong * wrong;
            squares += (y[i][k] - mean) * (y[i][k] - mean);
        }
    }
    ng_assert_ok(ng_trainer_evaluate(b.trainer, &loss, &score, b.train), &b.error);
    ng_assert_rel(loss, errors / 2 / ROWS, 1e-9);
    ng_assert_rel(score, 1 - errors / squares, 1e-9);
    ng_assert_ok(ng_trainer_predict(b.trainer, ng_f64(&out[0][0], ROWS, TARGETS), b.train), NULL);
    ng_assert_rel(out[5][1], w[2][1] + x[5][0] * w[0][1] + x[5][1] * w[1][1], 1e-9);
    bench_close(&b);
}
END_TEST

/* Predictions of scaled targets are in the unit of the file. */
START_TEST(units)
{
    bench b = {.error = {NG_OK, ""}};
    ng_dataset_options o;
    char text[4096] = "a,y\n", source[1400];
    double out[50];
    for (int i = 0; i < 50; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%d\n", i, 5000 + 20 * i);
    snprintf(source, sizeof source, "csv:%s", files_text("units.csv", text));
    ng_dataset_init(&o);
    o.task = NG_TASK_REGRESSION;
    ng_assert_ok(ng_dataset_open(&b.train, source, &o, &b.error), &b.error);
    b.model = bench_model(1, 1, NG_LOSS_SQUARED, NG_F64);
    ng_trainer_init(&b.options);
    ng_assert_ok(ng_options_new(&b.method, "adamw", NULL), NULL);
    ng_options_set(b.method, "lr", 0.02, NULL);
    b.options.method = b.method;
    b.options.batch = 10;
    b.options.epochs = 200;
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ng_assert_ok(ng_trainer_predict(b.trainer, ng_f64(out, 50, 1), b.train), NULL);
    for (int i = 0; i < 50; i++)
        ng_assert_le(fabs(out[i] - (5000 + 20 * i)), 40);
    bench_close(&b);
}
END_TEST

/* ---- Probabilities -----------------------------------------------------------------------------
 */

START_TEST(probabilities)
{
    bench b;
    double loss, score, sum = 0, right = 0;
    bench_open(&b, "adamw", (ng_dtype)_i);
    bench_start(&b);
    bench_fit(&b, NG_OK);
    size_t count = ng_dataset_count(b.all);
    ng_mat out = test_mat(count, BENCH_CLASSES, 2, NG_F64);
    ng_mat x = test_mat(count, BENCH_FEATURES, 0, NG_F64);
    ng_assert_ok(ng_trainer_predict(b.trainer, out, b.all), NULL);
    ng_assert_ok(ng_trainer_evaluate(b.trainer, &loss, &score, b.all), NULL);
    for (size_t i = 0; i < count; i++) {
        int label, best = 0;
        double total = 0;
        ng_dataset_gather(b.all, ng_mat_block(x, i, 0, 1, BENCH_FEATURES), &label, &i, 1, NULL);
        for (int k = 0; k < BENCH_CLASSES; k++) {
            total += ng_mat_get(out, i, (size_t)k);
            best = ng_mat_get(out, i, (size_t)k) > ng_mat_get(out, i, (size_t)best) ? k : best;
        }
        ng_assert_rel(total, 1, 1e-12);
        sum -= log(ng_mat_get(out, i, (size_t)label));
        right += best == label;
    }
    ng_assert_rel(loss, sum / (double)count, _i == NG_F32 ? 1e-5 : 1e-12);
    ng_assert_rel(score, right / (double)count, 1e-12);
    test_free(out);
    test_free(x);
    bench_close(&b);
}
END_TEST

TEST_SUITE(trainer)
{
    TCase *tcase = tcase_create("trainer");
    tcase_add_loop_test(tcase, fit_is_the_loop, 0, 2);
    tcase_add_test(tcase, assignment);
    tcase_add_test(tcase, regression);
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_add_test(tcase, units);
    tcase_add_loop_test(tcase, probabilities, 0, 2);
    suite_add_tcase(suite, tcase);
}
