/* Readers, data sets, models and generators in several threads of the host's at once: what one that
 * is alone gets. To be run under ThreadSanitizer, too. */
#include <stdio.h>

#include <natgrad-train.h>

#include "lib/core/try.h"
#include "tests/support/support.h"
#include "tests/train/files.h"

static ng_error err;

enum { HANDS = 3, TURNS = 20, SAMPLES = 30, FEATURES = 4 };

/* ---- Data --------------------------------------------------------------------------------------
 */

static const char *const sources[] = {"csv", "libsvm", "text"};
static char source[1400]; /* of all threads */
static ng_dataset_options settings;

/* A table of SAMPLES x FEATURES and labels of two classes, as the kind has it. */
static void write_source(const char *kind)
{
    static char text[SAMPLES * 80];
    test_rng rng = {31};
    size_t n = 0;
    int sparse = strcmp(kind, "libsvm") == 0;
    for (int i = 0; i < SAMPLES; i++) {
        n += sparse ? (size_t)sprintf(text + n, "%d", i % 2) : 0;
        for (int j = 1; j <= FEATURES; j++)
            n += sparse ? (size_t)sprintf(text + n, " %d:%.6f", j, test_normal(&rng))
                        : (size_t)sprintf(text + n, "%.6f,", test_normal(&rng));
        n += sparse ? (size_t)sprintf(text + n, "\n") : (size_t)sprintf(text + n, "%d\n", i % 2);
    }
    snprintf(source, sizeof source, "%s:%s", kind, files_text("table", text));
}

typedef struct {
    ng_dataset *set; /* of all threads; NULL: each reads its own */
    double x[SAMPLES * 64];
    int labels[SAMPLES];
    size_t features;
} hand;

static ng_status gather(hand *h, const ng_dataset *set)
{
    size_t index[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++)
        index[i] = (i * 7) % SAMPLES;
    h->features = ng_dataset_features(set) < 64 ? ng_dataset_features(set) : 64;
    ng_mat x = {h->x, SAMPLES, h->features, h->features, NG_F64};
    return ng_dataset_features(set) > 64
               ? NG_ESHAPE
               : ng_dataset_gather(set, x, h->labels, index, SAMPLES, NULL);
}

static ng_status read_often(void *data)
{
    hand *h = data;
    for (int i = 0; i < TURNS; i++) {
        ng_dataset *own = NULL;
        if (h->set == NULL)
            TRY(ng_dataset_open(&own, source, &settings, NULL));
        ng_status status = gather(h, h->set != NULL ? h->set : own);
        ng_dataset_destroy(own);
        TRY(status);
    }
    return NG_OK;
}

/* _i: the kind of source, and whether the threads share one data set or read the file each */
START_TEST(data_sets)
{
    static hand hands[HANDS], alone;
    ng_dataset *set = NULL;
    ng_dataset_init(&settings);
    settings.dtype = NG_F64;
    settings.context = 2;
    write_source(sources[_i / 2]);
    ng_assert_ok(ng_dataset_open(&set, source, &settings, &err), &err);
    for (int i = 0; i < HANDS; i++)
        hands[i].set = _i % 2 ? set : NULL;
    test_together(read_often, hands, sizeof *hands, HANDS);
    ng_assert_ok(gather(&alone, set), NULL);
    for (int i = 0; i < HANDS; i++) {
        ck_assert_uint_eq(hands[i].features, alone.features);
        ck_assert(memcmp(hands[i].x, alone.x, sizeof alone.x) == 0);
        ck_assert(memcmp(hands[i].labels, alone.labels, sizeof alone.labels) == 0);
    }
    ng_dataset_destroy(set);
}
END_TEST

/* ---- Models ------------------------------------------------------------------------------------
 */

typedef struct {
    uint64_t stream;
    double loss, first;
} training;

static ng_status passes(ng_model *model, const ng_random *random, training *t)
{
    static const int labels[6] = {0, 2, 1, 1, 0, 2};
    TRY(ng_model_initialise(model, random, NULL));
    ng_mat x = ng_model_input(model, 6);
    double row[5];
    for (size_t i = 0; i < 6; i++) {
        random->fill_normal(random->data, row, 5);
        for (size_t j = 0; j < 5; j++)
            ng_mat_set(x, i, j, row[j]);
    }
    for (int i = 0; i < TURNS; i++) {
        TRY(ng_model_forward(model, 6, NULL));
        TRY(ng_model_loss_labels(model, &t->loss, NULL, labels, 6, NULL));
        TRY(ng_model_backward(model, NULL));
    }
    ng_model_param p;
    TRY(ng_model_parameter(model, &p, 0, NULL));
    t->first = ng_mat_get(p.dw, 0, 0);
    return NG_OK;
}

static ng_status train(void *data)
{
    training *t = data;
    static const size_t widths[2] = {8, 3};
    ng_mlp_options o;
    ng_model *model;
    ng_random random;
    ng_mlp_init(&o);
    o.inputs = 5;
    o.widths = widths;
    o.layers = 2;
    TRY(ng_model_create_mlp(&model, &o, NULL));
    ng_status status = ng_rng_create_stream(&random, 5, t->stream, NULL);
    if (status == NG_OK)
        status = passes(model, &random, t);
    ng_rng_destroy(&random);
    ng_model_destroy(model);
    return status;
}

START_TEST(models)
{
    training t[HANDS] = {{.stream = 3}, {.stream = 3}, {.stream = 4}}, alone = {.stream = 3};
    test_together(train, t, sizeof *t, HANDS);
    ng_assert_ok(train(&alone), NULL);
    for (int i = 0; i < 2; i++)
        ck_assert(t[i].loss == alone.loss && t[i].first == alone.first);
    ck_assert(t[2].loss != alone.loss);
}
END_TEST

TEST_SUITE(concurrent)
{
    TCase *tcase = tcase_create("train");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_add_loop_test(tcase, data_sets, 0, 2 * (int)(sizeof sources / sizeof *sources));
    tcase_add_test(tcase, models);
    suite_add_tcase(suite, tcase);
}
