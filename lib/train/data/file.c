/* Reading through zlib, which takes plain files as they are. */
#include "lib/train/data/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "lib/core/try.h"

enum { CHUNK = 1 << 18, PATH_SHOWN = 120 };

ng_status ngi_file_fail(const ngi_file *file, ng_status status, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t length = strlen(file->path);
    int cut = length > PATH_SHOWN;
    return ng_error_set(file->error, status, "%s%s: %s", cut ? "..." : "",
                        cut ? file->path + length - PATH_SHOWN : file->path, text);
}

ng_status ngi_file_open(ngi_file *file, const char *path, ng_error *error)
{
    *file = (ngi_file){.path = path, .error = error};
    if (path == NULL)
        return ng_error_set(error, NG_EARG, "the path of a file is NULL");
    errno = 0;
    file->gz = gzopen(path, "rb");
    if (file->gz == NULL)
        return errno == 0 || errno == ENOMEM
                   ? ngi_file_fail(file, NG_ENOMEM, "no memory to open it")
                   : ngi_file_fail(file, NG_EIO, "cannot be opened: %s", strerror(errno));
    return NG_OK;
}

void ngi_file_close(ngi_file *file)
{
    if (file->gz != NULL)
        gzclose(file->gz);
    file->gz = NULL;
}

static ng_status read_failed(const ngi_file *file, int code, int saved_errno)
{
    switch (code) {
    case Z_BUF_ERROR:
        return ngi_file_fail(file, NG_EFORMAT, "the gzip stream is truncated");
    case Z_DATA_ERROR:
        return ngi_file_fail(file, NG_EFORMAT, "the gzip stream is damaged");
    case Z_MEM_ERROR:
        return ngi_file_fail(file, NG_ENOMEM, "no memory to read it");
    default:
        return ngi_file_fail(file, NG_EIO, "cannot be read: %s", strerror(saved_errno));
    }
}

static ng_status check_expansion(const ngi_file *file)
{
    if (file->given <= NGI_EXPANDED_FLOOR || gzdirect(file->gz))
        return NG_OK;
    z_off_t read = gzoffset(file->gz);
    if (read < 0 || file->given / NGI_EXPANDED_MOST <= (size_t)read)
        return NG_OK;
    return ngi_file_fail(file, NG_EFORMAT,
                         "%ld gzipped bytes become more than %d times as many, as in a "
                         "decompression bomb; unpack it if it is none",
                         (long)read, NGI_EXPANDED_MOST);
}

ng_status ngi_file_read(ngi_file *file, void *bytes, size_t *got, size_t size)
{
    for (*got = 0; *got < size;) {
        size_t ask = size - *got < CHUNK ? size - *got : CHUNK;
        int code = Z_OK;
        errno = 0;
        int n = gzread(file->gz, (char *)bytes + *got, (unsigned)ask);
        int saved_errno = errno;
        if (n < 0 || (size_t)n < ask) /* the end, or an error found at it */
            gzerror(file->gz, &code);
        if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
            return read_failed(file, code, saved_errno);
        *got += (size_t)n;
        file->given += (size_t)n;
        TRY(check_expansion(file));
        if ((size_t)n < ask)
            break;
    }
    return NG_OK;
}

ng_status ngi_file_exactly(ngi_file *file, void *bytes, size_t size, const char *what)
{
    size_t got;
    TRY(ngi_file_read(file, bytes, &got, size));
    return got == size ? NG_OK
                       : ngi_file_fail(file, NG_EFORMAT, "ends after %zu bytes, within %s",
                                       file->given, what);
}

ng_status ngi_file_finished(ngi_file *file, size_t elements)
{
    unsigned char byte;
    size_t behind;
    TRY(ngi_file_read(file, &byte, &behind, 1)); /* also makes zlib check the CRC */
    return behind == 0 ? NG_OK
                       : ngi_file_fail(file, NG_EFORMAT,
                                       "goes on after the %zu elements its head says", elements);
}

/* The block, grown or shrunk to `size` > 0 bytes. */
static ng_status resize(const ngi_file *file, unsigned char **bytes, size_t size)
{
    unsigned char *moved = size < SIZE_MAX / 2 ? realloc(*bytes, size) : NULL;
    if (moved == NULL)
        return ngi_file_fail(file, NG_ENOMEM, "no memory for %zu bytes of it", size);
    *bytes = moved;
    return NG_OK;
}

static ng_status load(ngi_file *file, unsigned char **bytes, size_t *got, size_t limit)
{
    size_t room = 0, read;
    do {
        size_t more = room < 2 * CHUNK ? CHUNK : room / 2;
        room += more < limit - room ? more : limit - room;
        TRY(resize(file, bytes, room + 1));
        TRY(ngi_file_read(file, *bytes + *got, &read, room - *got));
        *got += read;
    } while (*got == room && room < limit);
    return resize(file, bytes, *got + 1);
}

ng_status ngi_file_load(ngi_file *file, unsigned char **bytes, size_t *got, size_t limit)
{
    *bytes = NULL;
    *got = 0;
    ng_status status = load(file, bytes, got, limit);
    if (status != NG_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

ng_status ngi_file_rewind(ngi_file *file)
{
    file->given = 0;
    return gzrewind(file->gz) == 0
               ? NG_OK
               : ngi_file_fail(file, NG_EIO, "cannot be read a second time, as it must be");
}
