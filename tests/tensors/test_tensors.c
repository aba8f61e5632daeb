/* Named arrays in files (natgrad/tensors.h): what is written is what is read. */
#include "tests/tensors/files.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

START_TEST(types_have_names)
{
    ng_tensor_dtype found;
    for (int i = 0; i < NG_TENSOR_DTYPES; i++) {
        ng_tensor_dtype dtype = (ng_tensor_dtype)i;
        ng_assert_ok(ng_tensor_dtype_find(&found, ng_tensor_dtype_name(dtype), &err), &err);
        ck_assert_int_eq(found, dtype);
        ck_assert_uint_gt(ng_tensor_dtype_bits(dtype), 0);
    }
    ck_assert_str_eq(ng_tensor_dtype_name(NG_TENSOR_BF16), "BF16");
    ck_assert_uint_eq(ng_tensor_dtype_bits(NG_TENSOR_F6_E2M3), 6);
    ck_assert_str_eq(ng_tensor_dtype_name((ng_tensor_dtype)-1), "unknown");
    ck_assert_uint_eq(ng_tensor_dtype_bits(NG_TENSOR_DTYPES), 0);
    ng_assert_fails(ng_tensor_dtype_find(&found, "F\x1b", &err), NG_EDTYPE, &err, "'F?'");
}
END_TEST

/* ---- There and back -------------------------------------------------------------------------- */

static const char *const odd_names[] = {"", "a/b.c", "\xce\xb1\xf0\x9f\x98\x80", "\"\\\n\x01\x7f",
                                        "__metadata"};
static const size_t odd_shapes[][5] = {{4, 1, 2, 1, 3}, {24, 0, 0, 0, 0}, {2, 2, 2, 3, 1}};

/* Every type in turn, of ranks 0 ... 5, some empty. */
static size_t announce(ng_tensors_writer *w, size_t i)
{
    char name[40];
    size_t rank = i % 6;
    int empty = i == 7 || i == 16;
    size_t shape[5] = {0};
    for (size_t k = 0; k < rank; k++)
        shape[k] = empty ? 0 : odd_shapes[1][0] * (k == 0) + (k > 0);
    if (rank == 5 && !empty)
        memcpy(shape, odd_shapes[0], sizeof shape);
    ng_tensor_dtype dtype = (ng_tensor_dtype)(i % NG_TENSOR_DTYPES);
    size_t bits = ng_tensor_dtype_bits(dtype);
    if (rank == 0 && bits < 8) {
        rank = 1;
        shape[0] = 24;
    }
    sprintf(name, "tensor%zu", i);
    ng_assert_ok(ng_tensors_writer_add(w, i < 5 ? odd_names[i] : name, dtype, shape, rank, &err),
                 &err);
    return (empty && rank > 0 ? 0 : rank == 0 ? 1 : 24) * bits / 8;
}

enum { COUNT = 3 * NG_TENSOR_DTYPES };

/* Its bytes go on from *next. */
static void check_tensor(ng_tensors *r, size_t i, size_t bytes, unsigned char *next)
{
    char name[40];
    unsigned char found[200];
    sprintf(name, "tensor%zu", i);
    const ng_tensor *t = ng_tensors_find(r, i < 5 ? odd_names[i] : name);
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(t->dtype, i % NG_TENSOR_DTYPES);
    ck_assert_uint_eq(t->bytes, bytes);
    ck_assert_uint_eq(t->count * ng_tensor_dtype_bits(t->dtype), 8 * bytes);
    if (i % 6 == 5 && bytes > 0)
        ck_assert_int_eq(memcmp(t->shape, odd_shapes[0], sizeof odd_shapes[0]), 0);
    ng_assert_ok(ng_tensors_read(r, found, t, 0, t->bytes, &err), &err);
    for (size_t k = 0; k < bytes; k++)
        ck_assert_uint_eq(found[k], (*next)++);
    if (bytes > 1) {
        ng_assert_ok(ng_tensors_read(r, found, t, 1, 1, &err), &err);
        ck_assert_uint_eq(found[0], (unsigned char)(*next - bytes + 1));
    }
    ck_assert_int_eq(ng_tensors_read(r, found, t, bytes, 1, NULL), NG_EARG);
    ck_assert_int_eq(ng_tensors_read(r, found, t, 1, SIZE_MAX, NULL), NG_EARG);
}

