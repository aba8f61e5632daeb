/* Files that are written whole or not at all (natgrad/file.h): what stands at the path is the old
 * file or the new one, with the old permissions, whatever it is. */
#include "tests/core/file_world.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/support/locale.h"

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
    suite_add_tcase(suite, tcase);
}
