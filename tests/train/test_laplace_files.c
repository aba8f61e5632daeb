/* Posteriors in files. */
#include <stdio.h>

#include "tests/train/files.h"
#include "tests/train/laplace_world.h"

static test_rng rng;
static ng_error error;

static void setup(void)
{
    files_setup();
    rng.state = 37;
    error = (ng_error){NG_OK, ""};
}

static const size_t widths[] = {4, 3};
enum { INPUTS = 5, OUTPUTS = 3, SAMPLES = 16, FRESH = 6 };

static ng_laplace *fitted(scene *s, int structure, ng_loss loss)
{
    ng_laplace_options o;
    ng_laplace_info info;
    *s = scene_open(loss, NG_F32, INPUTS, widths, 2, SAMPLES, &rng);
    ng_laplace_init(&o);
    o.structure = (ng_laplace_structure)structure;
    return scene_fit(s, &o, &info);
}

static ng_mat predicted(ng_laplace *l, ng_model *model, ng_mat x)
{
    ng_mat both = dense_mat(FRESH, 2 * OUTPUTS);
    test_assign(ng_model_input(model, FRESH), x);
    ng_assert_ok(ng_laplace_predict(l, ng_mat_block(both, 0, 0, FRESH, OUTPUTS),
                                    ng_mat_block(both, 0, OUTPUTS, FRESH, OUTPUTS), FRESH, &error),
                 &error);
    return both;
}

/* _i = structure, loss */
START_TEST(the_same_bits)
{
    scene s;
    ng_laplace *l = fitted(&s, _i % 2, (ng_loss)(_i / 2)), *again;
    ng_laplace_info a = {.size = sizeof a}, b = {.size = sizeof b};
    ng_mat x = dense_normal(FRESH, INPUTS, &rng), want = predicted(l, s.model, x);
    ng_model_extra *extra;
    ng_model *model;
    ng_tensors *file;
    const char *path = files_path("m.safetensors");
    ng_assert_ok(ng_model_extra_create(&extra, &error), &error);
    ng_assert_ok(ng_laplace_add(l, extra, &error), &error);
    ng_assert_ok(ng_model_save(s.model, NULL, path, extra, &error), &error);
    ng_model_extra_destroy(extra);
    ng_assert_ok(ng_model_load(&model, NULL, &file, path, NULL, &error), &error);
    ng_assert_ok(ng_laplace_read(&again, model, file, &error), &error);
    ng_tensors_close(file);
    ck_assert(test_same_bits(predicted(again, model, x), want));
    ng_laplace_get(l, &a);
    ng_laplace_get(again, &b);
    ck_assert(a.structure == b.structure && a.parameters == b.parameters && a.samples == b.samples);
    ck_assert(a.rounds == b.rounds && a.converged == b.converged && a.evidence == b.evidence);
    ck_assert(a.prior_precision == b.prior_precision && a.noise_variance == b.noise_variance);
    ck_assert(a.log_likelihood == b.log_likelihood && a.effective == b.effective);
    ng_laplace_destroy(l), ng_laplace_destroy(again);
    ng_model_destroy(model);
    scene_close(&s);
}
END_TEST

/* A file whose one text or matrix is another, or not there. */
typedef struct {
    const char *name, *text; /* text NULL: the matrix below */
    size_t rows;             /* 0: left out */
    double value;
    ng_status status;
    const char *culprit;
} hostile;

static const hostile files[] = {
    {"laplace/structure", "full", 0, 0, NG_EFORMAT, "laplace/structure: 'full'"},
    {"laplace/structure", "last", 0, 0, NG_EFORMAT, "laplace/fc2/fisher"},
    {"laplace/prior_precision", "nan", 0, 0, NG_EFORMAT, "laplace/prior_precision"},
    {"laplace/prior_precision", "0", 0, 0, NG_EFORMAT, "laplace/prior_precision"},
    {"laplace/prior_precision", "1x", 0, 0, NG_EFORMAT, "laplace/prior_precision"},
    {"laplace/noise_variance", "-1", 0, 0, NG_EFORMAT, "laplace/noise_variance"},
    {"laplace/samples", "1e300", 0, 0, NG_EFORMAT, "laplace/samples"},
    {"laplace/evidence", "inf", 0, 0, NG_EFORMAT, "laplace/evidence"},
    {"laplace/fc1/p", NULL, 0, 0, NG_EFORMAT, "laplace/fc1/p: not in the file"},
    {"laplace/fc1/p", NULL, 3, 0, NG_EFORMAT, "laplace/fc1/p: not F64 of 4 x 4"},
    {"laplace/fc2/q", NULL, 5, NAN, NG_EFORMAT, "laplace/fc2/q: NaN"},
    {"laplace/fc2/q", NULL, 5, -1, NG_EFORMAT, "laplace/fc2/q: not a Fisher"},
};
enum { HOSTILE = sizeof files / sizeof *files };

