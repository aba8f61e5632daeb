/* Files that are written whole or not at all (natgrad/file.h): what stands at the path is the old
 * file or the new one, with the old permissions, whatever it is and whatever fails. */
#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L
#include <natgrad.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/locale.h"
#include "tests/support/support.h"

/* ---- A folder of our own --------------------------------------------------------------------- */

static char folder[64], path[96], other[96], outside[96];

static void open_folder(void)
{
    strcpy(folder, "/tmp/natgrad-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(other, sizeof other, "%s/b", folder);
    snprintf(outside, sizeof outside, "%s/sub", folder);
}

static int entries(void)
{
    int count = 0;
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}

/* How many temporary files there are; removes them. */
static int sweep(void)
{
    int count = 0;
    char name[400];
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, "natgrad-tmp-", 12) == 0 && strlen(e->d_name) == 28) {
            snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
            ck_assert_int_eq(unlink(name), 0);
            count++;
        }
    closedir(d);
    return count;
}

static void close_folder(void)
{
    fault_over();
    ck_assert_int_eq(sweep(), 0);
    unlink(path);
    unlink(other);
    rmdir(outside);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *where, const char *text, mode_t mode)
{
    FILE *f = fopen(where, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(where, mode), 0);
}

static void assert_holds(const char *where, const char *text)
{
    char found[256] = "";
    FILE *f = fopen(where, "rb");
    ck_assert_ptr_nonnull(f);
    found[fread(found, 1, sizeof found - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(found, text);
}

static mode_t mode_of(const char *where)
{
    struct stat info;
    ck_assert_int_eq(lstat(where, &info), 0);
    return info.st_mode;
}

/* Writes text there, in two parts. */
static ng_status replace(const char *where, const char *text, ng_error *error)
{
    ng_file *file;
    ng_status status = ng_file_create(&file, where, error);
    if (status != NG_OK) {
        ck_assert_ptr_null(file);
        return status;
    }
    (void)ng_file_write(file, text, 1, NULL); /* commit tells */
    (void)ng_file_print(file, NULL, "%s", text + 1);
    return ng_file_commit(file, error);
}

static ng_error err;

/* ---- What is at the path --------------------------------------------------------------------- */

START_TEST(new_and_old)
{
    mode_t before = umask(027);
    ng_assert_ok(replace(path, "new", &err), &err);
    umask(before);
    assert_holds(path, "new");
    ck_assert_uint_eq(mode_of(path) & 07777, 0640);
    static const mode_t modes[] = {0600, 0644, 0666, 0755, 0200};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        ng_assert_ok(replace(path, "newer", &err), &err);
        ck_assert_uint_eq(mode_of(path) & 07777, modes[i]);
    }
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(discarded)
{
    ng_file *file;
    put(path, "old", 0600);
    ng_assert_ok(ng_file_create(&file, path, &err), &err);
    ng_assert_ok(ng_file_write(file, "new", 3, &err), &err);
    ck_assert_int_eq(entries(), 2);
    ng_file_discard(file);
    ng_file_discard(NULL);
    assert_holds(path, "old");
    ck_assert_int_eq(entries(), 1);
    ng_assert_fails(ng_file_create(&file, "", &err), NG_EARG, &err, "path");
    ng_assert_fails(ng_file_create(&file, NULL, &err), NG_EARG, &err, "path");
    ng_assert_fails(ng_file_create(NULL, path, &err), NG_EARG, &err, "path");
    ng_assert_fails(ng_file_write(NULL, "a", 1, &err), NG_EARG, &err, "file");
    ng_assert_fails(ng_file_print(NULL, &err, "a"), NG_EARG, &err, "file");
    ng_assert_fails(ng_file_commit(NULL, &err), NG_EARG, &err, "file");
}
END_TEST

/* _i: absolute, relative, dangling, two in a row, into another folder */
START_TEST(link_is_followed)
{
    char target[200];
    ck_assert_int_eq(mkdir(outside, 0777), 0);
    snprintf(target, sizeof target, "%s/target", outside);
    if (_i != 2)
        put(target, "old", 0600);
    if (_i == 3) {
        ck_assert_int_eq(symlink("sub/target", other), 0);
        ck_assert_int_eq(symlink(other, path), 0);
    } else
        ck_assert_int_eq(symlink(_i == 0 ? target : "sub/target", path), 0);
    ng_assert_ok(replace(path, "new", &err), &err);
    ck_assert(S_ISLNK(mode_of(path)));
    assert_holds(target, "new");
    if (_i != 2)
        ck_assert_uint_eq(mode_of(target) & 07777, 0600);
    ck_assert_int_eq(unlink(target), 0);
}
END_TEST

START_TEST(circle_of_links)
{
    ck_assert_int_eq(symlink("b", path), 0);
    ck_assert_int_eq(symlink("a", other), 0);
    ng_assert_fails(replace(path, "new", &err), NG_EIO, &err, "symbolic links");
}
END_TEST

START_TEST(hard_link_keeps_the_old)
{
    put(path, "old", 0644);
    ck_assert_int_eq(link(path, other), 0);
    ng_assert_ok(replace(path, "new", &err), &err);
    assert_holds(path, "new");
    assert_holds(other, "old");
}
END_TEST

START_TEST(no_files_are_refused)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    ng_assert_fails(replace(path, "new", &err), NG_EIO, &err, "FIFO");
    strcpy(name.sun_path, other);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
    ng_assert_fails(replace(other, "new", &err), NG_EIO, &err, "socket");
    ng_assert_fails(replace("/dev/null", "new", &err), NG_EIO, &err, "device");
    ng_assert_fails(replace("/dev/full", "new", &err), NG_EIO, &err, "device");
    ng_assert_fails(replace(folder, "new", &err), NG_EIO, &err, "directory");
    ng_assert_fails(replace("/tmp/", "new", &err), NG_EIO, &err, "directory");
    ng_assert_fails(replace(".", "new", &err), NG_EIO, &err, "directory");
    ng_assert_fails(replace("/nowhere/at/all", "new", &err), NG_EIO, &err,
                    "/nowhere/at/all: No such file");
    ck_assert_int_eq(entries(), 2);
}
END_TEST

/* The user's own file of any name we might think of stays. */
START_TEST(neighbours_stay)
{
    char name[128];
    snprintf(name, sizeof name, "%s.tmp", path);
    put(name, "mine", 0600);
    ng_assert_ok(replace(path, "new", &err), &err);
    fault_once(FAULT_FSYNC, 1, FAIL);
    ck_assert_int_eq(replace(path, "newer", &err), NG_EIO);
    assert_holds(name, "mine");
    ck_assert_int_eq(unlink(name), 0);
}
END_TEST

/* root may write everywhere */
START_TEST(read_only)
{
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    char mine[64] = "/tmp/natgrad-file-XXXXXX", file[96];
    ck_assert_ptr_nonnull(mkdtemp(mine));
    snprintf(file, sizeof file, "%s/a", mine);
    put(file, "old", 0444);
    ng_assert_fails(replace(file, "new", &err), NG_EIO, &err, "Permission denied");
    ck_assert_int_eq(chmod(file, 0644), 0);
    ck_assert_int_eq(chmod(mine, 0555), 0);
    ng_assert_fails(replace(file, "new", &err), NG_EIO, &err, "Permission denied");
    assert_holds(file, "old");
    ck_assert_int_eq(chmod(mine, 0755), 0);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rmdir(mine), 0);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(working_folder_changes)
{
    char before[512];
    ng_file *file;
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(folder), 0);
    ng_assert_ok(ng_file_create(&file, "a", &err), &err);
    ck_assert_int_eq(chdir(before), 0);
    ng_assert_ok(ng_file_print(file, &err, "here"), &err);
    ng_assert_ok(ng_file_commit(file, &err), &err);
    assert_holds(path, "here");
}
END_TEST

