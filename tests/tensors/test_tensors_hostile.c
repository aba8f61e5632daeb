/* Files that are not as the safetensors format has it (natgrad/tensors.h): every one is refused
 * with its reason, quickly and with little memory. */
#include "tests/tensors/files.h"

#include <sys/resource.h>
#include <sys/stat.h>

static void refused(ng_status expected, const char *reason, const char *what)
{
    ng_tensors *r = (ng_tensors *)&err;
    ng_status status = ng_tensors_open(&r, path, &err);
    ck_assert_msg(status == expected, "%.60s: %s (%s)", what, ng_status_name(status),
                  status != NG_OK ? err.text : "");
    ck_assert_ptr_null(r);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%.60s: \"%s\" lacks \"%s\"", what, err.text,
                  reason);
    for (const char *c = err.text; *c != '\0'; c++)
        ck_assert_msg((unsigned char)*c >= 0x20 && *c != 0x7f, "%.60s: a control character", what);
}

#define T(dtype, shape, begin, end)                                                                \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define PLAIN T("F32", "[2]", "0", "8")
#define BIG "1152921504606846976" /* 2^60 */

static const struct {
    const char *header;
    size_t bytes; /* after it */
    const char *reason;
} corpus[] = {
    /* not JSON, not an object */
    {"", 0, "no JSON object"},
    {" {}", 0, "no JSON object"},
    {"[]", 0, "no JSON object"},
    {"null", 0, "no JSON object"},
    {"{", 0, "no JSON object"},
    {"{}}", 0, "no JSON object"},
    {"{} x", 0, "no JSON object"},
    {"{,}", 0, "no JSON object"},
    {"{\"a\":" PLAIN ",}", 8, "no JSON object"},
    {"{\"a\" " PLAIN "}", 8, "no JSON object"},
    {"{a:" PLAIN "}", 8, "no JSON object"},
    {"{\"a\":" PLAIN "", 8, "no JSON object"},
    {"{\"a\":" PLAIN "}{}", 8, "no JSON object"},
    {"\xef\xbb\xbf{}", 0, "no JSON object"},
    {"{/**/}", 0, "no JSON object"},
    /* names */
    {"{\"a\":" PLAIN ",\"a\":" T("F32", "[0]", "8", "8") "}", 8, "'a': there twice"},
    {"{\"a\":" PLAIN ",\"\\u0061\":" T("F32", "[0]", "8", "8") "}", 8, "'a': there twice"},
    {"{\"a\\u0000b\":" PLAIN "}", 8, "UTF-8"},
    {"{\"a\nb\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\xff\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\xc0\x80\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\xed\xa0\x80\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\xf4\x90\x80\x80\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\xe2\x82\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\\ud800\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\\ud800\\u0061\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\\udc00\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\\u12g4\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\\x41\":" PLAIN "}", 8, "UTF-8"},
    {"{\"\\", 0, "UTF-8"},
    {"{\"\\u00", 0, "UTF-8"},
    {"{\"abc", 0, "UTF-8"},
    {"{\"a\\u001b]0;\x7f\xc2\x9b\":{}}", 0,
     "'a?]0;?"
     "?"
     "?'"},
    /* fields */
    {"{\"a\":{}}", 0, "'a': not an object"},
    {"{\"a\":[]}", 0, "'a': not an object"},
    {"{\"a\":1}", 0, "'a': not an object"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "not an object"},
    {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "not an object"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
     "not an object"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
     "not an object"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],}}", 8, "not an object"},
    {"{\"a\":" T("F31", "[2]", "0", "8") "}", 8, "dtype"},
    {"{\"a\":" T("f32", "[2]", "0", "8") "}", 8, "dtype"},
    {"{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype"},
    /* shapes */
    {"{\"a\":" T("F32", "2", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[2,]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[,2]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[-2]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[2.0]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[2e0]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[02]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[\"2\"]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[[2]]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[NaN]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[18446744073709551618]", "0", "8") "}", 8, "its shape is no list"},
    {"{\"a\":" T("F32", "[99999999999999999999999]", "0", "8") "}", 8, "shape"},
    {"{\"a\":" T("F32", "[3]", "0", "8") "}", 8, "do not fit its shape"},
    {"{\"a\":" T("F32", "[]", "0", "8") "}", 8, "do not fit its shape"},
    {"{\"a\":" T("F64", "[2]", "0", "8") "}", 8, "do not fit its shape"},
    {"{\"a\":" T("F4", "[3]", "0", "1") "}", 1, "do not fit its shape"},
    {"{\"a\":" T("F32", "[4611686018427387904,4]", "0", "0") "}", 0, "do not fit its shape"},
    {"{\"a\":" T("F32", "[4611686018427387905,4]", "0", "16") "}", 16, "do not fit its shape"},
    {"{\"a\":" T("U8", "[4294967296,4294967296]", "0", "0") "}", 0, "do not fit its shape"},
    {"{\"a\":" T("U8", "[4294967296,4294967296,0]", "0", "0") "}", 0, "do not fit its shape"},
    {"{\"a\":" T("U8", "[0,4294967296,4294967296]", "0", "0") "}", 0, "do not fit its shape"},
    {"{\"a\":" T("F64", "[2305843009213693953]", "0", "8") "}", 8, "do not fit its shape"},
    {"{\"a\":" T("F32", "[0," BIG "]", "0", "0") "}", 0, "do not fit its shape"},
    /* places */
    {"{\"a\":" T("F32", "[2]", "8", "0") "}", 8, "ascending"},
    {"{\"a\":" T("F32", "[2]", "-8", "0") "}", 8, "ascending"},
    {"{\"a\":" T("F32", "[2]", "0", "8.0") "}", 8, "ascending"},
    {"{\"a\":" T("F32", "[2]", "0", "8,8") "}", 8, "ascending"},
    {"{\"a\":" T("F32", "[2]", "4", "12") "}", 12, "a hole"},
    {"{\"a\":" T("F32", "[2]", "0", "8") "}", 7, "the file ends"},
    {"{\"a\":" T("F32", "[2]", "0", "8") "}", 9, "8 bytes of tensors in a file with 9"},
    {"{}", 1, "0 bytes of tensors in a file with 1"},
    {"{\"a\":" PLAIN ",\"b\":" T("F32", "[2]", "4", "12") "}", 12, "'b': overlaps"},
    {"{\"a\":" PLAIN ",\"b\":" T("F32", "[2]", "0", "8") "}", 8, "overlaps"},
    {"{\"a\":" PLAIN ",\"b\":" T("F32", "[2]", "12", "20") "}", 20, "'b': a hole"},
    {"{\"a\":" PLAIN ",\"b\":" T("F32", "[0]", "4", "4") "}", 8, "overlaps"},
    {"{\"a\":" T("U8", "[" BIG "]", "0", BIG) "}", 8, "the file ends"},
    {"{\"a\":" PLAIN ",\"b\":" T("U8", "[18446744073709551607]", "8", "18446744073709551615") "}",
     8, "'b'"},
    /* metadata */
    {"{\"__metadata__\":[]}", 0, "__metadata__"},
    {"{\"__metadata__\":null}", 0, "__metadata__"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__"},
    {"{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, "__metadata__"},
    {"{\"__metadata__\":{\"a\":\"b\",}}", 0, "__metadata__"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "there twice"},
    {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}}", 0, "twice in __metadata__"},
    {"{\"__metadata__\":" PLAIN "}", 8, "__metadata__"},
};

START_TEST(refuses)
{
    write_header(corpus[_i].header, corpus[_i].bytes);
    refused(NG_EFORMAT, corpus[_i].reason, corpus[_i].header);
}
END_TEST

/* Odd, but as the format has it. */
START_TEST(accepts)
{
    static const struct {
        const char *header;
        size_t bytes, count;
    } fine[] = {
        {"{}", 0, 0},
        {"{ }  \n\t ", 0, 0},
        {"{\"__metadata__\":{}}", 0, 0},
        {"{\"a\":" PLAIN "}", 8, 1},
        {"{ \"a\" : { \"data_offsets\" : [ 0 , 8 ] , \"dtype\":\"F32\", \"shape\" : [ 2 ]\r\n} } ",
         8, 1},
        {"{\"b\":" T("F32", "[2]", "8", "16") ",\"a\":" PLAIN "}", 16, 2},
        {"{\"a\":" PLAIN ",\"b\":" T("F32", "[0]", "8", "8") "}", 8, 2},
        {"{\"a\":" PLAIN ",\"b\":" T("F32", "[0]", "0", "0") "}", 8, 2},
        {"{\"a\":" T("F4", "[2]", "0", "1") "}", 1, 1},
        {"{\"a\":" T("F6_E3M2", "[4]", "0", "3") "}", 3, 1},
        {"{\"a\":" T("F32", "[1,1,1,1,1,1,1,1,1,2]", "0", "8") "}", 8, 1},
    };
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        ng_tensors *r;
        write_header(fine[i].header, fine[i].bytes);
        ng_status status = ng_tensors_open(&r, path, &err);
        ck_assert_msg(status == NG_OK, "%s: %s", fine[i].header, err.text);
        ck_assert_uint_eq(ng_tensors_count(r), fine[i].count);
        ng_tensors_close(r);
    }
}
END_TEST

