/* What a writer refuses: then the old file stays. */
#include "tests/tensors/files.h"

/* The old file is there still, and empty. */
static void check_old_file(void)
{
    ng_tensors *r;
    ng_assert_ok(ng_tensors_open(&r, path, &err), &err);
    ck_assert_uint_eq(ng_tensors_count(r), 0);
    ck_assert_ptr_null(ng_tensors_find(r, "x"));
    ng_tensors_close(r);
    ng_tensors_close(NULL);
}

START_TEST(writer_refuses)
{
    ng_tensors_writer *w;
    const size_t shape[2] = {2, 3}, huge[2] = {(size_t)1 << 40, (size_t)1 << 40}, seven = 7;
    double x[6] = {1, 2, 3, 4, 5, 6};
    float y[6] = {0};
    write_header("{}", 0);
    ng_assert_fails(ng_tensors_writer_create(NULL, path, &err), NG_EARG, &err, "");
    ng_assert_fails(ng_tensors_writer_create(&w, folder, &err), NG_EIO, &err, "directory");
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    ng_assert_fails(ng_tensors_writer_add(w, "\xff", NG_TENSOR_F64, shape, 2, &err), NG_EARG, &err,
                    "UTF-8");
    ng_assert_fails(ng_tensors_writer_add(w, "__metadata__", NG_TENSOR_F64, shape, 2, &err),
                    NG_EARG, &err, "__metadata__");
    ng_assert_fails(ng_tensors_writer_add(w, "x", (ng_tensor_dtype)99, shape, 2, &err), NG_EDTYPE,
                    &err, "99");
    ng_assert_fails(ng_tensors_writer_add(w, "x", NG_TENSOR_F4, &seven, 1, &err), NG_ESHAPE, &err,
                    "7 elements");
    ng_assert_fails(ng_tensors_writer_add(w, "x", NG_TENSOR_F64, huge, 2, &err), NG_ERANGE, &err,
                    "too large");
    ng_assert_fails(ng_tensors_writer_add_text(w, "k", "\xc0\x80", &err), NG_EARG, &err, "UTF-8");
    ng_assert_ok(ng_tensors_writer_add(w, "x", NG_TENSOR_F64, shape, 2, &err), &err);
    ng_assert_fails(ng_tensors_writer_write_mat(w, ng_f32(y, 2, 3), &err), NG_EDTYPE, &err, "F64");
    ng_assert_fails(ng_tensors_writer_write_mat(w, ng_f64(x, 1, 5), &err), NG_ESHAPE, &err,
                    "1 x 5");
    ng_assert_fails(ng_tensors_writer_add(w, "y", NG_TENSOR_F64, shape, 2, &err), NG_EARG, &err,
                    "first write");
    ng_assert_fails(ng_tensors_writer_add_text(w, "k", "t", &err), NG_EARG, &err, "first write");
    ng_assert_ok(ng_tensors_writer_write(w, x, 8, &err), &err);
    ng_assert_fails(ng_tensors_writer_write_mat(w, ng_f64(x, 2, 3), &err), NG_EARG, &err, "begins");
    ng_assert_fails(ng_tensors_writer_write(w, x, 48, &err), NG_EARG, &err, "40 bytes left");
    ng_assert_fails(ng_tensors_writer_commit(w, &err), NG_ENODATA, &err, "'x'");
    ng_tensors_writer_discard(NULL);
    ng_assert_fails(ng_tensors_writer_commit(NULL, &err), NG_EARG, &err, "writer");
    check_old_file();
}
END_TEST

START_TEST(names_are_added_once)
{
    ng_tensors_writer *w;
    const size_t shape[2] = {2, 3};
    const double x = 1;
    write_header("{}", 0);
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "x", NG_TENSOR_F64, shape, 2, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "x", NG_TENSOR_F64, shape, 2, &err), &err);
    ng_assert_fails(ng_tensors_writer_commit(w, &err), NG_EARG, &err, "'x' was added twice");
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    ng_assert_ok(ng_tensors_writer_add_text(w, "k", "t", &err), &err);
    ng_assert_ok(ng_tensors_writer_add_text(w, "k", "t", &err), &err);
    ng_assert_fails(ng_tensors_writer_write(w, &x, 8, &err), NG_EARG, &err, "'k' was added twice");
    ng_tensors_writer_discard(w);
    check_old_file();
}
END_TEST

TEST_SUITE(writer)
{
    TCase *tcase = tcase_create("writer");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_add_test(tcase, writer_refuses);
    tcase_add_test(tcase, names_are_added_once);
    suite_add_tcase(suite, tcase);
}
