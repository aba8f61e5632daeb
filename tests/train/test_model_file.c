/* Models in files: what comes back is what was saved, to the bit, in another process too. */
#define _POSIX_C_SOURCE 200809L
#include "tests/train/model_files.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static ng_error err;
static ng_model *model, *loaded;
static ng_schema *schema;

static size_t read_file(char *out, size_t room, const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(out, 1, room, file);
    ck_assert(size < room && fclose(file) == 0);
    return size;
}

/* schema <- that of a table with so many features, a column of words among them; of three
 * classes, or of one target. */
static void learn(size_t features, int regression)
{
    char text[512] = "";
    ng_dataset_options options;
    ng_dataset *data;
    ng_dataset_init(&options);
    if (regression)
        options.task = NG_TASK_REGRESSION;
    for (int row = 0; row < 3; row++) {
        char *at = text + strlen(text);
        for (size_t j = 0; j + 2 < features; j++)
            at += sprintf(at, "%d,", (int)(j + 1) * row * row - 1);
        sprintf(at, "%s,%s\n", row == 0 ? "ro t" : "bl%au",
                regression ? (row == 0 ? "1.5" : "-2")
                           : (row == 0   ? "yes"
                              : row == 1 ? "n\xc3\xb6"
                                         : "a b"));
    }
    char source[600];
    snprintf(source, sizeof source, "csv:%s", files_text("learn.csv", text));
    ng_assert_ok(ng_dataset_open(&data, source, &options, &err), &err);
    ck_assert_uint_eq(ng_dataset_features(data), features);
    schema = ng_schema_share(ng_dataset_schema(data));
    ng_dataset_destroy(data);
}

/* The same options too: saved again it is the same file. */
START_TEST(comes_back)
{
    static char one[1 << 16], two[1 << 16];
    const char *path = files_path("a.safetensors"), *again = files_path("b.safetensors");
    model = small_model(_i);
    ng_assert_ok(ng_model_save(model, NULL, path, NULL, &err), &err);
    schema = (ng_schema *)&err; /* must go */
    ng_assert_ok(ng_model_load(&loaded, &schema, NULL, path, NULL, &err), &err);
    ck_assert_ptr_null(schema);
    assert_same(model, loaded);
    ng_assert_ok(ng_model_save(loaded, NULL, again, NULL, &err), &err);
    size_t size = read_file(one, sizeof one, path);
    ck_assert_uint_eq(read_file(two, sizeof two, again), size);
    ck_assert_int_eq(memcmp(one, two, size), 0);
    ng_model_destroy(model);
    ng_model_destroy(loaded);
}
END_TEST

/* A child loads and tells its logits through a pipe. */
START_TEST(in_another_process)
{
    const char *path = files_path("a.safetensors");
    int ends[2];
    model = small_model(_i);
    ng_assert_ok(ng_model_save(model, NULL, path, NULL, &err), &err);
    ng_mat z = small_logits(model);
    size_t bytes = z.rows * z.cols * ng_dtype_size(z.dtype), have = 0;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        ng_model *mine = NULL;
        if (ng_model_load(&mine, NULL, NULL, path, NULL, NULL) != NG_OK)
            _exit(1);
        ng_mat same = small_logits(mine);
        _exit(write(ends[1], same.data, bytes) != (ssize_t)bytes);
    }
    close(ends[1]);
    char *got = malloc(bytes + 1);
    for (ssize_t n; have < bytes && (n = read(ends[0], got + have, bytes - have)) > 0;)
        have += (size_t)n;
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(have, bytes);
    ck_assert_int_eq(memcmp(got, z.data, bytes), 0);
    close(ends[0]);
    free(got);
    test_free(z);
    ng_model_destroy(model);
}
END_TEST

START_TEST(with_its_schema)
{
    char one[2048], two[2048];
    const char *path = files_path("a.safetensors");
    learn(4, _i);
    model = small_model(_i == 0 ? 0 : 4); /* softmax of three; squared, one output */
    ng_assert_ok(ng_model_save(model, schema, path, NULL, &err), &err);
    size_t length = ng_schema_write(schema, one, sizeof one);
    ng_schema_destroy(schema);
    ng_assert_ok(ng_model_load(&loaded, &schema, NULL, path, NULL, &err), &err);
    ck_assert_uint_eq(ng_schema_write(schema, two, sizeof two), length);
    ck_assert_str_eq(one, two);
    ng_schema_destroy(schema);
    ng_model_destroy(loaded);
    ng_assert_ok(ng_model_load(&loaded, NULL, NULL, path, NULL, &err), &err); /* not wanted */
    ng_model_destroy(loaded);
    ng_model_destroy(model);
}
END_TEST

