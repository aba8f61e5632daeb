/* Files that are no model, or none any more: each is refused with its reason, whatever it says
 * about itself, quickly and with little memory. */
#define _POSIX_C_SOURCE 200809L
#include "tests/train/model_files.h"

#include <stdint.h>

static ng_error err;
static unsigned char bytes[1 << 16];
static size_t size, header; /* of the file; of its header, behind eight bytes of length */

static void load_bytes(int number)
{
    ng_model *model = small_model(number);
    const char *path = files_path("a.safetensors");
    ng_assert_ok(ng_model_save(model, NULL, path, NULL, &err), &err);
    ng_model_destroy(model);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    header = 0;
    for (int i = 0; i < 8; i++)
        header |= (size_t)bytes[i] << 8 * i;
}

/* The check sum that belongs to the bytes before it, bit by bit. */
static void seal(void)
{
    uint32_t x = 0xffffffff;
    for (size_t i = 0; i < size - 4; i++) {
        x ^= bytes[i];
        for (int k = 0; k < 8; k++)
            x = x & 1 ? x >> 1 ^ 0xedb88320 : x >> 1;
    }
    for (size_t k = 0; k < 4; k++)
        bytes[size - 4 + k] = (unsigned char)(~x >> 8 * k);
}

/* In the header the first `from` becomes `to`. */
static void edit(const char *from, const char *to)
{
    char *text = (char *)bytes + 8;
    size_t old = strlen(from), new = strlen(to), at = 0;
    while (at + old <= header && memcmp(text + at, from, old) != 0)
        at++;
    ck_assert_msg(at + old <= header, "%s is not in the header", from);
    memmove(text + at + new, text + at + old, size - 8 - at - old);
    memcpy(text + at, to, new);
    header = header - old + new;
    size = size - old + new;
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(header >> 8 * i & 255);
}

static ng_status load(void)
{
    ng_model *model = (ng_model *)&err;
    ng_schema *schema = (ng_schema *)&err;
    ng_tensors *file = (ng_tensors *)&err;
    const char *path = files_write("b.safetensors", bytes, size);
    ng_status status = ng_model_load(&model, &schema, &file, path, NULL, &err);
    if (status == NG_OK) {
        ng_model_destroy(model);
        ng_schema_destroy(schema);
        ng_tensors_close(file);
        return status;
    }
    ck_assert(model == NULL && schema == NULL && file == NULL);
    ck_assert_int_eq(err.status, status);
    ck_assert_msg(strstr(err.text, "b.safetensors") != NULL, "no file in \"%s\"", err.text);
    for (const char *c = err.text; *c != '\0'; c++)
        ck_assert((unsigned char)*c >= 0x20 && *c != 0x7f);
    return status;
}

