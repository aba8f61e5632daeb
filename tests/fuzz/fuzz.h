/* What the fuzzing programs share. Each takes any bytes (LLVMFuzzerTestOneInput), aborts where a
 * promise of a header is broken, and makes a few valid inputs to begin with (fuzz_seed): they are
 * written into the folder FUZZ_SEEDS of the environment before the corpus is read. */
#ifndef NG_FUZZ_H
#define NG_FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <natgrad.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input i = 0, 1, ... into out; its size, 0 past the last. */
static size_t fuzz_seed(unsigned char *out, size_t room, size_t i);

enum { FUZZ_ROOM = 1 << 16, FUZZ_FILES = 2 };

static int fuzz_stderr = 2; /* libFuzzer closes 2 for what it tests */

/* Says what does not hold, and ends. */
static inline _Noreturn void fuzz_broken(const char *where, const char *what)
{
    dprintf(fuzz_stderr, "%s: broken: %s\n", where, what);
    abort();
}

#define FUZZ_TEXT(x) #x
#define FUZZ_LINE(x) FUZZ_TEXT(x)
#define check(holds) ((holds) ? (void)0 : fuzz_broken(__FILE__ ":" FUZZ_LINE(__LINE__), #holds))

/* What must not fail. */
#define check_done(call, error)                                                                    \
    ((call) == NG_OK ? (void)0 : fuzz_broken(__FILE__ ":" FUZZ_LINE(__LINE__), (error)->text))

/* An error has a text, and success none of its own. */
static inline void check_failed(ng_status status, const ng_error *error)
{
    check(status < 0 && error->status == status && error->text[0] != '\0');
    check(memchr(error->text, '\0', sizeof error->text) != NULL);
}

/* ---- Files ---------------------------------------------------------------------------------- */

/* The path of a file in memory that holds these bytes. */
static inline const char *fuzz_file(size_t which, const void *bytes, size_t size)
{
    static int fds[FUZZ_FILES];
    static char paths[FUZZ_FILES][32];
    if (fds[which] == 0) {
        fds[which] = memfd_create("fuzz", 0);
        snprintf(paths[which], sizeof paths[which], "/proc/self/fd/%d", fds[which]);
    }
    check(ftruncate(fds[which], 0) == 0 && pwrite(fds[which], bytes, size, 0) == (ssize_t)size);
    return paths[which];
}

/* out <- the file, which is removed; its size. */
static inline size_t fuzz_take(unsigned char *out, size_t room, const char *path)
{
    FILE *file = fopen(path, "rb");
    check(file != NULL);
    size_t size = fread(out, 1, room, file);
    check(size < room && fclose(file) == 0 && unlink(path) == 0);
    return size;
}

/* CRC-32 as in zlib. */
static inline uint32_t fuzz_crc(const unsigned char *bytes, size_t size)
{
    static uint32_t table[256];
    uint32_t x = ~(uint32_t)0;
    for (uint32_t i = 0; i < 256 && table[255] == 0; i++) {
        uint32_t y = i;
        for (int k = 0; k < 8; k++)
            y = y & 1 ? y >> 1 ^ 0xedb88320u : y >> 1;
        table[i] = y;
    }
    for (size_t i = 0; i < size; i++)
        x = x >> 8 ^ table[(x ^ bytes[i]) & 255];
    return ~x;
}

/* The bytes, all but the last `width` of them, get the check sum they would have had. */
static inline void fuzz_sum(unsigned char *bytes, size_t size, size_t width)
{
    uint32_t sum = size < width ? 0 : fuzz_crc(bytes, size - width);
    for (size_t i = 0; size >= width && i < width; i++)
        bytes[size - width + i] = i < 4 ? (unsigned char)(sum >> 8 * i) : 0;
}

/* ---- Inputs --------------------------------------------------------------------------------- */

/* What is left of an input. */
typedef struct {
    const uint8_t *at;
    size_t size;
} fuzz_bytes;

static inline unsigned fuzz_byte(fuzz_bytes *b)
{
    if (b->size == 0)
        return 0;
    b->size--;
    return *b->at++;
}

/* The rest as a text of its own, to be freed. */
static inline char *fuzz_text(const fuzz_bytes *b)
{
    char *text = malloc(b->size + 1);
    check(text != NULL);
    if (b->size > 0)
        memcpy(text, b->at, b->size);
    text[b->size] = '\0';
    return text;
}

/* A seed: `head` bytes of choices, all 0, then a text. */
static inline size_t fuzz_say(unsigned char *out, size_t head, const char *text)
{
    memset(out, 0, head);
    memcpy(out + head, text, strlen(text));
    return head + strlen(text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static unsigned char bytes[FUZZ_ROOM];
    const char *folder = getenv("FUZZ_SEEDS");
    (void)argc, (void)argv;
    fuzz_stderr = dup(2);
    for (size_t i = 0, size; folder != NULL && (size = fuzz_seed(bytes, sizeof bytes, i)) > 0;
         i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/seed-%zu", folder, i);
        FILE *file = fopen(path, "wb");
        check(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    }
    return 0;
}

#endif