/* Copies what a good extra would hold, but for one thing. */
static void add_all(ng_model_extra *extra, ng_mat *keep, const hostile *h)
{
    static const struct {
        const char *key, *text;
    } texts[] = {{"laplace/structure", "kron"},    {"laplace/prior_precision", "2"},
                 {"laplace/noise_variance", "1"},  {"laplace/evidence", "-3"},
                 {"laplace/log_likelihood", "-1"}, {"laplace/effective", "4"},
                 {"laplace/samples", "16"},        {"laplace/rounds", "2"},
                 {"laplace/converged", "1"}};
    static const struct {
        const char *name;
        size_t rows;
    } mats[] = {
        {"laplace/fc1/p", 4}, {"laplace/fc1/q", 6}, {"laplace/fc2/p", 3}, {"laplace/fc2/q", 5}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int other = h != NULL && strcmp(h->name, texts[i].key) == 0;
        ng_assert_ok(
            ng_model_extra_add_text(extra, texts[i].key, other ? h->text : texts[i].text, &error),
            &error);
    }
    for (size_t i = 0; i < sizeof mats / sizeof *mats; i++) {
        int other = h != NULL && strcmp(h->name, mats[i].name) == 0;
        size_t rows = other ? h->rows : mats[i].rows;
        if (rows == 0)
            continue;
        keep[i] = dense_identity(rows);
        if (other)
            ng_mat_set(keep[i], rows - 1, rows - 1, h->value);
        ng_assert_ok(ng_model_extra_add(extra, mats[i].name, keep[i], &error), &error);
    }
}

static ng_status read_with(const hostile *h)
{
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F32, INPUTS, widths, 2, SAMPLES, &rng);
    ng_model_extra *extra;
    ng_model *model;
    ng_tensors *file;
    ng_laplace *l = (ng_laplace *)&s;
    ng_mat keep[4];
    const char *path = files_path("h.safetensors");
    ng_assert_ok(ng_model_extra_create(&extra, &error), &error);
    add_all(extra, keep, h);
    ng_assert_ok(ng_model_save(s.model, NULL, path, extra, &error), &error);
    ng_model_extra_destroy(extra);
    ng_assert_ok(ng_model_load(&model, NULL, &file, path, NULL, &error), &error);
    ng_status status = ng_laplace_read(&l, model, file, &error);
    ck_assert((l != NULL) == (status == NG_OK));
    ng_laplace_destroy(l);
    ng_tensors_close(file);
    ng_model_destroy(model);
    scene_close(&s);
    return status;
}

START_TEST(hostile_files)
{
    ng_assert_ok(read_with(NULL), &error);
    ng_assert_fails(read_with(&files[_i]), files[_i].status, &error, files[_i].culprit);
}
END_TEST

/* The last layer's F: on its diagonal nothing is wrong, and yet it is none. */
START_TEST(not_definite)
{
    scene s;
    ng_laplace *l = fitted(&s, 0, NG_LOSS_SOFTMAX);
    ng_model_extra *extra;
    ng_tensors *file;
    const char *path = files_path("d.safetensors");
    ng_mat f = dense_identity(15);
    for (int bad = 0; bad < 2; bad++) {
        ng_mat_set(ng_mat_block(f, 9, 4, 1, 1), 0, 0, 1e6 * bad);
        ng_assert_ok(ng_fisher_set(ng_laplace_fisher(l, NULL, 0), f, 1, &error), &error);
        ng_assert_ok(ng_model_extra_create(&extra, &error), &error);
        ng_assert_ok(ng_laplace_add(l, extra, &error), &error);
        ng_assert_ok(ng_model_save(s.model, NULL, path, extra, &error), &error);
        ng_model_extra_destroy(extra);
        ng_laplace *again;
        ng_assert_ok(ng_tensors_open(&file, path, &error), &error);
        ng_status status = ng_laplace_read(&again, s.model, file, &error);
        ck_assert_msg(status == (bad ? NG_EFORMAT : NG_OK), "%s", error.text);
        ng_laplace_destroy(again);
        ng_tensors_close(file);
    }
    ng_laplace_destroy(l);
    scene_close(&s);
}
END_TEST

