/* IDX files and MNIST folders: written here byte by byte, read back; then
 * every way they can lie. */
#define _POSIX_C_SOURCE 200809L
#include <natgrad/train/data.h>

#include <stdio.h>
#include <sys/stat.h>

#include "tests/train/files.h"
#include "tests/support/support.h"

static ng_error err;
static ng_dataset *data, *other;

/* Six images of 2 x 3 pixels: pixel j of image i is (41 i + 7 j) mod 256, and
 * image 5 holds 255 and 0. */
enum { COUNT = 6, PIXELS = 6 };
static const unsigned long image_sizes[] = {COUNT, 2, 3};
static const unsigned char labels[COUNT] = {3, 0, 7, 7, 1, 2};
static unsigned char pixels[COUNT * PIXELS], file[512];

static void fill_pixels(void)
{
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < PIXELS; j++)
            pixels[i * PIXELS + j] = (unsigned char)(41 * i + 7 * j);
    pixels[5 * PIXELS] = 255;
    pixels[5 * PIXELS + 1] = 0;
}

static void setup(void)
{
    files_setup();
    fill_pixels();
}

typedef const char *writer(const char *name, const void *bytes, size_t size);

static const char *write_images(writer *write, const char *name)
{
    return write(name, file, files_idx(file, 3, image_sizes, pixels, sizeof pixels));
}

static const char *write_labels(writer *write, const char *name)
{
    const unsigned long size = COUNT;
    return write(name, file, files_idx(file, 1, &size, labels, COUNT));
}

static void check_samples(const ng_dataset *set, const size_t *index, size_t batch, size_t first)
{
    int found[16];
    for (int dtype = 0; dtype < 2; dtype++) {
        ng_mat x = test_mat(batch, PIXELS, 3, (ng_dtype)dtype);
        ng_assert_ok(ng_dataset_gather(set, x, found, index, batch, &err), &err);
        for (size_t i = 0; i < batch; i++) {
            size_t sample = first + index[i];
            ck_assert_int_eq(found[i], labels[sample]);
            for (size_t j = 0; j < PIXELS; j++) {
                double exact = pixels[sample * PIXELS + j] / 255.0;
                if (dtype == NG_F32)
                    exact = (double)((float)pixels[sample * PIXELS + j] / 255.0f);
                ck_assert_double_eq(ng_mat_get(x, i, j), exact);
            }
        }
        test_free(x);
    }
}

START_TEST(reads_plain_and_gzip)
{
    static const size_t index[] = {5, 0, 2, 2, 1, 3, 4};
    writer *const writers[] = {files_write, files_write_gz};
    for (int i = 0; i < 2; i++) {
        const char *images = write_images(writers[i], "some-images");
        ng_assert_ok(ng_dataset_idx(&data, images, write_labels(writers[i], "l"), &err), &err);
        ck_assert_uint_eq(ng_dataset_count(data), COUNT);
        ck_assert_uint_eq(ng_dataset_features(data), PIXELS);
        ck_assert_uint_eq(ng_dataset_classes(data), 8);
        ck_assert_str_eq(ng_dataset_name(data), "some-images");
        ck_assert_ptr_null(ng_dataset_vocabulary(data));
        check_samples(data, index, 7, 0);
        ng_dataset_destroy(data);
    }
}
END_TEST