/* ---- What is written ------------------------------------------------------------------------- */

START_TEST(every_byte)
{
    enum { SIZE = 300000 };
    unsigned char *bytes = malloc(SIZE), *found = malloc(SIZE + 1);
    ng_file *file;
    test_rng rng = {3};
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(256 * test_uniform(&rng));
    if (_i == 1)
        fault_once(FAULT_WRITE, 2, FAIL), fault_errno = EINTR;
    if (_i == 2)
        fault_from(FAULT_WRITE, 1, CUT);
    ng_assert_ok(ng_file_create(&file, path, &err), &err);
    for (size_t at = 0, n = 0; at < SIZE; at += n, n = (size_t)(100 + 70000 * test_uniform(&rng)))
        ng_assert_ok(ng_file_write(file, bytes + at, at + n < SIZE ? n : (n = SIZE - at), &err),
                     &err);
    ng_assert_ok(ng_file_write(file, NULL, 0, &err), &err);
    ng_assert_ok(ng_file_commit(file, &err), &err);
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(found, 1, SIZE + 1, f), SIZE);
    fclose(f);
    ck_assert_int_eq(memcmp(found, bytes, SIZE), 0);
    free(found);
    free(bytes);
}
END_TEST

START_TEST(text_of_the_c_locale)
{
    char expected[2048];
    ng_file *file;
    if (!test_comma_locale())
        fprintf(stderr, "no locale with decimal commas: text is written in the C locale alone\n");
    ng_assert_ok(ng_file_create(&file, path, &err), &err);
    ng_assert_ok(ng_file_print(file, &err, "%g,%d", 0.25, 3), &err);
    ng_assert_ok(ng_file_commit(file, &err), &err);
    setlocale(LC_ALL, "C");
    assert_holds(path, "0.25,3");
    ng_assert_ok(ng_file_create(&file, path, &err), &err); /* longer than what fits the stack */
    ng_assert_ok(ng_file_print(file, &err, "%1500d", 7), &err);
    ng_assert_ok(ng_file_commit(file, &err), &err);
    snprintf(expected, sizeof expected, "%1500d", 7);
    FILE *f = fopen(path, "rb");
    char found[2048] = "";
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(found, 1, sizeof found, f), 1500);
    fclose(f);
    ck_assert_str_eq(found, expected);
}
END_TEST

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