START_TEST(no_posterior)
{
    scene s = scene_open(NG_LOSS_SOFTMAX, NG_F32, INPUTS, widths, 2, SAMPLES, &rng);
    ng_tensors *file;
    ng_laplace *l;
    const char *path = files_path("n.safetensors");
    ng_assert_ok(ng_model_save(s.model, NULL, path, NULL, &error), &error);
    ng_assert_ok(ng_tensors_open(&file, path, &error), &error);
    ng_assert_fails(ng_laplace_read(&l, s.model, file, &error), NG_ENODATA, &error, "error bars");
    ck_assert_ptr_null(l);
    ng_tensors_close(file);
    scene_close(&s);
}
END_TEST

/* Targets of another size than 1: means as ng_model_predict has them, variances in their units. */
START_TEST(units_of_the_data)
{
    enum { ROWS = 12 };
    static char text[1024];
    char *at = text + sprintf(text, "x,y\n"), source[1400];
    const size_t width = 1;
    ng_dataset_options how;
    ng_mlp_options o;
    ng_dataset *data;
    ng_model *model;
    ng_laplace *l;
    double offset, factor;
    for (int i = 0; i < ROWS; i++)
        at += sprintf(at, "%g,%g\n", 0.1 * i, 1000 + 70.0 * i + 30 * test_normal(&rng));
    snprintf(source, sizeof source, "csv:%s", files_text("units.csv", text));
    ng_dataset_init(&how);
    how.task = NG_TASK_REGRESSION;
    ng_assert_ok(ng_dataset_open(&data, source, &how, &error), &error);
    ng_assert_ok(ng_schema_target_scale(ng_dataset_schema(data), 0, &offset, &factor), NULL);
    ck_assert(factor < 0.1 && offset > 1000);
    ng_mlp_init(&o);
    o.dtype = NG_F64;
    o.inputs = o.layers = 1;
    o.widths = &width;
    o.loss = NG_LOSS_SQUARED;
    o.max_batch = 5;
    ng_assert_ok(ng_model_create_mlp(&model, &o, &error), &error);
    ng_assert_ok(ng_laplace_fit(&l, model, data, NULL, &error), &error);
    ng_mat p = dense_mat(ROWS, 1), want = dense_mat(ROWS, 1), v = dense_mat(ROWS, 1);
    ng_assert_ok(ng_laplace_predict_data(l, p, v, data, &error), &error);
    ng_assert_ok(ng_model_predict(model, want, NULL, data, &error), &error);
    ck_assert(test_same_bits(p, want));
    for (size_t i = 0; i < ROWS; i++) {
        double x, raw;
        ng_assert_ok(ng_dataset_gather(data, ng_f64(&x, 1, 1), NULL, &i, 1, &error), &error);
        test_assign(ng_model_input(model, 1), ng_f64(&x, 1, 1));
        ng_assert_ok(ng_laplace_predict(l, ng_mat_none(), ng_f64(&raw, 1, 1), 1, &error), &error);
        ng_assert_rel(ng_mat_get(v, i, 0), raw / (factor * factor), 1e-12);
        ck_assert(sqrt(ng_mat_get(v, i, 0)) > 10 && sqrt(ng_mat_get(v, i, 0)) < 100);
    }
    ng_laplace_destroy(l);
    ng_model_destroy(model);
    ng_dataset_destroy(data);
    dense_release();
}
END_TEST

TEST_SUITE(laplace_files)
{
    TCase *tc = tcase_create("laplace_files");
    tcase_add_checked_fixture(tc, setup, files_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_same_bits, 0, 6);
    tcase_add_loop_test(tc, hostile_files, 0, HOSTILE);
    tcase_add_test(tc, not_definite);
    tcase_add_test(tc, no_posterior);
    tcase_add_test(tc, units_of_the_data);
    suite_add_tcase(suite, tc);
}
