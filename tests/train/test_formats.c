/* libsvm, npy, IDX of all types, and files that want too much memory: written here byte by byte. */
#include "tests/train/data_world.h"

#include <zlib.h>

static unsigned char bytes[4096];

/* ---- libsvm ------------------------------------------------------------------------------- */

static ng_status open_libsvm(const char *text, const ng_schema *like)
{
    set_options(RAW);
    return open_path("libsvm", files_text("t.svm", text), like);
}

START_TEST(libsvm)
{
    static const int y[] = {1, 0, 1};
    ng_assert_ok(open_libsvm("+1 2:0.5 4:2 # note\n\n-1 1:1 4:-3\r\n+1 3:0 4:1e-3\n", NULL), &err);
    ck_assert_uint_eq(ng_dataset_features(data), 3); /* column 3 is constant */
    const double seen[] = {0, 0.5, 2, 1, 0, -3, 0, 0, 1e-3};
    assert_samples(data, 3, 3, seen, y);
    ng_schema *schema = ng_schema_share(ng_dataset_schema(data));
    close_data();
    ng_assert_ok(open_libsvm("-1 2:7\n", schema), &err);
    assert_samples(data, 1, 3, (const double[]){0, 7, 0}, (const int[]){0});
    close_data();
    ng_assert_fails(open_libsvm("-1 5:7\n", schema), NG_EFORMAT, &err,
                    "index 5, the model has 1 ... 4");
    ng_schema_destroy(schema);
    ng_assert_ok(open_libsvm("1 0:1 1:5\n2 0:2\n", NULL), &err); /* from 0 */
    assert_samples(data, 2, 2, (const double[]){1, 5, 2, 0}, (const int[]){0, 1});
    close_data();
}
END_TEST