START_TEST(wrong_lengths)
{
    static const char text[] = "{}      ";
    static const uint64_t lengths[] = {9,
                                       100000001,
                                       (uint64_t)1 << 31,
                                       (uint64_t)1 << 32,
                                       ((uint64_t)1 << 32) + 8,
                                       (uint64_t)1 << 63,
                                       ((uint64_t)1 << 63) + 8,
                                       UINT64_MAX - 7,
                                       UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        write_file(lengths[i], text, 8, 0);
        refused(NG_EFORMAT, "a header of", "length");
    }
    write_file(8, text, 8, 0);
    for (off_t size = 15; size >= 0; size--) {
        ck_assert_int_eq(truncate(path, size), 0);
        refused(NG_EFORMAT, size < 8 ? "no such file" : "a header of", "cut");
    }
    write_file(200000000, text, 8, 0); /* a hole of 200 MB */
    ck_assert_int_eq(truncate(path, 300000000), 0);
    refused(NG_EFORMAT, "a header of 200000000", "long header");
}
END_TEST

START_TEST(no_files)
{
    unlink(path);
    refused(NG_EIO, "No such file", "nothing");
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    refused(NG_EIO, "not a file", "FIFO");
    unlink(path);
    ck_assert_int_eq(symlink(folder, path), 0);
    refused(NG_EIO, "not a file", "folder");
    ng_tensors *r;
    ng_assert_fails(ng_tensors_open(&r, "/dev/zero", &err), NG_EIO, &err, "not a file");
    ng_assert_fails(ng_tensors_open(&r, NULL, &err), NG_EARG, &err, "path");
    ng_assert_fails(ng_tensors_open(NULL, path, &err), NG_EARG, &err, "path");
}
END_TEST

