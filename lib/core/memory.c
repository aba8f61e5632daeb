/* Allocation (memory.h). */
#include "lib/core/memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/size.h"

enum { FIRST_CAPACITY = 8 };

/* calloc that tells no memory from no items */
static void *zeroed(size_t count, size_t size)
{
    size_t bytes = ngi_size_mul(count, size);
    return bytes == SIZE_MAX ? NULL : calloc(bytes > 0 ? bytes : 1, 1);
}

static ng_status no_matrix(size_t rows, size_t cols, ng_error *error)
{
    return ng_error_set(error, NG_ENOMEM, "no memory for a %zu x %zu matrix", rows, cols);
}

static ng_status no_array(size_t count, const char *what, ng_error *error)
{
    return ng_error_set(error, NG_ENOMEM, "no memory for %zu %s", count, what);
}

ng_status ngi_mat_create(ng_mat *mat, size_t rows, size_t cols, ng_dtype dtype, ng_error *error)
{
    ng_mat made = {NULL, rows, cols, cols, dtype};
    made.data = zeroed(ngi_size_mul(rows, cols), ng_dtype_size(dtype));
    *mat = made;
    return made.data != NULL ? NG_OK : no_matrix(rows, cols, error);
}

ng_status ngi_array_create(void *array, size_t count, size_t size, const char *what,
                           ng_error *error)
{
    void *made = zeroed(count, size);
    memcpy(array, &made, sizeof made);
    return made != NULL ? NG_OK : no_array(count, what, error);
}

/* In front of each block: the one before. Its size keeps the block's alignment. */
typedef union {
    void *before;
    max_align_t align;
} link;

/* bytes of zeros, or NULL */
static void *pool_take(ngi_pool *pool, size_t bytes)
{
    link *made = zeroed(1, ngi_size_add(bytes, sizeof *made));
    if (made == NULL)
        return NULL;
    made->before = pool->top;
    pool->top = made;
    return made + 1;
}

ng_status ngi_pool_mat(ngi_pool *pool, ng_mat *mat, size_t rows, size_t cols, ng_dtype dtype,
                       ng_error *error)
{
    ng_mat made = {NULL, rows, cols, cols, dtype};
    made.data = pool_take(pool, ngi_size_mul(ngi_size_mul(rows, cols), ng_dtype_size(dtype)));
    *mat = made;
    return made.data != NULL ? NG_OK : no_matrix(rows, cols, error);
}

ng_status ngi_pool_array(ngi_pool *pool, void *array, size_t count, size_t size, const char *what,
                         ng_error *error)
{
    void *made = pool_take(pool, ngi_size_mul(count, size));
    memcpy(array, &made, sizeof made);
    return made != NULL ? NG_OK : no_array(count, what, error);
}

void ngi_pool_drop(ngi_pool *pool, void *mark)
{
    while (pool->top != mark) {
        link *last = pool->top;
        pool->top = last->before;
        free(last);
    }
}

ng_status ngi_pool_close(ngi_pool *pool, ng_status status)
{
    ngi_pool_drop(pool, NULL);
    return status;
}

ng_status ngi_array_grow(void *array, size_t *capacity, size_t count, size_t size, ng_error *error)
{
    if (count < *capacity)
        return NG_OK;
    size_t wanted = *capacity == 0 ? FIRST_CAPACITY : ngi_size_mul(2, *capacity);
    size_t bytes = ngi_size_mul(wanted, size);
    void *items, *grown;
    memcpy(&items, array, sizeof items);
    grown = bytes == SIZE_MAX ? NULL : realloc(items, bytes);
    if (grown == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a list of %zu", wanted);
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return NG_OK;
}
