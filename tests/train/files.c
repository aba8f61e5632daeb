#define _POSIX_C_SOURCE 200809L
#include "tests/train/files.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/support/support.h"

static char folder[64];

void files_setup(void)
{
    strcpy(folder, "/tmp/natgrad-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

void files_teardown(void)
{
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.') {
            const char *path = files_path(entry->d_name);
            if (unlink(path) != 0)
                rmdir(path);
        }
    closedir(dir);
    ck_assert_int_eq(rmdir(folder), 0);
}

const char *files_path(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    ck_assert_int_lt(snprintf(path, sizeof paths[0], "%s/%s", folder, name), 512);
    return path;
}

const char *files_write(const char *name, const void *bytes, size_t size)
{
    const char *path = files_path(name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

const char *files_write_gz(const char *name, const void *bytes, size_t size)
{
    const char *path = files_path(name);
    gzFile file = gzopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
    ck_assert_int_eq(gzclose(file), Z_OK);
    return path;
}

const char *files_text(const char *name, const char *text)
{
    return files_write(name, text, strlen(text));
}

size_t files_idx(unsigned char *out, unsigned rank, const unsigned long *sizes,
                 const unsigned char *body, size_t body_size)
{
    unsigned char *at = out;
    *at++ = 0;
    *at++ = 0;
    *at++ = 8;
    *at++ = (unsigned char)rank;
    for (unsigned i = 0; i < rank; i++)
        for (int shift = 24; shift >= 0; shift -= 8)
            *at++ = (unsigned char)(sizes[i] >> shift);
    memcpy(at, body, body_size);
    return (size_t)(at - out) + body_size;
}

static long size_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

void files_cut(const char *path, size_t cut)
{
    ck_assert_int_eq(truncate(path, size_of(path) - (long)cut), 0);
}

void files_damage(const char *path, long at)
{
    long where = at < 0 ? size_of(path) + at : at;
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, where, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, where, SEEK_SET);
    fputc(byte ^ 0xff, file);
    fclose(file);
}
