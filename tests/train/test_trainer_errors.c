/* What the trainer and data sets of arrays refuse, and allocations that fail. */
#include "tests/train/trainer_world.h"

#include "tests/support/faults.h"

START_TEST(options)
{
    bench b;
    ng_trainer *t;
    bench_open(&b, "adamw", NG_F32);
    const ng_trainer_options good = b.options;
#define REFUSED(change, culprit)                                                                   \
    do {                                                                                           \
        ng_trainer_options o = good;                                                               \
        o.change;                                                                                  \
        t = (ng_trainer *)&b;                                                                      \
        ng_assert_fails(ng_trainer_create(&t, b.model, &o, &b.error), NG_EOPTION, &b.error,        \
                        culprit);                                                                  \
        ck_assert_ptr_null(t);                                                                     \
    } while (0)
    REFUSED(size--, "ng_trainer_init");
    REFUSED(batch = 0, "batch");
    REFUSED(batch = 33, "max_batch");
    REFUSED(epochs = 0, "epochs");
    REFUSED(schedule = (ng_schedule_shape)9, "schedule");
    REFUSED(warmup = -0.1, "warmup");
    REFUSED(warmup = NAN, "warmup");
    REFUSED(final = 2, "final");
    REFUSED(decay = 1.5, "decay");
    REFUSED(seconds = -1, "seconds");
    REFUSED(ema = 1, "ema");
    REFUSED(schedule = NG_SCHEDULE_WSD; o.warmup = 0.9, "more than the run");
#undef REFUSED
    ng_options_set(b.method, "lr", 0.1, NULL);
    ((ng_adamw_options *)b.method)->lr = -1;
    ng_assert_fails(ng_trainer_create(&t, b.model, &good, &b.error), NG_EOPTION, &b.error, "lr");
    ng_assert_fails(ng_trainer_create(NULL, b.model, &good, &b.error), NG_EARG, &b.error, "NULL");
    ng_assert_fails(ng_trainer_create(&t, NULL, &good, &b.error), NG_EARG, &b.error, "NULL");
    ck_assert_int_eq(ng_trainer_init_sized(&b.options, 8), NG_EOPTION);
    bench_close(&b);
}
END_TEST

static void refuses(bench *b, ng_status expected, const ng_dataset *train,
                    const ng_dataset *validation, const char *culprit)
{
    ng_mat before = test_copy(model_weights(b->model));
    ng_status status = ng_trainer_fit(b->trainer, train, validation);
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(ng_trainer_error(b->trainer), culprit) != NULL, "%s",
                  ng_trainer_error(b->trainer));
    ck_assert(test_same_bits(before, model_weights(b->model)));
    test_free(before);
}

