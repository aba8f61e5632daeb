/* Sizes that stay at SIZE_MAX once they do not fit, so that a wrapped small
 * number never passes for a workspace size. */
#ifndef NGI_SIZE_H
#define NGI_SIZE_H

#include <stddef.h>
#include <stdint.h>

static inline size_t ngi_size_add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t ngi_size_mul(size_t a, size_t b)
{
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

#endif