/* One after the other, in the order of their announcement. */
static void check_places(ng_tensors *r, size_t total)
{
    size_t end = ng_tensors_get(r, 0)->begin;
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(ng_tensors_get(r, i)->begin, end);
        end += ng_tensors_get(r, i)->bytes;
    }
    ck_assert_uint_eq(end - ng_tensors_get(r, 0)->begin, total);
}

static void check_texts(ng_tensors *r)
{
    for (size_t i = 0; i < 5; i++) {
        const char *key, *text = ng_tensors_text_at(r, i, &key);
        ck_assert_str_eq(ng_tensors_text(r, odd_names[i]), odd_names[4 - i]);
        ck_assert_ptr_eq(ng_tensors_text(r, key), text);
    }
    ck_assert_ptr_null(ng_tensors_text_at(r, 5, NULL));
    ck_assert_ptr_null(ng_tensors_text(r, "tensor5"));
}

START_TEST(every_type_and_rank)
{
    ng_tensors_writer *w;
    ng_tensors *r;
    size_t bytes[COUNT], total = 0;
    unsigned char next = 7;
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    for (size_t i = 0; i < 5; i++)
        ng_assert_ok(ng_tensors_writer_add_text(w, odd_names[i], odd_names[4 - i], &err), &err);
    for (size_t i = 0; i < COUNT; i++)
        bytes[i] = announce(w, i);
    for (size_t i = 0; i < COUNT; total += bytes[i], i++)
        for (size_t k = 0; k < bytes[i]; k++, next++)
            ng_assert_ok(ng_tensors_writer_write(w, &next, 1, &err), &err);
    ng_assert_ok(ng_tensors_writer_commit(w, &err), &err);
    ng_assert_ok(ng_tensors_open(&r, path, &err), &err);
    ck_assert_uint_eq(ng_tensors_count(r), COUNT);
    ck_assert_ptr_null(ng_tensors_get(r, COUNT));
    next = 7;
    for (size_t i = 0; i < COUNT; i++)
        check_tensor(r, i, bytes[i], &next);
    check_places(r, total);
    ck_assert_ptr_null(ng_tensors_find(r, "tensor"));
    check_texts(r);
    ng_tensors_close(r);
}
END_TEST

/* Of another shape or dtype than "a", as which a2 was read. */
static void views_refused(ng_tensors *r, ng_mat a2)
{
    ng_mat swapped = {a2.data, 6, 4, 4, a2.dtype}, row = {a2.data, 1, 24, 24, a2.dtype}, other = a2;
    other.dtype = a2.dtype == NG_F32 ? NG_F64 : NG_F32;
    const ng_tensor *found = ng_tensors_find(r, "a");
    ng_assert_fails(ng_tensors_read_mat(r, swapped, found, &err), NG_ESHAPE, &err,
                    "'a' has the shape [4, 6] in the file, 6 x 4 here");
    ng_assert_fails(ng_tensors_read_mat(r, row, found, &err), NG_ESHAPE, &err, "1 x 24");
    ng_assert_fails(ng_tensors_read_mat(r, other, found, &err), NG_EDTYPE, &err, "'a' is F");
    ng_assert_fails(ng_tensors_read_mat(r, a2, NULL, &err), NG_EARG, &err, "tensor");
}

