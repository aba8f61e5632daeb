/* Checkpoints with the right check sum that hold numbers no step leaves behind, or other shapes of
 * the same tensors. */
#include "tests/optim/damage_world.h"

/* Element `index` of the first tensor whose name ends so becomes value; sealed. */
static void put_number(const char *name, size_t index, double value)
{
    ng_tensors *file;
    blob b = read_blob();
    const ng_tensor *found = NULL;
    ng_assert_ok(ng_tensors_open(&file, path, NULL), NULL);
    for (size_t i = 0; i < ng_tensors_count(file) && found == NULL; i++) {
        const ng_tensor *tensor = ng_tensors_get(file, i);
        size_t length = strlen(tensor->name), end = strlen(name);
        if (length >= end && strcmp(tensor->name + length - end, name) == 0)
            found = tensor;
    }
    ck_assert_msg(found != NULL, "no %s", name);
    float narrow = (float)value;
    if (found->dtype == NG_TENSOR_F32)
        memcpy(b.bytes + found->begin + 4 * index, &narrow, 4);
    else
        memcpy(b.bytes + found->begin + 8 * index, &value, 8);
    ng_tensors_close(file);
    seal(b.bytes, b.size);
    write_blob(b.bytes, b.size);
    free(b.bytes);
}

static const struct {
    size_t kind; /* of checkpoint_world.h */
    const char *tensor;
    size_t index;
    double value;
    ng_status status;
} illegal[] = {
    {0, "/momentum", 5, NAN, NG_ENONFINITE},
    {0, "/momentum", 5, -1, NG_OK},
    {1, "/second_moment", 3, -1e-12, NG_ERANGE},
    {1, "/second_moment", 3, INFINITY, NG_ENONFINITE},
    {1, "/second_moment", 3, 0, NG_OK},
    {1, "/first_moment", 3, -1, NG_OK},
    {3, "/left_factor", 0, -1, NG_ERANGE},
    {3, "/left_factor", 1, 1000, NG_ERANGE},
    {3, "/left_root", 0, 0, NG_ERANGE},
    {6, "/left_factor", 0, 0, NG_ERANGE},
    {6, "/average_weight", 0, -1, NG_ERANGE},
    {6, "/right_root", 0, -1, NG_ERANGE},
    {9, "/diagonal_pending", 0, -1, NG_ERANGE},
    {9, "/left_pending", 0, -1, NG_ERANGE},
    {10, "/right_factor", 2, -1000, NG_ERANGE},
    {11, "/diagonal", 7, -1, NG_ERANGE},
    {14, "/row_moment", 0, -1, NG_ERANGE},
    {0, "counts", 0, 0.5, NG_EARG},
    {0, "counts", 0, -1, NG_EARG},
    {0, "counts", 0, 9007199254740992, NG_EARG},
    {0, "counts", 0, NAN, NG_EARG},
    {0, "counts", 1, INFINITY, NG_EARG},
    {0, "counts", 1, 0.5, NG_EARG},
    {0, "counts", 2, 4, NG_EARG}, /* more steps told of than made */
    {0, "counts", 3, NAN, NG_EARG},
    {0, "counts", 4, 1.5, NG_EARG},
    {0, "counts", 5, 1, NG_EARG}, /* sgd captures nothing */
    {6, "counts", 5, -1, NG_EARG},
};

START_TEST(illegal_number)
{
    world w;
    world_open(&w, illegal[_i].kind, illegal[_i].kind + 1, NG_F32, 0, 1);
    for (unsigned k = 0; k < 3; k++)
        world_step(&w, k);
    world_feed(&w, 3);
    save(&w, 0);
    ng_assert_ok(load(&w, 0), NULL);
    put_number(illegal[_i].tensor, illegal[_i].index, illegal[_i].value);
    if (illegal[_i].status == NG_OK)
        ck_assert_msg(load(&w, 0) == NG_OK, "%s", ng_optimizer_error(w.opt));
    else
        refused(&w, illegal[_i].status,
                illegal[_i].status == NG_EARG ? "counts" : illegal[_i].tensor);
    world_close(&w);
}
END_TEST

/* The file again, sizes of one left out of every shape. */
static void squeeze(void)
{
    ng_tensors *in;
    ng_tensors_writer *out;
    const char *key, *text;
    unsigned char bytes[4096];
    uint32_t crc;
    ng_error err = {NG_OK, ""};
    ng_assert_ok(ng_tensors_open(&in, path, &err), &err);
    ng_assert_ok(ng_tensors_writer_create(&out, path, &err), &err);
    for (size_t i = 0; (text = ng_tensors_text_at(in, i, &key)) != NULL; i++)
        ng_assert_ok(ng_tensors_writer_add_text(out, key, text, &err), &err);
    for (size_t i = 0; i < ng_tensors_count(in); i++) {
        const ng_tensor *tensor = ng_tensors_get(in, i);
        size_t shape[2], rank = 0;
        for (size_t k = 0; k < tensor->rank; k++)
            if (tensor->shape[k] != 1)
                shape[rank++] = tensor->shape[k];
        ng_assert_ok(ng_tensors_writer_add(out, tensor->name, tensor->dtype, shape, rank, &err),
                     &err);
    }
    for (size_t i = 0; i + 1 < ng_tensors_count(in); i++) {
        const ng_tensor *tensor = ng_tensors_get(in, i);
        ng_assert_ok(ng_tensors_read(in, bytes, tensor, 0, tensor->bytes, &err), &err);
        ng_assert_ok(ng_tensors_writer_write(out, bytes, tensor->bytes, &err), &err);
    }
    ng_assert_ok(ng_tensors_writer_crc(out, &crc, &err), &err);
    for (int k = 0; k < 4; k++)
        bytes[k] = (unsigned char)(crc >> 8 * k);
    ng_assert_ok(ng_tensors_writer_write(out, bytes, 4, &err), &err);
    ng_assert_ok(ng_tensors_writer_commit(out, &err), &err);
    ng_tensors_close(in);
}

START_TEST(sizes_of_one_do_not_matter)
{
    float w[2] = {1, 2}, dw[2] = {0.5F, -1}, v[3] = {1, 2, 3}, dv[3] = {1, -1, 1};
    ng_adamw_options o;
    ng_optimizer *opt;
    ng_group *group;
    ng_checkpoint_options with;
    ng_checkpoint_init(&with);
    with.weights = 1;
    ng_adamw_init(&o);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "w", ng_f32(w, 1, 1), ng_f32(dw, 1, 1)), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "row", ng_f32(v, 1, 3), ng_f32(dv, 1, 3)), NULL);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ng_assert_ok(ng_optimizer_save(opt, path, &with), NULL);
    squeeze();
    float kept[2] = {w[0], v[2]};
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ck_assert(w[0] != kept[0]);
    ck_assert_msg(ng_optimizer_load(opt, path, &with) == NG_OK, "%s", ng_optimizer_error(opt));
    ck_assert(w[0] == kept[0] && v[2] == kept[1]);
    ng_optimizer_destroy(opt);
}
END_TEST

TEST_SUITE(checkpoint_numbers)
{
    TCase *tcase = tcase_create("numbers");
    tcase_add_checked_fixture(tcase, open_many_files, close_files);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, illegal_number, 0, sizeof illegal / sizeof illegal[0]);
    tcase_add_test(tcase, sizes_of_one_do_not_matter);
    suite_add_tcase(suite, tcase);
}