/* What is long in one place or another: refused in no time, or read. */
START_TEST(long_headers)
{
    static const struct {
        const char *begin, *again, *end;
        ng_status status;
    } kinds[] = {
        {"{\"a\":", "[", "", NG_EFORMAT},
        {"", "[", "", NG_EFORMAT},
        {"", "{\"a\":", "", NG_EFORMAT},
        {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1],\"shape\":[", "1,", "1]}}", NG_OK},
        {"{\"__metadata__\":{\"a\":\"", "\\u00e9", "\"}}", NG_OK},
        {"{\"", "a", "\":{}}", NG_EFORMAT},
        {"{", " ", "}", NG_EFORMAT},
        {"{\"__metadata__\":{\"a\":", "9", "}}", NG_EFORMAT},
    };
    const size_t size = 4000000;
    char *text = malloc(size + 200);
    ng_tensors *r;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        size_t used = (size_t)sprintf(text, "%s", kinds[k].begin);
        for (; used < size; used += strlen(kinds[k].again))
            strcpy(text + used, kinds[k].again);
        used += (size_t)sprintf(text + used, "%s", kinds[k].end);
        write_file(used, text, used, 1 - (k == 4));
        ng_status status = ng_tensors_open(&r, path, &err);
        ck_assert_msg(status == kinds[k].status, "%zu: %s (%s)", k, ng_status_name(status),
                      err.text);
        ng_tensors_close(r);
    }
    free(text);
}
END_TEST

/* Every byte of a file of every kind of thing changed, and cut off: opened or refused, and what is
 * opened can be read to its end. */
START_TEST(changed_anywhere)
{
    static const char header[] =
        "{\"__metadata__\":{\"a\":\"b\\u00e9\"},\"x\":" PLAIN
        ",\"y\\n\":" T("F4", "[2,3]", "8", "11") ",\"z\":" T("U64", "[]", "11", "19") "} ";
    static const unsigned char masks[] = {1, 2, 4, 8, 0x10, 0x20, 0x80, 0xff};
    size_t size = strlen(header), opened = 0;
    char bytes[64], changed[sizeof header];
    for (size_t i = 0; i < size; i++)
        for (size_t k = 0; k < sizeof masks; k++) {
            ng_tensors *r;
            memcpy(changed, header, sizeof header);
            changed[i] = (char)(changed[i] ^ masks[k]);
            write_file(size, changed, size, 19);
            if (ng_tensors_open(&r, path, &err) != NG_OK)
                continue;
            opened++;
            for (size_t t = 0; t < ng_tensors_count(r); t++) {
                const ng_tensor *tensor = ng_tensors_get(r, t);
                ck_assert_uint_le(tensor->bytes, sizeof bytes);
                ng_assert_ok(ng_tensors_read(r, bytes, tensor, 0, tensor->bytes, &err), &err);
                ck_assert_ptr_eq(ng_tensors_find(r, tensor->name), tensor);
            }
            ng_tensors_close(r);
        }
    ck_assert_uint_gt(opened, 20); /* other names, types of as many bits */
}
END_TEST

/* A file that shrinks after it was opened. */
START_TEST(shrinks)
{
    ng_tensors *r;
    double x = 0;
    write_header("{\"x\":" T("F64", "[]", "0", "8") "}", 8);
    ng_assert_ok(ng_tensors_open(&r, path, &err), &err);
    ck_assert_int_eq(truncate(path, 60), 0);
    ng_assert_fails(ng_tensors_read_mat(r, ng_f64(&x, 1, 1), ng_tensors_get(r, 0), &err),
                    NG_EFORMAT, &err, "shrinks");
    ng_tensors_close(r);
}
END_TEST

TEST_SUITE(tensors_hostile)
{
    TCase *tcase = tcase_create("hostile");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, refuses, 0, sizeof corpus / sizeof corpus[0]);
    tcase_add_test(tcase, accepts);
    tcase_add_test(tcase, wrong_lengths);
    tcase_add_test(tcase, no_files);
    tcase_add_test(tcase, long_headers);
    tcase_add_test(tcase, changed_anywhere);
    tcase_add_test(tcase, shrinks);
    suite_add_tcase(suite, tcase);
}
