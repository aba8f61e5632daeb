/* A folder of its own, what stands in it, and a file replaced. */
#ifndef NG_TEST_FILE_WORLD_H
#define NG_TEST_FILE_WORLD_H

#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L
#include <natgrad.h>

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/support.h"

static char folder[64], path[96], other[96], outside[96];

static inline void open_folder(void)
{
    strcpy(folder, "/tmp/natgrad-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(other, sizeof other, "%s/b", folder);
    snprintf(outside, sizeof outside, "%s/sub", folder);
}

static inline int entries(void)
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
static inline int sweep(void)
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

static inline void close_folder(void)
{
    fault_over();
    ck_assert_int_eq(sweep(), 0);
    unlink(path);
    unlink(other);
    rmdir(outside);
    ck_assert_int_eq(rmdir(folder), 0);
}

static inline void put(const char *where, const char *text, mode_t mode)
{
    FILE *f = fopen(where, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(where, mode), 0);
}

static inline void assert_holds(const char *where, const char *text)
{
    char found[256] = "";
    FILE *f = fopen(where, "rb");
    ck_assert_ptr_nonnull(f);
    found[fread(found, 1, sizeof found - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(found, text);
}

static inline mode_t mode_of(const char *where)
{
    struct stat info;
    ck_assert_int_eq(lstat(where, &info), 0);
    return info.st_mode;
}

/* Writes text there, in two parts. */
static inline ng_status replace(const char *where, const char *text, ng_error *error)
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

#endif
