/* Files that are damaged, writing that fails: the old checkpoint or the new one,
 * and an optimizer that has not changed. */
#include "tests/optim/damage_world.h"

#include <errno.h>
#include <sys/stat.h>

/* ---- Files that are damaged ------------------------------------------------------------------ */

static world t; /* sgd and adamw, small */

static void open_world(void)
{
    open_many_files();
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

/* Every byte of the file with another bit: none passes. */
START_TEST(changed_anywhere)
{
    static const unsigned char masks[] = {1, 0x10, 0x80};
    blob b = read_blob();
    snapshot before = world_snapshot(&t);
    for (size_t i = 0; i < b.size; i++)
        for (size_t k = 0; k < sizeof masks; k++) {
            b.bytes[i] ^= masks[k];
            write_blob(b.bytes, b.size);
            ng_status status = try_load(before);
            ck_assert_msg(status != NG_OK && status != NG_ENOMEM, "byte %zu: %s", i,
                          ng_status_name(status));
            b.bytes[i] ^= masks[k];
        }
    free(b.bytes);
    free(before.bytes);
}
END_TEST

/* The same by somebody who knows how to seal: a load that succeeds leaves what can be saved. */
START_TEST(changed_and_sealed)
{
    blob b = read_blob();
    size_t loaded = 0;
    char other[120];
    sprintf(other, "%s.other", path);
    for (size_t i = 0; i < b.size - 4; i++) {
        snapshot before = world_snapshot(&t);
        unsigned char kept = b.bytes[i];
        b.bytes[i] ^= (unsigned char)(i % 3 == 0 ? 1 : i % 3 == 1 ? 4 : 0x80);
        seal(b.bytes, b.size);
        write_blob(b.bytes, b.size);
        b.bytes[i] = kept;
        if (try_load(before) == NG_OK) {
            loaded++;
            ng_assert_ok(ng_optimizer_save(t.opt, other, NULL), NULL);
        }
        free(before.bytes);
    }
    unlink(other);
    ck_assert_uint_gt(loaded, 100); /* other numbers in the tensors */
    free(b.bytes);
}
END_TEST

/* The first `from` of the header becomes `to`, sealed or not. */
static void edit(const blob *b, const char *from, const char *to, int sealed)
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
    if (sealed)
        seal(edited, b->size - length + more);
    write_blob(edited, b->size - length + more);
    free(edited);
}

/* counts: 2 + 2 groups of 2 + 4 parameters of 2 = 14 doubles, the first tensor */
static const struct {
    const char *from, *to;
    ng_status status;
    const char *culprit;
} edits[] = {
    {"[0,112]", "[0,120]", NG_EFORMAT, "fit its shape"},
    {"[112,208]", "[104,200]", NG_EFORMAT, "overlaps"},
    {"[14]", "[1,14]", NG_EFORMAT, "list"},
    {"\"F64\"", "\"I64\"", NG_EFORMAT, "'counts' is not a list of F64"},
    {"[4,6]", "[6,4]", NG_ESHAPE, "has the shape [6, 4] in the file, 4 x 6 here"},
    {"dtype\":\"F32\"", "dtype\":\"I32\"", NG_EDTYPE, "dtype = I32 in the checkpoint, F32 here"},
    {"\"counts\"", "\"Counts\"", NG_ENODATA, "counts"},
    {"\"F32\",\"shape\":[4,6]", "\"I32\",\"shape\":[4,6]", NG_EDTYPE,
     "is I32 in the file, F32 here"},
    {"/momentum\"", "/impulse\"", NG_ENODATA, "momentum"},
    {"\"counts\":",
     "\"extra\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"counts\":", NG_EARG,
     "extra"},
    {"\"crc32\":{\"dtype\":\"U8\"", "\"crc32\":{\"dtype\":\"I8\"", NG_EFORMAT, "crc32"},
    {"\"crc32\"", "\"crc33\"", NG_ENODATA, "crc32"},
    {"\"natgrad_format\":\"2\"", "\"natgrad_format\":\"1\"", NG_EFORMAT,
     "a checkpoint of format 1, this library reads format 2"},
    {"\"natgrad_format\":\"2\",", "", NG_EFORMAT, "no checkpoint of natgrad"},
    {"\"eigenvectors\":\"rows\"", "\"eigenvectors\":\"columns\"", NG_EFORMAT, "eigenvectors"},
    {"\"groups\":\"2\"", "\"groups\":\"3\"", NG_EARG, "groups = 3"},
    {"option.nesterov\":\"yes\"", "option.nesterov\":\"maybe\"", NG_EOPTION, "maybe"},
    {"option.lr\":\"", "option.lr\":\"-", NG_EOPTION, "lr"},
    {"option.lr\":\"", "option.lr\":\"nan", NG_EOPTION, "lr"},
    {"group.0.option.lr\"", "group.0.option.rl\"", NG_EFORMAT, "no group.0.option.lr"},
    {"group.1.method\"", "group.2.method\"", NG_EFORMAT, "group.1.method"},
    {"\"steps\":", "\"x\\u001b\":\"y\",\"steps\":", NG_EFORMAT, "x? in its header"},
    {"\"clip_norm\":\"20\"", "\"clip_norm\":\"-1\"", NG_EFORMAT, "clip_norm"},
    {"\"clip_norm\":\"20\"", "\"clip_norm\":\"inf\"", NG_EFORMAT, "clip_norm"},
    {"\"clip_norm\":\"20\"", "\"clip_norm\":\"2x\"", NG_EFORMAT, "clip_norm"},
    {"\"clip_norm\":\"20\"", "\"clip_norm\":\"\"", NG_EFORMAT, "clip_norm"},
    {"{", "[", NG_EFORMAT, "JSON"},
};

