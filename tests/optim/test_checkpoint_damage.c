/* Files that are damaged, writing that fails: the old checkpoint or the new one,
 * and an optimizer that has not changed. */
#include "tests/optim/checkpoint_world.h"

#include <errno.h>
#include <sys/stat.h>

#include <jansson.h>

/* ---- Files that are damaged ---------------------------------------------------------------------
 */

typedef struct {
    unsigned char *bytes;
    size_t size, header;
} blob;

static blob read_blob(void)
{
    blob b = {malloc(1 << 20), 0, 0};
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    b.size = fread(b.bytes, 1, 1 << 20, f);
    fclose(f);
    for (int i = 0; i < 8; i++)
        b.header |= (size_t)b.bytes[i] << 8 * i;
    return b;
}

static void write_blob(const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static world t; /* sgd and adamw, small */

static void open_world(void)
{
    /* thousands of files: in memory where there is such a folder */
    open_files_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    world_open(&t, 0, 2, NG_F32, 0, 1);
    world_step(&t, 0);
    save(&t, 0);
    world_step(&t, 1);
}

static void close_world(void)
{
    fault_over();
    world_close(&t);
    close_files();
}

/* A load that may be refused, and then changes nothing; its status. */
static ng_status try_load(snapshot before)
{
    ng_status status = load(&t, 0);
    snapshot now = world_snapshot(&t);
    if (status != NG_OK)
        ck_assert(now.size == before.size && memcmp(now.bytes, before.bytes, now.size) == 0);
    free(now.bytes);
    return status;
}

START_TEST(cut_short_anywhere)
{
    blob b = read_blob();
    snapshot before = world_snapshot(&t);
    for (size_t size = 0; size < b.size; size++) {
        write_blob(b.bytes, size);
        ck_assert_msg(try_load(before) == NG_EFORMAT, "%zu bytes", size);
    }
    b.bytes[b.size] = 0;
    write_blob(b.bytes, b.size + 1);
    ck_assert_int_eq(try_load(before), NG_EFORMAT);
    free(b.bytes);
    free(before.bytes);
}
END_TEST

/* Every byte of the file with another bit; only what merely informs may pass. */
START_TEST(changed_anywhere)
{
    static const unsigned char masks[] = {1, 0x10, 0x80};
    blob b = read_blob();
    snapshot before = world_snapshot(&t);
    size_t passed = 0;
    for (size_t i = 0; i < b.size; i++)
        for (size_t k = 0; k < sizeof masks; k++) {
            b.bytes[i] ^= masks[k];
            write_blob(b.bytes, b.size);
            if (try_load(before) == NG_OK) {
                snapshot now = world_snapshot(&t);
                free(before.bytes);
                before = now;
                passed++;
            }
            b.bytes[i] ^= masks[k];
        }
    ck_assert_uint_le(passed, 2 * strlen(ng_version())); /* "library" informs; 0x80 is no UTF-8 */
    free(b.bytes);
    free(before.bytes);
}
END_TEST

/* The first `from` of the header becomes `to`. */
static void edit(const blob *b, const char *from, const char *to)
{
    size_t length = strlen(from), more = strlen(to), at = 8;
    while (at + length <= 8 + b->header && memcmp(b->bytes + at, from, length) != 0)
        at++;
    ck_assert_msg(at + length <= 8 + b->header, "no %s in the header", from);
    unsigned char *edited = malloc(b->size + more);
    size_t size = b->header - length + more;
    for (int i = 0; i < 8; i++)
        edited[i] = (unsigned char)(size >> 8 * i);
    memcpy(edited + 8, b->bytes + 8, at - 8);
    memcpy(edited + at, to, more);
    memcpy(edited + at + more, b->bytes + at + length, b->size - at - length);
    write_blob(edited, b->size - length + more);
    free(edited);
}

static void hear(const char *text, void *data)
{
    strcpy(data, text);
}

START_TEST(edited)
{
    /* counts: 2 + 2 groups of 2 + 4 parameters of 2 = 14 doubles, the first tensor */
    static const struct {
        const char *from, *to;
        ng_status status;
        const char *culprit;
    } edits[] = {
        {"[0,112]", "[0,120]", NG_EFORMAT, "fit its shape"},
        {"[0,112]", "[8,120]", NG_EFORMAT, ""},
        {"[0,112]", "[-8,104]", NG_EFORMAT, "ascending"},
        {"[0,112]", "[112,0]", NG_EFORMAT, "ascending"},
        {"[0,112]", "[0,99999999999999999999]", NG_EFORMAT, ""},
        {"[0,112]", "[0,1e2]", NG_EFORMAT, ""},
        {"[0,112]", "[NaN,112]", NG_EFORMAT, "JSON"},
        {"[0,112]", "[0,112,112]", NG_EFORMAT, "offsets"},
        {"[112,208]", "[104,200]", NG_EFORMAT, "overlaps"},
        {"[112,208]", "[116,212]", NG_EFORMAT, "hole"},
        {"[14]", "[13]", NG_EFORMAT, "fit its shape"},
        {"[14]", "[14.0]", NG_EFORMAT, "shape"},
        {"[14]", "[]", NG_EFORMAT, "shape"},
        {"[14]", "[1,14,1]", NG_EFORMAT, "shape"},
        {"[14]", "[1,14]", NG_EFORMAT, "type"},
        {"[14]", "[4611686018427387904,4611686018427387904]", NG_EFORMAT, "fit its shape"},
        {"\"F64\"", "\"I64\"", NG_EFORMAT, "dtype"},
        {"\"F64\"", "64", NG_EFORMAT, "dtype"},
        {"[4,6]", "[6,4]", NG_ESHAPE, "6 x 4 in the checkpoint, 4 x 6 here"},
        {"\"counts\"", "\"Counts\"", NG_ENODATA, "counts"},
        {"/momentum\"", "/impulse\"", NG_ENODATA, "momentum"},
        {"\"counts\":", "\"counts\":{},\"counts\":", NG_EFORMAT, "JSON"},
        {"\"counts\":",
         "\"extra\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"counts\":", NG_EARG,
         "extra"},
        {"\"natgrad_format\":\"1\"", "\"natgrad_format\":\"2\"", NG_EFORMAT, "natgrad_format"},
        {"\"natgrad_format\":\"1\",", "", NG_EFORMAT, "no checkpoint of natgrad"},
        {"\"eigenvectors\":\"rows\"", "\"eigenvectors\":\"columns\"", NG_EFORMAT, "eigenvectors"},
        {"{", "[", NG_EFORMAT, "JSON"},
        {"{", " {", NG_EFORMAT, "JSON"},
        {"\\\"nesterov\\\":\\\"yes\\\"", "\\\"nesterov\\\":\\\"no\\\"", NG_EFORMAT, "damaged"},
    };
    blob b = read_blob();
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        edit(&b, edits[i].from, edits[i].to);
        refused(&t, edits[i].status, edits[i].culprit);
    }
    char heard[256] = "", old[64];
    sprintf(old, "\"library\":\"%s\"", ng_version());
    ng_assert_ok(ng_optimizer_set_message(t.opt, hear, heard), NULL);
    edit(&b, old, "\"library\":\"0.0.9\"");
    ng_assert_ok(load(&t, 0), NULL);
    ck_assert_msg(strstr(heard, "0.0.9") != NULL, "heard \"%s\"", heard);
    heard[0] = '\0';
    edit(&b, "]", "]"); /* the tool itself does no harm */
    ng_assert_ok(load(&t, 0), NULL);
    ck_assert_str_eq(heard, "");
    memset(b.bytes, 0xff, 8);
    write_blob(b.bytes, b.size);
    refused(&t, NG_EFORMAT, "header of 18446744073709551615");
    free(b.bytes);
}
END_TEST