START_TEST(views)
{
    ng_dtype dtype = _i ? NG_F32 : NG_F64;
    ng_tensor_dtype mine = _i ? NG_TENSOR_F32 : NG_TENSOR_F64;
    ng_tensors_writer *w;
    ng_tensors *r;
    test_rng rng = {1};
    ng_mat a = test_mat(4, 6, 3, dtype), b = test_mat(1, 5, 0, dtype),
           one = test_mat(1, 1, 0, dtype);
    ng_mat a2 = test_mat(4, 6, 1, dtype), b2 = test_mat(1, 5, 0, dtype),
           c2 = test_mat(5, 1, 2, dtype);
    test_fill_normal(a, &rng);
    test_fill_normal(b, &rng);
    test_fill_normal(one, &rng);
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    static const struct {
        const char *name;
        size_t rank, shape[3];
    } t[] = {{"a", 2, {4, 6}},    {"a3", 3, {4, 1, 6}}, {"b", 1, {5}},    {"brow", 2, {1, 5}},
             {"bcol", 2, {5, 1}}, {"one", 0, {0}},      {"one1", 1, {1}}, {"one2", 2, {1, 1}}};
    for (size_t i = 0; i < 8; i++)
        ng_assert_ok(ng_tensors_writer_add(w, t[i].name, mine, t[i].shape, t[i].rank, &err), &err);
    for (size_t i = 0; i < 8; i++)
        ng_assert_ok(ng_tensors_writer_write_mat(w, i < 2 ? a : i < 5 ? b : one, &err), &err);
    ng_assert_ok(ng_tensors_writer_commit(w, &err), &err);
    ng_assert_ok(ng_tensors_open(&r, path, &err), &err);
    for (size_t i = 0; i < 8; i++) {
        const ng_tensor *found = ng_tensors_find(r, t[i].name);
        ng_mat to = i < 2 ? a2 : i < 5 ? b2 : ng_mat_block(b2, 0, 1, 1, 1);
        ng_assert_ok(ng_tensors_read_mat(r, to, found, &err), &err);
        ck_assert(test_same_bits(to, i < 2 ? a : i < 5 ? b : one));
        if (i >= 2 && i < 5) {
            ng_assert_ok(ng_tensors_read_mat(r, c2, found, &err), &err);
            for (size_t k = 0; k < 5; k++)
                ck_assert(ng_mat_get(c2, k, 0) == ng_mat_get(b, 0, k));
        }
    }
    views_refused(r, a2);
    ng_tensors_close(r);
    ng_mat all[] = {a, b, one, a2, b2, c2};
    for (int i = 0; i < 6; i++)
        test_free(all[i]);
}
END_TEST

/* Bit by bit, as the polynomial has it; "123456789" gives cbf43926. */
static uint32_t crc_of(const unsigned char *bytes, size_t size)
{
    uint32_t x = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        x ^= bytes[i];
        for (int k = 0; k < 8; k++)
            x = x & 1 ? x >> 1 ^ 0xedb88320 : x >> 1;
    }
    return ~x;
}

START_TEST(check_sums)
{
    enum { SIZE = 1001 };
    unsigned char bytes[SIZE + 1000];
    const size_t part = SIZE, none = 0;
    ng_tensors_writer *w;
    ng_tensors *r;
    uint32_t written, found;
    ck_assert_uint_eq(crc_of((const unsigned char *)"123456789", 9), 0xcbf43926);
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "a", NG_TENSOR_U8, &part, 1, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "end", NG_TENSOR_U8, &none, 1, &err), &err);
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * i);
    for (size_t at = 0, n = 1; at < SIZE; at += n, n = at + n + 3 < SIZE ? n + 3 : SIZE - at)
        ng_assert_ok(ng_tensors_writer_write(w, bytes + at, n, &err), &err);
    ng_assert_ok(ng_tensors_writer_crc(w, &written, &err), &err);
    ng_assert_ok(ng_tensors_writer_commit(w, &err), &err);
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    ck_assert_uint_eq(written, crc_of(bytes, size));
    ng_assert_ok(ng_tensors_open(&r, path, &err), &err);
    ng_assert_ok(ng_tensors_crc(r, &found, ng_tensors_find(r, "end"), &err), &err);
    ck_assert_uint_eq(found, written);
    ng_assert_ok(ng_tensors_crc(r, &found, ng_tensors_find(r, "a"), &err), &err);
    ck_assert_uint_eq(found, crc_of(bytes, size - SIZE));
    ng_assert_fails(ng_tensors_crc(r, &found, NULL, &err), NG_EARG, &err, "tensor");
    ng_assert_fails(ng_tensors_writer_crc(NULL, &found, &err), NG_EARG, &err, "writer");
    ng_tensors_close(r);
}
END_TEST

