/* A folder with one file, to be written byte by byte. */
#ifndef NG_TEST_TENSOR_FILES_H
#define NG_TEST_TENSOR_FILES_H

#define _POSIX_C_SOURCE 200809L
#include <natgrad.h>

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/support.h"

static char folder[64], path[96];
static ng_error err;

static inline void open_folder(void)
{
    /* thousands of files: in memory where there is such a folder */
    sprintf(folder, "%s/natgrad-tensors-XXXXXX",
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    sprintf(path, "%s/a.safetensors", folder);
}

static inline void close_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left there */
}

/* A file: this length before it, a header, so many bytes 0, 1, ... after it. */
static inline void write_file(uint64_t length, const char *header, size_t size, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 8; i++)
        fputc((int)(length >> 8 * i & 255), f);
    ck_assert_uint_eq(fwrite(header, 1, size, f), size);
    for (size_t i = 0; i < bytes; i++)
        fputc((int)(i & 255), f);
    ck_assert_int_eq(fclose(f), 0);
}

static inline void write_header(const char *header, size_t bytes)
{
    write_file(strlen(header), header, strlen(header), bytes);
}

#endif
