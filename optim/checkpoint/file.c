/* A file that is written whole or not at all, and read back. */
#define _POSIX_C_SOURCE 200809L
#include "optim/checkpoint/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, MAX_HEADER = 100000000 /* as safetensors has it */ };

/* ---- Writing ------------------------------------------------------------------------------- */

typedef struct {
    int fd;
    size_t used;
    unsigned char buffer[BUFFER];
} sink;

/* 0, or -1 with errno */
static int write_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static int flush(sink *out)
{
    size_t used = out->used;
    out->used = 0;
    return write_all(out->fd, out->buffer, used);
}

/* Rows of a strided view may be short: they are gathered. */
static int put(sink *out, const void *bytes, size_t size)
{
    if (size > BUFFER - out->used && flush(out) != 0)
        return -1;
    if (size > BUFFER)
        return write_all(out->fd, bytes, size);
    memcpy(out->buffer + out->used, bytes, size);
    out->used += size;
    return 0;
}

static int put_entry(sink *out, const ngi_entry *entry)
{
    int bad = 0;
    for (size_t i = 0; i < entry->rows && !bad; i++)
        bad = put(out, (const char *)entry->data + i * entry->stride * entry->item,
                  entry->cols * entry->item);
    return bad;
}

static int put_file(int fd, const char *header, size_t size, const ngi_entries *list, sink *out)
{
    unsigned char length[8];
    out->fd = fd;
    out->used = 0;
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)size >> 8 * i);
    int bad = put(out, length, sizeof length) || put(out, header, size);
    for (size_t i = 0; i < list->count && !bad; i++)
        bad = put_entry(out, &list->items[i]);
    return bad || flush(out) != 0 || fsync(fd) != 0 ? -1 : 0;
}

static ng_status io_error(ng_error *error, const char *what, const char *path)
{
    int number = errno;
    size_t length = strlen(path);
    const char *end = length > 120 ? path + length - 120 : path;
    return ng_error_set(error, NG_EIO, "cannot %s %s: %.60s", what, end, strerror(number));
}

/* A descriptor of the folder that path is in, or -1. */
static int open_folder(char *scratch, const char *path)
{
    strcpy(scratch, path);
    char *slash = strrchr(scratch, '/');
    if (slash == NULL)
        strcpy(scratch, ".");
    else
        slash[slash == scratch] = '\0';
    return open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Writes temporary, on the disk; 0 or -1 with errno. */
static int write_temporary(const char *temporary, const char *header, size_t size,
                           const ngi_entries *list, sink *out)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return -1;
    int bad = put_file(fd, header, size, list, out), number = errno;
    if (close(fd) != 0 && !bad) {
        bad = -1;
        number = errno;
    }
    errno = number;
    return bad;
}

ng_status ngi_blob_write(const char *path, const char *header, size_t size, const ngi_entries *list,
                         ng_error *error)
{
    ng_status status = NG_OK;
    char *temporary = malloc(strlen(path) + sizeof ".tmp");
    char *scratch = malloc(strlen(path) + sizeof ".tmp");
    sink *out = malloc(sizeof *out);
    int folder = -1;
    if (temporary == NULL || scratch == NULL || out == NULL) {
        status = ng_error_set(error, NG_ENOMEM, "no memory to write a file");
        goto done;
    }
    strcpy(temporary, path);
    strcat(temporary, ".tmp");
    if ((folder = open_folder(scratch, path)) < 0)
        status = io_error(error, "open the folder of", path);
    else if (write_temporary(temporary, header, size, list, out) != 0)
        status = io_error(error, "write", temporary);
    else if (rename(temporary, path) != 0)
        status = io_error(error, "rename the temporary file to", path);
    else if (fsync(folder) != 0)
        status = io_error(error, "have on the disk (it is written) the folder of", path);
    if (status != NG_OK && folder >= 0)
        unlink(temporary);
done:
    if (folder >= 0)
        close(folder);
    free(out);
    free(scratch);
    free(temporary);
    return status;
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* 0, or -1; errno 0 where the file ended */
static int read_all(int fd, void *into, size_t size)
{
    unsigned char *bytes = into;
    while (size > 0) {
        ssize_t n = read(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? 0 : errno;
            return -1;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static ng_status read_part(int fd, void **part, size_t size, const char *path, ng_error *error)
{
    *part = malloc(size > 0 ? size : 1);
    if (*part == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu bytes of a checkpoint", size);
    if (read_all(fd, *part, size) == 0)
        return NG_OK;
    return errno != 0 ? io_error(error, "read", path)
                      : ng_error_set(error, NG_EFORMAT, "the checkpoint shrinks as it is read");
}

/* *size of the header, *bytes after it */
static ng_status read_sizes(int fd, size_t *size, size_t *bytes, const char *path, ng_error *error)
{
    struct stat info;
    unsigned char length[8];
    uint64_t n = 0;
    if (fstat(fd, &info) != 0)
        return io_error(error, "read", path);
    if (!S_ISREG(info.st_mode))
        return ng_error_set(error, NG_EIO, "cannot read %.120s: not a file", path);
    uint64_t all = (uint64_t)info.st_size;
    if (all < sizeof length || all > SIZE_MAX)
        return ng_error_set(error, NG_EFORMAT, "%llu bytes are no checkpoint",
                            (unsigned long long)all);
    if (read_all(fd, length, sizeof length) != 0)
        return io_error(error, "read", path);
    for (int i = 0; i < 8; i++)
        n |= (uint64_t)length[i] << 8 * i;
    if (n > MAX_HEADER || n > all - sizeof length)
        return ng_error_set(error, NG_EFORMAT, "a header of %llu bytes in a file of %llu",
                            (unsigned long long)n, (unsigned long long)all);
    *size = (size_t)n;
    *bytes = (size_t)(all - sizeof length - n);
    return NG_OK;
}

ng_status ngi_blob_read(const char *path, char **header, size_t *size, unsigned char **data,
                        size_t *bytes, ng_error *error)
{
    void *text = NULL, *tensors = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *header = NULL;
    *data = NULL;
    if (fd < 0)
        return io_error(error, "open", path);
    ng_status status = read_sizes(fd, size, bytes, path, error);
    if (status == NG_OK)
        status = read_part(fd, &text, *size, path, error);
    if (status == NG_OK)
        status = read_part(fd, &tensors, *bytes, path, error);
    close(fd);
    if (status != NG_OK) {
        free(text);
        free(tensors);
        return status;
    }
    *header = text;
    *data = tensors;
    return NG_OK;
}
