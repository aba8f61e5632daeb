/* Loaded before the C library (LD_PRELOAD): in the program NG_FAIL_PROGRAM, and
 * in no shell before it and no child after it, the NG_FAIL_AT-th allocation
 * fails. Counted are those of the program, of our libraries and of the C
 * library on their behalf; not those of BLAS and its runtime, which have no way
 * to report one, nor of GSL, whose integrators use what they did not get, and
 * not the buffers of streams, without which streams work.
 * Says in the file NG_FAIL_LOG whether there were so many, and who asked. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static long wanted, seen;
static char report[4096];

__attribute__((constructor)) static void arm(void)
{
    const char *program = getenv("NG_FAIL_PROGRAM"), *at = getenv("NG_FAIL_AT");
    const char *log = getenv("NG_FAIL_LOG"), *self = program_invocation_short_name;
    if (strncmp(self, "lt-", 3) == 0)
        self += 3;
    if (program == NULL || at == NULL || log == NULL || strcmp(self, program) != 0)
        return;
    unsetenv("LD_PRELOAD");
    snprintf(report, sizeof report, "%s", log);
    wanted = atol(at);
}

/* Is it one that counts? */
static int counts(const void *caller, Dl_info *info)
{
    static const char *const others[] = {"blas", "lapack",   "gfortran",
                                         "gomp", "quadmath", "ld-linux", "libgsl"};
    static const char *const buffers[] = {"_IO_file_doallocate", "_IO_wfile_doallocate"};
    if (dladdr(caller, info) == 0 || info->dli_fname == NULL)
        return 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(info->dli_fname, others[i]) != NULL)
            return 0;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (info->dli_sname != NULL && strcmp(info->dli_sname, buffers[i]) == 0)
            return 0;
    return 1;
}

static int fails(const void *caller)
{
    static __thread int inside;
    Dl_info info;
    int failed = 0;
    if (wanted == 0 || inside)
        return 0;
    inside = 1;
    if (counts(caller, &info) && __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED) == wanted) {
        char text[512];
        int length = snprintf(text, sizeof text, "%s %s\n", info.dli_fname,
                              info.dli_sname != NULL ? info.dli_sname : "?");
        int fd = open(report, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (fd >= 0 && write(fd, text, (size_t)length) != length)
            failed = 2;
        close(fd);
        errno = ENOMEM;
        failed = 1;
    }
    inside = 0;
    return failed;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (fails(__builtin_return_address(0)))
        return ENOMEM;
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}