/* Larger than any block the reader uses, so that all of its growing is seen. */
START_TEST(reads_a_large_file)
{
    enum { N = 3000, P = 400 };
    const unsigned long sizes[] = {N, 20, 20};
    unsigned char *bytes = malloc((size_t)N * P), *out = malloc((size_t)N * P + 16);
    unsigned char byte_labels[N];
    double row[P];
    int wrong = 0; /* an assertion each would take minutes */
    ck_assert(bytes != NULL && out != NULL);
    for (size_t i = 0; i < (size_t)N * P; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    for (int i = 0; i < N; i++)
        byte_labels[i] = (unsigned char)(i % 256);
    const char *images = files_write("i", out, files_idx(out, 3, sizes, bytes, (size_t)N * P));
    const char *l = files_write_gz("l", out, files_idx(out, 1, sizes, byte_labels, N));
    ng_assert_ok(ng_dataset_idx(&data, images, l, &err), &err);
    ck_assert_uint_eq(ng_dataset_classes(data), 256);
    for (size_t i = 0; i < N; i++) {
        int label;
        wrong += ng_dataset_gather(data, ng_f64(row, 1, P), &label, &i, 1, &err) != NG_OK;
        wrong += label != (int)(i % 256);
        for (size_t j = 0; j < P; j++)
            wrong += row[j] != bytes[i * P + j] / 255.0;
    }
    ck_assert_int_eq(wrong, 0);
    ng_dataset_destroy(data);
    free(bytes);
    free(out);
}
END_TEST

/* Every byte / 255, correctly rounded in both types */
START_TEST(bytes_are_rounded_correctly)
{
    unsigned char body[256], bytes[300];
    const unsigned long sizes[] = {1, 16, 16}, one = 1;
    float f[256];
    double d[256];
    size_t index = 0;
    for (int i = 0; i < 256; i++)
        body[i] = (unsigned char)i;
    const char *images = files_write("i", bytes, files_idx(bytes, 3, sizes, body, 256));
    const char *l = files_write("l", bytes, files_idx(bytes, 1, &one, body, 1));
    ng_assert_ok(ng_dataset_idx(&data, images, l, &err), &err);
    ng_assert_ok(ng_dataset_gather(data, ng_f32(f, 1, 256), NULL, &index, 1, &err), &err);
    ng_assert_ok(ng_dataset_gather(data, ng_f64(d, 1, 256), NULL, &index, 1, &err), &err);
    for (int i = 0; i < 256; i++) {
        ck_assert_msg(f[i] == (float)i / 255.0f, "byte %d as a float", i);
        ck_assert_msg(d[i] == i / 255.0, "byte %d as a double", i);
    }
    ng_dataset_destroy(data);
}
END_TEST

/* ---- Files that lie ---------------------------------------------------------- */

static void assert_images_fail(const char *images, ng_status status, const char *what)
{
    const char *l = write_labels(files_write, "good-labels");
    data = (ng_dataset *)&err;
    ng_assert_fails(ng_dataset_idx(&data, images, l, &err), status, &err, what);
    ck_assert_msg(strstr(err.text, images) != NULL, "\"%s\" lacks the file", err.text);
    ck_assert_ptr_null(data);
}

static void assert_labels_fail(const char *path, ng_status status, const char *what)
{
    const char *images = write_images(files_write, "good-images");
    ng_assert_fails(ng_dataset_idx(&data, images, path, &err), status, &err, what);
    ck_assert_msg(strstr(err.text, path) != NULL, "\"%s\" lacks the file", err.text);
    ck_assert_ptr_null(data);
}

START_TEST(missing_and_unreadable)
{
    assert_images_fail(files_path("nowhere"), NG_EIO, "No such file");
    assert_labels_fail(files_path("nowhere"), NG_EIO, "No such file");
    ck_assert_int_eq(mkdir(files_path("folder"), 0700), 0);
    assert_images_fail(files_path("folder"), NG_EIO, "directory");
    assert_images_fail(files_write("nil", "", 0), NG_EFORMAT, "is empty");
    assert_labels_fail(files_write("nil", "", 0), NG_EFORMAT, "is empty");
    ng_assert_fails(ng_dataset_idx(&data, NULL, "x", &err), NG_EARG, &err, "NULL");
    ng_assert_fails(ng_dataset_idx(NULL, "x", "x", &err), NG_EARG, &err, "NULL");
}
END_TEST

START_TEST(wrong_heads)
{
    assert_images_fail(write_labels(files_write, "swapped"), NG_EFORMAT,
                       "0x00000801, expected 0x00000803");
    assert_labels_fail(write_images(files_write, "swapped"), NG_EFORMAT,
                       "0x00000803, expected 0x00000801");
    assert_images_fail(files_text("text", "not an IDX file at all"), NG_EFORMAT, "magic");
    assert_images_fail(files_write("short", "\0\0\10\3\0\0", 6), NG_EFORMAT, "after 6 bytes");
    assert_images_fail(files_write("shorter", "\0\0", 2), NG_EFORMAT, "after 2 bytes");
    const unsigned long zero[] = {COUNT, 0, 3};
    assert_images_fail(files_write("zero", file, files_idx(file, 3, zero, pixels, 0)), NG_EFORMAT,
                       "dimension 2 of 3 is 0");
}
END_TEST

START_TEST(wrong_lengths)
{
    const char *images = write_images(files_write, "images");
    files_cut(images, 1);
    assert_images_fail(images, NG_EFORMAT, "holds 35 elements, its head says 36");
    unsigned char longer[sizeof pixels + 1] = {0};
    images = files_write("long", file, files_idx(file, 3, image_sizes, longer, sizeof longer));
    assert_images_fail(images, NG_EFORMAT, "after the 36");
    images = files_write_gz("long.gz", file, files_idx(file, 3, image_sizes, longer, sizeof longer));
    assert_images_fail(images, NG_EFORMAT, "after the 36");
    unsigned long count = COUNT + 1;
    assert_labels_fail(files_write("seven", file, files_idx(file, 1, &count, longer, 7)),
                       NG_EFORMAT, "7 labels");
    ck_assert_ptr_nonnull(strstr(err.text, "6 images"));
    count = COUNT;
    assert_labels_fail(files_write("five", file, files_idx(file, 1, &count, longer, 5)),
                       NG_EFORMAT, "holds 5 elements, its head says 6");
    assert_labels_fail(files_write("more", file, files_idx(file, 1, &count, longer, 7)),
                       NG_EFORMAT, "after the 6");
}
END_TEST

/* Sizes that would be terabytes, or overflow, fail on what the file holds. */
START_TEST(lying_sizes)
{
    const unsigned long lies[][3] = {{0x7fffffff, 28, 28},
                                     {0xffffffff, 0xffffffff, 0xffffffff},
                                     {0xffffffff, 0x10001, 0xffff},
                                     {0x80000000, 0x80000000, 4}};
    for (int i = 0; i < 4; i++) {
        size_t size = files_idx(file, 3, lies[i], pixels, sizeof pixels);
        assert_images_fail(files_write("lie", file, size), NG_EFORMAT,
                           i > 0 ? "too large to multiply" : "holds 36 elements");
    }
    const unsigned long many = 0xffffffff;
    assert_labels_fail(files_write("lie", file, files_idx(file, 1, &many, labels, COUNT)),
                       NG_EFORMAT, "4294967295 labels");
}
END_TEST

START_TEST(damaged_gzip)
{
    const char *images = write_images(files_write_gz, "images.gz");
    files_damage(images, -6); /* the CRC */
    assert_images_fail(images, NG_EFORMAT, "damaged");
    images = write_images(files_write_gz, "images.gz");
    files_damage(images, -2); /* the length */
    assert_images_fail(images, NG_EFORMAT, "damaged");
    for (size_t cut = 1; cut < 20; cut += 3) {
        images = write_images(files_write_gz, "images.gz");
        files_cut(images, cut);
        assert_images_fail(images, NG_EFORMAT, "truncated");
    }
    const char *l = write_labels(files_write_gz, "labels.gz");
    files_damage(l, -6);
    assert_labels_fail(l, NG_EFORMAT, "damaged");
}
END_TEST

/* A path longer than the text still leaves room for what is wrong. */
START_TEST(long_path)
{
    char path[1200];
    memset(path, 'd', sizeof path);
    strcpy(path + sizeof path - 16, "/the-images.idx");
    ng_assert_fails(ng_dataset_idx(&data, path, "x", &err), NG_EIO, &err, "the-images.idx: cannot");
}
END_TEST

/* ---- Folders -------------------------------------------------------------------- */

START_TEST(four_files)
{
    static const size_t index[] = {0, 1, 2, 3, 4, 5};
    const unsigned char few[COUNT] = {0, 1, 0, 1, 0, 11};
    const unsigned long size = COUNT;
    write_images(files_write, "train-images-idx3-ubyte");
    write_labels(files_write_gz, "train-labels.idx1-ubyte.gz");
    write_images(files_write_gz, "t10k-images.idx3-ubyte.gz");
    ng_assert_fails(ng_dataset_mnist(&data, &other, files_path("."), &err), NG_EIO, &err,
                    "no t10k-labels-idx1-ubyte[.gz]");
    ck_assert(data == NULL && other == NULL);
    files_write("t10k-labels-idx1-ubyte", file, files_idx(file, 1, &size, few, COUNT));
    ng_assert_ok(ng_dataset_mnist(&data, &other, files_path("."), &err), &err);
    check_samples(data, index, COUNT, 0);
    ck_assert_uint_eq(ng_dataset_count(other), COUNT);
    ck_assert_uint_eq(ng_dataset_classes(data), 12); /* the larger one */
    ck_assert_uint_eq(ng_dataset_classes(other), 12);
    ck_assert_str_eq(ng_dataset_name(data), "mnist-train");
    ck_assert_str_eq(ng_dataset_name(other), "mnist-test");
    ng_dataset_destroy(data);
    ng_dataset_destroy(other);
    const unsigned long narrow[] = {COUNT, 2, 2};
    files_write("t10k-images.idx3-ubyte.gz", file,
                files_idx(file, 3, narrow, pixels, COUNT * 4));
    ng_assert_fails(ng_dataset_mnist(&data, &other, files_path("."), &err), NG_EFORMAT, &err,
                    "t10k-images.idx3-ubyte.gz: images of 4 pixels");
    ck_assert(data == NULL && other == NULL);
}
END_TEST

/* One pair: of six, the last 6 / 5 = 1 is for testing. */
START_TEST(one_pair)
{
    static const size_t index[] = {4, 0, 1, 2, 3};
    write_images(files_write_gz, "images-idx3-ubyte.gz");
    ng_assert_fails(ng_dataset_mnist(&data, &other, files_path("."), &err), NG_EIO, &err,
                    "no labels-idx1-ubyte[.gz]");
    write_labels(files_write_gz, "labels-idx1-ubyte.gz");
    ng_assert_ok(ng_dataset_mnist(&data, &other, files_path("."), &err), &err);
    ck_assert_uint_eq(ng_dataset_count(data), 5);
    ck_assert_uint_eq(ng_dataset_count(other), 1);
    check_samples(data, index, 5, 0);
    ng_dataset_destroy(data); /* the test set stays whole */
    check_samples(other, index + 1, 1, 5);
    ng_dataset_destroy(other);
    write_images(files_write, "train-images-idx3-ubyte"); /* half of something else */
    ng_assert_fails(ng_dataset_mnist(&data, &other, files_path("."), &err), NG_EIO, &err,
                    "no train-labels");
}
END_TEST

START_TEST(no_files)
{
    ng_assert_fails(ng_dataset_mnist(&data, &other, files_path("."), &err), NG_EIO, &err,
                    "{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]");
    ck_assert_ptr_nonnull(strstr(err.text, files_path(".")));
    ng_assert_fails(ng_dataset_mnist(&data, &other, NULL, &err), NG_EARG, &err, "NULL");
}
END_TEST

/* The real digits: 10,000, or the 70,000. */
START_TEST(real_mnist)
{
    const char *folder = getenv("NATGRAD_DATA");
    char path[1024];
    double mean = 0, *x = malloc(784 * sizeof *x);
    size_t i = 0;
    int failed = 0;
    if (folder == NULL) {
        printf("real_mnist: skipped, NATGRAD_DATA is not set\n");
        free(x);
        return;
    }
    snprintf(path, sizeof path, "%s/mnist-t10k", folder);
    if (ng_dataset_mnist(&data, &other, folder, &err) != NG_OK)
        ng_assert_ok(ng_dataset_mnist(&data, &other, path, &err), &err);
    ck_assert_uint_eq(ng_dataset_features(data), 784);
    ck_assert_uint_eq(ng_dataset_classes(data), 10);
    ck_assert_uint_eq(ng_dataset_count(data) % 10000, ng_dataset_count(data) == 8000 ? 8000 : 0);
    for (; i < ng_dataset_count(data); i++) {
        failed += ng_dataset_gather(data, ng_f64(x, 1, 784), NULL, &i, 1, &err) != NG_OK;
        for (int j = 0; j < 784; j++)
            mean += x[j];
    }
    ck_assert_int_eq(failed, 0);
    ng_assert_rel(mean / 784 / (double)i, 0.1307, 0.03); /* the mean everybody subtracts */
    free(x);
    ng_dataset_destroy(data);
    ng_dataset_destroy(other);
}
END_TEST

TEST_SUITE(idx)
{
    TCase *tc = tcase_create("idx");
    tcase_set_timeout(tc, 60); /* seconds; for slow file systems and valgrind */
    tcase_add_checked_fixture(tc, setup, files_teardown);
    tcase_add_test(tc, reads_plain_and_gzip);
    tcase_add_test(tc, reads_a_large_file);
    tcase_add_test(tc, bytes_are_rounded_correctly);
    tcase_add_test(tc, missing_and_unreadable);
    tcase_add_test(tc, wrong_heads);
    tcase_add_test(tc, wrong_lengths);
    tcase_add_test(tc, lying_sizes);
    tcase_add_test(tc, damaged_gzip);
    tcase_add_test(tc, long_path);
    tcase_add_test(tc, four_files);
    tcase_add_test(tc, one_pair);
    tcase_add_test(tc, no_files);
    tcase_add_test(tc, real_mnist);
    suite_add_tcase(suite, tc);
}