/* A file of one letter, for ever, or `times` times. */
static void write_letter(char letter, long times)
{
    char page[PAGE];
    memset(page, letter, sizeof page);
    for (long k = 0; k != times; k++) {
        ng_file *file;
        if (ng_file_create(&file, path, NULL) != NG_OK)
            _exit(1);
        for (int i = 0; i < PAGES; i++)
            (void)ng_file_write(file, page, sizeof page, NULL);
        if (ng_file_commit(file, NULL) != NG_OK)
            _exit(2);
    }
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
    write_letter('z', 1);
    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        ck_assert_int_ge(child[i], 0);
        if (child[i] == 0) {
            write_letter((char)('a' + i), 40);
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
    write_letter('z', 1);
    ck_assert_int_eq(chmod(path, 0600), 0);
    for (int i = 0; i < kills; i++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            write_letter((char)('a' + i % 26), -1);
        struct timespec pause = {0, (long)(1e6 + test_uniform(&rng) * 20e6)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status)); /* it had not failed, whatever was left there */
        assert_whole();
        ck_assert_uint_eq(mode_of(path) & 07777, 0600);
        left = entries() - 1;
    }
    ck_assert_int_eq(sweep(), left);
    ck_assert_int_gt(left, kills / 10);
}
END_TEST

TEST_SUITE(file)
{
    TCase *tcase = tcase_create("file");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, new_and_old);
    tcase_add_test(tcase, discarded);
    tcase_add_loop_test(tcase, link_is_followed, 0, 4);
    tcase_add_test(tcase, circle_of_links);
    tcase_add_test(tcase, hard_link_keeps_the_old);
    tcase_add_test(tcase, no_files_are_refused);
    tcase_add_test(tcase, neighbours_stay);
    tcase_add_test(tcase, read_only);
    tcase_add_test(tcase, working_folder_changes);
    tcase_add_loop_test(tcase, every_byte, 0, 3);
    tcase_add_test(tcase, text_of_the_c_locale);
    tcase_add_test(tcase, system_fails);
    tcase_add_test(tcase, memory_fails);
    tcase_add_test(tcase, size_limit);
    tcase_add_test(tcase, two_writers);
    tcase_add_test(tcase, killed);
    suite_add_tcase(suite, tcase);
}