START_TEST(edited)
{
    blob b = read_blob();
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        edit(&b, edits[i].from, edits[i].to, 1);
        refused(&t, edits[i].status, edits[i].culprit);
    }
    edit(&b, "option.nesterov\":\"yes\"", "option.nesterov\":\"no\"", 0);
    refused(&t, NG_EFORMAT, "damaged");
    memset(b.bytes, 0xff, 8);
    write_blob(b.bytes, b.size);
    refused(&t, NG_EFORMAT, "header of 18446744073709551615");
    free(b.bytes);
}
END_TEST

static void hear(const char *text, void *data)
{
    strcpy(data, text);
}

/* It is loaded, and the message says which it was. */
START_TEST(other_library)
{
    blob b = read_blob();
    char heard[256] = "", old[64];
    sprintf(old, "\"library\":\"%s\"", ng_version());
    ng_assert_ok(ng_optimizer_set_message(t.opt, hear, heard), NULL);
    edit(&b, old, "\"library\":\"0.0.9\"", 1);
    ng_assert_ok(load(&t, 0), NULL);
    ck_assert_msg(strstr(heard, "0.0.9") != NULL, "heard \"%s\"", heard);
    heard[0] = '\0';
    edit(&b, "]", "]", 1); /* the tool itself does no harm */
    ng_assert_ok(load(&t, 0), NULL);
    ck_assert_str_eq(heard, "");
    free(b.bytes);
}
END_TEST

/* ---- Paths and options ----------------------------------------------------------------------- */

START_TEST(options_have_their_size)
{
    union {
        ng_checkpoint_options options;
        unsigned char bytes[2 * sizeof(ng_checkpoint_options)];
    } u;
    for (size_t size = 0; size < sizeof u; size++) {
        memset(&u, 0x5a, sizeof u);
        ng_status status = ng_checkpoint_init_sized(&u.options, size);
        ck_assert_int_eq(status, size == sizeof u.options ? NG_OK : NG_EOPTION);
        for (size_t i = status == NG_OK ? size : 0; i < sizeof u; i++)
            ck_assert_uint_eq(u.bytes[i], 0x5a);
    }
    ck_assert_int_eq(ng_checkpoint_init_sized(NULL, sizeof u.options), NG_EARG);
    memset(&u, 0, sizeof u);
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, &u.options), NG_EOPTION);
    ck_assert_int_eq(ng_optimizer_load(t.opt, path, &u.options), NG_EOPTION);
}
END_TEST

START_TEST(no_file)
{
    unlink(path);
    refused(&t, NG_EIO, "last.safetensors");
    ck_assert_int_eq(mkdir(path, 0777), 0);
    refused(&t, NG_EIO, "not a file");
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, NULL), NG_EIO); /* onto a folder */
    ck_assert_int_eq(sweep_temporaries(), 0);
    rmdir(path);
    ck_assert_int_eq(ng_optimizer_save(t.opt, "/nowhere/at/all", NULL), NG_EIO);
    ck_assert(strstr(ng_optimizer_error(t.opt), "/nowhere/at/all") != NULL);
}
END_TEST

/* ---- Writing that fails ---------------------------------------------------------------------- */

START_TEST(writing_fails)
{
    static const struct {
        int set;
        const char *culprit;
    } faults[] = {
        {FAULT_WRITE, "No space"}, {FAULT_FSYNC, "on the disk"}, {FAULT_RENAME, "rename"}};
    blob b = read_blob();
    for (size_t i = 0; i < 3; i++) {
        fault_once(faults[i].set, 1, FAIL), fault_errno = ENOSPC;
        ng_status status = ng_optimizer_save(t.opt, path, NULL);
        fault_over();
        ck_assert_int_eq(status, NG_EIO);
        ck_assert_msg(strstr(ng_optimizer_error(t.opt), faults[i].culprit) != NULL, "%s",
                      ng_optimizer_error(t.opt));
        ck_assert_int_eq(sweep_temporaries(), 0);
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

START_TEST(memory_fails)
{
    int failures = 0;
    for (int loading = 0; loading < 2; loading++) {
        ng_status status;
        save(&t, 0);
        for (int at = 1, reached = 1; reached; at++, failures++) {
            snapshot before = world_snapshot(&t);
            fault_once(FAULT_MEMORY, at, FAIL);
            status = loading ? load(&t, 0) : ng_optimizer_save(t.opt, path, NULL);
            reached = fault_over() >= at;
            ck_assert_msg(status == (reached ? NG_ENOMEM : NG_OK), "allocation %d: %s (%s)", at,
                          ng_status_name(status), ng_optimizer_error(t.opt));
            ck_assert(world_is(&t, before));
            ck_assert_int_eq(sweep_temporaries(), 0);
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
    tcase_add_test(tcase, changed_and_sealed);
    tcase_add_test(tcase, edited);
    tcase_add_test(tcase, other_library);
    tcase_add_test(tcase, options_have_their_size);
    tcase_add_test(tcase, no_file);
    tcase_add_test(tcase, writing_fails);
    tcase_add_test(tcase, memory_fails);
    suite_add_tcase(suite, tcase);
}