/* ---- Little memory, little time -------------------------------------------------------------- */

static long peak(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss; /* kilobytes */
}

/* In a process of its own: pieces of 64 KB of a tensor of 500 MB (a hole on the disk) and of one of
 * 40 MB that is written, in 8 MB of memory. */
START_TEST(little_memory)
{
    const size_t size = 500000000, written = 40000000, piece = 65536;
    char header[100], *bytes = calloc(1, piece);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child != 0) {
        int status;
        free(bytes);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        return;
    }
    ng_tensors *r;
    ng_tensors_writer *w;
    long before = peak();
    snprintf(header, sizeof header,
             "{\"a\":{\"dtype\":\"U8\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}", size, size);
    write_header(header, 1);
    if (truncate(path, (off_t)(8 + strlen(header) + size)) != 0 ||
        ng_tensors_open(&r, path, NULL) != NG_OK)
        _exit(1);
    for (size_t at = 0; at < size; at += piece)
        if (ng_tensors_read(r, bytes, ng_tensors_find(r, "a"), at,
                            at + piece < size ? piece : size - at, NULL) != NG_OK)
            _exit(2);
    ng_tensors_close(r);
    if (ng_tensors_writer_create(&w, path, NULL) != NG_OK ||
        ng_tensors_writer_add(w, "a", NG_TENSOR_U8, &written, 1, NULL) != NG_OK)
        _exit(3);
    for (size_t at = 0; at < written; at += piece)
        if (ng_tensors_writer_write(w, bytes, at + piece < written ? piece : written - at, NULL) !=
            NG_OK)
            _exit(4);
    _exit(ng_tensors_writer_commit(w, NULL) != NG_OK || peak() - before > 8000);
}
END_TEST

/* Quadratic look-ups would take many seconds. */
START_TEST(many_tensors)
{
    enum { MANY = 300000 };
    ng_tensors_writer *w;
    ng_tensors *r;
    char name[64];
    const size_t none = 0;
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    for (int i = 0; i < MANY; i++) {
        sprintf(name, "a name that begins like all the others %d", i);
        ck_assert_int_eq(ng_tensors_writer_add(w, name, NG_TENSOR_F32, &none, 1, NULL), NG_OK);
    }
    ng_assert_ok(ng_tensors_writer_commit(w, &err), &err);
    clock_t begun = clock();
    ng_assert_ok(ng_tensors_open(&r, path, &err), &err);
    for (int i = 0; i < MANY; i++) {
        sprintf(name, "a name that begins like all the others %d", i);
        if (ng_tensors_find(r, name) == NULL)
            ck_abort_msg("no tensor %d", i);
    }
    double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
    ng_tensors_close(r);
    fprintf(stderr, "%d empty tensors opened and found in %.2f s\n", MANY, seconds);
    ng_assert_le(seconds, 3); /* 0.3 without sanitizers */
}
END_TEST

START_TEST(memory_fails)
{
    const size_t shape[2] = {2, 3};
    double x[6] = {1, 2, 3, 4, 5, 6};
    for (long at = 0, done = 0; !done; at++) {
        ng_tensors_writer *w = NULL;
        ng_tensors *r = NULL;
        fault_once(FAULT_MEMORY, at + 1, FAIL);
        ng_status status = ng_tensors_writer_create(&w, path, NULL);
        if (status == NG_OK &&
            (status = ng_tensors_writer_add(w, "x", NG_TENSOR_F64, shape, 2, NULL)) == NG_OK)
            status = ng_tensors_writer_add_text(w, "k", "t", NULL);
        if (status == NG_OK)
            status = ng_tensors_writer_write_mat(w, ng_f64(x, 2, 3), NULL);
        if (status == NG_OK) {
            status = ng_tensors_writer_commit(w, NULL);
            w = NULL;
        }
        if (status == NG_OK)
            status = ng_tensors_open(&r, path, NULL);
        done = fault_over() <= at;
        ck_assert_int_eq(status, done ? NG_OK : NG_ENOMEM);
        ng_tensors_writer_discard(w);
        ng_tensors_close(r);
        if (done)
            ck_assert_int_gt(at, 15);
    }
}
END_TEST

