/* A file that is written whole or not at all (natgrad/file.h). Everything happens relative to a
 * descriptor of its folder: the host may change its working folder meanwhile. */
#define _DEFAULT_SOURCE /* getentropy */
#define _POSIX_C_SOURCE 200809L
#include "lib/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/core/number.h"
#include "lib/core/try.h"

enum { BUFFER = 1 << 16, MAX_LINKS = 40, MAX_TRIES = 1000 };
static const char prefix[] = "natgrad-tmp-";

struct ng_file {
    int folder, fd;     /* -1: not open */
    int begun;          /* temporary exists and is ours */
    int failed;         /* errno of the first write that failed, or 0 */
    char *path;         /* as the caller spelt it, for errors */
    char *name;         /* in folder, links followed */
    char temporary[32]; /* in folder */
    size_t used;        /* bytes of buffer */
    unsigned char buffer[BUFFER];
};

ng_status ngi_io_error(ng_error *error, const char *what, const char *path, int number)
{
    size_t length = strlen(path);
    const char *end = length > 120 ? path + length - 120 : path;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const char *reason = c != (locale_t)0 ? strerror_l(number, c) : "?";
    ng_status status = ng_error_set(error, NG_EIO, "cannot %s %s: %.60s", what, end, reason);
    if (c != (locale_t)0)
        freelocale(c);
    return status;
}

/* ---- Where it goes --------------------------------------------------------------------------- */

static ng_status no_memory(ng_error *error)
{
    return ng_error_set(error, NG_ENOMEM, "no memory to write a file");
}

/* file->folder, in which `path` (relative to the folder so far, if there is one) is file->name */
static ng_status enter(ng_file *file, const char *path, ng_error *error)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = malloc(length + 2);
    char *name = strdup(slash == NULL ? path : slash + 1);
    if (folder == NULL || name == NULL) {
        free(folder);
        free(name);
        return no_memory(error);
    }
    memcpy(folder, length > 0 ? path : ".", length > 0 ? length : 1);
    folder[length > 0 ? length : 1] = '\0';
    int from = file->folder >= 0 ? file->folder : AT_FDCWD;
    int fd = openat(from, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), number = errno;
    free(folder);
    if (file->folder >= 0)
        close(file->folder);
    free(file->name);
    file->folder = fd;
    file->name = name;
    return fd >= 0 ? NG_OK : ngi_io_error(error, "open the folder of", file->path, number);
}

/* The target of the link that is there now; free() it. NULL with errno. */
static char *read_link(const ng_file *file, size_t size)
{
    char *target = malloc(size + 1);
    ssize_t n = target != NULL ? readlinkat(file->folder, file->name, target, size + 1) : -1;
    if (n >= 0 && (size_t)n <= size) {
        target[n] = '\0';
        return target;
    }
    errno = target == NULL ? ENOMEM : n >= 0 ? EAGAIN : errno;
    free(target);
    return NULL;
}

/* Follows links until there is a file or nothing. stat, which follows them too, is asked first: it
 * refuses links that the kernel would not follow (circles, another user's in a sticky folder). */
static ng_status follow(ng_file *file, int *exists, struct stat *info, ng_error *error)
{
    for (int links = 0; links < MAX_LINKS; links++) {
        if (fstatat(file->folder, file->name, info, 0) != 0 && errno != ENOENT)
            break;
        *exists = fstatat(file->folder, file->name, info, AT_SYMLINK_NOFOLLOW) == 0;
        if (!*exists && errno == ENOENT)
            return NG_OK;
        if (!*exists || !S_ISLNK(info->st_mode))
            return *exists ? NG_OK : ngi_io_error(error, "write", file->path, errno);
        char *target = read_link(file, info->st_size > 0 ? (size_t)info->st_size : 4096);
        if (target == NULL && errno == ENOMEM)
            return no_memory(error);
        if (target == NULL)
            break;
        ng_status status = enter(file, target, error);
        free(target);
        TRY(status);
        errno = ELOOP;
    }
    return ngi_io_error(error, "write", file->path, errno);
}

/* Finds the place and says with which permissions: -1 for a new file's. */
static ng_status find_place(ng_file *file, int *mode, ng_error *error)
{
    struct stat info;
    int exists = 0;
    TRY(enter(file, file->path, error));
    TRY(follow(file, &exists, &info, error));
    *mode = -1;
    if (!exists)
        return *file->name != '\0' ? NG_OK : ngi_io_error(error, "write", file->path, EISDIR);
    if (S_ISDIR(info.st_mode))
        return ngi_io_error(error, "write", file->path, EISDIR);
    if (!S_ISREG(info.st_mode))
        return ng_error_set(error, NG_EIO, "cannot write %.150s: not a file but a %s", file->path,
                            S_ISFIFO(info.st_mode)   ? "FIFO"
                            : S_ISSOCK(info.st_mode) ? "socket"
                                                     : "device");
    if (faccessat(file->folder, file->name, W_OK, AT_EACCESS) != 0)
        return ngi_io_error(error, "write", file->path, errno);
    *mode = (int)(info.st_mode & 0777);
    return NG_OK;
}

/* A new file of our own. open, unlike mkstemp, heeds umask, which could only be asked for by
 * changing it under the feet of other threads. */