START_TEST(of_another_schema)
{
    const char *path = files_path("a.safetensors");
    model = small_model(0);
    learn(5, 0);
    ng_assert_fails(ng_model_save(model, schema, path, NULL, &err), NG_ESHAPE, &err,
                    "5 features, the model 4 inputs");
    ng_schema_destroy(schema);
    learn(4, 1);
    ng_assert_fails(ng_model_save(model, schema, path, NULL, &err), NG_ESHAPE, &err,
                    "0 classes, the model 3");
    ng_model_destroy(model);
    model = small_model(2); /* two outputs */
    ng_assert_fails(ng_model_save(model, schema, path, NULL, &err), NG_ESHAPE, &err,
                    "1 targets, the model 2 outputs");
    ng_schema_destroy(schema);
    ng_model_destroy(model);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* By Python's standard library alone: what the header of this library's file promises. */
static const char reads[] =
    "import json, struct, sys, zlib\n"
    "data = open(sys.argv[1], 'rb').read()\n"
    "n, = struct.unpack('<Q', data[:8])\n"
    "head = json.loads(data[8:8 + n])\n"
    "meta = head.pop('__metadata__')\n"
    "assert meta['natgrad_model'] == '1' and meta['kind'] == 'mlp' and meta['dtype'] == 'f32'\n"
    "assert meta['option.inputs'] == '4' and meta['option.widths'] == '5 3'\n"
    "assert meta['option.activation'] == 'relu' and meta['option.loss'] == 'softmax'\n"
    "lines = meta['schema'].splitlines()\n"
    "assert lines[0] == 'natgrad schema 1' and 'scale standard' in lines\n"
    "assert [l for l in lines if l.startswith('label ')] == "
    "['label a%20b', 'label n%c3%b6', 'label yes']\n"
    "assert sum(l.startswith('column number ') for l in lines) == 2\n"
    "shapes = {k: v['shape'] for k, v in head.items()}\n"
    "assert shapes == {'fc1.weight': [5, 4], 'fc1.bias': [5], 'fc2.weight': [3, 5],\n"
    "                  'fc2.bias': [3], 'crc32': [4]}, shapes\n"
    "begin, end = head['fc2.weight']['data_offsets']\n"
    "w = struct.unpack('<15f', data[8 + n + begin:8 + n + end])\n"
    "assert w[7] == float(sys.argv[2]), (w[7], sys.argv[2])\n"
    "assert struct.unpack('<I', data[-4:])[0] == zlib.crc32(data[:-4])\n";

START_TEST(python_reads)
{
    char command[2048];
    const char *path = files_path("a.safetensors"), *script = files_text("reads.py", reads);
    if (system("python3 -c pass 2>/dev/null") != 0) {
        fprintf(stderr, "python_reads: skipped, no python3\n");
        return;
    }
    learn(4, 0);
    model = small_model(0);
    ng_assert_ok(ng_model_save(model, schema, path, NULL, &err), &err);
    snprintf(command, sizeof command, "python3 %s %s %.17g", script, path,
             ng_mat_get(model_param(model, 2).w, 1, 2));
    ck_assert_int_eq(system(command), 0);
    ng_schema_destroy(schema);
    ng_model_destroy(model);
}
END_TEST

/* ---- Arguments, room ------------------------------------------------------------------- */

START_TEST(room_and_batch)
{
    const char *path = files_path("a.safetensors");
    ng_model_load_options o;
    model = small_model(_i);
    ng_assert_ok(ng_model_save(model, NULL, path, NULL, &err), &err);
    ck_assert_int_eq(ng_model_load_init_sized(&o, sizeof o - 1), NG_EOPTION);
    ng_assert_ok(ng_model_load_init(&o), NULL);
    o.max_batch = 2;
    ng_assert_ok(ng_model_load(&loaded, NULL, NULL, path, &o, &err), &err);
    ck_assert_uint_eq(ng_model_input(loaded, 2).rows, 2);
    ck_assert_uint_eq(ng_model_input(loaded, 3).rows, 0);
    assert_same(model, loaded);
    ng_model_destroy(loaded);
    o.room = 100;
    loaded = (ng_model *)&err; /* must go */
    ng_assert_fails(ng_model_load(&loaded, NULL, NULL, path, &o, &err), NG_ERANGE, &err,
                    "the 100 of room");
    ck_assert_ptr_null(loaded);
    o.max_batch = (size_t)1 << 40;
    ng_assert_fails(ng_model_load(&loaded, NULL, NULL, path, &o, &err), NG_EOPTION, &err,
                    "max_batch");
    o.size = 3;
    ng_assert_fails(ng_model_load(&loaded, NULL, NULL, path, &o, &err), NG_EOPTION, &err, "size");
    ng_model_destroy(model);
}
END_TEST

START_TEST(arguments)
{
    const char *path = files_path("nowhere/a");
    model = small_model(0);
    ng_assert_fails(ng_model_save(NULL, NULL, path, NULL, &err), NG_EARG, &err, "model");
    ng_assert_fails(ng_model_save(model, NULL, NULL, NULL, &err), NG_EARG, &err, "path");
    ng_assert_fails(ng_model_save(model, NULL, path, NULL, &err), NG_EIO, &err, path);
    ng_assert_fails(ng_model_load(NULL, NULL, NULL, path, NULL, &err), NG_EARG, &err, "model");
    ng_assert_fails(ng_model_load(&loaded, NULL, NULL, NULL, NULL, &err), NG_EARG, &err, "path");
    ng_assert_fails(ng_model_load(&loaded, NULL, NULL, path, NULL, &err), NG_EIO, &err, path);
    ck_assert_int_eq(ng_model_load(&loaded, NULL, NULL, path, NULL, NULL), NG_EIO);
    ng_mat_set(model_param(model, 2).w, 1, 2, -INFINITY);
    ng_assert_fails(ng_model_save(model, NULL, files_path("a"), NULL, &err), NG_ENONFINITE, &err,
                    "fc2.weight");
    ng_model_destroy(model);
}
END_TEST

/* ---- What fails on the way ---------------------------------------------------------------- */

/* A call of the set fails, one after the other: the old file stays, nothing else is left. */
static void survives(int set)
{
    static char old[1 << 16], now[1 << 16];
    const char *path = files_path("a.safetensors");
    model = small_model(0);
    learn(4, 0);
    ng_assert_ok(ng_model_save(model, schema, path, NULL, &err), &err);
    size_t size = read_file(old, sizeof old, path);
    ng_mat_set(model_param(model, 0).w, 0, 0, 77);
    ng_status status = NG_ENOMEM;
    for (long k = 1; status != NG_OK; k++) {
        fault_once(set, k, FAIL);
        status = ng_model_save(model, schema, path, NULL, &err);
        fault_over();
        if (status == NG_OK)
            ck_assert_int_gt(k, 1); /* something was made to fail */
        size_t bytes = read_file(now, sizeof now, path);
        ck_assert_int_eq(bytes == size && memcmp(old, now, size) == 0, status != NG_OK);
    }
    ng_schema_destroy(schema);
    ng_model_destroy(model);
}

START_TEST(save_survives_memory)
{
    survives(FAULT_MEMORY);
}
END_TEST

START_TEST(save_survives_writing)
{
    survives(FAULT_WRITE);
}
END_TEST

START_TEST(load_survives)
{
    const char *path = files_path("a.safetensors");
    model = small_model(_i);
    learn(4, 0);
    ng_assert_ok(ng_model_save(model, _i == 0 ? schema : NULL, path, NULL, &err), &err);
    ng_schema_destroy(schema);
    ng_status status = NG_ENOMEM;
    for (long k = 1; status != NG_OK; k++) {
        ng_tensors *file = (ng_tensors *)&err;
        loaded = (ng_model *)&err;
        schema = (ng_schema *)&err;
        fault_once(FAULT_MEMORY, k, FAIL);
        status = ng_model_load(&loaded, &schema, &file, path, NULL, &err);
        fault_over();
        ck_assert((status == NG_OK) == (loaded != NULL && file != NULL));
        if (status != NG_OK)
            ck_assert(status == NG_ENOMEM && schema == NULL && loaded == NULL);
        ck_assert(status != NG_OK || k > 10);
        ng_tensors_close(file);
    }
    ng_schema_destroy(schema);
    ng_model_destroy(loaded);
    ng_model_destroy(model);
}
END_TEST

TEST_SUITE(model_file)
{
    TCase *tcase = tcase_create("model_file");
    tcase_add_checked_fixture(tcase, files_setup, files_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, comes_back, 0, SMALL_MODELS);
    tcase_add_loop_test(tcase, in_another_process, 0, SMALL_MODELS);
    tcase_add_loop_test(tcase, with_its_schema, 0, 2);
    tcase_add_test(tcase, of_another_schema);
    tcase_add_test(tcase, python_reads);
    tcase_add_loop_test(tcase, room_and_batch, 0, SMALL_MODELS);
    tcase_add_test(tcase, arguments);
    tcase_add_test(tcase, save_survives_memory);
    tcase_add_test(tcase, save_survives_writing);
    tcase_add_loop_test(tcase, load_survives, 0, SMALL_MODELS);
    suite_add_tcase(suite, tcase);
}
