#define _POSIX_C_SOURCE 200809L
#include "tests/support/faults.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

fault_kind (*fault_hook)(fault_call call);
int fault_errno = EIO;

static fault_kind ask(fault_call call)
{
    return fault_hook != NULL ? fault_hook(call) : SPARE;
}

/* ---- The k-th call of a set ---------------------------------------------------------------- */

static struct {
    int set;
    long first, last;
    fault_kind kind;
} plan;
static atomic_long calls;

static fault_kind planned(fault_call call)
{
    if (!(plan.set >> call & 1))
        return SPARE;
    long number = ++calls;
    return number >= plan.first && number <= plan.last ? plan.kind : SPARE;
}

static void arm(int set, long first, long last, fault_kind kind)
{
    plan.set = set;
    plan.first = first;
    plan.last = last;
    plan.kind = kind;
    calls = 0;
    fault_errno = EIO;
    fault_hook = planned;
}

void fault_once(int set, long at, fault_kind kind)
{
    arm(set, at, at, kind);
}

void fault_from(int set, long at, fault_kind kind)
{
    arm(set, at, at > 0 ? LONG_MAX : 0, kind);
}

long fault_over(void)
{
    fault_hook = NULL;
    fault_errno = EIO;
    return calls;
}

/* ---- Memory --------------------------------------------------------------------------------- */

#define WRAP_ALLOCATION(call, T, name, parameters, ...)                                            \
    T *__real_##name parameters;                                                                   \
    T *__wrap_##name parameters;                                                                   \
    T *__wrap_##name parameters                                                                    \
    {                                                                                              \
        if (ask(call) == SPARE)                                                                    \
            return __real_##name(__VA_ARGS__);                                                     \
        errno = ENOMEM;                                                                            \
        return NULL;                                                                               \
    }

WRAP_ALLOCATION(ON_MALLOC, void, malloc, (size_t size), size)
WRAP_ALLOCATION(ON_CALLOC, void, calloc, (size_t count, size_t size), count, size)
WRAP_ALLOCATION(ON_REALLOC, void, realloc, (void *data, size_t size), data, size)
WRAP_ALLOCATION(ON_ALIGNED_ALLOC, void, aligned_alloc, (size_t align, size_t size), align, size)
WRAP_ALLOCATION(ON_STRDUP, char, strdup, (const char *text), text)

void __real_free(void *data);
void __wrap_free(void *data);
void __wrap_free(void *data)
{
    if (data != NULL)
        ask(ON_FREE);
    __real_free(data);
}

/* ---- Files and threads ---------------------------------------------------------------------- */

ssize_t __real_write(int file, const void *bytes, size_t size);
int __real_fsync(int file);
int __real_rename(const char *from, const char *to);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_fchmod(int file, mode_t mode);
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
ssize_t __wrap_write(int file, const void *bytes, size_t size);
int __wrap_fsync(int file);
int __wrap_rename(const char *from, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_fchmod(int file, mode_t mode);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static int with_errno(void)
{
    errno = fault_errno;
    return -1;
}

ssize_t __wrap_write(int file, const void *bytes, size_t size)
{
    fault_kind kind = ask(ON_WRITE);
    if (kind == FAIL)
        return with_errno();
    return __real_write(file, bytes, kind == CUT && size > 7 ? 7 : size);
}

int __wrap_fsync(int file)
{
    return ask(ON_FSYNC) == SPARE ? __real_fsync(file) : with_errno();
}

int __wrap_rename(const char *from, const char *to)
{
    return ask(ON_RENAME) == SPARE ? __real_rename(from, to) : with_errno();
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return ask(ON_RENAME) == SPARE ? __real_renameat(from_folder, from, to_folder, to)
                                   : with_errno();
}

int __wrap_fchmod(int file, mode_t mode)
{
    return ask(ON_CHMOD) == SPARE ? __real_fchmod(file, mode) : with_errno();
}

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *data)
{
    return ask(ON_THREAD) == SPARE ? __real_pthread_create(id, attributes, run, data) : EAGAIN;
}

/* ---- LAPACK -----------------------------------------------------------------------------------
 */

#define T float
#define W(name) __wrap_s##name##_
#define R(name) __real_s##name##_
#include "tests/support/faults_lapack.h"
#undef T
#undef W
#undef R

#define T double
#define W(name) __wrap_d##name##_
#define R(name) __real_d##name##_
#include "tests/support/faults_lapack.h"
