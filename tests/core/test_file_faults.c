/* Files that are written whole or not at all, when the system fails, memory is short, two processes
 * write or one is killed: what stands at the path is the old file or the new one. */
#include "tests/core/file_world.h"

#include <errno.h>
#include <sys/resource.h>

#include "tests/support/child.h"

/* ---- What fails ------------------------------------------------------------------------------ */

START_TEST(system_fails)
{
    static const struct {
        int set;
        int number;
        const char *culprit;
    } faults[] = {{FAULT_WRITE, ENOSPC, "No space left"},
                  {FAULT_WRITE, EIO, "Input/output"},
                  {FAULT_FSYNC, EIO, "on the disk"},
                  {FAULT_RENAME, EACCES, "rename"},
                  {FAULT_CHMOD, EPERM, "mode"}};
    put(path, "old", 0600);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        fault_once(faults[i].set, 1, FAIL), fault_errno = faults[i].number;
        ng_assert_fails(replace(path, "new", &err), NG_EIO, &err, faults[i].culprit);
        ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
        fault_over();
        assert_holds(path, "old");
        ck_assert_int_eq(entries(), 1);
    }
    fault_once(FAULT_FSYNC, 2, FAIL); /* the folder's: the file is the new one, and the caller told */
    ng_assert_fails(replace(path, "new", &err), NG_EIO, &err, "is written");
    assert_holds(path, "new");
    fault_once(FAULT_FSYNC, 2, FAIL), fault_errno = EINVAL; /* a file system that has no such thing */
    ng_assert_ok(replace(path, "newer", &err), &err);
}
END_TEST

START_TEST(memory_fails)
{
    int reached = 1, failures = -1;
    char text[900];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    put(other, "old", 0600);
    ck_assert_int_eq(symlink("b", path), 0);
    for (int at = 1; reached; at++, failures++) {
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = replace(path, text, &err);
        reached = fault_over() >= at;
        ck_assert_msg(status == (reached ? NG_ENOMEM : NG_OK), "allocation %d: %s", at,
                      ng_status_name(status));
        if (reached)
            assert_holds(other, "old");
        ck_assert_int_eq(entries(), 2);
    }
    ck_assert_int_ge(failures, 8);
}
END_TEST

/* SIGXFSZ has its default action, the end of the process. */
START_TEST(size_limit)
{
    struct rlimit before, limit;
    char *bytes = calloc(1, 1 << 20);
    ng_file *file;
    put(path, "old", 0600);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 200000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ng_assert_ok(ng_file_create(&file, path, &err), &err);
    ng_assert_fails(ng_file_write(file, bytes, 1 << 20, &err), NG_EIO, &err, "File too large");
    ck_assert_int_eq(ng_file_write(file, "x", 1, NULL), NG_EIO);
    ng_assert_fails(ng_file_commit(file, &err), NG_EIO, &err, path);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_holds(path, "old");
    ck_assert_int_eq(entries(), 1);
    free(bytes);
}
END_TEST

/* ---- More than one process ------------------------------------------------------------------- */

enum { PAGE = 4096, PAGES = 60 };

/* A file of one letter. */
static void write_letter(void *letter)
{
    char page[PAGE];
    ng_file *file;
    memset(page, *(const char *)letter, sizeof page);
    if (ng_file_create(&file, path, NULL) != NG_OK)
        _exit(1);
    for (int i = 0; i < PAGES; i++)
        (void)ng_file_write(file, page, sizeof page, NULL);
    if (ng_file_commit(file, NULL) != NG_OK)
        _exit(2);
}

/* All of one letter? */
static void assert_whole(void)
{
    char page[PAGE];
    int first = 0;
    size_t total = 0, n;
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    while ((n = fread(page, 1, sizeof page, f)) > 0) {
        first = total == 0 ? page[0] : first;
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(page[i], first);
        total += n;
    }
    fclose(f);
    ck_assert_uint_eq(total, PAGE * PAGES);
}

START_TEST(two_writers)
{
    pid_t child[2];
    write_letter("z");
    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        ck_assert_int_ge(child[i], 0);
        if (child[i] == 0) {
            for (int times = 0; times < 40; times++)
                write_letter(i == 0 ? "a" : "b");
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status;
        for (; waitpid(child[i], &status, WNOHANG) == 0; usleep(1000))
            assert_whole();
        ck_assert_int_eq(status, 0);
    }
    assert_whole();
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(killed)
{
    int kills = getenv("NG_NIGHTLY") != NULL ? 200 : 20, left = 0;
    test_rng rng = {7};
    write_letter("z");
    ck_assert_int_eq(chmod(path, 0600), 0);
    for (int i = 0; i < kills; i++) {
        char letter = (char)('a' + i % 26);
        test_kill(test_child(write_letter, &letter), &rng);
        assert_whole();
        ck_assert_uint_eq(mode_of(path) & 07777, 0600);
        left = entries() - 1;
    }
    ck_assert_int_eq(sweep(), left);
    ck_assert_int_gt(left, kills / 10);
}
END_TEST

TEST_SUITE(file_faults)
{
    TCase *tcase = tcase_create("file_faults");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, system_fails);
    tcase_add_test(tcase, memory_fails);
    tcase_add_test(tcase, size_limit);
    tcase_add_test(tcase, two_writers);
    tcase_add_test(tcase, killed);
    suite_add_tcase(suite, tcase);
}
