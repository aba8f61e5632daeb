/* What a caller adds to a model's file comes back; names that could be another's are refused. */
#define _POSIX_C_SOURCE 200809L
#include "tests/train/model_files.h"

#include <unistd.h>

static ng_error err;
static ng_model *model, *loaded;

START_TEST(extra_comes_back)
{
    const char *path = files_path("a.safetensors");
    double wide[2][3] = {{1, NAN, 3}, {4, 5, 6}}, got[2][2];
    float vector[3] = {0.5F, 2, 3}, same[3];
    unsigned char bytes[5] = {0, 1, 2, 254, 255}, back[5];
    ng_model_extra *extra;
    ng_tensors *file;
    model = small_model(_i);
    ng_assert_ok(ng_model_extra_create(&extra, &err), &err);
    ng_assert_ok(ng_model_extra_add_bytes(extra, "trainer/random", bytes, 5, &err), &err);
    ng_assert_ok(ng_model_extra_add(extra, "optimizer/v", ng_f32(vector, 1, 3), &err), &err);
    ng_assert_ok(ng_model_extra_add(extra, "a/m", ng_f64_strided(&wide[0][1], 2, 2, 3), &err),
                 &err);
    ng_assert_ok(ng_model_extra_add_text(extra, "trainer/epoch", "12 of 20", &err), &err);
    ng_assert_ok(ng_model_save(model, NULL, path, extra, &err), &err);
    ng_model_extra_destroy(extra);
    ng_assert_ok(ng_model_load(&loaded, NULL, &file, path, NULL, &err), &err);
    assert_same(model, loaded);
    ck_assert_str_eq(ng_tensors_text(file, "trainer/epoch"), "12 of 20");
    ng_assert_ok(
        ng_tensors_read_mat(file, ng_f64(&got[0][0], 2, 2), ng_tensors_find(file, "a/m"), &err),
        &err);
    ck_assert(isnan(got[0][0]) && got[0][1] == 3 && got[1][0] == 5 && got[1][1] == 6);
    ng_assert_ok(
        ng_tensors_read_mat(file, ng_f32(same, 1, 3), ng_tensors_find(file, "optimizer/v"), &err),
        &err);
    ck_assert_int_eq(memcmp(vector, same, sizeof same), 0);
    const ng_tensor *t = ng_tensors_find(file, "trainer/random");
    ck_assert(t->dtype == NG_TENSOR_U8 && t->bytes == 5);
    ng_assert_ok(ng_tensors_read(file, back, t, 0, 5, &err), &err);
    ck_assert_int_eq(memcmp(bytes, back, 5), 0);
    ng_tensors_close(file);
    ng_model_destroy(loaded);
    ng_model_destroy(model);
}
END_TEST

START_TEST(extra_refuses)
{
    const char *path = files_path("a.safetensors");
    double x = 1;
    ng_model_extra *extra;
    model = small_model(0);
    ng_assert_ok(ng_model_extra_create(&extra, &err), &err);
    ng_assert_fails(ng_model_extra_add(extra, "fc1.weight", ng_f64(&x, 1, 1), &err), NG_EARG, &err,
                    "SECTION/NAME");
    ng_assert_fails(ng_model_extra_add(extra, "a/b", ng_f64(NULL, 1, 1), &err), NG_EARG, &err,
                    "a/b");
    ng_assert_fails(ng_model_extra_add_bytes(extra, "a/b", NULL, 1, &err), NG_EARG, &err, "a/b");
    ng_assert_fails(ng_model_extra_add_text(extra, "kind", "x", &err), NG_EARG, &err,
                    "SECTION/NAME");
    ng_assert_fails(ng_model_extra_add_text(extra, "a/k", NULL, &err), NG_EARG, &err, "a/k");
    ng_assert_ok(ng_model_extra_add(extra, "a/b", ng_f64(&x, 1, 1), &err), &err);
    ng_assert_ok(ng_model_extra_add_bytes(extra, "a/b", &x, 8, &err), &err);
    ng_assert_fails(ng_model_save(model, NULL, path, extra, &err), NG_EARG, &err, "a/b");
    ck_assert_int_ne(access(path, F_OK), 0);
    ng_model_extra_destroy(extra);
    ng_model_extra_destroy(NULL);
    ng_model_destroy(model);
}
END_TEST

START_TEST(extra_survives)
{
    double x = 1;
    ng_status status = NG_ENOMEM;
    for (long k = 1; status != NG_OK; k++) {
        ng_model_extra *extra;
        fault_once(FAULT_MEMORY, k, FAIL);
        status = ng_model_extra_create(&extra, &err);
        if (status == NG_OK)
            status = ng_model_extra_add(extra, "a/x", ng_f64(&x, 1, 1), &err);
        if (status == NG_OK)
            status = ng_model_extra_add_text(extra, "a/t", "text", &err);
        fault_over();
        ck_assert(status == NG_OK ? k == 7 : status == NG_ENOMEM);
        ng_model_extra_destroy(extra);
    }
}
END_TEST

TEST_SUITE(model_extra)
{
    TCase *tcase = tcase_create("model_extra");
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_add_loop_test(tcase, extra_comes_back, 0, 2);
    tcase_add_test(tcase, extra_refuses);
    tcase_add_test(tcase, extra_survives);
    suite_add_tcase(suite, tcase);
}
