/* Checkpoints as bytes: read, spoilt, sealed with the right check sum, written. */
#ifndef NG_TEST_DAMAGE_WORLD_H
#define NG_TEST_DAMAGE_WORLD_H

#include "tests/optim/checkpoint_world.h"

/* Thousands of files: in memory where there is such a folder. */
static inline void open_many_files(void)
{
    open_files_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

typedef struct {
    unsigned char *bytes;
    size_t size, header;
} blob;

static inline blob read_blob(void)
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

static inline void write_blob(const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* The check sum that belongs to the bytes before it, bit by bit. */
static inline void seal(unsigned char *bytes, size_t size)
{
    uint32_t x = 0xffffffff;
    for (size_t i = 0; i < size - 4; i++) {
        x ^= bytes[i];
        for (int k = 0; k < 8; k++)
            x = x & 1 ? x >> 1 ^ 0xedb88320 : x >> 1;
    }
    for (int k = 0; k < 4; k++)
        bytes[size - 4 + (size_t)k] = (unsigned char)(~x >> 8 * k);
}

#endif