/* Of the softmax net of 4, 5 and 3 in f32, 20 + 5 + 15 + 3 = 43 numbers. */
static const struct {
    const char *from, *to;
    ng_status status;
    const char *reason;
} edits[] = {
    {"natgrad_model\":\"1", "natgrad_model\":\"2", NG_EFORMAT, "format 2, this library reads 1"},
    {"natgrad_model", "natgrad_mode1", NG_EFORMAT, "no natgrad_model"},
    {"\"kind\"", "\"kint\"", NG_EFORMAT, "no kind"},
    {"\"mlp\"", "\"m\\u001b]lp\"", NG_EFORMAT, "none of this library's"},
    {"\"mlp\"", "\"gpt\"", NG_EFORMAT, "no option.vocabulary"},
    {"\"dtype\":\"f32\"", "\"dtype\":\"f16\"", NG_EFORMAT, "expected f32 or f64"},
    {"\"dtype\":\"f32\"", "\"dtype\":\"f64\"", NG_EDTYPE, "F32"},
    {"option.layers", "option.layer", NG_EFORMAT, "no option.layers"},
    {"option.layers\":\"2", "option.layers\":\"", NG_EFORMAT, "option.layers"},
    {"option.layers\":\"2", "option.layers\":\"2x", NG_EFORMAT, "option.layers"},
    {"option.layers\":\"2", "option.layers\":\"-2", NG_EFORMAT, "option.layers"},
    {"option.layers\":\"2", "option.layers\":\"3", NG_EFORMAT, "option.widths"},
    {"option.layers\":\"2", "option.layers\":\"1", NG_EFORMAT, "option.widths"},
    {"option.layers\":\"2", "option.layers\":\"0", NG_EFORMAT, "option.widths"},
    {"option.layers\":\"2", "option.layers\":\"18446744073709551616", NG_EFORMAT, "option.layers"},
    {"option.layers\":\"2", "option.layers\":\"18446744073709551615", NG_EFORMAT, "option.widths"},
    {"widths\":\"5 3", "widths\":\"5  3", NG_EFORMAT, "option.widths"},
    {"widths\":\"5 3", "widths\":\"5 3 ", NG_EFORMAT, "option.widths"},
    {"widths\":\"5 3", "widths\":\"0 3", NG_EOPTION, "widths[0] is 0"},
    {"widths\":\"5 3", "widths\":\"5 2147483648", NG_EOPTION, "widths[1] is 2147483648"},
    {"widths\":\"5 3", "widths\":\"2147483647 3", NG_ESHAPE, "holds 43"},
    {"widths\":\"5 3", "widths\":\"4 3", NG_ESHAPE, "35 numbers, and it holds 43"},
    {"inputs\":\"4", "inputs\":\"2147483647", NG_ESHAPE, "holds 43"},
    {"max_batch\":\"7", "max_batch\":\"2147483647", NG_ERANGE, "room"},
    {"max_batch\":\"7", "max_batch\":\"0", NG_EOPTION, "max_batch"},
    {"relu", "rely", NG_EFORMAT, "option.activation"},
    {"softmax", "maxsoft", NG_EFORMAT, "option.loss"},
    {"option.loss", "option.lost", NG_EFORMAT, "no option.loss"},
    {"\"kind\"", "\"option.\\u0007\":\"1\",\"kind\"", NG_EFORMAT, "mlp has no"},
    {"\"kind\"", "\"option.tied\":\"yes\",\"kind\"", NG_EFORMAT, "mlp has no option.tied"},
    {"\"kind\"", "\"schema\":\"\",\"kind\"", NG_EFORMAT, "schema"},
    {"\"kind\"",
     "\"schema\":\"natgrad schema 1\\nkind csv\\ntask classification\\nscale none\\nheader no\\n"
     "features 9\\nlabel a\\nlabel b\\nlabel c\\n\",\"kind\"",
     NG_ESHAPE, "9 features, the model 4"},
    {"\"fc1.bias\"", "\"fc1.bia\"", NG_ENODATA, "no 'fc1.bias'"},
    {"\"fc1.bias\"", "\"fc1/bias\"", NG_ESHAPE, "holds 38"},
    {"[5,4]", "[4,5]", NG_ESHAPE, "fc1.weight"},
    {"[5,4]", "[20]", NG_ESHAPE, "fc1.weight"},
    {"\"shape\":[4]", "\"shape\":[2,2]", NG_OK, ""}, /* the sum's bytes are there */
    {"crc32", "crc3/", NG_OK, ""},                   /* a section's, and no sum */
    {"\"crc32\"", "\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"crc32\"",
     NG_EFORMAT, "1 of its tensors are nobody's"},
    {"crc32", "crc33", NG_ESHAPE, "holds 47"},
};
enum { EDITS = sizeof edits / sizeof *edits };

START_TEST(edited)
{
    load_bytes(0);
    edit(edits[_i].from, edits[_i].to);
    seal();
    ng_status status = load();
    ck_assert_msg(status == edits[_i].status, "%s: %s (%s)", edits[_i].to, ng_status_name(status),
                  err.text);
    ck_assert_msg(status == NG_OK || strstr(err.text, edits[_i].reason) != NULL,
                  "%s: \"%s\" lacks \"%s\"", edits[_i].to, err.text, edits[_i].reason);
}
END_TEST