START_TEST(bad_libsvm)
{
    static const char *const bad[][2] = {
        {"", "empty"},
        {"1 1:x\n", "line 1: \"1:x\""},
        {"1 1:2\n0 2:1 1:1\n", "line 2: \"1:1\", expected indices in ascending"},
        {"1 1:1 1:1\n", "ascending"},
        {"1 -1:1\n", "\"-1:1\""},
        {"1 :1\n", "\":1\""},
        {"1:1 2:1\n", "a label first"},
        {"1,2 2:1\n", "one label"},
        {"1 qid:3 2:1\n", "queries"},
        {"1 99999999999999999999999:1\n", "an index below"},
        {"1 1048576:1\n", "an index below"},
        {"1\n0\n", "no index:value"},
        {"1 1:nan\n", "finite"},
        {"1 1:1\n", "one class"},
        {"1 1\n", "\"1\", expected index:value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ng_assert_fails(open_libsvm(bad[i][0], NULL), NG_EFORMAT, &err, bad[i][1]);
    char text[200] = "";
    for (int i = 0; i < 10; i++)
        strcat(text, i % 2 ? "1 1000000:1\n" : "0\n");
    ng_assert_fails(open_libsvm(text, NULL), NG_ERANGE, &err, "10 rows of 1000000");
}
END_TEST

/* ---- npy --------------------------------------------------------------------------------------
 */

/* A head as numpy writes it, then count elements of `size` bytes. Returns the path. */
static const char *write_npy(const char *name, const char *descr, const char *order,
                             const char *shape, const void *elements, size_t size)
{
    char head[256];
    size_t n =
        (size_t)snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                         descr, order, shape);
    while ((10 + n + 1) % 64 != 0)
        head[n++] = ' ';
    head[n++] = '\n';
    memcpy(bytes, "\x93NUMPY\1\0", 8);
    bytes[8] = (unsigned char)n;
    bytes[9] = (unsigned char)(n >> 8);
    memcpy(bytes + 10, head, n);
    memcpy(bytes + 10 + n, elements, size);
    return files_write(name, bytes, 10 + n + size);
}

/* Every type holds the same numbers: 0 ... 5 and the labels 0, 1. */
START_TEST(npy)
{
    static const float f4[] = {0, 1, 0, 3, 4, 1};
    static const double f8[] = {0, 1, 0, 3, 4, 1};
    static const int i4[] = {0, 1, 0, 3, 4, 1};
    static const long long i8[] = {0, 1, 0, 3, 4, 1};
    static const unsigned char u1[] = {0, 1, 0, 3, 4, 1};
    static const struct {
        const char *descr;
        const void *elements;
        size_t size;
    } types[] = {{"<f4", f4, sizeof f4},
                 {"<f8", f8, sizeof f8},
                 {"<i4", i4, sizeof i4},
                 {"<i8", i8, sizeof i8},
                 {"|u1", u1, sizeof u1}};
    for (size_t i = 0; i < 5; i++) {
        set_options(RAW);
        const char *path =
            write_npy("x.npy", types[i].descr, "False", "(2, 3)", types[i].elements, types[i].size);
        ng_assert_ok(open_path("npy", path, NULL), &err);
        assert_samples(data, 2, 2, (const double[]){0, 1, 3, 4}, (const int[]){0, 1});
        close_data();
    }
}
END_TEST

/* Labels of their own, negative, and samples of two dimensions. */
START_TEST(npy_pair)
{
    static const int x[] = {-1, 2, 3, 4, 5, -6, 7, 8};
    static const long long y[] = {3, -9};
    char both[1200], path[600];
    set_options(RAW);
    snprintf(path, sizeof path, "%s", write_npy("x.npy", "<i4", "False", "(2, 2, 2)", x, sizeof x));
    snprintf(both, sizeof both, "%s,%s", path,
             write_npy("y.npy", "<i8", "True", "(2,)", y, sizeof y));
    ng_assert_ok(open_path("npy", both, NULL), &err);
    assert_samples(data, 2, 4, (const double[]){-1, 2, 3, 4, 5, -6, 7, 8}, (const int[]){1, 0});
    ck_assert_str_eq(ng_schema_label(ng_dataset_schema(data), 0), "-9");
    close_data();
    snprintf(both, sizeof both, "%s,%s", path, write_npy("y.npy", "<i8", "False", "(1,)", y, 8));
    ng_assert_fails(open_path("npy", both, NULL), NG_EFORMAT, &err, "1 labels");
}
END_TEST

/* missing=drop: a row with a NaN, of the array or among the labels, may hold anything before it. */
START_TEST(npy_rows_left_out)
{
    static const double x[] = {1, 2, INFINITY, NAN, 3, 4, 1e300, 5}, y[] = {0, 1, 1, NAN};
    char both[1200], path[600];
    set_options("scale=none missing=drop");
    snprintf(path, sizeof path, "%s", write_npy("x.npy", "<f8", "False", "(4, 2)", x, sizeof x));
    snprintf(both, sizeof both, "%s,%s", path,
             write_npy("y.npy", "<f8", "False", "(4,)", y, sizeof y));
    ng_assert_ok(open_path("npy", both, NULL), &err);
    assert_samples(data, 2, 2, (const double[]){1, 2, 3, 4}, (const int[]){0, 1});
    close_data();
    set_options("scale=none");
    ng_assert_fails(open_path("npy", both, NULL), NG_EFORMAT, &err, "row 2, column 1: infinity");
}
END_TEST

static void assert_npy(const char *descr, const char *order, const char *shape, size_t size,
                       const char *what)
{
    static const double zeros[8] = {0};
    set_options("");
    ng_assert_fails(open_path("npy", write_npy("x.npy", descr, order, shape, zeros, size), NULL),
                    NG_EFORMAT, &err, what);
}

START_TEST(bad_npy)
{
    assert_npy(">f8", "False", "(2, 2)", 32, "type >f8, expected <f4");
    assert_npy("|O", "False", "(2, 2)", 32, "type |O");
    assert_npy("<f8", "True", "(2, 2)", 32, "Fortran order");
    assert_npy("<f8", "Perhaps", "(2, 2)", 32, "fortran_order");
    assert_npy("<f8", "False", "(2, 2)", 31, "ends after");
    assert_npy("<f8", "False", "(2, 2)", 33, "goes on after the 4 elements");
    assert_npy("<f8", "False", "()", 8, "a single number");
    assert_npy("<f8", "False", "(0, 2)", 0, "dimension 1 is 0");
    assert_npy("<f8", "False", "(2, 99999999999999999999)", 0, "dimension 2");
    assert_npy("<f8", "False", "(99999999, 99999999, 99999999)", 0, "numbers a sample");
    assert_npy("<f8", "False", "(2; 2)", 0, "'shape' is not one");
    assert_npy("<f8", "False", "2", 0, "no 'shape'");
    assert_npy("<f8", "False", "(1000000000, 2)", 32, "ends after");
    ng_assert_fails(open_path("npy", files_text("x", "no array"), NULL), NG_EFORMAT, &err,
                    "within its head");
    ng_assert_fails(open_path("npy", files_text("x", "no array at all"), NULL), NG_EFORMAT, &err,
                    "no .npy file");
    ng_assert_fails(open_path("npy", files_write("x", "\x93NUMPY\1\0\xff\xff{", 11), NULL),
                    NG_EFORMAT, &err, "within its head");
    ng_assert_fails(open_path("npy", files_write("x", "\x93NUMPY\7\0\xff\xff{", 11), NULL),
                    NG_EFORMAT, &err, "version 7");
}
END_TEST

/* ---- IDX ----------------------------------------------------------------------------------------
 */

/* 2 x 2 numbers, 1, -2, 3, 4 (258 where there is room), big-endian. */
START_TEST(idx_types)
{
    static const struct {
        unsigned char code;
        size_t size;
        const char *elements;
        double last;
    } types[] = {
        {0x09, 1, "\1\xfe\3\4", 4},
        {0x0b, 2, "\0\1\xff\xfe\0\3\1\2", 258},
        {0x0c, 4, "\0\0\0\1\xff\xff\xff\xfe\0\0\0\3\0\0\1\2", 258},
        {0x0d, 4, "\x3f\x80\0\0\xc0\0\0\0\x40\x40\0\0\x43\x81\0\0", 258},
        {0x0e, 8,
         "\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0\x40\x08\0\0\0\0\0\0\x40\x70\x20\0\0\0\0\0", 258},
    };
    for (size_t i = 0; i < 5; i++) {
        unsigned char file[64] = {0, 0, types[i].code, 2, 0, 0, 0, 2, 0, 0, 0, 2};
        char both[1200], path[600];
        memcpy(file + 12, types[i].elements, 4 * types[i].size);
        snprintf(path, sizeof path, "%s", files_write("x.idx", file, 12 + 4 * types[i].size));
        snprintf(both, sizeof both, "%s,%s", path,
                 files_write("y.idx", "\0\0\x09\1\0\0\0\2\xff\1", 10));
        set_options(RAW);
        ng_assert_ok(open_path("idx", both, NULL), &err);
        assert_samples(data, 2, 2, (const double[]){1, -2, 3, types[i].last}, (const int[]){0, 1});
        close_data();
        files_cut(path, 1);
        ng_assert_fails(open_path("idx", both, NULL), NG_EFORMAT, &err, "ends after");
    }
}
END_TEST

/* ---- Bombs -------------------------------------------------------------------------------------
 */

/* 400 MB of zeros in 400 kB of gzip: refused after 64 MiB. As text, table and labels. */
/* Pictures of bytes are not scaled, whatever is asked; it is said, and their schema can be followed
 * with the same options. */
START_TEST(bytes_are_not_scaled)
{
    static const unsigned long sizes[] = {2, 1, 2};
    char both[1200];
    size_t size = files_idx(bytes, 3, sizes, (const unsigned char[]){0, 255, 51, 102}, 4);
    snprintf(both, sizeof both, "%s,", files_write("x", bytes, size));
    size = files_idx(bytes, 1, sizes, (const unsigned char[]){0, 1}, 2);
    strcat(both, files_write("y", bytes, size));
    set_options("scale=minmax");
    ng_assert_ok(open_path("idx", both, NULL), &err);
    assert_says(data, NULL, "note: scale=minmax is for tables");
    ng_schema *schema = ng_schema_share(ng_dataset_schema(data));
    close_data();
    ng_assert_ok(open_path("idx", both, schema), &err);
    ck_assert_int_eq(ng_schema_scale(ng_dataset_schema(data)), NG_SCALE_NONE);
    close_data();
    ng_schema_destroy(schema);
}
END_TEST

START_TEST(bombs)
{
    const char *path = files_path("bomb.gz");
    gzFile file = gzopen(path, "wb9");
    static char zeros[1 << 20];
    memset(zeros, '0', sizeof zeros);
    for (int i = 0; i < 400; i++)
        ck_assert_int_eq(gzwrite(file, zeros, sizeof zeros), (int)sizeof zeros);
    gzclose(file);
    set_options("");
    ng_assert_fails(open_path("text", path, NULL), NG_EFORMAT, &err, "decompression bomb");
    ck_assert_ptr_nonnull(strstr(err.text, "bomb.gz"));
    ck_assert_int_eq(open_path("csv", path, NULL), NG_EFORMAT);
    ck_assert_int_eq(open_path("libsvm", path, NULL), NG_EFORMAT);
}
END_TEST

TEST_SUITE(formats)
{
    TCase *tc = tcase_create("formats");
    tcase_set_timeout(tc, 120); /* seconds; for slow file systems and valgrind */
    tcase_add_checked_fixture(tc, files_setup, files_teardown);
    tcase_add_test(tc, libsvm);
    tcase_add_test(tc, bad_libsvm);
    tcase_add_test(tc, npy);
    tcase_add_test(tc, npy_pair);
    tcase_add_test(tc, npy_rows_left_out);
    tcase_add_test(tc, bad_npy);
    tcase_add_test(tc, idx_types);
    tcase_add_test(tc, bytes_are_not_scaled);
    tcase_add_test(tc, bombs);
    suite_add_tcase(suite, tc);
}