/* Numbers of sixteen bits: as they are, and widened, into strided views; more than one piece of
 * them. */
START_TEST(sixteen_bits)
{
    enum { ROWS = 2, COLS = 2500, STRIDE = 2503 };
    const ng_dtype dtype = _i ? NG_BF16 : NG_F16;
    const size_t shape[2] = {ROWS, COLS};
    uint16_t *bits = calloc(ROWS * STRIDE, 8), *back = calloc(ROWS * STRIDE, 8);
    float *wide = calloc(ROWS * STRIDE, 8);
    ng_mat half = {bits, ROWS, COLS, STRIDE, dtype}, again = {back, ROWS, COLS, STRIDE, dtype};
    ng_mat other = {back, ROWS, COLS, STRIDE, _i ? NG_F16 : NG_BF16};
    ng_tensors_writer *w;
    ng_tensors *r;
    for (size_t i = 0; i < ROWS * STRIDE; i++)
        bits[i] = i % STRIDE < COLS ? ng_half_bits(dtype, (double)i / 7) : 0;
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "a", ng_tensor_dtype_of(dtype), shape, 2, &err), &err);
    ng_assert_fails(ng_tensors_writer_write_mat(w, other, &err), NG_EDTYPE, &err,
                    _i ? "to be BF16" : "to be F16");
    ng_assert_ok(ng_tensors_writer_write_mat(w, half, &err), &err);
    ng_assert_ok(ng_tensors_writer_commit(w, &err), &err);
    ng_assert_ok(ng_tensors_open(&r, path, &err), &err);
    const ng_tensor *t = ng_tensors_get(r, 0);
    ck_assert_uint_eq(t->bytes, 2 * ROWS * COLS);
    ng_assert_ok(ng_tensors_read_mat(r, again, t, &err), &err);
    ck_assert(memcmp(bits, back, 2 * ROWS * STRIDE) == 0);
    ng_assert_ok(ng_tensors_read_mat(r, ng_f32_strided(wide, ROWS, COLS, STRIDE), t, &err), &err);
    for (size_t i = 0; i < ROWS * STRIDE; i++)
        ck_assert((double)wide[i] == ng_half_value(dtype, bits[i]));
    ng_assert_fails(ng_tensors_read_mat(r, other, t, &err), NG_EDTYPE, &err, "in the file");
    ng_assert_fails(ng_tensors_read_mat(r, ng_f64((double *)(void *)wide, ROWS, COLS), t, &err),
                    NG_EDTYPE, &err, "F64 here");
    ng_assert_fails(ng_tensors_read_mat(r, ng_f32(wide, 1, COLS), t, &err), NG_ESHAPE, &err,
                    "[2, 2500]");
    ng_tensors_close(r);
    free(bits), free(back), free(wide);
}
END_TEST

TEST_SUITE(tensors)
{
    TCase *tcase = tcase_create("tensors");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, types_have_names);
    tcase_add_test(tcase, every_type_and_rank);
    tcase_add_loop_test(tcase, views, 0, 2);
    tcase_add_loop_test(tcase, sixteen_bits, 0, 2);
    tcase_add_test(tcase, check_sums);
    tcase_add_test(tcase, little_memory);
    tcase_add_test(tcase, many_tensors);
    tcase_add_test(tcase, memory_fails);
    suite_add_tcase(suite, tcase);
}