/* Any byte of a file turned over: what is loaded is the same model, or nothing is. */
START_TEST(flipped)
{
    load_bytes(_i);
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= 255;
        ng_status status = load();
        ck_assert_msg(status != NG_OK, "byte %zu", at);
        bytes[at] ^= 255;
    }
    ng_assert_ok(load(), &err);
}
END_TEST

START_TEST(cut_short)
{
    load_bytes(_i);
    for (size_t whole = size; size-- > 0;) {
        ng_status status = load();
        ck_assert_msg(status == NG_EFORMAT, "%zu of %zu: %s", size, whole, ng_status_name(status));
    }
}
END_TEST

/* A number of each parameter that is none, with the right sum. */
START_TEST(not_finite)
{
    const unsigned char nan32[4] = {0, 0, 192, 127}, infinity64[8] = {0, 0, 0, 0, 0, 0, 240, 255};
    load_bytes(_i);
    size_t item = _i % 2 ? 8 : 4;
    for (size_t at = 8 + header; at < size - 4; at += item) {
        unsigned char kept[8];
        memcpy(kept, bytes + at, item);
        memcpy(bytes + at, _i % 2 ? infinity64 : nan32, item);
        seal();
        ng_assert_fails(load(), NG_ENONFINITE, &err, "NaN or infinity in '");
        memcpy(bytes + at, kept, item);
    }
}
END_TEST

/* A net of sixteen stages that halve a picture of 2^16 x 2^16: 162 weights, all there, and
 * hundreds of GB for its buffers. */
START_TEST(small_file_large_model)
{
    static const char *const texts[][2] = {
        {"natgrad_model", "1"},     {"kind", "cnn"},
        {"dtype", "f64"},           {"option.channels", "1"},
        {"option.height", "65536"}, {"option.width", "65536"},
        {"option.stages", "16"},    {"option.filters", "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"},
        {"option.classes", "1"},    {"option.max_batch", "1"},
    };
    const size_t weight[2] = {1, 9}, bias = 1;
    const double zeros[9] = {0};
    ng_tensors_writer *writer;
    ng_model *model;
    const char *path = files_path("large.safetensors");
    ng_assert_ok(ng_tensors_writer_create(&writer, path, &err), &err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ng_assert_ok(ng_tensors_writer_add_text(writer, texts[i][0], texts[i][1], &err), &err);
    for (int i = 1; i <= 17; i++) {
        char name[32];
        snprintf(name, sizeof name, i <= 16 ? "conv%d.weight" : "fc.weight", i);
        ng_assert_ok(ng_tensors_writer_add(writer, name, NG_TENSOR_F64, i <= 16 ? weight : &bias,
                                           i <= 16 ? 2 : 1, &err),
                     &err);
        snprintf(name, sizeof name, i <= 16 ? "conv%d.bias" : "fc.bias", i);
        ng_assert_ok(ng_tensors_writer_add(writer, name, NG_TENSOR_F64, &bias, 1, &err), &err);
    }
    for (int i = 1; i <= 17; i++) {
        ng_assert_ok(ng_tensors_writer_write(writer, zeros, i <= 16 ? 72 : 8, &err), &err);
        ng_assert_ok(ng_tensors_writer_write(writer, zeros, 8, &err), &err);
    }
    ng_assert_ok(ng_tensors_writer_commit(writer, &err), &err);
    ng_assert_fails(ng_model_load(&model, NULL, NULL, path, NULL, &err), NG_ERANGE, &err,
                    "more than the 1073741824 of room");
}
END_TEST

TEST_SUITE(model_hostile)
{
    TCase *tcase = tcase_create("model_hostile");
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, edited, 0, EDITS);
    tcase_add_loop_test(tcase, flipped, 0, 2); /* a model in either dtype */
    tcase_add_loop_test(tcase, cut_short, 0, 2);
    tcase_add_loop_test(tcase, not_finite, 0, SMALL_MODELS);
    tcase_add_test(tcase, small_file_large_model);
    suite_add_tcase(suite, tcase);
}