static ng_status begin(ng_file *file, int mode, ng_error *error)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    for (int tries = 0; tries < MAX_TRIES && file->fd < 0; tries++) {
        uint64_t number;
        if (getentropy(&number, sizeof number) != 0)
            return ngi_io_error(error, "write", file->path, errno);
        snprintf(file->temporary, sizeof file->temporary, "%s%016llx", prefix,
                 (unsigned long long)number);
        file->fd = openat(file->folder, file->temporary, flags, mode < 0 ? 0666 : 0600);
        if (file->fd < 0 && errno != EEXIST && errno != EINTR)
            break;
    }
    if (file->fd < 0)
        return ngi_io_error(error, "make a file beside", file->path, errno);
    file->begun = 1;
    if (mode >= 0 && fchmod(file->fd, (mode_t)mode) != 0)
        return ngi_io_error(error, "keep the mode of", file->path, errno);
    return NG_OK;
}

ng_status ng_file_create(ng_file **file, const char *path, ng_error *error)
{
    int mode;
    if (file != NULL)
        *file = NULL;
    if (file == NULL || path == NULL || path[0] == '\0')
        return ng_error_set(error, NG_EARG, "a file needs a path");
    ng_file *f = calloc(1, sizeof *f);
    if (f == NULL)
        return no_memory(error);
    f->folder = f->fd = -1;
    f->path = strdup(path);
    ng_status status = f->path != NULL ? find_place(f, &mode, error) : no_memory(error);
    if (status == NG_OK)
        status = begin(f, mode, error);
    if (status != NG_OK) {
        ng_file_discard(f);
        return status;
    }
    *file = f;
    return NG_OK;
}

/* ---- What goes into it ----------------------------------------------------------------------- */

/* write, but a size limit is an error instead of a signal. */
static ssize_t write_quietly(int fd, const void *bytes, size_t size)
{
    static const struct timespec now = {0, 0};
    sigset_t limit, before, pending;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &limit, &before);
    ssize_t n = write(fd, bytes, size);
    int number = errno;
    if (n < 0 && number == EFBIG && !sigismember(&pending, SIGXFSZ))
        while (sigtimedwait(&limit, NULL, &now) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return n;
}

static void write_all(ng_file *file, const unsigned char *bytes, size_t size)
{
    while (size > 0 && file->failed == 0) {
        ssize_t n = write_quietly(file->fd, bytes, size);
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        } else if (n == 0 || errno != EINTR)
            file->failed = n == 0 ? EIO : errno;
    }
}

static void flush(ng_file *file)
{
    write_all(file, file->buffer, file->used);
    file->used = 0;
}

static ng_status state_of(const ng_file *file, ng_error *error)
{
    if (file->failed == ENOMEM)
        return no_memory(error);
    return file->failed == 0 ? NG_OK : ngi_io_error(error, "write", file->path, file->failed);
}

ng_status ng_file_write(ng_file *file, const void *bytes, size_t size, ng_error *error)
{
    if (file == NULL || (bytes == NULL && size > 0))
        return ng_error_set(error, NG_EARG, "no file, or no bytes to write");
    if (size > BUFFER - file->used)
        flush(file);
    if (size > BUFFER)
        write_all(file, bytes, size);
    else if (size > 0) {
        memcpy(file->buffer + file->used, bytes, size);
        file->used += size;
    }
    return state_of(file, error);
}

ng_status ng_file_print(ng_file *file, ng_error *error, const char *format, ...)
{
    char small[512], *text = small;
    va_list args, again;
    if (file == NULL || format == NULL)
        return ng_error_set(error, NG_EARG, "no file, or no text to write");
    va_start(args, format);
    va_copy(again, args);
    int n = ngi_number_format(small, sizeof small, format, args);
    if (n >= (int)sizeof small && (text = malloc((size_t)n + 1)) != NULL)
        n = ngi_number_format(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    if (text == NULL || n < 0)
        file->failed = text == NULL ? ENOMEM : EILSEQ;
    ng_status status = state_of(file, error);
    if (text != NULL && status == NG_OK)
        status = ng_file_write(file, text, (size_t)n, error);
    if (text != small)
        free(text);
    return status;
}

/* ---- Its end --------------------------------------------------------------------------------- */

static ng_status finish(ng_file *file, ng_error *error)
{
    flush(file);
    TRY(state_of(file, error));
    if (fsync(file->fd) != 0)
        return ngi_io_error(error, "have on the disk", file->path, errno);
    int fd = file->fd;
    file->fd = -1;
    if (close(fd) != 0 && errno != EINTR) /* closed all the same */
        return ngi_io_error(error, "write", file->path, errno);
    if (renameat(file->folder, file->temporary, file->folder, file->name) != 0)
        return ngi_io_error(error, "rename the temporary file to", file->path, errno);
    file->begun = 0;
    if (fsync(file->folder) != 0 && errno != EINVAL) /* some file systems cannot */
        return ngi_io_error(error, "have on the disk (it is written) the folder of", file->path,
                            errno);
    return NG_OK;
}

ng_status ng_file_commit(ng_file *file, ng_error *error)
{
    if (file == NULL)
        return ng_error_set(error, NG_EARG, "no file to commit");
    ng_status status = finish(file, error);
    ng_file_discard(file);
    return status;
}

void ng_file_discard(ng_file *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->begun)
        unlinkat(file->folder, file->temporary, 0);
    if (file->folder >= 0)
        close(file->folder);
    free(file->name);
    free(file->path);
    free(file);
}
