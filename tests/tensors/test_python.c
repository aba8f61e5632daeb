/* What is written is what a reader of Python's standard library finds, and what a writer of it
 * wrote is read. */
#include "tests/tensors/files.h"

static const char reads[] =
    "import json, struct, sys\n"
    "blob = open(sys.argv[1], 'rb').read()\n"
    "n, = struct.unpack('<Q', blob[:8])\n"
    "assert blob[8:9] == b'{' and n % 8 == 0\n"
    "head, data = json.loads(blob[8:8 + n].decode()), blob[8 + n:]\n"
    "assert head.pop('__metadata__') == {'k\\u00e9y \"\\\\': 'line\\n\\x01'}\n"
    "assert list(head) == ['w', '\\u03b1', 'bits'], list(head)\n"
    "assert head['w'] == {'dtype': 'F64', 'shape': [2, 3], 'data_offsets': [0, 48]}\n"
    "assert struct.unpack('<6d', data[:48]) == (1, 2, 3, 4, 5, 6)\n"
    "assert head['\\u03b1'] == {'dtype': 'I16', 'shape': [], 'data_offsets': [48, 50]}\n"
    "assert struct.unpack('<h', data[48:50]) == (-2,)\n"
    "assert head['bits'] == {'dtype': 'BOOL', 'shape': [1, 2, 0], 'data_offsets': [50, 50]}\n"
    "assert len(data) == 50\n";

static const char writes[] =
    "import json, struct, sys\n"
    "head = {'b': {'dtype': 'F32', 'shape': [3], 'data_offsets': [16, 28]},\n"
    "        '__metadata__': {'format': 'pt', '\\u00e9\\U0001f600/\\t': 'x'},\n"
    "        'w\\u03b1': {'shape': [1, 2], 'data_offsets': [0, 16], 'dtype': 'F64'}}\n"
    "for ascii, indent in ((True, None), (False, 1)):\n"
    "    text = json.dumps(head, ensure_ascii=ascii, indent=indent).encode()\n"
    "    open(sys.argv[1 + ascii], 'wb').write(struct.pack('<Q', len(text)) + text\n"
    "         + struct.pack('<2d3f', 0.1, -2, 1, 2, 0.5))\n";

static void run_python(const char *program, const char *more)
{
    char command[400], script[100];
    sprintf(script, "%s/p.py", folder);
    FILE *f = fopen(script, "w");
    ck_assert_ptr_nonnull(f);
    fputs(program, f);
    fclose(f);
    sprintf(command, "python3 %s %s %s", script, path, more);
    ck_assert_int_eq(system(command), 0);
    unlink(script);
}

static int have_python(const char *test)
{
    if (system("python3 -c pass 2>/dev/null") == 0)
        return 1;
    fprintf(stderr, "%s: skipped, no python3\n", test);
    return 0;
}

START_TEST(python_reads)
{
    ng_tensors_writer *w;
    double x[8] = {1, 2, 3, 0, 4, 5, 6, 0};
    const short minus_two = -2;
    if (!have_python("python_reads"))
        return;
    ng_assert_ok(ng_tensors_writer_create(&w, path, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "w", NG_TENSOR_F64, (size_t[]){2, 3}, 2, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "\xce\xb1", NG_TENSOR_I16, NULL, 0, &err), &err);
    ng_assert_ok(ng_tensors_writer_add(w, "bits", NG_TENSOR_BOOL, (size_t[]){1, 2, 0}, 3, &err),
                 &err);
    ng_assert_ok(ng_tensors_writer_add_text(w, "k\xc3\xa9y \"\\", "line\n\x01", &err), &err);
    ng_assert_ok(ng_tensors_writer_write_mat(w, ng_f64_strided(x, 2, 3, 4), &err), &err);
    ng_assert_ok(ng_tensors_writer_write(w, &minus_two, 2, &err), &err);
    ng_assert_ok(ng_tensors_writer_commit(w, &err), &err);
    run_python(reads, "");
}
END_TEST

START_TEST(python_writes)
{
    char other[100];
    double a[2];
    float b[3];
    if (!have_python("python_writes"))
        return;
    sprintf(other, "%s/b", folder);
    run_python(writes, other);
    for (int i = 0; i < 2; i++) {
        ng_tensors *r;
        ng_assert_ok(ng_tensors_open(&r, i ? other : path, &err), &err);
        ck_assert_uint_eq(ng_tensors_count(r), 2);
        ck_assert_str_eq(ng_tensors_text(r, "\xc3\xa9\xf0\x9f\x98\x80/\t"), "x");
        ng_assert_ok(ng_tensors_read_mat(r, ng_f64(a, 1, 2), ng_tensors_get(r, 0), &err), &err);
        ng_assert_ok(ng_tensors_read_mat(r, ng_f32(b, 1, 3), ng_tensors_find(r, "b"), &err), &err);
        ck_assert(a[0] == 0.1 && a[1] == -2 && b[0] == 1 && b[1] == 2 && b[2] == 0.5F);
        ck_assert_str_eq(ng_tensors_get(r, 0)->name, "w\xce\xb1");
        ng_tensors_close(r);
    }
    unlink(other);
}
END_TEST

TEST_SUITE(python)
{
    TCase *tcase = tcase_create("python");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, python_reads);
    tcase_add_test(tcase, python_writes);
    suite_add_tcase(suite, tcase);
}