START_TEST(data)
{
    bench b;
    ng_dataset *other, *part;
    double x[6] = {1, 2, 3, 4, 5, 6}, out[4 * BENCH_SAMPLES];
    bench_open(&b, "adamw", NG_F64);
    b.options.patience = 1;
    bench_start(&b);
    refuses(&b, NG_EARG, NULL, b.held_out, "no samples");
    refuses(&b, NG_EARG, b.train, NULL, "validation");
    ng_assert_ok(ng_dataset_from_labels(&other, ng_f64(x, 2, 3), (const int[]){0, 1}, 2, NULL),
                 NULL);
    refuses(&b, NG_ESHAPE, other, b.held_out, "3 features");
    refuses(&b, NG_ESHAPE, b.train, other, "3 features");
    ng_dataset_destroy(other);
    ng_assert_ok(ng_dataset_from_labels(&other, ng_f64(x, 1, 4), (const int[]){3}, 4, NULL), NULL);
    refuses(&b, NG_ESHAPE, other, b.held_out, "4 classes");
    ng_dataset_destroy(other);
    ng_assert_ok(ng_dataset_from_targets(&other, ng_f64(x, 1, 4), ng_f64(x, 1, 1), NULL), NULL);
    refuses(&b, NG_EARG, other, b.held_out, "label");
    ng_dataset_destroy(other);
    bench_close(&b);
    bench_open(&b, "adamw", NG_F64);
    bench_start(&b);
    bench_fit(&b, NG_OK);
    ng_assert_ok(ng_dataset_view(&part, b.train, 0, 20, NULL), NULL);
    refuses(&b, NG_ESHAPE, part, NULL, "began with");
    ng_dataset_destroy(part);
    ck_assert_int_eq(ng_trainer_predict(b.trainer, ng_f64(out, 3, BENCH_CLASSES), b.all),
                     NG_ESHAPE);
    ck_assert_int_eq(ng_trainer_predict(b.trainer, ng_f64(out, BENCH_SAMPLES, 4), b.all),
                     NG_ESHAPE);
    ck_assert_int_eq(ng_trainer_predict(b.trainer, ng_f64(out, 1, 1), NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_evaluate(b.trainer, out, out, NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_forward(b.trainer, out, out, b.all, NULL, 3), NG_EARG);
    const size_t index[40] = {0};
    ck_assert_int_eq(ng_trainer_forward(b.trainer, out, out, b.all, index, 40), NG_ESHAPE);
    bench_close(&b);
}
END_TEST

START_TEST(nothing)
{
    size_t count = 1;
    ck_assert_int_eq(ng_trainer_fit(NULL, NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_evaluate(NULL, NULL, NULL, NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_predict(NULL, ng_f64(NULL, 0, 0), NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_forward(NULL, NULL, NULL, NULL, NULL, 0), NG_EARG);
    ck_assert_int_eq(ng_trainer_capture(NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_step(NULL), NG_EARG);
    ck_assert_int_eq(ng_trainer_capture_step(NULL), NG_EARG);
    ck_assert_str_eq(ng_trainer_error(NULL), "");
    ck_assert_ptr_null(ng_trainer_points(NULL, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert(ng_trainer_optimizer(NULL) == NULL && ng_trainer_group(NULL) == NULL &&
              ng_trainer_rest(NULL) == NULL && ng_trainer_model(NULL) == NULL);
    ck_assert_uint_eq(ng_trainer_best(NULL), 0);
    ck_assert_int_eq(ng_trainer_ended(NULL), NG_TRAINER_BEGUN);
    ng_trainer_destroy(NULL);
}
END_TEST

/* ---- Arrays -------------------------------------------------------------------------------- */

START_TEST(arrays)
{
    ng_error e = {NG_OK, ""};
    ng_dataset *d, *train, *rest;
    test_rng rng = {1};
    ng_mat x = test_mat(7, 3, 2, (ng_dtype)_i), y = test_mat(7, 2, 1, (ng_dtype)_i);
    const int labels[7] = {2, 0, 2, 0, 2, 0, 2};
    test_fill_normal(x, &rng);
    test_fill_normal(y, &rng);
    for (size_t i = 0; i < 7; i++)
        ng_mat_set(x, i, 1, 4); /* constant, and stays */
    ng_assert_ok(ng_dataset_from_labels(&d, x, labels, 3, &e), &e);
    ng_assert_ok(ng_dataset_split(&train, &rest, d, NULL, &e), &e);
    ck_assert_uint_eq(ng_dataset_count(train) + ng_dataset_count(rest), 7);
    ck_assert_uint_eq(ng_dataset_features(train), 3);
    ck_assert_uint_eq(ng_dataset_classes(rest), 3);
    ng_mat got = test_mat(7, 3, 0, (ng_dtype)_i), wanted = test_mat(7, 2, 0, (ng_dtype)_i);
    int found[7];
    const size_t index[7] = {0, 1, 2, 3, 4, 5, 6};
    ng_assert_ok(ng_dataset_gather(d, got, found, index, 7, &e), &e);
    ck_assert(test_same_bits(got, x) && memcmp(found, labels, sizeof labels) == 0);
    ng_dataset_destroy(train);
    ng_dataset_destroy(rest);
    ng_dataset_destroy(d);
    ng_assert_ok(ng_dataset_from_targets(&d, x, y, &e), &e);
    ng_assert_ok(ng_dataset_gather(d, got, NULL, index, 7, &e), &e);
    ng_assert_ok(ng_dataset_gather_targets(d, wanted, index, 7, &e), &e);
    ck_assert(test_same_bits(got, x) && test_same_bits(wanted, y));
    ng_dataset_destroy(d);
    test_free(got);
    test_free(wanted);
    test_free(x);
    test_free(y);
}
END_TEST

START_TEST(bad_arrays)
{
    ng_error e = {NG_OK, ""};
    ng_dataset *d;
    double x[4] = {1, 2, 3, 4};
    float y[2] = {1, 2};
    const int labels[2] = {0, 5};
    ng_assert_fails(ng_dataset_from_labels(&d, ng_f64(x, 2, 2), labels, 2, &e), NG_ERANGE, &e,
                    "row 1 is 5");
    ck_assert_ptr_null(d);
    ng_assert_fails(ng_dataset_from_labels(&d, ng_f64(x, 2, 2), NULL, 2, &e), NG_EARG, &e, "NULL");
    ng_assert_fails(ng_dataset_from_labels(&d, ng_f64(x, 2, 2), labels, 0, &e), NG_EARG, &e,
                    "classes");
    ng_assert_fails(ng_dataset_from_labels(&d, ng_f64(x, 0, 2), labels, 2, &e), NG_EARG, &e,
                    "nothing");
    ng_assert_fails(ng_dataset_from_targets(&d, ng_f64(x, 2, 2), ng_f64(x, 4, 1), &e), NG_ESHAPE,
                    &e, "4 rows");
    ng_assert_fails(ng_dataset_from_targets(&d, ng_f64(x, 2, 2), ng_f32(y, 2, 1), &e), NG_EDTYPE,
                    &e, "type");
    x[3] = NAN;
    ng_assert_fails(ng_dataset_from_labels(&d, ng_f64(x, 2, 2), labels, 6, &e), NG_ENONFINITE, &e,
                    "row 1, column 1 is NaN");
    x[3] = 4;
    ng_assert_fails(ng_dataset_from_targets(NULL, ng_f64(x, 2, 2), ng_f64(x, 2, 1), &e), NG_EARG,
                    &e, "NULL");
}
END_TEST

/* ---- Allocations ----------------------------------------------------------------------------- */

/* Everything from arrays to a fit; the first status that is not NG_OK. */
static ng_status all_of_it(bench *b)
{
    double x[8] = {1, 2, 3, 4, 5, 6, 7, 9};
    const int labels[4] = {0, 1, 0, 1};
    ng_dataset *d = NULL;
    ng_status status = ng_dataset_from_labels(&d, ng_f64(x, 4, 2), labels, 2, &b->error);
    if (status == NG_OK)
        status = ng_trainer_create(&b->trainer, b->model, &b->options, &b->error);
    if (status == NG_OK)
        status = ng_trainer_fit(b->trainer, d, d);
    ng_trainer_destroy(b->trainer);
    b->trainer = NULL;
    ng_dataset_destroy(d);
    return status;
}

START_TEST(allocations)
{
    bench b;
    ng_status status = NG_ENOMEM;
    bench_open(&b, _i ? "fismo" : "kfac", NG_F64);
    ng_model_destroy(b.model);
    b.model = bench_model(2, 2, NG_LOSS_SOFTMAX, NG_F64);
    b.options.ema = 0.9;
    b.options.patience = 2;
    for (long k = 0; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = all_of_it(&b);
        long counted = fault_over();
        if (status == NG_OK) {
            ck_assert_int_ge(k, 20);
            ck_assert_int_eq(counted, k);
        } else
            ck_assert_msg(status == NG_ENOMEM, "%ld: %s", k, ng_status_name(status));
    }
    bench_close(&b);
}
END_TEST

TEST_SUITE(trainer_errors)
{
    TCase *tcase = tcase_create("trainer_errors");
    tcase_add_test(tcase, options);
    tcase_add_test(tcase, data);
    tcase_add_test(tcase, nothing);
    tcase_add_loop_test(tcase, arrays, 0, 2);
    tcase_add_test(tcase, bad_arrays);
    tcase_add_loop_test(tcase, allocations, 0, 2);
    suite_add_tcase(suite, tcase);
}
