/* Allocations that fail, through the linker's --wrap: for one source of a program
 * linked with WRAPPED_ALLOCATIONS. Check's assertions allocate too: set `failing`
 * back and copy `calls` before any. */
#ifndef NG_TEST_ALLOCATIONS_H
#define NG_TEST_ALLOCATIONS_H

#include <stddef.h>

static long calls, failing = -1; /* allocations so far; the number of the one to fail, from 0 */

#define WRAP_ALLOCATION(name, parameters, ...)                                                     \
    void *__real_##name parameters;                                                                \
    void *__wrap_##name parameters;                                                                \
    void *__wrap_##name parameters                                                                 \
    {                                                                                              \
        return calls++ == failing ? NULL : __real_##name(__VA_ARGS__);                             \
    }

WRAP_ALLOCATION(malloc, (size_t size), size)
WRAP_ALLOCATION(calloc, (size_t count, size_t size), count, size)
WRAP_ALLOCATION(realloc, (void *data, size_t size), data, size)
WRAP_ALLOCATION(aligned_alloc, (size_t align, size_t size), align, size)

#endif