START_TEST(no_file)
{
    unlink(path);
    refused(&t, NG_EIO, "last.safetensors");
    ck_assert_int_eq(mkdir(path, 0777), 0);
    refused(&t, NG_EIO, "not a file");
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, NULL), NG_EIO); /* onto a folder */
    ck_assert_int_ne(access(temporary, F_OK), 0);
    rmdir(path);
    ck_assert_int_eq(ng_optimizer_save(t.opt, "/nowhere/at/all", NULL), NG_EIO);
    ck_assert(strstr(ng_optimizer_error(t.opt), "/nowhere/at/all") != NULL);
}
END_TEST

/* ---- Writing that fails
 * --------------------------------------------------------------------------- */

START_TEST(writing_fails)
{
    static const struct {
        int set;
        const char *culprit;
    } faults[] = {{FAULT_WRITE, "No space"}, {FAULT_FSYNC, "write"}, {FAULT_RENAME, "rename"}};
    blob b = read_blob();
    for (size_t i = 0; i < 3; i++) {
        fault_once(faults[i].set, 1, FAIL), fault_errno = ENOSPC;
        ng_status status = ng_optimizer_save(t.opt, path, NULL);
        fault_over();
        ck_assert_int_eq(status, NG_EIO);
        ck_assert_msg(strstr(ng_optimizer_error(t.opt), faults[i].culprit) != NULL, "%s",
                      ng_optimizer_error(t.opt));
        ck_assert_int_ne(access(temporary, F_OK), 0);
        blob now = read_blob();
        ck_assert(now.size == b.size && memcmp(now.bytes, b.bytes, b.size) == 0);
        free(now.bytes);
    }
    free(b.bytes);
    fault_once(FAULT_WRITE, 1, FAIL), fault_errno = EINTR; /* not an error */
    save(&t, 0);
    fault_from(FAULT_WRITE, 1, CUT);
    save(&t, 0);
    fault_over();
    ck_assert_int_eq(try_load((snapshot){NULL, 0}), NG_OK);
    fault_once(FAULT_FSYNC, 2, FAIL); /* the folder: the file is the new one, and the caller told */
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, NULL), NG_EIO);
    fault_over();
    ck_assert(strstr(ng_optimizer_error(t.opt), "folder") != NULL);
    ng_assert_ok(load(&t, 0), NULL);
}
END_TEST

void *__real_malloc(size_t size); /* never fails */

/* jansson's allocations are not wrapped. They fail in saving; its parser (2.14) aborts by an
 * assertion of its own when it lacks memory inside a string. */
START_TEST(memory_fails)
{
    int failures = 0;
    for (int loading = 0; loading < 2; loading++) {
        ng_status status;
        json_set_alloc_funcs(loading ? __real_malloc : malloc, free);
        save(&t, 0);
        for (int at = 1, reached = 1; reached; at++, failures++) {
            snapshot before = world_snapshot(&t);
            fault_once(FAULT_MEMORY, at, FAIL);
            status = loading ? load(&t, 0) : ng_optimizer_save(t.opt, path, NULL);
            reached = fault_over() >= at;
            ck_assert_msg(status == (reached ? NG_ENOMEM : NG_OK), "allocation %d: %s (%s)", at,
                          ng_status_name(status), ng_optimizer_error(t.opt));
            ck_assert(world_is(&t, before));
            ck_assert_int_ne(access(temporary, F_OK), 0);
        }
    }
    ck_assert_int_gt(failures, 50);
}
END_TEST

TEST_SUITE(checkpoint_damage)
{
    TCase *tcase = tcase_create("damage");
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, cut_short_anywhere);
    tcase_add_test(tcase, changed_anywhere);
    tcase_add_test(tcase, edited);
    tcase_add_test(tcase, no_file);
    tcase_add_test(tcase, writing_fails);
    tcase_add_test(tcase, memory_fails);
    suite_add_tcase(suite, tcase);
}
